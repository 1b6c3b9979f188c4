"""Advice below a field: its inks, its links, its words."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import (
    QLabel,
)

from fkd_desktop.ui.icons import _contrast
from fkd_desktop.ui.training.advice_label import AdviceLabel, breakable, inks_on
from trainer.advice import Advice, Offer, Severity

LIGHT = QPalette(QColor("#efefef"), QColor("#f6f6f6"))
DARK = QPalette(QColor("#2b2f36"), QColor("#22262c"))


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
