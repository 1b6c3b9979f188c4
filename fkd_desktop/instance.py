"""One window a user: a second start hands what it was asked to show to the first, which comes to the front.

The two talk through a local socket (a named pipe on Windows) that only this user may open: a line of JSON with a
request, a line with the answer, and a line that the answer came in time. Only then is the request carried out: a start
that got no answer has opened a window of its own.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import stat
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from PySide6.QtCore import QDeadlineTimer, QLockFile, QObject, Signal, Slot
from PySide6.QtNetwork import QLocalServer, QLocalSocket

from fkd_desktop import APP_ID
from fkd_desktop.settings import settings_path
from trainer.core.text import Text

_log = logging.getLogger(__name__)

ANSWER_MS: Final = 5000
"""How long a second start waits for the first one's answer, which may still be making its window."""
LONGEST_REQUEST: Final = 1_000_000
"""In bytes: thousands of files."""
_LONGEST_FOLDER: Final = 107 - len(f"/{APP_ID}-{'0' * 16}")
"""In bytes: a socket's path has 107 at most."""
_ANSWER: Final = b"ready\n"
_CONFIRMATION: Final = b"go\n"


@dataclass(frozen=True)
class Request:
    """What a start was asked for on its command line.

    Attributes
    ----------
    source
        As `make_source` takes it, a path whole; empty for none.
    files
        Whole paths of files to open.
    overlays
        What to paint; None to leave that alone.
    model
        Whole path of weights; empty to leave the network alone.
    activation_token
        What the desktop gave this start to bring a window to the front with; empty where there is none.
    """

    source: str = ""
    files: tuple[str, ...] = ()
    overlays: tuple[str, ...] | None = None
    model: str = ""
    activation_token: str = ""

    def to_line(self) -> bytes:
        """Return it as a line of JSON; paths that are not UTF-8 come through."""
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> Request:
        """Read a line of JSON; what a later version may have added is left out.

        Raises
        ------
        ValueError
            If it is not a request.
        """
        data: Any = json.loads(line)
        if not isinstance(data, dict):
            raise ValueError(f"not a request: {line[:200]!r}")
        overlays = data.get("overlays")
        return cls(
            source=_text(data.get("source", "")),
            files=_texts(data.get("files", [])),
            overlays=None if overlays is None else _texts(overlays),
            model=_text(data.get("model", "")),
            activation_token=_text(data.get("activation_token", "")),
        )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"not a text in a request: {value!r:.200}")
    return value


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ValueError(f"not a list in a request: {value!r:.200}")
    return tuple(_text(item) for item in value)


class Instance(QObject):
    """A start of the application among others of the same user on the same display.

    Parameters
    ----------
    address
        Where to meet; None for the usual place.
    answer_ms
        How long to wait for another one.

    Attributes
    ----------
    complaint
        Why another instance was not taken for the first one though it is there; empty if nothing was wrong.
    """

    requested = Signal(object)
    """A `Request` of a later start."""

    def __init__(self, address: str | None = None, *, answer_ms: int = ANSWER_MS) -> None:
        super().__init__()
        self._address = address if address is not None else _usual_address()
        self._answer_ms = answer_ms
        self._server: QLocalServer | None = None
        self._socket_file: tuple[int, ...] | None = None
        self._received: dict[QLocalSocket, bytes] = {}
        self._answered: dict[QLocalSocket, Request] = {}
        self.complaint = ""

    def hand_over(self, request: Request) -> bool:
        """Give a request to an earlier start, or become the one that later starts find.

        Returns
        -------
        Whether an earlier one has taken it: there is nothing left to do then. Three times `answer_ms` is the longest
        that it can take.
        """
        if not self._address:
            return False
        # Two starts at the same moment must not both find nobody.
        lock = QLockFile(self._lock_path())
        lock.setStaleLockTime(0)  # held by processes that are there, however long
        is_locked = lock.tryLock(self._answer_ms)
        try:
            if self._ask(request):
                return True
            self._listen()
            return False
        finally:
            if is_locked:
                lock.unlock()

    @Slot()
    def close(self) -> None:
        """Be found no longer: a start from now on is a new one."""
        if self._server is not None:
            self._server.close()
            self._server = None
            # A later start that got no answer may have put its own there.
            if self._socket_file is not None and _identity(self._address) == self._socket_file:
                Path(self._address).unlink(missing_ok=True)
        for socket in list(self._received):
            socket.abort()

    def _lock_path(self) -> str:
        if sys.platform == "win32":
            return str(Path(tempfile.gettempdir()) / f"{self._address}.lock")
        return f"{self._address}.lock"

    def _ask(self, request: Request) -> bool:
        socket = QLocalSocket()
        socket.connectToServer(self._address)
        deadline = QDeadlineTimer(self._answer_ms)
        if not socket.waitForConnected(self._answer_ms):
            # Nobody is there, or only the socket file of one that crashed. Any other fault is worth a line.
            absent = (
                QLocalSocket.LocalSocketError.ServerNotFoundError,
                QLocalSocket.LocalSocketError.ConnectionRefusedError,
            )
            if socket.error() not in absent:
                _log.warning("no other instance can be asked: %s", socket.errorString())
            return False
        socket.write(request.to_line())
        answer = b""
        while not answer.endswith(b"\n") and not deadline.hasExpired():
            if not socket.waitForReadyRead(max(1, deadline.remainingTime())):
                break
            answer += socket.readAll().data()
        if answer == _ANSWER:
            socket.write(_CONFIRMATION)
            socket.waitForBytesWritten(self._answer_ms)
            return True
        if deadline.hasExpired() or socket.error() is QLocalSocket.LocalSocketError.SocketTimeoutError:
            self.complaint = Text(
                "FKD Desktop is running already but does not answer, so this is another window; close the other one "
                "if it is stuck"
            )
        _log.warning("another instance was asked and gave no answer (%s)", socket.errorString())
        return False

    def _listen(self) -> None:
        name = self._address
        if sys.platform != "win32":
            # Qt removes the file of the name that it was given, whosever it is by then: so that is another name.
            name = str(Path(name).with_name(f"fkd-{os.getpid()}"))
        QLocalServer.removeServer(name)
        server = QLocalServer(self)
        server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        server.newConnection.connect(self._on_server_new_connection)
        if not server.listen(name):
            _log.warning("later starts will not find this one: %s", server.errorString())
            return
        if sys.platform != "win32":
            try:  # in the place of what a crash, or one that does not answer, left there
                Path(name).replace(self._address)
            except OSError as error:
                _log.warning("later starts will not find this one: %s", error)
                server.close()
                return
            self._socket_file = _identity(self._address)
        self._server = server

    @Slot()
    def _on_server_new_connection(self) -> None:
        while self._server is not None and (socket := self._server.nextPendingConnection()) is not None:
            self._received[socket] = b""
            # Not by lambdas: these would keep this object until the socket's end, which would then end its own parent.
            socket.readyRead.connect(self._on_socket_ready_read)
            socket.disconnected.connect(self._on_socket_disconnected)
            self._read(socket)

    @Slot()
    def _on_socket_ready_read(self) -> None:
        socket = self.sender()
        assert isinstance(socket, QLocalSocket)
        self._read(socket)

    def _read(self, socket: QLocalSocket) -> None:
        if socket not in self._received:
            return
        self._received[socket] += socket.readAll().data()
        line, end, _ = self._received[socket].partition(b"\n")
        if not end:
            if len(line) > LONGEST_REQUEST:
                socket.abort()
            return
        self._received[socket] = b""  # each side waits for the other's line
        if (answered := self._answered.pop(socket, None)) is not None:
            self.requested.emit(answered)
            return
        try:
            self._answered[socket] = Request.from_line(line)
        except (ValueError, RecursionError) as error:
            _log.warning("another instance sent %s", error)
            socket.abort()
            return
        socket.write(_ANSWER)

    @Slot()
    def _on_socket_disconnected(self) -> None:
        socket = self.sender()
        assert isinstance(socket, QLocalSocket)
        self._answered.pop(socket, None)
        if self._received.pop(socket, None) is not None:
            socket.deleteLater()


def _identity(path: str) -> tuple[int, ...] | None:
    """Return what tells a file from every other one, also from a later one with its number; None if there is none."""
    try:
        facts = Path(path).lstat()
    except OSError:
        return None
    return facts.st_dev, facts.st_ino, facts.st_mtime_ns


def _usual_address() -> str:
    """Return where the instances of this user on this display with these settings meet.

    A start with another folder of settings, as a test's, has an instance of its own. Empty where no place is safe.
    """
    display = os.environ.get("WAYLAND_DISPLAY") or os.environ.get("DISPLAY") or os.environ.get("SESSIONNAME", "")
    display = re.sub(
        r"(:\d+)\.\d+$", r"\1", display
    )  # screens of one X server: some desktops name the first, some do not
    what = "\0".join((os.environ.get("QT_QPA_PLATFORM", ""), display, str(settings_path())))
    name = f"{APP_ID}-{hashlib.sha256(os.fsencode(what)).hexdigest()[:16]}"
    if sys.platform == "win32":
        return name  # of a pipe; the settings' path has the user's name in it
    folder = _private_folder()
    return str(folder / name) if folder is not None else ""


def _private_folder() -> Path | None:
    """Return a folder for sockets that no other user can write to, or take the place of.

    A socket's path is short, so it cannot be one of the application's own, wherever the home is.
    """
    if sys.platform == "win32":
        return None
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    own = Path(tempfile.gettempdir()) / f"{APP_ID}-{os.getuid()}"
    if runtime and len(os.fsencode(runtime)) <= _LONGEST_FOLDER and _is_private(Path(runtime)):
        return Path(runtime)
    try:
        own.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        _log.warning("later starts will not find this one: %s", error)
        return None
    return own if _is_private(own) else None


def _is_private(folder: Path) -> bool:
    if sys.platform == "win32":
        return True
    try:
        facts = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(facts.st_mode) and facts.st_uid == os.getuid() and not facts.st_mode & 0o077
