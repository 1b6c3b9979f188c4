"""Old weights against those of a run, on the same faces: which are better, and whether that is more than chance."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from trainer import runs
from trainer.core.errors import FkdError
from trainer.core.resources import default_weights_path
from trainer.core.text import Text
from trainer.dataset import split_by_identity
from trainer.pair_sheets import ABOUT_SAME_NME, PairGroup, nme_differences, pair_sheets
from trainer.readers import read_samples

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from trainer.config import TrainConfig
    from trainer.core.predictor import Predictor
    from trainer.dataset import Sample
    from trainer.evaluate import Evaluation

SMALLEST_NME: Final = 0.0001
"""A mean difference below this does not show in figures of two decimals, and is none whatever the statistics say."""
FEWEST_PEOPLE: Final = 5
"""Of fewer, nothing can be said about people in general."""
CONFIDENCE: Final = 0.95


class ComparisonError(FkdError):
    """Two networks cannot be compared; the message says why."""


class Verdict(Enum):
    """How the new weights do against the old ones."""

    BETTER = "better"
    WORSE = "worse"
    NO_DIFFERENCE = "no difference"
    """None that is more than chance, or that could be told with so few people."""


class Difference(NamedTuple):
    """New minus old NME, as fractions: below zero the new one is better.

    Attributes
    ----------
    mean
        Over all faces.
    margin
        The true mean lies within this of it, with a confidence of 95 %; infinite for fewer than `FEWEST_PEOPLE`.
    """

    mean: float
    margin: float

    @property
    def verdict(self) -> Verdict:
        """What follows from it."""
        if abs(self.mean) <= self.margin or abs(self.mean) < SMALLEST_NME:
            return Verdict.NO_DIFFERENCE
        return Verdict.BETTER if self.mean < 0 else Verdict.WORSE


@dataclass(frozen=True, eq=False)
class Contender:
    """One of the two networks: its file, what it is called, and how it did."""

    path: Path
    network: str
    evaluation: Evaluation


@dataclass(frozen=True, eq=False)
class Comparison:
    """What came out.

    Attributes
    ----------
    run
        The run's folder.
    old, new
        The weights before, and the run's best.
    people
        How many there are in the pictures.
    difference
        Of the mean NME.
    caveats
        Sentences on why the figures may flatter one of the two; none if neither has seen these people.
    sheets
        (H, W, 3) uint8 BGR pictures of some faces, old prediction left, new one right.
    """

    run: Path
    old: Contender
    new: Contender
    people: int
    difference: Difference
    caveats: tuple[str, ...]
    sheets: Mapping[PairGroup, NDArray[np.uint8]]

    @property
    def faces(self) -> int:
        """How many faces both were judged on."""
        return self.new.evaluation.score.count

    @property
    def changes(self) -> tuple[int, int, int]:
        """How many faces became better, stayed about the same (`ABOUT_SAME_NME`) and became worse."""
        differences = nme_differences(self.old.evaluation, self.new.evaluation)
        better, worse = int((differences < -ABOUT_SAME_NME).sum()), int((differences > ABOUT_SAME_NME).sum())
        return better, len(differences) - better - worse, worse

    @property
    def verdict(self) -> Verdict:
        """Which of the two is better."""
        return self.difference.verdict

    @property
    def sentence(self) -> str:
        """The verdict in words."""
        new, old = (100 * one.evaluation.score.nme_mean for one in (self.new, self.old))
        if self.people < FEWEST_PEOPLE:
            return Text(
                "There are too few people to tell which weights are better: "
                "NME {new:.2f}\u00a0% instead of {old:.2f}\u00a0% on {faces} faces of {people}.",
                new=new,
                old=old,
                faces=self.faces,
                people=self.people,
            )
        figures = (
            Text(
                "NME {new:.2f}\u00a0% instead of {old:.2f}\u00a0% on {faces} faces", new=new, old=old, faces=self.faces
            )
            if self.caveats
            else Text(
                "NME {new:.2f}\u00a0% instead of {old:.2f}\u00a0% on {faces} faces of people that neither has seen",
                new=new,
                old=old,
                faces=self.faces,
            )
        )
        match self.verdict:
            case Verdict.BETTER:
                return Text("The new weights are better: {figures}.", figures=figures)
            case Verdict.WORSE:
                return Text("The new weights are worse: {figures}. Keep the old ones.", figures=figures)
            case Verdict.NO_DIFFERENCE:
                return Text(
                    "There is no real difference: {figures}; chance alone makes up to {margin:.2f}\u00a0%.",
                    figures=figures,
                    margin=100 * max(self.difference.margin, SMALLEST_NME),
                )


def compare(
    run: Path,
    *,
    old: Path | None = None,
    device: str = "cpu",
    on_progress: Callable[[int, int], object] = lambda _done, _total: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Comparison:
    """Judge a run's best weights and older ones on the people whom the run kept aside. Imports torch.

    Parameters
    ----------
    run
        The run's folder.
    old
        Weights to compare with; None for the shipped ones.
    device
        See `trainer.core.names.DEVICE_NAMES`.
    on_progress
        Told how many faces are done, and of how many.
    should_stop
        Asked before each image.

    Raises
    ------
    ComparisonError
        If there are no weights, both are the same file, the data are gone, or it was stopped.
    TrainingError, DatasetError, CheckpointError, DeviceError
        If the run, the data, the weights or the device cannot be used.
    """
    from trainer.core.predictor import Predictor  # noqa: PLC0415 (loads OpenCV)
    from trainer.evaluate import judge, predict, truth_of  # noqa: PLC0415

    config = runs.read_config(run)
    paths = (old or _shipped_weights(), run / runs.BEST)
    _refuse_what_cannot_be_compared(run, *paths)
    samples = _people_kept_aside(run, config)
    on_progress(0, len(samples))
    predictors = [Predictor.load(path, device=device, engine="pytorch") for path in paths]
    done = 0

    def on_faces(count: int) -> None:
        nonlocal done
        done += count
        on_progress(done, len(samples))

    found = predict(predictors, samples, on_progress=on_faces, should_stop=should_stop)
    if should_stop():
        raise ComparisonError("the comparison was stopped before its end")
    truth = truth_of(samples)
    identities = [sample.identity for sample in samples]
    before, after = (
        Contender(path, predictor.network_name, judge(points, truth))
        for path, predictor, points in zip(paths, predictors, found.points_px, strict=True)
    )
    return Comparison(
        run=run,
        old=before,
        new=after,
        people=len(set(identities)),
        difference=paired_difference(nme_differences(before.evaluation, after.evaluation), identities),
        caveats=tuple(_caveats(config, predictors, len(samples))),
        sheets=pair_sheets(samples, before.evaluation, after.evaluation),
    )


def paired_difference(differences: NDArray[np.float32], identities: Sequence[str]) -> Difference:
    """Mean of N differences between two networks on the same faces, and how far it can be trusted.

    Faces of one person are alike, so people count, not faces: the standard error is the cluster-robust one of a mean,
    sqrt(G / (G - 1) * sum over the G people of (sum over their faces of (d - mean d))^2) / N (Cameron and Miller 2015,
    "A Practitioner's Guide to Cluster-Robust Inference", with no regressor but the constant), and the margin is that
    times Student's t with G - 1 degrees of freedom.

    Parameters
    ----------
    differences
        (N,) new minus old error of each face.
    identities
        Who is in each picture.
    """
    mean = float(np.mean(differences, dtype=np.float64))
    people, person_of = np.unique(np.asarray(identities), return_inverse=True)
    count = len(people)
    if count < FEWEST_PEOPLE:
        return Difference(mean, math.inf)
    sums = np.bincount(person_of, weights=differences.astype(np.float64) - mean, minlength=count)
    error = math.sqrt(count / (count - 1) * float(np.square(sums).sum())) / len(differences)
    return Difference(mean, error * _student_t(count - 1))


def percent(fraction: float, *, digits: int = 2) -> str:
    """Write a fraction as users read it: 0.0397 is 3.97 %, with a space that no line breaks at."""
    return f"{100 * fraction:.{digits}f}\u00a0%"


def _student_t(freedom: int) -> float:
    """Two-sided quantile of Student's t for `CONFIDENCE` (Abramowitz and Stegun 26.7.5: 0.3 % off at 4)."""
    z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
    return (
        z
        + (z**3 + z) / (4 * freedom)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * freedom**3)
    )


# --- what is compared


def _shipped_weights() -> Path:
    try:
        return default_weights_path()
    except FileNotFoundError as error:
        raise ComparisonError("there are no shipped weights to compare with: {error}", error=error) from error


def _refuse_what_cannot_be_compared(run: Path, old: Path, new: Path) -> None:
    if not new.is_file():
        raise ComparisonError(
            "the run {name} has no weights to compare ({file} is missing); resume it until an epoch is done",
            name=run.name,
            file=new.name,
        )
    if not old.is_file():
        raise ComparisonError("the weights to compare with, {old}, are gone; choose others", old=old)
    if old.samefile(new):
        raise ComparisonError(
            "the network to compare with is that of the run {name} itself; compare with another one", name=run.name
        )


def _people_kept_aside(run: Path, config: TrainConfig) -> list[Sample]:
    if not config.data or not Path(config.data).exists():
        raise ComparisonError(
            "the data that the run {name} was trained on are not at {data} any more; put them back there to compare",
            name=run.name,
            data=config.data or Text("any place that it names"),
        )
    samples = read_samples(config.data, correct_labels=config.correct_labels)
    return split_by_identity(samples, validation_share=config.validation_share, seed=config.seed)[1]


def _caveats(config: TrainConfig, predictors: Sequence[Predictor], faces: int) -> list[str]:
    """Say who may have been trained on some of the people that both were judged on."""
    old, new = (_has_kept_aside(predictor.info, config, faces) for predictor in predictors)
    caveats: list[str] = []
    if not old:
        caveats.append(
            Text(
                "The old weights did not keep the same people aside: they may have been trained on "
                "some of these faces, which flatters them."
            )
        )
    if not new:
        caveats.append(
            Text(
                "The data have changed since the run: the new weights may have been trained on some "
                "of these faces, which flatters them."
            )
        )
    elif config.finetune and not _start_has_kept_aside(config, faces):
        caveats.append(
            Text(
                "The run began with weights that may have been trained on some of these faces, which "
                "flatters the new ones."
            )
        )
    return caveats


def _has_kept_aside(info: Mapping[str, Any], config: TrainConfig, faces: int) -> bool:
    """Whether a network's story says that its run kept the same people aside.

    Weights do not tell where their data were: data of which the same share is as many faces are taken for the same.
    """
    recipe, validation = info.get("config"), info.get("validation")
    if not isinstance(recipe, dict):
        return False
    told = validation.get("count", faces) if isinstance(validation, dict) else faces
    same_split = (recipe.get("validation_share"), recipe.get("seed")) == (config.validation_share, config.seed)
    return bool(same_split and told == faces)


def _start_has_kept_aside(config: TrainConfig, faces: int) -> bool:
    from trainer.core.checkpoint import load_checkpoint  # noqa: PLC0415 (torch)
    from trainer.core.weights_file import CheckpointError  # noqa: PLC0415 (the same)

    try:
        return _has_kept_aside(load_checkpoint(config.finetune).info, config, faces)
    except CheckpointError:  # gone meanwhile: who knows
        return False
