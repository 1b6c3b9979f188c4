"""What a run may open: pictures, films, a data set, weights; good ones and bad ones."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2

from fkd_desktop.live.video_writer import VideoWriter
from tests.drawn import DrawnFaces
from trainer.core.resources import assets_dir

DEMO = assets_dir() / "demo" / "demo.mp4"


def make_material(folder: Path) -> None:
    """Write all of it into a new folder."""
    folder.mkdir()
    pictures = folder / "pictures of faces"
    pictures.mkdir()
    capture = cv2.VideoCapture(str(DEMO))
    with VideoWriter(folder / "short film.mp4") as film:
        for number in range(45):
            frame = capture.read()[1]
            film.write(frame, number / 30)
            if number % 15 == 0:
                (pictures / f"Gesicht {number} ä.png").write_bytes(cv2.imencode(".png", frame)[1].tobytes())
    capture.release()
    whole = (folder / "short film.mp4").read_bytes()
    (folder / "cut off.mp4").write_bytes(whole[: len(whole) // 2])
    (folder / "noise.jpg").write_bytes(bytes(range(256)) * 40)
    (folder / "empty.mp4").touch()
    (folder / "notes.txt").write_text("no picture\n", encoding="utf-8")
    for name in ("mine", "other"):
        shutil.copy(assets_dir() / "weights" / "compact.safetensors", folder / f"{name}.safetensors")
    (folder / "broken.safetensors").write_bytes((folder / "mine.safetensors").read_bytes()[:5000])
    faces = DrawnFaces()
    faces.write_split(folder / "data", "training", people=8, images_each=4)
    faces.write_split(folder / "data", "test", people=3, images_each=1, seed=1)
