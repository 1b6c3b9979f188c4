"""Command lines that are told in one sentence what is wrong with them."""

from __future__ import annotations

import argparse
from typing import NoReturn

from trainer.core.text import one_line


class ArgumentParser(argparse.ArgumentParser):
    """Quotes what it cannot read as one line without control characters, whatever was typed or expanded."""

    def error(self, message: str) -> NoReturn:
        """See `argparse.ArgumentParser.error`."""
        super().error(one_line(message))
