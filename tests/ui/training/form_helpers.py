"""How tests reach into the form of settings."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt

from fkd_desktop.ui.training.advice_label import AdviceLabel
from fkd_desktop.ui.training.config_form import ConfigForm
from trainer.config import TrainConfig
from trainer.core.checkpoint import save_checkpoint
from trainer.core.models import build_network
from trainer.runs import RunSummary, summarise

OTHERS = TrainConfig(
    **{"data": "faces", "out": "run", "model": "large", "teacher": "a.safetensors,b.safetensors", "teacher_share": 0.3},
    **{"optimizer": "sgd", "loss": "wing", "epochs": 7, "batch_size": 12, "learning_rate": 0.00123456789},
    **{"schedule": "constant", "weight_decay": 0.1, "augmentation": "none", "calm_share": 0.4, "negative_share": 0.2},
    **{"correct_labels": False, "validation_share": 0.25, "seed": 2**31 - 1, "device": "cpu", "precision": "float32"},
    threads=3,
    finetune="somewhere/weights.safetensors",
)


def advice_of(form: ConfigForm, name: str) -> AdviceLabel:
    return form._rows[name].advice


def editor_of(form: ConfigForm, name: str):
    return form._rows[name].editor


def choose(form: ConfigForm, name: str, value: object) -> None:
    """Choose in a list as a user does."""
    box = editor_of(form, name).box
    index = box.findData(value)
    assert index >= 0, f"{value!r} is not in the list"
    box.setCurrentIndex(index)
    box.activated.emit(index)


def retype(qtbot, form: ConfigForm, name: str, text: str) -> None:
    line = editor_of(form, name).line
    line.selectAll()
    qtbot.keyClick(line, Qt.Key.Key_Delete)
    qtbot.keyClicks(line, text)


def made_up_run(root: Path, name: str, *, network: str | None = "large") -> RunSummary:
    """A run folder with real weights, or with none."""
    folder = root / name
    folder.mkdir()
    config = TrainConfig(model=network or "compact", out=str(folder))
    (folder / "config.json").write_text(config.to_json(), encoding="utf-8")
    (folder / "metrics.csv").write_text(
        "epoch,training_loss,nme_mean,failure_rate,auc,face_accuracy,seconds,is_best\n1,2,0.0523,0,0,1,9,True\n",
        encoding="utf-8",
    )
    if network:
        save_checkpoint(folder / "best.safetensors", build_network(network), name=network)
    return summarise(folder)
