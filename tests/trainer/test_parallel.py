"""Runs on two processes, started as users start them: by torchrun, with gloo on the processor."""

import dataclasses
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.trainer.tiny import Child, Stop, go_tiny, names_in, of_type, only_failure, weights_of
from trainer import events
from trainer.config import TrainConfig
from trainer.loop import fit, resume
from trainer.parallel import ALONE, Team, is_distributed, joined_team, local_device
from trainer.runs import TrainingError

CPU = torch.device("cpu")
linux_only = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds processes in /proc")


@pytest.fixture(autouse=True)
def _tiny_networks(monkeypatch) -> Iterator[None]:
    go_tiny(monkeypatch)
    return


@pytest.fixture
def config(tiny_data: Path, tmp_path: Path) -> TrainConfig:
    """Batches of 19 faces and of 1: no two processes have as many, and in the last one has none. 12 faces to judge on.

    Without augmentation or draws of any kind, so that it does not matter who makes which part of a batch.
    """
    return TrainConfig(
        data=str(tiny_data),
        out=str(tmp_path / "run"),
        model="two_conv",
        epochs=3,
        batch_size=19,
        validation_share=0.4,
        augmentation="none",
        negative_share=0.0,
        device="cpu",
        threads=1,
    )


def torchrun(config: TrainConfig, *options: str, processes: int = 2) -> Child:
    arguments = []
    for name, value in dataclasses.asdict(config).items():
        if value != getattr(TrainConfig(), name):
            arguments += [f"--{name.replace('_', '-')}", value]
    launcher = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes), *options)
    return Child("train", *arguments, "--events", "jsonl", launcher=launcher)


def ignore(event: events.Event) -> None:
    """Nobody listens."""


# --- alone ---


def test_who_is_alone_needs_no_network(monkeypatch) -> None:
    monkeypatch.setattr(torch.distributed, "init_process_group", pytest.fail)
    assert not is_distributed()
    with joined_team(CPU) as team:
        assert team is ALONE
    assert team.is_leader
    values = np.array([1.0, 1e300])
    assert team.sum(values, CPU) is values
    assert team.from_leader(b"state", CPU) == b"state"
    assert team.from_leader(None, CPU) == b""
    network = torch.nn.Linear(1, 1)
    assert team.wrap(network, CPU) is network


def test_the_first_process_leads() -> None:
    assert [Team(rank, 3).is_leader for rank in range(3)] == [True, False, False]


def test_each_process_has_its_own_gpu(monkeypatch) -> None:
    cuda = torch.device("cuda")
    assert local_device(cuda) == cuda
    for name, value in {"TORCHELASTIC_RUN_ID": "x", "RANK": "5", "LOCAL_RANK": "1"}.items():
        monkeypatch.setenv(name, value)
    assert is_distributed()
    assert local_device(cuda) == torch.device("cuda", 1)
    assert local_device(CPU) == CPU


# --- a start after a restart ---


@pytest.fixture
def torchrun_of_one(monkeypatch) -> Iterator[None]:
    """What torchrun tells its process when it starts just one; no store outlives it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    told = {"RANK": 0, "WORLD_SIZE": 1, "LOCAL_RANK": 0, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    for name, value in {**told, "TORCHELASTIC_RUN_ID": "none"}.items():
        monkeypatch.setenv(name, str(value))
    return


@pytest.mark.usefixtures("torchrun_of_one")
def test_the_same_command_goes_on_with_its_run(config: TrainConfig) -> None:
    """As it is given again when a process has died."""
    stop = Stop(after=4)
    fit(config, on_event=stop.on_event, should_stop=stop)
    told: list[events.Event] = []
    fit(config, on_event=told.append)
    assert told[0].epochs_done == 1
    assert told[-1].epochs_done == 3
    with pytest.raises(TrainingError, match="has all its 3 epochs"):
        fit(config, on_event=ignore)


@pytest.mark.usefixtures("torchrun_of_one")
@pytest.mark.parametrize("change", [{"epochs": 4}, {"seed": 2}, {"data": "elsewhere"}])
def test_another_run_is_never_gone_on_with(config: TrainConfig, change: dict, is_one_sentence) -> None:
    stop = Stop(after=4)
    folder = fit(config, on_event=stop.on_event, should_stop=stop)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(TrainingError, match="already holds a run") as caught:
        fit(dataclasses.replace(config, **change), on_event=only_failure)
    assert is_one_sentence(caught.value)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


# --- two processes ---


@linux_only
@pytest.mark.slow
def test_two_processes_train_as_one_does_and_one_may_go_on(config: TrainConfig, tmp_path: Path) -> None:
    """Two processes are stopped, and one resumes their run: it ends as if one had done it all."""
    folder = Path(config.out)
    endless = dataclasses.replace(config, epochs=5000, schedule="constant", optimizer="sgd", learning_rate=1e-3)
    with torchrun(endless) as child:
        child.wait_for(events.EpochDone, count=4)
        child.process.send_signal(signal.SIGTERM)
        child.wait()
    started, finished = child.told[0], child.told[-1]
    assert started.device == "2 x cpu"
    assert (started.training_faces, started.validation_faces, started.batches_per_epoch) == (20, 12, 2)
    assert isinstance(finished, events.RunFinished), child.errors
    assert finished.stopped
    assert child.lines == [], "somebody else printed"
    lines = (folder / "events.jsonl").read_text(encoding="utf-8").splitlines()
    assert [events.from_json_line(line) for line in lines] == child.told

    whole = dataclasses.replace(endless, epochs=finished.epochs_done + 2)
    (folder / "config.json").write_text(whole.to_json(), encoding="utf-8")
    told: list[events.Event] = []
    resume(folder, on_event=told.append)
    assert told[0].device == "cpu"
    assert told[-1].epochs_done == whole.epochs

    alone: list[events.Event] = []
    unbroken = fit(dataclasses.replace(whole, out=str(tmp_path / "unbroken")), on_event=alone.append)
    # The one that a stop cut short was judged twice: its last figures count.
    shared = {epoch.epoch: epoch for epoch in of_type([*child.told, *told], events.EpochDone)}
    for epoch in of_type(alone, events.EpochDone):
        for name in ("training_loss", "nme_mean", "failure_rate", "auc"):
            assert getattr(shared[epoch.epoch], name) == pytest.approx(getattr(epoch, name), rel=1e-4), name
    for key, value in weights_of(unbroken).items():
        torch.testing.assert_close(weights_of(folder)[key], value, rtol=1e-3, atol=1e-5)
    assert set(names_in(folder)) == set(names_in(unbroken))


def worker_of(agent: int, rank: int) -> int:
    """Process number of a worker of torchrun."""
    for number in Path(f"/proc/{agent}/task/{agent}/children").read_text(encoding="ascii").split():
        if f"RANK={rank}\0".encode() in b"\0" + Path(f"/proc/{number}/environ").read_bytes():
            return int(number)
    raise AssertionError("it has no such worker")


@linux_only
@pytest.mark.slow
def test_a_process_that_dies_is_replaced_and_the_run_goes_on(config: TrainConfig) -> None:
    with torchrun(dataclasses.replace(config, epochs=30), "--max-restarts", "2") as child:
        child.wait_for(events.EpochDone, count=3)
        os.kill(worker_of(child.process.pid, rank=1), signal.SIGKILL)
        again = child.wait_for(events.RunStarted)[-1]
        assert child.wait() == 0, child.errors
    assert again.epochs_done >= 2
    assert isinstance(child.told[-1], events.RunFinished)
    assert child.told[-1].epochs_done == 30
    assert child.told[-1].stopped is False
    epochs = [epoch.epoch for epoch in of_type(child.told, events.EpochDone)]
    assert sorted(set(epochs)) == list(range(1, 31))
    assert not (Path(config.out) / "state.safetensors").exists()
