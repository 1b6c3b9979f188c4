"""Advice on configurations, held against the code and the networks that it speaks of."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from trainer import advice, losses
from trainer.advice import Advice, Severity, advise
from trainer.config import TrainConfig, setting_choices
from trainer.core.checkpoint import save_checkpoint
from trainer.core.models import NETWORKS, build_network, count_parameters
from trainer.core.names import DEVICE_NAMES, NETWORK_NAMES
from trainer.core.resources import default_weights_path
from trainer.dataset import FaceCrops
from trainer.learner import Learner
from trainer.sampler import Sampler

GIGABYTE = 10**9


def say(
    training_faces: int | None = None,
    devices: tuple[str, ...] | None = None,
    memory_bytes: int | None = None,
    **settings: object,
) -> dict[str, Advice]:
    return advise(
        TrainConfig(**settings),
        training_faces=training_faces,
        devices=devices,
        memory_bytes=memory_bytes,
        processors=4,
    )


def errors(found: dict[str, Advice]) -> dict[str, str]:
    return {name: told.text for name, told in found.items() if told.severity is Severity.ERROR}


@pytest.fixture
def large_weights(tmp_path: Path) -> Path:
    path = tmp_path / "large.safetensors"
    save_checkpoint(path, build_network("large"), name="large", info={"config": {"seed": 7, "validation_share": 0.3}})
    return path


# --- in general


def test_of_the_defaults_there_is_nothing_to_say() -> None:
    assert say(3141, ("cpu",), 8 * GIGABYTE) == {}
    assert say() == {}


def test_it_needs_no_torch() -> None:
    program = (
        "import sys; from trainer.advice import advise; from trainer.config import TrainConfig;"
        f"advise(TrainConfig(finetune={str(default_weights_path())!r})); print('torch' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert run.stdout.strip() == "False"


def settings_with_something_to_say(weights: str) -> list[dict[str, object]]:
    return [
        {"finetune": weights},
        {"finetune": weights, "model": "large"},
        {"finetune": "nowhere.safetensors"},
        {"teacher": "nowhere.safetensors,"},
        {"teacher": weights, "teacher_share": 0.0},
        {"teacher": weights, "teacher_share": 1.0},
        {"teacher_share": 0.3},
        *({"device": device} for device in DEVICE_NAMES),
        *({"model": name, "augmentation": "none", "loss": "wing", "optimizer": "sgd"} for name in NETWORK_NAMES),
        *({"model": name, "augmentation": "random_crop", "negative_share": 0.0} for name in NETWORK_NAMES),
        {"batch_size": 65_536, "epochs": 1},
        {"learning_rate": 1.0, "threads": 99, "precision": "bfloat16", "validation_share": 0.9},
    ]


@pytest.mark.parametrize("case", range(len(settings_with_something_to_say(""))))
def test_everything_is_one_sentence_and_every_offer_can_be_taken_and_helps(
    case: int, large_weights: Path, is_one_sentence
) -> None:
    settings = settings_with_something_to_say(str(large_weights))[case]
    about = (3141, ("cpu",), 4 * GIGABYTE)
    for name, told in say(*about, **settings).items():
        assert name in TrainConfig.__dataclass_fields__
        assert is_one_sentence(told.text)
        assert not told.text.endswith(".")
        for offer in told.offers:
            after = say(*about, **(settings | dict(offer.changes))).get(name)
            assert after is None or after.text != told.text


# --- weights


def test_weights_of_another_network_cannot_be_started_from(large_weights: Path) -> None:
    told = say(finetune=str(large_weights))["finetune"]
    assert told.severity is Severity.ERROR
    assert "Large, not of Compact" in told.text
    assert [offer.changes for offer in told.offers] == [{"finetune": ""}, {"model": "large"}]
    assert "finetune" not in say(finetune=str(large_weights), model="large")


@pytest.mark.parametrize("name", ["finetune", "teacher"])
def test_weights_that_are_not_there_are_an_error(name: str, tmp_path: Path, compact_weights: Path) -> None:
    assert "there is no weights file" in errors(say(**{name: str(tmp_path / "gone.safetensors")}))[name]
    assert name not in say(**{name: str(compact_weights)})


def test_every_teacher_is_looked_at(tmp_path: Path, compact_weights: Path, large_weights: Path) -> None:
    assert "teacher" not in say(teacher=f"{compact_weights},{large_weights}")
    assert "gone" in errors(say(teacher=f"{compact_weights},{tmp_path / 'gone'}"))["teacher"]
    assert "teacher" in errors(say(teacher=f"{compact_weights},"))


def test_trained_weights_are_refined_with_less() -> None:
    shipped = str(default_weights_path())
    told = say(finetune=shipped)["learning_rate"]
    assert told.severity is Severity.NOTE
    assert told.offers[0].changes == {"epochs": 12, "learning_rate": 0.001}
    assert say(finetune=shipped, epochs=12, learning_rate=0.001) == {}


def test_weights_of_another_split_have_seen_who_judges(large_weights: Path) -> None:
    settings = {"finetune": str(large_weights), "model": "large", "learning_rate": 0.001}
    found = say(**settings)
    assert set(found) == {"seed", "validation_share"}
    assert found["seed"].offers[0].changes == {"seed": 7, "validation_share": 0.3}
    assert say(**settings, seed=7, validation_share=0.3) == {}


def test_a_split_that_makes_no_sense_is_not_offered(tmp_path: Path) -> None:
    path = tmp_path / "odd.safetensors"
    info = {"config": {"seed": "seven", "validation_share": 40}}
    save_checkpoint(path, build_network("compact"), name="compact", info=info)
    assert say(finetune=str(path), learning_rate=0.001) == {}


# --- the machine


def test_a_device_that_is_not_there_is_an_error() -> None:
    assert set(errors(say(devices=("cpu",), device="cuda"))) == {"device"}
    assert say(devices=("cuda", "cpu"), device="cuda") == {}
    assert say(devices=None, device="cuda") == {}
    assert say(devices=("cpu",), device="auto") == {}


@pytest.mark.parametrize("settings", [{"device": "cpu"}, {"device": "auto"}])
def test_what_is_slow_on_a_processor_is_said_there_only(settings: dict[str, str]) -> None:
    on_cpu = say(devices=("cpu",), precision="bfloat16", model="two_conv", negative_share=0.0, **settings)
    assert {"precision", "device"} <= set(on_cpu)
    assert not errors(on_cpu)
    on_gpu = say(devices=("cuda", "cpu"), precision="bfloat16", model="two_conv", negative_share=0.0)
    assert on_gpu == {}


def test_two_convs_memory_is_compared_with_what_is_free() -> None:
    enough = say(devices=("cpu",), memory_bytes=32 * GIGABYTE, model="two_conv", batch_size=10)["device"].text
    assert "9.2 GB" in enough
    assert "free" not in enough
    little = say(devices=("cpu",), memory_bytes=4 * GIGABYTE, model="two_conv", batch_size=10)["device"].text
    assert "4.0 GB are free here" in little
    # Weights, gradients and momentum of 4 bytes each, and Adam's second moment: the figures cannot be lower.
    numbers = advice.PARAMETERS["two_conv"]
    assert 4 * 4 * numbers < 9.2 * GIGABYTE < 1.1 * 4 * 4 * numbers
    assert "7 GB" in say(devices=("cpu",), model="two_conv", optimizer="sgd")["device"].text
    assert 3 * 4 * numbers < 7 * GIGABYTE < 1.1 * 3 * 4 * numbers


def test_a_batch_that_fills_the_memory_is_told_unless_there_are_not_so_many_faces() -> None:
    assert "GB are free" in say(None, ("cpu",), GIGABYTE, batch_size=512)["batch_size"].text
    assert "batch_size" not in say(None, ("cpu",), 8 * GIGABYTE, batch_size=512)
    assert "GB" not in say(100, ("cpu",), GIGABYTE, batch_size=512)["batch_size"].text


def test_more_threads_than_cores_are_told() -> None:
    assert "4 processor cores" in say(threads=5)["threads"].text
    assert "threads" not in say(threads=4)


# --- steps


def test_a_batch_of_more_faces_than_there_are_is_told() -> None:
    told = say(100, batch_size=86)["batch_size"]
    assert "about 85 faces" in told.text
    assert "single step" not in say(100, batch_size=85)["batch_size"].text


def test_few_steps_from_scratch_are_told() -> None:
    assert "about 168 steps" in say(3148, epochs=2)["batch_size"].text
    assert say(3148, epochs=6) == {}
    assert "batch_size" not in say(3148, epochs=2, finetune=str(default_weights_path()))


def test_one_cycle_of_one_step_really_learns_nothing() -> None:
    assert "learns nothing" in say(40, epochs=1, batch_size=64)["schedule"].text
    assert "schedule" not in say(40, epochs=2, batch_size=64)
    assert "schedule" not in say(40, epochs=1, batch_size=64, schedule="constant")

    def moved(schedule: str, steps: int) -> float:
        torch.manual_seed(0)
        network = build_network("compact")
        before = network.face.weight.detach().clone()
        config = TrainConfig(schedule=schedule, device="cpu", weight_decay=0.0)
        learner = Learner(network, config, total_steps=steps)
        for _ in range(steps):
            learner.step(torch.rand(3, 1, 96, 96), torch.rand(2, 68, 2), 2)
        return float((network.face.weight.detach() - before).abs().max())

    assert moved("one_cycle", 1) < 1e-6
    assert moved("one_cycle", 2) > 1e-4
    assert moved("constant", 1) > 1e-4


# --- what has no effect


@pytest.mark.parametrize("optimizer", setting_choices("optimizer"))
def test_weight_decay_has_an_effect_where_it_is_not_denied(optimizer: str) -> None:
    def after(weight_decay: float) -> torch.Tensor:
        torch.manual_seed(0)
        network = build_network("compact")
        config = TrainConfig(optimizer=optimizer, weight_decay=weight_decay, schedule="constant", learning_rate=0.01)
        torch.manual_seed(1)
        Learner(network, config, total_steps=1).step(torch.rand(3, 1, 96, 96), torch.rand(2, 68, 2), 2)
        return network.face.weight.detach()

    denied = "weight_decay" in say(optimizer=optimizer, weight_decay=0.5)
    assert torch.equal(after(0.0), after(0.5)) is denied
    assert denied is (optimizer != "adamw")
    assert "weight_decay" not in say(optimizer=optimizer, weight_decay=0.0)


@pytest.mark.parametrize("name", ["compact", "large", "simple"])
def test_networks_that_tell_faces_are_those_with_a_logit(name: str) -> None:
    side = NETWORKS[name].input_spec.size_px
    output = build_network(name)(torch.rand(2, 1, side, side))
    assert (output.face_logit is not None) is (name in advice.TELLS_FACES)
    assert ("teach nothing" in say(model=name).get("negative_share", Advice(Severity.NOTE, "")).text) is (
        output.face_logit is None
    )


def test_without_other_crops_a_network_that_tells_faces_does_not_learn_to() -> None:
    assert "does not learn how sure" in say(negative_share=0.0)["negative_share"].text
    assert "negative_share" not in say(model="simple", negative_share=0.0)


def test_calm_epochs_and_teachers_shares_without_effect_are_told() -> None:
    assert "no effect" in say(augmentation="random_crop")["calm_share"].text
    assert "calm_share" not in say(augmentation="random_crop", calm_share=0.0)
    assert "no effect" in say(teacher_share=0.4)["teacher_share"].text
    shipped = str(default_weights_path())
    assert "no effect" in say(teacher=shipped, teacher_share=0.0)["teacher_share"].text
    assert "replaces" in say(teacher=shipped, teacher_share=1.0)["teacher_share"].text
    assert say(teacher=shipped, teacher_share=0.4) == {}


@pytest.mark.parametrize("augmentation", setting_choices("augmentation"))
def test_calm_epochs_differ_where_it_is_not_denied(augmentation: str) -> None:
    faces = FaceCrops(
        np.random.default_rng(0).integers(0, 256, (4, 1, 192, 192), np.uint8), np.full((4, 68, 2), 0.5, np.float32)
    )
    sampler = Sampler(
        faces,
        NETWORKS["compact"].input_spec,
        batch_size=4,
        augmentation=augmentation,
        negative_share=0.0,
        seed=1,
        device=torch.device("cpu"),
    )
    usual, calm = (next(sampler.epoch(1, calm=calm))[0] for calm in (False, True))
    assert torch.equal(usual, calm) is ("calm_share" in say(augmentation=augmentation))


# --- learning


def test_wing_bends_where_it_is_said_to() -> None:
    assert "250 px and Simple sees 224" in say(model="simple", loss="wing")["loss"].text
    assert "loss" not in say(model="compact", loss="wing")
    for name in ("simple", "two_conv"):
        network = NETWORKS[name]
        assert losses.WING_WIDTH * network.loss_unit * network.input_spec.size_px == pytest.approx(250)
        assert network.input_spec.size_px == 224


def test_a_very_high_rate_is_told() -> None:
    assert say(learning_rate=0.5)["learning_rate"].offers[0].changes == {"learning_rate": 0.005}
    assert "learning_rate" not in say(learning_rate=0.01)
    assert "learning_rate" not in say(learning_rate=0.5, optimizer="sgd")


def test_weaker_augmentation_slow_sgd_and_a_large_share_kept_aside_are_told() -> None:
    assert "shifted" in say(augmentation="random_crop")["augmentation"].text
    assert "exactly" in say(augmentation="none")["augmentation"].text
    assert "13.8 %" in say(optimizer="sgd")["optimizer"].text
    assert "more people" in say(validation_share=0.6)["validation_share"].text
    assert "validation_share" not in say(validation_share=0.5)


def test_an_error_is_told_before_a_note() -> None:
    found = say(devices=("cpu",), device="cuda", model="simple")
    assert found["device"].severity is Severity.ERROR


def test_sizes_and_titles_are_those_of_the_networks() -> None:
    assert set(advice.PARAMETERS) == set(advice.TITLES) == set(NETWORKS)
    for name, count in advice.PARAMETERS.items():
        with torch.device("meta"):
            assert count_parameters(NETWORKS[name]()) == count
