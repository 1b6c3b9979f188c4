"""Layers that paint a `FrameResult` with QPainter: the same ones for the screen, pictures and videos."""

from fkd_desktop.overlays.layer import Layer, PaintContext
from fkd_desktop.overlays.layers import (
    DEFAULT_LAYER_NAMES,
    LAYER_NAMES,
    BoxesLayer,
    KeypointsLayer,
    NumbersLayer,
    make_layers,
)
from fkd_desktop.overlays.picture import PictureLayer
from fkd_desktop.overlays.render import frame_image, paint_result, render

__all__ = [
    "DEFAULT_LAYER_NAMES",
    "LAYER_NAMES",
    "BoxesLayer",
    "KeypointsLayer",
    "Layer",
    "NumbersLayer",
    "PaintContext",
    "PictureLayer",
    "frame_image",
    "make_layers",
    "paint_result",
    "render",
]
