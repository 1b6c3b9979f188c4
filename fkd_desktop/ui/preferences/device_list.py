"""Choosing where the network runs: what works here, with what it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QButtonGroup, QLabel, QRadioButton, QVBoxLayout, QWidget

from fkd_desktop.i18n import numeral
from fkd_desktop.workers.job import Job

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from fkd_desktop.live.devices import DeviceSpeed


class DeviceList(QWidget):
    """One choice for each device that works, measured when the list is first shown.

    Parameters
    ----------
    chosen
        The device to mark.
    weights
        Whose network is measured; None for the shipped one.
    """

    device_chosen = Signal(str)

    def __init__(self, chosen: str, *, weights: Path | None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._chosen, self._weights = chosen, weights
        self._job: Job | None = None
        self._buttons: dict[str, QRadioButton] = {}
        self._group = QButtonGroup(self)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._note = QLabel(self.tr("Measuring what works here…"), textFormat=Qt.TextFormat.PlainText)
        self._note.setWordWrap(True)
        self._layout.addWidget(self._add("auto", self.tr("Automatic: the quickest kind that works")))
        self._layout.addWidget(self._note)

    @property
    def chosen(self) -> str:
        """The device that is marked."""
        return self._chosen

    def texts(self) -> dict[str, str]:
        """Return the choices on show, by device."""
        return {device: button.text() for device, button in self._buttons.items()}

    def choose(self, device: str) -> None:
        """Mark a device without telling."""
        self._chosen = device
        if device in self._buttons:
            self._buttons[device].setChecked(True)

    def start(self) -> None:
        """Measure, if that has not been done."""
        if self._job is not None:
            return
        self._job = Job(self.tr("measuring devices"), _measuring(self._weights))
        self._job.succeeded.connect(self.show_speeds)
        self._job.failed.connect(self._note.setText)
        self._job.start()

    def stop(self) -> None:
        """Stop measuring; what was not found out is measured the next time."""
        if self._job is not None and self._job.is_running:
            self._job.cancel()
            self._job = None

    @Slot(object)
    def show_speeds(self, speeds: Sequence[DeviceSpeed]) -> None:
        """Offer the devices that work."""
        names = {"cpu": self.tr("Processor (CPU)"), "cuda": self.tr("NVIDIA GPU (CUDA)"), "mps": self.tr("Apple GPU")}
        for speed in speeds:
            text = self.tr("{0}: {1} ms a face, by {2}").format(
                names[speed.device], numeral(f"{speed.ms_per_frame:.1f}"), speed.engine_name
            )
            self._layout.insertWidget(self._layout.count() - 1, self._add(speed.device, text))
        if self._chosen not in self._buttons:  # remembered from a time when it was there
            self._note.setText(self.tr("The device that was chosen is not there now; another one is used."))
        else:
            self._note.setText(self.tr("Measured just now, with one face in a picture of 640 × 480."))

    def _add(self, device: str, text: str) -> QRadioButton:
        button = QRadioButton(text)
        button.setChecked(device == self._chosen)
        self._group.addButton(button)
        self._buttons[device] = button
        button.clicked.connect(lambda: self._on_button_clicked(device))
        return button

    def _on_button_clicked(self, device: str) -> None:
        if device != self._chosen:
            self._chosen = device
            self.device_chosen.emit(device)


def _measuring(weights: Path | None) -> Callable[[Job], Sequence[DeviceSpeed]]:
    def measure(job: Job) -> Sequence[DeviceSpeed]:
        from fkd_desktop.live.devices import measure_devices  # noqa: PLC0415 (may import torch: off the GUI thread)

        return measure_devices(weights, should_stop=job.should_stop)

    return measure
