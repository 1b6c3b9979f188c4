"""What a layer is, and what it is told about the surface that it paints on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from PySide6.QtGui import QPainter

    from fkd_desktop.live.result import FrameResult

OpacityMode = Literal["each", "group", "fixed"]
"""What a layer's opacity means, told by an attribute ``opacity_mode`` (without it: "group").

each
    Everything that it paints may be made translucent by itself: it does not overlap, or it mixes with the frame.
group
    It overlaps, and must be made translucent as a whole.
fixed
    None: it is always opaque, for it hides what must not be seen.
"""


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
