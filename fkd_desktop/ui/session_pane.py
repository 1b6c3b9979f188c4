"""The picture, or in its place what is the matter and the ways out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from fkd_desktop.controller import SessionState
from fkd_desktop.errors import SourceError
from fkd_desktop.live.sources.cameras import CameraName
from fkd_desktop.ui.banner import Banner
from fkd_desktop.ui.controls_at_rest import ControlsAtRest
from fkd_desktop.ui.empty_state import EmptyState
from fkd_desktop.ui.transport_bar import TransportBar
from fkd_desktop.ui.video_view import VideoView
from fkd_desktop.ui.words import sentence

if TYPE_CHECKING:
    from PySide6.QtGui import QAction

    from fkd_desktop.live.result import LiveFrame
    from fkd_desktop.ui.commands import Commands


_NUMBERED_CAMERA: Final = re.compile(r"Camera (\d+)")
"""What a camera without a name of its own calls itself."""


class SessionPane(QWidget):
    """A notice on top, the picture or an empty state, and the transport bar of what can be moved in."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.banner = Banner()
        self.view = VideoView()
        self.empty_state = EmptyState()
        self.transport = TransportBar()
        self._pane = QStackedWidget()
        self._pane.addWidget(self.empty_state)
        self._pane.addWidget(self.view)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.banner)
        self.stage = QWidget()
        """Has the picture or what stands in its place, and what lies over them for a while."""
        stage_layout = QVBoxLayout(self.stage)
        stage_layout.setContentsMargins(0, 0, 0, 0)
        stage_layout.addWidget(self._pane)
        layout.addWidget(self.stage, 1)
        self.controls = ControlsAtRest(self.transport, view=self.view, stage=self.stage, layout=layout)
        self.transport.hide()

    def add_below(self, widget: QWidget) -> None:
        """Give a widget a place of its own below the picture, which it takes nothing of but room."""
        layout = self.layout()
        assert isinstance(layout, QVBoxLayout)
        layout.insertWidget(layout.indexOf(self.stage) + 1, widget)

    @property
    def shows_picture(self) -> bool:
        """Whether the picture is on show, not an empty state."""
        return self._pane.currentWidget() is self.view

    def show_live(self, live: LiveFrame) -> None:
        """Show a frame."""
        self.view.show_frame(live)
        if not self.shows_picture:
            focus = self.window().focusWidget()
            had_focus = focus is None or self.stage.isAncestorOf(focus)
            self._pane.setCurrentWidget(self.view)
            if had_focus:
                self.view.setFocus()
        if live.position is None:
            self.transport.hide()
        else:
            self.transport.show_position(live.position)

    def clear(self) -> None:
        """Forget the picture: the next one is of something else."""
        self.view.show_frame(None)
        self.transport.hide()

    def show_state(self, state: SessionState, label: str, message: str, commands: Commands) -> None:
        """Say what is the matter, where there is no picture because of it.

        Parameters
        ----------
        state
            The session's; one with a picture shows that.
        label
            What the user calls the source.
        message
            Why, where the state does not say it all.
        commands
            The ways out.
        """
        words = state_words(state, label, message, commands)
        if words is None:
            return
        focus = self.window().focusWidget()
        had_focus = focus is not None and self.stage.isAncestorOf(focus)
        self.empty_state.show_state(icon=words.icon, title=words.title, text=words.text, actions=words.ways_out)
        self._pane.setCurrentWidget(self.empty_state)
        if had_focus:
            self.empty_state.take_focus()
        self.transport.hide()


@dataclass(frozen=True)
class StateWords:
    """What stands in the picture's place.

    Attributes
    ----------
    icon
        Name of an action icon.
    title, text
        What is the matter, and why.
    ways_out
        The first is the one to take.
    """

    icon: str
    title: str
    text: str
    ways_out: tuple[QAction, ...] = ()


def state_words(state: SessionState, label: str, message: str, commands: Commands) -> StateWords | None:
    """Return what to say of a state; None for one that has a picture. Without a label there is no camera at all."""
    why = sentence(message)
    elsewhere = (commands.try_demo, commands.open)
    again = (commands.retry, *elsewhere)
    waiting = StateWords(
        "retry",
        _tr("Waiting for {0}").format(label),
        _together(why, _tr("Once it is back, the picture goes on by itself.")),
        (*again, commands.stop),
    )
    words = {
        SessionState.OPENING: StateWords("camera", _tr("Opening {0}…").format(label), "", (commands.cancel,)),
        SessionState.MISSING: StateWords(
            "camera",
            _tr("{0} is not there").format(label) if label else _tr("No camera found"),
            _together(why, _tr("As soon as it is there, the picture comes by itself."))
            if label
            else _tr("Plug one in, and its picture comes by itself."),
            (*elsewhere, commands.retry),
        ),
        SessionState.BUSY: StateWords(
            "camera",
            _tr("{0} is in use elsewhere").format(label),
            _together(why, _tr("As soon as it is free, the picture comes by itself.")),
            again,
        ),
        SessionState.DENIED: StateWords("warning", _tr("No permission to use {0}").format(label), why, again),
        SessionState.LOST: waiting,
        SessionState.RECONNECTING: waiting,
        SessionState.FAILED: StateWords("warning", _tr("No picture"), why, (*elsewhere, commands.retry)),
        SessionState.STOPPED: StateWords(
            "start", _tr("Stopped"), _tr("No camera or file is in use."), (commands.start, *elsewhere)
        ),
    }
    return words.get(state)


def describe_source(name: str, label: str = "") -> str:
    """Return what a user calls a source.

    Parameters
    ----------
    name
        See `fkd_desktop.live.sources.make_source`.
    label
        What the source calls itself, once it has said so.
    """
    if name == "demo":
        return _tr("Demo clip")
    if name.startswith("camera:"):
        return _describe_camera(name, label)
    if label not in ("", name):
        return label
    if "://" in name:
        return _tr("The stream")
    return Path(name).name or name


def _describe_camera(name: str, label: str) -> str:
    if (numbered := _NUMBERED_CAMERA.fullmatch(label)) is not None:
        return _tr("Camera {0}").format(numbered[1])
    if label not in ("", name, "Camera"):
        return label
    try:
        camera = CameraName.parse(name.removeprefix("camera:"))
    except SourceError:
        return name
    return camera.label or (_tr("The camera") if camera.index is None else _tr("Camera {0}").format(camera.index))


def _together(*sentences: str) -> str:
    return " ".join(text for text in sentences if text)


def _tr(text: str) -> str:
    return QCoreApplication.translate("SessionPane", text)
