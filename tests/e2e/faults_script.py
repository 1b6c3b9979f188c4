"""The real `run()` in a process of its own, with a fault that comes up a moment after the window: see `FAULTS`."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import threading

from PySide6.QtCore import QCoreApplication, QThread, QTimer, qFatal, qWarning
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from fkd_desktop import app
from fkd_desktop.settings import log_path
from fkd_desktop.ui.crash_desk import CALM_MS
from fkd_desktop.ui.crash_dialog import CrashDialog
from fkd_desktop.ui.main_window import MainWindow


class Faulty(QThread):
    def run(self):
        raise LookupError("in a QThread")


class Ending:
    def __del__(self):
        raise ArithmeticError("in a destructor")


def raise_in_slot():
    raise ValueError("in a slot\n2026-01-01 00:00:00,000 ERROR forged entry \x1b[2J")


def raise_in_thread():
    raise KeyError("in a thread")


def flood():
    """Raise in each of 600 slots, as a view does that fails at every frame for ten seconds."""
    timer = QTimer(QCoreApplication.instance(), interval=0)

    def tick():
        tick.count += 1
        if tick.count == 600:
            timer.stop()
        raise ValueError(f"frame {tick.count}")

    tick.count = 0
    timer.timeout.connect(tick)
    timer.start()
    flood.is_over = lambda: tick.count == 600


FAULTS = {
    "nothing": lambda: None,
    "slot": raise_in_slot,
    "thread": lambda: threading.Thread(target=raise_in_thread, name="helper").start(),
    "qthread": lambda: globals().update(kept=Faulty()) or kept.start(),  # noqa: F821
    "destructor": lambda: Ending() and None,
    "flood": flood,
    "warning": lambda: [qWarning("a warning of Qt") for _ in range(100)],
    "segfault": lambda: ctypes.string_at(0),
    "abort": os.abort,
    "fatal": lambda: qFatal("the end, says Qt"),
    "bus": lambda: os.kill(os.getpid(), signal.SIGBUS),
    "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
}


def main(fault, then):
    """Bring about a fault, do what `then` says with the dialog, and report what is on the screen when all is quiet."""

    def window():
        return next(w for w in QApplication.topLevelWidgets() if isinstance(w, MainWindow))

    def dialogs():
        return [w for w in QApplication.topLevelWidgets() if isinstance(w, CrashDialog) and w.isVisible()]

    def wait(is_so, go_on):
        timer = QTimer(QCoreApplication.instance(), interval=20)

        def look():
            if is_so():
                timer.stop()
                go_on()

        timer.timeout.connect(look)
        timer.start()

    def end():
        banner = window().banner.text
        if then == "show log":
            window().banner._button.click()
        shown = dialogs()
        copied = ""
        if shown:
            shown[0].copy_button.click()
            copied = QGuiApplication.clipboard().text()
        said = [[d.message.text(), d.count.text(), d.trace.toPlainText()] for d in shown]
        print(json.dumps({"banner": banner, "dialogs": said, "copied": copied}))
        window().leave()

    def again():
        dialogs()[0].close()
        QTimer.singleShot(0, FAULTS[fault])
        wait(lambda: ", time 2" in log_path().read_text(encoding="utf-8"), lambda: QTimer.singleShot(2 * CALM_MS, end))

    def start():
        QTimer.singleShot(0, FAULTS[fault])
        if fault in ("slot", "thread", "qthread", "destructor"):
            wait(dialogs, again if then == "close and again" else end)
        elif fault == "flood":
            wait(lambda: flood.is_over() and dialogs() and "600" in dialogs()[0].count.text(), end)
        else:
            QTimer.singleShot(100, end)

    def is_live():
        return any(isinstance(w, MainWindow) and w.view.live_frame is not None for w in QApplication.topLevelWidgets())

    QTimer.singleShot(0, lambda: wait(is_live, start))
    sys.argv[1:] = ["--source", "demo", "--device", "cpu"]
    app.run()


if __name__ == "__main__":
    main(*sys.argv[1:])
