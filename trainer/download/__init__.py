"""Fetching the published data set, and nothing else: the only part of the program that uses the network.

A listing names every file with its size and its git hash; what does not match is not kept. Where many files are
missing they come out of one archive, because GitHub's raw files "typically" do not permit "rapid, automated access"
and answer thousands of requests with 429 (its engineer in github.com/algolia/npm-search/issues/993; stricter since
github.blog/changelog/2025-05-08-updated-rate-limits-for-unauthenticated-requests). An archive cannot be continued in
its middle: so what it did not bring is fetched file by file. Files are written whole or not at all, and a download
that was interrupted, however, goes on where it stopped.
"""

from trainer.download.folder import SplitContents, contents
from trainer.download.progress import Progress
from trainer.download.run import download
from trainer.download.source import (
    PUBLISHED,
    DataSource,
    DownloadError,
    DownloadStoppedError,
    Patience,
    default_folder,
)

__all__ = [
    "PUBLISHED",
    "DataSource",
    "DownloadError",
    "DownloadStoppedError",
    "Patience",
    "Progress",
    "SplitContents",
    "contents",
    "default_folder",
    "download",
]
