"""From an overlay's folder to the layer that paints it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fkd_desktop.overlays.artwork import check_picture
from fkd_desktop.overlays.description import DESCRIPTION_NAME
from fkd_desktop.overlays.description_file import read_description
from fkd_desktop.overlays.effects import BlurLayer, PixelateLayer
from fkd_desktop.overlays.picture import PictureLayer, inside

if TYPE_CHECKING:
    from pathlib import Path

    from fkd_desktop.overlays.description import OverlayDescription
    from fkd_desktop.overlays.layer import Layer


def check_overlay(folder: Path, description: OverlayDescription) -> None:
    """Check what can be checked of an overlay's pictures without decoding them.

    Raises
    ------
    OverlayError
        If one is missing, of another kind, too large or not safe.
    """
    for picture in description.pictures:
        check_picture(inside(folder, picture.image))


def load_overlay(name: str, folder: Path, *, title: str = "") -> Layer:
    """Load an overlay.

    Parameters
    ----------
    name
        What the layer is to be called.
    folder
        Holds ``overlay.toml`` and the pictures that it names.
    title
        Its title in the application's language, if that is not the description's own.

    Raises
    ------
    OverlayError
        If it is broken.
    """
    description = read_description(folder / DESCRIPTION_NAME)
    title = title or description.name
    if description.effect is not None:
        make = BlurLayer if description.effect.kind == "blur" else PixelateLayer
        return make(name, title, strength=description.effect.strength)
    return PictureLayer(name, title, folder, description.pictures)
