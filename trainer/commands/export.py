"""`export`: weights for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainer.core.engines.onnx_file import DEFAULT_OPSET
from trainer.core.resources import default_weights_path
from trainer.core.weights_file import CheckpointError
from trainer.export import FORMATS, OPSETS, SUFFIXES, export

if TYPE_CHECKING:
    import argparse


def add_parser(commands: Any) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "export",
        help="write weights as ONNX or TorchScript",
        description="Write weights as a network for other programs, and check that it says what the network says.",
    )
    parser.add_argument("--weights", type=Path, help="safetensors file (default: the shipped weights)")
    parser.add_argument("--format", choices=FORMATS, default=FORMATS[0], help="what to write (default: %(default)s)")
    parser.add_argument(
        "--out",
        type=Path,
        help="file to write (default: named as the weights, in the current folder); replaced if there",
    )
    parser.add_argument(
        "--opset",
        type=int,
        default=DEFAULT_OPSET,
        help=f"version of ONNX's operator set, {OPSETS[0]} to {OPSETS[-1]} (default: %(default)s)",
    )
    parser.set_defaults(run=_export)


def _export(options: argparse.Namespace) -> int:
    try:
        weights = options.weights or default_weights_path()
    except FileNotFoundError as error:
        raise CheckpointError(f"there are no shipped weights: {error}") from error
    out = options.out or Path(weights.with_suffix(SUFFIXES[options.format]).name)
    done = export(weights, out, file_format=options.format, opset=options.opset)
    size = done.size_px
    print(f"{done.path} ({done.size_bytes / 1e6:.1f} MB): crops (N, 1, {size}, {size}) -> {' and '.join(done.outputs)}")
    for check in done.checks:
        if check.difference_px is None:
            print(f"{check.runtime} cannot run it")
        else:
            verdict = "the same as the network" if check.is_close else "NOT the network's"
            print(f"{check.runtime}: {verdict}, keypoints differ by at most {check.difference_px:.2g} px of the crop")
    return 0
