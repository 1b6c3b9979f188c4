"""What hatchling does before it packs a wheel or installs this folder: the manual that Help opens is made."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ManualHook(BuildHookInterface):  # type: ignore[type-arg]
    """Makes assets/manual, which is in no source archive: it is made of docs/manual."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 (hatchling's names)
        """Make it, for a wheel as for an editable install; that one also goes without, as Help shows docs/manual then.

        Raises
        ------
        Exception
            What making it for a wheel raised.
        """
        try:
            runpy.run_path(str(Path(self.root, "docs", "build_manual.py")))["build"]()
        except Exception as error:
            if version != "editable":
                raise
            self.app.display_warning(f"the manual was not made: {error}")
