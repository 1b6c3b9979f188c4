"""The settings of a training run: a form made from the fields of `TrainConfig`."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final

import psutil
from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from fkd_desktop.i18n import numeral, translated
from fkd_desktop.ui.training.advice_label import AdviceLabel
from fkd_desktop.ui.training.editors import ChoiceEditor, Editor, SwitchEditor
from fkd_desktop.ui.training.form_fields import make_editor
from fkd_desktop.ui.training.start_editor import StartEditor
from fkd_desktop.ui.words import sentence
from trainer.advice import Advice, Severity, advise, faces_to_train_on
from trainer.config import ConfigError, TrainConfig
from trainer.core.names import DEFAULT_NETWORK, DEVICE_NAMES
from trainer.core.text import Text
from trainer.weights_header import WeightsError, read_weights_header

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from dataclasses import Field

    from trainer.runs import RunSummary

WIDTH_PX: Final = 420


@dataclass(frozen=True)
class _Row:
    setting: Field[Any]
    label: QLabel
    editor: Editor
    advice: AdviceLabel

    @property
    def is_advanced(self) -> bool:
        return bool(self.setting.metadata["group"] != "main")


class ConfigForm(QWidget):
    """Edits everything of a `TrainConfig` but where the data and the run are.

    Parameters
    ----------
    config_class
        `TrainConfig`, or one with more fields: each gets an editor.
    """

    changed = Signal()
    """A setting, or what is to be said of one."""

    def __init__(self, config_class: type[TrainConfig] = TrainConfig) -> None:
        super().__init__()
        self._config_class = config_class
        self._devices: tuple[str, ...] | None = None
        self._training_faces: int | None = None
        self._speed: tuple[float, str] | None = None
        self._advice: dict[str, Advice] = {}
        self._make_widgets()
        self._refresh()

    # --- what is set

    def config(self, *, data: str, out: str) -> TrainConfig:
        """Return the settings, with where the data are and the run goes.

        Raises
        ------
        ConfigError
            If what is in a field is no value for it.
        """
        for name, problem in self._problems().items():
            raise ConfigError("{name}: {problem}", name=name, problem=problem)
        return self._config_class(data=data, out=out, **{name: row.editor.value() for name, row in self._rows.items()})

    def errors(self) -> dict[str, str]:
        """Return why training cannot start, by the field's name; empty where it can."""
        return {name: translated(a.text) for name, a in self._advice.items() if a.severity is Severity.ERROR}

    def notes(self) -> dict[str, str]:
        """Return what else is said, by the field's name."""
        return {name: translated(a.text) for name, a in self._advice.items() if a.severity is Severity.NOTE}

    def set_config(self, config: TrainConfig) -> None:
        """Show the settings of a run; where its data and its folder are is left out."""
        self._set_values({name: getattr(config, name) for name in self._rows})

    def reset(self) -> None:
        """Go back to the defaults."""
        self._set_values({name: row.setting.default for name, row in self._rows.items()})

    # --- what is known

    def set_runs(self, runs: Sequence[RunSummary]) -> None:
        """Offer the weights of past runs to start from."""
        for editor in self._editors(StartEditor):
            editor.set_runs(runs)
        self._refresh()

    def set_devices(self, names: Sequence[str]) -> None:
        """Say which devices work here, best first, as `trainer.core.devices.available_devices` does."""
        self._devices = tuple(names)
        editor = self._rows["device"].editor
        assert isinstance(editor, ChoiceEditor)
        if names:
            editor.set_text("auto", self.tr("Automatic ({0})").format(names[0].upper()))
        not_here = {
            "cuda": self.tr("PyTorch found no GPU here that it can use with CUDA."),
            "mps": self.tr("This is for Macs with a processor of Apple's."),
        }
        for name in DEVICE_NAMES:
            works = name == "auto" or name in names
            editor.set_available(name, "" if works else not_here.get(name, self.tr("It is not available here.")))
        self._refresh()

    def set_training_faces(self, count: int | None) -> None:
        """Say how many faces the training split has, some of which will be kept aside; None where not known."""
        self._training_faces = count
        self._refresh()

    def set_speed(self, images_per_s: float | None, *, network: str = DEFAULT_NETWORK) -> None:
        """Say how fast a network trained here, for an estimate while that network is chosen; None where not known."""
        self._speed = (images_per_s, network) if images_per_s else None
        self._refresh()

    # --- making

    def _make_widgets(self) -> None:
        settings = [field for field in fields(self._config_class) if field.metadata["group"] != "place"]
        main = [field for field in settings if field.metadata["group"] == "main"]
        advanced = [field for field in settings if field.metadata["group"] != "main"]
        main_grid, main_rows = _make_rows(main, self._config_class)
        advanced_grid, advanced_rows = _make_rows(advanced, self._config_class)
        self._rows = {**main_rows, **advanced_rows}
        width = max(row.label.sizeHint().width() for row in self._rows.values())
        for row in self._rows.values():
            row.label.setMinimumWidth(width)  # both grids have their fields below one another
            row.editor.changed.connect(self._on_editor_changed)
            row.advice.offer_taken.connect(self._on_advice_offer_taken)
        self._rows["finetune"].editor.changed.connect(self._on_start_changed)
        self._make_advanced(advanced_grid)
        self._content = _Content()
        column = QVBoxLayout(self._content)
        column.setContentsMargins(2, 2, 10, 2)
        column.addLayout(main_grid)
        column.addSpacing(4)
        column.addWidget(self.advanced_button)
        column.addWidget(self.advanced)
        column.addStretch(1)
        self._scroll = QScrollArea()
        self._scroll.setWidget(self._content)
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        for transparent in (self._content, self._scroll.viewport()):  # else of a text field's colour
            transparent.setAutoFillBackground(False)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.estimate = QLabel()
        self.estimate.setWordWrap(True)
        self.estimate.setContentsMargins(2, 4, 2, 0)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._scroll, 1)
        layout.addWidget(self.estimate)

    def _make_advanced(self, grid: QGridLayout) -> None:
        self.advanced_button = QToolButton()
        self.advanced_button.setCheckable(True)
        self.advanced_button.setAutoRaise(True)
        self.advanced_button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.advanced_button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.advanced_button.setArrowType(Qt.ArrowType.RightArrow)
        self.advanced_button.toggled.connect(self._on_advanced_button_toggled)
        self.reset_button = QPushButton(self.tr("Back to the defaults"))
        self.reset_button.setToolTip(self.tr("All settings of this form"))
        self.reset_button.clicked.connect(self.reset)
        self.advanced = QWidget()
        inner = QVBoxLayout(self.advanced)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.addLayout(grid)
        inner.addWidget(self.reset_button, alignment=Qt.AlignmentFlag.AlignRight)
        self.advanced.hide()

    def _editors(self, kind: type[StartEditor]) -> Iterable[StartEditor]:
        return (row.editor for row in self._rows.values() if isinstance(row.editor, kind))

    # --- what is said

    def _problem(self, row: _Row) -> str:
        """Say why what is in a field is no value for it; empty if it is one."""
        if row.editor.text_problem:
            return row.editor.text_problem
        name, label = row.setting.name, row.setting.metadata["label"]
        try:
            self._config_class(**{name: row.editor.value()})
        except ConfigError as error:
            # What it says of the field by its name, it says by what the field is called here.
            named = {"name": label} if error.values.get("name") == name else {}
            return Text(error.text, **error.values | named)
        return ""

    def _problems(self) -> dict[str, str]:
        """Say which fields hold no value, and why."""
        if not any(row.editor.text_problem for row in self._rows.values()):
            try:
                self._config_class(**{name: row.editor.value() for name, row in self._rows.items()})
            except ConfigError:  # of one field; there may be more
                pass
            else:
                return {}
        return {name: problem for name, row in self._rows.items() if (problem := self._problem(row))}

    def _refresh(self) -> None:
        problems = self._problems()
        config = self._config_class(
            **{name: row.editor.value() for name, row in self._rows.items() if name not in problems}
        )
        self._advice = advise(
            config,
            training_faces=self._training_faces,
            devices=self._devices,
            memory_bytes=psutil.virtual_memory().available,
        ) | {name: Advice(Severity.ERROR, problem) for name, problem in problems.items()}
        for name, row in self._rows.items():
            row.advice.show_advice(self._advice.get(name))
        self._show_advanced_header()
        self._show_estimate(config)
        self.changed.emit()

    def _show_advanced_header(self) -> None:
        advanced = [(name, row) for name, row in self._rows.items() if row.is_advanced]
        others = sum(row.editor.value() != row.setting.default for _, row in advanced)
        wrong = sum(name in self.errors() for name, _ in advanced)
        title = self.tr("Advanced")
        if others and wrong:
            title = self.tr("Advanced ({0} changed, {1} to correct)").format(others, wrong)
        elif others:
            title = self.tr("Advanced ({0} changed)").format(others)
        elif wrong:
            title = self.tr("Advanced ({0} to correct)").format(wrong)
        self.advanced_button.setText(title)

    def _show_estimate(self, config: TrainConfig) -> None:
        text = ""
        if self._speed and self._training_faces and config.model == self._speed[1]:
            seconds = faces_to_train_on(config, self._training_faces) * config.epochs / self._speed[0]
            text = self.tr("About {0} at {1} images/s, as last time.").format(
                translated(in_words(seconds)), numeral(f"{self._speed[0]:.0f}")
            )
        self.estimate.setText(text)
        self.estimate.setVisible(bool(text))

    # --- what happens

    def _set_values(self, values: Mapping[str, Any]) -> None:
        for name, value in values.items():
            self._rows[name].editor.set_value(value)
        self._refresh()

    def _on_editor_changed(self) -> None:
        self._refresh()

    def _on_start_changed(self) -> None:
        """Take the network of the weights that were chosen: no other can start from them."""
        path = self._rows["finetune"].editor.value()
        try:
            network = read_weights_header(path).network if path else ""
        except WeightsError:  # said beside the field
            return
        if network and network != self._rows["model"].editor.value():
            self._set_values({"model": network})

    def _on_advice_offer_taken(self, changes: Mapping[str, Any]) -> None:
        self._set_values(changes)

    def _on_advanced_button_toggled(self, is_open: bool) -> None:
        self.advanced.setVisible(is_open)
        self.advanced_button.setArrowType(Qt.ArrowType.DownArrow if is_open else Qt.ArrowType.RightArrow)
        if is_open:
            QTimer.singleShot(0, self._scroll_to_advanced)  # once its place is known

    def _scroll_to_advanced(self) -> None:
        bar = self._scroll.verticalScrollBar()
        below_px = self._content.height() - self.advanced_button.y()
        if self.advanced.isVisible() and below_px > 0:
            seen_px = min(below_px, self._scroll.viewport().height())
            bar.setValue(max(bar.value(), self.advanced_button.y() + seen_px - self._scroll.viewport().height()))


class _Content(QWidget):
    def minimumSizeHint(self) -> QSize:
        """Leave the height to the width where it matters: the least width would make texts, and the form, too high."""
        hint = super().minimumSizeHint()
        return QSize(hint.width(), 0) if self.hasHeightForWidth() else hint


def _make_rows(settings: Iterable[Field[Any]], config_class: type[TrainConfig]) -> tuple[QGridLayout, dict[str, _Row]]:
    grid = QGridLayout()
    grid.setColumnStretch(1, 1)
    grid.setHorizontalSpacing(10)
    grid.setVerticalSpacing(5)
    rows = {}
    for number, setting in enumerate(settings):
        editor, advice = make_editor(setting, config_class), AdviceLabel()
        title = translated(setting.metadata["label"])
        label = QLabel("" if isinstance(editor, SwitchEditor) else title)
        label.setBuddy(editor)
        hint = sentence(setting.metadata.get("hint", setting.metadata["help"]))
        for widget in (label, editor):
            widget.setToolTip(hint)
        editor.main_widget.setAccessibleName(title)
        editor.main_widget.setAccessibleDescription(hint)
        grid.addWidget(label, 2 * number, 0)
        grid.addWidget(editor, 2 * number, 1)
        grid.addWidget(advice, 2 * number + 1, 1)
        rows[setting.name] = _Row(setting, label, editor, advice)
    return grid, rows


def in_words(seconds: float) -> Text:
    """Return a duration as one says it."""
    if seconds < 90:
        return Text("{seconds} s", seconds=max(1, round(seconds)))
    minutes = round(seconds / 60)
    if minutes < 90:
        return Text("{minutes} min", minutes=minutes)
    if minutes < 600:
        return Text("{hours} h {minutes} min", hours=minutes // 60, minutes=minutes % 60)
    return Text("{hours} h", hours=round(minutes / 60))
