"""The form of settings, offscreen: what it makes of the configuration, and what it knows."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QFileDialog,
    QStyleOptionComboBox,
)

from fkd_desktop.ui.training.config_form import ConfigForm, in_words
from fkd_desktop.ui.training.editors import ChoiceEditor, TextEditor, parse_number
from fkd_desktop.ui.training.form_fields import CHOICE_HINTS, CHOICE_NAMES
from tests.ui.training.form_helpers import OTHERS, advice_of, choose, editor_of, made_up_run, retype
from trainer.config import ConfigError, TrainConfig, setting_choices
from trainer.core.checkpoint import save_checkpoint
from trainer.core.models import NETWORKS, build_network, count_parameters
from trainer.core.resources import default_weights_path

EDITED = [setting for setting in fields(TrainConfig) if setting.name not in ("data", "out")]


# --- made from the configuration


def test_every_setting_but_the_places_has_an_editor(form) -> None:
    assert list(form._rows) == sorted(
        (setting.name for setting in EDITED), key=lambda name: form._rows[name].is_advanced
    )
    for name, row in form._rows.items():
        assert row.editor.value() == TrainConfig.__dataclass_fields__[name].default
        assert row.editor.isVisibleTo(form) is not row.is_advanced
        assert row.editor.main_widget.accessibleName() == row.setting.metadata["label"]
        assert row.editor.toolTip().endswith(".")


def setting(default: object, label: str, group: str = "main", **options: object):
    return field(default=default, metadata={"help": "made up", "label": label, "group": group, **options})


@dataclass(frozen=True)
class Longer(TrainConfig):
    patience: int = setting(3, "Patience", minimum=1, maximum=9)
    noise: float = setting(0.5, "Noise", "advanced")
    mirrored: bool = setting(False, "Mirrored")
    mood: str = setting("good_one", "Mood", choices=("good_one", "bad"))
    remark: str = setting("", "Remark", "advanced")


def test_a_new_setting_has_its_editor_by_itself(qtbot) -> None:
    form = ConfigForm(Longer)
    qtbot.addWidget(form)
    choose(form, "mood", "bad")
    editor_of(form, "patience").box.setValue(7)
    editor_of(form, "mirrored").box.setChecked(True)
    retype(qtbot, form, "noise", "0.125")
    retype(qtbot, form, "remark", "as said")
    wanted = Longer(patience=7, noise=0.125, mirrored=True, mood="bad", remark="as said", data="faces", out="run")
    assert form.config(data="faces", out="run") == wanted
    assert editor_of(form, "mood").box.itemText(0) == "Good one"
    editor_of(form, "patience").box.setValue(99)
    assert form.config(data="", out="").patience == 9


def test_a_setting_of_an_unknown_type_is_refused(qtbot) -> None:
    @dataclass(frozen=True)
    class Odd(TrainConfig):
        odd: complex = setting(0j, "Odd")

    with pytest.raises(TypeError, match="no editor for odd"):
        ConfigForm(Odd)


def test_choices_have_names_and_networks_their_true_sizes() -> None:
    for name, names in CHOICE_NAMES.items():
        assert set(names) == set(setting_choices(name))
        assert len(set(names.values())) == len(names)
    assert set(CHOICE_HINTS["model"]) == set(NETWORKS)
    for name in ("compact", "large", "simple"):
        millions = count_parameters(build_network(name)) / 1e6
        assert f"{round(millions, 1 if millions < 10 else None)} M parameters" in CHOICE_NAMES["model"][name]
    assert "541 M" in CHOICE_NAMES["model"]["two_conv"]  # 540,951,732, as tests of the networks hold it


# --- values


def test_it_begins_with_the_defaults_and_nothing_to_say(form) -> None:
    assert form.config(data="faces", out="runs/1") == TrainConfig(data="faces", out="runs/1")
    assert form.errors() == form.notes() == {}


def test_the_settings_of_a_run_are_shown_and_kept_as_they_are(form) -> None:
    defaults = asdict(TrainConfig())
    assert all(value != defaults[name] for name, value in asdict(OTHERS).items()), "each setting must be another"
    form.set_config(OTHERS)
    assert form.config(data="faces", out="run") == OTHERS
    form.set_devices(["cpu"])
    form.set_runs([])
    assert form.config(data="faces", out="run") == OTHERS


def test_back_to_the_defaults_resets_everything(form, qtbot) -> None:
    form.set_config(OTHERS)
    form.advanced_button.click()
    qtbot.mouseClick(form.reset_button, Qt.MouseButton.LeftButton)
    assert form.config(data="", out="") == TrainConfig()
    assert form.advanced_button.text() == "Advanced"


def test_each_edit_is_told(form, qtbot) -> None:
    for name, do in {
        "model": lambda: choose(form, "model", "large"),
        "epochs": lambda: qtbot.keyClick(editor_of(form, "epochs").box, Qt.Key.Key_Up),
        "learning_rate": lambda: retype(qtbot, form, "learning_rate", "0.1"),
        "correct_labels": editor_of(form, "correct_labels").box.click,
        "teacher": lambda: retype(qtbot, form, "teacher", "x"),
        "finetune": lambda: choose(form, "finetune", str(default_weights_path())),
    }.items():
        before = editor_of(form, name).value()
        with qtbot.waitSignal(form.changed, timeout=1000):
            do()
        assert editor_of(form, name).value() != before
    with qtbot.waitSignal(form.changed, timeout=1000):
        form.set_config(TrainConfig())


# --- numbers


@pytest.mark.parametrize(
    ("text", "number"),
    [("5e-3", 0.005), ("0.005", 0.005), (" 0,01 ", 0.01), ("7 %", 0.07), ("1", 1.0), (".5", 0.5), ("1E-4", 0.0001)],
)
def test_numbers_are_read_as_people_write_them(text: str, number: float) -> None:
    assert parse_number(text) == number


@pytest.mark.parametrize("text", ["", "5e-", "a lot", "1.2.3", "nan", "inf", "1_0", "%", "0x1"])
def test_what_is_no_number_is_none(text: str) -> None:
    assert parse_number(text) is None


def test_the_learning_rate_takes_both_ways_of_writing(form, qtbot) -> None:
    for text in ("1e-3", "0.001"):
        retype(qtbot, form, "learning_rate", text)
        assert form.config(data="", out="").learning_rate == 0.001
    editor_of(form, "learning_rate").line.editingFinished.emit()
    assert editor_of(form, "learning_rate").line.text() == "0.001"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("5e-", "'5e-' is not a number"),
        ("", "missing"),
        ("2", "between 0.0 and 1.0"),
        ("0", "nothing would be learned"),
    ],
)
def test_a_number_that_cannot_be_is_explained_beside_its_field(form, qtbot, text: str, reason: str) -> None:
    retype(qtbot, form, "learning_rate", text)
    assert set(form.errors()) == {"learning_rate"}
    assert reason in form.errors()["learning_rate"]
    assert "learning_rate" not in form.errors()["learning_rate"], "its label is meant, not its name in the code"
    assert reason in advice_of(form, "learning_rate").text
    assert advice_of(form, "learning_rate").isVisible()
    with pytest.raises(ConfigError, match="learning_rate"):
        form.config(data="faces", out="run")
    retype(qtbot, form, "learning_rate", "0.004")
    assert form.errors() == {}
    assert not advice_of(form, "learning_rate").isVisible()
    assert form.config(data="", out="").learning_rate == 0.004


def test_arrow_keys_step_through_rates(form, qtbot) -> None:
    line = editor_of(form, "learning_rate").line
    seen = []
    for key in (Qt.Key.Key_Down,) * 3 + (Qt.Key.Key_Up,) * 4:
        qtbot.keyClick(line, key)
        seen.append(form.config(data="", out="").learning_rate)
    assert seen == [0.002, 0.001, 0.0005, 0.001, 0.002, 0.005, 0.01]


# --- weights to start from


def test_the_weights_of_runs_are_offered_and_bring_their_network(form, tmp_path: Path) -> None:
    runs = [made_up_run(tmp_path, "big"), made_up_run(tmp_path, "none", network=None)]
    form.set_runs(runs)
    box = editor_of(form, "finetune").box
    texts = [box.itemText(i) for i in range(box.count()) if box.itemText(i)]
    assert texts == ["Scratch", "Shipped weights", "big (Large, NME 5.23 %)", "Weights file…"]
    choose(form, "finetune", str(runs[0].weights))
    assert form.config(data="", out="").model == "large"
    assert form.config(data="", out="").finetune == str(runs[0].weights)
    assert form.errors() == {}
    form.set_runs([])
    assert form.config(data="", out="").finetune == str(runs[0].weights)
    assert box.currentText() == "File best.safetensors"


def test_a_name_that_does_not_fit_is_shortened_and_told_whole(form, tmp_path: Path) -> None:
    run = made_up_run(tmp_path, "a run with a name " * 5)
    form.set_runs([run])
    box = editor_of(form, "finetune").box

    def shown() -> str:
        option = QStyleOptionComboBox()
        box.initStyleOption(option)
        return option.currentText

    assert shown() == "Scratch"
    choose(form, "finetune", str(run.weights))
    assert shown().startswith("a run with a name")
    assert shown().endswith("…")
    assert box.toolTip() == str(run.weights)


def test_another_network_than_the_weights_is_explained_with_ways_out(form) -> None:
    shipped = str(default_weights_path())
    choose(form, "finetune", shipped)
    choose(form, "model", "large")
    assert set(form.errors()) == {"finetune"}
    label = advice_of(form, "finetune")
    assert "Compact, not of Large" in label.text
    label.take_offer(1)
    assert form.config(data="", out="") == TrainConfig(finetune=shipped)
    choose(form, "model", "large")
    label.take_offer(0)
    assert form.config(data="", out="") == TrainConfig(model="large")
    assert form.errors() == {}


def test_refining_is_suggested_and_one_click_away(form) -> None:
    choose(form, "finetune", str(default_weights_path()))
    advice_of(form, "learning_rate").take_offer(0)
    config = form.config(data="", out="")
    assert (config.epochs, config.learning_rate) == (12, 0.001)
    assert form.notes() == {}


def test_a_weights_file_is_asked_for_and_no_pickle_is_offered(form, tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "mine.safetensors"
    save_checkpoint(path, build_network("large"), name="large")
    asked = []
    answers = ["", str(path)]

    def answer(_parent, _title, _folder, file_filter):
        asked.append(file_filter)
        return answers.pop(0), ""

    monkeypatch.setattr(QFileDialog, "getOpenFileName", answer)
    choose(form, "finetune", None)
    assert form.config(data="", out="") == TrainConfig()
    assert editor_of(form, "finetune").box.currentText() == "Scratch"
    choose(form, "finetune", None)
    assert form.config(data="", out="") == TrainConfig(finetune=str(path), model="large")
    assert editor_of(form, "finetune").box.currentText() == "File mine.safetensors"
    assert asked == ["Weights (*.safetensors)"] * 2


def test_weights_that_vanish_are_an_error_beside_the_field(form, tmp_path: Path) -> None:
    path = tmp_path / "mine.safetensors"
    save_checkpoint(path, build_network("compact"), name="compact")
    form.set_config(TrainConfig(finetune=str(path)))
    assert form.errors() == {}
    path.unlink()
    form.set_training_faces(100)
    assert "there is no weights file" in form.errors()["finetune"]


def test_teachers_are_chosen_from_files(form, qtbot, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *_: (["a.safetensors", "b.safetensors"], ""))
    editor = editor_of(form, "teacher")
    assert isinstance(editor, TextEditor)
    qtbot.mouseClick(editor.button, Qt.MouseButton.LeftButton)
    assert form.config(data="", out="").teacher == "a.safetensors,b.safetensors"
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *_: ([], ""))
    qtbot.mouseClick(editor.button, Qt.MouseButton.LeftButton)
    assert form.config(data="", out="").teacher == "a.safetensors,b.safetensors"


# --- what is known of machine and data


def test_devices_that_are_not_there_cannot_be_chosen_and_say_why(form) -> None:
    form.set_devices(["cpu"])
    editor = editor_of(form, "device")
    assert isinstance(editor, ChoiceEditor)
    items = {editor.box.itemData(i): editor.box.model().item(i) for i in range(editor.box.count())}
    assert {name for name, item in items.items() if item.isEnabled()} == {"auto", "cpu"}
    assert "CUDA" in items["cuda"].toolTip()
    assert items["mps"].toolTip()
    assert items["auto"].text() == "Automatic (CPU)"
    form.set_devices(["cuda", "cpu"])
    assert items["cuda"].isEnabled()
    assert not items["cuda"].toolTip()
    assert items["auto"].text() == "Automatic (CUDA)"


def test_a_run_of_another_machine_is_explained(form) -> None:
    form.set_devices(["cpu"])
    form.set_config(TrainConfig(device="cuda"))
    assert "CUDA" in form.errors()["device"]
    advice_of(form, "device").take_offer(0)
    assert form.errors() == {}


def test_the_number_of_faces_matters_once_it_is_known(form) -> None:
    form.set_config(TrainConfig(batch_size=4000))
    assert "batch_size" not in form.notes()
    form.set_training_faces(1000)
    assert "about 850 faces" in form.notes()["batch_size"]
    form.set_training_faces(None)
    assert "batch_size" not in form.notes()


def test_an_estimate_is_given_for_the_network_that_was_measured_only(form) -> None:
    assert not form.estimate.isVisible()
    form.set_training_faces(3141)
    assert not form.estimate.isVisible()
    form.set_speed(104.0, network="compact")
    assert form.estimate.isVisible()
    assert "26 min" in form.estimate.text()  # 2670 * 60 / 104 s
    choose(form, "model", "large")
    assert not form.estimate.isVisible()
    choose(form, "model", "compact")
    form.set_speed(None)
    assert not form.estimate.isVisible()


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.1, "1 s"), (89, "89 s"), (91, "2 min"), (1541, "26 min"), (7800, "2 h 10 min"), (100_000, "28 h")],
)
def test_durations_are_said_in_words(seconds: float, words: str) -> None:
    assert in_words(seconds) == words
