"""The real window and its list of cameras, on a webcam whose driver fails in all ways: what the user reads of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.live.webcam import LACKS, Webcam, told_once

pytestmark = pytest.mark.skipif(bool(LACKS), reason=LACKS)

AGAIN = ["Retry", "Try the demo clip", "Open video or image…"]


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """Return what one window said: some ten seconds, most of it waiting until the list of cameras has settled."""

    def tell(folder):
        webcam = Webcam(folder)
        webcam.make()
        script = Path(__file__).parent / "camera_window_script.py"
        return webcam.run(script, QT_QPA_PLATFORM="offscreen", OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT="1")

    return told_once(tmp_path_factory, "camera_in_window", tell)


def test_no_camera_at_all(said):
    assert said["absent"] == {
        "title": "No camera found",
        "text": "Plug one in, and its picture comes by itself.",
        "buttons": ["Try the demo clip", "Open video or image…", "Retry"],
    }


def test_a_camera_that_another_program_has(said):
    assert said["busy"] == {
        "title": "Fake webcam is in use elsewhere",
        "text": "Another program uses Fake webcam; close it there, or choose another camera. As soon as it is free, "
        "the picture comes by itself.",
        "buttons": AGAIN,
    }


def test_a_camera_that_is_forbidden(said):
    assert said["denied"] == {
        "title": "No permission to use Fake webcam",
        "text": "You are not allowed to use Fake webcam; ask your administrator to put you into the group “video”, log "
        "in again, or choose another source.",
        "buttons": AGAIN,
    }


def test_a_camera_that_is_unplugged_and_plugged_in_again_and_again(said):
    assert said["unplugged"] == {
        "title": "Waiting for Fake webcam",
        "text": "Fake webcam was unplugged; plug it in again, or choose another source. Once it is back, the picture "
        "goes on by itself.",
        "buttons": [*AGAIN, "Stop and let go"],
    }


def test_a_camera_that_pauses(said):
    assert said["stalled"] == "Fake webcam sends no pictures at the moment; waiting for it."


def test_a_camera_whose_pictures_are_damaged(said):
    assert said["damaged"] == {
        "title": "Waiting for Fake webcam",
        "text": "The pictures of Fake webcam arrive damaged; check its cable, plug it in without a hub, or choose a "
        "smaller size. Once it is back, the picture goes on by itself.",
        "buttons": [*AGAIN, "Stop and let go"],
    }


def test_a_camera_whose_lens_is_covered(said):
    assert said["black"] == (
        "Fake webcam sends a black picture; open the cover of its lens, make more light, or choose another camera."
    )


def test_a_laptop_that_is_closed_while_it_records_and_opened_in_the_morning(said):
    assert said["slept"] > 8 * 3600, "the wall clock did jump"
    assert 0 < said["film"] < 60


def test_closed_it_leaves_nothing(said):
    assert said["left"] == []
