"""Make the pictures of the training windows in docs/screenshots/ from the real windows.

python docs/make_training_screenshots.py

The data set is made of the demo clip: its faces, with the shipped network's keypoints for labels. So everything that
the pictures show is the project's own. Needs no display, and about five minutes.
"""

from __future__ import annotations

import csv
import os
import signal
import sys
import tempfile
from pathlib import Path

import cv2
from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QWidget
from shooting import FOLDER, dark_palette, keep, make_application, new_window, set_home, wait, wait_for_clip_time

from fkd_desktop.live.network import load_predictor
from fkd_desktop.live.pipeline import Pipeline
from fkd_desktop.training.data import DataState
from fkd_desktop.training.run import TrainingState
from fkd_desktop.ui.main_window import MainWindow
from trainer.config import TrainConfig
from trainer.core.resources import assets_dir, default_weights_path

FRAME_STEP = 3
FRAMES_A_PERSON = 12  # of the clip: so that there are several "people" for a split
SCALE = 0.8
MARGIN = 0.7  # of the face box, around it


def main() -> int:
    application = make_application()
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as home:
        set_home(Path(home))
        data = Path(home) / "my faces"
        write_data_set(data)
        window = new_window(Path(home), "keypoints")
        window.start_demo()
        window._controller.load_network()
        wait(lambda: window._controller.predictor is not None)
        shoot_trainer(window, data)
        shoot_browser(window)
        shoot_inspector(window)
        window.leave()
        application.setPalette(dark_palette())
        window = new_window(Path(home), "keypoints")
        window.start_demo()
        window._controller.load_network()
        wait(lambda: window._controller.predictor is not None)
        shoot_dark(window)
        window.leave()
    return 0


def write_data_set(folder: Path) -> None:
    """Write faces of the demo clip and a table of their keypoints."""
    folder.mkdir()
    pipeline = Pipeline(load_predictor(device="cpu"))
    capture = cv2.VideoCapture(str(assets_dir() / "demo" / "demo.mp4"))
    rows: list[list[object]] = []
    number = 0
    while (frame := capture.read()[1]) is not None:
        result = pipeline.process(frame, number / 30)
        if number % FRAME_STEP == 0:
            for face in range(len(result)):
                left, top, width, height = result.boxes_xywh[face]
                x, y = (max(0, round(float(v - MARGIN * width))) for v in (left, top))
                crop = frame[y : round(top + (1 + MARGIN) * height), x : round(left + (1 + MARGIN) * width)]
                name = f"clip{number // FRAMES_A_PERSON:02d}_{number:03d}{face}.png"
                cv2.imwrite(str(folder / name), crop)
                points = result.keypoints_px[face] - (x, y)
                rows.append([name, *(f"{value:.2f}" for value in points.flatten())])
        number += 1
    capture.release()
    rows.append(["clip99_0000.png", *rows[0][1:]])  # a picture that is not there
    with (folder / "labels.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["file", *(f"{axis}{i}" for i in range(68) for axis in "xy")], *rows])


def shoot_trainer(window: MainWindow, data: Path) -> None:
    workshop = window.workshop
    workshop.open_trainer()
    wait(lambda: workshop.trainer is not None)
    trainer, training = workshop.trainer, workshop.training
    page = trainer.new_run
    save(trainer, "trainer-empty")
    page._data.choose(data)
    wait(lambda: page._data.state is DataState.CHECKING)
    save(trainer, "trainer-checking", rest_s=0.1)
    wait(lambda: page._data.state is DataState.UNUSABLE)
    save(trainer, "trainer-problems")
    page._data.leave_out()
    wait(lambda: page._data.state is DataState.READY)
    page.form.set_config(TrainConfig(finetune=str(default_weights_path()), epochs=8, learning_rate=1e-3, batch_size=16))
    save(trainer, "trainer-ready")
    page.name.setText("my faces")
    page.start.click()
    wait(lambda: training.record is not None and len(training.record.epochs) >= 5)
    wait(lambda: training.record.batch is not None and training.record.batch.epoch > 5)
    save(trainer, "trainer-running")
    set_time_of_picture(window)
    save(window, "main-while-training", rest_s=0.2)
    wait(lambda: training.state is TrainingState.FINISHED)
    save(trainer, "trainer-finished", tab=trainer.progress)
    wait(lambda: workshop.results.comparison is not None)
    save(trainer, "trainer-comparison", tab=trainer.comparison)
    training.start(
        TrainConfig(data=str(page._data.folder), out=str(workshop.results.runs_root / "from scratch"), epochs=60)
    )
    wait(lambda: training.state is TrainingState.TRAINING and len(training.record.epochs) >= 3)
    os.kill(training._process.pid, signal.SIGKILL)
    wait(lambda: training.state is TrainingState.FAILED)
    save(trainer, "trainer-failed", tab=trainer.progress)
    wait(lambda: len(workshop.results.runs) == 2)
    save(trainer, "trainer-runs", tab=trainer.runs)
    trainer.close()


def shoot_browser(window: MainWindow) -> None:
    window.workshop.open_browser()
    wait(lambda: window.workshop.browser is not None)
    save(window.workshop.browser, "data-set-browser", rest_s=4)
    window.workshop.browser.close()


def shoot_inspector(window: MainWindow) -> None:
    set_time_of_picture(window)
    window.workshop.open_inspector()
    wait(lambda: window.workshop.inspector is not None)
    save(window.workshop.inspector, "network-inspector", rest_s=5)
    window.workshop.inspector.close()


def shoot_dark(window: MainWindow) -> None:
    workshop = window.workshop
    workshop.open_trainer()
    wait(lambda: workshop.trainer is not None and workshop.trainer.new_run._data.state is DataState.READY)
    save(workshop.trainer, "trainer-dark")
    workshop.open_inspector()
    wait(lambda: workshop.inspector is not None)
    save(workshop.inspector, "network-inspector-dark", rest_s=5)


def set_time_of_picture(window: MainWindow) -> None:
    wait_for_clip_time(window, 2.6)


def save(widget: QWidget, name: str, *, tab: QWidget | None = None, rest_s: float = 1.0) -> None:
    if tab is not None:
        widget.tabs.setCurrentWidget(tab)
    loop = QEventLoop()
    QTimer.singleShot(round(1000 * rest_s), loop.quit)
    loop.exec()
    keep(widget.grab().toImage(), name, scale=SCALE)


if __name__ == "__main__":
    sys.exit(main())
