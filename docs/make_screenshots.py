"""Make the pictures in docs/screenshots/ from the real window, in the light and the dark theme.

python docs/make_screenshots.py [live] [states] [gallery] [dialogs] [help] [german]

Needs no display: Qt's offscreen platform paints the same widgets. Each picture is of a state that a user comes to. The
camera is a made-up one that shows the demo clip, so everything that the pictures show is the project's own. The
pictures of the training windows have a script of their own, make_training_screenshots.py.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import fake_camera
from screenshots_dialogs import shoot_dialogs, shoot_gallery, shoot_german
from screenshots_help import shoot_help
from screenshots_live import shoot_live
from screenshots_states import shoot_states
from shooting import make_application, set_home

PARTS = {
    "live": shoot_live,
    "states": shoot_states,
    "gallery": shoot_gallery,
    "dialogs": shoot_dialogs,
    "help": shoot_help,
    "german": shoot_german,  # the last: a language stays
}


def main() -> int:
    wanted = sys.argv[1:] or list(PARTS)
    application = make_application()
    fake_camera.install()
    for name, shoot_part in PARTS.items():
        if name in wanted:
            with tempfile.TemporaryDirectory(prefix="ada-") as home:
                set_home(Path(home))
                shoot_part(Path(home))
    del application
    return 0


if __name__ == "__main__":
    sys.exit(main())
