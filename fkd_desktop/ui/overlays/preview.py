"""The layer that a draft would be: the engine's own, so that the editor shows what will be painted."""

from __future__ import annotations

import logging
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtGui import QImage

from fkd_desktop.errors import OverlayError
from fkd_desktop.overlays import PictureLayer
from fkd_desktop.ui.overlays.picture_file import shrunk

if TYPE_CHECKING:
    from fkd_desktop.overlays import Layer
    from fkd_desktop.overlays.description import Anchor
    from fkd_desktop.ui.overlays.draft import Draft
    from fkd_desktop.ui.overlays.picture_file import Picture

PREVIEW_PX: Final = 640
"""Longest side of the copy that is painted in the editor: the layer is made anew for every step of a drag."""
_FAST: Final = 100
"""PNG without compression: quick to write and to read."""

_log = logging.getLogger(__name__)


class Preview:
    """Makes layers of drafts, from a smaller copy of the picture in a folder of its own."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="fkd-overlay-", ignore_cleanup_errors=True)
        self._picture: Picture | None = None
        self._size = (1, 1)
        self._name = ""
        self._count = 0

    def layer(self, draft: Draft) -> Layer | None:
        """Return the layer; None where there is no picture yet, or nothing that ties it down."""
        picture = draft.picture
        if picture is None or not draft.is_tied_down:
            return None
        try:
            if picture is not self._picture:
                self._write(picture)
            (description,) = draft.description(self._name).pictures
            anchors = tuple(self._scaled(anchor, picture) for anchor in description.anchors)
            return PictureLayer("draft", draft.title, Path(self._folder.name), [replace(description, anchors=anchors)])
        except OverlayError as error:
            _log.warning("the preview cannot be made: %s", error)
            return None

    def close(self) -> None:
        """Delete the copy."""
        self._folder.cleanup()

    def _write(self, picture: Picture) -> None:
        image: QImage = shrunk(picture.image, PREVIEW_PX)
        self._count += 1
        self._name = f"{self._count}.png"  # one of its own each: an engine may keep what it has read
        path = str(Path(self._folder.name) / self._name)
        if not image.save(path, "PNG", _FAST):  # type: ignore[call-overload]
            raise OverlayError("{path} cannot be written; make room for temporary files", path=path)
        self._picture, self._size = picture, (image.width(), image.height())

    def _scaled(self, anchor: Anchor, picture: Picture) -> Anchor:
        x, y = anchor.image_px
        rect, (width, height) = picture.rect, self._size
        return replace(
            anchor,
            image_px=(
                (x - rect.left()) * width / rect.width(),
                (y - rect.top()) * height / rect.height(),
            ),
        )
