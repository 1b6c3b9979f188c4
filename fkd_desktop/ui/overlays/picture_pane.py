"""The picture in the editor, with its anchors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent, QPixmap

from fkd_desktop.ui.icons import tinted_pixmap
from fkd_desktop.ui.overlays.anchor_pane import GROUND, INK, AnchorPane

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from fkd_desktop.ui.overlays.draft import Document

MARGIN_PX: Final = 26
_SQUARE_PX: Final = 10
_FAR: Final = 10


class PicturePane(AnchorPane):
    """Shows the whole picture on a chequered ground; anchors are dragged to points of it."""

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(document, parent)
        self.setObjectName("picture_pane")
        self.setAccessibleName(self.tr("The picture and its anchors"))
        self.setAccessibleDescription(
            self.tr("Arrow keys move the selected anchor, with Shift ten times as far; digits select another one")
        )
        self._shown: tuple[int, QSize, QPixmap] | None = None
        self._tile = _chequered()

    def picture_rect(self) -> QRectF:
        """Where the picture is painted."""
        picture = self.document.draft.picture
        if picture is None:
            return QRectF()
        room = QRectF(self.rect()).adjusted(MARGIN_PX, MARGIN_PX, -MARGIN_PX, -MARGIN_PX)
        whole = picture.rect
        scale = min(room.width() / whole.width(), room.height() / whole.height())
        rect = QRectF(0, 0, whole.width() * scale, whole.height() * scale)
        rect.moveCenter(room.center())
        return rect

    def handles(self) -> list[QPointF]:
        """See `AnchorPane.handles`."""
        picture, rect = self.document.draft.picture, self.picture_rect()
        if picture is None:
            return []
        scale, corner = rect.width() / picture.rect.width(), picture.rect.topLeft()
        return [rect.topLeft() + (QPointF(*anchor.image_px) - corner) * scale for anchor in self.document.draft.anchors]

    def drag(self, number: int, place: QPointF, key: str) -> None:
        """See `AnchorPane.drag`."""
        picture, rect = self.document.draft.picture, self.picture_rect()
        if picture is not None:
            at = picture.rect.topLeft() + (place - rect.topLeft()) * (picture.rect.width() / rect.width())
            self.document.move_on_picture(number, (at.x(), at.y()), key)

    def nudge(self, number: int, step: tuple[int, int], *, far: bool) -> None:
        """See `AnchorPane.nudge`: by a thousandth of the picture."""
        picture = self.document.draft.picture
        if picture is not None:
            by = picture.unit * (_FAR if far else 1)
            x, y = self.document.draft.anchors[number].image_px
            self.document.move_on_picture(number, (x + by * step[0], y + by * step[1]), f"nudge {number}")

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the picture and its anchors."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), GROUND)
        rect = self.picture_rect()
        if self.document.draft.picture is None:
            self._paint_invitation(painter)
        else:
            painter.drawTiledPixmap(rect.toAlignedRect(), self._tile)
            painter.drawPixmap(rect, self._pixmap(rect), QRectF(self._pixmap(rect).rect()))
            self.paint_handles(painter)
        self.paint_focus(painter)
        painter.end()

    def _pixmap(self, rect: QRectF) -> QPixmap:
        """Return the picture at the size it is painted; scaling it anew for every movement would lag."""
        picture = self.document.draft.picture
        assert picture is not None
        size = (rect.size() * self.devicePixelRatioF()).toSize()
        if self._shown is None or self._shown[:2] != (id(picture), size):
            image: QImage = picture.image.scaled(
                size, Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation
            )
            self._shown = (id(picture), size, QPixmap.fromImage(image))
        return self._shown[2]

    def _paint_invitation(self, painter: QPainter) -> None:
        icon = tinted_pixmap("picture", 48, QColor("#5d6b7d"), self.devicePixelRatioF())
        middle = self.rect().center()
        painter.drawPixmap(middle.x() - 24, middle.y() - 62, icon)
        painter.setPen(INK)
        room = self.rect().adjusted(24, 0, -24, 0)
        room.setTop(middle.y())
        text = self.tr("Drop a PNG or SVG picture here, or choose one above. Transparent parts stay see-through.")
        painter.drawText(room, int(Qt.AlignmentFlag.AlignHCenter | Qt.TextFlag.TextWordWrap), text)


def _chequered() -> QPixmap:
    tile = QPixmap(2 * _SQUARE_PX, 2 * _SQUARE_PX)
    tile.fill(QColor("#c9ced6"))
    painter = QPainter(tile)
    for x, y in ((0, 0), (_SQUARE_PX, _SQUARE_PX)):
        painter.fillRect(x, y, _SQUARE_PX, _SQUARE_PX, QColor("#e9ecf0"))
    painter.end()
    return tile
