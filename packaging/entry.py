"""Where the self-contained build begins: one program under three names (packaging/fkd-desktop.spec)."""

import sys
from pathlib import Path
from typing import NoReturn


def main() -> NoReturn:
    """Run the program that this one was started as. Each loads only what it needs."""
    name = Path(sys.argv[0]).stem
    if name == "fkd-train":
        from trainer.programs import run_frozen_trainer  # noqa: PLC0415

        sys.exit(run_frozen_trainer())
    if name == "fkd-annotate":
        from fkd_desktop.annotate.cli import main as annotate  # noqa: PLC0415

        sys.exit(annotate())
    from fkd_desktop.app import run  # noqa: PLC0415

    run()


if __name__ == "__main__":
    main()
