"""Settings files that are damaged, cannot be written, or are written by several processes that may be killed."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import QSettings

from fkd_desktop.settings import Settings

WRITERS = """
import os, random, signal, sys
from pathlib import Path
from fkd_desktop.settings import Settings

path, rounds = Path(sys.argv[1]), int(sys.argv[2])

def write_for_ever(ready):
    number = 0
    while True:
        settings = Settings(path)
        settings.source = "x" * 3000 + str(number)
        settings.recent_sources = tuple("f%d" % n for n in range(300))
        settings.store.sync()
        if number == 1:
            os.write(ready, b"1")
        number += 1

random.seed(7)
for number in range(rounds):
    read, write = os.pipe()
    children = []
    for _ in range(1 + (number % 10 == 0)):  # two wait for each other mostly, and one is in the middle of it
        child = os.fork()
        if child == 0:
            write_for_ever(write)
        children.append(child)
    os.read(read, 1)
    for _ in range(random.randrange(20_000)):
        pass
    for child in children:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    os.close(read), os.close(write)
    if number % 10:  # else the next writer finds the lock of a dead one, and takes its time
        Path(f"{path}.lock").unlink(missing_ok=True)
    text = path.read_text()
    assert "[application]\\nversion=" in text and "[source]\\nname=xxx" in text, text[-300:]
    assert '\\\\"f299\\\\"]' in text, text[-300:]
    assert text.endswith("\\n")
print(sorted(p.name for p in path.parent.iterdir() if "damaged" in p.name))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks and kills")
@pytest.mark.slow
def test_two_instances_that_write_at_once_and_are_killed_never_damage_the_file(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITERS, str(tmp_path / "settings.ini"), "100"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=100)
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr


@pytest.mark.parametrize(
    "content",
    [
        b"\0" * 400,
        b"hello\n[view]\nmirrored=true\n",
        b"[view\nmirrored=true\n",
        bytes(range(256)) * 8,
    ],
)
def test_a_damaged_file_is_set_aside_and_named_and_what_can_be_read_goes_on(
    tmp_path: Path, content: bytes, is_one_sentence
) -> None:
    path = tmp_path / "settings.ini"
    path.write_bytes(content)
    settings = Settings(path)
    kept = tmp_path / "settings-damaged-1.ini"
    assert settings.notice is not None and str(kept) in settings.notice and is_one_sentence(settings.notice)
    assert kept.read_bytes() == content
    assert settings.mirrored == (b"\nmirrored=true" in content)
    settings.language = "de"
    settings.save()
    again = Settings(path)
    assert again.notice is None, "once"
    assert again.language == "de"
    path.write_bytes(content)
    Settings(path)
    assert (tmp_path / "settings-damaged-2.ini").exists(), "none of them is written over"


class _Runs:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self._folder),)


@pytest.mark.parametrize(
    "written",
    [
        b"@Variant(",
        rb"\x40Vari\141nt(",
        rb'"@"  \zVar\xiant("" ',
        rb"in a list, @Variant(",
        b"@Vari\\\nant(",
        b"@DateTime(",
    ],
)
@pytest.mark.parametrize("name", ["settings.ini", "settings-format-2.ini"])
def test_a_pickle_in_the_settings_is_not_run(tmp_path: Path, name: str, written: bytes) -> None:
    pickled = QSettings(str(tmp_path / "other.ini"), QSettings.Format.IniFormat)
    pickled.setValue("view/overlays", _Runs(tmp_path / "run"))
    pickled.sync()
    content = b"[source]\nfolder=/films\n\n" + (tmp_path / "other.ini").read_bytes()
    assert b"@Variant(" in content
    if name != "settings.ini":
        (tmp_path / "settings.ini").write_text("[application]\nversion=99\n")
    path = tmp_path / name
    path.write_bytes(content.replace(b"@Variant(", written))
    settings = Settings(tmp_path / "settings.ini")
    assert settings.overlays == "" and settings.notice is not None
    assert not (tmp_path / "run").exists()
    assert (tmp_path / f"{path.stem}-damaged-1.ini").read_bytes() == content.replace(b"@Variant(", written)
    settings.save()
    assert b"PyObject" not in path.read_bytes()
    if b"\n" not in written:
        assert settings.last_folder == "/films", "what can be read goes on"


def test_a_damaged_file_beside_which_none_can_be_written_is_left_unread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "settings.ini"
    path.write_bytes(b"hello\n[view]\nmirrored=true\n")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("shutil.copy2", full)
    settings = Settings(path)
    assert settings.notice is not None and str(settings.notice).startswith("Settings cannot be kept")
    settings.mirrored = False
    settings.save()
    assert path.read_bytes() == b"hello\n[view]\nmirrored=true\n"


def test_files_and_folders_are_their_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "settings.ini"
    settings = Settings(path)
    settings.source = "demo"
    settings.save()
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o644)  # as it was written before
    Settings(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_folder_that_cannot_be_written_is_said_at_the_start(tmp_path: Path, is_one_sentence) -> None:
    (tmp_path / "file").write_text("")
    settings = Settings(tmp_path / "file" / "settings.ini")  # where not even root can write
    assert settings.notice is not None and is_one_sentence(settings.notice)
    assert re.search(r"Settings cannot be kept.*settings\.ini", settings.notice)
    settings.mirrored = True
    assert settings.mirrored, "until the end"


FULL = """
import resource, signal, sys
from pathlib import Path
from PySide6.QtCore import QCoreApplication, QTimer
from fkd_desktop.settings import Settings
application = QCoreApplication([])
settings = Settings(Path(sys.argv[1]))
settings.source = "before"
settings.store.sync()
said = []
settings.on_trouble = said.append
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (50, 50))
for n in range(5):
    settings.source = "x" * 1000
    QTimer.singleShot(50, application.quit)
    application.exec()
print(len(said), settings.source == "x" * 1000)
print(*said)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits the size of files")
def test_a_disk_that_takes_no_more_is_said_once_and_the_old_settings_stay(tmp_path: Path) -> None:
    path = tmp_path / "settings.ini"
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(path)], check=False, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    counts, said = done.stdout.splitlines()
    assert counts == "1 True"
    assert "Settings cannot be kept" in said and str(path) in said
    assert "name=before" in path.read_text(encoding="utf-8")
