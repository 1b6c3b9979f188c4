import dataclasses
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load
from torch.utils._python_dispatch import TorchDispatchMode

from tests.trainer.tiny import Tiny, TinyTeller, are_equal
from trainer.config import TrainConfig
from trainer.core.checkpoint import load_checkpoint
from trainer.core.models import build_network
from trainer.core.resources import default_weights_path
from trainer.dataset import FaceCrops, load_crops
from trainer.learner import CLIP_NORM, FACE_LOSS_WEIGHT, Learner
from trainer.losses import keypoint_loss
from trainer.readers import read_samples
from trainer.runs import TrainingError
from trainer.sampler import Sampler

CONFIG = TrainConfig(optimizer="sgd", schedule="constant", learning_rate=0.01, batch_size=8)
Batch = tuple[torch.Tensor, torch.Tensor, int]


def make(
    network: type[Tiny] = TinyTeller,
    *,
    on_notice: Callable[[str], None] = pytest.fail,
    runs_ahead: bool | None = None,
    **changes: Any,
) -> Learner:
    torch.manual_seed(0)
    config = dataclasses.replace(CONFIG, **changes)
    return Learner(network(), config, total_steps=20, on_notice=on_notice, runs_ahead=runs_ahead)


def batch(number: int = 0, *, faces: int = 8, others: int = 2) -> Batch:
    generator = torch.Generator().manual_seed(number)
    crops = torch.rand(faces + others, 1, 32, 32, generator=generator)
    return crops, torch.rand(faces, 68, 2, generator=generator) * 0.2 + 0.4, faces


def loss_of(learner: Learner, crops: torch.Tensor, points: torch.Tensor, faces: int) -> float:
    """Take a step and return its loss."""
    learner.step(crops, points, faces)
    return learner.losses()[-1]


def weights(learner: Learner) -> dict[str, torch.Tensor]:
    return {key: value.clone() for key, value in learner.network.state_dict().items()}


def assert_close(learner: Learner, other: Learner) -> None:
    for key, value in weights(other).items():
        torch.testing.assert_close(learner.network.state_dict()[key], value, rtol=1e-4, atol=1e-7)


# --- a step ---


def test_the_loss_is_that_of_keypoints_and_of_faces() -> None:
    learner = make()
    crops, points, faces = batch()
    output = learner.network(crops)
    told = torch.nn.functional.binary_cross_entropy_with_logits(output.face_logit, torch.tensor([1.0] * 8 + [0.0] * 2))
    expected = keypoint_loss("euclidean", (output.points[:8] - points) * 32) + FACE_LOSS_WEIGHT * told
    assert loss_of(learner, crops, points, faces) == pytest.approx(expected.item(), rel=1e-5)


@pytest.mark.parametrize("name", ["euclidean", "wing", "smooth_l1", "mse"])
def test_steps_on_one_batch_learn_it(name) -> None:
    learner = make(loss=name, optimizer="adam", schedule="one_cycle", learning_rate=0.02)
    losses = [loss_of(learner, *batch()) for _ in range(20)]
    assert losses[-1] < 0.8 * losses[0]


def test_without_others_nothing_teaches_the_confidence() -> None:
    learner = make(optimizer="adamw")
    before = weights(learner)
    learner.step(*batch(others=0))
    assert torch.equal(learner.network.face.weight, before["face.weight"])
    assert not torch.equal(learner.network.points.weight, before["points.weight"])


def test_a_step_is_bounded() -> None:
    learner = make(learning_rate=1.0, loss="mse")
    before = weights(learner)
    crops, points, faces = batch()
    learner.step(crops, points + 1e3, faces)
    change = [(learner.network.state_dict()[key] - value).square().sum() for key, value in before.items()]
    assert math.sqrt(sum(change)) == pytest.approx(CLIP_NORM, rel=1e-3)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_loss_that_is_no_number_changes_nothing(value: float) -> None:
    learner = make()
    learner.step(*batch())
    before = weights(learner)
    crops, points, faces = batch(1)
    assert not math.isfinite(loss_of(learner, crops, points + value, faces))
    assert are_equal(weights(learner), before)


def test_norms_and_biases_do_not_decay() -> None:
    learner = make(optimizer="adamw", weight_decay=0.5, learning_rate=0.1)
    with torch.no_grad():
        for parameter in learner.network.parameters():
            parameter.fill_(1.0)
    for parameter in learner.network.parameters():
        parameter.grad = torch.zeros_like(parameter)
    learner._optimizer.step()
    values = {key: value.flatten()[0].item() for key, value in learner.network.state_dict().items()}
    assert values == {
        "points.weight": pytest.approx(0.95),
        "points.bias": 1.0,
        "face.weight": pytest.approx(0.95),
        "face.bias": 1.0,
    }


def test_one_cycle_rises_and_falls_over_the_run() -> None:
    learner = make(schedule="one_cycle", optimizer="adamw", learning_rate=0.01)
    rates = []
    for _ in range(20):
        rates.append(learner._optimizer.param_groups[0]["lr"])
        if len(rates) < 20:
            learner.step(*batch())
    assert max(rates) == pytest.approx(0.01, rel=0.02)
    assert rates.index(max(rates)) in (2, 3)
    assert rates[-1] < 1e-5


def test_a_constant_rate_stays() -> None:
    learner = make()
    for number in range(5):
        learner.step(*batch(number))
        assert learner._optimizer.param_groups[0]["lr"] == 0.01


# --- precision ---


def test_bfloat16_keeps_keypoints_and_their_gradients_fine(tiny_data: Path) -> None:
    faces = load_crops(read_samples(tiny_data), size_px=96, crop_per_box=1.25)
    crops, points = torch.from_numpy(faces.crops) / 255, torch.from_numpy(faces.points_unit)
    found, gradients = [], []
    for precision in ("float32", "bfloat16"):
        network = load_checkpoint(default_weights_path()).network.train()
        network.register_forward_hook(lambda _network, _crops, output: found.append(output))
        learner = Learner(network, dataclasses.replace(CONFIG, precision=precision), total_steps=1)
        learner.step(crops, points, len(faces))
        gradients.append(torch.cat([p.grad.flatten() for p in network.parameters() if p.grad is not None]))
    exact, rough = found
    assert rough.points.dtype == rough.face_logit.dtype == torch.float32
    assert not torch.equal(rough.points, exact.points)  # the layers before were in bfloat16
    assert ((rough.points - exact.points) * 96).abs().mean() < 0.02  # 0.1 where positions are in bfloat16
    assert (gradients[1] - gradients[0]).norm() < 0.1 * gradients[0].norm()
    assert not torch.is_autocast_enabled("cpu")


# --- without waiting for the device ---


class Waits(TorchDispatchMode):
    """Counts how often Python asks for a value, for which it would have to wait for a GPU."""

    count = 0

    def __torch_dispatch__(self, func: Any, _types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.count += func is torch.ops.aten._local_scalar_dense.default
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw"])
@pytest.mark.parametrize("error", [0.0, 1e3])  # with gradients that are clipped and that are not
def test_steps_ahead_are_the_same_steps(optimizer: str, error: float) -> None:
    learners = [make(optimizer=optimizer, schedule="one_cycle", runs_ahead=ahead) for ahead in (False, True)]
    for number in range(4):
        crops, points, faces = batch(number)
        for learner in learners:
            learner.step(crops, points + error, faces)
    waiting, ahead = (learner.losses() for learner in learners)
    assert len(ahead) == 4
    assert ahead == pytest.approx(waiting, rel=1e-5)
    assert_close(*learners)
    assert all(learner.losses() == [] for learner in learners)


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw"])
def test_steps_ahead_wait_for_nothing(optimizer: str) -> None:
    learner = make(optimizer=optimizer, schedule="one_cycle", runs_ahead=True)
    with Waits() as waits:
        for number in range(3):
            learner.step(*batch(number))
    assert waits.count == 0
    waiting = make(optimizer=optimizer, runs_ahead=False)
    with Waits() as waits:
        waiting.step(*batch())
    assert waits.count == 1


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw"])
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_loss_that_is_no_number_changes_nothing_ahead(optimizer: str, value: float) -> None:
    learner = make(optimizer=optimizer, runs_ahead=True)
    learner.step(*batch())
    before = weights(learner)
    crops, points, faces = batch(1)
    learner.step(crops, points + value, faces)
    assert are_equal(weights(learner), before)
    assert [math.isfinite(loss) for loss in learner.losses()] == [True, False]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device here")
@pytest.mark.parametrize("augmentation", ["full", "random_crop"])
def test_nothing_waits_for_a_gpu(augmentation: str) -> None:
    device = torch.device("cuda")
    network = build_network("compact").to(device, memory_format=torch.channels_last)
    config = dataclasses.replace(CONFIG, optimizer="adamw", schedule="one_cycle", batch_size=32)
    random = np.random.default_rng(0)
    faces = FaceCrops(
        random.integers(0, 256, (320, 1, 200, 200), dtype=np.uint8), random.random((320, 68, 2), dtype=np.float32)
    )
    sampler = Sampler(
        faces, network.input_spec, batch_size=32, augmentation=augmentation, negative_share=0.15, seed=1, device=device
    )
    learner = Learner(network, config, total_steps=20)
    batches = sampler.epoch(1)
    for _ in range(2):  # the first ones may: memory, libraries, what is sent once
        learner.step(*next(batches))
    torch.cuda.set_sync_debug_mode("error")
    try:
        for _ in range(5):
            learner.step(*next(batches))
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert all(math.isfinite(loss) for loss in learner.losses())


# --- a memory that is too small ---


@pytest.mark.parametrize("most", [1, 2, 3, 5, 9])
@pytest.mark.parametrize("others", [0, 2, 8])
def test_a_batch_in_parts_is_the_same_step(monkeypatch, most: int, others: int) -> None:
    whole = make()
    losses = [loss_of(whole, *batch(number, others=others)) for number in range(3)]
    monkeypatch.setattr(Tiny, "most_crops", max(most, 2) if others else most)
    notices: list[str] = []
    parts = make(on_notice=notices.append)
    assert [loss_of(parts, *batch(number, others=others)) for number in range(3)] == pytest.approx(losses, rel=1e-5)
    assert_close(parts, whole)
    assert len(notices) == math.ceil(math.log2((8 + others) / max(most, 2 if others else 1)))
    assert parts.faces_at_once == 8 / 2 ** len(notices)


def test_a_smaller_batch_may_have_fewer_faces_than_parts(monkeypatch) -> None:
    whole = make()
    monkeypatch.setattr(Tiny, "most_crops", 2)
    parts = make(on_notice=lambda _: None)
    for learner in (whole, parts):
        monkeypatch.setattr(Tiny, "most_crops", 2 if learner is parts else 100)
        learner.step(*batch(0))
        learner.step(*batch(1, faces=3, others=1))
        learner.step(*batch(2, faces=1, others=1))
    assert_close(parts, whole)


def test_a_notice_says_what_was_done(monkeypatch, is_one_sentence) -> None:
    monkeypatch.setattr(Tiny, "most_crops", 6)
    notices: list[str] = []
    make(on_notice=notices.append).step(*batch())
    (notice,) = notices
    assert is_one_sentence(notice)
    assert "8 faces at once" in notice
    assert "4 at a time" in notice


def test_not_even_one_face_fits(monkeypatch, is_one_sentence) -> None:
    monkeypatch.setattr(Tiny, "most_crops", 0)
    notices: list[str] = []
    learner = make(on_notice=notices.append)
    with pytest.raises(TrainingError, match="too small for a single face") as caught:
        learner.step(*batch())
    assert is_one_sentence(caught.value)
    assert len(notices) == 3


# --- what is kept ---


@pytest.mark.parametrize("schedule", ["one_cycle", "constant"])
@pytest.mark.parametrize("optimizer", ["adamw", "adam", "sgd"])
@pytest.mark.parametrize("others", [0, 2])
def test_a_learner_goes_on_from_its_state(optimizer, schedule, others: int) -> None:
    """Also where a part of the network is never taught: the optimizer knows nothing of it."""
    way = {"optimizer": optimizer, "schedule": schedule}
    unbroken = make(**way)
    for number in range(3):
        unbroken.step(*batch(number, others=others))
    state = unbroken.state({"epoch": 3, "nme": math.inf, "name": "ü"})
    again = make(**way)
    again.step(*batch(9, others=others))  # all of this is forgotten
    assert again.load_state(state) == {"epoch": 3, "nme": math.inf, "name": "ü"}
    for number in range(3, 6):
        assert loss_of(again, *batch(number, others=others)) == loss_of(unbroken, *batch(number, others=others))
    assert are_equal(weights(again), weights(unbroken))
    assert are_equal(load(again.state({})), load(unbroken.state({})))


def test_a_state_may_be_taken_before_the_first_step() -> None:
    state = make().state({})
    learner = make(optimizer="sgd")
    learner.step(*batch())
    learner.load_state(state)
    assert are_equal(weights(learner), weights(make()))


def test_a_state_does_not_change_the_learner() -> None:
    a, b = make(optimizer="adamw", schedule="one_cycle"), make(optimizer="adamw", schedule="one_cycle")
    for number in range(4):
        a.step(*batch(number))
        b.step(*batch(number))
        b.state({"number": number})
    assert are_equal(weights(a), weights(b))


def test_the_number_of_parts_is_kept(monkeypatch) -> None:
    monkeypatch.setattr(Tiny, "most_crops", 3)
    learner = make(on_notice=lambda _: None)
    learner.step(*batch())
    again = make()  # a notice would fail
    again.load_state(learner.state({}))
    again.step(*batch())
    assert again.faces_at_once == 2


@pytest.mark.parametrize(
    ("network", "changes"),
    [
        (Tiny, {}),
        (TinyTeller, {"optimizer": "adam"}),
        (TinyTeller, {"optimizer": "adamw"}),
        (TinyTeller, {"schedule": "one_cycle"}),
    ],
    ids=["network", "adam", "adamw", "one_cycle"],
)
def test_the_state_of_another_learner_is_refused(network: type[Tiny], changes: dict) -> None:
    for mine, other in ((make(), make(network, **changes)), (make(network, **changes), make())):
        other.step(*batch())
        with pytest.raises(ValueError, match="not a state"):
            mine.load_state(other.state({}))


@pytest.mark.parametrize("content", [b"", b"\x00" * 8, b"\xff" * 100, b"{}", b"PK\x03\x04" * 9])
def test_what_is_no_state_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match="not a state"):
        make().load_state(content)


def test_damage_anywhere_is_refused_or_does_no_harm() -> None:
    """Bytes of the header are changed one by one, and the file is cut anywhere: no other error ever."""
    learner = make(optimizer="adam")
    learner.step(*batch())
    state = learner.state({"epoch": 1})
    header = 8 + int.from_bytes(state[:8], "little")
    refused = 0
    for number in range(0, header, 7):
        damaged = state[:number] + bytes([state[number] ^ 1]) + state[number + 1 :]
        try:
            learner.load_state(damaged)
        except ValueError:
            refused += 1
    assert refused > 0.3 * header / 7
    for length in (*range(0, header, 31), header, len(state) - 1):
        with pytest.raises(ValueError, match="not a state"):
            learner.load_state(state[:length])
