"""The applications folder of macOS: a bundle that starts this installation. Never run on it: docs/manual/start-menu.md.

Formats: Apple's Bundle Programming Guide and Information Property List reference; the icon is an .icns container of PNG
pictures (four letters, length and content of each).
"""

from __future__ import annotations

import os
import plistlib
import shlex
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import fkd_desktop
from fkd_desktop import APP_ID
from fkd_desktop.desktop_entry import files
from fkd_desktop.desktop_entry.launcher import Launcher, LauncherError, LauncherState, Presence, outdated
from fkd_desktop.desktop_entry.words import COMPONENT_ID, NAME, WORDS
from trainer.core.resources import assets_dir

if TYPE_CHECKING:
    from collections.abc import Sequence

BUNDLE: Final = f"{NAME}.app"
INFO: Final = f"{BUNDLE}/Contents/Info.plist"
STARTER: Final = f"{BUNDLE}/Contents/MacOS/{APP_ID}"
PROGRAM_KEY: Final = "FKDDesktopProgram"
MADE_KEY: Final = "FKDDesktopMade"
ICON_TYPES: Final = {"ic11": 32, "ic12": 64, "ic07": 128, "ic13": 256, "ic08": 256, "ic14": 512, "ic09": 512}
"""Sides in pixels: 16, 32, 128 and 256 points at two pixels a point, and 128, 256 and 512 at one."""


def icns(pictures_png: dict[int, bytes]) -> bytes:
    """Return an .icns file of PNG pictures by their side in pixels."""
    entries = b"".join(
        kind.encode() + struct.pack(">I", 8 + len(pictures_png[side])) + pictures_png[side]
        for kind, side in ICON_TYPES.items()
    )
    return b"icns" + struct.pack(">I", 8 + len(entries)) + entries


def bundle_files(command: Sequence[str], made: Sequence[str] = ()) -> dict[str, bytes]:
    """Return the bundle's files by their names under a folder of applications.

    Parameters
    ----------
    command
        Program and arguments that start the application.
    made
        The folders that were not there before, to be removed with the bundle.
    """
    icons = assets_dir() / "icons"
    arguments = " ".join(shlex.quote(argument) for argument in command)
    contents = f"{BUNDLE}/Contents"
    return {
        INFO: plistlib.dumps(_info(command, made)),
        f"{contents}/PkgInfo": b"APPL????",
        STARTER: os.fsencode(f'#!/bin/sh\nexec {arguments} "$@"\n'),
        f"{contents}/Resources/{APP_ID}.icns": icns(
            {side: (icons / f"{APP_ID}-{side}.png").read_bytes() for side in set(ICON_TYPES.values())}
        ),
        **{
            f"{contents}/Resources/{language}.lproj/InfoPlist.strings": (
                f'"NSCameraUsageDescription" = "{words["camera"]}";\n'
            ).encode()
            for language, words in WORDS.items()
        },
    }


def _info(command: Sequence[str], made: Sequence[str]) -> dict[str, Any]:
    return {
        "CFBundleDevelopmentRegion": "en",
        "CFBundleDisplayName": NAME,
        "CFBundleDocumentTypes": [
            {
                "CFBundleTypeName": kind,
                "CFBundleTypeRole": "Viewer",
                "LSHandlerRank": "Alternate",  # offered, but never the default that opens a double click
                "LSItemContentTypes": [content],
            }
            for kind, content in (("Video", "public.movie"), ("Picture", "public.image"))
        ],
        "CFBundleExecutable": APP_ID,
        "CFBundleIconFile": APP_ID,
        "CFBundleIdentifier": COMPONENT_ID.replace("_", "-"),  # which has letters, digits, hyphens and dots
        "CFBundleInfoDictionaryVersion": "6.0",
        "CFBundleLocalizations": list(WORDS),
        "CFBundleName": NAME,
        "CFBundlePackageType": "APPL",
        "CFBundleShortVersionString": fkd_desktop.__version__,
        "CFBundleVersion": fkd_desktop.__version__,
        "LSApplicationCategoryType": "public.app-category.photography",
        "LSMinimumSystemVersion": "12.0",
        "NSCameraUsageDescription": WORDS["en"]["camera"],
        "NSHighResolutionCapable": True,
        "NSPrincipalClass": "NSApplication",
        PROGRAM_KEY: os.fsencode(command[0]),
        MADE_KEY: list(made),
    }


class MacLauncher(Launcher):
    """A bundle in the user's folder of applications.

    Parameters
    ----------
    command
        Program and arguments that start the application.
    applications
        The folder; None for the user's.
    """

    def __init__(self, command: Sequence[str], applications: Path | None = None) -> None:
        self._command = tuple(command)
        self._applications = applications or Path.home() / "Applications"

    def state(self) -> LauncherState:
        """See `Launcher.state`."""
        info = self._read()
        if info is None:
            return LauncherState(Presence.ABSENT)
        wanted = bundle_files(self._command, info.get(MADE_KEY, []))
        if all(files.has(self._applications / name, content) for name, content in wanted.items()):
            return LauncherState(Presence.CURRENT)
        program = os.fsdecode(info[PROGRAM_KEY])
        return outdated(program, self._command[0], exists=Path(program).exists())

    def install(self) -> tuple[Path, ...]:
        """See `Launcher.install`."""
        bundle, info = self._applications / BUNDLE, self._read()
        if info is None and bundle.exists():
            raise LauncherError(
                "{path} is there already and was not made by FKD Desktop; move it away, then try again", path=bundle
            )
        missing = files.missing_folders(self._applications, bundle_files(self._command))
        made = [*(info or {}).get(MADE_KEY, []), *missing]
        wanted = bundle_files(self._command, list(dict.fromkeys(made)))
        return tuple(files.write(self._applications, wanted, executable=frozenset({STARTER})))

    def remove(self) -> tuple[Path, ...]:
        """See `Launcher.remove`."""
        info = self._read()
        if info is None:
            return ()
        removed = files.remove(self._applications, bundle_files(self._command))
        files.remove_empty_folders(self._applications, info.get(MADE_KEY, []))
        return tuple(removed)

    def _read(self) -> dict[str, Any] | None:
        """Return our bundle's information; None where there is none, or another's."""
        try:
            info = plistlib.loads((self._applications / INFO).read_bytes())
        except (OSError, ValueError):
            return None
        return info if isinstance(info, dict) and isinstance(info.get(PROGRAM_KEY), bytes) else None
