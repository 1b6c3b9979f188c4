"""Run first by the self-contained build: what it starts (a browser, a player) gets the system's libraries.

PyInstaller's bootloader puts the build's folder first into LD_LIBRARY_PATH for this process, which has been loaded
by then, and keeps what was there in LD_LIBRARY_PATH_ORIG. Libraries that are loaded from now on have their own
RPATHs.
"""

import os

_before = os.environ.pop("LD_LIBRARY_PATH_ORIG", None)
if _before is not None:
    os.environ["LD_LIBRARY_PATH"] = _before
else:
    os.environ.pop("LD_LIBRARY_PATH", None)
