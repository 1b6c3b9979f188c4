"""Translation: choosing the language, and saying errors of Qt-free modules in it."""

from __future__ import annotations

import logging
import re
import string
from typing import Any, Final

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QTranslator

from trainer.core.errors import FkdError
from trainer.core.resources import assets_dir
from trainer.core.text import Text

_log = logging.getLogger(__name__)

LANGUAGES: Final = {"en": "English", "de": "Deutsch"}
"""What the application speaks, by code, in its own words."""
ERRORS_CONTEXT: Final = "errors"
"""Of everything that modules without Qt say: errors, reasons, advice."""


def translated(said: FkdError | str) -> str:
    """Return what a module without Qt says in the application's language, or in English where there is no translation.

    Parameters
    ----------
    said
        An error; or a `Text`, whose values are translated with it where they are texts themselves. Any other string
        comes back as it is.
    """
    text = said.said if isinstance(said, FkdError) else said
    if not isinstance(text, Text):
        return text
    template, values = text.template, text.values
    if "n" in values:
        # The English plural where no translator knows the text: Qt leaves "(s)" as it is.
        in_language = QCoreApplication.translate(ERRORS_CONTEXT, template, "", int(values["n"]))
        if "(s)" in in_language:
            in_language = in_language.replace("(s)", "" if values["n"] == 1 else "s")
    else:
        in_language = QCoreApplication.translate(ERRORS_CONTEXT, template)
    return _formatter.vformat(in_language, (), values) if values else in_language


class _Formatter(string.Formatter):
    """Formats as `str.format` does, with the signs of the application's language in numbers that have a format."""

    def format_field(self, value: Any, format_spec: str) -> str:
        if isinstance(value, str):
            value = translated(value)
        text = str(format(value, format_spec))
        if not format_spec or isinstance(value, str):
            return text
        return numeral(text)


_formatter: Final = _Formatter()


def numeral(text: str) -> str:
    """Write a number that was formatted in English as the application's language does: "1,234.5" is "1.234,5"."""
    locale = QLocale()
    signs = {",": locale.groupSeparator(), ".": locale.decimalPoint()}
    text = "".join(signs.get(sign, sign) for sign in text)
    # English texts here have no space before the sign in tables; German has one always.
    return re.sub(r"(?<=\d)%", "\u00a0%", text) if locale.language() is QLocale.Language.German else text


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
