"""The training run in the main window's status bar."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QToolButton, QWidget

from fkd_desktop.i18n import numeral
from fkd_desktop.training.run import TrainingState

if TYPE_CHECKING:
    from PySide6.QtGui import QMouseEvent

    from fkd_desktop.training.run import TrainingController


class TrainingIndicator(QWidget):
    """How far the run is, while there is one, and how it ended until that was seen; a click opens the trainer.

    Parameters
    ----------
    training
        The run.
    """

    clicked = Signal()

    def __init__(self, training: TrainingController, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._training = training
        self._button = QToolButton()
        self._button.setAutoRaise(True)
        self._button.setToolTip(self.tr("Open the trainer"))
        self._button.clicked.connect(self._on_button_clicked)
        self._bar = QProgressBar()
        self._bar.setRange(0, 1000)
        self._bar.setTextVisible(False)
        self._bar.setFixedSize(80, 10)
        self._bar.setAccessibleName(self.tr("training progress"))
        self._figures = QLabel()
        self._figures.setAccessibleName(self.tr("training"))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 12, 0)
        layout.setSpacing(6)
        for widget in (self._button, self._bar, self._figures):
            layout.addWidget(widget, alignment=Qt.AlignmentFlag.AlignVCenter)
        training.state_changed.connect(self._on_training_state_changed)
        training.event_received.connect(self._show_progress)
        self._on_training_state_changed(training.state)

    @property
    def text(self) -> str:
        """What it says; empty when there is nothing to say."""
        return " ".join(part for part in (self._button.text(), self._figures.text()) if part)

    def dismiss(self) -> None:
        """Take away how the run ended: the user has seen it."""
        if not self._training.state.is_active:
            self.hide()

    def mouseReleaseEvent(self, _event: QMouseEvent) -> None:
        """Open the trainer, wherever it was clicked."""
        self.clicked.emit()

    @Slot(object)
    def _on_training_state_changed(self, state: TrainingState) -> None:
        words = {
            TrainingState.STARTING: self.tr("Training starts"),
            TrainingState.TRAINING: self.tr("Training"),
            TrainingState.STOPPING: self.tr("Training stops"),
            TrainingState.CANCELLING: self.tr("Training is cancelled"),
            TrainingState.FINISHED: self.tr("Training is done"),
            TrainingState.STOPPED: self.tr("Training stopped"),
            TrainingState.FAILED: self.tr("Training failed"),
        }
        self.setVisible(state in words)
        self._button.setText(words.get(state, ""))
        self._bar.setVisible(state.is_active)
        self._show_progress()

    @Slot()
    def _show_progress(self) -> None:
        record = self._training.record
        share = record.share_done if record else 0.0
        self._bar.setValue(round(1000 * share))
        texts = []
        if record and record.started and self._training.state.is_active:
            texts.append(numeral(f"{share:.0%}"))
        if record and record.best and self._training.state is not TrainingState.FAILED:
            texts.append(self.tr("NME {0}").format(numeral(f"{record.best.nme_mean:.2%}")))
        self._figures.setText(", ".join(texts))
        self._figures.setVisible(bool(texts))

    @Slot()
    def _on_button_clicked(self) -> None:
        self.clicked.emit()
