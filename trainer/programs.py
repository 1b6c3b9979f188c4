"""What is started beside this process: by the interpreter, or in a self-contained build by the program for it.

Such a build (packaging/) has no interpreter to start: `sys.executable` is the application itself. It holds
``fkd-desktop``, ``fkd-annotate`` and ``fkd-train`` in one folder, and whatever else has to run in a process of its own
is a hidden first argument of the last.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

CHECK_OPENCV: Final = "--run-in-opencv"
"""Makes ``fkd-train`` of a self-contained build run `OPENCV_PROGRAM` with the arguments after it."""

_TRAINER_PROGRAM: Final = "import sys; sys.path.append(sys.argv.pop(1)); from trainer.cli import main; sys.exit(main())"

OPENCV_PROGRAM: Final = """
import io, sys
import cv2, numpy as np
cv2.setNumThreads(1)
path, names = sys.argv[1], sys.argv[2:]
network = cv2.dnn.readNetFromONNX(np.fromfile(path, np.uint8))
results = {}
with np.load(io.BytesIO(sys.stdin.buffer.read())) as batches:
    for number in batches:
        network.setInput(batches[number], "crops")
        results |= {f"{number} {name}": values for name, values in zip(names, network.forward(names))}
np.savez(sys.stdout.buffer, **results)
"""
"""Runs an ONNX file (its first argument) on batches of crops, a .npz on standard input; writes a .npz to standard
output: the outputs that the other arguments name, as "batch name"."""


def is_frozen() -> bool:
    """Whether this is a self-contained build."""
    return bool(getattr(sys, "frozen", False))


def ignore_current_folder() -> None:
    """Have programs that are started by name come from whole paths in ``PATH`` alone, here and in child processes.

    An empty or relative entry stands for the current folder, where a video that was sent may lie beside a program named
    ``xdg-open``. Windows looks there first, whatever ``PATH`` holds.
    """
    whole = [folder for folder in os.environ.get("PATH", "").split(os.pathsep) if Path(folder).is_absolute()]
    if whole:
        os.environ["PATH"] = os.pathsep.join(whole)
    else:  # an empty one stands for the current folder, none for the system's own folders
        os.environ.pop("PATH", None)
    if sys.platform == "win32":
        os.environ["NODEFAULTCURRENTDIRECTORYINEXEPATH"] = "1"


def trainer_command() -> tuple[str, ...]:
    """Return the command that runs this installation's trainer, whatever the working directory holds."""
    if is_frozen():
        return (_frozen_trainer(),)
    return (sys.executable, "-P", "-c", _TRAINER_PROGRAM, str(Path(__file__).resolve().parents[1]))


def opencv_command() -> tuple[str, ...]:
    """Return the command that runs `OPENCV_PROGRAM`, without its arguments."""
    if is_frozen():
        return (_frozen_trainer(), CHECK_OPENCV)
    return (sys.executable, "-P", "-c", OPENCV_PROGRAM)  # -P: nothing of the current folder


def run_frozen_trainer() -> int:
    """Do what ``fkd-train`` of a self-contained build does; return its exit code."""
    if sys.argv[1:2] == [CHECK_OPENCV]:
        del sys.argv[1]
        exec(OPENCV_PROGRAM, {})  # a text of ours, as `python -c` takes it elsewhere
        return 0
    from trainer.cli import main  # noqa: PLC0415 (who asks for a command needs none of it)

    return main()


def _frozen_trainer() -> str:
    return str(Path(sys.executable).with_name("fkd-train").with_suffix(Path(sys.executable).suffix))
