"""What went wrong in a long run, written down the moment it happens: the process may not live to tell it."""

from __future__ import annotations

import json
import logging
import re
import sys
import threading
import time
import traceback
from collections import Counter
from pathlib import Path
from typing import Any, Final

MAX_KEPT: Final = 200
_HARMLESS: Final = re.compile(
    "|".join(
        (
            r"This plugin does not support",  # Qt's offscreen platform
            r"propagateSizeHints",
            r"QSystemTrayIcon",
            r"^Mouse event .* not accepted by receiving widget",  # QTest's: a click where there is nothing to click
        )
    )
)


class Findings:
    """Collects exceptions that nobody caught, errors in the log and complaints of Qt.

    Parameters
    ----------
    path
        Where each one goes at once, as a line of JSON.
    errors_count
        Whether a line of level ERROR in the log is a finding even without a traceback: a user who does what cannot be
        done, as the monkey does, is told so and finds it in the log.
    expected
        A pattern of messages in the log that are none.
    """

    def __init__(self, path: Path, *, errors_count: bool, expected: str = "$^") -> None:
        self._expected = re.compile(expected)
        self._path, self._errors_count = path, errors_count
        self._lock = threading.Lock()
        self._seen: Counter[str] = Counter()
        self.now = ""
        """What is being done: told with each finding."""

    def __len__(self) -> int:
        with self._lock:
            return len(self._seen)

    def add(self, kind: str, text: str, *, key: str = "") -> None:
        """Write one down; the same one only once, by its key or text."""
        key = f"{kind}: {key or text}"
        with self._lock:
            self._seen[key] += 1
            if self._seen[key] > 1 or len(self._seen) > MAX_KEPT:
                return
            entry = {"kind": kind, "text": text, "doing": self.now, "at": time.strftime("%H:%M:%S")}
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(entry) + "\n")

    def install(self) -> None:
        """Listen to everything that tells of trouble; before the application is imported."""
        self.hook_in()
        logging.getLogger().addHandler(_LogHandler(self))
        logging.captureWarnings(True)

    def hook_in(self) -> None:
        """Listen to exceptions that nobody caught and to Qt; again once the application has put in hooks of its own."""
        from PySide6.QtCore import qInstallMessageHandler

        before_qt = qInstallMessageHandler(None)

        def on_message(kind: Any, context: Any, text: str) -> None:
            self._on_qt_message(kind, text)
            if before_qt is not None and not getattr(before_qt, "is_ours", False):
                before_qt(kind, context, text)

        on_message.is_ours = True  # type: ignore[attr-defined]
        qInstallMessageHandler(on_message)
        for owner, name in ((sys, "excepthook"), (threading, "excepthook"), (sys, "unraisablehook")):
            before = getattr(owner, name)
            if getattr(before, "is_ours", False):
                continue

            def hook(*arguments: Any, name: str = name, before: Any = before) -> None:
                found = arguments if len(arguments) == 3 else _parts(arguments[0])
                self._add_exception(name, *found)
                before(*arguments)

            hook.is_ours = True  # type: ignore[attr-defined]
            setattr(owner, name, hook)

    def _add_exception(self, kind: str, exception_type: Any, exception: Any, trace: Any) -> None:
        if exception_type is SystemExit:
            return
        lines = traceback.format_exception(exception_type, exception, trace)
        self.add(kind, "".join(lines), key="".join(lines[-2:]))

    def _on_qt_message(self, kind: Any, text: str) -> None:
        from PySide6.QtCore import QtMsgType

        if kind not in (QtMsgType.QtDebugMsg, QtMsgType.QtInfoMsg) and not _HARMLESS.search(text):
            stack = "".join(traceback.format_stack(limit=12)[:-1])
            self.add("Qt", f"{text}\n{stack}", key=re.sub(r"\d+|0x[0-9a-f]+", "N", text))

    def _on_record(self, record: logging.LogRecord) -> None:
        if record.levelno < logging.ERROR and record.name != "py.warnings":
            return
        if record.exc_info and record.exc_info[0] is not None:
            self._add_exception(f"log of {record.name}", *record.exc_info)
        elif self._expected.search(record.getMessage()):
            return
        elif self._errors_count or record.name == "py.warnings":
            self.add(f"log of {record.name}", record.getMessage())


class _LogHandler(logging.Handler):
    def __init__(self, findings: Findings) -> None:
        super().__init__(logging.WARNING)
        self._findings = findings

    def emit(self, record: logging.LogRecord) -> None:
        self._findings._on_record(record)


def _parts(arguments: Any) -> tuple[Any, Any, Any]:
    return arguments.exc_type, arguments.exc_value, arguments.exc_traceback


def read_findings(path: Path) -> list[dict[str, str]]:
    """Return what was written down."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
