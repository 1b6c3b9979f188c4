import json
import math

import pytest

from trainer.events import (
    BatchDone,
    CheckpointSaved,
    EpochDone,
    Notice,
    RunFailed,
    RunFinished,
    RunStarted,
    from_json_line,
    to_json_line,
)

EVENTS = [
    RunStarted('runs/ünï\n"x"', "compact (987,654 parameters)", "cpu", 60, 42, 2660, 481),
    RunStarted("runs/a", "compact (987,654 parameters)", "4 x cuda", 60, 42, 2660, 481, epochs_done=7),
    BatchDone(1, 7, 3.25, 118.5),
    EpochDone(2, 3.5, 0.0531, 0.02, 0.4, 0.97, 12.5, is_best=True),
    CheckpointSaved("C:\\runs\\best.safetensors", 2),
    RunFinished("runs/a", 60, 0.045, stopped=False),
    RunFinished("runs/a", 0, None, stopped=True),
    RunFinished("runs/a", 3, None, stopped=True, discarded=True),
    Notice("the memory of cuda:0 is too small for 32 faces at once"),
    RunFailed("the disk is full \U0001f600 ünï"),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_an_event_survives_its_line(event) -> None:
    line = to_json_line(event)
    assert from_json_line(line) == event
    assert from_json_line(line + "\r\n") == event
    assert len(line.splitlines()) == 1
    assert line.isascii()


def test_every_event_is_tried_here() -> None:
    from trainer import events

    assert {type(event) for event in EVENTS} == set(events.Event.__args__)


def test_events_of_an_earlier_version_are_read() -> None:
    """What has been added since has a default."""
    started = json.loads(to_json_line(EVENTS[0]))
    del started["epochs_done"]
    assert from_json_line(json.dumps(started)) == EVENTS[0]
    line = '{"event": "RunFinished", "run": "a", "epochs_done": 1, "best_nme_mean": 0.1, "stopped": true}'
    assert from_json_line(line) == RunFinished("a", 1, 0.1, stopped=True)


def test_a_whole_number_does_for_a_fraction() -> None:
    assert from_json_line('{"event": "BatchDone", "epoch": 1, "batch": 2, "loss": 3, "images_per_s": 4}').loss == 3


def test_events_are_frozen() -> None:
    with pytest.raises(AttributeError):
        EVENTS[1].loss = 0


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_what_json_cannot_say_is_not_written(value: float) -> None:
    with pytest.raises(ValueError, match="JSON"):
        to_json_line(BatchDone(1, 1, value, 1.0))


def batch_done(**fields: object) -> str:
    return json.dumps({"event": "BatchDone", "epoch": 1, "batch": 2, "loss": 0.5, "images_per_s": 9.0} | fields)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "\n",
        "hello",
        "{",
        "[]",
        "3",
        "null",
        '"BatchDone"',
        "{}",
        '{"event": null}',
        '{"event": ["BatchDone"]}',
        '{"event": "Explode"}',
        '{"event": "__class__"}',
        '{"event": "RunFailed"}',
        '{"event": "RunFailed", "message": 3}',
        '{"event": "RunFailed", "message": null}',
        '{"event": "RunFailed", "message": "a", "more": 1}',
        '{"event": "RunFailed", "message": "a", "event ": 1}',
        batch_done(epoch="1"),
        batch_done(epoch=1.5),
        batch_done(epoch=True),
        batch_done(loss="0.5"),
        batch_done(loss=None),
        batch_done(loss=[]),
        batch_done(loss=math.nan),
        batch_done(loss=-math.inf),
        batch_done().replace("0.5", "1e999"),
        batch_done().replace("0.5", "9" * 5000),
        "[" * 100_000,
        '{"event": "RunFinished", "run": "a", "epochs_done": 1, "best_nme_mean": 0.1, "stopped": 1}',
        '{"event": "RunFinished", "run": "a", "epochs_done": 1, "best_nme_mean": "low", "stopped": true}',
        '{"event": "Notice", "message": ["a"]}',
        "\x00\x01\ufffd",
    ],
)
def test_anything_else_is_no_event(line: str) -> None:
    with pytest.raises(ValueError, match="not a training event") as caught:
        from_json_line(line)
    assert len(str(caught.value)) < 2000


@pytest.mark.parametrize("kind", ["Notice", "RunFailed"])
def test_a_message_is_made_one_line(kind: str) -> None:
    event = from_json_line(json.dumps({"event": kind, "message": "a\r\nb \u2028 \udcff" + 5000 * "x"}))
    assert event.message.startswith("a b \ufffd \ufffdxxx") and len(event.message) < 1100


@pytest.mark.parametrize(
    ("name", "value"),
    [("epochs", 0), ("batches_per_epoch", 0), ("training_faces", -1), ("epochs_done", 10**400), ("epochs", 2**63)],
)
def test_counts_that_nothing_has_are_no_event(name: str, value: int) -> None:
    line = json.loads(to_json_line(EVENTS[0])) | {name: value}
    with pytest.raises(ValueError, match="not a training event"):
        from_json_line(json.dumps(line))


def test_a_measure_beyond_all_measure_is_no_event() -> None:
    with pytest.raises(ValueError, match="not a training event"):
        from_json_line('{"event": "BatchDone", "epoch": 1, "batch": 2, "loss": 1e300, "images_per_s": 4}')


@pytest.mark.parametrize(
    "template",
    ["{a:>999999999}", "{a:999999999}", "{a.__class__}", "{a[0]}", "{}", "{0}", "{b}", "{", "{a:{a}}", "{a!a}"],
)
def test_a_text_that_reaches_further_than_its_values_is_no_event(template: str) -> None:
    said = {"text": template, "values": {"a": "x"}}
    with pytest.raises(ValueError, match="not a training event"):
        from_json_line(json.dumps({"event": "Notice", "message": "m", "said": said}))


@pytest.mark.parametrize("said", [[], "text", 7, {"text": 7, "values": {}}, {"text": "a", "values": []}, {"text": "a"}])
def test_what_is_no_text_is_no_event(said: object) -> None:
    with pytest.raises(ValueError, match="not a training event"):
        from_json_line(json.dumps({"event": "Notice", "message": "m", "said": said}))
