"""The status bar: what the session measures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QLocale, Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QLabel, QSizePolicy, QStatusBar, QWidget

from fkd_desktop.ui.elided_label import ElidedLabel
from fkd_desktop.ui.words import plain_tip

if TYPE_CHECKING:
    from fkd_desktop.live.stats import LiveFigures

_NOTHING = ""
_MARK = " ⚠"


class SessionBar(QStatusBar):
    """Source and its mode on the left; frame rate, latency, faces, device and drops on the right."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizeGripEnabled(False)
        self.setContentsMargins(8, 0, 8, 0)
        self.setStyleSheet("QStatusBar::item { border: none; }")
        tr = self.tr
        self._hint = ""
        self._source = ElidedLabel()
        self._source.setAccessibleName(tr("source"))
        self._mode = ElidedLabel()
        self._mode.setAccessibleName(tr("camera mode"))
        self._mode.setToolTip(tr("What was agreed on with the camera"))
        self._mode.setForegroundRole(QPalette.ColorRole.PlaceholderText)  # paler than the source's name
        for label in (self._source, self._mode):
            label.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        self.addWidget(self._source)
        self.addWidget(self._mode, 1)
        self._rate = self._add(tr("frame rate"), tr("Frames painted a second"), _rate_text(888.8))
        self._latency = self._add(
            tr("latency"), tr("From capture to paint: median and 95th percentile"), _latency_text(888, 888)
        )
        self._faces = self._add(tr("faces"), tr("Faces in the picture"), self.tr("%n face(s)", "", 88))
        self._device = self._add(tr("network"), tr("The network, and where it runs"), "two_conv, CUDA")
        self._dropped = self._add(
            tr("drops"),
            tr("Frames that came and were not painted: damaged, or a newer one was there"),
            tr("{0} dropped").format(8888),
        )
        self.clear_figures()

    def add_before_figures(self, widget: QWidget) -> None:
        """Put something else of importance between the source and the figures."""
        self.insertPermanentWidget(2, widget)  # behind the two on the left

    def show_source(self, text: str, mode: str = "") -> None:
        """Say where the picture comes from, and in which size and rate where that was agreed on."""
        self._source.setText(text)
        self._mode.setText(mode)
        self._hint = ""
        self._mode.setToolTip(self.tr("What was agreed on with the camera"))

    def show_hint(self, hint: str) -> None:
        """Mark the mode with what is to be known about it; an empty text for nothing."""
        if hint != self._hint:
            self._hint = hint
            self._mode.setText(self._mode.text().removesuffix(_MARK) + (_MARK if hint else ""))
            self._mode.setToolTip(plain_tip(hint) or self.tr("What was agreed on with the camera"))

    def show_network(self, name: str, device: str) -> None:
        """Say which network runs, and where."""
        self._device.setText(", ".join(part for part in (name, device) if part))

    def show_figures(self, figures: LiveFigures | None, *, faces: int, dropped: int) -> None:
        """Show what was measured over the last seconds; None where nothing was painted in them."""
        if figures is None:
            self._rate.setText(_NOTHING)
            self._latency.setText(_NOTHING)
        else:
            self._rate.setText(_rate_text(figures.frames_per_s))
            self._latency.setText(_latency_text(figures.latency_ms, figures.latency_p95_ms))
        self._faces.setText(self.tr("%n face(s)", "", faces))
        self._dropped.setText(self.tr("{0} dropped").format(dropped))

    def show_picture(self, *, faces: int) -> None:
        """Show what there is to say of a still picture."""
        self.clear_figures()
        self._faces.setText(self.tr("%n face(s)", "", faces))

    def clear_figures(self) -> None:
        """There is no session to measure."""
        for label in (self._rate, self._latency, self._faces, self._dropped):
            label.setText(_NOTHING)

    def figures(self) -> dict[str, str]:
        """Return what is measured now, by name."""
        return {name: text for name, text in self.texts().items() if text and name not in ("source", "mode", "network")}

    def texts(self) -> dict[str, str]:
        """Return what is on show, by name."""
        return {
            "source": self._source.text(),
            "mode": self._mode.text(),
            "frame rate": self._rate.text(),
            "latency": self._latency.text(),
            "faces": self._faces.text(),
            "network": self._device.text(),
            "drops": self._dropped.text(),
        }

    def _add(self, name: str, tip: str, widest: str) -> QLabel:
        label = QLabel(textFormat=Qt.TextFormat.PlainText)
        label.setAccessibleName(name)
        label.setToolTip(tip)
        # As wide as it will ever need to be, so that nothing moves while numbers change.
        label.setMinimumWidth(label.fontMetrics().horizontalAdvance(widest) + 12)
        self.addPermanentWidget(label)
        return label


def _rate_text(frames_per_s: float) -> str:
    return QCoreApplication.translate("SessionBar", "{0} frames/s").format(QLocale().toString(frames_per_s, "f", 1))


def _latency_text(median_ms: float, p95_ms: float) -> str:
    return QCoreApplication.translate("SessionBar", "{0} ms (p95 {1} ms)").format(round(median_ms), round(p95_ms))
