"""Run folders: configuration, table of figures, events; and what a run goes on from."""

from __future__ import annotations

import argparse
import csv
import io
import json
from collections.abc import Callable
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any, Final

from hypothesis import strategies as st

from fkd_desktop.training.eta import describe_duration
from tests.fuzz.mutate import BAD_NUMBERS, BAD_TEXTS, damaged, encoded, json_text, nested, odd_object, odd_values
from tests.fuzz.target import RuleError, Target, refusal
from tests.fuzz.trainer_weights import joined, lying_entries, split
from trainer import events
from trainer.config import TrainConfig, add_arguments
from trainer.core.models import build_network
from trainer.learner import Learner
from trainer.progress import Progress
from trainer.runs import BEST, CONFIG, EVENTS, LOCK, METRICS, STATE, TrainingError, delete_run, list_runs, summarise

SETTINGS: Final = {"format_version": 1, **asdict(TrainConfig(data="faces", epochs=3))}
EPOCH: Final = events.EpochDone(1, 0.5, 0.05, 0.1, 0.6, 1.0, 9.5, is_best=True)
LAST: Final = (
    events.RunFinished("runs/a", 3, 0.05, stopped=False),
    events.RunFinished("runs/a", 0, None, stopped=True),
    events.RunFailed("the disk is full; free some space"),
    events.CheckpointSaved("runs/a/best.safetensors", 1),
)


def configs() -> st.SearchStrategy[bytes]:
    """Make a config.json."""
    whole = json_text(SETTINGS).encode()
    return st.one_of(
        odd_object(SETTINGS).map(json_text).map(encoded),
        odd_object(SETTINGS, most=1).map(json_text).map(encoded),
        odd_values().map(json_text).map(encoded),
        damaged(whole),
        st.sampled_from(
            [whole, b"", nested(100_000).encode(), nested(50_000, "{").encode(), whole.decode().encode("utf-16")]
        ),
    )


@st.composite
def metrics(draw: Callable[..., Any]) -> bytes:
    """A table of figures with some odd cells, columns and rows."""
    names = list(asdict(EPOCH))
    if draw(st.integers(0, 3)) == 0:
        names = draw(st.lists(st.sampled_from([*names, "", "x"]), max_size=12))
    rows = [list(asdict(EPOCH).values()) for _ in range(draw(st.integers(0, 4)))]
    for row in rows:
        for _ in range(draw(st.integers(0, 2))):
            row[draw(st.integers(0, len(row) - 1))] = draw(
                st.sampled_from([*BAD_NUMBERS, *BAD_TEXTS, "1_0", "٣", " 7"])
            )
        if draw(st.integers(0, 5)) == 0:
            row.append(draw(st.text(max_size=3)))
    table = io.StringIO()
    csv.writer(table).writerows([names, *rows])
    return encoded(table.getvalue())


def histories() -> st.SearchStrategy[bytes]:
    """Make an events.jsonl."""
    line = st.one_of(
        st.sampled_from(LAST).map(lambda event: events.to_json_line(event).encode()),
        st.sampled_from(LAST).flatmap(lambda event: damaged(events.to_json_line(event).encode())),
        st.binary(max_size=40),
        st.just(b"x" * 70_000),
    )
    return st.lists(line, max_size=5).map(b"\n".join)


def folders() -> st.SearchStrategy[dict[str, bytes | str]]:
    """Make a run's files: contents, or "folder", or where a link leads to."""
    elsewhere = st.sampled_from(["folder", "../../../canary", "nowhere", CONFIG])
    whole = json_text(SETTINGS).encode()
    return st.fixed_dictionaries(
        {CONFIG: st.just(whole) | configs() | elsewhere},
        optional={
            METRICS: metrics() | metrics().flatmap(damaged) | elsewhere,
            EVENTS: histories() | elsewhere,
            BEST: st.binary(max_size=20) | elsewhere,
            STATE: st.binary(max_size=20) | elsewhere,
            LOCK: st.just(b"") | elsewhere,
            f".{CONFIG}.{32 * 'a'}": st.just(b"half"),
            "mine.txt": st.just(b"not of a run"),
        },
    )


def check_folder(files: dict[str, bytes | str], folder: Path) -> str | None:
    """List, tell and delete what lies there."""
    run = folder / "a run"
    run.mkdir()
    for name, content in files.items():
        if content == "folder":
            (run / name).mkdir()
        elif isinstance(content, str):
            (run / name).symlink_to(content)
        else:
            (run / name).write_bytes(content)
    said = None
    try:
        summary = summarise(run)
    except TrainingError as error:
        said = refusal(error, run, CONFIG)
        if list_runs(folder):
            raise RuleError("a run that cannot be read is listed") from error
    else:
        describe_duration(summary.seconds)
        _ = summary.best, summary.weights, summary.can_resume, summary.state.value
        if summary.state.value == "failed":
            refusal(summary.message)
        if [one.path for one in list_runs(folder)] != [run]:
            raise RuleError("a run that can be read is not listed")
    try:
        delete_run(run)
    except TrainingError as error:
        said = said or refusal(error, run)
    if "mine.txt" in files and not (run / "mine.txt").is_file():
        raise RuleError("a file that is not of the run was deleted with it")
    return said


def check_config(content: bytes, folder: Path) -> str | None:
    """Read the settings, and give them on as a command line, as the window does when it resumes or starts a run."""
    (folder / CONFIG).write_bytes(content)
    try:
        config = summarise(folder).config
    except TrainingError as error:
        return refusal(error, CONFIG)
    if TrainConfig.from_json(config.to_json()) != config:
        raise RuleError("settings changed when they were written and read again")
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    if TrainConfig.from_arguments(parser.parse_args(config.to_arguments())) != config:
        raise RuleError("settings changed on their way through a command line")
    return None


@cache
def learner() -> tuple[Learner, bytes]:
    """Return a learner, and the state of one that had taken no step."""
    made = Learner(build_network("compact"), TrainConfig(data="faces", epochs=3, optimizer="sgd"), total_steps=9)
    return made, made.state(asdict(Progress(faces=100)))


@st.composite
def states(draw: Callable[..., Any]) -> bytes:
    """A state.safetensors with lies in its header, in what it keeps beside tensors, or anywhere."""
    whole = learner()[1]
    header, numbers = split(whole)
    kept = json.loads(header["__metadata__"]["kept"])
    match draw(st.sampled_from(["facts", "kept", "metadata", "tensor", "bytes", "whole"])):
        case "facts":
            header["__metadata__"]["kept"] = json_text({**kept, "facts": draw(odd_object(asdict(Progress(faces=100))))})
        case "kept":
            header["__metadata__"]["kept"] = json_text(draw(odd_object(kept)))
        case "metadata":
            header["__metadata__"] = draw(odd_object(header["__metadata__"]) | odd_values())
        case "tensor":
            name = draw(st.sampled_from(sorted(header.keys() - {"__metadata__"})))
            header[name] = draw(lying_entries(header[name]))
        case "bytes":
            return draw(damaged(whole) | damaged(whole[:3000]))
    return joined(json_text(header), numbers)


def check_state(content: bytes, _folder: Path) -> str | None:
    """Go on from a state, as `trainer.loop` does."""
    try:
        progress = Progress(**learner()[0].load_state(content))
    except (ValueError, TypeError):
        return "damaged state"  # a sentence of `trainer.loop`
    progress.add([0.5], 0.001)
    if not (0 <= progress.batch < 1e9 and 1 <= progress.epoch < 1e9 and progress.faces >= 0):
        raise RuleError("a run would go on from a place that is none")
    return None


TARGETS: Final = (
    Target("run-folder", folders(), check_folder, bound_s=2.0, share=1.5),
    Target("run-config", configs(), check_config, bound_s=2.0, share=2.0),
    Target("run-state", states(), check_state, bound_s=3.0, share=0.5),
)
