"""What Qt has to say goes into the log."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QMessageLogContext, QtMsgType, qInstallMessageHandler

from fkd_desktop.crashes import Repeats

if TYPE_CHECKING:
    from collections.abc import Iterator

_log = logging.getLogger("qt")
_LEVELS: Final = {
    QtMsgType.QtDebugMsg: logging.DEBUG,
    QtMsgType.QtInfoMsg: logging.INFO,
    QtMsgType.QtWarningMsg: logging.WARNING,
    QtMsgType.QtCriticalMsg: logging.ERROR,
    QtMsgType.QtFatalMsg: logging.CRITICAL,
}


@contextmanager
def logging_qt() -> Iterator[None]:
    """Log Qt's warnings, and what it says before it ends the process; one that repeats itself, ever more seldom."""
    repeats = Repeats()

    def take(kind: QtMsgType, context: QMessageLogContext, text: str) -> None:
        count = repeats.add((kind, text))
        if Repeats.is_worth_a_line(count):
            again = f" (time {count})" if count > 1 else ""
            _log.log(_LEVELS.get(kind, logging.WARNING), "%s%s", text, again)
            if previous is not None:
                previous(kind, context, text)

    previous = qInstallMessageHandler(take)
    try:
        yield
    finally:
        qInstallMessageHandler(previous)
