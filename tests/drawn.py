"""Drawn faces: what tests train on and look at, made here, so that no data set is needed.

tests/conftest.py gives the fixtures to every test.
"""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

Points = NDArray[np.float32]
Image = NDArray[np.uint8]

COLUMNS = ["", *(str(i) for i in range(136))]


def _neutral_face() -> Points:
    """(68, 2): an upright frontal face, iBUG order, about 1 wide, symmetric about x = 0 (its right is at x < 0)."""
    jaw = [(-0.5 * np.cos(np.pi * i / 16), -0.05 + 0.67 * np.sin(np.pi * i / 16)) for i in range(17)]
    right_brow = [(-0.42, -0.22), (-0.34, -0.27), (-0.26, -0.28), (-0.18, -0.27), (-0.1, -0.24)]
    left_brow = [(-x, y) for x, y in reversed(right_brow)]
    bridge = [(0, -0.12), (0, -0.04), (0, 0.04), (0, 0.12)]
    base = [(-0.1, 0.19), (-0.05, 0.205), (0, 0.215), (0.05, 0.205), (0.1, 0.19)]
    right_eye = [(-0.32, -0.1), (-0.26, -0.14), (-0.2, -0.14), (-0.14, -0.1), (-0.2, -0.07), (-0.26, -0.07)]
    left_eye = [(0.14, -0.1), (0.2, -0.14), (0.26, -0.14), (0.32, -0.1), (0.26, -0.07), (0.2, -0.07)]
    outer_lips = [(-0.2, 0.36), (-0.12, 0.31), (-0.05, 0.29), (0, 0.3), (0.05, 0.29), (0.12, 0.31), (0.2, 0.36)]
    outer_lips += [(0.12, 0.42), (0.05, 0.44), (0, 0.45), (-0.05, 0.44), (-0.12, 0.42)]
    inner_lips = [(-0.16, 0.36), (-0.06, 0.34), (0, 0.345), (0.06, 0.34), (0.16, 0.36)]
    inner_lips += [(0.06, 0.38), (0, 0.385), (-0.06, 0.38)]
    parts = [jaw, right_brow, left_brow, bridge, base, right_eye, left_eye, outer_lips, inner_lips]
    return np.array([point for part in parts for point in part], np.float32)


class DrawnFaces:
    """Faces whose keypoints are known because they were drawn from them."""

    neutral: Points = _neutral_face()

    def points(self, *, x: float = 0, y: float = 0, width: float = 1, angle: float = 0) -> Points:
        """(68, 2) keypoints of a face `width` wide about (x, y), turned clockwise in the picture by `angle`."""
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        return (width * self.neutral @ turn + (x, y)).astype(np.float32)

    def paint(self, image: Image, points: Points, *, skin: int = 200) -> None:
        """Draw a face into a grey or BGR image."""

        def fill(indices: range, shade: int) -> None:
            polygon = np.round(points[indices.start : indices.stop] * 16).astype(np.int32)
            cv2.fillPoly(image, [polygon], (shade,) * 3, cv2.LINE_AA, 4)

        width = float(np.linalg.norm(points[16] - points[0]))
        across = points[16] - points[0]
        angle = float(np.degrees(np.arctan2(across[1], across[0])))
        centre = (points[0] + points[16]) / 2
        axes = (round(width * 0.55 * 16), round(width * 0.72 * 16))
        at = (round(float(centre[0]) * 16), round(float(centre[1]) * 16))
        cv2.ellipse(image, at, axes, angle, 0, 360, (skin,) * 3, -1, cv2.LINE_AA, 4)
        for eye in (range(36, 42), range(42, 48)):
            fill(eye, 30)
        fill(range(48, 60), 90)
        fill(range(60, 68), 40)
        for line in (range(17, 22), range(22, 27), range(27, 31), range(31, 36)):
            stroke = np.round(points[line.start : line.stop] * 16).astype(np.int32)
            cv2.polylines(image, [stroke], False, (80,) * 3, max(1, round(width / 30)), cv2.LINE_AA, 4)

    def write_split(self, root: Path, split: str, *, people: int, images_each: int, seed: int = 0) -> None:
        """Write one split of a data set in the Udacity layout: JPEG files and a CSV of keypoints."""
        random = np.random.default_rng(seed)
        (root / split).mkdir(parents=True)
        rows: list[list[object]] = []
        for person in range(people):
            skin, backdrop = int(random.integers(150, 240)), int(random.integers(20, 110))
            for shot in range(images_each):
                height, width = (int(side) for side in random.integers(120, 180, 2))
                image = np.full((height, width, 3), backdrop, np.uint8)
                points = self.points(
                    x=width / 2 + float(random.uniform(-8, 8)),
                    y=height / 2 - 10 + float(random.uniform(-8, 8)),
                    width=float(random.uniform(60, 85)),
                    angle=float(random.uniform(-0.2, 0.2)),
                )
                self.paint(image, points, skin=skin)
                name = f"Person_{person:02d}_{shot}.jpg"
                (root / split / name).write_bytes(cv2.imencode(".jpg", image)[1].tobytes())
                rows.append([name, *(f"{value:.2f}" for value in points.flatten())])
        self.write_table(root, split, rows)

    @staticmethod
    def write_table(root: Path, split: str, rows: list[list[object]]) -> None:
        with (root / f"{split}_frames_keypoints.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([COLUMNS, *rows])


@pytest.fixture(scope="session")
def drawn() -> DrawnFaces:
    return DrawnFaces()


@pytest.fixture(scope="session")
def tiny_data(drawn: DrawnFaces, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set of drawn faces, 8 people with 4 images each to train on and 3 others to test on; never written to."""
    root = tmp_path_factory.mktemp("tiny")
    drawn.write_split(root, "training", people=8, images_each=4)
    drawn.write_split(root, "test", people=3, images_each=1, seed=1)
    return root


@pytest.fixture
def data_copy(tiny_data: Path, tmp_path: Path) -> Path:
    """A copy of the data set of drawn faces, to damage."""
    return Path(shutil.copytree(tiny_data, tmp_path / "data"))


@pytest.fixture
def edit_table() -> Callable[[Path, Callable[[list[str]], object]], None]:
    """Change the lines of a table (line 0 is the header) in place."""

    def change(table: Path, by: Callable[[list[str]], object]) -> None:
        lines = table.read_text(encoding="utf-8").splitlines()
        by(lines)
        table.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")

    return change


@pytest.fixture
def csv_data(tiny_data: Path, tmp_path: Path) -> Path:
    """8 people, 4 images each, as one table beside its images."""
    root = tmp_path / "csv data"
    shutil.copytree(tiny_data / "training", root)
    shutil.copy(tiny_data / "training_frames_keypoints.csv", root / "labels.csv")
    return root


@pytest.fixture
def pts_data(tiny_data: Path, tmp_path: Path) -> Path:
    """The first 12 faces of 3 people as .pts files, each person in a folder."""
    root = tmp_path / "pts data"
    with (tiny_data / "training_frames_keypoints.csv").open(encoding="utf-8") as file:
        rows = list(csv.reader(file))[1:13]
    for name, *cells in rows:
        folder = root / name.rpartition("_")[0].lower()
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(tiny_data / "training" / name, folder)
        points = "".join(
            f"{float(x) + 1:.2f} {float(y) + 1:.2f}\n" for x, y in zip(cells[::2], cells[1::2], strict=True)
        )
        (folder / name).with_suffix(".pts").write_text(f"version: 1\nn_points:  68\n{{\n{points}}}\n", encoding="utf-8")
    return root
