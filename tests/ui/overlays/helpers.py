"""What is done with the editor by hand, and what is seen of it."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QImage, QMouseEvent
from PySide6.QtWidgets import QApplication

LEFT = Qt.MouseButton.LeftButton


def choose(qtbot, editor, path):
    editor.choose(path)
    qtbot.waitUntil(lambda: not editor.is_busy)


def drag(pane, start: QPointF, end: QPointF, *, steps: int = 6) -> None:
    """Press, move with the button down, release."""
    none, plain = Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier

    def send(kind, at, button, buttons):
        place = QPointF(pane.mapToGlobal(at.toPoint()))
        QApplication.sendEvent(pane, QMouseEvent(kind, at, place, button, buttons, plain))

    send(QEvent.Type.MouseButtonPress, start, LEFT, LEFT)
    for step in range(1, steps + 1):
        send(QEvent.Type.MouseMove, start + (end - start) * (step / steps), none, LEFT)
    send(QEvent.Type.MouseButtonRelease, end, LEFT, none)


def red_where(pane) -> np.ndarray:
    """(H, W) bool: where a pane shows the red of the glasses."""
    image = pane.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    blue, green, red = np.moveaxis(
        rows[:, : 4 * image.width()].reshape(image.height(), -1, 4)[:, :, :3].astype(int), 2, 0
    )
    return (red > 240) & (green < 15) & (blue < 15)


def at_keypoints(pane, keypoints) -> QPointF:
    return pane.to_widget(*pane.face.keypoints_px[0][list(keypoints)].mean(axis=0).tolist())
