"""Past runs as the rows of a table."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Any, Final

from PySide6.QtCore import QAbstractTableModel, QDateTime, QLocale, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QFont

from fkd_desktop.i18n import numeral, translated
from fkd_desktop.training.eta import describe_duration
from fkd_desktop.ui.words import plain_tip, sentence
from trainer.comparison import percent
from trainer.runs import RunState

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from trainer.runs import RunSummary

SORT_ROLE: Final = Qt.ItemDataRole.UserRole
NOTHING: Final = "\u2013"
_NO_PARENT: Final = QModelIndex()


class Column(IntEnum):
    """What is told of a run, from left to right."""

    NAME = 0
    NETWORK = 1
    STATE = 2
    DATE = 3
    NME = 4
    EPOCHS = 5
    LENGTH = 6


class RunsModel(QAbstractTableModel):
    """Runs in the order given; a proxy sorts them by `SORT_ROLE`."""

    def __init__(self) -> None:
        super().__init__()
        self._runs: list[RunSummary] = []
        self._in_use: Path | None = None

    @property
    def runs(self) -> Sequence[RunSummary]:
        """The runs, a row each."""
        return self._runs

    def set_runs(self, runs: Sequence[RunSummary]) -> None:
        """Show these; rows that are the same runs as before stay rows."""
        if [run.path for run in runs] == [run.path for run in self._runs]:
            self._runs = list(runs)
            self._tell_all_changed()
            return
        self.beginResetModel()
        self._runs = list(runs)
        self.endResetModel()

    def set_weights_in_use(self, weights: Path | None) -> None:
        """Mark the run that these weights are of."""
        self._in_use = weights.absolute() if weights is not None else None
        self._tell_all_changed()

    def is_in_use(self, run: RunSummary) -> bool:
        """Whether the live session uses the weights of a run."""
        weights = run.weights
        return weights is not None and weights.absolute() == self._in_use

    def _tell_all_changed(self) -> None:
        if self._runs:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self._runs) - 1, len(Column) - 1))

    # --- QAbstractTableModel

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex = _NO_PARENT) -> int:
        """Return how many runs there are."""
        return 0 if parent.isValid() else len(self._runs)

    def columnCount(self, parent: QModelIndex | QPersistentModelIndex = _NO_PARENT) -> int:
        """Return how many facts are told of each."""
        return 0 if parent.isValid() else len(Column)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Name the columns."""
        if orientation is not Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(Column(section))
        if role == Qt.ItemDataRole.ToolTipRole and section == Column.NME:
            return self.tr("Normalised mean error on people that the run kept aside: the lower, the better")
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        return {
            Column.NAME: self.tr("Name"),
            Column.NETWORK: self.tr("Network"),
            Column.NME: self.tr("Best NME"),
            Column.EPOCHS: self.tr("Epochs"),
            Column.STATE: self.tr("State"),
            Column.DATE: self.tr("Date"),
            Column.LENGTH: self.tr("Length"),
        }[Column(section)]

    def data(self, index: QModelIndex | QPersistentModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Tell a fact of a run."""
        run, column = self._runs[index.row()], Column(index.column())
        value: Any = None
        match role:
            case Qt.ItemDataRole.DisplayRole:
                value = self._text(run, column)
            case Qt.ItemDataRole.TextAlignmentRole:
                value = _alignment(column)
            case Qt.ItemDataRole.ToolTipRole:
                value = self._tool_tip(run, column)
            case Qt.ItemDataRole.FontRole if self.is_in_use(run):
                value = QFont()
                value.setBold(True)
            case _ if role == SORT_ROLE:
                value = _sort_key(run, column)
        return value

    def _text(self, run: RunSummary, column: Column) -> str:
        return {
            Column.NAME: self.tr("{0} (in use)").format(run.name) if self.is_in_use(run) else run.name,
            Column.NETWORK: run.config.model,
            Column.NME: numeral(percent(run.best.nme_mean)) if run.best else NOTHING,
            Column.EPOCHS: self.tr("{0} of {1}").format(_epochs_done(run), run.config.epochs),
            Column.STATE: {
                RunState.TRAINING: self.tr("Training now"),
                RunState.FINISHED: self.tr("Finished"),
                RunState.STOPPED: self.tr("Stopped"),
                RunState.FAILED: self.tr("Failed"),
            }[run.state],
            Column.DATE: QLocale().toString(_date(run), QLocale.FormatType.ShortFormat),
            Column.LENGTH: translated(describe_duration(run.seconds)) if run.epochs else NOTHING,
        }[column]

    def _tool_tip(self, run: RunSummary, column: Column) -> str | None:
        match column:
            case Column.NAME:
                return plain_tip(str(run.path))
            case Column.NME if run.best:
                return self.tr("After epoch {0}").format(run.best.epoch)
            case Column.STATE if run.message:
                return plain_tip(sentence(run.message))
            case Column.DATE:
                return QLocale().toString(_date(run), QLocale.FormatType.LongFormat)
        return None


def _alignment(column: Column) -> Qt.AlignmentFlag:
    is_figure = column in (Column.NME, Column.EPOCHS, Column.LENGTH)
    return (Qt.AlignmentFlag.AlignRight if is_figure else Qt.AlignmentFlag.AlignLeft) | Qt.AlignmentFlag.AlignVCenter


def _sort_key(run: RunSummary, column: Column) -> str | float:
    keys: dict[Column, str | float] = {
        Column.NAME: run.name.casefold(),
        Column.NETWORK: run.config.model,
        Column.NME: run.best.nme_mean if run.best else float("inf"),
        Column.EPOCHS: float(_epochs_done(run)),
        Column.STATE: float(list(RunState).index(run.state)),
        Column.DATE: run.started_s,
        Column.LENGTH: run.seconds,
    }
    return keys[column]


def _epochs_done(run: RunSummary) -> int:
    return max((epoch.epoch for epoch in run.epochs), default=0)


def _date(run: RunSummary) -> QDateTime:
    return QDateTime.fromSecsSinceEpoch(round(run.started_s))
