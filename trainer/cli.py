"""`python -m trainer COMMAND`: check data, train a network, judge, export and download."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from trainer.commands import check, download, evaluate, export, train
from trainer.core.arguments import ArgumentParser
from trainer.core.errors import FkdError
from trainer.programs import ignore_current_folder

if TYPE_CHECKING:
    from collections.abc import Sequence

EXIT_BAD_INPUT: Final = 2
EXIT_INTERRUPTED: Final = 130  # as shells count it


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Returns
    -------
    The exit code: 0 done, 1 the command's own "no", 2 bad input (told on stderr), 130 stopped by Ctrl-C.
    """
    ignore_current_folder()
    options = make_parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except FkdError as error:
        print(f"error: {error}", file=sys.stderr)
        return EXIT_BAD_INPUT
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return EXIT_INTERRUPTED


def make_parser() -> ArgumentParser:
    """Return the parser of the whole command line."""
    parser = ArgumentParser(prog="fkd-train", description="Train and judge face-keypoint networks.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in (check, train, evaluate, export, download):
        command.add_parser(commands)
    return parser
