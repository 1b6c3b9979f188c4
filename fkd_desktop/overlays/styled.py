"""A layer with the user's wishes for it: how opaque, and on which face."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PySide6.QtGui import QPainter

    from fkd_desktop.live.result import FrameResult
    from fkd_desktop.overlays.layer import Layer, PaintContext


class StyledLayer:
    """Paints another layer with an opacity, and only on one face if that is wanted.

    Parameters
    ----------
    layer
        The layer.
    opacity
        In [0, 1], of the layer as a whole.
    face_id
        The face's number; None for every face.
    """

    def __init__(self, layer: Layer, *, opacity: float = 1.0, face_id: int | None = None) -> None:
        self.name, self.title = layer.name, layer.title
        self._layer, self._opacity, self._face_id = layer, opacity, face_id

    def wraps(self, layer: Layer) -> bool:
        """Whether this is the layer underneath."""
        return self._layer is layer

    def paint(self, painter: QPainter, result: FrameResult, context: PaintContext) -> None:
        """See `Layer.paint`."""
        if self._face_id is not None:
            result = result.only([self._face_id])
        if not len(result) or self._opacity <= 0:
            return
        painter.setOpacity(painter.opacity() * self._opacity)
        self._layer.paint(painter, result, context)
