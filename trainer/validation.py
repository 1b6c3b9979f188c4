"""Judging a network on faces that it was not trained on, while it trains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import torch
from torch.nn import functional

from trainer import metrics
from trainer.contact_sheet import SheetFace, contact_sheet
from trainer.parallel import ALONE, Team

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from trainer.core.models import KeypointNetwork
    from trainer.dataset import FaceCrops

SHEET_FACES: Final = 12
SHEET_COLUMNS: Final = 4
"""About as wide as high: what fits beside curves as well as on a page."""


@dataclass(frozen=True)
class Validation:
    """How a network does on faces it was not trained on.

    Attributes
    ----------
    score
        Of the keypoints.
    face_accuracy
        Share of crops that its confidence tells right (face or not) at 0.5; 1 for networks that cannot tell.
    points_unit
        (N, 68, 2) float32: what it said, in units of each crop.
    """

    score: metrics.Score
    face_accuracy: float
    points_unit: NDArray[np.float32]


def validate(network: KeypointNetwork, faces: FaceCrops, *, batch_size: int = 128, team: Team = ALONE) -> Validation:
    """Judge a network on crops of its own size, as `Predictor` would cut them.

    Parameters
    ----------
    network
        On any device; left in evaluation mode.
    faces
        Crops from `load_crops` with the network's size and crop share.
    batch_size
        Crops a step.
    team
        The processes that share the work; each gets the whole result.
    """
    network.eval()
    device = next(network.parameters()).device
    points = np.zeros_like(faces.points_unit)
    right = np.zeros((len(faces), 2))
    tells = False
    generator = torch.Generator(device).manual_seed(0)
    with torch.inference_mode():
        for number, start in enumerate(range(0, len(faces), batch_size)):
            if number % team.size != team.rank:
                continue
            part = slice(start, start + batch_size)
            crops = torch.from_numpy(faces.crops[part]).to(device).float().div_(255)
            output = network(crops)
            points[part] = output.points.float().cpu().numpy()
            if output.face_logit is not None:
                tells = True
                others = network(_non_faces_from(crops, generator)).face_logit
                right[part] = torch.stack([output.face_logit > 0, others <= 0], dim=1).cpu().numpy()
    points = team.sum(points.astype(np.float64), device).astype(np.float32)
    right, told = team.sum(right, device), team.sum(np.array([float(tells)]), device)[0]
    accuracy = float(right.mean()) if told else 1.0
    return Validation(metrics.score(metrics.nme(points, faces.points_unit)), accuracy, points)


def validation_sheet(faces: FaceCrops, points_unit: NDArray[np.float32]) -> NDArray[np.uint8]:
    """(H, W, 3) picture of a few validation faces, the same ones every time, with truth and prediction."""
    chosen = np.linspace(0, len(faces) - 1, min(SHEET_FACES, len(faces))).round().astype(int)
    nmes = metrics.nme(points_unit, faces.points_unit)
    return contact_sheet(
        [SheetFace(faces.crops[i, 0], faces.points_unit[i], points_unit[i], f"NME {nmes[i]:.1%}") for i in chosen],
        columns=SHEET_COLUMNS,
    )


def _non_faces_from(crops: Tensor, generator: torch.Generator) -> Tensor:
    """Upside down, and a part blown up: enough to see that the confidence tells something."""
    size = crops.shape[-1]
    part = functional.interpolate(crops[:, :, : size // 3, : size // 3], size=(size, size), mode="bilinear")
    pick = torch.rand(len(crops), 1, 1, 1, generator=generator, device=crops.device) < 0.5
    return torch.where(pick, part, crops.flip(2))
