"""The menu of what was opened lately."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QMenu, QWidget

from fkd_desktop.ui.words import plain_tip
from fkd_desktop.workers.job import Job

if TYPE_CHECKING:
    from collections.abc import Iterable

    from PySide6.QtGui import QAction

MAX_ENTRIES: Final = 10
_WIDEST_TEXT: Final = 60
_ADDRESS: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")  # one letter only is a drive of Windows


class RecentMenu(QMenu):
    """Files, folders and addresses that were opened, the newest first.

    What is not there any more is greyed out; that is looked up in another thread while the menu opens, as a drive may
    be slow to answer.
    """

    chosen = Signal(str)
    """An entry, as it was added."""
    entries_changed = Signal()
    """The list is another one: it is worth storing."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTitle(self.tr("Ope&n recent"))
        self.setToolTipsVisible(True)
        self._entries: list[str] = []
        self._by_entry: dict[str, QAction] = {}
        self._job: Job | None = None
        self.aboutToShow.connect(self._check)
        self._fill()

    @property
    def entries(self) -> list[str]:
        """What is listed, the newest first."""
        return list(self._entries)

    def set_entries(self, entries: Iterable[str]) -> None:
        """List what was stored; does not tell of a change."""
        self._entries = list(dict.fromkeys(entry for entry in entries if entry))[:MAX_ENTRIES]
        self._fill()

    def add(self, path: str) -> None:
        """Put something that was opened to the top of the list."""
        entries = [path, *(entry for entry in self._entries if entry != path)][:MAX_ENTRIES]
        if entries != self._entries:
            self.set_entries(entries)
            self.entries_changed.emit()

    def clear_entries(self) -> None:
        """Forget what was opened."""
        if self._entries:
            self.set_entries([])
            self.entries_changed.emit()

    def _fill(self) -> None:
        self.clear()
        self._by_entry = {}
        for number, entry in enumerate(self._entries, start=1):
            mnemonic = f"&{number % 10}"
            action = self.addAction(f"{mnemonic}  {self._text(entry)}")
            action.setToolTip(plain_tip(_without_secrets(entry)))
            action.triggered.connect(lambda _, entry=entry: self.chosen.emit(entry))
            self._by_entry[entry] = action
        self.addSeparator()
        self.addAction(self.tr("&Clear the list")).triggered.connect(self.clear_entries)
        self.menuAction().setEnabled(bool(self._entries))

    def _text(self, entry: str) -> str:
        """Return a short name; with the folder's where two files are called the same."""
        if _ADDRESS.match(entry):
            text = _without_secrets(entry)
        else:
            path = Path(entry)
            text = path.name or entry
            if sum(Path(other).name == path.name for other in self._entries) > 1:
                text = str(Path(path.parent.name) / path.name)
        if len(text) > _WIDEST_TEXT:
            text = f"{text[: _WIDEST_TEXT // 2]}…{text[-_WIDEST_TEXT // 2 :]}"
        return text.replace("&", "&&")

    def _check(self) -> None:
        paths = [entry for entry in self._entries if not _ADDRESS.match(entry)]
        if self._job is not None:
            self._job.cancel()
        self._job = Job("recent-files", lambda _job: {path: _is_there(path) for path in paths})
        self._job.succeeded.connect(self._on_checked)
        self._job.start()

    def _on_checked(self, are_there: dict[str, bool]) -> None:
        for entry, is_there in are_there.items():
            action = self._by_entry.get(entry)
            if action is not None:
                action.setEnabled(is_there)
                tip = entry if is_there else self.tr("{0} is not there any more").format(entry)
                action.setToolTip(plain_tip(tip))


def _is_there(entry: str) -> bool:
    try:
        return Path(entry).expanduser().exists()
    except (OSError, RuntimeError, ValueError):
        return False


def _without_secrets(address: str) -> str:
    """Return an address without its password and what stands behind a ``?``, which is often a key."""
    if not _ADDRESS.match(address):
        return address
    return re.sub(r"(//[^/:@]+):[^/@]*@", r"\1@", address.partition("?")[0])
