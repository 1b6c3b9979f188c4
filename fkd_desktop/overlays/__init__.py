"""Layers that paint a `FrameResult` with QPainter: the same ones for the screen, pictures and videos."""

from fkd_desktop.overlays.layer import Layer, PaintContext
from fkd_desktop.overlays.layers import BoxesLayer, KeypointsLayer, NumbersLayer
from fkd_desktop.overlays.library import BrokenOverlay, OverlayInfo, OverlayLibrary
from fkd_desktop.overlays.picture import PictureLayer
from fkd_desktop.overlays.render import frame_image, paint_result, render
from fkd_desktop.overlays.saving import save_overlay
from fkd_desktop.overlays.stack import ActiveOverlay, OverlayStack

__all__ = [
    "ActiveOverlay",
    "BoxesLayer",
    "BrokenOverlay",
    "KeypointsLayer",
    "Layer",
    "NumbersLayer",
    "OverlayInfo",
    "OverlayLibrary",
    "OverlayStack",
    "PaintContext",
    "PictureLayer",
    "frame_image",
    "paint_result",
    "render",
    "save_overlay",
]
