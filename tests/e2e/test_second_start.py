"""The real main(), and starts after the first one."""

from __future__ import annotations

import subprocess
import sys

import pytest
from PySide6.QtCore import QCoreApplication

from fkd_desktop import app
from fkd_desktop.command_line import make_parser
from fkd_desktop.instance import Instance
from fkd_desktop.ui.arrivals import Arrivals
from tests.e2e.test_main_in_process import run_main

pytestmark = pytest.mark.usefixtures("threads_end")


def start_again(qtbot, *arguments, cwd=None):
    """Start the application in a process of its own while this one's event loop runs; return what it said."""
    process = subprocess.Popen(
        [sys.executable, "-m", "fkd_desktop", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=cwd,
    )
    qtbot.waitUntil(lambda: process.poll() is not None, timeout=60_000)
    return process.returncode, process.communicate()[0]


def names_on(window):
    return {overlay.name for overlay in window.overlays.stack.active}


def test_later_starts_show_their_files_in_the_first_ones_window(qapp, qtbot, short_clip, tmp_path, monkeypatch):
    copy = tmp_path / "a b, ü %.mp4"
    copy.write_bytes(short_clip.read_bytes())

    def use(window):
        controller = window._controller
        assert start_again(qtbot, copy.name, str(short_clip), cwd=tmp_path) == (0, "")
        assert controller.source_name == str(copy), "the first of several, found from where it was started"
        assert window.opener.recent.entries[:2] == [str(copy), str(short_clip)]
        before = names_on(window)
        qtbot.waitUntil(lambda: window.view.live_frame is not None, timeout=20_000)
        assert start_again(qtbot) == (0, "")
        assert controller.source_name == str(copy) and names_on(window) == before, "it only comes to the front"
        assert start_again(qtbot, "--source", "demo", "--overlay", "hat") == (0, "")
        assert controller.source_name == "demo"
        assert names_on(window) == {"hat"} != before

    assert run_main(qtbot, ["--source", "camera:96"], use) == 0


def test_files_may_be_named_without_an_option(qapp, qtbot, short_clip):
    def use(window):
        qtbot.waitUntil(lambda: window._controller.source_name == str(short_clip), timeout=10_000)

    assert run_main(qtbot, [str(short_clip)], use) == 0


def test_a_start_without_arguments_opens_what_was_used_last(qapp, qtbot):
    def use(window):
        qtbot.waitUntil(lambda: window._controller.source_name == "camera:0", timeout=10_000)

    assert run_main(qtbot, [], use) == 0


def test_a_new_instance_does_not_ask_the_one_that_is_there(qapp, qtbot):
    first, heard = Instance(), []
    first.requested.connect(heard.append)
    assert first.hand_over(app._request(make_parser().parse_args([]))) is False

    def use(window):
        assert window.notices._texts == {}

    try:
        assert run_main(qtbot, ["--new-instance", "--source", "demo"], use) == 0
        assert heard == []
    finally:
        first.close()


def test_one_that_is_stuck_is_said_in_the_new_window(qapp, qtbot, monkeypatch):
    """This process cannot answer itself while it waits: a first instance that hangs."""
    monkeypatch.setattr(Instance.__init__, "__kwdefaults__", {"answer_ms": 300})
    stuck = Instance()
    stuck.hand_over(app._request(make_parser().parse_args([])))

    def use(window):
        qtbot.waitUntil(lambda: "does not answer" in window.banner.text, timeout=10_000)

    try:
        assert run_main(qtbot, ["--source", "demo"], use) == 0
    finally:
        stuck.close()


def test_a_source_and_files_are_one_too_many(capsys):
    with pytest.raises(SystemExit) as stopped:
        app.main(["a.mp4", "--source", "demo"])
    assert stopped.value.code == 2
    assert "not both" in capsys.readouterr().err


def test_a_file_from_the_systems_file_manager_is_opened(qapp, qtbot, short_clip):
    """What macOS sends; elsewhere nobody does."""
    from PySide6.QtCore import QUrl
    from PySide6.QtGui import QFileOpenEvent

    def use(window):
        assert window.findChild(Arrivals) is not None
        QCoreApplication.sendEvent(qapp, QFileOpenEvent(QUrl.fromLocalFile(str(short_clip))))
        assert window._controller.source_name == str(short_clip)

    assert run_main(qtbot, ["--source", "demo"], use) == 0
