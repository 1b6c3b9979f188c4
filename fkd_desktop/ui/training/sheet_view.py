"""The page of validation faces that a run draws after each epoch: small beside the curves, and in its own window."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QRect, QSize, Qt, Signal, Slot
from PySide6.QtGui import (
    QColor,
    QImage,
    QKeyEvent,
    QKeySequence,
    QPainter,
    QPaintEvent,
    QPalette,
    QPen,
    QPixmap,
    QShortcut,
)
from PySide6.QtWidgets import (
    QAbstractButton,
    QLabel,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from fkd_desktop.workers.job import Job
from trainer.contact_sheet import PAGE_BGR
from trainer.core.text import Text

if TYPE_CHECKING:
    from pathlib import Path

HEAD_PX: Final = 24
"""Height of the line above the page, as of that above the curves beside it."""
_TEXT_MARGIN_PX: Final = 24
_PAGE: Final = QColor(*reversed(PAGE_BGR))


class SheetView(QWidget):
    """Shows the newest page as large as fits; a click, or Enter, opens it in full size."""

    sheet_shown = Signal()
    """A page was read and is on show."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._wanted: tuple[Path, int] | None = None
        self._job: Job | None = None
        self._job_is_for: tuple[Path, int] | None = None
        self._caption = QLabel()
        self._caption.setFixedHeight(HEAD_PX)
        self.picture = _Picture()
        self.picture.clicked.connect(self.open_window)
        self._window: _SheetWindow | None = None
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._caption)
        layout.addWidget(self.picture, 1)
        self.clear()

    @property
    def caption(self) -> str:
        """What stands above the page."""
        return self._caption.text()

    @property
    def window_shown(self) -> QWidget | None:
        """The window with the page in full size, if it is open."""
        return self._window if self._window is not None and self._window.isVisible() else None

    def clear(self) -> None:
        """There is no page yet."""
        if self._job is not None:
            self._job.cancel()
        self._wanted = self._job = self._job_is_for = None
        self._caption.setText(self.tr("Validation faces"))
        self.picture.show_text(
            self.tr(
                "After the first epoch, faces of people that the network is not trained on appear here: "
                "their true keypoints, and where the network sees them."
            )
        )
        if self._window is not None:
            self._window.close()

    def show_sheet(self, path: Path, *, epoch: int) -> None:
        """Read a page in the background and show it; pages that come faster than they are read are left out."""
        self._wanted = (path, epoch)
        if self._job is None:
            self._read_next()

    def open_window(self) -> None:
        """Show the page in full size."""
        if self.picture.image is None:
            return
        if self._window is None:
            self._window = _SheetWindow(self)
        self._window.show_image(self.picture.image, self.caption)
        self._window.show()
        self._window.raise_()
        self._window.activateWindow()

    def _read_next(self) -> None:
        if self._wanted is None:
            return
        path, self._job_is_for, self._wanted = self._wanted[0], self._wanted, None
        self._job = Job(Text("reading the validation faces"), lambda _: _read_image(path))
        self._job.succeeded.connect(self._on_job_succeeded)
        self._job.failed.connect(self._on_job_failed)
        self._job.start()

    @Slot(object)
    def _on_job_succeeded(self, image: QImage | None) -> None:
        assert self._job_is_for is not None
        epoch = self._job_is_for[1]
        self._job = None
        if image is not None:
            self._caption.setText(self.tr("Validation faces after epoch {0}").format(epoch))
            self.picture.show_image(image)
            if self._window is not None and self._window.isVisible():
                self._window.show_image(image, self.caption)
            self.sheet_shown.emit()
        elif self.picture.image is None:
            self.picture.show_text(self.tr("The picture of epoch {0} is not there any more.").format(epoch))
        self._read_next()

    @Slot(str)
    def _on_job_failed(self, _message: str) -> None:
        self._on_job_succeeded(None)


def _read_image(path: Path) -> QImage | None:
    try:
        image = QImage.fromData(path.read_bytes())
    except OSError:  # the run was cancelled, or its folder is gone
        return None
    return None if image.isNull() else image


class _Picture(QAbstractButton):
    """An image scaled to the place it has, or a text; it can be clicked when there is an image."""

    def __init__(self) -> None:
        super().__init__()
        self.image: QImage | None = None
        self._scaled: QPixmap | None = None
        self._text = ""
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(240, 180)

    def show_image(self, image: QImage) -> None:
        self.image, self._scaled = image, None
        self.setEnabled(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setToolTip(self.tr("Show it in full size"))
        self.setAccessibleName(self.tr("Validation faces with true and predicted keypoints"))
        self.update()

    def show_text(self, text: str) -> None:
        self.image = self._scaled = None
        self._text = text
        self.setEnabled(False)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.unsetCursor()
        self.setToolTip("")
        self.setAccessibleName(text)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(480, 380)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        palette = self.palette()
        active = QPalette.ColorGroup.Active
        if self.image is None:
            painter.fillRect(self.rect(), palette.color(active, QPalette.ColorRole.Base))
            painter.setPen(palette.color(active, QPalette.ColorRole.PlaceholderText))
            m = _TEXT_MARGIN_PX
            wrapped = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.rect().adjusted(m, m, -m, -m), wrapped, self._text)
            return
        painter.fillRect(self.rect(), _PAGE)
        pixmap = self._fitted(self.image)
        size = pixmap.deviceIndependentSize().toSize()
        place = QRect((self.width() - size.width()) // 2, (self.height() - size.height()) // 2, *size.toTuple())
        painter.drawPixmap(place.topLeft(), pixmap)
        if self.hasFocus():
            painter.setPen(QPen(palette.color(active, QPalette.ColorRole.Highlight), 2))
            painter.drawRect(self.rect().adjusted(1, 1, -1, -1))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        else:
            super().keyPressEvent(event)

    def _fitted(self, image: QImage) -> QPixmap:
        """Return the image as large as fits, kept until the place or the image changes."""
        ratio = self.devicePixelRatioF()
        wanted = image.size().scaled(self.size() * ratio, Qt.AspectRatioMode.KeepAspectRatio)
        wanted = wanted.boundedTo(image.size() * ratio)
        if self._scaled is None or self._scaled.size() != wanted:
            how = (Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation)
            self._scaled = QPixmap.fromImage(image.scaled(wanted, *how))
            self._scaled.setDevicePixelRatio(ratio)
        return self._scaled


class _SheetWindow(QScrollArea):
    """The page in full size; Escape closes it."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowFlag(Qt.WindowType.Window)
        self._label = QLabel()
        self.setWidget(self._label)
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        ground = self.viewport().palette()  # not a style sheet: the scroll bars stay the style's own
        ground.setColor(QPalette.ColorRole.Window, _PAGE)
        self.viewport().setPalette(ground)
        QShortcut(QKeySequence(Qt.Key.Key_Escape), self, self.close)
        self._is_sized = False

    def show_image(self, image: QImage, title: str) -> None:
        self.setWindowTitle(title)
        self._label.setPixmap(QPixmap.fromImage(image))
        self._label.adjustSize()
        if not self._is_sized:  # afterwards it keeps what the user made of it
            self._is_sized = True
            room = self.screen().availableSize() * 0.9
            frame = 2 * self.frameWidth()
            self.resize((self._label.size() + QSize(frame, frame)).boundedTo(room))
