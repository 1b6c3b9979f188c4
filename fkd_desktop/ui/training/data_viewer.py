"""A window with the picture that a problem of a data set is about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import cv2
from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt, QUrl, Slot
from PySide6.QtGui import (
    QDesktopServices,
    QImage,
    QKeySequence,
    QPainter,
    QPaintEvent,
    QPalette,
    QShortcut,
    QTextOption,
)
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from fkd_desktop.overlays.render import frame_image
from fkd_desktop.ui.elided_label import ElidedLabel
from fkd_desktop.ui.words import sentence
from fkd_desktop.workers.job import Job
from trainer.core.text import Text
from trainer.dataset import read_image

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from trainer.label_files import Problem

LONGEST_SIDE_PX: Final = 2048
"""Larger pictures are shown at this size, so that painting one takes no time."""


class ProblemViewer(QWidget):
    """A small window that shows one picture and what is wrong with it, or says why it cannot be shown.

    Parameters
    ----------
    parent
        Whose window it stays above, and with which it closes.
    """

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Window)
        self._job: Job | None = None
        self._problem: Problem | None = None
        self._picture = _Picture()
        self._name = ElidedLabel()
        self._reason = QLabel()
        self._reason.setTextFormat(Qt.TextFormat.PlainText)
        self._reason.setWordWrap(True)
        self._reason.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.folder_button = QPushButton(self.tr("Open its folder"))
        self.folder_button.clicked.connect(self._on_folder_clicked)
        close = QPushButton(self.tr("Close"))
        close.clicked.connect(self.close)
        QShortcut(QKeySequence(Qt.Key.Key_Escape), self, self.close)
        row = QHBoxLayout()
        row.addWidget(self.folder_button)
        row.addStretch(1)
        row.addWidget(close)
        layout = QVBoxLayout(self)
        layout.addWidget(self._picture, 1)
        layout.addWidget(self._name)
        layout.addWidget(self._reason)
        layout.addLayout(row)
        self.resize(480, 460)

    @property
    def image(self) -> QImage | None:
        """The picture on show; None where there is none."""
        return self._picture.image

    @property
    def text(self) -> str:
        """What stands in the picture's place."""
        return self._picture.text

    @property
    def reason(self) -> str:
        """What is wrong with it."""
        return self._reason.text()

    def show_problem(self, problem: Problem) -> None:
        """Show another entry of the list."""
        self._problem = problem
        if self._job:
            self._job.cancel()
            self._job = None
        path = problem.image
        self.setWindowTitle((path or problem.file).name)
        self._name.setText(str(path or problem.file))
        self._reason.setText(sentence(problem.reason))
        if path is None:
            self._picture.show_text(self.tr("This is about the labels, not about a single picture."))
        else:
            self._picture.show_text(self.tr("Reading…"))
            self._job = Job(Text("reading the picture"), lambda _: _read(path))
            self._job.succeeded.connect(self._on_job_succeeded)
            self._job.failed.connect(self._on_job_failed)
            self._job.start()
        self.show()
        self.raise_()
        self.activateWindow()

    @Slot(object)
    def _on_job_succeeded(self, image_bgr: NDArray[np.uint8]) -> None:
        self._picture.show_image(image_bgr)

    @Slot(str)
    def _on_job_failed(self, message: str) -> None:
        self._picture.show_text(sentence(message))

    @Slot()
    def _on_folder_clicked(self) -> None:
        if self._problem is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(nearest_folder(self._problem.image or self._problem.file))))


def nearest_folder(path: Path) -> Path:
    """Return the innermost folder on the way to a path that is there."""
    return next((folder for folder in path.parents if folder.is_dir()), path.parent)


def _read(path: Path) -> NDArray[np.uint8]:
    image = read_image(path)
    longest = max(image.shape[:2])
    if longest <= LONGEST_SIDE_PX:
        return image
    scale = LONGEST_SIDE_PX / longest
    return cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)  # type: ignore[return-value]


class _Picture(QWidget):
    """A picture as large as fits, or a text in its place."""

    def __init__(self) -> None:
        super().__init__()
        self.image: QImage | None = None
        self.text = ""
        self._pixels: NDArray[np.uint8] | None = None  # which the image shares
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(200, 160)
        self.setAutoFillBackground(True)
        self.setBackgroundRole(QPalette.ColorRole.Base)

    def show_image(self, image_bgr: NDArray[np.uint8]) -> None:
        height, width = image_bgr.shape[:2]
        self._pixels, self.text = image_bgr, ""
        self.image = frame_image(image_bgr)
        self.setAccessibleName(self.tr("picture, {0} by {1} pixels").format(width, height))
        self.update()

    def show_text(self, text: str) -> None:
        self._pixels, self.image, self.text = None, None, text
        self.setAccessibleName(text)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(440, 340)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        if self.image is None:
            painter.setPen(self.palette().color(QPalette.ColorRole.Text))
            option = QTextOption(Qt.AlignmentFlag.AlignCenter)
            option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)  # paths have no blanks
            painter.drawText(QRectF(self.rect().adjusted(16, 16, -16, -16)), self.text, option)
            return
        size = self.image.size().scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
        room = QRect(0, 0, size.width(), size.height())
        room.moveCenter(QPointF(self.rect().center()).toPoint())
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(room, self.image)
