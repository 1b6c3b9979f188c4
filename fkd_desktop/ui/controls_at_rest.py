"""The playback bar in fullscreen: over the picture, and gone with the pointer while the mouse rests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QEvent, QObject, QTimer, Slot
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget

if TYPE_CHECKING:
    from fkd_desktop.ui.video_view import VideoView

REST_MS: Final = 2500
_MOVED: Final = (QEvent.Type.MouseMove, QEvent.Type.MouseButtonPress, QEvent.Type.Wheel, QEvent.Type.Enter)
_PLACED: Final = (QEvent.Type.Resize, QEvent.Type.LayoutRequest, QEvent.Type.Show)


class ControlsAtRest(QObject):
    """Has the bar under the picture, or in fullscreen over its lower edge: the picture does not jump when it goes.

    It stays while the mouse is on it, one of its menus is open, or the keyboard is in it.

    Parameters
    ----------
    bar
        Shows and hides itself where there is nothing to move in.
    view, stage
        The picture, and what it is in.
    layout
        Has the bar below the stage, when it does not float.
    """

    def __init__(self, bar: QWidget, *, view: VideoView, stage: QWidget, layout: QVBoxLayout) -> None:
        super().__init__(stage)
        self._view, self._stage, self._layout = view, stage, layout
        self.holder = QWidget()
        """Has the bar; it is this that rests."""
        self.holder.setAutoFillBackground(True)
        lines = QVBoxLayout(self.holder)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.addWidget(bar)
        layout.addWidget(self.holder)
        self._floats = False
        self._timer = QTimer(self, singleShot=True, interval=REST_MS)
        self._timer.timeout.connect(self._on_timer_timeout)

    @Slot(bool)
    def set_floating(self, floats: bool) -> None:
        """Let it lie over the picture and go away by itself, or stay below the picture."""
        if floats == self._floats:
            return
        self._floats = floats
        self._view.setMouseTracking(floats)
        watched = (self._view, self._stage, self.holder)
        if floats:
            self._layout.removeWidget(self.holder)
            self.holder.setParent(self._stage)
            self.holder.lower()  # what is told over the picture for a while lies over the bar, too
            (self._view.parentWidget() or self._view).lower()
            for widget in watched:
                widget.installEventFilter(self)
        else:
            for widget in watched:
                widget.removeEventFilter(self)
            self._layout.addWidget(self.holder)
        self._wake()
        self._place()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Wake up, and keep the bar in its place."""
        if event.type() in _MOVED and watched is not self._stage:
            self._wake()
        elif event.type() in _PLACED and watched is not self._view:
            self._place()
        return False

    def _wake(self) -> None:
        self.holder.show()
        self._view.set_pointer_shown(True)
        if self._floats:
            self._timer.start()
        else:
            self._timer.stop()

    def _place(self) -> None:
        if self._floats:
            height = self.holder.sizeHint().height()
            self.holder.setGeometry(0, self._stage.height() - height, self._stage.width(), height)

    @Slot()
    def _on_timer_timeout(self) -> None:
        focus = QApplication.focusWidget()
        has_focus = focus is not None and self.holder.isAncestorOf(focus)
        if self.holder.underMouse() or has_focus or QApplication.activePopupWidget() is not None:
            self._timer.start()
        else:
            self.holder.hide()
            self._view.set_pointer_shown(False)
