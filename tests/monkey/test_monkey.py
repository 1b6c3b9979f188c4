"""The monkey, for some dozen actions; and that what it did can be done again."""

from __future__ import annotations

import json

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QLineEdit, QPushButton, QWidget

from tests.longrun.running import run
from tests.monkey.__main__ import main
from tests.monkey.acts import perform
from tests.monkey.places import find, name_of


def test_some_dozen_actions_go_wrong_nowhere(tmp_path):
    options = {"actions": 60, "seed": 5, "first": 0, "start": 1, "hang_s": 60}
    outcome = run("tests.monkey.session", options, report=tmp_path)
    assert outcome.findings == []
    assert outcome.result["frames_at_end"] >= 20
    acts = [json.loads(line) for line in (tmp_path / "actions.jsonl").read_text().splitlines()]
    assert [act["n"] for act in acts] == list(range(outcome.result["actions"]))
    assert len({act["do"] for act in acts}) > 5


@pytest.fixture
def window(qtbot):
    window = QWidget()
    qtbot.addWidget(window)
    row = QHBoxLayout(window)
    for widget in (QPushButton("first"), QPushButton("second"), QLineEdit()):
        row.addWidget(widget)
    window.show()
    return window


def test_a_widgets_name_finds_it_again(window):
    for widget in (window, *window.findChildren(QWidget)):
        assert find(name_of(widget)) is widget
    assert find("QWidget#0/9") is None and find("Nowhere#0") is None


def test_acts_do_what_they_say(window, qtbot):
    first, second, field = window.findChildren(QPushButton) + window.findChildren(QLineEdit)
    pressed = []
    first.clicked.connect(lambda: pressed.append("first"))
    second.clicked.connect(lambda: pressed.append("second"))
    perform({"do": "click", "widget": name_of(second), "at": [3, 3], "button": 1, "modifiers": 0})
    perform({"do": "text", "widget": name_of(field), "text": "Ünïcode ☺"})
    perform({"do": "click", "widget": "Gone#0/1", "at": [3, 3], "button": 1, "modifiers": 0})
    assert pressed == ["second"]
    assert "Ünïcode ☺" in field.text()
    perform({"do": "resize", "widget": name_of(window), "size": [300, 200]})
    assert (window.width(), window.height()) == (300, 200)
    perform({"do": "close", "widget": name_of(window)})
    assert not window.isVisible()


@pytest.mark.parametrize("chosen", ["picture.png", ""])
def test_a_file_dialog_is_answered_by_a_rule(window, tmp_path, chosen):
    (tmp_path / "picture.png").write_bytes(b"x")
    path = str(tmp_path / chosen) if chosen else ""
    QTimer.singleShot(50, lambda: perform({"do": "answer", "path": path}))
    options = QFileDialog.Option.DontUseNativeDialog
    assert QFileDialog.getOpenFileName(window, "Open", str(tmp_path), options=options)[0] == path


def test_the_command_says_what_it_takes(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    assert "--replay" in capsys.readouterr().out
