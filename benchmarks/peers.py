"""Other face trackers on the same frames: ms a frame, processor time, faces found.

python -m benchmarks.peers [CLIP] [--python PEER=PYTHON ...] [--mediapipe-task FILE] [--dlib-predictor FILE]
                           [--onnx DETECTOR,LANDMARKS] [--faces 5] [--frames 300] [--json FILE]

Each is a process of its own and looks at ten frames when it is its turn, while the others wait. What is not installed
or lacks a model is said and left out; nothing is downloaded. Packages that bring another OpenCV (mediapipe does) belong
into an environment of their own: --python mediapipe=/path/to/python.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

import numpy as np

from benchmarks.clips import load_reel, many_faces, read_frames
from benchmarks.figures import ROOT, Value, heading, save_report, table
from benchmarks.peer import KINDS
from fkd_desktop.live.network import load_predictor
from trainer.core.resources import assets_dir

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

BLOCK: Final = 10
SIZE: Final = (1280, 720)
NAMES: Final = {
    "ours": "FKD Desktop", "haar": "Haar (1.2, 2) on every frame + our network", "mediapipe": "MediaPipe Face Mesh",
    "mediapipe_task": "MediaPipe Face Landmarker", "dlib": "dlib HOG + shape predictor", "onnx": "ONNX models",
}  # fmt: skip


@dataclass(frozen=True)
class Settings:
    """What the user has.

    Attributes
    ----------
    pythons
        By kind of `benchmarks.peer`: the Python that has its package; this one if not named.
    faces
        How many faces a peer that wants to know is told to follow.
    """

    pythons: Mapping[str, str] = field(default_factory=dict)
    task: str = ""
    predictor: str = ""
    onnx: str = ""
    faces: int = 5

    def python_of(self, kind: str) -> str:
        return self.pythons.get(kind) or self.pythons.get(kind.partition("_")[0]) or sys.executable


class Peer:
    """A running tracker.

    Parameters
    ----------
    log
        Takes what it prints, to be asked for a reason.
    """

    def __init__(self, kind: str, settings: Settings, frames: Path, log: IO[str], *, faces: int) -> None:
        given = {"task": settings.task, "predictor": settings.predictor, "onnx": settings.onnx, "faces": faces}
        python = settings.python_of(kind)
        # Another Python has packages of its own, and needs none of this project's.
        path = {"PYTHONPATH": str(ROOT)} if kind in ("ours", "haar") else {}
        self._log = log
        self._process = subprocess.Popen(
            [python, str(ROOT / "benchmarks" / "peer.py"), kind, json.dumps(given), str(frames)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, env={**os.environ, **path},
        )  # fmt: skip
        self.values: dict[str, list[float]] = {"ms": [], "cpu_ms": [], "faces": []}
        self.missing: str | None = self._answer().get("missing")

    def __enter__(self) -> Peer:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()

    def look(self, first: int, last: int) -> None:
        """Have its turn."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{first} {last}\n")
        self._process.stdin.flush()
        answer = self._answer()
        self.missing = answer.get("missing")
        for name, values in self.values.items():
            values.extend(answer.get(name, []))

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if line:
            answer: dict[str, Any] = json.loads(line)
            return answer
        self._log.seek(0)
        said = self._log.read().strip().splitlines() or ["it said nothing"]
        return {"missing": f"it failed: {said[-1]}"}


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.peers", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("clip", type=Path, nargs="?", default=assets_dir() / "demo" / "demo.mp4")
    parser.add_argument("--python", action="append", default=[], metavar="PEER=PYTHON", help=f"of {', '.join(KINDS)}")
    parser.add_argument("--mediapipe-task", default="", metavar="FILE", help="face_landmarker.task")
    parser.add_argument("--dlib-predictor", default="", metavar="FILE", help="shape_predictor_68_face_landmarks.dat")
    parser.add_argument("--onnx", default="", metavar="DETECTOR,LANDMARKS", help="see benchmarks/peer.py")
    parser.add_argument("--faces", type=int, default=5, help="that MediaPipe follows (default: %(default)s; and 1)")
    parser.add_argument("--frames", type=int, default=300, help="of each clip (default: %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    options = parser.parse_args()
    pythons = dict(entry.split("=", 1) for entry in options.python if "=" in entry)
    if len(pythons) != len(options.python) or not set(pythons) <= set(KINDS):
        parser.error(f"--python takes PEER=PYTHON, with PEER one of {', '.join(KINDS)}")
    files = [options.mediapipe_task, options.dlib_predictor, *options.onnx.split(",")]
    for path in filter(None, files):
        if not Path(path).is_file():
            parser.error(f"there is no file {path}")
    if options.onnx and options.onnx.count(",") != 1:
        parser.error("--onnx takes two files with a comma between them")
    settings = Settings(pythons, options.mediapipe_task, options.dlib_predictor, options.onnx, options.faces)
    print(heading())
    found = measure(options.clip, settings=settings, frames=options.frames)
    print(text(found))
    if options.json:
        save_report(options.json, found)
    return 0


def measure(
    clip: Path, *, quick: bool = False, settings: Settings | None = None, frames: int = 300
) -> dict[str, dict[str, dict[str, Any]]]:
    """Let all that can take turns.

    Returns
    -------
    By clip and name: "ms", "p90_ms", "cpu_ms" (medians, and of all the process's threads) and "faces" (mean); or
    "missing", a line that says what.
    """
    settings = settings or Settings()
    frames = 20 if quick else frames
    report = {}
    for name, pictures in clips(clip, frames, quick=quick).items():
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "frames.npy"
            np.save(path, pictures)
            report[name] = take_turns(path, len(pictures), settings)
    return report


def clips(clip: Path, frames: int, *, quick: bool) -> dict[str, NDArray[np.uint8]]:
    """(T, H, W, 3) uint8 each: the recording, and four of its face."""
    made = {"one face": np.stack(read_frames(clip, frames))}
    if not quick:
        reel = load_reel(clip, load_predictor(device="cpu"))
        drawn = many_faces(reel, faces=4, size=SIZE, frames=min(120, frames))
        made["4 faces, 1280x720"] = np.stack([frame.image_bgr for frame in drawn])
    return made


def take_turns(path: Path, frames: int, settings: Settings) -> dict[str, dict[str, Any]]:
    """Start all trackers, let each have its turn on ten frames, and sum up."""
    report: dict[str, dict[str, Any]] = {}
    with ExitStack() as stack:
        peers = {}
        for kind, name in NAMES.items():
            is_told = kind.startswith("mediapipe")  # how many faces to follow
            for faces in sorted({1, settings.faces}) if is_told else [settings.faces]:
                log = stack.enter_context(tempfile.TemporaryFile("w+", encoding="utf-8"))
                peer = stack.enter_context(Peer(kind, settings, path, log, faces=faces))
                of = "one face" if faces == 1 else f"up to {faces}"
                peers[f"{name}, {of}" if is_told else name] = peer
        for first in range(0, frames, BLOCK):
            for peer in peers.values():
                if peer.missing is None:
                    peer.look(first, min(first + BLOCK, frames))
        for name, peer in peers.items():
            report[name] = {"missing": peer.missing} if peer.missing else summary(peer.values)
    return report


def summary(values: Mapping[str, Sequence[float]]) -> dict[str, float]:
    p50, p90 = np.percentile(values["ms"], [50, 90])
    cpu, faces = float(np.median(values["cpu_ms"])), float(np.mean(values["faces"]))
    mean_cpu = float(np.mean(values["cpu_ms"]))
    return {"ms": float(p50), "p90_ms": float(p90), "cpu_ms": cpu, "mean_cpu_ms": mean_cpu, "faces": faces}


def text(report: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> str:
    """Lay the figures out, clip by clip."""
    parts, missing = [], {}
    for clip, peers in report.items():
        rows = [[clip, "ms a frame", "p90", "processor ms, median", "mean", "faces a frame"]]
        for name, figures in peers.items():
            if "missing" in figures:
                missing[name] = figures["missing"]
                continue
            numbers = [f"{figures[key]:.2f}" for key in ("ms", "p90_ms", "cpu_ms", "mean_cpu_ms", "faces")]
            rows.append([name, *numbers])
        parts.append(table(rows))
    return "\n\n".join([*parts, "\n".join(f"not run: {name}: {reason}" for name, reason in missing.items())])


def figures(report: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> dict[str, Value]:
    """Return what was measured for `python -m benchmarks`, and tell what was not."""
    found = {}
    for clip, peers in report.items():
        for name, values in peers.items():
            if "missing" in values:
                print(f"not run: {name}: {values['missing']}", file=sys.stderr)
                continue
            found[f"{clip}, {name}"] = Value(values["ms"], "ms")
            found[f"{clip}, {name}, p90"] = Value(values["p90_ms"], "ms")
            found[f"{clip}, {name}, processor"] = Value(values["mean_cpu_ms"], "ms")
            found[f"{clip}, {name}, faces a frame"] = Value(values["faces"], "faces", more_is_better=True)
    return found


if __name__ == "__main__":
    sys.exit(main())
