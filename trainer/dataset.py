"""Labelled faces: reading their images, splitting them by identity, and holding their crops in memory."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from trainer.core.errors import FkdError
from trainer.core.keypoints import NUM_KEYPOINTS
from trainer.core.preprocess import box_from_keypoints, crop_squares, extract_crop, frame_to_unit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from trainer.core.input_spec import InputSpec

CACHE_PER_BOX: Final = 2.0
"""Side of a cached crop over the side of the face box: room for augmentation to shift, turn and shrink."""


MAX_IMAGE_PIXELS: Final = int(os.environ["OPENCV_IO_MAX_IMAGE_PIXELS"])
"""See `trainer`."""


class DatasetError(FkdError, ValueError):
    """A data set that cannot be used; the message names the file, where it helps the row, and the reason."""


@dataclass(frozen=True)
class Sample:
    """One labelled face.

    Attributes
    ----------
    image_path
        The picture.
    keypoints_px
        (68, 2) float32 in pixels of the picture.
    identity
        Who is in the picture: what must not be on both sides of a split.
    """

    image_path: Path
    keypoints_px: NDArray[np.float32]
    identity: str


def identity_of(name: PurePath) -> str:
    """Say who is in a picture of a table, by its name there.

    The file's name up to its last underscore, as the published data set has it; without one the folder that the table
    puts the file in (``alice/001.jpg``), and without that the whole name.
    """
    person = name.stem.rpartition("_")[0]
    if person:
        return person
    return name.parent.as_posix() if name.parent.name else name.stem


def split_by_identity(
    samples: Sequence[Sample], *, validation_share: float, seed: int
) -> tuple[list[Sample], list[Sample]]:
    """Split so that nobody is on both sides.

    Parameters
    ----------
    samples
        All of them.
    validation_share
        Share of the identities that goes to the second list, at least one.
    seed
        The same seed gives the same split.

    Returns
    -------
    Training and validation samples, each in the order given.

    Raises
    ------
    DatasetError
        With fewer than two identities.
    """
    identities = sorted({sample.identity for sample in samples})
    if len(identities) < 2:
        raise DatasetError("all images are of one identity; validation needs at least two")
    np.random.default_rng(seed).shuffle(identities)
    count = min(max(1, round(validation_share * len(identities))), len(identities) - 1)
    held_out = set(identities[:count])
    training = [sample for sample in samples if sample.identity not in held_out]
    validation = [sample for sample in samples if sample.identity in held_out]
    return training, validation


@dataclass(frozen=True)
class FaceCrops:
    """Crops of N labelled faces in memory.

    Attributes
    ----------
    crops
        (N, 1, S, S) uint8, grey.
    points_unit
        (N, 68, 2) float32 keypoints: 0 to 1 across the crop.
    """

    crops: NDArray[np.uint8]
    points_unit: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.crops)


def load_crops(
    samples: Sequence[Sample],
    *,
    size_px: int,
    crop_per_box: float,
    should_stop: Callable[[], bool] = lambda: False,
) -> FaceCrops:
    """Decode every image once and keep the crop around its face.

    Parameters
    ----------
    samples
        N of them.
    size_px
        Side of the crops.
    crop_per_box
        Side of the crop over that of the face box (`box_from_keypoints`).
    should_stop
        Asked before each image; what has been read by then is returned.

    Raises
    ------
    DatasetError
        If an image cannot be decoded.
    """
    crops = np.empty((len(samples), 1, size_px, size_px), np.uint8)
    points = np.empty((len(samples), NUM_KEYPOINTS, 2), np.float32)
    done = 0
    for sample in samples:
        if should_stop():
            break
        image = read_image(sample.image_path)
        square = crop_squares(box_from_keypoints(sample.keypoints_px), crop_per_box=crop_per_box)
        crops[done, 0] = extract_crop(image, square[0], size_px=size_px)
        points[done] = frame_to_unit(sample.keypoints_px[None], square)[0]
        done += 1
    return FaceCrops(crops[:done], points[:done])


def training_cache(
    samples: Sequence[Sample], spec: InputSpec, *, should_stop: Callable[[], bool] = lambda: False
) -> FaceCrops:
    """Crops with room around the face, a quarter finer than the network's, for augmentation to sample from."""
    size_px = round(1.25 * spec.size_px * CACHE_PER_BOX / spec.crop_per_box)
    return load_crops(samples, size_px=size_px, crop_per_box=CACHE_PER_BOX, should_stop=should_stop)


def read_image(path: Path) -> NDArray[np.uint8]:
    """Read an image as (H, W, 3) BGR, whatever its file is called.

    Raises
    ------
    DatasetError
        If it cannot be decoded.
    """
    try:
        data = np.fromfile(path, np.uint8)  # cv2.imread cannot open every path on Windows
    except OSError as error:
        raise DatasetError("{path} cannot be read ({reason})", path=path, reason=error.strerror) from error
    try:
        image = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    except cv2.error as error:
        if "MAX_IMAGE" in str(error):  # its limits of pixels, width and height
            raise DatasetError(
                "{path} is too large a picture; make it smaller than {limit} megapixels",
                path=path,
                limit=MAX_IMAGE_PIXELS // 1_000_000,
            ) from error
        image = None
    if image is None:
        raise DatasetError("{path} is not an image that can be decoded", path=path)
    return image  # type: ignore[return-value]
