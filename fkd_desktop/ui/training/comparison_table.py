"""The figures of two networks beside each other."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QSizePolicy, QTableWidget, QTableWidgetItem, QWidget

from fkd_desktop.i18n import numeral, translated
from fkd_desktop.ui.training.data_widgets import fault_colour, good_colour
from fkd_desktop.ui.words import plain_tip
from trainer.comparison import percent
from trainer.core.resources import default_weights_path
from trainer.core.text import Text
from trainer.metrics import JUDGED_PARTS
from trainer.runs import BEST

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainer.comparison import Comparison, Contender

_RIGHT: Final = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class Figure(NamedTuple):
    """A row: what it is, old and new as fractions, how many decimals of a per cent, and whether more is better."""

    name: str
    old: float
    new: float
    digits: int = 2
    more_is_better: bool = False

    @property
    def change(self) -> Text:
        """The difference as it shows in the figures, in words."""
        gain = self.gain
        if gain == 0:
            return Text("same")
        by = numeral(f"{abs(gain):.{self.digits}f}")
        return Text("{by} better", by=by) if gain > 0 else Text("{by} worse", by=by)

    @property
    def gain(self) -> float:
        """How much better it is in per cent, of the figures as they are shown: what cannot be seen there is none."""
        gain = round(100 * self.new, self.digits) - round(100 * self.old, self.digits)
        gain = round(gain if self.more_is_better else -gain, self.digits)
        return 0.0 if math.isnan(gain) else gain  # as of a network that gives no numbers


class ComparisonTable(QTableWidget):
    """Old, new and the change of each figure; as high as its rows."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setColumnCount(4)
        self.setAccessibleName(self.tr("Figures of the old and the new weights"))
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setShowGrid(False)
        self.setAlternatingRowColors(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
        self.horizontalHeader().setDefaultAlignment(_RIGHT)
        self.horizontalHeader().setHighlightSections(False)
        self.horizontalHeader().setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 9)
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self._figures: tuple[Figure, ...] = ()

    def show_comparison(self, comparison: Comparison) -> None:
        """Show the figures of a comparison."""
        self._figures = tuple(self._figures_of(comparison.old, comparison.new))
        self.setRowCount(len(self._figures))
        self.setHorizontalHeaderItem(0, QTableWidgetItem(""))
        titled = (self.tr("Old"), comparison.old), (self.tr("New"), comparison.new)
        for column, (title, one) in enumerate(titled, start=1):
            item = QTableWidgetItem(f"{title}\n{translated(name_of(one))}")
            item.setToolTip(plain_tip(self.tr("{0} network\n{1}").format(one.network, one.path)))
            self.setHorizontalHeaderItem(column, item)
        self.setHorizontalHeaderItem(3, QTableWidgetItem(self.tr("Change")))
        self._fill()
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        """Ask for the room of all rows."""
        frame = 2 * self.frameWidth()
        return QSize(400, self.horizontalHeader().sizeHint().height() + self.verticalHeader().length() + frame)

    def minimumSizeHint(self) -> QSize:
        """Show all rows, always."""
        return QSize(320, self.sizeHint().height())

    def changeEvent(self, event: QEvent) -> None:
        """Give the changes the new theme's colours."""
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_figures"):  # Qt sends some before that
            self._fill()
        super().changeEvent(event)

    def _fill(self) -> None:
        good, bad = good_colour(self.palette()), fault_colour(self.palette())
        for row, figure in enumerate(self._figures):
            texts = [numeral(percent(one, digits=figure.digits)) for one in (figure.old, figure.new)]
            for column, text in enumerate((figure.name, *texts, translated(figure.change))):
                item = QTableWidgetItem(text)
                if column > 0:
                    item.setTextAlignment(_RIGHT)
                if column == 3 and figure.gain != 0:
                    item.setForeground(good if figure.gain > 0 else bad)
                if row == 0:
                    font = item.font()
                    font.setBold(True)
                    item.setFont(font)
                self.setItem(row, column, item)

    def _figures_of(self, old: Contender, new: Contender) -> Iterator[Figure]:
        before, after = old.evaluation, new.evaluation
        yield Figure(self.tr("Mean NME"), before.score.nme_mean, after.score.nme_mean)
        yield Figure(self.tr("Median NME"), before.score.nme_median, after.score.nme_median)
        yield Figure(self.tr("Faces over 10 %"), before.score.failure_rate, after.score.failure_rate)
        yield Figure(self.tr("AUC to 8 %"), before.score.auc, after.score.auc, 1, more_is_better=True)
        names = {
            "jaw": self.tr("NME of the jaw"),
            "brows": self.tr("… the brows"),
            "nose": self.tr("… the nose"),
            "eyes": self.tr("… the eyes"),
            "mouth": self.tr("… the mouth"),
        }
        for part in JUDGED_PARTS:
            yield Figure(names[part], before.nme_by_part[part], after.nme_by_part[part])


def name_of(contender: Contender) -> str:
    """Return what a user calls weights: the run's name, the file's, or "shipped"."""
    if contender.path == default_weights_path():
        return Text("shipped")
    return contender.path.parent.name if contender.path.name == BEST else contender.path.stem
