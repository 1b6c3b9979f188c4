"""One file, worked through from the window: in a thread of its caller's, under a name that is free."""

from __future__ import annotations

from itertools import count
from pathlib import PurePath
from typing import TYPE_CHECKING

from fkd_desktop.annotate.inputs import ANNOTATED, Input
from fkd_desktop.annotate.work import Annotator, Outcome, Progress, Wanted
from fkd_desktop.errors import cannot_write

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from fkd_desktop.overlays import Layer
    from trainer.core.predictor import Predictor


def export_file(
    path: Path,
    folder: Path,
    wanted: Wanted,
    *,
    predictor: Predictor,
    layers: Sequence[Layer],
    on_progress: Callable[[Progress], None],
    should_stop: Callable[[], bool],
) -> Outcome:
    """Work through a picture or video; nothing is written over, a number is added instead.

    Parameters
    ----------
    path, folder
        The file, and where its outputs go.
    wanted
        Which outputs.
    predictor, layers, on_progress, should_stop
        See `Annotator`.

    Raises
    ------
    SourceError, OutputError, DetectorError
        See `Annotator.work_through`.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        item = Input(path.name, path, PurePath(free_stem(folder, path.stem)))
    except OSError as error:
        raise cannot_write(folder, error) from error
    annotator = Annotator(predictor, layers, folder, wanted)
    return annotator.work_through(item, on_progress=on_progress, should_stop=should_stop)


def free_stem(folder: Path, stem: str) -> str:
    """Return the stem, with a number if need be, under which no outputs are in the folder.

    Raises
    ------
    OSError
        If the folder cannot be read.
    """
    there = {entry.name.casefold() for entry in folder.iterdir()}
    painted = {name.rpartition(".")[0] for name in there}
    for number in count(1):
        name = stem if number == 1 else f"{stem}-{number}"
        key = name.casefold()
        outputs = {f"{key}{end}" for end in (".csv", ".jsonl", ".pts", "_0.pts", "-pts")}
        if not outputs & there and f"{key}{ANNOTATED}" not in painted:
            return name
    raise AssertionError  # there is always another number
