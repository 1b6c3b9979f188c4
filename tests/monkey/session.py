"""A process of the monkey: the real main(), until it is left or all is done."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections import deque
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Final

import psutil
from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QApplication, QDialog

from fkd_desktop.settings import Settings
from tests.longrun.inside import Run
from tests.longrun.resources import held
from tests.monkey.acts import Act, Chooser, perform
from tests.monkey.places import windows

if TYPE_CHECKING:
    from fkd_desktop.ui.main_window import MainWindow

ACT_MS: Final = 15
SAMPLE_EVERY: Final = 100
END_S: Final = 60.0
WANTED_FRAMES: Final = 20
RUNS_ON_S: Final = 20.0
LAST: Final = 30
GREEDY_BYTES: Final = 3 << 30


class Monkey(QObject):
    """Does one thing after the other, in whatever windows there are; also while a dialog runs a loop of its own.

    What is done next follows from the seed, the number of the action and what is in sight; all of it is written down
    before it is done.
    """

    def __init__(self, run: Run) -> None:
        super().__init__()
        self._run = run
        self._options = run.options
        home = run.material.parent
        self._chooser = Chooser(material=run.material, home=home)
        self._replayed = self._read_replay(self._options.get("replay"))
        self.number: int = self._options["first"]
        self.count = len(self._replayed) or self._options["actions"]
        self._log = (run.report / "actions.jsonl").open("a", encoding="utf-8")
        self._samples = (run.report / "samples.jsonl").open("a", encoding="utf-8")
        self.last: deque[str] = deque(maxlen=LAST)
        self._window: MainWindow | None = None
        self._closed_s: float | None = None
        self._frames = 0
        self.frames_at_end = 0
        self.is_done = False

    @staticmethod
    def _read_replay(path: str | None) -> list[Act]:
        if not path:
            return []
        return [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]

    def begin(self, window: MainWindow) -> None:
        """Go on in the main window."""
        self._window = window
        window.view.frame_painted.connect(self._on_frame_painted)
        self._next(ACT_MS)

    def _on_frame_painted(self, _captured_s: float, _painted_s: float) -> None:
        self._frames += 1

    def _next(self, ms: int) -> None:
        # A timer of its own each time: one whose slot is at work does not fire in a dialog's loop.
        QTimer.singleShot(ms, self._act)

    def _act(self) -> None:
        if self.number >= self.count:
            self._end_all()
            return
        if not self._is_there():
            self._next(100)
            return
        act = self._replayed[self.number] if self._replayed else self._choose()
        self._next(act.get("ms", ACT_MS))
        line = json.dumps({"n": self.number, **act})
        self._log.write(line + "\n")
        self._log.flush()
        self.last.append(line)
        self._run.findings.now = f"action {self.number}: {line}"
        self.number += 1
        if self.number % SAMPLE_EVERY == 0:
            sample = {"action": self.number, "frames": self._frames, "start": self._options["start"], **held()}
            self._samples.write(json.dumps(sample) + "\n")
            self._samples.flush()
            self._end_the_greedy()
        if act["do"] != "wait":
            perform(act)

    def _choose(self) -> Act:
        return self._chooser.choose(Random(f"{self._options['seed']}:{self.number}"))

    def _is_there(self) -> bool:
        """Whether there is a window to do something in; a window that was closed must not keep main() for long."""
        if windows():
            self._closed_s = None
            return True
        now_s = time.monotonic()
        self._closed_s = self._closed_s or now_s
        if now_s - self._closed_s > RUNS_ON_S:
            self._closed_s = now_s
            self._quit()
        return False

    def _quit(self) -> None:
        """End a main() that does not end by itself."""
        names = [f"{type(window).__name__} {window.windowTitle()!r}" for window in windows()]
        self._run.findings.add("runs on", f"main() goes on after its window was closed; still there: {names}")
        QApplication.quit()

    @staticmethod
    def _end_the_greedy() -> None:
        """End a training run that takes all the memory, as the system would."""
        for child in psutil.Process().children(recursive=True):
            with contextlib.suppress(psutil.Error):
                if child.memory_info().rss > GREEDY_BYTES:
                    child.kill()

    # --- the end

    def _end_all(self) -> None:
        """Put everything away and see whether the session still shows frames; then leave."""
        self._run.findings.now = "the end"
        window = self._window
        assert window is not None
        self._close_all()
        window.showNormal()
        window.start_demo()
        self._frames, self._end_s = 0, time.monotonic() + END_S
        self._look_for_frames()

    def _close_all(self) -> None:
        for _ in range(10):
            modal = QApplication.activeModalWidget() or QApplication.activePopupWidget()
            if modal is None:
                break
            modal.reject() if isinstance(modal, QDialog) else modal.close()
        for other in windows():
            if other is not self._window and isinstance(other, QDialog):
                other.reject()

    def _look_for_frames(self) -> None:
        assert self._window is not None
        live = self._window.view.live_frame
        if self._frames >= WANTED_FRAMES and live is not None and live.annotated:
            self.frames_at_end = self._frames
        elif time.monotonic() < self._end_s:
            self._close_all()
            QTimer.singleShot(100, self._look_for_frames)
            return
        else:
            state = self._window._controller.session_state
            self._run.findings.add("no frames", f"{self._frames} new frames in {END_S:.0f} s, in the state {state}")
        self.is_done = True
        self._window.leave()
        QTimer.singleShot(round(1000 * RUNS_ON_S), self._quit)


def main() -> None:
    """Run it."""
    run = Run(sys.argv[1], errors_count=False)
    run.prepare_qt()
    if run.options["start"] == 1:
        settings = Settings()
        settings.data_folder = str(run.material / "data")
        settings.save()
    monkey = Monkey(run)
    code = run.main(["--device", "cpu", "--source", "demo"], monkey.begin)
    if code != 0:
        run.findings.add("process", f"main() returned {code}")
    run.finish(
        {
            "actions": monkey.number,
            "is_done": monkey.is_done,
            "starts": run.options["start"],
            "frames_at_end": monkey.frames_at_end,
            "last": list(monkey.last),
        }
    )


if __name__ == "__main__":
    main()
