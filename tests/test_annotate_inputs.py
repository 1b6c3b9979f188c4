"""What the command is given becomes pictures and videos, each with a name of its own for its outputs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fkd_desktop.annotate.inputs import Input, find_inputs
from tests.live.helpers import assert_one_clear_sentence, save, write_video


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Pictures, a video, a text, something hidden, and more below."""
    black = np.zeros((20, 30, 3), np.uint8)
    for name in ("b.jpg", "a.png", "sub/b.jpg", "sub/deep/c.webp", ".hidden.png"):
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        save(path, black)
    write_video(tmp_path / "in" / "film.mp4", frames=2, width=32, height=32)
    (tmp_path / "in" / "notes.txt").write_text("no picture")
    return tmp_path / "in"


def stems(inputs: list[Input]) -> list[str]:
    return [item.stem.as_posix() for item in inputs]


def names(inputs: list[Input], folder: Path) -> list[str]:
    return [item.path.relative_to(folder).as_posix() for item in inputs]


def test_a_folders_pictures_and_videos_by_name(folder: Path, tmp_path: Path) -> None:
    found = find_inputs([str(folder)], out=tmp_path / "out")
    assert names(found.inputs, folder) == ["a.png", "b.jpg", "film.mp4"] and not found.problems
    assert stems(found.inputs) == ["a", "b", "film"]


def test_folders_of_a_folder_keep_their_place(folder: Path, tmp_path: Path) -> None:
    found = find_inputs([str(folder)], out=tmp_path / "out", recursive=True)
    assert names(found.inputs, folder) == ["a.png", "b.jpg", "film.mp4", "sub/b.jpg", "sub/deep/c.webp"]
    assert stems(found.inputs) == ["a", "b", "film", "sub/b", "sub/deep/c"]


def test_patterns_that_no_shell_expanded(folder: Path, tmp_path: Path) -> None:
    def of(pattern: str) -> list[str]:
        return names(find_inputs([str(folder / pattern)], out=tmp_path / "out").inputs, folder)

    assert of("*.jpg") == ["b.jpg"]
    assert of("*") == ["a.png", "b.jpg", "film.mp4"]
    assert of("**/*.jpg") == ["b.jpg", "sub/b.jpg"]
    assert of("[ab].???") == ["a.png", "b.jpg"]


def test_a_name_that_looks_like_a_pattern_is_the_file_if_there_is_one(tmp_path: Path) -> None:
    path = save(tmp_path / "photo[1].png", np.zeros((9, 9, 3), np.uint8))
    assert [item.path for item in find_inputs([str(path)], out=tmp_path / "out").inputs] == [path]


def test_home_is_expanded(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("USERPROFILE", str(folder))
    found = find_inputs(["~/b.jpg", "~/*.png"], out=tmp_path / "out")
    assert names(found.inputs, folder) == ["b.jpg", "a.png"]


def test_the_demo_clip(tmp_path: Path) -> None:
    (demo,) = find_inputs(["demo"], out=tmp_path).inputs
    assert demo.path.is_file() and demo.kind() == "video" and stems([demo]) == ["demo"]


def test_the_same_file_twice_is_one_input(folder: Path, tmp_path: Path) -> None:
    twice = [str(folder / "b.jpg"), str(folder), str(folder / "sub" / ".." / "b.jpg")]
    assert names(find_inputs(twice, out=tmp_path / "out").inputs, folder) == ["b.jpg", "a.png", "film.mp4"]


def test_two_inputs_never_share_a_name(tmp_path: Path) -> None:
    black = np.zeros((9, 9, 3), np.uint8)
    given = []
    for name in ("one/x.png", "two/x.png", "two/x.jpg", "one/x-2.png", "one/X.bmp", "one/x_0.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        given.append(str(save(tmp_path / name, black)))
    found = stems(find_inputs(given, out=tmp_path / "out").inputs)
    assert found == ["x", "x-2", "x-3", "x-2-2", "X-4", "x_0-2"]  # x_0.pts is the first face of x
    assert len({name.casefold() for name in found}) == len(found)


def test_no_output_is_an_input(tmp_path: Path) -> None:
    """Whoever names a painted picture as an input keeps it, also with --overwrite."""
    black = np.zeros((9, 9, 3), np.uint8)
    given = [str(save(tmp_path / name, black)) for name in ("x.png", "x-annotated.png")]
    assert stems(find_inputs(given, out=tmp_path).inputs) == ["x-2", "x-annotated"]
    assert stems(find_inputs(given, out=tmp_path / "out").inputs) == ["x", "x-annotated"]


def test_earlier_outputs_are_no_inputs_of_their_folder(tmp_path: Path) -> None:
    black = np.zeros((9, 9, 3), np.uint8)
    for name in ("x.png", "x-annotated.png"):
        save(tmp_path / name, black)
    assert stems(find_inputs([str(tmp_path)], out=tmp_path).inputs) == ["x"]
    assert stems(find_inputs([str(tmp_path / "*.png")], out=tmp_path).inputs) == ["x"]
    assert stems(find_inputs([str(tmp_path)], out=tmp_path / "out").inputs) == ["x-annotated", "x"]


def test_content_decides_where_the_suffix_does_not(folder: Path, tmp_path: Path) -> None:
    odd_picture = folder / "picture.dat"
    odd_picture.write_bytes((folder / "a.png").read_bytes())
    odd_video = folder / "film"
    odd_video.write_bytes((folder / "film.mp4").read_bytes())
    wanted = {"a.png": "picture", "film.mp4": "video", "picture.dat": "picture", "film": "video"}
    for name, kind in wanted.items():
        (item,) = find_inputs([str(folder / name)], out=tmp_path / "out").inputs
        assert item.kind() == kind, name


@pytest.mark.parametrize("argument", ["*.gif", "empty", "camera:0", "https://example.org/a.mp4", "~nobody-here/a.png"])
def test_what_leads_nowhere_is_told_and_the_rest_is_found(
    folder: Path, tmp_path: Path, argument: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    found = find_inputs([argument, str(folder / "a.png")], out=tmp_path / "out")
    assert stems(found.inputs) == ["a"]
    (problem,) = found.problems
    assert_one_clear_sentence(problem, argument)


def test_a_missing_file_is_an_input_whose_opening_fails(tmp_path: Path) -> None:
    """So that it is told in its turn, with the words of whoever opens files."""
    (item,) = find_inputs([str(tmp_path / "gone.jpg")], out=tmp_path / "out").inputs
    assert item.path == tmp_path / "gone.jpg" and item.kind() == "picture"
