"""What the program is told from outside its windows: settings, later starts, and the names of sources in both."""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final

from hypothesis import strategies as st
from PySide6.QtCore import QByteArray, QDataStream, QEventLoop, QIODevice, QPoint, Qt, QTimer
from PySide6.QtGui import QColor, QFont
from PySide6.QtNetwork import QLocalSocket
from PySide6.QtWidgets import QDockWidget, QMainWindow, QSplitter, QWidget

from fkd_desktop.errors import SourceError
from fkd_desktop.instance import LONGEST_REQUEST, Instance, Request
from fkd_desktop.live.sources import make_source
from fkd_desktop.live.sources.camera import CameraSource
from fkd_desktop.live.sources.stream import StreamSource
from fkd_desktop.overlays.stack import OverlayStack
from fkd_desktop.settings import Settings, _Setting
from fkd_desktop.ui.recent_menu import RecentMenu
from fkd_desktop.ui.source_opener import _has_secret, _is_address
from tests.fuzz.desktop_overlays import library
from tests.fuzz.mutate import BAD_NUMBERS, BAD_TEXTS, damaged, encoded, json_text, nested, odd_object, odd_values
from tests.fuzz.qt import gui
from tests.fuzz.target import RuleError, Target, refusal

KEYS: Final = {name: item for name, item in vars(Settings).items() if isinstance(item, _Setting)}
STATES: Final = ("window/geometry", "window/docks", "window/gallery_splitter")
LONGEST_SOCKET: Final = 80
"""Of a folder's path: a socket's has 107 bytes."""
ANSWER_MS: Final = 3000


# --- settings


@cache
def window() -> tuple[QMainWindow, QSplitter]:
    """Return a window with what the application's has: docks, bars, a splitter."""
    main, splitter = QMainWindow(), QSplitter()
    main.setObjectName("window")
    for number in range(2):
        dock = QDockWidget(main)
        dock.setObjectName(f"dock {number}")
        main.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, dock)
        main.addToolBar("bar").setObjectName(f"bar {number}")
        splitter.addWidget(QWidget())
    main.setCentralWidget(splitter)
    return main, splitter


def escaped(content: bytes) -> bytes:
    """Write bytes as Qt does in an INI file."""
    return b"".join(bytes([one]) if chr(one).isalnum() and one < 128 else b"\\x%x" % one for one in content)


class Runs:
    """What would run a command if it were unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("true",)


@cache
def variants() -> tuple[bytes, ...]:
    """Return values of Qt's kinds as INI files have them, objects of Python among them."""
    pickled = pickle.dumps(Runs())
    made = []
    for value in (QPoint(1, 2), QColor(1, 2, 3), QFont(), {"a": [1, {"b": 2}]}, 1.5, b"abc", ["a", 1]):
        data = QByteArray()
        stream = QDataStream(data, QIODevice.OpenModeFlag.WriteOnly)
        stream.writeQVariant(value)
        made.append(data.data())
    name = b"PySide::PyObjectWrapper\0"
    made.append(b"\0\0\0\x7f" + len(name).to_bytes(4, "big") + name + b"\0" + len(pickled).to_bytes(4, "big") + pickled)
    return tuple(made)


def marks() -> st.SearchStrategy[bytes]:
    """Make the mark of a value that is no text, mostly as Qt writes it."""
    written = [b"@Variant(", b"@Variant(", b"@DateTime(", b"@ByteArray(", b"@String(", b"@Rect(", b"@Size(", b"@Point("]
    evading = [rb"\x40Variant(", rb"\100Vari\x61nt(", rb'"@"Variant(', rb"@\zVariant(", b"@@Variant(", b"@Invalid("]
    return st.sampled_from(written + evading)


@st.composite
def values(draw: Callable[..., Any], state: bytes) -> bytes:  # noqa: PLR0911
    """What stands behind a key's =: a text, a number, JSON, bytes, or an object."""
    match draw(st.integers(0, 7)):
        case 0:
            return draw(
                st.sampled_from([*BAD_NUMBERS, "true", "false", "640x480", "9" * 30 + "x1", "camera:0"])
            ).encode()
        case 1:
            return encoded(draw(st.sampled_from(BAD_TEXTS)))
        case 2:
            return b'"' + json_text(draw(odd_values())).replace("\\", "\\\\").replace('"', '\\"').encode() + b'"'
        case 3:
            return nested(draw(st.sampled_from([10, 990, 60_000])), draw(st.sampled_from(["[", "{"]))).encode()
        case 4:
            return b"@ByteArray(" + escaped(draw(damaged(state))) + b")"
        case 5:
            return draw(marks()) + escaped(draw(st.sampled_from(variants()).flatmap(damaged))) + b")"
        case 6:
            return draw(marks()) + escaped(draw(st.sampled_from(variants()))) + b")"
    return draw(st.binary(max_size=30))


@st.composite
def files(draw: Callable[..., Any]) -> tuple[str, bytes]:
    """A settings file, whole or damaged, and whether it is a newer version's own one."""
    gui()
    main, splitter = window()
    states = [main.saveGeometry().data(), main.saveState().data(), splitter.saveState().data()]
    groups: dict[str, list[bytes]] = {}
    keys = [*(setting.key for setting in KEYS.values()), *STATES, "view/layers", "odd/key"]
    for key in draw(st.lists(st.sampled_from(keys), max_size=8)):
        group, _, name = key.partition("/")
        groups.setdefault(group, []).append(name.encode() + b"=" + draw(values(draw(st.sampled_from(states)))))
    version = draw(st.sampled_from([b"2", b"2", b"1", b"0", b"99", b"-1", b"9" * 5000, b"x"]))
    groups.setdefault("application", []).append(b"version=" + version)
    lines = [line for group, under in groups.items() for line in (f"[{group}]".encode(), *under)]
    content = b"\n".join(lines) + b"\n"
    name = draw(st.sampled_from(["settings.ini", "settings.ini", "settings-format-2.ini"]))
    return name, draw(st.just(content) | st.just(content) | damaged(content) | st.binary(max_size=200))


def check_settings(given: tuple[str, bytes], folder: Path) -> str | None:
    """Read all of them, give what they say to what takes it, and write them: they must come back."""
    gui()
    path = folder / "settings.ini"
    if given[0] != path.name:
        path.write_text("[application]\nversion=99\n", encoding="utf-8")
    (folder / given[0]).write_bytes(given[1])
    settings = Settings(path)
    for name, setting in KEYS.items():
        value = getattr(settings, name)
        if not isinstance(value, type(setting.default)):
            raise RuleError(f"{name} is {value!r:.100}")
    _use(settings)
    settings.mirrored, settings.source = not settings.mirrored, settings.source
    before = {name: getattr(settings, name) for name in KEYS if name != "version"}
    settings.save()
    again = Settings(path)
    if again.notice is not None and "damaged" in str(again.notice):
        raise RuleError("what was saved is damaged")
    after = {name: getattr(again, name) for name in before}
    if after != before:
        odd = next(name for name in before if before[name] != after[name])
        raise RuleError(f"{odd} did not come back: it was {before[odd]!r:.100} and is {after[odd]!r:.100}")
    return (
        None
        if settings.notice is None
        else refusal(settings.notice, path, "settings-damaged-1.ini", "settings-format-2.ini")
    )


def _use(settings: Settings) -> None:
    """Do what the window does with them at its start."""
    main, splitter = window()
    main.restoreGeometry(settings.geometry)
    main.restoreState(settings.docks)
    splitter.restoreState(settings.gallery_splitter)
    if max(main.width(), main.height()) > 20_000:
        raise RuleError(f"the window has {main.width()} x {main.height()} pixels")
    OverlayStack(library()).restore(settings.overlays)
    menu = RecentMenu()
    menu.set_entries(settings.recent_sources)
    if menu.entries and not all(isinstance(action.text(), str) for action in menu.actions()):
        raise RuleError("an entry has no text")
    menu.deleteLater()


# --- names of sources


NAMES: Final = (
    "camera:0", "camera:99", "camera:-1", "camera:" + "9" * 30, "camera:" + "9" * 5000, "camera:id=a%20b?name=x",
    "camera:0?size=1280x720&fps=30", "camera:0?size=" + "9" * 5000 + "x1", "camera:0?fps=nan", "camera:٣", "camera:",
    "demo", "demo:x", "http://[", "rtsp://[::1", "http://a b/", "rtsp://u:p@host:99999/x", "http://host:x/", "http:",
    "rtsp://h\0/x", "https://" + "a" * 70_000, "http://é.example/\u202e", "rtsp://host/v?key=1", "http://[v1.a]/", ".",
    "~nobody/x.mp4", "~", "a.txt", "empty.mp4", "folder", "pictures", "gone.mp4", "%n {0}.png", "pipe.mp4", "loop.mp4",
)  # fmt: skip


def names() -> st.SearchStrategy[str]:
    """Make names of sources as settings, sockets and command lines may have them."""
    good = st.sampled_from(NAMES)
    broken = (
        good.map(lambda name: encoded(name)[:2000]).flatmap(damaged).map(lambda one: one.decode("utf-8", "replace"))
    )
    return st.one_of(good, good, broken, st.sampled_from(BAD_TEXTS), st.text(max_size=30))


def put(folder: Path) -> None:
    """Make what some of the names lead to."""
    (folder / "folder").mkdir()
    (folder / "pictures").mkdir()
    (folder / "pictures" / "a.png").write_bytes(b"\x89PNG\r\n")
    (folder / "a.txt").write_text("hello", encoding="utf-8")
    (folder / "empty.mp4").touch()
    os.mkfifo(folder / "pipe.mp4")
    (folder / "loop.mp4").symlink_to("loop.mp4")


def check_name(name: str, folder: Path) -> str | None:
    """Make the source of a name as the window does, and open it if it is a file."""
    gui()
    put(folder)
    if _is_address(name):
        _has_secret(name)
    with _inside(folder):
        menu = RecentMenu()
        menu.add(name)
        menu.deleteLater()
        try:
            source = make_source(name, with_neighbours=True)
            if isinstance(source, StreamSource):  # nothing is asked for over a network
                return None
            try:
                source.open()
                if not isinstance(source, CameraSource):
                    source.read()
            finally:
                source.close()
        except SourceError as error:
            return refusal(error) if len(name) < 300 else "of a long name"
    return None


@contextmanager
def _inside(folder: Path) -> Iterator[None]:
    """Work in a folder."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


# --- later starts


@st.composite
def messages(draw: Callable[..., Any]) -> bytes:
    """What another process sends to the first one's socket."""
    valid = {"source": "demo", "files": ["/a.mp4"], "overlays": ["hat"], "model": "/m", "activation_token": "x"}
    request = draw(odd_object(valid))
    for key in ("source", "model"):
        if draw(st.integers(0, 2)) == 0:
            request[key] = draw(names())
    line = json_text(request).encode()
    sent = draw(
        st.one_of(
            st.just(line),
            st.just(line),
            damaged(line),
            st.sampled_from(
                [b"[" * 100_000, b'{"source":' * 50_000, b"x" * (LONGEST_REQUEST + 9), b"", b"\0", b"1" * 9000]
            ),
            st.binary(max_size=60),
        )
    )
    return sent + draw(st.sampled_from([b"\n", b"\n", b"\ngo\n", b"\ngo\ngo\n", b"\nno\n", b"\n" * 50, b""]))


def check_message(message: bytes, folder: Path) -> str | None:
    """Send it to an instance, which must tell of a whole request or of none, and answer the next one that asks."""
    gui()
    if len(os.fsencode(folder)) > LONGEST_SOCKET:
        return "no socket has so long a path"
    heard: list[Request] = []
    with _raising():
        first = Instance(str(folder / "s"), answer_ms=ANSWER_MS)
        first.requested.connect(heard.append)
        try:
            if first.hand_over(Request()):
                raise RuleError("there was another instance")
            if answer := _send(folder / "s", message):
                _send(folder / "s", message, b"go\n")
            heard_of = list(heard)
            if _send(folder / "s", Request(source="demo").to_line(), b"go\n") != b"ready\n" or len(heard) == len(
                heard_of
            ):
                raise RuleError("the instance does not answer any more")
        finally:
            first.close()
            first.deleteLater()
    for request in heard:
        texts = (request.source, request.model, request.activation_token, *request.files, *(request.overlays or ()))
        if not all(isinstance(text, str) for text in texts):
            raise RuleError(f"a request is {request!r:.200}")
    return None if answer else "no request"


def _send(path: Path, message: bytes, confirmation: bytes = b"") -> bytes:
    """Send something, wait for what becomes of it, and return the answer."""
    socket = QLocalSocket()
    loop = QEventLoop()
    socket.readyRead.connect(loop.quit)
    socket.disconnected.connect(loop.quit)
    socket.connectToServer(str(path))
    if not socket.waitForConnected(ANSWER_MS):
        raise RuleError(f"the instance cannot be reached: {socket.errorString()}")
    socket.write(message)
    QTimer.singleShot(ANSWER_MS if b"\n" in message or len(message) > LONGEST_REQUEST else 20, loop.quit)
    loop.exec()
    answer = socket.readAll().data()
    if answer and confirmation:
        socket.write(confirmation)
        socket.waitForBytesWritten(ANSWER_MS)
    if socket.state() is QLocalSocket.LocalSocketState.ConnectedState:
        socket.disconnectFromServer()
    for _ in range(20):
        gui().processEvents()
    return answer


@contextmanager
def _raising() -> Iterator[None]:
    """Raise what a slot raised."""
    raised: list[BaseException] = []
    before, sys.excepthook = sys.excepthook, lambda _kind, error, _trace: raised.append(error)
    try:
        yield
    finally:
        sys.excepthook = before
    if raised:
        raise raised[0]


TARGETS: Final = (
    Target("settings", files(), check_settings, bound_s=2.0, share=2.0),
    Target("source-name", names(), check_name, bound_s=3.0, share=1.0),
    Target("later-start", messages(), check_message, bound_s=3.0, share=1.0),
)
