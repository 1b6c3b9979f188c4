"""An action with a number key for every overlay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction, QKeySequence

from fkd_desktop.ui.icons import action_icon
from fkd_desktop.ui.words import plain_tip

if TYPE_CHECKING:
    from collections.abc import Mapping

    from PySide6.QtWidgets import QWidget

    from fkd_desktop.overlays.library import OverlayInfo, OverlayLibrary
    from fkd_desktop.overlays.stack import OverlayStack

NUMBER_KEYS: Final = tuple("123456789")
_ICONS: Final[Mapping[str, str]] = {
    "keypoints": "keypoints",
    "numbers": "numbers",
    "boxes": "boxes",
    "mesh": "mesh",
    "pose": "pose",
    "blur": "blur",
    "pixelate": "pixelate",
    "sunglasses": "sunglasses",
    "sunglasses-round": "round-glasses",
    "sunglasses-heart": "heart",
    "moustache": "moustache",
    "hat": "hat",
    "dog": "dog",
    "party-mask": "mask",
}


def icon_name(info: OverlayInfo) -> str:
    """Return the name of an overlay's icon."""
    return "picture" if info.origin == "user" else _ICONS.get(info.name, "overlays")


class OverlayActions(QObject):
    """Checkable actions that switch overlays, for menus and toolbars; they follow the stack.

    Their number keys are the shipped ones, except where the user chose others.

    Parameters
    ----------
    stack
        What is on.
    library
        What there is.
    parent
        Gets every action, so that keys work where bars are hidden. ``action.data()`` is the name of the icon.
    """

    refilled = Signal()
    """`actions` holds others now: menus made of them are to be made anew."""
    keys_changed = Signal()
    """`keys` are others now, by the user's choice."""

    def __init__(self, stack: OverlayStack, library: OverlayLibrary, parent: QWidget) -> None:
        super().__init__(parent)
        self._stack, self._library, self._window = stack, library, parent
        self._keys: dict[str, str] = {}
        self.actions: dict[str, QAction] = {}
        stack.changed.connect(self._on_stack_changed)
        self.refill()

    # --- keys

    @property
    def keys(self) -> dict[str, str]:
        """The user's choices: an overlay's name and "1" to "9", or "" for none. To be stored."""
        return dict(self._keys)

    @keys.setter
    def keys(self, keys: Mapping[str, str]) -> None:
        taken: set[str] = set()
        self._keys = {}
        for name, key in keys.items():
            if (key in NUMBER_KEYS and key not in taken) or key == "":
                self._keys[name] = key
                taken.add(key)
        self._show_keys()

    def key_of(self, name: str) -> str:
        """Return the number key that switches an overlay; empty for none."""
        if name in self._keys:
            return self._keys[name]
        shipped = self._library.info(name).key
        # One that the user gave to another overlay is gone.
        return shipped if shipped is not None and shipped not in self._keys.values() else ""

    def set_key(self, name: str, key: str) -> None:
        """Give an overlay a number key, which is taken from whichever had it; empty for none."""
        if key not in ("", *NUMBER_KEYS) or key == self.key_of(name):
            return
        if key:
            for other in self.actions:
                if other != name and self.key_of(other) == key:
                    self._keys[other] = ""
        self._keys[name] = key
        if key == (self._library.info(name).key or ""):
            del self._keys[name]
        self._show_keys()
        self.keys_changed.emit()

    # --- actions

    def refill(self) -> None:
        """Make actions for what is in the library now; those of overlays that stayed are the same objects."""
        infos = {info.name: info for info in self._library.infos}
        for name in [name for name in self.actions if name not in infos]:
            action = self.actions.pop(name)
            self._window.removeAction(action)
            action.deleteLater()
        for name, info in infos.items():
            if name not in self.actions:
                self.actions[name] = self._make(name)
            action = self.actions[name]
            action.setText(info.title.replace("&", "&&"))
            action.setData(icon_name(info))
            action.setIcon(action_icon(action.data()))
        self.actions = {name: self.actions[name] for name in infos}
        self._show_keys()
        self._on_stack_changed()
        self.refilled.emit()

    def refresh_icons(self) -> None:
        """Give the icons the palette's new colours."""
        for action in self.actions.values():
            action.setIcon(action_icon(action.data()))

    def _make(self, name: str) -> QAction:
        action = QAction(self)
        action.setObjectName(f"overlay_{name}")
        action.setCheckable(True)
        action.triggered.connect(lambda checked: self._stack.set_on(name, checked))
        self._window.addAction(action)
        return action

    def _show_keys(self) -> None:
        for name, action in self.actions.items():
            key, title = self.key_of(name), self._library.info(name).title
            action.setShortcut(QKeySequence(key))
            tip = self.tr("Paint “{0}” ({1})").format(title, key) if key else self.tr("Paint “{0}”").format(title)
            action.setToolTip(plain_tip(tip))

    def _on_stack_changed(self) -> None:
        for name, action in self.actions.items():
            action.setChecked(self._stack.is_on(name))
