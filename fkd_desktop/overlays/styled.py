"""A layer with the user's wishes for it: how opaque, and on which face."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter

from fkd_desktop.overlays.offscreen import Sheet

if TYPE_CHECKING:
    from fkd_desktop.live.result import FrameResult
    from fkd_desktop.overlays.layer import Layer, OpacityMode, PaintContext


class StyledLayer:
    """Paints another layer with an opacity, and only on one face if that is wanted.

    Parameters
    ----------
    layer
        The layer.
    opacity
        In [0, 1], of the layer as a whole: where it overlaps itself, nothing shines through. Layers that hide a face
        are opaque all the same.
    face_id
        The face's number; None for every face.
    """

    def __init__(self, layer: Layer, *, opacity: float = 1.0, face_id: int | None = None) -> None:
        self.name, self.title = layer.name, layer.title
        self._layer, self._face_id = layer, face_id
        self._mode: OpacityMode = getattr(layer, "opacity_mode", "group")
        self._opacity = 1.0 if self._mode == "fixed" else opacity

    def wraps(self, layer: Layer) -> bool:
        """Whether this is the layer underneath."""
        return self._layer is layer

    def paint(self, painter: QPainter, result: FrameResult, context: PaintContext) -> None:
        """See `Layer.paint`."""
        if self._face_id is not None:
            result = result.only([self._face_id])
        if not len(result) or self._opacity <= 0:
            return
        if self._opacity == 1:
            self._layer.paint(painter, result, context)
            return
        painter.setOpacity(painter.opacity() * self._opacity)
        if self._mode == "each":
            self._layer.paint(painter, result, context)
            return
        height, width = result.frame_bgr.shape[:2]
        bounds_of = getattr(self._layer, "bounds", None)
        sheet = Sheet(painter, bounds_of(result) if bounds_of is not None else QRectF(0, 0, width, height))
        if sheet.is_empty:
            return
        sheet_painter = QPainter(sheet.image)
        sheet_painter.setTransform(sheet.to_sheet)
        self._layer.paint(sheet_painter, result, context)
        sheet_painter.end()
        sheet.put()
