"""The status bar: what the session measures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QLabel, QStatusBar, QWidget

if TYPE_CHECKING:
    from fkd_desktop.live.stats import LiveFigures

_NOTHING = ""


class SessionBar(QStatusBar):
    """Source on the left; frame rate, latency, faces, device and drops on the right."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizeGripEnabled(False)
        self.setContentsMargins(8, 0, 8, 0)
        self.setStyleSheet("QStatusBar::item { border: none; }")
        self._source = QLabel()
        self.addWidget(self._source, 1)
        self._rate = self._add("frame rate", "Frames painted a second", "000.0 frames/s")
        self._latency = self._add("latency", "From capture to paint: median and 95th percentile", "000 ms (p95 000 ms)")
        self._faces = self._add("faces", "Faces in the picture", "00 faces")
        self._device = self._add("network", "The network, and where it runs", "two_conv, CUDA")
        self._dropped = self._add(
            "drops", "Frames that came and were not painted, because a newer one was there", "00000 dropped"
        )
        self.clear_figures()

    def add_before_figures(self, widget: QWidget) -> None:
        """Put something else of importance between the source and the figures."""
        self.insertPermanentWidget(1, widget)

    def show_source(self, text: str) -> None:
        """Say where the picture comes from."""
        self._source.setText(text)

    def show_network(self, name: str, device: str) -> None:
        """Say which network runs, and where."""
        self._device.setText(", ".join(part for part in (name, device) if part))

    def show_figures(self, figures: LiveFigures | None, *, faces: int, dropped: int) -> None:
        """Show what was measured over the last seconds; None where nothing was painted in them."""
        if figures is None:
            self._rate.setText("0 frames/s")
            self._latency.setText(_NOTHING)
        else:
            self._rate.setText(f"{figures.frames_per_s:.1f} frames/s")
            self._latency.setText(f"{figures.latency_ms:.0f} ms (p95 {figures.latency_p95_ms:.0f} ms)")
        self._faces.setText("1 face" if faces == 1 else f"{faces} faces")
        self._dropped.setText(f"{dropped} dropped")

    def show_picture(self, *, faces: int) -> None:
        """Show what there is to say of a still picture."""
        self.clear_figures()
        self._faces.setText("1 face" if faces == 1 else f"{faces} faces")

    def clear_figures(self) -> None:
        """There is no session to measure."""
        for label in (self._rate, self._latency, self._faces, self._dropped):
            label.setText(_NOTHING)

    def texts(self) -> dict[str, str]:
        """Return what is on show, by accessible name."""
        labels = (self._rate, self._latency, self._faces, self._device, self._dropped)
        return {"source": self._source.text(), **{label.accessibleName(): label.text() for label in labels}}

    def _add(self, name: str, tip: str, widest: str) -> QLabel:
        label = QLabel()
        label.setAccessibleName(name)
        label.setToolTip(tip)
        # As wide as it will ever need to be, so that nothing moves while numbers change.
        label.setMinimumWidth(label.fontMetrics().horizontalAdvance(widest) + 12)
        self.addPermanentWidget(label)
        return label
