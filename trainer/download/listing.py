"""Which files the data set has, by the server's listing: the one place where a name from outside becomes a path."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any, Final

from trainer.core.text import Text
from trainer.download.source import ServerError
from trainer.download.web import AgainError

MAX_LISTING_BYTES: Final = 20_000_000
MAX_FILE_BYTES: Final = 10_000_000
MAX_TOTAL_BYTES: Final = 1_000_000_000

SPLITS: Final = ("training", "test")
IMAGE_SUFFIXES: Final = (".jpg", ".jpeg", ".png")

# Nothing here means anything to a shell, or is refused or read differently by some file system: no separators, drive
# letters, leading or trailing dots or spaces, nothing that has several spellings in Unicode, and no device of Windows.
_IMAGE: Final = re.compile(
    r"(?:training|test)/(?!(?:con|prn|aux|nul|com\d|lpt\d)\.)[a-z0-9_][a-z0-9_ .'()+,-]{0,120}\.(?:jpe?g|png)",
    re.IGNORECASE | re.ASCII,
)
_SHA1: Final = re.compile(r"[0-9a-f]{40}", re.ASCII)
_FILE_MODES: Final = ("100644", "100755")  # not a symbolic link, which is a blob too


@dataclass(frozen=True)
class PublishedFile:
    """One file of the data set, as listed.

    Attributes
    ----------
    path
        Below the data set's folder, with slashes: safe to join on every system.
    size
        In bytes.
    sha1
        Git's hash of it (`blob_sha1`).
    """

    path: str
    size: int
    sha1: str

    def is_content(self, content: bytes) -> bool:
        """Tell whether these bytes are this file."""
        return len(content) == self.size and blob_sha1(content) == self.sha1


def table_of(split: str) -> str:
    """Return the path of a split's table below the data set's folder."""
    return f"{split}_frames_keypoints.csv"


def blob_sha1(content: bytes) -> str:
    """Return git's hash of a file: the SHA-1 of a short header and the bytes (git-scm.com/book, "Git Objects")."""
    # The flag is for systems that have no SHA-1 for security; here it is git that chose it, and TLS that protects it.
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def read_listing(content: bytes, folder: str) -> list[PublishedFile]:
    """Find the data set's files in GitHub's answer to "get a tree".

    Parameters
    ----------
    content
        The answer, JSON.
    folder
        The data set's folder in the repository; all outside of it is passed over.

    Raises
    ------
    ServerError
        If the listing is incomplete, not of this data set, or names anything that no honest one would.
    AgainError
        If it is not JSON.
    """
    try:
        answer = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise AgainError("the listing cannot be read") from error
    entries = answer.get("tree") if isinstance(answer, dict) else None
    if not isinstance(entries, list):
        raise ServerError("the server sent something that is no listing of files; update FKD Desktop")
    if answer.get("truncated") is not False:
        raise ServerError("the server sent an incomplete listing of the files; try again later")
    files = [file for entry in entries if (file := _read_entry(entry, folder))]
    _check_all(files)
    return files


def _read_entry(entry: Any, folder: str) -> PublishedFile | None:
    """Return the file, or None for what does not belong to the data set."""
    try:
        path, kind, mode = (str(entry[key]) for key in ("path", "type", "mode"))
    except (TypeError, KeyError) as error:
        raise _not_to_be_trusted(Text("an entry without a path")) from error
    if kind != "blob" or not path.startswith(f"{folder}/"):
        return None
    name = path.removeprefix(f"{folder}/")
    is_image = name.startswith(tuple(f"{split}/" for split in SPLITS)) and name.lower().endswith(IMAGE_SUFFIXES)
    if not is_image and name not in map(table_of, SPLITS):
        return None
    if is_image and not _IMAGE.fullmatch(name):
        raise _not_to_be_trusted(Text("a file called {path!a}", path=path[:80]))
    size, sha1 = entry.get("size"), entry.get("sha")
    if mode not in _FILE_MODES or type(size) is not int or size < 0 or not _SHA1.fullmatch(str(sha1)):
        raise _not_to_be_trusted(Text("{path!a} without a proper mode, size or hash", path=path[:80]))
    if size > MAX_FILE_BYTES:
        raise _not_to_be_trusted(Text("{path!a} of {size:,.0f} MB", path=path[:80], size=min(size, 10**18) / 1e6))
    return PublishedFile(name, size, str(sha1))


def _check_all(files: list[PublishedFile]) -> None:
    paths = {file.path.casefold() for file in files}
    if len(paths) < len(files):
        raise _not_to_be_trusted(Text("two files whose names differ in nothing but case"))
    if sum(file.size for file in files) > MAX_TOTAL_BYTES:
        raise _not_to_be_trusted(Text("more than 1 GB of files"))
    for split in SPLITS:
        if table_of(split) not in paths or not any(path.startswith(f"{split}/") for path in paths):
            raise ServerError(
                "the server's listing lacks the {split} data; the data set has moved: update FKD Desktop", split=split
            )


def _not_to_be_trusted(what: Text) -> ServerError:
    return ServerError(
        "the server's listing names {what}, so nothing was fetched; report this to FKD Desktop", what=what
    )
