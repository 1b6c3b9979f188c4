"""The about window: what this is, in which version, on what, under which licences."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, Qt, Signal
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QTabWidget,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

from fkd_desktop import diagnostics
from fkd_desktop.ui.icons import app_icon

if TYPE_CHECKING:
    from collections.abc import Mapping


class AboutDialog(QDialog):
    """Name and version, what it runs on, and whose work it stands on.

    Parameters
    ----------
    session
        What is known of the live session, by name: the network, its device, the source.
    """

    diagnostics_requested = Signal()

    def __init__(self, session: Mapping[str, str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("About FKD Desktop"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        versions = diagnostics.versions()
        icon = QLabel()
        icon.setPixmap(app_icon().pixmap(64, 64))
        head = QLabel(
            f"<h2 style='margin: 0'>FKD Desktop {escape(versions['FKD Desktop'])}</h2><p style='margin: 6px 0 0 0'>"
            + escape(
                self.tr("Real-time face keypoints. Everything happens on this computer; nothing is sent anywhere.")
            )
            + "</p>"
        )
        head.setWordWrap(True)
        top = QHBoxLayout()
        top.setSpacing(16)
        top.addWidget(icon, alignment=Qt.AlignmentFlag.AlignTop)
        top.addWidget(head, 1)
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        facts = {**session, **diagnostics.system()}
        named = {_translated(str(diagnostics.NAMES.get(name, name))): value for name, value in facts.items()}
        self.tabs.addTab(_text_page(named), self.tr("&Devices"))
        self.tabs.addTab(_text_page(versions), self.tr("&Versions"))
        self.tabs.addTab(self._licences(), self.tr("&Licences"))
        self.tabs.addTab(self._credits(), self.tr("&Credits"))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        copy = QPushButton(self.tr("Copy diagnostics"))
        copy.clicked.connect(self.diagnostics_requested)
        buttons.addButton(copy, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.rejected.connect(self.close)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 20, 20, 16)
        layout.setSpacing(14)
        layout.addLayout(top)
        layout.addWidget(self.tabs, 1)
        layout.addWidget(buttons)
        self.resize(560, 440)

    def _licences(self) -> QTextBrowser:
        own = {"FKD Desktop": "MIT"}
        others = {name: diagnostics.licence_of(name) or self.tr("unknown") for name in diagnostics.PACKAGES}
        page = _text_page({**own, **others})
        page.append(
            self.tr(
                "Qt and PySide6 are used under the LGPL. The packages' own licence texts lie beside them where they "
                "are installed."
            )
        )
        return page

    def _credits(self) -> QTextBrowser:
        page = QTextBrowser()
        page.setHtml(
            "".join(
                f"<p>{escape(text)}</p>"
                for text in (
                    self.tr("The demo clip is made from NASA's portrait of Eileen Collins (public domain)."),
                    self.tr(
                        "The shipped network was trained on the facial-keypoint data set of Udacity's computer vision "
                        "course, drawn from YouTube Faces (L. Wolf, T. Hassner, I. Maoz, CVPR 2011)."
                    ),
                    self.tr("Faces are found with the Haar cascades that OpenCV brings (P. Viola, M. Jones, 2001)."),
                    self.tr("Keypoints are steadied with the 1€ filter (G. Casiez, N. Roussel, D. Vogel, CHI 2012)."),
                )
            )
        )
        return page


def _translated(name: str) -> str:
    return QCoreApplication.translate("Diagnostics", name)


def _text_page(facts: Mapping[str, str]) -> QTextBrowser:
    page = QTextBrowser()
    rows = "".join(
        f"<tr><td style='padding: 2px 18px 2px 0'>{escape(name)}</td>"
        f"<td style='padding: 2px 0'><b>{escape(value)}</b></td></tr>"
        for name, value in facts.items()
    )
    page.setHtml(f"<table>{rows}</table>")
    return page
