"""What settings are edited with: one value each, and the wheel left to the form until they are clicked."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QPaintEvent, QStandardItemModel, QWheelEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QSpinBox,
    QStyle,
    QStyleOptionComboBox,
    QStylePainter,
    QWidget,
)

from fkd_desktop.i18n import numeral
from fkd_desktop.ui.words import plain_tip

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_PATH_CHARACTERS: Final = 14


class Editor(QWidget):
    """Edits one setting. `text_problem` says why what is typed is no value; then `value` is the last that was one."""

    changed = Signal()
    """By the user."""

    def __init__(self) -> None:
        super().__init__()
        self.text_problem = ""
        self.main_widget: QWidget = self
        """What gets the focus, and is read out."""
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(6)

    def value(self) -> Any:
        """Return the setting."""
        raise NotImplementedError

    def set_value(self, value: Any) -> None:
        """Show a setting; tells nobody."""
        raise NotImplementedError

    def _take(self, widget: QWidget, *, stretch: int = 1) -> None:
        self._row.addWidget(widget, stretch)
        if self.main_widget is self:
            self.main_widget = widget
            self.setFocusProxy(widget)


def _scroll_past(widget: QWidget, event: QWheelEvent) -> bool:
    """Whether the wheel is meant for what the widget lies in: nobody clicked it, and a value must not slip away."""
    if widget.hasFocus():
        return False
    event.ignore()
    return True


class CalmComboBox(QComboBox):
    """Leaves the wheel to the form until it is clicked, and is as narrow as the form wants it."""

    def __init__(self) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(_PATH_CHARACTERS)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """See the class."""
        if not _scroll_past(self, event):
            super().wheelEvent(event)

    def initStyleOption(self, option: QStyleOptionComboBox) -> None:
        """Shorten a text that does not fit, where Qt would cut it."""
        super().initStyleOption(option)
        field = self.style().subControlRect(
            QStyle.ComplexControl.CC_ComboBox, option, QStyle.SubControl.SC_ComboBoxEditField, self
        )
        mode = Qt.TextElideMode.ElideRight
        # Styles differ in how much they leave free beside the text.
        option.currentText = self.fontMetrics().elidedText(self.currentText(), mode, field.width() - 8)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint with that."""
        painter, option = QStylePainter(self), QStyleOptionComboBox()
        self.initStyleOption(option)
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)

    def showPopup(self) -> None:
        """Show the list wide enough to read."""
        self.view().setMinimumWidth(min(480, self.view().sizeHintForColumn(0) + 24))
        super().showPopup()


class _CalmSpinBox(QSpinBox):
    def __init__(self) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if not _scroll_past(self, event):
            super().wheelEvent(event)


class ChoiceEditor(Editor):
    """One of some names."""

    def __init__(self, choices: Sequence[str], names: Mapping[str, str], hints: Mapping[str, str]) -> None:
        super().__init__()
        self.box = CalmComboBox()
        for choice in [*(known for known in names if known in choices), *(new for new in choices if new not in names)]:
            self.box.addItem(names.get(choice, choice.replace("_", " ").capitalize()), choice)
            self.box.setItemData(self.box.count() - 1, hints.get(choice), Qt.ItemDataRole.ToolTipRole)
        self.box.currentIndexChanged.connect(self._on_box_index_changed)
        self._take(self.box)

    def value(self) -> Any:
        """Return the choice."""
        return self.box.currentData()

    def set_value(self, value: Any) -> None:
        """Show a choice."""
        self.box.blockSignals(True)
        self.box.setCurrentIndex(self.box.findData(value))
        self.box.blockSignals(False)

    def set_text(self, choice: str, text: str) -> None:
        """Call a choice something else."""
        self.box.setItemText(self.box.findData(choice), text)

    def set_available(self, choice: str, reason: str) -> None:
        """Let a choice be made, or if there is a reason against it, not."""
        index, model = self.box.findData(choice), self.box.model()
        assert isinstance(model, QStandardItemModel)  # what a combo box has unless told otherwise
        model.item(index).setEnabled(not reason)
        self.box.setItemData(index, plain_tip(reason) or None, Qt.ItemDataRole.ToolTipRole)

    def _on_box_index_changed(self) -> None:
        self.changed.emit()


class WholeNumberEditor(Editor):
    """A whole number within limits."""

    def __init__(self, minimum: int, maximum: int, *, zero: str = "") -> None:
        super().__init__()
        self.box = _CalmSpinBox()
        self.box.setRange(minimum, maximum)
        self.box.setKeyboardTracking(True)
        if zero and minimum == 0:
            self.box.setSpecialValueText(zero)
        self.box.setMinimumWidth(110)
        self.box.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.box.valueChanged.connect(self._on_box_value_changed)
        self._take(self.box, stretch=0)
        self._row.addStretch(1)

    def value(self) -> int:
        """Return the number."""
        return self.box.value()

    def set_value(self, value: int) -> None:
        """Show a number."""
        self.box.blockSignals(True)
        self.box.setValue(value)
        self.box.blockSignals(False)

    def _on_box_value_changed(self) -> None:
        self.changed.emit()


class NumberEditor(Editor):
    """A number, written as one likes: 0.005, 5e-3, 0,005 or 15 %.

    The arrow keys go through 1, 2 and 5 of each power of ten. Whoever uses the value knows its limits.
    """

    def __init__(self) -> None:
        super().__init__()
        self.line = _SteppingLine()
        self.line.setFixedWidth(110)
        self.line.textEdited.connect(self._on_line_text_edited)
        self.line.editingFinished.connect(self._on_line_editing_finished)
        self.line.stepped.connect(self._on_line_stepped)
        self._take(self.line, stretch=0)
        self._row.addStretch(1)
        self._value = 0.0

    def value(self) -> float:
        """Return the number."""
        return self._value

    def set_value(self, value: float) -> None:
        """Show a number."""
        self._value, self.text_problem = value, ""
        self.line.setText(numeral(f"{value:g}" if float(f"{value:g}") == value else repr(value)))

    def _on_line_text_edited(self, text: str) -> None:
        number = parse_number(text)
        if number is None:
            shown = text.strip()
            self.text_problem = (
                self.tr("{0} is not a number; write it like 0.005 or 5e-3").format(repr(shown))
                if shown
                else self.tr("a number is missing")
            )
        else:
            self._value, self.text_problem = number, ""
        self.changed.emit()

    def _on_line_editing_finished(self) -> None:
        if not self.text_problem:
            self.set_value(self._value)

    def _on_line_stepped(self, direction: int) -> None:
        self.set_value(_neighbour(self._value, direction))
        self.changed.emit()


def parse_number(text: str) -> float | None:
    """Read a finite number as people write it; None if it is none."""
    text = text.strip().replace(",", ".").replace("\N{MINUS SIGN}", "-")
    try:
        number = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        return None
    return number if math.isfinite(number) and "_" not in text else None


def _neighbour(value: float, direction: int) -> float:
    """Return the next of 1, 2 and 5 times a power of ten, up or down; of 0 and below it is the same."""
    if value <= 0:
        return 0.001 if direction > 0 else value
    power = math.floor(math.log10(value))
    series = [float(f"{digit}e{exponent}") for exponent in range(power - 1, power + 2) for digit in (1, 2, 5)]
    if direction > 0:
        return next(step for step in series if step > value * 1.0001)
    return next(step for step in reversed(series) if step < value * 0.9999)


class _SteppingLine(QLineEdit):
    stepped = Signal(int)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self.stepped.emit(1 if event.key() == Qt.Key.Key_Up else -1)
            return
        super().keyPressEvent(event)


class SwitchEditor(Editor):
    """Yes or no."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.box = QCheckBox(text)
        self.box.toggled.connect(self._on_box_toggled)
        self._take(self.box)

    def value(self) -> bool:
        """Return whether it is on."""
        return self.box.isChecked()

    def set_value(self, value: bool) -> None:
        """Switch on or off."""
        self.box.blockSignals(True)
        self.box.setChecked(value)
        self.box.blockSignals(False)

    def _on_box_toggled(self) -> None:
        self.changed.emit()


class TextEditor(Editor):
    """A text; with `title` also a button that asks for weights files and writes them, separated by commas."""

    def __init__(self, *, title: str = "") -> None:
        super().__init__()
        self.line = QLineEdit()
        self.line.textEdited.connect(self._on_line_text_edited)
        self._take(self.line)
        self._title = title
        if title:
            self.line.setPlaceholderText(self.tr("None"))
            self.button = QPushButton(self.tr("Choose…"))
            self.button.setAccessibleName(title)
            self.button.clicked.connect(self._on_button_clicked)
            self._take(self.button, stretch=0)

    def value(self) -> str:
        """Return the text."""
        return self.line.text().strip()

    def set_value(self, value: str) -> None:
        """Show a text."""
        self.line.setText(value)

    def _on_line_text_edited(self) -> None:
        self.changed.emit()

    def _on_button_clicked(self) -> None:
        folder = str(Path(self.value().split(",")[0]).parent) if self.value() else ""
        paths, _ = QFileDialog.getOpenFileNames(self, self._title, folder, weights_filter(self))
        if paths:
            self.set_value(",".join(paths))
            self.changed.emit()


def weights_filter(parent: QWidget) -> str:
    """Return what file dialogs show: no pickles."""
    return f"{parent.tr('Weights')} (*.safetensors)"
