"""The form of settings, offscreen: what it makes, what it says, and how it is handled."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QPalette
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractSpinBox, QApplication, QComboBox, QFileDialog, QLabel, QWidget

from fkd_desktop.ui.icons import _contrast
from fkd_desktop.ui.training.advice_label import AdviceLabel, breakable, inks_on
from fkd_desktop.ui.training.config_form import ConfigForm, in_words
from fkd_desktop.ui.training.editors import ChoiceEditor, TextEditor, parse_number
from fkd_desktop.ui.training.form_fields import CHOICE_HINTS, CHOICE_NAMES
from trainer.advice import Advice, Offer, Severity
from trainer.config import ConfigError, TrainConfig, setting_choices
from trainer.core.checkpoint import save_checkpoint
from trainer.core.models import NETWORKS, build_network, count_parameters
from trainer.core.resources import default_weights_path
from trainer.runs import RunSummary, summarise

EDITED = [setting for setting in fields(TrainConfig) if setting.name not in ("data", "out")]
LIGHT = QPalette(QColor("#efefef"), QColor("#f6f6f6"))
DARK = QPalette(QColor("#2b2f36"), QColor("#22262c"))


@pytest.fixture
def form(qtbot):
    form = ConfigForm()
    qtbot.addWidget(form)
    form.resize(420, 700)
    form.show()
    qtbot.waitExposed(form)
    return form


def advice_of(form: ConfigForm, name: str) -> AdviceLabel:
    return form._rows[name].advice


def editor_of(form: ConfigForm, name: str):
    return form._rows[name].editor


def choose(form: ConfigForm, name: str, value: object) -> None:
    """Choose in a list as a user does."""
    box = editor_of(form, name).box
    index = box.findData(value)
    assert index >= 0, f"{value!r} is not in the list"
    box.setCurrentIndex(index)
    box.activated.emit(index)


def retype(qtbot, form: ConfigForm, name: str, text: str) -> None:
    line = editor_of(form, name).line
    line.selectAll()
    qtbot.keyClick(line, Qt.Key.Key_Delete)
    qtbot.keyClicks(line, text)


def made_up_run(root: Path, name: str, *, network: str | None = "large") -> RunSummary:
    """A run folder with real weights, or with none."""
    folder = root / name
    folder.mkdir()
    config = TrainConfig(model=network or "compact", out=str(folder))
    (folder / "config.json").write_text(config.to_json(), encoding="utf-8")
    (folder / "metrics.csv").write_text(
        "epoch,training_loss,nme_mean,failure_rate,auc,face_accuracy,seconds,is_best\n1,2,0.0523,0,0,1,9,True\n",
        encoding="utf-8",
    )
    if network:
        save_checkpoint(folder / "best.safetensors", build_network(network), name=network)
    return summarise(folder)


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


OTHERS = TrainConfig(
    **{"data": "faces", "out": "run", "model": "large", "teacher": "a.safetensors,b.safetensors", "teacher_share": 0.3},
    **{"optimizer": "sgd", "loss": "wing", "epochs": 7, "batch_size": 12, "learning_rate": 0.00123456789},
    **{"schedule": "constant", "weight_decay": 0.1, "augmentation": "none", "calm_share": 0.4, "negative_share": 0.2},
    **{"correct_labels": False, "validation_share": 0.25, "seed": 2**31 - 1, "device": "cpu", "precision": "float32"},
    threads=3,
    finetune="somewhere/weights.safetensors",
)


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


# --- how it is handled


def test_the_advanced_part_is_folded_away_and_opened_by_key(form, qtbot) -> None:
    assert not form.advanced.isVisible()
    form.advanced_button.setFocus()
    assert form.advanced_button.hasFocus()
    qtbot.keyClick(form.advanced_button, Qt.Key.Key_Space)
    assert form.advanced.isVisible()
    qtbot.keyClick(form.advanced_button, Qt.Key.Key_Space)
    assert not form.advanced.isVisible()


def test_the_folded_part_says_what_differs_and_what_is_wrong(form, qtbot) -> None:
    form.set_config(TrainConfig(epochs=3))
    assert form.advanced_button.text() == "Advanced"
    form.set_config(TrainConfig(loss="mse", seed=3))
    assert form.advanced_button.text() == "Advanced (2 changed)"
    retype(qtbot, form, "weight_decay", "much")
    assert form.advanced_button.text() == "Advanced (2 changed, 1 to correct)"


def test_tab_goes_from_field_to_field(form, qtbot) -> None:
    editor_of(form, "model").setFocus()
    visited = []
    for _ in range(8):
        focused = QApplication.focusWidget()
        visited.append(next((n for n, r in form._rows.items() if r.editor.main_widget is focused), "advanced"))
        qtbot.keyClick(focused, Qt.Key.Key_Tab)
    main = ["model", "finetune", "epochs", "batch_size", "learning_rate", "augmentation", "device"]
    assert visited == [*main, "advanced"]


def turn_wheel(form: ConfigForm, widget: QWidget, *, up: bool) -> None:
    """Turn the wheel over a widget, as the window system tells it: to be passed on until somebody takes it."""
    at = widget.mapTo(form, widget.rect().center())
    QTest.wheelEvent(form.windowHandle(), QPointF(at), QPoint(0, 120 if up else -120))


def test_the_wheel_scrolls_the_form_and_changes_no_value(form, qtbot) -> None:
    form.advanced_button.click()
    form.resize(420, 240)
    bar = form._scroll.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 200)
    form.advanced_button.setFocus()
    boxes = [*form.findChildren(QComboBox), *form.findChildren(QAbstractSpinBox)]
    assert len(boxes) > 10
    for box in boxes:
        form._scroll.ensureWidgetVisible(box)
        before = bar.value()
        turn_wheel(form, box, up=before == bar.maximum())
        assert bar.value() != before, box.accessibleName()
    assert form.config(data="", out="") == TrainConfig()


def test_a_field_that_was_clicked_takes_the_wheel(form) -> None:
    for name in ("epochs", "model", "finetune"):
        editor_of(form, name).setFocus()
        turn_wheel(form, editor_of(form, name).box, up=False)
    config = form.config(data="", out="")
    assert config.epochs == 59
    assert config.model == "large"
    assert config.finetune == "", "its list ends in a dialog"


@pytest.mark.parametrize("height_px", [240, 700, 1400])
def test_nothing_is_cut_off_at_the_usual_width(form, qtbot, height_px: int) -> None:
    form.set_devices(["cpu"])
    form.set_training_faces(3000)
    form.set_config(replace(OTHERS, finetune="a-folder/" + "very_long_name_of_weights_" * 6 + ".safetensors"))
    form.advanced_button.click()
    form.resize(420, height_px)
    shown = [advice_of(form, name) for name in (*form.errors(), *form.notes())]
    assert len(shown) >= 6
    viewport = form._scroll.viewport()
    qtbot.waitUntil(lambda: form._content.height() >= form._content.heightForWidth(viewport.width()))
    assert form._content.width() == viewport.width()
    for label in shown:
        text = label.findChildren(QLabel)[1]
        assert text.height() >= text.heightForWidth(text.width())
        assert label.geometry().right() <= form._content.width()
    spare_px = form._content.height() - max(viewport.height(), form._content.heightForWidth(viewport.width()))
    assert spare_px <= 2, "it can be scrolled into nothing"


def test_advice_below_a_field_moves_nothing_above_it(form, qtbot) -> None:
    choose(form, "finetune", str(default_weights_path()))
    before = [row.editor.geometry() for row in form._rows.values()][:5]
    with qtbot.waitSignal(form.changed):
        retype(qtbot, form, "learning_rate", "nonsense")
    form._content.layout().activate()
    assert [row.editor.geometry() for row in form._rows.values()][:5] == before


# --- advice


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_every_ink_can_be_read(palette: QPalette) -> None:
    inks = inks_on(palette)
    assert set(inks) == {"error", "note", "link"}
    for ink in inks.values():
        assert _contrast(QColor(ink), palette.color(QPalette.ColorRole.Window)) >= 4.5
    assert len(set(inks.values())) == 3


def test_advice_takes_on_the_palette_and_escapes_what_it_quotes(qtbot) -> None:
    label = AdviceLabel()
    qtbot.addWidget(label)
    label.setPalette(LIGHT)
    told = Advice(Severity.ERROR, "the file <b>&x</b> is gone", (Offer("Use <none>", {"teacher": ""}),))
    label.show_advice(told)
    text = label.findChildren(QLabel)[1]
    assert inks_on(LIGHT)["error"] in text.text()
    assert "&lt;b&gt;&amp;x&lt;/b&gt;" in text.text()
    assert "Use&nbsp;&lt;none&gt;" in text.text()
    label.setPalette(DARK)
    assert inks_on(DARK)["error"] in text.text()
    assert text.accessibleName() == "Error: The file <b>&x</b> is gone."
    with qtbot.waitSignal(label.offer_taken) as taken:
        text.linkActivated.emit("0")
    assert taken.args == [{"teacher": ""}]
    label.show_advice(None)
    assert not label.isVisible()
    assert label.text == ""


def test_links_are_reached_by_key(qtbot) -> None:
    label = AdviceLabel()
    qtbot.addWidget(label)
    label.show_advice(Advice(Severity.NOTE, "there is more", (Offer("Use it", {"epochs": 3}),)))
    label.show()
    qtbot.waitExposed(label)
    text = label.findChildren(QLabel)[1]
    assert text.focusPolicy() & Qt.FocusPolicy.TabFocus
    text.setFocus()
    with qtbot.waitSignal(label.offer_taken) as taken:
        qtbot.keyClick(text, Qt.Key.Key_Tab)
        qtbot.keyClick(text, Qt.Key.Key_Return)
    assert taken.args == [{"epochs": 3}]
    label.show_advice(Advice(Severity.NOTE, "there is no more"))
    assert not text.focusPolicy() & Qt.FocusPolicy.TabFocus


def test_long_words_may_break_and_short_ones_not() -> None:
    assert breakable("choose another") == "choose another"
    word = "a-folder/" + "x" * 40
    assert breakable(word) != word
    assert breakable(word).replace("\u200b", "") == word
    assert max(map(len, breakable(word).split("\u200b"))) <= 16


def test_it_brings_no_torch_into_the_windows_thread() -> None:
    program = f"""
import sys
from PySide6.QtWidgets import QApplication
application = QApplication([])
from fkd_desktop.ui.training.config_form import ConfigForm
form = ConfigForm()
box = form._rows["finetune"].editor.box
box.activated.emit(box.findData({str(default_weights_path())!r}))
print(form.config(data="", out="").finetune != "", "torch" in sys.modules)
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert run.stdout.split() == ["True", "False"]
