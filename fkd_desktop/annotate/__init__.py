"""Working through files without a window: the same pipeline and painters as on the screen, into files.

`cli` is the command `fkd-annotate`; `clip` is what the application does where there is no display.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fkd_desktop.annotate.clip import AnnotationSummary, annotate, once

__all__ = ["AnnotationSummary", "annotate", "once"]


def __getattr__(name: str) -> object:
    """Load the pipeline when it is asked for: `fkd-annotate --help` needs none."""
    if name in __all__:
        return getattr(import_module("fkd_desktop.annotate.clip"), name)
    raise AttributeError(name)
