"""The data set that a run would train on: checked, downloaded and refused in the background."""

from __future__ import annotations

import shutil
import threading

import pytest

from fkd_desktop.training import data as data_module
from fkd_desktop.training.data import THUMBNAIL_PX, THUMBNAILS, DataController, DataState
from tests.trainer.download.http_server import FILE_URL, LISTING, DataServer, status
from trainer.check import check
from trainer.download import default_folder
from trainer.readers import read_samples

TIMEOUT_MS = 30_000
TABLE = "training_frames_keypoints.csv"


@pytest.fixture
def make_data(qtbot):
    made = []

    def make(**options) -> DataController:
        data = DataController(**options)
        data.states, data.told = [], []
        data.changed.connect(lambda: data.states.append(data.state))
        data.progressed.connect(lambda done, total: data.told.append((done, total)))
        made.append(data)
        return data

    yield make
    for data in made:
        data.shut_down()


@pytest.fixture
def data(make_data):
    return make_data()


@pytest.fixture
def settle(qtbot):
    def wait(data: DataController) -> DataController:
        qtbot.waitUntil(lambda: not data.state.is_busy, timeout=TIMEOUT_MS)
        return data

    return wait


@pytest.fixture
def server(monkeypatch, tiny_data):
    """The drawn faces, published."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with DataServer() as server:
        paths = (path for path in tiny_data.rglob("*") if path.is_file())
        server.files = {f"data/{path.relative_to(tiny_data).as_posix()}": path.read_bytes() for path in paths}
        yield server


@pytest.fixture
def held_check(monkeypatch):
    """Checks wait for this event before they begin."""
    go_on = threading.Event()

    def wait_and_check(root, **options):
        assert go_on.wait(TIMEOUT_MS / 1000)
        return check(root, **options)

    monkeypatch.setattr(data_module, "check", wait_and_check)
    yield go_on
    go_on.set()


def test_without_a_data_set_training_cannot_start(data):
    assert data.state is DataState.NONE
    assert data.folder is None
    assert data.why_not == "choose a data set first"


def test_a_good_data_set_is_ready(data, settle, tiny_data):
    data.choose(tiny_data)
    assert data.state is DataState.CHECKING
    assert "checked" in data.why_not
    settle(data)
    assert data.states == [DataState.CHECKING, DataState.READY]
    assert data.why_not == data.message == ""
    assert data.folder == tiny_data
    assert data.report.faces == {"training": 32, "test": 3}
    assert data.told[-1][1] == 35


def test_thumbnails_show_faces_with_their_keypoints(data, settle, tiny_data):
    data.choose(tiny_data)
    settle(data)
    assert len(data.thumbnails) == THUMBNAILS
    for image in data.thumbnails:
        assert image.shape == (THUMBNAIL_PX, THUMBNAIL_PX, 3)
        # The drawn faces are grey: what has a colour was painted on them.
        assert (image.max(axis=2).astype(int) - image.min(axis=2) > 40).sum() > 100


def test_a_table_can_be_chosen_by_its_path(data, settle, csv_data):
    data.choose(csv_data / "labels.csv")
    settle(data)
    assert data.state is DataState.READY
    assert data.report.source.layout == "csv"


def test_a_relative_path_is_made_absolute_for_the_training_process(data, settle, tiny_data, monkeypatch):
    monkeypatch.chdir(tiny_data.parent)
    data.choose(tiny_data.name)
    settle(data)
    assert data.folder == tiny_data


@pytest.mark.parametrize(
    ("name", "words"),
    [("nowhere", "there is no folder"), ("empty", "is empty"), ("notes.txt", "neither a folder nor a CSV table")],
)
def test_what_is_no_data_set_is_refused_with_a_reason(data, settle, tmp_path, is_one_sentence, name, words):
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("no table")
    data.choose(tmp_path / name)
    settle(data)
    assert data.state is DataState.UNUSABLE
    assert data.report is None
    assert words in data.message
    assert data.why_not == data.message
    assert is_one_sentence(data.why_not)
    assert not data.can_leave_out


def test_a_folder_that_vanishes_is_told_when_it_is_checked_again(data, settle, data_copy):
    data.choose(data_copy)
    settle(data)
    shutil.rmtree(data_copy)
    data.check_again()
    settle(data)
    assert data.state is DataState.UNUSABLE
    assert str(data_copy) in data.why_not
    assert data.report is None
    assert data.thumbnails == ()


def test_a_repaired_data_set_is_ready_when_it_is_checked_again(data, settle, data_copy, edit_table):
    table = data_copy / TABLE
    good = table.read_text()
    edit_table(table, lambda lines: lines.append("gone.jpg" + ",1,2" * 68))
    data.choose(data_copy)
    assert settle(data).state is DataState.UNUSABLE
    table.write_text(good)
    data.check_again()
    assert settle(data).state is DataState.READY


def test_one_person_is_not_enough_to_train_on(data, settle, data_copy, edit_table, is_one_sentence):
    edit_table(data_copy / TABLE, lambda lines: lines.__delitem__(slice(5, None)))
    data.choose(data_copy)
    settle(data)
    assert data.state is DataState.UNUSABLE
    assert "one identity" in data.why_not
    assert is_one_sentence(data.why_not)
    assert data.report.faces["training"] == 4
    assert not data.can_leave_out


@pytest.fixture
def bad_copy(data_copy, edit_table):
    """Two labels that cannot be used: an image that is missing, and one that is none."""
    (data_copy / "training" / "Person_00_1.jpg").unlink()
    (data_copy / "training" / "Person_01_1.jpg").write_bytes(b"no image")
    return data_copy


def test_what_the_trainer_would_refuse_is_refused_before(data, settle, bad_copy, is_one_sentence):
    with pytest.raises(ValueError, match="Person_00_1"):
        read_samples(bad_copy)
    data.choose(bad_copy)
    settle(data)
    assert data.state is DataState.UNUSABLE
    assert data.why_not.startswith("2 training labels of the data set cannot be used")
    assert is_one_sentence(data.why_not)
    assert len(data.report.problems) == 2


def test_problems_of_the_test_split_alone_are_no_reason_not_to_train(data, settle, data_copy):
    (data_copy / "test" / "Person_00_0.jpg").unlink()
    data.choose(data_copy)
    settle(data)
    assert data.state is DataState.READY
    assert len(data.report.problems) == 1


def test_bad_labels_can_be_left_out(data, settle, bad_copy):
    before = {path: path.read_bytes() for path in bad_copy.rglob("*") if path.is_file()}
    data.choose(bad_copy)
    settle(data)
    assert data.can_leave_out
    data.leave_out()
    assert settle(data).state is DataState.READY
    assert data.folder == bad_copy / "good_rows.csv"
    assert len(read_samples(data.folder)) == 30
    assert {path: path.read_bytes() for path in before} == before


def test_leaving_out_replaces_no_table_that_is_there(data, settle, bad_copy):
    mine = bad_copy / "good_rows.csv"
    mine.write_text("mine")
    data.choose(bad_copy)
    settle(data)
    data.leave_out()
    settle(data)
    assert data.folder == bad_copy / "good_rows_2.csv"
    assert mine.read_text() == "mine"


def test_a_table_that_cannot_be_written_leaves_all_as_it_was(data, settle, bad_copy, monkeypatch):
    data.choose(bad_copy)
    settle(data)
    why, report = data.why_not, data.report

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("trainer.check.write_atomically", full)
    data.leave_out()
    settle(data)
    assert "No space left" in data.message
    assert (data.state, data.why_not, data.report) == (DataState.UNUSABLE, why, report)
    assert data.can_leave_out


def test_a_check_can_be_cancelled_and_begun_again(data, settle, tiny_data, held_check):
    data.choose(tiny_data)
    data.cancel()
    assert data.state is DataState.UNUSABLE
    assert "stopped" in data.why_not
    held_check.set()
    data.check_again()
    assert settle(data).state is DataState.READY
    assert data.states == [DataState.CHECKING, DataState.UNUSABLE, DataState.CHECKING, DataState.READY]


def test_another_choice_replaces_the_check_under_way(data, settle, tiny_data, csv_data, held_check):
    data.choose(tiny_data)
    data.choose(csv_data)
    held_check.set()
    settle(data)
    assert data.folder == csv_data
    assert data.report.source.layout == "csv"
    assert data.states == [DataState.CHECKING, DataState.CHECKING, DataState.READY]


def test_nothing_is_told_after_shutting_down(data, tiny_data, held_check, qtbot):
    data.choose(tiny_data)
    job = data._job
    data.shut_down()
    held_check.set()
    assert job.wait(TIMEOUT_MS / 1000)
    qtbot.wait(1)  # what the job has sent has arrived by now
    assert data.states == [DataState.CHECKING]


def test_the_download_is_checked_and_ready(make_data, settle, server):
    data = make_data(source=server.source())
    server.delay_s = 0.02
    assert data.downloaded_folder is None
    data.download()
    assert data.state is DataState.DOWNLOADING
    assert "downloaded" in data.why_not
    settle(data)
    assert data.states == [DataState.DOWNLOADING, DataState.CHECKING, DataState.READY]
    assert data.folder == default_folder() == data.downloaded_folder
    assert data.message.startswith("35 pictures are in ")
    assert data.received_bytes > 0
    total = sum(map(len, server.files.values()))
    assert any(0 < done <= of == total for done, of in data.told)


def test_a_stopped_download_goes_on_from_there(make_data, settle, server, qtbot, is_one_sentence):
    data = make_data(source=server.source(connections=1))
    server.delay_s = 0.05
    data.download()
    qtbot.waitUntil(lambda: any(done for done, _ in data.told), timeout=TIMEOUT_MS)
    data.cancel()
    assert data.state is DataState.NONE
    assert "goes on from there" in data.message
    assert is_one_sentence(data.message)
    assert data.why_not == "choose a data set first"
    data._download_job.wait(TIMEOUT_MS / 1000)
    server.behave()
    data.download()
    settle(data)
    assert data.state is DataState.READY
    assert 0 < sum(path.startswith("/raw") for path in server.requests) < len(server.files), "some were there already"


def test_a_download_begun_again_at_once_waits_for_the_one_before(make_data, settle, server, qtbot):
    data = make_data(source=server.source(connections=1))
    server.delay_s = 0.02
    data.download()
    qtbot.waitUntil(lambda: any(done for done, _ in data.told), timeout=TIMEOUT_MS)
    data.cancel()
    data.download()
    assert settle(data).state is DataState.READY


def test_a_failed_download_gives_back_the_data_set_before(make_data, settle, server, tiny_data, is_one_sentence):
    data = make_data(source=server.source())
    data.choose(tiny_data)
    settle(data)
    server.always_say(LISTING, status(404))
    data.download()
    settle(data)
    assert data.state is DataState.READY
    assert data.folder == tiny_data
    assert is_one_sentence(data.message)
    assert "404" in data.message


def test_an_incomplete_download_says_that_it_can_be_repaired(make_data, settle, server):
    server.always_say(FILE_URL, status(404))
    data = make_data(source=server.source())
    data.download()
    settle(data)
    assert data.state is DataState.NONE
    data.choose(data.downloaded_folder)
    settle(data)
    assert data.state is DataState.UNUSABLE
    assert "download the data set again" in data.why_not
    server.behave()
    data.download()
    assert settle(data).state is DataState.READY


def test_downloading_ends_a_check_under_way(make_data, settle, server, tiny_data, held_check):
    data = make_data(source=server.source())
    data.choose(tiny_data)
    held_check.set()
    data.download()
    settle(data)
    assert data.folder == default_folder()
    assert data.states[1:] == [DataState.UNUSABLE, DataState.DOWNLOADING, DataState.CHECKING, DataState.READY]


@pytest.mark.parametrize("layout", ["csv", "pts"])
def test_bad_labels_can_be_left_out_of_every_layout(data, settle, csv_data, pts_data, layout):
    root = {"csv": csv_data, "pts": pts_data}[layout]
    next(root.rglob("Person_01_2.jpg")).write_bytes(b"no image")
    data.choose(root)
    assert "one training label of the data set cannot be used" in settle(data).why_not
    data.leave_out()
    assert settle(data).state is DataState.READY
    assert len(read_samples(data.folder)) == {"csv": 31, "pts": 11}[layout]
