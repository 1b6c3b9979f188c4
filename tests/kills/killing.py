"""Kills a run's process, the program that started it, or both, at a random moment, and looks at what is left."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import psutil
import torch
from safetensors import safe_open

from tests.trainer.tiny import ROOT, are_equal, names_in, of_type, wait_for_end, weights_of
from trainer import events
from trainer.core.weights_file import read_header
from trainer.runs import ALL_FILES, BEST, CONFIG, LAST, TrainingError, read_config, read_metrics

if TYPE_CHECKING:
    from random import Random

VICTIMS: Final = ("child", "parent", "both")
MARK: Final = "FKD_KILLS"
TIMEOUT_S: Final = 120.0
END_S: Final = 30.0
"""How long a child may go on when the program that started it was killed: until the batch is done, and all is kept."""
EPOCHS_ALONE: Final = 50
"""Of some milliseconds each: more than fit into the time until the child notices."""
PARENT: Final = ROOT / "tests" / "kills" / "parent.py"


@dataclass
class Kill:
    """One kill and what came of it.

    Attributes
    ----------
    victim, parent
        One of `VICTIMS`; "controller" or "window".
    moment
        When, in words.
    told
        What the child told until then.
    ended
        What the parent said at last; empty if it was killed.
    child_s
        How long the child lived on without its parent, in seconds.
    has_come
        Whether there was something to kill: a run may be at its end before.
    wrong
        What was not as it should be.
    """

    victim: str
    parent: str
    moment: str = ""
    told: list[events.Event] = field(default_factory=list)
    ended: dict[str, str] = field(default_factory=dict)
    child_s: float = 0.0
    has_come: bool = False
    wrong: list[str] = field(default_factory=list)

    @property
    def epochs(self) -> int:
        """The last epoch that it told to have been judged."""
        return max((event.epoch for event in of_type(self.told, events.EpochDone)), default=0)


class Parent:
    """A program that trains, in a process of its own: see parent.py."""

    def __init__(self, kind: str, *, data: Path, run: Path, epochs: int) -> None:
        self.mark = uuid.uuid4().hex
        home = run.parent / "home"
        folders = {f"XDG_{name}_HOME": str(home / name) for name in ("CONFIG", "DATA", "STATE", "CACHE")}
        own = {MARK: self.mark, "QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        deed = "resume" if (run / CONFIG).exists() else "start"
        self.process = subprocess.Popen(
            [sys.executable, "-W", "error", str(PARENT), kind, deed, str(data), str(run), str(epochs)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **folders, **own},
        )
        self.errors = ""
        self.ended: dict[str, str] = {}
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._readers = [threading.Thread(target=read, daemon=True) for read in (self._read, self._read_errors)]
        for reader in self._readers:
            reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put(None)

    def _read_errors(self) -> None:
        assert self.process.stderr is not None
        self.errors = self.process.stderr.read()

    def take(self, *, timeout_s: float = TIMEOUT_S) -> events.Event | None:
        """Return what is told next; None at the end, or when nothing came within the time."""
        try:
            line = self._lines.get(timeout=timeout_s)
        except queue.Empty:
            return None
        if line is None:
            self._lines.put(None)
            return None
        try:
            return events.from_json_line(line)
        except ValueError:
            self.ended = json.loads(line)
            return self.take(timeout_s=timeout_s)

    def processes(self) -> list[psutil.Process]:
        """Return it and its children, whoever their parent is by now."""
        return [process for process in psutil.process_iter() if _mark_of(process) == self.mark]

    def child(self) -> psutil.Process | None:
        """Return the trainer; None before it was started."""
        return next((process for process in self.processes() if process.pid != self.process.pid), None)

    def close(self) -> None:
        """End all of it."""
        for process in (self.process, *self.processes()):
            process.kill()
        self.process.wait(TIMEOUT_S)
        for reader in self._readers:
            reader.join(TIMEOUT_S)
        for stream in (self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()


def _mark_of(process: psutil.Process) -> str | None:
    try:
        return process.environ().get(MARK) if process.status() != psutil.STATUS_ZOMBIE else None
    except (psutil.Error, OSError):
        return None


def run_to_end(*, data: Path, run: Path, epochs: int, judged: int = 0) -> list[str]:
    """Start a run, or go on with it, and let it come to its end; return what went wrong."""
    parent, told = Parent("controller", data=data, run=run, epochs=epochs), list[events.Event]()
    try:
        while (event := parent.take()) is not None:
            told.append(event)
    finally:
        parent.close()
    wrong = _lost(told, judged)
    if parent.ended.get("state") != "FINISHED":
        wrong.append(f"it ended with {parent.ended} and wrote {parent.errors[-500:]}")
    return wrong


def _lost(told: list[events.Event], judged: int) -> list[str]:
    """Return whether a run that goes on has lost more than the last epoch that had been judged."""
    done = [started.epochs_done for started in of_type(told, events.RunStarted)]
    return [f"of {judged} epochs {epochs} were left" for epochs in done if epochs < judged - 1]


def kill_once(victim: str, kind: str, *, data: Path, run: Path, epochs: int, judged: int, random: Random) -> Kill:
    """Start or go on with a run, kill one or both of its processes, and see that all ends as it should.

    Parameters
    ----------
    judged
        How many epochs it told of before it was killed the last time.
    """
    kill = Kill(victim, kind)
    before = max(judged, _last_epoch(run))
    parent = Parent(kind, data=data, run=run, epochs=epochs)
    try:
        _wait_for_moment(parent, kill, random)
        child = parent.child()
        if victim != "child":
            parent.process.kill()
        if victim != "parent" and child is not None:
            child.kill()
        killed_s = time.monotonic()
        while (event := parent.take()) is not None:
            kill.told.append(event)
        code = parent.process.wait(TIMEOUT_S)
        kill.ended = parent.ended
        if victim == "child":
            kill.has_come = child is not None and kill.ended.get("state") != "FINISHED"
        else:
            kill.has_come = code == -signal.SIGKILL and not kill.ended
            for process in parent.processes():
                with suppress(TimeoutError):  # then it is left, which is told below
                    wait_for_end(process, timeout_s=END_S)
            kill.child_s = time.monotonic() - killed_s
            if _last_epoch(run) > max(before, kill.epochs) + EPOCHS_ALONE:
                kill.wrong.append(f"its child trained on, from epoch {kill.epochs} to {_last_epoch(run)}")
        for process in parent.processes():
            kill.wrong.append(f"process {process.pid} is left")
    finally:
        parent.close()
    written = [parent.errors, *(log.read_text(errors="replace") for log in run.parent.rglob("*.log"))]
    kill.wrong += [f"it wrote {text[-500:]}" for text in written if "Traceback" in text]
    is_told = kill.ended.get("state") == "FAILED" and "killed" in kill.ended["message"]
    if victim == "child" and kill.has_come and not is_told:
        kill.wrong.append(f"its program said {kill.ended}")
    kill.wrong += _lost(kill.told, before) + damages(run)
    return kill


def _last_epoch(run: Path) -> int:
    return max((int(row["epoch"]) for row in read_metrics(run)), default=0)


def _wait_for_moment(parent: Parent, kill: Kill, random: Random) -> None:
    """Wait until it has told some events and a little longer; or for some time, whatever it does then."""
    if random.random() < 0.3:
        delay_s = random.uniform(0.0, 4.0)
        kill.moment = f"{delay_s:.1f} s after its start"
        while kill.victim != "parent" and parent.child() is None and parent.process.poll() is None:
            time.sleep(0.05)
        deadline_s = time.monotonic() + delay_s
        while (left_s := deadline_s - time.monotonic()) > 0 and parent.process.poll() is None:
            event = parent.take(timeout_s=min(left_s, 0.2))
            if event is not None:
                kill.told.append(event)
        return
    wanted = random.randint(1, 60)
    while len(kill.told) < wanted and (event := parent.take()) is not None:
        kill.told.append(event)
    delay_s = random.uniform(0.0, 0.04)
    time.sleep(delay_s)
    kill.moment = f"{1000 * delay_s:.0f} ms after event {len(kill.told)}"


def damages(run: Path) -> list[str]:
    """Return what is half written in a run's folder, under the name of something whole."""
    wrong = []
    for path in run.glob("*.safetensors"):
        try:
            with safe_open(str(path), framework="pt") as file:
                if not all(torch.isfinite(file.get_tensor(key)).all() for key in file.keys()):  # noqa: SIM118
                    wrong.append(f"{path.name} holds what is no number")
        except Exception as error:
            wrong.append(f"{path.name}: {error}")
    if (run / CONFIG).exists():
        try:
            read_config(run)
        except TrainingError as error:
            wrong.append(str(error))
    return wrong


def differences(run: Path, undisturbed: Path) -> list[str]:
    """Return in what a run that came to its end differs from one that nobody killed."""
    wrong = []
    if not are_equal(weights_of(run, LAST), weights_of(undisturbed, LAST)):
        wrong.append("its last weights are others")
    rows = [
        [{key: row[key] for key in row if key not in ("seconds", "is_best")} for row in read_metrics(path)]
        for path in (run, undisturbed)
    ]
    if rows[0] != rows[1]:
        wrong.append("its figures are others")
    best = [_best_nme(path) for path in (run, undisturbed)]
    if best[0] > best[1]:  # of a stop within an epoch they may be better
        wrong.append(f"its best weights are worse: {best[0]} instead of {best[1]}")
    if strange := set(names_in(run)) - set(ALL_FILES):
        wrong.append(f"{sorted(strange)} are left")
    if missing := set(names_in(undisturbed)) - set(names_in(run)):
        wrong.append(f"{sorted(missing)} are missing")
    return wrong


def _best_nme(run: Path) -> float:
    info: dict[str, Any] = dict(read_header(run / BEST)[1])
    return float(info["validation"]["nme_mean"])
