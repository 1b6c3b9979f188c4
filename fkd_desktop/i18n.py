"""Translation: choosing the language, and saying errors of Qt-free modules in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QCoreApplication

if TYPE_CHECKING:
    from trainer.core.errors import FkdError

ERRORS_CONTEXT: Final = "errors"


def translated(error: FkdError) -> str:
    """Return an error's sentence in the application's language, or in English where there is no translation."""
    text = QCoreApplication.translate(ERRORS_CONTEXT, error.text)
    return text.format(**error.values) if error.values else text
