"""Trains on a disk that fails at each of its writes in turn; a script, with failing_disk.c preloaded into it.

Arguments: the data set, an empty folder, "full", "read-only" or "broken", whether the fault "lasts" or comes "once",
and of how many faults one is tried (the last of a run always are). A line of JSON for each.
"""

from __future__ import annotations

import ctypes
import errno
import io
import json
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, Final

import pytest

from tests.trainer.tiny import are_equal, go_tiny, names_in, weights_of
from trainer import events, plots
from trainer.cli import main
from trainer.core.files import write_atomically
from trainer.runs import read_metrics

FAULTS: Final = {"full": errno.ENOSPC, "read-only": errno.EROFS, "broken": errno.EIO}
EPOCHS: Final = 3


class Disk:
    """The preloaded library."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL(None)
        self._library.failing_disk_count.restype = ctypes.c_long
        self._library.failing_disk_failed.restype = ctypes.c_char_p

    def arm(self, folder: Path, *, nth: int = 0, error: int = 0, lasting: bool = False) -> None:
        self._library.failing_disk_arm(str(folder).encode(), ctypes.c_long(nth), error, int(lasting))

    def disarm(self) -> None:
        self.arm(Path("/nowhere"))

    @property
    def count(self) -> int:
        return int(self._library.failing_disk_count())

    @property
    def failed(self) -> str:
        return str(self._library.failing_disk_failed().decode())


def run(*arguments: object) -> dict[str, Any]:
    """Run the command line; return its exit code, the lines it wrote to standard error, and what it told."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        try:
            code: int | str = main([str(argument) for argument in arguments])
        except BaseException as error:
            code = f"{type(error).__name__}: {error}"
    told = [events.from_json_line(line) for line in out.getvalue().splitlines()]
    return {"code": code, "said": err.getvalue().splitlines(), "told": told}


def has_same_end(folder: Path, other: Path) -> bool:
    """Whether both runs ended with the same weights, figures and files."""
    rows = [
        [{key: row[key] for key in row if key != "seconds"} for row in read_metrics(path)] for path in (folder, other)
    ]
    return (
        rows[0] == rows[1]
        and names_in(folder) == names_in(other)
        and all(
            are_equal(weights_of(folder, f"{it}.safetensors"), weights_of(other, f"{it}.safetensors"))
            for it in ("best", "last")
        )
    )


def facts_of(
    folder: Path, fresh: list[object], undisturbed: Path, first: dict[str, Any], failed: str
) -> dict[str, Any]:
    """Say what a fault has left, and go on from there."""
    judged = [event.epoch for event in first["told"] if isinstance(event, events.EpochDone)]
    saved = [event.epoch for event in first["told"] if isinstance(event, events.CheckpointSaved)]
    failures = [event.message for event in first["told"] if isinstance(event, events.RunFailed)]
    left = names_in(folder) if folder.exists() else []
    facts: dict[str, Any] = {"failed": failed, "code": first["code"], "said": first["said"], "told": failures}
    facts |= {"judged": max(judged, default=0), "saved": max(saved, default=0), "left": left}
    facts["loads"] = all(
        bool(weights_of(folder, name)) for name in left if name in ("best.safetensors", "last.safetensors")
    )
    if first["code"] == 0:
        return facts | {"resumed": 0, "epochs_done": EPOCHS, "same": has_same_end(folder, undisturbed)}
    goes_on = "config.json" in left
    second = run("train", "--resume", folder, "--events", "jsonl") if goes_on else run(*fresh)
    begun = [event.epochs_done for event in second["told"] if isinstance(event, events.RunStarted)]
    facts |= {"resumed": second["code"], "resume_said": second["said"], "epochs_done": max(begun, default=0)}
    facts["same"] = second["code"] == 0 and has_same_end(folder, undisturbed)
    return facts


def sweep(data: Path, root: Path, fault: str, *, lasting: bool, every: int) -> None:
    """Fail each operation in turn, one run for each, and print what came of it."""
    disk = Disk()

    def fresh(folder: Path) -> list[object]:
        settings = ["--model", "simple", "--epochs", EPOCHS, "--batch-size", 14, "--threads", 1, "--device", "cpu"]
        return ["train", "--data", data, "--out", folder, *settings, "--events", "jsonl"]

    undisturbed = root / "undisturbed"
    disk.arm(undisturbed)
    assert run(*fresh(undisturbed))["code"] == 0
    count = disk.count
    for number in sorted({*range(1, count + 1, every), *range(count - 3, count + 1)}):
        folder = root / str(number)
        disk.arm(folder, nth=number, error=FAULTS[fault], lasting=lasting)
        first = run(*fresh(folder))
        failed = disk.failed
        disk.disarm()
        print(json.dumps({"nth": number, "of": count, **facts_of(folder, fresh(folder), undisturbed, first, failed)}))


if __name__ == "__main__":
    patch = pytest.MonkeyPatch()
    go_tiny(patch)
    patch.setattr(plots, "write_curves", lambda path, *_: write_atomically(path, b"drawn"))  # as much writing, no time
    patch.setattr("trainer.run_folder.CURVES_EVERY_S", 0.0)
    sweep(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], lasting=sys.argv[4] == "lasts", every=int(sys.argv[5]))
