"""Every action of the main window, with its words, icon and key; and the toolbar and menus made of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, QSize, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMainWindow, QMenu, QToolBar, QToolButton

from fkd_desktop.ui.icons import action_icon

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fkd_desktop.overlays import Layer

LAYER_KEYS: Final = {"keypoints": "1", "numbers": "2", "boxes": "3", "sunglasses": "4"}
"""Toolbar order and number keys of the layers."""


class Commands(QObject):
    """What a user can do. The window connects each action to what it does.

    Parameters
    ----------
    window
        Gets all actions, so that their keys work in fullscreen too, where bars are hidden.
    layers
        The layers by name.
    networks
        A menu of the networks that can be used.
    """

    def __init__(self, window: QMainWindow, layers: Mapping[str, Layer], networks: QMenu) -> None:
        super().__init__(window)
        self._window, self.networks = window, networks
        self.camera = self._add("&Camera", "camera", "Ctrl+1", "Show the first camera")
        self.demo = self._add("&Demo clip", "demo", "Ctrl+D", "Show the built-in clip")
        self.open = self._add("&Open video or image…", "open", "Ctrl+O", "Show a video or a picture from a file")
        self.start = self._add("&Start", "start", "Space")
        self.retry = self._add("&Retry", "retry", "F5", "Open the same source again")
        self.layers = {
            name: self._add(
                layers[name].title, name, key, f"Paint {layers[name].title.lower()} ({key})", is_checkable=True
            )
            for name, key in LAYER_KEYS.items()
        }
        self.no_layers = self._add("&Nothing", "close", "0", "Show the plain picture")
        self.mirror = self._add(
            "&Mirror", "mirror", "M", "Show the picture as in a mirror (preview only)", is_checkable=True
        )
        self.fullscreen = self._add(
            "&Fullscreen", "fullscreen", "F11", "Nothing but the picture (F11, Esc leaves)", is_checkable=True
        )
        self.leave_fullscreen = self._add("Leave fullscreen", "close", "Esc")
        self.train = self._add("&Train a network…", "train", "Ctrl+T", "Train a network on your own pictures")
        self.browse = self._add("&Browse a data set…", "browse", "Ctrl+B", "Look at what networks learn from")
        self.inspect = self._add("&Inspect the network…", "network", "Ctrl+I", "See what the network sees")
        self.shortcuts = self._add("&Keyboard shortcuts", "help", "F1")
        self.about = self._add("&About FKD Desktop", "info")
        self.quit = self._add("&Quit", "close", QKeySequence(QKeySequence.StandardKey.Quit))
        # Ways out that states of the window offer as buttons.
        self.try_demo = self._add("Try the demo clip", "demo", tip="Show the built-in clip")
        self.use_shipped_network = self._add(
            "Use the shipped network", "network", tip="Find faces with the network that came with the application"
        )
        self.show_running(is_running=False)

    def show_running(self, *, is_running: bool) -> None:
        """Make the start action one that stops, or the other way round."""
        self.start.setText(self.tr("&Stop") if is_running else self.tr("&Start"))
        self.start.setToolTip(self.tr("Stop the live session") if is_running else self.tr("Start the live session"))
        self.start.setData("stop" if is_running else "start")
        self.start.setIcon(action_icon(self.start.data()))

    def refresh_icons(self) -> None:
        """Give the icons the palette's new colours."""
        for action in self._window.actions():
            action.setIcon(action_icon(action.data()))
        self._source_button.setIcon(action_icon("camera"))

    def make_toolbar(self) -> QToolBar:
        """Make the toolbar of the window."""
        bar = QToolBar(self.tr("Toolbar"), self._window)
        bar.setMovable(False)
        bar.setIconSize(QSize(20, 20))
        bar.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        bar.setStyleSheet("QToolButton::menu-indicator { image: none; }")  # some styles draw it below the text
        self._source_button = self._make_source_button(bar)
        bar.addWidget(self._source_button)
        bar.addAction(self.start)
        bar.addSeparator()
        bar.addActions(list(self.layers.values()))
        bar.addSeparator()
        bar.addActions([self.mirror, self.fullscreen])
        bar.addSeparator()
        bar.addAction(self.train)
        return bar

    def fill_menus(self) -> None:
        """Fill the window's menu bar."""
        bar = self._window.menuBar()
        session, view, network, help_ = (
            bar.addMenu(self.tr(title)) for title in ("&Session", "&View", "&Network", "&Help")
        )
        session.addActions([self.camera, self.demo, self.open])
        session.addSeparator()
        session.addActions([self.start, self.retry])
        session.addSeparator()
        session.addAction(self.quit)
        view.addActions([*self.layers.values(), self.no_layers])
        view.addSeparator()
        view.addActions([self.mirror, self.fullscreen])
        network.addMenu(self.networks)
        network.addSeparator()
        network.addActions([self.train, self.browse, self.inspect])
        help_.addActions([self.shortcuts, self.about])

    def shortcuts_html(self) -> str:
        """Return a table of every action that has a key."""
        cell = "<td style='padding: 3px 24px 3px 0'>"
        rows = "".join(
            f"<tr>{cell}{action.text().replace('&', '')}</td>"
            f"{cell}<b>{action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)}</b></td></tr>"
            for action in self._window.actions()
            if not action.shortcut().isEmpty()
        )
        return f"<table>{rows}</table>"

    def _add(
        self, text: str, icon: str, shortcut: str | QKeySequence = "", tip: str = "", *, is_checkable: bool = False
    ) -> QAction:
        action = QAction(action_icon(icon), self.tr(text), self._window)
        action.setData(icon)
        action.setShortcut(QKeySequence(shortcut))
        action.setCheckable(is_checkable)
        if tip:
            action.setToolTip(self.tr(tip))
        self._window.addAction(action)
        return action

    def _make_source_button(self, bar: QToolBar) -> QToolButton:
        menu = QMenu(bar)
        menu.addActions([self.camera, self.demo, self.open])
        button = QToolButton(bar)
        button.setText(self.tr("Source") + " ▾")
        button.setIcon(action_icon("camera"))
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        button.setMenu(menu)
        button.setToolTip(self.tr("Where the picture comes from"))
        return button
