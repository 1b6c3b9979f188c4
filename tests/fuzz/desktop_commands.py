"""The command lines of the desktop side: `fkd-desktop`, with a window and without a display, and `fkd-annotate`."""

from __future__ import annotations

import argparse
import contextlib
import io
import os
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final
from unittest import mock

import cv2
import numpy as np
from hypothesis import strategies as st

from fkd_desktop import app
from fkd_desktop.annotate import cli as annotate
from fkd_desktop.command_line import make_parser
from fkd_desktop.instance import Request
from fkd_desktop.live import network
from tests.fuzz.mutate import BAD_NUMBERS, BAD_TEXTS
from tests.fuzz.qt import gui
from tests.fuzz.target import RuleError, Target, refusal
from trainer.core.predictor import Predictor

DONE: Final = (0, 1)
BAD_INPUT: Final = 2
VALUES: Final = (
    "a.png", "cut.png", "a.mp4", "folder", "empty", "gone.mp4", "*.gif", "*.png", "**", "[", "~nobody/a", "~", ".",
    "camera:0", "camera:" + "9" * 5000, "rtsp://[", "http://a/b", "pipe.png", "loop.png", "out", "out/a", "a.png/b",
    "boxes", "none", "keypoints", "sunglasses", "no such", "cpu", "cuda", "auto", "low", "high", "x" * 5000,
    "damaged.safetensors", "-", "%n {0}", os.fsdecode(b"\xff.png"),
)  # fmt: skip
DESKTOP_FLAGS: Final = (
    "--source", "--overlay", "--model", "--device", "--out", "--new-instance", "--version", "--unknown", "--",
    "--from-menu", "--help", "-h", "--o",
)  # fmt: skip
ANNOTATE_FLAGS: Final = (
    "--out", "--out", "--overlay", "--boxes", "--list-overlays", "--no-media", "--csv", "--jsonl", "--pts",
    "--recursive", "--overwrite", "--model", "--device", "--smoothing", "--quiet", "-q", "-r", "--version", "--unknown",
    "--", "--help",
)  # fmt: skip


@st.composite
def command_lines(draw: Callable[..., Any], flags: tuple[str, ...], given: tuple[str, ...]) -> list[str]:
    """Inputs and options in any order, with values that fit or do not."""
    never = ("\0", "\ud800", "..", "/", "\\")  # what no system hands over as an argument; and places that are elsewhere
    odd = st.sampled_from([one for one in (*BAD_NUMBERS, *BAD_TEXTS) if not any(part in one for part in never)])
    value = st.sampled_from(VALUES) | st.sampled_from(VALUES) | odd
    line = draw(st.sampled_from([list(given), list(given), []]))
    for _ in range(draw(st.integers(0, 4))):
        flag = draw(st.sampled_from(flags))
        match draw(st.sampled_from(["pair", "pair", "joined", "flag", "value", "value"])):
            case "pair":
                line += [flag, draw(value)]
            case "joined":
                line.append(f"{flag}={draw(value)}")
            case "flag":
                line.append(flag)
            case _:
                line.insert(draw(st.integers(0, len(line))), draw(value))
    return line


@cache
def predictor() -> Predictor:
    """Return the shipped network, loaded once."""
    return network.load_predictor(device="cpu")


def put(folder: Path) -> None:
    """Make what some of the values lead to."""
    image = np.full((40, 60, 3), 90, np.uint8)
    for name in ("folder", "empty"):
        (folder / name).mkdir()
    whole = cv2.imencode(".png", image)[1].tobytes()
    (folder / "a.png").write_bytes(whole)
    (folder / "folder" / "b.png").write_bytes(whole)
    (folder / "cut.png").write_bytes(whole[:40])
    (folder / "a.mp4").write_bytes(b"\0\0\0\x18ftypisom\0\0\0\0")
    (folder / "damaged.safetensors").write_bytes(b"\x10\0\0\0\0\0\0\0{}")
    os.mkfifo(folder / "pipe.png")
    (folder / "loop.png").symlink_to("loop.png")


@contextlib.contextmanager
def _standing_in(folder: Path) -> Iterator[tuple[io.StringIO, io.StringIO]]:
    """Work in a folder without a display, with all that is the user's in it; the shipped network is loaded once."""
    put(folder)
    load, ready = network.load_predictor, predictor()

    def loaded(weights: Path | None = None, *, device: str = "auto") -> Predictor:
        return load(weights, device="cpu") if weights else ready

    here = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    here |= {f"XDG_{name}_HOME": str(folder / "user") for name in ("CONFIG", "DATA", "STATE", "CACHE")}
    out, err = io.StringIO(), io.StringIO()
    with (
        mock.patch.object(network, "load_predictor", loaded),
        mock.patch.dict(os.environ, {**here, "HOME": str(folder / "user"), "TMPDIR": str(folder)}, clear=True),
        contextlib.chdir(folder),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        yield out, err


def _judge(code: object, out: str, err: str) -> str | None:
    """It is done, was done in part, or ended with 2 and one sentence."""
    if "Traceback" in out + err or code not in (*DONE, BAD_INPUT):
        raise RuleError(f"a command ended with {code} and said {err[-500:]!r}")
    lines = [line for line in err.splitlines() if "error: " in line]
    for line in lines:
        if len(line) < 2000:  # longer names are said, too
            refusal(line.partition("error: ")[2][-580:])
    if code == BAD_INPUT and not lines:
        raise RuleError(f"a command ended with {code} and said nothing: {err[-300:]!r}")
    return f"exit code {code}" if code else None


def check_annotate(arguments: list[str], folder: Path) -> str | None:
    """Annotate what there is."""
    gui()
    predictor()
    with _standing_in(folder) as (out, err):
        try:
            code: object = annotate.main(arguments)
        except SystemExit as end:  # argparse's
            code = end.code
    return _judge(code, out.getvalue(), err.getvalue())


def check_desktop(arguments: list[str], folder: Path) -> str | None:
    """Make the request that a window would get; and without a display, do it."""
    gui()
    predictor()
    options: argparse.Namespace | None = None
    with _standing_in(folder) as (out, err):
        try:
            options = make_parser().parse_args(arguments)
        except SystemExit as end:
            return _judge(end.code, out.getvalue(), err.getvalue())
        request = app._request(options)
        if Request.from_line(request.to_line()) != request:
            raise RuleError(f"a request does not come back: {request!r:.200}")
        if (options.source or "demo") == "demo" and not options.files:
            return "the demo clip"
        code = app._run_without_display(options)
    return _judge(code, out.getvalue(), err.getvalue())


TARGETS: Final = (
    Target("annotate-command", command_lines(ANNOTATE_FLAGS, ("a.png", "--out", "out")), check_annotate, bound_s=8.0),
    Target("desktop-command", command_lines(DESKTOP_FLAGS, ("a.png",)), check_desktop, bound_s=8.0, share=0.5),
)
