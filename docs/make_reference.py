"""Write what the manual says of options and keys from the program itself: ``python docs/make_reference.py``.

The parts lie between two comments in docs/manual/commands.md and docs/manual/shortcuts.md; a test tells when they
are no longer what the program has.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PySide6.QtWidgets import QMainWindow

MANUAL = Path(__file__).resolve().parent / "manual"
MADE = re.compile(r"(<!-- made by docs/make_reference\.py: ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def parts(window: QMainWindow) -> dict[str, str]:
    """Return each part's Markdown by its name; the window has the keys."""
    from fkd_desktop.annotate import cli as annotate_cli  # noqa: PLC0415
    from fkd_desktop.command_line import make_parser  # noqa: PLC0415
    from trainer import cli as trainer_cli  # noqa: PLC0415

    return {
        "fkd-desktop": options_table(make_parser()),
        "fkd-annotate": options_table(annotate_cli._parser()),
        "fkd-train": "\n".join(_commands(trainer_cli.make_parser())),
        "shortcuts": keys_tables(window),
    }


def updated(text: str, made: dict[str, str]) -> str:
    """Return a page with its parts as they are now."""
    return MADE.sub(lambda match: f"{match[1]}\n{made[match[2]].strip()}\n\n{match[3]}", text)


def options_table(parser: argparse.ArgumentParser) -> str:
    """Return a table of a command's options, as ``--help`` has them, whatever Python's version."""
    lines = ["| option | |", "|---|---|"]
    formatter = parser._get_formatter()
    for action in parser._actions:
        if action.help == argparse.SUPPRESS or isinstance(action, argparse._HelpAction | argparse._SubParsersAction):
            continue
        help_text = formatter._expand_help(action) if action.help else ""
        lines.append(f"| {_written(action)} | {_cell(help_text)} |")
    return "\n".join(lines)


def _written(action: argparse.Action) -> str:
    """Return how an option is written, its values with it."""
    value = ""
    if action.nargs != 0:
        metavar = action.metavar if isinstance(action.metavar, str) else None
        choices = "|".join(str(choice) for choice in action.choices or ())
        value = metavar or choices or action.dest.upper()
        value = {"*": f"[{value} ...]", "+": f"{value} [{value} ...]", "?": f"[{value}]"}.get(str(action.nargs), value)
    if not action.option_strings:
        return f"`{_cell(value)}`"
    return ", ".join(f"`{_cell(f'{name} {value}'.strip())}`" for name in action.option_strings)


def _commands(parser: argparse.ArgumentParser) -> Iterator[str]:
    (commands,) = (action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    for name, command in commands.choices.items():
        yield from (f"### {parser.prog} {name}", "", *([command.description, ""] if command.description else []))
        yield from (options_table(command), "")


def keys_tables(window: QMainWindow) -> str:
    """Return the content of the shortcuts' dialog, as a table for each menu."""
    from fkd_desktop.ui.shortcuts_dialog import ShortcutsDialog  # noqa: PLC0415

    dialog = ShortcutsDialog(window)
    tables = []
    for title, lines in dialog.groups:
        rows = [f"| {_keys(keys)} | {_cell(text)} |" for text, keys in lines]
        tables.append("\n".join([f"## {title}", "", "| key | does |", "|---|---|", *rows]))
    dialog.deleteLater()
    return "\n\n".join(tables)


def _keys(text: str) -> str:
    return " ".join(f"`{_cell(key)}`" for key in text.split("  "))


def _cell(text: str) -> str:
    text = text.replace(str(platformdirs.user_data_path()), "~/.local/share")  # this user's own place, or a test's
    return " ".join(text.split()).replace("|", "\\|").replace("<", "\\<")  # which would begin HTML


def main() -> None:
    """Bring the pages up to date, with nothing of this user's own settings and overlays in them."""
    with tempfile.TemporaryDirectory() as home:
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
        for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"):
            os.environ[name] = home
        from PySide6.QtWidgets import QApplication  # noqa: PLC0415

        from fkd_desktop.controller import Controller  # noqa: PLC0415
        from fkd_desktop.i18n import install_language  # noqa: PLC0415
        from fkd_desktop.settings import Settings  # noqa: PLC0415
        from fkd_desktop.ui.main_window import MainWindow  # noqa: PLC0415

        application = QApplication(sys.argv[:1])
        install_language("en")
        window = MainWindow(Controller(device="cpu"), Settings())
        made = parts(window)
        for page in MANUAL.glob("*.md"):
            text = page.read_text(encoding="utf-8")
            if (new := updated(text, made)) != text:
                page.write_text(new, encoding="utf-8")
                print(f"{page} is up to date now")
        window.leave()
        del window, application


if __name__ == "__main__":
    main()
