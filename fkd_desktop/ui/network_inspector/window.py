"""The network inspector's window."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QEvent, Qt, QTimer, Slot
from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtWidgets import (
    QHBoxLayout,
    QSplitter,
    QStackedWidget,
    QTabBar,
    QVBoxLayout,
    QWidget,
)

from fkd_desktop.overlays.render import frame_image
from fkd_desktop.training.inspecting import InspectionController, InspectionState
from fkd_desktop.training.inspection_worker import View
from fkd_desktop.ui.banner import Banner
from fkd_desktop.ui.dropping import dropped_path, take_files
from fkd_desktop.ui.empty_state import EmptyState
from fkd_desktop.ui.icons import app_icon
from fkd_desktop.ui.network_inspector import dialogs, words
from fkd_desktop.ui.network_inspector.look_bar import LookBar, PageBar
from fkd_desktop.ui.network_inspector.maps_view import MapsView
from fkd_desktop.ui.network_inspector.network_pane import NetworkPane
from fkd_desktop.ui.network_inspector.source_bar import SourceBar
from fkd_desktop.ui.words import sentence

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QHideEvent, QShowEvent

    from fkd_desktop.live.result import FrameResult
    from fkd_desktop.settings import Settings
    from fkd_desktop.training.inspection_worker import Picture

MESSAGE_MS: Final = 4000
VIEWS: Final[tuple[View, ...]] = ("maps", "kernels", "input")


class NetworkInspector(QWidget):
    """Architecture, kernels and activation maps of a network, on the live picture or one from a file.

    Parameters
    ----------
    settings
        What to remember.
    weights
        The network to look into; None for the shipped one. A copy of its own is loaded.
    device
        See `trainer.core.names.DEVICE_NAMES`.
    frame_source
        Gives the live session's newest result, or None; called in another thread.
    """

    def __init__(
        self,
        *,
        settings: Settings,
        weights: Path | None,
        device: str,
        frame_source: Callable[[], FrameResult | None],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent, Qt.WindowType.Window)
        self._settings, self._weights = settings, weights
        self._is_shut_down = False
        self._message = ""
        self._message_timer = QTimer(self, interval=MESSAGE_MS, singleShot=True)
        self._message_timer.timeout.connect(self._on_message_timer_timeout)
        self.controller = InspectionController(device=device, frame_source=frame_source)
        self.setWindowTitle(self.tr("Network inspector"))
        self.setWindowIcon(app_icon())
        self.setAcceptDrops(True)
        self._make_actions()
        self._make_widgets()
        self._connect()
        self.resize(1180, 760)
        self.show_network(weights)

    def show_network(self, weights: Path | None) -> None:
        """Look into another network (None: the shipped one), at the layer of the same name if it has one."""
        self._weights = weights
        if not self._is_shut_down:  # else when it is shown again
            self.controller.load(weights)

    # --- making

    def _make_actions(self) -> None:
        self._open_image = self._action(self.tr("Open an image…"), self.choose_image)
        self._load_large = self._action(self.tr("Load it"), self.controller.load_large)
        self._use_shipped = self._action(self.tr("Look into the shipped network"), lambda: self.show_network(None))
        self._retry = self._action(self.tr("Try again"), lambda: self.show_network(self._weights))

    def _action(self, text: str, do: Callable[[], object]) -> QAction:
        action = QAction(text, self)
        action.triggered.connect(lambda: do())  # noqa: PLW0108 (without it `do` would get whether it is checked)
        return action

    def _make_widgets(self) -> None:
        self.network_pane = NetworkPane()
        self.table = self.network_pane.table
        self.tabs = QTabBar()
        for text in (self.tr("Activation maps"), self.tr("First-layer kernels"), self.tr("Input")):
            self.tabs.addTab(text)
        self.tabs.setDrawBase(False)
        self.tabs.setExpanding(False)
        self.tabs.setAccessibleName(self.tr("What to show"))
        self.source_bar, self.page_bar, self.look_bar = SourceBar(), PageBar(), LookBar()
        self.banner, self.empty_state, self.view = Banner(), EmptyState(), MapsView()
        self.pane = QStackedWidget()
        self.pane.addWidget(self.empty_state)
        self.pane.addWidget(self.view)
        right = QWidget()
        column = QVBoxLayout(right)
        column.setContentsMargins(6, 12, 12, 12)
        column.addWidget(self.tabs)
        for widget in (self.source_bar, self.banner, self.pane, self.page_bar, self.look_bar):
            column.addWidget(widget, 1 if widget is self.pane else 0)
        splitter = QSplitter()
        splitter.addWidget(self.network_pane)
        splitter.addWidget(right)
        splitter.setStretchFactor(0, 0)
        splitter.setStretchFactor(1, 1)
        splitter.setSizes([530, 650])
        splitter.setChildrenCollapsible(False)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(splitter)

    def _connect(self) -> None:
        controller, view = self.controller, self.view
        controller.state_changed.connect(self._on_controller_state_changed)
        controller.page_ready.connect(self._on_controller_page_ready)
        controller.picture_opened.connect(self._on_controller_picture_opened)
        controller.picture_failed.connect(self._on_controller_failed)
        controller.saved.connect(self._on_controller_saved)
        controller.saving_failed.connect(self._on_controller_failed)
        self.network_pane.layer_chosen.connect(self._on_network_pane_layer_chosen)
        self.tabs.currentChanged.connect(self._on_tabs_current_changed)
        self.source_bar.live_wanted.connect(self.show_live)
        self.source_bar.image_wanted.connect(self.choose_image)
        self.source_bar.pause_toggled.connect(self._on_source_bar_pause_toggled)
        self.source_bar.face_chosen.connect(lambda face: self._ask(face=face))
        self.look_bar.changed.connect(self._on_look_bar_changed)
        self.look_bar.save_shown.triggered.connect(lambda: self._save(all_maps=False))
        self.look_bar.save_all.triggered.connect(lambda: self._save(all_maps=True))
        self.look_bar.copy_wanted.connect(self.copy)
        for turner in (self.page_bar.turned, view.turned):
            turner.connect(self._on_page_turned)
        for closer in (self.page_bar.closed, view.map_closed):
            closer.connect(self._on_map_closed)
        view.map_opened.connect(lambda number: self._ask(first=number, is_single=True))
        view.map_pointed.connect(self._show_caption)
        view.resized.connect(lambda: self._ask(room_px=view.room_px))

    # --- what a user does

    def show_live(self) -> None:
        """Look at the live picture."""
        self.controller.show_live()
        self.source_bar.show_source(is_live=True)
        self.banner.clear()

    def choose_image(self) -> None:
        """Ask for a picture and look at it."""
        if (path := dialogs.ask_for_image(self, self._settings)) is not None:
            self.open_image(path)

    def open_image(self, path: Path) -> None:
        """Look at a picture from a file."""
        self._settings.last_folder = str(path.parent)
        self.controller.open_picture(path)

    def copy(self) -> None:
        """Copy what is shown to the clipboard."""
        image = self.view.shown_image()
        if image is not None:
            QGuiApplication.clipboard().setImage(frame_image(image).copy())
            self._tell(self.tr("Copied."))

    def _save(self, *, all_maps: bool) -> None:
        page, image = self.view.page, self.view.shown_image()  # as they are now: the live picture moves on
        if page is None or image is None:
            return
        name = words.file_name(page, self.controller.overview, all_maps=all_maps)
        target = dialogs.ask_where_to_save(self, self._settings, name)
        if target is None:
            return
        if all_maps:
            self.controller.save_layer(target, page)
        else:
            self.controller.save_image(target, image)

    def _ask(self, **changes: object) -> None:
        self.controller.ask(replace(self.controller.wish, **changes))  # type: ignore[arg-type]
        self._show_caption()

    @Slot(str)
    def _on_network_pane_layer_chosen(self, name: str) -> None:
        self._ask(layer=name, view="maps", first=0, is_single=False)
        self.tabs.setCurrentIndex(VIEWS.index("maps"))

    @Slot(int)
    def _on_tabs_current_changed(self, index: int) -> None:
        self._ask(view=VIEWS[index], first=0, is_single=False)

    @Slot(bool)
    def _on_source_bar_pause_toggled(self, paused: bool) -> None:
        self.controller.set_paused(paused)
        self.source_bar.show_rate(None)

    @Slot()
    def _on_look_bar_changed(self) -> None:
        bar = self.look_bar
        self._ask(
            cell_px=bar.size_box.currentData(),
            colours=bar.colours_box.currentData(),
            contrast=bar.contrast_box.currentData(),
        )

    @Slot(int)
    def _on_page_turned(self, step: int) -> None:
        sheet = self.view.page.sheet if self.view.page else None
        if sheet is not None:
            first = sheet.first + step * sheet.grid.capacity
            if 0 <= first < sheet.total:
                self._ask(first=first)

    @Slot()
    def _on_map_closed(self) -> None:
        self._ask(is_single=False)  # `first` stays: the page of the map that was shown

    # --- what the controller tells

    @Slot(object, str)
    def _on_controller_state_changed(self, state: InspectionState, message: str) -> None:
        if state is not InspectionState.READY:
            self.view.show_page(None)
            self._show_overview()
            self._show_bars()
        match state:
            case InspectionState.LOADING:
                self.empty_state.show_state(icon="network", title=self.tr("Loading the network…"), text="")
            case InspectionState.LARGE:
                text = words.too_large(int(message))
                self.empty_state.show_state(
                    icon="network",
                    title=self.tr("A large network"),
                    text=text,
                    actions=[self._load_large, self._use_shipped],
                )
            case InspectionState.FAILED:
                ways_out = [self._use_shipped, self._retry] if self._weights else [self._retry]
                self.empty_state.show_state(
                    icon="warning", title=self.tr("No network"), text=sentence(message), actions=ways_out
                )
            case InspectionState.READY:
                self._ask(room_px=self.view.room_px)
                self._show_overview()
                return
        self.pane.setCurrentWidget(self.empty_state)

    def _show_overview(self) -> None:
        overview = self.controller.overview
        self.network_pane.show_overview(overview, self._weights, chosen=self.controller.wish.layer)
        if (layer := self.network_pane.chosen) is not None:
            self._ask(layer=layer.name)

    @Slot()
    def _on_controller_page_ready(self) -> None:
        page = self.controller.take_page()
        wish = self.controller.wish
        if page is None or (page.wish.view, page.wish.layer) != (wish.view, wish.layer):
            return  # of what was wanted before
        self.view.show_page(page)
        if page.is_waiting:
            self.empty_state.show_state(
                icon="camera",
                title=self.tr("No live picture yet"),
                text=self.tr("Start the camera or the demo clip, or open an image."),
                actions=[self._open_image],
            )
        elif page.sheet is None and page.crop is None:
            self.empty_state.show_state(
                icon="info", title=self.tr("No kernels"), text=self.tr("This network has no convolution.")
            )
        is_empty = page.is_waiting or (page.sheet is None and wish.view != "input")
        self.pane.setCurrentWidget(self.empty_state if is_empty else self.view)
        self._show_bars()

    def _show_bars(self) -> None:
        page = self.view.page
        sheet = page.sheet if page else None
        self.source_bar.setVisible(self.controller.wish.view != "kernels")
        self.source_bar.show_source(is_live=self.controller.picture is None)
        self.source_bar.show_faces(page.faces if page else None, self.controller.wish.face)
        self.source_bar.show_rate(page.per_s if page else None)
        single = bool(page and page.wish.is_single)
        if sheet is None:
            self.page_bar.show_position(0, 0, 0, is_single=False)
        else:
            self.page_bar.show_position(sheet.first, sheet.count, sheet.total, is_single=single)
        picture = sheet is not None or bool(page and page.wish.view == "input" and page.crop is not None)
        self.look_bar.set_what_there_is(picture=picture, maps=sheet is not None)
        self._show_caption()

    @Slot()
    def _show_caption(self) -> None:
        page, wish = self.view.page, self.controller.wish
        if page is not None and (page.wish.view, page.wish.layer) != (wish.view, wish.layer):
            text = self.tr("Computing…")  # a large network takes its time; until then the old picture stays
        else:
            text = words.pointed(self.view) or self._message or words.caption(page, self.network_pane.chosen)
        self.page_bar.caption.setText(text)

    @Slot(object)
    def _on_controller_picture_opened(self, _picture: Picture) -> None:
        self.banner.clear()
        self._ask(face=0)
        self.source_bar.show_source(is_live=False)

    @Slot(str)
    def _on_controller_failed(self, message: str) -> None:
        self.banner.show_notice(sentence(message))

    @Slot(str)
    def _on_controller_saved(self, path: str) -> None:
        self.banner.clear()
        self._tell(self.tr("Saved {0}.").format(Path(path).name))

    def _tell(self, message: str) -> None:
        """Say something in the line below the picture, for a while."""
        self._message = message
        self._show_caption()
        self._message_timer.start()

    @Slot()
    def _on_message_timer_timeout(self) -> None:
        self._message = ""
        self._show_caption()

    # --- events

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take files."""
        take_files(event)

    def dropEvent(self, event: QDropEvent) -> None:
        """Look at the first file."""
        if (path := dropped_path(event.mimeData())) is not None:
            self.open_image(path)

    def showEvent(self, event: QShowEvent) -> None:
        """Go on, or begin again after a close."""
        super().showEvent(event)
        if self._is_shut_down:
            self._is_shut_down = False
            self.show_network(self._weights)
        self.controller.set_resting(self.isMinimized())

    def hideEvent(self, event: QHideEvent) -> None:
        """Draw nothing that nobody sees."""
        super().hideEvent(event)
        self.controller.set_resting(True)

    def changeEvent(self, event: QEvent) -> None:
        """Draw nothing while minimised."""
        if event.type() == QEvent.Type.WindowStateChange:
            self.controller.set_resting(self.isMinimized())
        super().changeEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Let go of the network."""
        self.controller.shut_down()
        self._is_shut_down = True
        self.view.show_page(None)
        event.accept()
