"""Faces with the old and the new prediction side by side, as wide as there is room, and in full size on demand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QKeyEvent, QPainter, QPaintEvent, QPen, QPixmap
from PySide6.QtWidgets import QAbstractButton, QHBoxLayout, QLabel, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from fkd_desktop.overlays.render import frame_image
from trainer.contact_sheet import PAGE_BGR, PREDICTED_BGR, TEXT_BGR, TRUE_BGR
from trainer.pair_sheets import PairGroup

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from trainer.contact_sheet import Colour

_MARGIN_PX: Final = 8
"""That of the page round its tiles."""
_MOST_OF_SIZE: Final = 0.6
"""To which a picture is shown in the page: few faces are no reason for huge ones."""


def _rgb(colour_bgr: Colour) -> QColor:
    blue, green, red = colour_bgr
    return QColor(red, green, blue)


_STYLE: Final = f"""
#sheets {{ background: {_rgb(PAGE_BGR).name()}; }}
#sheets QLabel {{ color: {_rgb(TEXT_BGR).name()}; }}
#sheets QLabel#heading {{ font-weight: 600; }}
"""


class ComparisonSheets(QScrollArea):
    """A heading and a picture for each group of faces, on the dark ground of the pictures in any theme."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName(self.tr("Faces with old and new keypoints"))
        self._window: _SheetWindow | None = None
        self.show_sheets({})

    def show_sheets(self, sheets: Mapping[PairGroup, NDArray[np.uint8]]) -> None:
        """Show these (H, W, 3) BGR pictures in place of those before."""
        page = QWidget()
        page.setObjectName("sheets")
        page.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        page.setStyleSheet(_STYLE)
        layout = QVBoxLayout(page)
        layout.setContentsMargins(0, _MARGIN_PX, 0, _MARGIN_PX)
        layout.setSpacing(2)
        titles = {
            PairGroup.IMPROVED: self.tr("Most improved"),
            PairGroup.WORSENED: self.tr("Most worsened"),
            PairGroup.BETWEEN: self.tr("Typical"),
        }
        for number, (group, sheet) in enumerate(sheets.items()):
            row = QHBoxLayout()
            row.setContentsMargins(_MARGIN_PX, 0 if number == 0 else _MARGIN_PX, _MARGIN_PX, 0)
            heading = QLabel(titles[group])
            heading.setObjectName("heading")
            row.addWidget(heading)
            row.addStretch(1)
            if number == 0:
                row.addLayout(self._legend())
            picture = SheetPicture(_image(sheet), titles[group])
            picture.clicked.connect(lambda _=False, picture=picture: self._open(picture))
            layout.addLayout(row)
            layout.addWidget(picture)
        layout.addStretch(1)
        self.setWidget(page)  # the one before is deleted

    @property
    def window_shown(self) -> QScrollArea | None:
        """The window with a picture in full size, if it is open."""
        return self._window if self._window is not None and self._window.isVisible() else None

    def pictures(self) -> list[SheetPicture]:
        """Return the pictures on show, from the top."""
        page = self.widget()
        return page.findChildren(SheetPicture) if page is not None else []

    def _legend(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(5)
        for text, colour in ((self.tr("true"), TRUE_BGR), (self.tr("predicted"), PREDICTED_BGR)):
            dot = QLabel()
            dot.setPixmap(_dot(_rgb(colour), self.devicePixelRatioF()))
            row.addSpacing(8)
            row.addWidget(dot)
            row.addWidget(QLabel(text))
        return row

    def _open(self, picture: SheetPicture) -> None:
        if self._window is None:
            self._window = _SheetWindow(self)
        self._window.show_image(picture.image, picture.accessibleName())
        self._window.show()
        self._window.raise_()
        self._window.activateWindow()


class SheetPicture(QAbstractButton):
    """A picture as wide as there is room, within limits; a click, Space or Enter asks for more of it."""

    def __init__(self, image: QImage, name: str) -> None:
        super().__init__()
        self.image = image
        self._scaled: QPixmap | None = None
        policy = QSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName(name)
        self.setToolTip(self.tr("Show it in full size"))

    def sizeHint(self) -> QSize:
        """Ask for the picture's own size."""
        return self.image.size()

    def heightForWidth(self, width: int) -> int:
        """Keep the picture's shape."""
        return round(self.image.height() * self._shown_width(width) / max(1, self.image.width()))

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the picture, and a frame where it has the focus."""
        ratio = self.devicePixelRatioF()
        room = QSize(self._shown_width(self.width()), self.height())
        wanted = self.image.size().scaled(room * ratio, Qt.AspectRatioMode.KeepAspectRatio)
        wanted = wanted.boundedTo(self.image.size())
        if self._scaled is None or self._scaled.size() != wanted:
            how = Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation
            self._scaled = QPixmap.fromImage(self.image.scaled(wanted, *how))
            self._scaled.setDevicePixelRatio(ratio)
        painter = QPainter(self)
        painter.drawPixmap(0, 0, self._scaled)
        if self.hasFocus():
            painter.setPen(QPen(_rgb(TRUE_BGR), 2))
            painter.drawRect(QRectF(self.rect()).adjusted(2, 2, -2, -2))

    def _shown_width(self, width: int) -> int:
        return min(width, round(_MOST_OF_SIZE * self.image.width()))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Take Enter for a click too."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        else:
            super().keyPressEvent(event)


class _SheetWindow(QScrollArea):
    """A picture in full size; Escape closes it."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowFlag(Qt.WindowType.Window)
        self.setStyleSheet(f"QScrollArea {{ background: {_rgb(PAGE_BGR).name()}; border: none; }}")
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)

    def show_image(self, image: QImage, title: str) -> None:
        """Show another picture."""
        self.setWindowTitle(title)
        label = QLabel()
        label.setPixmap(QPixmap.fromImage(image))
        label.setAccessibleName(title)
        self.setWidget(label)  # the one before is deleted
        self.resize((image.size() + QSize(2, 2)).boundedTo(self.screen().availableSize() * 0.9))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Close on Escape."""
        if event.key() == Qt.Key.Key_Escape:
            self.close()
        else:
            super().keyPressEvent(event)


def _image(sheet_bgr: NDArray[np.uint8]) -> QImage:
    return frame_image(np.ascontiguousarray(sheet_bgr)).copy()


def _dot(colour: QColor, device_pixel_ratio: float) -> QPixmap:
    pixmap = QPixmap(round(10 * device_pixel_ratio), round(10 * device_pixel_ratio))
    pixmap.setDevicePixelRatio(device_pixel_ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    painter.drawEllipse(QRectF(1, 1, 8, 8))
    painter.end()
    return pixmap
