"""Where the mean face of `fkd_desktop.live.head_pose` comes from, and how well it fits.

python -m benchmarks.head_pose DATA

DATA is the training folder of the published data set, its table beside it. The shipped network looks at every other
picture; a rigid, symmetric shape is fitted to what it says. Printed are the shape in mm, to be compared with the one in
use, the misfit, and the spread of the angles.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from fkd_desktop.live.head_pose import MODEL_MM, estimate
from trainer.core.keypoints import FLIP_ORDER, OUTER_EYE_CORNERS
from trainer.core.predictor import Predictor
from trainer.core.preprocess import box_from_keypoints

ROUNDS = 400
EYE_CORNERS = [36, 39, 42, 45]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.head_pose", description=__doc__.split("\n", 1)[0])
    parser.add_argument("data", type=Path, help="folder of the published training pictures")
    faces = predicted_faces(parser.parse_args().data)
    model = fitted_model(faces)
    print(f"{len(faces)} faces; keypoint: (left, down, away) in mm, and how far the model in use is from it")
    for i in range(68):
        if FLIP_ORDER[i] >= i:
            print(f"  {i}: {model[i].round(1)}  {np.linalg.norm(model[i] - MODEL_MM[i]):.1f}")
    poses = [pose for pose in map(estimate, faces) if pose is not None]
    misfit = [pose.misfit for pose in poses]
    print(f"{len(poses)} poses; misfit median {np.median(misfit):.3f}, 1 % above {np.percentile(misfit, 99):.3f}")
    for name in ("yaw_deg", "pitch_deg", "roll_deg"):
        angles = np.percentile([getattr(pose, name) for pose in poses], [1, 10, 50, 90, 99])
        print(f"  {name}: 1, 10, 50, 90, 99 % below {angles.round(1)}")


def predicted_faces(folder: Path) -> np.ndarray:
    """(N, 68, 2) float32: the network's second look at every other picture's face."""
    table = next(folder.parent.glob(f"{folder.name}*.csv"))
    rows = [line.split(",") for line in table.read_text(encoding="utf-8").splitlines()[1:]][::2]
    predictor = Predictor.load(device="cpu")
    faces = []
    for name, *numbers in rows:
        picture = cv2.imread(str(folder / name), cv2.IMREAD_COLOR)
        box = box_from_keypoints(np.array(numbers, np.float32).reshape(68, 2))
        first = predictor.predict(picture, box[None])
        if first.confidence[0] >= 0.9:
            faces.append(predictor.predict(picture, box_from_keypoints(first.points_px)).points_px[0])
    return np.array(faces)


def fitted_model(faces: np.ndarray) -> np.ndarray:
    """(68, 3): see the comment at the model in use."""
    points = faces - faces.mean(axis=1, keepdims=True, dtype=np.float64)
    points /= np.sqrt(np.square(points).sum(axis=-1).mean(axis=1))[:, None, None]
    points = np.concatenate([points, points[:, FLIP_ORDER] * [-1, 1]])
    mean = points.mean(axis=0)
    shape = np.c_[mean, 0.6 * np.square(mean).sum(axis=1)]  # to start with, a bowl
    for _ in range(ROUNDS):
        shape = symmetric(shape - shape.mean(axis=0))
        shape /= np.sqrt(np.square(shape).sum(axis=1).mean())
        rotations, scales = weak_perspective(shape, points)
        rows = rotations[:, :2]
        seen = np.einsum("nki,nij->kj", points / scales[:, None, None], rows)
        shape = seen @ np.linalg.inv(np.einsum("nij,nik->jk", rows, rows))
    shape = upright(symmetric(shape), points)
    right, left = OUTER_EYE_CORNERS
    shape *= 90 / (shape[left, 0] - shape[right, 0])
    return shape - shape[EYE_CORNERS].mean(axis=0)


def symmetric(shape: np.ndarray) -> np.ndarray:
    return (shape + shape[FLIP_ORDER] * [-1, 1, 1]) / 2


def weak_perspective(shape: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(N, 3, 3) rotations and (N,) scales that bring the shape nearest to the (N, 68, 2) points."""
    maps = np.einsum("nki,kj->nij", points, shape) @ np.linalg.inv(shape.T @ shape)
    across, sizes, along = np.linalg.svd(maps, full_matrices=False)
    rows = across @ along
    return np.stack([rows[:, 0], rows[:, 1], np.cross(rows[:, 0], rows[:, 1])], axis=1), sizes.mean(axis=1)


def upright(shape: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Turn the shape so that faces looking ahead have no pitch, in the median."""
    rotations, _ = weak_perspective(shape, points)
    yaw, pitch = np.arctan2(rotations[:, 2, 0], rotations[:, 2, 2]), np.arctan2(rotations[:, 1, 2], rotations[:, 2, 2])
    angle = np.median(pitch[np.abs(yaw) < np.radians(10)])
    sin, cos = np.sin(angle), np.cos(angle)
    return shape @ np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]])


if __name__ == "__main__":
    main()
