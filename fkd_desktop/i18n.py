"""Translation: choosing the language, and saying errors of Qt-free modules in it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QTranslator

from trainer.core.resources import assets_dir

if TYPE_CHECKING:
    from trainer.core.errors import FkdError

_log = logging.getLogger(__name__)

LANGUAGES: Final = {"en": "English", "de": "Deutsch"}
"""What the application speaks, by code, in its own words."""
ERRORS_CONTEXT: Final = "errors"


def translated(error: FkdError) -> str:
    """Return an error's sentence in the application's language, or in English where there is no translation."""
    text = QCoreApplication.translate(ERRORS_CONTEXT, error.text)
    return text.format(**error.values) if error.values else text


def install_language(code: str = "") -> str:
    """Let the application speak a language from now on; to be called once, before there is a window.

    Parameters
    ----------
    code
        One of `LANGUAGES`; empty for the first of the system's languages that is one of them.

    Returns
    -------
    The code of the language, "en" where there is none better.
    """
    application = QCoreApplication.instance()
    assert application is not None
    language = code if code in LANGUAGES else _system_language()
    QLocale.setDefault(QLocale(language) if code else QLocale.system())
    for name, folder in (
        ("qtbase", QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)),  # buttons of Qt's own dialogs
        ("fkd_desktop", str(assets_dir() / "translations")),
    ):
        translator = QTranslator(application)
        if translator.load(f"{name}_{language}", folder):
            application.installTranslator(translator)
        elif name == "fkd_desktop":
            # English too has one: for the plural forms.
            _log.warning("there is no translation into %r in %s", language, folder)
    return language


def _system_language() -> str:
    wanted = (name.split("-")[0] for name in QLocale.system().uiLanguages())
    return next((code for code in wanted if code in LANGUAGES), "en")
