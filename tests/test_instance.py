"""Later starts and the first one: handing over, crashes, silence, and strangers."""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from PySide6.QtNetwork import QLocalSocket

from fkd_desktop import instance as module
from fkd_desktop.instance import Instance, Request

pytestmark = [
    pytest.mark.usefixtures("qapp"),
    pytest.mark.skipif(sys.platform == "win32", reason="looks at the socket's file"),
]

REQUEST = Request(
    source="camera:1",
    files=("/a b/ü.mp4", os.fsdecode(b"/\xff.png")),
    overlays=("hat",),
    model="/m.safetensors",
    activation_token='x"\\_TIME5',
)


@pytest.fixture
def address(tmp_path):
    return str(tmp_path / "fkd-desktop-test")


@pytest.fixture
def start(address):
    """Make instances that are closed in the end."""
    made = []

    def begin(**keywords):
        made.append(Instance(address, **keywords))
        return made[-1]

    yield begin
    for one in made:
        one.close()


def hand_over_elsewhere(address, request=REQUEST, answer_ms=5000):
    """Hand over in a process of its own, as a later start does; return the process."""
    code = f"""
import sys
from PySide6.QtCore import QCoreApplication
from fkd_desktop.instance import Instance, Request
application = QCoreApplication([])
instance = Instance({address!r}, answer_ms={answer_ms})
print(instance.hand_over(Request(**{request.__dict__!r})), instance.complaint)
"""
    process = subprocess.Popen([sys.executable, "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    process.stdin.write(code)
    process.stdin.close()
    process.stdin = None  # else `communicate` would close it again
    return process


def test_a_later_start_is_heard_and_told_so(qtbot, start, address):
    first = start()
    assert first.hand_over(Request()) is False
    with qtbot.waitSignal(first.requested, timeout=20_000) as heard:
        later = hand_over_elsewhere(address)
    assert heard.args == [REQUEST]
    assert later.communicate(timeout=20)[0] == "True \n"
    with qtbot.waitSignal(first.requested, timeout=20_000):
        again = hand_over_elsewhere(address)
    assert again.communicate(timeout=20)[0] == "True \n"


def test_thousands_of_files_come_through(qtbot, start, address):
    first = start()
    first.hand_over(Request())
    many = Request(files=tuple(f"/a folder/with a long name/picture {number}.png" for number in range(5000)))
    with qtbot.waitSignal(first.requested, timeout=20_000) as heard:
        later = hand_over_elsewhere(address, many)
    assert heard.args == [many]
    assert later.communicate(timeout=20)[0] == "True \n"


def test_only_its_owner_may_open_the_socket(start, address):
    start().hand_over(Request())
    assert stat.S_IMODE(Path(address).stat().st_mode) & 0o077 == 0


def test_after_a_proper_end_nothing_is_left_and_the_next_start_is_a_first(start, address):
    one = start()
    one.hand_over(Request())
    one.close()
    assert list(Path(address).parent.iterdir()) == []
    assert start().hand_over(Request()) is False


def test_the_socket_of_a_crashed_process_is_taken_over(qtbot, start, address):
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(address)
    dead.close()  # its file stays, as after kill -9
    first = start()
    assert first.hand_over(Request()) is False
    assert first.complaint == ""
    with qtbot.waitSignal(first.requested, timeout=20_000):
        later = hand_over_elsewhere(address)
    assert later.communicate(timeout=20)[0] == "True \n"


def test_one_that_does_not_answer_is_said_and_costs_a_bounded_time(start, address, is_one_sentence):
    with socket.socket(socket.AF_UNIX) as stuck:
        stuck.bind(address)
        stuck.listen()
        later = start(answer_ms=200)
        assert later.hand_over(REQUEST) is False
        assert is_one_sentence(later.complaint) and "does not answer" in later.complaint
    assert later._server is not None and later._server.isListening()


def test_one_that_recovers_leaves_a_given_up_request_and_its_successors_socket_alone(qtbot, start, address):
    """This process cannot answer itself while it waits: a first instance that hangs."""
    first, later = start(), start(answer_ms=200)
    first.hand_over(Request())
    heard = []
    first.requested.connect(heard.append)
    assert later.hand_over(REQUEST) is False and "does not answer" in later.complaint
    came = []
    first._server.newConnection.connect(lambda: came.append(True))
    qtbot.waitUntil(lambda: bool(came) and not first._received, timeout=10_000)
    assert heard == [], "the later start has opened a window of its own"
    first.close()
    with qtbot.waitSignal(later.requested, timeout=20_000) as at_later:
        third = hand_over_elsewhere(address)
    assert at_later.args == [REQUEST]
    assert third.communicate(timeout=20)[0] == "True \n"
    later.close()
    assert not Path(address).exists()


def test_one_that_ends_meanwhile_is_no_complaint(start, address):
    with socket.socket(socket.AF_UNIX) as ending:
        ending.bind(address)
        ending.listen()

        # A process of its own: a thread would wait for Python's lock, which Qt holds while it waits for an answer.
        program = "import socket, sys; socket.socket(fileno=int(sys.argv[1])).accept()[0].close()"
        number = ending.fileno()
        with subprocess.Popen([sys.executable, "-c", program, str(number)], pass_fds=[number]):
            later = start()
            assert later.hand_over(REQUEST) is False
            assert later.complaint == ""


@pytest.mark.parametrize(
    "line",
    [
        b"\n",
        b"{not json}\n",
        b"[]\n",
        b'{"source": 5}\n',
        b'{"files": "x"}\n',
        b'{"files": [1]}\n',
        b'{"overlays": "hat"}\n',
        b"\xff\xfe\n",
        b"[" * 100_000 + b"\n",
        b"x" * (module.LONGEST_REQUEST + 2),
    ],
)
def test_nonsense_is_dropped_and_the_instance_lives_on(qtbot, start, address, line):
    first = start()
    first.hand_over(Request())
    heard = []
    first.requested.connect(heard.append)
    stranger = QLocalSocket()
    stranger.connectToServer(address)
    assert stranger.waitForConnected(5000)
    with qtbot.waitSignal(stranger.disconnected, timeout=10_000):
        stranger.write(line)
    assert heard == []
    with qtbot.waitSignal(first.requested, timeout=20_000):
        later = hand_over_elsewhere(address)
    assert later.communicate(timeout=20)[0] == "True \n"


def test_a_request_in_pieces_and_of_a_later_version_is_understood(qtbot, start, address):
    first = start()
    first.hand_over(Request())
    line = json.dumps({"source": "demo", "from_the_future": [1]}).encode() + b"\n"
    other = QLocalSocket()
    other.connectToServer(address)
    assert other.waitForConnected(5000)
    with qtbot.waitSignal(first.requested, timeout=10_000) as heard:
        for byte in line:
            other.write(bytes([byte]))
            other.flush()
        with qtbot.waitSignal(other.readyRead, timeout=10_000):
            pass
        other.write(b"go\n")
    assert heard.args == [Request(source="demo")]
    other.abort()


def test_a_request_comes_back():
    for request in (REQUEST, Request(), Request(overlays=())):
        line = request.to_line()
        assert line.count(b"\n") == 1 and line.endswith(b"\n")
        assert Request.from_line(line) == request


def test_two_starts_at_once_make_one_instance(address):
    code = f"""
import sys
from PySide6.QtCore import QCoreApplication, QTimer
from fkd_desktop.instance import Instance, Request
application = QCoreApplication([])
instance = Instance({address!r}, answer_ms=30_000)
if instance.hand_over(Request()):
    print("later")
else:
    instance.requested.connect(lambda _request: (print("first"), application.quit()))
    application.exec()
"""
    both = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert sorted(process.communicate(timeout=60)[0].strip() for process in both) == ["first", "later"]


# Where they meet


@pytest.fixture
def short(monkeypatch):
    """Return a folder for temporary files whose path leaves room for a socket's name; pytest's own may not."""
    with tempfile.TemporaryDirectory() as folder:
        monkeypatch.setattr(module.tempfile, "gettempdir", lambda: folder)
        yield Path(folder)


@pytest.fixture
def runtime(short, monkeypatch):
    folder = short / "runtime"
    folder.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    return folder


def test_users_displays_and_settings_have_addresses_of_their_own(runtime, monkeypatch):
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    seen = {module._usual_address()}
    for name, value in (
        ("DISPLAY", ":5"),
        ("WAYLAND_DISPLAY", "wayland-1"),
        ("XDG_CONFIG_HOME", "/x"),
        ("QT_QPA_PLATFORM", "xcb"),
    ):
        monkeypatch.setenv(name, value)
        seen.add(module._usual_address())
    assert len(seen) == 5
    assert module._usual_address() in seen, "and always the same ones"
    monkeypatch.delenv("WAYLAND_DISPLAY")
    before = module._usual_address()
    monkeypatch.setenv("DISPLAY", ":5.0")
    assert module._usual_address() == before, "the same display, as other desktops write it"
    assert {Path(address).parent for address in seen} == {runtime}


def test_a_folder_that_others_may_write_to_is_not_used(runtime, short):
    runtime.chmod(0o755)
    own = short / f"fkd-desktop-{os.getuid()}"
    assert Path(module._usual_address()).parent == own
    assert stat.S_IMODE(own.stat().st_mode) == 0o700
    own.chmod(0o777)
    assert module._usual_address() == "", "somebody else's, perhaps"
    own.rmdir()
    own.symlink_to(runtime)
    assert module._usual_address() == ""
    assert Instance().hand_over(REQUEST) is False


def test_a_folder_with_too_long_a_path_for_a_socket_is_not_used(short, monkeypatch):
    runtime = short / ("x" * 107)
    runtime.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    assert Path(module._usual_address()).parent == short / f"fkd-desktop-{os.getuid()}"
    first = Instance()
    assert first.hand_over(REQUEST) is False
    assert stat.S_ISSOCK(Path(module._usual_address()).stat().st_mode), "later starts find it"
    first.close()


def test_the_path_fits_into_a_sockets_address(runtime):
    assert len(os.fsencode(Path("/run/user/4294967295") / Path(module._usual_address()).name)) < 60
