"""Pictures, bursts and films of a session, read back from their files."""

from __future__ import annotations

import gc
import re
import time
import weakref
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from PySide6.QtGui import QGuiApplication, QImage

from fkd_desktop.capture import controller as module
from fkd_desktop.capture import countdown, films, pictures
from fkd_desktop.capture.files import claim_file, claim_folder, free_bytes
from tests.capture.live_frames import RedLayer, live_frame

NAME = r"FKD \d{4}-\d\d-\d\d \d\d-\d\d-\d\d"


def saved_picture(qtbot, stage, **options) -> np.ndarray:
    with qtbot.waitSignal(stage.capture.picture_saved, timeout=5000) as saved:
        stage.capture.take_snapshot(**options)
    return cv2.imread(saved.args[0])


# --- pictures


def test_a_picture_is_what_is_on_the_screen_at_full_resolution(stage, qtbot):
    stage.shown = live_frame(90, width=1600, height=1200, faces=1)
    stage.layers = (RedLayer(),)
    image = saved_picture(qtbot, stage)
    assert image.shape == (1200, 1600, 3)
    assert tuple(image[600, 100]) == (0, 0, 255) and tuple(image[600, 1500]) == (90, 90, 90)
    (path,) = stage.capture.pictures_folder.iterdir()
    assert re.fullmatch(NAME + r"\.png", path.name)


def test_without_overlays_what_hides_faces_stays(stage, qtbot):
    stage.shown = live_frame(90, width=1600, height=1200, faces=1)
    stage.capture._plain_layers = lambda: (RedLayer(),)
    image = saved_picture(qtbot, stage, with_overlays=False)
    assert tuple(image[600, 100]) == (0, 0, 255) and tuple(image[600, 1500]) == (90, 90, 90)


def test_without_overlays_it_is_the_frame(stage, qtbot):
    stage.shown = live_frame(90, faces=1)
    stage.layers = (RedLayer(),)
    assert np.array_equal(saved_picture(qtbot, stage, with_overlays=False), stage.shown.result.frame_bgr)


@pytest.mark.parametrize(("keeps_mirror", "red_x", "grey_x"), [(True, 310, 10), (False, 10, 310)])
def test_it_is_mirrored_as_the_screen_is_if_the_user_wants_that(stage, qtbot, keeps_mirror, red_x, grey_x):
    stage.shown = live_frame(90, faces=1)
    stage.layers, stage.mirrored = (RedLayer(),), True
    stage.capture.keeps_mirror = keeps_mirror
    image = saved_picture(qtbot, stage)
    assert tuple(image[120, red_x]) == (0, 0, 255) and tuple(image[120, grey_x]) == (90, 90, 90)


def test_a_plain_picture_is_mirrored_too(stage, qtbot):
    stage.shown.result.frame_bgr[:, :100] = 200
    stage.mirrored = True
    assert np.array_equal(saved_picture(qtbot, stage), stage.shown.result.frame_bgr[:, ::-1])


def test_jpeg_if_the_user_wants_that(stage, qtbot):
    stage.capture.picture_format = "jpg"
    image = saved_picture(qtbot, stage)
    assert abs(int(image.mean()) - 90) <= 1
    (path,) = stage.capture.pictures_folder.iterdir()
    assert path.suffix == ".jpg" and path.read_bytes()[:2] == b"\xff\xd8"


def test_pictures_of_the_same_second_have_names_of_their_own(stage, qtbot, monkeypatch):
    monkeypatch.setattr(module, "stem_now", lambda: "FKD then")
    saved = []
    stage.capture.picture_saved.connect(saved.append)
    for _ in range(5):
        stage.capture.take_snapshot()
    qtbot.waitUntil(lambda: len(saved) == 5, timeout=5000)
    names = {"FKD then.png", *(f"FKD then ({n}).png" for n in range(2, 6))}
    assert {Path(path).name for path in saved} == names == {p.name for p in stage.capture.pictures_folder.iterdir()}
    assert all(cv2.imread(path) is not None for path in saved)


def test_a_folder_that_cannot_be_written_is_a_sentence_and_leaves_nothing(stage, qtbot, tmp_path, is_one_sentence):
    (tmp_path / "pictures").write_text("in the way")
    with qtbot.waitSignal(stage.capture.failed, timeout=5000) as failed:
        stage.capture.take_snapshot()
    assert is_one_sentence(failed.args[0]) and str(tmp_path / "pictures") in failed.args[0]


def test_a_disk_that_fails_leaves_no_empty_file(stage, qtbot, monkeypatch, is_one_sentence):
    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pictures, "write_atomically", fail)
    with qtbot.waitSignal(stage.capture.failed, timeout=5000) as failed:
        stage.capture.take_snapshot()
    assert "No space left on device" in failed.args[0] and is_one_sentence(failed.args[0])
    assert list(stage.capture.pictures_folder.iterdir()) == []


def test_without_a_picture_that_is_said(stage, qtbot):
    stage.shown = None
    for do in (stage.capture.take_snapshot, stage.capture.copy_snapshot, stage.capture.take_burst):
        stage.failures.clear()
        do()
        assert "no picture to keep" in stage.failures[0]
    assert not stage.capture.pictures_folder.exists()


def test_the_clipboard_gets_the_picture(stage, qtbot):
    stage.shown = live_frame(90, width=321, height=241, faces=1)  # rows whose length Qt would pad
    stage.layers = (RedLayer(),)
    with qtbot.waitSignal(stage.capture.picture_copied, timeout=5000):
        stage.capture.copy_snapshot()
    image: QImage = QGuiApplication.clipboard().image()
    assert (image.width(), image.height()) == (321, 241)
    assert image.pixelColor(10, 120).getRgb()[:3] == (255, 0, 0)
    assert image.pixelColor(300, 120).getRgb()[:3] == (90, 90, 90)


# --- bursts


@pytest.fixture
def short_burst(monkeypatch):
    monkeypatch.setattr(pictures, "_PATIENCE_S", 0.2)
    monkeypatch.setattr(module, "Burst", lambda first, look: pictures.Burst(first, look, pictures=5, duration_s=0.4))


def test_a_burst_is_a_folder_of_pictures_spread_over_its_time(stage, qtbot, short_burst, monkeypatch):
    told, now_s = [], [100.0]
    stage.capture.burst_changed.connect(lambda *figures: told.append(figures))
    monkeypatch.setattr(pictures, "time", SimpleNamespace(perf_counter=lambda: now_s[0]))
    with qtbot.waitSignal(stage.capture.burst_saved, timeout=10_000) as saved:
        stage.capture.take_burst()
        assert stage.capture.is_taking_burst
        for value in range(1, 50):  # one each 10 ms, in which a picture is due each 100 ms
            now_s[0] = 100.001 + value / 100
            stage.show(live_frame(value))
    folder, count = Path(saved.args[0]), saved.args[1]
    assert count == 5 and not stage.capture.is_taking_burst
    assert [path.name for path in sorted(folder.iterdir())] == ["01.png", "02.png", "03.png", "04.png", "05.png"]
    assert re.fullmatch(NAME + " burst", folder.name)
    values = [round(cv2.imread(str(path)).mean()) for path in sorted(folder.iterdir())]
    assert values == [90, 10, 20, 30, 40]
    assert told[0] == (0, module.BURST_PICTURES) and told[-1] == (0, 0)


def test_a_burst_of_a_still_picture_is_one_picture(stage, qtbot, short_burst):
    with qtbot.waitSignal(stage.capture.burst_saved, timeout=10_000) as saved:
        stage.capture.take_burst()
    assert saved.args[1] == 1 and [path.name for path in Path(saved.args[0]).iterdir()] == ["01.png"]
    assert not stage.capture.is_taking_burst


def test_frames_that_come_in_a_heap_after_a_gap_are_not_all_taken(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(pictures.time, "perf_counter", lambda: now[0])
    burst = pictures.Burst(live_frame(), tuple, pictures=10, duration_s=2.0)
    now[0] += 1.5
    for _ in range(20):
        burst.offer(live_frame())
        now[0] += 0.001
    assert len(burst._frames) == 2


# --- countdown


def test_a_countdown_waits_and_tells_each_second(stage, qtbot, monkeypatch):
    stage.capture._countdown._timer.setInterval(5)
    stage.capture.countdown_s = 3
    told = []
    stage.capture.countdown_changed.connect(told.append)
    with qtbot.waitSignal(stage.capture.picture_saved, timeout=5000):
        stage.capture.take_snapshot()
        assert stage.capture.countdown_left_s == 3 and not stage.capture.pictures_folder.exists()
    assert told == [3, 2, 1, 0]
    assert countdown.TICK_MS == 1000


@pytest.mark.parametrize("how", ["cancel_countdown", "take_snapshot", "take_burst", "toggle_recording"])
def test_a_countdown_can_be_cancelled_also_by_asking_again(stage, qtbot, how):
    stage.capture.countdown_s = 3
    stage.capture.take_snapshot()
    told = []
    stage.capture.countdown_changed.connect(told.append)
    getattr(stage.capture, how)()
    assert told == [0] and stage.capture.countdown_left_s == 0
    assert not stage.capture.is_recording and not stage.capture.is_taking_burst
    assert not stage.capture._countdown._timer.isActive()


def test_a_countdown_that_makes_no_sense_is_none(stage):
    stage.capture.countdown_s = 7
    assert stage.capture.countdown_s == 0


# --- films


def test_a_recording_is_a_film_of_what_was_shown(stage, qtbot):
    capture = stage.capture
    changes, progress = [], []
    capture.recording_changed.connect(changes.append)
    capture.recording_progressed.connect(lambda *figures: progress.append(figures))
    capture.toggle_recording()
    assert capture.is_recording
    begin_s = time.perf_counter()
    for i in range(6):
        stage.show(live_frame(100, captured_s=begin_s + 0.2 * (i + 1), faces=1))
        if i == 2:
            stage.layers = (RedLayer(),)
        qtbot.waitUntil(lambda: not capture._recorder._recording._queue, timeout=5000)
    qtbot.waitUntil(lambda: len(progress) > 1, timeout=5000)
    with qtbot.waitSignal(capture.recording_saved, timeout=5000) as saved:
        capture.toggle_recording()
        assert not capture.is_recording
    assert changes == [True, False] and not stage.failures
    path = Path(saved.args[0])
    assert re.fullmatch(NAME + r"\.mp4", path.name) and path.parent == capture.videos_folder
    film = cv2.VideoCapture(str(path))
    seen = [image for is_there, image in (film.read() for _ in range(7)) if is_there]
    assert len(seen) == 7  # what was on the screen when it began, and the six
    assert all(abs(int(image[120, 300, 0]) - 100) <= 6 for image in seen[1:])
    assert seen[1][120, 20, 2] < 120 and seen[-1][120, 20, 2] > 230  # red only at the end
    qtbot.waitUntil(lambda: not capture._finishing, timeout=5000)


def test_a_recording_after_the_countdown(stage, qtbot):
    stage.capture._countdown._timer.setInterval(5)
    stage.capture.countdown_s = 3
    with qtbot.waitSignal(stage.capture.recording_changed, timeout=5000):
        stage.capture.toggle_recording()
        assert not stage.capture.is_recording
    assert stage.capture.is_recording


def test_shutting_down_finishes_the_film(stage, qtbot):
    stage.capture.start_recording()
    stage.show(live_frame())
    assert stage.capture.shut_down()
    (path,) = stage.capture.videos_folder.iterdir()
    assert cv2.VideoCapture(str(path)).read()[0]


def test_shutting_down_finishes_pictures(stage, qtbot):
    stage.shown = live_frame(width=4000, height=3000)
    stage.capture.take_snapshot()
    stage.capture.take_burst()
    assert stage.capture.shut_down()
    files = list(stage.capture.pictures_folder.rglob("*.png"))
    assert files and all(cv2.imread(str(path)) is not None for path in files)
    assert not list(stage.capture.pictures_folder.rglob(".*"))


def test_two_recordings_in_a_row_are_two_films(stage, qtbot):
    saved = []
    stage.capture.recording_saved.connect(saved.append)
    for _ in range(2):
        stage.capture.start_recording()
        stage.show(live_frame())
        stage.capture.stop_recording()
    qtbot.waitUntil(lambda: len(saved) == 2, timeout=5000)
    assert len(set(saved)) == 2


def test_a_recording_that_is_over_is_let_go_of(stage, qtbot):
    stage.capture.start_recording()
    recording = weakref.ref(stage.capture._recorder._recording)
    with qtbot.waitSignal(stage.capture.recording_saved, timeout=5000):
        stage.capture.stop_recording()

    def is_gone() -> bool:
        gc.collect()
        return recording() is None

    qtbot.waitUntil(is_gone, timeout=5000)


def test_a_disk_that_is_nearly_full_records_nothing(stage, qtbot, monkeypatch, is_one_sentence):
    monkeypatch.setattr(films, "free_bytes", lambda _: films.LOW_DISK_BYTES - 1)
    stage.capture.start_recording()
    qtbot.waitUntil(lambda: not stage.capture.is_recording, timeout=5000)
    assert is_one_sentence(stage.failures[0]) and "nearly full" in stage.failures[0]
    assert not stage.capture.videos_folder.exists()


def test_a_recording_that_fails_says_so_and_the_session_goes_on(stage, qtbot):
    stage.capture.start_recording()
    changes = []
    stage.capture.recording_changed.connect(changes.append)

    class Broken(RedLayer):
        def paint(self, *_):
            raise ValueError("broken layer")

    stage.layers = (Broken(),)
    stage.show(live_frame(faces=1))
    qtbot.waitUntil(lambda: changes == [False], timeout=5000)
    assert "broken layer" in stage.failures[0]
    assert stage.sinks._sinks == ()


def test_a_folder_for_films_that_cannot_be_made_is_a_sentence(stage, qtbot, tmp_path, is_one_sentence):
    (tmp_path / "videos").write_text("in the way")
    stage.capture.toggle_recording()
    qtbot.waitUntil(lambda: not stage.capture.is_recording, timeout=5000)
    assert is_one_sentence(stage.failures[0])


# --- files


def test_names_that_are_taken_get_a_number(tmp_path):
    assert [claim_file(tmp_path, "a.b", ".png").name for _ in range(3)] == ["a.b.png", "a.b (2).png", "a.b (3).png"]
    assert [claim_folder(tmp_path, "c").name for _ in range(2)] == ["c", "c (2)"]


def test_the_room_for_a_folder_that_does_not_exist_yet_is_its_disks(tmp_path):
    assert free_bytes(tmp_path / "not" / "there") == pytest.approx(free_bytes(tmp_path), rel=0.05)
