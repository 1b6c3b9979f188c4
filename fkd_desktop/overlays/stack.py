"""The overlays that are on: what screen, snapshots and recordings take their layers from."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Signal

from fkd_desktop.errors import OverlayError
from fkd_desktop.i18n import translated
from fkd_desktop.overlays.styled import StyledLayer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fkd_desktop.overlays.layer import Layer
    from fkd_desktop.overlays.library import OverlayLibrary

_LONGEST_TEXT: Final = 100_000


@dataclass(frozen=True)
class ActiveOverlay:
    """An overlay that is on.

    Attributes
    ----------
    name
        See `OverlayInfo`.
    opacity
        In [0, 1].
    face_id
        The only face that gets it; None for every face.
    """

    name: str
    opacity: float = 1.0
    face_id: int | None = None


class OverlayStack(QObject):
    """Which overlays are on, back to front, how opaque and on whom.

    Parameters
    ----------
    library
        Where they come from.
    """

    changed = Signal()
    """What is painted is another now."""
    failed = Signal(str)
    """An overlay could not be loaded: a sentence for the user. It is off."""

    def __init__(self, library: OverlayLibrary, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._library = library
        self._active: tuple[ActiveOverlay, ...] = ()
        self._layers: tuple[Layer, ...] = ()

    @property
    def active(self) -> tuple[ActiveOverlay, ...]:
        """What is on, back to front."""
        return self._active

    def layers(self) -> tuple[Layer, ...]:
        """Return the layers of what is on, back to front: they never change, and may be painted in another thread."""
        return self._layers

    def privacy_layers(self) -> tuple[Layer, ...]:
        """Return the layers that hide faces, of those that are on: what is kept without overlays keeps these."""
        pairs = zip(self._active, self._layers, strict=True)
        return tuple(layer for overlay, layer in pairs if self._library.info(overlay.name).opacity_fixed)

    def is_on(self, name: str) -> bool:
        """Whether an overlay is on."""
        return any(overlay.name == name for overlay in self._active)

    def set_on(self, name: str, on: bool) -> None:
        """Switch an overlay; one that comes on goes where its order says.

        A name that the library does not know is passed over.
        """
        if on == self.is_on(name):
            return
        if not on:
            self._set(overlay for overlay in self._active if overlay.name != name)
            return
        try:
            order = self._library.info(name).order
        except KeyError:
            return
        place = next((i for i, overlay in enumerate(self._active) if self._order(overlay.name) > order), None)
        before = self._active[:place]
        self._set((*before, ActiveOverlay(name), *self._active[len(before) :]))

    def toggle(self, name: str) -> None:
        """Switch an overlay on or off."""
        self.set_on(name, not self.is_on(name))

    def set_opacity(self, name: str, value: float) -> None:
        """Change how opaque an overlay is that is on; privacy effects stay opaque whatever the value."""
        if math.isfinite(value):
            self._replace(name, opacity=min(max(float(value), 0.0), 1.0))

    def set_face(self, name: str, face_id: int | None) -> None:
        """Choose the only face that gets an overlay that is on, or None for every face."""
        self._replace(name, face_id=face_id)

    def move(self, name: str, position: int) -> None:
        """Move an overlay that is on to a place counted from the back; beyond the ends is the end."""
        moved = [overlay for overlay in self._active if overlay.name == name]
        rest = [overlay for overlay in self._active if overlay.name != name]
        position = min(max(position, 0), len(rest))
        self._set((*rest[:position], *moved, *rest[position:]))

    def clear(self) -> None:
        """Switch all off."""
        self._set(())

    def refresh(self) -> None:
        """Take what the library has now, after its `reload`: what is gone is off, what changed is painted anew."""
        self._set(self._active)

    def to_text(self) -> str:
        """Return what is on, for the settings; not on whom, for faces are numbered anew each time."""
        return json.dumps([[overlay.name, round(overlay.opacity, 3)] for overlay in self._active])

    def restore(self, text: str) -> None:
        """Switch on what `to_text` told; whatever makes no sense is passed over."""
        try:
            entries = json.loads(text[:_LONGEST_TEXT])
        except (ValueError, RecursionError):
            return
        wanted: dict[str, ActiveOverlay] = {}
        for entry in entries if isinstance(entries, list) else []:
            match entry:
                case [str(name), int() | float() as opacity] if 0 <= opacity <= 1 and self._knows(name):
                    wanted.setdefault(name, ActiveOverlay(name, float(opacity)))
                case _:
                    continue
        self._set(wanted.values())

    def _knows(self, name: str) -> bool:
        return any(info.name == name for info in self._library.infos)

    def _order(self, name: str) -> int:
        try:
            return self._library.info(name).order
        except KeyError:
            return 0

    def _replace(self, name: str, **changes: float | None) -> None:
        self._set(
            replace(overlay, **changes) if overlay.name == name else overlay  # type: ignore[arg-type]
            for overlay in self._active
        )

    def _set(self, overlays: Iterable[ActiveOverlay]) -> None:
        """Make these the ones that are on, without those that cannot be loaded, and tell if that is a change."""
        active: list[ActiveOverlay] = []
        layers: list[Layer] = []
        failures: list[str] = []
        before = dict(zip(self._active, self._layers, strict=True))
        for overlay in overlays:
            try:
                layer = self._library.layer(overlay.name)
            except KeyError:
                continue
            except OverlayError as error:
                failures.append(translated(error))
                continue
            active.append(overlay)
            layers.append(self._styled(layer, overlay, before.get(overlay)))
        if tuple(active) != self._active or tuple(layers) != self._layers:
            self._active, self._layers = tuple(active), tuple(layers)
            self.changed.emit()
        for sentence in failures:
            self.failed.emit(sentence)

    @staticmethod
    def _styled(layer: Layer, overlay: ActiveOverlay, known: Layer | None) -> Layer:
        """Return the layer as it is wanted: the very one that is there already, if nothing changed."""
        if overlay.opacity == 1 and overlay.face_id is None:
            return layer
        if isinstance(known, StyledLayer) and known.wraps(layer):
            return known
        return StyledLayer(layer, opacity=overlay.opacity, face_id=overlay.face_id)
