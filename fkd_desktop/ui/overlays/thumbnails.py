"""Keeps the gallery's pictures live without taking the GUI thread's time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, QRectF, QTimer
from PySide6.QtGui import QImage, QPainter

from fkd_desktop.errors import OverlayError
from fkd_desktop.i18n import translated
from fkd_desktop.overlays import paint_result
from fkd_desktop.ui.overlays.faces import face_crop, model_face

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from fkd_desktop.live.result import FrameResult
    from fkd_desktop.overlays import Layer
    from fkd_desktop.overlays.library import OverlayLibrary
    from fkd_desktop.ui.overlays.tile import OverlayTile

TICK_MS: Final = 50
IDLE_MS: Final = 250
"""Between two ticks while nothing is new: which tiles are in sight is not for free."""
BUDGET_MS: Final = 2.0
"""Of the GUI thread's time a tick: a tile that took longer last time than what is left of it waits for the next one."""
TILE_EVERY_S: Final = 0.25
ROOM: Final = 1.8
"""Side of what is shown over the face's."""
MARKS_SCALE: Final = 0.6
"""Size of lines and text of drawn layers over what it is in the picture: a label would hide a small face."""
LINGER_S: Final = 1.5
"""So long the last face stays where none is found: it comes back mostly."""


class LiveThumbnails(QObject):
    """Paints the tiles in sight in turn, each with its overlay alone on the newest face; on a model where nobody is.

    The newest frame is cropped and scaled once for all tiles of a size. A tile is painted again only when there is
    another result. Nothing is done while `stop` holds.

    Parameters
    ----------
    library
        Gives the layers.
    newest_result
        The newest result of the session, or None.
    tiles
        All tiles there are.
    """

    def __init__(
        self,
        library: OverlayLibrary,
        newest_result: Callable[[], FrameResult | None],
        tiles: Callable[[], Iterable[OverlayTile]],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._library, self._newest_result, self._tiles = library, newest_result, tiles
        self._source: FrameResult | None = None
        self._crops: dict[int, FrameResult] = {}
        self._seen_s = -LINGER_S
        self._timer = QTimer(self, interval=TICK_MS)
        self._timer.timeout.connect(self.tick)
        self._mirrored = False
        self.tick_ms = 0.0
        self.painted_count = 0

    @property
    def is_running(self) -> bool:
        """Whether tiles are kept live."""
        return self._timer.isActive()

    def start(self) -> None:
        """Keep tiles live."""
        self._timer.start()

    def stop(self) -> None:
        """Leave tiles as they are."""
        self._timer.stop()

    @property
    def mirrored(self) -> bool:
        """Whether faces are shown as in a mirror."""
        return self._mirrored

    @mirrored.setter
    def mirrored(self, mirrored: bool) -> None:
        if mirrored != self._mirrored:
            self._mirrored = mirrored
            self.forget()

    def forget(self) -> None:
        """Paint every tile anew: overlays are other ones now."""
        self._source, self._crops = None, {}
        for tile in self._tiles():
            tile.shown_face, tile.painted_s = None, 0.0

    def tick(self) -> None:
        """Paint those tiles in sight that have waited longest, as many as the budget allows."""
        start_s = time.perf_counter()
        waiting = [
            tile
            for tile in self._tiles()
            if start_s - tile.painted_s >= TILE_EVERY_S and not tile.visibleRegion().isEmpty()
        ]
        if not waiting or waiting[0].window().isMinimized():
            return
        self._take_newest(start_s)
        has_painted = has_new = False
        for tile in sorted(waiting, key=lambda tile: tile.painted_s):
            face = self._crop(round(tile.side_px * tile.devicePixelRatioF()))
            if face is tile.shown_face:
                continue
            has_new = True
            begin_s = time.perf_counter()
            if has_painted and 1000 * (begin_s - start_s) + tile.cost_ms > BUDGET_MS:
                break
            self._paint(tile, face, start_s)
            tile.cost_ms = 1000 * (time.perf_counter() - begin_s)
            has_painted = True
        interval_ms = TICK_MS if has_new else IDLE_MS
        if self._timer.interval() != interval_ms:
            self._timer.setInterval(interval_ms)
        self.tick_ms = 1000 * (time.perf_counter() - start_s)

    def _paint(self, tile: OverlayTile, face: FrameResult, now_s: float) -> None:
        try:
            layer = self._library.layer(tile.name)
        except OverlayError as error:
            tile.show_failure(translated(error))
            tile.shown_face, tile.painted_s = face, now_s
            return
        image = paint_thumbnail(face, layer, tile.devicePixelRatioF(), mirrored=self._mirrored)
        tile.show_image(image, face, now_s)
        self.painted_count += 1

    def _take_newest(self, now_s: float) -> None:
        newest = self._newest_result()
        if newest is not None and len(newest):
            self._seen_s = now_s
        elif newest is not None and now_s - self._seen_s < LINGER_S and self._source is not None:
            return
        else:
            newest = model_face()
        if newest is not self._source:
            self._source, self._crops = newest, {}

    def _crop(self, side_px: int) -> FrameResult:
        if side_px not in self._crops:
            assert self._source is not None
            crop = face_crop(self._source, room=ROOM, side_px=side_px)
            assert crop is not None, "only results with a face are taken"
            self._crops[side_px] = crop
        return self._crops[side_px]


def paint_thumbnail(
    face: FrameResult, layer: Layer, device_pixel_ratio: float = 1.0, *, mirrored: bool = False
) -> QImage:
    """Paint one layer on a face.

    Parameters
    ----------
    face
        A square frame, as large as the thumbnail in device pixels.
    layer
        What is painted over it.
    device_pixel_ratio
        Device pixels a logical pixel.
    mirrored
        Show it as in a mirror.
    """
    side_px = face.frame_bgr.shape[0]
    ratio = MARKS_SCALE * device_pixel_ratio
    image = QImage(side_px, side_px, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(ratio)
    painter = QPainter(image)
    target = QRectF(0, 0, side_px / ratio, side_px / ratio)
    paint_result(painter, target, face, (layer,), mirrored=mirrored)
    painter.end()
    image.setDevicePixelRatio(1.0)  # a brush made of it counts in its pixels
    return image
