"""Looking through real, tiny data sets without a window."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest
from PySide6.QtGui import QImage

from fkd_desktop.training import judge, thumbnails
from fkd_desktop.training.browsing import Browsing, BrowsingState, VariantsWish
from fkd_desktop.training.entries import checked_catalogue, whole_catalogue
from fkd_desktop.training.newest import Newest
from fkd_desktop.training.thumbnails import ThumbnailMaker, cut_square, thumbnail
from trainer import metrics
from trainer.contact_sheet import PAGE_BGR, TRUE_BGR
from trainer.core.preprocess import box_from_keypoints, crop_squares, frame_to_unit
from trainer.readers import read_samples

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT_MS = 60_000


@pytest.fixture
def browsing(qtbot):
    browsing = Browsing(device="cpu")
    yield browsing
    browsing.close()


def opened(qtbot, browsing, root, *, checked=True):
    browsing.open(root)
    qtbot.waitUntil(lambda: browsing.state is not BrowsingState.READING, timeout=TIMEOUT_MS)
    if checked:
        qtbot.waitUntil(lambda: not browsing.is_checking, timeout=TIMEOUT_MS)
    return browsing


def checked(root):
    return checked_catalogue(root, on_progress=lambda *_: None, should_stop=lambda: False)


# --- entries


def test_entries_are_the_faces_that_training_reads_in_the_order_of_the_tables(tiny_data):
    entries = whole_catalogue(tiny_data).entries
    samples = read_samples(tiny_data, "all")
    assert [entry.image for entry in entries] == [sample.image_path for sample in samples]
    assert [entry.split for entry in entries] == ["training"] * 32 + ["test"] * 3
    for entry, sample in zip(entries, samples, strict=True):
        np.testing.assert_array_equal(entry.keypoints_px, sample.keypoints_px)
        assert entry.identity == sample.identity


def test_a_line_that_cannot_be_used_has_its_place_and_reason(data_copy, edit_table):
    table = data_copy / "training_frames_keypoints.csv"
    edit_table(table, lambda lines: lines.__setitem__(3, lines[3].rsplit(",", 2)[0]))
    entry = whole_catalogue(data_copy).entries[2]
    assert entry.place == (table, 4)
    assert "67 keypoints instead of 68" in entry.problem
    assert not entry.is_usable
    with pytest.raises(ValueError, match="no face"):
        _ = entry.sample


def test_the_check_finds_what_only_decoding_shows_and_leaves_the_order(data_copy):
    whole = whole_catalogue(data_copy)
    whole.entries[4].image.write_bytes(b"no image")
    shutil.copy(whole.entries[6].image, whole.entries[7].image)
    after = checked(data_copy)
    assert [entry.place for entry in after.entries] == [entry.place for entry in whole.entries]
    assert "not an image" in after.entries[4].problem
    assert "same pixels" in after.entries[7].warnings[0]
    assert sum(not entry.is_usable for entry in after.entries) == 1
    assert "3 of its 3 identities are in training too" in after.notes[0]
    assert after.is_checked
    assert not whole.is_checked


def test_every_layout_can_be_looked_through(csv_data, pts_data):
    assert len(whole_catalogue(csv_data).entries) == 32
    (pts_data / "person_00" / "Person_00_1.pts").write_text("rubbish", encoding="utf-8")
    entries = checked(pts_data).entries
    assert len(entries) == 12
    assert "no .pts file" in entries[1].problem
    assert [entry.place[1] for entry in entries] == [None] * 12


# --- the controller


def test_faces_come_first_and_problems_follow(qtbot, browsing, data_copy):
    whole_catalogue(data_copy).entries[0].image.write_bytes(b"no image")
    counts = []
    browsing.catalogue_changed.connect(
        lambda: counts.append((len(browsing.catalogue.entries), browsing.catalogue.entries[0].is_usable))
    )
    opened(qtbot, browsing, data_copy)
    assert counts[0] == (35, True)
    assert counts[-1] == (35, False)
    assert browsing.catalogue.is_checked


def test_what_is_no_data_set_fails_with_a_sentence(qtbot, browsing, tmp_path, is_one_sentence):
    with qtbot.waitSignal(
        browsing.state_changed, timeout=TIMEOUT_MS, check_params_cb=lambda state, _: state is BrowsingState.FAILED
    ) as told:
        browsing.open(tmp_path / "nowhere")
    assert is_one_sentence(told.args[1])
    assert "nowhere" in told.args[1]
    assert browsing.catalogue is None


def test_of_two_data_sets_that_are_opened_in_a_row_only_the_second_is_shown(qtbot, browsing, tiny_data, csv_data):
    browsing.open(tiny_data)
    opened(qtbot, browsing, csv_data)
    assert browsing.catalogue.source.root == csv_data
    assert len(browsing.catalogue.entries) == 32


def test_a_data_set_that_vanishes_during_the_check_says_so(qtbot, browsing, data_copy, monkeypatch, is_one_sentence):
    arrived, gone = threading.Event(), threading.Event()
    from fkd_desktop.training import browsing as module

    def slow(root, **options):
        arrived.set()
        assert gone.wait(30)
        return checked_catalogue(root, **options)

    monkeypatch.setattr(module, "checked_catalogue", slow)
    opened(qtbot, browsing, data_copy, checked=False)
    assert arrived.wait(30)
    shutil.rmtree(data_copy)
    with qtbot.waitSignal(browsing.check_ended, timeout=TIMEOUT_MS) as told:
        gone.set()
    assert is_one_sentence(told.args[0])
    assert len(browsing.catalogue.entries) == 35, "what was read stays"


# --- the network


def test_the_network_judges_every_face_as_the_trainer_does(qtbot, browsing, tiny_data, monkeypatch):
    monkeypatch.setattr(judge, "FACES_AT_ONCE", 8)
    opened(qtbot, browsing, tiny_data)
    with qtbot.waitSignal(browsing.judging_ended, timeout=TIMEOUT_MS) as told:
        browsing.judge_all()
    assert told.args == [""]
    from trainer.core.predictor import Predictor
    from trainer.evaluate import predict, truth_of

    samples = read_samples(tiny_data, "all")
    points = predict([Predictor.load(device="cpu")], samples).points_px[0]
    nmes = metrics.nme(points, truth_of(samples))
    found = [browsing.prediction(entry) for entry in browsing.catalogue.entries]
    np.testing.assert_allclose([prediction.nme for prediction in found], nmes, rtol=1e-3)
    np.testing.assert_allclose([prediction.points_px for prediction in found], points, atol=0.05)
    assert browsing.unjudged == []


def test_judging_that_is_stopped_keeps_what_it_has_and_goes_on_from_there(qtbot, browsing, tiny_data, monkeypatch):
    monkeypatch.setattr(judge, "FACES_AT_ONCE", 4)
    opened(qtbot, browsing, tiny_data)
    stop = lambda *_: browsing.stop_judging()  # noqa: E731
    browsing.judging_progressed.connect(stop)
    with qtbot.waitSignal(browsing.judging_ended, timeout=TIMEOUT_MS):
        browsing.judge_all()
    browsing.judging_progressed.disconnect(stop)
    assert 0 < len(browsing.predictions) < 35
    assert not browsing.is_judging
    before = dict(browsing.predictions)
    with qtbot.waitSignal(browsing.judging_ended, timeout=TIMEOUT_MS):
        browsing.judge_all()
    assert len(browsing.predictions) == 35
    assert all(browsing.predictions[place] is prediction for place, prediction in before.items())


def test_faces_whose_images_have_gone_are_counted_and_the_others_judged(qtbot, browsing, data_copy):
    opened(qtbot, browsing, data_copy)
    for entry in browsing.catalogue.entries[:2]:
        entry.image.unlink()
    with qtbot.waitSignal(browsing.judging_ended, timeout=TIMEOUT_MS) as told:
        browsing.judge_all()
    assert told.args[0].startswith("2 faces were not judged")
    assert browsing.prediction(browsing.catalogue.entries[0]) is None
    assert browsing.prediction(browsing.catalogue.entries[2]) is not None


def test_weights_that_are_no_weights_are_a_sentence(qtbot, tiny_data, tmp_path, is_one_sentence):
    browsing = Browsing(weights=tmp_path / "none.safetensors", device="cpu")
    opened(qtbot, browsing, tiny_data)
    with qtbot.waitSignal(browsing.judging_ended, timeout=TIMEOUT_MS) as told:
        browsing.judge_all()
    assert is_one_sentence(told.args[0])
    with qtbot.waitSignal(browsing.prediction_failed, timeout=TIMEOUT_MS):
        browsing.judge(browsing.catalogue.entries[0])
    browsing.set_weights(None)
    with qtbot.waitSignal(browsing.predicted, timeout=TIMEOUT_MS):
        browsing.judge(browsing.catalogue.entries[0])
    assert browsing.prediction(browsing.catalogue.entries[0]) is not None
    browsing.close()


# --- one face


def test_a_large_picture_comes_in_halves_of_its_size_too(qtbot, browsing, data_copy):
    opened(qtbot, browsing, data_copy)
    entry = browsing.catalogue.entries[0]
    image = cv2.imread(str(entry.image))
    entry.image.write_bytes(cv2.imencode(".png", cv2.resize(image, (3000, 2000)))[1].tobytes())
    with qtbot.waitSignal(browsing.picture_read, timeout=TIMEOUT_MS) as told:
        browsing.read_picture(entry)
    assert [level.shape for level in told.args[1]] == [(2000, 3000, 3), (1000, 1500, 3), (500, 750, 3)]


def test_a_picture_that_has_gone_is_a_sentence(qtbot, browsing, data_copy, is_one_sentence):
    opened(qtbot, browsing, data_copy)
    entry = browsing.catalogue.entries[0]
    entry.image.unlink()
    with qtbot.waitSignal(browsing.picture_read, timeout=TIMEOUT_MS) as told:
        browsing.read_picture(entry)
    assert told.args[1] == ()
    assert is_one_sentence(told.args[2])


def test_variants_are_made_as_wished_or_it_is_said_why_not(qtbot, browsing, data_copy, is_one_sentence):
    opened(qtbot, browsing, data_copy)
    entry = browsing.catalogue.entries[0]
    with qtbot.waitSignal(browsing.variants_made, timeout=TIMEOUT_MS) as told:
        browsing.make_variants(entry, VariantsWish("two_conv", "random_crop", calm=False, seed=3))
    assert told.args[0] is entry
    assert told.args[1].crops.shape == (16, 224, 224)
    entry.image.unlink()
    with qtbot.waitSignal(browsing.variants_made, timeout=TIMEOUT_MS) as told:
        browsing.make_variants(entry, VariantsWish("compact", "full", calm=True, seed=3))
    assert told.args[1] is None
    assert is_one_sentence(told.args[2])


def test_of_what_is_asked_for_in_a_row_only_the_first_and_the_newest_are_done(qtbot):
    newest, go_on = Newest("testing"), threading.Event()
    done: list[int] = []

    def work(number):
        def run(_job):
            assert go_on.wait(30)
            return number

        return run

    for number in range(50):
        newest.ask(work(number), done.append, pytest.fail)
    go_on.set()
    qtbot.waitUntil(lambda: len(done) == 2, timeout=TIMEOUT_MS)
    assert done == [0, 49]


# --- thumbnails


def test_a_thumbnail_shows_the_face_with_dots_on_its_keypoints(tiny_data):
    entry = whole_catalogue(tiny_data).entries[0]
    image = thumbnail(entry, 240)
    square = crop_squares(box_from_keypoints(entry.keypoints_px))
    blue, green, red = TRUE_BGR
    for x, y in frame_to_unit(entry.keypoints_px[None], square)[0] * 240:
        colour = image.pixelColor(int(x), int(y))
        assert abs(colour.red() - red) + abs(colour.green() - green) + abs(colour.blue() - blue) < 90, (x, y)


def test_what_is_beyond_the_border_is_dark_however_far_it_reaches():
    image = np.full((10, 20, 3), 200, np.uint8)
    inside = cut_square(image, np.array([5, 0, 10], np.float32), 40)
    assert (inside == 200).all()
    across = cut_square(image, np.array([-10, 0, 20], np.float32), 40)
    assert (across[:20, 20:] == 200).all()
    assert (across[:, :20] == PAGE_BGR).all()
    assert (across[20:] == PAGE_BGR).all()
    huge = cut_square(image, np.array([-(10**6), -(10**6), 2 * 10**6], np.float32), 40)
    assert huge.shape == (40, 40, 3)


def wait_idle(qtbot, maker):
    qtbot.waitUntil(lambda: maker.is_idle, timeout=TIMEOUT_MS)


@pytest.fixture
def maker(qtbot):
    maker = ThumbnailMaker()
    yield maker
    maker.close()


def test_thumbnails_are_made_of_what_is_wanted_and_told_of_in_batches(qtbot, maker, tiny_data):
    entries = whole_catalogue(tiny_data).entries
    told = []
    maker.made.connect(lambda: told.append(1))
    maker.want(entries[:30], 64)
    wait_idle(qtbot, maker)
    assert all(isinstance(maker.get(entry, 64), QImage) for entry in entries[:30])
    assert maker.get(entries[31], 64) is None
    assert maker.get(entries[0], 65) is None
    assert 0 < len(told) < 30


def test_what_is_out_of_sight_again_is_not_made(qtbot, maker, tiny_data, monkeypatch):
    entries = whole_catalogue(tiny_data).entries
    go_on, begun = threading.Event(), threading.Semaphore(0)
    real = thumbnails.thumbnail

    def slow(entry, side_px):
        begun.release()
        assert go_on.wait(30)
        return real(entry, side_px)

    monkeypatch.setattr(thumbnails, "thumbnail", slow)
    maker.want(entries[:30], 64)
    for _ in range(thumbnails.THREADS):
        assert begun.acquire(timeout=30)
    maker.want(entries[30:], 64)
    go_on.set()
    wait_idle(qtbot, maker)
    made = [number for number, entry in enumerate(entries) if maker.get(entry, 64) is not None]
    assert made == [0, 1, 30, 31, 32, 33, 34]


def test_thumbnails_never_take_more_memory_than_allowed_and_the_oldest_go(qtbot, maker, tiny_data, monkeypatch):
    entries = whole_catalogue(tiny_data).entries
    monkeypatch.setattr(thumbnails, "CACHE_BYTES", 10 * 64 * 64 * 4)
    for start in range(0, 30, 5):
        maker.want(entries[start : start + 5], 64)
        wait_idle(qtbot, maker)
    assert maker.kept_bytes == 10 * 64 * 64 * 4
    kept = [number for number, entry in enumerate(entries) if maker.get(entry, 64) is not None]
    assert kept == list(range(20, 30))


def test_of_an_image_that_cannot_be_read_the_reason_is_kept(qtbot, maker, data_copy):
    entries = whole_catalogue(data_copy).entries
    entries[0].image.write_bytes(b"no image")
    maker.want(entries[:2], 64)
    wait_idle(qtbot, maker)
    assert "not an image" in maker.get(entries[0], 64)
    assert isinstance(maker.get(entries[1], 64), QImage)


# --- ends


def test_after_closing_nothing_is_told_and_the_threads_end(qtbot, tiny_data):
    before = set(threading.enumerate())
    browsing = Browsing(device="cpu")
    opened(qtbot, browsing, tiny_data, checked=False)
    entries = browsing.catalogue.entries
    browsing.thumbnails.want(entries, 200)
    browsing.judge_all()
    browsing.read_picture(entries[0])
    browsing.make_variants(entries[0], VariantsWish("compact", "full", calm=False, seed=1))
    told = []
    for signal in (browsing.check_ended, browsing.judging_ended, browsing.picture_read, browsing.variants_made):
        signal.connect(lambda *args: told.append(args))
    browsing.thumbnails.made.connect(lambda: told.append("made"))
    browsing.close()
    started = [thread for thread in threading.enumerate() if thread not in before]
    for thread in started:
        thread.join(30)
    assert not [thread.name for thread in started if thread.is_alive()]
    qtbot.wait(100)  # whatever was on its way arrives
    assert told == []
    assert browsing.catalogue is None


def test_a_closed_one_opens_again(qtbot, browsing, tiny_data):
    opened(qtbot, browsing, tiny_data)
    browsing.close()
    assert browsing.state is BrowsingState.EMPTY
    opened(qtbot, browsing, tiny_data)
    browsing.thumbnails.want(browsing.catalogue.entries[:3], 64)
    wait_idle(qtbot, browsing.thumbnails)
    assert browsing.thumbnails.get(browsing.catalogue.entries[2], 64) is not None


def test_the_window_is_there_without_torch():
    program = "import sys, fkd_desktop.ui.dataset_browser; print('torch' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True)
    assert run.stdout.strip() == "False"
