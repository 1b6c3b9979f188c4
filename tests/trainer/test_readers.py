import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from trainer.dataset import DatasetError
from trainer.readers import find_source, read_rows, read_samples

TRAINING = "training_frames_keypoints.csv"
Edit = Callable[[Callable[[list[str]], object]], Path]


@pytest.fixture
def edit(data_copy: Path, edit_table) -> Edit:
    """Change the lines of the training table of `data_copy`; return its path."""

    def change(by: Callable[[list[str]], object]) -> Path:
        edit_table(data_copy / TRAINING, by)
        return data_copy / TRAINING

    return change


@pytest.fixture
def refuses(is_one_sentence) -> Callable[..., str]:
    def check(root: Path, split: str = "training") -> str:
        with pytest.raises(DatasetError) as caught:
            read_samples(root, split)  # type: ignore[arg-type]
        assert is_one_sentence(caught.value)
        assert str(root).replace("\0", "\ufffd") in str(caught.value)
        return str(caught.value)

    return check


def set_cell(row: int, column: int, value: str) -> Callable[[list[str]], None]:
    def change(lines: list[str]) -> None:
        cells = lines[row].split(",")
        cells[column] = value
        lines[row] = ",".join(cells)

    return change


def same_faces(one: list, other: list) -> bool:
    return all(
        a.image_path.name == b.image_path.name and np.allclose(a.keypoints_px, b.keypoints_px, atol=0.01)
        for a, b in zip(one, other, strict=True)
    )


# --- the published layout ---


def test_samples_are_read_as_written(tiny_data: Path) -> None:
    samples = read_samples(tiny_data, "training")
    assert len(samples) == 32
    first = samples[0]
    assert first.image_path == tiny_data / "training" / "Person_00_0.jpg"
    assert first.identity == "Person_00"
    assert first.keypoints_px.shape == (68, 2)
    assert first.keypoints_px.dtype == np.float32
    line = (tiny_data / TRAINING).read_text(encoding="utf-8").splitlines()[1].split(",")
    assert first.keypoints_px[0].tolist() == pytest.approx([float(line[1]), float(line[2])])
    assert first.keypoints_px[67].tolist() == pytest.approx([float(line[135]), float(line[136])])
    assert len(read_samples(tiny_data, "test")) == 3
    assert read_samples(tiny_data, "all")[32].image_path.parent.name == "test"
    assert len(read_samples(tiny_data, "all")) == 35


def test_all_is_what_is_there(data_copy: Path, refuses) -> None:
    (data_copy / TRAINING).unlink()
    assert len(read_samples(data_copy, "all")) == 3
    assert TRAINING in refuses(data_copy)


def test_the_path_of_a_published_table_is_its_split(tiny_data: Path) -> None:
    assert len(read_samples(tiny_data / TRAINING)) == 32
    assert len(read_samples(tiny_data / "test_frames_keypoints.csv", "all")) == 3


@pytest.mark.parametrize("value", ["11", "11.5"])
def test_whole_pixel_labels_in_this_layout_are_the_published_ones(data_copy: Path, edit: Edit, value: str) -> None:
    """Their known shift is undone; labels with a fraction are somebody's own and stay."""

    def whole(lines: list[str]) -> None:
        for number, line in enumerate(lines[1:], start=1):
            name, *cells = line.split(",")
            lines[number] = ",".join([name, *(f"{float(cell):.0f}" for cell in cells)])

    edit(whole)
    edit(set_cell(1, 1, value))
    as_written = read_samples(data_copy, correct_labels=False)
    shifts = [a.keypoints_px - b.keypoints_px for a, b in zip(as_written, read_samples(data_copy), strict=True)]
    assert (np.min(shifts) > 0.5) == (value == "11")
    assert (np.max(shifts) > 0) == (value == "11")
    moved = data_copy / "training" / "labels.csv"
    shutil.copy(data_copy / TRAINING, moved)
    assert (read_samples(moved)[0].keypoints_px == as_written[0].keypoints_px).all()


# --- a table of one's own ---


def test_a_folder_with_one_table(csv_data: Path, tiny_data: Path) -> None:
    samples = read_samples(csv_data)
    assert same_faces(samples, read_samples(tiny_data))
    assert samples[0].image_path == csv_data / "Person_00_0.jpg"
    assert samples[0].identity == "Person_00"
    assert len(read_samples(csv_data, "all")) == len(read_samples(csv_data / "labels.csv")) == 32


@pytest.mark.parametrize(
    "by",
    [
        lambda text: text.partition("\n")[2],
        lambda text: "file," + ",".join(f"{a}{i}" for i in range(68) for a in "xy") + "\n" + text.partition("\n")[2],
        lambda text: "\n\n" + text + "\n,,,,\n\n",
        lambda text: "\ufeff" + text,
        lambda text: "\ufeff" + text.partition("\n")[2],
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("\n", "\r"),
        lambda text: text.replace("Person_00_0.jpg", '"Person_00_0.jpg"').replace(",", ", "),
    ],
    ids=["no header", "named header", "empty lines", "BOM", "BOM, no header", "CRLF", "CR", "quotes and spaces"],
)
def test_a_table_may_be_written_otherwise(csv_data: Path, tiny_data: Path, by: Callable[[str], str]) -> None:
    table = csv_data / "labels.csv"
    table.write_bytes(by(table.read_text(encoding="utf-8")).encode("utf-8"))
    assert same_faces(read_samples(csv_data), read_samples(tiny_data))


@pytest.mark.parametrize("slash", ["/", "\\"])
def test_images_in_subfolders(csv_data: Path, edit_table, slash: str) -> None:
    (csv_data / "façade" / "new").mkdir(parents=True)
    shutil.move(csv_data / "Person_00_1.jpg", csv_data / "façade" / "new")
    edit_table(csv_data / "labels.csv", set_cell(2, 0, slash.join(["façade", "new", "Person_00_1.jpg"])))
    assert read_samples(csv_data)[1].image_path == csv_data / "façade" / "new" / "Person_00_1.jpg"


@pytest.mark.parametrize(
    "name",
    ["../csv data/Person_00_0.jpg", "a/../../x.jpg", "/etc/x.jpg", "C:\\x.jpg", "\\\\nas\\share\\x.jpg", "..\\x"],
)
def test_names_stay_in_the_folder(csv_data: Path, edit_table, refuses, name: str) -> None:
    edit_table(csv_data / "labels.csv", set_cell(3, 0, name))
    sentence = refuses(csv_data)
    assert "line 4" in sentence
    assert "leads out of" in sentence


def test_one_face_is_enough_to_be_read(csv_data: Path, edit_table) -> None:
    edit_table(csv_data / "labels.csv", lambda lines: lines.__delitem__(slice(2, None)))
    assert len(read_samples(csv_data)) == 1


def test_there_is_no_test_split(csv_data: Path, pts_data: Path, refuses) -> None:
    for root in (csv_data, pts_data):
        assert "no test split; choose its training split" in refuses(root, "test")


def test_of_several_tables_the_one_with_68_keypoints_is_read(csv_data: Path) -> None:
    (csv_data / "notes.csv").write_text("name,age\nPerson_00,30\n", encoding="utf-8")
    (csv_data / "._labels.csv").write_bytes(b"\0\5\x16\7")  # as macOS leaves them in archives
    assert len(read_samples(csv_data)) == 32


def test_several_tables_are_asked_about(csv_data: Path, refuses) -> None:
    shutil.copy(csv_data / "labels.csv", csv_data / "again.CSV")
    sentence = refuses(csv_data)
    assert "again.CSV, labels.csv; give the path" in sentence
    assert len(read_samples(csv_data / "again.CSV")) == 32


@pytest.mark.skipif(os.name == "nt", reason="folders have no such mode there")
def test_a_read_only_folder_is_read(csv_data: Path) -> None:
    for path in (*csv_data.iterdir(), csv_data):
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        assert len(read_samples(csv_data)) == 32
    finally:
        csv_data.chmod(0o755)


# --- .pts ---


def test_pts_files_are_read_with_pixels_counted_from_0(pts_data: Path, tiny_data: Path) -> None:
    samples = read_samples(pts_data)
    assert same_faces(samples, read_samples(tiny_data)[:12])
    assert samples[5].image_path == pts_data / "person_01" / "Person_01_1.jpg"
    assert len({sample.identity for sample in samples}) == 12  # photographs: each of somebody else


@pytest.mark.parametrize("by", [lambda t: t.replace("\n", "\r\n"), lambda t: "\ufeff" + t.replace(" ", " \t") + "\n\n"])
def test_pts_files_may_be_written_otherwise(pts_data: Path, tiny_data: Path, by: Callable[[str], str]) -> None:
    for path in pts_data.rglob("*.pts"):
        path.write_bytes(by(path.read_text(encoding="utf-8")).encode("utf-8"))
    for path in pts_data.glob("person_01/*.jpg"):
        path.rename(path.with_suffix(".PNG"))
    (pts_data / "person_00" / "._Person_00_0.pts").write_bytes(b"\0\5\x16\7")
    (pts_data / "unlabelled.jpg").write_bytes(b"")
    assert [s.keypoints_px[8, 0] for s in read_samples(pts_data)] == pytest.approx(
        [s.keypoints_px[8, 0] for s in read_samples(tiny_data)[:12]], abs=0.01
    )


@pytest.mark.parametrize(
    ("by", "reason"),
    [
        (lambda lines: lines.__delitem__(slice(13, -1)), "10 keypoints instead of 68"),
        (lambda lines: lines.__setitem__(5, "12.5"), "'12.5' is not x and y"),
        (lambda lines: lines.__setitem__(5, "12.5 abc"), "'abc' is not a number"),
        (lambda lines: lines.__setitem__(5, "12.5 NaN"), "y of keypoint 2 is NaN"),
        (lambda lines: lines.__delitem__(-1), "no .pts file"),
        (lambda lines: lines.clear(), "no .pts file"),
        (lambda lines: lines.__setitem__(slice(3, -1), ["5 5"] * 68), "at one place"),
    ],
)
def test_a_pts_file_that_is_none(pts_data: Path, edit_table, refuses, by, reason: str) -> None:
    path = pts_data / "person_01" / "Person_01_2.pts"
    edit_table(path, by)
    sentence = refuses(pts_data)
    assert sentence.startswith(f"{path}: ")
    assert reason in sentence


def test_binary_pts_and_one_without_an_image(pts_data: Path, refuses) -> None:
    (pts_data / "person_00" / "Person_00_1.jpg").unlink()
    assert "there is no image Person_00_1 " in refuses(pts_data)
    (pts_data / "person_00" / "Person_00_0.pts").write_bytes(os.urandom(3000) + b"\xff")
    sentence = refuses(pts_data)
    assert "is no .pts file" in sentence
    assert "1 more cannot be used either" in sentence


def test_a_table_among_pts_files_is_asked_about(pts_data: Path, csv_data: Path, refuses) -> None:
    shutil.copy(csv_data / "labels.csv", pts_data)
    assert "holds .pts files and labels.csv; give the path" in refuses(pts_data)
    (pts_data / "labels.csv").write_text("some,other\ntable,1\n", encoding="utf-8")
    assert len(read_samples(pts_data)) == 12


# --- no data set ---


@pytest.mark.parametrize("name", ["nowhere", "nul\0byte"])
def test_a_missing_folder(tmp_path: Path, refuses, name: str) -> None:
    assert "no folder" in refuses(tmp_path / name)


def test_a_path_that_is_too_long(is_one_sentence) -> None:
    with pytest.raises(DatasetError, match="cannot be read") as caught:
        read_samples("x" * 5000)
    assert is_one_sentence(caught.value)


def test_a_file_in_place_of_the_folder(data_copy: Path, refuses) -> None:
    assert "neither a folder nor a CSV" in refuses(data_copy / "training" / "Person_00_0.jpg")


def test_an_empty_folder(tmp_path: Path, refuses) -> None:
    assert "is empty" in refuses(tmp_path)
    (tmp_path / "notes.txt").write_text("x", encoding="utf-8")
    assert "neither images nor labels" in refuses(tmp_path)


def test_images_without_labels(data_copy: Path, refuses) -> None:
    (data_copy / TRAINING).unlink()
    (data_copy / "test_frames_keypoints.csv").unlink()
    assert "images but no labels" in refuses(data_copy)


def test_a_folder_too_high_is_told_the_right_one(data_copy: Path, refuses) -> None:
    assert "give its folder data" in refuses(data_copy.parent)


def test_labels_without_images(data_copy: Path, refuses) -> None:
    shutil.rmtree(data_copy / "training")
    assert f"the folder {data_copy / 'training'} with its images is missing" in refuses(data_copy)
    assert len(read_samples(data_copy, "test")) == 3


# --- bad tables ---


def test_no_table(data_copy: Path, refuses) -> None:
    (data_copy / TRAINING).unlink()
    assert f"there is no {data_copy / TRAINING}" in refuses(data_copy)


def test_an_empty_table(data_copy: Path, edit: Edit, refuses) -> None:
    edit(lambda lines: lines.__delitem__(slice(1, None)))
    assert "no rows" in refuses(data_copy)
    edit(lambda lines: lines.clear())
    assert "no rows" in refuses(data_copy)


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xfe\x00\x01" * 50,
        b'head\n"' + b"x" * 200_000,
        b"\x89PNG\r\n\x1a\n" * 9,
        "name,x0,y0\nä.jpg,1,2\n".encode("cp1252"),
        "name,x0,y0\na.jpg,1,2\n".encode("utf-16"),
    ],
)
def test_a_table_that_is_none(data_copy: Path, refuses, content: bytes) -> None:
    (data_copy / TRAINING).write_bytes(content)
    assert "cannot be read" in refuses(data_copy)


@pytest.mark.parametrize(("mark", "name"), [(";", "semicolon"), ("\t", "tab")])
@pytest.mark.parametrize("point", [".", ","])
@pytest.mark.parametrize("header", [True, False])
def test_another_separator(
    data_copy: Path, edit: Edit, refuses, mark: str, name: str, point: str, header: bool
) -> None:
    edit(lambda lines: lines.__setitem__(slice(None), [line.replace(",", mark).replace(".", point) for line in lines]))
    if not header:
        edit(lambda lines: lines.pop(0))
    assert f"must be a comma, not a {name}" in refuses(data_copy)


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        (1, "1 column instead"),
        (136, "136 columns instead of 137"),
        (138, "138 columns"),
        (21, "10 keypoints instead of 68"),
    ],
)
def test_a_row_with_another_number_of_columns(data_copy: Path, edit: Edit, refuses, columns: int, reason: str) -> None:
    edit(lambda lines: lines.__setitem__(4, ",".join((lines[4] + ",0").split(",")[:columns])))
    sentence = refuses(data_copy)
    assert "line 5" in sentence
    assert reason in sentence


def test_a_table_of_another_scheme(csv_data: Path, edit_table, refuses) -> None:
    edit_table(
        csv_data / "labels.csv",
        lambda lines: lines.__setitem__(slice(None), [",".join(line.split(",")[:21]) for line in lines]),
    )
    sentence = refuses(csv_data)
    assert "line 2: 10 keypoints instead of 68" in sentence
    assert "none of the 31 others" in sentence


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "1e20", "-1e99"])
def test_a_coordinate_that_is_no_number(data_copy: Path, edit: Edit, refuses, value: str) -> None:
    edit(set_cell(2, 7, value))
    sentence = refuses(data_copy)
    assert "line 3" in sentence
    assert f"x of keypoint 3 is {value}, not a number of pixels" in sentence


@pytest.mark.parametrize("value", ["", "abc", "1;2", "x" * 3000])
def test_a_coordinate_that_is_text(data_copy: Path, edit: Edit, refuses, value: str) -> None:
    edit(set_cell(2, 7, value))
    sentence = refuses(data_copy)
    assert "line 3" in sentence
    assert repr(value[:50])[:-1] in sentence


def test_the_first_row_is_not_taken_for_a_header(csv_data: Path, edit_table, refuses) -> None:
    edit_table(csv_data / "labels.csv", lambda lines: lines.pop(0))
    edit_table(csv_data / "labels.csv", set_cell(0, 7, "abc"))
    assert "line 1: 'abc'" in refuses(csv_data)
    edit_table(csv_data / "labels.csv", set_cell(0, 0, ""))
    assert "line 1: the row has no file name" in refuses(csv_data)


@pytest.mark.parametrize("points", [range(68), (36, 45)])
def test_labels_that_are_no_face(data_copy: Path, edit: Edit, refuses, points) -> None:
    for point in points:
        edit(set_cell(6, 1 + 2 * point, "50"))
        edit(set_cell(6, 2 + 2 * point, "60"))
    sentence = refuses(data_copy)
    assert "line 7" in sentence
    assert "at one place" in sentence


def test_a_missing_image(data_copy: Path, refuses) -> None:
    (data_copy / "training" / "Person_03_1.jpg").unlink()
    sentence = refuses(data_copy)
    assert "Person_03_1.jpg" in sentence
    assert "line 15" in sentence


@pytest.mark.parametrize("name", ["", "../training", "a" * 5000, "nul\0byte", "."])
def test_a_name_that_is_no_image(data_copy: Path, edit: Edit, refuses, name: str) -> None:
    edit(set_cell(2, 0, name))
    assert "line 3" in refuses(data_copy)


def test_the_refusal_says_how_many_more_and_what_to_do(data_copy: Path, edit: Edit, refuses) -> None:
    edit(set_cell(2, 0, "gone.jpg"))
    assert "(fkd-train check DATA --fix OUT.csv writes the good rows)" in refuses(data_copy)
    edit(set_cell(5, 1, "nan"))
    edit(set_cell(6, 1, "nan"))
    sentence = refuses(data_copy)
    assert "line 3: " in sentence
    assert "2 more cannot be used either, and fkd-train check" in sentence


def test_the_tolerant_reader_gives_faces_and_problems(data_copy: Path, edit: Edit) -> None:
    edit(set_cell(2, 0, "gone.jpg"))
    edit(set_cell(5, 1, "nan"))
    rows, problems = read_rows(find_source(data_copy), "all")
    assert len(rows) == 33
    assert (rows[0].file, rows[0].line, rows[0].split) == (data_copy / TRAINING, 2, "training")
    assert (rows[-1].line, rows[-1].split) == (4, "test")
    assert [problem.line for problem in problems] == [3, 6]
    assert [problem.image for problem in problems] == [
        data_copy / "training" / "gone.jpg",
        data_copy / "training" / "Person_01_0.jpg",
    ]
    assert str(problems[0]).startswith(f"{data_copy / TRAINING}:3: there is no image 'gone.jpg'")


# --- the published data set ---


def test_the_published_data_set_is_read_whole(youtube_faces: Path) -> None:
    training, test = read_samples(youtube_faces, "training"), read_samples(youtube_faces, "test")
    assert (len(training), len(test)) == (3141, 697)
    identities = {sample.identity for sample in training}
    assert len(identities) == 315
    assert {sample.identity for sample in test} <= identities  # the leak that the split by identity is for
