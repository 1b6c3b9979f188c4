"""Working through a file from the window: which one, and how far it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QEvent, Signal, Slot
from PySide6.QtWidgets import (
    QCheckBox,
    QFileDialog,
    QGroupBox,
    QHBoxLayout,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from fkd_desktop.live.sources import IMAGE_SUFFIXES, VIDEO_SUFFIXES
from fkd_desktop.ui.icons import action_icon
from fkd_desktop.workers.job import Job
from trainer.core.files import expanded

if TYPE_CHECKING:
    from collections.abc import Callable

    from fkd_desktop.annotate.work import Outcome, Progress
    from fkd_desktop.live.export import ExportFormat
    from fkd_desktop.live.smoothing import SmoothingLevel
    from fkd_desktop.overlays import Layer
    from trainer.core.predictor import Predictor

END_TIMEOUT_S: Final = 3.0


class FileExportBox(QGroupBox):
    """A file, what is made of it, and the thread that makes it.

    Parameters
    ----------
    make_predictor
        Loads a network, in another thread than the window's: the session's own goes on meanwhile.
    layers
        What is painted on the file's picture or video: what is on at that moment.
    smoothing
        Of the keypoints, asked in the same moment.
    """

    working_changed = Signal(bool)
    said = Signal(str, object)
    """A sentence about what was made, and the folder it is in."""
    failed = Signal(str)
    """A sentence for the user."""

    def __init__(
        self,
        make_predictor: Callable[[], Predictor],
        layers: Callable[[], tuple[Layer, ...]],
        smoothing: Callable[[], SmoothingLevel],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._make_predictor, self._layers, self._smoothing = make_predictor, layers, smoothing
        self._formats: tuple[ExportFormat, ...] = ()
        self._folder = Path()
        self._job: Job | None = None
        self.setTitle(self.tr("A file"))
        self.path_edit = QLineEdit()
        self.path_edit.setAccessibleName(self.tr("Picture or video to export from"))
        self.path_edit.setPlaceholderText(self.tr("Picture or video"))
        self.path_edit.textChanged.connect(self._refresh)
        self.choose_button = QPushButton(self.tr("Choose &file…"))
        self.choose_button.clicked.connect(self._on_choose_button_clicked)
        self.media_box = QCheckBox(self.tr("Also save it with the &overlays that are on"))
        self.media_box.toggled.connect(self._refresh)
        self.start_button = QPushButton(self.tr("&Export file"))
        self.start_button.clicked.connect(self.start)
        self.progress = QProgressBar()
        self.progress.setAccessibleName(self.tr("Progress of the file's export"))
        self.cancel_button = QPushButton(self.tr("Sto&p"))
        self.cancel_button.setAccessibleName(self.tr("Stop the file's export"))
        self.cancel_button.clicked.connect(self.cancel)
        for button in (self.choose_button, self.start_button, self.cancel_button):
            button.setAutoDefault(False)
        # While it works, the progress stands in the place of what cannot be chosen then: the dialog does not jump.
        self._pages = QStackedWidget()
        self._pages.addWidget(_row(self.media_box, self.start_button))
        self._pages.addWidget(_row(self.progress, self.cancel_button))
        layout = QVBoxLayout(self)
        layout.addWidget(_row(self.path_edit, self.choose_button))
        layout.addWidget(self._pages)
        self._set_icons()
        self._refresh()

    @property
    def is_working(self) -> bool:
        """Whether a file is being worked through."""
        return self._job is not None

    def set_formats(self, formats: tuple[ExportFormat, ...]) -> None:
        """Say which tables are wanted."""
        self._formats = formats
        self._refresh()

    def set_folder(self, folder: Path) -> None:
        """Say where to."""
        self._folder = folder

    def set_file(self, path: Path | None) -> None:
        """Show a file."""
        self.path_edit.setText("" if path is None else str(path))

    @Slot()
    def start(self) -> None:
        """Work through the file, if there is one and something is wanted of it."""
        if not self.start_button.isEnabled():
            return
        self._job = Job("landmark export", self._work())
        self._job.progressed.connect(self._on_job_progressed)
        self._job.succeeded.connect(self._on_job_succeeded)
        self._job.failed.connect(self._on_job_failed)
        self.progress.setRange(0, 0)
        self._tell_working()
        self._job.start()

    @Slot()
    def cancel(self) -> None:
        """Stop; what there is by then is finished as shorter files."""
        if self._job is not None:
            self._job.cancel()
            self._job = None
            self._tell_working()
            self.said.emit(self.tr("Stopped; what was done until then is kept"), self._folder)

    def shut_down(self) -> None:
        """Stop, and give the files a moment to be finished, as the application leaves."""
        job = self._job
        self.cancel()
        if job is not None:
            job.wait(END_TIMEOUT_S)

    def changeEvent(self, event: QEvent) -> None:
        """Give the icons the new theme's colours."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "cancel_button"):  # Qt sends some before that
            self._set_icons()

    def _work(self) -> Callable[[Job], Outcome]:
        """Return the work with everything that it needs of the window; it must not ask for more."""
        path, folder, formats = expanded(Path(self.path_edit.text().strip())), self._folder, self._formats
        media, smoothing, make_predictor = self.media_box.isChecked(), self._smoothing(), self._make_predictor
        layers = self._layers() if media else ()

        def work(job: Job) -> Outcome:
            from fkd_desktop.annotate.export_file import export_file  # noqa: PLC0415 (torch takes seconds)
            from fkd_desktop.annotate.work import Wanted  # noqa: PLC0415

            return export_file(
                path,
                folder,
                Wanted(media=media, tables=formats, smoothing=smoothing),
                predictor=make_predictor(),
                layers=layers,
                on_progress=job.tell,
                should_stop=job.should_stop,
            )

        return work

    def _set_icons(self) -> None:
        self.start_button.setIcon(action_icon("export"))
        self.cancel_button.setIcon(action_icon("stop"))

    def _tell_working(self) -> None:
        self._refresh()
        self.working_changed.emit(self.is_working)

    def _refresh(self) -> None:
        works, has_file = self.is_working, bool(self.path_edit.text().strip())
        self.path_edit.setEnabled(not works)
        self.choose_button.setEnabled(not works)
        self.start_button.setEnabled(not works and has_file and (bool(self._formats) or self.media_box.isChecked()))
        hands_over = works and self.start_button.hasFocus(), not works and self.cancel_button.hasFocus()
        self._pages.setCurrentIndex(int(works))
        for hands, successor in zip(hands_over, (self.cancel_button, self.start_button), strict=True):
            if hands:  # a hidden button would give the keyboard away
                successor.setFocus()

    @Slot()
    def _on_choose_button_clicked(self) -> None:
        suffixes = " ".join(f"*{suffix}" for suffix in sorted(IMAGE_SUFFIXES | VIDEO_SUFFIXES))
        filters = ";;".join((self.tr("Pictures and videos ({0})").format(suffixes), self.tr("All files (*)")))
        start = str(Path(self.path_edit.text()).parent) if self.path_edit.text() else ""
        path, _ = QFileDialog.getOpenFileName(self, self.tr("Picture or video to export from"), start, filters)
        if path:
            self.path_edit.setText(path)

    @Slot(object)
    def _on_job_progressed(self, progress: Progress) -> None:
        self.progress.setRange(0, max(progress.count, progress.frames) if progress.count else 0)
        self.progress.setValue(progress.frames)

    @Slot(object)
    def _on_job_succeeded(self, outcome: Outcome) -> None:
        self._job = None
        self._tell_working()
        if outcome.frames == 1:
            what = self.tr("%n face(s) saved", "", outcome.faces)
        else:
            frames = self.tr("%n frame(s) saved", "", outcome.frames)
            what = f"{frames}, {self.tr('%n of them with faces', '', outcome.frames_with_faces)}"
        self.said.emit(what, self._folder)

    @Slot(str)
    def _on_job_failed(self, text: str) -> None:
        self._job = None
        self._tell_working()
        self.failed.emit(text)


def _row(left: QWidget, right: QWidget) -> QWidget:
    row = QWidget()
    layout = QHBoxLayout(row)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.addWidget(left, 1)
    layout.addWidget(right)
    return row
