"""The list of all keys."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QFrame, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from PySide6.QtGui import QAction
    from PySide6.QtWidgets import QMainWindow, QMenu

COLUMNS: Final = 3
_SCREEN_SHARE: Final = 0.85


class ShortcutsDialog(QDialog):
    """What every key does, by the menu that it is in; no larger than the screen.

    Parameters
    ----------
    window
        Whose actions have the keys.
    """

    def __init__(self, window: QMainWindow) -> None:
        super().__init__(window)
        self.setWindowTitle(self.tr("Keyboard shortcuts"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.groups = _groups(window, others=self.tr("More"))
        content = QWidget()
        row = QHBoxLayout(content)
        row.setContentsMargins(16, 12, 16, 12)
        row.setSpacing(32)
        for groups in _columns(self.groups):
            label = QLabel(_html(groups), textFormat=Qt.TextFormat.RichText, alignment=Qt.AlignmentFlag.AlignTop)
            row.addWidget(label)
        scroll_area = QScrollArea()
        scroll_area.setAccessibleName(self.windowTitle())
        scroll_area.setFrameShape(QFrame.Shape.NoFrame)
        scroll_area.setWidget(content)
        scroll_area.setWidgetResizable(True)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(scroll_area)
        layout.addWidget(buttons)
        room = window.screen().availableSize() * _SCREEN_SHARE
        wanted = content.sizeHint()
        bar = self.style().pixelMetric(self.style().PixelMetric.PM_ScrollBarExtent)
        self.resize(min(room.width(), wanted.width() + bar + 28), min(room.height(), wanted.height() + 76))


Group = tuple[str, list[tuple[str, str]]]
"""A menu's title, and its actions: what each does, and its keys."""


def _groups(window: QMainWindow, *, others: str) -> list[Group]:
    left = {action: None for action in window.actions() if not action.shortcut().isEmpty()}
    groups: list[Group] = []
    for top in window.menuBar().actions():
        if (menu := _menu_of(top)) is not None:
            actions = [action for action in _actions_in(menu) if action in left]
            for action in actions:
                left.pop(action, None)
            if actions:
                groups.append((_plain(menu.title()), [_line(action) for action in actions]))
    if left:
        groups.append((others, [_line(action) for action in left]))
    return groups


def _menu_of(action: QAction) -> QMenu | None:
    return action.menu()  # type: ignore[return-value]


def _actions_in(menu: QMenu) -> Iterator[QAction]:
    for action in menu.actions():
        if (submenu := _menu_of(action)) is not None:
            yield from _actions_in(submenu)
        else:
            yield action


def _line(action: QAction) -> tuple[str, str]:
    keys = [key.toString(QKeySequence.SequenceFormat.NativeText) for key in action.shortcuts()]
    return _plain(action.text()), "  ".join(keys)


def _plain(text: str) -> str:
    return text.replace("&&", "\0").replace("&", "").replace("\0", "&").removesuffix("…")


def _columns(groups: Sequence[Group]) -> list[list[Group]]:
    """Share the groups out in their order, so that the columns are about equally long."""
    total = sum(len(lines) + 2 for _, lines in groups)
    columns: list[list[Group]] = [[]]
    length = 0
    for group in groups:
        if columns[-1] and length + len(group[1]) / 2 > total * len(columns) / COLUMNS and len(columns) < COLUMNS:
            columns.append([])
        columns[-1].append(group)
        length += len(group[1]) + 2
    return columns


def _html(groups: Sequence[Group]) -> str:
    cell = "<td style='padding: 2px 20px 2px 0; white-space: nowrap'>"
    rows = []
    for number, (title, lines) in enumerate(groups):
        space = 18 if number else 0
        rows.append(f"<tr><td colspan='2' style='padding-top: {space}px'><b>{escape(title)}</b></td></tr>")
        rows += [f"<tr>{cell}{escape(text)}</td>{cell}<code>{escape(keys)}</code></td></tr>" for text, keys in lines]
    return f"<table>{''.join(rows)}</table>"
