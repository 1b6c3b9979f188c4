"""The form of settings in the hand: keys, wheel, widths, and what advice does to its layout."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLabel,
    QWidget,
)

from fkd_desktop.ui.training.config_form import ConfigForm
from tests.ui.training.form_helpers import OTHERS, advice_of, choose, editor_of, retype
from trainer.config import TrainConfig
from trainer.core.resources import default_weights_path


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
