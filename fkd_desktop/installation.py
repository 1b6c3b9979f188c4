"""Whether the packages that start.py installed are still those that the project's files ask for."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Final

from fkd_desktop import APP_ID

FROM_MENU: Final = "--from-menu"
"""The option of `fkd-desktop` by which a start menu's entry says that nobody sees a terminal."""


def outdated_by() -> Path | None:
    """Return the start.py that can bring this environment up to date; None where there is nothing to do.

    It wrote down which pyproject.toml it installed for. Files that were replaced since (by ``git pull``, say) may need
    more than what is there, which only a start by start.py itself sees to. Nothing is written down while an attempt of
    that failed; one that was killed is not for us, as start.py then makes the environment anew, from which we run.
    """
    folder = Path(sys.prefix).resolve()
    script = folder.parent / "start.py"
    if not (folder / "start.lock").exists() or not script.exists() or (folder / "start-unfinished").exists():
        return None
    try:
        stamp = json.loads((folder / "start-stamp.json").read_bytes())
        needs = hashlib.sha256((folder.parent / "pyproject.toml").read_bytes()).hexdigest()
        is_current = stamp["project"] == needs or stamp["root"] != str(folder.parent)
    except FileNotFoundError:
        is_current = False
    except (OSError, ValueError, KeyError, TypeError):  # start.py finds it out, too
        is_current = True
    return None if is_current else script


def missing_package(error: ImportError) -> str:
    """Return the package of others that an import did not find; "" for anything else that went wrong."""
    name = (error.name or "").partition(".")[0]
    is_others = isinstance(error, ModuleNotFoundError) and name not in ("", "trainer", APP_ID.replace("-", "_"))
    return name if is_others else ""
