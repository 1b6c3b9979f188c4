"""A picture that is tied to keypoints, such as sunglasses: described by a TOML file beside it."""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QImage, QPainter, QTransform

from fkd_desktop.errors import OverlayError
from trainer.core.keypoints import NUM_KEYPOINTS

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from fkd_desktop.live.result import FrameResult
    from fkd_desktop.overlays.layer import PaintContext

FORMAT_VERSION: Final = 1
MAX_SIDE_PX: Final = 8192


@dataclass(frozen=True)
class Anchor:
    """A point of the picture and the keypoints whose mean it lies on."""

    image_px: tuple[float, float]
    keypoints: tuple[int, ...]


class PictureLayer:
    """Paints a picture on every face, moved, scaled and turned so that its anchors lie on their keypoints.

    Parameters
    ----------
    folder
        Holds ``overlay.toml`` (``format``, ``name``, ``image``, and two or more ``[[anchors]]`` with ``image_px`` and
        ``keypoints``) and the image.

    Raises
    ------
    OverlayError
        If either is missing or makes no sense.
    """

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        description = _read_description(folder / "overlay.toml")
        self.title, self._anchors, image_name = description
        try:
            image_path = (folder / image_name).resolve()
        except (OSError, ValueError) as error:
            raise OverlayError(
                f"the overlay {folder} names an impossible image {image_name!r}; mend its file"
            ) from error
        if not image_path.is_relative_to(folder.resolve()):
            raise OverlayError(
                f"the overlay {folder} names an image outside its own folder, {image_name}; put it inside"
            )
        image = QImage(str(image_path))
        if image.isNull() or max(image.width(), image.height()) > MAX_SIDE_PX:
            raise OverlayError(
                f"the overlay's image {image_path} is missing, damaged or over {MAX_SIDE_PX} px; put a picture there"
            )
        self._levels = _halvings(image.convertToFormat(QImage.Format.Format_ARGB32_Premultiplied))
        self._anchors_px = np.array([anchor.image_px for anchor in self._anchors], np.float64)

    def paint(self, painter: QPainter, result: FrameResult, _context: PaintContext) -> None:
        """See `Layer.paint`."""
        painter.setRenderHints(QPainter.RenderHint.SmoothPixmapTransform | QPainter.RenderHint.Antialiasing)
        whole = QRectF(self._levels[0].rect())
        for keypoints in result.keypoints_px:
            painter.save()
            painter.setTransform(self.placement(keypoints), combine=True)
            # From a copy that is at most twice too large: sampling a larger one would make edges flicker.
            to_device = painter.deviceTransform()
            scale = math.hypot(to_device.m11(), to_device.m12())
            level = min(max(math.floor(-math.log2(max(scale, 1e-6))), 0), len(self._levels) - 1)
            painter.drawImage(whole, self._levels[level])
            painter.restore()

    def placement(self, keypoints_px: NDArray[np.float32]) -> QTransform:
        """Return the similarity from picture pixels to frame coordinates that fits the anchors best.

        Least squares in the complex plane: w = a z + b (S. Umeyama, IEEE PAMI 13 (1991), in two dimensions and without
        reflection).

        Parameters
        ----------
        keypoints_px
            (68, 2) in frame pixels.
        """
        target = np.array([keypoints_px[list(anchor.keypoints)].mean(axis=0) for anchor in self._anchors]) + 0.5
        z, w = (points[:, 0] + 1j * points[:, 1] for points in (self._anchors_px, target))
        z_mean, w_mean = z.mean(), w.mean()
        spread = np.square(np.abs(z - z_mean)).sum()
        a = (np.conj(z - z_mean) * (w - w_mean)).sum() / spread
        b = w_mean - a * z_mean
        return QTransform(a.real, a.imag, -a.imag, a.real, b.real, b.imag)


def _halvings(image: QImage) -> list[QImage]:
    """Return the image and copies of half, a quarter, ... its size."""
    levels = [image]
    while min(levels[-1].width(), levels[-1].height()) >= 8:
        last = levels[-1]
        size = last.size() / 2
        levels.append(
            last.scaled(size, Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation)
        )
    return levels


def _read_description(path: Path) -> tuple[str, tuple[Anchor, ...], str]:
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise OverlayError(f"the overlay's description {path} cannot be read ({error}); mend it") from error
    if data.get("format") != FORMAT_VERSION:
        raise OverlayError(
            f"{path} has format {data.get('format')!r}; this program reads {FORMAT_VERSION}, update FKD Desktop"
        )
    try:
        anchors = tuple(_read_anchor(entry) for entry in data["anchors"])
        name, image = str(data["name"]), str(data["image"])
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise OverlayError(f"{path} lacks something or has it in a wrong form ({error}); mend it") from error
    if len({anchor.image_px for anchor in anchors}) < 2:
        raise OverlayError(f"{path} has fewer than two different anchors; give it two, for its place and size")
    return name, anchors, image


def _read_anchor(entry: dict[str, Any]) -> Anchor:
    x, y = (float(v) for v in entry["image_px"])
    keypoints = tuple(int(v) for v in entry["keypoints"])
    if not keypoints or not all(0 <= k < NUM_KEYPOINTS for k in keypoints) or not np.isfinite([x, y]).all():
        raise ValueError(f"anchor {entry} (keypoints are numbers from 0 to {NUM_KEYPOINTS - 1})")
    return Anchor((x, y), keypoints)
