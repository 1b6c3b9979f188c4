"""How keypoints hold up when pictures get worse: ``python -m benchmarks.robustness --data DIR [--weights W ...]``.

The held-out people of the data set, each picture spoilt in one way at a time, boxes from the labels; the mean NME in
per cent and, in brackets, the share of faces over 10 %. Sizes are pixels between the outer corners of the eyes.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch

from trainer import metrics
from trainer.core.keypoints import inter_ocular_distance
from trainer.core.predictor import Predictor
from trainer.core.preprocess import box_from_keypoints
from trainer.dataset import read_image, split_by_identity
from trainer.readers import read_samples

if TYPE_CHECKING:
    from numpy.typing import NDArray

Image = NDArray[np.uint8] if TYPE_CHECKING else object
Points = NDArray[np.float32] if TYPE_CHECKING else object
Spoil = "Callable[[Image, Points, np.random.Generator], tuple[Image, Points]]"


def as_is(image: Image, points: Points, _: np.random.Generator) -> tuple[Image, Points]:
    return image, points


def scaled_to(distance_px: float) -> Spoil:
    def spoil(image: Image, points: Points, _: np.random.Generator) -> tuple[Image, Points]:
        factor = distance_px / float(inter_ocular_distance(points[None])[0])
        if factor >= 1:
            return image, points
        size = (max(1, round(image.shape[1] * factor)), max(1, round(image.shape[0] * factor)))
        small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        ratio = np.array([size[0] / image.shape[1], size[1] / image.shape[0]], np.float32)
        return small, (points + 0.5) * ratio - 0.5

    return spoil


def dark(share: float, noise: float) -> Spoil:
    def spoil(image: Image, points: Points, random: np.random.Generator) -> tuple[Image, Points]:
        dim = image * share + random.normal(0, noise, image.shape)
        return dim.clip(0, 255).astype(np.uint8), points

    return spoil


def motion_blurred(share: float) -> Spoil:
    """Blur along a line of a share of the distance between the eyes, in a random direction."""

    def spoil(image: Image, points: Points, random: np.random.Generator) -> tuple[Image, Points]:
        length = max(1, round(share * float(inter_ocular_distance(points[None])[0])))
        kernel = np.zeros((2 * length + 1,) * 2, np.float32)
        angle = random.uniform(0, np.pi)
        offset = np.round(np.outer(np.linspace(-0.5, 0.5, 4 * length), [np.cos(angle), np.sin(angle)]) * length)
        np.add.at(kernel, tuple((offset.astype(int) + length).T[::-1]), 1.0)
        return cv2.filter2D(image, -1, kernel / kernel.sum()), points

    return spoil


def turned(degrees: float) -> Spoil:
    def spoil(image: Image, points: Points, random: np.random.Generator) -> tuple[Image, Points]:
        height, width = image.shape[:2]
        affine = cv2.getRotationMatrix2D((width / 2, height / 2), degrees * random.choice([-1, 1]), 1.0)
        image = cv2.warpAffine(image, affine, (width, height), borderMode=cv2.BORDER_REPLICATE)
        return image, (points @ affine[:, :2].T + affine[:, 2]).astype(np.float32)

    return spoil


def half_lit(image: Image, points: Points, random: np.random.Generator) -> tuple[Image, Points]:
    """Light from one side: the other keeps a tenth."""
    light = np.linspace(1.0, 0.1, image.shape[1])[None, :, None]
    return (image * (light if random.random() < 0.5 else light[:, ::-1])).astype(np.uint8), points


CONDITIONS: dict[str, Spoil] = {
    "as it is": as_is,
    "32 px between the eyes": scaled_to(32),
    "20 px": scaled_to(20),
    "12 px": scaled_to(12),
    "a fifth of the light, noise": dark(0.2, 4),
    "a tenth of the light, noise": dark(0.1, 4),
    "light from one side": half_lit,
    "motion blur, a tenth of the eyes' distance": motion_blurred(0.1),
    "motion blur, a quarter": motion_blurred(0.25),
    "turned by 20 degrees": turned(20),
    "turned by 40 degrees": turned(40),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--data", required=True)
    parser.add_argument("--weights", nargs="*", help="safetensors files (default: the shipped weights)")
    options = parser.parse_args()
    torch.set_num_threads(1)  # as in the live session; more wait for one another when the machine is busy
    predictors = [Predictor.load(path, device="cpu") for path in options.weights or [None]]
    people = split_by_identity(read_samples(options.data), validation_share=0.15, seed=1)[1]
    pictures = [(read_image(sample.image_path), sample.keypoints_px) for sample in people]
    for name, spoil in CONDITIONS.items():
        figures = []
        for predictor in predictors:
            random = np.random.default_rng(0)
            nmes = np.concatenate([nme(predictor, *spoil(image, points, random)) for image, points in pictures])
            figures.append(f"{nmes.mean():7.2%} ({(nmes > metrics.FAILURE_NME).mean():5.1%})")
        print(f"{name:44}", *figures, flush=True)
    return 0


def nme(predictor: Predictor, image: Image, points: Points) -> NDArray[np.float32]:
    found = predictor.predict(image, box_from_keypoints(points[None]))
    return metrics.nme(found.points_px, points[None])


if __name__ == "__main__":
    sys.exit(main())
