"""Films that were cut off by a process that was killed, found and finished by the next one."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import av
import cv2
import pytest

from fkd_desktop.capture import films
from fkd_desktop.capture.films import film_place, recover_films
from tests.fuzz.desktop_videos import fragments
from tests.live.test_video_writer import boxes_of, cv2_count
from tests.trainer.tiny import small_disk

RECORD_FOR_EVER = """
import sys
from pathlib import Path
import numpy as np
from fkd_desktop.capture.films import film_place
from fkd_desktop.live.video_writer import VideoWriter
rng = np.random.default_rng(0)
with film_place(Path(sys.argv[1])) as path, VideoWriter(path, effort="live") as writer:
    for i in range(10**6):
        writer.write(rng.integers(0, 255, (240, 320, 3), dtype=np.uint8), i / 30)
        print(i, flush=True)
"""


def kill_after(folder: Path, frames: int, *, later_s: float = 0) -> int:
    """Record in a process of its own, kill it, and return how many frames it had written; -1 for none."""
    command = [sys.executable, "-c", RECORD_FOR_EVER, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]) as process:
        assert process.stdout is not None
        written = -1
        while written < frames:
            written = int(process.stdout.readline())
            if written == 5 and frames > 5:
                assert recover_films(folder) == [], "it is still being written"
        time.sleep(later_s)  # anywhere in a frame: nothing tells of that
        process.kill()
        process.wait()
        return max([written, *(int(line) for line in process.stdout if line.endswith("\n"))])


@pytest.fixture
def killed(tmp_path):
    """Return the folder with a film that was cut off after at least 100 frames."""
    assert kill_after(tmp_path, 100) >= 100
    return tmp_path


def test_a_film_that_was_cut_off_is_finished_once(killed):
    (film,) = recover_films(killed)
    assert [path.name for path in killed.iterdir()] == [film.name]
    assert "moof" not in boxes_of(film)
    count = cv2_count(film)
    assert count >= 60 and count % 30 == 0
    capture = cv2.VideoCapture(str(film))
    assert capture.get(cv2.CAP_PROP_FRAME_COUNT) == count
    capture.release()
    with av.open(str(film)) as container:
        times = [float(frame.pts * frame.time_base) for frame in container.decode(video=0)]
    assert times == pytest.approx([i / 30 for i in range(count)], abs=0.001)
    assert recover_films(killed) == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_killed_at_any_moment_it_plays_up_to_the_last_two_seconds(tmp_path, seed):
    """Not only between two frames: the kill comes while some later one is encoded or written."""
    rng = random.Random(seed)
    written = kill_after(tmp_path, rng.randint(65, 150), later_s=rng.uniform(0, 0.05))
    (film,) = recover_films(tmp_path)
    with av.open(str(film)) as container:
        times = [float(frame.pts * frame.time_base) for frame in container.decode(video=0)]
    assert len(times) > written - 60
    assert times == pytest.approx([i / 30 for i in range(len(times))], abs=0.001)
    assert cv2_count(film) == len(times)
    assert [path.name for path in tmp_path.iterdir()] == [film.name]


def test_without_room_for_a_copy_it_stays_in_fragments_and_plays(killed):
    size = next(killed.glob("*.mp4")).stat().st_size
    with small_disk() as limit:
        limit(size // 3)
        (film,) = recover_films(killed)
    assert "moof" in boxes_of(film)
    assert [path.name for path in killed.iterdir()] == [film.name]
    assert cv2_count(film) >= 60


def test_of_one_without_anything_to_see_nothing_is_left(tmp_path):
    kill_after(tmp_path, 0)
    assert recover_films(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_a_film_that_is_gone_is_forgotten_and_a_broken_one_is_left(tmp_path):
    (tmp_path / ".gone.mp4.recording").touch()
    (tmp_path / ".folder.mp4.recording").touch()
    (tmp_path / "folder.mp4").mkdir()
    assert recover_films(tmp_path) == []
    assert [path.name for path in tmp_path.iterdir()] == ["folder.mp4"]
    assert recover_films(tmp_path / "nowhere") == []


def test_the_next_start_finishes_it_and_says_so(stage, killed, qtbot):
    stage.capture.videos_folder = killed
    with qtbot.waitSignal(stage.capture.recording_recovered, timeout=10_000) as recovered:
        stage.capture.recover_recordings()
    assert cv2_count(Path(recovered.args[0])) >= 60


def test_while_and_after_a_film_is_written_its_place_is_marked(tmp_path):
    with film_place(tmp_path) as path:
        path.write_bytes(b"a film")
        assert (tmp_path / f".{path.name}{films._MARK}").exists()
        assert recover_films(tmp_path) == [] and path.read_bytes() == b"a film"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_cannot_be_one_has_no_films() -> None:
    assert recover_films(Path("x" * 5000)) == []


@pytest.mark.parametrize("damage", ["of an unknown kind", "without pictures"])
def test_a_film_that_is_damaged_too_stays_as_it_is(tmp_path, damage):
    content = fragments()
    content = content.replace(b"avc1", b"zzzz") if damage == "of an unknown kind" else content.replace(b"vide", b"soun")
    (tmp_path / "film.mp4").write_bytes(content)
    (tmp_path / f".film.mp4{films._MARK}").touch()
    assert recover_films(tmp_path) == [tmp_path / "film.mp4"]
    assert [path.name for path in tmp_path.iterdir()] == ["film.mp4"]
