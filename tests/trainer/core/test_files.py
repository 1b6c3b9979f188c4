import os
import stat
import sys
from pathlib import Path

import pytest

from trainer.core.files import expanded, link_or_copy, replacing, write_atomically


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "file"


def test_a_failure_at_the_last_moment_leaves_the_old_file(path: Path, monkeypatch) -> None:
    path.write_bytes(b"old")

    def interrupt(_descriptor: int) -> None:
        assert set(names_in(path.parent)) - {path.name}, "the new file is not beside the old one"
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert names_in(path.parent) == [path.name]


def test_a_file_that_cannot_be_replaced_leaves_nothing_behind(tmp_path: Path) -> None:
    target = tmp_path / "folder"
    (target / "inside").mkdir(parents=True)
    with pytest.raises(OSError):  # each system has its own words
        write_atomically(target, b"new")
    assert names_in(tmp_path) == ["folder"]


def test_a_home_that_is_nobodys_stays_as_it_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert expanded(Path("~/x")) == tmp_path / "x"
    for name in ("~nobody at all/x", "~\0", "~\ud800", "x"):
        assert expanded(Path(name)) == Path(name)


def test_a_write_makes_its_folder_and_replaces_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "file"
    write_atomically(path, b"one")
    write_atomically(path, b"two")
    assert path.read_bytes() == b"two"
    assert names_in(path.parent) == ["file"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such permissions")
def test_others_may_read_what_was_written_as_far_as_the_umask_says(path: Path) -> None:
    before = os.umask(0o022)
    try:
        write_atomically(path, b"content")
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


@pytest.mark.parametrize("has_links", [True, False])
def test_a_second_file_of_the_same_content_stays_when_one_is_replaced(path: Path, monkeypatch, has_links: bool) -> None:
    def refuse(*_paths: Path) -> None:
        raise PermissionError("this disk has no links")

    if not has_links:
        monkeypatch.setattr(os, "link", refuse)
    other = path.with_name("other")
    other.write_bytes(b"before")
    write_atomically(path, b"one")
    with replacing(other) as temporary:
        link_or_copy(path, temporary)
    assert other.read_bytes() == b"one"
    write_atomically(path, b"two")
    assert other.read_bytes() == b"one"
    assert names_in(path.parent) == ["file", "other"]
