import dataclasses
import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from safetensors.torch import load

from tests.trainer.tiny import Tiny, TinyTeller, are_equal
from trainer.config import TrainConfig
from trainer.learner import CLIP_NORM, FACE_LOSS_WEIGHT, Learner
from trainer.losses import keypoint_loss
from trainer.runs import TrainingError

CONFIG = TrainConfig(optimizer="sgd", schedule="constant", learning_rate=0.01, batch_size=8)
Batch = tuple[torch.Tensor, torch.Tensor, int]


def make(
    network: type[Tiny] = TinyTeller, *, on_notice: Callable[[str], None] = pytest.fail, **changes: Any
) -> Learner:
    torch.manual_seed(0)
    return Learner(network(), dataclasses.replace(CONFIG, **changes), total_steps=20, on_notice=on_notice)


def batch(number: int = 0, *, faces: int = 8, others: int = 2) -> Batch:
    generator = torch.Generator().manual_seed(number)
    crops = torch.rand(faces + others, 1, 32, 32, generator=generator)
    return crops, torch.rand(faces, 68, 2, generator=generator) * 0.2 + 0.4, faces


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
    assert learner.step(crops, points, faces) == pytest.approx(expected.item(), rel=1e-5)


@pytest.mark.parametrize("name", ["euclidean", "wing", "smooth_l1", "mse"])
def test_steps_on_one_batch_learn_it(name) -> None:
    learner = make(loss=name, optimizer="adam", schedule="one_cycle", learning_rate=0.02)
    losses = [learner.step(*batch()) for _ in range(20)]
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
    assert not math.isfinite(learner.step(crops, points + value, faces))
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


# --- a memory that is too small ---


@pytest.mark.parametrize("most", [1, 2, 3, 5, 9])
@pytest.mark.parametrize("others", [0, 2, 8])
def test_a_batch_in_parts_is_the_same_step(monkeypatch, most: int, others: int) -> None:
    whole = make()
    losses = [whole.step(*batch(number, others=others)) for number in range(3)]
    monkeypatch.setattr(Tiny, "most_crops", max(most, 2) if others else most)
    notices: list[str] = []
    parts = make(on_notice=notices.append)
    assert [parts.step(*batch(number, others=others)) for number in range(3)] == pytest.approx(losses, rel=1e-5)
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
        assert again.step(*batch(number, others=others)) == unbroken.step(*batch(number, others=others))
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
