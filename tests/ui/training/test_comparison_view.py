"""What is said of old and new weights, offscreen: every state, on figures that are known, and once on real networks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication, QFileDialog

from fkd_desktop.training.results import ComparisonState, ResultsController
from fkd_desktop.ui.training.comparison_sheets import ComparisonSheets, SheetPicture
from fkd_desktop.ui.training.comparison_table import Figure, name_of
from fkd_desktop.ui.training.comparison_view import ComparisonView
from tests.training.run_folders import SHARE, write_run, write_weights
from trainer.comparison import Comparison, Contender, Difference, Verdict
from trainer.core.resources import default_weights_path
from trainer.evaluate import judge
from trainer.pair_sheets import PairGroup

WAIT_MS = 60_000


@pytest.fixture
def results(tmp_path: Path):
    controller = ResultsController(tmp_path / "runs")
    yield controller
    controller.shut_down()


@pytest.fixture
def view(qtbot, results) -> ComparisonView:
    view = ComparisonView(results)
    qtbot.addWidget(view)
    view.resize(1040, 640)
    view.show()
    qtbot.waitExposed(view)
    return view


@pytest.fixture
def make(drawn, tmp_path: Path):
    """Make a comparison of 20 faces of which the new weights are off by `new` of the eyes' distance."""
    truth = np.stack([drawn.points(x=100, y=100, width=100)] * 20)  # the eyes are 64 apart

    def make(old: float, new: float, *, margin: float = 0.001, caveats: tuple[str, ...] = ()) -> Comparison:
        weights = tmp_path / "runs" / "mine" / "best.safetensors"
        evaluations = [judge(truth + np.float32([64 * off, 0]), truth) for off in (old, new)]
        return Comparison(
            run=weights.parent,
            old=Contender(default_weights_path(), "compact", evaluations[0]),
            new=Contender(weights, "large", evaluations[1]),
            people=10,
            difference=Difference(new - old, margin),
            caveats=caveats,
            sheets={group: np.full((100, 400, 3), 60, np.uint8) for group in PairGroup},
        )

    return make


def show(view: ComparisonView, comparison: Comparison) -> None:
    """Let the controller have it as if it had just been computed."""
    view._results._on_compared(comparison)


def rows(view: ComparisonView) -> dict[str, list[str]]:
    table = view.table
    return {
        table.item(row, 0).text(): [table.item(row, column).text().replace("\u00a0", " ") for column in (1, 2, 3)]
        for row in range(table.rowCount())
    }


# --- before there is a result


def test_at_first_it_says_how_to_begin(view) -> None:
    assert view.title == "Nothing was compared yet"
    assert view.buttons == []


def test_progress_is_shown_and_can_be_cancelled(qtbot, view, results, tmp_path: Path, monkeypatch) -> None:
    from fkd_desktop.training import results as results_module

    def endless(job, *_):
        while not job.should_stop():
            job.tell((116, 465))

    monkeypatch.setattr(results_module, "_compare", endless)
    results.compare(tmp_path / "mine", None)
    assert (view.title, view.text) == ("Comparing mine…", "Reading the data set…")
    qtbot.waitUntil(lambda: view.text == "116 of 465 faces", timeout=WAIT_MS)
    bar = view._notice.bar
    assert (bar.value(), bar.maximum(), bar.isVisible()) == (116, 465, True)
    (cancel,) = view.buttons
    assert cancel.isVisible()
    qtbot.mouseClick(cancel, Qt.MouseButton.LeftButton)
    assert results.comparison_state is ComparisonState.NONE
    assert view.title == "Nothing was compared yet"


def test_a_failure_is_told_in_place_and_can_be_tried_again(qtbot, view, results, tmp_path: Path) -> None:
    run = write_run(tmp_path / "runs", "mine", 0.1, data=str(tmp_path / "gone"))
    results.compare(run, None)
    qtbot.waitUntil(lambda: view.title == "They cannot be compared", timeout=WAIT_MS)
    assert view.text.startswith("The data that the run mine was trained on are not at")
    assert view.text.endswith(".")
    (again,) = view.buttons
    with qtbot.waitSignal(results.comparison_changed):
        qtbot.mouseClick(again, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: results.comparison_state is ComparisonState.FAILED, timeout=WAIT_MS)


# --- the result


def test_real_networks_are_compared(qtbot, view, results, tmp_path: Path, tiny_data: Path) -> None:
    run = write_run(tmp_path / "runs", "mine", 0.1, data=str(tiny_data), validation_share=SHARE)
    write_weights(run / "best.safetensors", seed=1)
    results.compare(run, write_weights(tmp_path / "old.safetensors"))
    qtbot.waitUntil(lambda: results.comparison_state is ComparisonState.DONE, timeout=WAIT_MS)
    assert view.title == results.comparison.sentence
    assert len(rows(view)) == 9
    assert view.sheets.pictures()
    assert view.text == ""


def test_figures_stand_beside_each_other(view, make) -> None:
    show(view, make(0.12, 0.0384))
    assert rows(view) == {
        "Mean NME": ["12.00 %", "3.84 %", "8.16 better"],
        "Median NME": ["12.00 %", "3.84 %", "8.16 better"],
        "Faces over 10 %": ["100.00 %", "0.00 %", "100.00 better"],
        "AUC to 8 %": ["0.0 %", "52.0 %", "52.0 better"],
        "NME of the jaw": ["12.00 %", "3.84 %", "8.16 better"],
        **{f"… the {part}": ["12.00 %", "3.84 %", "8.16 better"] for part in ("brows", "nose", "eyes", "mouth")},
    }
    heads = [view.table.horizontalHeaderItem(column).text() for column in (1, 2, 3)]
    assert heads == ["Old\nshipped", "New\nmine", "Change"]
    assert view._summary.text() == "Of 20 faces 20 are better, 0 about the same and 0 worse."
    visible = view.table.viewport().height()
    assert view.table.rowViewportPosition(8) + view.table.rowHeight(8) <= visible


@pytest.mark.parametrize(
    ("old", "new", "words", "verdict", "advised"),
    [
        (0.05, 0.04, "The new weights are better: NME 4.00 % instead of 5.00 %", Verdict.BETTER, "use_button"),
        (0.04, 0.05, "The new weights are worse: NME 5.00 % instead of 4.00 %", Verdict.WORSE, "keep_button"),
        (0.0405, 0.04, "There is no real difference: NME 4.00 %", Verdict.NO_DIFFERENCE, "keep_button"),
    ],
)
def test_the_verdict_is_large_and_has_an_icon(view, make, old, new, words, verdict, advised) -> None:
    comparison = make(old, new)
    assert comparison.verdict is verdict
    show(view, comparison)
    assert view.title.replace("\u00a0", " ").startswith(words)
    assert view._verdict.font().pointSizeF() > 1.3 * view._summary.font().pointSizeF()
    assert not view._icon.pixmap().isNull()
    assert view._icon.accessibleName() == verdict.value
    bold = [button for button in (view.use_button, view.keep_button) if button.font().bold()]
    assert bold == [getattr(view, advised)]


def test_each_verdict_has_its_own_icon(view, make) -> None:
    pictures = []
    for old, new in ((0.05, 0.04), (0.04, 0.05), (0.04, 0.04)):
        show(view, make(old, new))
        pictures.append(view._icon.pixmap().toImage().createAlphaMask())
    assert all(one != other for number, one in enumerate(pictures) for other in pictures[:number])


def test_a_caveat_is_shown_only_where_there_is_one(view, make) -> None:
    show(view, make(0.05, 0.04, caveats=("The old weights may know them.", "The data have changed.")))
    assert view.text == "The old weights may know them.\nThe data have changed."
    assert view._caveat.isVisible()
    show(view, make(0.05, 0.04))
    assert not view._caveat.isVisible()


@pytest.mark.parametrize(
    ("figure", "words"),
    [
        (Figure("NME", 0.05, 0.04), "1.00 better"),
        (Figure("NME", 0.04, 0.05), "1.00 worse"),
        (Figure("NME", 0.04001, 0.04004), "same"),
        (Figure("NME", 0.04004, 0.04006), "0.01 worse"),  # as it shows
        (Figure("AUC", 0.5, 0.6, 1, more_is_better=True), "10.0 better"),
        (Figure("AUC", 0.6, 0.5, 1, more_is_better=True), "10.0 worse"),
        (Figure("NME", float("nan"), 0.05), "same"),
    ],
)
def test_a_change_is_told_in_words(figure: Figure, words: str) -> None:
    assert figure.change == words


def test_weights_are_called_by_their_run_or_file(make, tmp_path: Path) -> None:
    contender = make(0.1, 0.1).new
    assert name_of(contender) == "mine"
    assert name_of(Contender(tmp_path / "saved.safetensors", "compact", contender.evaluation)) == "saved"
    assert name_of(Contender(default_weights_path(), "compact", contender.evaluation)) == "shipped"


# --- what is done then


def test_new_weights_are_asked_for_and_then_said_to_be_in_use(qtbot, view, make) -> None:
    comparison = make(0.05, 0.04)
    show(view, comparison)
    with qtbot.waitSignal(view.use_requested) as told:
        qtbot.mouseClick(view.use_button, Qt.MouseButton.LeftButton)
    assert told.args == [comparison.new.path]
    assert view.done_text == "The live session takes over the new weights."
    view.set_weights_in_use(comparison.new.path)
    assert view.done_text == "The live session uses the new weights now."
    assert view.buttons == [view.save_button]
    view.set_weights_in_use(None)
    assert view.done_text == ""
    assert view.buttons == [view.use_button, view.keep_button, view.save_button]


def test_old_weights_are_kept(qtbot, view, make) -> None:
    show(view, make(0.04, 0.05))
    with qtbot.waitSignal(view.kept_old):
        qtbot.mouseClick(view.keep_button, Qt.MouseButton.LeftButton)
    assert view.done_text == "The old weights stay in use. The new ones are kept with their run."
    assert view.buttons == [view.use_button, view.save_button]
    show(view, make(0.05, 0.04))  # the next one
    assert view.done_text == ""
    assert view.buttons == [view.use_button, view.keep_button, view.save_button]


def test_new_weights_are_saved(qtbot, view, make, tmp_path: Path) -> None:
    comparison = make(0.05, 0.04)
    comparison.new.path.parent.mkdir(parents=True)
    comparison.new.path.write_bytes(b"weights")
    show(view, comparison)
    qtbot.mouseClick(view.save_button, Qt.MouseButton.LeftButton)
    dialog = view.findChild(QFileDialog)
    assert Path(dialog.selectedFiles()[0]).name == "mine.safetensors"
    target = tmp_path / "kept.safetensors"
    with qtbot.waitSignal(view._results.saved, timeout=WAIT_MS):
        dialog.fileSelected.emit(str(target))
    dialog.close()
    assert target.read_bytes() == b"weights"
    assert view.done_text == f"Saved as {target}."
    with qtbot.waitSignal(view._results.failed, timeout=WAIT_MS):
        view._results.save_as(target, target)
    assert view.done_text.startswith("Kept.safetensors is the file that is to be saved")


# --- the faces


def test_a_picture_is_as_wide_as_there_is_room_but_faces_do_not_become_huge(qtbot, view, make) -> None:
    comparison = make(0.05, 0.04)
    comparison.sheets[PairGroup.IMPROVED] = np.zeros((4800, 2400, 3), np.uint8)
    show(view, comparison)
    wide, small, _ = view.sheets.pictures()
    qtbot.waitUntil(lambda: wide.width() == view.sheets.viewport().width())
    assert wide.height() == pytest.approx(2 * wide.width(), abs=1)
    assert small.height() == 60  # of 100
    assert view.sheets.verticalScrollBar().maximum() > 0


def test_a_picture_shows_its_colours(qtbot, view, make) -> None:
    comparison = make(0.05, 0.04)
    comparison.sheets[PairGroup.IMPROVED] = np.full((600, 1200, 3), (250, 100, 10), np.uint8)
    show(view, comparison)
    picture = view.sheets.pictures()[0]
    qtbot.waitUntil(lambda: picture.width() == view.sheets.viewport().width())
    colour = picture.grab().toImage().pixelColor(picture.width() // 2, picture.height() // 2)
    assert colour == QColor(10, 100, 250)


@pytest.mark.parametrize("how", ["click", "enter"])
def test_a_picture_opens_in_full_size_beside_the_rest(qtbot, how: str) -> None:
    sheets = ComparisonSheets()
    qtbot.addWidget(sheets)
    sheets.resize(300, 300)
    sheets.show_sheets({PairGroup.WORSENED: np.zeros((200, 500, 3), np.uint8)})
    sheets.show()
    qtbot.waitExposed(sheets)
    (picture,) = sheets.findChildren(SheetPicture)
    if how == "click":
        qtbot.mouseClick(picture, Qt.MouseButton.LeftButton)
    else:
        qtbot.keyClick(picture, Qt.Key.Key_Return)
    window = sheets.window_shown
    assert window.isVisible()
    assert not window.isModal()
    assert window.isWindow()
    assert window.windowTitle() == "Most worsened"
    assert window.widget().pixmap().size() == QSize(500, 200)
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not window.isVisible())


def test_another_theme_gives_other_inks(qtbot, view, make) -> None:
    show(view, make(0.04, 0.05))
    light = view.table.item(0, 3).foreground().color()
    before = QApplication.palette()
    try:
        QApplication.setPalette(QPalette(QColor("#2b2f36"), QColor("#22262c")))
        qtbot.waitUntil(lambda: view.table.item(0, 3).foreground().color() != light)
        dark = view.table.item(0, 3).foreground().color()
        assert dark.lightnessF() > light.lightnessF()
    finally:
        QApplication.setPalette(before)
