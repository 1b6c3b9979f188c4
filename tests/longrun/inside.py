"""The process of a run: the real main(), with everything that can go wrong watched."""

from __future__ import annotations

import faulthandler
import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tests.longrun.findings import Findings
from tests.longrun.resources import left_threads, system_threads
from tests.longrun.sandbox import cut_network, guard

if TYPE_CHECKING:
    from collections.abc import Callable

    from fkd_desktop.ui.main_window import MainWindow

HANG_S: Final = 5.0
BEAT_MS: Final = 100


class Run:
    """The process's side of a run: its options, findings and the watch over the GUI thread."""

    def __init__(self, text: str, *, errors_count: bool, expected: str = "$^") -> None:
        self.options: dict[str, Any] = json.loads(text)
        self.report, self.material = Path(self.options["report"]), Path(self.options["material"])
        self.findings = Findings(self.report / "findings.jsonl", errors_count=errors_count, expected=expected)
        self._stacks = (self.report / "stacks.txt").open("a", encoding="utf-8")
        self._beat_file = self.report / "beat"
        faulthandler.enable(self._stacks)
        self._hang_s: float = self.options.get("hang_s", HANG_S)
        self.has_network = not cut_network()
        self.findings.install()
        guard(self.findings, Path(self.options["folder"]), self.report)
        self._last_beat_s = 0.0
        self._told_s = 0.0
        self._stacks_read = self._stacks.tell()
        self.longest_hang_s = 0.0
        self.threads_before = set(threading.enumerate())
        self._open_urls: Any = None
        self.opened: list[str] = []

    def prepare_qt(self) -> None:
        """Have dialogs that can be driven, no programs started, and no message of a hang lost."""
        from PySide6.QtCore import QCoreApplication, QObject, Qt, QUrl, Slot
        from PySide6.QtGui import QDesktopServices
        from PySide6.QtWidgets import QApplication

        from fkd_desktop import APP_ID

        QCoreApplication.setAttribute(Qt.ApplicationAttribute.AA_DontUseNativeDialogs)
        self._application = QApplication([APP_ID])
        opened = self.opened

        class Opener(QObject):
            @Slot(QUrl)
            def take(self, url: QUrl) -> None:
                opened.append(url.toString())

        self._open_urls = Opener()
        for scheme in ("file", "http", "https", "mailto"):
            QDesktopServices.setUrlHandler(scheme, self._open_urls, "take")

    def main(self, arguments: list[str], use: Callable[[MainWindow], None]) -> int:
        """Run main() once, with `use` called on its window in the event loop; then see what is left of it."""
        from PySide6.QtCore import QCoreApplication, QEvent, QTimer
        from PySide6.QtWidgets import QApplication

        from fkd_desktop import app
        from fkd_desktop.ui.main_window import MainWindow

        def begin() -> None:
            window = next((w for w in QApplication.topLevelWidgets() if isinstance(w, MainWindow) and w.isVisible()), 0)
            if not window:
                QTimer.singleShot(20, begin)
                return
            self.findings.hook_in()
            use(window)

        beat = QTimer(interval=BEAT_MS)
        beat.timeout.connect(self._on_beat)
        beat.start()
        self._last_beat_s = 0.0
        QTimer.singleShot(0, begin)
        try:
            code = app.main(["--new-instance", *arguments])
        finally:
            beat.stop()
            faulthandler.cancel_dump_traceback_later()
        self._beat_file.touch()
        QCoreApplication.removePostedEvents(QApplication.instance(), QEvent.Type.Quit)  # the next main() has it, too
        for _ in range(3):  # what was told to be deleted later
            QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
            QCoreApplication.processEvents()
        for name in left_threads(self.threads_before):
            self.findings.add("left over", f"thread {name!r} after main() has returned")
        return code

    def finish(self, result: dict[str, Any]) -> None:
        """Write the result, and end the process as the application does."""
        result["system_threads"] = system_threads()
        result["longest_hang_s"] = self.longest_hang_s
        (self.report / "result.json").write_text(json.dumps(result), encoding="utf-8")
        sys.stdout.flush()
        os._exit(0)  # as the installed command does where threads of libraries are there

    def _on_beat(self) -> None:
        now_s = time.monotonic()
        if self._last_beat_s:
            gap_s = now_s - self._last_beat_s
            self.longest_hang_s = max(self.longest_hang_s, gap_s)
            if gap_s > self._hang_s:
                self._stacks.flush()
                text = (self.report / "stacks.txt").read_text(encoding="utf-8", errors="replace")
                self.findings.add("hang", f"the window did nothing for {gap_s:.1f} s\n{text[self._stacks_read :]}")
                self._stacks_read = len(text)
        self._last_beat_s = now_s
        if now_s - self._told_s > 1:  # each starts a thread
            self._told_s = now_s
            self._beat_file.touch()
            faulthandler.dump_traceback_later(self._hang_s - 1, file=self._stacks)  # before the beat tells of it
