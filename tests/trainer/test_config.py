import argparse
import dataclasses
import json
import math

import pytest

from trainer.config import ConfigError, TrainConfig, add_arguments, given_settings, setting_choices
from trainer.core.models import NETWORKS

FIELDS = {field.name: field for field in dataclasses.fields(TrainConfig)}
NUMBERS = [name for name, field in FIELDS.items() if "minimum" in field.metadata]
CHOICES = [name for name in FIELDS if setting_choices(name)]


def parse(*arguments: str) -> TrainConfig:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return TrainConfig.from_arguments(parser.parse_args(arguments))


def flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def test_numbers_and_choices_are_those_that_are_meant() -> None:
    assert set(NUMBERS) == {
        *("epochs", "batch_size", "learning_rate", "weight_decay"),
        *("calm_share", "negative_share", "teacher_share", "validation_share", "seed", "threads"),
    }
    assert set(CHOICES) == {"model", "optimizer", "loss", "schedule", "augmentation", "device", "precision"}
    assert setting_choices("optimizer") == ("adam", "adamw", "sgd")
    assert setting_choices("model") == tuple(NETWORKS)
    assert setting_choices("epochs") == ()


def test_every_setting_has_its_help() -> None:
    for field in FIELDS.values():
        assert len(field.metadata["help"]) > 5


@pytest.mark.parametrize("name", NUMBERS)
def test_each_number_has_its_limits(name: str, is_one_sentence) -> None:
    limits = FIELDS[name].metadata
    for allowed in (limits["minimum"], limits["maximum"]):
        if not (name == "learning_rate" and allowed == 0):
            assert getattr(TrainConfig(**{name: allowed}), name) == allowed
    step = 1 if isinstance(FIELDS[name].default, int) else 1e-6
    for refused in (limits["minimum"] - step, limits["maximum"] + step, -(10**9), 10**12):
        with pytest.raises(ConfigError, match=f"{name} is") as caught:
            TrainConfig(**{name: refused})
        assert str(refused) in str(caught.value)
        assert is_one_sentence(caught.value)


@pytest.mark.parametrize("name", [name for name in NUMBERS if isinstance(FIELDS[name].default, float)])
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_fractions_must_be_numbers(name: str, value: float) -> None:
    with pytest.raises(ConfigError, match=name):
        TrainConfig(**{name: value})


def test_a_learning_rate_of_nothing_is_refused() -> None:
    with pytest.raises(ConfigError, match="learning_rate is 0"):
        TrainConfig(learning_rate=0.0)


@pytest.mark.parametrize("name", CHOICES)
def test_each_choice_is_checked(name: str, is_one_sentence) -> None:
    for choice in setting_choices(name):
        assert getattr(TrainConfig(**{name: choice}), name) == choice
    with pytest.raises(ConfigError, match=f"{name} is 'other'") as caught:
        TrainConfig(**{name: "other"})
    assert all(choice in str(caught.value) for choice in setting_choices(name))
    assert is_one_sentence(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epochs", 2.5),
        ("epochs", "3"),
        ("epochs", True),
        ("epochs", None),
        ("learning_rate", "0.1"),
        ("correct_labels", 1),
        ("correct_labels", "no"),
        ("augmentation", True),
        ("data", None),
        ("data", 3),
        ("model", ["compact"]),
    ],
)
def test_a_value_of_another_type_is_refused(name: str, value: object) -> None:
    with pytest.raises(ConfigError, match=f"{name} is"):
        TrainConfig(**{name: value})


def test_the_configuration_is_frozen_and_kept_as_json() -> None:
    config = TrainConfig(data="faces", epochs=3)
    with pytest.raises(AttributeError):
        config.epochs = 4
    values = json.loads(config.to_json())
    assert values.pop("format_version") == 1
    assert TrainConfig(**values) == config
    assert TrainConfig.from_json(config.to_json()) == config


@pytest.mark.parametrize("name", FIELDS)
def test_every_setting_survives_its_json(name: str) -> None:
    default = FIELDS[name].default
    if isinstance(default, bool):
        value: object = not default
    else:
        value = setting_choices(name)[-1] if name in CHOICES else {int: 7, float: 0.25, str: "ü ☃"}[type(default)]
    config = TrainConfig(**{name: value})
    assert TrainConfig.from_json(config.to_json()) == config


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "no settings"),
        ("null", "no settings"),
        ("3", "no settings"),
        ('{"shoe_size": 43}', "'shoe_size'"),
        ('{"label_shift": 1}', "'label_shift'"),
        ('{"epochs": 0}', "epochs is 0"),
        ('{"epochs": "3"}', "epochs is '3'"),
        ('{"learning_rate": NaN}', "learning_rate is nan"),
        ('{"learning_rate": null}', "learning_rate is None"),
        ('{"model": "resnet"}', "model is 'resnet'"),
        ('{"model": ["compact"]}', "model is"),
    ],
)
def test_json_that_is_no_configuration_is_refused(text: str, reason: str) -> None:
    with pytest.raises(ConfigError) as caught:
        TrainConfig.from_json(text)
    assert reason in str(caught.value)
    assert len(str(caught.value)) < 300


def test_json_that_leaves_settings_out_gets_the_defaults() -> None:
    assert TrainConfig.from_json("{}") == TrainConfig()


# --- command line ---


def test_the_flags_defaults_are_the_fields() -> None:
    assert parse("--data", "faces") == TrainConfig(data="faces")


def test_what_is_not_given_is_not_among_the_settings() -> None:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    assert given_settings(parser.parse_args([])) == {}
    assert given_settings(parser.parse_args(["--epochs", "60", "--no-correct-labels"])) == {
        "epochs": 60,
        "correct_labels": False,
    }


@pytest.mark.parametrize("name", FIELDS)
def test_every_field_has_its_flag(name: str) -> None:
    default = FIELDS[name].default
    if isinstance(default, bool):
        assert getattr(parse("--data", "x", flag(name)), name) is True
        assert getattr(parse("--data", "x", flag(name).replace("--", "--no-", 1)), name) is False
        return
    value = setting_choices(name)[-1] if name in CHOICES else {int: 7, float: 0.25, str: "some where"}[type(default)]
    config = parse("--data", "x", flag(name), str(value))
    assert getattr(config, name) == value
    assert type(getattr(config, name)) is type(default)


# --- forms


@pytest.mark.parametrize("name", FIELDS)
def test_every_setting_has_a_short_label_and_a_place_in_a_form(name: str) -> None:
    metadata = FIELDS[name].metadata
    assert 3 <= len(metadata["label"]) <= 26
    assert metadata["label"][0].isupper()
    assert metadata["group"] in ("place", "main", "advanced")


def test_labels_differ_and_the_main_group_is_what_everybody_chooses() -> None:
    assert len({field.metadata["label"] for field in FIELDS.values()}) == len(FIELDS)
    assert [name for name, field in FIELDS.items() if field.metadata["group"] == "main"] == [
        *("model", "finetune", "epochs", "batch_size", "learning_rate", "augmentation", "device"),
    ]
    assert [name for name, field in FIELDS.items() if field.metadata["group"] == "place"] == ["data", "out"]


OLD_CONFIG = """\
{
  "data": "/data/faces",
  "out": "runs/mine",
  "model": "compact",
  "finetune": "",
  "optimizer": "adamw",
  "loss": "wing",
  "epochs": 40,
  "batch_size": 64,
  "learning_rate": 0.003,
  "weight_decay": 0.02,
  "augment": true,
  "validation_share": 0.2,
  "seed": 7,
  "device": "cpu",
  "threads": 0
}
"""
"""As the first version wrote it, without a version of its own."""


@pytest.mark.parametrize(("augment", "augmentation"), [("true", "full"), ("false", "none")])
def test_the_configuration_of_the_first_version_is_read(augment: str, augmentation: str) -> None:
    config = TrainConfig.from_json(OLD_CONFIG.replace("true", augment))
    assert (config.data, config.epochs, config.loss, config.seed) == ("/data/faces", 40, "wing", 7)
    assert config.augmentation == augmentation
    assert config.teacher == TrainConfig().teacher, "a setting that came later has its default"
    assert TrainConfig.from_json(config.to_json()) == config


@pytest.mark.parametrize("version", ["2", "99", "-1", '"1"', "1.0", "true", "null", "[1]"])
def test_a_version_that_this_one_does_not_read_is_refused(version: str, is_one_sentence) -> None:
    with pytest.raises(ConfigError, match=r"format version .* update FKD Desktop") as caught:
        TrainConfig.from_json(f'{{"format_version": {version}, "epochs": 3}}')
    assert is_one_sentence(caught.value)
