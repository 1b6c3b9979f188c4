"""The bar under the picture: moving in a video or a folder of pictures."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, Literal

from PySide6.QtCore import QEvent, QLocale, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QToolButton, QWidget

from fkd_desktop.live.sources import PicturePosition
from fkd_desktop.ui.elided_label import ElidedLabel
from fkd_desktop.ui.icons import action_icon
from fkd_desktop.ui.seek_slider import SeekSlider

if TYPE_CHECKING:
    from fkd_desktop.live.playback import Playback
    from fkd_desktop.live.result import Position

SPEEDS: Final = (0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 3.0, 4.0)
JUMP_S: Final = 5.0
_UPDATE_MS: Final = 70
"""Shortest time between two updates: a bar is not watched like a picture."""
_SETTLE_S: Final = 2.0
"""So long after a wish the bar shows the wish, unless its frame comes: others from before it are still on their way."""
_NEAR_S: Final = 0.5


class TransportBar(QWidget):
    """Play, pause, step and seek in a video; go through pictures. Hidden where one cannot move.

    Attributes
    ----------
    play_action
        Plays and pauses; the window may give it another key.
    """

    speed_changed = Signal(float)
    """The user chose a speed."""
    loop_changed = Signal(bool)
    """The user chose whether a video starts again at its end."""
    playing_changed = Signal(bool)
    """A video plays now, or stays: paused by the button, by a step, or at its end."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("transport_bar")
        self.setAccessibleName(self.tr("Playback"))
        self._playback: Playback | None = None
        self._position: Position | None = None
        self._kind: Literal["video", "pictures"] | None = None
        self._wanted_s: float | None = None
        self._wanted_until_s = 0.0
        self._resumes = False
        self._timer = QTimer(self, singleShot=True, interval=_UPDATE_MS)
        self._timer.timeout.connect(self._show_newest)
        self._is_stale = False
        self._make_actions()
        self._make_widgets()
        self.set_playback(None)

    # --- what the window tells

    def set_playback(self, playback: Playback | None) -> None:
        """Control another session; None where there is none, or one cannot move in it."""
        self._playback, self._position, self._kind, self._wanted_s = playback, None, None, None
        self._timer.stop()
        self.setVisible(False)  # until the first position tells what it is
        self._enable()

    def show_position(self, position: Position) -> None:
        """Show where the frame lies that is on the screen; may be called for each frame."""
        if self._playback is None:
            return
        self._position, self._is_stale = position, True
        if self._kind != position.kind:
            self._kind = position.kind
            self._arrange()
        if not self._timer.isActive():
            self._show_newest()

    def show_at_end(self, at_end: bool) -> None:  # noqa: ARG002 (the playback knows it best)
        """Show whether the video came to its end, where playing starts it again."""
        self._is_stale = True
        self._show_newest()
        self._show_state()

    def actions_for_window(self) -> list[QAction]:
        """Return all that can be done here, for the window's keys and the list of them."""
        return [
            self.play_action, self._back, self._forward, self._frame_back, self._frame_forward,
            self._first, self._last, self._slower, self._faster, self._loop,
        ]  # fmt: skip

    # --- making

    def _make_actions(self) -> None:
        self.play_action = self._action("play", "K")
        self._back = self._action("previous", "Left")
        self._forward = self._action("next", "Right")
        self._frame_back = self._action("step-back", ",")
        self._frame_forward = self._action("step-forward", ".")
        self._first = self._action("previous", "Home")
        self._last = self._action("next", "End")
        self._slower = self._action("speed", "[")
        self._faster = self._action("speed", "]")
        self._loop = self._action("loop", "L")
        self._loop.setCheckable(True)
        self._frame_back.setText(self.tr("One frame back"))
        self._frame_forward.setText(self.tr("One frame on"))
        self._slower.setText(self.tr("Play slower"))
        self._faster.setText(self.tr("Play faster"))
        self._loop.setText(self.tr("Play again and again"))
        self._name_by_kind()
        self.play_action.triggered.connect(self._on_play)
        self._back.triggered.connect(lambda: self._jump(-1))
        self._forward.triggered.connect(lambda: self._jump(1))
        self._frame_back.triggered.connect(lambda: self._step(-1))
        self._frame_forward.triggered.connect(lambda: self._step(1))
        self._first.triggered.connect(lambda: self._go_to_end(is_last=False))
        self._last.triggered.connect(lambda: self._go_to_end(is_last=True))
        self._slower.triggered.connect(lambda: self._change_speed(-1))
        self._faster.triggered.connect(lambda: self._change_speed(1))
        self._loop.triggered.connect(self._on_loop)

    def _action(self, icon: str, key: str) -> QAction:
        action = QAction(action_icon(icon), "", self)
        action.setData(icon)
        action.setShortcut(QKeySequence(key))
        return action

    def _name_by_kind(self) -> None:
        if self._kind == "pictures":
            self._back.setText(self.tr("Previous picture"))
            self._forward.setText(self.tr("Next picture"))
            self._first.setText(self.tr("First picture"))
            self._last.setText(self.tr("Last picture"))
        else:
            self._back.setText(self.tr("5 seconds back"))
            self._forward.setText(self.tr("5 seconds on"))
            self._first.setText(self.tr("To the start"))
            self._last.setText(self.tr("To the end"))
        for action in self.actions_for_window():
            key = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
            action.setToolTip(f"{action.text()} ({key})")

    def _make_widgets(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 4, 12, 4)
        row.setSpacing(6)
        self._time, self._duration, self._place = QLabel(), QLabel(), QLabel()
        self._time.setAccessibleName(self.tr("Time"))
        self._duration.setAccessibleName(self.tr("Length"))
        self._place.setContentsMargins(4, 0, 8, 0)
        self._place.setAccessibleName(self.tr("Number of the picture"))
        self._file = ElidedLabel()
        self._file.setAccessibleName(self.tr("File"))
        self._slider = SeekSlider()
        self._slider.setAccessibleName(self.tr("Place in the video"))
        self._slider.sliderPressed.connect(self._on_slider_pressed)
        self._slider.sliderMoved.connect(self._on_slider_moved)
        self._slider.sliderReleased.connect(self._on_slider_released)
        self._slider.actionTriggered.connect(self._on_slider_action)
        self._speed = self._make_speed_button()
        self._for_video: list[QWidget] = [
            self._button(self.play_action), self._button(self._frame_back), self._button(self._frame_forward),
            self._time, self._slider, self._duration, self._speed, self._button(self._loop),
        ]  # fmt: skip
        self._for_pictures: list[QWidget] = [
            self._button(self._back), self._button(self._forward), self._place, self._file
        ]  # fmt: skip
        for widget in (*self._for_video, *self._for_pictures):
            row.addWidget(widget, 1 if widget in (self._slider, self._file) else 0)

    def _button(self, action: QAction) -> QToolButton:
        button = QToolButton()
        button.setDefaultAction(action)
        button.setAutoRaise(True)
        button.setIconSize(QSize(20, 20))
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        return button

    def _make_speed_button(self) -> QToolButton:
        menu = QMenu(self)
        group = QActionGroup(menu)
        self._speeds: dict[float, QAction] = {}
        for speed in SPEEDS:
            action = menu.addAction(_speed_text(speed))
            action.setCheckable(True)
            action.triggered.connect(lambda _, speed=speed: self._set_speed(speed))
            group.addAction(action)
            self._speeds[speed] = action
        button = QToolButton()
        button.setMenu(menu)
        button.setAutoRaise(True)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        button.setStyleSheet("QToolButton::menu-indicator { image: none; }")
        button.setAccessibleName(self.tr("Speed"))
        button.setToolTip(self.tr("How fast the video is played ([ and ])"))
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.setMinimumWidth(button.fontMetrics().horizontalAdvance(_speed_text(0.25)) + 16)
        return button

    # --- showing

    def _arrange(self) -> None:
        is_video = self._kind == "video"
        for widget in self._for_video:
            widget.setVisible(is_video)
        for widget in self._for_pictures:
            widget.setVisible(not is_video)
        self._name_by_kind()
        self._enable()

    def _enable(self) -> None:
        is_video = self._playback is not None and self._kind == "video"
        can_move = is_video or (self._position is not None and self._position.count > 1)
        for action in self.actions_for_window():
            action.setEnabled(is_video)
        for action in (self._back, self._forward, self._first, self._last):
            action.setEnabled(can_move)
        self._show_state()

    def _show_newest(self) -> None:
        position = self._position
        if position is None or not self._is_stale:
            return
        self._is_stale = False
        self._timer.start()
        self._show_state()
        if isinstance(position, PicturePosition) or position.kind == "pictures":
            self._show_picture(position)
        else:
            self._show_time(position)

    def _show_picture(self, position: Position) -> None:
        self.setVisible(position.count > 1)
        self._place.setText(self.tr("{0} of {1}").format(position.index + 1, position.count))
        self._file.setText(position.path.name if isinstance(position, PicturePosition) else "")
        for action in (self._back, self._first):
            action.setEnabled(position.index > 0)
        for action in (self._forward, self._last):
            action.setEnabled(position.index < position.count - 1)

    def _show_time(self, position: Position) -> None:
        self.setVisible(True)
        duration_s = max(position.duration_s, position.time_s)
        is_long = duration_s >= 3600
        if self._slider.maximum() != round(1000 * duration_s):
            self._slider.setRange(0, round(1000 * duration_s))
            self._slider.setSingleStep(round(1000 * min(JUMP_S, duration_s / 10)))
            self._slider.setPageStep(round(1000 * min(30.0, duration_s / 5)))
            _set_text(self._duration, _clock(duration_s, is_long=is_long))
            self._time.setMinimumWidth(self._time.fontMetrics().horizontalAdvance(_clock(duration_s, is_long=is_long)))
        if self._slider.isSliderDown():
            return
        is_old = self._wanted_s is not None and abs(position.time_s - self._wanted_s) > _NEAR_S
        if is_old and time.monotonic() < self._wanted_until_s:
            self._is_stale = True  # look again
            return
        self._wanted_s = None
        # The last frame begins before the end, but nothing comes after it.
        is_at_end = self._playback is not None and self._playback.at_end
        self._show_place(duration_s if is_at_end else position.time_s)

    def _show_place(self, time_s: float) -> None:
        if not self._slider.isSliderDown():
            self._slider.setValue(round(1000 * time_s))
        _set_text(self._time, _clock(time_s, is_long=self._slider.maximum() >= 3_600_000))

    def _show_state(self) -> None:
        playback = self._playback
        plays = playback is not None and (self._resumes or not (playback.paused or playback.at_end))
        icon = "pause" if plays else "play"
        if self.play_action.data() != icon or not self.play_action.text():
            self.play_action.setData(icon)
            self.playing_changed.emit(plays)
            self.play_action.setIcon(action_icon(icon))
            self.play_action.setText(self.tr("Pause") if plays else self.tr("Play"))
            key = self.play_action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
            self.play_action.setToolTip(f"{self.play_action.text()} ({key})" if key else self.play_action.text())
        self._loop.setChecked(playback is not None and playback.loop)
        speed = 1.0 if playback is None else playback.speed
        if self._speed.text() != _speed_text(speed):
            self._speed.setText(_speed_text(speed))
            if speed in self._speeds:
                self._speeds[speed].setChecked(True)

    def changeEvent(self, event: QEvent) -> None:
        """Give the icons the palette's new colours."""
        if event.type() == QEvent.Type.PaletteChange:
            for action in self.actions_for_window():
                action.setIcon(action_icon(action.data()))
        super().changeEvent(event)

    # --- what the user does

    def _on_play(self) -> None:
        if self._playback is not None:
            self._playback.toggle()
            self._show_state()

    def _on_loop(self, on: bool) -> None:
        if self._playback is not None:
            self._playback.set_loop(on)
            self.loop_changed.emit(on)

    def _jump(self, direction: int) -> None:
        if self._playback is None or self._position is None:
            return
        if self._kind == "pictures":
            self._playback.step(direction)
            return
        here_s = self._position.time_s if self._wanted_s is None else self._wanted_s
        self._seek(min(max(0.0, here_s + direction * JUMP_S), self._position.duration_s))

    def _step(self, by: int) -> None:
        if self._playback is not None:
            self._wanted_s = None
            self._playback.step(by)
            self._show_state()

    def _go_to_end(self, *, is_last: bool) -> None:
        if self._playback is None or self._position is None:
            return
        if self._kind == "pictures":
            self._playback.go_to(self._position.count - 1 if is_last else 0)
        else:
            self._seek(self._position.duration_s if is_last else 0.0)

    def _seek(self, time_s: float) -> None:
        if self._playback is None:
            return
        self._wanted_s, self._wanted_until_s = time_s, time.monotonic() + _SETTLE_S
        self._playback.seek(time_s)
        self._show_place(time_s)
        self._show_state()
        self._is_stale = True
        self._timer.start()

    def _change_speed(self, direction: int) -> None:
        if self._playback is None:
            return
        nearest = min(range(len(SPEEDS)), key=lambda i: abs(SPEEDS[i] - self._playback.speed))  # type: ignore[union-attr]
        self._set_speed(SPEEDS[min(max(0, nearest + direction), len(SPEEDS) - 1)])

    def _set_speed(self, speed: float) -> None:
        if self._playback is not None:
            self._playback.set_speed(speed)
            self._show_state()
            self.speed_changed.emit(speed)

    def _on_slider_pressed(self) -> None:
        if self._playback is not None:
            self._resumes = not (self._playback.paused or self._playback.at_end)
            self._playback.pause()

    def _on_slider_moved(self, value: int) -> None:
        self._seek(value / 1000)

    def _on_slider_action(self) -> None:
        if not self._slider.isSliderDown():  # a key or the wheel
            self._seek(self._slider.sliderPosition() / 1000)

    def _on_slider_released(self) -> None:
        resumes, self._resumes = self._resumes, False
        if self._playback is not None and resumes and not self._playback.at_end:
            self._playback.resume()
        self._show_state()


def _set_text(label: QLabel, text: str) -> None:
    if label.text() != text:
        label.setText(text)


def _clock(time_s: float, *, is_long: bool) -> str:
    """Write a time as people read it from players: 0:12, or 1:02:03 in a video of an hour or more."""
    minutes, seconds = divmod(int(time_s), 60)
    hours, minutes_of_hour = divmod(minutes, 60)
    return f"{hours}:{minutes_of_hour:02}:{seconds:02}" if is_long else f"{minutes}:{seconds:02}"


def _speed_text(speed: float) -> str:
    return QLocale().toString(speed, "g", 3) + "×"
