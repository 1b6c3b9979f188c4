"""The command line: `fkd-train` with arguments at random."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from hypothesis import strategies as st

from tests.fuzz.mutate import BAD_NUMBERS, BAD_TEXTS
from tests.fuzz.target import RuleError, Target, refusal
from trainer.cli import EXIT_BAD_INPUT, main

EXIT_SAYS_NO: Final = 1
COMMANDS: Final = ("check", "train", "evaluate", "export", "train", "", "TRAIN", "--help", "-h", "nothing")
FLAGS: Final = (
    "--data", "--out", "--model", "--finetune", "--teacher", "--epochs", "--batch-size", "--learning-rate", "--seed",
    "--device", "--threads", "--resume", "--weights", "--split", "--format", "--sheet", "--fix", "--json", "--quiet",
    "--optimizer", "--no-correct-labels", "--validation-share", "--unknown", "--", "-x", "--e", "--help",
)  # fmt: skip
VALUES: Final = (
    "compact", "adamw", "cpu", "cuda:99", "mps", "1", "3", "0.1", "gone", "empty", "damaged.safetensors", "table.csv",
    "onnx", "held-out", "all", ".", "damaged.safetensors,gone",
)  # fmt: skip


@st.composite
def command_lines(draw: Callable[..., Any]) -> list[str]:
    """A command, its options in any order, with values that fit or do not."""
    value = st.sampled_from(VALUES) | st.sampled_from(VALUES) | st.sampled_from([*BAD_NUMBERS, *BAD_TEXTS])
    given = [draw(st.sampled_from(COMMANDS))]
    for _ in range(draw(st.integers(0, 5))):
        flag = draw(st.sampled_from(FLAGS))
        match draw(st.sampled_from(["pair", "pair", "pair", "joined", "flag", "value"])):
            case "pair":
                given += [flag, draw(value)]
            case "joined":
                given.append(f"{flag}={draw(value)}")
            case "flag":
                given.append(flag)
            case _:
                given.append(draw(value))
    return given


def check_command(arguments: list[str], folder: Path) -> str | None:
    """Run it in a folder with nothing to train on: it must end with help, or with 2 and one sentence."""
    (folder / "empty").mkdir()
    (folder / "damaged.safetensors").write_bytes(b"\x10\0\0\0\0\0\0\0{}")
    (folder / "table.csv").write_bytes(b"name,1,2\n")
    out, err = io.StringIO(), io.StringIO()
    with contextlib.chdir(folder), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = main(arguments)
        except SystemExit as end:  # argparse's
            code = end.code if isinstance(end.code, int) else 1
    if code == 0:
        return None
    said = err.getvalue() or out.getvalue()
    if code == EXIT_SAYS_NO and not err.getvalue():  # of a check: it was carried out, and its report says no
        return "a report"
    if code != EXIT_BAD_INPUT or "Traceback" in said:
        raise RuleError(f"a command ended with {code} and said {said[-500:]!r}")
    refusal(said.rstrip("\n").rpartition("\n")[2])
    return f"exit code {code}"


TARGETS: Final = (Target("command-line", command_lines(), check_command, bound_s=3.0, share=0.5),)
