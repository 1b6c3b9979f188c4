"""The face in the editor, with the picture as it will be painted, and what its anchors are tied to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen

from fkd_desktop.overlays import paint_result
from fkd_desktop.overlays.layers import FACE_COLOURS
from fkd_desktop.ui.overlays.anchor_pane import GROUND, INK, AnchorPane
from fkd_desktop.ui.overlays.snapping import nearest_place, next_place, place_of, places

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtWidgets import QWidget

    from fkd_desktop.live.result import FrameResult
    from fkd_desktop.overlays import Layer
    from fkd_desktop.ui.overlays.draft import Document, Draft


class FacePane(AnchorPane):
    """Shows one face; an anchor that is dragged snaps to the nearest keypoint or place, and the picture follows.

    Parameters
    ----------
    document
        The draft.
    face
        What is shown at first.
    layer_of
        Makes of a draft what is painted on the face.
    """

    def __init__(
        self,
        document: Document,
        face: FrameResult,
        layer_of: Callable[[Draft], Layer | None],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(document, parent)
        self.setObjectName("face_pane")
        self.setAccessibleName(self.tr("The face and what the anchors are tied to"))
        self.setAccessibleDescription(
            self.tr("Arrow keys move the selected anchor to the next place of the face; digits select another one")
        )
        self._face, self._layer_of = face, layer_of
        self._painted: Draft | None = None
        self._layers: tuple[Layer, ...] = ()

    @property
    def face(self) -> FrameResult:
        """What is shown, with one face."""
        return self._face

    def show_face(self, face: FrameResult) -> None:
        """Show another face, or the same one a moment later."""
        self._face = face
        self.update()

    def picture_rect(self) -> QRectF:
        """Where the frame is painted."""
        height, width = self._face.frame_bgr.shape[:2]
        scale = min(self.width() / width, self.height() / height)
        rect = QRectF(0, 0, round(width * scale), round(height * scale))
        rect.moveCenter(QRectF(self.rect()).center())
        rect.moveTopLeft(QPointF(round(rect.left()), round(rect.top())))
        return rect

    def to_widget(self, x: float, y: float) -> QPointF:
        """Return where a keypoint of the frame is painted."""
        rect = self.picture_rect()
        scale = rect.width() / self._face.frame_bgr.shape[1]
        return QPointF(rect.left() + (x + 0.5) * scale, rect.top() + (y + 0.5) * scale)

    def to_frame(self, place: QPointF) -> tuple[float, float]:
        """Return which point of the frame is at a place of the widget."""
        rect = self.picture_rect()
        at = (place - rect.topLeft()) * (self._face.frame_bgr.shape[1] / rect.width())
        return at.x() - 0.5, at.y() - 0.5

    def handles(self) -> list[QPointF]:
        """See `AnchorPane.handles`."""
        if not len(self._face):
            return []
        points = self._face.keypoints_px[0]
        return [
            self.to_widget(*points[list(anchor.keypoints)].mean(axis=0).tolist())
            for anchor in self.document.draft.anchors
        ]

    def drag(self, number: int, place: QPointF, key: str) -> None:
        """See `AnchorPane.drag`."""
        taken = self.document.taken(number)
        self.document.tie(number, nearest_place(self._face.keypoints_px[0], self.to_frame(place), taken=taken), key)

    def nudge(self, number: int, step: tuple[int, int], *, far: bool) -> None:
        """See `AnchorPane.nudge`: to the next place in that direction."""
        for _ in range(3 if far else 1):
            here = place_of(self.document.draft.anchors[number].keypoints)
            taken = self.document.taken(number)
            there = next_place(self._face.keypoints_px[0], here, step, taken=taken)
            self.document.tie(number, there, f"tie {number}")

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the face, the picture on it, and the anchors."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), GROUND)
        paint_result(painter, self.picture_rect(), self._face, self._newest_layers())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.dragged is not None:
            self._paint_places(painter)
        self.paint_handles(painter)
        self._paint_name(painter)
        self.paint_focus(painter)
        painter.end()

    def _newest_layers(self) -> tuple[Layer, ...]:
        """Make the layer when it is painted, not for each of the steps of the mouse in between."""
        if self._painted is not self.document.draft:
            self._painted = self.document.draft
            layer = self._layer_of(self._painted)
            self._layers = () if layer is None else (layer,)
        return self._layers

    def _paint_places(self, painter: QPainter) -> None:
        """Paint where the anchor could go, and the way from the mouse to where it went."""
        points = self._face.keypoints_px[0]
        painter.setPen(QPen(QColor(0, 0, 0, 140), 1))
        for place in places():
            painter.setBrush(INK if place.number is None else QColor(242, 245, 248, 120))
            radius = 3.0 if place.number is None else 1.8
            painter.drawEllipse(self.to_widget(*place.at(points).tolist()), radius, radius)
        number = self.dragged
        if number is not None and number < len(self.document.draft.anchors):
            pen = QPen(FACE_COLOURS[number % len(FACE_COLOURS)], 2, Qt.PenStyle.DotLine)
            painter.setPen(pen)
            painter.drawLine(self.handles()[number], self.drag_place)

    def _paint_name(self, painter: QPainter) -> None:
        anchors, number = self.document.draft.anchors, self.document.selected
        if number < len(anchors) and len(self._face):
            text = f"{number + 1}  {place_of(anchors[number].keypoints).words}"
            self.paint_plate(painter, text, FACE_COLOURS[number % len(FACE_COLOURS)])
