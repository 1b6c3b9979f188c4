"""Old and new weights on the same faces."""

from __future__ import annotations

import json
import math
import shutil
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from trainer import evaluate, pair_sheets
from trainer.comparison import (
    ComparisonError,
    Difference,
    Verdict,
    compare,
    paired_difference,
    percent,
)
from trainer.config import TrainConfig
from trainer.core.checkpoint import load_checkpoint, save_checkpoint
from trainer.core.predictor import Predictor
from trainer.core.resources import default_weights_path
from trainer.dataset import DatasetError, split_by_identity
from trainer.evaluate import judge, predict, truth_of
from trainer.pair_sheets import PairGroup, choose_pairs
from trainer.readers import read_samples
from trainer.runs import TrainingError

SHARE = 0.75  # of 8 people 6


def story(share: float = SHARE, seed: int = 1, count: int = 24) -> dict[str, object]:
    return {"config": {"validation_share": share, "seed": seed}, "validation": {"count": count}}


@pytest.fixture
def make_weights(tmp_path: Path):
    """Write another file's network with another story."""

    def make(name: str, source: Path, info: dict[str, object]) -> Path:
        checkpoint = load_checkpoint(source)
        path = tmp_path / name
        save_checkpoint(path, checkpoint.network, name=checkpoint.name, info=info)
        return path

    return make


@pytest.fixture
def make_run(tmp_path: Path, tiny_data: Path, make_weights):
    """Write a run's folder with someone else's weights."""

    def make(weights: Path, info: dict[str, object] | None = None, **settings: object) -> Path:
        folder = tmp_path / "run"
        folder.mkdir()
        config = TrainConfig(**{"data": str(tiny_data), "validation_share": SHARE, **settings})
        (folder / "config.json").write_text(config.to_json(), encoding="utf-8")
        make_weights("run/best.safetensors", weights, story() if info is None else info)
        return folder

    return make


@pytest.fixture
def trained(trained_run) -> Path:
    return trained_run.folder / "best.safetensors"


# --- which is better


def test_better_weights_are_told_with_figures(make_run, make_weights, trained, compact_weights, tiny_data) -> None:
    run, old = make_run(trained), make_weights("old.safetensors", compact_weights, story())
    told: list[tuple[int, int]] = []
    result = compare(run, old=old, on_progress=lambda *progress: told.append(progress))
    held_out = split_by_identity(read_samples(tiny_data), validation_share=SHARE, seed=1)[1]
    points = predict([Predictor.load(path, device="cpu") for path in (old, trained)], held_out).points_px
    for contender, found in zip((result.old, result.new), points, strict=True):
        expected = judge(found, truth_of(held_out))
        assert contender.evaluation.score == expected.score
        assert contender.evaluation.nme_by_part == expected.nme_by_part
    assert (result.faces, result.people, result.caveats) == (24, 6, ())
    old_nme, new_nme = (one.evaluation.score.nme_mean for one in (result.old, result.new))
    assert new_nme < old_nme
    assert result.difference.mean == pytest.approx(new_nme - old_nme, abs=1e-6)
    assert result.verdict is Verdict.BETTER
    assert result.sentence == (
        f"The new weights are better: NME {percent(new_nme)} instead of {percent(old_nme)} on 24 faces of people that "
        "neither has seen."
    )
    assert told[0] == (0, 24)
    assert told[-1] == (24, 24)
    assert [done for done, _ in told] == sorted({done for done, _ in told})


def test_worse_weights_are_told_plainly(make_run, make_weights, trained, compact_weights) -> None:
    result = compare(make_run(compact_weights), old=make_weights("old.safetensors", trained, story()))
    assert result.verdict is Verdict.WORSE
    assert result.sentence.startswith("The new weights are worse: NME ")
    assert result.sentence.endswith(" Keep the old ones.")
    assert result.changes == (0, 0, 24)


def test_the_same_weights_in_two_files_do_not_differ(make_run, make_weights, trained) -> None:
    result = compare(make_run(trained), old=make_weights("old.safetensors", trained, story()))
    assert result.verdict is Verdict.NO_DIFFERENCE
    assert result.sentence.startswith("There is no real difference: NME ")
    assert result.changes == (0, 24, 0)
    assert list(result.sheets) == [PairGroup.BETWEEN]


def test_one_person_is_too_few_to_tell(trained_run, make_weights, compact_weights) -> None:
    info = load_checkpoint(trained_run.folder / "best.safetensors").info
    result = compare(trained_run.folder, old=make_weights("old.safetensors", compact_weights, dict(info)))
    assert result.people == 1
    assert result.caveats == ()
    assert result.verdict is Verdict.NO_DIFFERENCE
    assert result.sentence.startswith("There are too few people to tell which weights are better: NME ")


def test_networks_of_different_kinds(make_run, make_weights, trained, tmp_path: Path) -> None:
    from trainer.core.models import build_network

    simple = tmp_path / "simple.safetensors"
    save_checkpoint(simple, build_network("simple"), name="simple", info=story())
    result = compare(make_run(trained), old=simple)
    assert (result.old.network, result.new.network) == ("simple", "compact")
    assert result.verdict is Verdict.BETTER


def test_shipped_weights_are_the_default(trained_run) -> None:
    result = compare(trained_run.folder)
    assert result.old.path == default_weights_path()
    assert "old weights did not keep the same people aside" in " ".join(result.caveats)


# --- who has seen the people


@pytest.mark.parametrize(
    ("info", "is_fair"),
    [
        (story(), True),
        (story(share=0.15), False),
        (story(seed=2), False),
        (story(count=465), False),
        ({"config": {"validation_share": SHARE, "seed": 1}}, True),
        ({"config": "?"}, False),
        ({}, False),
    ],
)
def test_old_weights_that_may_know_the_people_are_told(
    make_run, make_weights, trained, compact_weights, info, is_fair: bool
) -> None:
    result = compare(make_run(trained), old=make_weights("old.safetensors", compact_weights, info))
    assert ("neither has seen" in result.sentence) is is_fair
    if is_fair:
        assert result.caveats == ()
    else:
        assert len(result.caveats) == 1
        assert "old weights" in result.caveats[0]
        assert "flatters them" in result.caveats[0]


def test_data_that_have_changed_since_the_run_are_told(make_run, make_weights, trained, compact_weights) -> None:
    run = make_run(trained, story(count=20))
    result = compare(run, old=make_weights("old.safetensors", compact_weights, story()))
    assert [caveat[:21] for caveat in result.caveats] == ["The data have changed"]


@pytest.mark.parametrize(("start", "is_fair"), [("same", True), ("others", False), ("gone", False)])
def test_a_run_that_began_with_weights_that_may_know_the_people(
    make_run, make_weights, trained, compact_weights, tmp_path: Path, start: str, is_fair: bool
) -> None:
    path = tmp_path / f"{start}.safetensors"
    if start != "gone":
        make_weights(path.name, compact_weights, story(seed=1 if start == "same" else 2))
    run = make_run(trained, finetune=str(path))
    result = compare(run, old=make_weights("old.safetensors", compact_weights, story()))
    assert [caveat[:14] for caveat in result.caveats] == ([] if is_fair else ["The run began "])


# --- the statistics


def test_people_count_not_faces() -> None:
    """Seven people with 50 equal faces each tell as much as seven faces."""
    random = np.random.default_rng(0)
    of_person = random.normal(0.001, 0.002, 7).astype(np.float32)
    names = [f"p{number}" for number in range(7)]
    alone = paired_difference(of_person, names)
    repeated = paired_difference(np.repeat(of_person, 50), np.repeat(names, 50).tolist())
    assert repeated == pytest.approx(alone, rel=1e-5)
    # With one face each it is the t interval of a mean: t(6) = 2.4469.
    assert alone.margin == pytest.approx(2.4469 * float(of_person.std(ddof=1)) / math.sqrt(7), rel=1e-3)


def test_noise_is_called_a_difference_once_in_twenty_times() -> None:
    random = np.random.default_rng(1)
    people = np.repeat(np.arange(40), 10)
    verdicts = []
    for _ in range(2000):
        differences = random.normal(0, 0.004, 40)[people] + random.normal(0, 0.006, 400)
        verdicts.append(paired_difference(differences.astype(np.float32), people.astype(str).tolist()).verdict)
    wrong = sum(verdict is not Verdict.NO_DIFFERENCE for verdict in verdicts) / len(verdicts)
    assert 0.03 < wrong < 0.075


@pytest.mark.parametrize(
    ("mean", "margin", "verdict"),
    [
        (-0.002, 0.001, Verdict.BETTER),
        (0.002, 0.001, Verdict.WORSE),
        (0.002, 0.003, Verdict.NO_DIFFERENCE),
        (-0.00005, 0.00001, Verdict.NO_DIFFERENCE),
        (-0.5, math.inf, Verdict.NO_DIFFERENCE),
    ],
)
def test_a_verdict_needs_more_than_chance_and_more_than_nothing(mean: float, margin: float, verdict: Verdict) -> None:
    assert Difference(mean, margin).verdict is verdict


def test_four_people_are_too_few_for_a_margin() -> None:
    assert paired_difference(np.float32([-0.1, -0.1, -0.1, -0.1]), list("abcd")) == (pytest.approx(-0.1), math.inf)


def test_a_face_without_numbers_counts_as_wholly_wrong(drawn) -> None:
    truth = np.stack([drawn.points(width=100)] * 2)
    nothing = truth.copy()
    nothing[1] = np.nan
    assert pair_sheets.nme_differences(judge(truth, truth), judge(nothing, truth)).tolist() == [0, 1]


# --- the faces that are shown


def test_each_group_shows_other_people() -> None:
    differences = np.float32([-0.02, -0.03, -0.01, 0, 0.001, 0.05, 0.04, 0, 0.0005])
    chosen = choose_pairs(differences, list("aabcddefg"))
    assert {group: numbers.tolist() for group, numbers in chosen.items()} == {
        PairGroup.IMPROVED: [1, 2],
        PairGroup.WORSENED: [5, 6],
        PairGroup.BETWEEN: [3, 7, 8, 4],
    }


def test_a_group_of_none_is_left_out() -> None:
    assert list(choose_pairs(np.float32([0.1] * 9), list("abcdefghi"))) == [PairGroup.WORSENED, PairGroup.BETWEEN]
    assert list(choose_pairs(np.float32([0.1]), ["a"])) == [PairGroup.WORSENED]


def test_sheets_are_pairs_of_the_same_face(make_run, make_weights, trained, compact_weights) -> None:
    result = compare(make_run(trained), old=make_weights("old.safetensors", compact_weights, story()))
    page = result.sheets[PairGroup.IMPROVED]
    assert page.dtype == np.uint8
    assert page.shape[1] == 4 * 288 + 5 * 8 + 16
    old, new = page[8:296, 8:296].astype(int), page[8:296, 304:592].astype(int)
    differs = (np.abs(old - new) > 30).any(axis=-1)  # where points are drawn
    assert 0.002 < differs.mean() < 0.5


# --- what cannot be compared


def test_each_image_is_read_once_for_both(make_run, trained, compact_weights, monkeypatch) -> None:
    read: list[Path] = []
    original = evaluate.read_image
    monkeypatch.setattr(evaluate, "read_image", lambda path: read.append(path) or original(path))
    compare(make_run(trained), old=compact_weights)
    assert len(read) == len(set(read)) == 24


def test_a_comparison_stops_between_two_images(make_run, trained, compact_weights, monkeypatch) -> None:
    read: list[Path] = []
    original = evaluate.read_image
    monkeypatch.setattr(evaluate, "read_image", lambda path: read.append(path) or original(path))
    with pytest.raises(ComparisonError, match="stopped"):
        compare(make_run(trained), old=compact_weights, should_stop=lambda: len(read) >= 3)
    assert len(read) == 3


def test_a_run_without_weights(make_run, trained, is_one_sentence) -> None:
    run = make_run(trained)
    (run / "best.safetensors").unlink()
    with pytest.raises(ComparisonError, match="the run run has no weights") as caught:
        compare(run)
    assert is_one_sentence(caught.value)


def test_old_weights_that_are_gone(make_run, trained, tmp_path: Path, is_one_sentence) -> None:
    with pytest.raises(ComparisonError, match=r"gone\.safetensors, are gone") as caught:
        compare(make_run(trained), old=tmp_path / "gone.safetensors")
    assert is_one_sentence(caught.value)


def test_a_run_against_itself(make_run, trained, is_one_sentence) -> None:
    run = make_run(trained)
    with pytest.raises(ComparisonError, match="itself") as caught:
        compare(run, old=run / ".." / "run" / "best.safetensors")
    assert is_one_sentence(caught.value)


@pytest.mark.parametrize("data", ["", "/nowhere/faces"])
def test_data_that_moved(make_run, trained, compact_weights, data: str, is_one_sentence) -> None:
    with pytest.raises(ComparisonError, match="put them back there") as caught:
        compare(make_run(trained, data=data), old=compact_weights)
    assert is_one_sentence(caught.value)


def test_an_image_that_is_gone(make_run, trained, compact_weights, data_copy: Path, is_one_sentence) -> None:
    run = make_run(trained, data=str(data_copy))
    next((data_copy / "training").iterdir()).unlink()
    with pytest.raises(DatasetError) as caught:
        compare(run, old=compact_weights)
    assert is_one_sentence(caught.value)


def test_a_folder_that_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="there is no run"):
        compare(tmp_path)


def test_the_run_on_the_real_data_is_the_published_figure(
    youtube_faces: Path, make_weights, compact_weights, tmp_path: Path
) -> None:
    """Of the shipped weights, on the 465 faces that their run kept aside."""
    shipped = load_checkpoint(default_weights_path())
    config = TrainConfig(data=str(youtube_faces), **shipped.info["config"])
    (tmp_path / "config.json").write_text(json.dumps(asdict(config)), encoding="utf-8")
    shutil.copy(default_weights_path(), tmp_path / "best.safetensors")
    result = compare(tmp_path, old=make_weights("old.safetensors", compact_weights, dict(shipped.info)))
    assert (result.faces, result.people, result.caveats) == (465, 47, ())
    assert result.new.evaluation.score.nme_mean == pytest.approx(0.0397, abs=5e-5)
    assert result.verdict is Verdict.BETTER
