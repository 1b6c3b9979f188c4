"""The loop that draws what a network makes of the newest picture, at a rate that leaves the live session its core.

Nothing here imports torch: the inspection comes ready made, and only this loop's thread uses it.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Literal

from fkd_desktop.live.latest import LatestSlot
from trainer.feature_maps import draw_bars, draw_maps, fit_bars, fit_grid

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from fkd_desktop.live.result import FrameResult
    from trainer.feature_maps import Colours, Contrast, Sheet
    from trainer.inspection import Inspection

View = Literal["maps", "kernels", "input"]

MOST_A_SECOND: Final = 15
_RATE_WINDOW_S: Final = 2.0
_STILL_S: Final = 2.0
"""After so long without a new frame the live picture counts as standing still."""


@dataclass(frozen=True)
class Wish:
    """What to draw.

    Attributes
    ----------
    view
        The maps of a layer, the kernels of the first convolution, or the crop that the network sees.
    layer
        Name of the layer whose maps are wanted.
    room_px
        Width and height of the room for them.
    cell_px
        Longer side of a map; None for as large as fits.
    first
        Number of the first map on the page.
    colours, contrast
        See `trainer.feature_maps`.
    is_single
        Show only the map `first`, as large as fits.
    face
        Which of the picture's faces, from 0; the last one where there are fewer.
    """

    view: View = "maps"
    layer: str = ""
    room_px: tuple[int, int] = (640, 480)
    cell_px: int | None = None
    first: int = 0
    colours: Colours = "viridis"
    contrast: Contrast = "each"
    is_single: bool = False
    face: int = 0


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture from a file and the faces in it.

    Attributes
    ----------
    name
        Of the file.
    image_bgr
        (H, W, 3) uint8.
    boxes_xywh
        (N, 4) float32 face boxes, from left to right.
    """

    name: str
    image_bgr: NDArray[np.uint8]
    boxes_xywh: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Page:
    """What was drawn.

    Attributes
    ----------
    wish
        What was wanted.
    sheet
        Maps, bars or kernels; None for the view of the crop, and where there is nothing to draw.
    values
        All maps, bars or kernels of the layer as numbers; None where there are none.
    crop, points_unit
        (S, S) uint8 and (68, 2) float32, for the view of the crop.
    faces
        How many faces the picture has; None where no picture is needed or there is none yet.
    per_s
        How many live pages came in the last seconds, 0 if the live picture stands still; None for a picture from a
        file, kernels, while paused, and for the first page.
    """

    wish: Wish
    sheet: Sheet | None = None
    values: NDArray[np.float32] | None = None
    crop: NDArray[np.uint8] | None = None
    points_unit: NDArray[np.float32] | None = None
    faces: int | None = None
    per_s: float | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether there is no live picture yet."""
        return self.wish.view != "kernels" and self.faces is None


@dataclass(frozen=True)
class _Orders:
    wish: Wish = field(default_factory=Wish)
    picture: Picture | None = None
    paused: bool = False
    number: int = 0
    """Each change has its own, so that none is missed."""


@dataclass(frozen=True, eq=False)
class _Subject:
    source: object
    image_bgr: NDArray[np.uint8]
    boxes_xywh: NDArray[np.float32]


class InspectionWorker:
    """Draws pages for one inspection. `run` is the only thing that belongs into another thread.

    Parameters
    ----------
    inspection
        Belongs to the worker from now on.
    frame_source
        Gives the newest live result, or None; asked in the worker's thread.
    on_page
        Called in the worker's thread when there is a page to `take` and there was none before: frames never queue up.
    """

    def __init__(
        self,
        inspection: Inspection,
        *,
        frame_source: Callable[[], FrameResult | None],
        on_page: Callable[[], object],
    ) -> None:
        self._inspection, self._frame_source, self._on_page = inspection, frame_source, on_page
        self._changed = threading.Condition()
        self._orders = _Orders()
        self._ended = False
        self._slot: LatestSlot[Page] = LatestSlot()
        self._subject: _Subject | None = None
        self._kept: tuple[tuple[Any, ...], NDArray[np.float32]] | None = None
        self._drawn_s: deque[float] = deque()

    def order(self, **changes: Any) -> None:
        """Change `wish`, `picture` or `paused`; returns at once."""
        with self._changed:
            self._orders = replace(self._orders, number=self._orders.number + 1, **changes)
            self._changed.notify_all()

    def take(self) -> Page | None:
        """Take the newest page, if there is one that was not taken yet."""
        return self._slot.take()

    def end(self) -> None:
        """Make `run` return as soon as it has drawn what it is at."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def run(self) -> None:
        """Draw until `end`: again when something was ordered, and when there is a new frame."""
        seen = -1
        while not self._ended:
            start_s = time.perf_counter()
            orders = self._orders
            if self._look(orders) or orders.number != seen:
                self._put(self._draw(orders))
            seen = orders.number
            took_s = time.perf_counter() - start_s
            with self._changed:
                # As long again as it took: half of a core is the most that this thread ever takes.
                self._changed.wait_for(lambda: self._ended, took_s)
                rest_s = 1 / MOST_A_SECOND - 2 * took_s
                if rest_s > 0:
                    self._changed.wait_for(lambda: self._ended or self._orders.number != seen, rest_s)  # noqa: B023

    def _put(self, page: Page) -> None:
        if self._slot.put(page):
            self._on_page()

    def _look(self, orders: _Orders) -> bool:
        """Get the newest picture; whether it is a new live frame, or the live picture has just come to a stop."""
        if orders.wish.view == "kernels":
            return False
        if orders.picture is not None:
            if self._subject is None or self._subject.source is not orders.picture:
                self._subject = _Subject(orders.picture, orders.picture.image_bgr, orders.picture.boxes_xywh)
            self._drawn_s.clear()
            return False
        if self._subject is not None and isinstance(self._subject.source, Picture):
            self._subject = None
        if orders.paused and self._subject is not None:
            self._drawn_s.clear()
            return False
        result = self._frame_source()
        if result is not None and (self._subject is None or result is not self._subject.source):
            self._subject = _Subject(result, result.frame_bgr, result.boxes_xywh)
            self._drawn_s.append(time.perf_counter())
            return True
        if self._drawn_s and time.perf_counter() - self._drawn_s[-1] > _STILL_S:
            self._drawn_s.clear()
            return True
        return False

    def _draw(self, orders: _Orders) -> Page:
        wish, subject = orders.wish, self._subject
        page = Page(wish)
        if wish.view == "kernels":
            kernels = self._values(("kernels",), self._inspection.kernels)
            return replace(page, values=kernels, sheet=_sheet(kernels, wish) if len(kernels) else None)
        if subject is None:
            return page
        is_live = not isinstance(subject.source, Picture)
        faces = len(subject.boxes_xywh)
        face = min(wish.face, faces - 1)
        crop = self._inspection.crop_of(subject.image_bgr, subject.boxes_xywh[face] if faces else None)
        page = replace(page, crop=crop, faces=faces)
        if wish.view == "input":
            page = replace(page, points_unit=self._inspection.keypoints(crop) if faces else None)
        elif wish.layer:
            key = (subject, face, wish.layer)
            values = self._values(key, lambda: self._inspection.activations(crop, wish.layer))
            page = replace(page, values=values, sheet=_sheet(values, wish))
        return replace(page, per_s=self._rate()) if is_live and not orders.paused else page

    def _values(self, key: tuple[Any, ...], compute: Callable[[], NDArray[np.float32]]) -> NDArray[np.float32]:
        """Compute, unless only how it is drawn has changed."""
        if self._kept is None or self._kept[0] != key:
            self._kept = key, compute()
        return self._kept[1]

    def _rate(self) -> float | None:
        """Frames a second over the last seconds, or since the last two; 0 after they stopped, None after the first."""
        while len(self._drawn_s) > 2 and self._drawn_s[-1] - self._drawn_s[0] > _RATE_WINDOW_S:
            self._drawn_s.popleft()
        if len(self._drawn_s) < 2:
            return None if self._drawn_s else 0.0
        return (len(self._drawn_s) - 1) / (self._drawn_s[-1] - self._drawn_s[0])


def _sheet(values: NDArray[np.float32], wish: Wish) -> Sheet:
    if values.ndim == 1:
        bars = fit_bars(len(values), wish.room_px)
        return draw_bars(values, bars, first=_page_start(wish.first, bars.capacity, len(values)), colours=wish.colours)
    height, width = values.shape[1:]
    count = 1 if wish.is_single else len(values)
    grid = fit_grid(count, (width, height), wish.room_px, cell_px=None if wish.is_single else wish.cell_px)
    first = _page_start(wish.first, grid.capacity, len(values))
    return draw_maps(values, grid, first=first, colours=wish.colours, contrast=wish.contrast)


def _page_start(wanted: int, capacity: int, count: int) -> int:
    """Return the number that begins the page on which the wanted one is."""
    return min(max(wanted, 0), count - 1) // capacity * capacity
