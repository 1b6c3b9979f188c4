"""Everything a user can do to keep or pass on the picture, with words, icons and keys."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QUrl, Signal, Slot
from PySide6.QtGui import QAction, QActionGroup, QDesktopServices, QIcon, QKeySequence
from PySide6.QtWidgets import QMenu, QToolBar, QToolButton, QWidget

from fkd_desktop.capture.countdown import COUNTDOWN_CHOICES_S
from fkd_desktop.ui.capture.indicator import RED
from fkd_desktop.ui.icons import action_icon, tinted_pixmap

if TYPE_CHECKING:
    from fkd_desktop.capture.controller import CaptureController


class CaptureActions(QObject):
    """The actions, connected to what does them. Each of them is added to the window, so that its keys work anywhere.

    Parameters
    ----------
    capture
        Does the work.
    window
        Gets the actions; their `data` is the icon's name, as for the window's other actions.
    """

    countdown_chosen = Signal(int)
    """Seconds, for the settings."""

    def __init__(self, capture: CaptureController, window: QWidget) -> None:
        super().__init__(window)
        self._capture, self._window = capture, window
        self.snapshot = self._add(
            self.tr("Take a &picture"), "snapshot", "Ctrl+S", self.tr("Save the picture with its overlays")
        )
        self.snapshot.setIconText(self.tr("Picture"))  # the toolbar must fit while it says "Stop recording", too
        self.snapshot_plain = self._add(
            self.tr("Take a picture &without overlays"),
            "picture",
            "Ctrl+Shift+S",
            self.tr("Save the picture as the camera gives it; faces that are hidden stay hidden"),
        )
        self.burst = self._add(
            self.tr("Take a &burst"), "burst", "Ctrl+Shift+B", self.tr("Save ten pictures over two seconds")
        )
        self.copy = self._add(
            self.tr("&Copy the picture"), "copy", "Ctrl+C", self.tr("Copy the picture with its overlays")
        )
        self.record = self._add("", "record", "Ctrl+R")
        self.open_pictures = self._add(self.tr("Open the pictures' &folder"), "folder")
        self.open_films = self._add(self.tr("Open the recordin&gs' folder"), "folder")
        self.virtual_camera = self._add(
            self.tr("&Virtual camera…"), "virtual-camera", tip=self.tr("Show the overlays in video calls")
        )
        self.countdown_menu = QMenu(self.tr("Co&untdown"), window)
        self.countdown_menu.setIcon(action_icon("timer"))
        self._countdown_choices = self._make_countdown_choices()
        for action, do in (
            (self.snapshot, self._on_snapshot_triggered),
            (self.snapshot_plain, self._on_snapshot_plain_triggered),
            (self.burst, self._on_burst_triggered),
            (self.copy, self._on_copy_triggered),
            (self.record, self._on_record_triggered),
            (self.open_pictures, self._on_open_pictures_triggered),
            (self.open_films, self._on_open_films_triggered),
        ):
            action.triggered.connect(do)
        capture.recording_changed.connect(self._show_recording)
        self._show_recording(capture.is_recording)

    def set_picture_there(self, is_there: bool) -> None:
        """Say whether there is a picture to keep. A recording may wait for one."""
        for action in (self.snapshot, self.snapshot_plain, self.burst, self.copy):
            action.setEnabled(is_there)

    def fill_menu(self, menu: QMenu) -> None:
        """Add everything to a menu."""
        menu.addActions([self.snapshot, self.snapshot_plain, self.burst, self.copy])
        menu.addSeparator()
        menu.addAction(self.record)
        menu.addMenu(self.countdown_menu)
        menu.addSeparator()
        menu.addAction(self.virtual_camera)
        menu.addSeparator()
        menu.addActions([self.open_pictures, self.open_films])

    def add_to_toolbar(self, bar: QToolBar) -> None:
        """Add a button for pictures, with the other kinds in its menu, and one for recordings."""
        menu = QMenu(bar)
        menu.addActions([self.snapshot_plain, self.burst, self.copy])
        menu.addSeparator()
        menu.addMenu(self.countdown_menu)
        button = QToolButton(bar)
        button.setDefaultAction(self.snapshot)
        button.setMenu(menu)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.MenuButtonPopup)
        button.setToolButtonStyle(bar.toolButtonStyle())
        bar.toolButtonStyleChanged.connect(button.setToolButtonStyle)
        bar.addWidget(button)
        bar.addAction(self.record)

    def refresh_icons(self) -> None:
        """Give the icons the palette's new colours."""
        for action in (
            *(self.snapshot, self.snapshot_plain, self.burst, self.copy, self.record),
            *(self.open_pictures, self.open_films, self.virtual_camera),
        ):
            action.setIcon(action_icon(action.data()))
        self.countdown_menu.setIcon(action_icon("timer"))
        self._show_recording(self._capture.is_recording)

    def set_countdown(self, seconds: int) -> None:
        """Choose the countdown, as from the settings."""
        self._capture.countdown_s = seconds
        self._countdown_choices[self._capture.countdown_s].setChecked(True)

    def _make_countdown_choices(self) -> dict[int, QAction]:
        group = QActionGroup(self)
        choices = {}
        for seconds in COUNTDOWN_CHOICES_S:
            text = self.tr("%n second(s)", "", seconds) if seconds else self.tr("None")
            action = QAction(text, self)
            action.setCheckable(True)
            action.setChecked(seconds == self._capture.countdown_s)
            action.triggered.connect(partial(self._on_countdown_triggered, seconds))
            group.addAction(action)
            self.countdown_menu.addAction(action)
            choices[seconds] = action
        return choices

    def _on_countdown_triggered(self, seconds: int, _checked: bool = False) -> None:
        self._capture.countdown_s = seconds
        self.countdown_chosen.emit(seconds)

    @Slot(bool)
    def _show_recording(self, is_recording: bool) -> None:
        if is_recording:
            text, icon, tip = self.tr("Stop &recording"), "record-stop", self.tr("End the recording and keep it")
        else:
            text, icon, tip = self.tr("&Record"), "record", self.tr("Record the picture with its overlays")
        self.record.setText(text)
        self.record.setData(icon)
        self.record.setIcon(QIcon(tinted_pixmap(icon, 48, RED)) if is_recording else action_icon(icon))
        self.record.setToolTip(_with_key(tip, self.record))

    @Slot()
    def _on_snapshot_triggered(self) -> None:
        self._capture.take_snapshot()

    @Slot()
    def _on_snapshot_plain_triggered(self) -> None:
        self._capture.take_snapshot(with_overlays=False)

    @Slot()
    def _on_burst_triggered(self) -> None:
        self._capture.take_burst()

    @Slot()
    def _on_copy_triggered(self) -> None:
        self._capture.copy_snapshot()

    @Slot()
    def _on_record_triggered(self) -> None:
        self._capture.toggle_recording()

    @Slot()
    def _on_open_pictures_triggered(self) -> None:
        self._open(self._capture.pictures_folder)

    @Slot()
    def _on_open_films_triggered(self) -> None:
        self._open(self._capture.videos_folder)

    def _open(self, folder: Path) -> None:
        while not folder.is_dir() and folder != folder.parent:  # nothing was kept yet: what is there already
            folder = folder.parent
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))

    def _add(self, text: str, icon: str, shortcut: str = "", tip: str = "") -> QAction:
        action = QAction(action_icon(icon), text, self._window)
        action.setData(icon)
        action.setShortcut(QKeySequence(shortcut))
        if tip:
            action.setToolTip(_with_key(tip, action))
        self._window.addAction(action)
        return action


def _with_key(tip: str, action: QAction) -> str:
    key = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
    return f"{tip} ({key})" if key else tip
