"""Where the data set is published, how patient a download of it is, and how it fails."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import platformdirs

from trainer.core.errors import FkdError

APP_ID: Final = "fkd-desktop"


class DownloadError(FkdError):
    """The data set cannot be fetched or kept; the message names the file or the host, the reason and what to do."""


class ServerError(DownloadError):
    """What the server, or the way to it, did."""


class DownloadStoppedError(DownloadError):
    """The download was told to stop; what it had fetched stays, and the next one goes on from there."""


@dataclass(frozen=True)
class Patience:
    """How long a download bears with a server.

    Attributes
    ----------
    timeout_s
        A connection, and each piece of an answer, may take this long.
    slowest_bytes_per_s
        An answer that has come more slowly than this, on average and after a first `timeout_s`, is given up.
    attempts
        How often anything is tried.
    backoff_s
        Wait before the second attempt; doubled before each further one.
    longest_wait_s
        A server that asks for more than this much patience is not waited for: the message says when to come back.
    """

    timeout_s: float = 20.0
    slowest_bytes_per_s: float = 256.0
    attempts: int = 4
    backoff_s: float = 1.0
    longest_wait_s: float = 60.0


@dataclass(frozen=True)
class DataSource:
    """Where a data set is published: a git repository, as GitHub serves it.

    Plain http is refused for every host but this computer, and redirects are not followed.

    Attributes
    ----------
    home_url
        The page for people: named in messages.
    listing_url
        Answers with GitHub's "git tree" JSON: path, size and blob hash of every file.
    file_url
        Address of one file; ``{path}`` stands for its quoted path in the repository.
    archive_url
        Answers with the repository as .tar.gz; None if there is none.
    folder
        The data set's folder in the repository.
    archive_from
        The archive is fetched when at least this many files are missing.
    connections
        How many files are fetched at once.
    patience
        How long to wait for what.
    """

    home_url: str
    listing_url: str
    file_url: str
    archive_url: str | None = None
    folder: str = "data"
    archive_from: int = 200
    connections: int = 6
    patience: Patience = field(default_factory=Patience)


PUBLISHED: Final = DataSource(
    home_url="https://github.com/udacity/P1_Facial_Keypoints",
    listing_url="https://api.github.com/repos/udacity/P1_Facial_Keypoints/git/trees/master?recursive=1",
    file_url="https://raw.githubusercontent.com/udacity/P1_Facial_Keypoints/master/{path}",
    archive_url="https://codeload.github.com/udacity/P1_Facial_Keypoints/tar.gz/refs/heads/master",
)
"""The data set of Udacity's computer vision course, made from the YouTube Faces Database."""


def default_folder() -> Path:
    """Return where the data set is kept unless told otherwise: below the user's data folder."""
    return platformdirs.user_data_path(APP_ID, appauthor=False) / "data" / "youtube_faces"
