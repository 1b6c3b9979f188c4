"""What a training process tells: single lines, and whole streams of a misbehaving one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from hypothesis import strategies as st
from PySide6.QtCore import Qt

from fkd_desktop.training.eta import TimeLeft, describe_duration, describe_time_left
from fkd_desktop.training.run import RunRecord, TrainingController
from fkd_desktop.workers.training_process import TrainingProcess
from tests.fuzz.mutate import damaged, encoded, json_text, nested, odd_object, odd_values
from tests.fuzz.target import RuleError, Target
from trainer import events
from trainer.config import TrainConfig
from trainer.core.text import Text

EVENTS: Final = (
    events.RunStarted("runs/a", "compact (1 parameters)", "cpu", 3, 4, 100, 20),
    events.BatchDone(1, 2, 0.5, 40.0, 10**9),
    events.EpochDone(1, 0.5, 0.05, 0.1, 0.6, 1.0, 9.5, is_best=True),
    events.CheckpointSaved("runs/a/best.safetensors", 1),
    events.RunFinished("runs/a", 3, 0.05, stopped=False),
    events.Notice(Text("the memory of {device} is too small for {faces:.1f} faces", device="cpu", faces=3)),
    events.RunFailed(Text("%n face(s) in {path}", n=3, path="a")),
)
LINES: Final = [events.to_json_line(event) for event in EVENTS]
TEMPLATES: Final = [
    "{a}",
    "{a:.1f}",
    "{a:>99999999}",
    "{a.b}",
    "{a[0]}",
    "{}",
    "{",
    "%n x(s)",
    "{n}",
    "{a!r:5}",
    "{a:%}",
]


@st.composite
def odd_lines(draw: Callable[..., Any]) -> bytes:
    """One line: an event with odd fields, or no event."""
    fields = {"event": "", **asdict(draw(st.sampled_from(EVENTS)))}
    fields["event"] = next(type(one).__name__ for one in EVENTS if asdict(one).keys() == fields.keys() - {"event"})
    if draw(st.integers(0, 3)) == 0:
        values = draw(st.dictionaries(st.sampled_from(["a", "n", "b"]), odd_values(), max_size=2))
        fields["said"] = draw(st.just({"text": draw(st.sampled_from(TEMPLATES)), "values": values}) | odd_values())
    return encoded(json_text(draw(odd_object(fields, most=2))))


def lines() -> st.SearchStrategy[bytes]:
    """Make a line, without its end."""
    return st.one_of(
        odd_lines(),
        odd_lines(),
        st.sampled_from(LINES).map(str.encode),
        st.sampled_from(LINES).flatmap(lambda line: damaged(line.encode())),
        st.sampled_from([b"", b"null", b"[]", b"7", nested(900).encode(), nested(100_000).encode(), b"1" * 5000]),
        st.binary(max_size=60),
    )


def streams() -> st.SearchStrategy[bytes]:
    """Make all that a process writes: lines, long ones, binary data, an end in mid-line."""
    line = st.one_of(lines(), lines(), lines(), st.integers(1, 300_000).map(lambda size: b"x" * size))
    end = st.sampled_from([b"\n", b"\n", b"\n", b"\r\n", b""])
    return st.lists(st.tuples(line, end).map(b"".join), max_size=12).map(b"".join)


def check_line(line: bytes, _folder: Path) -> str | None:
    """Read a line, and follow what it tells as the window does."""
    try:
        event = events.from_json_line(line.decode("utf-8", errors="replace"))
    except ValueError:
        return "not a training event"
    follow([EVENTS[0], event, *EVENTS[1:3]])
    message = getattr(event, "message", "")
    if len(message.splitlines()) > 1 or len(message) > 20_000:
        raise RuleError(f"a message is more than a sentence: {message[:200]!r}")
    return None


def check_stream(content: bytes, folder: Path) -> str | None:
    """Have a real process write it, read it, and follow it."""
    (folder / "told").write_bytes(content)
    process = TrainingProcess(["cat", str(folder / "told")], folder / "log.txt")
    told: list[events.Event] = []
    codes: list[int] = []
    process.event_received.connect(told.append, Qt.ConnectionType.DirectConnection)
    process.ended.connect(codes.append, Qt.ConnectionType.DirectConnection)
    process.start()
    for thread in threading.enumerate():
        if thread.name == "training-events":
            thread.join()
    if codes != [0]:
        raise RuleError(f"the end was not told: {codes}")
    follow(told)
    return None if told else "nothing that is an event"


def follow(told: list[events.Event]) -> None:
    """Do with events what the controller of a run and the trainer's window do."""
    controller = TrainingController(Path())
    controller.record = RunRecord(TrainConfig(), Path("a"))
    left: TimeLeft | None = None
    for now_s, event in enumerate(told):
        controller._on_process_event(event)
        match event:
            case events.RunStarted():
                left = TimeLeft(event, batch_size=32)
            case events.BatchDone() if left:
                left.on_batch(event, now_s)
            case events.EpochDone() if left:
                left.on_epoch(event, now_s)
        if not 0 <= controller.record.share_done <= 1:
            raise RuleError(f"{controller.record.share_done} of the run are done")
        if left:
            describe_time_left(left.seconds(now_s))
    _ = controller.record.best
    describe_duration(sum(epoch.seconds for epoch in controller.record.epochs))


TARGETS: Final = (
    Target("event", lines(), check_line, bound_s=2.0, share=2.0),
    Target("training-process", streams(), check_stream, bound_s=3.0, share=0.5),
)
