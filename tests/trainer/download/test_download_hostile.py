"""Downloads from a server that lies: in its listing, or in its archive."""

from __future__ import annotations

import gzip
import io
import json
import os
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.trainer.download.http_server import (
    ARCHIVE,
    FILE,
    FILE_URL,
    LISTING,
    Answer,
    DataServer,
    break_off,
    content,
    data_of,
    drip,
    endless,
    entries_of,
    small_data,
    stall,
    status,
    tree,
)
from trainer.download import (
    DownloadError,
    download,
)
from trainer.download.folder import MARK
from trainer.download.listing import blob_sha1, read_listing


def entry(path: object, body: bytes = b"evil", **changes: object) -> dict[str, object]:
    return {"path": path, "mode": "100644", "type": "blob", "sha": blob_sha1(body), "size": len(body)} | changes


LIES: list[object] = [
    entry("data/training/../../escaped.jpg"),
    entry("data/training/..\\..\\escaped.jpg"),
    entry("data/training//tmp/escaped.jpg"),
    entry("data/training/./a.jpg"),
    entry("data/training/C:escaped.jpg"),
    entry("data/training/a.jpg:stream.jpg"),
    entry("data/training/a\0.jpg"),
    entry("data/training/a\n.jpg"),
    entry("data/training/a\x1b[31m.jpg"),
    entry("data/training/" + "a" * 300 + ".jpg"),
    entry("data/training/sub/folder.jpg"),
    entry("data/training/.hidden.jpg"),
    entry("data/training/-option.jpg"),
    entry("data/training/$(reboot).jpg"),
    entry("data/training/NUL.jpg"),
    entry("data/test/com1.tar.jpg"),
    entry("data/test/caf\u00e9.jpg"),
    entry("data/test/\u0661.jpg"),
    entry("data/test/PERSON_01_0.jpg"),
    entry("data/test/Person_01_0.jpg"),
    entry("data/test/link.jpg", mode="120000"),
    entry("data/test/a.jpg", sha="0" * 39),
    entry("data/test/a.jpg", sha=None),
    entry("data/test/a.jpg", sha="\u0661" * 40),
    entry("data/test/a.jpg", size=-1),
    entry("data/test/a.jpg", size=True),
    entry("data/test/a.jpg", size=1e3),
    entry("data/test/a.jpg", size="9"),
    entry("data/test/a.jpg", size=None),
    entry("data/test/a.jpg", size=10_000_001),
    entry("data/test/a.jpg", size=10**300),
    "data/test/a.jpg",
    None,
    {},
    ["path"],
]
OTHERS: list[object] = [
    entry("../data/training/a.jpg"),
    entry("/etc/a.jpg"),
    entry("data/../a.jpg"),
    entry("C:\\data\\training\\a.jpg"),
    entry("data/training/script.sh"),
    entry("data/training_frames_keypoints.csv/../../a.csv"),
    entry("data"),
    entry("data/"),
    entry(""),
    entry(7),
    entry(["data/training/a.jpg"]),
    entry("data/training/a.jpg", type="tree"),
    entry("data/training/a.jpg", type="commit"),
]


@pytest.mark.parametrize("wrong", LIES, ids=lambda wrong: ascii(wrong)[:50])
def test_a_listing_that_lies_is_refused(wrong: object, is_one_sentence) -> None:
    answer = {"truncated": False, "tree": [*entries_of(small_data()), wrong]}
    with pytest.raises(DownloadError, match="listing names") as caught:
        read_listing(json.dumps(answer).encode(), "data")
    assert is_one_sentence(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("wrong", LIES[:5], ids=lambda wrong: ascii(wrong)[:50])
def test_nothing_is_written_by_a_listing_that_lies(
    server: DataServer, out: Path, tmp_path: Path, fails, wrong: object
) -> None:
    server.list_instead([*server.entries(), wrong])
    fails(out, server.source())
    assert server.requests == [LISTING]
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_part_of_the_data_set_is_passed_over(server: DataServer, out: Path, tmp_path: Path) -> None:
    server.list_instead([*server.entries(), *OTHERS])
    download(out, source=server.source())
    assert {f"outer/faces/{path.removeprefix('data/')}" for path in server.files} == {
        path for path in tree(tmp_path) if MARK not in path
    }


def test_a_total_beyond_reason_is_refused(server: DataServer, out: Path, fails) -> None:
    many = [entry(f"data/training/a{number}.jpg", size=9_999_999) for number in range(101)]
    server.list_instead([*server.entries(), *many])
    assert "more than 1 GB" in fails(out, server.source())
    assert not out.exists()


@pytest.mark.parametrize("truncated", [True, None, "false", 0])
def test_a_truncated_listing_is_refused(server: DataServer, out: Path, fails, truncated: object) -> None:
    server.list_instead(server.entries(), truncated=truncated)
    assert "incomplete" in fails(out, server.source())
    assert not out.exists()


@pytest.mark.parametrize("lacking", ["training/", "test/", "training_frames", "test_frames", ""])
def test_a_listing_without_the_data_set_is_refused(server: DataServer, out: Path, fails, lacking: str) -> None:
    server.files = {path: body for path, body in server.files.items() if not path.startswith(f"data/{lacking}")}
    assert "listing lacks" in fails(out, server.source())
    assert not out.exists()


@pytest.mark.parametrize(
    ("body", "kind", "says"),
    [
        (b"<html>Please log in", "text/html", "login page"),
        (b"", "", "login page"),
        (b"", "application/json", "3 attempts"),
        (b"\xff\xfe{", "application/json", "3 attempts"),
        (b"[" * 200_000, "application/json", "3 attempts"),
        (b"9" * 5000, "application/json", "3 attempts"),
        (b"[]", "application/json", "no listing"),
        (b'{"tree": {"path": 1}, "truncated": false}', "application/json", "no listing"),
        (b'{"message": "Moved Permanently"}', "application/json", "no listing"),
        (b'{"tree": NaN}', "application/json", "no listing"),
    ],
)
def test_a_listing_that_is_none_is_refused(
    server: DataServer, out: Path, fails, body: bytes, kind: str, says: str
) -> None:
    server.always_say(LISTING, content(body, kind))
    assert says in fails(out, server.source())
    assert not out.exists()


def test_an_endless_listing_is_cut_off(server: DataServer, out: Path, fails, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trainer.download.run.MAX_LISTING_BYTES", 1_000_000)
    server.always_say(LISTING, endless)
    assert "more than 1,000,000 bytes" in fails(out, server.source())


# --- archives ---


def test_an_archive_that_breaks_off_brings_what_it_can(server: DataServer, out: Path) -> None:
    random = os.urandom(200_000)  # does not compress: a half archive is half the files
    for number in range(4):
        server.files[f"data/test/Person_8{number}_0.jpg"] = random[number * 50_000 : (number + 1) * 50_000]
    server.always_say(ARCHIVE, break_off(server.archive()))
    download(out, source=server.with_archive())
    assert data_of(out) == server.files
    assert server.requests.count(ARCHIVE) == 2  # the second brought nothing new
    assert 1 <= sum(path.startswith("/raw/") for path in server.requests) <= 4


def bomb(size: int) -> bytes:
    return gzip.compress(bytes(size))


def hostile_archive(server: DataServer) -> bytes:
    """Make an archive of names that lead out, links and devices, with one file of the data set under such a name."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, kind in [
            ("../../escaped.jpg", tarfile.REGTYPE),
            ("/tmp/escaped.jpg", tarfile.REGTYPE),
            ("data/training", tarfile.SYMTYPE),
            ("data/test", tarfile.LNKTYPE),
            ("data/pipe", tarfile.FIFOTYPE),
            ("data/disk", tarfile.BLKTYPE),
        ]:
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, "/etc"
            body = server.files[f"data/{FILE}"] if name == "/tmp/escaped.jpg" else b""
            member.size = len(body)
            tar.addfile(member, io.BytesIO(body))
    return packed.getvalue()


@pytest.mark.parametrize(
    "make",
    [
        lambda server: status(404),
        lambda server: status(429, Retry_After="3600"),
        lambda server: content(b"no archive"),
        lambda server: content(gzip.compress(os.urandom(5000))),
        lambda server: content(gzip.compress(b"")),
        lambda server: content(b""),
        lambda server: content(server.archive()[:-20]),
        lambda server: content(bomb(1_000_000)[:-9]),
        lambda server: content(hostile_archive(server)),
        lambda server: content(gzip.compress(_header(size=2**63))),
        lambda server: content(gzip.compress(_header(size=-512))),
        lambda server: content(gzip.compress(_header(size=10**9, kind=tarfile.XHDTYPE))),
        lambda server: stall,
        lambda server: drip,
    ],
)
def test_an_archive_of_no_use_is_replaced_by_single_files(
    server: DataServer, out: Path, tmp_path: Path, make: Callable[[DataServer], Answer]
) -> None:
    server.always_say(ARCHIVE, make(server))
    download(out, source=server.with_archive())
    assert data_of(out) == server.files
    assert [path.name for path in tmp_path.iterdir()] == ["outer"]
    assert [path.name for path in out.parent.iterdir()] == ["faces"]


def _header(*, size: int, kind: bytes = tarfile.REGTYPE) -> bytes:
    member = tarfile.TarInfo("faces-master/data/training/a.jpg")
    member.type, member.size = kind, size
    return member.tobuf(tarfile.GNU_FORMAT)


def test_an_archive_that_unpacks_to_too_much_is_given_up(
    server: DataServer, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trainer.download.archive.MAX_UNPACKED_BYTES", 1_000_000)
    body = server.files[f"data/{FILE}"]
    file = _header(size=len(body)) + body + bytes(-len(body) % 512)
    server.always_say(ARCHIVE, content(gzip.compress((_header(size=600_000) + bytes(600_064)) * 2 + file)))
    download(out, source=server.with_archive())
    assert data_of(out) == server.files
    assert FILE_URL in server.requests  # not out of the archive
