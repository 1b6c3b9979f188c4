"""A disk, of a network for instance, that takes nothing for a while: the session goes on, and nothing is lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.live.test_video_writer import av_times
from tests.live.webcam import COMPILER

HERE = Path(__file__).parent


@pytest.mark.skipif(
    not sys.platform.startswith("linux") or COMPILER is None, reason="the slow disk is made by a C compiler, for Linux"
)
def test_the_session_goes_on_while_the_disk_does_not(tmp_path: Path) -> None:
    library, folder = tmp_path / "slow_disk.so", tmp_path / "slow"
    folder.mkdir()
    assert COMPILER is not None
    subprocess.run([COMPILER, "-shared", "-fPIC", "-o", library, HERE / "slow_disk.c", "-ldl"], check=True)
    environment = os.environ | {
        "LD_PRELOAD": str(library),
        "SLOW_DISK": str(folder),
        "QT_QPA_PLATFORM": "offscreen",
        "PYTHONPATH": str(HERE.parents[1]),
    }
    command = [sys.executable, HERE / "slow_disk_script.py", folder]
    # Were anything waited for, it would be for ever: the disk goes on only when ten seconds of frames have come.
    process = subprocess.run(
        command, env=environment, check=False, capture_output=True, text=True, timeout=60, cwd=HERE.parents[1]
    )
    assert process.returncode == 0, process.stderr
    assert json.loads(process.stdout) == {"saved while it was slow": 0, "said": []}
    (film,) = folder.glob("*.mp4")
    assert len(av_times(film)) >= 8
    (picture,) = folder.glob("*.png")
    assert picture.stat().st_size > 100_000
    assert len((folder / "session.csv").read_text().splitlines()) > 256
    assert not [path.name for path in folder.iterdir() if path.name.startswith(".") or path.name == "hold"]
