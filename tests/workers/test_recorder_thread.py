"""The recording's thread and what it tells."""

from __future__ import annotations

import threading
from contextlib import nullcontext

from fkd_desktop.errors import OutputError
from fkd_desktop.workers.recorder_thread import RecorderThread
from tests.capture.live_frames import live_frame


def plain(result, _look):
    return result.frame_bgr


def test_it_tells_progress_and_what_it_saved_in_the_gui_thread(qapp, qtbot, tmp_path):
    recorder = RecorderThread(lambda: nullcontext(tmp_path / "film.mp4"), look=lambda: None, paint=plain)
    told, threads = [], set()
    recorder.progressed.connect(lambda *figures: (told.append(figures), threads.add(threading.current_thread())))
    recorder.start()
    recorder.offer(live_frame())
    qtbot.waitUntil(lambda: len(told) > 1, timeout=5000)
    recorder.offer(live_frame())
    with qtbot.waitSignal(recorder.saved, timeout=5000) as saved:
        recorder.stop()
    assert recorder.wait(5000)
    assert saved.args[0] == str(tmp_path / "film.mp4") and saved.args[1] > 0
    assert (tmp_path / "film.mp4").stat().st_size == told[-1][1] or len(told) > 1
    assert threads == {threading.main_thread()}
    assert recorder.outcome.error is None


def test_more_than_two_gigabytes_can_be_told(qapp, qtbot, tmp_path):
    recorder = RecorderThread(lambda: nullcontext(tmp_path / "film.mp4"), look=lambda: None, paint=plain)
    with qtbot.waitSignal(recorder.progressed) as told:
        recorder.progressed.emit(1.0, 5_000_000_000, 3)
    assert told.args == [1.0, 5_000_000_000, 3]


def test_a_failure_is_a_sentence(qapp, qtbot, tmp_path, is_one_sentence):
    (tmp_path / "film.mp4").mkdir()
    recorder = RecorderThread(lambda: nullcontext(tmp_path / "film.mp4"), look=lambda: None, paint=plain)
    recorder.offer(live_frame())
    with qtbot.waitSignal(recorder.failed, timeout=5000) as failed:
        recorder.start()
    assert recorder.wait(5000)
    assert is_one_sentence(failed.args[0]) and str(tmp_path) in failed.args[0]
    assert recorder.outcome.path is None


def test_a_place_that_cannot_be_had_is_a_sentence(qapp, qtbot):
    def refuse():
        raise OutputError("there is no room in {folder}; free some space", folder="here")

    recorder = RecorderThread(refuse, look=lambda: None, paint=plain)
    with qtbot.waitSignal(recorder.failed, timeout=5000) as failed:
        recorder.start()
    assert recorder.wait(5000)
    assert failed.args == ["there is no room in here; free some space"]
    recorder.offer(live_frame())
    assert not recorder._recording._queue
