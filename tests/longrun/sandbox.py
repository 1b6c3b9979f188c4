"""Folders of its own for a run, and a guard: no network, and no file written anywhere else."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from tests.longrun.findings import Findings

MARK: Final = "FKD_LONG_RUN"
"""Variable that every process of a run has in its environment."""
_CLONE_NEWNET, _CLONE_NEWUSER = 0x40000000, 0x10000000
_WRITES: Final = {"os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.truncate", "os.link", "os.symlink"}
_NETWORK: Final = {"socket.connect", "socket.sendto", "socket.getaddrinfo", "socket.gethostbyname"}


def environment(folder: Path) -> dict[str, str]:
    """Make a user's folders in a folder, and return the environment of a process that has no others."""
    gone = ("XDG_", "QT_", "WAYLAND", "DESKTOP_", "FKD_", "PYTEST", "COVERAGE")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(gone)}
    platform = os.environ.get("QT_QPA_PLATFORM") or ("xcb" if os.environ.get("DISPLAY") else "offscreen")
    programs = folder / "programs"  # empty: nothing on the desktop is started
    for path in (programs, folder / "tmp", folder / "home"):
        path.mkdir(parents=True)
    found = {
        **kept,
        MARK: str(folder),
        "HOME": str(folder / "home"),
        "USERPROFILE": str(folder / "home"),
        "TMPDIR": str(folder / "tmp"),
        "PATH": str(programs),
        "LANG": "C.UTF-8",
        "QT_QPA_PLATFORM": platform,
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
    }
    for name in ("CONFIG_HOME", "DATA_HOME", "STATE_HOME", "CACHE_HOME", "RUNTIME_DIR"):
        path = folder / "home" / f".{name.partition('_')[0].lower()}"
        path.mkdir(mode=0o700)
        found[f"XDG_{name}"] = str(path)
    return found


def cut_network() -> bool:
    """Leave this process and its children without a network, where the system allows that; whether it did."""
    if not sys.platform.startswith("linux"):
        return False
    unshare = ctypes.CDLL(None).unshare
    user, group = os.getuid(), os.getgid()
    if unshare(_CLONE_NEWNET) == 0:
        return True
    if unshare(_CLONE_NEWUSER | _CLONE_NEWNET) != 0:
        return False
    for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
        Path(f"/proc/self/{name}").write_text(text, encoding="ascii")
    return True


def guard(findings: Findings, *roots: Path) -> None:
    """Refuse, and write down, every write outside of these folders and every connection; for the process's life."""
    allowed = tuple(f"{root.resolve()}{os.sep}" for root in roots)

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            if isinstance(path, int) or not flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC):
                return
        elif event in _WRITES:
            path = arguments[0]
        elif event in _NETWORK and not _is_local(arguments[-1]):
            findings.add("network", f"{event} {arguments[1:]}")
            raise OSError(101, "Network is unreachable")
        else:
            return
        where = os.path.abspath(os.fsdecode(path))  # noqa: PTH100 (no link is followed)
        if not where.startswith((*allowed, "/dev/", "/proc/")):
            findings.add("file", f"{event} of {where}, which is outside of the run's folders")
            raise PermissionError(13, "outside of the run's folders", where)

    sys.addaudithook(watch)


def _is_local(address: object) -> bool:
    return isinstance(address, (str, bytes)) and not address[:1].isalnum()
