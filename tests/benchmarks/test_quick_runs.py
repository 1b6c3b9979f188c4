"""Small runs of the real benchmarks that need no window: they measure something, and say it."""

import threading
from itertools import repeat
from pathlib import Path

import numpy as np
import pytest

from benchmarks import endurance, peers, scaling
from benchmarks.driving import Drive, drive, to_and_fro
from benchmarks.pipeline import measure as measure_pipeline
from fkd_desktop.errors import SourceError
from fkd_desktop.live.network import load_predictor
from trainer.core.resources import assets_dir

DEMO = assets_dir() / "demo" / "demo.mp4"


@pytest.fixture(scope="module")
def predictor():
    return load_predictor(device="cpu")


def test_frames_are_driven_one_by_one_and_timed(predictor):
    pictures = [np.full((90, 120, 3), level, np.uint8) for level in (0, 60, 120)]
    found = drive(to_and_fro(pictures, 12), predictor, skip=2)
    assert found.dropped == 0
    assert len(found.wall_ms) == len(found.cpu_ms) == len(found.faces) == 10
    assert all(cpu_ms >= 0 and wall_ms > 0 for cpu_ms, wall_ms in zip(found.cpu_ms, found.wall_ms, strict=True))
    assert not [thread for thread in threading.enumerate() if thread.name in ("face-search", "frame-reader")]


def test_to_and_fro_has_no_cut():
    pictures = [np.array([number]) for number in range(4)]
    assert [int(picture[0]) for picture in to_and_fro(pictures, 8)] == [0, 1, 2, 3, 2, 1, 0, 1]
    assert [int(picture[0]) for picture in to_and_fro(pictures[:1], 2)] == [0, 0]


def test_what_breaks_ends_the_drive(predictor):
    def broken():
        yield np.zeros((90, 120, 3), np.uint8)
        raise OSError("the disk is gone")

    with pytest.raises(Exception, match="the disk is gone"):
        drive(broken(), predictor, into=Drive())


def test_the_pipeline_finds_the_demos_faces():
    found = measure_pipeline(DEMO, quick=True)
    assert found["one face, ms a frame"].value > 0
    assert found["2 faces, found, of all faces"].value > 0.9
    assert found["ms more a face"].goal == 1.2


def cells(*, rest: float, a_face: float, a_megapixel: float) -> list[dict]:
    return [
        {"faces": faces, "found": faces, "width": width, "height": 1000,
         "cpu_ms": rest + a_face * faces + a_megapixel * width / 1000, "wall_ms": 1.0}
        for faces in (1, 4) for width in (1000, 4000)
    ]  # fmt: skip


def test_the_fit_tells_faces_from_pixels(tmp_path):
    some = cells(rest=0.5, a_face=0.9, a_megapixel=0.02)
    fitted = scaling.fit(some)
    assert fitted["ms_a_face"] == pytest.approx(0.9)
    assert fitted["ms_a_megapixel"] == pytest.approx(0.02)
    assert fitted["explained"] == pytest.approx(1)
    assert "0.90 ms a face" in scaling.text(some)
    scaling.plot(some, tmp_path / "plots" / "scaling.png")
    assert (tmp_path / "plots" / "scaling.png").read_bytes().startswith(b"\x89PNG")


def test_endurance_watches_minute_by_minute():
    report = endurance.measure([DEMO], minutes=2, minute_s=1.0)
    assert len(report["minutes"]) == 2
    assert all(minute["frames"] > 0 for minute in report["minutes"])
    assert len(report["vitals"]["rss_mb"]) > 4


def test_endurance_says_what_broke_and_leaves_no_thread(tmp_path):
    with pytest.raises(SourceError, match=r"none\.mp4"):
        endurance.measure([tmp_path / "none.mp4"], minutes=2, minute_s=1.0)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("session")]


@pytest.mark.parametrize(
    ("growth_mb_per_s", "cpu_ms", "files", "judged"),
    [
        (0, 1.0, 7, ["ok", "ok", "ok"]),
        (0.5, 1.5, 7, ["MISSED", "MISSED", "ok"]),
        (0, 1.0, None, ["ok", "ok", "MISSED"]),
    ],
)
def test_endurance_judges_growth_drift_and_leaks(growth_mb_per_s, cpu_ms, files, judged):
    seconds = list(range(240))
    vitals = endurance.Vitals(
        at_s=[float(second) for second in seconds],
        rss_mb=[200 + growth_mb_per_s * second for second in seconds],
        threads=[8] * 240,
        files=seconds if files is None else [files] * 240,
    )
    minutes = [endurance.Minute(1000, 2.0, 3.0, 1.0), *repeat(endurance.Minute(1000, 2.0, 3.0, 1.0), 2)]
    minutes.append(endurance.Minute(1000, 2.0, 3.0, cpu_ms))
    lines = endurance.verdicts(endurance.summarise(vitals, minutes, 60.0))
    assert [line.split()[0] for line in lines] == judged


def test_peers_that_are_not_there_are_said(tmp_path, monkeypatch):
    """A package of this name that cannot be imported stands for one that is not installed."""
    for name in ("mediapipe", "dlib"):
        (tmp_path / f"{name}.py").write_text(f"raise ImportError('no {name} here')")
    monkeypatch.setattr(peers, "NAMES", {"mediapipe": "MediaPipe", "dlib": "dlib", "onnx": "ONNX models"})
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    frames = tmp_path / "frames.npy"
    np.save(frames, np.zeros((3, 60, 80, 3), np.uint8))
    found = peers.take_turns(frames, 3, peers.Settings(faces=1, predictor=str(Path(__file__))))
    assert "no mediapipe here" in found["MediaPipe, one face"]["missing"]
    assert "no dlib here" in found["dlib"]["missing"]
    assert "--onnx" in found["ONNX models"]["missing"]
    assert "not run: dlib" in peers.text({"clip": found})


def test_a_peer_that_breaks_is_said_with_its_reason(tmp_path, monkeypatch):
    (tmp_path / "dlib.py").write_text("def get_frontal_face_detector(): raise RuntimeError('out of luck')")
    monkeypatch.setattr(peers, "NAMES", {"dlib": "dlib"})
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    frames = tmp_path / "frames.npy"
    np.save(frames, np.zeros((3, 60, 80, 3), np.uint8))
    found = peers.take_turns(frames, 3, peers.Settings(predictor=str(Path(__file__))))
    assert found["dlib"]["missing"] == "it failed: RuntimeError: out of luck"


def test_the_cascade_with_our_network_is_a_peer_that_is_always_there(tmp_path, monkeypatch):
    monkeypatch.setattr(peers, "NAMES", {"haar": "Haar"})
    frames = tmp_path / "frames.npy"
    np.save(frames, peers.clips(DEMO, 4, quick=True)["one face"])
    found = peers.take_turns(frames, 4, peers.Settings())
    assert found["Haar"]["faces"] > 0
    assert found["Haar"]["ms"] > 0
    assert peers.figures({"one face": found})["one face, Haar, faces a frame"].more_is_better
