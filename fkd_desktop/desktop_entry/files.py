"""Writing and removing an entry's files, and nothing else."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from fkd_desktop.desktop_entry.launcher import LauncherError
from trainer.core.files import replacing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path


def has(path: Path, content: bytes) -> bool:
    """Whether a file has exactly this content."""
    try:
        return path.read_bytes() == content
    except OSError:
        return False


def missing_folders(root: Path, names: Iterable[str]) -> list[str]:
    """Return the folders that files would need under a root and that are not there, outer ones first.

    Parameters
    ----------
    root
        The folder that all is written under; itself "." in the result.
    names
        The files, relative to it with slashes.
    """
    needed = {"."}
    for name in names:
        parts = name.split("/")[:-1]
        needed.update("/".join(parts[: end + 1]) for end in range(len(parts)))
    return sorted((name for name in needed if not (root / name).exists()), key=_depth)


def write(root: Path, files: Mapping[str, bytes], *, executable: frozenset[str] = frozenset()) -> list[Path]:
    """Write files that are missing or differ, each whole or not at all; return those.

    Raises
    ------
    LauncherError
        If that is not possible.
    """
    written = []
    for name, content in files.items():
        path = root / name
        if has(path, content):
            continue
        try:
            with replacing(path) as draft:
                draft.write_bytes(content)
                draft.chmod(0o755 if name in executable else 0o644)
        except OSError as error:
            raise LauncherError(
                "{path} cannot be written ({reason}), so the start menu stays as it is; check the folder's permissions",
                path=path,
                reason=error.strerror or error,
            ) from error
        written.append(path)
    return written


def remove(root: Path, names: Iterable[str]) -> list[Path]:
    """Remove files that are there; return those.

    Raises
    ------
    LauncherError
        If that is not possible.
    """
    removed = []
    for name in names:
        path = root / name
        try:
            path.unlink()
        except FileNotFoundError:
            continue
        except OSError as error:
            raise LauncherError(
                "{path} cannot be removed ({reason}); check the permissions of the folder",
                path=path,
                reason=error.strerror or error,
            ) from error
        removed.append(path)
    return removed


def remove_empty_folders(root: Path, names: Iterable[str]) -> None:
    """Remove those of the folders that are empty, inner ones first."""
    for name in sorted(names, key=_depth, reverse=True):
        with contextlib.suppress(OSError):  # not empty, or not there: others use it
            (root / name).rmdir()


def _depth(name: str) -> tuple[int, str]:
    return (0, "") if name == "." else (name.count("/") + 1, name)
