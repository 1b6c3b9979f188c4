"""From an overlay's folder to the layer that paints it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fkd_desktop.overlays.picture import PictureLayer

if TYPE_CHECKING:
    from pathlib import Path

    from fkd_desktop.overlays.description import OverlayDescription
    from fkd_desktop.overlays.layer import Layer


def check_overlay(_folder: Path, _description: OverlayDescription) -> None:
    """Check what can be checked of an overlay's pictures without decoding them.

    Raises
    ------
    OverlayError
        If one is missing, of another kind, or too large.
    """


def load_overlay(name: str, folder: Path) -> Layer:
    """Load an overlay.

    Parameters
    ----------
    name
        What the layer is to be called.
    folder
        Holds ``overlay.toml`` and the pictures that it names.

    Raises
    ------
    OverlayError
        If it is broken.
    """
    return PictureLayer(name, folder)
