"""A program that trains as the application does, to be killed: a script.

Arguments: "controller" or "window" (the real one), "start" or "resume", the data set, the run's folder, and how many
epochs. It prints what it is told, a line of JSON each, and at last how the run ended; then it ends.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QApplication

import fkd_desktop  # noqa: F401 (sets OpenCV's environment before cv2 is imported)
from fkd_desktop.training.run import TrainingController, TrainingState
from tests.trainer.tiny import ROOT
from trainer import events
from trainer.config import TrainConfig

if TYPE_CHECKING:
    from fkd_desktop.ui.main_window import MainWindow

TINY = (sys.executable, "-W", "error", str(ROOT / "tests" / "trainer" / "tiny.py"))


def make_window() -> MainWindow:
    """Return the main window, with the trainer's over it."""
    from fkd_desktop.controller import Controller
    from fkd_desktop.settings import Settings
    from fkd_desktop.ui.main_window import MainWindow

    window = MainWindow(Controller(device="cpu"), Settings())
    window.workshop.training._command = TINY
    window.show()
    window.workshop.open_trainer()
    return window


def main() -> None:
    """Train, and tell of it."""
    kind, deed, data, out, epochs = sys.argv[1:]
    application = QApplication([])
    application.setQuitOnLastWindowClosed(False)
    window = make_window() if kind == "window" else None
    training = window.workshop.training if window else TrainingController(Path(out).parent / "logs", command=TINY)

    def on_event(event: events.Event) -> None:
        print(events.to_json_line(event), flush=True)

    def on_state(state: TrainingState) -> None:
        if not state.is_active:
            failure = training.record.failure if training.record else None
            print(json.dumps({"state": state.name, "message": failure.message if failure else ""}), flush=True)
            if window:
                window.leave()
            application.exit()

    training.event_received.connect(on_event)
    training.state_changed.connect(on_state)
    if deed == "resume":
        training.resume(Path(out))
    else:
        training.start(
            TrainConfig(data=data, out=out, model="simple", batch_size=8, epochs=int(epochs), device="cpu", threads=1)
        )
    if training.state.is_active:
        application.exec()


if __name__ == "__main__":
    main()
