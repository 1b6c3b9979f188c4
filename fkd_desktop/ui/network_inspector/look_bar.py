"""How maps are drawn, which page of them is shown, and what can be done with the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QMenu, QPushButton, QToolButton, QWidget

if TYPE_CHECKING:
    from collections.abc import Sequence

SIZES_PX: Final = (None, 48, 96, 192)
"""Longer side of a map; None for as large as fits."""


class LookBar(QWidget):
    """Size, colours and contrast of the maps; save and copy."""

    changed = Signal()
    copy_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        names = (self.tr("Fit"), self.tr("Small"), self.tr("Medium"), self.tr("Large"))
        self.size_box = self._box(
            self.tr("Map size"),
            self.tr("How large each map is; what does not fit is on further pages"),
            list(zip(names, SIZES_PX, strict=True)),
        )
        self.colours_box = self._box(
            self.tr("Colours"),
            self.tr("Brighter is more in both"),
            [(self.tr("Viridis"), "viridis"), (self.tr("Grey"), "grey")],
        )
        self.contrast_box = self._box(
            self.tr("Contrast"),
            self.tr("Whether each map uses all colours, or all maps of the layer share one scale"),
            [(self.tr("Each map"), "each"), (self.tr("Whole layer"), "common")],
        )
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for box in (self.size_box, self.colours_box, self.contrast_box):
            label = QLabel(box.accessibleName())
            label.setBuddy(box)
            layout.addWidget(label)
            layout.addWidget(box)
            layout.addSpacing(6)
        layout.addStretch(1)
        self.save_shown = QAction(self.tr("What is shown…"), self)
        self.save_all = QAction(self.tr("All maps of the layer…"), self)
        menu = QMenu(self)
        menu.addActions([self.save_shown, self.save_all])
        self.save = QPushButton(self.tr("&Save as PNG"))
        self.save.setAutoDefault(False)
        self.save.setMenu(menu)
        self.copy = QPushButton(self.tr("&Copy"))
        self.copy.setAutoDefault(False)
        self.copy.setToolTip(self.tr("Copy what is shown to the clipboard"))
        self.copy.clicked.connect(self.copy_wanted)
        layout.addWidget(self.save)
        layout.addWidget(self.copy)

    def set_what_there_is(self, *, picture: bool, maps: bool) -> None:
        """Enable what makes sense: there is a picture, and there are maps whose look can be chosen."""
        self.save.setEnabled(picture)
        self.copy.setEnabled(picture)
        self.save_all.setEnabled(maps)
        for box in (self.size_box, self.contrast_box, self.colours_box):
            box.setEnabled(maps)

    def _box(self, name: str, tip: str, items: Sequence[tuple[str, Any]]) -> QComboBox:
        box = QComboBox()
        box.setAccessibleName(name)
        box.setToolTip(tip)
        for text, data in items:
            box.addItem(text, data)
        box.currentIndexChanged.connect(self.changed)
        return box


class PageBar(QWidget):
    """A line on what is pointed at, and the way to other pages."""

    turned = Signal(int)
    closed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.caption = QLabel(textFormat=Qt.TextFormat.PlainText)
        self.caption.setMinimumWidth(80)
        self.back = QPushButton(self.tr("&All maps"))
        self.back.setAutoDefault(False)
        self.back.setToolTip(self.tr("Back to all maps of the layer (Esc)"))
        self.position = QLabel()
        self.previous = self._arrow("‹", self.tr("Previous"))
        self.next = self._arrow("›", self.tr("Next"))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.caption, 1)
        for widget in (self.back, self.previous, self.position, self.next):
            layout.addWidget(widget)
        self.setMinimumHeight(self.back.sizeHint().height())
        self.back.clicked.connect(self.closed)
        self.previous.clicked.connect(lambda: self.turned.emit(-1))
        self.next.clicked.connect(lambda: self.turned.emit(1))
        self.show_position(0, 0, 0, is_single=False)

    def show_position(self, first: int, count: int, total: int, *, is_single: bool) -> None:
        """Say which maps are shown; with all of them on one page there is nothing to say."""
        self.back.setVisible(is_single and total > 0)
        several = count < total
        for widget in (self.position, self.previous, self.next):
            widget.setVisible(several)
        if several:
            span = str(first + 1) if count == 1 else f"{first + 1}–{first + count}"
            self.position.setText(self.tr("{0} of {1}").format(span, total))
            self.previous.setEnabled(first > 0)
            self.next.setEnabled(first + count < total)

    def _arrow(self, text: str, name: str) -> QToolButton:
        button = QToolButton()
        button.setText(text)
        button.setAccessibleName(name)
        button.setToolTip(name)
        return button
