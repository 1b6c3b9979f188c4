"""The application where there is no display: a real process works through a clip into files."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import cv2
import pytest

from fkd_desktop.live.sources import VideoSource
from tests.live.helpers import assert_one_clear_sentence

ROOT = Path(__file__).parents[1]

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems always have a display")


def run_application(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run `python -m fkd_desktop` in a folder of its own, with nothing that could be a display."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in ("DISPLAY", "WAYLAND_DISPLAY") and not name.startswith("QT_")
    }
    environment |= {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "error", "HOME": str(folder)}
    command = [sys.executable, "-m", "fkd_desktop", *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=100, check=False
    )


def test_a_clip_becomes_an_annotated_video_and_a_contact_sheet(short_clip: Path, tmp_path: Path) -> None:
    done = run_application("--source", str(short_clip), folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    video, sheet = tmp_path / "fkd-output" / "short-annotated.mp4", tmp_path / "fkd-output" / "short-sheet.png"
    assert str(video) in done.stdout and str(sheet) in done.stdout, "it must say where the files are"
    assert set(video.parent.iterdir()) == {video, sheet}
    said = re.search(r"30 frames, (\d+) with faces, at ([\d.]+) frames/s .* took ([\d.]+) ms a\s+frame", done.stdout)
    assert said, done.stdout
    assert int(said[1]) >= 29 and float(said[2]) > 1 and float(said[3]) < 1000
    source, bare = VideoSource(video), VideoSource(short_clip)
    source.open()
    bare.open()
    count = 0
    while (frame := source.read()) is not None:
        original = bare.read()
        assert original is not None
        eyes = (slice(170, 230), slice(260, 380))
        assert frame.image_bgr.shape == (480, 640, 3)
        assert frame.image_bgr[eyes].mean() < original.image_bgr[eyes].mean() - 40, "no sunglasses by default"
        count += 1
    source.close()
    bare.close()
    assert count == 30
    picture = cv2.imread(str(sheet))
    assert picture is not None and picture.shape == (900, 1600, 3)


def test_files_go_where_they_are_wanted_with_the_overlays_that_are(short_clip: Path, tmp_path: Path) -> None:
    done = run_application(
        "--source", str(short_clip), "--overlay", "none", "--out", str(tmp_path / "my folder"), "--device", "cpu",
        folder=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    written, bare = VideoSource(tmp_path / "my folder" / "short-annotated.mp4"), VideoSource(short_clip)
    written.open()
    bare.open()
    plain, original = written.read(), bare.read()
    written.close()
    bare.close()
    assert plain is not None and original is not None
    assert cv2.absdiff(plain.image_bgr, original.image_bgr).mean() < 3
    assert not (tmp_path / "fkd-output").exists()


@pytest.mark.parametrize("fault", ["missing source", "damaged source", "camera", "missing weights", "damaged weights"])
def test_bad_input_is_one_sentence_and_exit_code_2(short_clip: Path, tmp_path: Path, fault: str) -> None:
    damaged_clip, damaged_weights = tmp_path / "cut.mp4", tmp_path / "my weights.safetensors"
    damaged_clip.write_bytes(short_clip.read_bytes()[:3000])
    damaged_weights.write_bytes(b"no weights at all")
    arguments, name = {
        "missing source": (["--source", "no such clip.mp4"], "no such clip.mp4"),
        "damaged source": (["--source", str(damaged_clip)], str(damaged_clip)),
        "camera": (["--source", "camera:0"], "camera"),
        "missing weights": (["--source", str(short_clip), "--model", "nowhere.safetensors"], "nowhere.safetensors"),
        "damaged weights": (["--source", str(short_clip), "--model", str(damaged_weights)], str(damaged_weights)),
    }[fault]
    done = run_application(*arguments, folder=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ") and done.stderr.endswith("\n")
    assert_one_clear_sentence(ValueError(done.stderr.removeprefix("error: ")[:-1]), name)
    assert not list(tmp_path.rglob("*annotated*")), "nothing half done is left"
