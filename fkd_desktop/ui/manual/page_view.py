"""A page of the manual in the palette's colours, its pictures no wider than the window."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

from PySide6.QtCore import QEvent, QSize, Qt, QTimer, QUrl
from PySide6.QtGui import QColor, QImage, QPalette, QResizeEvent, QTextCursor, QTextDocument
from PySide6.QtWidgets import QTextBrowser, QWidget

MARGIN_PX: Final = 28
_STYLE: Final = """
h1 {{ font-size: 24px; font-weight: 600; margin-top: 8px; margin-bottom: 10px; }}
h2 {{ font-size: 18px; font-weight: 600; margin-top: 22px; margin-bottom: 6px; }}
h3 {{ font-size: 15px; font-weight: 600; margin-top: 16px; margin-bottom: 4px; }}
p, li {{ line-height: 125%; margin-top: 6px; margin-bottom: 6px; }}
td p, th p {{ margin: 0; text-align: left; }}
table {{ margin-top: 6px; margin-bottom: 10px; }}
td, th {{ border: 1px solid {line}; }}
pre {{ background: {shade}; margin: 8px; }}
code {{ background: {shade}; }}
th {{ background: {shade}; }}
a {{ color: {link}; }}
"""
_TABLE: Final = re.compile(r"<table[^>]*>")
_BORDERED: Final = '<table border="1" cellspacing="0" cellpadding="6" width="100%" style="border-collapse: collapse">'
"""Qt reads a table's measures from its attributes alone."""


class PageView(QTextBrowser):
    """Shows pages of the manual; links to other places go to the browser."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setOpenExternalLinks(True)
        self.setFrameShape(QTextBrowser.Shape.NoFrame)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)  # else pages change their width with it
        self.document().setDocumentMargin(MARGIN_PX)
        self._width_px = 0
        self._resized = QTimer(self, singleShot=True, interval=120)
        self._resized.timeout.connect(self._lay_out_anew)
        self._style()

    def find_from_top(self, text: str) -> None:
        """Go to the first place that has a text."""
        self.moveCursor(QTextCursor.MoveOperation.Start)
        self.find(text)

    def loadResource(self, kind: int, name: QUrl | str) -> Any:
        """Read a page or a picture; see `QTextBrowser.loadResource`."""
        if kind == QTextDocument.ResourceType.ImageResource.value:
            return self._picture(self.source().resolved(QUrl(name)))
        content = super().loadResource(kind, name)
        if kind == QTextDocument.ResourceType.HtmlResource.value and content is not None:
            text = bytes(content).decode("utf-8")
            return _TABLE.sub(_BORDERED, text).replace("<p><img", '<p style="line-height: 100%"><img')
        return content

    def _picture(self, url: QUrl) -> QImage:
        image = QImage(str(Path(url.toLocalFile())))
        ratio = self.devicePixelRatioF()
        room = max(200, self.viewport().width() - 2 * MARGIN_PX - 2)
        if image.width() > room:
            size = QSize(round(room * ratio), round(room * ratio * image.height() / image.width()))
            image = image.scaled(size, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation)
            image.setDevicePixelRatio(ratio)
        return image

    def _style(self) -> None:
        palette = self.palette()
        roles = {"shade": QPalette.ColorRole.AlternateBase, "link": QPalette.ColorRole.Link}
        colours = {name: palette.color(role).name() for name, role in roles.items()}
        text, ground = palette.color(QPalette.ColorRole.Text), palette.color(QPalette.ColorRole.Base)
        self.document().setDefaultStyleSheet(_STYLE.format(line=_between(text, ground).name(), **colours))

    def _lay_out_anew(self) -> None:
        """Show the page once more, where it was: with pictures of another size, or in other colours."""
        if not self.source().isEmpty():
            place = self.verticalScrollBar().value() / max(1, self.verticalScrollBar().maximum())
            self._style()
            self.reload()
            self.verticalScrollBar().setValue(round(place * self.verticalScrollBar().maximum()))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit the pictures once the size rests."""
        super().resizeEvent(event)
        if self.viewport().width() != self._width_px:
            self._width_px = self.viewport().width()
            self._resized.start()

    def changeEvent(self, event: QEvent) -> None:
        """Take the new theme's colours."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_resized"):
            self._resized.start()


def _between(text: QColor, ground: QColor) -> QColor:
    """Return a quiet line's colour, nearer to the ground."""
    share = 0.25
    return QColor.fromRgbF(
        share * text.redF() + (1 - share) * ground.redF(),
        share * text.greenF() + (1 - share) * ground.greenF(),
        share * text.blueF() + (1 - share) * ground.blueF(),
    )
