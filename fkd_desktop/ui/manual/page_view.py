"""A page of the manual in the palette's colours, its pictures no wider than the window."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

from PySide6.QtCore import QEvent, QSize, Qt, QTimer, QUrl
from PySide6.QtGui import QImage, QPalette, QResizeEvent, QTextCursor, QTextDocument
from PySide6.QtWidgets import QTextBrowser, QWidget

MARGIN_PX: Final = 28
_STYLE: Final = """
h1 {{ font-size: 24px; font-weight: 600; margin-top: 8px; margin-bottom: 10px; }}
h2 {{ font-size: 18px; font-weight: 600; margin-top: 22px; margin-bottom: 6px; }}
h3 {{ font-size: 15px; font-weight: 600; margin-top: 16px; margin-bottom: 4px; }}
p, li {{ line-height: 125%; margin-top: 6px; margin-bottom: 6px; }}
td p, th p {{ margin: 0; }}
pre {{ background: {shade}; margin: 8px; }}
code {{ background: {shade}; }}
th {{ background: {shade}; }}
a {{ color: {link}; }}
"""
_TABLE: Final = re.compile(r"<table[^>]*>")
_BORDERED: Final = (
    '<table border="1" cellspacing="0" cellpadding="6" width="100%" '
    'style="border-collapse: collapse; border-color: {}">'
)
"""Qt draws a table's lines by its attributes."""


class PageView(QTextBrowser):
    """Shows pages of the manual; links to other places go to the browser."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setOpenExternalLinks(True)
        self.setFrameShape(QTextBrowser.Shape.NoFrame)
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
            return _TABLE.sub(_BORDERED.format(self.palette().color(QPalette.ColorRole.Mid).name()), text)
        return content

    def _picture(self, url: QUrl) -> QImage:
        image = QImage(str(Path(url.toLocalFile())))
        ratio = self.devicePixelRatioF()
        room = max(200, self.viewport().width() - 2 * MARGIN_PX - 8)
        if image.width() > room:
            size = QSize(round(room * ratio), round(room * ratio * image.height() / image.width()))
            image = image.scaled(size, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation)
            image.setDevicePixelRatio(ratio)
        return image

    def _style(self) -> None:
        palette = self.palette()
        shade, link = palette.color(QPalette.ColorRole.AlternateBase), palette.color(QPalette.ColorRole.Link)
        self.document().setDefaultStyleSheet(_STYLE.format(shade=shade.name(), link=link.name()))

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
