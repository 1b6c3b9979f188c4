"""What the command is given: files, folders and patterns become a list of pictures and videos."""

from __future__ import annotations

import glob
import os
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Final, Literal

from fkd_desktop.errors import SourceError
from fkd_desktop.live.sources import IMAGE_SUFFIXES, VIDEO_SUFFIXES, decode_picture
from trainer.core.errors import FkdError
from trainer.core.resources import assets_dir

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

DEMO: Final = "demo"
ANNOTATED: Final = "-annotated"
"""Ends the stem of what is painted."""
MEDIA_SUFFIXES: Final = IMAGE_SUFFIXES | VIDEO_SUFFIXES

InputKind = Literal["picture", "video"]


@dataclass(frozen=True)
class Input:
    """One picture or video.

    Attributes
    ----------
    name
        What the user calls it.
    path
        The file.
    stem
        Where its outputs go and how they are called, relative to the folder of the outputs: no two inputs share one.
    """

    name: str
    path: Path
    stem: PurePath

    def kind(self) -> InputKind:
        """Look what it is; a wrong suffix is common, so the content decides unless the suffix is a video's.

        Raises
        ------
        SourceError
            If it is a picture that is too large.
        """
        suffix = self.path.suffix.lower()
        if suffix in VIDEO_SUFFIXES:
            return "video"
        try:
            return "picture" if suffix in IMAGE_SUFFIXES or decode_picture(self.path) is not None else "video"
        except OSError:  # whoever opens it says what is wrong
            return "video"


@dataclass
class Found:
    """What was found for the arguments.

    Attributes
    ----------
    inputs
        In the order of the arguments; those of a folder or pattern by name.
    problems
        One for each argument that leads nowhere.
    """

    inputs: list[Input] = field(default_factory=list)
    problems: list[FkdError] = field(default_factory=list)


def find_inputs(arguments: Sequence[str], *, out: Path, recursive: bool = False) -> Found:
    """Find the pictures and videos that are meant.

    Parameters
    ----------
    arguments
        Each a file, a folder, a pattern with ``*``, ``?`` or ``[...]`` (for those whose shell does not expand it), or
        ``demo``.
    out
        The folder of the outputs. What is there because it was annotated before is no input, unless it is named.
    recursive
        Look into the folders of a folder, too.
    """
    found = Found()
    files: list[tuple[str, Path, PurePath]] = []
    for argument in arguments:
        try:
            files.extend(_files(argument, out=out, recursive=recursive))
        except FkdError as error:
            found.problems.append(error)
    seen: set[str] = set()
    stems = _Stems(out, [path for _, path, _ in files])
    for name, path, folder in files:
        key = os.path.realpath(path)
        if key not in seen:
            seen.add(key)
            found.inputs.append(Input(name, path, stems.take(folder / _stem(name, path))))
    return found


def _files(argument: str, *, out: Path, recursive: bool) -> list[tuple[str, Path, PurePath]]:
    """(name, file, folder below the one of the outputs) of one argument."""
    here = PurePath()
    if argument == DEMO:
        return [(DEMO, assets_dir() / "demo" / "demo.mp4", here)]
    if argument.startswith("camera:") or "://" in argument:
        raise SourceError(
            "{name} has no end and cannot be worked through; record it in the window, then give the file",
            name=argument,
        )
    try:
        path = Path(argument).expanduser()
        if path.is_dir():
            found: list[tuple[str, Path, PurePath]] = [
                (str(file), file, file.relative_to(path).parent)
                for file in _media(path.rglob("*") if recursive else path.iterdir(), out=out)
            ]
            if not found:
                if recursive:
                    raise SourceError(
                        "there is no picture or video in {path} or below; choose another folder", path=path
                    )
                raise SourceError(
                    "the folder {path} has no pictures or videos; choose another one, or give --recursive for what is "
                    "below it",
                    path=path,
                )
            return found
        if path.exists() or not glob.has_magic(argument):
            return [(argument, path, here)]
        matches = (Path(match) for match in glob.iglob(str(path), recursive=True))  # noqa: PTH207 (absolute ones, too)
        if not (found := [(str(file), file, here) for file in _media(matches, out=out)]):
            raise SourceError("no picture or video matches {pattern}; check the pattern", pattern=argument)
    except (OSError, RuntimeError) as error:  # ~somebody who has no home here, a folder that is closed to us
        reason = getattr(error, "strerror", None) or error
        raise SourceError(
            "{path} cannot be read ({reason}); check the path and its permissions", path=argument, reason=reason
        ) from error
    else:
        return found


def _media(paths: Iterable[Path], *, out: Path) -> list[Path]:
    """Pictures and videos among the paths, in order, without hidden ones and earlier outputs."""
    folder = out.resolve()

    def is_earlier_output(path: Path) -> bool:
        return path.stem.endswith(ANNOTATED) and path.resolve().is_relative_to(folder)

    return sorted(
        path
        for path in paths
        if path.suffix.lower() in MEDIA_SUFFIXES
        and not path.name.startswith(".")
        and path.is_file()
        and not is_earlier_output(path)
    )


def _stem(name: str, path: Path) -> str:
    return DEMO if name == DEMO else path.stem


class _Stems:
    """Hands out stems so that no output of one input is another one's, or an input itself."""

    def __init__(self, out: Path, inputs: list[Path]) -> None:
        self._out = out
        self._inputs = {_key(path.with_suffix("")) for path in inputs}
        self._taken: set[str] = set()

    def take(self, wanted: PurePath) -> PurePath:
        stem, number = wanted, 1
        while self._is_taken(stem):
            number += 1
            stem = wanted.with_name(f"{wanted.name}-{number}")
        self._taken.add(str(stem).casefold())
        return stem

    def _is_taken(self, stem: PurePath) -> bool:
        name, _, number = stem.name.rpartition("_")
        is_face = name and number.isdecimal() and str(stem.with_name(name)).casefold() in self._taken
        is_input = _key(self._out / stem.with_name(stem.name + ANNOTATED)) in self._inputs
        return bool(is_face) or is_input or str(stem).casefold() in self._taken  # "a_0.pts" is the first face of "a"


def _key(path: Path) -> str:
    return os.path.realpath(path).casefold()
