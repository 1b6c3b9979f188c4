"""A sentence below a field, with ways out as links."""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QWidget

from fkd_desktop.i18n import translated
from fkd_desktop.ui.icons import tinted_pixmap
from fkd_desktop.ui.words import sentence
from trainer.advice import Advice, Severity

if TYPE_CHECKING:
    from collections.abc import Mapping

_ICON_PX: Final = 16
_ERROR_INKS: Final = ("#b3261e", "#ffa198")  # on light and on dark ground
_LINK_INKS: Final = ("#0b5cad", "#8fc1ff")
_MUTED_SHARE: Final = 0.72
"""Of the text's colour in a note; the rest is the ground's."""


class AdviceLabel(QWidget):
    """What is to be said of one field; hidden while there is nothing."""

    offer_taken = Signal(object)
    """The settings to change, by their names."""

    def __init__(self) -> None:
        super().__init__()
        self._advice: Advice | None = None
        self._icon = QLabel()
        self._text = QLabel()
        self._text.setWordWrap(True)
        self._text.setTextFormat(Qt.TextFormat.RichText)
        self._text.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        self._text.linkActivated.connect(self._on_text_link_activated)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 4)
        layout.setSpacing(6)
        layout.addWidget(self._icon, alignment=Qt.AlignmentFlag.AlignTop)
        layout.addWidget(self._text, 1)
        self.hide()

    @property
    def advice(self) -> Advice | None:
        """What is on show."""
        return self._advice

    @property
    def text(self) -> str:
        """The sentence on show, or an empty text."""
        return sentence(self._advice.text) if self._advice else ""

    def show_advice(self, advice: Advice | None) -> None:
        """Say something, or nothing."""
        if advice == self._advice:
            return
        self._advice = advice
        self._paint()
        self.setVisible(advice is not None)

    def take_offer(self, number: int) -> None:
        """Do what a click on the link of that number does."""
        if self._advice is not None:
            self.offer_taken.emit(self._advice.offers[number].changes)

    def changeEvent(self, event: QEvent) -> None:
        """Take on the new theme's colours."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_text"):  # Qt sends some before that
            self._paint()

    def _paint(self) -> None:
        if self._advice is None:
            self._text.clear()
            return
        inks, is_error = inks_on(self.palette()), self._advice.severity is Severity.ERROR
        titles = [escape(translated(offer.text)).replace(" ", "&nbsp;") for offer in self._advice.offers]
        links = "&ensp;".join(
            f'<a style="color: {inks["link"]}" href="{number}">{title}</a>' for number, title in enumerate(titles)
        )
        said = escape(breakable(self.text))
        ink = inks["error" if is_error else "note"]
        self._text.setText(f'<span style="color: {ink}">{said}</span>' + (f" {links}" if links else ""))
        # With links it is a place to stop at with the Tab key; without it would be one for nothing.
        flag = Qt.TextInteractionFlag
        links_work = flag.LinksAccessibleByMouse | flag.LinksAccessibleByKeyboard
        self._text.setTextInteractionFlags(links_work if links else flag.NoTextInteraction)
        spoken = self.tr("Error: {0}") if is_error else self.tr("Note: {0}")
        self._text.setAccessibleName(spoken.format(self.text))
        self._icon.setVisible(is_error)
        if is_error:
            self._icon.setPixmap(tinted_pixmap("warning", _ICON_PX, QColor(inks["error"]), self.devicePixelRatioF()))

    def _on_text_link_activated(self, link: str) -> None:
        self.take_offer(int(link))


def inks_on(palette: QPalette) -> Mapping[str, str]:
    """Return colours of "error", "note" and "link" texts that can be read on a palette's windows."""
    ground, text = palette.color(QPalette.ColorRole.Window), palette.color(QPalette.ColorRole.WindowText)
    dark = ground.lightnessF() < 0.5
    red, green, blue = (
        _MUTED_SHARE * one + (1 - _MUTED_SHARE) * other
        for one, other in (
            (text.redF(), ground.redF()),
            (text.greenF(), ground.greenF()),
            (text.blueF(), ground.blueF()),
        )
    )
    return {"error": _ERROR_INKS[dark], "note": QColor.fromRgbF(red, green, blue).name(), "link": _LINK_INKS[dark]}


def breakable(text: str) -> str:
    """Let long words, which paths are, go on in the next line: after their signs, or anywhere if there are none."""
    return re.sub(r"\S{24,}", lambda word: re.sub(r"([/\\\\_.-]|[^/\\\\_.-]{16})", "\\1\u200b", word.group()), text)
