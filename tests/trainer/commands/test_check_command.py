import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from trainer.cli import main
from trainer.readers import read_samples


@pytest.fixture
def run(capsys):
    def call(*arguments: object) -> tuple[int, str, str]:
        code = main(["check", *map(str, arguments)])
        output = capsys.readouterr()
        return code, output.out, output.err

    return call


@pytest.fixture
def damaged(data_copy: Path, edit_table) -> Path:
    edit_table(data_copy / "training_frames_keypoints.csv", lambda lines: lines.insert(2, "gone.jpg,1,2"))
    return data_copy


def test_a_sound_data_set(tiny_data: Path, run) -> None:
    code, out, err = run(tiny_data)
    assert code == 0
    assert err == ""
    lines = out.splitlines()
    assert lines[0] == f"{tiny_data}: the layout of the published data set"
    assert "training  32 faces of 8 identities" in out
    assert "problem" not in out
    assert "1 warning:" in lines
    assert lines[-1] == "It can be trained on."


def test_bad_rows_are_told_by_file_and_line(damaged: Path, run) -> None:
    code, out, _ = run(damaged)
    assert code == 0
    assert "1 problem:" in out.splitlines()
    assert f"  {damaged / 'training_frames_keypoints.csv'}:3: 1 keypoint instead of 68" in out
    assert out.splitlines()[-1].startswith("It can be trained on without the rows that have a problem: --fix OUT.csv")


def test_many_problems_are_cut(csv_data: Path, edit_table, run) -> None:
    edit_table(csv_data / "labels.csv", lambda lines: lines.extend(["gone.jpg,1,2"] * 1025))
    code, out, _ = run(csv_data)
    assert code == 0
    assert "1,025 problems:" in out
    assert "… and 1,005 more (--json lists all)" in out
    assert out.count("labels.csv:") == 20


def test_nothing_to_train_on(csv_data: Path, edit_table, run) -> None:
    edit_table(csv_data / "labels.csv", lambda lines: lines.__delitem__(slice(2, None)))
    code, out, _ = run(csv_data)
    assert code == 1
    assert "1 face of 1 identity" in out
    assert out.splitlines()[-1].startswith("It cannot be trained on: all its faces are of one identity")


def test_no_data_set(tmp_path: Path, run, is_one_sentence) -> None:
    code, out, err = run(tmp_path)
    assert code == 2
    assert out == ""
    assert is_one_sentence(err.rstrip("\n"))


def test_json_is_the_whole_report(damaged: Path, run, edit_table) -> None:
    table = damaged / "training_frames_keypoints.csv"
    edit_table(table, lambda lines: lines.extend(["gone.jpg,1,2"] * 30))
    code, out, err = run(damaged, "--json", "--fix", damaged / "good.csv")
    assert code == 0
    report = json.loads(out)
    assert report["can_train"] is True
    assert report["why_not"] is None
    assert report["faces"] == {"training": 32, "test": 3}
    assert report["problems"][0]["file"] == str(table)
    assert report["problems"][0]["line"] == 3
    assert len(report["problems"]) == 31
    assert "32 good rows" in err


def test_fix_writes_what_can_be_trained_on(damaged: Path, run) -> None:
    out_csv = damaged / "good.csv"
    code, out, _ = run(damaged, "--fix", out_csv)
    assert code == 0
    assert out.splitlines()[-1] == f"32 good rows to train on written: {out_csv}"
    assert len(read_samples(out_csv)) == 32
    assert run(out_csv)[0] == 0


def test_the_report_is_told_even_if_the_table_cannot_be_written(damaged: Path, tmp_path: Path, run) -> None:
    code, out, err = run(damaged, "--fix", tmp_path / "elsewhere" / "good.csv")
    assert code == 2
    assert "1 problem:" in out
    assert err.startswith("error: ")


def test_the_sheet_is_drawn(tiny_data: Path, tmp_path: Path, run) -> None:
    path = tmp_path / "new" / "sheet.png"
    code, out, _ = run(tiny_data, "--sheet", path)
    assert code == 0
    assert str(path) in out
    sheet = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR)
    assert sheet.shape == (8 + 4 * 296, 8 + 6 * 296, 3)
    code, _, err = run(tiny_data, "--sheet", path / "x.png")
    assert code == 2
    assert "cannot be written" in err
