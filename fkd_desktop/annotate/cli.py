"""The command `fkd-annotate`: pictures and videos in, painted ones and tables of landmarks out, without a window."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

import fkd_desktop
from trainer.core.arguments import ArgumentParser
from trainer.core.errors import FkdError
from trainer.core.names import DEVICE_NAMES
from trainer.programs import ignore_current_folder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

    from fkd_desktop.annotate.inputs import Input
    from fkd_desktop.annotate.report import Report
    from fkd_desktop.annotate.work import Annotator, Wanted
    from fkd_desktop.overlays import OverlayLibrary

_log = logging.getLogger(__name__)

EXIT_DONE: Final = 0
EXIT_SOME_FAILED: Final = 1
EXIT_NOTHING_DONE: Final = 2
EXIT_BY_SIGNAL: Final = 128
SMOOTHING_CHOICES: Final = ("off", "low", "high")
DEFAULT_OVERLAYS: Final = ("keypoints",)

_EPILOG: Final = """\
examples:
  fkd-annotate holiday.mp4 --out annotated --overlay sunglasses hat
  fkd-annotate photos "more/*.jpg" --out annotated --csv --pts
  fkd-annotate interview.mp4 --out tables --no-media --csv

exit codes: 0 all done, 1 some inputs failed, 2 bad command line or nothing could be done, 130 stopped by Ctrl-C
(what was begun is finished as a shorter file)
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    ignore_current_folder()
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.list_overlays:
        return _list_overlays()
    if not options.inputs and any(map(os.path.isfile, options.overlay or ())):
        parser.error("inputs go before --overlay, or after --, for it takes all names that follow it")
    if not options.inputs:
        parser.error("what is to be annotated? give a picture, a video, a folder, a pattern or demo")
    if options.out is None:
        parser.error("where to? give a folder for the outputs by --out")
    if options.no_media and not (options.csv or options.jsonl or options.pts):
        parser.error("with --no-media there is nothing to do without --csv, --jsonl or --pts")
    if options.no_media and (options.overlay or options.boxes):
        parser.error("with --no-media nothing is painted; leave out --overlay and --boxes")
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # names of files are not always text
    with _Interruption() as interruption:
        try:
            return _run(options, interruption)
        except FkdError as error:
            print(f"error: {error}", file=sys.stderr)
            return EXIT_NOTHING_DONE


def _parser() -> ArgumentParser:
    parser = ArgumentParser(
        prog="fkd-annotate",
        usage="%(prog)s INPUT... --out DIR [--overlay NAME ...] [--csv] [--jsonl] [--pts] [--boxes] [--device D] ...",
        description="Find faces in pictures and videos; paint overlays on them and write their 68 keypoints as tables.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "inputs",
        nargs="*",
        metavar="INPUT",
        help='a picture, a video, a folder of them, a pattern ("*.jpg"), or demo for the clip that comes along',
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder of the outputs; made if needed")
    add = parser.add_argument_group("what is painted").add_argument
    add(
        "--overlay",
        action="extend",
        nargs="+",
        metavar="NAME",
        help="names of overlays (--list-overlays shows them), folders of overlays, or none (default: keypoints)",
    )
    add("--boxes", action="store_true", help="paint a box around each face: short for --overlay boxes")
    add("--list-overlays", action="store_true", help="show the names of all overlays, and end")
    add("--no-media", action="store_true", help="write no pictures and videos, only tables")
    add = parser.add_argument_group("tables of keypoints, one for each input").add_argument
    add("--csv", action="store_true", help="as OpenFace's FeatureExtraction writes them")
    add("--jsonl", action="store_true", help="JSON lines: an object for each frame")
    add("--pts", action="store_true", help="a .pts file (iBUG 300-W) for each picture, or each frame of a video")
    add = parser.add_argument_group("how").add_argument
    add("--recursive", "-r", action="store_true", help="look into the folders of a folder, too")
    add("--overwrite", action="store_true", help="replace outputs that are there already; else they are left alone")
    add("--model", type=Path, metavar="PATH", help="weights (.safetensors; default: the shipped ones)")
    add("--device", choices=DEVICE_NAMES, default="auto", help="where the network runs (default: auto)")
    add(
        "--smoothing",
        choices=SMOOTHING_CHOICES,
        default="low",
        help="how much the keypoints of videos are steadied (default: low)",
    )
    add("--quiet", "-q", action="store_true", help="say nothing but errors")
    parser.add_argument("--version", action="version", version=f"FKD Desktop {fkd_desktop.__version__}")
    return parser


@dataclass
class _Interruption:
    """Ctrl-C and kill, turned into a question that the work asks; the second time they end the process at once."""

    number: int | None = None
    _previous: dict[int, object] = field(default_factory=dict)

    def __enter__(self) -> Self:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._previous[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    def __call__(self) -> bool:
        return self.number is not None

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if self.number is not None:
            os._exit(EXIT_BY_SIGNAL + number)
        self.number = number


def _library() -> OverlayLibrary:
    from fkd_desktop.overlays import OverlayLibrary  # noqa: PLC0415 (--help needs no Qt)
    from fkd_desktop.settings import overlays_path  # noqa: PLC0415

    return OverlayLibrary(overlays_path())


def _list_overlays() -> int:
    library = _library()
    width = max(len(info.name) for info in library.infos)
    for info in library.infos:
        print(f"{info.name:<{width}}  {info.title}")
    for broken in library.broken:
        print(f"cannot be used: {broken.folder}: {broken.reason}", file=sys.stderr)
    return EXIT_DONE


def _run(options: argparse.Namespace, interruption: _Interruption) -> int:
    from PySide6.QtGui import QGuiApplication  # noqa: PLC0415

    from fkd_desktop.annotate.choosing import choose_layers  # noqa: PLC0415
    from fkd_desktop.annotate.headless import prepare_painting  # noqa: PLC0415
    from fkd_desktop.annotate.inputs import find_inputs  # noqa: PLC0415
    from fkd_desktop.annotate.report import Report  # noqa: PLC0415
    from fkd_desktop.annotate.work import Annotator  # noqa: PLC0415
    from fkd_desktop.live.network import load_predictor  # noqa: PLC0415

    prepare_painting()
    report = Report(is_quiet=options.quiet)
    found = find_inputs(options.inputs, out=options.out, recursive=options.recursive)
    for problem in found.problems:
        report.failed(None, problem)
    if not found.inputs:
        return EXIT_NOTHING_DONE
    application = QGuiApplication.instance() or QGuiApplication(["fkd-annotate"])  # fonts need one
    names = [*(options.overlay or ()), *(["boxes"] if options.boxes else ())] or DEFAULT_OVERLAYS
    layers = () if options.no_media else choose_layers(names, _library())
    _make_folder(options.out)
    predictor = load_predictor(options.model, device=options.device)
    annotator = Annotator(predictor, layers, options.out, _wanted(options))
    start_s = time.perf_counter()
    with report:
        _work_through(found.inputs, annotator, report, interruption)
    report.conclude(len(found.inputs) + len(found.problems), elapsed_s=time.perf_counter() - start_s)
    del application
    if interruption.number is not None:
        return EXIT_BY_SIGNAL + interruption.number
    return EXIT_SOME_FAILED if report.failures else EXIT_DONE


def _work_through(inputs: Sequence[Input], annotator: Annotator, report: Report, interruption: _Interruption) -> None:
    for number, item in enumerate(inputs, 1):
        if interruption():
            return
        report.begins(item, number=number, of=len(inputs))
        try:
            outcome = annotator.work_through(item, on_progress=report.progressed, should_stop=interruption)
        except FkdError as error:
            report.failed(item, error)
        except Exception as error:  # a fault of ours; the other inputs are done all the same
            _log.exception("working through %s failed", item.path)
            report.failed(
                item,
                FkdError("{name} failed unexpectedly ({error}); check what is said above", name=item.name, error=error),
            )
        else:
            report.done(item, outcome)


def _wanted(options: argparse.Namespace) -> Wanted:
    from fkd_desktop.annotate.work import Wanted  # noqa: PLC0415
    from fkd_desktop.live.export import EXPORT_FORMATS  # noqa: PLC0415
    from fkd_desktop.live.smoothing import SmoothingLevel  # noqa: PLC0415

    return Wanted(
        media=not options.no_media,
        tables=tuple(kind for kind in EXPORT_FORMATS if getattr(options, kind)),
        overwrite=options.overwrite,
        smoothing=SmoothingLevel[options.smoothing.upper()],
    )


def _make_folder(folder: Path) -> None:
    from fkd_desktop.errors import cannot_write  # noqa: PLC0415

    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):
            raise PermissionError(0, "Permission denied")
    except OSError as error:
        raise cannot_write(folder, error) from error
