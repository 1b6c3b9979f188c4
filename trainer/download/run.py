"""One download from the listing to a verified data set."""

from __future__ import annotations

import logging
import queue
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from trainer.core.text import Text
from trainer.download import folder
from trainer.download.archive import file_contents
from trainer.download.listing import MAX_LISTING_BYTES, MAX_TOTAL_BYTES, SPLITS, blob_sha1, read_listing
from trainer.download.progress import Board, Progress
from trainer.download.source import PUBLISHED, DownloadStoppedError, ServerError
from trainer.download.web import GOES_ON, AgainError, Web, repeat

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from trainer.download.listing import PublishedFile
    from trainer.download.source import DataSource

_log = logging.getLogger(__name__)

POLL_S: Final = 0.05
"""How often progress is told and `should_stop` is asked."""

GRACE_S: Final = 0.5
"""How long a stopped download waits for files that are being written. Threads that wait for a server are left behind:
they are daemons, write nothing any more, and end when the server speaks or their time is up."""


def download(
    out: Path | str,
    *,
    source: DataSource = PUBLISHED,
    on_progress: Callable[[Progress], None] = lambda _: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Path:
    """Fetch the data set, or what is missing or damaged of it.

    Parameters
    ----------
    out
        The folder that is to hold it; made if need be.
    source
        Where it is published.
    on_progress
        Told how far it is, a few times a second, on the calling thread.
    should_stop
        Asked as often, on the calling thread; the download ends within about a second of True.

    Returns
    -------
    The folder.

    Raises
    ------
    DownloadStoppedError
        When `should_stop` said so. What has been fetched stays.
    DownloadError
        If the data set cannot be fetched or kept. What has been fetched stays.
    """
    out = Path(out)
    board = Board()
    run = _Run(out, source, board)
    told = Progress()
    try:
        is_done = False
        while not is_done:
            is_done = run.finished.wait(POLL_S)
            if (now := board.progress()) != told:
                on_progress(now)
                told = now
            if not is_done and should_stop():
                if not now.files_total:
                    raise DownloadStoppedError("stopped at the start; {goes_on}", goes_on=GOES_ON)
                raise DownloadStoppedError(
                    "stopped with {done:,} of {total:,} files; {goes_on}",
                    done=now.files_done,
                    total=now.files_total,
                    goes_on=GOES_ON,
                )
    finally:
        board.give_up()
        run.thread.join(2 * GRACE_S)
    if run.error:
        raise run.error
    return out


class _Run:
    """The work, in threads of its own, so that nothing a server does keeps the caller waiting."""

    def __init__(self, root: Path, source: DataSource, board: Board) -> None:
        self._root = root
        self._source = source
        self._board = board
        self.error: BaseException | None = None
        self.finished = threading.Event()
        self.thread = threading.Thread(target=self._main, name="download", daemon=True)
        self.thread.start()

    def _main(self) -> None:
        try:
            with Web(self._source.patience, self._board) as web:
                self._all(web)
        except BaseException as error:  # raised again on the calling thread
            self.error = error
        self.finished.set()

    def _all(self, web: Web) -> None:
        source = self._source
        files = repeat(Text("the listing"), lambda: self._listing(web), patience=source.patience, board=self._board)
        self._board.add(files_total=len(files), bytes_total=sum(file.size for file in files))
        missing = folder.missing_files(self._root, files, self._on_file)
        if missing:
            folder.check_room(self._root, missing)
            folder.write_mark(self._root, source.home_url, files)
        if source.archive_url and len(missing) >= source.archive_from:
            missing = self._from_archive(web, source.archive_url, missing)
        self._one_by_one(missing)
        for split in SPLITS:
            folder.contents(self._root, split)

    def _on_file(self, file: PublishedFile, is_right: bool) -> None:
        self._board.check()
        if is_right:
            self._board.add(files_done=1, bytes_done=file.size)

    def _listing(self, web: Web) -> list[PublishedFile]:
        with web.open(
            self._source.listing_url, max_bytes=MAX_LISTING_BYTES, accept="application/vnd.github+json"
        ) as body:
            if not body.content_type.endswith("json"):
                raise ServerError(
                    "instead of a listing came {content_type!a}; if this network has a login "
                    "page, log in with a web browser and run the download again",
                    content_type=body.content_type[:40],
                )
            return read_listing(body.readall(), self._source.folder)

    def _from_archive(self, web: Web, url: str, missing: Sequence[PublishedFile]) -> list[PublishedFile]:
        """Take what the archive has; return what it has not. That it fails is no error: single files are left."""
        by_hash: dict[str, list[PublishedFile]] = {}
        for file in missing:
            by_hash.setdefault(file.sha1, []).append(file)
        sizes = {file.size for file in missing}

        def attempt() -> None:
            before = len(by_hash)
            try:
                with web.open(url, max_bytes=MAX_TOTAL_BYTES) as body:
                    for content in file_contents(body, sizes=sizes):
                        for file in by_hash.pop(blob_sha1(content), ()):
                            self._keep(file, content)
                        if not by_hash:
                            return
            except AgainError as error:
                if len(by_hash) < before:
                    raise
                raise ServerError("the archive brought nothing new ({error})", error=error) from error

        try:
            repeat(Text("the archive"), attempt, patience=self._source.patience, board=self._board)
        except ServerError as error:
            _log.info("going on file by file: %s", error)
        return [file for files in by_hash.values() for file in files]

    def _one_by_one(self, missing: Sequence[PublishedFile]) -> None:
        """Fetch files over several connections; the first failure ends it."""
        todo: queue.SimpleQueue[PublishedFile] = queue.SimpleQueue()
        for file in missing:
            todo.put(file)
        ended: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()

        def work() -> None:
            try:
                with Web(self._source.patience, self._board) as web:
                    while True:
                        self._fetch(web, todo.get_nowait())
            except queue.Empty:
                ended.put(None)
            except BaseException as error:  # raised again in the thread that waits for this one
                ended.put(error)

        count = min(self._source.connections, len(missing))
        threads = [threading.Thread(target=work, name=f"download-{number}", daemon=True) for number in range(count)]
        for thread in threads:
            thread.start()
        for _ in threads:
            if error := ended.get():
                self._board.give_up()
                deadline = time.monotonic() + GRACE_S
                for thread in threads:
                    thread.join(max(0.0, deadline - time.monotonic()))
                raise error

    def _fetch(self, web: Web, file: PublishedFile) -> None:
        path = f"{self._source.folder}/{file.path}"
        url = self._source.file_url.replace("{path}", quote(path))

        def attempt() -> bytes:
            with web.open(url, max_bytes=file.size) as body:
                content = body.readall()
            if not file.is_content(content):
                raise AgainError("what arrived is not what was listed")
            return content

        self._keep(file, repeat(path, attempt, patience=self._source.patience, board=self._board))

    def _keep(self, file: PublishedFile, content: bytes) -> None:
        self._board.check()
        folder.write(self._root / file.path, content)
        self._board.add(files_done=1, bytes_done=file.size)
