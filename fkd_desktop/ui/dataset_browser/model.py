"""The faces of the grid: which are shown, in which order."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from fkd_desktop.i18n import translated
from fkd_desktop.ui.words import plain_tip

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fkd_desktop.training.entries import Entry, Place
    from fkd_desktop.training.judge import Prediction
    from trainer.label_files import Part

AnyIndex = QModelIndex | QPersistentModelIndex

ROOT: Final = QModelIndex()


class Order(Enum):
    """How the grid is sorted."""

    AS_WRITTEN = auto()
    WORST_FIRST = auto()
    """By NME; faces that were not judged come last."""


@dataclass(frozen=True)
class Filter:
    """What the grid shows.

    Attributes
    ----------
    split
        Only this one; None for all.
    identity
        A part of the identities that are shown, in any case; one that is an identity's whole name means only that one.
    problems_only
        Only lines that cannot be used, or that there is something to know about.
    order
        How it is sorted.
    """

    split: Part | None = None
    identity: str = ""
    problems_only: bool = False
    order: Order = Order.AS_WRITTEN


def chosen(entries: Sequence[Entry], wish: Filter, predictions: Mapping[Place, Prediction]) -> list[Entry]:
    """Return the entries that a filter lets through, in its order."""
    found = [entry for entry in entries if wish.split in (None, entry.split)]
    if wish.problems_only:
        found = [entry for entry in found if entry.problem or entry.warnings]
    if asked := wish.identity.strip().casefold():
        exact = [entry for entry in found if entry.identity.casefold() == asked]
        found = exact or [entry for entry in found if asked in entry.identity.casefold()]
    if wish.order is Order.WORST_FIRST:

        def worst_first(entry: Entry) -> tuple[bool, float]:
            prediction = predictions.get(entry.place)
            if prediction is None or not prediction.is_there or not entry.is_usable:
                return True, 0.0
            return False, -prediction.nme

        found.sort(key=worst_first)
    return found


class EntryModel(QAbstractListModel):
    """The entries on show, one a row."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._entries: list[Entry] = []
        self._rows: dict[Place, int] = {}

    def show_entries(self, entries: list[Entry]) -> None:
        """Show these, in this order."""
        before = self._entries
        is_longer = 0 < len(before) <= len(entries)
        if is_longer and all(one.place == other.place for one, other in zip(before, entries, strict=False)):
            # The same faces, with other things to say of them, and perhaps more: nothing jumps.
            if len(entries) > len(before):
                self.beginInsertRows(QModelIndex(), len(before), len(entries) - 1)
                self._take(entries)
                self.endInsertRows()
            else:
                self._take(entries)
            self.refresh()
            return
        self.beginResetModel()
        self._take(entries)
        self.endResetModel()

    def _take(self, entries: list[Entry]) -> None:
        self._entries = entries
        self._rows = {entry.place: row for row, entry in enumerate(entries)}

    def refresh(self) -> None:
        """Have all rows painted anew."""
        if self._entries:
            self.dataChanged.emit(self.index(0), self.index(len(self._entries) - 1))

    @property
    def entries(self) -> Sequence[Entry]:
        """What is on show."""
        return self._entries

    def row_of(self, entry: Entry) -> int | None:
        """Return an entry's row, by where it is written; None where it is not on show."""
        return self._rows.get(entry.place)

    def rowCount(self, parent: AnyIndex = ROOT) -> int:
        """See `QAbstractItemModel.rowCount`."""
        return 0 if parent.isValid() else len(self._entries)

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return the name, and for a mouse that rests on it what is wrong; pictures are the delegate's."""
        row = index.row()
        if not 0 <= row < len(self._entries):
            return None
        entry = self._entries[row]
        if role == Qt.ItemDataRole.DisplayRole:
            return entry.name
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleDescriptionRole):
            said = (*([entry.problem] if entry.problem else []), *entry.warnings)
            text = "\n".join([entry.name, *map(translated, said)])
            return plain_tip(text) if role == Qt.ItemDataRole.ToolTipRole else text
        if role == Qt.ItemDataRole.UserRole:
            return entry
        return None
