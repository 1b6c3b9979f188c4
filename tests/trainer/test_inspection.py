"""What an inspection says of a network, against the network itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.trainer.tiny import TinyTeller
from trainer import inspection as inspections
from trainer.core.checkpoint import Checkpoint, CheckpointError, load_checkpoint
from trainer.core.models import Simple, count_parameters
from trainer.core.predictor import DeviceError, Predictor
from trainer.core.resources import default_weights_path
from trainer.inspection import OUTPUT, Inspection, InspectionError, memory_of


@pytest.fixture(scope="module")
def shipped() -> Inspection:
    return Inspection(device="cpu")


@pytest.fixture
def crop(portrait, shipped) -> np.ndarray:
    return shipped.crop_of(portrait, (105, 103, 150, 150))


def by_name(inspection: Inspection) -> dict[str, inspections.LayerInfo]:
    return {layer.name: layer for layer in inspection.layers()}


def plain_outputs(crop: np.ndarray, *paths: str) -> list[np.ndarray]:
    """Outputs of the network as it was trained, with its normalisations apart."""
    network = load_checkpoint(default_weights_path()).network
    seen: dict[str, np.ndarray] = {}
    for path in paths:
        network.get_submodule(path).register_forward_hook(
            lambda _m, _i, out, path=path: seen.update({path: out[0].numpy().copy()})
        )
    with torch.inference_mode():
        network(torch.from_numpy(crop)[None, None].float() / 255)
    return [seen[path] for path in paths]


def test_the_table_tells_of_every_layer_in_readable_words(shipped: Inspection) -> None:
    layers = by_name(shipped)
    first = next(iter(layers.values()))
    assert (first.name, first.kind, first.output_shape) == ("stem.conv", "Conv2d 5 × 5, stride 2", (16, 48, 48))
    assert first.has_norm
    assert first.parameters == 16 * 25 + 2 * 16
    assert layers["middle.1.conv2"].kind == "Conv2d 3 × 3"
    assert layers["middle.1"].kind == "Shortcut added, ReLU"
    assert layers["stem.relu"].kind == "ReLU"
    assert layers["cells"].output_shape == (204, 12, 12)
    assert layers["face"].output_shape == (1,)
    assert not layers["face"].is_spatial
    assert list(layers)[-1] == OUTPUT
    assert layers[OUTPUT].output_shape == (136,)


def test_nothing_is_counted_twice_or_left_out(shipped: Inspection) -> None:
    layers = shipped.layers()
    in_file = count_parameters(load_checkpoint(default_weights_path()).network)
    assert sum(layer.parameters for layer in layers) == shipped.parameters == in_file
    assert sum(layer.time_share for layer in layers) == pytest.approx(1)
    assert all(layer.time_ms >= 0 for layer in layers)
    assert shipped.total_ms == pytest.approx(sum(layer.time_ms for layer in layers))
    assert shipped.layers() is layers, "measured once"


def test_maps_are_what_the_trained_network_computes(shipped: Inspection, crop: np.ndarray) -> None:
    paths = {"stem.conv": "stem.0", "middle.1.conv2": "middle.2.conv2", "middle.1": "middle.2", "cells": "cells"}
    for name, expected in zip(paths, plain_outputs(crop, *paths.values()), strict=True):
        maps = shipped.activations(crop, name)
        if name == "stem.conv":  # the hook of the plain network saw it before the ReLU too
            assert maps.min() < 0
        np.testing.assert_allclose(maps, expected, atol=2e-3)
        assert maps.dtype == np.float32
        assert maps.shape == by_name(shipped)[name].output_shape


def test_a_layer_is_shown_before_the_relu_that_writes_into_its_memory(shipped: Inspection, crop: np.ndarray) -> None:
    before, after = shipped.activations(crop, "stem.conv"), shipped.activations(crop, "stem.relu")
    assert before.min() < 0
    np.testing.assert_array_equal(after, np.maximum(before, 0))


def test_keypoints_are_those_of_the_live_network(shipped: Inspection, portrait: np.ndarray) -> None:
    box = (105, 103, 150, 150)
    predictor = Predictor.load(device="cpu")
    square = predictor.squares([box])
    np.testing.assert_array_equal(shipped.crop_of(portrait, box), predictor.crops(portrait, square)[0, 0])
    expected = predictor.predict(portrait, [box]).points_px[0]
    found = shipped.keypoints(shipped.crop_of(portrait, box)) * square[0, 2] + square[0, :2] - 0.5
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_without_a_face_the_middle_of_the_picture_is_taken(shipped: Inspection) -> None:
    frame = np.zeros((100, 300, 3), np.uint8)
    frame[:, 100:200] = 200
    assert (shipped.crop_of(frame, None) == 200).all()


def test_the_network_runs_no_further_than_to_the_layer(
    shipped: Inspection, crop: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = []
    hook = shipped._network.get_submodule("coarse").register_forward_hook(lambda *_: ran.append(1))
    shipped.activations(crop, "stem.conv")
    assert not ran
    shipped.activations(crop, "cells")
    assert ran
    hook.remove()


def test_watching_leaves_nothing_behind(crop: np.ndarray) -> None:
    inspection = Inspection(device="cpu")
    inspection.layers()
    inspection.activations(crop, "top")
    modules = list(inspection._network.modules())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in modules)


def test_kernels_are_the_first_convolutions_in_their_folded_scale(shipped: Inspection, crop: np.ndarray) -> None:
    kernels = shipped.kernels()
    assert kernels.shape == (16, 5, 5)
    convolution = shipped._network.get_submodule("stem.0.conv")
    np.testing.assert_array_equal(kernels, convolution.weight[:, 0].numpy())


def test_a_published_network_has_flat_layers_too(crop: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspections, "_RUNS", 1)
    inspection = Inspection(Checkpoint(Simple().eval(), "simple"), device="cpu")
    layers = by_name(inspection)
    assert {name: (layer.kind, layer.output_shape) for name, layer in layers.items()} == {
        "conv1": ("Conv2d 5 × 5", (32, 220, 220)),
        "pool1": ("MaxPool2d 2 × 2", (32, 110, 110)),
        "fc1": ("Linear", (136,)),
        OUTPUT: ("Keypoints", (136,)),
    }
    crop = np.zeros((224, 224), np.uint8)
    assert inspection.activations(crop, "fc1").shape == (136,)
    assert inspection.activations(crop, "pool1").shape == (32, 110, 110)
    assert not any(layer.has_norm for layer in layers.values())


def test_a_network_without_convolutions_has_no_kernels() -> None:
    inspection = Inspection(Checkpoint(TinyTeller().eval(), "simple"), device="cpu")
    assert len(inspection.kernels()) == 0
    assert set(by_name(inspection)) == {"points", "face", OUTPUT}


def test_memory_is_known_before_loading(tmp_path: Path) -> None:
    state = load_checkpoint(default_weights_path()).network.state_dict()
    assert memory_of(None) == 4 * sum(tensor.numel() for tensor in state.values())
    (tmp_path / "bad.safetensors").write_bytes(b"no weights")
    assert memory_of(tmp_path / "bad.safetensors") == 0
    assert memory_of(tmp_path / "missing.safetensors") == 0


def test_what_cannot_be_done_is_said_in_one_sentence(
    shipped: Inspection, crop: np.ndarray, tmp_path: Path, is_one_sentence
) -> None:
    with pytest.raises(InspectionError, match=r"no layer 'stem\.9'") as caught:
        shipped.activations(crop, "stem.9")
    assert is_one_sentence(str(caught.value)[:400])
    with pytest.raises(CheckpointError, match="there is no weights file"):
        Inspection(tmp_path / "missing.safetensors", device="cpu")
    with pytest.raises(DeviceError, match="no device is called"):
        Inspection(device="abacus")
