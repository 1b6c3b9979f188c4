import os
import shutil
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest

from trainer.check import check, sample_sheet, write_good_rows
from trainer.dataset import DatasetError, read_image
from trainer.readers import read_samples, source_of_table

TRAINING = "training_frames_keypoints.csv"


@pytest.fixture
def table(data_copy: Path) -> Path:
    return data_copy / TRAINING


@pytest.fixture
def set_point(edit_table):
    """Write a keypoint into a row of a table (row 0 is the header)."""

    def change(table: Path, row: int, point: int, x: object, y: object) -> None:
        def by(lines: list[str]) -> None:
            cells = lines[row].split(",")
            cells[1 + 2 * point : 3 + 2 * point] = [str(x), str(y)]
            lines[row] = ",".join(cells)

        edit_table(table, by)

    return change


# --- what is there ---


def test_a_sound_data_set(tiny_data: Path) -> None:
    report = check(tiny_data)
    assert report.can_train
    assert report.why_not is None
    assert report.problems == ()
    assert report.source.layout == "udacity"
    assert report.faces == {"training": 32, "test": 3}
    assert report.identities == {"training": 8, "test": 3}
    images = [read_image(sample.image_path) for sample in read_samples(tiny_data, "all")]
    heights, widths = zip(*(image.shape[:2] for image in images), strict=True)
    assert report.image_width_px == (min(widths), max(widths))
    assert report.image_height_px == (min(heights), max(heights))
    assert report.iod_px is not None
    assert report.iod_px[0] >= 0.64 * 60 * 0.99  # as the faces are drawn
    assert report.iod_px[1] <= 0.64 * 85 * 1.01


def test_people_in_both_splits_are_a_warning(tiny_data: Path) -> None:
    (warning,) = check(tiny_data).warnings
    assert warning.file == tiny_data / "test_frames_keypoints.csv"
    assert warning.reason.startswith("3 of its 3 identities are in training too")


def test_the_other_layouts(csv_data: Path, pts_data: Path) -> None:
    csv_report, pts_report = check(csv_data / "labels.csv"), check(pts_data)
    assert (csv_report.source.layout, csv_report.faces, csv_report.warnings) == ("csv", {"training": 32}, ())
    assert (pts_report.source.layout, pts_report.identities, pts_report.warnings) == ("pts", {"training": 12}, ())
    assert csv_report.can_train
    assert pts_report.can_train


# --- what is wrong ---


def test_bad_rows_and_images_are_told_in_order(data_copy: Path, table: Path, edit_table, set_point) -> None:
    set_point(table, 9, 30, "nan", 5)
    edit_table(table, lambda lines: lines.__setitem__(2, ",".join(lines[2].split(",")[:21])))
    (data_copy / "training" / "Person_01_0.jpg").write_bytes(b"no image")  # line 6
    (data_copy / "training" / "Person_05_0.jpg").unlink()  # line 22
    report = check(data_copy)
    assert [(p.line, p.image and p.image.name) for p in report.problems] == [
        (3, None),
        (6, "Person_01_0.jpg"),
        (10, "Person_02_0.jpg"),
        (22, "Person_05_0.jpg"),
    ]
    assert {problem.file for problem in report.problems} == {table}
    reasons = [problem.reason for problem in report.problems]
    for reason, part in zip(reasons, ["10 keypoints", "not an image", "keypoint 30 is nan", "no image"], strict=True):
        assert part in reason
    assert report.faces["training"] == 28
    assert report.can_train  # on the rest


@pytest.mark.parametrize(
    ("x", "y", "reason"),
    [
        (-20, 60, None),
        (-200, 60, "keypoint 3 is 200 px outside"),
        (60, 9000, "keypoint 3 is 8"),
        (np.inf, 60, "inf"),
    ],
)
def test_points_may_lie_a_little_outside(data_copy: Path, table: Path, set_point, x, y, reason: str | None) -> None:
    set_point(table, 4, 3, x, y)
    problems = check(data_copy).problems
    assert len(problems) == (reason is not None)
    for problem in problems:
        assert problem.line == 5
        assert reason in problem.reason  # type: ignore[operator]


def test_images_of_the_same_pixels_are_warned_of(csv_data: Path, edit_table) -> None:
    image = read_image(csv_data / "Person_02_0.jpg")
    (csv_data / "Person_02_0.jpg").write_bytes(cv2.imencode(".png", image)[1].tobytes())
    (csv_data / "copy_1.bmp").write_bytes(cv2.imencode(".bmp", image)[1].tobytes())
    edit_table(csv_data / "labels.csv", lambda lines: lines.append(lines[9].replace("Person_02_0.jpg", "copy_1.bmp")))
    (warning,) = check(csv_data).warnings
    assert warning.line == 34
    assert warning.image == csv_data / "copy_1.bmp"
    assert warning.reason == "copy_1.bmp has the same pixels as Person_02_0.jpg of labels.csv:10"


def test_a_face_that_is_listed_twice_is_warned_of_but_not_two_faces(csv_data: Path, edit_table, drawn) -> None:
    edit_table(csv_data / "labels.csv", lambda lines: lines.append(lines[9]))
    (warning,) = check(csv_data).warnings
    assert str(warning) == f"{csv_data / 'labels.csv'}:34: lists the face of labels.csv:10 again"
    image = np.full((100, 300, 3), 60, np.uint8)
    points = [drawn.points(x=x, y=45, width=60) for x in (60, 200)]
    for face in points:
        drawn.paint(image, face)
    (csv_data / "two_1.png").write_bytes(cv2.imencode(".png", image)[1].tobytes())
    rows = [",".join(["two_1.png", *map(str, face.flatten())]) for face in points]
    edit_table(csv_data / "labels.csv", lambda lines: lines.__setitem__(slice(-1, None), rows))
    report = check(csv_data)
    assert report.warnings == report.problems == ()
    assert report.faces == {"training": 34}


# --- can it be trained on ---


def test_one_identity_is_not_enough(csv_data: Path, edit_table) -> None:
    edit_table(csv_data / "labels.csv", lambda lines: lines.__delitem__(slice(5, None)))
    report = check(csv_data)
    assert not report.can_train
    assert "one identity, 'Person_00'" in str(report.why_not)
    edit_table(csv_data / "labels.csv", lambda lines: lines.__delitem__(slice(2, None)))
    assert not check(csv_data).can_train


def test_without_a_training_split_nothing_is_trained(data_copy: Path, table: Path) -> None:
    shutil.rmtree(data_copy / "training")
    report = check(data_copy)
    assert report.faces == {"training": 0, "test": 3}
    assert "no label of its training split" in str(report.why_not)
    assert "is missing" in report.problems[0].reason
    table.unlink()
    assert check(data_copy).why_not == "it has no training split"


def test_nothing_usable_has_no_ranges(csv_data: Path) -> None:
    for path in csv_data.glob("*.jpg"):
        path.write_bytes(b"")
    report = check(csv_data)
    assert len(report.problems) == 32
    assert report.image_width_px is report.image_height_px is report.iod_px is None
    assert not report.can_train
    with pytest.raises(DatasetError, match="no face to draw"):
        sample_sheet(report)
    with pytest.raises(DatasetError, match="can be trained on"):
        write_good_rows(report, csv_data / "good.csv")


def test_no_data_set_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="is empty"):
        check(tmp_path)


# --- progress, stop ---


def test_progress_is_told_up_to_the_end(tiny_data: Path) -> None:
    told: list[tuple[int, int]] = []
    check(tiny_data, on_progress=lambda done, total: told.append((done, total)))
    assert told == [(32, 35), (35, 35)]


def test_a_check_that_is_stopped_allows_no_training(tiny_data: Path) -> None:
    answers = iter([False, True])
    report = check(tiny_data, should_stop=lambda: next(answers))
    assert report.faces == {"training": 32, "test": 0}
    assert "stopped" in str(report.why_not)
    assert not any(thread.name.startswith("dataset-check") for thread in threading.enumerate())


# --- the good rows ---


def test_good_rows_are_read_as_they_were(data_copy: Path, table: Path, set_point) -> None:
    before = {sample.image_path: sample for sample in read_samples(data_copy)}
    set_point(table, 9, 30, "nan", 5)
    (data_copy / "training" / "Person_01_0.jpg").write_bytes(b"no image")
    out = data_copy / "good.csv"
    assert write_good_rows(check(data_copy), out) == 30
    assert source_of_table(out).layout == "csv"
    after = read_samples(out)
    bad = {data_copy / "training" / name for name in ("Person_01_0.jpg", "Person_02_0.jpg")}
    assert [sample.image_path for sample in after] == [path for path in before if path not in bad]
    for sample in after:
        assert (sample.keypoints_px == before[sample.image_path].keypoints_px).all()
        assert sample.identity == before[sample.image_path].identity


def test_corrected_labels_stay_corrected(data_copy: Path, table: Path, edit_table) -> None:
    def whole(lines: list[str]) -> None:
        for number, line in enumerate(lines[1:], start=1):
            name, *cells = line.split(",")
            lines[number] = ",".join([name, *(f"{float(cell):.0f}" for cell in cells)])

    edit_table(table, whole)
    write_good_rows(check(data_copy), data_copy / "good.csv")
    for one, other in zip(read_samples(data_copy), read_samples(data_copy / "good.csv"), strict=True):
        assert (one.keypoints_px == other.keypoints_px).all()


def test_good_rows_of_a_pts_folder_beside_it(pts_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(pts_data)
    assert write_good_rows(check("."), Path("..") / "good.csv") == 12
    names = [sample.image_path for sample in read_samples(pts_data.parent / "good.csv")]
    assert names[0] == pts_data / "person_00" / "Person_00_0.jpg"


@pytest.mark.parametrize(
    ("out", "reason"),
    [
        ("data/good.txt", "neither a folder nor a CSV table"),
        ("data/test_frames_keypoints.csv", "name of a published table"),
        ("elsewhere/good.csv", "cannot name the images"),
        ("data/test/good.csv", "cannot name the images"),
    ],
)
def test_where_good_rows_cannot_be_written(data_copy: Path, is_one_sentence, out: str, reason: str) -> None:
    path = data_copy.parent / out
    with pytest.raises(DatasetError, match=reason) as caught:
        write_good_rows(check(data_copy), path)
    assert is_one_sentence(caught.value)
    assert path.exists() == (out == "data/test_frames_keypoints.csv")


def test_the_table_itself_is_never_overwritten(csv_data: Path) -> None:
    before = (csv_data / "labels.csv").read_bytes()
    with pytest.raises(DatasetError, match="table that was checked"):
        write_good_rows(check(csv_data), csv_data / "sub" / ".." / "labels.csv")
    assert (csv_data / "labels.csv").read_bytes() == before


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="a folder that this user cannot write to")
def test_good_rows_in_a_read_only_folder(csv_data: Path) -> None:
    csv_data.chmod(0o555)
    try:
        with pytest.raises(DatasetError, match="cannot be written"):
            write_good_rows(check(csv_data), csv_data / "good.csv")
    finally:
        csv_data.chmod(0o755)


def test_good_rows_where_a_folder_is(csv_data: Path) -> None:
    (csv_data / "good.csv").mkdir()
    with pytest.raises(DatasetError, match="cannot be written"):
        write_good_rows(check(csv_data / "labels.csv"), csv_data / "good.csv")


# --- the sheet ---


def test_a_seed_draws_one_sheet(tiny_data: Path) -> None:
    report = check(tiny_data)
    sheet = sample_sheet(report, count=7, seed=3, tile_px=96)
    assert sheet.shape == (8 + 2 * 104, 8 + 6 * 104, 3)
    assert (sheet == sample_sheet(report, count=7, seed=3, tile_px=96)).all()
    assert (sheet != sample_sheet(report, count=7, seed=4, tile_px=96)).any()


# --- the published data set ---


def test_the_published_data_set_is_fine_to_train_on(youtube_faces: Path) -> None:
    report = check(youtube_faces)
    assert report.can_train
    assert report.problems == ()
    assert report.faces == {"training": 3141, "test": 697}
    assert (report.image_width_px, report.image_height_px) == ((72, 494), (87, 478))
    assert report.warnings[-1].reason.startswith("315 of its 315 identities")
    assert [warning.line for warning in report.warnings] == [1212, 1578, 2634, 269, None]
