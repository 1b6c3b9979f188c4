"""A film past 4 GiB, where offsets and lengths no longer fit into 32 bits: it plays, seeks, and survives a kill.

It takes minutes and gigabytes, so it runs when asked for:
FKD_TEST_4_GIB=1 python -m pytest tests/capture/test_past_4_gib.py
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest

from fkd_desktop.capture.films import recover_films
from fkd_desktop.live.mp4_file import cut_incomplete_tail

# Noise without loss, encoded once: a copy of it is the next frame, so that only the disk has work.
RECORD = """
import os, signal, sys
from pathlib import Path
import av
import numpy as np
from fkd_desktop.live.video_writer import FRAGMENT_S, VideoWriter

class Copies:
    def __init__(self, stream):
        self.stream = stream
        self.data = None
    def encode(self, picture):
        if picture is None:
            return []
        if self.data is None:
            (first,) = self.stream.encode(picture)
            self.data = bytes(first)
        packet = av.Packet(self.data)
        packet.stream, packet.pts, packet.dts = self.stream, picture.pts, picture.pts
        packet.time_base, packet.is_keyframe = picture.time_base, True
        return packet

class Writer(VideoWriter):
    def _add_stream(self, width, height):
        stream = super()._add_stream(width, height)
        stream.options |= {"qp": "0"}
        return Copies(stream)

noise = np.random.default_rng(0).integers(0, 255, (2160, 3840, 3), dtype=np.uint8)
with Writer(Path(sys.argv[1]), effort="live") as writer:
    i = 0
    while writer.size_bytes < 2**32 + 50_000_000:
        writer.write(noise, i / 10)
        i += 1
    if sys.argv[2] == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
print(i)
"""
FREE_BYTES = 15_000_000_000


@pytest.mark.slow
@pytest.mark.skipif("FKD_TEST_4_GIB" not in os.environ, reason="it takes minutes and 15 GB: set FKD_TEST_4_GIB")
@pytest.mark.timeout(900)
@pytest.mark.parametrize("end", ["finish", "kill"])
def test_it_plays_to_its_end_and_seeks(tmp_path: Path, end: str) -> None:
    if shutil.disk_usage(tmp_path).free < FREE_BYTES:
        pytest.skip("there is too little room")
    path = tmp_path / "film.mp4"
    try:
        command = [sys.executable, "-c", RECORD, str(path), end]
        process = subprocess.run(command, check=False, capture_output=True, text=True, cwd=Path(__file__).parents[2])
        if end == "kill":
            assert process.returncode == -signal.SIGKILL
            (tmp_path / ".film.mp4.recording").touch()
            assert recover_films(tmp_path) == [path]
        else:
            assert process.returncode == 0, process.stderr
        assert path.stat().st_size > 2**32
        with path.open("r+b") as file:
            assert cut_incomplete_tail(file)
        assert path.stat().st_size > 2**32
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            count = stream.frames
            assert count >= (int(process.stdout) if end == "finish" else 200)
            packets = [packet.pts for packet in container.demux(stream) if packet.pts is not None]
            assert len(packets) == count
            for number in (count - 1, count // 2, 1):
                container.seek(packets[number], stream=stream)
                frame = next(container.decode(stream))
                assert frame.pts == packets[number]
                assert np.ptp(frame.to_ndarray(format="gray")) > 100, "the noise, not a grey substitute"
    finally:
        path.unlink(missing_ok=True)
