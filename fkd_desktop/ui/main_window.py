"""The main window: the picture, what to paint on it, and what is measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPoint, Qt, Slot
from PySide6.QtGui import QAction, QCloseEvent, QDragEnterEvent, QDropEvent, QGuiApplication, QKeyEvent
from PySide6.QtWidgets import QAbstractButton, QMainWindow, QMenu

from fkd_desktop.controller import Controller, NetworkState, SessionState
from fkd_desktop.i18n import translated
from fkd_desktop.ui.capture_desk import CaptureDesk
from fkd_desktop.ui.commands import Commands
from fkd_desktop.ui.dropping import dropped_path, take_files
from fkd_desktop.ui.export_desk import ExportDesk
from fkd_desktop.ui.fullscreen import Fullscreen
from fkd_desktop.ui.help_desk import HelpDesk
from fkd_desktop.ui.icons import app_icon
from fkd_desktop.ui.launcher_desk import LauncherDesk
from fkd_desktop.ui.network_menu import NetworkMenu
from fkd_desktop.ui.notices import Notices
from fkd_desktop.ui.overlay_desk import OverlayDesk
from fkd_desktop.ui.preferences_desk import PreferencesDesk
from fkd_desktop.ui.rest_while_minimised import RestWhileMinimised
from fkd_desktop.ui.session_bar import SessionBar
from fkd_desktop.ui.session_figures import SessionFigures
from fkd_desktop.ui.session_pane import SessionPane, describe_source
from fkd_desktop.ui.source_opener import SourceOpener
from fkd_desktop.ui.sources.words import mode_text
from fkd_desktop.ui.training.indicator import TrainingIndicator
from fkd_desktop.ui.welcome import WelcomeDesk
from fkd_desktop.ui.workshop import Workshop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from fkd_desktop.live.result import FrameResult, LiveFrame
    from fkd_desktop.settings import Settings
    from fkd_desktop.ui.preferences import PreferencesDialog


class MainWindow(QMainWindow):
    """The picture, with everything that can be done to it within reach.

    Parameters
    ----------
    controller
        Does the work.
    settings
        What to remember.
    layer_names
        Overlays to start with; None for what was on last time.
    """

    def __init__(self, controller: Controller, settings: Settings, *, layer_names: Iterable[str] | None = None) -> None:
        super().__init__()
        self._controller, self._settings = controller, settings
        self._leaves_at_once = False
        self.setWindowTitle("FKD Desktop")
        self.setWindowIcon(app_icon())
        self.setAcceptDrops(True)
        self.pane = SessionPane()
        self.view, self.empty_state, self.banner = self.pane.view, self.pane.empty_state, self.pane.banner
        self.notices = Notices(self.banner)
        self.session_bar = SessionBar()
        self._figures = SessionFigures(controller, self.view, self.session_bar)
        self.setCentralWidget(self.pane)
        self.setStatusBar(self.session_bar)
        self.opener = SourceOpener(controller, settings, self)
        self.overlays = OverlayDesk(self.view, settings, newest_result=self._newest_result, window=self)
        self.capture = CaptureDesk(controller, settings, pane=self.pane, overlays=self.overlays, window=self)
        self.export = ExportDesk(controller, settings, layers=self.overlays.stack.layers, window=self)
        self.workshop = Workshop(controller, settings, frame_source=self._newest_result, window=self)
        self.training_indicator = TrainingIndicator(self.workshop.training)
        self.session_bar.add_before_figures(self.training_indicator)
        self.session_bar.add_before_figures(self.capture.indicator)
        self.commands = Commands(self)
        self._preferences = PreferencesDesk(
            controller, settings, commands=self.commands, overlays=self.overlays, capture=self.capture, window=self
        )
        self._rest = RestWhileMinimised(
            controller, settings, is_camera=lambda: not self._is_file, resume=self.retry, window=self
        )
        self.help = HelpDesk(controller, overlays=self.overlays, bar=self.session_bar, window=self)
        self.launcher = LauncherDesk(self.commands.launcher, self)
        self.welcome = WelcomeDesk(
            controller, settings, pane=self.pane, opener=self.opener, overlays=self.overlays, commands=self.commands
        )
        self.network_menu = NetworkMenu(controller, self.workshop, settings, self)
        self._make_bars()
        self._connect_commands()
        self._connect_signals()
        self._restore(layer_names)
        self._on_controller_session_changed(controller.session_state, "")
        self._on_controller_network_changed(controller.network_state, "")
        QGuiApplication.instance().screenAdded.connect(self._refresh_icons)  # type: ignore[union-attr]
        self.opener.watcher.start()
        self.empty_state.take_focus()

    # --- making

    def _make_bars(self) -> None:
        commands = self.commands
        sources: list[QAction | QMenu | None] = [
            *(commands.camera, self.opener.cameras, commands.demo, None),
            *(commands.open, commands.open_folder, commands.open_stream, self.opener.recent),
        ]
        self._toolbar = commands.make_toolbar(
            sources=sources, overlays=self.overlays.actions.actions, add_capture=self.capture.actions.add_to_toolbar
        )
        self.addToolBar(self._toolbar)
        self.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, self.overlays.dock)
        bars = (self.menuBar(), self._toolbar, self.statusBar())
        dock, action = self.overlays.dock, commands.fullscreen
        self._fullscreen = Fullscreen(self, self._settings, action=action, bars=bars, dock=dock)
        self._fullscreen.changed.connect(self.capture.floating.set_wanted)
        self._fullscreen.changed.connect(self.pane.controls.set_floating)
        playback, zoom = self.pane.transport.actions_for_window(), self.view.actions_for_window()
        for action in (*playback, *zoom):
            self.addAction(action)  # keys work in fullscreen too
        self.overlays.end_menu_with(commands.no_layers)
        commands.fill_menus(
            sources=sources,
            playback=playback,
            overlays=self.overlays.menu,
            zoom=zoom,
            fill_capture=self.capture.actions.fill_menu,
            networks=self.network_menu,
        )

    def _connect_commands(self) -> None:
        commands = self.commands
        for action, do in (
            (commands.camera, self.opener.open_camera),
            (commands.demo, self.start_demo),
            (commands.try_demo, self.start_demo),
            (commands.open, self.opener.choose_file),
            (commands.open_folder, self.opener.choose_folder),
            (commands.open_stream, self.opener.ask_stream),
            (commands.start, self.toggle_session),
            (commands.stop, self._controller.stop),
            (commands.cancel, self._controller.stop),
            (commands.retry, self.retry),
            (commands.use_shipped_network, lambda: self.workshop.use_weights(None)),
            (commands.train, self.workshop.open_trainer),
            (commands.browse, self.workshop.open_browser),
            (commands.inspect, self.workshop.open_inspector),
            (commands.leave_fullscreen, self._leave),
            (commands.no_layers, self.overlays.stack.clear),
            (commands.export, self.export.open),
            (commands.preferences, self.open_preferences),
            (commands.manual, self.help.show_manual),
            (commands.shortcuts, self.help.show_shortcuts),
            (commands.welcome, self.welcome.show),
            (commands.open_log, self.help.open_log),
            (commands.diagnostics, self.help.copy_diagnostics),
            (commands.about, self.help.show_about),
            (commands.quit, self.close),
        ):
            _on_triggered(action, do)
        commands.gallery.toggled.connect(self.overlays.dock.setVisible)
        self.overlays.dock.visibilityChanged.connect(self._on_dock_visibility_changed)

    def _connect_signals(self) -> None:
        controller = self._controller
        controller.frame_ready.connect(self._on_controller_frame_ready)
        controller.session_changed.connect(self._on_controller_session_changed)
        controller.network_changed.connect(self._on_controller_network_changed)
        controller.noticed.connect(lambda text: self.notices.show("device", text))
        controller.darkened.connect(lambda text: self.notices.show("picture", text))
        self.view.face_context_requested.connect(self._on_view_face_context_requested)
        for desk in (self.workshop, self.overlays, self.export, self.help, self.launcher):
            desk.noticed.connect(lambda text: self.notices.show("desk", text))
        self.capture.noticed.connect(lambda text: self.notices.show("capture", text))
        for retried in (self.capture.controller.recording_changed, self.capture.controller.picture_saved):
            retried.connect(self._on_capture_retried)
        self._preferences.was_reset.connect(lambda: self.workshop.use_weights(None))
        self.training_indicator.clicked.connect(self.workshop.open_trainer)
        self.pane.transport.playing_changed.connect(lambda _playing: self._show_start_action())
        self.pane.transport.loop_changed.connect(self._on_transport_loop_changed)

    def _restore(self, layer_names: Iterable[str] | None) -> None:
        self._fullscreen.restore()
        self.overlays.restore(layer_names)
        for name in ("mirrored", "smoothing"):
            self._preferences.apply(name)
        if self._settings.notice is not None:
            self.notices.show("settings", translated(self._settings.notice))

    # --- what a user does

    def start_demo(self) -> None:
        """Show the demo clip."""
        self.opener.open("demo")

    def open_path(self, path: str) -> None:
        """Show a file or folder."""
        self.opener.open_path(path)

    def toggle_session(self) -> None:
        """Pause or play a file; stop what else runs, or start again what ran last."""
        state = self._controller.session_state
        if self._plays_video:
            self._controller.playback.toggle()
            self._show_start_action()
        elif state.is_running:
            self._controller.stop()
        else:
            self.retry()

    def retry(self) -> None:
        """Open the same source again."""
        self.opener.open(self._controller.source_name or self._settings.source)

    def open_preferences(self) -> None:
        """Show the preferences; the session goes on behind them."""
        self._preferences.open()

    @property
    def preferences(self) -> PreferencesDialog | None:
        """The dialog, once it was opened."""
        return self._preferences.dialog

    # --- what the session tells

    @property
    def _is_file(self) -> bool:
        live = self.view.live_frame
        return live is not None and live.position is not None

    @Slot()
    def _on_controller_frame_ready(self) -> None:
        if (live := self._controller.take_frame()) is not None:
            was_file = self._is_file
            self.pane.show_live(live)
            if self._is_file != was_file:
                self._show_start_action()
            if self._shows_picture:
                self._show_note()

    @Slot(int, QPoint)
    def _on_view_face_context_requested(self, face_id: int, place: QPoint) -> None:
        self.overlays.face_menu.for_face(face_id).popup(place)

    @Slot(object, str)
    def _on_controller_session_changed(self, state: SessionState, message: str) -> None:
        controller = self._controller
        label = describe_source(controller.source_name, controller.source_label)
        if state in (SessionState.OPENING, SessionState.STOPPED):
            self.pane.clear()  # nobody keeps or shows the last picture of what the user has let go of
        if state is SessionState.OPENING:
            self.overlays.forget_faces()
            self.pane.transport.set_playback(controller.playback)
        self.pane.transport.show_at_end(state is SessionState.ENDED)
        self.notices.show("session", message if state is SessionState.STALLED else "", self.commands.retry)
        if state not in (SessionState.LIVE, SessionState.STALLED):
            self.notices.show("picture", "")
        self._figures.follow(state)
        self.session_bar.show_source(
            "" if state is SessionState.STOPPED else label, mode_text(controller.source_mode, with_format=True)
        )
        self._show_start_action()  # whose words the pane's button has
        self.pane.show_state(state, "" if self.opener.waits_for_any_camera else label, message, self.commands)
        self._show_note()

    @Slot(object, str)
    def _on_controller_network_changed(self, state: NetworkState, message: str) -> None:
        self._show_note()
        predictor = self._controller.predictor
        failure = message if state is NetworkState.FAILED else ""
        self.notices.show("network", failure, self.commands.use_shipped_network)
        if predictor is not None:
            self.session_bar.show_network(predictor.network_name, predictor.device.upper())
        else:
            loading = state is NetworkState.LOADING
            self.session_bar.show_network("", self.tr("loading…") if loading else self.tr("no network"))

    @Slot()
    def _show_start_action(self) -> None:
        state, playback = self._controller.session_state, self._controller.playback
        is_file = self._plays_video
        is_paused = playback.paused or state is SessionState.ENDED
        self.commands.show_running(is_running=state.is_running or is_file, is_file=is_file, is_paused=is_paused)

    @property
    def _plays_video(self) -> bool:
        """Whether there is something to pause, or to play again: not a picture, which only stays."""
        state = self._controller.session_state
        return self._is_file and not self._shows_picture and (state.is_running or state is SessionState.ENDED)

    @property
    def _shows_picture(self) -> bool:
        live = self.view.live_frame
        return live is not None and live.position is not None and live.position.kind == "pictures"

    @Slot(bool)
    def _on_transport_loop_changed(self, loop: bool) -> None:
        if self._controller.source_name != "demo":
            self._settings.loops_videos = loop

    def _show_note(self) -> None:
        if self._controller.network_state is NetworkState.LOADING and self._controller.predictor is None:
            self.view.set_note(self.tr("Loading the network…"))
        elif self._shows_picture and self.view.live_frame is not None and not self.view.live_frame.annotated:
            self.view.set_note(self.tr("Looking for faces…"))
        elif self._controller.session_state is SessionState.ENDED and not self._shows_picture:
            self.view.set_note(self.tr("The end. Space plays it again"))
        else:
            self.view.set_note("")

    def _newest_result(self) -> FrameResult | None:
        live: LiveFrame | None = self.view.live_frame
        return live.result if live else None

    @Slot(object)
    def _on_capture_retried(self, begun: object) -> None:
        """Take back what went wrong the last time; the end of a recording comes with its own words."""
        if begun:
            self.notices.show("capture", "")

    # --- view

    def _leave(self) -> None:
        """Leave what Esc leaves: a countdown, else fullscreen, else the welcome."""
        if self.capture.controller.cancel_countdown():
            return
        if self.commands.fullscreen.isChecked():
            self.commands.fullscreen.setChecked(False)
        else:
            self.welcome.skip()

    @Slot(bool)
    def _on_dock_visibility_changed(self, _visible: bool) -> None:
        if self.isMinimized() or not self.isVisible():
            return  # hidden with the window, not by the user
        is_open = not self.overlays.dock.isHidden()
        self.commands.gallery.setChecked(is_open)
        self._settings.shows_gallery = is_open

    # --- events

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take files."""
        take_files(event)

    def dropEvent(self, event: QDropEvent) -> None:
        """Show the first file."""
        if (path := dropped_path(event.mimeData())) is not None:
            self.open_path(str(path))

    def event(self, event: QEvent) -> bool:
        """Leave the space bar to a button that has the focus: else it could not be pressed by keyboard."""
        is_space = isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Space and not event.modifiers()
        is_override = is_space and event.type() == QEvent.Type.ShortcutOverride
        if is_override and isinstance(self.focusWidget(), QAbstractButton):
            event.accept()
            return True
        return super().event(event)

    @Slot()
    def _refresh_icons(self) -> None:
        """Draw the icons anew: for another theme, or another screen."""
        self.commands.refresh_icons()
        self.capture.actions.refresh_icons()
        self.opener.refresh_icons()

    def changeEvent(self, event: QEvent) -> None:
        """Give icons the new theme's colours."""
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "commands"):  # Qt sends some before that
            self._refresh_icons()
        super().changeEvent(event)

    @Slot()
    def leave(self) -> None:
        """Close without a question; a training run stops by itself and keeps what it has."""
        self._leaves_at_once = True
        self.close()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Remember, and let go of the camera; a training run is asked after first."""
        self._fullscreen.remember()
        self.overlays.remember()
        self._settings.save()
        if not self._leaves_at_once and not (self.overlays.may_leave() and self.workshop.may_leave(self.leave)):
            event.ignore()
            return
        self._figures.stop()
        self.opener.watcher.stop()
        self._preferences.shut_down()
        self.overlays.shut_down()
        self.workshop.shut_down()
        self._controller.shut_down()
        self.export.shut_down()
        self.capture.shut_down()
        event.accept()


def _on_triggered(action: QAction, do: Callable[[], object]) -> None:
    action.triggered.connect(lambda: do())  # noqa: PLW0108 (without it `do` would be called with whether it is checked)
