"""Which face is which, when one is found or lost, and when to look for more."""

from __future__ import annotations

import numpy as np
import pytest

from fkd_desktop.live.smoothing import SmoothingLevel
from fkd_desktop.live.tracker import SAME_CROP, Tracker, TrackerSettings, overlaps
from tests.live.helpers import face_points
from trainer.core.predictor import Keypoints
from trainer.core.preprocess import box_from_keypoints

SETTINGS = TrackerSettings()
STEP_S = 1 / 30


def see(*faces: np.ndarray, confidence: float | list[float] = 0.95) -> Keypoints:
    """What the network says of the boxes, in their order."""
    points = np.array(faces, np.float32).reshape(-1, 68, 2)
    return Keypoints(points, np.broadcast_to(np.float32(confidence), len(faces)).copy())


def detect(*faces: np.ndarray) -> np.ndarray:
    """What the detector finds."""
    return np.array([box_from_keypoints(face) for face in faces], np.float32).reshape(-1, 4)


def tracking(*faces: np.ndarray, settings: TrackerSettings | None = None) -> Tracker:
    """A tracker that has known these faces for a second at time 0, and has just looked for more."""
    tracker = Tracker(settings)
    look(tracker, detect(*faces), -1.0)
    tracker.update(see(*faces), -1.0)
    tracker.looked(0.0)
    tracker.update(see(*faces), 0.0)
    assert len(tracker) == len(faces)
    return tracker


def look(tracker: Tracker, boxes: np.ndarray, timestamp_s: float) -> None:
    """Let a look at the frame of this time have found boxes."""
    tracker.looked(timestamp_s)
    tracker.add_candidates(boxes)


def ids(tracker: Tracker) -> list[int]:
    return tracker.ids.tolist()


def test_ids_go_on_while_faces_move_and_one_leaves() -> None:
    tracker = tracking(face_points(150), face_points(450))
    assert ids(tracker) == [1, 2]
    for k in range(1, 60):
        tracker.update(see(face_points(150 + 2 * k), face_points(450, 240 - k)), k * STEP_S)
    assert ids(tracker) == [1, 2]
    np.testing.assert_allclose(
        tracker.boxes_xywh, detect(face_points(268), face_points(450, 181)), atol=SAME_CROP * 150
    )
    stays = {1: (face_points(268), 0.0), 2: (face_points(450, 181), 0.9)}
    for k in range(60, 70):
        faces, confidences = zip(*(stays[number] for number in ids(tracker)), strict=True)
        tracker.update(see(*faces, confidence=list(confidences)), k * STEP_S)
    assert ids(tracker) == [2]


def test_a_face_that_comes_later_gets_the_next_number() -> None:
    tracker = tracking(face_points(150))
    both = face_points(150), face_points(450)
    look(tracker, detect(*both), STEP_S)
    tracker.update(see(*both), STEP_S)
    assert ids(tracker) == [1, 2]


def test_rejected_candidates_use_up_no_numbers() -> None:
    tracker = Tracker()
    for k in range(5):
        look(tracker, detect(face_points(150)), k * STEP_S)
        tracker.update(see(face_points(150), confidence=0.1), k * STEP_S)
    look(tracker, detect(face_points(150)), 1.0)
    tracker.update(see(face_points(150)), 1.0)
    assert ids(tracker) == [1]


def test_numbers_go_on_after_a_reset() -> None:
    tracker = tracking(face_points(150))
    tracker.reset()
    assert len(tracker) == 0 and tracker.boxes_xywh.shape == (0, 4)
    assert tracker.wants_look(0.0)
    look(tracker, detect(face_points(150)), 0.0)
    tracker.update(see(face_points(150)), 0.0)
    assert ids(tracker) == [2]


def test_detections_of_known_faces_make_no_twins() -> None:
    tracker = tracking(face_points(150), face_points(450))
    found = detect(face_points(150), face_points(450)) + np.float32([12, -9, 10, 10])  # a detector is never exact
    look(tracker, found, STEP_S)
    assert len(tracker) == 2


def test_a_face_detected_twice_at_once_is_one_candidate() -> None:
    tracker = Tracker()
    look(tracker, detect(face_points(150), face_points(155, 244)), 0.0)
    assert len(tracker) == 1


@pytest.mark.parametrize(("confidence", "is_face"), [(0.89, False), (0.91, True)])
def test_a_candidate_needs_confidence(confidence: float, is_face: bool) -> None:
    tracker = Tracker()
    look(tracker, detect(face_points()), 0.0)
    tracker.update(see(face_points(), confidence=confidence), 0.0)
    assert tracker.faces == is_face


def test_a_candidate_that_is_off_is_looked_at_again_where_its_keypoints_lie() -> None:
    tracker = Tracker()
    look(tracker, detect(face_points(300)), 0.0)
    tracker.update(see(face_points(340), confidence=0.4), 0.0)
    assert ids(tracker) == [0] and tracker.faces == 0
    np.testing.assert_allclose(tracker.boxes_xywh, detect(face_points(340)), atol=1e-3)
    tracker.update(see(face_points(345), confidence=0.99), STEP_S)
    assert ids(tracker) == [1] and tracker.faces == 1
    np.testing.assert_array_equal(tracker.keypoints_px[0], face_points(345))  # nothing is left to smooth with


def test_a_candidate_is_not_looked_at_for_ever() -> None:
    tracker = Tracker()
    look(tracker, detect(face_points(300)), 0.0)
    for k in range(SETTINGS.tries):
        assert len(tracker) == 1
        tracker.update(see(face_points(300), confidence=0.8), k * STEP_S)
    assert len(tracker) == 0


def test_a_hopeless_candidate_is_dropped_at_once() -> None:
    tracker = Tracker()
    look(tracker, detect(face_points(300)), 0.0)
    tracker.update(see(face_points(300), confidence=0.01), 0.0)
    assert len(tracker) == 0


def test_a_candidate_is_never_in_the_way_of_a_face() -> None:
    """Its keypoints slide onto a face that is there: that one stays, with its number and its place."""
    tracker = tracking(face_points(200))
    look(tracker, detect(face_points(330)), STEP_S)
    tracker.update(see(face_points(200), face_points(270), confidence=[0.9, 0.5]), STEP_S)
    tracker.update(see(face_points(200), face_points(205), confidence=[0.9, 0.99]), 2 * STEP_S)
    assert ids(tracker) == [1]


def test_results_keep_the_numbers_that_they_were_given() -> None:
    tracker = tracking(face_points(150))
    look(tracker, detect(face_points(450)), STEP_S)
    before = tracker.ids
    tracker.update(see(face_points(150), face_points(450)), STEP_S)
    assert before.tolist() == [1, 0] and ids(tracker) == [1, 2]


@pytest.mark.parametrize(("age_s", "stays"), [(SETTINGS.prove_s - 0.01, False), (SETTINGS.prove_s + 0.01, True)])
def test_a_new_face_has_to_prove_itself(age_s: float, stays: bool) -> None:
    """What was taken for a face by chance soon looks less like one; a face that was known for a while may hide."""
    tracker = Tracker()
    look(tracker, detect(face_points()), 0.0)
    tracker.update(see(face_points()), 0.0)
    tracker.update(see(face_points()), age_s - 0.001)
    tracker.update(see(face_points(), confidence=SETTINGS.accept_confidence - 0.01), age_s)
    assert ids(tracker) == [1] * stays


def test_doubted_faces_have_to_be_found_again() -> None:
    tracker = tracking(face_points(150), face_points(450))
    tracker.doubt()
    assert tracker.faces == 0 and len(tracker) == 2
    tracker.update(see(face_points(150), face_points(450), confidence=[0.99, 0.01]), STEP_S)
    assert ids(tracker) == [3]


def test_a_cut_costs_no_face_of_many() -> None:
    people = [face_points(150 + 170 * k) for k in range(TrackerSettings().max_candidates + 4)]
    tracker = Tracker()
    for count in (12, len(people)):
        look(tracker, detect(*people[tracker.faces : count]), 0.0)
        tracker.update(see(*people[:count]), 0.0)
    tracker.doubt()
    tracker.update(see(*people), STEP_S)
    assert tracker.faces == len(people)


def test_a_known_face_needs_less() -> None:
    tracker = tracking(face_points())
    for k in range(1, 30):
        tracker.update(see(face_points(), confidence=SETTINGS.keep_confidence + 0.01), k * STEP_S)
    assert ids(tracker) == [1]
    assert tracker.seen_s[0] == pytest.approx(29 * STEP_S)


def test_a_lost_face_lingers_where_it_was_and_then_goes() -> None:
    tracker = tracking(face_points(300))
    elsewhere = face_points(330)
    shown = []
    for k in range(1, 12):
        tracker.update(see(*[elsewhere] * len(tracker), confidence=0.1), k * STEP_S)
        shown.append(len(tracker))
        if len(tracker):
            np.testing.assert_array_equal(tracker.keypoints_px[0], face_points(300))
            np.testing.assert_array_equal(tracker.boxes_xywh, detect(face_points(300)))
            assert tracker.confidences[0] == pytest.approx(0.1)
    linger_frames = round(SETTINGS.linger_s / STEP_S)
    assert shown == [1] * linger_frames + [0] * (11 - linger_frames)


def test_a_face_that_comes_back_in_time_keeps_its_number() -> None:
    tracker = tracking(face_points(300))
    tracker.update(see(face_points(300), confidence=0.0), 0.1)
    tracker.update(see(face_points(305)), 0.15)
    tracker.update(see(face_points(305)), 0.5)  # and does not go now for having been away then
    assert ids(tracker) == [1]
    assert tracker.seen_s[0] == 0.5


@pytest.mark.parametrize(
    "jump",
    [
        face_points(320 + 0.7 * 150),
        face_points(320, 240 - 0.7 * 150),
        face_points(side=1.7 * 150),
        face_points(side=150 / 1.7),
        np.full((68, 2), np.nan, np.float32),
    ],
    ids=["right", "up", "larger", "smaller", "not a number"],
)
def test_what_no_face_can_do_in_a_frame_is_not_believed(jump: np.ndarray) -> None:
    tracker = tracking(face_points())
    tracker.update(see(jump, confidence=0.99), STEP_S)
    np.testing.assert_array_equal(tracker.keypoints_px[0], face_points())
    tracker.update(see(jump, confidence=0.99), 1.0)
    assert len(tracker) == 0


@pytest.mark.parametrize(
    "move",
    [face_points(320 + 0.5 * 150), face_points(side=1.5 * 150), face_points(side=150 / 1.5)],
    ids=["right", "larger", "smaller"],
)
def test_what_a_quick_face_can_do_is(move: np.ndarray) -> None:
    tracker = tracking(face_points())
    tracker.update(see(move), STEP_S)
    assert tracker.seen_s[0] == STEP_S
    np.testing.assert_allclose(tracker.boxes_xywh, detect(move), atol=0.01)


def test_a_candidate_whose_keypoints_lie_elsewhere_is_no_face() -> None:
    tracker = Tracker()
    look(tracker, detect(face_points(100)), 0.0)
    tracker.update(see(face_points(250)), 0.0)
    assert len(tracker) == 0


def test_two_tracks_on_one_face_become_the_older() -> None:
    tracker = tracking(face_points(200), face_points(330))
    for k in range(1, 15):  # the second slides onto the first
        tracker.update(see(*[face_points(200), face_points(330 - 10 * k)][: len(tracker)]), k * STEP_S)
    assert ids(tracker) == [1]
    np.testing.assert_allclose(tracker.boxes_xywh, detect(face_points(200)), atol=0.01)


def test_faces_that_only_touch_stay_two() -> None:
    tracker = tracking(face_points(200), face_points(330))
    for k in range(1, 30):
        tracker.update(see(face_points(200), face_points(290)), k * STEP_S)
    assert ids(tracker) == [1, 2]


def test_keypoints_are_smoothed_and_each_face_by_itself() -> None:
    tracker = tracking(face_points(150), face_points(450))
    tracker.update(see(face_points(150.5), face_points(450)), STEP_S)
    moved, still = tracker.keypoints_px
    assert (face_points(150)[:, 0] < moved[:, 0]).all() and (moved[:, 0] < face_points(150.5)[:, 0]).all()
    np.testing.assert_allclose(still, face_points(450), atol=1e-4)


def test_a_face_that_rests_is_looked_for_in_the_same_crop() -> None:
    """Trembling keypoints must not move the crop they come from."""
    rng = np.random.default_rng(0)
    tracker = tracking(face_points(300))
    before = tracker.boxes_xywh
    for k in range(1, 40):
        measured = face_points(300 + 1.5 * np.sin(k)) + rng.normal(0, 0.5, (68, 2)).astype(np.float32)
        tracker.update(see(measured), k * STEP_S)
        np.testing.assert_array_equal(tracker.boxes_xywh, before)


@pytest.mark.parametrize(
    "moved",
    [face_points(300 + 1.2 * SAME_CROP * 150), face_points(300, side=150 * (1 + 1.2 * SAME_CROP)), face_points(360)],
    ids=["aside", "larger", "far"],
)
def test_a_face_that_moves_is_looked_for_where_it_was_measured(moved: np.ndarray) -> None:
    """Where to look is not smoothed: a box that lags would lose a quick face."""
    tracker = tracking(face_points(300))
    tracker.update(see(moved), STEP_S)
    np.testing.assert_allclose(tracker.boxes_xywh, detect(moved), atol=1e-3)


def test_a_slow_drift_never_leaves_the_crop() -> None:
    tracker = tracking(face_points(100))
    for k in range(1, 300):
        face = face_points(100 + 0.7 * k)
        tracker.update(see(face), k * STEP_S)
        assert np.abs(tracker.boxes_xywh - detect(face)).max() <= SAME_CROP * 150 + 1e-3


# --- levels of smoothing


def test_off_shows_what_was_measured_and_the_box_of_it() -> None:
    tracker = Tracker(smoothing=SmoothingLevel.OFF)
    rng = np.random.default_rng(0)
    look(tracker, detect(face_points()), 0.0)
    for k in range(20):
        measured = face_points() + rng.normal(0, 0.5, (68, 2)).astype(np.float32)
        tracker.update(see(measured), k * STEP_S)
        np.testing.assert_array_equal(tracker.keypoints_px[0], measured)


@pytest.mark.parametrize("before", SmoothingLevel)
@pytest.mark.parametrize("after", SmoothingLevel)
def test_another_level_takes_over_without_a_jump(before: SmoothingLevel, after: SmoothingLevel) -> None:
    """And holds for faces that come later, too."""
    tracker = tracking(face_points())
    tracker.smoothing = before
    rng = np.random.default_rng(0)
    shown = []
    for k in range(1, 60):
        if k == 40:
            tracker.smoothing = after
        tracker.update(see(face_points() + rng.normal(0, 0.15, (68, 2)).astype(np.float32)), k * STEP_S)
        shown.append(tracker.keypoints_px[0])
    assert ids(tracker) == [1] and tracker.smoothing is after
    assert np.abs(np.diff(shown, axis=0)).max() < 1.0
    look(tracker, detect(face_points(500)), 2.0)
    tracker.update(see(face_points(), face_points(500)), 2.0)
    tracker.update(see(face_points(), face_points(500.5)), 2.0 + STEP_S)
    assert (tracker.keypoints_px[1] == face_points(500.5)).all() == (after is SmoothingLevel.OFF)


def test_a_level_is_kept_when_the_source_starts_afresh() -> None:
    tracker = Tracker()
    tracker.smoothing = SmoothingLevel.HIGH
    tracker.reset()
    assert tracker.smoothing is SmoothingLevel.HIGH


def test_more_faces_than_the_limit_are_not_tracked() -> None:
    faces = [face_points(100 * k, side=60) for k in range(1, 6)]
    tracker = Tracker(TrackerSettings(max_faces=3))
    look(tracker, detect(*faces), 0.0)
    np.testing.assert_array_equal(tracker.boxes_xywh, detect(*faces[:3]))


def test_no_look_gives_more_candidates_than_the_network_has_time_for() -> None:
    tracker = Tracker(TrackerSettings(max_candidates=2))
    look(tracker, detect(*[face_points(100 * k, side=60) for k in range(1, 6)]), 0.0)
    assert len(tracker) == 2


def test_no_face_at_all() -> None:
    tracker = Tracker()
    look(tracker, np.empty((0, 4), np.float32), 0.0)
    assert tracker.boxes_xywh.shape == (0, 4) and tracker.boxes_xywh.dtype == np.float32
    tracker.update(see(), 0.0)
    assert len(tracker) == 0


def test_keypoints_of_another_number_of_boxes_are_refused() -> None:
    tracker = tracking(face_points(150))
    with pytest.raises(ValueError, match="1 boxes, got 2"):
        tracker.update(see(face_points(150), face_points(450)), STEP_S)


# --- when to look for faces


def wanted_after(tracker: Tracker, start_s: float) -> float:
    """Seconds until a detection is wanted, in steps of 10 ms."""
    return next(k / 100 for k in range(200) if tracker.wants_look(start_s + k / 100 + 1e-6))


def test_look_at_once_at_the_start() -> None:
    assert Tracker().wants_look(0.0)
    assert Tracker().wants_look(1234.5)


def test_look_often_while_there_is_no_face() -> None:
    tracker = Tracker()
    look(tracker, detect(), 0.0)
    tracker.update(see(), 0.0)
    assert wanted_after(tracker, 0.0) == pytest.approx(SETTINGS.detect_without_faces_s, abs=0.011)


def test_look_seldom_while_there_are_faces() -> None:
    assert wanted_after(tracking(face_points()), 0.0) == pytest.approx(SETTINGS.detect_every_s, abs=0.011)


def test_look_often_for_a_while_after_a_loss_though_others_are_there() -> None:
    tracker = tracking(face_points(150), face_points(450))
    tracker.update(see(face_points(150), face_points(450), confidence=[0.9, 0.0]), 1.0)
    assert ids(tracker) == [1]
    for now_s, pause_s in ((1.0, SETTINGS.detect_without_faces_s), (2.5, SETTINGS.detect_every_s)):
        look(tracker, detect(face_points(150)), now_s)
        assert wanted_after(tracker, now_s) == pytest.approx(pause_s, abs=0.011)


def test_a_rejected_candidate_is_no_loss() -> None:
    both = face_points(150), face_points(450)
    tracker = tracking(both[0])
    look(tracker, detect(*both), 1.0)
    tracker.update(see(*both, confidence=[0.9, 0.01]), 1.0)
    assert ids(tracker) == [1]
    assert wanted_after(tracker, 1.0) == pytest.approx(SETTINGS.detect_every_s, abs=0.011)


# --- overlap


@pytest.mark.parametrize(
    ("other", "expected"),
    [((0, 0, 10, 10), 1), ((5, 0, 10, 10), 1 / 3), ((10, 0, 10, 10), 0), ((2, 2, 5, 5), 0.25), ((50, 50, 1, 1), 0)],
    ids=["same", "half aside", "beside", "inside", "far"],
)
def test_overlap_is_intersection_over_union(other: tuple[int, ...], expected: float) -> None:
    box = np.float32([[0, 0, 10, 10]])
    assert overlaps(np.float32([other]), box)[0, 0] == pytest.approx(expected)
    assert overlaps(np.empty((0, 4), np.float32), box).shape == (0, 1)
