"""The dialog in which users make an overlay of a picture: its anchors are dragged onto a face."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QEvent, QSize, Qt, Signal, Slot
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMessageBox,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from fkd_desktop.errors import OverlayError
from fkd_desktop.i18n import translated
from fkd_desktop.overlays.description import MAX_NAME_LENGTH, Fit
from fkd_desktop.overlays.saving import save_overlay
from fkd_desktop.ui.dropping import dropped_path, take_files
from fkd_desktop.ui.icons import action_icon
from fkd_desktop.ui.manual import help_button
from fkd_desktop.ui.overlays.draft import Document, Draft
from fkd_desktop.ui.overlays.editor_tools import LookBar, PlacingBar
from fkd_desktop.ui.overlays.face_side import FaceSide, heading
from fkd_desktop.ui.overlays.message_line import MessageLine
from fkd_desktop.ui.overlays.picture_file import PICTURE_SUFFIXES, read_picture
from fkd_desktop.ui.overlays.picture_pane import PicturePane
from fkd_desktop.ui.overlays.preview import Preview
from fkd_desktop.workers.job import Job

if TYPE_CHECKING:
    from collections.abc import Callable

    from fkd_desktop.live.result import FrameResult
    from fkd_desktop.overlays.description import OverlayDescription
    from fkd_desktop.overlays.library import OverlayLibrary
    from fkd_desktop.ui.overlays.picture_file import Picture


class OverlayEditor(QDialog):
    """Makes a new overlay, or changes one of the user's. The session goes on behind it.

    Parameters
    ----------
    library
        Where it is saved; reloaded then.
    newest_result
        The newest result of the session, or None, for the live preview.
    name
        The overlay to change; None for a new one.
    """

    saved = Signal(str)
    """The name of the overlay that was saved; the library knows it already."""

    def __init__(
        self,
        library: OverlayLibrary,
        newest_result: Callable[[], FrameResult | None],
        *,
        name: str | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._library, self._newest_result, self._name = library, newest_result, name
        self._old: OverlayDescription | None = None
        self._job: Job | None = None
        self._then: Callable[[Any], None] = lambda _result: None
        self._is_leaving = self._is_saving = False
        self.document = Document(self)
        self._preview = Preview()
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setModal(False)
        self.setAcceptDrops(True)
        self._make_widgets()
        self._lay_out()
        self.document.changed.connect(self._refresh)
        self.document.steps_changed.connect(self._refresh)
        if name is not None:
            self._open(name)
        self._tint()
        self._refresh()

    @staticmethod
    def can_edit(library: OverlayLibrary, name: str) -> bool:
        """Whether an overlay is one that this dialog could have made."""
        description = library.description(name)
        return library.info(name).origin == "user" and description is not None and len(description.pictures) == 1

    # --- making

    def _make_widgets(self) -> None:
        self.name_edit = QLineEdit()
        self.name_edit.setMaxLength(MAX_NAME_LENGTH)
        self.name_edit.setAcceptDrops(False)  # a picture that is dropped on it is meant for the dialog
        self.name_edit.setPlaceholderText(self.tr("What it is called in the gallery"))
        self.name_edit.textEdited.connect(
            lambda text: self.document.change(self.tr("the name"), "title", title=text),
        )
        self.choose_button = QPushButton(self.tr("Choose picture…"))
        self.choose_button.setToolTip(self.tr("A PNG or SVG with transparent parts is best; one can be dropped here"))
        self.choose_button.clicked.connect(self.ask_for_picture)
        self.picture_pane = PicturePane(self.document)
        self.face_side = FaceSide(self.document, self._preview.layer, self._newest_result)
        self.face_pane = self.face_side.pane
        self.placing = PlacingBar(self.document)
        self.placing.anchor_requested.connect(self._on_anchor_requested)
        self.look = LookBar(self.document)
        self.message_line = MessageLine()
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Save | QDialogButtonBox.StandardButton.Cancel)
        self.save_button = self.buttons.button(QDialogButtonBox.StandardButton.Save)
        self.save_button.setText(self.tr("&Save"))
        self.buttons.button(QDialogButtonBox.StandardButton.Cancel).setText(self.tr("Cancel"))
        self.buttons.addButton(help_button("overlays", "making-your-own"), QDialogButtonBox.ButtonRole.HelpRole)
        self.buttons.accepted.connect(self.save)
        self.buttons.rejected.connect(self.reject)

    def _lay_out(self) -> None:
        name_label = QLabel(self.tr("&Name"))
        name_label.setBuddy(self.name_edit)
        head = QHBoxLayout()
        head.addWidget(name_label)
        head.addWidget(self.name_edit, 1)
        head.addWidget(self.choose_button)
        picture_side = QVBoxLayout()
        # As high as what stands beside it, where there is something to choose.
        picture_heading = heading(self.tr("Your picture"))
        picture_heading.setMinimumHeight(self.face_side.live_box.sizeHint().height())
        picture_side.addWidget(picture_heading)
        picture_side.addWidget(self.picture_pane, 1)
        panes = QHBoxLayout()
        panes.setSpacing(6)
        panes.addLayout(picture_side, 1)
        panes.addWidget(self.face_side, 1)
        foot = QHBoxLayout()
        foot.addWidget(self.message_line, 1)
        foot.addWidget(self.buttons)
        layout = QVBoxLayout(self)
        layout.setSpacing(10)
        layout.addLayout(head)
        layout.addLayout(panes, 1)
        layout.addWidget(self.placing)
        layout.addWidget(self.look)
        layout.addLayout(foot)

    def sizeHint(self) -> QSize:
        """See `QWidget.sizeHint`."""
        return QSize(940, 720)

    # --- the picture

    @property
    def message(self) -> str:
        """What the dialog says; empty for nothing."""
        return self.message_line.text

    @property
    def is_busy(self) -> bool:
        """Whether a picture is being read, or the overlay written."""
        return self._job is not None

    @Slot()
    def ask_for_picture(self) -> None:
        """Ask for a file."""
        dialog = QFileDialog(self, self.tr("Choose a picture"))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        kinds = " ".join(f"*{suffix}" for suffix in PICTURE_SUFFIXES)
        dialog.setNameFilters([f"{self.tr('Pictures')} ({kinds})", f"{self.tr('All files')} (*)"])
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(lambda path: self.choose(Path(path)))
        dialog.open()

    def choose(self, path: Path) -> None:
        """Take a picture from a file; a file that cannot be read leaves all as it was, and is told."""
        self._run(self.tr("Reading the picture"), lambda job: read_picture(path, job), self._on_picture_read)

    def _on_picture_read(self, picture: Picture) -> None:
        self.document.set_picture(picture)
        if picture.was_scaled:
            size = f"{picture.image.width()} × {picture.image.height()}"
            self.message_line.show_message(
                self.tr("The picture is very large; it is kept at {0} pixels.").format(size), is_wrong=False
            )
        self.picture_pane.setFocus()

    def _open(self, name: str) -> None:
        info, description = self._library.info(name), self._library.description(name)
        if info.folder is None or description is None or len(description.pictures) != 1:
            self.message_line.show_message(
                self.tr("This overlay has several pictures; change the files in its folder."), is_wrong=True
            )
            return
        self._old = description
        path = info.folder / description.pictures[0].image
        self._run(self.tr("Reading the picture"), lambda job: read_picture(path, job), self._on_old_picture_read)

    def _on_old_picture_read(self, picture: Picture) -> None:
        assert self._old is not None
        (old,) = self._old.pictures
        self.document.start_with(
            Draft(
                title=self._old.name,
                picture=picture,
                anchors=old.anchors,
                opacity=old.opacity,
                blend=old.blend,
                mirror=old.mirror,
                order=self._old.order,
                fit=None if old.fit is Fit.of_count(len(old.anchors)) else old.fit,
            )
        )

    def _run(self, name: str, work: Callable[[Job], Any], then: Callable[[Any], None]) -> None:
        """Do something off the GUI thread, one thing at a time."""
        if self._job is not None:
            self.message_line.show_message(self.tr("One moment, the last picture is still being read."))
            return
        self.message_line.show_message("")
        self._job, self._then = Job(name, work), then
        self._job.succeeded.connect(self._on_job_succeeded)
        self._job.failed.connect(self._on_job_failed)
        self._job.start()
        self._refresh()

    @Slot(object)
    def _on_job_succeeded(self, result: object) -> None:
        self._job, self._is_saving = None, False
        self._refresh()
        self._then(result)

    @Slot(str)
    def _on_job_failed(self, message: str) -> None:
        self._job, self._is_saving = None, False
        self._refresh()
        self.message_line.show_message(message, is_wrong=True)

    @Slot()
    def _on_anchor_requested(self) -> None:
        self.document.add_anchor(self.face_pane.face.keypoints_px[0])

    # --- saving

    @Slot()
    def save(self) -> None:
        """Write the overlay, and close."""
        draft = self.document.draft
        if draft.picture is None or self.is_busy:
            return
        if not draft.is_tied_down:
            return  # the message is there
        if not draft.title.strip() or not draft.title.strip().isprintable():
            self.message_line.show_message(self.tr("Give the overlay a name."), is_wrong=True)
            self.name_edit.setFocus()
            return
        try:
            folder = self._library.info(self._name).folder if self._name else self._library.free_folder(draft.title)
        except (OverlayError, KeyError) as error:
            gone = self.tr("The overlay is not there any more; close this window and begin a new one.")
            self.message_line.show_message(
                translated(error) if isinstance(error, OverlayError) else gone, is_wrong=True
            )
            return
        assert folder is not None
        description = draft.description(f"picture{draft.picture.suffix}")
        if self._old is not None:
            names = self._old.names if self._old.name == description.name else ()
            description = replace(description, names=names, credit=self._old.credit)
        content, replaces = draft.picture.content, self._name is not None

        def write(_job: Job) -> str:
            save_overlay(folder, description, content, replace_existing=replaces)
            return folder.name

        self._is_saving = True
        self._run(self.tr("Saving the overlay"), write, self._on_saved)

    def _on_saved(self, name: str) -> None:
        self.document.undo_stack.setClean()
        self._library.reload()
        self.saved.emit(name)
        self._leave(accepted=True)

    # --- showing

    @Slot()
    def _refresh(self) -> None:
        draft = self.document.draft
        if self.name_edit.text() != draft.title:
            self.name_edit.setText(draft.title)
        title = self.tr("Edit overlay") if self._name else self.tr("Add your own overlay")
        self.setWindowTitle(f"{title}[*]")
        self.setWindowModified(self.document.is_modified)
        is_busy = self.is_busy
        self.save_button.setEnabled(draft.picture is not None and not is_busy)
        self.choose_button.setEnabled(not is_busy)
        # What is changed while it is being saved would be lost.
        for widget in (self.name_edit, self.picture_pane, self.face_side, self.placing):
            widget.setEnabled(not self._is_saving)
        self.look.setEnabled(draft.picture is not None and not self._is_saving)
        problem = self.tr("Anchors on one line do not tie the picture down; drag one of them elsewhere.")
        if draft.picture is not None and not draft.is_tied_down:
            self.message_line.show_message(problem, is_wrong=True)
        elif self.message == problem:
            self.message_line.show_message("")

    def changeEvent(self, event: QEvent) -> None:
        """Give the icons the new theme's colours."""
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "buttons"):  # Qt sends some before that
            self._tint()
        super().changeEvent(event)

    def _tint(self) -> None:
        self.choose_button.setIcon(action_icon("open"))

    # --- dropping and closing

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take a picture that is dragged here."""
        take_files(event)

    def dropEvent(self, event: QDropEvent) -> None:
        """Use the picture."""
        if (path := dropped_path(event.mimeData())) is not None:
            event.acceptProposedAction()
            self.choose(path)

    def reject(self) -> None:
        """Close, after asking if something would be lost; not while it is being saved, which closes it anyway."""
        if self._is_saving:
            return
        if self.document.is_modified and not self._is_leaving:
            self._ask_whether_to_leave()
        else:
            self._leave(accepted=False)

    def discard(self) -> None:
        """Close without a question."""
        self._leave(accepted=False)

    def closeEvent(self, event: QCloseEvent) -> None:
        """See `reject`."""
        if self._is_saving:
            event.ignore()
            return
        if self.document.is_modified and not self._is_leaving:
            event.ignore()
            self._ask_whether_to_leave()
            return
        self._preview.close()
        super().closeEvent(event)

    def _ask_whether_to_leave(self) -> None:
        box = QMessageBox(self)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.setIcon(QMessageBox.Icon.Question)
        box.setWindowTitle(self.windowTitle().replace("[*]", ""))
        box.setText(self.tr("Save the overlay before closing?"))
        box.setInformativeText(self.tr("Otherwise what you did here is lost."))
        save = box.addButton(self.tr("Save"), QMessageBox.ButtonRole.AcceptRole)
        save.setEnabled(self.save_button.isEnabled())
        discard = box.addButton(self.tr("Discard"), QMessageBox.ButtonRole.DestructiveRole)
        box.addButton(QMessageBox.StandardButton.Cancel).setText(self.tr("Go on editing"))
        save.clicked.connect(self.save)
        discard.clicked.connect(self.discard)
        box.setDefaultButton(save if save.isEnabled() else None)  # type: ignore[arg-type]
        box.open()

    def _leave(self, *, accepted: bool) -> None:
        self._is_leaving = True
        if self._job is not None:
            self._job.cancel()
        self._preview.close()
        self.done(QDialog.DialogCode.Accepted if accepted else QDialog.DialogCode.Rejected)
