"""The editor's buttons and choices: each changes the document, and follows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QEvent, Qt, Signal, Slot
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from fkd_desktop.overlays.description import Blend, Fit
from fkd_desktop.ui.icons import action_icon
from fkd_desktop.ui.overlays.draft import MAX_ANCHORS, MIN_ANCHORS

if TYPE_CHECKING:
    from fkd_desktop.ui.overlays.draft import Document, PresetName

LEAST_OPACITY: Final = 5
_PRESET_ICONS: Final[dict[PresetName, str]] = {
    "glasses": "sunglasses",
    "hat": "hat",
    "moustache": "moustache",
    "face": "mask",
}


class PlacingBar(QWidget):
    """Where the picture goes, how many anchors it has, and undo.

    Parameters
    ----------
    document
        What is edited.
    """

    anchor_requested = Signal()
    """One more anchor is wanted."""

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document = document
        titles: dict[PresetName, str] = {
            "glasses": self.tr("Glasses"),
            "hat": self.tr("Hat"),
            "moustache": self.tr("Moustache"),
            "face": self.tr("Whole face"),
        }
        self._hint = self.tr(
            "Drag each number to the same spot on both sides: on the picture, and where that belongs on the face."
        )
        self.hint = QLabel()
        self.hint.setWordWrap(True)
        self.presets: dict[PresetName, QPushButton] = {}
        row = QHBoxLayout()
        row.addWidget(QLabel(self.tr("Place it like")))
        for name, title in titles.items():
            button = QPushButton(title)
            button.setToolTip(self.tr("Put the anchors where they belong for this kind of picture"))
            button.setAccessibleName(self.tr("Place it like: {0}").format(title))
            button.clicked.connect(lambda _checked=False, name=name: document.apply_preset(name))
            row.addWidget(button)
            self.presets[name] = button
        row.addStretch(1)
        self.count_label = QLabel()
        self.add_button = self._button(self.tr("Add an anchor"))
        self.add_button.clicked.connect(self.anchor_requested)
        self.remove_button = self._button(self.tr("Remove the selected anchor"))
        self.remove_button.clicked.connect(lambda: document.remove_anchor(document.selected))
        self.undo_button = QPushButton(self.tr("Undo"))
        self.redo_button = QPushButton(self.tr("Redo"))
        head = QHBoxLayout()
        head.addWidget(self.hint, 1)
        for widget in (self.count_label, self.add_button, self.remove_button, self.undo_button, self.redo_button):
            head.addWidget(widget)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(head)
        layout.addLayout(row)
        self._connect_undo()
        document.changed.connect(self._refresh)
        self._tint()
        self._refresh()

    def _button(self, words: str) -> QPushButton:
        button = QPushButton()
        button.setToolTip(words)
        button.setAccessibleName(words)
        return button

    def _connect_undo(self) -> None:
        stack = self._document.undo_stack
        for button, do, keys in (
            (self.undo_button, stack.undo, QKeySequence.StandardKey.Undo),
            (self.redo_button, stack.redo, QKeySequence.StandardKey.Redo),
        ):
            button.clicked.connect(do)
            shortcut = QShortcut(QKeySequence(keys), self)
            shortcut.setContext(Qt.ShortcutContext.WindowShortcut)
            shortcut.activated.connect(do)
        self._document.steps_changed.connect(self._refresh)

    @Slot()
    def _refresh(self) -> None:
        draft, stack = self._document.draft, self._document.undo_stack
        count = len(draft.anchors)
        has_picture = draft.picture is not None
        for button in self.presets.values():
            button.setEnabled(has_picture)
        self.hint.setText(self._hint if has_picture else "")
        self.count_label.setText(self.tr("Anchors: {0}").format(count) if has_picture else "")
        self.add_button.setEnabled(has_picture and count < MAX_ANCHORS)
        self.remove_button.setEnabled(count > MIN_ANCHORS)
        self.undo_button.setEnabled(stack.canUndo())
        self.undo_button.setToolTip(self.tr("Undo {0}").format(stack.undoText()) if stack.canUndo() else "")
        self.redo_button.setEnabled(stack.canRedo())
        self.redo_button.setToolTip(self.tr("Redo {0}").format(stack.redoText()) if stack.canRedo() else "")

    def changeEvent(self, event: QEvent) -> None:
        """Give the icons the new theme's colours."""
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "redo_button"):  # Qt sends some before that
            self._tint()
        super().changeEvent(event)

    def _tint(self) -> None:
        self.add_button.setIcon(action_icon("add"))
        self.remove_button.setIcon(action_icon("remove"))
        for name, button in self.presets.items():
            button.setIcon(action_icon(_PRESET_ICONS[name]))


class LookBar(QWidget):
    """How the picture mixes with the face, and how far in front it lies.

    Parameters
    ----------
    document
        What is edited.
    """

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._make_widgets()
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setHorizontalSpacing(14)
        labels = (self.tr("&Opacity"), self.tr("&Colours"), self.tr("&Depth"))
        for column, (text, widget) in enumerate(
            zip(labels, (self.opacity, self.blend, self.order), strict=True), start=0
        ):
            label = QLabel(text)
            label.setBuddy(widget)
            pair = QHBoxLayout()
            pair.setSpacing(8)
            pair.addWidget(label)
            pair.addWidget(widget, 1)
            if widget is self.opacity:
                pair.addWidget(self._percent)
            layout.addLayout(pair, 0, column)
            layout.setColumnStretch(column, 1)
        layout.addWidget(self.mirror, 1, 0)
        layout.addWidget(self.keep_shape, 1, 1, 1, 2)
        document.changed.connect(self._refresh)
        self._refresh()

    def _make_widgets(self) -> None:
        self.opacity = QSlider(Qt.Orientation.Horizontal)
        self.opacity.setRange(LEAST_OPACITY, 100)
        self.opacity.setPageStep(10)
        self.opacity.setMinimumWidth(80)
        self.opacity.setAccessibleName(self.tr("Opacity"))
        self.opacity.valueChanged.connect(self._on_opacity_value_changed)
        self._percent = QLabel()
        self._percent.setMinimumWidth(self._percent.fontMetrics().horizontalAdvance(self.tr("{0} %").format(100)))
        self.blend = QComboBox()
        self.blend.setAccessibleName(self.tr("How its colours mix with the face"))
        for blend, title in (
            (Blend.NORMAL, self.tr("Normal")),
            (Blend.MULTIPLY, self.tr("Darken (multiply)")),
            (Blend.SCREEN, self.tr("Lighten (screen)")),
            (Blend.OVERLAY, self.tr("More contrast (overlay)")),
            (Blend.SOFT_LIGHT, self.tr("Make-up (soft light)")),
        ):
            self.blend.addItem(title, blend.value)
        self.blend.activated.connect(self._on_blend_activated)
        self.order = QComboBox()
        self.order.setAccessibleName(self.tr("How far in front it lies"))
        self._orders = (
            (10, self.tr("Behind all others")),
            (30, self.tr("Like a mask")),
            (40, self.tr("Like a hat")),
            (50, self.tr("Like glasses")),
            (60, self.tr("Like a moustache")),
            (95, self.tr("In front of all others")),
        )
        self.order.activated.connect(self._on_order_activated)
        self.mirror = QCheckBox(self.tr("Also on the other &half"))
        self.mirror.setToolTip(self.tr("Paint it once more, mirrored: an ear or an earring needs only one picture"))
        self.mirror.clicked.connect(
            lambda checked: self._document.change(self.tr("mirroring"), mirror=checked),
        )
        self.keep_shape = QCheckBox(self.tr("&Keep its shape"))
        self.keep_shape.setToolTip(
            self.tr("Only move, scale and turn the picture; otherwise three or more anchors also bend it")
        )
        self.keep_shape.clicked.connect(
            lambda checked: self._document.change(self.tr("bending"), fit=Fit.SIMILARITY if checked else None),
        )

    @Slot(int)
    def _on_opacity_value_changed(self, value: int) -> None:
        self._document.change(self.tr("opacity"), "opacity", opacity=value / 100)

    @Slot(int)
    def _on_blend_activated(self, index: int) -> None:
        self._document.change(self.tr("mixing colours"), blend=Blend(self.blend.itemData(index)))

    @Slot(int)
    def _on_order_activated(self, index: int) -> None:
        self._document.change(self.tr("depth"), order=int(self.order.itemData(index)))

    @Slot()
    def _refresh(self) -> None:
        draft = self._document.draft
        percent = round(100 * draft.opacity)
        self.opacity.blockSignals(True)
        self.opacity.setValue(percent)
        self.opacity.blockSignals(False)
        self._percent.setText(self.tr("{0} %").format(percent))
        self.blend.setCurrentIndex(self.blend.findData(draft.blend.value))
        self._show_order(draft.order)
        self.mirror.setChecked(draft.mirror)
        self.keep_shape.setChecked(draft.fit is Fit.SIMILARITY or len(draft.anchors) <= MIN_ANCHORS)
        self.keep_shape.setEnabled(len(draft.anchors) > MIN_ANCHORS)

    def _show_order(self, order: int) -> None:
        if self.order.findData(order) < 0:
            self.order.clear()
            for number, title in self._orders:
                self.order.addItem(title, number)
            if self.order.findData(order) < 0:  # from a file that somebody wrote
                self.order.addItem(self.tr("Its own ({0})").format(order), order)
        self.order.setCurrentIndex(self.order.findData(order))
