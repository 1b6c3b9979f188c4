"""Where anchors can go on a face."""

from __future__ import annotations

import numpy as np
import pytest

from fkd_desktop.ui.overlays.snapping import nearest_place, next_place, place_of, places
from trainer.core.keypoints import LEFT_EYE, NUM_KEYPOINTS, RIGHT_EYE


@pytest.fixture
def face(drawn):
    return drawn.points(x=200, y=200, width=200)


def test_every_keypoint_can_be_reached_and_no_place_is_there_twice():
    alone = [place.keypoints[0] for place in places() if len(place.keypoints) == 1]
    assert sorted(alone) == list(range(NUM_KEYPOINTS))
    assert len({frozenset(place.keypoints) for place in places()}) == len(places())
    assert all(place.words and "{" not in place.words for place in places())


@pytest.mark.parametrize("keypoints", [RIGHT_EYE, LEFT_EYE, (30,), (48,), (8,), (17,), (33, 51)])
def test_pointing_near_a_place_means_it(face, keypoints):
    at = face[list(keypoints)].mean(axis=0) + np.array([1.5, -1.0])
    assert set(nearest_place(face, tuple(at)).keypoints) == set(keypoints)


def test_a_keypoint_without_a_name_is_found_on_the_spot(face):
    assert nearest_place(face, tuple(face[4])).keypoints == (4,)
    assert "4" in place_of((4,)).words


def test_a_place_that_is_taken_is_passed_over(face):
    at = tuple(face[list(RIGHT_EYE)].mean(axis=0))
    other = nearest_place(face, at, taken=[tuple(reversed(RIGHT_EYE))])
    assert set(other.keypoints) != set(RIGHT_EYE)


def test_arrows_walk_over_the_face_and_stop_at_its_rim(face):
    right_eye, left_eye = place_of(RIGHT_EYE), place_of(LEFT_EYE)
    here, seen = right_eye, []
    while (there := next_place(face, here, (1, 0))) != here:
        assert there.at(face)[0] > here.at(face)[0]
        here = there
        seen.append(here)
    assert left_eye in seen
    assert here.at(face)[0] > np.quantile(face[:, 0], 0.9)
    assert next_place(face, place_of((8,)), (0, 1)).keypoints == (8,)


def test_keypoints_of_a_hand_written_file_have_words_too():
    assert "3" in place_of((1, 2, 3)).words
