"""Choosing the camera, and in which size and at which rate it sends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Signal, Slot
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu, QWidget

from fkd_desktop.errors import SourceError
from fkd_desktop.live.sources.cameras import CameraInfo, CameraName, find_camera
from fkd_desktop.ui.sources.words import mode_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fkd_desktop.live.sources.modes import CameraMode
    from fkd_desktop.workers.camera_watcher import CameraWatcher

SMALLEST_PX: Final = 240
"""Sizes less high than this are left out: no face is found in them."""
SMOOTH_FRAMES_PER_S: Final = 30


class CameraMenu(QMenu):
    """The cameras by name, the one in use marked; and for that one, its sizes and rates.

    It follows the watcher, also while it is open.

    Parameters
    ----------
    watcher
        Knows the cameras.
    """

    camera_chosen = Signal(str)
    """The name of the source that the user wants, for `make_source`."""

    def __init__(self, watcher: CameraWatcher, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTitle(self.tr("&Camera"))
        self.setAccessibleName(self.tr("Cameras"))
        self._watcher = watcher
        self._in_use: CameraName | None = None
        self._mode: CameraMode | None = None
        self._group = QActionGroup(self)
        self._mode_group = QActionGroup(self)
        self.modes_menu = QMenu(self.tr("&Size and rate"), self)
        self.modes_menu.setAccessibleName(self.tr("Size and rate of the camera's pictures"))
        watcher.cameras_changed.connect(self._on_watcher_cameras_changed)
        self._fill()

    def set_source(self, name: str) -> None:
        """Mark what is in use; the name of a source that is no camera marks none."""
        try:
            in_use = CameraName.parse(name.removeprefix("camera:")) if name.startswith("camera:") else None
        except SourceError:
            in_use = None
        if in_use != self._in_use:
            self._in_use, self._mode = in_use, None
            self._fill()

    def set_mode(self, mode: CameraMode | None) -> None:
        """Show what was really agreed on with the camera in use; None while that is not known."""
        if mode != self._mode:
            self._mode = mode
            self._fill_modes()

    @property
    def camera_in_use(self) -> CameraInfo | None:
        """The camera that `set_source` named, if it is connected."""
        if self._in_use is None:
            return None
        if self._in_use.id is not None:
            return find_camera(self._in_use.id, self._watcher.cameras)
        return next((camera for camera in self._watcher.cameras if camera.index == self._in_use.index), None)

    @Slot(object)
    def _on_watcher_cameras_changed(self, _cameras: object) -> None:
        self._fill()

    def _fill(self) -> None:
        active = self.activeAction()
        active_name = active.data() if active is not None else None
        self.clear()
        in_use = self.camera_in_use
        for camera in self._watcher.cameras:
            name = in_use_name = camera.source_name()
            if camera == in_use and self._in_use is not None:
                in_use_name = camera.source_name(self._in_use.mode)
            self._add_camera(camera.name, in_use_name, is_checked=camera == in_use, key=name)
        if self._in_use is not None and in_use is None and self._in_use.label:
            text = self.tr("{0} (not connected)").format(self._in_use.label)
            self._add_camera(text, self._in_use.text, is_checked=True, key=self._in_use.text)
        if not self._watcher.is_known:
            self._add_note(self.tr("Looking for cameras…"))
        elif not self._watcher.cameras:
            self._add_note(self.tr("No camera found"))
            self._add_note(self.tr("Plug one in: it appears here by itself"))
        self.addSeparator()
        self.addMenu(self.modes_menu)
        self._fill_modes()
        for action in self.actions():
            if active_name is not None and action.data() == active_name:
                self.setActiveAction(action)

    def _add_camera(self, text: str, name: str, *, is_checked: bool, key: str) -> None:
        action = QAction(text.replace("&", "&&"), self, checkable=True, checked=is_checked)
        action.setData(key)
        action.setActionGroup(self._group)
        action.triggered.connect(lambda: self.camera_chosen.emit(name))
        self.addAction(action)

    def _add_note(self, text: str) -> None:
        self.addAction(text).setEnabled(False)

    def _fill_modes(self) -> None:
        self.modes_menu.clear()
        camera = self.camera_in_use
        self.modes_menu.setEnabled(camera is not None)
        if camera is None or self._in_use is None:
            return
        wish = self._in_use.mode
        if self._mode is not None:
            text = self.tr("Now: {0}").format(mode_text(self._mode, with_format=True))
            self.modes_menu.addAction(text).setEnabled(False)
            self.modes_menu.addSeparator()
        self._add_mode(self.tr("&Automatic"), camera.source_name(), is_checked=wish is None)
        for mode in offered_modes(camera.modes):
            is_wished = wish is not None and _key(mode) == _key(wish)
            self._add_mode(mode_text(mode), camera.source_name(mode), is_checked=is_wished)
        if not camera.tells_modes:
            self.modes_menu.addSeparator()
            self.modes_menu.addAction(self.tr("The camera takes the nearest that it has")).setEnabled(False)

    def _add_mode(self, text: str, name: str, *, is_checked: bool) -> None:
        action = QAction(text, self.modes_menu, checkable=True, checked=is_checked)
        action.setData(name)
        action.setActionGroup(self._mode_group)
        action.triggered.connect(lambda: self.camera_chosen.emit(name))
        self.modes_menu.addAction(action)


def offered_modes(modes: Iterable[CameraMode]) -> list[CameraMode]:
    """Return those worth a place in a menu: of each size the quickest, and the one of 30 frames a second."""
    offered: dict[tuple[int, int], list[CameraMode]] = {}
    for mode in modes:
        if mode.height >= SMALLEST_PX:
            offered.setdefault((mode.width, mode.height), []).append(mode)
    chosen = []
    for of_size in offered.values():
        quickest = max(of_size, key=lambda mode: mode.frames_per_s)
        smooth = [mode for mode in of_size if round(mode.frames_per_s) == SMOOTH_FRAMES_PER_S and mode != quickest]
        chosen += [quickest, *smooth[:1]]
    return chosen


def _key(mode: CameraMode) -> tuple[int, int, int]:
    return mode.width, mode.height, round(mode.frames_per_s)
