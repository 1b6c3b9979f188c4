"""A data set on 127.0.0.1, served as GitHub serves one, by a server that can be told to misbehave."""

from __future__ import annotations

import io
import json
import tarfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

from trainer.download import DataSource, Patience
from trainer.download.folder import MARK
from trainer.download.listing import blob_sha1

LISTING: Final = "/tree"
ARCHIVE: Final = "/archive"
FILE: Final = "training/Person_02_2.jpg"
FILE_URL: Final = f"/raw/data/{FILE}"
HOME: Final = "https://example.org/faces"

Answer = Callable[[BaseHTTPRequestHandler], None]


def table(names: list[str]) -> bytes:
    return "\n".join([",0,1", *(f"{name},1,2" for name in names)]).encode()


def small_data() -> dict[str, bytes]:
    """Return the files of a repository with a data set: content by path. One test image is in no table."""
    pictures = {f"training/Person_{i:02d}_{i % 3}.jpg": b"\xff\xd8 picture %d " % i * (100 + i) for i in range(4)}
    pictures |= {f"test/Person_{i:02d}_0.jpg": b"\xff\xd8 test picture %d" % i * (50 + i) for i in range(3)}
    names = [path.rpartition("/")[2] for path in pictures]
    tables = {
        "training_frames_keypoints.csv": table(names[:4]),
        "test_frames_keypoints.csv": table(names[4:6]),
    }
    return {f"data/{path}": content for path, content in (pictures | tables).items()}


def entries_of(files: dict[str, bytes]) -> list[dict[str, Any]]:
    """Return what a listing names: the files, and some that do not belong to the data set."""
    others = {"README.md": b"# Faces", "data/notes.txt": b"", "data/training/.DS_Store": b"x"}
    listed = [
        {"path": path, "mode": "100644", "type": "blob", "sha": blob_sha1(body), "size": len(body)}
        for path, body in (others | files).items()
    ]
    return [{"path": "data", "mode": "040000", "type": "tree", "sha": "0" * 40}, *listed]


def tree(folder: Path) -> dict[str, bytes]:
    """Return the content of all files below a folder, by path."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def data_of(out: Path) -> dict[str, bytes]:
    """Return the content of all there is in a data set, by path as in the repository, without the mark."""
    return {f"data/{path}": body for path, body in tree(out).items() if path != MARK}


# --- how a server may answer ---


def content(body: bytes, kind: str = "application/octet-stream", *, status: int = 200, **headers: str) -> Answer:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        for name, value in ({"Content-Type": kind, "Content-Length": str(len(body))} | headers).items():
            request.send_header(name.replace("_", "-"), value)
        request.end_headers()
        request.wfile.write(body)

    return answer


def status(code: int, **headers: str) -> Answer:
    return content(b"<html>no</html>", "text/html", status=code, **headers)


def github_limit(seconds: float) -> Answer:
    """Refuse as GitHub does when its limit is used up, until so many seconds after the request."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        status(403, X_RateLimit_Remaining="0", X_RateLimit_Reset=f"{time.time() + seconds:.0f}")(request)

    return answer


def stall(request: BaseHTTPRequestHandler) -> None:
    request.server.closing.wait(10)
    request.close_connection = True


def stall_after_headers(request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.send_header("Content-Type", "application/json")
    request.send_header("Content-Length", "500")
    request.end_headers()
    request.wfile.write(b"some")
    stall(request)


def drip(request: BaseHTTPRequestHandler) -> None:
    """Send a byte now and then: never a stall, never an end."""
    request.send_response(200)
    request.send_header("Content-Type", "application/json")
    request.send_header("Content-Length", "500")
    request.end_headers()
    while not request.server.closing.wait(0.02):
        request.wfile.write(b"x")


def endless(request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.send_header("Content-Type", "application/json")
    request.end_headers()
    while not request.server.closing.is_set():
        request.wfile.write(bytes(65_536))


def break_off(body: bytes, *, says_length: bool = True) -> Answer:
    """Send half."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Type", "application/json")
        if says_length:
            request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body[: len(body) // 2])
        request.close_connection = True

    return answer


def garbage(request: BaseHTTPRequestHandler) -> None:
    request.wfile.write(b"\x00\xffSSH-2.0-what\r\n\r\n")
    request.close_connection = True


def hang_up(request: BaseHTTPRequestHandler) -> None:
    request.close_connection = True


class DataServer(ThreadingHTTPServer):
    """Serves `files`, their listing and their archive; what `say` tells it comes first."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files = small_data()
        self.requests: list[str] = []
        self.user_agents: set[str] = set()
        self.delay_s = 0.0
        self.closing = threading.Event()
        self._scripts: dict[str, list[Answer]] = {}
        self._always: dict[str, Answer] = {}

    def __enter__(self) -> DataServer:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self.shutdown()
        self.server_close()

    def handle_error(self, *_: object) -> None:
        """Say nothing about clients that hang up."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def source(self, **changes: Any) -> DataSource:
        patience = Patience(timeout_s=0.4, attempts=3, backoff_s=0.01, longest_wait_s=2)
        known = {
            "home_url": HOME,
            "listing_url": self.url + LISTING,
            "file_url": self.url + "/raw/{path}",
            "patience": patience,
        }
        return DataSource(**(known | changes))

    def with_archive(self) -> DataSource:
        return self.source(archive_url=self.url + ARCHIVE, archive_from=2)

    def say(self, path: str, *answers: Answer) -> None:
        """Answer the next requests for a path so."""
        self._scripts[path] = list(answers)

    def always_say(self, path: str, answer: Answer) -> None:
        self._always[path] = answer

    def behave(self) -> None:
        self._scripts.clear()
        self._always.clear()
        self.requests.clear()
        self.delay_s = 0.0

    def entries(self) -> list[dict[str, Any]]:
        return entries_of(self.files)

    def list_instead(self, entries: object, *, truncated: object = False) -> None:
        """Answer all requests for the listing with these entries."""
        body = json.dumps({"sha": "0" * 40, "truncated": truncated, "tree": entries}).encode()
        self.always_say(LISTING, content(body, "application/json; charset=utf-8"))

    def archive(self) -> bytes:
        """Return what `git archive` makes of the files."""
        packed = io.BytesIO()
        with tarfile.open(
            fileobj=packed, mode="w:gz", format=tarfile.PAX_FORMAT, pax_headers={"comment": "0" * 40}
        ) as tar:
            for path, body in {"README.md": b"# Faces", **self.files}.items():
                member = tarfile.TarInfo(f"faces-master/{path}")
                member.size = len(body)
                tar.addfile(member, io.BytesIO(body))
        return packed.getvalue()

    def answer_to(self, path: str) -> Answer:
        if script := self._scripts.get(path):
            return script.pop(0)
        if path in self._always:
            return self._always[path]
        if path == LISTING:
            body = json.dumps({"sha": "0" * 40, "truncated": False, "tree": self.entries()}).encode()
            return content(body, "application/json; charset=utf-8")
        if path == ARCHIVE:
            return content(self.archive(), "application/x-gzip")
        name = unquote(path).removeprefix("/raw/")
        return content(self.files[name]) if name in self.files else status(404)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: DataServer

    def do_GET(self) -> None:
        self.server.requests.append(self.path)
        self.server.user_agents.add(self.headers["User-Agent"])
        time.sleep(self.server.delay_s)
        with suppress(ConnectionError):
            self.server.answer_to(self.path.removeprefix(self.server.url))(self)

    def log_message(self, *_: object) -> None:
        """Say nothing."""
