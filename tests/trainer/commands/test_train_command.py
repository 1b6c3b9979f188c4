import dataclasses
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from tests.trainer.tiny import TIMEOUT_S, Child, environment, go_tiny, of_type, only_failure
from trainer import events, loop
from trainer.cli import EXIT_BAD_INPUT, main
from trainer.config import TrainConfig
from trainer.core.checkpoint import load_checkpoint
from trainer.loop import fit, resume
from trainer.runs import TrainingError

QUICK = ["--batch-size", "8", "--device", "cpu", "--threads", "1"]
FOR_EVER = ["--model", "simple", "--epochs", "100000", *QUICK]
"""Long beyond any test's end; with a network that costs nothing."""


@pytest.fixture
def _tiny(monkeypatch) -> None:
    go_tiny(monkeypatch)


@pytest.fixture
def fails(capsys, is_one_sentence) -> Callable[..., str]:
    """Run the command, expect exit code 2 with one sentence on stderr and nothing on stdout; return it."""

    def run(*arguments: object) -> str:
        assert main(["train", *map(str, arguments)]) == EXIT_BAD_INPUT == 2
        output = capsys.readouterr()
        assert output.out == ""
        (line,) = output.err.splitlines()
        assert line.startswith("error: ")
        assert is_one_sentence(line)
        return line

    return run


# --- what it prints ---


def test_events_come_as_json_lines_and_nothing_else(tiny_data: Path, tmp_path: Path, capfd) -> None:
    out = tmp_path / "run"
    arguments = ["--data", str(tiny_data), "--out", str(out), "--epochs", "1", *QUICK]
    assert main(["train", *arguments, "--events", "jsonl"]) == 0
    output = capfd.readouterr()
    told = [events.from_json_line(line) for line in output.out.splitlines()]
    assert isinstance(told[0], events.RunStarted)
    assert isinstance(told[-1], events.RunFinished)
    assert output.out == (out / "events.jsonl").read_text(encoding="utf-8")
    assert output.err == ""
    assert load_checkpoint(out / "best.safetensors").name == "compact"


@pytest.mark.usefixtures("_tiny")
def test_a_bar_and_a_line_an_epoch_are_shown(tiny_data: Path, tmp_path: Path, capfd, monkeypatch) -> None:
    monkeypatch.setattr(loop, "BATCH_EVENT_EVERY_S", 0.0)
    out = tmp_path / "run"
    arguments = ["--data", str(tiny_data), "--out", str(out), "--model", "two_conv", "--epochs", "2"]
    assert main(["train", *arguments, *QUICK]) == 0
    output = capfd.readouterr()
    assert "two_conv" in output.out
    assert "28 faces to train on, 4 of other people" in output.out
    for epoch in (1, 2):
        assert re.search(rf"epoch    {epoch}  loss +\d+\.\d{{3}}  NME +\d+\.\d\d%", output.out)
    assert f"weights in {out / 'best.safetensors'}" in output.out
    last = output.err.split("\r")[-1]
    assert "8/8" in last  # batches
    assert re.search(r"\d\d:\d\d<\d\d:\d\d", last), "it does not say how long it took and how long it will"
    assert re.search(r"loss \d+\.\d{3}, \d+ images/s", last)


@pytest.mark.usefixtures("_tiny")
def test_a_bar_goes_on_where_the_run_was(tiny_data: Path, tmp_path: Path, capfd) -> None:
    told: list[events.Event] = []
    config = TrainConfig(data=str(tiny_data), out=str(tmp_path / "run"), model="simple", epochs=3, batch_size=8)
    fit(config, on_event=told.append, should_stop=lambda: bool(of_type(told, events.EpochDone)))
    assert main(["train", "--resume", config.out]) == 0
    output = capfd.readouterr()
    assert "going on after epoch 1" in output.out
    assert "epoch    1 " not in output.out
    assert "4/12" in output.err.split("\r")[1]
    assert "12/12" in output.err.split("\r")[-1]


@pytest.mark.usefixtures("_tiny")
def test_a_notice_is_shown(tiny_data: Path, tmp_path: Path, capfd, monkeypatch) -> None:
    monkeypatch.setattr("tests.trainer.tiny.Tiny.most_crops", 5)
    arguments = ["--data", str(tiny_data), "--out", str(tmp_path / "run"), "--model", "simple", "--epochs", "1"]
    assert main(["train", *arguments, *QUICK]) == 0
    assert "4 at a time" in capfd.readouterr().out


def test_signal_handlers_are_put_back(tiny_data: Path, tmp_path: Path, fails) -> None:
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.getsignal(number) for number in numbers]
    fails("--data", tmp_path / "nowhere", "--out", tmp_path / "other")
    assert [signal.getsignal(number) for number in numbers] == before


def test_help_tells_of_every_setting(capsys) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["train", "--help"])
    assert caught.value.code == 0
    text = " ".join(capsys.readouterr().out.split())
    for setting in dataclasses.fields(TrainConfig):
        assert f"--{setting.name.replace('_', '-')}" in text
        assert " ".join(setting.metadata["help"].split()) in text
        if setting.default != "":
            assert f"(default: {setting.default})" in text
    for option in ("--resume", "--events", "--commands"):
        assert option in text


# --- bad input ---


def test_data_that_are_not_there(tmp_path: Path, fails) -> None:
    assert "nowhere" in fails("--data", tmp_path / "nowhere", "--out", tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_neither_data_nor_a_run(fails) -> None:
    sentence = fails("--epochs", 3)
    assert "--data" in sentence
    assert "--resume" in sentence


def test_a_damaged_table(data_copy: Path, tmp_path: Path, fails) -> None:
    with (data_copy / "training_frames_keypoints.csv").open("a", encoding="utf-8") as file:
        file.write("Person_99_0.jpg,1,2,3\n")
    assert "line 34" in fails("--data", data_copy, "--out", tmp_path / "run")


def test_a_damaged_image(data_copy: Path, tmp_path: Path, fails) -> None:
    (data_copy / "training" / "Person_04_2.jpg").write_bytes(b"no image")
    assert "Person_04_2.jpg" in fails("--data", data_copy, "--out", tmp_path / "run", *QUICK)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("gone", [".", "training/Person_04_2.jpg"], ids=["before it begins", "while it reads"])
def test_a_failure_is_told_as_an_event_and_as_a_sentence(data_copy: Path, tmp_path: Path, capsys, gone: str) -> None:
    if (data_copy / gone).is_file():
        (data_copy / gone).write_bytes(b"no image")
    else:
        shutil.rmtree(data_copy / gone)
    arguments = ["--data", str(data_copy), "--out", str(tmp_path / "run"), "--events", "jsonl", *QUICK]
    assert main(["train", *arguments]) == EXIT_BAD_INPUT
    output = capsys.readouterr()
    (line,) = output.out.splitlines()
    assert output.err == f"error: {events.from_json_line(line).message}\n"


def test_damaged_weights(tiny_data: Path, tmp_path: Path, fails) -> None:
    weights = tmp_path / "weights.safetensors"
    weights.write_bytes(b"\x00" * 99)
    assert str(weights) in fails("--data", tiny_data, "--out", tmp_path / "run", "--finetune", weights)


def test_a_number_out_of_range(tiny_data: Path, fails) -> None:
    assert "epochs is 0" in fails("--data", tiny_data, "--epochs", 0)
    assert "learning_rate is 1000000000" in fails("--data", tiny_data, "--learning-rate", "1e9")


@pytest.mark.parametrize("arguments", [["--data"], ["--epochs", "many"], ["--model", "resnet"], ["--label-shift", "1"]])
def test_options_that_cannot_be_read(arguments: list[str], capsys) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["train", *arguments])
    assert caught.value.code == 2
    assert "error:" in capsys.readouterr().err


def test_a_folder_with_a_run(trained_run, tiny_data: Path, fails) -> None:
    assert "already holds a run" in fails("--data", tiny_data, "--out", trained_run.folder, "--device", "cpu")


def test_a_device_that_is_not_there(tiny_data: Path, tmp_path: Path, fails) -> None:
    absent = "mps" if torch.cuda.is_available() else "cuda"
    assert absent in fails("--data", tiny_data, "--out", tmp_path / "run", "--device", absent)


# --- going on ---


@pytest.mark.parametrize("fixed", ["--epochs=5", "--out=elsewhere", "--no-correct-labels", "--learning-rate=0.1"])
def test_a_run_that_goes_on_keeps_its_settings(trained_run, fails, fixed: str) -> None:
    sentence = fails("--resume", trained_run.folder, fixed)
    assert "keeps its settings" in sentence
    assert fixed.partition("=")[0].removeprefix("--no-").removeprefix("--") in sentence


def test_a_finished_run_does_not_go_on(trained_run, fails, tmp_path: Path) -> None:
    folder = shutil.copytree(trained_run.folder, tmp_path / "run")
    sentence = fails("--resume", folder)
    assert "has all its 3 epochs" in sentence


def test_a_folder_without_a_run(tmp_path: Path, fails) -> None:
    assert "there is no run" in fails("--resume", tmp_path)


@pytest.mark.usefixtures("_tiny")
def test_data_device_and_threads_may_change(tiny_data: Path, tmp_path: Path, capfd) -> None:
    told: list[events.Event] = []
    data = Path(shutil.copytree(tiny_data, tmp_path / "data"))
    config = TrainConfig(data=str(data), out=str(tmp_path / "run"), model="simple", epochs=2, batch_size=8)
    fit(config, on_event=told.append, should_stop=lambda: bool(of_type(told, events.EpochDone)))
    shutil.rmtree(data)
    changes = ["--data", str(tiny_data), "--device", "cpu", "--threads", "1"]
    assert main(["train", "--resume", config.out, *changes, "--events", "jsonl"]) == 0
    told = [events.from_json_line(line) for line in capfd.readouterr().out.splitlines()]
    assert told[0].epochs_done == 1
    assert told[-1].epochs_done == 2


# --- while it runs ---


@pytest.fixture
def start(_tiny, tiny_data: Path, tmp_path: Path) -> Callable[..., Child]:
    """Start the command in a process of its own, for `tmp_path / "run"`."""

    def run(*more: str, tiny: bool = True) -> Child:
        arguments = ["train", "--data", tiny_data, "--out", tmp_path / "run", "--events", "jsonl"]
        return Child(*arguments, *more, tiny=tiny)

    return run


def assert_stopped_and_kept(child: Child, folder: Path) -> None:
    assert child.wait() == 0, child.errors
    assert child.errors == ""
    assert child.lines == []
    assert isinstance(child.told[-1], events.RunFinished)
    assert child.told[-1].stopped
    assert 1 <= child.told[-1].epochs_done < 10_000
    assert load_checkpoint(folder / "last.safetensors").info["epoch"] == child.told[-1].epochs_done
    assert (folder / "best.safetensors").is_file()
    assert (folder / "state.safetensors").is_file()


def test_stop_keeps_the_run(start, tiny_data: Path, tmp_path: Path, is_one_sentence) -> None:
    folder = tmp_path / "run"
    with start("--commands", *FOR_EVER) as child:
        child.process.stdin.buffer.write(b"hello\n\n\xff\xfe\x00\n")  # nobody said that
        child.process.stdin.flush()
        child.wait_for(events.EpochDone, count=2)
        # Nobody else trains there in the meantime.
        with pytest.raises(TrainingError, match="another process is training") as caught:
            resume(folder, on_event=only_failure)
        assert is_one_sentence(caught.value)
        with pytest.raises(TrainingError, match="already holds a run"):
            fit(TrainConfig(data=str(tiny_data), out=str(folder)), on_event=only_failure)
        child.wait_for(events.EpochDone)
        child.say("stop")
        assert_stopped_and_kept(child, folder)


def test_cancel_removes_the_run(start, tmp_path: Path) -> None:
    with start("--commands", *FOR_EVER) as child:
        child.wait_for(events.EpochDone)
        child.say("cancel")
        assert child.wait() == 0
        assert child.errors == ""
        assert isinstance(child.told[-1], events.RunFinished)
        assert child.told[-1].discarded
    assert list(tmp_path.iterdir()) == []


def test_the_end_of_commands_is_a_stop(start, tmp_path: Path) -> None:
    with start("--commands", *FOR_EVER) as child:
        child.wait_for(events.EpochDone)
        child.process.stdin.close()
        assert_stopped_and_kept(child, tmp_path / "run")


def test_commands_may_never_come(start, tmp_path: Path) -> None:
    """The process ends although a thread waits for a line. Here it is the default network, all as users start it."""
    with start("--commands", "--epochs", "1", *QUICK, tiny=False) as child:
        assert child.wait() == 0
        assert child.errors == ""
        assert child.told[-1].stopped is False
        assert not child.process.stdin.closed


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signal")
def test_a_termination_keeps_the_run_and_input_does_not_matter(start, tmp_path: Path) -> None:
    with start(*FOR_EVER) as child:
        child.process.stdin.close()
        child.wait_for(events.EpochDone, count=3)
        child.process.send_signal(signal.SIGTERM)
        assert_stopped_and_kept(child, tmp_path / "run")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot send an interrupt to one process")
def test_an_interrupt_keeps_the_run(start, tmp_path: Path) -> None:
    with start(*FOR_EVER) as child:
        child.wait_for(events.EpochDone)
        child.process.send_signal(signal.SIGINT)
        assert_stopped_and_kept(child, tmp_path / "run")


@pytest.mark.usefixtures("_tiny")
def test_a_run_that_nobody_listens_to_is_kept(tiny_data: Path, tmp_path: Path) -> None:
    """As when the program that started it is gone: its next line has no reader."""
    folder = tmp_path / "run"
    script = Path(sys.modules[Child.__module__].__file__)
    arguments = ["train", "--data", tiny_data, "--out", folder, "--events", "jsonl", *FOR_EVER]
    process = subprocess.Popen(
        [sys.executable, "-W", "error", str(script), *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    )
    try:
        assert b"RunStarted" in process.stdout.readline()
        process.stdout.close()
        assert process.wait(TIMEOUT_S) == 0
        assert process.stderr.read() == b""
    finally:
        process.kill()
        process.wait(TIMEOUT_S)
        process.stderr.close()
    last = events.from_json_line((folder / "events.jsonl").read_text(encoding="utf-8").splitlines()[-1])
    assert isinstance(last, events.RunFinished)
    assert last.stopped
    assert load_checkpoint(folder / "last.safetensors").info["epoch"] == last.epochs_done
