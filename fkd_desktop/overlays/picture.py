"""Pictures that are tied to keypoints, such as sunglasses."""

from __future__ import annotations

import math
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QPainter, QTransform

from fkd_desktop.errors import OverlayError
from fkd_desktop.live.head_pose import MODEL_MM
from fkd_desktop.overlays.artwork import Artwork
from fkd_desktop.overlays.description import Anchor, Blend, Fit
from fkd_desktop.overlays.mesh import delaunay, follow_weights, rim_of, signed_areas
from fkd_desktop.overlays.offscreen import Sheet
from fkd_desktop.overlays.placement import anchor_weights, fitted, is_in_front, mapped, targets, to_qt

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from fkd_desktop.live.result import FrameResult
    from fkd_desktop.overlays.description import PictureDescription
    from fkd_desktop.overlays.layer import OpacityMode, PaintContext

_MODES: Final[Mapping[Blend, QPainter.CompositionMode]] = MappingProxyType(
    {
        Blend.NORMAL: QPainter.CompositionMode.CompositionMode_SourceOver,
        Blend.MULTIPLY: QPainter.CompositionMode.CompositionMode_Multiply,
        Blend.SCREEN: QPainter.CompositionMode.CompositionMode_Screen,
        Blend.OVERLAY: QPainter.CompositionMode.CompositionMode_Overlay,
        Blend.SOFT_LIGHT: QPainter.CompositionMode.CompositionMode_SoftLight,
    }
)
_FARTHEST_PX: Final = 1e6


class PictureLayer:
    """Paints an overlay's pictures on every face, so that their anchors lie on their keypoints.

    Parameters
    ----------
    name, title
        See `Layer`.
    folder
        Where the pictures are.
    pictures
        Painted in this order.

    Raises
    ------
    OverlayError
        If a picture is missing, damaged or not safe.
    """

    def __init__(self, name: str, title: str, folder: Path, pictures: Sequence[PictureDescription]) -> None:
        self.name, self.title = name, title
        pieces: list[_Piece] = []
        for picture in pictures:
            for mirrored in (False, True) if picture.mirror else (False,):
                make = _MeshPiece if picture.fit is Fit.MESH else _Piece
                pieces.append(make(inside(folder, picture.image), picture, mirrored=mirrored))
        self._pieces = tuple(pieces)

    @property
    def opacity_mode(self) -> OpacityMode:
        """See `OpacityMode`: a picture that mixes with the frame cannot do so on a sheet of its own."""
        is_plain = all(piece.mode is _MODES[Blend.NORMAL] for piece in self._pieces)
        return "group" if is_plain and len(self._pieces) > 1 else "each"

    def paint(self, painter: QPainter, result: FrameResult, _context: PaintContext) -> None:
        """See `Layer.paint`."""
        painter.setRenderHints(QPainter.RenderHint.SmoothPixmapTransform | QPainter.RenderHint.Antialiasing)
        opacity = painter.opacity()
        for keypoints in result.keypoints_px:
            for piece in self._pieces:
                painter.setOpacity(opacity * piece.opacity)
                painter.setCompositionMode(piece.mode)
                piece.paint(painter, keypoints)

    def bounds(self, result: FrameResult) -> QRectF:
        """Return a part of the frame outside which nothing is painted."""
        bounds = QRectF()
        for keypoints in result.keypoints_px:
            for piece in self._pieces:
                bounds = bounds.united(piece.bounds(keypoints))
        return bounds

    def placements(self, keypoints_px: NDArray[np.float32]) -> list[QTransform | None]:
        """Return the transform from its own pixels to frame coordinates of each picture, None where there is none.

        Of a mesh it is the one that carries on outside its anchors.

        Parameters
        ----------
        keypoints_px
            (68, 2) in frame pixels.
        """
        matrices = [piece.matrix(keypoints_px) for piece in self._pieces]
        return [to_qt(matrix) if matrix is not None else None for matrix in matrices]


def inside(folder: Path, image: str) -> Path:
    """Return the path of an image of an overlay.

    Raises
    ------
    OverlayError
        If a link leads out of the folder.
    """
    path = folder / image
    try:
        is_inside = path.resolve().is_relative_to(folder.resolve())
    except (OSError, ValueError, RuntimeError):
        is_inside = False
    if not is_inside:
        raise OverlayError("the overlay's picture {path} leads outside its own folder; put it inside", path=path)
    return path


class _Piece:
    """A picture that moves as a whole: by a similarity, an affine transform or a perspective."""

    margin = 0.0

    def __init__(self, path: Path, picture: PictureDescription, *, mirrored: bool) -> None:
        self._artwork = Artwork(path, mirrored=mirrored, margin=self.margin)
        self.opacity, self.mode, self._fit = picture.opacity, _MODES[picture.blend], picture.fit
        self._source = _points(picture.anchors, mirrored=mirrored)
        self._weights = anchor_weights(picture.anchors, flipped=mirrored)
        rect = self._artwork.rect
        self._rect = rect
        self._corners = np.array([(x, y) for x in (rect.left(), rect.right()) for y in (rect.top(), rect.bottom())])

    def matrix(self, keypoints_px: NDArray[np.float32]) -> NDArray[np.float64] | None:
        target = targets(self._weights, keypoints_px)
        return None if target is None else self._fitted(target)

    def _fitted(self, target: NDArray[np.float64]) -> NDArray[np.float64] | None:
        matrix = fitted(self._fit, self._source, target)
        if matrix is not None and not is_in_front(matrix, self._corners):
            matrix = fitted(Fit.AFFINE, self._source, target)
        if matrix is None or np.abs(mapped(matrix, self._corners)).max() > _FARTHEST_PX:
            return None
        return matrix

    def bounds(self, keypoints_px: NDArray[np.float32]) -> QRectF:
        matrix = self.matrix(keypoints_px)
        return QRectF() if matrix is None else _bounds(mapped(matrix, self._corners))

    def paint(self, painter: QPainter, keypoints_px: NDArray[np.float32]) -> None:
        matrix = self.matrix(keypoints_px)
        if matrix is None:
            return
        painter.save()
        painter.setTransform(to_qt(matrix), combine=True)
        level = self._artwork.level(_scale(painter.deviceTransform(), self._rect.center()))
        painter.drawImage(self._rect, level.image)
        painter.restore()


class _MeshPiece(_Piece):
    """A picture that bends: triangles between the anchors, and on to the picture's rim as the anchors near it tell.

    Triangles that a turned head folds away are left out: what they would show is behind others.
    """

    margin = 0.01

    def __init__(self, path: Path, picture: PictureDescription, *, mirrored: bool) -> None:
        super().__init__(path, picture, mirrored=mirrored)
        rect = self._rect
        for x, y in self._source:
            if not (rect.left() <= x <= rect.right() and rect.top() <= y <= rect.bottom()):
                raise OverlayError(
                    "the overlay's picture {path} has an anchor of a mesh outside it, at {place}; put it inside",
                    path=path,
                    place=f"({abs(x):g}, {y:g})",
                )
        # Points around the picture, a little outside so that none coincides with an anchor on its edge.
        rim = rim_of(rect, self.margin * max(rect.width(), rect.height()))
        self._net = np.concatenate([rim, self._source])
        self._net_weights = np.concatenate([follow_weights(self._source, rim), np.eye(len(self._source))])
        # Where a turned head makes triangles overlap, the nose is in front of a cheek, and all are before the rim.
        depth_mm = np.concatenate([np.full(len(rim), 200.0), self._weights @ MODEL_MM[:, 2]])
        triangles = delaunay(self._net)
        self._triangles = triangles[np.argsort(-depth_mm[triangles].sum(axis=1), kind="stable")]
        self._own_areas = signed_areas(self._net[self._triangles])

    def _moved_net(self, keypoints_px: NDArray[np.float32]) -> NDArray[np.float64] | None:
        target = targets(self._weights, keypoints_px)
        if target is None:
            return None
        net: NDArray[np.float64] = self._net_weights @ target
        return net if np.abs(net).max() <= _FARTHEST_PX else None

    def bounds(self, keypoints_px: NDArray[np.float32]) -> QRectF:
        net = self._moved_net(keypoints_px)
        return QRectF() if net is None else _bounds(net)

    def paint(self, painter: QPainter, keypoints_px: NDArray[np.float32]) -> None:
        net = self._moved_net(keypoints_px)
        sheet = None if net is None else Sheet(painter, _bounds(net))
        if net is None or sheet is None or sheet.is_empty:
            return
        areas = signed_areas(net[self._triangles])
        shown = areas > 1e-3 * self._own_areas * np.abs(areas).sum() / self._own_areas.sum()
        if not shown.any():
            return
        grown = math.sqrt(areas[shown].sum() / self._own_areas[shown].sum())
        level = self._artwork.level(grown * _scale(painter.deviceTransform(), QPointF(*net.mean(axis=0))))
        triangles = self._triangles[shown]
        on_sheet = _through(sheet.to_sheet, net)
        corners = on_sheet[triangles]
        brushes = _between(_through(level.to_pixels, self._net)[triangles], corners)
        points = [QPointF(x, y) for x, y in on_sheet.tolist()]
        mesh_painter = QPainter(sheet.image)
        # Neither smooth edges nor mixing: each pixel belongs to exactly one triangle, so that no seam can show.
        mesh_painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        mesh_painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Source)
        mesh_painter.setPen(Qt.PenStyle.NoPen)
        brush = QBrush(level.image)
        for (a, b, c), to_sheet in zip(triangles.tolist(), brushes.tolist(), strict=True):
            brush.setTransform(QTransform(*to_sheet))
            mesh_painter.setBrush(brush)
            mesh_painter.drawPolygon([points[a], points[b], points[c]])
        mesh_painter.end()
        sheet.put()


def _points(anchors: Sequence[Anchor], *, mirrored: bool) -> NDArray[np.float64]:
    points = np.array([anchor.image_px for anchor in anchors], np.float64)
    return points * (-1, 1) if mirrored else points


def _bounds(points: NDArray[np.float64]) -> QRectF:
    (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
    return QRectF(left - 1, top - 1, right - left + 2, bottom - top + 2)


def _scale(transform: QTransform, at: QPointF) -> float:
    """Return how many device pixels long a unit is at a point, in the mean of all directions."""
    centre, right, below = (transform.map(at + step) for step in (QPointF(0, 0), QPointF(1e-3, 0), QPointF(0, 1e-3)))
    across, down = right - centre, below - centre
    return 1e3 * math.sqrt(abs(across.x() * down.y() - across.y() * down.x()))


def _through(transform: QTransform, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return points after an affine transform."""
    linear = np.array([[transform.m11(), transform.m12()], [transform.m21(), transform.m22()]])
    moved: NDArray[np.float64] = points @ linear + (transform.dx(), transform.dy())
    return moved


def _between(source: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the affine transforms, (T, 6) in Qt's order, that take (T, 3, 2) triangles to others."""
    linear = np.linalg.solve(source[:, 1:] - source[:, :1], target[:, 1:] - target[:, :1])
    shift = target[:, 0] - (source[:, :1] @ linear)[:, 0]
    transforms: NDArray[np.float64] = np.concatenate([linear.reshape(-1, 4), shift], axis=1)
    return transforms
