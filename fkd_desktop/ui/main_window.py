"""The main window."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QEvent, QSize, Qt, QTimer, Slot
from PySide6.QtGui import QAction, QCloseEvent, QKeySequence
from PySide6.QtWidgets import (
    QFileDialog,
    QMainWindow,
    QMenu,
    QMessageBox,
    QStackedWidget,
    QToolBar,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

import fkd_desktop
from fkd_desktop.controller import Controller, NetworkState, SessionState
from fkd_desktop.live.source import IMAGE_SUFFIXES, VIDEO_SUFFIXES
from fkd_desktop.live.stats import RollingStats
from fkd_desktop.overlays import DEFAULT_LAYER_NAMES, make_layers
from fkd_desktop.ui.banner import Banner
from fkd_desktop.ui.empty_state import EmptyState
from fkd_desktop.ui.icons import action_icon, app_icon
from fkd_desktop.ui.session_bar import SessionBar
from fkd_desktop.ui.video_view import VideoView

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fkd_desktop.settings import Settings

FIGURES_EVERY_MS: Final = 500
LAYER_KEYS: Final = {"keypoints": "1", "numbers": "2", "boxes": "3", "sunglasses": "4"}
"""Toolbar order and number keys of the layers."""


class MainWindow(QMainWindow):
    """The picture, what to paint on it, and what is measured.

    Parameters
    ----------
    controller
        Does the work.
    settings
        What to remember.
    layer_names
        Layers to start with; None for what was on last time.
    """

    def __init__(self, controller: Controller, settings: Settings, *, layer_names: Iterable[str] | None = None) -> None:
        super().__init__()
        self._controller, self._settings = controller, settings
        self._stats = RollingStats()
        self._frames_shown = 0
        self._layers = make_layers()
        self.setWindowTitle("FKD Desktop")
        self.setWindowIcon(app_icon())
        self.setAcceptDrops(True)
        self._make_widgets()
        self._make_actions()
        self._make_toolbar()
        self._make_menus()
        self._restore(layer_names)
        controller.frame_ready.connect(self._on_controller_frame_ready)
        controller.session_changed.connect(self._on_controller_session_changed)
        controller.network_changed.connect(self._on_controller_network_changed)
        self.view.frame_painted.connect(self._on_view_frame_painted)
        self._figures_timer = QTimer(self, interval=FIGURES_EVERY_MS)
        self._figures_timer.timeout.connect(self._on_figures_timer_timeout)
        self._on_controller_session_changed(controller.session_state, "")
        self._on_controller_network_changed(controller.network_state, "")

    # --- making

    def _make_widgets(self) -> None:
        self.view = VideoView()
        self.empty_state = EmptyState()
        self.banner = Banner()
        self.session_bar = SessionBar()
        self._pane = QStackedWidget()
        self._pane.addWidget(self.empty_state)
        self._pane.addWidget(self.view)
        central = QWidget()
        layout = QVBoxLayout(central)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.banner)
        layout.addWidget(self._pane, 1)
        self.setCentralWidget(central)
        self.setStatusBar(self.session_bar)

    def _make_actions(self) -> None:
        self.camera_action = self._action("&Camera", "camera", "Ctrl+1", "Show the first camera", self.start_camera)
        self.demo_action = self._action("&Demo clip", "demo", "Ctrl+D", "Show the built-in clip", self.start_demo)
        self.try_demo_action = self._action("Try the demo clip", "demo", "", "Show the built-in clip", self.start_demo)
        self.open_action = self._action(
            "&Open video or image…", "open", "Ctrl+O", "Show a video or a picture from a file", self.choose_file
        )
        self.start_action = self._action("&Start", "start", "Space", "Start the live session", self.toggle_session)
        self.retry_action = self._action("&Retry", "retry", "F5", "Open the same source again", self.retry)
        self.shipped_network_action = self._action(
            "Use the shipped network", "network", "", "Find faces with the network that came with the application",
            self._controller.load_network,
        )  # fmt: skip
        self.mirror_action = self._action("&Mirror", "mirror", "M", "Show the picture as in a mirror (preview only)")
        self.mirror_action.setCheckable(True)
        self.mirror_action.toggled.connect(self._on_mirror_action_toggled)
        self.fullscreen_action = self._action(
            "&Fullscreen", "fullscreen", "F11", "Nothing but the picture (F11, Esc leaves)"
        )
        self.fullscreen_action.setCheckable(True)
        self.fullscreen_action.toggled.connect(self._on_fullscreen_action_toggled)
        self.leave_fullscreen_action = self._action(
            "Leave fullscreen", "close", "Esc", "", lambda: self.fullscreen_action.setChecked(False)
        )
        self.no_layers_action = self._action("&Nothing", "close", "0", "Show the plain picture", self.clear_layers)
        self.layer_actions: dict[str, QAction] = {}
        for name, key in LAYER_KEYS.items():
            action = self._action(
                self._layers[name].title, name, key, f"Paint {self._layers[name].title.lower()} ({key})"
            )
            action.setCheckable(True)
            action.toggled.connect(self._on_layer_action_toggled)
            self.layer_actions[name] = action
        self.shortcuts_action = self._action("&Keyboard shortcuts", "help", "F1", "", self.show_shortcuts)
        self.about_action = self._action("&About FKD Desktop", "info", "", "", self.show_about)
        self.quit_action = self._action("&Quit", "close", QKeySequence(QKeySequence.StandardKey.Quit), "", self.close)

    def _action(
        self, text: str, icon: str, shortcut: str | QKeySequence, tip: str, on_triggered: object = None
    ) -> QAction:
        action = QAction(action_icon(icon), self.tr(text), self)
        action.setData(icon)
        action.setShortcut(QKeySequence(shortcut))
        if tip:
            action.setToolTip(self.tr(tip))
            action.setStatusTip("")
        if callable(on_triggered):
            action.triggered.connect(lambda _checked=False: on_triggered())
        self.addAction(action)  # so that its shortcut works in fullscreen, where bars are hidden
        return action

    def _make_toolbar(self) -> None:
        bar = QToolBar(self.tr("Toolbar"), self)
        bar.setObjectName("toolbar")
        bar.setMovable(False)
        bar.setIconSize(QSize(20, 20))
        bar.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        bar.setStyleSheet("QToolButton::menu-indicator { image: none; }")  # some styles draw it below the text
        source_menu = QMenu(self)
        source_menu.addActions([self.camera_action, self.demo_action, self.open_action])
        source_button = QToolButton()
        source_button.setText(self.tr("Source") + " ▾")
        source_button.setIcon(action_icon("camera"))
        source_button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        source_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        source_button.setMenu(source_menu)
        source_button.setToolTip(self.tr("Where the picture comes from"))
        self._source_button = source_button
        bar.addWidget(source_button)
        bar.addAction(self.start_action)
        bar.addSeparator()
        bar.addActions(list(self.layer_actions.values()))
        bar.addSeparator()
        bar.addActions([self.mirror_action, self.fullscreen_action])
        self._toolbar = bar
        self.addToolBar(bar)

    def _make_menus(self) -> None:
        session, view, help_ = (self.menuBar().addMenu(self.tr(title)) for title in ("&Session", "&View", "&Help"))
        session.addActions([self.camera_action, self.demo_action, self.open_action])
        session.addSeparator()
        session.addActions([self.start_action, self.retry_action])
        session.addSeparator()
        session.addAction(self.quit_action)
        view.addActions([*self.layer_actions.values(), self.no_layers_action])
        view.addSeparator()
        view.addActions([self.mirror_action, self.fullscreen_action])
        help_.addActions([self.shortcuts_action, self.about_action])

    def _restore(self, layer_names: Iterable[str] | None) -> None:
        if not self.restoreGeometry(self._settings.geometry):
            self.resize(1000, 780)
        self.mirror_action.setChecked(self._settings.mirrored)
        names = layer_names if layer_names is not None else self._settings.layer_names
        for name in DEFAULT_LAYER_NAMES if names is None else names:
            if name in self.layer_actions:
                self.layer_actions[name].setChecked(True)

    # --- what a user does

    def start_camera(self) -> None:
        """Show the first camera."""
        self._controller.start("camera:0")

    def start_demo(self) -> None:
        """Show the demo clip."""
        self._controller.start("demo")

    def open_path(self, path: str) -> None:
        """Show a file."""
        self._settings.last_folder = str(Path(path).parent)
        self._controller.start(path)

    def choose_file(self) -> None:
        """Ask for a file and show it."""
        videos, images = (" ".join(f"*{s}" for s in sorted(kind)) for kind in (VIDEO_SUFFIXES, IMAGE_SUFFIXES))
        path, _ = QFileDialog.getOpenFileName(
            self,
            self.tr("Open video or image"),
            self._settings.last_folder,
            f"{self.tr('Videos and images')} ({videos} {images});;{self.tr('All files')} (*)",
        )
        if path:
            self.open_path(path)

    def toggle_session(self) -> None:
        """Stop what runs, or start again what ran last."""
        if self._controller.session_state.is_running:
            self._controller.stop()
        else:
            self.retry()

    def retry(self) -> None:
        """Open the same source again."""
        self._controller.start(self._controller.source_name or "camera:0")

    def clear_layers(self) -> None:
        """Show the plain picture."""
        for action in self.layer_actions.values():
            action.setChecked(False)

    def show_shortcuts(self) -> None:
        """List every action that has a key."""
        cell = "<td style='padding: 3px 24px 3px 0'>"
        rows = "".join(
            f"<tr>{cell}{action.text().replace('&', '')}</td>{cell}<b>{_key_text(action)}</b></td></tr>"
            for action in self.actions()
            if not action.shortcut().isEmpty()
        )
        self._show_message(self.tr("Keyboard shortcuts"), f"<table>{rows}</table>")

    def show_about(self) -> None:
        """Say what this is."""
        self._show_message(
            self.tr("About FKD Desktop"),
            f"<h3>FKD Desktop {fkd_desktop.__version__}</h3>"
            + self.tr(
                "<p>Real-time face keypoints. Everything happens on this computer; nothing is sent anywhere.</p>"
                "<p>Demo clip: made from NASA's portrait of Eileen Collins (public domain).</p>"
            ),
        )

    def _show_message(self, title: str, text: str) -> None:
        box = QMessageBox(self)
        box.setWindowTitle(title)
        box.setText(text)
        box.setIconPixmap(app_icon().pixmap(64, 64))
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.open()  # not modal to the session: the picture moves on

    # --- what the session tells

    @Slot()
    def _on_controller_frame_ready(self) -> None:
        if (live := self._controller.take_frame()) is not None:
            self._frames_shown += 1
            self.view.show_frame(live)
            self._pane.setCurrentWidget(self.view)

    @Slot(float, float)
    def _on_view_frame_painted(self, captured_s: float, painted_s: float) -> None:
        self._stats.add(captured_s=captured_s, painted_s=painted_s)

    @Slot(object, str)
    def _on_controller_session_changed(self, state: SessionState, message: str) -> None:
        is_running = state.is_running
        self.start_action.setText(self.tr("&Stop") if is_running else self.tr("&Start"))
        self.start_action.setToolTip(
            self.tr("Stop the live session") if is_running else self.tr("Start the live session")
        )
        self._set_icon(self.start_action, "stop" if is_running else "start")
        label = self._controller.source_label
        if state is SessionState.OPENING:
            self.view.show_frame(None)
            self._stats.clear()
            self._frames_shown = 0
        if state in (SessionState.OPENING, SessionState.LIVE, SessionState.FAILED, SessionState.STOPPED):
            self.banner.clear()
        if is_running:
            self._figures_timer.start()
        else:
            self._figures_timer.stop()
            self._show_last_figures(state)
        self.session_bar.show_source("" if state is SessionState.STOPPED else _describe(label))
        ways_out = [self.try_demo_action, self.open_action, self.retry_action]
        match state:
            case SessionState.OPENING:
                self.empty_state.show_state(
                    icon="camera", title=self.tr("Opening {0}…").format(_describe(label)), text=""
                )
                self._pane.setCurrentWidget(self.empty_state)
            case SessionState.FAILED:
                self.empty_state.show_state(
                    icon="warning", title=self.tr("No picture"), text=_sentence(message), actions=ways_out
                )
                self._pane.setCurrentWidget(self.empty_state)
            case SessionState.STOPPED:
                self.empty_state.show_state(
                    icon="start",
                    title=self.tr("Stopped"),
                    text=self.tr("The camera is off."),
                    actions=[self.start_action, self.try_demo_action, self.open_action],
                )
                self._pane.setCurrentWidget(self.empty_state)
            case SessionState.STALLED:
                self.banner.show_notice(_sentence(message), self.retry_action)
            case SessionState.LIVE | SessionState.ENDED:
                pass
        self._show_note()

    @Slot(object, str)
    def _on_controller_network_changed(self, state: NetworkState, message: str) -> None:
        self._show_note()
        predictor = self._controller.predictor
        if state is NetworkState.FAILED:
            self.banner.show_notice(_sentence(message), self.shipped_network_action)
        if state is NetworkState.LOADING:
            self.session_bar.show_device(self.tr("loading…"))
        else:
            self.session_bar.show_device(predictor.device.type.upper() if predictor else self.tr("no network"))

    @Slot()
    def _on_figures_timer_timeout(self) -> None:
        live = self.view.live_frame
        self.session_bar.show_figures(
            self._stats.figures(time.perf_counter()),
            faces=len(live.result) if live else 0,
            dropped=self._controller.dropped,
        )

    def _show_last_figures(self, state: SessionState) -> None:
        live = self.view.live_frame
        if state is SessionState.ENDED and live is not None:
            self.session_bar.show_picture(faces=len(live.result))
        else:
            self.session_bar.clear_figures()

    def _show_note(self) -> None:
        ended = self._controller.session_state is SessionState.ENDED
        if self._controller.network_state is NetworkState.LOADING:
            self.view.set_note(self.tr("Loading the network…"))
        elif ended and self._frames_shown > 1:  # not of a picture, which has no end
            self.view.set_note(self.tr("The end. Space plays it again"))
        else:
            self.view.set_note("")

    # --- view

    @Slot()
    def _on_layer_action_toggled(self) -> None:
        names = [name for name in self._layers if self.layer_actions[name].isChecked()]
        self.view.set_layers([self._layers[name] for name in names])
        self._settings.layer_names = names

    @Slot(bool)
    def _on_mirror_action_toggled(self, checked: bool) -> None:
        self.view.set_mirrored(checked)
        self._settings.mirrored = checked

    @Slot(bool)
    def _on_fullscreen_action_toggled(self, checked: bool) -> None:
        for bar in (self.menuBar(), self._toolbar, self.statusBar()):
            bar.setVisible(not checked)
        if checked:
            self.setWindowState(self.windowState() | Qt.WindowState.WindowFullScreen)
        else:
            self.setWindowState(self.windowState() & ~Qt.WindowState.WindowFullScreen)

    def _set_icon(self, action: QAction, name: str) -> None:
        action.setData(name)
        action.setIcon(action_icon(name))

    # --- events

    def dragEnterEvent(self, event: object) -> None:
        """Take files."""
        if event.mimeData().hasUrls():  # type: ignore[attr-defined]
            event.acceptProposedAction()  # type: ignore[attr-defined]

    def dropEvent(self, event: object) -> None:
        """Show the first file."""
        paths = [url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()]  # type: ignore[attr-defined]
        if paths:
            self.open_path(paths[0])

    def changeEvent(self, event: QEvent) -> None:
        """Give icons the new theme's colours."""
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_source_button"):
            for action in self.actions():
                action.setIcon(action_icon(action.data()))
            self._source_button.setIcon(action_icon("camera"))
        super().changeEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Remember, and let go of the camera."""
        if not self.fullscreen_action.isChecked():
            self._settings.geometry = self.saveGeometry()
        self._settings.save()
        self._figures_timer.stop()
        self._controller.shut_down()
        event.accept()


def _key_text(action: QAction) -> str:
    return action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)


def _describe(source: str) -> str:
    """Return what a user calls a source that has not said so itself yet."""
    if source == "demo":
        return "Demo clip"
    if source.startswith("camera:"):
        return f"Camera {source.removeprefix('camera:')}"
    return Path(source).name or source


def _sentence(text: str) -> str:
    """Begin with a capital and end with a full stop."""
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")
