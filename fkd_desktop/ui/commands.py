"""Every action of the main window, with its words, icon and key; and the toolbar and menus made of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QSize, Qt
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMainWindow, QMenu, QToolBar, QToolButton

from fkd_desktop.live.smoothing import SmoothingLevel
from fkd_desktop.ui.icons import action_icon

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

TOOLBAR_OVERLAYS = ("keypoints", "sunglasses")
"""Overlays with a button of their own; the others are one click further, in the gallery."""


class Commands(QObject):
    """What a user can do. The window connects each action to what it does.

    Parameters
    ----------
    window
        Gets all actions, so that their keys work in fullscreen too, where bars are hidden.
    """

    def __init__(self, window: QMainWindow) -> None:
        super().__init__(window)
        self._window = window
        tr = self.tr
        # Where the picture comes from
        self.camera = self._add(tr("&Camera"), "camera", "Ctrl+1", tr("Show the camera that was used last"))
        self.demo = self._add(tr("&Demo clip"), "demo", "Ctrl+D", tr("Show the built-in clip"))
        self.open = self._add(
            tr("&Open video or image…"), "open", "Ctrl+O", tr("Show a video or a picture from a file")
        )
        self.open_folder = self._add(
            tr("Open a &folder of pictures…"), "folder", "Ctrl+Shift+O", tr("Show the pictures of a folder")
        )
        self.open_stream = self._add(
            tr("Open a network &address…"), "stream", "Ctrl+L", tr("Show a network camera or a stream")
        )
        self.start = self._add(tr("&Start"), "start", "Space")
        self.stop = self._add(tr("S&top and let go"), "stop", "Ctrl+.", tr("Stop, and let go of the camera or file"))
        self.retry = self._add(tr("&Retry"), "retry", "F5", tr("Open the same source again"))
        # What is seen
        self.no_layers = self._add(tr("&Nothing"), "close", "0", tr("Show the plain picture"))
        self.gallery = self._add(
            tr("Overlay &gallery"), "overlays", "Ctrl+G", tr("Choose, order and make overlays"), is_checkable=True
        )
        self.gallery.setIconText(tr("Overlays"))
        self.mirror = self._add(tr("&Mirror"), "mirror", "M", tr("Show the picture as in a mirror"), is_checkable=True)
        self.fullscreen = self._add(
            tr("&Fullscreen"), "fullscreen", "F11", tr("Nothing but the picture (F11, Esc leaves)"), is_checkable=True
        )
        self.leave_fullscreen = self._add(tr("Leave fullscreen"), "close", "Esc")
        self.smoothing = self._add_smoothing()
        # What is kept
        self.export = self._add(
            tr("Export &landmarks…"), "export", "Ctrl+E", tr("Write the keypoints to tables, live or from a file")
        )
        # The network
        self.train = self._add(tr("&Train a network…"), "train", "Ctrl+T", tr("Train a network on your own pictures"))
        self.browse = self._add(tr("&Browse a data set…"), "browse", "Ctrl+B", tr("Look at what networks learn from"))
        self.inspect = self._add(tr("&Inspect the network…"), "network", "Ctrl+I", tr("See what the network sees"))
        # The rest
        self.preferences = self._add(tr("&Preferences…"), "preferences", "Ctrl+,", tr("Choose how things are"))
        self.manual = self._add(tr("&Manual"), "help", "F1", tr("Read how everything works"))
        self.shortcuts = self._add(tr("&Keyboard shortcuts"), "help", "Shift+F1")
        self.welcome = self._add(tr("&Welcome"), "info", tip=tr("Camera, overlays and training in three steps"))
        self.open_log = self._add(tr("Open the &log"), "log", tip=tr("Show the file with what happened lately"))
        self.diagnostics = self._add(
            tr("&Copy diagnostics"), "copy", tip=tr("Put versions, devices and the last log lines on the clipboard")
        )
        self.launcher = self._add("", "add")  # its words follow what the start menu has
        self.about = self._add(tr("&About FKD Desktop"), "info")
        self.quit = self._add(tr("&Quit"), "close", "Ctrl+Q")
        self.quit.setMenuRole(QAction.MenuRole.QuitRole)
        self.about.setMenuRole(QAction.MenuRole.AboutRole)
        self.preferences.setMenuRole(QAction.MenuRole.PreferencesRole)
        # Ways out that states of the window offer as buttons.
        self.try_demo = self._add(tr("Try the demo clip"), "demo", tip=tr("Show the built-in clip"))
        self.cancel = self._add(tr("Cancel"), "stop", tip=tr("Do not open it"))
        self.use_shipped_network = self._add(
            tr("Use the shipped network"), "network", tip=tr("Find faces with the network that came with FKD Desktop")
        )
        self.show_running(is_running=False, is_file=False)

    def show_running(self, *, is_running: bool, is_file: bool, is_paused: bool = False) -> None:
        """Make the start action do what the moment asks for: start, stop, pause or play on."""
        if is_file:
            words, tip, icon = (
                (self.tr("&Play"), self.tr("Play on"), "play")
                if is_paused
                else (self.tr("&Pause"), self.tr("Hold the picture"), "pause")
            )
        elif is_running:
            words, tip, icon = self.tr("&Stop"), self.tr("Stop the live session"), "stop"
        else:
            words, tip, icon = self.tr("&Start"), self.tr("Start the live session"), "start"
        if self.start.data() != icon or self.start.text() != words:
            self.start.setText(words)
            self.start.setToolTip(f"{tip} ({self.start.shortcut().toString(QKeySequence.SequenceFormat.NativeText)})")
            self.start.setData(icon)
            self.start.setIcon(action_icon(icon))
        self.stop.setEnabled(is_running)

    def refresh_icons(self) -> None:
        """Give the icons the palette's new colours."""
        for action in self._window.actions():
            if isinstance(action.data(), str):
                action.setIcon(action_icon(action.data()))
        self._source_button.setIcon(action_icon("camera"))

    def make_toolbar(
        self,
        *,
        sources: Sequence[QAction | QMenu | None],
        overlays: Mapping[str, QAction],
        add_capture: Callable[[QToolBar], None],
    ) -> QToolBar:
        """Make the toolbar of the window.

        Parameters
        ----------
        sources
            What the source button offers; None is a line between two groups.
        overlays
            The overlays' actions by name.
        add_capture
            Adds what keeps pictures and films.
        """
        bar = QToolBar(self.tr("Toolbar"), self._window)
        bar.setObjectName("toolbar")
        bar.setMovable(False)
        bar.setIconSize(QSize(20, 20))
        bar.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        bar.setStyleSheet("QToolButton::menu-indicator { image: none; }")  # some styles draw it below the text
        self._source_button = self._make_source_button(bar, sources)
        bar.addWidget(self._source_button)
        bar.addAction(self.start)
        bar.addSeparator()
        bar.addActions([overlays[name] for name in TOOLBAR_OVERLAYS])
        bar.addAction(self.gallery)
        bar.addSeparator()
        add_capture(bar)
        bar.addSeparator()
        bar.addActions([self.mirror, self.fullscreen])
        bar.addSeparator()
        bar.addAction(self.train)
        return bar

    def fill_menus(
        self,
        *,
        sources: Sequence[QAction | QMenu | None],
        playback: Sequence[QAction],
        overlays: QMenu,
        zoom: Sequence[QAction],
        fill_capture: Callable[[QMenu], None],
        networks: QMenu,
    ) -> None:
        """Fill the window's menu bar; None is a line between two groups."""
        bar, tr = self._window.menuBar(), self.tr
        session = bar.addMenu(tr("&Session"))
        _fill(session, [*sources, None, self.start, self.stop, self.retry, None])
        transport = session.addMenu(tr("Play&back"))
        transport.addActions(list(playback))
        _fill(session, [None, self.preferences, None, self.quit])
        smoothing = QMenu(tr("&Smoothing"), self._window)
        smoothing.addActions(list(self.smoothing.values()))
        zoom_menu = QMenu(tr("&Zoom"), self._window)
        zoom_menu.addActions(list(zoom))
        _fill(
            bar.addMenu(tr("&View")),
            [overlays, self.gallery, None, self.mirror, smoothing, zoom_menu, None, self.fullscreen],
        )
        capture = bar.addMenu(tr("&Capture"))
        fill_capture(capture)
        _fill(capture, [None, self.export])
        network = bar.addMenu(tr("&Network"))
        _fill(network, [networks, None, self.train, self.browse, self.inspect])
        _fill(
            bar.addMenu(tr("&Help")),
            [
                self.manual,
                self.shortcuts,
                self.welcome,
                None,
                self.open_log,
                self.diagnostics,
                None,
                self.launcher,
                None,
                self.about,
            ],
        )

    def _add(
        self, text: str, icon: str, shortcut: str | QKeySequence = "", tip: str = "", *, is_checkable: bool = False
    ) -> QAction:
        action = QAction(action_icon(icon), text, self._window)
        action.setData(icon)
        action.setShortcut(QKeySequence(shortcut))
        action.setCheckable(is_checkable)
        if tip:
            keys = _keys(action)
            action.setToolTip(f"{tip} ({keys})" if keys and keys not in tip else tip)
        self._window.addAction(action)
        return action

    def _add_smoothing(self) -> dict[SmoothingLevel, QAction]:
        group = QActionGroup(self)
        words = {
            SmoothingLevel.OFF: (self.tr("&Off"), self.tr("Every measurement as it is")),
            SmoothingLevel.LOW: (self.tr("&Low"), self.tr("Still on a still face, no lag on a moving one")),
            SmoothingLevel.HIGH: (self.tr("&High"), self.tr("As still as can be; quick motion lags a little")),
        }
        actions = {}
        for level, (text, tip) in words.items():
            action = QAction(text, group, checkable=True)
            action.setToolTip(tip)
            actions[level] = action
        return actions

    def _make_source_button(self, bar: QToolBar, sources: Sequence[QAction | QMenu | None]) -> QToolButton:
        menu = QMenu(bar)
        _fill(menu, sources)
        button = QToolButton(bar)
        button.setText(self.tr("Source") + " ▾")
        button.setIcon(action_icon("camera"))
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        button.setMenu(menu)
        button.setToolTip(self.tr("Where the picture comes from"))
        return button


def _fill(menu: QMenu, items: Sequence[QAction | QMenu | None]) -> None:
    for item in items:
        if item is None:
            menu.addSeparator()
        elif isinstance(item, QMenu):
            menu.addMenu(item)
        else:
            menu.addAction(item)


def _keys(action: QAction) -> str:
    return action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
