"""Places that take nothing, or nothing more: whatever is saved ends in one sentence, and nothing is left half."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtGui import QImage

from fkd_desktop.annotate import work
from fkd_desktop.annotate.sheet import ContactSheet
from fkd_desktop.capture.films import film_place, recover_films
from fkd_desktop.capture.pictures import save_picture
from fkd_desktop.live.export import make_writer
from fkd_desktop.live.video_writer import VideoWriter
from fkd_desktop.overlays.saving import save_overlay
from fkd_desktop.training import inspecting
from fkd_desktop.ui.dataset_browser.save import write_image
from tests.capture.disks import disk
from tests.capture.live_frames import live_frame
from tests.live.helpers import assert_one_clear_sentence
from tests.live.test_video_writer import av_times, cv2_count, noise
from tests.overlays.test_library import described, png_bytes
from trainer.core.errors import FkdError
from trainer.runs import copy_weights

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PICTURE = noise(0, 640, 480)


def film(path: Path) -> None:
    with VideoWriter(path, effort="live") as writer:
        for i in range(60):
            writer.write(noise(i), i / 30)


def sheet(path: Path) -> None:
    contents = ContactSheet()
    contents.add(PICTURE)
    contents.write(path)


def faces(path: Path) -> None:
    image = QImage(PICTURE.data, 640, 480, QImage.Format.Format_BGR888)
    write_image(path, image, None)


def table(path: Path, kind: Any) -> None:
    writer = make_writer(kind, path)
    try:
        for i in range(1, 100):
            writer.write(live_frame(faces=1).result, frame=i, timestamp_s=i / 30)
    finally:
        writer.close()


def weights(path: Path) -> None:
    source = path.parents[1] / "weights"
    source.write_bytes(bytes(200_000))
    copy_weights(source, path)


SAVERS: dict[str, Callable[[Path], Any]] = {
    "snapshot.png": lambda path: save_picture(PICTURE, path.parent, path.stem, "png"),
    "snapshot.jpg": lambda path: save_picture(PICTURE, path.parent, path.stem, "jpg"),
    "film.mp4": film,
    "sheet.png": sheet,
    "annotated.png": lambda path: work._write_picture(path, PICTURE),
    "maps.png": lambda path: inspecting._write(path, lambda: PICTURE, None),
    "faces.png": faces,
    "table.csv": lambda path: table(path, "csv"),
    "lines.jsonl": lambda path: table(path, "jsonl"),
    "points": lambda path: table(path, "pts"),
    "overlay": lambda path: save_overlay(path, described("Mine"), png_bytes()),
    "weights.safetensors": weights,
}
GROWING = ("table.csv", "lines.jsonl", "points")
"""What was written before the disk was full is worth something, and stays."""


def all_below(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.mark.parametrize("name", SAVERS)
@pytest.mark.parametrize("left_bytes", [0, 16_384])
def test_a_full_disk(qapp, tmp_path: Path, name: str, left_bytes: int) -> None:
    if name == "overlay" and left_bytes:
        pytest.skip("it has room")
    with disk(tmp_path / "disk") as small:
        small.fill(but_for=left_bytes)
        with pytest.raises(FkdError) as caught:
            SAVERS[name](small.path / name)
        left = [path for path in small.path.rglob("*") if path.is_file() and path.name != "filler"]
        if name in GROWING:
            assert all(path.stat().st_size == 0 or path.read_bytes().endswith(b"\n") for path in left)
            assert not any(path.name.startswith(".") for path in left)
        else:
            assert all_below(small.path) == ["filler"]
    assert_one_clear_sentence(caught.value, str(small.path))


@pytest.mark.parametrize("name", SAVERS)
def test_a_disk_that_became_read_only(qapp, tmp_path: Path, name: str) -> None:
    with disk(tmp_path / "disk") as small:
        small.forbid_writing()
        with pytest.raises(FkdError) as caught:
            SAVERS[name](small.path / name)
        assert all_below(small.path) == []
    assert_one_clear_sentence(caught.value, str(small.path), "ead-only")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no file modes")
@pytest.mark.parametrize(("umask", "mode"), [(0o077, 0o600), (0o022, 0o644)])
@pytest.mark.parametrize("name", SAVERS)
def test_files_are_as_open_to_others_as_the_user_says(qapp, tmp_path: Path, name: str, umask: int, mode: int) -> None:
    (tmp_path / "out").mkdir()
    before = os.umask(umask)
    try:
        SAVERS[name](tmp_path / "out" / name)
    finally:
        os.umask(before)
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert files and not any(path.name.startswith(".") for path in files)
    assert {path.stat().st_mode & 0o777 for path in files} == {mode}


@pytest.mark.parametrize("form", ["png", "jpg"])
def test_a_folder_with_the_name_of_a_picture_is_left_alone(tmp_path: Path, form: Any) -> None:
    (tmp_path / f"a.{form}").mkdir()
    assert save_picture(PICTURE, tmp_path, "a", form).name == f"a (2).{form}"
    assert list((tmp_path / f"a.{form}").iterdir()) == []


# --- a film whose place goes


def write_on(writer: VideoWriter, begin: int) -> None:
    for i in range(begin, begin + 120):
        writer.write(noise(i), i / 30)


@pytest.mark.skipif(os.name == "nt", reason="Windows does not let go of files that are open")
@pytest.mark.parametrize("then", ["removed", "moved"])
def test_a_folder_that_goes_in_mid_recording_is_said_at_once(tmp_path: Path, then: str) -> None:
    folder = tmp_path / "films"
    with film_place(folder) as path:
        writer = VideoWriter(path, effort="live")
        write_on(writer, 0)
        if then == "removed":
            shutil.rmtree(folder)
        else:
            folder.rename(tmp_path / "elsewhere")
        with pytest.raises(FkdError) as caught:
            write_on(writer, 120)
        writer.close()
    assert_one_clear_sentence(caught.value, str(path), "moved or removed")
    assert not writer.is_kept and not folder.exists()
    if then == "moved":
        assert len(av_times(tmp_path / "elsewhere" / path.name)) >= 90


@pytest.mark.skipif(os.name == "nt", reason="Windows does not let go of files that are open")
def test_a_film_that_is_replaced_is_not_deleted_for_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    writer = VideoWriter(path, effort="live")
    write_on(writer, 0)
    path.unlink()
    path.write_text("another one's")
    with pytest.raises(FkdError):
        write_on(writer, 120)
    assert path.read_text() == "another one's"


def test_a_disk_that_is_taken_out_in_mid_recording_is_said_at_once(tmp_path: Path) -> None:
    with disk(tmp_path / "disk", size_bytes=50_000_000) as stick:
        writer = VideoWriter(stick.path / "film.mp4", effort="live")
        write_on(writer, 0)
        stick.take_out()
        with pytest.raises(FkdError) as caught:
            write_on(writer, 120)
    assert_one_clear_sentence(caught.value, str(stick.path / "film.mp4"), "moved or removed")
    assert not writer.is_kept


def test_on_a_disk_without_room_no_recording_is_begun(stage, qtbot, tmp_path: Path, is_one_sentence) -> None:
    with disk(tmp_path / "disk") as small:
        small.fill()
        stage.capture.videos_folder = small.path / "films"
        stage.capture.start_recording()
        qtbot.waitUntil(lambda: not stage.capture.is_recording, timeout=5000)
        assert all_below(small.path) == ["filler"]
    assert is_one_sentence(stage.failures[0]) and "nearly full" in stage.failures[0]


# --- what a killed one leaves


def test_a_film_that_was_finished_stays_whole_though_its_mark_was_left(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    film(path)
    (tmp_path / ".film.mp4.recording").touch()  # killed between the two
    assert recover_films(tmp_path) == [path]
    assert all_below(tmp_path) == ["film.mp4"]
    assert cv2_count(path) == len(av_times(path)) == 60


def test_what_a_killed_recovery_left_gives_way(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    film(path)
    (tmp_path / ".film.mp4.recording").touch()
    (tmp_path / ".film.mp4").write_bytes(b"half a copy")
    assert recover_films(tmp_path) == [path]
    assert all_below(tmp_path) == ["film.mp4"] and cv2_count(path) == 60
