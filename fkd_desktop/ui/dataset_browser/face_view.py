"""One face, large: its picture, the true keypoints, and what the network says of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFont, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from fkd_desktop.i18n import numeral
from fkd_desktop.overlays.render import frame_image
from fkd_desktop.ui.dataset_browser import marks
from fkd_desktop.ui.dataset_browser.viewport import Viewport
from trainer.core.keypoints import FACE_PARTS
from trainer.core.preprocess import box_from_keypoints, crop_squares

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from fkd_desktop.ui.dataset_browser.marks import Points

Layer = Literal["truth", "prediction"]

ROOM_PER_BOX: Final = 1.6
"""Side of what is shown of a face over the side of its box."""
HOVER_PX: Final = 9.0
_STEP_KEYS: Final = {
    Qt.Key.Key_Left: -1,
    Qt.Key.Key_Up: -1,
    Qt.Key.Key_Right: 1,
    Qt.Key.Key_Down: 1,
}


@dataclass(frozen=True)
class Marks:
    """What is painted, and where."""

    truth: bool = True
    prediction: bool = False
    numbers: bool = False
    names: bool = False
    side_by_side: bool = False
    whole_image: bool = False


class FaceView(QWidget):
    """Shows a picture with its keypoints; zooms by wheel or keys, pans by dragging, names the point under the mouse."""

    stepped = Signal(int)
    """An arrow key: 1 for the next face, -1 for the one before."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("face_view")
        self.setAccessibleName(self.tr("Large view of the face"))
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(300, 260)
        self.setMouseTracking(True)
        self._levels: list[QImage] = []
        self._arrays: Sequence[NDArray[np.uint8]] = ()  # the images show their memory
        self._truth_px: NDArray[np.float32] | None = None
        self._predicted_px: NDArray[np.float32] | None = None
        self._message = ""
        self._marks = Marks()
        self.viewport = Viewport()
        self._dragged_from: QPointF | None = None
        self._hovered: tuple[Layer, int] | None = None

    # --- what is shown

    def show_face(
        self,
        levels: Sequence[NDArray[np.uint8]],
        *,
        truth_px: NDArray[np.float32] | None,
        predicted_px: NDArray[np.float32] | None = None,
        message: str = "",
    ) -> None:
        """Show a picture, all of it at once.

        Parameters
        ----------
        levels
            The picture, (H, W, 3) BGR, and halves of its size after it; empty for none.
        truth_px, predicted_px
            (68, 2) in pixels of the picture; None where there are none.
        message
            Shown over the picture, or in its place.
        """
        self._arrays = levels
        self._levels = [frame_image(level) for level in levels]
        self._truth_px, self._predicted_px, self._message = truth_px, predicted_px, message
        self.reset_view()

    def set_prediction(self, predicted_px: NDArray[np.float32] | None) -> None:
        """Show what the network says of the face on show."""
        self._predicted_px = predicted_px
        self._hovered = None
        self.update()

    @property
    def marks(self) -> Marks:
        """What is painted."""
        return self._marks

    @marks.setter
    def marks(self, marks: Marks) -> None:
        moves = marks.whole_image != self._marks.whole_image or marks.side_by_side != self._marks.side_by_side
        self._marks = marks
        self._hovered = None
        if moves:
            self.reset_view()
        self.update()

    @property
    def message(self) -> str:
        """What is said over the picture."""
        return self._message

    @property
    def has_picture(self) -> bool:
        """Whether there is a picture to copy."""
        return bool(self._levels)

    def reset_view(self) -> None:
        """Let the face, or the whole picture, fill the view."""
        self.viewport.reset(self._region())
        self._hovered = None
        self.update()

    def zoom_by(self, factor: float, about: QPointF | None = None) -> None:
        """Zoom so that what is under a place of the widget (default: the middle) stays there."""
        pane = self._pane_at(about) if about is not None else self.panes()[0]
        self.viewport.zoom_by(factor, about if about is not None else pane.center(), pane)
        self._hovered = None
        self.update()

    def picture_of_view(self, device_pixel_ratio: float = 2.0) -> QImage:
        """Paint the view as it is, without what the mouse is on, as an image of its own."""
        image = QImage(self.size() * device_pixel_ratio, QImage.Format.Format_RGB32)
        image.setDevicePixelRatio(device_pixel_ratio)
        painter = QPainter(image)
        self._paint(painter, device_pixel_ratio)
        painter.end()
        return image

    # --- where things are

    def panes(self) -> list[QRectF]:
        """Return where the picture is painted: once, or twice side by side."""
        whole = QRectF(self.rect())
        if not self._is_split:
            return [whole]
        half = whole.width() / 2
        return [QRectF(0, 0, half - 1, whole.height()), QRectF(half + 1, 0, half - 1, whole.height())]

    @property
    def _is_split(self) -> bool:
        return self._marks.side_by_side and self._marks.prediction and self._predicted_px is not None

    def _pane_at(self, place: QPointF) -> QRectF:
        return next((pane for pane in self.panes() if pane.contains(place)), self.panes()[-1])

    def _region(self) -> QRectF:
        """Return what fits the view at zoom 1, in pixels of the picture."""
        if self._truth_px is not None and not (self._marks.whole_image and self._levels):
            square = crop_squares(box_from_keypoints(self._truth_px), crop_per_box=ROOM_PER_BOX)[0].tolist()
            return QRectF(square[0], square[1], square[2], square[2])
        if self._levels:
            return QRectF(self._levels[0].rect())
        return QRectF(0, 0, 1, 1)

    # --- painting

    def sizeHint(self) -> QSize:
        """See `QWidget.sizeHint`."""
        return QSize(520, 520)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the picture, its keypoints, and a word on the one under the mouse."""
        painter = QPainter(self)
        self._paint(painter, self.devicePixelRatioF())
        self._paint_hovered(painter)
        painter.end()

    def _paint(self, painter: QPainter, device_pixel_ratio: float) -> None:
        painter.fillRect(self.rect(), marks.GROUND_COLOUR)
        panes = self.panes()
        for number, pane in enumerate(panes):
            painter.setClipRect(pane)
            if self._levels:
                self._paint_picture(painter, pane, device_pixel_ratio)
            self._paint_marks(painter, pane, only=self._layer_of(number))
        painter.setClipping(False)
        if self._message:
            self._paint_message(painter)

    def _layer_of(self, pane: int) -> Layer | None:
        if not self._is_split:
            return None
        return "prediction" if pane else "truth"

    def _paint_picture(self, painter: QPainter, pane: QRectF, device_pixel_ratio: float) -> None:
        scale = self.viewport.scale(pane)
        device_scale = scale * device_pixel_ratio
        # Of a large picture that is painted small a smaller copy: quicker, and without jagged edges.
        number = min(max(0, int(np.floor(-np.log2(device_scale)))), len(self._levels) - 1)
        whole = self._levels[0].size()
        middle = pane.center()
        corner = middle - self.viewport.centre * scale
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, device_scale < 8)  # then pixels are squares
        painter.drawImage(
            QRectF(corner.x(), corner.y(), whole.width() * scale, whole.height() * scale), self._levels[number]
        )

    def layers(self) -> dict[Layer, NDArray[np.float32]]:
        """Return what is on show, back to front: (68, 2) in pixels of the picture."""
        found: dict[Layer, NDArray[np.float32]] = {}
        if self._marks.truth and self._truth_px is not None:
            found["truth"] = self._truth_px
        if self._marks.prediction and self._predicted_px is not None:
            found["prediction"] = self._predicted_px
        return found

    def _paint_marks(self, painter: QPainter, pane: QRectF, only: Layer | None) -> None:
        found = {layer: px for layer, px in self.layers().items() if only in (None, layer)}
        places: dict[Layer, Points] = {
            layer: marks.as_points(self.viewport.to_view(px, pane)) for layer, px in found.items()
        }
        if not places:
            return
        radius_px = min(max(min(pane.width(), pane.height()) / 190, 1.6), 3.2) * min(max(self.viewport.zoom, 0.8), 1.4)
        colours = {"truth": marks.TRUE_COLOUR, "prediction": marks.PREDICTED_COLOUR}
        if len(places) == 2:
            marks.paint_offsets(painter, places["truth"], places["prediction"])
        for layer, points in places.items():
            is_alone = len(places) == 1
            marks.paint_points(painter, points, colours[layer], radius_px=radius_px, lines=is_alone or layer == "truth")
        first = next(iter(places))
        if self._marks.numbers:
            marks.paint_numbers(painter, places[first], colours[first], self.font())
        if self._marks.names:
            marks.paint_names(painter, places[first], self.font())
        titles = {"truth": self.tr("true"), "prediction": self.tr("predicted")}
        if self._marks.prediction and self._predicted_px is not None:
            legend = [(titles[layer], colours[layer]) for layer in places]
            marks.paint_legend(painter, pane.topLeft() + QPointF(10, 10), legend, self.font())

    def _paint_message(self, painter: QPainter) -> None:
        font = QFont(self.font())
        font.setPixelSize(14)
        painter.setFont(font)
        room = QRectF(self.rect()).adjusted(32, 24, -32, -24)
        flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        text = painter.boundingRect(room, int(flags), self._message)
        if self._levels:
            text.moveBottom(room.bottom())
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(marks.PLATE)
            painter.drawRoundedRect(text.adjusted(-14, -9, 14, 9), 6, 6)
        painter.setPen(marks.INK)
        painter.drawText(text, int(flags), self._message)

    # --- the point under the mouse

    @property
    def hover_text(self) -> str:
        """What is said of the point under the mouse; empty for none."""
        if self._hovered is None:
            return ""
        layer, number = self._hovered
        px = self.layers()[layer][number]
        part = next(name for name, part in FACE_PARTS.items() if number in part.indices)
        text = f"{number} · {marks.part_title(part)} · x {numeral(f'{px[0]:.1f}')}, y {numeral(f'{px[1]:.1f}')}"
        if self._truth_px is not None and self._marks.prediction and self._predicted_px is not None:
            off_px = float(np.linalg.norm(self._predicted_px[number] - self._truth_px[number]))
            text += " · " + self.tr("{0} px apart").format(numeral(f"{off_px:.1f}"))
        return text

    def point_at(self, place: QPointF) -> tuple[Layer, int] | None:
        """Return which point is under a place of the widget."""
        pane = self._pane_at(place)
        only = self._layer_of(self.panes().index(pane))
        best: tuple[float, Layer, int] | None = None
        for layer, px in self.layers().items():
            if only in (None, layer):
                far = np.linalg.norm(self.viewport.to_view(px, pane) - [place.x(), place.y()], axis=1)
                number = int(far.argmin())
                if far[number] <= HOVER_PX and (best is None or far[number] < best[0]):
                    best = (float(far[number]), layer, number)
        return None if best is None else best[1:]

    def _paint_hovered(self, painter: QPainter) -> None:
        if self._hovered is None:
            return
        layer, number = self._hovered
        panes = self.panes()
        pane = panes[1] if self._is_split and layer == "prediction" else panes[0]
        (x, y), *_ = self.viewport.to_view(self.layers()[layer][number : number + 1], pane).tolist()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(marks.INK)
        painter.drawEllipse(QPointF(x, y), 6.5, 6.5)
        font = QFont(self.font())
        font.setPixelSize(12)
        painter.setFont(font)
        plate = marks.plate_rect(painter, self.hover_text)
        plate.moveCenter(QPointF(x, y - 24))
        plate.moveLeft(min(max(plate.left(), 6.0), self.width() - plate.width() - 6))
        if plate.top() < 6:
            plate.moveTop(y + 14)
        marks.paint_plate(painter, plate, self.hover_text)

    # --- events

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom."""
        self.zoom_by(1.2 ** (event.angleDelta().y() / 120), event.position())
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin to pan."""
        if event.button() == Qt.MouseButton.LeftButton and self._levels:
            self._dragged_from = event.position()
            self.setCursor(Qt.CursorShape.ClosedHandCursor)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Pan, or say what is under the mouse."""
        if self._dragged_from is not None:
            moved = event.position() - self._dragged_from
            self._dragged_from = event.position()
            self.viewport.pan(moved, self.panes()[0])
            self._hovered = None
            self.update()
        elif (hovered := self.point_at(event.position())) != self._hovered:
            self._hovered = hovered
            self.update()

    def mouseReleaseEvent(self, _event: QMouseEvent) -> None:
        """End to pan."""
        self._dragged_from = None
        self.unsetCursor()

    def mouseDoubleClickEvent(self, _event: QMouseEvent) -> None:
        """Show all again."""
        self.reset_view()

    def leaveEvent(self, event: object) -> None:
        """Forget the point under the mouse."""
        self._hovered = None
        self.update()
        super().leaveEvent(event)  # type: ignore[arg-type]

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows go to other faces; plus, minus and 0 zoom."""
        key = Qt.Key(event.key())
        if key in _STEP_KEYS:
            self.stepped.emit(_STEP_KEYS[key])
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self.zoom_by(1.25)
        elif key == Qt.Key.Key_Minus:
            self.zoom_by(1 / 1.25)
        elif key == Qt.Key.Key_0:
            self.reset_view()
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """See `QWidget.resizeEvent`."""
        self._hovered = None
        super().resizeEvent(event)
