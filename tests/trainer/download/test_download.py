"""What a download brings, keeps and leaves alone, from a server on this computer that behaves."""

from __future__ import annotations

import itertools
import os
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from tests.trainer.download.http_server import (
    ARCHIVE,
    FILE,
    LISTING,
    DataServer,
    data_of,
    tree,
)
from trainer.download import (
    DownloadError,
    Progress,
    contents,
    download,
)


def test_every_file_arrives(server: DataServer, out: Path) -> None:
    assert download(out, source=server.source()) == out
    assert data_of(out) == server.files
    assert sorted(server.requests) == sorted([LISTING, *(f"/raw/{path}" for path in server.files)])
    assert server.user_agents == {"fkd-desktop (fetches a data set, once)"}


def test_many_files_come_as_one_archive(server: DataServer, out: Path) -> None:
    download(out, source=server.with_archive())
    assert data_of(out) == server.files
    assert server.requests == [LISTING, ARCHIVE]


def test_progress_is_told_on_the_calling_thread(server: DataServer, out: Path) -> None:
    told: list[Progress] = []
    threads = set()

    def tell(progress: Progress) -> None:
        told.append(progress)
        threads.add(threading.current_thread())

    server.delay_s = 0.06
    download(out, source=server.source(connections=1), on_progress=tell)
    size = sum(map(len, server.files.values()))
    assert threads == {threading.current_thread()}
    assert replace(told[-1], bytes_received=0) == Progress(9, 9, size, size)
    assert told[-1].bytes_received > size
    assert len(told) > 5
    for before, after in itertools.pairwise(told):
        assert after.files_done >= before.files_done
        assert after.bytes_done >= before.bytes_done


def test_a_download_that_is_complete_asks_for_the_listing_only(server: DataServer, out: Path) -> None:
    download(out, source=server.source())
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    server.behave()
    download(out, source=server.with_archive())
    assert server.requests == [LISTING]
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*")} == before


def test_only_what_is_missing_or_damaged_is_fetched(server: DataServer, out: Path) -> None:
    download(out, source=server.source())
    server.behave()
    damaged = out / "test_frames_keypoints.csv"
    stat = damaged.stat()
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"3")  # same size, same time: only the hash tells
    os.utime(damaged, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    (out / FILE).unlink()
    (out / "training" / "Person_03_0.jpg").write_bytes(b"")
    leftover = out / "training" / f".Person_01_1.jpg.{'0' * 32}"
    leftover.write_bytes(b"half")
    (out / "training" / f".mine.jpg.{'0' * 32}").write_bytes(b"not a leftover")
    (out / "training" / "mine.jpg").write_bytes(b"not in the listing")
    told: list[Progress] = []
    download(out, source=server.source(), on_progress=told.append)
    assert not leftover.exists()
    found = data_of(out)
    assert found.pop("data/training/mine.jpg") == b"not in the listing"
    assert found.pop(f"data/training/.mine.jpg.{'0' * 32}") == b"not a leftover"
    assert found == server.files
    wanted = ["test_frames_keypoints.csv", FILE, "training/Person_03_0.jpg"]
    assert sorted(server.requests) == sorted([LISTING, *(f"/raw/data/{path}" for path in wanted)])
    assert told[-1].bytes_done == told[-1].bytes_total


def test_a_name_with_marks_in_it_is_quoted(server: DataServer, out: Path) -> None:
    server.files["data/test/Person 's +_1, (2).jpg"] = b"a picture"
    download(out, source=server.source())
    assert data_of(out) == server.files
    assert "/raw/data/test/Person%20%27s%20%2B_1%2C%20%282%29.jpg" in server.requests


def test_somebody_elses_files_are_not_overwritten(server: DataServer, out: Path, fails) -> None:
    out.mkdir(parents=True)
    (out / "training_frames_keypoints.csv").write_bytes(b"my own labels")
    assert "would be overwritten" in fails(out, server.source())
    assert tree(out) == {"training_frames_keypoints.csv": b"my own labels"}


def test_a_copy_that_came_another_way_is_completed(server: DataServer, out: Path) -> None:
    for path, body in server.files.items():
        if "training" in path:
            (out.parent / path.replace("data", "faces", 1)).parent.mkdir(parents=True, exist_ok=True)
            (out.parent / path.replace("data", "faces", 1)).write_bytes(body)
    download(out, source=server.source())
    assert data_of(out) == server.files
    assert len(server.requests) == 1 + sum("training" not in path for path in server.files)


def test_contents_are_counted(server: DataServer, out: Path, is_one_sentence) -> None:
    download(out, source=server.source())
    (out / FILE).unlink()
    training, test = contents(out, "training"), contents(out, "test")
    assert (training.images, training.rows, training.images_without_row, training.rows_without_image) == (3, 4, 0, 1)
    assert (test.images, test.rows, test.images_without_row, test.rows_without_image) == (3, 2, 1, 0)
    (out / "test_frames_keypoints.csv").write_bytes(b",0,1\n")
    with pytest.raises(DownloadError, match="no rows") as caught:
        contents(out, "test")
    assert is_one_sentence(caught.value)
    (out / "test_frames_keypoints.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DownloadError, match="cannot be read"):
        contents(out, "test")


def test_published_tables_without_rows_are_of_no_use(server: DataServer, out: Path, fails) -> None:
    server.files["data/test_frames_keypoints.csv"] = b",0,1\n"
    assert "no rows" in fails(out, server.source())
