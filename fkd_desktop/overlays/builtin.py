"""What the program draws itself, without a folder: marks on the face, and the two ways to hide it."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal

from PySide6.QtCore import QCoreApplication

from fkd_desktop.overlays.effects import BlurLayer, PixelateLayer
from fkd_desktop.overlays.face_mesh import MeshLayer
from fkd_desktop.overlays.layers import BoxesLayer, KeypointsLayer, NumbersLayer
from fkd_desktop.overlays.pose import PoseLayer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fkd_desktop.overlays.layer import Layer


@dataclass(frozen=True)
class BuiltinLayer:
    """A layer without a folder.

    Attributes
    ----------
    make
        Makes it.
    title
        Its title in the application's language.
    kind
        See `OverlayInfo`.
    order, key
        Its place, and its number key.
    """

    make: Callable[[], Layer]
    title: Callable[[], str]
    kind: Literal["drawn", "effect"]
    order: int
    key: str | None = None


def _blur() -> str:
    return QCoreApplication.translate("Overlays", "Blur faces")


def _pixelate() -> str:
    return QCoreApplication.translate("Overlays", "Pixelate faces")


BUILTIN: Final[Mapping[str, BuiltinLayer]] = MappingProxyType(
    {
        "keypoints": BuiltinLayer(
            KeypointsLayer, lambda: QCoreApplication.translate("Overlays", "Keypoints"), "drawn", 80, "1"
        ),
        "numbers": BuiltinLayer(
            NumbersLayer, lambda: QCoreApplication.translate("Overlays", "Numbers"), "drawn", 90, "2"
        ),
        "boxes": BuiltinLayer(
            BoxesLayer, lambda: QCoreApplication.translate("Overlays", "Face boxes"), "drawn", 75, "3"
        ),
        "mesh": BuiltinLayer(MeshLayer, lambda: QCoreApplication.translate("Overlays", "Mesh"), "drawn", 70),
        "pose": BuiltinLayer(PoseLayer, lambda: QCoreApplication.translate("Overlays", "Head pose"), "drawn", 85),
        "blur": BuiltinLayer(lambda: BlurLayer("blur", _blur()), _blur, "effect", 0, "9"),
        "pixelate": BuiltinLayer(lambda: PixelateLayer("pixelate", _pixelate()), _pixelate, "effect", 0),
    }
)
"""By name, in the order of the gallery. A shipped folder named like an effect takes its place."""
