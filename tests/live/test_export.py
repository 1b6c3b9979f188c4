"""Landmarks as CSV, JSON lines and .pts: what other programs read is what was found."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from fkd_desktop.errors import OutputError
from fkd_desktop.live import line_file
from fkd_desktop.live.export import (
    CSV_COLUMNS,
    EXPORT_FORMATS,
    CsvWriter,
    ExportFormat,
    JsonLinesWriter,
    PtsWriter,
    Tables,
    export_path,
    make_writer,
)
from fkd_desktop.live.result import FrameResult
from tests.live.helpers import assert_one_clear_sentence, face_points
from tests.trainer.tiny import names_in, small_disk
from trainer.core.preprocess import box_from_keypoints
from trainer.label_files import Problem, read_pts_folder, read_table


def result_of(*faces: np.ndarray, confidence: float = 0.9, first_id: int = 3) -> FrameResult:
    points = np.array(faces, np.float32).reshape(-1, 68, 2)
    return FrameResult(
        frame_bgr=np.zeros((480, 640, 3), np.uint8),
        timestamp_s=1.0,
        boxes_xywh=np.array([box_from_keypoints(face) for face in points], np.float32).reshape(-1, 4),
        ids=np.arange(first_id, first_id + len(points)),
        keypoints_px=points,
        confidences=np.full(len(points), confidence, np.float32),
    )


LEFT, RIGHT = face_points(150.25, 200, 120), face_points(450, 250.5, 160, tilt_rad=0.2)


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def points_of(row: dict[str, str]) -> np.ndarray:
    return np.array([[float(row[f"x_{i}"]), float(row[f"y_{i}"])] for i in range(68)])


def pts_points(path: Path) -> np.ndarray:
    return np.loadtxt(path.read_text().splitlines()[3:-1]) - 1


# --- CSV


def test_the_csv_has_openfaces_columns(tmp_path: Path) -> None:
    with Tables({"csv": tmp_path / "a.csv"}) as tables:
        tables.write(result_of(LEFT, RIGHT), frame=1, timestamp_s=0.04)
    header = (tmp_path / "a.csv").read_bytes().split(b"\n")[0].decode()
    assert header.startswith("frame,face_id,timestamp,confidence,success,x_0,x_1,")
    assert header.endswith(",x_67,y_0," + ",".join(f"y_{i}" for i in range(1, 68)))
    assert len(CSV_COLUMNS) == 5 + 2 * 68
    assert (tmp_path / "a.csv").read_bytes().endswith(b"\n")


def test_a_row_for_each_face_with_what_was_found(tmp_path: Path) -> None:
    writer = CsvWriter(tmp_path / "a.csv")
    writer.write(result_of(LEFT, RIGHT, confidence=0.876), frame=17, timestamp_s=0.5333333)
    writer.close()
    rows = rows_of(tmp_path / "a.csv")
    assert [(row["frame"], row["face_id"], row["success"]) for row in rows] == [("17", "3", "1"), ("17", "4", "1")]
    assert [float(row["timestamp"]) for row in rows] == pytest.approx([0.533333] * 2, abs=1e-6)
    assert [float(row["confidence"]) for row in rows] == [0.876] * 2
    for row, points in zip(rows, (LEFT, RIGHT), strict=True):
        np.testing.assert_allclose(points_of(row), points, atol=0.0051)


def test_a_frame_without_a_face_is_a_row_of_zeros(tmp_path: Path) -> None:
    writer = CsvWriter(tmp_path / "a.csv")
    writer.write(result_of(LEFT), frame=1, timestamp_s=0.0)
    writer.write(result_of(), frame=2, timestamp_s=0.04)
    writer.close()
    row = rows_of(tmp_path / "a.csv")[1]
    assert (row["frame"], row["timestamp"]) == ("2", "0.040000")
    assert {row[name] for name in CSV_COLUMNS if name not in ("frame", "timestamp")} == {"0"}


def test_a_face_that_only_lingers_is_no_success(tmp_path: Path) -> None:
    writer = CsvWriter(tmp_path / "a.csv")
    writer.write(result_of(LEFT, confidence=0.1), frame=1, timestamp_s=0.0)
    writer.close()
    row = rows_of(tmp_path / "a.csv")[0]
    assert (row["face_id"], row["success"], row["confidence"]) == ("3", "0", "0.100")
    np.testing.assert_allclose(points_of(row), LEFT, atol=0.0051)


# --- JSON lines


def test_json_lines_hold_all_that_is_known(tmp_path: Path) -> None:
    writer = JsonLinesWriter(tmp_path / "a.jsonl")
    writer.write(result_of(LEFT, RIGHT, confidence=0.5), frame=1, timestamp_s=1 / 3, name="Familie Weiß.jpg")
    writer.write(result_of(), frame=2, timestamp_s=2 / 3)
    writer.close()
    text = (tmp_path / "a.jsonl").read_text(encoding="utf-8")
    assert "Familie Weiß.jpg" in text
    first, second = [json.loads(line) for line in text.splitlines()]
    assert second == {"frame": 2, "timestamp": 0.666667, "width": 640, "height": 480, "faces": []}
    faces = first.pop("faces")
    assert first == {"frame": 1, "name": "Familie Weiß.jpg", "timestamp": 0.333333, "width": 640, "height": 480}
    assert [(face["id"], face["confidence"]) for face in faces] == [(3, 0.5), (4, 0.5)]
    for face, points in zip(faces, (LEFT, RIGHT), strict=True):
        np.testing.assert_allclose(face["keypoints"], points, atol=0.0051)
        np.testing.assert_allclose(face["box"], box_from_keypoints(points), atol=0.0051)
        assert len(face) == 4


def test_a_name_that_is_no_text_does_not_spoil_the_file(tmp_path: Path) -> None:
    """On POSIX systems names are bytes; Python shows those that are no UTF-8 as lone surrogates."""
    writer = JsonLinesWriter(tmp_path / "a.jsonl")
    writer.write(result_of(), frame=1, timestamp_s=0.0, name="bad\udcff\nname.png")
    writer.close()
    assert json.loads((tmp_path / "a.jsonl").read_text(encoding="utf-8"))["name"] == "bad\ufffd\nname.png"


# --- .pts


def test_pts_files_are_as_300w_has_them(tmp_path: Path) -> None:
    PtsWriter(tmp_path).write(result_of(LEFT), frame=1, timestamp_s=0.0, name="photo")
    lines = (tmp_path / "photo.pts").read_text(encoding="ascii").splitlines()
    assert lines[:3] == ["version: 1", "n_points: 68", "{"] and lines[-1] == "}" and len(lines) == 72
    assert all(re.fullmatch(r"\d+\.\d{3} \d+\.\d{3}", line) for line in lines[3:-1])
    np.testing.assert_allclose(pts_points(tmp_path / "photo.pts"), LEFT, atol=0.0006)


def test_the_trainer_reads_the_same_points_from_pts_files(tmp_path: Path) -> None:
    for name, face in {"left": LEFT, "right": RIGHT}.items():
        PtsWriter(tmp_path).write(result_of(face), frame=1, timestamp_s=0.0, name=name)
        assert cv2.imwrite(str(tmp_path / f"{name}.png"), np.zeros((480, 640, 3), np.uint8))
    rows = {row.sample.image_path.stem: row.sample.keypoints_px for row in read_pts_folder(tmp_path)}  # type: ignore[union-attr]
    assert rows.keys() == {"left", "right"}
    np.testing.assert_allclose(rows["left"], LEFT, atol=0.0006)
    np.testing.assert_allclose(rows["right"], RIGHT, atol=0.0006)


def test_several_faces_of_a_picture_have_numbers_and_none_has_no_file(tmp_path: Path) -> None:
    writer = PtsWriter(tmp_path / "new folder")
    writer.write(result_of(), frame=1, timestamp_s=0.0, name="nobody")
    writer.write(result_of(LEFT, RIGHT), frame=2, timestamp_s=0.0, name="both")
    writer.write(result_of(RIGHT), frame=3, timestamp_s=0.0)
    assert names_in(tmp_path / "new folder") == ["000003.pts", "both_0.pts", "both_1.pts"]
    np.testing.assert_allclose(pts_points(tmp_path / "new folder" / "both_0.pts"), LEFT, atol=0.0006)
    np.testing.assert_allclose(pts_points(tmp_path / "new folder" / "both_1.pts"), RIGHT, atol=0.0006)


def test_a_frame_that_comes_again_is_written_again(tmp_path: Path) -> None:
    """A looping video goes on through the same frames: these files are the writer's own."""
    writer = PtsWriter(tmp_path)
    writer.write(result_of(LEFT), frame=1, timestamp_s=0.0)
    writer.write(result_of(RIGHT), frame=1, timestamp_s=9.0)
    np.testing.assert_allclose(pts_points(tmp_path / "000001.pts"), RIGHT, atol=0.0006)


# --- what the trainer makes of a CSV table


def test_the_trainer_says_that_an_openface_table_is_not_one_of_its_own(tmp_path: Path) -> None:
    """Its tables begin with a file name and hold x and y in turn: mistaken for each other, points would be nonsense."""
    writer = CsvWriter(tmp_path / "a.csv")
    writer.write(result_of(LEFT), frame=1, timestamp_s=0.0)
    writer.close()
    (tmp_path / "images").mkdir()
    found = list(read_table(tmp_path / "a.csv", tmp_path / "images", "training"))
    assert [type(entry) for entry in found] == [Problem]
    assert "a row is a file name, then x and y of 68 keypoints" in str(found[0])


# --- whatever happens


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write each line as it comes."""
    monkeypatch.setattr(line_file, "FLUSH_EVERY_S", 0.0)


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_lines_come_to_the_disk_about_once_a_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: ExportFormat
) -> None:
    now_s = 100.0
    monkeypatch.setattr(line_file.time, "monotonic", lambda: now_s)
    path = tmp_path / f"a.{kind}"
    writer = make_writer(kind, path)
    header = path.read_text()
    writer.write(result_of(LEFT), frame=1, timestamp_s=0.0)
    assert path.read_text() == header
    now_s += 1.01
    writer.write(result_of(LEFT), frame=2, timestamp_s=0.0)
    assert path.read_text().count("\n") == header.count("\n") + 2
    writer.write(result_of(LEFT), frame=3, timestamp_s=0.0)
    writer.flush()
    assert path.read_text().count("\n") == header.count("\n") + 3
    writer.close()
    writer.close()


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_a_full_disk_is_one_sentence_and_leaves_whole_lines(tmp_path: Path, at_once: None, kind: ExportFormat) -> None:
    path = tmp_path / f"a.{kind}"
    writer = make_writer(kind, path)
    with small_disk() as limit_to:
        limit_to(10_000)
        with pytest.raises(OutputError) as caught:
            for frame in range(1, 100):
                writer.write(result_of(LEFT), frame=frame, timestamp_s=frame / 25)
        with pytest.raises(OutputError):  # and again, to whoever goes on
            writer.write(result_of(LEFT), frame=100, timestamp_s=0.0)
        writer.close()
    assert_one_clear_sentence(caught.value, str(path))
    assert path.stat().st_size <= 10_000
    text = path.read_text()
    assert text.endswith("\n")
    if kind == "csv":
        rows = rows_of(path)
        assert len(rows) > 5 and all(None not in row.values() for row in rows)
    else:
        assert len([json.loads(line) for line in text.splitlines()]) > 2


def test_a_full_disk_leaves_no_half_pts_file(tmp_path: Path) -> None:
    writer = PtsWriter(tmp_path)
    writer.write(result_of(LEFT), frame=1, timestamp_s=0.0)
    with small_disk() as limit_to:
        limit_to(500)
        with pytest.raises(OutputError) as caught:
            writer.write(result_of(LEFT), frame=2, timestamp_s=0.0)
    assert_one_clear_sentence(caught.value, str(tmp_path / "000002.pts"))
    assert [path.name for path in tmp_path.iterdir()] == ["000001.pts"]


@pytest.mark.skipif(os.name == "nt", reason="Windows does not let go of files that are open")
@pytest.mark.parametrize("kind", EXPORT_FORMATS)
def test_a_folder_that_is_removed_is_one_sentence(tmp_path: Path, at_once: None, kind: ExportFormat) -> None:
    folder = tmp_path / "out"
    writer = make_writer(kind, export_path(folder, "a", kind))
    writer.write(result_of(LEFT), frame=1, timestamp_s=0.0)
    shutil.rmtree(folder)
    with pytest.raises(OutputError) as caught:
        writer.write(result_of(LEFT), frame=2, timestamp_s=0.0)
    assert_one_clear_sentence(caught.value, str(folder))
    writer.close()
    assert not folder.exists()


@pytest.mark.parametrize("kind", EXPORT_FORMATS)
def test_nothing_is_written_over_unless_that_is_wanted(tmp_path: Path, kind: ExportFormat) -> None:
    path = export_path(tmp_path, "a", kind)
    file = path / "000001.pts" if kind == "pts" else path
    file.parent.mkdir(exist_ok=True)
    file.write_text("mine")

    def write(**options: Any) -> None:
        writer = make_writer(kind, path, **options)
        writer.write(result_of(LEFT), frame=1, timestamp_s=0.0)
        writer.close()

    with pytest.raises(OutputError) as caught:
        write()
    assert_one_clear_sentence(caught.value, str(file))
    assert file.read_text() == "mine"
    write(overwrite=True)
    assert "mine" not in file.read_text() and file.stat().st_size > 500


@pytest.mark.parametrize("kind", EXPORT_FORMATS)
def test_a_file_where_the_folder_should_be_is_one_sentence(tmp_path: Path, kind: ExportFormat) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(OutputError) as caught:
        make_writer(kind, export_path(tmp_path / "out", "a", kind)).write(result_of(LEFT), frame=1, timestamp_s=0.0)
    assert_one_clear_sentence(caught.value, str(tmp_path / "out"))


def test_one_place_that_cannot_be_written_closes_the_others(tmp_path: Path) -> None:
    (tmp_path / "b.jsonl").mkdir()
    with pytest.raises(OutputError, match=re.escape(str(tmp_path / "b.jsonl"))):
        Tables({"csv": tmp_path / "a.csv", "jsonl": tmp_path / "b.jsonl"})
    assert (tmp_path / "a.csv").read_text().startswith("frame,face_id")


def test_several_formats_at_once(tmp_path: Path) -> None:
    with Tables({kind: export_path(tmp_path, "clip", kind) for kind in EXPORT_FORMATS}) as tables:
        for frame in (1, 2, 3):
            tables.write(result_of(LEFT), frame=frame, timestamp_s=frame / 25)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["clip-pts", "clip.csv", "clip.jsonl"]
    assert len(rows_of(tmp_path / "clip.csv")) == 3
    assert len((tmp_path / "clip.jsonl").read_text().splitlines()) == 3
    assert len(list((tmp_path / "clip-pts").iterdir())) == 3
