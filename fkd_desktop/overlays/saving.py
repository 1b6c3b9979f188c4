"""Writing an overlay of the user's own: its folder appears whole or not at all."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from fkd_desktop.errors import OverlayError
from fkd_desktop.overlays.description import (
    DEFAULT_ORDER,
    DESCRIPTION_NAME,
    FORMAT_VERSION,
    Blend,
    Fit,
    OverlayDescription,
)
from fkd_desktop.overlays.loading import load_overlay

if TYPE_CHECKING:
    from fkd_desktop.overlays.description import PictureDescription


def save_overlay(
    folder: Path, description: OverlayDescription, image_bytes: bytes, *, replace_existing: bool = False
) -> None:
    """Write an overlay of one picture.

    Everything is written beside its place first and loaded for a test, so that what is there in the end can be used.

    Parameters
    ----------
    folder
        The overlay's own folder, for instance from `OverlayLibrary.free_folder`.
    description
        With exactly one picture.
    image_bytes
        The PNG or SVG file that the picture is.
    replace_existing
        Whether an overlay that is there already gives way; it stays if anything fails.

    Raises
    ------
    OverlayError
        If the folder is there already, cannot be written, or what would be written makes no sense.
    """
    (picture,) = description.pictures
    if folder.exists() and not replace_existing:
        raise OverlayError("there is an overlay {folder} already; choose another name", folder=folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".overlay-", dir=folder.parent) as name:
            new = Path(name) / folder.name
            (new / picture.image).parent.mkdir(parents=True)
            _write(new / picture.image, image_bytes)
            _write(new / DESCRIPTION_NAME, to_toml(description).encode())
            load_overlay(folder.name, new)
            if folder.exists():
                folder.rename(Path(name) / "old")
            try:
                new.rename(folder)
            except OSError:
                if (Path(name) / "old").exists():
                    (Path(name) / "old").rename(folder)
                raise
    except OSError as error:
        raise OverlayError(
            "the overlay {folder} cannot be written ({reason}); choose another place",
            folder=folder,
            reason=error.strerror or str(error),
        ) from error


def remove_folder(folder: Path) -> None:
    """Delete an overlay's folder; it vanishes at once, whatever happens to its files after.

    Raises
    ------
    OverlayError
        If it cannot be deleted.
    """
    try:
        if folder.is_symlink():
            folder.unlink()
            return
        with tempfile.TemporaryDirectory(prefix=".overlay-", dir=folder.parent, ignore_cleanup_errors=True) as name:
            folder.rename(Path(name) / "old")
            shutil.rmtree(Path(name) / "old", ignore_errors=True)
    except OSError as error:
        raise OverlayError(
            "the overlay {folder} cannot be deleted ({reason}); check its folder",
            folder=folder,
            reason=error.strerror or str(error),
        ) from error


def to_toml(description: OverlayDescription) -> str:
    """Return a description as the text of an ``overlay.toml``."""
    lines = [f"format = {FORMAT_VERSION}", f"name = {_quoted(description.name)}"]
    if description.names:
        pairs = ", ".join(f"{language} = {_quoted(title)}" for language, title in description.names)
        lines.append(f"names = {{ {pairs} }}")
    if description.credit:
        lines.append(f"credit = {_quoted(description.credit)}")
    if description.order != DEFAULT_ORDER:
        lines.append(f"order = {description.order}")
    if description.key is not None:
        lines.append(f"key = {_quoted(description.key)}")
    if description.effect is not None:
        lines += ["", "[effect]", f"kind = {_quoted(description.effect.kind)}"]
        lines.append(f"strength = {float(description.effect.strength)}")
    for picture in description.pictures:
        lines += ["", "[[pictures]]", *_picture_lines(picture)]
    return "\n".join(lines) + "\n"


def _picture_lines(picture: PictureDescription) -> list[str]:
    lines = [f"image = {_quoted(picture.image)}"]
    if picture.fit is not Fit.of_count(len(picture.anchors)):
        lines.append(f"fit = {_quoted(picture.fit.value)}")
    if picture.blend is not Blend.NORMAL:
        lines.append(f"blend = {_quoted(picture.blend.value)}")
    if picture.opacity != 1:
        lines.append(f"opacity = {float(picture.opacity)}")
    if picture.mirror:
        lines.append("mirror = true")
    for anchor in picture.anchors:
        x, y = (float(value) for value in anchor.image_px)
        keypoints = ", ".join(str(int(keypoint)) for keypoint in anchor.keypoints)
        lines += ["", "  [[pictures.anchors]]", f"  image_px = [{x}, {y}]", f"  keypoints = [{keypoints}]"]
    return lines


def _quoted(text: str) -> str:
    """Return a text as a TOML string: JSON's, but for a character that only TOML forbids."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
