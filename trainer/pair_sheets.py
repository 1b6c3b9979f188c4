"""Faces as an old and a new network see them, two by two: the most improved, the most worsened, and some between."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final

import numpy as np

from trainer.contact_sheet import GAP_PX, PAGE_BGR, SheetFace, contact_sheet
from trainer.core.preprocess import CROP_PER_BOX, box_from_keypoints, crop_squares, frame_to_unit
from trainer.dataset import load_crops

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from trainer.dataset import Sample
    from trainer.evaluate import Evaluation

ABOUT_SAME_NME: Final = 0.002
"""A face whose NME changes by less is neither better nor worse: nobody sees a fifth of a per cent."""
PAIRS_A_GROUP: Final = 4
TILE_PX: Final = 288
_PAIR_GAP_PX: Final = 16
_TEXT_PX: Final = 40
"""Large enough to be read in a window that shows the sheet at half its size."""


class PairGroup(Enum):
    """Faces of which a sheet shows some, by what the new weights did to them."""

    IMPROVED = "most improved"
    WORSENED = "most worsened"
    BETWEEN = "in between"


def nme_differences(old: Evaluation, new: Evaluation) -> NDArray[np.float32]:
    """(N,) new minus old NME of each face; one for which a network gives no numbers counts as wholly wrong."""
    differences: NDArray[np.float32] = np.nan_to_num(new.nmes, nan=1.0) - np.nan_to_num(old.nmes, nan=1.0)
    return differences


def pair_sheets(samples: Sequence[Sample], old: Evaluation, new: Evaluation) -> dict[PairGroup, NDArray[np.uint8]]:
    """Draw some of N faces twice, with the old prediction and the new one; reads their images again.

    Returns
    -------
    For each group that has any: (H, W, 3) uint8 BGR.

    Raises
    ------
    DatasetError
        If an image has gone since.
    """
    differences = nme_differences(old, new)
    sheets = {}
    for group, numbers in choose_pairs(differences, [sample.identity for sample in samples]).items():
        faces: list[SheetFace] = []
        for number in numbers:
            faces += _pair(samples[number], old, new, int(number))
        sheets[group] = _with_gaps(contact_sheet(faces, columns=4, tile_px=TILE_PX, text_px=_TEXT_PX, legend=False))
    return sheets


def choose_pairs(differences: NDArray[np.float32], identities: Sequence[str]) -> dict[PairGroup, NDArray[np.int64]]:
    """Choose up to `PAIRS_A_GROUP` faces of each group by their N differences, each of another person.

    Those between are the typical ones of what is left: the nearest to the median change. A group of none is left out.
    """
    order = np.argsort(differences, kind="stable").tolist()
    improved = _of_each_person([n for n in order if differences[n] < -ABOUT_SAME_NME], identities)[:PAIRS_A_GROUP]
    worsened = _of_each_person([n for n in order[::-1] if differences[n] > ABOUT_SAME_NME], identities)[:PAIRS_A_GROUP]
    left = [n for n in order if n not in improved and n not in worsened]
    middle = _of_each_person(sorted(left, key=lambda n: abs(differences[n] - np.median(differences))), identities)
    between = sorted(middle[:PAIRS_A_GROUP], key=lambda n: float(differences[n]))
    groups = {PairGroup.IMPROVED: improved, PairGroup.WORSENED: worsened, PairGroup.BETWEEN: between}
    return {group: np.array(numbers, np.int64) for group, numbers in groups.items() if numbers}


def _of_each_person(numbers: Sequence[int], identities: Sequence[str]) -> list[int]:
    """Keep the first face of each person."""
    firsts: dict[str, int] = {}
    for number in numbers:
        firsts.setdefault(identities[number], number)
    return list(firsts.values())


def _pair(sample: Sample, old: Evaluation, new: Evaluation, number: int) -> list[SheetFace]:
    square = crop_squares(box_from_keypoints(sample.keypoints_px), crop_per_box=CROP_PER_BOX)
    crop = load_crops([sample], size_px=min(int(square[0, 2]), TILE_PX), crop_per_box=CROP_PER_BOX)
    return [
        SheetFace(
            crop.crops[0, 0],
            crop.points_unit[0],
            frame_to_unit(one.points_px[number][None], square)[0],
            f"{name}: NME {100 * one.nmes[number]:.1f} %",
        )
        for name, one in (("old", old), ("new", new))
    ]


def _with_gaps(page: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Set the pairs of a sheet apart, so that the eye sees two and two together."""
    step_px = 2 * (TILE_PX + GAP_PX)
    if page.shape[1] <= step_px + GAP_PX:
        return page
    gap = np.full((len(page), _PAIR_GAP_PX, 3), PAGE_BGR, np.uint8)
    middle = GAP_PX // 2 + step_px
    return np.hstack([page[:, :middle], gap, page[:, middle:]])
