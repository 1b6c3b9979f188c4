import json
import logging
import math
import shutil
import weakref
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from trainer import metrics
from trainer.core import resources
from trainer.core.checkpoint import save_checkpoint
from trainer.core.devices import DeviceError, available_devices, resolve_device
from trainer.core.engines.eager import PyTorchEngine
from trainer.core.keypoints import LEFT_EYE, RIGHT_EYE
from trainer.core.models import Compact
from trainer.core.names import DEVICE_NAMES
from trainer.core.predictor import Predictor
from trainer.core.preprocess import box_from_keypoints
from trainer.core.weights_file import CheckpointError
from trainer.dataset import read_image, split_by_identity
from trainer.evaluate import evaluate
from trainer.readers import read_samples


@pytest.fixture(scope="module")
def predictor(trained_run) -> Predictor:
    return Predictor.load(trained_run.folder / "best.safetensors", device="cpu")


@pytest.fixture(scope="module")
def shipped() -> Predictor:
    return Predictor.load(device="cpu")


@pytest.fixture(scope="module")
def faces(drawn) -> list[np.ndarray]:
    return [drawn.points(x=70, y=70, width=60), drawn.points(x=220, y=90, width=110, angle=0.2)]


@pytest.fixture(scope="module")
def frame(drawn, faces) -> np.ndarray:
    frame = np.full((200, 320, 3), (90, 60, 40), np.uint8)
    for points in faces:
        drawn.paint(frame, points)
    return frame


@pytest.fixture(scope="module")
def boxes(faces) -> np.ndarray:
    return box_from_keypoints(np.stack(faces))


# --- what comes out ---


def test_keypoints_are_as_promised(predictor: Predictor, frame, boxes) -> None:
    found = predictor.predict(frame, boxes)
    assert len(found) == 2
    assert found.points_px.shape == (2, 68, 2)
    assert found.points_px.dtype == np.float32
    assert found.confidence.shape == (2,)
    assert found.confidence.dtype == np.float32
    assert ((found.confidence >= 0) & (found.confidence <= 1)).all()


def test_keypoints_are_in_frame_pixels(shipped: Predictor, frame, boxes, faces) -> None:
    """Even on a drawing, the eyes are where the box says and not somewhere in a crop."""
    found = shipped.predict(frame, boxes).points_px
    for points, face in zip(found, faces, strict=True):
        width = np.ptp(face[:, 0])
        assert np.linalg.norm(points.mean(axis=0) - face.mean(axis=0)) < 0.2 * width
        assert 0.5 < np.ptp(points[:, 0]) / width < 1.6


def test_no_boxes_no_faces(predictor: Predictor, frame) -> None:
    for none in ([], np.empty((0, 4)), np.empty((0, 4), np.int64)):
        found = predictor.predict(frame, none)
        assert found.points_px.shape == (0, 68, 2)
        assert found.confidence.shape == (0,)
        assert found.points_px.dtype == found.confidence.dtype == np.float32


def test_all_faces_are_found_in_one_call_of_the_network(predictor: Predictor, frame, boxes, monkeypatch) -> None:
    batches = []
    forward = Compact.forward

    def counting(network: Compact, crops: torch.Tensor) -> object:
        batches.append(tuple(crops.shape))
        return forward(network, crops)

    monkeypatch.setattr(Compact, "forward", counting)
    predictor.predict(frame, np.tile(boxes, (4, 1)))
    assert batches == [(8, 1, 96, 96)]
    predictor.predict(frame, [])
    assert len(batches) == 1


def test_a_batch_gives_what_single_faces_give(predictor: Predictor, frame, boxes) -> None:
    together = predictor.predict(frame, boxes)
    for i, box in enumerate(boxes):
        alone = predictor.predict(frame, box[None])
        np.testing.assert_allclose(alone.points_px[0], together.points_px[i], atol=1e-3)
        np.testing.assert_allclose(alone.confidence[0], together.confidence[i], atol=1e-5)


def test_the_same_frame_gives_the_same_keypoints(trained_run, predictor: Predictor, frame, boxes) -> None:
    again = Predictor.load(str(trained_run.folder / "best.safetensors"), device="cpu")
    first, second = predictor.predict(frame, boxes), again.predict(frame.copy(), boxes)
    assert (first.points_px == second.points_px).all()
    assert (first.confidence == second.confidence).all()


def test_a_shifted_frame_shifts_the_keypoints(predictor: Predictor, frame, boxes) -> None:
    shifted = cv2.copyMakeBorder(frame, 31, 0, 57, 0, cv2.BORDER_REPLICATE)
    here = predictor.predict(frame, boxes).points_px
    there = predictor.predict(shifted, boxes + np.float32([57, 31, 0, 0])).points_px
    np.testing.assert_allclose(there, here + np.float32([57, 31]), atol=0.01)


def test_prediction_leaves_frame_and_boxes_alone(predictor: Predictor, frame, boxes) -> None:
    frame_copy, boxes_copy = frame.copy(), boxes.copy()
    frame_copy.setflags(write=False)
    boxes_copy.setflags(write=False)
    predictor.predict(frame_copy, boxes_copy)
    assert (frame_copy == frame).all()
    assert (boxes_copy == boxes).all()


# --- what goes in ---


@pytest.mark.parametrize("shape", [(1, 1), (3, 7), (479, 641), (2, 1000), (1000, 2)])
def test_frames_of_odd_sizes(predictor: Predictor, shape: tuple[int, int]) -> None:
    frame = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    found = predictor.predict(frame, [[0, 0, shape[1], shape[0]], [-10, -10, 40, 40]])
    assert np.isfinite(found.points_px).all()


def test_grey_and_bgra_frames(predictor: Predictor, frame, boxes) -> None:
    grey = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
    bgra = cv2.cvtColor(frame, cv2.COLOR_BGR2BGRA)
    bgra[..., 3] = np.random.default_rng(0).integers(0, 256, bgra.shape[:2])
    expected = predictor.predict(frame, boxes).points_px
    assert (predictor.predict(bgra, boxes).points_px == expected).all()
    from_grey = predictor.predict(grey, boxes).points_px
    np.testing.assert_allclose(from_grey, expected, atol=1.0)  # grey levels are rounded before scaling, not after
    assert (predictor.predict(grey[..., None], boxes).points_px == from_grey).all()


@pytest.mark.parametrize(
    "box",
    [
        [-50, -50, 120, 120],
        [250, 150, 300, 300],
        [-2000, -2000, 100, 100],
        [5000, 5000, 100, 100],
        [-400_000, -400_000, 1_000_000, 1_000_000],
        [10, 10, 0, 0],
        [10, 10, -5, -5],
    ],
)
def test_boxes_beyond_the_frame(predictor: Predictor, frame, box: list[float]) -> None:
    found = predictor.predict(frame, [box])
    assert np.isfinite(found.points_px).all()
    assert np.isfinite(found.confidence).all()


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_boxes_that_are_not_numbers_are_refused(predictor: Predictor, frame, bad: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        predictor.predict(frame, [[10, 10, 50, 50], [10, bad, 50, 50]])


@pytest.mark.parametrize("boxes", [[10, 10, 50, 50], [[10, 10, 50]], [[[10, 10, 50, 50]]], [[1, 2, 3, 4, 5]]])
def test_boxes_of_another_shape_are_refused(predictor: Predictor, frame, boxes: list) -> None:
    with pytest.raises(ValueError, match=r"\(N, 4\)"):
        predictor.predict(frame, boxes)


@pytest.mark.parametrize("bad", [np.zeros((9, 9, 3)), np.zeros((9, 9, 2), np.uint8), np.zeros((0, 9, 3), np.uint8)])
def test_frames_of_another_kind_are_refused(predictor: Predictor, bad: np.ndarray) -> None:
    for boxes in ([[0, 0, 5, 5]], []):
        with pytest.raises(ValueError, match="expected an image"):
            predictor.predict(bad, boxes)


# --- devices ---


def test_the_processor_is_always_there_and_last() -> None:
    assert available_devices()[-1] == "cpu"
    assert resolve_device("cpu") == "cpu"


def test_auto_is_the_best_there_is(compact_weights: Path, frame, boxes) -> None:
    assert resolve_device("auto") == available_devices()[0]
    predictor = Predictor.load(compact_weights)
    assert predictor.device == available_devices()[0]
    assert len(predictor.predict(frame, boxes)) == 2


@pytest.mark.parametrize("name", ["gpu", "", "CPU", "cuda:0"])
def test_an_unknown_device_is_named_with_those_there_are(compact_weights: Path, is_one_sentence, name: str) -> None:
    with pytest.raises(DeviceError, match="auto, cpu, cuda, mps") as caught:
        Predictor.load(compact_weights, device=name)
    assert repr(name) in str(caught.value)
    assert is_one_sentence(caught.value)


def test_a_device_that_is_not_there_is_told_before_the_weights_are_read(tmp_path: Path, is_one_sentence) -> None:
    absent = set(DEVICE_NAMES) - {"auto", *available_devices()}  # no machine has CUDA and MPS
    assert absent
    for name in absent:
        with pytest.raises(DeviceError, match="not available here") as caught:
            Predictor.load(tmp_path / "not there", device=name)
        assert is_one_sentence(caught.value)


@pytest.mark.parametrize("device", available_devices())
def test_every_device_agrees_with_the_processor(compact_weights: Path, frame, boxes, device: str) -> None:
    expected = Predictor.load(compact_weights, device="cpu").predict(frame, boxes)
    found = Predictor.load(compact_weights, device=device).predict(frame, boxes)
    np.testing.assert_allclose(found.points_px, expected.points_px, atol=0.1)
    np.testing.assert_allclose(found.confidence, expected.confidence, atol=0.01)


# --- engines ---


def test_an_unknown_engine_is_named_with_those_there_are(compact_weights: Path, is_one_sentence) -> None:
    with pytest.raises(DeviceError, match=r"'tensorrt'.* auto, onnxruntime, pytorch") as caught:
        Predictor.load(compact_weights, engine="tensorrt")
    assert is_one_sentence(caught.value)


@pytest.mark.parametrize("gpu", ["cuda", "mps"])
def test_onnx_runtime_is_for_the_cpu_alone(compact_weights: Path, monkeypatch, is_one_sentence, gpu: str) -> None:
    monkeypatch.setattr("trainer.core.devices.available_devices", lambda: (gpu, "cpu"))
    with pytest.raises(DeviceError, match=f"'{gpu}'; choose cpu") as caught:
        Predictor.load(compact_weights, device=gpu, engine="onnxruntime")
    assert is_one_sentence(caught.value)
    assert Predictor.load(device="auto", engine="onnxruntime").device == "cpu"


def test_pytorch_is_used_where_it_is_asked_for(shipped: Predictor, demo) -> None:
    assert shipped.engine_name == "ONNX Runtime"
    plain = Predictor.load(device="cpu", engine="pytorch")
    assert plain.engine_name == "PyTorch"
    frame, face = demo[0]
    found, wanted = (predictor.predict(frame, [box_of(face)]) for predictor in (shipped, plain))
    np.testing.assert_allclose(found.points_px, wanted.points_px, atol=0.05 * face["width_px"] * 1.25 / 96)
    np.testing.assert_allclose(found.confidence, wanted.confidence, atol=0.0025)
    assert (found.points_px != wanted.points_px).any(), "two engines, not one"


def test_a_gpu_whose_graphs_fail_computes_plainly(monkeypatch, caplog) -> None:
    """On a machine without one: that PyTorch is tried on it then is seen by how that fails."""
    monkeypatch.setattr("trainer.core.devices.available_devices", lambda: ("cuda", "cpu"))

    class Broken:
        def __init__(self, network: object) -> None:
            raise RuntimeError("no graphs here")

    monkeypatch.setattr("trainer.core.engines.cuda_graph.CudaGraphEngine", Broken)
    tried = []
    monkeypatch.setattr("trainer.core.engines.eager.PyTorchEngine", lambda network, device: tried.append(device))
    Predictor.load()
    assert tried == ["cuda"]
    assert "no graphs here" in caplog.text


def test_a_gpu_that_breaks_in_use_is_told_and_not_tried_again(monkeypatch) -> None:
    class Gpu:
        name, device = "PyTorch, CUDA graphs", "cuda"
        broken = False

        def __init__(self, network: object) -> None:
            self.engine = PyTorchEngine(network, device="cpu")

        def warm_up(self) -> None:
            pass

        def __call__(self, crops: np.ndarray) -> object:
            if Gpu.broken:
                raise RuntimeError("CUDA error: device lost")
            return self.engine(crops)

    monkeypatch.setattr("trainer.core.devices.available_devices", lambda: ("cuda", "cpu"))
    monkeypatch.setattr("trainer.core.engines.cuda_graph.CudaGraphEngine", Gpu)
    predictor = Predictor.load()
    predictor.warm_up()
    assert (predictor.device, predictor.engine_name) == ("cuda", "PyTorch, CUDA graphs")
    Gpu.broken = True
    for _ in range(2):
        with pytest.raises(RuntimeError, match="device lost"):
            predictor.warm_up()
    assert predictor.device == "cuda"


def test_an_engine_that_broke_leaves_its_memory_to_the_next_one(caplog) -> None:
    class Engine:
        name, device = "PyTorch, CUDA graphs", "cuda"

        def warm_up(self) -> None:
            raise RuntimeError("CUDA out of memory")

    def make() -> PyTorchEngine:
        assert broken() is None
        return PyTorchEngine(Compact(), device="cpu")

    caplog.set_level(logging.CRITICAL, "trainer.core.predictor")  # which would keep the error, and what it holds
    engine = Engine()
    broken = weakref.ref(engine)
    predictor = Predictor(engine, Compact.input_spec, network_name="compact", info={}, fall_back=make)
    del engine
    predictor.warm_up()
    assert predictor.engine_name == "PyTorch"


# --- weights ---


def test_unusable_weights_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="not there"):
        Predictor.load(tmp_path / "not there")


def test_an_installation_without_assets_is_told(monkeypatch) -> None:
    def missing() -> Path:
        raise FileNotFoundError("the assets folder is missing")

    monkeypatch.setattr("trainer.core.predictor.default_weights_path", missing)
    with pytest.raises(CheckpointError, match="assets folder is missing"):
        Predictor.load()


def test_the_network_and_its_story_are_told(trained_run, predictor: Predictor) -> None:
    assert predictor.network_name == "compact"
    assert predictor.info["config"]["seed"] == trained_run.config.seed


# --- the shipped weights ---


@pytest.fixture(scope="module")
def demo() -> Iterator[list[tuple[np.ndarray, dict]]]:
    """The first second of the demo clip: frames and the portrait's face in each."""
    folder = resources.assets_dir() / "demo"
    truth = json.loads((folder / "demo_truth.json").read_text(encoding="utf-8"))["frames"]
    capture = cv2.VideoCapture(str(folder / "demo.mp4"))
    frames = []
    for faces in truth[:30]:
        read, frame = capture.read()
        assert read
        (face,) = (face for face in faces if face["id"] == 0)
        frames.append((frame, face))
    capture.release()
    return frames


def box_of(face: dict) -> list[float]:
    half = face["width_px"] / 2
    return [face["cx"] - half, face["cy"] - half, 2 * half, 2 * half]


def test_the_shipped_weights_find_the_face_of_the_demo(shipped: Predictor, demo) -> None:
    for frame, face in demo[::5]:
        found = shipped.predict(frame, [box_of(face)])
        points, width = found.points_px[0], face["width_px"]
        right, left = points[list(RIGHT_EYE)].mean(axis=0), points[list(LEFT_EYE)].mean(axis=0)
        slope = math.degrees(math.atan2(left[1] - right[1], left[0] - right[0]))
        assert abs(slope - face["angle_deg"]) < 4
        # In a Haar box the eyes are at 0.3 and 0.7 of its width and 0.4 of its height.
        across = np.array([math.cos(math.radians(face["angle_deg"])), math.sin(math.radians(face["angle_deg"]))])
        down = np.array([-across[1], across[0]])
        centre = np.array([face["cx"], face["cy"]])
        for eye, side in ((right, -1), (left, 1)):
            offset = (eye - centre) / width
            assert offset @ across == pytest.approx(side * 0.2, abs=0.06)
            assert offset @ down == pytest.approx(-0.1, abs=0.06)
        assert found.confidence[0] > 0.5


def test_the_shipped_weights_tell_a_face_from_none(shipped: Predictor, demo) -> None:
    frame, face = demo[0]
    left, top, side, _ = box_of(face)
    noise = np.random.default_rng(0).integers(0, 256, frame.shape, dtype=np.uint8)
    assert shipped.predict(frame, [box_of(face)]).confidence[0] > 0.5
    assert shipped.predict(np.full_like(frame, 128), [box_of(face)]).confidence[0] < 0.5
    assert shipped.predict(noise, [box_of(face)]).confidence[0] < 0.5
    assert shipped.predict(frame, [[left + 1.1 * side, top, side, side]]).confidence[0] < 0.5


def test_a_tracker_can_follow_the_demo_by_its_own_keypoints(shipped: Predictor, demo) -> None:
    box = np.float32(box_of(demo[0][1]))
    for frame, face in demo:
        points = shipped.predict(frame, box[None]).points_px[0]
        box = box_from_keypoints(points)
        offset = np.linalg.norm(box[:2] + box[2:] / 2 - [face["cx"], face["cy"]])
        assert offset < 0.15 * face["width_px"]
        assert box[2] == pytest.approx(face["width_px"], rel=0.2)


def test_the_shipped_weights_are_good_on_people_they_never_saw(shipped: Predictor, youtube_faces: Path) -> None:
    recipe = shipped.info["config"]
    samples = split_by_identity(
        read_samples(youtube_faces, "training"), validation_share=recipe["validation_share"], seed=recipe["seed"]
    )[1]
    assert evaluate(shipped, samples[::12]).nme_median < 0.06


def test_evaluation_is_the_nme_of_every_face(predictor: Predictor, tiny_data: Path) -> None:
    samples = read_samples(tiny_data, "test")
    nmes = []
    for sample in samples:
        truth = sample.keypoints_px[None]
        found = predictor.predict(read_image(sample.image_path), box_from_keypoints(truth))
        nmes.append(metrics.nme(found.points_px, truth)[0])
    result = evaluate(predictor, samples)
    assert result.count == len(samples) == 3
    assert result.nme_mean == pytest.approx(np.mean(nmes))
    with pytest.raises(ValueError, match="no faces"):
        evaluate(predictor, [])


@pytest.mark.parametrize("is_replaced", [False, True])
def test_an_engine_that_breaks_gives_way_for_the_same_weights_only(tmp_path: Path, monkeypatch, is_replaced) -> None:
    weights = tmp_path / "best.safetensors"
    shutil.copy(resources.default_weights_path(), weights)
    predictor = Predictor.load(weights, device="cpu")
    assert predictor.engine_name == "ONNX Runtime"

    def broken(_engine: object, _crops: np.ndarray) -> None:
        raise RuntimeError("it broke")

    monkeypatch.setattr("trainer.core.engines.onnx_runtime.OnnxRuntimeEngine.__call__", broken)
    frame = np.zeros((96, 96, 3), np.uint8)
    if is_replaced:  # by a run that goes on
        save_checkpoint(weights, Compact(), name="compact")
        with pytest.raises(RuntimeError, match="was replaced since"):
            predictor.predict(frame, [[10, 10, 60, 60]])
    else:
        assert len(predictor.predict(frame, [[10, 10, 60, 60]])) == 1
        assert predictor.engine_name == "PyTorch"
