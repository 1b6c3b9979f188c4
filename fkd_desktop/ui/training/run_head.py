"""What stands above a run's figures: which run it is, what it is doing, and how far it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QSizePolicy, QVBoxLayout, QWidget

from fkd_desktop.i18n import numeral, translated
from fkd_desktop.ui.training.run_words import position
from fkd_desktop.ui.words import plain_tip

if TYPE_CHECKING:
    from fkd_desktop.training.run import RunRecord, TrainingState


class RunHead(QWidget):
    """Name, network, device and faces of a run; its state in a sentence; a bar over the whole run."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._name, self._details, self._state, self._position = QLabel(), QLabel(), QLabel(), QLabel()
        for label, factor in ((self._name, 1.35), (self._state, 1.0)):
            font = label.font()
            font.setPointSizeF(font.pointSizeF() * factor)
            font.setBold(True)
            label.setFont(font)
        self._details.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        for label in (self._name, self._details, self._state):
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._state.setWordWrap(True)
        self.bar = QProgressBar(textVisible=False)
        self.bar.setFixedHeight(14)
        self.bar.setAccessibleName(self.tr("Progress of the run"))
        state_line = QHBoxLayout()
        state_line.setSpacing(16)
        state_line.addWidget(self._state, 1)
        state_line.addWidget(self._position, alignment=Qt.AlignmentFlag.AlignBottom)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        layout.addWidget(self._name)
        layout.addWidget(self._details)
        layout.addSpacing(6)
        layout.addLayout(state_line)
        layout.addWidget(self.bar)

    def texts(self) -> dict[str, str]:
        """Return what is on show: the run's name, its details, its state and its position."""
        return {
            "name": self._name.text(),
            "details": self._details.text(),
            "state": self._state.text(),
            "position": self._position.text(),
        }

    def show_run(self, record: RunRecord) -> None:
        """Say which run it is."""
        self._name.setText(record.folder.name)
        self._name.setToolTip(plain_tip(str(record.folder)))
        started = record.started
        if started is None:
            self._details.setText(record.config.model)
            return
        faces = self.tr("{0} faces to train on, {1} to judge on")
        words = faces.format(numeral(f"{started.training_faces:,}"), numeral(f"{started.validation_faces:,}"))
        self._details.setText(" · ".join((translated(started.network), started.device.upper(), words)))

    def show_position(self, state: TrainingState, record: RunRecord) -> None:
        """Say how far it is."""
        done, total, words = position(state, record)
        self.bar.setRange(0, 0 if total == 0 and state.is_active else max(total, 1))  # 0 to 0: it only moves
        self.bar.setValue(done)
        self.bar.setAccessibleDescription(words)
        self._position.setText(words)

    def show_state(self, words: str) -> None:
        """Say what it is doing."""
        self._state.setText(words)
