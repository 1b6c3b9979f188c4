"""What the overlays are painted with: a canvas with soft layers, fur, and the file that ties a picture to keypoints.

Pictures are painted with QPainter several times too large and reduced, for edges smoother than the painter's own.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import cv2
import numpy as np
from face_model import mean_of
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import (
    QBrush,
    QColor,
    QImage,
    QLinearGradient,
    QPainter,
    QPainterPath,
    QPen,
    QRadialGradient,
    QTransform,
)

OVERLAYS_DIR = Path(__file__).resolve().parents[1] / "overlays"

Paint = Callable[[QPainter], None]
Point = tuple[float, float]
Stops = list[tuple[float, str, int]]  # position 0..1, colour, alpha 0..255

# --- paths and brushes ---


def curve(start: Point, *cubics: tuple[float, float, float, float, float, float], close: bool = True) -> QPainterPath:
    """Return a path of cubic curves, each given by two control points and its end."""
    path = QPainterPath(QPointF(*start))
    for cubic in cubics:
        path.cubicTo(*cubic)
    if close:
        path.closeSubpath()
    return path


def smooth(points: Sequence[Point], *, close: bool = True) -> QPainterPath:
    """Return a smooth curve through points (Catmull-Rom)."""
    count = len(points)

    def at(index: int) -> np.ndarray:
        return np.array(points[index % count] if close else points[min(max(index, 0), count - 1)], float)

    path = QPainterPath(QPointF(*points[0]))
    for index in range(count if close else count - 1):
        before, start, end, after = (at(index + offset) for offset in (-1, 0, 1, 2))
        one, two = start + (end - before) / 6, end - (after - start) / 6
        path.cubicTo(*one.tolist(), *two.tolist(), *end.tolist())
    if close:
        path.closeSubpath()
    return path


def mirrored(path: QPainterPath) -> QPainterPath:
    return QTransform.fromScale(-1, 1).map(path)


def both(path: QPainterPath) -> QPainterPath:
    """Return a path and its mirror image, as two pieces of one path."""
    pair = QPainterPath(path)
    pair.addPath(mirrored(path))
    return pair


def joined(half: QPainterPath, *, without: QPainterPath | None = None) -> QPainterPath:
    """Return a half and its mirror image as one outline, less the path `without` and its mirror image.

    Qt flattens curves to about a unit when it joins paths, a visible corner in millimetres: hence the larger scale.
    """
    enlarge, reduce = QTransform.fromScale(100, 100), QTransform.fromScale(0.01, 0.01)
    whole = enlarge.map(half).united(enlarge.map(mirrored(half)))
    if without is not None:
        whole = whole.subtracted(enlarge.map(without)).subtracted(enlarge.map(mirrored(without)))
    return reduce.map(whole)


def ellipse(x: float, y: float, half_width: float, half_height: float) -> QPainterPath:
    path = QPainterPath()
    path.addEllipse(QPointF(x, y), half_width, half_height)
    return path


def _with_stops(gradient: QLinearGradient | QRadialGradient, stops: Stops) -> QBrush:
    for position, name, alpha in stops:
        colour = QColor(name)
        colour.setAlpha(alpha)
        gradient.setColorAt(position, colour)
    return QBrush(gradient)


def linear(start: Point, end: Point, stops: Stops) -> QBrush:
    return _with_stops(QLinearGradient(*start, *end), stops)


def vertical(top: float, bottom: float, stops: Stops) -> QBrush:
    return linear((0, top), (0, bottom), stops)


def radial(centre: Point, radius: float, stops: Stops) -> QBrush:
    return _with_stops(QRadialGradient(*centre, radius), stops)


def plain(colour: str) -> QBrush:
    return QBrush(QColor(colour))


# --- what a layer paints ---


def fill(path: QPainterPath, brush: QBrush | str) -> Paint:
    chosen = plain(brush) if isinstance(brush, str) else brush
    return lambda painter: painter.fillPath(path, chosen)


def stroke(path: QPainterPath, colour: str | QBrush, width: float) -> Paint:
    def paint(painter: QPainter) -> None:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        brush = plain(colour) if isinstance(colour, str) else colour
        painter.setPen(QPen(brush, width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
        painter.drawPath(path)

    return paint


@dataclass(frozen=True)
class Hair:
    """A bent hair, thin at both ends: its root, its direction (degrees, clockwise from the right), its length."""

    root: Point
    angle_deg: float
    length: float
    bend_deg: float
    width: float
    colour: QColor


def hairs(strands: Sequence[Hair]) -> Paint:
    """Return a painter of hairs, one over the other."""

    def paint(painter: QPainter) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        for hair in strands:
            turn, bent = np.radians([hair.angle_deg, hair.angle_deg + hair.bend_deg])
            root = np.array(hair.root)
            middle = root + 0.5 * hair.length * np.array([np.cos(turn), np.sin(turn)])
            tip = middle + 0.5 * hair.length * np.array([np.cos(bent), np.sin(bent)])
            side = 0.5 * hair.width * np.array([-np.sin(turn), np.cos(turn)])
            path = QPainterPath(QPointF(*root))
            path.cubicTo(QPointF(*(root + side)), QPointF(*(middle + side)), QPointF(*tip))
            path.cubicTo(QPointF(*(middle - side)), QPointF(*(root - side)), QPointF(*root))
            painter.fillPath(path, hair.colour)

    return paint


def mixed(one: str, other: str, share: float) -> QColor:
    """Return a colour between two."""
    a, b = QColor(one), QColor(other)
    rest = 1 - share
    return QColor.fromRgbF(
        rest * a.redF() + share * b.redF(), rest * a.greenF() + share * b.greenF(), rest * a.blueF() + share * b.blueF()
    )


# --- the canvas ---


class Canvas:
    """A picture in premultiplied float RGBA onto which painted layers are stacked."""

    def __init__(self, width_px: int, height_px: int, *, px_per_mm: float, origin_px: Point) -> None:
        self.size_px = (width_px, height_px)
        self.px_per_mm = px_per_mm
        self.origin_px = origin_px
        self.rgba = np.zeros((height_px, width_px, 4), np.float32)

    def layer(self, paint: Paint) -> np.ndarray:
        """Return what `paint` draws as premultiplied float32 RGBA, shape (height, width, 4), 0..1."""
        image = QImage(*self.size_px, QImage.Format.Format_RGBA8888_Premultiplied)
        image.fill(Qt.GlobalColor.transparent)
        painter = QPainter(image)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.translate(*self.origin_px)
        painter.scale(self.px_per_mm, self.px_per_mm)
        paint(painter)
        painter.end()
        rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine() // 4, 4)
        return rows[:, : image.width()].astype(np.float32) / 255

    def add(self, paint: Paint, *, blur_mm: float = 0.0, opacity: float = 1.0, clip: Paint | None = None) -> None:
        """Put a layer on top, softened by a Gaussian and cut to the shape that `clip` paints."""
        layer = self.layer(paint)
        if blur_mm:
            layer = cv2.GaussianBlur(layer, (0, 0), blur_mm * self.px_per_mm)
        layer *= opacity
        if clip is not None:
            layer *= self.layer(clip)[..., 3:]
        self.rgba = layer + self.rgba * (1 - layer[..., 3:])

    def cut(self, paint: Paint) -> None:
        """Take away what `paint` covers."""
        self.rgba = self.rgba * (1 - self.layer(paint)[..., 3:])


class Sheet(Canvas):
    """A canvas for a part of the model face, in its units.

    Parameters
    ----------
    left, top, right, bottom
        The part, in units of the model face.
    width_px
        Width of the picture that is written.
    """

    def __init__(
        self, left: float, top: float, right: float, bottom: float, *, width_px: int, supersampling: int = 3
    ) -> None:
        self.scale = width_px / (right - left)
        self.corner = (left, top)
        self.out_px = (width_px, round((bottom - top) * self.scale))
        px_per_unit = self.scale * supersampling
        super().__init__(
            self.out_px[0] * supersampling,
            self.out_px[1] * supersampling,
            px_per_mm=px_per_unit,
            origin_px=(-left * px_per_unit, -top * px_per_unit),
        )

    def to_px(self, point: Point) -> Point:
        """Return where a point of the model face lies in the picture."""
        return (point[0] - self.corner[0]) * self.scale, (point[1] - self.corner[1]) * self.scale

    def save(self, path: Path) -> None:
        """Write the picture as PNG with straight alpha."""
        save_png(path, cv2.resize(self.rgba, self.out_px, interpolation=cv2.INTER_AREA))


def save_png(path: Path, premultiplied: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    bgra = cv2.cvtColor(to_straight_alpha(premultiplied), cv2.COLOR_RGBA2BGRA)
    if not cv2.imwrite(str(path), bgra, [cv2.IMWRITE_PNG_COMPRESSION, 9]):
        raise OSError(f"could not write {path}")


def to_straight_alpha(premultiplied: np.ndarray) -> np.ndarray:
    """Return uint8 RGBA with straight alpha, the colour of transparent pixels taken from the nearest opaque one.

    A viewer that scales the picture without premultiplying mixes those hidden colours into the edge: they must not be
    white, nor pure black next to a lighter edge.
    """
    alpha = premultiplied[..., 3]
    colour = premultiplied[..., :3] / np.maximum(alpha, 1e-6)[..., None]
    trusted = alpha > 0.2  # fainter pixels carry too few bits of colour
    _, labels = cv2.distanceTransformWithLabels(
        (~trusted).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    nearest = np.zeros((labels.max() + 1, 3), np.float32)
    nearest[labels[trusted]] = colour[trusted]
    colour = np.where(trusted[..., None], colour, nearest[labels])
    colour[cv2.dilate(alpha, np.ones((17, 17))) == 0] = 0  # far from any edge: what compresses best
    rgba = np.dstack([colour, alpha])
    return np.clip(np.rint(rgba * 255), 0, 255).astype(np.uint8)


# --- the description ---


@dataclass(frozen=True)
class Anchor:
    """A point of the picture that lies on the mean of some keypoints."""

    what: str
    image_px: Point
    keypoints: tuple[int, ...]


@dataclass(frozen=True)
class Picture:
    """A picture of an overlay and what holds it."""

    image: str
    anchors: tuple[Anchor, ...]
    fit: str | None = None  # None: what the number of anchors stands for
    blend: str | None = None
    opacity: float | None = None


def anchors(to_px: Callable[[Point], Point], **keypoints: Sequence[int]) -> tuple[Anchor, ...]:
    """Return anchors where the model face has its keypoints; the names of the arguments say what they are."""
    return tuple(
        Anchor(what.replace("_", " "), to_px(mean_of(*indices)), tuple(indices)) for what, indices in keypoints.items()
    )


def write_description(
    folder: Path, script: str, *, name: str, german: str, order: int, key: str | None, pictures: Sequence[Picture]
) -> None:
    """Write ``overlay.toml``."""
    lines = [
        f"# {name}. Drawn by assets/scripts/{script}, which also writes this file.",
        "format = 2",
        f'name = "{name}"',
        f'names = {{ de = "{german}" }}',
        f"order = {order}",
    ]
    if key is not None:
        lines.append(f'key = "{key}"')
    for picture in pictures:
        lines += ["", "[[pictures]]", f'image = "{picture.image}"']
        lines += [f'fit = "{picture.fit}"'] if picture.fit else []
        lines += [f'blend = "{picture.blend}"'] if picture.blend else []
        lines += [f"opacity = {picture.opacity}"] if picture.opacity is not None else []
        for anchor in picture.anchors:
            x, y = (round(value, 1) for value in anchor.image_px)
            lines += ["", f"  [[pictures.anchors]]  # {anchor.what}", f"  image_px = [{x}, {y}]"]
            lines.append(f"  keypoints = {list(anchor.keypoints)}")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "overlay.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
