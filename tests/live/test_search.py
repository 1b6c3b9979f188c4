"""Looking for faces at once and beside the loop: what is given when, how often, and what is left behind."""

from __future__ import annotations

import gc
import threading
import weakref
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from fkd_desktop.live import search as search_module
from fkd_desktop.live.pipeline import Pipeline
from fkd_desktop.live.search import SHARE_OF_A_CORE, Look, Looks, SearchAtOnce, SearchBeside
from tests.live.helpers import WAIT_S, DemoFrame
from trainer.core.detector import PROFILE_CASCADE_NAME, DetectorError, HaarDetector, shipped_cascade

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fkd_desktop.live.search import FaceSearch
    from trainer.core.predictor import Predictor

NOBODY = np.empty((0, 4), np.float32)
FRAME = np.zeros((48, 64, 3), np.uint8)


class GatedDetector:
    """Finds the frame's top left pixel, as a box's side; each look waits until it is let through."""

    def __init__(self, *, is_open: bool = False) -> None:
        self.entered, self.gate, self.left = threading.Semaphore(0), threading.Semaphore(0), threading.Semaphore(0)
        self.is_open = is_open
        self.error: Exception | None = None
        self.seen: list[int] = []
        self.fine: list[bool] = []
        self.known: list[np.ndarray | None] = []

    def detect(self, frame_bgr: np.ndarray, *, fine: bool = False, known_xywh: np.ndarray | None = None) -> np.ndarray:
        number = int(frame_bgr[0, 0, 0])
        self.seen.append(number)
        self.fine.append(fine)
        self.known.append(known_xywh)
        self.entered.release()
        if not self.is_open:
            assert self.gate.acquire(timeout=WAIT_S)
        if self.error:
            raise self.error
        return np.float32([[0, 0, number, number]])


class Clock:
    """A clock that stands until it is moved; as a work clock, each look takes a given time."""

    def __init__(self) -> None:
        self.now_s, self.look_s, self.asked = 100.0, 0.0, 0

    def time(self) -> float:
        return self.now_s

    def work(self) -> float:
        self.asked += 1
        return self.look_s * (self.asked // 2)


@pytest.fixture
def detector() -> GatedDetector:
    return GatedDetector()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def beside(detector: GatedDetector, clock: Clock) -> Iterator[SearchBeside]:
    threads = cv2.getNumThreads()
    with SearchBeside(Looks(detector), clock=clock.time, work_clock=clock.work) as search:
        yield search
        detector.is_open = True
        for _ in range(5):
            detector.gate.release()
    assert not [thread for thread in threading.enumerate() if thread.name == "face-search"]
    cv2.setNumThreads(threads)


def numbered(number: int) -> np.ndarray:
    return np.full_like(FRAME, number)


def wait_until_idle(search: SearchBeside) -> None:
    with search._changed:
        assert search._changed.wait_for(lambda: not search._is_busy and search._waiting is None, WAIT_S)


def sides(boxes: np.ndarray | None) -> list[float] | None:
    return None if boxes is None else boxes[:, 2].tolist()


# --- at once


def test_a_look_at_once_is_there_at_once_and_given_once(detector: GatedDetector) -> None:
    detector.is_open = True
    search = SearchAtOnce(Looks(detector))
    assert search.take() is None
    assert search.begin(numbered(7), NOBODY)
    assert sides(search.take()) == [7]
    assert search.take() is None


def test_looks_take_turns_and_begin_again_after_a_reset_or_a_cut(detector: GatedDetector) -> None:
    detector.is_open = True
    search = SearchAtOnce(Looks(detector))
    for k in range(9):
        search.begin(FRAME, NOBODY, Look.AT_ONCE if k == 8 else Look.IN_TURN)
    search.reset()
    assert search.take() is None
    search.begin(FRAME, NOBODY)
    assert detector.fine == [True, *[False] * 5, True, False, True, True]


def test_the_usual_looks_find_faces_from_the_side(monkeypatch: pytest.MonkeyPatch) -> None:
    looked = []

    class Recorder(HaarDetector):
        def detect(self, frame_bgr, **how):
            looked.append((self is looks._profile, how.get("fine", False), how.get("mirrored", False)))
            return super().detect(frame_bgr, **how)

    monkeypatch.setattr(search_module, "HaarDetector", Recorder)
    looks = Looks()
    for _ in range(6):
        assert len(looks.look(FRAME, NOBODY)) == 0
    frontal, profile, mirrored = (False, False, False), (True, False, False), (True, False, True)
    assert looked == [(False, True, False), profile, frontal, mirrored, frontal, frontal]
    looked.clear()
    looks.look(FRAME, NOBODY, Look.ALL_ROUND)
    assert looked == [(False, True, False), profile, mirrored]
    looks.look(FRAME, NOBODY)
    assert looked[3:] == [profile], "its turn comes next"


# --- beside


def test_a_look_beside_waits_for_nobody_and_is_given_once(beside: SearchBeside, detector: GatedDetector) -> None:
    known = np.float32([[1, 2, 3, 4]])
    assert beside.begin(numbered(3), known)
    assert beside.take() is None, "it has not ended"
    detector.gate.release()
    wait_until_idle(beside)
    assert sides(beside.take()) == [3]
    assert beside.take() is None
    assert detector.known[0] is known


def test_frames_that_come_meanwhile_are_not_queued(beside: SearchBeside, detector: GatedDetector) -> None:
    assert beside.begin(numbered(1), NOBODY)
    assert detector.entered.acquire(timeout=WAIT_S)
    assert not any(beside.begin(numbered(k), NOBODY) for k in range(2, 9))
    detector.gate.release()
    wait_until_idle(beside)
    assert beside.begin(numbered(9), NOBODY)
    detector.gate.release()
    wait_until_idle(beside)
    assert detector.seen == [1, 9]


def test_it_takes_no_more_than_its_share_of_a_core(beside: SearchBeside, detector: GatedDetector, clock: Clock) -> None:
    detector.is_open = True
    clock.look_s = 0.03
    assert beside.begin(FRAME, NOBODY)
    wait_until_idle(beside)
    assert beside.look_ms == pytest.approx(30)
    rest_s = 0.03 / SHARE_OF_A_CORE - 0.03
    clock.now_s += rest_s - 0.001
    assert not beside.begin(FRAME, NOBODY)
    clock.now_s += 0.002
    assert beside.begin(FRAME, NOBODY)


def test_a_look_at_once_need_not_rest_and_drops_what_goes_on(
    beside: SearchBeside, detector: GatedDetector, clock: Clock
) -> None:
    clock.look_s = 1.0
    beside.begin(numbered(1), NOBODY)
    assert detector.entered.acquire(timeout=WAIT_S)
    detector.gate.release()
    detector.gate.release()
    assert beside.begin(numbered(2), NOBODY, Look.AT_ONCE)
    wait_until_idle(beside)
    assert sides(beside.take()) == [2]
    assert beside.take() is None


def test_what_was_found_before_a_reset_is_not_given(beside: SearchBeside, detector: GatedDetector) -> None:
    beside.begin(numbered(1), NOBODY)
    assert detector.entered.acquire(timeout=WAIT_S)
    beside.reset()  # in mid-look
    detector.gate.release()
    wait_until_idle(beside)
    assert beside.take() is None
    detector.is_open = True
    assert beside.begin(numbered(2), NOBODY)
    wait_until_idle(beside)
    beside.reset()  # when it has ended, before it was taken
    assert beside.take() is None


def test_an_error_reaches_whoever_takes(beside: SearchBeside, detector: GatedDetector) -> None:
    detector.is_open, detector.error = True, DetectorError("the cascade is broken; install opencv-python again")
    beside.begin(FRAME, NOBODY)
    wait_until_idle(beside)
    for _ in range(2):
        with pytest.raises(DetectorError, match="cascade is broken"):
            beside.take()


def test_no_frame_is_held_after_the_look(beside: SearchBeside, detector: GatedDetector) -> None:
    detector.is_open = True
    frame = numbered(1)
    alive = weakref.ref(frame)
    beside.begin(frame, NOBODY)
    wait_until_idle(beside)
    del frame
    gc.collect()
    assert alive() is None


def test_nothing_begins_after_the_end_and_the_thread_is_gone(detector: GatedDetector) -> None:
    threads = cv2.getNumThreads()
    search = SearchBeside(Looks(detector))
    assert cv2.getNumThreads() == 1
    search.begin(FRAME, NOBODY)
    assert detector.entered.acquire(timeout=WAIT_S)
    detector.gate.release()
    search.close()
    search.close()
    assert search._thread is not None and not search._thread.is_alive()
    assert not search.begin(FRAME, NOBODY)
    cv2.setNumThreads(threads)


def test_one_that_never_looked_has_no_thread_to_end() -> None:
    threads = cv2.getNumThreads()
    search = SearchBeside(Looks(GatedDetector()))
    search.close()
    assert search._thread is None
    cv2.setNumThreads(threads)


# --- in the pipeline


@pytest.mark.parametrize("make", [SearchAtOnce, SearchBeside])
def test_the_first_frame_has_its_faces_whoever_looks(
    make: type[FaceSearch], predictor: Predictor, demo: dict[int, DemoFrame]
) -> None:
    threads = cv2.getNumThreads()
    search = make()
    pipeline = Pipeline(predictor, search=search)
    assert len(pipeline.process(demo[500].image_bgr, 5.0)) == 2
    search.close()
    cv2.setNumThreads(threads)


def test_a_face_that_is_found_beside_is_followed_from_the_newest_frame(
    beside: SearchBeside,
    detector: GatedDetector,
    predictor: Predictor,
    demo: dict[int, DemoFrame],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It was found some frames ago, and has moved on since."""
    detector.is_open = True
    face = demo[0].faces[0]
    side = face["width_px"]
    seen = np.float32([[face["cx"] - side / 2 - 0.2 * side, face["cy"] - side / 2, side, side]])
    monkeypatch.setattr("fkd_desktop.live.pipeline.IDLE_S", np.inf)
    pipeline = Pipeline(predictor, search=beside)
    beside.take = iter([None, seen, None, None]).__next__  # type: ignore[method-assign]
    counts = [len(pipeline.process(demo[0].image_bgr, k / 30)) for k in range(4)]
    assert counts[0] == 0 and counts[-1] == 1
    beside.reset()


def test_where_faces_are_known_none_is_found(demo: dict[int, DemoFrame]) -> None:
    for detector in (HaarDetector(), HaarDetector(fine_long_side_px=480)):
        found = detector.detect(demo[500].image_bgr, fine=True)
        assert len(found) == 2
        rest = detector.detect(demo[500].image_bgr, fine=True, known_xywh=found[:1])
        np.testing.assert_allclose(rest, found[1:], atol=12)
        assert len(detector.detect(demo[500].image_bgr, fine=True, known_xywh=found)) == 0


def test_a_mirrored_look_gives_places_in_the_picture_as_it_is(demo: dict[int, DemoFrame]) -> None:
    detector = HaarDetector(shipped_cascade(PROFILE_CASCADE_NAME), min_neighbors=1)
    picture = demo[0].image_bgr
    mirrored = np.ascontiguousarray(picture[:, ::-1])
    plain, back = detector.detect(picture, fine=True), detector.detect(mirrored, fine=True, mirrored=True)
    assert len(plain) > 0
    back[:, 0] = picture.shape[1] - back[:, 0] - back[:, 2]
    np.testing.assert_allclose(plain, back, atol=1e-3)
