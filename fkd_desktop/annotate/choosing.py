"""From the names of overlays to the layers that are painted."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fkd_desktop.errors import OverlayError
from fkd_desktop.overlays.description import DESCRIPTION_NAME
from fkd_desktop.overlays.description_file import read_description
from fkd_desktop.overlays.loading import check_overlay, load_overlay
from trainer.core.files import expanded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fkd_desktop.overlays import Layer, OverlayLibrary

NO_OVERLAY: Final = "none"


def choose_layers(names: Sequence[str], library: OverlayLibrary) -> tuple[Layer, ...]:
    """Return layers in the order in which they are painted, back to front: that of the overlays, not of the names.

    Parameters
    ----------
    names
        Each an overlay's name, the folder of one, or `NO_OVERLAY`, which is passed over.
    library
        What there is.

    Raises
    ------
    OverlayError
        If there is no such overlay, or it is broken.
    """
    chosen: dict[str, tuple[int, Layer]] = {}
    for name in names:
        if name != NO_OVERLAY and name not in chosen:
            chosen[name] = _find(name, library)
    return tuple(layer for _, layer in sorted(chosen.values(), key=lambda entry: entry[0]))


def _find(name: str, library: OverlayLibrary) -> tuple[int, Layer]:
    """(order, layer) of one overlay."""
    try:
        return library.info(name).order, library.layer(name)
    except KeyError:
        pass
    folder = expanded(Path(name))
    if os.path.isfile(folder / DESCRIPTION_NAME):  # noqa: PTH113 (pathlib's raises for too long a name)
        description = read_description(folder / DESCRIPTION_NAME)
        check_overlay(folder, description)
        return description.order, load_overlay(folder.resolve().name, folder)
    if reason := next((broken.reason for broken in library.broken if broken.folder.name == name), None):
        raise OverlayError("the overlay {name} cannot be used: {reason}", name=name, reason=reason)
    raise OverlayError(
        "there is no overlay {name}; choose from {names}, or give the folder of one",
        name=name,
        names=", ".join(info.name for info in library.infos),
    )
