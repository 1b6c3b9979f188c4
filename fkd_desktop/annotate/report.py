"""What the command says while it works: a progress bar on a terminal, a line for each input, and errors."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final, Self

from tqdm import tqdm

from fkd_desktop.live.sources import VIDEO_SUFFIXES
from trainer.core.text import one_line

if TYPE_CHECKING:
    from fkd_desktop.annotate.inputs import Input
    from fkd_desktop.annotate.work import Outcome, Progress
    from trainer.core.errors import FkdError

SHOW_AFTER_S: Final = 0.3
"""What is done sooner needs no bar."""


class Report:
    """The command's words; a context manager, for the bar.

    Parameters
    ----------
    is_quiet
        Say nothing but errors.
    """

    def __init__(self, *, is_quiet: bool) -> None:
        self.failures = 0
        self._is_quiet = is_quiet
        self._shows_bar = not is_quiet and is_terminal()
        self._done = self._frames = self._with_faces = 0
        self._bar: tqdm[None] | None = None
        self._counts_inputs = False
        self._before = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def begins(self, item: Input, *, number: int, of: int) -> None:
        """Begin an input: the bar counts a video's frames, or how many of several pictures are done."""
        if not self._shows_bar:
            return
        counts_inputs = of > 1 and item.path.suffix.lower() not in VIDEO_SUFFIXES
        if self._bar is None or not (counts_inputs and self._counts_inputs):
            if self._bar is not None:
                self._bar.close()
            done = number - 1 if counts_inputs else 0
            self._bar = tqdm(
                total=of if counts_inputs else None,
                initial=done,
                unit="file" if counts_inputs else "frame",
                dynamic_ncols=True,
                leave=False,
                delay=SHOW_AFTER_S,
            )
            self._before = done
        if counts_inputs:
            self._bar.n = number - 1  # also where the one before failed
        self._counts_inputs = counts_inputs
        place = f"{number}/{of} " if of > 1 and not counts_inputs else ""
        self._bar.set_description_str(f"{place}{_shown(item.path.name)}"[:40], refresh=False)

    def progressed(self, progress: Progress) -> None:
        """Count a frame."""
        bar = self._bar
        if bar is None:
            return
        bar.set_postfix_str(f"{progress.faces} face{'s' * (progress.faces != 1)}", refresh=False)
        if self._counts_inputs:
            bar.update(1)
            return
        bar.total = max(progress.count, progress.frames) if progress.count else None
        bar.update(progress.frames - self._before)
        self._before = progress.frames

    def done(self, item: Input, outcome: Outcome) -> None:
        """Tell what was made of an input, whole or up to where the user stopped."""
        self._done += outcome.is_whole
        self._frames += outcome.frames
        self._with_faces += outcome.frames_with_faces
        if outcome.frames == 1:
            what = f"{outcome.faces} face{'s' * (outcome.faces != 1)}"
        else:
            what = f"{outcome.frames} frames, {outcome.frames_with_faces} with faces"
        stopped = "" if outcome.is_whole else ", stopped before its end"
        stopped += ", without its sound" if outcome.has_lost_sound else ""
        files = ", ".join(_shown(str(path)) for path in outcome.paths) if outcome.frames else ""
        self._say(f"{_shown(item.name)}: {what}{stopped}; written: {files or 'nothing'}")

    def failed(self, item: Input | None, error: FkdError) -> None:
        """Tell why an input cannot be worked through, or has no place for its outputs."""
        self.failures += 1
        name = _shown(item.name) if item is not None else ""
        named = f"{name}: " if name not in str(error) else ""
        self._clear()
        print(f"error: {named}{error}", file=sys.stderr)

    def conclude(self, count: int, *, elapsed_s: float) -> None:
        """Sum up; nothing for a single input, whose line says all."""
        rate = f"{self._frames / elapsed_s:.1f} frames/s" if self._frames > 1 and elapsed_s > 0 else ""
        inputs = f"{self._done} of {count} inputs done, " if count > 1 else ""
        if self._frames > 1:
            self._say(f"{inputs}{self._frames} frames, {self._with_faces} with faces, at {rate}")

    def _say(self, line: str) -> None:
        if self._is_quiet:
            return
        self._clear()
        try:
            print(line, flush=True)
        except BrokenPipeError:  # whoever read it, such as `head`, has seen enough; the work goes on
            self._is_quiet = True
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    def _clear(self) -> None:
        if self._bar is not None:
            self._bar.clear()


def _shown(name: str) -> str:
    """Return a file's name as one line that commands no terminal."""
    return one_line(name, longest=len(name))


def is_terminal() -> bool:
    """Whether somebody looks on while the command works."""
    return sys.stderr is not None and sys.stderr.isatty()
