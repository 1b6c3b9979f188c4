"""The large view with its switches and what is known of the face."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from fkd_desktop.i18n import numeral
from fkd_desktop.ui.dataset_browser.face_view import FaceView
from fkd_desktop.ui.dataset_browser.words import reason_of
from fkd_desktop.ui.words import sentence

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from fkd_desktop.training.entries import Entry
    from fkd_desktop.training.judge import Prediction


# Styles paint a checked button hardly darker than others, and on dark palettes not at all.
_STYLE = """
QToolButton { padding: 3px 8px; border: 1px solid palette(mid); border-radius: 4px; background: palette(button); }
QToolButton:hover { border-color: palette(highlight); }
QToolButton:focus { border-color: palette(highlight); }
QToolButton:checked { color: palette(highlighted-text); background: palette(highlight);
                      border-color: palette(highlight); }
"""


class FacePanel(QWidget):
    """Shows one entry of a data set."""

    marks_changed = Signal()
    """Another of the switches is on."""
    copy_requested = Signal()
    save_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._entry: Entry | None = None
        self._size: tuple[int, int] | None = None
        self._prediction: Prediction | None = None
        self.view = FaceView()
        self.truth = self._switch(self.tr("Truth"), self.tr("The labels of the data set"))
        self.truth.setChecked(True)
        self.prediction = self._switch(self.tr("Prediction"), self.tr("What the network says of this face"))
        self.side_by_side = self._switch(self.tr("Side by side"), self.tr("Truth and prediction beside each other"))
        self.numbers = self._switch(self.tr("Numbers"), self.tr("The number of each keypoint"))
        self.names = self._switch(self.tr("Parts"), self.tr("The names of the parts of the face"))
        self.whole_image = self._switch(self.tr("Whole image"), self.tr("All of the picture, not only the face"))
        self.copy = QPushButton(self.tr("&Copy"))
        self.copy.setToolTip(self.tr("Copy this view as an image"))
        self.save = QPushButton(self.tr("&Save…"))
        self.save.setToolTip(self.tr("Save this view as a PNG file"))
        self.copy.clicked.connect(self.copy_requested)
        self.save.clicked.connect(self.save_requested)
        switches = QHBoxLayout()
        switches.setContentsMargins(10, 6, 10, 6)
        switches.setSpacing(4)
        for switch in self._switches():
            switch.toggled.connect(self._on_switch_toggled)
            switches.addWidget(switch)
        switches.addStretch(1)
        self.name, self.info = (QLabel(textFormat=Qt.TextFormat.PlainText) for _ in range(2))
        self.setStyleSheet(_STYLE)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(switches)
        layout.addWidget(self.view, 1)
        layout.addLayout(self._make_foot())
        self._on_switch_toggled()
        self.show_nothing()

    def _make_foot(self) -> QHBoxLayout:
        font = self.name.font()
        font.setBold(True)
        self.name.setFont(font)
        self.info.setWordWrap(True)
        for label in (self.name, self.info):
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.info.setMinimumHeight(2 * self.info.fontMetrics().lineSpacing())
        self.info.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self.name)
        words.addWidget(self.info)
        foot = QHBoxLayout()
        foot.setContentsMargins(10, 8, 10, 8)
        foot.setSpacing(8)
        foot.addLayout(words, 1)
        foot.addWidget(self.copy, alignment=Qt.AlignmentFlag.AlignTop)
        foot.addWidget(self.save, alignment=Qt.AlignmentFlag.AlignTop)
        return foot

    @property
    def entry(self) -> Entry | None:
        """What is on show."""
        return self._entry

    def show_nothing(self, message: str = "") -> None:
        """Show no face."""
        self._entry = self._size = self._prediction = None
        self.view.show_face((), truth_px=None, message=message)
        self._show_info()

    def show_entry(
        self, entry: Entry, levels: Sequence[NDArray[np.uint8]], prediction: Prediction | None, message: str = ""
    ) -> None:
        """Show a face with its picture.

        Parameters
        ----------
        entry
            The face.
        levels
            Its picture, and smaller copies of it; empty where there is none.
        prediction
            What the network says; None where it was not asked.
        message
            Why there is no picture, or no face in it.
        """
        self._entry, self._prediction = entry, prediction
        self._size = (levels[0].shape[1], levels[0].shape[0]) if levels else None
        self.view.show_face(
            levels,
            truth_px=entry.keypoints_px if entry.is_usable else None,
            predicted_px=prediction.points_px if prediction else None,
            message=reason_of(entry) or message,
        )
        self._show_info()

    def update_entry(self, entry: Entry, prediction: Prediction | None) -> None:
        """Show what else is known of the face on show; does nothing while it is another."""
        if self._entry is None or not self._entry.looks_like(entry):
            return
        self._entry = entry
        if prediction is not self._prediction:
            self._prediction = prediction
            self.view.set_prediction(prediction.points_px if prediction else None)
        self._show_info()

    def _show_info(self) -> None:
        entry = self._entry
        for button in (self.copy, self.save):
            button.setEnabled(self.view.has_picture)
        if entry is None:
            self.name.clear()
            self.info.clear()
            return
        file, line = entry.place
        self.name.setText(entry.name)
        facts = [self.tr("{0}, line {1}").format(file.name, line) if line else file.name]
        facts.append(self.tr("training") if entry.split == "training" else self.tr("test"))
        if self._size is not None:
            facts.append("{} × {} px".format(*self._size))
        if entry.is_usable:
            facts.append(self.tr("inter-ocular distance {0} px").format(numeral(f"{entry.iod_px:.1f}")))
        if self._prediction is not None:
            facts.append(self.tr("NME {0}").format(numeral(f"{self._prediction.nme:.2%}")))
        text = " · ".join(facts)
        if entry.warnings:
            text += "\n" + " ".join(sentence(warning) for warning in entry.warnings)
        self.info.setText(text)

    def _switch(self, text: str, tip: str) -> QToolButton:
        button = QToolButton()
        button.setText(text)
        button.setToolTip(tip)
        button.setCheckable(True)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        return button

    def _switches(self) -> tuple[QToolButton, ...]:
        return (self.truth, self.prediction, self.side_by_side, self.numbers, self.names, self.whole_image)

    @Slot()
    def _on_switch_toggled(self) -> None:
        self.side_by_side.setEnabled(self.prediction.isChecked())
        self.view.marks = replace(
            self.view.marks,
            truth=self.truth.isChecked(),
            prediction=self.prediction.isChecked(),
            numbers=self.numbers.isChecked(),
            names=self.names.isChecked(),
            side_by_side=self.side_by_side.isChecked(),
            whole_image=self.whole_image.isChecked(),
        )
        self.marks_changed.emit()
