"""Exporting landmarks: of the running session, or of a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QEvent, Qt, QUrl, Signal, Slot
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from fkd_desktop.live.export import EXPORT_FORMATS, ExportFormat
from fkd_desktop.ui.export_file_box import FileExportBox
from fkd_desktop.ui.icons import action_icon
from fkd_desktop.ui.manual import help_button
from fkd_desktop.ui.preferences.folder_row import FolderRow
from fkd_desktop.ui.training.advice_label import breakable, inks_on
from fkd_desktop.ui.words import sentence

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from fkd_desktop.live.smoothing import SmoothingLevel
    from fkd_desktop.overlays import Layer
    from fkd_desktop.workers.export_thread import ExportSummary
    from trainer.core.predictor import Predictor

_WIDTH_PX: Final = 520


class ExportDialog(QDialog):
    """Which formats, where to, and from what. It keeps nobody from anything else, and work goes on when it is closed.

    Parameters
    ----------
    make_predictor, layers, smoothing
        See `FileExportBox`.
    """

    session_start_requested = Signal()
    """Begin the export of the session, in `formats` and to `folder`."""
    session_stop_requested = Signal()
    formats_chosen = Signal(object)
    """A tuple of `ExportFormat`, by the user."""
    folder_chosen = Signal(str)

    def __init__(
        self,
        make_predictor: Callable[[], Predictor],
        layers: Callable[[], tuple[Layer, ...]],
        smoothing: Callable[[], SmoothingLevel],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._session_is_available = self._session_is_running = self._is_error = False
        self._session_frames = 0
        self._result_folder: Path | None = None
        self.setWindowTitle(self.tr("Export landmarks"))
        self.file_box = FileExportBox(make_predictor, layers, smoothing)
        self.file_box.working_changed.connect(self._on_file_box_working_changed)
        self.file_box.said.connect(self._on_file_box_said)
        self.file_box.failed.connect(self.show_failure)
        layout = QVBoxLayout(self)
        layout.setSpacing(12)
        layout.addWidget(self._make_formats())
        layout.addWidget(self._make_session())
        layout.addWidget(self.file_box)
        layout.addLayout(self._make_result())
        layout.addStretch(1)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.addButton(help_button("formats", "landmarks"), QDialogButtonBox.ButtonRole.HelpRole)
        buttons.rejected.connect(self.close)
        layout.addWidget(buttons)
        self.set_formats(("csv",))
        self._set_icons()
        self._refresh()
        self.setMinimumWidth(max(_WIDTH_PX, layout.minimumSize().width()))  # some languages need more

    @property
    def formats(self) -> tuple[ExportFormat, ...]:
        """The formats that are ticked."""
        return tuple(kind for kind, box in self.format_boxes.items() if box.isChecked())

    def set_formats(self, formats: Collection[str]) -> None:
        """Tick these, and no others; unknown ones are passed over."""
        for kind, box in self.format_boxes.items():
            box.setChecked(kind in formats)
        self.file_box.set_formats(self.formats)

    @property
    def folder(self) -> Path:
        """Where to."""
        return Path(self.folder_row.path)

    def set_folder(self, folder: Path) -> None:
        """Show where to."""
        self.folder_row.show_path(folder)
        self.file_box.set_folder(folder)

    def set_file(self, path: Path | None) -> None:
        """Offer a file, such as the one that is on the screen."""
        self.file_box.set_file(path)

    def set_session_available(self, available: bool) -> None:
        """Say whether there is a session to export from."""
        self._session_is_available = available
        self._refresh()

    @Slot(bool)
    def show_session_running(self, running: bool) -> None:
        """Show whether the session is being exported."""
        self._session_is_running, self._session_frames = running, 0
        if running:
            self._say("")
        self._set_icons()
        self._refresh()

    @Slot(int)
    def show_session_progress(self, frames: int) -> None:
        """Show how many frames are written."""
        self._session_frames = frames
        self._refresh()

    @Slot(object)
    def show_session_saved(self, summary: ExportSummary) -> None:
        """Show what the session's export gave."""
        text = self.tr("%n frame(s) of the session saved", "", summary.frames)
        if summary.dropped:
            text += "; " + self.tr("%n frame(s) were left out, as the disk was too slow", "", summary.dropped)
        self._say(text, folder=summary.paths[0].parent)

    @Slot(str)
    def show_failure(self, text: str) -> None:
        """Show an error's sentence."""
        self._say(text, is_error=True)

    def shut_down(self) -> None:
        """Stop working through a file, as the application leaves."""
        self.file_box.shut_down()

    def changeEvent(self, event: QEvent) -> None:
        """Give icons and colours the new theme's."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "folder_button"):  # Qt sends some before that
            self._set_icons()
            self._colour()

    def _make_formats(self) -> QWidget:
        group = QGroupBox(self.tr("Formats"))
        labels = {
            "csv": self.tr("&CSV table, as OpenFace writes it"),
            "jsonl": self.tr("&JSON lines, an object for each frame"),
            "pts": self.tr("300-&W .pts files, one for each face"),
        }
        self.format_boxes: dict[ExportFormat, QCheckBox] = {kind: QCheckBox(labels[kind]) for kind in EXPORT_FORMATS}
        layout = QVBoxLayout(group)
        for box in self.format_boxes.values():
            box.clicked.connect(self._on_format_box_clicked)
            layout.addWidget(box)
        self.folder_row = FolderRow(self.tr("Folder for landmarks"))
        self.folder_row.chosen.connect(self._on_folder_row_chosen)
        form = QFormLayout()
        form.setContentsMargins(0, 6, 0, 0)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        form.addRow(self.tr("Save &to:"), self.folder_row)
        layout.addLayout(form)
        return group

    def _make_session(self) -> QWidget:
        group = QGroupBox(self.tr("The running session"))
        self.session_label = QLabel(textFormat=Qt.TextFormat.PlainText)
        self.session_label.setWordWrap(True)
        self.session_button = QPushButton()
        self.session_button.setAutoDefault(False)
        self.session_button.clicked.connect(self._on_session_button_clicked)
        layout = QHBoxLayout(group)
        layout.addWidget(self.session_label, 1)
        layout.addWidget(self.session_button)
        return group

    def _make_result(self) -> QHBoxLayout:
        self.result_label = QLabel()
        self.result_label.setWordWrap(True)
        self.result_label.setTextFormat(Qt.TextFormat.PlainText)
        self.result_label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.result_label.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        self.folder_button = QPushButton(self.tr("Open fo&lder"))
        self.folder_button.setAutoDefault(False)
        self.folder_button.clicked.connect(self._on_folder_button_clicked)
        self.folder_button.hide()
        row = QHBoxLayout()
        row.addWidget(self.result_label, 1)
        row.addWidget(self.folder_button, alignment=Qt.AlignmentFlag.AlignTop)
        return row

    def _set_icons(self) -> None:
        self.session_button.setIcon(action_icon("stop" if self._session_is_running else "export"))
        self.folder_button.setIcon(action_icon("folder"))

    def _refresh(self) -> None:
        """Offer what can be done now."""
        exports = self._session_is_running
        for widget in (*self.format_boxes.values(), self.folder_row):
            widget.setEnabled(not exports and not self.file_box.is_working)
        self.session_button.setText(self.tr("&Stop export") if exports else self.tr("&Start export"))
        self.session_button.setEnabled(exports or (self._session_is_available and bool(self.formats)))
        if exports:
            text = self.tr("%n frame(s) written", "", self._session_frames)
        elif self._session_is_available:
            text = self.tr("Every frame is written, from the start until you stop.")
        else:
            text = self.tr("Start a camera or open a file in the window first.")
        self.session_label.setText(text)

    def _say(self, text: str, *, is_error: bool = False, folder: Path | None = None) -> None:
        self._is_error, self._result_folder = is_error, folder
        self.result_label.setText(breakable(sentence(text)))
        self.result_label.setAccessibleName(sentence(text))
        self.folder_button.setVisible(folder is not None)
        self._colour()

    def _colour(self) -> None:
        self.result_label.setStyleSheet(f"color: {inks_on(self.palette())['error']}" if self._is_error else "")

    @Slot()
    def _on_format_box_clicked(self) -> None:
        self.file_box.set_formats(self.formats)
        self._refresh()
        self.formats_chosen.emit(self.formats)

    @Slot(str)
    def _on_folder_row_chosen(self, folder: str) -> None:
        self.file_box.set_folder(Path(folder))
        self.folder_chosen.emit(folder)

    @Slot()
    def _on_session_button_clicked(self) -> None:
        if self._session_is_running:
            self.session_stop_requested.emit()
        else:
            self.session_start_requested.emit()

    @Slot()
    def _on_folder_button_clicked(self) -> None:
        if self._result_folder is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._result_folder)))

    @Slot(bool)
    def _on_file_box_working_changed(self, works: bool) -> None:
        if works:
            self._say("")
        self._refresh()

    @Slot(str, object)
    def _on_file_box_said(self, text: str, folder: Path) -> None:
        self._say(text, folder=folder)
