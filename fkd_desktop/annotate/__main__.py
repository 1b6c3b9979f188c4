"""`python -m fkd_desktop.annotate`."""

import sys

from fkd_desktop.annotate.cli import main

if __name__ == "__main__":
    sys.exit(main())
