"""What the application takes for granted of Qt's Python binding."""

from __future__ import annotations

import sys

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage, QPainter


class Sender(QObject):
    sent = Signal()


def test_calls_that_return_nothing_keep_none_true_and_false_alive(qapp):
    """PySide6 6.12 on Python 3.11 does not: it ends the process when the count comes to zero."""
    painter = QPainter(image := QImage(8, 8, QImage.Format.Format_RGB32))
    sender = Sender()
    before = [sys.getrefcount(constant) for constant in (None, True, False)]
    for _ in range(500):
        painter.save()
        painter.restore()
        sender.sent.emit()
    after = [sys.getrefcount(constant) for constant in (None, True, False)]
    painter.end()
    assert not image.isNull()
    assert all(abs(now - then) < 100 for now, then in zip(after, before, strict=True))
