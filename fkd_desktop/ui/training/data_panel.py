"""The part of the trainer's window where the data set is chosen, and what was found in it."""

from __future__ import annotations

from enum import Enum, auto
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QRectF, Signal, Slot
from PySide6.QtGui import (
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QHideEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QPen,
)
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from fkd_desktop.i18n import numeral, translated
from fkd_desktop.training.data import DataState
from fkd_desktop.ui.elided_label import ElidedLabel
from fkd_desktop.ui.training.data_details import DataDetails
from fkd_desktop.ui.training.data_viewer import ProblemViewer
from fkd_desktop.ui.training.data_widgets import DataNotice
from fkd_desktop.ui.words import sentence
from trainer.core.text import Text

if TYPE_CHECKING:
    from PySide6.QtCore import QMimeData

    from fkd_desktop.settings import Settings
    from fkd_desktop.training.data import DataController
    from trainer.label_files import Problem

PUBLISHED_SIZE: Final = Text("about 5,800 pictures, 200 to 300 MB")
"""What the published data set comes to. Its exact size is in its listing, and no server is asked before a yes."""


class _Question(Enum):
    """What the panel waits for an answer to."""

    DOWNLOAD = auto()
    LEAVE_OUT = auto()


class DataPanel(QWidget):
    """Choose a data set, by a dialog, by dropping it here or by downloading it; see what is in it and what is wrong.

    Parameters
    ----------
    data
        Does the work.
    settings
        Where the last data set is remembered.
    """

    browse_requested = Signal(object)
    """The data set's `Path`."""

    def __init__(self, data: DataController, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._data, self._settings = data, settings
        self._question: _Question | None = None
        self._viewer: ProblemViewer | None = None
        self._progress_text = ""
        self._is_hovered = False
        self.setAcceptDrops(True)
        self._make_widgets()
        data.changed.connect(self._on_data_changed)
        data.progressed.connect(self._on_data_progressed)
        self._show()

    def restore(self) -> None:
        """Open the data set that was used last, or else the one that was downloaded."""
        if self._data.state is not DataState.NONE:
            return
        if folder := self._settings.data_folder or self._data.downloaded_folder:
            self._data.choose(folder)

    # --- making

    def _make_widgets(self) -> None:
        self.choose_folder_button = self._button(self.tr("Choose folder…"), self.choose_folder)
        self.choose_table_button = self._button(self.tr("Choose table…"), self.choose_table)
        self.choose_table_button.setToolTip(self.tr("A CSV table of keypoints beside its images"))
        self.download_button = self._button(self.tr("Download the data set…"), self.ask_to_download)
        self.check_button = self._button(self.tr("Check again"), self._data.check_again)
        self.check_button.setToolTip(self.tr("Look through the same data set once more"))
        # The notice's own buttons: each is wanted on one page only.
        self.invite_buttons = [
            self._button(self.choose_folder_button.text(), self.choose_folder),
            self._button(self.choose_table_button.text(), self.choose_table),
            self._button(self.download_button.text(), self.ask_to_download),
        ]
        self.yes_button = self._button("", self._on_yes_clicked)
        self.no_button = self._button(self.tr("Not now"), self._on_no_clicked)
        self.cancel_button = self._button(self.tr("Cancel"), self._data.cancel)
        self._name, self._path = ElidedLabel(), ElidedLabel()
        font = self._name.font()
        font.setBold(True)
        font.setPointSizeF(font.pointSizeF() * 1.2)
        self._name.setFont(font)
        self._header = QWidget()
        buttons = QHBoxLayout()
        buttons.setSpacing(6)
        for button in (self.choose_folder_button, self.choose_table_button, self.download_button):
            buttons.addWidget(button)
        buttons.addStretch(1)
        buttons.addWidget(self.check_button)
        header = QVBoxLayout(self._header)
        header.setContentsMargins(0, 0, 0, 0)
        header.setSpacing(4)
        header.addWidget(self._name)
        header.addWidget(self._path)
        header.addSpacing(4)
        header.addLayout(buttons)
        self.notice, self.details = DataNotice(), DataDetails()
        self.details.browse_button.clicked.connect(self._on_browse_clicked)
        self.details.leave_out_button.clicked.connect(self.ask_to_leave_out)
        self.details.problem_opened.connect(self._on_problem_opened)
        self._pages = QStackedWidget()
        self._pages.addWidget(self.notice)
        self._pages.addWidget(self.details)
        layout = QVBoxLayout(self)
        layout.setSpacing(10)
        layout.addWidget(self._header)
        layout.addWidget(self._pages, 1)

    def _button(self, text: str, do: object) -> QPushButton:
        button = QPushButton(text, self)
        button.setAutoDefault(False)  # in a dialog, Enter in the list would press one
        button.clicked.connect(do)
        button.hide()
        return button

    # --- what a user does

    @Slot()
    def choose_folder(self) -> None:
        """Ask for a folder and check it."""
        title = self.tr("Choose the folder of a data set")
        if path := QFileDialog.getExistingDirectory(self, title, self._start_folder()):
            self._data.choose(path)

    @Slot()
    def choose_table(self) -> None:
        """Ask for a CSV table and check it."""
        tables, all_files = self.tr("CSV tables"), self.tr("All files")
        path, _ = QFileDialog.getOpenFileName(
            self,
            self.tr("Choose a table of keypoints"),
            self._start_folder(),
            f"{tables} (*.csv *.CSV);;{all_files} (*)",
        )
        if path:
            self._data.choose(path)

    @Slot()
    def ask_to_download(self) -> None:
        """Say what would be fetched, and ask."""
        self._ask(_Question.DOWNLOAD)

    @Slot()
    def ask_to_leave_out(self) -> None:
        """Say what would be written, and ask."""
        self._ask(_Question.LEAVE_OUT)

    def _ask(self, question: _Question) -> None:
        self._question = question
        self._show()
        self.yes_button.setFocus()

    @Slot()
    def _on_yes_clicked(self) -> None:
        question, self._question = self._question, None
        if question is _Question.DOWNLOAD:
            self._data.download()
        elif question is _Question.LEAVE_OUT:
            self._data.leave_out()
        self._show()

    @Slot()
    def _on_no_clicked(self) -> None:
        self._question = None
        self._show()

    @Slot()
    def _on_browse_clicked(self) -> None:
        if self._data.folder is not None:
            self.browse_requested.emit(self._data.folder)

    @Slot(object)
    def _on_problem_opened(self, problem: Problem) -> None:
        if self._viewer is None:
            self._viewer = ProblemViewer(self)
        self._viewer.show_problem(problem)

    def _start_folder(self) -> str:
        """Return the folder that holds the data set chosen last."""
        last = self._data.folder or self._settings.data_folder
        return str(Path(last).parent) if last else ""

    # --- what is shown

    @Slot()
    def _on_data_changed(self) -> None:
        data = self._data
        if data.state.is_busy or self._question is _Question.LEAVE_OUT:
            self._question = None
        if data.report is not None and data.folder is not None:
            self._settings.data_folder = str(data.folder)
            self.details.show_data(data)
        if data.state.is_busy:
            self._on_data_progressed(0, 0)
        self._show()

    @Slot(int, int)
    def _on_data_progressed(self, done: int, total: int) -> None:
        data, bar = self._data, self.notice.bar
        self._progress_text = ""
        # In per mille: some styles cannot show ranges as large as bytes are.
        bar.setRange(0, 1000 if total else 0)
        bar.setValue(round(1000 * done / total) if total else 0)
        if data.state is DataState.CHECKING:
            checked = self.tr("{0} of {1} pictures").format(numeral(f"{done:,}"), numeral(f"{total:,}"))
            self._progress_text = checked if total else self.tr("Reading the labels…")
        elif data.state is DataState.DOWNLOADING:
            received_mb = data.received_bytes / 1e6
            fetched = self.tr("{0} of {1} MB are there ({2} MB received)").format(
                *(numeral(f"{megabytes:,.1f}") for megabytes in (done / 1e6, total / 1e6, received_mb))
            )
            self._progress_text = fetched if total else self.tr("Asking what there is to fetch…")
        if self._question is None:
            self.notice.show_text(self._progress_text)

    def _show(self) -> None:
        data = self._data
        is_asking = self._question is not None
        if data.folder is not None:
            self._name.setText(data.folder.name or str(data.folder))
            self._path.setText(str(data.folder))
        self._header.setVisible(data.folder is not None and data.state is not DataState.DOWNLOADING and not is_asking)
        self.check_button.setEnabled(not data.state.is_busy)
        for button in (self.choose_folder_button, self.choose_table_button, self.download_button, self.check_button):
            button.show()
        if not is_asking and data.report is not None and not data.state.is_busy:
            self._pages.setCurrentWidget(self.details)
        else:
            self._show_notice()
            self._pages.setCurrentWidget(self.notice)

    def _show_notice(self) -> None:
        data, notice = self._data, self.notice
        if self._question is _Question.DOWNLOAD:
            self.yes_button.setText(self.tr("Download"))
            notice.show_notice(
                icon="open",
                title=self.tr("Download the published data set?"),
                text=self.tr(
                    "It is Udacity's facial keypoints data set, made from the YouTube Faces Database: {0}.\n\n"
                    "From: {1}\nInto: {2}\n\nWhat is there already is kept. The pictures are not part of FKD Desktop "
                    "and stay under their own terms."
                ).format(translated(PUBLISHED_SIZE), data.source.home_url, data.download_folder),
                buttons=[self.yes_button, self.no_button],
            )
        elif self._question is _Question.LEAVE_OUT and data.report is not None:
            self.yes_button.setText(self.tr("Write the table"))
            notice.show_notice(
                icon="open",
                title=self.tr("Train without the labels that cannot be used?"),
                text=self.tr(
                    "A table of the {0} good faces of the training split is written into {1} and chosen instead. "
                    "Your own files stay as they are."
                ).format(numeral(f"{data.report.faces['training']:,}"), data.report.source.root),
                buttons=[self.yes_button, self.no_button],
            )
        elif data.state.is_busy:
            is_check = data.state is DataState.CHECKING
            notice.show_notice(
                icon="keypoints" if is_check else "open",
                title=self.tr("Checking the data set") if is_check else self.tr("Downloading the data set"),
                text=self._progress_text,
                buttons=[self.cancel_button],
                has_bar=True,
            )
        elif data.state is DataState.NONE:
            ways = self.tr(
                "Choose a folder of pictures with their keypoints, or a CSV table, or drop either here. "
                "If you have none, the published data set can be downloaded."
            )
            notice.show_notice(
                icon="open",
                title=self.tr("Which faces to train on?"),
                text=f"{ways}\n\n{sentence(data.message)}" if data.message else ways,
                buttons=self.invite_buttons,
                is_place_to_drop=True,
            )
        else:
            notice.show_notice(
                icon="warning",
                title=self.tr("Training cannot start on this"),
                text=sentence(data.message),
                is_place_to_drop=True,
            )

    # --- events

    def _set_hovered(self, hovered: bool) -> None:
        self._is_hovered = hovered
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Frame the panel while what is dragged over it can be dropped."""
        if self._is_hovered:
            painter = QPainter(self)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(self.palette().color(QPalette.ColorRole.Highlight), 3))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(3, 3, -3, -3), 8, 8)

    def hideEvent(self, event: QHideEvent) -> None:
        """Close the picture's window with the panel's."""
        if self._viewer is not None and not self.window().isVisible():
            self._viewer.close()
        super().hideEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take one folder or table."""
        if _dropped(event.mimeData()) is not None:
            self._set_hovered(True)
            event.acceptProposedAction()

    def dragLeaveEvent(self, _event: QDragLeaveEvent) -> None:
        """Nothing will be dropped."""
        self._set_hovered(False)

    def dropEvent(self, event: QDropEvent) -> None:
        """Choose what was dropped."""
        self._set_hovered(False)
        if (path := _dropped(event.mimeData())) is not None:
            event.acceptProposedAction()
            self._data.choose(path)


def _dropped(mime: QMimeData) -> Path | None:
    """Return the folder or table that is dragged; None for anything else."""
    paths = [Path(url.toLocalFile()) for url in mime.urls() if url.isLocalFile()]
    return paths[0] if len(paths) == 1 and (paths[0].suffix.lower() == ".csv" or paths[0].is_dir()) else None
