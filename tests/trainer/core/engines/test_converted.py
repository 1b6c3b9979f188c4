"""Conversions of the user's own weights: made once, kept, replaced when broken, and never in the way."""

import logging
import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from trainer.core.checkpoint import save_checkpoint
from trainer.core.engines import converted
from trainer.core.engines.agreement import sample_crops
from trainer.core.engines.converted import FILES_KEPT, ConvertedFolder
from trainer.core.engines.onnx_file import LIMIT_BYTES, PlainNetwork
from trainer.core.engines.onnx_runtime import OnnxRuntimeEngine, OnnxRuntimeError
from trainer.core.models import build_network
from trainer.core.predictor import Predictor
from trainer.core.resources import default_weights_path
from trainer.core.weights_file import CheckpointError, digest

SQUARES = np.tile(np.float32([48, 48, 96]), (5, 1))


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "networks"


@pytest.fixture
def conversions(monkeypatch) -> list[Path]:
    """Collect what is converted."""
    done: list[Path] = []
    real = converted.convert

    def convert(weights: Path, weights_digest: str) -> bytes:
        done.append(weights)
        return real(weights, weights_digest)

    monkeypatch.setattr(converted, "convert", convert)
    return done


def load(weights: Path | None, cache: Path | None, **more) -> Predictor:
    predictor = Predictor.load(weights, device="cpu", converted_dir=cache, **more)
    predictor.warm_up()
    return predictor


def points(predictor: Predictor) -> np.ndarray:
    return predictor.predict_crops(sample_crops(96), SQUARES).points_px


def test_weights_are_converted_once(compact_weights: Path, cache: Path, conversions: list[Path], tmp_path) -> None:
    first = load(compact_weights, cache)
    elsewhere = Path(shutil.copy(compact_weights, tmp_path / "copy.safetensors"))
    second = load(elsewhere, cache)
    assert conversions == [compact_weights]
    assert first.engine_name == second.engine_name == "ONNX Runtime"
    wanted = points(Predictor.load(compact_weights, device="cpu", engine="pytorch"))
    for predictor in (first, second):
        assert (predictor.network_name, predictor.device) == ("compact", "cpu")
        np.testing.assert_allclose(points(predictor), wanted, atol=0.05)
    assert [path.name for path in cache.iterdir()] == [f"{digest(compact_weights)}-1.onnx"]


def test_the_shipped_weights_need_no_conversion_wherever_they_lie(cache: Path, conversions, tmp_path) -> None:
    copied = Path(shutil.copy(default_weights_path(), tmp_path / "mine.safetensors"))
    for weights, folder in ((None, cache), (None, None), (copied, None), (copied, cache)):
        assert load(weights, folder).engine_name == "ONNX Runtime"
    assert conversions == []
    assert not cache.exists()


def test_weights_are_read_no_more_than_once_to_know_them(compact_weights, cache, conversions, monkeypatch) -> None:
    load(compact_weights, cache)
    read: list[Path] = []
    monkeypatch.setattr(converted, "digest", lambda path: (read.append(path), digest(path))[1])
    for weights, folder in ((None, None), (None, cache), (compact_weights, cache)):
        assert load(weights, folder).engine_name == "ONNX Runtime"
        assert read.count(weights or default_weights_path()) == 1
        read.clear()
    assert len(conversions) == 1


def test_what_cannot_be_kept_is_not_converted_unless_asked_for(compact_weights: Path, conversions) -> None:
    assert load(compact_weights, None).engine_name == "PyTorch"
    assert conversions == []
    assert load(compact_weights, None, engine="onnxruntime").engine_name == "ONNX Runtime"
    assert conversions == [compact_weights]


def test_other_weights_under_the_same_name_are_converted_anew(compact_weights: Path, cache, conversions, tmp_path):
    path = Path(shutil.copy(compact_weights, tmp_path / "best.safetensors"))
    load(path, cache)
    save_checkpoint(path, build_network("compact"), name="compact")
    again = load(path, cache)
    np.testing.assert_allclose(points(again), points(Predictor.load(path, device="cpu")), atol=0.05)
    assert conversions == [path, path]
    assert len(list(cache.iterdir())) == 2


@pytest.mark.parametrize("content", [b"", b"broken", "cut", "of other weights"])
def test_a_broken_entry_is_replaced(compact_weights, cache, conversions, tmp_path, caplog, content) -> None:
    load(compact_weights, cache)
    [entry] = cache.iterdir()
    good = entry.read_bytes()
    if content == "cut":
        content = good[: len(good) // 2]
    elif content == "of other weights":
        content = converted.default_onnx_path().read_bytes()
    entry.write_bytes(content)
    with caplog.at_level(logging.WARNING):
        assert load(compact_weights, cache).engine_name == "ONNX Runtime"
    assert "is converted again" in caplog.text
    assert entry.read_bytes() == good
    load(compact_weights, cache)
    assert len(conversions) == 2


def test_a_folder_that_cannot_be_written_costs_a_line_in_the_log(compact_weights, tmp_path, caplog) -> None:
    (tmp_path / "file").write_text("")
    with caplog.at_level(logging.WARNING):
        assert load(compact_weights, tmp_path / "file" / "networks").engine_name == "ONNX Runtime"
    assert "cannot be kept" in caplog.text


def test_an_entry_that_cannot_be_read_costs_a_line_in_the_log(compact_weights, cache, caplog) -> None:
    (cache / f"{digest(compact_weights)}-1.onnx").mkdir(parents=True)
    with caplog.at_level(logging.WARNING):
        assert load(compact_weights, cache).engine_name == "ONNX Runtime"
    assert "cannot be read" in caplog.text and "cannot be kept" in caplog.text


def test_those_used_last_are_kept(cache: Path) -> None:
    folder = ConvertedFolder(cache)
    for number in range(FILES_KEPT):
        folder.keep(str(number), b"x")
        os.utime(cache / f"{number}-1.onnx", (number, number))
    (cache / "notes.txt").write_text("not ours")
    assert folder.read("0") == b"x"  # and is now the newest
    folder.keep("new", b"y")
    left = {path.name for path in cache.iterdir()}
    assert left == {f"{n}-1.onnx" for n in (0, *range(2, FILES_KEPT))} | {"new-1.onnx", "notes.txt"}


def test_weights_that_change_while_they_are_read_are_not_kept(compact_weights, cache, monkeypatch, tmp_path) -> None:
    path = Path(shutil.copy(compact_weights, tmp_path / "best.safetensors"))
    real = converted.convert

    def convert(weights: Path, weights_digest: str) -> bytes:
        save_checkpoint(path, build_network("compact"), name="compact")
        return real(weights, weights_digest)

    monkeypatch.setattr(converted, "convert", convert)
    load(path, cache)
    assert not cache.exists()


@pytest.mark.parametrize("missing", ["onnx", "onnxruntime"])
def test_without_a_package_pytorch_computes(compact_weights, cache, monkeypatch, caplog, missing: str) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    with caplog.at_level(logging.WARNING):
        predictor = load(compact_weights, cache)
    assert predictor.engine_name == "PyTorch"
    assert "PyTorch is used" in caplog.text
    assert points(predictor).shape == (5, 68, 2)
    assert not cache.exists()


def test_without_onnxruntime_the_shipped_network_is_pytorchs(cache, monkeypatch, caplog) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    assert load(None, cache).engine_name == "PyTorch"
    assert "PyTorch is used" in caplog.text


def test_an_installation_without_the_shipped_file_converts_it(cache, monkeypatch, tmp_path, conversions) -> None:
    monkeypatch.setattr(converted, "default_onnx_path", lambda: tmp_path / "gone.onnx")
    assert load(None, cache).engine_name == "ONNX Runtime"
    assert len(conversions) == 1


def test_a_result_that_differs_gives_way_to_pytorch(compact_weights, cache, monkeypatch, caplog) -> None:
    monkeypatch.setattr(PlainNetwork, "proof", lambda self: {"proof": '{"points":[],"face_logit":[]}'})
    assert load(compact_weights, cache).engine_name == "PyTorch"
    assert "px off" in caplog.text
    assert not cache.exists()


def test_an_exporter_that_fails_gives_way_to_pytorch(compact_weights, cache, monkeypatch, caplog) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("the exporter does not know this")

    monkeypatch.setattr("torch.onnx.export", fail)
    assert load(compact_weights, cache).engine_name == "PyTorch"
    assert "does not know this" in caplog.text


def test_an_engine_that_dies_in_use_gives_way_to_pytorch(cache, monkeypatch, caplog) -> None:
    predictor = load(None, cache)
    wanted = points(predictor)

    def die(*_: object) -> None:
        raise RuntimeError("ONNX Runtime failed: no more")

    monkeypatch.setattr(OnnxRuntimeEngine, "_run", die)
    np.testing.assert_allclose(points(predictor), wanted, atol=0.05)
    assert predictor.engine_name == "PyTorch"
    assert "PyTorch takes over" in caplog.text


def test_if_nothing_takes_over_what_broke_is_told(compact_weights, cache, monkeypatch, tmp_path) -> None:
    path = Path(shutil.copy(compact_weights, tmp_path / "mine.safetensors"))
    predictor = load(path, cache)
    monkeypatch.setattr(OnnxRuntimeEngine, "_run", lambda *_: (_ for _ in ()).throw(RuntimeError("no more")))
    path.unlink()
    with pytest.raises(RuntimeError, match=r"mine\.safetensors"):
        points(predictor)
    with pytest.raises(RuntimeError, match="no more"):
        points(predictor)


def test_the_published_networks_stay_with_pytorch(tmp_path: Path, cache, conversions) -> None:
    path = tmp_path / "simple.safetensors"
    save_checkpoint(path, build_network("simple"), name="simple")
    assert load(path, cache).engine_name == "PyTorch"
    assert conversions == []
    path.unlink()  # 211 MB, and pytest keeps the folders of three sessions
    assert LIMIT_BYTES < 540_951_732 * 4  # two_conv


def test_bad_weights_are_refused_in_the_same_words(tmp_path: Path, cache, compact_weights) -> None:
    """Those whose header is good, which is all that is looked at before they are converted."""
    import torch

    path = tmp_path / "bad.safetensors"
    network = build_network("compact")
    with torch.no_grad():
        network.face.bias.fill_(float("nan"))
    save_checkpoint(path, network, name="compact")
    said = set()
    for engine in ("auto", "onnxruntime", "pytorch"):
        with pytest.raises(CheckpointError) as caught:
            Predictor.load(path, device="cpu", converted_dir=cache, engine=engine)
        said.add(str(caught.value))
    assert len(said) == 1 and "face.bias" in said.pop()
    assert not cache.exists()


def test_a_folder_in_the_place_of_a_file_is_no_conversion(tmp_path: Path) -> None:
    with pytest.raises(OnnxRuntimeError, match="cannot be read"):
        converted.converted_engine(tmp_path, "compact", None)
