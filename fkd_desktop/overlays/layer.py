"""What a layer is, and what it is told about the surface that it paints on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from PySide6.QtGui import QPainter

    from fkd_desktop.live.result import FrameResult


@dataclass(frozen=True)
class PaintContext:
    """How the frame's pixels come to the device's.

    Attributes
    ----------
    device_per_frame
        The device's logical pixels a frame pixel: lines and text keep their size on the screen.
    mirrored
        Whether the painter shows the frame mirrored: text is turned back.
    """

    device_per_frame: float = 1.0
    mirrored: bool = False

    def px(self, device_px: float) -> float:
        """Length in frame coordinates of a length on the device."""
        return device_px / self.device_per_frame


class Layer(Protocol):
    """Something painted over a frame.

    Attributes
    ----------
    name
        For commands and settings.
    title
        For people.
    """

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def title(self) -> str: ...  # noqa: D102

    def paint(self, painter: QPainter, result: FrameResult, context: PaintContext) -> None:
        """Paint every face of a result. The painter's coordinates are the frame's: pixel (x, y) covers [x, x + 1]."""
        ...
