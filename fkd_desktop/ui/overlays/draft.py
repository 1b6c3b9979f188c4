"""An overlay that is being made: what it consists of, and what a user does to it, step by step and back."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QUndoCommand, QUndoStack

from fkd_desktop.overlays.description import Anchor, Blend, Fit, OverlayDescription, PictureDescription
from fkd_desktop.ui.overlays.snapping import Place, places
from trainer.core.keypoints import LEFT_EYE, RIGHT_EYE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from numpy.typing import NDArray

    from fkd_desktop.ui.overlays.picture_file import Picture

PresetName = Literal["glasses", "hat", "moustache", "face"]

MIN_ANCHORS: Final = 2
MAX_ANCHORS: Final = 8
MAX_TITLE_LENGTH: Final = 60


@dataclass(frozen=True)
class Preset:
    """Where anchors go for a kind of picture.

    Attributes
    ----------
    anchors
        ``image_px`` in shares (0 to 1) of the part of the picture that is not transparent.
    order
        How far in front it lies.
    """

    anchors: tuple[Anchor, ...]
    order: int


PRESETS: Final[Mapping[PresetName, Preset]] = {
    "glasses": Preset((Anchor((0.25, 0.5), RIGHT_EYE), Anchor((0.75, 0.5), LEFT_EYE)), 50),
    "hat": Preset((Anchor((0.2, 0.94), (17,)), Anchor((0.8, 0.94), (26,))), 40),
    "moustache": Preset((Anchor((0.22, 0.55), (31, 48)), Anchor((0.78, 0.55), (35, 54))), 60),
    "face": Preset((Anchor((0.3, 0.42), RIGHT_EYE), Anchor((0.7, 0.42), LEFT_EYE), Anchor((0.5, 0.97), (8,))), 30),
}


@dataclass(frozen=True)
class Draft:
    """All that is saved of an overlay of one picture.

    Attributes
    ----------
    title
        What it is called.
    picture
        None before one was chosen.
    anchors
        Its anchors; as many as there are decide how freely the picture is bent.
    opacity
        0 to 1.
    blend
        How its colours mix with the frame's.
    mirror
        Whether it is painted once more on the other half of the face.
    order
        A higher one lies in front.
    fit
        What the picture may do to follow; None for what the number of anchors means.
    """

    title: str = ""
    picture: Picture | None = None
    anchors: tuple[Anchor, ...] = field(default=())
    opacity: float = 1.0
    blend: Blend = Blend.NORMAL
    mirror: bool = False
    order: int = 50
    fit: Fit | None = None

    def description(self, image_name: str) -> OverlayDescription:
        """Return what is written into the overlay's folder.

        Parameters
        ----------
        image_name
            The picture's file there.
        """
        fit = Fit.of_count(len(self.anchors)) if self.fit is None else self.fit
        picture = PictureDescription(image_name, self.anchors, fit, self.blend, self.opacity, self.mirror)
        return OverlayDescription(self.title.strip(), (picture,), order=self.order)

    @property
    def is_tied_down(self) -> bool:
        """Whether its anchors say where every point of the picture goes: not if they are on one line."""
        points = np.array([anchor.image_px for anchor in self.anchors])
        fit = Fit.of_count(len(points)) if self.fit is None else self.fit
        if len(points) < MIN_ANCHORS or fit is Fit.SIMILARITY:
            return len(points) >= MIN_ANCHORS
        if fit is Fit.PERSPECTIVE and len(points) == 4:
            return not any(_are_on_a_line(np.delete(points, i, axis=0)) for i in range(4))
        return not _are_on_a_line(points)

    def with_preset(self, name: PresetName) -> Draft:
        """Return it with the anchors and the order of a kind of picture."""
        if self.picture is None:
            return self
        preset, drawn = PRESETS[name], self.picture.drawn
        anchors = tuple(
            Anchor(
                (drawn.left() + anchor.image_px[0] * drawn.width(), drawn.top() + anchor.image_px[1] * drawn.height()),
                anchor.keypoints,
            )
            for anchor in preset.anchors
        )
        return replace(self, anchors=anchors, order=preset.order, fit=None)


class _Change(QUndoCommand):
    """From one draft to another. Changes with the same key in a row, as of one drag, are one step."""

    def __init__(self, document: Document, text: str, after: Draft, key: str) -> None:
        super().__init__(text)
        self._document, self._before, self._after, self._key = document, document.draft, after, key

    def id(self) -> int:
        """See `QUndoCommand.id`: equal ones are offered to `mergeWith`."""
        return 1 if self._key else -1

    def mergeWith(self, other: QUndoCommand) -> bool:
        """See `QUndoCommand.mergeWith`."""
        if not isinstance(other, _Change) or other._key != self._key:
            return False
        self._after = other._after
        self.setObsolete(self._after == self._before)  # dragged back to where it was
        return True

    def redo(self) -> None:
        """See `QUndoCommand.redo`."""
        self._document._show(self._after)

    def undo(self) -> None:
        """See `QUndoCommand.undo`."""
        self._document._show(self._before)


class Document(QObject):
    """The draft in the editor, with undo."""

    changed = Signal()
    """The draft is another one."""
    selection_changed = Signal(int)
    """Number of the anchor that keys act on."""
    steps_changed = Signal()
    """Other steps can be undone or redone."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._draft = Draft()
        self._selected = 0
        self.undo_stack = QUndoStack(self)
        # Through a slot of the owner, which is cut off before the stack is emptied for the last time.
        self.undo_stack.indexChanged.connect(self._on_undo_stack_index_changed)

    @Slot()
    def _on_undo_stack_index_changed(self) -> None:
        self.steps_changed.emit()

    # --- what there is

    @property
    def draft(self) -> Draft:
        """The overlay as it is now."""
        return self._draft

    @property
    def selected(self) -> int:
        """Number of the anchor that keys act on."""
        return self._selected

    @selected.setter
    def selected(self, number: int) -> None:
        number = min(max(number, 0), max(len(self._draft.anchors) - 1, 0))
        if number != self._selected:
            self._selected = number
            self.selection_changed.emit(number)

    @property
    def is_modified(self) -> bool:
        """Whether something would be lost now."""
        return not self.undo_stack.isClean()

    def start_with(self, draft: Draft) -> None:
        """Begin anew, with nothing to undo."""
        self.undo_stack.clear()
        self._selected = 0
        self._show(draft)

    # --- what a user does

    def set_picture(self, picture: Picture) -> None:
        """Take a picture; anchors of one of the same size stay, else it is put on like glasses.

        The overlay is called like the file unless somebody gave it a name.
        """
        old, title = self._draft.picture, self._draft.title
        if not title or (old is not None and title == old.title[:MAX_TITLE_LENGTH]):
            title = picture.title[:MAX_TITLE_LENGTH]
        draft = replace(self._draft, picture=picture, title=title)
        if old is None or old.rect != picture.rect or not draft.anchors:
            draft = draft.with_preset("glasses")
        self._do(self.tr("choosing a picture"), draft)

    def apply_preset(self, name: PresetName) -> None:
        """Put the anchors where they belong for a kind of picture."""
        self.selected = 0
        self._do(self.tr("placing the picture"), self._draft.with_preset(name))

    def change(self, text: str, key: str = "", **values: Any) -> None:
        """Change fields of the draft; changes in a row with the same key are undone together."""
        self._do(text, replace(self._draft, **values), key)

    def move_on_picture(self, number: int, image_px: tuple[float, float], key: str) -> None:
        """Move an anchor on the picture; it stays inside it and off the others."""
        picture = self._draft.picture
        if picture is None:
            return
        rect = picture.rect
        x = min(max(image_px[0], rect.left()), rect.right())
        y = min(max(image_px[1], rect.top()), rect.bottom())
        others = [anchor.image_px for i, anchor in enumerate(self._draft.anchors) if i != number]
        if any(abs(x - other[0]) < picture.unit and abs(y - other[1]) < picture.unit for other in others):
            return
        self._change_anchor(self.tr("moving an anchor"), number, key, image_px=(round(x, 3), round(y, 3)))

    def tie(self, number: int, place: Place, key: str) -> None:
        """Tie an anchor to a place of the face, unless another one is there."""
        if all(set(other) != set(place.keypoints) for other in self.taken(number)):
            self._change_anchor(self.tr("moving an anchor"), number, key, keypoints=place.keypoints)

    def taken(self, number: int) -> list[tuple[int, ...]]:
        """Return what the other anchors are tied to."""
        return [anchor.keypoints for i, anchor in enumerate(self._draft.anchors) if i != number]

    def add_anchor(self, keypoints_px: NDArray[np.float32]) -> None:
        """Add an anchor at the place that is farthest from the others, where the picture already lies on the face.

        Parameters
        ----------
        keypoints_px
            (68, 2) of the face in view.
        """
        draft = self._draft
        if draft.picture is None or len(draft.anchors) >= MAX_ANCHORS:
            return
        to_picture = _onto_picture(draft.anchors, keypoints_px, keeps_shape=draft.fit is Fit.SIMILARITY)
        here = np.array([keypoints_px[list(anchor.keypoints)].mean(axis=0) for anchor in draft.anchors])
        drawn, rect = draft.picture.drawn, draft.picture.rect
        best: tuple[float, Anchor] | None = None
        for place in places():
            if place.number is not None:
                continue
            at = place.at(keypoints_px)
            x, y = to_picture(at)
            outside = max(drawn.left() - x, x - drawn.right(), drawn.top() - y, y - drawn.bottom(), 0.0)
            # One where the picture is before one where it is not; of those, one that is far from the other anchors.
            score = _distance_px(here, at) if outside == 0 else -outside
            if best is None or score > best[0]:
                inside = (min(max(x, rect.left()), rect.right()), min(max(y, rect.top()), rect.bottom()))
                best = (score, Anchor((round(inside[0], 3), round(inside[1], 3)), place.keypoints))
        if best is not None:
            self._do(self.tr("adding an anchor"), replace(draft, anchors=(*draft.anchors, best[1])))
            self.selected = len(self._draft.anchors) - 1

    def remove_anchor(self, number: int) -> None:
        """Take an anchor away, unless too few would be left."""
        anchors = self._draft.anchors
        if len(anchors) > MIN_ANCHORS and 0 <= number < len(anchors):
            self._do(
                self.tr("removing an anchor"), replace(self._draft, anchors=anchors[:number] + anchors[number + 1 :])
            )

    def _change_anchor(self, text: str, number: int, key: str, **values: Any) -> None:
        anchors = list(self._draft.anchors)
        anchors[number] = replace(anchors[number], **values)
        self._do(text, replace(self._draft, anchors=tuple(anchors)), key)

    def _do(self, text: str, draft: Draft, key: str = "") -> None:
        if draft != self._draft:
            self.undo_stack.push(_Change(self, text, draft, key))

    def _show(self, draft: Draft) -> None:
        self._draft = draft
        self.selected = self._selected  # there may be fewer now
        self.changed.emit()


def _onto_picture(
    anchors: tuple[Anchor, ...], keypoints_px: NDArray[np.float32], *, keeps_shape: bool
) -> Callable[[NDArray[np.float32]], tuple[float, float]]:
    """Return what takes a point of the face to the picture: by least squares an affine transform, or a similarity.

    The similarity is S. Umeyama's (IEEE PAMI 13 (1991)), in the complex plane.
    """
    face = np.array([keypoints_px[list(anchor.keypoints)].mean(axis=0) for anchor in anchors], np.float64)
    picture = np.array([anchor.image_px for anchor in anchors])
    centre, middle = face.mean(axis=0), picture.mean(axis=0)
    if len(anchors) > MIN_ANCHORS and not keeps_shape:
        matrix = np.linalg.lstsq(face - centre, picture - middle, rcond=None)[0]
    else:
        z, w = (points[:, 0] + 1j * points[:, 1] for points in (face - centre, picture - middle))
        a = (np.conj(z) * w).sum() / max(float(np.square(np.abs(z)).sum()), 1e-9)
        matrix = np.array([[a.real, a.imag], [-a.imag, a.real]])

    def to_picture(at: NDArray[np.float32]) -> tuple[float, float]:
        x, y = (at - centre) @ matrix + middle
        return float(x), float(y)

    return to_picture


def _distance_px(points: NDArray[np.float32], at: NDArray[np.float32]) -> float:
    """Return how far a point is from others and from the lines through each two of them: on one it ties little down."""
    nearest = float(np.linalg.norm(points - at, axis=1).min())
    for one, other in itertools.combinations(points, 2):
        along = (other - one) / max(float(np.linalg.norm(other - one)), 1e-6)
        nearest = min(nearest, abs(float(along[0] * (at - one)[1] - along[1] * (at - one)[0])))
    return nearest


def _are_on_a_line(points: NDArray[np.float64]) -> bool:
    """Whether points are within two hundredths of their extent of one line: a little stricter than the file's check."""
    spread = np.linalg.svd(points - points.mean(axis=0), compute_uv=False)
    return bool(spread[1] <= 0.02 * spread[0])
