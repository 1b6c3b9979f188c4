"""`python -m fkd_desktop`: see `fkd_desktop.app`."""

from fkd_desktop.app import run

if __name__ == "__main__":
    run()
