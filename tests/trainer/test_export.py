import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from trainer import export as exporting
from trainer import parity, programs
from trainer.cli import main
from trainer.core.checkpoint import load_checkpoint, save_checkpoint
from trainer.core.engines import onnx_file
from trainer.core.engines.onnx_file import PlainNetwork
from trainer.core.models import NETWORKS, build_network
from trainer.core.predictor import Predictor
from trainer.core.weights_file import CheckpointError
from trainer.export import Exported, ExportError, export

os.environ["ORT_DISABLE_TELEMETRY"] = "1"
import onnx
import onnxruntime


@pytest.fixture(scope="session")
def weights(compact_weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Path]]:
    simple = tmp_path_factory.mktemp("weights") / "simple.safetensors"
    save_checkpoint(simple, build_network("simple"), name="simple")
    yield {"compact": compact_weights, "simple": simple}
    simple.unlink()  # 211 MB, and pytest keeps the folders of three sessions


@pytest.fixture(scope="session")
def exported(
    weights: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[tuple[str, str], Exported]]:
    """Both networks in both formats; never written to."""
    folder = tmp_path_factory.mktemp("exported")
    yield {
        (name, file_format): export(path, folder / f"{name}.{file_format}", file_format=file_format)
        for name, path in weights.items()
        for file_format in exporting.FORMATS
    }
    for path in folder.iterdir():
        path.unlink()


def as_predicted(weights: Path, crops: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Unit keypoints and confidences, by the way that the application goes."""
    unit_squares = np.tile(np.float32([0.5, 0.5, 1]), (len(crops), 1))
    found = Predictor.load(weights, device="cpu", engine="pytorch").predict_crops(crops, unit_squares)
    return found.points_px, found.confidence


def random_crops(count: int, size_px: int) -> np.ndarray:
    return np.random.default_rng(count).integers(0, 256, (count, 1, size_px, size_px), dtype=np.uint8)


def run_exported(path: Path, crops: np.ndarray, names: list[str]) -> list[np.ndarray]:
    batch = crops.astype(np.float32) / 255
    if path.suffix == ".onnx":
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        assert [output.name for output in session.get_outputs()] == names
        return session.run(None, {"crops": batch})
    with onnx_file.without_deprecation_warnings():
        return [values.numpy() for values in torch.jit.load(str(path))(torch.from_numpy(batch))]


@pytest.mark.parametrize("count", [1, 5])
@pytest.mark.parametrize("file_format", exporting.FORMATS)
@pytest.mark.parametrize("name", ["compact", "simple"])
def test_exported_networks_predict_what_the_application_does(
    exported, weights, name: str, file_format: str, count: int
) -> None:
    size_px = NETWORKS[name].input_spec.size_px
    crops = random_crops(count, size_px)
    points, confidence = as_predicted(weights[name], crops)
    names = ["points", "face_logit"] if name == "compact" else ["points"]
    outputs = run_exported(exported[name, file_format].path, crops, names)
    assert len(outputs) == len(names)
    np.testing.assert_allclose(outputs[0], points, atol=1e-4)
    if name == "compact":
        np.testing.assert_allclose(1 / (1 + np.exp(-outputs[1])), confidence, atol=1e-4)


@pytest.mark.parametrize("name", ["compact", "simple"])
def test_an_onnx_file_says_how_to_use_it(exported, name: str) -> None:
    model = onnx.load(exported[name, "onnx"].path)
    onnx.checker.check_model(model, full_check=True)
    told = {entry.key: entry.value for entry in model.metadata_props}
    spec = NETWORKS[name].input_spec
    assert told["network"] == name
    assert int(told["input_size_px"]) == spec.size_px
    assert float(told["crop_per_box"]) == spec.crop_per_box
    assert {"how_to_crop", "how_to_map_back", "points", "crops"} <= told.keys()
    assert ("face_logit" in told) is (name == "compact")
    assert [opset.version for opset in model.opset_import] == [onnx_file.DEFAULT_OPSET]
    shapes = [
        [dim.dim_param or dim.dim_value for dim in value.type.tensor_type.shape.dim]
        for value in (*model.graph.input, *model.graph.output)
    ]
    assert shapes[:2] == [["N", 1, spec.size_px, spec.size_px], ["N", 68, 2]]


def test_a_torchscript_file_says_how_to_use_it(exported) -> None:
    extra = {exporting.EXTRA_FILE: ""}
    with onnx_file.without_deprecation_warnings():
        torch.jit.load(str(exported["compact", "torchscript"].path), _extra_files=extra)
    told = json.loads(extra[exporting.EXTRA_FILE])
    model = onnx.load(exported["compact", "onnx"].path)
    assert told == {entry.key: entry.value for entry in model.metadata_props}


def test_the_way_back_is_the_applications(compact_weights: Path, exported, drawn) -> None:
    """Crop and map as the file's words tell it, with nothing of this program."""
    told = {entry.key: entry.value for entry in onnx.load(exported["compact", "onnx"].path).metadata_props}
    size, per_box, up = (float(told[key]) for key in ("input_size_px", "crop_per_box", "box_up_per_side"))
    assert f"round({per_box:g} b)" in told["how_to_crop"]
    assert f"{up:g} b" in told["how_to_crop"]
    image = np.full((240, 320), 80, np.uint8)
    drawn.paint(image, drawn.points(x=150, y=110, width=80))
    left, top, width, height = 90.0, 60.0, 118.0, 122.0
    b = (width + height) / 2
    side = round(per_box * b)
    square_left, square_top = round(left + width / 2 - side / 2), round(top + height / 2 + up * b - side / 2)
    region = image[square_top : square_top + side, square_left : square_left + side]
    crop = cv2.resize(region, (int(size), int(size)), interpolation=cv2.INTER_AREA)
    (points, _) = run_exported(exported["compact", "onnx"].path, crop[None, None], ["points", "face_logit"])
    mapped = points * side + np.float32([square_left, square_top]) - 0.5
    expected = Predictor.load(compact_weights, device="cpu").predict(image, [[left, top, width, height]]).points_px
    np.testing.assert_allclose(mapped, expected, atol=0.02)


@pytest.mark.parametrize("opset", [exporting.OPSETS[0], exporting.OPSETS[-1]])
def test_other_operator_sets(compact_weights: Path, tmp_path: Path, opset: int) -> None:
    done = export(compact_weights, tmp_path / "c.onnx", opset=opset)
    assert done.checks[0].is_close
    assert onnx.load(done.path).opset_import[0].version == opset


def test_an_export_replaces_the_file_that_was_there(compact_weights: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "c.onnx"
    export(compact_weights, out)
    out.write_bytes(b"old")
    export(compact_weights, out)
    assert out.stat().st_size > 1_000_000
    assert list(out.parent.iterdir()) == [out]


# --- the check ---


def test_every_file_was_checked(exported) -> None:
    for (_, file_format), done in exported.items():
        assert done.path.stat().st_size == done.size_bytes
        runtimes = [check.runtime.split(" ")[0] for check in done.checks]
        assert runtimes == (["onnxruntime", "OpenCV"] if file_format == "onnx" else ["TorchScript"])
        assert done.checks[0].is_close
    assert exported["simple", "onnx"].checks[1].is_close
    assert exported["compact", "onnx"].checks[1].is_close  # OpenCV, which the application has already


def test_opencv_checks_where_onnxruntime_is_missing(weights, exported, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    path = exported["simple", "onnx"].path
    for network, is_close in ((load_checkpoint(weights["simple"]).network, True), (build_network("simple"), False)):
        (only,) = parity.check(PlainNetwork(network), path, ["points"], size_px=224, is_onnx=True)
        assert only.runtime.startswith("OpenCV")
        assert only.is_close is is_close


def test_what_nothing_can_check_is_not_written(
    compact_weights: Path, tmp_path: Path, monkeypatch, is_one_sentence
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    monkeypatch.setattr(programs, "OPENCV_PROGRAM", "import os; os.abort()")  # as OpenCV does on some graphs
    with pytest.raises(ExportError, match="pip install onnxruntime") as caught:
        export(compact_weights, tmp_path / "c.onnx")
    assert is_one_sentence(caught.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("file_format", exporting.FORMATS)
def test_what_differs_is_not_written(compact_weights: Path, tmp_path: Path, monkeypatch, file_format: str) -> None:
    out = tmp_path / "c.out"
    out.write_bytes(b"old")
    forward = PlainNetwork.forward
    calls = 0

    def drifting(self: object, crops: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """A network that is traced with another result than it has afterwards."""
        nonlocal calls
        calls += 1
        points, logit = forward(self, crops)
        return points + (0.002 if calls == 1 else 0), logit

    monkeypatch.setattr(PlainNetwork, "forward", drifting)
    with pytest.raises(ExportError, match=r"0\.19\d px off"):
        export(compact_weights, out, file_format=file_format)
    assert out.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize(
    ("check", "is_close"),
    [
        (parity.Check("x", 0.049, 0.009), True),
        (parity.Check("x", 0.051), False),
        (parity.Check("x", 0.0, 0.011), False),
        (parity.Check("x", float("nan")), False),
        (parity.Check("x", float("inf")), False),
        (parity.Check("x", None), False),
    ],
)
def test_the_tolerance(check: parity.Check, is_close: bool) -> None:
    assert check.is_close is is_close


def test_results_of_another_shape_or_without_numbers_are_far_off() -> None:
    wanted = [{"points": np.zeros((5, 68, 2), np.float32)}]
    for got in (np.zeros((1, 68, 2), np.float32), np.full((5, 68, 2), np.nan, np.float32)):
        assert not parity._compare("x", wanted, [{"points": got}], size_px=96).is_close


@pytest.mark.parametrize("size_px", [96, 224])
def test_sample_crops_are_of_every_kind(size_px: int) -> None:
    batches = parity.sample_crops(size_px)
    assert [batch.shape for batch in batches] == [(count, 1, size_px, size_px) for count in (5, 1, 1)]
    for batch in batches:
        assert batch.dtype == np.float32
        assert (batch >= 0).all()
        assert (batch <= 1).all()
    deviations = batches[0].std(axis=(1, 2, 3))
    assert deviations[-1] == 0
    assert (deviations[:-1] > 0.1).all()


# --- what cannot be done ---


def test_a_network_too_large_for_onnx_is_refused(compact_weights: Path, tmp_path: Path, monkeypatch) -> None:
    """As two_conv is."""
    monkeypatch.setattr(exporting, "LIMIT_BYTES", 1_000_000)
    with pytest.raises(ExportError, match=r"0\.00 GB.*--format torchscript"):
        export(compact_weights, tmp_path / "c.onnx")
    assert not list(tmp_path.iterdir())
    with torch.device("meta"):
        two_conv = build_network("two_conv")
    assert sum(4 * p.numel() for p in two_conv.parameters()) > 2**31


def test_onnx_without_its_package_is_refused(compact_weights: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(exporting, "find_spec", lambda name: None)
    with pytest.raises(ExportError, match="pip install onnx"):
        export(compact_weights, tmp_path / "c.onnx")
    assert export(compact_weights, tmp_path / "c.pt", file_format="torchscript").checks[0].is_close


@pytest.mark.parametrize("opset", [-1, 10, 21, 99])
def test_an_operator_set_that_cannot_be_written_is_refused(compact_weights: Path, tmp_path: Path, opset: int) -> None:
    with pytest.raises(ExportError, match=f"{opset} cannot be written"):
        export(compact_weights, tmp_path / "c.onnx", opset=opset)


def test_a_place_that_cannot_be_written_is_named(compact_weights: Path, tmp_path: Path, is_one_sentence) -> None:
    (tmp_path / "file").write_text("")
    for out in (tmp_path, tmp_path / "file" / "c.pt"):
        with pytest.raises(ExportError) as caught:
            export(compact_weights, out, file_format="torchscript")
        assert is_one_sentence(caught.value)
        assert str(out) in str(caught.value)
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("file_format", exporting.FORMATS)
def test_a_full_disk_is_told(
    compact_weights: Path, tmp_path: Path, monkeypatch, is_one_sentence, file_format: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        if file_format == "torchscript":
            raise RuntimeError("PytorchStreamWriter failed writing file\nException raised from ...")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch.jit, "save", fail)
    monkeypatch.setattr(torch.onnx, "export", fail)
    with pytest.raises(ExportError, match=r"No space left|failed writing") as caught:
        export(compact_weights, tmp_path / "c", file_format=file_format)
    assert is_one_sentence(caught.value)
    assert not list(tmp_path.iterdir())


def test_bad_weights_are_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"gone\.safetensors"):
        export(tmp_path / "gone.safetensors", tmp_path / "c.onnx")


# --- the command ---


def test_the_command_tells_what_it_wrote_and_how_it_was_checked(
    compact_weights: Path, tmp_path: Path, monkeypatch, capfd
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["export", "--weights", str(compact_weights)]) == 0
    output = capfd.readouterr()
    assert output.err == ""
    first, *checks = output.out.splitlines()
    assert re.fullmatch(r"compact\.onnx \(\d\.\d MB\): crops \(N, 1, 96, 96\) -> points and face_logit", first)
    assert checks[0].startswith("onnxruntime")
    assert "px of the crop" in checks[0]
    assert [p.name for p in tmp_path.iterdir()] == ["compact.onnx"]


def test_the_command_tells_what_went_wrong(compact_weights: Path, tmp_path: Path, capfd) -> None:
    assert main(["export", "--weights", str(compact_weights), "--out", str(tmp_path / "x"), "--opset", "3"]) == 2
    output = capfd.readouterr()
    assert output.out == ""
    assert output.err.startswith("error: operator set 3")


def test_an_installation_without_weights_is_told(monkeypatch, capfd) -> None:
    def fail() -> Path:
        raise FileNotFoundError("the assets folder is missing")

    monkeypatch.setattr("trainer.commands.export.default_weights_path", fail)
    assert main(["export"]) == 2
    assert capfd.readouterr().err == "error: there are no shipped weights: the assets folder is missing\n"
