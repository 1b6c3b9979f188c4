"""Downloads that the disk refuses, or that are stopped, killed or interrupted; and the command line."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.trainer.download.http_server import (
    ARCHIVE,
    FILE,
    FILE_URL,
    HOME,
    LISTING,
    DataServer,
    data_of,
    stall,
    status,
)
from trainer.cli import main
from trainer.commands import download as command
from trainer.download import (
    PUBLISHED,
    DownloadStoppedError,
    Progress,
    default_folder,
    download,
)


def test_a_file_where_the_folder_should_be(server: DataServer, out: Path, fails) -> None:
    out.parent.mkdir(parents=True)
    out.write_bytes(b"a file")
    sentence = fails(out, server.source())
    assert str(out) in sentence
    assert "move away the file" in sentence
    assert out.read_bytes() == b"a file"


def test_a_file_where_a_folder_in_it_should_be(server: DataServer, out: Path, fails) -> None:
    out.mkdir(parents=True)
    (out / "training").write_bytes(b"a file")
    assert "move away the file" in fails(out, server.source())
    assert (out / "training").read_bytes() == b"a file"


def test_a_folder_where_a_file_should_be(server: DataServer, out: Path, fails) -> None:
    download(out, source=server.source())
    (out / FILE).unlink()
    (out / FILE).mkdir()
    sentence = fails(out, server.source())
    assert str(out / FILE) in sentence
    assert "move away the folder" in sentence


@pytest.mark.skipif(getattr(os, "geteuid", lambda: 1)() == 0, reason="root writes where permissions forbid it")
def test_a_folder_that_may_not_be_written(server: DataServer, out: Path, fails) -> None:
    out.mkdir(parents=True)
    out.chmod(0o555)
    try:
        assert "check its permissions" in fails(out, server.source())
    finally:
        out.chmod(0o755)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on a process's files")
def test_a_disk_that_takes_no_more(server: DataServer, out: Path, fails) -> None:
    import resource

    server.files["data/training/Person_90_0.jpg"] = big = os.urandom(2_000_000)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, before[1]))
    try:
        sentence = fails(out, server.source(connections=1))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert str(out / "training" / "Person_90_0.jpg") in sentence
    assert data_of(out).items() <= server.files.items()
    download(out, source=server.source())
    assert (out / "training" / "Person_90_0.jpg").read_bytes() == big


def test_a_disk_without_room_is_told_before(
    server: DataServer, out: Path, fails, monkeypatch: pytest.MonkeyPatch
) -> None:
    from shutil import _ntuple_diskusage

    monkeypatch.setattr("shutil.disk_usage", lambda _: _ntuple_diskusage(10**9, 10**9, 0))
    assert "free some space" in fails(out, server.source())
    assert server.requests == [LISTING]


# --- stopping ---


@pytest.mark.parametrize("where", [LISTING, FILE_URL, ARCHIVE])
def test_stopping_does_not_wait_for_the_server(server: DataServer, out: Path, fails, where: str) -> None:
    server.always_say(where, stall)
    source = server.with_archive() if where == ARCHIVE else server.source()
    source = replace(source, patience=replace(source.patience, timeout_s=5))
    started = time.monotonic()
    sentence = fails(out, source, should_stop=lambda: where in server.requests)
    assert time.monotonic() - started < 3
    assert ("stopped at the start" if where == LISTING else "stopped with ") in sentence
    assert "goes on where it stopped" in sentence
    server.behave()
    assert download(out, source=server.source()) == out
    assert data_of(out) == server.files


def test_stopping_while_waiting_for_another_attempt(server: DataServer, out: Path) -> None:
    server.always_say(LISTING, status(429, Retry_After="2"))
    started = time.monotonic()
    with pytest.raises(DownloadStoppedError):
        download(out, source=server.source(), should_stop=lambda: bool(server.requests))
    assert time.monotonic() - started < 1


def test_an_error_of_the_caller_ends_the_download(server: DataServer, out: Path) -> None:
    def fail(_: Progress) -> None:
        raise RuntimeError("the caller's own")

    server.delay_s = 0.1
    with pytest.raises(RuntimeError, match="the caller's own"):
        download(out, source=server.source(connections=1), on_progress=fail)
    asked = len(server.requests)
    for thread in threading.enumerate():
        if thread.name.startswith("download"):
            thread.join(20)
            assert not thread.is_alive()
    assert len(server.requests) <= asked + 1, "nobody was left to ask for the others"


# --- the command line ---

ROOT = Path(__file__).resolve().parents[3]


def run_command(server: DataServer, out: Path) -> subprocess.Popen[str]:
    """Start the real command line in a process of its own, with this server in place of the published one."""
    program = (
        "import sys; from trainer.cli import main; from trainer.commands import download as command;"
        "from trainer.download import DataSource, Patience;"
        f"command.PUBLISHED = {server.source(connections=2)!r};"
        f"sys.exit(main(['download', '--out', {str(out)!r}]))"
    )
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


def when_files_are_there(process: subprocess.Popen[str], out: Path, count: int) -> None:
    deadline = time.monotonic() + 60
    while len(list(out.rglob("Person*.jpg"))) < count:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def slow_server(server: DataServer) -> DataServer:
    server.files |= {f"data/training/Person_5{number:02d}_0.jpg": b"%d" % number * 999 for number in range(60)}
    server.delay_s = 0.04
    return server


def test_a_killed_download_goes_on_where_it_stopped(slow_server: DataServer, out: Path) -> None:
    process = run_command(slow_server, out)
    try:
        when_files_are_there(process, out, 10)
    finally:
        process.kill()  # SIGKILL: no goodbye
        process.communicate()
    kept = {path: body for path, body in data_of(out).items() if not Path(path).name.startswith(".")}
    assert 10 <= len(kept) < len(slow_server.files)
    assert kept.items() <= slow_server.files.items()
    slow_server.behave()
    download(out, source=slow_server.source())
    assert data_of(out) == slow_server.files
    assert len(slow_server.requests) == 1 + len(slow_server.files) - len(kept)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot send an interrupt to one process")
def test_an_interrupt_ends_the_command_and_says_how_to_go_on(slow_server: DataServer, out: Path) -> None:
    process = run_command(slow_server, out)
    try:
        when_files_are_there(process, out, 10)
        process.send_signal(signal.SIGINT)
        asked = time.monotonic()
        output, errors = process.communicate(timeout=30)
    finally:
        process.kill()
        process.communicate()
    assert time.monotonic() - asked < 5
    assert process.returncode == 1
    assert "stopped with" in output
    assert "run the download again: it goes on where it stopped" in output
    assert "Traceback" not in errors
    kept = data_of(out)
    assert kept.items() < slow_server.files.items()  # nothing half, nothing left behind


@pytest.fixture
def published(server: DataServer, monkeypatch: pytest.MonkeyPatch) -> DataServer:
    """Put the server in the place of the published one."""
    monkeypatch.setattr(command, "PUBLISHED", server.source())
    return server


def test_the_command_tells_what_it_did(published: DataServer, capfd) -> None:
    before = signal.getsignal(signal.SIGINT)
    assert main(["download"]) == 0
    output = capfd.readouterr()
    out = default_folder()
    assert out.is_relative_to(os.environ["XDG_DATA_HOME"])
    assert out.parts[-3:] == ("fkd-desktop", "data", "youtube_faces")
    assert data_of(out) == published.files
    assert output.out.splitlines() == [
        f"fetching {HOME} into {out}",
        f"4 training and 3 test images are in {out}",
        "note: 1 test images are in no table and are not used",
        "The data set is not part of FKD Desktop and stays under its own terms.",
        f'next: python -m trainer train --data "{out}"',
    ]
    assert "9/9 files" in output.err
    assert signal.getsignal(signal.SIGINT) is before


def test_the_command_warns_of_rows_without_image(published: DataServer, out: Path, capfd) -> None:
    del published.files["data/training/Person_01_1.jpg"]
    assert main(["download", "--out", str(out)]) == 0
    assert "warning: 1 rows of the training table have no image" in capfd.readouterr().out


def test_the_command_fails_with_a_sentence(published: DataServer, out: Path, capfd, is_one_sentence) -> None:
    published.always_say(LISTING, status(404))
    before = signal.getsignal(signal.SIGINT)
    assert main(["download", "--out", str(out)]) == 2
    output = capfd.readouterr()
    (line,) = output.err.splitlines()
    assert line.startswith("error: ")
    assert is_one_sentence(line)
    assert signal.getsignal(signal.SIGINT) is before


def test_the_published_source_is_https_and_one_repository() -> None:
    for url in (PUBLISHED.home_url, PUBLISHED.listing_url, PUBLISHED.file_url, PUBLISHED.archive_url):
        assert url.startswith("https://")
        assert "udacity/P1_Facial_Keypoints" in url
    assert PUBLISHED.file_url.endswith("/{path}")
    assert (PUBLISHED.patience.timeout_s, PUBLISHED.patience.attempts) == (20, 4)


def test_loading_it_loads_neither_torch_nor_qt() -> None:
    program = "import sys, trainer.download; print({'torch', 'cv2', 'PySide6'} & set(sys.modules))"
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, timeout=60, check=True
    )
    assert run.stdout == "set()\n"
