"""A live session, from the webcam's driver to each frame's result, in everything that a camera does at its worst."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.live.helpers import assert_one_clear_sentence
from tests.live.webcam import HERE, LACKS, Webcam, told_once

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(bool(LACKS), reason=LACKS)

SCRIPT = HERE / "camera_faults_script.py"
MORE_MEGABYTES = 12
"""The C library's own ups and downs; less than a frame for each replug."""


def run(folder: Path, *arguments: str, **environment: str) -> dict[str, Any]:
    webcam = Webcam(folder)
    webcam.make()
    return webcam.run(SCRIPT, *arguments, **environment)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return what one session told: some ten seconds, most of it waiting for a camera that sends nothing."""
    return told_once(
        tmp_path_factory,
        "camera_faults",
        lambda folder: run(folder, "replugs=25", OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT="1"),
    )


def assert_nothing_is_left(replugs: dict[str, Any], times: int) -> None:
    assert replugs["times"] == times
    assert replugs["told"] == ["LOST", "RECONNECTING", "RESUMED"]
    before, after = replugs["before"], replugs["after"]
    assert set(after["threads"]) <= {"MainThread", "capture", "frame-reader", "face-search"}
    assert len(after["threads"]) == len(set(after["threads"]))
    assert after["files"] <= before["files"] + 1, "a listing of the folder may be under way"
    assert after["megabytes"] < before["megabytes"] + MORE_MEGABYTES


def test_a_camera_that_is_replugged_again_and_again_is_live_each_time(told: dict[str, Any]) -> None:
    assert told["start"][-1] == "OPENED"
    assert_nothing_is_left(told["replugs"], 25)


@pytest.mark.slow
def test_a_camera_that_is_replugged_100_times_leaves_nothing(tmp_path: Path) -> None:
    assert_nothing_is_left(run(tmp_path, "replugs=100", "only")["replugs"], 100)


def test_absent_busy_and_denied_are_told_apart_and_it_comes_back(told: dict[str, Any]) -> None:
    refusals = told["refusals"]
    assert refusals == {
        "absent": "Fake webcam was unplugged; plug it in again, or choose another source",
        "busy": "another program uses Fake webcam; close it there, or choose another camera",
        "denied": "you are not allowed to use Fake webcam; ask your administrator to put you into the group “video”, "
        "log in again, or choose another source",
    }


@pytest.mark.parametrize("fault", ["stalled", "hung"])
def test_a_camera_that_pauses_goes_on_by_itself(told: dict[str, Any], fault: str) -> None:
    assert told[fault]["told"] == ["STALLED", "RESUMED"]


@pytest.mark.parametrize("fault", ["silent", "stuck"])
def test_a_camera_that_is_silent_is_opened_anew_until_it_sends(told: dict[str, Any], fault: str) -> None:
    heard = told[fault]["told"]
    assert heard[:3] == ["STALLED", "LOST", "RECONNECTING"]
    assert heard[-1] == "RESUMED"
    assert "BUSY" not in heard, "it is not another program that has it"
    assert_one_clear_sentence(AssertionError(told[fault]["sentence"]), "Fake webcam")


@pytest.mark.slow
def test_a_camera_that_is_silent_for_10_s_is_live_again(tmp_path: Path) -> None:
    heard = run(tmp_path, "patient")
    assert heard["patient"] == ["STALLED", "LOST", "RECONNECTING"]
    assert heard["patient then"][-1] == "RESUMED"


def test_damaged_pictures_are_left_out_and_counted(told: dict[str, Any]) -> None:
    damage = told["damage"]
    for kind in ("empty", "noise", "zeros", "only a header", "cut off"):
        assert damage[kind] >= 2, kind


def test_a_camera_that_sends_nothing_but_damaged_pictures_is_opened_anew_with_a_hint(told: dict[str, Any]) -> None:
    damage = told["damage"]
    assert damage["told"][-2:] == ["LOST", "RECONNECTING"]
    assert damage["told then"] == ["RESUMED"]
    assert_one_clear_sentence(AssertionError(damage["sentence"]), "the pictures of Fake webcam arrive damaged", "cable")


def test_pictures_of_another_size_or_without_colour_go_on_with_their_faces(told: dict[str, Any]) -> None:
    faces = dict(told["sizes"]["faces"])
    assert faces.pop("tiny") == 0
    assert set(faces.values()) == {1}
    assert told["sizes"]["told"] == [], "it stays live"


def test_the_drivers_clock_may_run_backwards_and_the_wall_clock_jump(told: dict[str, Any]) -> None:
    times = told["times"]
    assert times["slept: wall clock"] > 8 * 3600, "the fault is there"
    for fault in ("backwards", "slept"):
        least_s, most_s = times[fault]
        assert least_s > 0 and most_s < 5
        assert len(times[f"{fault}: faces"]) == 1, "it is the same face"
    assert times["told"] == []


def test_5_and_240_frames_a_second(told: dict[str, Any]) -> None:
    slow, fast = told["rates"]["5"], told["rates"]["240"]
    assert slow["frames"] < 7 and fast["frames"] > 30
    assert slow["faces"] == fast["faces"] and len(slow["faces"]) == 1, "it is the same face"
    assert told["rates"]["told"] == []


def test_a_black_picture_is_told_until_there_is_light(told: dict[str, Any]) -> None:
    assert told["dark"]["told"] == ["DARK", "LIGHT"]


def test_in_the_end_nothing_is_left(told: dict[str, Any]) -> None:
    assert told["left"] == []
