"""fkd-annotate as a user starts it: a process of its own, without a display."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fkd_desktop.live.sources import VideoSource
from tests.live.helpers import read_all
from tests.trainer.tiny import names_in

ROOT = Path(__file__).parents[2]
TIMEOUT_S = 100


def environment(folder: Path) -> dict[str, str]:
    """Return one with nothing that could be a display."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in ("DISPLAY", "WAYLAND_DISPLAY") and not name.startswith("QT_")
    }
    return kept | {"PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error", "HOME": str(folder)}


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "fkd_desktop.annotate", *arguments]


def run(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments),
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )


def test_a_clip_is_painted_and_tabled_without_a_display(short_clip: Path, tmp_path: Path) -> None:
    done = run(str(short_clip), "--out", "out", "--overlay", "sunglasses", "--boxes", "--csv", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, ""), "no bar where no terminal is, and no word of any library"
    assert names_in(tmp_path / "out") == ["short-annotated.mp4", "short.csv"]
    assert "30 frames, 30 with faces" in done.stdout
    before, after = read_all(VideoSource(short_clip)), read_all(VideoSource(tmp_path / "out" / "short-annotated.mp4"))
    assert len(after) == 30
    eyes = (slice(170, 230), slice(260, 380))
    for bare, painted in zip(before, after, strict=True):
        assert painted.image_bgr[eyes].mean() < bare.image_bgr[eyes].mean() - 40, "there are no sunglasses"


def test_a_missing_file_among_others_is_exit_code_1(short_clip: Path, tmp_path: Path) -> None:
    done = run("gone.png", str(short_clip), "--out", "out", "--no-media", "--jsonl", folder=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("error: ") and done.stderr.count("\n") == 1 and "gone.png" in done.stderr
    assert names_in(tmp_path / "out") == ["short.jsonl"]


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_process_that_is_interrupted_leaves_a_whole_video(tmp_path: Path, number: signal.Signals) -> None:
    process = subprocess.Popen(
        command("demo", "--out", "out", "--csv"),
        cwd=tmp_path,
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    table = tmp_path / "out" / "demo.csv"
    try:
        deadline_s = time.monotonic() + TIMEOUT_S
        while not table.exists() or table.read_text().count("\n") < 5:
            assert process.poll() is None and time.monotonic() < deadline_s
            time.sleep(0.02)  # another process's file: there is nothing to wait for
        process.send_signal(number)
        out, error = process.communicate(timeout=TIMEOUT_S)
    finally:
        process.kill()
        process.wait()
    assert (process.returncode, error) == (128 + number, "")
    assert "stopped before its end" in out
    frames = read_all(VideoSource(tmp_path / "out" / "demo-annotated.mp4"))
    assert 1 <= len(frames) == table.read_text().count("\n") - 1


@pytest.mark.skipif(sys.platform == "win32", reason="pipes of POSIX")
def test_a_reader_that_has_seen_enough_does_not_end_the_work(short_clip: Path, tmp_path: Path) -> None:
    process = subprocess.Popen(
        command(str(short_clip), "demo-that-is-missing.mp4", "--out", "out", "--no-media", "--csv"),
        cwd=tmp_path,
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.close()
    error = process.communicate(timeout=TIMEOUT_S)[1]
    assert process.returncode == 1 and error.count("\n") == 1 and "demo-that-is-missing.mp4" in error
    assert (tmp_path / "out" / "short.csv").read_text().count("\n") == 31


def test_help_comes_at_once_and_loads_no_network(tmp_path: Path) -> None:
    program = "import sys; sys.argv = ['fkd-annotate', '--help']\nfrom fkd_desktop.annotate.cli import main\n"
    program += "try:\n    main()\nexcept SystemExit:\n    print('torch' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert done.stdout.startswith("usage: fkd-annotate INPUT... --out DIR")
    assert done.stdout.endswith("False\n"), done.stderr
