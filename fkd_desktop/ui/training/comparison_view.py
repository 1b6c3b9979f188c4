"""Whether a run's weights are better than those in use, and what is to become of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QEvent, Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from fkd_desktop.i18n import translated
from fkd_desktop.training.results import ComparisonState
from fkd_desktop.ui.icons import tinted_pixmap
from fkd_desktop.ui.training.comparison_sheets import ComparisonSheets
from fkd_desktop.ui.training.comparison_table import ComparisonTable, name_of
from fkd_desktop.ui.training.data_widgets import DataNotice, check_mark, fault_colour, good_colour, note_colour
from fkd_desktop.ui.training.save_weights import ask_where_to_save
from fkd_desktop.ui.words import sentence
from trainer.comparison import Verdict

if TYPE_CHECKING:
    from pathlib import Path

    from fkd_desktop.training.results import ResultsController
    from trainer.comparison import Comparison

_ICON_PX: Final = 36


class ComparisonView(QWidget):
    """Shows a comparison while it is computed, what came out, or why it failed.

    Parameters
    ----------
    results
        Computes it.
    """

    use_requested = Signal(object)
    """Path of the weights that the live session should use."""
    kept_old = Signal()
    """The user wants the old weights to stay in use."""

    def __init__(self, results: ResultsController, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._results = results
        self._in_use: Path | None = None
        self._shown: Comparison | None = None
        self._pane = QStackedWidget()
        self._notice = DataNotice()
        self._cancel_button = QPushButton(self.tr("Cancel"), self)
        self._again_button = QPushButton(self.tr("Try again"), self)
        for button in (self._cancel_button, self._again_button):
            button.hide()
        self._pane.addWidget(self._notice)
        self._pane.addWidget(self._make_result_page())
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._pane)
        self._cancel_button.clicked.connect(results.cancel_comparison)
        self._again_button.clicked.connect(results.compare_again)
        self.use_button.clicked.connect(self._on_use_clicked)
        self.keep_button.clicked.connect(self._on_keep_clicked)
        self.save_button.clicked.connect(self._on_save_clicked)
        results.comparison_changed.connect(self._refresh)
        results.saved.connect(self._on_results_saved)
        results.failed.connect(self._on_results_failed)
        self._refresh()

    # --- making

    def _make_result_page(self) -> QWidget:
        self._icon = QLabel()
        self._verdict = QLabel()
        font = self._verdict.font()
        font.setPointSizeF(font.pointSizeF() * 1.45)
        font.setBold(True)
        self._verdict.setFont(font)
        self._summary, self._caveat, self._done = QLabel(), QLabel(), QLabel()
        for label in (self._verdict, self._summary, self._caveat, self._done):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._caveat_icon = QLabel()
        self._caveat_row = QWidget()
        self.table = ComparisonTable()
        self.sheets = ComparisonSheets()
        self.use_button = QPushButton(self.tr("Use these weights now"))
        self.keep_button = QPushButton(self.tr("Keep the old ones"))
        self.save_button = QPushButton(self.tr("Save as…"))
        top = Qt.AlignmentFlag.AlignTop

        head = QHBoxLayout()
        head.setSpacing(14)
        head.addWidget(self._icon, alignment=top)
        head.addWidget(self._verdict, 1)
        caveat = QHBoxLayout(self._caveat_row)
        caveat.setContentsMargins(0, 0, 0, 0)
        caveat.addWidget(self._caveat_icon, alignment=top)
        caveat.addWidget(self._caveat, 1)
        left = QVBoxLayout()
        left.setSpacing(12)
        left.addWidget(self.table)
        left.addWidget(self._summary)
        left.addWidget(self._caveat_row)
        left.addStretch(1)
        body = QHBoxLayout()
        body.setSpacing(14)
        body.addLayout(left, 2)
        body.addWidget(self.sheets, 3)
        row = QHBoxLayout()
        row.setSpacing(8)
        for button in (self.use_button, self.keep_button, self.save_button):
            row.addWidget(button)
        row.addSpacing(6)
        row.addWidget(self._done, 1)
        self._done.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        page = QWidget()
        layout = QVBoxLayout(page)
        layout.setContentsMargins(16, 14, 16, 14)
        layout.setSpacing(14)
        layout.addLayout(head)
        layout.addLayout(body, 1)
        layout.addLayout(row)
        return page

    # --- what is on show

    @property
    def title(self) -> str:
        """The large words on show."""
        return self._verdict.text() if self._pane.currentIndex() == 1 else self._notice.title

    @property
    def text(self) -> str:
        """The small ones: the caveats of a result, or what a notice says."""
        return self._caveat.text() if self._pane.currentIndex() == 1 else self._notice.text

    @property
    def done_text(self) -> str:
        """What was done after the comparison."""
        return self._done.text()

    @property
    def buttons(self) -> list[QPushButton]:
        """What can be pressed now."""
        if self._pane.currentIndex() == 0:
            return self._notice.buttons()
        return [button for button in (self.use_button, self.keep_button, self.save_button) if button.isEnabled()]

    def set_weights_in_use(self, weights: Path | None) -> None:
        """Say which weights the live session uses; None for the shipped ones."""
        self._in_use = weights.absolute() if weights is not None else None
        if self._shown is None:
            return
        if self._is_new_in_use(self._shown):
            self._done.setText(self.tr("The live session uses the new weights now."))
        elif not self.use_button.isEnabled():  # they were in use, and are no more
            self._done.clear()
        self._refresh_buttons(self._shown)

    @Slot()
    def _refresh(self) -> None:
        results = self._results
        match results.comparison_state:
            case ComparisonState.NONE:
                self._show_notice(
                    "keypoints",
                    self.tr("Nothing was compared yet"),
                    self.tr(
                        "Choose one of the past runs: its weights and those in use are judged on the same faces, of "
                        "people that the run kept aside."
                    ),
                )
            case ComparisonState.COMPUTING:
                done, total = results.progress
                name = results.compared_run.name if results.compared_run else ""
                self._show_notice(
                    "keypoints",
                    self.tr("Comparing {0}…").format(name),
                    self.tr("{0} of {1} faces").format(done, total) if total else self.tr("Reading the data set…"),
                    self._cancel_button,
                    has_bar=True,
                )
                self._notice.bar.setRange(0, total)
                self._notice.bar.setValue(done)
            case ComparisonState.FAILED:
                self._show_notice(
                    "warning", self.tr("They cannot be compared"), sentence(results.message), self._again_button
                )
            case ComparisonState.DONE if results.comparison is not None:
                self._show_result(results.comparison)

    def _show_notice(self, icon: str, title: str, text: str, *buttons: QPushButton, has_bar: bool = False) -> None:
        self._shown = None
        self._notice.show_notice(icon=icon, title=title, text=text, buttons=buttons, has_bar=has_bar)
        self._pane.setCurrentIndex(0)

    def _show_result(self, comparison: Comparison) -> None:
        if comparison is self._shown:
            return
        self._shown = comparison
        self._verdict.setText(translated(comparison.sentence))
        better, same, worse = comparison.changes
        self._summary.setText(
            self.tr("Of {0} faces {1} are better, {2} about the same and {3} worse.").format(
                comparison.faces, better, same, worse
            )
        )
        self._caveat.setText("\n".join(translated(caveat) for caveat in comparison.caveats))
        self._caveat_row.setVisible(bool(comparison.caveats))
        self.table.show_comparison(comparison)
        self.sheets.show_sheets(comparison.sheets)
        self._done.setText(
            self.tr("The live session uses the new weights now.") if self._is_new_in_use(comparison) else ""
        )
        self._tint()
        self._refresh_buttons(comparison)
        self._pane.setCurrentIndex(1)

    def _is_new_in_use(self, comparison: Comparison) -> bool:
        return self._in_use is not None and self._in_use == comparison.new.path.absolute()

    def _refresh_buttons(self, comparison: Comparison) -> None:
        in_use = self._is_new_in_use(comparison)
        self.use_button.setEnabled(not in_use)
        self.keep_button.setEnabled(not in_use)
        advice = self.use_button if comparison.verdict is Verdict.BETTER else self.keep_button
        for button in (self.use_button, self.keep_button):
            font = button.font()
            font.setBold(button is advice and button.isEnabled())
            button.setFont(font)

    def _tint(self) -> None:
        if self._shown is None:
            return
        palette, ratio = self.palette(), self.devicePixelRatioF()
        match self._shown.verdict:
            case Verdict.BETTER:
                pixmap, name = check_mark(_ICON_PX, good_colour(palette), ratio), self.tr("better")
            case Verdict.WORSE:
                pixmap, name = tinted_pixmap("warning", _ICON_PX, fault_colour(palette), ratio), self.tr("worse")
            case Verdict.NO_DIFFERENCE:
                pixmap, name = tinted_pixmap("info", _ICON_PX, note_colour(palette), ratio), self.tr("no difference")
        self._icon.setPixmap(pixmap)
        self._icon.setAccessibleName(name)
        self._caveat_icon.setPixmap(tinted_pixmap("info", 16, note_colour(palette), ratio))

    # --- what a user does

    @Slot()
    def _on_use_clicked(self) -> None:
        if self._shown is not None:
            self._done.setText(self.tr("The live session takes over the new weights."))
            self.use_requested.emit(self._shown.new.path)

    @Slot()
    def _on_keep_clicked(self) -> None:
        self._done.setText(self.tr("The old weights stay in use. The new ones are kept with their run."))
        font = self.keep_button.font()
        font.setBold(False)
        self.keep_button.setFont(font)
        self.keep_button.setEnabled(False)
        self.kept_old.emit()

    @Slot()
    def _on_save_clicked(self) -> None:
        if self._shown is not None:
            weights = self._shown.new.path
            ask_where_to_save(self, name_of(self._shown.new), lambda target: self._results.save_as(weights, target))

    @Slot(object)
    def _on_results_saved(self, path: Path) -> None:
        if self.isVisible():
            self._done.setText(self.tr("Saved as {0}.").format(path))

    @Slot(str)
    def _on_results_failed(self, message: str) -> None:
        if self.isVisible():
            self._done.setText(sentence(message))

    # --- events

    def changeEvent(self, event: QEvent) -> None:
        """Give the icons the new theme's colours."""
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_shown"):  # Qt sends some before that
            self._tint()
        super().changeEvent(event)
