"""`python -m fkd_desktop`: see `fkd_desktop.app`."""

import sys

from fkd_desktop.app import main

if __name__ == "__main__":
    sys.exit(main())
