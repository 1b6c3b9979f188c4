"""What training makes of a face: variants of its crop with their labels, and the crops that are no face."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QFont, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from fkd_desktop.training.browsing import VariantsWish
from fkd_desktop.ui.dataset_browser import marks
from trainer.core.names import DEFAULT_NETWORK, NETWORK_NAMES

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from trainer.preview import Variants

COLUMNS: Final = 4
SMALL_COLUMNS: Final = 8
GAP_PX: Final = 6
HEADING_PX: Final = 26


class VariantSheet(QWidget):
    """Crops in lines, as large as fits, and a line of smaller ones that are no face."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("variant_sheet")
        self.setAccessibleName(self.tr("Variants of the face"))
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(300, 300)
        self._variants: Variants | None = None
        self._images: list[QImage] = []
        self._others: list[QImage] = []
        self._message = ""
        self._has_points = True

    def show_variants(self, variants: Variants | None, message: str = "") -> None:
        """Show crops, or say why there are none."""
        self._variants, self._message = variants, message
        self._images = [] if variants is None else _images(variants.crops)
        self._others = [] if variants is None else _images(variants.not_faces)
        self.update()

    def set_points(self, shown: bool) -> None:
        """Choose whether the labels are painted."""
        self._has_points = shown
        self.update()

    @property
    def variants(self) -> Variants | None:
        """What is on show."""
        return self._variants

    @property
    def message(self) -> str:
        """What is said in place of crops."""
        return self._message

    def sizeHint(self) -> QSize:
        """See `QWidget.sizeHint`."""
        return QSize(520, 600)

    def tiles(self) -> tuple[list[QRectF], QRectF, list[QRectF]]:
        """Return where the crops, the heading of those without a face, and these are."""
        lines = -(-len(self._images) // COLUMNS)
        width, height = self.width() - 2 * GAP_PX, self.height() - 2 * GAP_PX
        # Both kinds of tiles are as wide in all, so the sheet is about `lines + 1/2` tiles high.
        small_per_tile = COLUMNS / SMALL_COLUMNS
        fixed = HEADING_PX + lines * GAP_PX
        side = min((width - (COLUMNS - 1) * GAP_PX) / COLUMNS, (height - fixed) / (lines + small_per_tile))
        side = max(8.0, float(int(side)))
        sheet_width = COLUMNS * side + (COLUMNS - 1) * GAP_PX
        small = (sheet_width - (SMALL_COLUMNS - 1) * GAP_PX) / SMALL_COLUMNS
        sheet_height = lines * (side + GAP_PX) + HEADING_PX + small
        left = (self.width() - sheet_width) / 2
        top = max(float(GAP_PX), (self.height() - sheet_height) / 2)
        step = side + GAP_PX
        crops = [
            QRectF(left + number % COLUMNS * step, top + number // COLUMNS * step, side, side)
            for number in range(len(self._images))
        ]
        below = top + lines * step
        heading = QRectF(left, below, sheet_width, HEADING_PX)
        others = [
            QRectF(left + number * (small + GAP_PX), below + HEADING_PX, small, small)
            for number in range(min(len(self._others), SMALL_COLUMNS))
        ]
        return crops, heading, others

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint what there is."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), marks.GROUND_COLOUR)
        painter.setPen(marks.INK)
        if self._variants is None:
            font = QFont(self.font())
            font.setPixelSize(14)
            painter.setFont(font)
            flags = int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap)
            painter.drawText(self.rect().adjusted(32, 24, -32, -24), flags, self._message)
            return
        crops, heading, others = self.tiles()
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        for place, image in itertools.chain(
            zip(crops, self._images, strict=True), zip(others, self._others, strict=False)
        ):
            painter.drawImage(place, image)
        if self._has_points:
            for place, points in zip(crops, self._variants.points_unit, strict=True):
                painter.setClipRect(place)
                xy = points * place.width() + [place.x(), place.y()]
                marks.paint_points(
                    painter, marks.as_points(xy), marks.TRUE_COLOUR, radius_px=max(1.2, place.width() / 90), lines=False
                )
            painter.setClipping(False)
        if others:
            font = QFont(self.font())
            font.setPixelSize(12)
            painter.setFont(font)
            painter.setPen(marks.INK)
            painter.drawText(
                heading, int(Qt.AlignmentFlag.AlignVCenter), self.tr("What the network learns is no well-placed face:")
            )
        painter.end()


class AugmentationPanel(QWidget):
    """Chooses a recipe and shows what it makes of the face."""

    wished = Signal(object)
    """A `VariantsWish`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._seed = 1
        self.sheet = VariantSheet()
        self.augmentation = QComboBox()
        self.augmentation.setAccessibleName(self.tr("Augmentation"))
        for title, value in (
            (self.tr("Full"), ("full", False)),
            (self.tr("Full, as in the last epochs"), ("full", True)),
            (self.tr("Random crop"), ("random_crop", False)),
            (self.tr("None"), ("none", False)),
        ):
            self.augmentation.addItem(title, value)
        self.network = QComboBox()
        self.network.setAccessibleName(self.tr("Network"))
        self.network.addItems(list(NETWORK_NAMES))
        self.network.setCurrentText(DEFAULT_NETWORK)
        self.points = QCheckBox(self.tr("Points"))
        self.points.setChecked(True)
        self.again = QPushButton(self.tr("A&gain"))
        self.again.setToolTip(self.tr("Draw other variants of this face"))
        bar = QHBoxLayout()
        bar.setContentsMargins(10, 6, 10, 6)
        bar.setSpacing(8)
        for title, box in ((self.tr("&Augmentation"), self.augmentation), (self.tr("&Network"), self.network)):
            label = QLabel(title)
            label.setBuddy(box)
            bar.addWidget(label)
            bar.addWidget(box)
        bar.addWidget(self.points)
        bar.addStretch(1)
        bar.addWidget(self.again)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(bar)
        layout.addWidget(self.sheet, 1)
        self.augmentation.currentIndexChanged.connect(self._on_choice_changed)
        self.network.currentIndexChanged.connect(self._on_choice_changed)
        self.points.toggled.connect(self.sheet.set_points)
        self.again.clicked.connect(self._on_again_clicked)

    @property
    def wish(self) -> VariantsWish:
        """What is chosen."""
        augmentation, calm = self.augmentation.currentData()
        return VariantsWish(NETWORK_NAMES[self.network.currentIndex()], augmentation, calm, self._seed)

    @Slot()
    def _on_choice_changed(self) -> None:
        self.wished.emit(self.wish)

    @Slot()
    def _on_again_clicked(self) -> None:
        self._seed += 1
        self.wished.emit(self.wish)


def _images(crops: Sequence[NDArray[np.uint8]] | NDArray[np.uint8]) -> list[QImage]:
    """Grey crops as images of their own memory."""
    return [
        QImage(crop.tobytes(), crop.shape[1], crop.shape[0], crop.shape[1], QImage.Format.Format_Grayscale8).copy()
        for crop in crops
    ]
