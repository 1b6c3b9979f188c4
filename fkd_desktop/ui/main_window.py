"""The main window."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QEvent, Qt, QTimer, Slot
from PySide6.QtGui import QAction, QCloseEvent, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QFileDialog, QMainWindow, QMessageBox, QStackedWidget, QVBoxLayout, QWidget

import fkd_desktop
from fkd_desktop.controller import Controller, NetworkState, SessionState
from fkd_desktop.live.sources import IMAGE_SUFFIXES, VIDEO_SUFFIXES
from fkd_desktop.live.stats import RollingStats
from fkd_desktop.overlays import DEFAULT_LAYER_NAMES, make_layers
from fkd_desktop.ui.banner import Banner
from fkd_desktop.ui.commands import Commands
from fkd_desktop.ui.dropping import dropped_path, take_files
from fkd_desktop.ui.empty_state import EmptyState
from fkd_desktop.ui.icons import app_icon
from fkd_desktop.ui.network_menu import NetworkMenu
from fkd_desktop.ui.session_bar import SessionBar
from fkd_desktop.ui.training.indicator import TrainingIndicator
from fkd_desktop.ui.video_view import VideoView
from fkd_desktop.ui.words import sentence
from fkd_desktop.ui.workshop import Workshop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from fkd_desktop.live.result import FrameResult
    from fkd_desktop.settings import Settings

FIGURES_EVERY_MS: Final = 500


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
        self._is_moving = False
        self._stall_message = self._network_message = self._workshop_message = ""
        self._leaves_at_once = False
        self._layers = make_layers()
        self.setWindowTitle("FKD Desktop")
        self.setWindowIcon(app_icon())
        self.setAcceptDrops(True)
        self._make_widgets()
        self.workshop = Workshop(controller, settings, frame_source=self._newest_result, window=self)
        self.training_indicator = TrainingIndicator(self.workshop.training)
        self.training_indicator.clicked.connect(self.workshop.open_trainer)
        self.session_bar.add_before_figures(self.training_indicator)
        self.commands = Commands(self, self._layers, NetworkMenu(controller, self.workshop, settings, self))
        self._toolbar = self.commands.make_toolbar()
        self.addToolBar(self._toolbar)
        self.commands.fill_menus()
        self._connect_commands()
        self._restore(layer_names)
        controller.frame_ready.connect(self._on_controller_frame_ready)
        controller.session_changed.connect(self._on_controller_session_changed)
        controller.network_changed.connect(self._on_controller_network_changed)
        self.view.frame_painted.connect(self._on_view_frame_painted)
        self.banner.dismissed.connect(self._on_banner_dismissed)
        self.workshop.noticed.connect(self._on_workshop_noticed)
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

    def _connect_commands(self) -> None:
        commands = self.commands
        for action, do in (
            (commands.camera, lambda: self._controller.start("camera:0")),
            (commands.demo, self.start_demo),
            (commands.try_demo, self.start_demo),
            (commands.open, self.choose_file),
            (commands.start, self.toggle_session),
            (commands.retry, self.retry),
            (commands.use_shipped_network, lambda: self.workshop.use_weights(None)),
            (commands.train, self.workshop.open_trainer),
            (commands.browse, self.workshop.open_browser),
            (commands.inspect, self.workshop.open_inspector),
            (commands.leave_fullscreen, lambda: commands.fullscreen.setChecked(False)),
            (commands.no_layers, self.clear_layers),
            (commands.shortcuts, self.show_shortcuts),
            (commands.about, self.show_about),
            (commands.quit, self.close),
        ):
            _on_triggered(action, do)
        commands.mirror.toggled.connect(self._on_mirror_toggled)
        commands.fullscreen.toggled.connect(self._on_fullscreen_toggled)
        for action in commands.layers.values():
            action.toggled.connect(self._on_layer_toggled)

    def _restore(self, layer_names: Iterable[str] | None) -> None:
        if not self.restoreGeometry(self._settings.geometry):
            self.resize(1000, 780)
        self.commands.mirror.setChecked(self._settings.mirrored)
        names = layer_names if layer_names is not None else self._settings.layer_names
        for name in DEFAULT_LAYER_NAMES if names is None else names:
            if name in self.commands.layers:
                self.commands.layers[name].setChecked(True)

    # --- what a user does

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
        for action in self.commands.layers.values():
            action.setChecked(False)

    def show_shortcuts(self) -> None:
        """List every action that has a key."""
        self._show_message(self.tr("Keyboard shortcuts"), self.commands.shortcuts_html())

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
            shown = self.view.live_frame
            # A picture comes twice too: as it is, and annotated once the network is there.
            self._is_moving |= shown is not None and shown.result.timestamp_s != live.result.timestamp_s
            self.view.show_frame(live)
            self._pane.setCurrentWidget(self.view)

    @Slot(float, float)
    def _on_view_frame_painted(self, captured_s: float, painted_s: float) -> None:
        self._stats.add(captured_s=captured_s, painted_s=painted_s)

    @Slot(object, str)
    def _on_controller_session_changed(self, state: SessionState, message: str) -> None:
        self.commands.show_running(is_running=state.is_running)
        label = self._controller.source_label
        if state is SessionState.OPENING:
            self.view.show_frame(None)
            self._stats.clear()
            self._is_moving = False
        self._stall_message = message if state is SessionState.STALLED else ""
        if state.is_running:
            self._figures_timer.start()
        else:
            self._figures_timer.stop()
            self._show_last_figures(state)
        self.session_bar.show_source("" if state is SessionState.STOPPED else _describe(label))
        ways_out = [self.commands.try_demo, self.commands.open, self.commands.retry]
        match state:
            case SessionState.OPENING:
                self.empty_state.show_state(
                    icon="camera", title=self.tr("Opening {0}…").format(_describe(label)), text=""
                )
                self._pane.setCurrentWidget(self.empty_state)
            case SessionState.FAILED:
                self.empty_state.show_state(
                    icon="warning", title=self.tr("No picture"), text=sentence(message), actions=ways_out
                )
                self._pane.setCurrentWidget(self.empty_state)
            case SessionState.STOPPED:
                self.empty_state.show_state(
                    icon="start",
                    title=self.tr("Stopped"),
                    text=self.tr("No camera or file is in use."),
                    actions=[self.commands.start, self.commands.try_demo, self.commands.open],
                )
                self._pane.setCurrentWidget(self.empty_state)
            case SessionState.LIVE | SessionState.STALLED | SessionState.ENDED:
                pass
        self._show_note()
        self._show_notice()

    @Slot(object, str)
    def _on_controller_network_changed(self, state: NetworkState, message: str) -> None:
        self._show_note()
        predictor = self._controller.predictor
        self._network_message = message if state is NetworkState.FAILED else ""
        self._show_notice()
        if state is NetworkState.READY and self._controller.session_state is SessionState.ENDED and not self._is_moving:
            self.retry()  # a picture, which the new network has not seen
        if predictor is not None:
            self.session_bar.show_network(predictor.network_name, predictor.device.type.upper())
        else:
            loading = state is NetworkState.LOADING
            self.session_bar.show_network("", self.tr("loading…") if loading else self.tr("no network"))

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
        if self._controller.network_state is NetworkState.LOADING and self._controller.predictor is None:
            self.view.set_note(self.tr("Loading the network…"))
        elif ended and self._is_moving:
            self.view.set_note(self.tr("The end. Space plays it again"))
        else:
            self.view.set_note("")

    def _show_notice(self) -> None:
        if self._stall_message:
            self.banner.show_notice(sentence(self._stall_message), self.commands.retry)
        elif self._network_message:
            self.banner.show_notice(sentence(self._network_message), self.commands.use_shipped_network)
        elif self._workshop_message:
            self.banner.show_notice(self._workshop_message)
        else:
            self.banner.clear()

    @Slot()
    def _on_banner_dismissed(self) -> None:
        self._stall_message = self._network_message = self._workshop_message = ""

    @Slot(str)
    def _on_workshop_noticed(self, message: str) -> None:
        self._workshop_message = message
        self._show_notice()

    def _newest_result(self) -> FrameResult | None:
        live = self.view.live_frame
        return live.result if live else None

    # --- view

    @Slot()
    def _on_layer_toggled(self) -> None:
        names = [name for name in self._layers if self.commands.layers[name].isChecked()]
        self.view.set_layers([self._layers[name] for name in names])
        self._settings.layer_names = names

    @Slot(bool)
    def _on_mirror_toggled(self, checked: bool) -> None:
        self.view.set_mirrored(checked)
        self._settings.mirrored = checked

    @Slot(bool)
    def _on_fullscreen_toggled(self, checked: bool) -> None:
        for bar in (self.menuBar(), self._toolbar, self.statusBar()):
            bar.setVisible(not checked)
        if checked:
            self.setWindowState(self.windowState() | Qt.WindowState.WindowFullScreen)
        else:
            self.setWindowState(self.windowState() & ~Qt.WindowState.WindowFullScreen)

    # --- events

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take files."""
        take_files(event)

    def dropEvent(self, event: QDropEvent) -> None:
        """Show the first file."""
        if (path := dropped_path(event.mimeData())) is not None:
            self.open_path(str(path))

    def changeEvent(self, event: QEvent) -> None:
        """Give icons the new theme's colours."""
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "commands"):  # Qt sends some before that
            self.commands.refresh_icons()
        super().changeEvent(event)

    @Slot()
    def leave(self) -> None:
        """Close without a question; a training run stops by itself and keeps what it has."""
        self._leaves_at_once = True
        self.close()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Remember, and let go of the camera; a training run is asked after first."""
        if not self.commands.fullscreen.isChecked():
            self._settings.geometry = self.saveGeometry()
        self._settings.save()
        if not self._leaves_at_once and not self.workshop.may_leave(self.leave):
            event.ignore()
            return
        self._figures_timer.stop()
        self.workshop.shut_down()
        self._controller.shut_down()
        event.accept()


def _on_triggered(action: QAction, do: Callable[[], object]) -> None:
    action.triggered.connect(lambda: do())  # noqa: PLW0108 (without it `do` would be called with whether it is checked)


def _describe(source: str) -> str:
    """Return what a user calls a source that has not said so itself yet."""
    if source == "demo":
        return "Demo clip"
    if source.startswith("camera:"):
        return f"Camera {source.removeprefix('camera:')}"
    return Path(source).name or source
