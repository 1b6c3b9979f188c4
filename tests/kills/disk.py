"""Runs `disk_script.py` with its disk, and says of what it tells what is wrong."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from tests.trainer.tiny import ROOT

HERE: Final = Path(__file__).parent
COMPILER: Final = shutil.which("cc") or shutil.which("gcc")
IS_POSSIBLE: Final = COMPILER is not None and sys.platform.startswith("linux")
TIMEOUT_S: Final = 3600


def sweep(data: Path, folder: Path, fault: str, duration: str, *, every: int = 1) -> list[dict[str, Any]]:
    """Return what came of each fault: see `disk_script.facts_of`."""
    assert COMPILER is not None
    folder.mkdir(parents=True)
    with tempfile.TemporaryDirectory(prefix="fkd-disk-") as built:  # a preloaded library's path has no spaces
        disk = Path(built, "disk.so")
        subprocess.run([COMPILER, "-shared", "-fPIC", "-o", disk, HERE / "failing_disk.c", "-ldl"], check=True)
        done = subprocess.run(
            [sys.executable, "-W", "error", HERE / "disk_script.py", data, folder, fault, duration, str(every)],
            env={**os.environ, "LD_PRELOAD": str(disk), "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
    assert done.returncode == 0, done.stderr[-2000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


def faults_of(facts: dict[str, Any]) -> list[str]:
    """Return what is wrong with one outcome; nothing if the user lost nothing and was told in a sentence."""
    wrong = []
    said = facts["said"]
    if facts["code"] == 2:
        if len(said) != 1 or not said[0].startswith("error: ") or facts["told"] != [said[0].removeprefix("error: ")]:
            wrong.append(f"it said {said} and told {facts['told']}")
        elif not any(words in said[0] for words in ("could not be written", "cannot be written")):
            wrong.append(f"it said {said[0]}")
        elif ("--resume" in said[0]) != ("config.json" in facts["left"]):
            wrong.append(f"with {facts['left']} in the folder it said {said[0]}")
    elif facts["code"] != 0 or said:
        wrong.append(f"it ended with {facts['code']} and said {said}")
    if not facts["loads"]:
        wrong.append("the weights are damaged")
    if facts["resumed"] != 0:
        wrong.append(f"it did not go on: {facts['resume_said']}")
    elif not facts["same"]:
        wrong.append("it ended otherwise than an undisturbed run")
    if facts["epochs_done"] < facts["judged"] - 1:
        wrong.append(f"of {facts['judged']} epochs {facts['epochs_done']} were left")
    return [f"{facts['failed']} ({facts['nth']} of {facts['of']}): {it}" for it in wrong]
