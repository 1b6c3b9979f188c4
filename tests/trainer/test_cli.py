import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from trainer import events
from trainer.cli import EXIT_BAD_INPUT, main
from trainer.core.checkpoint import load_checkpoint

QUICK = ["--epochs", "1", "--batch-size", "16", "--device", "cpu", "--threads", "1"]


@pytest.fixture
def fails(capsys, is_one_sentence) -> Callable[..., str]:
    """Run the command line, expect exit code 2 with one sentence on stderr and nothing on stdout; return it."""

    def run(*arguments: object) -> str:
        assert main([str(argument) for argument in arguments]) == EXIT_BAD_INPUT == 2
        output = capsys.readouterr()
        assert output.out == ""
        (line,) = output.err.splitlines()
        assert line.startswith("error: ")
        assert is_one_sentence(line)
        return line

    return run


# --- train ---


def test_training_tells_events_as_json_lines_and_nothing_else(tiny_data: Path, tmp_path: Path, capfd) -> None:
    out = tmp_path / "run"
    assert main(["train", "--data", str(tiny_data), "--out", str(out), "--events", "jsonl", *QUICK]) == 0
    output = capfd.readouterr()
    told = [events.from_json_line(line) for line in output.out.splitlines()]
    assert isinstance(told[0], events.RunStarted)
    assert isinstance(told[-1], events.RunFinished)
    assert output.err == ""
    assert load_checkpoint(out / "best.safetensors").name == "compact"


def test_training_shows_a_bar_and_a_line_an_epoch(tiny_data: Path, tmp_path: Path, capfd) -> None:
    out = tmp_path / "run"
    assert main(["train", "--data", str(tiny_data), "--out", str(out), *QUICK]) == 0
    output = capfd.readouterr()
    assert "compact" in output.out
    assert "epoch    1" in output.out
    assert f"weights in {out / 'best.safetensors'}" in output.out
    assert "2/2" in output.err  # batches


def test_the_interrupt_handler_is_put_back(tiny_data: Path, tmp_path: Path, capfd) -> None:
    before = signal.getsignal(signal.SIGINT)
    main(["train", "--data", str(tiny_data), "--out", str(tmp_path / "run"), "--events", "jsonl", *QUICK])
    main(["train", "--data", str(tmp_path / "nowhere"), "--out", str(tmp_path / "other")])
    assert signal.getsignal(signal.SIGINT) is before


def test_training_without_data_fails(tmp_path: Path, fails) -> None:
    assert "nowhere" in fails("train", "--data", tmp_path / "nowhere", "--out", tmp_path / "run", "--events", "jsonl")
    assert not (tmp_path / "run").exists()


def test_training_with_a_damaged_table_fails(tiny_data: Path, tmp_path: Path, fails) -> None:
    data = Path(shutil.copytree(tiny_data, tmp_path / "data"))
    with (data / "training_frames_keypoints.csv").open("a", encoding="utf-8") as file:
        file.write("Person_99_0.jpg,1,2,3\n")
    assert "line 34" in fails("train", "--data", data, "--out", tmp_path / "run", "--events", "jsonl")


def test_training_with_a_damaged_image_fails(tiny_data: Path, tmp_path: Path, fails) -> None:
    data = Path(shutil.copytree(tiny_data, tmp_path / "data"))
    (data / "training" / "Person_04_2.jpg").write_bytes(b"no image")
    sentence = fails("train", "--data", data, "--out", tmp_path / "run", "--events", "jsonl", *QUICK)
    assert "Person_04_2.jpg" in sentence


def test_training_from_damaged_weights_fails(tiny_data: Path, tmp_path: Path, fails) -> None:
    weights = tmp_path / "weights.safetensors"
    weights.write_bytes(b"\x00" * 99)
    sentence = fails("train", "--data", tiny_data, "--out", tmp_path / "run", "--finetune", weights)
    assert str(weights) in sentence


def test_training_with_a_number_out_of_range_fails(tiny_data: Path, fails) -> None:
    assert "epochs is 0" in fails("train", "--data", tiny_data, "--epochs", "0")


def test_training_into_an_existing_run_fails(trained_run, tiny_data: Path, fails) -> None:
    sentence = fails("train", "--data", tiny_data, "--out", trained_run.folder, "--device", "cpu", "--events", "jsonl")
    assert "already holds a run" in sentence


def test_training_on_a_device_that_is_not_there_fails(tiny_data: Path, tmp_path: Path, fails) -> None:
    absent = "mps" if torch.cuda.is_available() else "cuda"
    sentence = fails("train", "--data", tiny_data, "--out", tmp_path / "run", "--device", absent, "--events", "jsonl")
    assert absent in sentence


# --- the command itself ---


@pytest.mark.parametrize("arguments", [[], ["explode"], ["evaluate"], ["evaluate", "--data", "x", "--split", "half"]])
def test_a_command_that_is_none_ends_with_2(arguments: list[str], capsys) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "Traceback" not in capsys.readouterr().err


def test_help_names_the_commands(capsys) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    text = capsys.readouterr().out
    assert "train" in text
    assert "evaluate" in text


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot send an interrupt to one process")
def test_an_interrupt_ends_training_and_keeps_the_weights(tiny_data: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    arguments = ["train", "--data", tiny_data, "--out", out, "--events", "jsonl", *QUICK, "--epochs", "10000"]
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "trainer", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).resolve().parents[2],
    )
    try:
        lines = []
        for line in process.stdout:
            lines.append(line)
            if json.loads(line)["event"] == "EpochDone":
                process.send_signal(signal.SIGINT)
                break
        rest, errors = process.communicate(timeout=60)
    finally:
        process.kill()
        process.communicate()
    assert errors == ""
    assert process.returncode == 0
    told = [events.from_json_line(line) for line in (*lines, *rest.splitlines())]
    assert isinstance(told[-1], events.RunFinished)
    assert told[-1].stopped
    assert 1 <= told[-1].epochs_done < 10_000
    assert load_checkpoint(out / "last.safetensors").info["epoch"] == told[-1].epochs_done
    assert load_checkpoint(out / "best.safetensors").name == "compact"
