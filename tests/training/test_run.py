"""A training run of the application, with the real trainer in a real child process on networks that cost nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import psutil
import pytest

from fkd_desktop.training.run import TrainingController, TrainingState, spare_cores
from tests.trainer.tiny import ROOT, go_tiny, of_type, wait_for_end
from trainer import events
from trainer.config import TrainConfig
from trainer.core.checkpoint import load_checkpoint
from trainer.runs import RunState, summarise

TINY = (sys.executable, "-W", "error", str(ROOT / "tests" / "trainer" / "tiny.py"))
TIMEOUT_MS = 100_000


@pytest.fixture
def make_training(tmp_path, qtbot, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    go_tiny(monkeypatch)  # to read the weights here
    made = []

    def make() -> TrainingController:
        training = TrainingController(tmp_path / "logs", command=TINY)
        training.told = []
        training.states = []
        training.event_received.connect(training.told.append)
        training.state_changed.connect(training.states.append)
        made.append(training)
        return training

    yield make
    for training in made:
        if training.state.is_active:
            training.cancel()
            qtbot.waitUntil(lambda training=training: not training.state.is_active, timeout=TIMEOUT_MS)


@pytest.fixture
def training(make_training):
    return make_training()


@pytest.fixture
def config(tiny_data, tmp_path):
    def make(**changes) -> TrainConfig:
        usual = {"data": str(tiny_data), "out": str(tmp_path / "run"), "model": "simple", "batch_size": 4}
        return TrainConfig(**{**usual, "device": "cpu", "negative_share": 0.0, **changes})

    return make


@pytest.fixture
def long(config):
    return config(epochs=100_000, schedule="constant")


def wait_for(qtbot, training, *states):
    qtbot.waitUntil(lambda: training.state in states, timeout=TIMEOUT_MS)


def wait_for_epochs(qtbot, training, count=1):
    qtbot.waitUntil(lambda: len(of_type(training.told, events.EpochDone)) >= count, timeout=TIMEOUT_MS)


def test_a_run_tells_everything_and_ends_with_weights(training, config, qtbot, tmp_path):
    training.start(config(epochs=3))
    assert training.state is TrainingState.STARTING
    wait_for(qtbot, training, TrainingState.FINISHED)
    record = training.record
    assert training.states == [TrainingState.STARTING, TrainingState.TRAINING, TrainingState.FINISHED]
    assert record.started.epochs == 3
    assert [epoch.epoch for epoch in record.epochs] == [1, 2, 3]
    assert record.best.nme_mean == min(epoch.nme_mean for epoch in record.epochs)
    assert record.finished.best_nme_mean == record.best.nme_mean
    assert record.failure is None
    assert load_checkpoint(tmp_path / "run" / "best.safetensors").name == "simple"


def test_it_trains_politely(training, long, qtbot):
    training.start(long)
    wait_for_epochs(qtbot, training)
    process = psutil.Process(training._process.pid)
    assert process.nice() == 10
    assert training.record.config.threads == spare_cores() == max(1, os.cpu_count() - 1)


def test_stop_keeps_what_there_is_and_resume_goes_on(training, config, long, qtbot):
    training.start(long)
    wait_for_epochs(qtbot, training, 2)
    training.stop()
    assert training.state is TrainingState.STOPPING
    wait_for(qtbot, training, TrainingState.STOPPED)
    folder = training.record.folder
    before = summarise(folder)
    assert before.state is RunState.STOPPED and before.can_resume
    load_checkpoint(folder / "best.safetensors")

    training.told.clear()
    training.resume(folder)
    wait_for_epochs(qtbot, training, 2)
    epochs = [epoch.epoch for epoch in training.record.epochs]
    assert epochs == list(range(1, len(epochs) + 1))
    assert training.record.started.epochs_done >= len(before.epochs) - 1


def test_cancel_leaves_nothing(training, long, qtbot):
    training.start(long)
    wait_for_epochs(qtbot, training)
    training.cancel()
    assert training.state is TrainingState.CANCELLING
    wait_for(qtbot, training, TrainingState.CANCELLED)
    assert not training.record.folder.exists()


def test_cancel_while_it_starts_leaves_nothing(training, long, qtbot):
    training.start(long)
    training.cancel()
    wait_for(qtbot, training, TrainingState.CANCELLED)
    assert not training.record.folder.exists()


def test_cancel_of_a_resumed_run_leaves_nothing_either(training, long, qtbot):
    training.start(long)
    wait_for_epochs(qtbot, training)
    training.stop()
    wait_for(qtbot, training, TrainingState.STOPPED)
    training.resume(training.record.folder)
    wait_for(qtbot, training, TrainingState.TRAINING)
    training.cancel()
    wait_for(qtbot, training, TrainingState.CANCELLED)
    assert not training.record.folder.exists()


def hang(training, qtbot):
    """Suspend the run's process, and wait until that is noticed."""
    process = psutil.Process(training._process.pid)
    process.suspend()
    training._silence.setInterval(300)
    qtbot.waitUntil(lambda: training.is_silent, timeout=TIMEOUT_MS)
    return process


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="stops a process by a POSIX signal")
def test_a_run_that_does_not_listen_is_killed_by_cancel(training, long, qtbot):
    training._patience.setInterval(300)
    training.start(long)
    wait_for_epochs(qtbot, training)
    os.kill(training._process.pid, signal.SIGSTOP)
    training.cancel()
    wait_for(qtbot, training, TrainingState.CANCELLED)
    assert not training.record.folder.exists()


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="stops a process by a POSIX signal")
def test_a_run_that_hangs_is_told_and_can_be_ended_without_losing_it(training, long, qtbot, is_one_sentence):
    training.start(long)
    wait_for_epochs(qtbot, training, 3)
    process = hang(training, qtbot)
    notice = of_type(training.told, events.Notice)[0].message
    assert is_one_sentence(notice) and "“End now”" in notice
    training.stop()
    assert process.is_running() and training.state is TrainingState.STOPPING
    qtbot.waitUntil(lambda: training.is_silent, timeout=TIMEOUT_MS)  # what it had told before may have come just now
    training.stop()
    wait_for(qtbot, training, TrainingState.STOPPED)
    assert not process.is_running() and not training.is_silent
    epochs = len(training.record.epochs)
    training._silence.setInterval(TIMEOUT_MS)
    training.told.clear()
    training.resume(training.record.folder)
    wait_for_epochs(qtbot, training)
    assert training.record.started.epochs_done >= epochs - 1


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="stops a process by a POSIX signal")
def test_a_run_that_hung_and_goes_on_is_no_longer_silent(training, long, qtbot):
    training.start(long)
    wait_for_epochs(qtbot, training)
    process = hang(training, qtbot)
    training._silence.setInterval(TIMEOUT_MS)
    process.resume()
    qtbot.waitUntil(lambda: not training.is_silent, timeout=TIMEOUT_MS)
    assert training.state is TrainingState.TRAINING
    assert training.record.notices == []


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="stops a process by a POSIX signal")
def test_a_run_that_hangs_before_it_begins_can_only_be_cancelled(training, long, qtbot, is_one_sentence):
    training.start(long)
    training._patience.setInterval(300)
    hang(training, qtbot)
    (notice,) = training.record.notices
    assert is_one_sentence(notice) and "“Cancel”" in notice and "“Stop" not in notice
    training.cancel()
    wait_for(qtbot, training, TrainingState.CANCELLED)
    assert not training.record.folder.exists()


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="stops a process by a POSIX signal")
def test_a_run_that_hangs_does_not_outlive_the_application(training, long, qtbot):
    training.start(long)
    wait_for_epochs(qtbot, training)
    process = hang(training, qtbot)
    training.shut_down()
    wait_for(qtbot, training, TrainingState.FAILED)
    assert not process.is_running()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals that kill")
@pytest.mark.parametrize(("number", "word"), [(signal.SIGKILL, "killed"), (signal.SIGSEGV, "SIGSEGV")])
def test_a_killed_run_says_so_and_can_be_resumed(training, long, qtbot, number, word, is_one_sentence):
    training.start(long)
    wait_for_epochs(qtbot, training)
    os.kill(training._process.pid, number)
    wait_for(qtbot, training, TrainingState.FAILED)
    failure = training.record.failure
    assert word in failure.message and is_one_sentence(failure.message)
    training.told.clear()
    training.resume(training.record.folder)
    wait_for_epochs(qtbot, training)
    assert training.record.failure is None


def test_bad_data_is_told_in_the_trainers_own_words(training, config, qtbot, tmp_path):
    training.start(config(data=str(tmp_path / "nowhere")))
    wait_for(qtbot, training, TrainingState.FAILED)
    failure = training.record.failure
    assert str(tmp_path / "nowhere") in failure.message
    assert failure.log_path.is_file()
    assert any("nowhere" in line for line in failure.last_lines)
    assert not (tmp_path / "run").exists()


def test_a_full_memory_is_told_in_words(make_training, config, qtbot, tmp_path, monkeypatch):
    """A process that may not have the memory: what a network of gigabytes meets on a small computer."""
    resource = pytest.importorskip("resource", reason="limits the memory by a POSIX call")
    limit = 6_000_000_000
    program = f"import resource, sys; resource.setrlimit(resource.RLIMIT_AS, ({limit}, {limit}))\n" + textwrap.dedent(
        """
        sys.path.insert(0, sys.argv.pop(1))
        from trainer.cli import main
        sys.exit(main())
        """
    )
    assert resource.RLIMIT_AS
    training = TrainingController(tmp_path / "logs", command=(sys.executable, "-c", program, str(ROOT)))
    training.start(config(model="two_conv"))
    wait_for(qtbot, training, TrainingState.FAILED)
    assert "the memory of cpu is" in training.record.failure.message


@pytest.mark.parametrize("are_gone", [True, False], ids=["gone", "damaged"])
def test_data_that_vanish_in_mid_training_are_not_missed(training, config, qtbot, data_copy, are_gone):
    training.start(config(data=str(data_copy), epochs=100_000, schedule="constant"))
    wait_for_epochs(qtbot, training)
    if are_gone:
        data_copy.rename(data_copy.with_name("gone"))
    else:
        for path in data_copy.rglob("*.*"):
            path.write_bytes(b"\x00" * 100)
    done = len(training.record.epochs)
    wait_for_epochs(qtbot, training, done + 3)
    training.stop()
    wait_for(qtbot, training, TrainingState.STOPPED)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows moves no folder that is in use")
def test_a_run_folder_that_is_moved_away_ends_the_run_and_can_be_resumed_there(training, long, qtbot, tmp_path):
    training.start(long)
    wait_for_epochs(qtbot, training)
    (tmp_path / "run").rename(tmp_path / "elsewhere")
    wait_for(qtbot, training, TrainingState.FAILED)
    assert "is gone" in training.record.failure.message
    training.told.clear()
    training.resume(tmp_path / "elsewhere")
    wait_for_epochs(qtbot, training)


def test_a_folder_that_is_there_is_never_trained_into_nor_deleted(training, config, qtbot, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.json").write_text("{}")
    training.start(config())
    assert training.state is TrainingState.FAILED
    assert "another name" in training.record.failure.message
    training.cancel()
    assert (tmp_path / "run" / "config.json").is_file()


def test_the_name_of_a_run_that_was_killed_before_it_began_is_free(training, config, qtbot, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / ".lock").touch()
    training.start(config(epochs=1))
    wait_for(qtbot, training, TrainingState.FINISHED)


def test_resuming_what_is_no_run_is_told(training, tmp_path, is_one_sentence):
    training.resume(tmp_path / "nothing")
    assert training.state is TrainingState.FAILED
    assert is_one_sentence(training.record.failure.message)


def test_a_program_that_cannot_be_started_is_told(tmp_path, config, is_one_sentence):
    training = TrainingController(tmp_path / "logs", command=(str(tmp_path / "no-python"),))
    training.start(config())
    assert training.state is TrainingState.FAILED
    assert is_one_sentence(training.record.failure.message)


def test_only_one_run_at_a_time(training, long, config, qtbot, tmp_path):
    training.start(long)
    training.start(config(out=str(tmp_path / "second")))
    wait_for(qtbot, training, TrainingState.TRAINING)
    training.resume(tmp_path / "run")
    assert training.record.folder == tmp_path / "run"
    assert training.state is TrainingState.TRAINING
    assert not (tmp_path / "second").exists()


def test_a_run_that_another_application_trains_is_left_to_it(make_training, long, qtbot, is_one_sentence):
    first, second = make_training(), make_training()
    first.start(long)
    wait_for_epochs(qtbot, first)
    second.resume(first.record.folder)
    wait_for(qtbot, second, TrainingState.FAILED)
    message = second.record.failure.message
    assert is_one_sentence(message) and "another process is training in" in message
    second.resume(first.record.folder)
    second.cancel()  # which deletes runs
    wait_for(qtbot, second, TrainingState.FAILED)
    assert "is training; stop it before you delete it" in second.record.failure.message
    wait_for_epochs(qtbot, first, len(first.record.epochs) + 1)
    first.stop()
    wait_for(qtbot, first, TrainingState.STOPPED)
    assert summarise(first.record.folder).can_resume


def test_two_applications_train_side_by_side(make_training, config, qtbot, tmp_path):
    both = [make_training(), make_training()]
    for number, training in enumerate(both):
        training.start(config(epochs=3, out=str(tmp_path / f"run {number}")))
    for number, training in enumerate(both):
        wait_for(qtbot, training, TrainingState.FINISHED)
        assert Path(training.record.finished.run) == tmp_path / f"run {number}"


def test_after_shut_down_the_run_stops_by_itself_and_keeps_what_it_has(training, long, qtbot):
    training.start(long)
    wait_for_epochs(qtbot, training)
    process = psutil.Process(training._process.pid)
    training.shut_down()
    wait_for(qtbot, training, TrainingState.STOPPED)
    assert not process.is_running()
    assert summarise(training.record.folder).can_resume


@pytest.mark.slow
def test_when_the_application_is_killed_the_child_ends_by_itself(long, tmp_path):
    """With the trainer's own command and the default network: the application is another process here.

    The run would take days: whatever the computer has to do beside it, an end within the minute is one that the child
    made, which looks before each batch whether it is still wanted.
    """
    program = textwrap.dedent(
        """
        import sys
        from pathlib import Path
        from PySide6.QtCore import QCoreApplication
        from fkd_desktop.training.run import TrainingController
        from trainer.config import TrainConfig
        application = QCoreApplication([])
        training = TrainingController(Path(sys.argv[3]))
        training.event_received.connect(lambda e: print(type(e).__name__, training._process.pid, flush=True))
        training.start(TrainConfig(data=sys.argv[1], out=sys.argv[2], epochs=100_000, device="cpu", batch_size=8))
        application.exec()
        """
    )
    command = [sys.executable, "-c", program, long.data, str(tmp_path / "run"), str(tmp_path / "logs")]
    application = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        for line in application.stdout:
            if line.startswith("EpochDone"):
                break
        child = psutil.Process(int(line.split()[1]))
        application.kill()
        wait_for_end(child)
    finally:
        application.kill()
        application.wait()
        application.stdout.close()
    assert summarise(tmp_path / "run").state is RunState.STOPPED
    assert load_checkpoint(tmp_path / "run" / "best.safetensors").name == "compact"
