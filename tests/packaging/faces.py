"""A data set small enough to train two epochs on in seconds: the shipped model face, turned, shifted and lit anew."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np

from trainer.core.resources import assets_dir

SIDE_PX = 320


def write_faces(folder: Path, people: int = 12, pictures: int = 4) -> Path:
    """Write pictures and their 68 points as a folder that the trainer reads; return it."""
    folder.mkdir(parents=True)
    faces = assets_dir() / "faces"
    picture = cv2.imread(str(faces / "model.png"))
    points = np.array(json.loads((faces / "model.json").read_text(encoding="utf-8"))["keypoints_px"])  # (68, 2)
    random = np.random.default_rng(7)
    rows = ["," + ",".join(str(number) for number in range(136))]
    for person in range(people):
        for number in range(pictures):
            turn = cv2.getRotationMatrix2D((320, 320), random.uniform(-15, 15), random.uniform(0.3, 0.45))
            turn[:, 2] += SIDE_PX / 2 - 320 + random.uniform(-15, 15, 2)
            seen = cv2.warpAffine(picture, turn, (SIDE_PX, SIDE_PX), borderMode=cv2.BORDER_REPLICATE)
            seen = cv2.convertScaleAbs(seen, alpha=random.uniform(0.7, 1.2), beta=10 * person - 60)
            name = f"Person_{chr(65 + person)}_{number:02d}.jpg"
            cv2.imwrite(str(folder / name), seen)
            placed = points @ turn[:, :2].T + turn[:, 2]
            rows.append(",".join([name, *(f"{value:.1f}" for value in placed.ravel())]))
    (folder / "points.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder
