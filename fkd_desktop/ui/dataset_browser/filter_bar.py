"""What of a data set is shown, and in which order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QSignalBlocker, QStringListModel, Qt, Signal, Slot
from PySide6.QtWidgets import QCheckBox, QComboBox, QCompleter, QHBoxLayout, QLabel, QLineEdit, QSlider, QWidget

from fkd_desktop.ui.dataset_browser.model import Filter, Order

if TYPE_CHECKING:
    from collections.abc import Sequence

SIDES_PX: Final = (80, 96, 120, 152, 192)


class FilterBar(QWidget):
    """A line of choices."""

    changed = Signal()
    """There is another `filter`."""
    side_changed = Signal(int)
    """Side of the thumbnails in logical pixels."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.split = QComboBox()
        self.split.setAccessibleName(self.tr("Split"))
        for title, value in (
            (self.tr("All splits"), None),
            (self.tr("Training"), "training"),
            (self.tr("Test"), "test"),
        ):
            self.split.addItem(title, value)
        self.identity = QLineEdit()
        self.identity.setPlaceholderText(self.tr("Everybody"))
        self.identity.setClearButtonEnabled(True)
        self.identity.setAccessibleName(self.tr("Identity"))
        self.identity.setToolTip(
            self.tr("Whose faces are shown: a file name up to its last underscore, or a part of it")
        )
        self.identity.setMinimumWidth(150)
        self._identities = QStringListModel(self)
        completer = QCompleter(self._identities, self)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        completer.setMaxVisibleItems(12)
        self.identity.setCompleter(completer)
        self.problems_only = QCheckBox(self.tr("Problems only"))
        self.problems_only.setToolTip(self.tr("What cannot be used, and what there is something to know about"))
        self.order = QComboBox()
        self.order.setAccessibleName(self.tr("Order"))
        self.order.addItem(self.tr("As in the table"), Order.AS_WRITTEN)
        self.order.addItem(self.tr("Worst NME first"), Order.WORST_FIRST)
        self.order.setItemData(
            1, self.tr("Where the network is furthest off; it judges the faces first"), Qt.ItemDataRole.ToolTipRole
        )
        self.side = QSlider(Qt.Orientation.Horizontal)
        self.side.setAccessibleName(self.tr("Size of the thumbnails"))
        self.side.setToolTip(self.tr("Size of the thumbnails"))
        self.side.setRange(0, len(SIDES_PX) - 1)
        self.side.setPageStep(1)
        self.side.setValue(SIDES_PX.index(120))
        self.side.setFixedWidth(90)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(10, 8, 10, 8)
        layout.setSpacing(8)
        layout.addWidget(self.split)
        layout.addWidget(_label(self.tr("&Identity"), self.identity))
        layout.addWidget(self.identity, 1)
        layout.addWidget(self.problems_only)
        layout.addWidget(_label(self.tr("&Order"), self.order))
        layout.addWidget(self.order)
        layout.addSpacing(4)
        layout.addWidget(self.side)
        self.split.currentIndexChanged.connect(self._on_choice_changed)
        self.identity.textChanged.connect(self._on_choice_changed)
        self.problems_only.toggled.connect(self._on_choice_changed)
        self.order.currentIndexChanged.connect(self._on_choice_changed)
        self.side.valueChanged.connect(self._on_side_value_changed)

    @property
    def filter(self) -> Filter:
        """What is chosen."""
        return Filter(
            split=self.split.currentData(),
            identity=self.identity.text(),
            problems_only=self.problems_only.isChecked(),
            order=self.order.currentData(),
        )

    def show_identities(self, identities: Sequence[str], *, has_test: bool) -> None:
        """Offer what there is to choose from."""
        if self._identities.stringList() != list(identities):
            self._identities.setStringList(identities)
        self.split.setEnabled(has_test)

    def clear(self) -> None:
        """Show everything as it is written, without telling."""
        blockers = [QSignalBlocker(widget) for widget in (self.split, self.identity, self.problems_only, self.order)]
        self.split.setCurrentIndex(0)
        self.identity.clear()
        self.problems_only.setChecked(False)
        self.order.setCurrentIndex(0)
        for blocker in blockers:
            blocker.unblock()

    @Slot()
    def _on_choice_changed(self) -> None:
        self.changed.emit()

    @Slot(int)
    def _on_side_value_changed(self, value: int) -> None:
        self.side_changed.emit(SIDES_PX[value])


def _label(text: str, buddy: QWidget) -> QLabel:
    label = QLabel(text)
    label.setBuddy(buddy)
    return label
