"""fkd-annotate in this process: files in, files out, and what it says of those that cannot be done."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from fkd_desktop.annotate import cli, report
from fkd_desktop.annotate.choosing import choose_layers
from fkd_desktop.annotate.cli import main
from fkd_desktop.annotate.inputs import Input, find_inputs
from fkd_desktop.annotate.work import Annotator, Progress, Wanted
from fkd_desktop.live import network
from fkd_desktop.live.pipeline import Pipeline
from fkd_desktop.live.sources import VideoSource
from fkd_desktop.overlays import OverlayLibrary, render
from fkd_desktop.settings import overlays_path
from tests.live.helpers import read_all, save, write_video
from tests.trainer.tiny import names_in, small_disk
from trainer.core.predictor import Predictor
from trainer.core.resources import assets_dir
from trainer.label_files import Row, read_pts_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("qapp")


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    return network.load_predictor(device="cpu")


@pytest.fixture(autouse=True)
def _loaded_once(predictor: Predictor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Load the network once for all of these tests, unless a test gives weights."""
    load = network.load_predictor
    monkeypatch.setattr(
        network, "load_predictor", lambda weights, *, device: load(weights, device=device) if weights else predictor
    )


@pytest.fixture
def face(tmp_path: Path, portrait: np.ndarray) -> Path:
    """Return a picture with one face."""
    (tmp_path / "in").mkdir()
    return save(tmp_path / "in" / "face.png", portrait)


@pytest.fixture
def blank(tmp_path: Path) -> Path:
    """Return a picture without a face."""
    (tmp_path / "in").mkdir(exist_ok=True)
    return save(tmp_path / "in" / "blank.png", np.full((200, 300, 3), 90, np.uint8))


def errors_of(capsys: pytest.CaptureFixture[str], is_one_sentence: Callable[[object], bool]) -> list[str]:
    """Return what was said on stderr, after checking that each line is an error in one sentence."""
    lines = capsys.readouterr().err.splitlines()
    assert all(line.startswith("error: ") and is_one_sentence(line.removeprefix("error: ")) for line in lines), lines
    return lines


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


# --- what is made


def test_a_video_becomes_a_painted_one_with_its_tables(
    short_clip: Path, tmp_path: Path, predictor: Predictor, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    arguments = ["--overlay", "sunglasses", "numbers", "--csv", "--jsonl", "--pts"]
    assert main([str(short_clip), "--out", str(out), *arguments]) == 0
    assert names_in(out) == ["short-annotated.mp4", "short-pts", "short.csv", "short.jsonl"]
    said = capsys.readouterr()
    assert said.err == ""
    assert all(str(out / name) in said.out for name in names_in(out)) and "30 frames, 30 with faces" in said.out
    # The same pixels as `render` gives for the pipeline's results, up to the video's compression.
    pipeline, layers = Pipeline(predictor), choose_layers(["sunglasses", "numbers"], OverlayLibrary())
    before, after = read_all(VideoSource(short_clip)), read_all(VideoSource(out / "short-annotated.mp4"))
    rows = rows_of(out / "short.csv")
    lines = [json.loads(line) for line in (out / "short.jsonl").read_text().splitlines()]
    assert len(before) == len(after) == len(rows) == len(lines) == len(names_in(out / "short-pts")) == 30
    for number, (frame, written) in enumerate(zip(before, after, strict=True), 1):
        result = pipeline.process(frame.image_bgr, frame.timestamp_s)
        assert np.abs(written.image_bgr.astype(int) - render(result, layers)).mean() < 4
        assert written.timestamp_s == pytest.approx(frame.timestamp_s, abs=0.001)
        row, line = rows[number - 1], lines[number - 1]
        assert (int(row["frame"]), line["frame"]) == (number, number)
        assert float(row["timestamp"]) == pytest.approx(frame.timestamp_s, abs=1e-5)
        assert float(row["x_30"]) == pytest.approx(result.keypoints_px[0, 30, 0], abs=0.006)
        np.testing.assert_allclose(line["faces"][0]["keypoints"], result.keypoints_px[0], atol=0.006)
        points = np.loadtxt((out / "short-pts" / f"{number:06d}.pts").read_text().splitlines()[3:-1])
        np.testing.assert_allclose(points - 1, result.keypoints_px[0], atol=0.001)


def test_a_picture_keeps_its_format_and_has_exactly_the_painters_pixels(
    face: Path, tmp_path: Path, predictor: Predictor, portrait: np.ndarray
) -> None:
    out = tmp_path / "out"
    assert main([str(face), "--out", str(out), "--boxes", "--pts"]) == 0
    assert names_in(out) == ["face-annotated.png", "face.pts"]
    result = Pipeline(predictor).process_still(portrait, 0.0)
    expected = render(result, choose_layers(["boxes"], OverlayLibrary()))
    np.testing.assert_array_equal(cv2.imread(str(out / "face-annotated.png")), expected)
    assert cv2.absdiff(expected, np.ascontiguousarray(portrait)).max() > 100, "there is no box"


def test_the_trainer_trains_on_what_was_exported(face: Path, tmp_path: Path, predictor: Predictor) -> None:
    """Pictures and their .pts files in one folder are a data set as 300-W is one."""
    out = tmp_path / "out"
    assert main([str(face), "--out", str(out), "--no-media", "--pts"]) == 0
    shutil.copy(face, out)
    (row,) = read_pts_folder(out)
    assert isinstance(row, Row)
    result = Pipeline(predictor).process_still(cv2.imread(str(face)), 0.0)  # type: ignore[arg-type]
    np.testing.assert_allclose(row.sample.keypoints_px, result.keypoints_px[0], atol=0.001)


def test_faces_of_each_picture_are_counted_from_one(
    portrait: np.ndarray, blank: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    for name in ("a.jpg", "b.jpg"):
        save(blank.with_name(name), np.hstack([portrait, portrait]))
    assert main([str(blank.parent), "--out", str(out), "--csv", "--pts"]) == 0
    assert names_in(out) == [
        *("a-annotated.jpg", "a.csv", "a_0.pts", "a_1.pts", "b-annotated.jpg", "b.csv", "b_0.pts", "b_1.pts"),
        *("blank-annotated.png", "blank.csv"),
    ]
    for name in ("a.csv", "b.csv"):
        assert [(row["face_id"], row["success"]) for row in rows_of(out / name)] == [("1", "1"), ("2", "1")]
    assert [(row["face_id"], row["success"]) for row in rows_of(out / "blank.csv")] == [("0", "0")]
    assert "3 of 3 inputs done, 3 frames, 2 with faces" in capsys.readouterr().out


def test_tables_without_pictures(short_clip: Path, tmp_path: Path) -> None:
    assert main([str(short_clip), "--out", str(tmp_path / "out"), "--no-media", "--csv"]) == 0
    assert names_in(tmp_path / "out") == ["short.csv"]


def test_no_overlay_at_all(short_clip: Path, tmp_path: Path) -> None:
    assert main([str(short_clip), "--out", str(tmp_path), "--overlay", "none"]) == 0
    pairs = zip(read_all(VideoSource(short_clip)), read_all(VideoSource(tmp_path / "short-annotated.mp4")), strict=True)
    assert all(np.abs(b.image_bgr.astype(int) - a.image_bgr).mean() < 3 for a, b in pairs)


def test_smoothing_can_be_switched_off(short_clip: Path, tmp_path: Path) -> None:
    def jitter(level: str) -> float:
        out = tmp_path / level
        assert main([str(short_clip), "--out", str(out), "--no-media", "--csv", "--smoothing", level]) == 0
        x = np.array([[float(row[f"x_{i}"]) for i in range(68)] for row in rows_of(out / "short.csv")])
        return float(np.median(np.abs(x[:-2] - 2 * x[1:-1] + x[2:])))

    assert jitter("high") <= jitter("low") < 0.7 * jitter("off")


def test_a_video_with_uneven_times_keeps_them(tmp_path: Path) -> None:
    times_s = [0.0, 0.04, 0.2, 0.24, 0.9]
    clip = write_video(tmp_path / "clip.mp4", frames=5, times_s=times_s)
    assert main([str(clip), "--out", str(tmp_path / "out"), "--csv"]) == 0
    frames = read_all(VideoSource(tmp_path / "out" / "clip-annotated.mp4"))
    assert [frame.timestamp_s for frame in frames] == pytest.approx(times_s, abs=0.002)
    rows = rows_of(tmp_path / "out" / "clip.csv")
    assert [float(row["timestamp"]) for row in rows] == pytest.approx(times_s, abs=0.002)


# --- what is painted


def test_an_overlay_folder_of_ones_own(face: Path, tmp_path: Path) -> None:
    folder = tmp_path / "my glasses"
    shutil.copytree(assets_dir() / "overlays" / "sunglasses", folder)
    assert main([str(face), "--out", str(tmp_path / "a"), "--overlay", str(folder)]) == 0
    assert main([str(face), "--out", str(tmp_path / "b"), "--overlay", "sunglasses"]) == 0
    one, other = (cv2.imread(str(tmp_path / name / "face-annotated.png")) for name in "ab")
    np.testing.assert_array_equal(one, other)


def test_the_users_own_overlays_have_names(face: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(assets_dir() / "overlays" / "sunglasses", overlays_path() / "mine")
    assert main(["--list-overlays"]) == 0
    listed = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert {"keypoints", "boxes", "numbers", "sunglasses", "mine"} <= set(listed)
    assert main([str(face), "--out", str(tmp_path / "out"), "--overlay", "mine"]) == 0


def test_a_broken_overlay_is_told_with_its_reason(
    face: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (overlays_path() / "broken").mkdir(parents=True)
    (overlays_path() / "broken" / "overlay.toml").write_text("no = toml = at all")
    assert main(["--list-overlays"]) == 0
    assert str(overlays_path() / "broken") in capsys.readouterr().err
    assert main([str(face), "--out", str(tmp_path / "out"), "--overlay", "broken"]) == 2
    assert "broken" in capsys.readouterr().err


def test_what_is_painted_over_what_does_not_depend_on_how_it_is_asked_for(face: Path, tmp_path: Path) -> None:
    assert main([str(face), "--out", str(tmp_path / "a"), "--overlay", "sunglasses", "--overlay", "numbers"]) == 0
    assert main([str(face), "--out", str(tmp_path / "b"), "--overlay", "numbers", "sunglasses"]) == 0
    one, other = (cv2.imread(str(tmp_path / name / "face-annotated.png")) for name in "ab")
    np.testing.assert_array_equal(one, other)


# --- what cannot be done


def test_some_inputs_fail_and_the_others_are_done(
    face: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], is_one_sentence: Callable[[object], bool]
) -> None:
    damaged = tmp_path / "in" / "damaged.jpg"
    damaged.write_bytes(b"\xff\xd8\xff" + bytes(range(200)))
    cut = write_video(tmp_path / "in" / "cut.mp4", frames=90, options={"movflags": "+faststart"})
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size * 2 // 3])
    gone, pattern, folder = str(tmp_path / "gone.mp4"), str(tmp_path / "*.gif"), str(tmp_path / "empty")
    (tmp_path / "empty").mkdir()
    given = [gone, pattern, str(damaged), folder, str(cut), str(face)]
    assert main([*given, "--out", str(tmp_path / "out"), "--csv"]) == 1
    errors = errors_of(capsys, is_one_sentence)
    assert len(errors) == 5
    for name in given[:-1]:
        assert sum(name in error for error in errors) == 1, name
    # Of the video that is cut off there is what could be read; of what cannot be read there is nothing.
    assert names_in(tmp_path / "out") == ["cut-annotated.mp4", "cut.csv", "face-annotated.png", "face.csv"]
    assert 5 < len(read_all(VideoSource(tmp_path / "out" / "cut-annotated.mp4"))) < 90


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--out", "o"],
        ["{face}"],
        ["--out", "o", "--overlay", "hat", "{face}"],
        ["{face}", "--out", "o", "--no-media"],
        ["{face}", "--out", "o", "--no-media", "--csv", "--overlay", "hat"],
        ["{face}", "--out", "o", "--device", "abacus"],
        ["{face}", "--out", "o", "--smoothing", "much"],
        ["{face}", "--out", "o", "--over", "boxes"],
        ["--out", "o", "--overlay", "x" * 5000],
    ],
)
def test_a_bad_command_line_is_2(
    face: Path, tmp_path: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main([argument.format(face=face) for argument in arguments])
    assert caught.value.code == 2
    assert "usage: fkd-annotate INPUT... --out DIR" in capsys.readouterr().err


@pytest.mark.parametrize("fault", ["nothing found", "overlay", "long", "nobody", "weights", "long weights", "output"])
def test_nothing_can_be_done_is_2(
    face: Path,
    tmp_path: Path,
    fault: str,
    capsys: pytest.CaptureFixture[str],
    is_one_sentence: Callable[[object], bool],
) -> None:
    (tmp_path / "file").write_text("no folder")
    out = str(tmp_path / "out")
    arguments, name = {
        "nothing found": ([str(tmp_path / "*.gif"), "--out", out], "*.gif"),
        "overlay": ([str(face), "--out", out, "--overlay", "beard"], "beard"),
        "long": ([str(face), "--out", out, "--overlay", "x" * 5000], "there is no overlay xxx"),
        "nobody": ([str(face), "--out", out, "--overlay", "~nobody at all/x"], "~nobody at all/x"),
        "long weights": ([str(face), "--out", out, "--model", "x" * 300], "x" * 300),
        "weights": ([str(face), "--out", out, "--model", str(tmp_path / "no.safetensors")], "no.safetensors"),
        "output": ([str(face), "--out", str(tmp_path / "file" / "out")], str(tmp_path / "file" / "out")),
    }[fault]
    assert main(arguments) == 2
    errors = errors_of(capsys, is_one_sentence)
    assert len(errors) == 1 and name in errors[0]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="nothing is closed to the administrator")
def test_an_output_folder_that_is_closed_to_us(face: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    out.mkdir(mode=0o500)
    assert main([str(face), "--out", str(out)]) == 2
    assert str(out) in capsys.readouterr().err


def test_outputs_that_are_there_are_left_alone_unless_asked(
    face: Path,
    short_clip: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    is_one_sentence: Callable[[object], bool],
) -> None:
    out = tmp_path / "out"
    arguments = [str(face), str(short_clip), "--out", str(out), "--csv", "--jsonl", "--pts"]
    out.mkdir()
    mine = [out / name for name in ("face-annotated.png", "short.csv")]
    for path in mine:
        path.write_text("mine")
    assert main(arguments) == 1
    errors = errors_of(capsys, is_one_sentence)
    assert len(errors) == 2 and all(str(path) in error for path, error in zip(mine, errors, strict=True))
    assert names_in(out) == ["face-annotated.png", "short.csv"] and {path.read_text() for path in mine} == {"mine"}
    assert main([*arguments, "--overwrite"]) == 0
    assert cv2.imread(str(mine[0])) is not None and len(rows_of(mine[1])) == 30
    assert main([*arguments, "--overwrite"]) == 0, "a second time"


def test_an_input_is_never_written_over(face: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = face.read_bytes()
    twin = save(face.with_name("face-annotated.png"), np.zeros((50, 60, 3), np.uint8))
    black = twin.read_bytes()
    assert main([str(face), str(twin), "--out", str(face.parent), "--overwrite"]) == 0
    assert (face.read_bytes(), twin.read_bytes()) == (before, black)
    assert {"face-2-annotated.png", "face-annotated-annotated.png"} <= set(names_in(face.parent))


@pytest.mark.parametrize("limit", [100, 20_000])
def test_a_full_disk_is_told_and_what_there_is_can_be_read(
    short_clip: Path,
    tmp_path: Path,
    limit: int,
    capsys: pytest.CaptureFixture[str],
    is_one_sentence: Callable[[object], bool],
) -> None:
    out = tmp_path / "out"
    with small_disk() as limit_to:
        limit_to(limit)
        code = main([str(short_clip), "--out", str(out), "--csv"])
    assert code == 1
    # PyAV may tell on stderr, too, what its file object said.
    errors = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1 and is_one_sentence(errors[0]) and str(out) in errors[0]
    assert all(path.stat().st_size <= limit for path in out.iterdir())
    if limit > 10_000:
        rows = rows_of(out / "short.csv")
        assert rows and all(None not in row.values() for row in rows)


def test_a_picture_on_a_full_disk_leaves_nothing_half(face: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with small_disk() as limit_to:
        limit_to(500)
        code = main([str(face), "--out", str(out)])
    assert code == 1 and names_in(out) == []


def test_a_fault_of_the_program_costs_one_input(
    face: Path, blank: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    work_through = Annotator.work_through

    def fail_once(self: Annotator, item: Input, **options: object) -> object:
        if item.path == face:
            raise RuntimeError("a fault")
        return work_through(self, item, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Annotator, "work_through", fail_once)
    assert main([str(face), str(blank), "--out", str(tmp_path / "out")]) == 1
    errors = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1 and str(face) in errors[0] and "a fault" in errors[0]
    assert names_in(tmp_path / "out") == ["blank-annotated.png"]


# --- while it works


@pytest.fixture
def interrupted(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Press Ctrl-C after the tenth frame."""
    progressed = report.Report.progressed

    def press(self: report.Report, progress: Progress) -> None:
        progressed(self, progress)
        if progress.frames == 10:
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(report.Report, "progressed", press)
    before = signal.getsignal(signal.SIGINT)
    yield
    assert signal.getsignal(signal.SIGINT) is before, "the handler was left behind"


@pytest.mark.skipif(os.name == "nt", reason="a process cannot press Ctrl-C for itself there")
def test_ctrl_c_leaves_whole_files(
    short_clip: Path, face: Path, tmp_path: Path, interrupted: None, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main([str(short_clip), str(face), "--out", str(out), "--csv"]) == 130
    assert names_in(out) == ["short-annotated.mp4", "short.csv"], "the second input was begun"
    assert 10 <= len(read_all(VideoSource(out / "short-annotated.mp4"))) == len(rows_of(out / "short.csv")) < 30
    said = capsys.readouterr().out
    assert "stopped before its end" in said and "0 of 2 inputs done" in said


def test_quiet_says_nothing(face: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(face), "--out", str(tmp_path / "out"), "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let stderr be a terminal, and show all that happens."""
    monkeypatch.setattr(report, "is_terminal", lambda: True)
    monkeypatch.setattr(report, "SHOW_AFTER_S", 0.0)


@pytest.mark.skipif(os.name == "nt", reason="no such names there")
def test_names_are_one_line_and_command_no_terminal(face: Path, capsys: pytest.CaptureFixture[str]) -> None:
    odd = "a\nb\x1b[2J"
    shutil.copy(face, face.with_name(f"{odd}.png"))
    face.with_name(f"{odd}.jpg").write_text("no picture")
    assert main([str(face.parent), "--out", str(face.parent.parent / odd), "--csv"]) == 1
    with pytest.raises(SystemExit):
        main([str(face), "--out", "o", f"--{odd}"])
    said = capsys.readouterr()
    assert "\x1b" not in said.out + said.err
    assert len(said.out.splitlines()) == 3, "two pictures and the sum"
    assert [line.partition(": ")[0] for line in said.err.splitlines()] == ["error", "usage", "fkd-annotate"]


def test_a_terminal_gets_a_progress_bar(
    short_clip: Path, tmp_path: Path, terminal: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(short_clip), "--out", str(tmp_path / "out")]) == 0
    bar = capsys.readouterr().err
    assert "short.mp4" in bar and "/30" in bar and "frame/s" in bar and "1 face" in bar


def test_pictures_are_counted_by_one_bar(
    face: Path, blank: Path, short_clip: Path, tmp_path: Path, terminal: None, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [str(face), str(tmp_path / "gone.png"), str(blank), str(short_clip)]
    assert main([*given, "--out", str(tmp_path / "out")]) == 1
    said = capsys.readouterr()
    assert "face.png:  25%" in said.err and "1/4" in said.err and "4/4 short.mp4" in said.err
    assert [line.split(":")[0].split("/")[-1] for line in said.out.splitlines()[:3]] == [
        *("face.png", "blank.png", "short.mp4"),
    ]


def test_progress_comes_after_each_frame(short_clip: Path, tmp_path: Path, predictor: Predictor) -> None:
    (item,) = find_inputs([str(short_clip)], out=tmp_path).inputs
    told: list[Progress] = []
    annotator = Annotator(predictor, (), tmp_path, Wanted(media=False, tables=("csv",)))
    outcome = annotator.work_through(item, on_progress=told.append)
    assert [progress.frames for progress in told] == list(range(1, 31))
    assert {progress.count for progress in told} == {30} and {progress.faces for progress in told} == {1}
    assert (outcome.frames, outcome.faces, outcome.is_whole) == (30, 30, True)


def test_help_says_all(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(["--help"])
    assert caught.value.code == 0
    text = capsys.readouterr().out
    options = ["--out", "--overlay", "--csv", "--jsonl", "--pts", "--boxes", "--device", "--no-media", "--model"]
    assert all(option in text for option in [*options, "--smoothing", "--quiet", "--overwrite", "exit codes", "130"])
