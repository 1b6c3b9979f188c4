"""`download`: fetch the data set, with a progress bar."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tqdm import tqdm

from trainer.core.files import expanded
from trainer.download import PUBLISHED, DownloadStoppedError, Progress, contents, default_folder, download

if TYPE_CHECKING:
    import argparse
    from types import FrameType


def add_parser(commands: Any) -> None:
    """Add the command to the command line."""
    fetch = commands.add_parser(
        "download",
        help="fetch the data set",
        description=f"Fetch the facial-keypoint data set from {PUBLISHED.home_url}, or what is missing of it: it goes "
        "on where it was interrupted, and repairs files that are damaged. Every file is checked.",
    )
    fetch.add_argument(
        "--out", type=Path, default=default_folder(), help="folder to put it into (default: %(default)s)"
    )
    fetch.set_defaults(run=_download)


def _download(options: argparse.Namespace) -> int:
    out = expanded(options.out).absolute()
    stop_asked = False

    def ask_to_stop(_number: int, _frame: FrameType | None) -> None:
        nonlocal stop_asked
        stop_asked = True

    print(f"fetching {PUBLISHED.home_url} into {out}", flush=True)
    handler_before = signal.signal(signal.SIGINT, ask_to_stop)
    try:
        with _Bar() as bar:
            download(out, source=PUBLISHED, on_progress=bar.show, should_stop=lambda: stop_asked)
    except DownloadStoppedError as stopped:
        print(stopped)
        return 1
    finally:
        signal.signal(signal.SIGINT, handler_before)
    _print_summary(out)
    return 0


def _print_summary(out: Path) -> None:
    splits = {split: contents(out, split) for split in ("training", "test")}
    print(f"{splits['training'].images:,} training and {splits['test'].images:,} test images are in {out}")
    for split, found in splits.items():
        if found.images_without_row:
            print(f"note: {found.images_without_row:,} {split} images are in no table and are not used")
        if found.rows_without_image:
            print(f"warning: {found.rows_without_image:,} rows of the {split} table have no image")
    print("The data set is not part of FKD Desktop and stays under its own terms.")
    print(f'next: python -m trainer train --data "{out}"')


_PACE: Final[dict[str, Any]] = {"mininterval": 0.5, "miniters": 0}  # by time alone: some steps add no byte


class _Bar:
    """A progress bar in bytes, with the count of files beside it."""

    def __init__(self) -> None:
        self._bar = tqdm(disable=True)  # until there is something to count: an error before is told without a bar

    def __enter__(self) -> _Bar:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def show(self, progress: Progress) -> None:
        """Show how far it is."""
        if not progress.bytes_total:
            return
        if self._bar.disable:
            self._bar = tqdm(total=progress.bytes_total, unit="B", unit_scale=True, dynamic_ncols=True, **_PACE)
        self._bar.set_postfix_str(
            f"{progress.files_done:,}/{progress.files_total:,} files, received {progress.bytes_received / 1e6:,.1f} MB",
            refresh=False,
        )
        self._bar.update(progress.bytes_done - self._bar.n)
