"""What a user does in the data set browser."""

from __future__ import annotations

import shutil
import threading

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QGuiApplication, QImage
from PySide6.QtWidgets import QFileDialog

from tests.ui.dataset_browser.conftest import TIMEOUT_MS, wait_checked, wait_shown


def names(window):
    return [entry.name for entry in window.model.entries]


def test_all_faces_are_shown_and_counted_and_the_first_is_large(browser, qtbot):
    assert browser.windowTitle() == "Data set browser"
    assert browser.model.rowCount() == 35
    assert browser.status_line.count.text() == "35 faces"
    wait_shown(qtbot, browser, 0)
    assert browser.face_panel.name.text() == "Person_00_0.jpg"
    assert "training_frames_keypoints.csv, line 2 · training · " in browser.face_panel.info.text()
    assert "inter-ocular distance" in browser.face_panel.info.text()
    assert "identities are in training too" in browser.banner.text
    assert browser._settings.data_folder == str(browser.browsing.root)


def test_the_filters_narrow_the_grid_and_the_count_says_so(browser):
    bar = browser.filter_bar
    bar.split.setCurrentIndex(2)
    assert browser.status_line.count.text() == "3 of 35 faces"
    bar.split.setCurrentIndex(0)
    bar.identity.setText("person_07")
    assert names(browser) == [f"Person_07_{shot}.jpg" for shot in range(4)]
    bar.identity.setText("_0")
    assert browser.model.rowCount() == 35, "a part of a name is enough"
    bar.identity.clear()
    bar.problems_only.setChecked(True)
    assert browser.model.rowCount() == 0
    assert not browser.content.shows_grid
    browser.content.show_all.click()
    assert browser.content.shows_grid
    assert browser.model.rowCount() == 35
    assert not bar.problems_only.isChecked()


def test_a_whole_identity_is_not_taken_for_a_part_of_others(open_browser, qtbot, data_copy):
    for shot in range(4):
        (data_copy / "training" / f"Person_01_{shot}.jpg").rename(data_copy / "training" / f"Person_00b_{shot}.jpg")
    table = data_copy / "training_frames_keypoints.csv"
    table.write_text(table.read_text(encoding="utf-8").replace("Person_01", "Person_00b"), encoding="utf-8")
    window = open_browser(data_copy)
    window.filter_bar.split.setCurrentIndex(1)
    window.filter_bar.identity.setText("Person_00")
    assert window.model.rowCount() == 4
    window.filter_bar.identity.setText("Person_0")
    assert window.model.rowCount() == 32


def test_the_face_that_is_chosen_stays_so_while_filters_let_it_through(browser):
    browser.grid.choose(20)
    chosen = browser.grid.current_entry
    browser.filter_bar.identity.setText(chosen.identity)
    assert browser.grid.current_entry is chosen
    browser.filter_bar.identity.clear()
    assert browser.grid.current_entry is chosen
    assert browser.grid.currentIndex().row() == 20


def test_worst_first_has_the_network_judge_and_sorts_by_nme(browser, qtbot):
    with qtbot.waitSignal(browser.browsing.judging_ended, timeout=TIMEOUT_MS):
        browser.filter_bar.order.setCurrentIndex(1)
        assert browser.status_line.stop.isVisible()
        assert not browser.judge_action.isEnabled()
    nmes = [browser.browsing.prediction(entry).nme for entry in browser.model.entries]
    assert nmes == sorted(nmes, reverse=True)
    assert browser.grid.currentIndex().row() == 0
    assert not browser.status_line.progress.isVisible()
    assert browser.judge_action.isEnabled()
    wait_shown(qtbot, browser, 0)
    assert f"NME {nmes[0]:.2%}" in browser.face_panel.info.text()
    browser.filter_bar.order.setCurrentIndex(0)
    assert names(browser)[:2] == ["Person_00_0.jpg", "Person_00_1.jpg"]
    browser.grid.choose(20)
    browser.filter_bar.order.setCurrentIndex(1)  # judged already
    assert browser.browsing.prediction(browser.grid.current_entry).nme == nmes[0]


def test_judging_can_be_stopped(browser, qtbot, monkeypatch):
    from fkd_desktop.training import judge

    monkeypatch.setattr(judge, "FACES_AT_ONCE", 2)
    browser.browsing.judging_progressed.connect(lambda *_: browser.status_line.stop.click())
    with qtbot.waitSignal(browser.browsing.judging_ended, timeout=TIMEOUT_MS):
        browser.judge_action.trigger()
    assert 0 < len(browser.browsing.predictions) < 35
    assert browser.judge_action.isEnabled()
    assert not browser.status_line.stop.isVisible()


def test_the_prediction_of_one_face_comes_on_demand(browser, qtbot):
    wait_shown(qtbot, browser, 0)
    browser.face_panel.prediction.setChecked(True)
    qtbot.waitUntil(lambda: "prediction" in browser.face_panel.view.layers(), timeout=TIMEOUT_MS)
    assert "NME" in browser.face_panel.info.text()
    assert len(browser.browsing.predictions) == 1
    browser.grid.choose(3)
    wait_shown(qtbot, browser, 3)
    qtbot.waitUntil(lambda: "prediction" in browser.face_panel.view.layers(), timeout=TIMEOUT_MS)
    assert len(browser.browsing.predictions) == 2


def test_another_network_judges_anew(browser, qtbot):
    with qtbot.waitSignal(browser.browsing.judging_ended, timeout=TIMEOUT_MS):
        browser.judge_action.trigger()
    browser.show_network(None)
    assert browser.browsing.predictions == {}
    assert len(browser.browsing.unjudged) == 35


def test_arrow_keys_go_to_other_faces_from_the_grid_and_from_the_large_view(browser, qtbot):
    qtbot.keyClick(browser.grid, Qt.Key.Key_Right)
    wait_shown(qtbot, browser, 1)
    view = browser.face_panel.view
    qtbot.keyClick(view, Qt.Key.Key_Right)
    wait_shown(qtbot, browser, 2)
    qtbot.keyClick(view, Qt.Key.Key_Left)
    qtbot.keyClick(view, Qt.Key.Key_Left)
    qtbot.keyClick(view, Qt.Key.Key_Left)
    wait_shown(qtbot, browser, 0)


def test_what_is_broken_is_listed_with_its_reason(open_browser, qtbot, data_copy):
    (data_copy / "training" / "Person_02_1.jpg").write_bytes(b"no image")
    (data_copy / "training" / "Person_03_0.jpg").unlink()
    window = open_browser(data_copy)
    assert "2 cannot be used" in window.status_line.summary.text()
    window.filter_bar.problems_only.setChecked(True)
    assert names(window) == ["Person_02_1.jpg", "Person_03_0.jpg"]
    assert "not an image" in window.model.data(window.model.index(0), Qt.ItemDataRole.ToolTipRole)
    wait_shown(qtbot, window, 0)
    assert "not an image" in window.face_panel.view.message
    window.grid.choose(1)
    wait_shown(qtbot, window, 1)
    assert window.face_panel.view.message
    window.content.tabs.setCurrentIndex(1)
    assert "there is no image" in window.augmentation.sheet.message.lower()


def test_augmentation_shows_16_variants_of_the_face_and_others_when_asked_again(browser, qtbot):
    browser.content.tabs.setCurrentIndex(1)
    sheet = browser.augmentation.sheet

    def wait_other(than):
        qtbot.waitUntil(lambda: sheet.variants is not None and sheet.variants is not than, timeout=TIMEOUT_MS)
        return sheet.variants

    first = wait_other(None)
    assert first.crops.shape == (16, 96, 96)
    browser.augmentation.again.click()
    again = wait_other(first)
    assert (again.crops != first.crops).any()
    browser.augmentation.network.setCurrentText("two_conv")
    large = wait_other(again)
    assert large.crops.shape == (16, 224, 224)
    browser.augmentation.augmentation.setCurrentIndex(3)
    plain = wait_other(large)
    assert (plain.crops == plain.crops[0]).all()
    browser.grid.choose(9)
    other_face = wait_other(plain)
    assert (other_face.crops != plain.crops).any()


def test_a_folder_without_data_set_is_said_plainly_and_another_can_be_opened(
    open_browser, qtbot, tmp_path, tiny_data, monkeypatch
):
    (tmp_path / "empty").mkdir()
    window = open_browser(tmp_path / "empty")
    assert window.pane.currentWidget() is window.empty_state
    assert window.empty_state.title == "This data set cannot be read"
    assert "empty" in window.empty_state.text
    assert not window.judge_action.isEnabled()
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tiny_data))
    window.empty_state.buttons()[0].click()
    wait_checked(qtbot, window)
    assert window.pane.currentWidget() is window.content
    assert window.model.rowCount() == 35


def test_a_table_without_a_face_is_said_plainly(open_browser, data_copy, edit_table):
    (data_copy / "test_frames_keypoints.csv").unlink()
    edit_table(data_copy / "training_frames_keypoints.csv", lambda lines: lines.__delitem__(slice(1, None)))
    window = open_browser(data_copy)
    assert window.empty_state.title == "There are no faces in this data set"
    assert "no rows" in window.empty_state.text
    assert window.pane.currentWidget() is window.empty_state


def test_without_a_data_set_the_way_to_one_is_shown(open_browser, qtbot, tiny_data):
    window = open_browser(None, checked=False)
    assert window.empty_state.title == "No data set yet"
    assert not window.again_action.isEnabled()
    window.show_dataset(tiny_data)
    wait_checked(qtbot, window)
    assert window.model.rowCount() == 35


def test_a_folder_that_is_dropped_is_shown(browser, qtbot, csv_data):
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(csv_data))])
    browser.dropEvent(
        QDropEvent(
            QPointF(5, 5), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
        )
    )
    wait_checked(qtbot, browser)
    assert browser.model.rowCount() == 32
    assert not browser.filter_bar.split.isEnabled(), "there is no test split to choose"


def test_reading_again_finds_what_has_changed(open_browser, qtbot, data_copy):
    window = open_browser(data_copy)
    shutil.rmtree(data_copy)
    window.again_action.trigger()
    wait_checked(qtbot, window)
    assert window.pane.currentWidget() is window.empty_state
    assert "there is no folder" in window.empty_state.text.lower()


def test_a_data_set_that_is_on_show_is_not_read_again_by_showing_it(browser, tiny_data):
    catalogue = browser.browsing.catalogue
    browser.show_dataset(tiny_data)
    assert browser.browsing.catalogue is catalogue


def test_pictures_that_vanish_after_reading_are_said_in_place(open_browser, qtbot, data_copy):
    window = open_browser(data_copy)
    shutil.rmtree(data_copy)
    window.grid.choose(30)
    wait_shown(qtbot, window, 30)
    assert "cannot be read" in window.face_panel.view.message
    assert not window.face_panel.copy.isEnabled()


def test_the_view_can_be_copied_and_saved(browser, qtbot, tmp_path):
    wait_shown(qtbot, browser, 0)
    browser.face_panel.copy.click()
    size = browser.face_panel.view.size() * 2
    assert QGuiApplication.clipboard().image().size() == size
    browser.save_picture(tmp_path / "mine")
    qtbot.waitUntil((tmp_path / "mine.png").exists, timeout=TIMEOUT_MS)
    assert QImage(str(tmp_path / "mine.png")).size() == size


def test_a_picture_that_cannot_be_written_is_a_notice(browser, qtbot, tmp_path, is_one_sentence):
    wait_shown(qtbot, browser, 0)
    (tmp_path / "file").write_bytes(b"")
    browser.banner.clear()
    browser.save_picture(tmp_path / "file" / "mine.png")
    qtbot.waitUntil(lambda: bool(browser.banner.text), timeout=TIMEOUT_MS)
    assert is_one_sentence(browser.banner.text)
    assert "mine.png cannot be written" in browser.banner.text


@pytest.mark.parametrize("moment", ["reading", "read", "judging", "augmenting"])
@pytest.mark.parametrize("way", ["close", "hide"])
def test_a_window_that_goes_ends_its_work_and_reads_again_when_it_comes_back(
    open_browser, qtbot, tiny_data, moment, way
):
    before = set(threading.enumerate())
    window = open_browser(tiny_data, checked=moment != "reading")
    if moment == "judging":
        window.judge_action.trigger()
    elif moment == "augmenting":
        window.content.tabs.setCurrentIndex(1)
    getattr(window, way)()
    ours = [thread for thread in threading.enumerate() if thread not in before]
    for thread in ours:
        thread.join(30)
    assert not [thread.name for thread in ours if thread.is_alive()]
    window.show()
    wait_checked(qtbot, window)
    assert window.model.rowCount() == 35
    assert window.pane.currentWidget() is window.content
    assert window.status_line.doing.text() == ""
    assert window.judge_action.isEnabled()
