"""The single acts of the monkey: chosen at random, written down so that they can be done again, and done."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, Final

from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QAction, QColor, QContextMenuEvent, QDragEnterEvent, QDropEvent, QPalette, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDialog,
    QFileDialog,
    QLineEdit,
    QMainWindow,
    QMenu,
    QWidget,
)

from tests.monkey.places import find, name_of, reachable, windows

Act = dict[str, Any]
"""What is done, by the name under "do", and with what."""

MODIFIERS: Final = (
    0,
    0,
    0,
    0,
    int(Qt.KeyboardModifier.ShiftModifier.value),
    int(Qt.KeyboardModifier.ControlModifier.value),
)
KEYS: Final = tuple(
    int(key)
    for key in (
        *(
            Qt.Key.Key_Tab,
            Qt.Key.Key_Backtab,
            Qt.Key.Key_Return,
            Qt.Key.Key_Escape,
            Qt.Key.Key_Space,
            Qt.Key.Key_Delete,
        ),
        *(Qt.Key.Key_Backspace, Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Home),
        *(Qt.Key.Key_End, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown, Qt.Key.Key_F1, Qt.Key.Key_F2, Qt.Key.Key_F5),
        *(Qt.Key.Key_F10, Qt.Key.Key_F11, Qt.Key.Key_Plus, Qt.Key.Key_Minus, Qt.Key.Key_Comma, Qt.Key.Key_Period),
        *(Qt.Key(code) for code in range(Qt.Key.Key_0, Qt.Key.Key_9 + 1)),
        *(Qt.Key(code) for code in range(Qt.Key.Key_A, Qt.Key.Key_Z + 1)),
    )
)
TEXTS: Final = (
    *("", "0", "1", "-1", "7", "12", "0.5", "1e-3", "99999999999", "nan", "abc", "Ünïcode ☺", "a b", "'\"<>&{}%s"),
    *("x" * 300, "demo", "rtsp:", "camera", "  ", "מימין", "name.with.dots"),
)
"""None of them is a path that leads anywhere."""
WINDOW_KEYS: Final = ("Ctrl+T", "Ctrl+T", "Ctrl+B", "Ctrl+I", "Ctrl+G", "Ctrl+,", "Ctrl+E", "Ctrl+L", "F1", "Shift+F1")
MANY_WINDOWS: Final = 4
BUTTONS: Final = (1, 1, 1, 1, 1, 1, 2, 4)
FILE_DIALOG_SHARE: Final = 0.7
"""How often a file dialog gets a file; else it is given up."""


class Chooser:
    """Chooses what to do next.

    Parameters
    ----------
    material
        Files for dialogs and drops.
    home
        Where files may be saved.
    """

    def __init__(self, *, material: Path, home: Path) -> None:
        self._files = sorted(material.iterdir())
        self._home = home
        self._same_modal = 0
        self._kinds: dict[str, tuple[int, Callable[[QWidget, Random], Act | None]]] = {
            "click": (40, self._click),
            "double click": (3, self._double_click),
            "key": (14, self._key),
            "shortcut": (9, self._shortcut),
            "window": (6, self._open_window),
            "demo": (2, self._demo),
            "text": (8, self._text),
            "choose": (4, self._choose),
            "wheel": (4, self._wheel),
            "drag": (5, self._drag),
            "drop": (3, self._drop),
            "resize": (2, self._resize),
            "close": (2, self._close),
            "raise": (3, self._raise),
            "state": (1, self._state),
            "theme": (1, self._theme),
            "wait": (4, self._wait),
        }

    def choose(self, random: Random) -> Act:
        """Return an act for what is in sight now."""
        modal = QApplication.activeModalWidget()
        if isinstance(modal, QFileDialog):  # it could delete and rename what it shows: it is answered by a rule
            return self._answer(modal, random)
        if (popup := QApplication.activePopupWidget()) is not None and random.random() < 0.85:
            return self._in_popup(popup, random)
        self._same_modal = self._same_modal + 1 if modal is not None else 0
        if modal is not None and self._same_modal > 40:
            self._same_modal = 0
            return {"do": "key", "widget": name_of(modal), "key": int(Qt.Key.Key_Escape), "modifiers": 0}
        window = modal or self._window(random)
        if window is None:
            return {"do": "wait", "ms": 200}
        names, weights = zip(*((name, weight) for name, (weight, _) in self._kinds.items()), strict=True)
        name = random.choices(names, weights)[0]
        return self._kinds[name][1](window, random) or {"do": "wait", "ms": 0}

    def _window(self, random: Random) -> QWidget | None:
        found = [w for w in windows() if w.isEnabled()]
        if (main := self._main()) is not None and main.isEnabled() and random.random() < 0.4:
            return main
        return random.choice(found) if found else None

    def _answer(self, dialog: QFileDialog, random: Random) -> Act:
        if random.random() > FILE_DIALOG_SHARE:
            return {"do": "answer", "path": ""}
        if dialog.acceptMode() is QFileDialog.AcceptMode.AcceptSave:
            return {"do": "answer", "path": str(self._home / f"saved {random.randint(1, 5)}")}
        wants_folder = dialog.fileMode() is QFileDialog.FileMode.Directory
        return {"do": "answer", "path": str(random.choice([p for p in self._files if p.is_dir() == wants_folder]))}

    def _in_popup(self, popup: QWidget, random: Random) -> Act:
        if isinstance(popup, QMenu) and random.random() < 0.7:
            actions = [a for a in popup.actions() if a.isVisible() and a.isEnabled() and not a.isSeparator()]
            if actions:
                place = popup.actionGeometry(random.choice(actions)).center()
                return {
                    "do": "click",
                    "widget": name_of(popup),
                    "at": [place.x(), place.y()],
                    "button": 1,
                    "modifiers": 0,
                }
        if random.random() < 0.5:
            found = self._click(popup, random)
            if found is not None:
                return found
        keys = (Qt.Key.Key_Down, Qt.Key.Key_Up, Qt.Key.Key_Right, Qt.Key.Key_Left, Qt.Key.Key_Return, Qt.Key.Key_Escape)
        return {"do": "key", "widget": name_of(popup), "key": int(random.choice(keys)), "modifiers": 0}

    def _click(self, window: QWidget, random: Random) -> Act | None:
        if (hit := self._hit(window, random)) is None:
            return None
        return {"do": "click", **hit, "button": random.choice(BUTTONS), "modifiers": random.choice(MODIFIERS)}

    def _hit(self, window: QWidget, random: Random) -> Act | None:
        found = reachable(window, random)
        if found is None:
            return None
        widget, point = found
        return {"widget": name_of(widget), "at": [point.x(), point.y()], "what": _words(widget)}

    def _double_click(self, window: QWidget, random: Random) -> Act | None:
        hit = self._hit(window, random)
        return hit and {"do": "double click", **hit}

    def _key(self, window: QWidget, random: Random) -> Act:
        widget = window.focusWidget() or window
        return {
            **{"do": "key", "widget": name_of(widget), "key": random.choice(KEYS)},
            "modifiers": random.choice(MODIFIERS),
        }

    def _shortcut(self, window: QWidget, random: Random) -> Act | None:
        actions = [a for a in window.findChildren(QAction) if not a.shortcut().isEmpty()]
        if not actions:
            return None
        widget = window.focusWidget() or window
        keys = random.choice(actions).shortcut().toString()
        return {"do": "shortcut", "widget": name_of(widget), "keys": keys}

    def _open_window(self, window: QWidget, random: Random) -> Act | None:
        """Use a key that opens a window, while there are few."""
        main = self._main()
        if main is None or not main.isEnabled() or len(windows()) > MANY_WINDOWS:
            return None
        return {"do": "shortcut", "widget": name_of(main), "keys": random.choice(WINDOW_KEYS)}

    def _demo(self, window: QWidget, random: Random) -> Act | None:
        """Let there be a live picture again: most files that are dropped have none."""
        main = self._main()
        return main and {"do": "shortcut", "widget": name_of(main), "keys": "Ctrl+D"}

    @staticmethod
    def _main() -> QWidget | None:
        return next((window for window in windows() if type(window).__name__ == "MainWindow"), None)

    def _text(self, window: QWidget, random: Random) -> Act | None:
        fields = [w for w in window.findChildren(QWidget) if isinstance(w, (QLineEdit, QAbstractSpinBox))]
        fields = [w for w in fields if w.isVisible() and w.isEnabled()]
        widget = random.choice(fields) if fields else window.focusWidget()
        return widget and {
            "do": "text",
            "widget": name_of(widget),
            "text": random.choice(TEXTS),
            "what": _words(widget),
        }

    def _choose(self, window: QWidget, random: Random) -> Act | None:
        boxes = [w for w in window.findChildren(QComboBox) if w.isVisible() and w.isEnabled() and w.count()]
        if not boxes:
            return None
        box = random.choice(boxes)
        return {"do": "choose", "widget": name_of(box), "index": random.randrange(box.count()), "what": _words(box)}

    def _wheel(self, window: QWidget, random: Random) -> Act | None:
        hit = self._hit(window, random)
        return hit and {
            "do": "wheel",
            **hit,
            "by": random.choice((-480, -120, 120, 480)),
            "modifiers": random.choice(MODIFIERS),
        }

    def _drag(self, window: QWidget, random: Random) -> Act | None:
        hit = self._hit(window, random)
        return hit and {"do": "drag", **hit, "by": [random.randint(-200, 200), random.randint(-200, 200)]}

    def _drop(self, window: QWidget, random: Random) -> Act | None:
        hit = self._hit(window, random)
        paths = random.sample(self._files, random.choice((1, 1, 1, 3)))
        return hit and {"do": "drop", **hit, "paths": [str(path) for path in paths]}

    def _resize(self, window: QWidget, random: Random) -> Act:
        return {"do": "resize", "widget": name_of(window), "size": [random.randint(1, 1600), random.randint(1, 1200)]}

    def _close(self, window: QWidget, random: Random) -> Act | None:
        if type(window).__name__ == "MainWindow" and random.random() < 0.8:
            return None
        return {"do": "close", "widget": name_of(window)}

    def _raise(self, window: QWidget, random: Random) -> Act:
        return {"do": "raise", "widget": name_of(window)}

    def _state(self, window: QWidget, random: Random) -> Act:
        return {"do": "state", "widget": name_of(window), "state": random.choice((0, 1, 2))}

    def _theme(self, window: QWidget, random: Random) -> Act:
        return {"do": "theme", "colour": random.choice(("#24282e", "#efefef"))}

    def _wait(self, window: QWidget, random: Random) -> Act:
        return {"do": "wait", "ms": random.choice((50, 200, 1000))}


def _words(widget: QWidget) -> str:
    words = [type(widget).__name__, widget.objectName(), widget.accessibleName()]
    if isinstance(widget, QAbstractButton):
        words.append(widget.text())
    return " ".join(word for word in words if word)[:80]


def perform(act: Act) -> None:
    """Do it; nothing where its widget is not in sight."""
    if act["do"] == "theme":
        QApplication.setPalette(QPalette(QColor(act["colour"]), QColor(act["colour"])))
        return
    if act["do"] == "answer":
        _answer(act["path"])
        return
    widget = find(act["widget"])
    if widget is not None:
        _DO[act["do"]](widget, act)


def _answer(path: str) -> None:
    dialog = QApplication.activeModalWidget()
    if not isinstance(dialog, QFileDialog):
        return
    if path:
        dialog.setDirectory(str(Path(path).parent))
        dialog.selectFile(path)
        for field in dialog.findChildren(QLineEdit, "fileNameEdit"):
            field.setText(path)
        dialog.accept()
    if dialog.isVisible():
        dialog.reject()


def _modifiers(act: Act) -> Qt.KeyboardModifier:
    return Qt.KeyboardModifier(act.get("modifiers", 0))


def _at(act: Act) -> QPoint:
    return QPoint(*act["at"])


def _click(widget: QWidget, act: Act) -> None:
    button = Qt.MouseButton(act["button"])
    if button is Qt.MouseButton.RightButton:  # the platform sends both
        QTest.mouseClick(widget, button, _modifiers(act), _at(act))
        found = find(act["widget"])
        if found is not None:
            reason = QContextMenuEvent.Reason.Mouse
            QApplication.postEvent(
                found, QContextMenuEvent(reason, _at(act), found.mapToGlobal(_at(act)), _modifiers(act))
            )
        return
    QTest.mouseClick(widget, button, _modifiers(act), _at(act))


def _double_click(widget: QWidget, act: Act) -> None:
    QTest.mouseDClick(widget, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, _at(act))


def _key(widget: QWidget, act: Act) -> None:
    QTest.keyClick(widget, Qt.Key(act["key"]), _modifiers(act))


def _shortcut(widget: QWidget, act: Act) -> None:
    QTest.keySequence(widget, act["keys"])


def _text(widget: QWidget, act: Act) -> None:
    widget.setFocus()
    QTest.keyClick(widget, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    for letter in act["text"]:
        if letter.isascii():
            QTest.keyClicks(widget, letter)
    if isinstance(widget, QLineEdit) and not act["text"].isascii():
        widget.insert(act["text"])


def _choose(widget: QWidget, act: Act) -> None:
    if isinstance(widget, QComboBox) and act["index"] < widget.count():
        widget.setCurrentIndex(act["index"])
        widget.activated.emit(act["index"])


def _wheel(widget: QWidget, act: Act) -> None:
    place = QPointF(_at(act))
    event = QWheelEvent(
        place,
        QPointF(widget.mapToGlobal(_at(act))),
        QPoint(),
        QPoint(0, act["by"]),
        Qt.MouseButton.NoButton,
        _modifiers(act),
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(widget, event)


def _drag(widget: QWidget, act: Act) -> None:
    left, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    start, by = _at(act), QPoint(*act["by"])
    QTest.mousePress(widget, left, none, start)
    for step in (3, 2, 1):
        if (widget_now := find(act["widget"])) is None:
            return
        QTest.mouseMove(widget_now, start + by / step)
    if (widget_now := find(act["widget"])) is not None:
        QTest.mouseRelease(widget_now, left, none, start + by)


def _drop(widget: QWidget, act: Act) -> None:
    while not widget.acceptDrops() and not widget.isWindow():
        widget = widget.parentWidget()
    if not widget.acceptDrops():
        return
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(path) for path in act["paths"]])
    place = widget.rect().center()
    copy, left, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(place, copy, data, left, none)
    QApplication.sendEvent(widget, enter)
    if enter.isAccepted():
        QApplication.sendEvent(widget, QDropEvent(QPointF(place), copy, data, left, none, QEvent.Type.Drop))


def _resize(widget: QWidget, act: Act) -> None:
    widget.resize(*act["size"])


def _close(widget: QWidget, act: Act) -> None:
    widget.close()


def _raise(widget: QWidget, act: Act) -> None:
    widget.raise_()
    widget.activateWindow()


def _state(widget: QWidget, act: Act) -> None:
    if isinstance(widget, (QMainWindow, QDialog)):
        (widget.showNormal, widget.showMaximized, widget.showMinimized)[act["state"]]()


_DO: Final[dict[str, Callable[[QWidget, Act], None]]] = {
    "click": _click,
    "double click": _double_click,
    "key": _key,
    "shortcut": _shortcut,
    "text": _text,
    "choose": _choose,
    "wheel": _wheel,
    "drag": _drag,
    "drop": _drop,
    "resize": _resize,
    "close": _close,
    "raise": _raise,
    "state": _state,
}
