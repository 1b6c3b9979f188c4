"""A training run in the window: what is shown of it."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt

from fkd_desktop.training.run import Failure, TrainingState
from fkd_desktop.ui.training.run_words import NOTHING
from tests.ui.training.told_training import BATCHES, COLOURS, epoch, wait_for_sheet
from trainer.events import BatchDone, Notice


def test_before_a_run_it_says_what_will_come(training, open_view):
    view = open_view(training)
    assert view._pages.currentIndex() == 0
    assert view._empty_title.text() == "Nothing is being trained."


def test_a_run_that_starts_reads_the_data(training, open_view):
    view = open_view(training)
    training.begin()
    assert view.head.texts() == {
        "name": "a run",
        "details": "compact",
        "state": "Reading the data set…",
        "position": "",
    }
    assert (view.head.bar.minimum(), view.head.bar.maximum()) == (0, 0)
    assert view.figures.texts()["left"] == "estimating…"
    assert view.cancel_button.isEnabled()
    assert not view.stop_button.isEnabled()  # there is nothing to keep yet


def test_a_run_is_followed_batch_by_batch(training, open_view):
    view = open_view(training)
    training.begin()
    training.tell_started()
    assert view.head.texts()["details"] == "compact (12 parameters) · CPU · 2,693 faces to train on, 475 to judge on"
    training.tell(BatchDone(1, 41, 3.2, 71.26, 1_412_000_000))
    assert view.head.texts()["state"] == "Training…"
    assert view.head.texts()["position"] == "Epoch 1 of 60, batch 41 of 84"
    assert (view.head.bar.value(), view.head.bar.maximum()) == (41, 60 * 84)
    figures = view.figures.texts()
    assert (figures["rate"], figures["memory"], figures["nme"], figures["best"]) == ("71", "1.4 GB", NOTHING, NOTHING)
    assert view.stop_button.isEnabled()


def test_an_epoch_brings_figures_curves_and_faces(training, open_view, qtbot):
    view = open_view(training)
    training.begin()
    training.tell_started()
    for number, nme in ((1, 0.0612), (2, 0.0397), (3, 0.0421)):
        training.tell_epoch(number, nme=nme)
    assert view.figures.texts()["nme"] == "4.21 %"
    assert view.figures.texts()["best"] == "3.97 %"
    assert view.figures.captions()["best"] == "Best NME (epoch 2)"
    assert view.head.texts()["position"] == "Epoch 4 of 60"
    assert view.head.bar.value() == 3 * BATCHES
    wait_for_sheet(qtbot, view, 3)
    assert view.sheet.picture.image.pixelColor(5, 5).name() == COLOURS[3].name()
    qtbot.waitUntil(lambda: view.plot.curves()["nme"][0].tolist() == [1, 2, 3])
    assert view.plot.best_mark == (2, "3.97 %")


def test_the_time_left_is_told_once_it_is_known(training, open_view):
    view = open_view(training)
    training.begin()
    training.tell_started()
    training.tell(BatchDone(1, 1, 3.0, 80.0))
    assert view.figures.texts()["left"] == "estimating…"
    training.tell_epoch(1)
    assert view.figures.texts()["left"].startswith("about ")
    assert view.figures.texts()["left"].endswith(" min")  # 59 epochs of 40 s


def test_a_view_made_in_the_middle_of_a_run_shows_it_all(training, open_view, qtbot):
    training.begin()
    training.tell_started()
    for number in (1, 2):
        training.tell_epoch(number, nme=0.06 / number)
    training.tell(BatchDone(3, 20, 3.2, 71.26, 640_000_000))
    training.tell(Notice("the batch is computed in 2 parts"))
    view = open_view(training)
    assert view.head.texts()["state"] == "Training…"
    assert view.head.texts()["position"] == "Epoch 3 of 60, batch 20 of 84"
    assert view.figures.texts()["best"] == "3.00 %"
    assert view.figures.texts()["memory"] == "640 MB"
    assert view.figures.texts()["left"].startswith("about ")
    assert view.notices.text == "The batch is computed in 2 parts."
    assert view.plot.curves()["nme"][0].tolist() == [1, 2]
    wait_for_sheet(qtbot, view, 2)


def test_a_resumed_run_shows_its_former_epochs_and_its_time(training, open_view, qtbot):
    view = open_view(training)
    training.begin(epochs=[epoch(1), epoch(2), epoch(3)])
    qtbot.waitUntil(lambda: view.plot.curves()["nme"][0].tolist() == [1, 2, 3])
    assert view.stop_button.isEnabled()
    training.tell_started(epochs_done=2)  # the third was cut short, and is trained again
    assert view.head.texts()["position"] == "Epoch 3 of 60"
    assert view.figures.texts()["elapsed"] == "1 min"  # 80 s
    assert view.head.bar.value() == 2 * BATCHES


def test_the_next_run_begins_with_nothing_of_the_last(training, open_view, qtbot):
    view = open_view(training)
    training.begin()
    training.tell_started()
    training.tell_epoch(1)
    training.tell(Notice("something odd"))
    wait_for_sheet(qtbot, view, 1)
    training.become(TrainingState.FINISHED)
    training.begin()
    assert view.sheet.picture.image is None
    assert not view.notices.isVisible()
    assert view.figures.texts()["best"] == NOTHING
    qtbot.waitUntil(lambda: len(view.plot.curves()["nme"][0]) == 0)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (TrainingState.TRAINING, "Training…"),
        (TrainingState.STOPPING, "Stopping after this batch…"),
        (TrainingState.CANCELLING, "Cancelling…"),
        (TrainingState.FINISHED, "Done in 2 min: best NME 3.97 % in epoch 2."),
        (TrainingState.STOPPED, "Stopped after 3 epochs: best NME 3.97 % in epoch 2."),
        (TrainingState.FAILED, "Training failed after 3 epochs: best NME 3.97 % in epoch 2."),
    ],
)
def test_each_state_has_its_words_also_for_who_comes_later(training, open_view, state, words):
    record = training.begin()
    training.tell_started()
    record.epochs = [epoch(1), epoch(2, nme=0.0397), epoch(3)]
    record.failure = Failure("it broke", (), training.folder / "x.log") if state is TrainingState.FAILED else None
    training.become(state)
    view = open_view(training)
    assert view.head.texts()["state"] == words


def test_a_run_that_was_stopped_at_once_says_that_nothing_was_kept(training, open_view):
    view = open_view(training)
    training.begin()
    training.tell_started()
    training.become(TrainingState.STOPPED)
    assert view.head.texts()["state"] == "Stopped before the first epoch was judged. Nothing was kept."
    assert not view._splitter.isVisible()


def test_a_cancelled_run_leaves_an_empty_page(training, open_view):
    view = open_view(training)
    training.begin()
    training.tell_started()
    training.tell_epoch(1)
    training.become(TrainingState.CANCELLED)
    assert view._pages.currentIndex() == 0
    assert view._empty_title.text() == "Cancelled. Nothing was kept."


def test_an_ended_run_stands_still(training, open_view):
    view = open_view(training)
    training.begin()
    training.tell_started()
    training.record.started_s -= 41 * 60
    training.tell_epoch(1)
    assert view._timer.isActive()
    training.become(TrainingState.FINISHED)
    assert not view._timer.isActive()
    assert view.head.texts()["state"] == "Done in 41 min: best NME 5.00 % in epoch 1."
    assert view.figures.texts()["left"] == NOTHING
    assert view.head.bar.value() == view.head.bar.maximum()


def test_a_long_notice_is_one_line_that_can_be_read_in_full(training, open_view, qtbot):
    view = open_view(training)
    training.begin()
    long = "the labels are " + "very " * 60 + "far from the teacher's"
    training.tell(Notice(long))
    qtbot.waitUntil(lambda: view.notices.text.endswith("…"))
    folded_px = view.notices.height()
    qtbot.mouseClick(view.notices.all_button, Qt.MouseButton.LeftButton)
    assert view.notices.text == f"T{long[1:]}."
    qtbot.waitUntil(lambda: view.notices.height() > folded_px)
    training.tell(Notice("and another"))
    assert view.notices.text == f"T{long[1:]}.\nAnd another."
    qtbot.mouseClick(view.notices.all_button, Qt.MouseButton.LeftButton)
    assert view.notices.text == "And another."
    assert view.notices.all_button.text() == "All 2 notices"
