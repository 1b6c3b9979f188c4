import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from trainer import evaluate as library
from trainer.cli import EXIT_BAD_INPUT, main
from trainer.commands import evaluate as command
from trainer.core.checkpoint import load_checkpoint, save_checkpoint
from trainer.core.models import build_network
from trainer.core.predictor import Predictor
from trainer.core.preprocess import box_from_keypoints
from trainer.metrics import JUDGED_PARTS
from trainer.readers import read_samples

FIGURES = {
    *("weights", "name", "network", "nme_mean", "nme_median", "nme_mean_labels_as_they_are", "nme_by_part", "bias"),
    *("failure_rate", "auc", "missed_rate", "missed", "worst"),
}


@pytest.fixture
def run(tiny_data: Path, capsys):
    """Run the command on the tiny data, expect no error, and return what it printed."""

    def call(*arguments: object, data: Path = tiny_data) -> str:
        assert main(["evaluate", "--data", str(data), "--device", "cpu", *map(str, arguments)]) == 0
        output = capsys.readouterr()
        assert output.err == ""
        return output.out

    return call


@pytest.fixture
def fails(tiny_data: Path, capsys, is_one_sentence):
    """Run the command, expect exit code 2 with one sentence on stderr and nothing on stdout; return it."""

    def call(*arguments: object, data: Path = tiny_data) -> str:
        assert main(["evaluate", "--data", str(data), *map(str, arguments)]) == EXIT_BAD_INPUT
        output = capsys.readouterr()
        assert output.out == ""
        (line,) = output.err.splitlines()
        assert line.startswith("error: ")
        assert is_one_sentence(line)
        return line

    return call


@pytest.fixture(scope="session")
def best(trained_run) -> Path:
    return trained_run.folder / "best.safetensors"


@pytest.fixture
def published(tiny_data: Path, tmp_path: Path) -> Path:
    """The tiny data with labels as the published ones are: whole pixels."""
    data = Path(shutil.copytree(tiny_data, tmp_path / "published"))
    for table in data.glob("*.csv"):
        head, *rows = table.read_text(encoding="utf-8").splitlines()
        whole = [
            ",".join([name, *(f"{round(float(value))}.0" for value in values)])
            for name, *values in (row.split(",") for row in rows)
        ]
        table.write_text("\n".join([head, *whole]) + "\n", encoding="utf-8")
    return data


# --- one weights file ---


@pytest.mark.parametrize(("split", "count"), [("test", 3), ("training", 32), ("all", 35), ("held-out", 4)])
def test_the_figures_are_those_of_the_library(best, tiny_data: Path, run, split: str, count: int) -> None:
    told = json.loads(run("--weights", best, "--split", split, "--json"))
    assert {key: told[key] for key in ("data", "split", "boxes", "labels", "faces", "other_detections")} == {
        "data": str(tiny_data),
        "split": split,
        "boxes": "truth",
        "labels": "as they are",
        "faces": count,
        "other_detections": None,
    }
    (figures,) = told["results"]
    assert set(figures) == FIGURES
    assert (figures["weights"], figures["name"], figures["network"]) == (str(best), "best.safetensors", "compact")
    assert set(figures["nme_by_part"]) == set(JUDGED_PARTS)
    assert figures["nme_mean_labels_as_they_are"] is None
    assert (figures["missed"], figures["missed_rate"]) == ([], 0)
    if split != "held-out":
        score = library.evaluate(Predictor.load(best, device="cpu"), read_samples(tiny_data, split))
        assert figures["nme_mean"] == score.nme_mean
        assert figures["nme_median"] == score.nme_median
        assert figures["auc"] == score.auc
        assert figures["failure_rate"] == score.failure_rate


def test_held_out_figures_are_those_of_training(trained_run, best, run) -> None:
    (figures,) = json.loads(run("--weights", best, "--split", "held-out", "--json"))["results"]
    assert figures["nme_mean"] == pytest.approx(trained_run.told[-1].best_nme_mean, abs=2e-4)


def test_the_worst_faces_are_told_worst_first(best, tiny_data: Path, run) -> None:
    worst = json.loads(run("--weights", best, "--split", "training", "--json", "--worst", 5))["results"][0]["worst"]
    assert len(worst) == 5
    assert [face["nme"] for face in worst] == sorted((face["nme"] for face in worst), reverse=True)
    samples = [s for s in read_samples(tiny_data) if str(s.image_path) == worst[0]["image"]]
    score = library.evaluate(Predictor.load(best, device="cpu"), samples)
    assert score.nme_mean == pytest.approx(worst[0]["nme"], abs=1e-5)


def test_figures_in_words(best, tiny_data: Path, run) -> None:
    figures = json.loads(run("--weights", best, "--json"))["results"][0]
    text = run("--weights", best, "--worst", 2)
    assert text.startswith(f"best.safetensors (compact) on 3 faces: the test split of {tiny_data}\n")
    assert f"{100 * figures['nme_mean']:.2f} %   of the distance between the outer eye corners" in text
    assert f"{100 * figures['nme_by_part']['jaw']:.2f} %" in text
    assert f"{figures['auc']:.3f}" in text
    assert "as they are: NME" not in text
    assert "missed" not in text
    images = [line.split("  ")[-1] for line in text.split("largest errors:\n")[1].splitlines()]
    assert images == [face["image"] for face in figures["worst"][:2]]
    assert "largest" not in run("--weights", best, "--worst", 0)


def test_the_shipped_weights_are_the_default(run) -> None:
    assert run().startswith("compact.safetensors (compact) on 3 faces")


# --- labels with a known shift ---


def test_corrected_labels_are_told_and_so_is_the_error_without(best, published: Path, run) -> None:
    corrected = json.loads(run("--weights", best, "--json", data=published))
    raw = json.loads(run("--weights", best, "--json", "--raw-labels", data=published))
    assert (corrected["labels"], raw["labels"]) == ("corrected", "as they are")
    first, second = corrected["results"][0], raw["results"][0]
    assert second["nme_mean_labels_as_they_are"] is None
    assert first["nme_mean"] != pytest.approx(second["nme_mean"], rel=1e-3)
    # The same labels, but face boxes that lie as the corrected ones do.
    assert first["nme_mean_labels_as_they_are"] == pytest.approx(second["nme_mean"], rel=0.2)
    text = run("--weights", best, data=published)
    assert "the known shift of the published labels was undone" in text
    assert f"against the labels as they are: NME {100 * first['nme_mean_labels_as_they_are']:.2f} %" in text
    assert "undone" not in run("--weights", best, "--raw-labels", data=published)


# --- boxes of the detector ---


def test_missed_faces_are_told(best, tiny_data: Path, run, monkeypatch) -> None:
    class HalfBlind:
        """Finds a face that is none in every picture, and the labelled one in all but the second."""

        calls = 0

        def detect(self, frame_bgr: np.ndarray, *, fine: bool = False) -> np.ndarray:
            self.calls += 1
            sample = read_samples(tiny_data, "test")[self.calls - 1]
            box = box_from_keypoints(sample.keypoints_px)
            return np.float32([[0, 0, 9, 9], box] if self.calls != 2 else [[0, 0, 9, 9]])

    monkeypatch.setattr(library, "HaarDetector", HalfBlind)
    told = json.loads(run("--weights", best, "--boxes", "haar", "--json"))
    assert (told["boxes"], told["other_detections"]) == ("haar", 3)
    assert told["results"][0]["missed"] == [str(read_samples(tiny_data, "test")[1].image_path)]
    assert told["results"][0]["missed_rate"] == pytest.approx(1 / 3)
    assert told["results"][0]["failure_rate"] >= 1 / 3
    text = run("--weights", best, "--boxes", "haar")
    assert "33.33 %   1 of 3 faces" in text
    assert "3 more detections fit no labelled face" in text


def test_a_detector_that_finds_nothing_leaves_no_error_to_tell(best, tmp_path: Path, run, monkeypatch) -> None:
    class Blind:
        def detect(self, frame_bgr: np.ndarray, *, fine: bool = False) -> np.ndarray:
            return np.empty((0, 4), np.float32)

    monkeypatch.setattr(library, "HaarDetector", Blind)
    (figures,) = json.loads(run("--weights", best, "--boxes", "haar", "--json", "--out", tmp_path))["results"]
    assert figures["nme_mean"] is None
    assert figures["bias"] == {"x": None, "y": None}
    assert (figures["missed_rate"], figures["failure_rate"], figures["auc"]) == (1, 1, 0)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["cumulative.png", "figures.json"]
    assert "nan" not in run("--weights", best, "--boxes", "haar")


def test_the_real_detector_can_be_asked(best, run) -> None:
    told = json.loads(run("--weights", best, "--boxes", "haar", "--json"))
    assert 0 <= told["results"][0]["missed_rate"] <= 1


# --- several weights files ---


def test_a_table_compares_weights_on_the_same_faces(best, compact_weights: Path, run) -> None:
    last = best.with_name("last.safetensors")
    paths = [best, compact_weights, last]
    told = json.loads(run("--compare", *paths, "--json"))
    assert [figures["weights"] for figures in told["results"]] == [str(path) for path in paths]
    for path, figures in zip(paths, told["results"], strict=True):
        alone = json.loads(run("--weights", path, "--json"))["results"][0]
        assert figures["nme_mean"] == pytest.approx(alone["nme_mean"], rel=1e-5)
    lines = run("--compare", *paths).splitlines()
    assert lines[0].startswith("3 weights files on 3 faces")
    head, *rows = lines[3:7]
    assert [row.split()[0] for row in rows] == [path.name for path in paths]
    assert {len(line) for line in (head, *rows)} == {len(head)}
    assert f"{100 * told['results'][1]['nme_mean']:.2f} %" in rows[1]


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["a/x.safetensors", "b/y.safetensors"], ["x.safetensors", "y.safetensors"]),
        (["a/best.st", "b/best.st", "b/last.st"], ["a/best.st", "b/best.st", "last.st"]),
        (["r/1/a/best.st", "r/2/a/best.st", "r/2/b/best.st"], ["1/a/best.st", "2/a/best.st", "b/best.st"]),
        (["best.st", "a/best.st"], [f"{Path.cwd().name}/best.st", "a/best.st"]),
        (["/best.st", "/a/best.st"], [Path("/best.st").absolute().as_posix(), "a/best.st"]),
    ],
)
def test_names_are_as_short_as_they_can_be_told_apart(paths: list[str], names: list[str]) -> None:
    assert command.shortest_names([Path(path) for path in paths]) == names


def test_weights_are_compared_on_the_people_whom_all_kept_aside(best, trained_run, tmp_path: Path, run, fails) -> None:
    checkpoint = load_checkpoint(best)
    other = tmp_path / "other.safetensors"
    config = {**checkpoint.info["config"], "epochs": 99}
    save_checkpoint(other, checkpoint.network, name="compact", info={"config": config})
    told = json.loads(run("--compare", best, other, "--split", "held-out", "--json"))
    assert told["faces"] == 4
    config["seed"] += 1
    save_checkpoint(other, checkpoint.network, name="compact", info={"config": config})
    assert "different people" in fails("--compare", best, other, "--split", "held-out")


# --- files ---


def test_the_out_folder_holds_figures_plot_and_worst_faces(best, tmp_path: Path, run) -> None:
    out = tmp_path / "a" / "judged"
    printed = run("--weights", best, "--out", out, "--worst", 2, "--json")
    assert sorted(p.name for p in out.iterdir()) == ["cumulative.png", "figures.json", "worst.png"]
    assert json.loads((out / "figures.json").read_text(encoding="utf-8")) == json.loads(printed)
    for name in ("cumulative.png", "worst.png"):
        assert cv2.imread(str(out / name)) is not None
    narrow = cv2.imread(str(out / "worst.png"))
    run("--weights", best, "--out", out, "--worst", 3)
    assert cv2.imread(str(out / "worst.png")).shape[1] > narrow.shape[1]


def test_each_of_several_weights_has_its_sheet(best, compact_weights: Path, tmp_path: Path, run) -> None:
    assert str(tmp_path) in run("--compare", best, compact_weights, "--out", tmp_path)
    sheets = [tmp_path / f"worst-{number}.png" for number in (1, 2)]
    assert sheets[0].read_bytes() != sheets[1].read_bytes()


# --- what cannot be done ---


def test_bad_weights_are_named(tmp_path: Path, best, fails) -> None:
    missing = tmp_path / "missing.safetensors"
    assert str(missing) in fails("--weights", missing)
    torch.save({"weight": torch.zeros(3)}, tmp_path / "pickle.pt")
    assert "pickle" in fails("--weights", tmp_path / "pickle.pt")
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(best.read_bytes()[:1000])
    assert str(broken) in fails("--compare", best, broken)


def test_a_file_given_twice_is_named(best, fails, monkeypatch) -> None:
    monkeypatch.chdir(best.parent)
    assert "best.safetensors is given twice" in fails("--compare", best, best.name)


def test_bad_data_are_named(best, tmp_path: Path, drawn, fails) -> None:
    assert "nowhere" in fails("--weights", best, data=tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    assert str(tmp_path / "empty") in fails("--weights", best, data=tmp_path / "empty")
    drawn.write_table(tmp_path, "test", [])
    assert "test_frames_keypoints.csv" in fails("--weights", best, data=tmp_path)


def test_a_split_that_is_not_there_is_named(best, drawn, tmp_path: Path, fails) -> None:
    drawn.write_split(tmp_path, "training", people=2, images_each=1)
    assert "test_frames_keypoints.csv" in fails("--weights", best, data=tmp_path)


def test_a_folder_that_cannot_be_written_is_told_at_once(best, tmp_path: Path, fails, monkeypatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(command, "predict", lambda *a, **k: pytest.fail("it has begun to judge"))
    assert str(tmp_path / "file") in fails("--weights", best, "--out", tmp_path / "file")
    assert str(tmp_path / "file" / "x") in fails("--weights", best, "--out", tmp_path / "file" / "x")


def test_a_disk_that_is_full_is_told(best, tmp_path: Path, tiny_data: Path, capsys, monkeypatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("trainer.evaluation_report.write_png", fail)
    code = main(
        ["evaluate", "--data", str(tiny_data), "--device", "cpu", "--weights", str(best), "--out", str(tmp_path)]
    )
    output = capsys.readouterr()
    assert code == EXIT_BAD_INPUT
    assert "No space left" in output.err
    assert "mean error" in output.out  # what was found is not lost


def test_an_unknown_device_is_named(fails) -> None:
    assert "'gpu'" in fails("--device", "gpu")


@pytest.mark.parametrize("info", [{}, {"config": None}, {"config": {"shoe_size": 43}}, {"config": {"seed": -1}}])
def test_whom_weights_without_a_story_kept_aside_is_not_guessed(tmp_path: Path, fails, info) -> None:
    weights = tmp_path / "weights.safetensors"
    save_checkpoint(weights, build_network("compact"), name="compact", info=info)
    assert "kept aside" in fails("--weights", weights, "--split", "held-out")


def test_weights_and_compare_exclude_each_other(best, tiny_data: Path, capsys) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["evaluate", "--data", str(tiny_data), "--weights", str(best), "--compare", str(best)])
    assert caught.value.code == EXIT_BAD_INPUT
