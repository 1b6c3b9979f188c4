"""Turning what users write to name a source (``camera:0``, ``demo``, a path) into one.

Tests and other kinds of sources add to the registry.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from fkd_desktop.errors import SourceError
from fkd_desktop.live.sources.base import FrameSource, check_file
from fkd_desktop.live.sources.camera import CameraSource
from fkd_desktop.live.sources.cameras import CameraName
from fkd_desktop.live.sources.pictures import IMAGE_SUFFIXES, ImageSource, decode_picture
from fkd_desktop.live.sources.stream import STREAM_SCHEMES, StreamSource
from fkd_desktop.live.sources.video import VIDEO_SUFFIXES, VideoSource
from trainer.core.resources import assets_dir

if TYPE_CHECKING:
    from collections.abc import Callable


def _camera(text: str) -> FrameSource:
    return CameraSource(CameraName.parse(text))


def _stream(scheme: str) -> Callable[[str], FrameSource]:
    return lambda rest: StreamSource(f"{scheme}:{rest}")


def _demo(_text: str) -> FrameSource:
    return VideoSource(assets_dir() / "demo" / "demo.mp4", label="Demo clip", loop=True)


_SCHEMES: Final[dict[str, Callable[[str], FrameSource]]] = {
    "camera": _camera,
    "demo": _demo,
    **{scheme: _stream(scheme) for scheme in STREAM_SCHEMES},
}


def register_source(scheme: str, factory: Callable[[str], FrameSource]) -> None:
    """Add a kind of source: ``scheme:text`` is then made by ``factory(text)``."""
    _SCHEMES[scheme] = factory


def make_source(name: str) -> FrameSource:
    """Turn what a user wrote into a source.

    Parameters
    ----------
    name
        ``camera:N``, ``camera:id=...`` (see `CameraName`), ``demo``, an rtsp or http address, or the path of a video,
        a picture or a folder of pictures.

    Raises
    ------
    SourceError
        If it is none of these.
    """
    scheme, _, rest = name.partition(":")
    if scheme in _SCHEMES:
        return _SCHEMES[scheme](rest)
    path = Path(name)
    try:
        path = path.expanduser()
        pictures = _pictures(path) if path.is_dir() else None
    except RuntimeError as error:  # ~somebody who has no home here
        raise SourceError(f"there is no file {path}; check the path or choose another file") from error
    except OSError as error:
        raise SourceError(
            f"{path} cannot be read ({error.strerror or error}); check the path and its permissions"
        ) from error
    if pictures is not None:
        if not pictures:
            raise SourceError(f"the folder {path} has no pictures; choose another one")
        return ImageSource(pictures, label=path.resolve().name or str(path))
    check_file(path)
    # A wrong suffix is common: content decides. Only what is named a video is not tried as a picture first.
    if path.suffix.lower() not in VIDEO_SUFFIXES and decode_picture(path) is not None:
        return ImageSource([path], label=path.name)
    return VideoSource(path)


def _pictures(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES and path.is_file())
