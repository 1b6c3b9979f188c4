"""What ``fkd-desktop`` can be asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import platformdirs

import fkd_desktop
from fkd_desktop import APP_ID
from fkd_desktop.installation import FROM_MENU
from trainer.core.arguments import ArgumentParser
from trainer.core.resources import assets_dir

DRAWN_NAMES: Final = ("keypoints", "numbers", "boxes", "mesh", "pose")
DEVICE_CHOICES: Final = ("auto", "cpu", "cuda", "mps")


def make_parser() -> ArgumentParser:
    """Return the parser of ``fkd-desktop``."""
    parser = ArgumentParser(
        prog="fkd-desktop", description="Real-time face keypoints and overlays from a camera, a video or a picture."
    )
    parser.add_argument(
        "files",
        nargs="*",
        metavar="FILE",
        help="a video, a picture or a folder of pictures to open; of several the first, and the others are in the list "
        "of recent files",
    )
    parser.add_argument(
        "--source",
        metavar="camera:N|PATH|URL|demo",
        help="where the picture comes from (default: what was used last, at first camera:0)",
    )
    overlays = overlay_names()
    parser.add_argument(
        "--overlay",
        action="append",
        choices=overlays,
        metavar="NAME",
        help=f"what to paint: {', '.join(overlays)}; may be given several times (default: what was on last time)",
    )
    parser.add_argument("--model", type=Path, metavar="PATH", help="weights (.safetensors; default: the shipped ones)")
    parser.add_argument(
        "--device",
        choices=DEVICE_CHOICES,
        help="where the network runs (default: as in the preferences, at first auto); a window that is open already "
        "keeps its own",
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FOLDER",
        help="without a display: where the annotated video goes (default: ./fkd-output)",
    )
    parser.add_argument(
        "--new-instance",
        action="store_true",
        help="open another window instead of showing the files in the one that is there already",
    )
    parser.add_argument(
        FROM_MENU,
        action="store_true",
        help="said by the entry in the start menu, where nobody sees a terminal: what an update of the files newly "
        "needs is installed first, and shown in a window",
    )
    launcher = parser.add_mutually_exclusive_group()
    launcher.add_argument(
        "--install-launcher",
        action="store_true",
        help="put FKD Desktop into the start menu, or bring its entry there up to date, and do nothing else",
    )
    launcher.add_argument(
        "--remove-launcher", action="store_true", help="take FKD Desktop out of the start menu, and do nothing else"
    )
    parser.add_argument("--version", action="version", version=f"FKD Desktop {fkd_desktop.__version__}")
    return parser


def overlay_names() -> tuple[str, ...]:
    """Return what can be given as an overlay, for which no Qt is needed: drawn ones, shipped ones, the user's own."""
    folders = (assets_dir() / "overlays", platformdirs.user_data_path(APP_ID, appauthor=False) / "overlays")
    found = {path.parent.name for folder in folders for path in folder.glob("*/overlay.toml")}
    return (*DRAWN_NAMES, *sorted(found), "none")
