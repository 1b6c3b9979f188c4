"""What was kept, shown for some seconds over the picture: with a thumbnail, and what to do with it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

import cv2
from PySide6.QtCore import QEvent, QObject, QPropertyAnimation, QSize, Qt, QTimer, QUrl, Signal, Slot
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QColor, QDesktopServices, QImage, QPixmap
from PySide6.QtWidgets import (
    QFrame,
    QGraphicsOpacityEffect,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from fkd_desktop.ui.capture.motion import animation_ms
from fkd_desktop.ui.icons import tinted_pixmap
from fkd_desktop.ui.words import plain_tip
from fkd_desktop.workers.job import Job

if TYPE_CHECKING:
    from PySide6.QtGui import QEnterEvent, QMouseEvent

SHOW_MS: Final = 6000
FADE_MS: Final = 200
MARGIN_PX: Final = 16
THUMBNAIL_PX: Final = QSize(96, 64)
_MAX_WIDTH_PX: Final = 620
_INK: Final = QColor("#e8edf3")
# It lies on a picture, whatever the theme: as the picture's own ground and notes.
_STYLE: Final = """
#toast { background: #1b2129; border: 1px solid #3a4450; border-radius: 8px; }
#toast QLabel { color: #e8edf3; background: transparent; }
#toast QLabel#toast_title { font-weight: 600; }
#toast QLabel#toast_name { color: #aab4c0; }
#toast QPushButton { color: #e8edf3; background: #2b343f; border: 1px solid #475361; border-radius: 4px;
                     padding: 4px 10px; }
#toast QPushButton:hover { background: #364250; }
#toast QPushButton:focus, #toast QToolButton:focus { border: 2px solid #6cb2ff; }
#toast QToolButton { border: none; padding: 4px; border-radius: 4px; background: transparent; }
#toast QToolButton:hover { background: #364250; }
"""


@dataclass(frozen=True)
class Kept:
    """What a toast tells of.

    Attributes
    ----------
    title
        In a few words.
    path
        A picture, a film, or a folder of pictures; None where there is no file.
    can_copy
        Whether to offer to copy the picture.
    """

    title: str
    path: Path | None = None
    can_copy: bool = False


class Toast(QFrame):
    """Says what was kept, in a corner of the picture; it never takes the focus, and stays while it is used.

    Parameters
    ----------
    over
        The widget in whose lower right corner it lies: the picture's own notes are on the left.
    """

    copy_requested = Signal(str)
    """The path of the picture to copy."""

    def __init__(self, over: QWidget) -> None:
        super().__init__(over)
        self.setObjectName("toast")
        self.setStyleSheet(_STYLE)
        self._kept: Kept | None = None
        self._loader: Job | None = None
        self._make_widgets()
        self._effect = QGraphicsOpacityEffect(self)
        self.setGraphicsEffect(self._effect)
        self._animation = QPropertyAnimation(self._effect, b"opacity", self)
        self._animation.finished.connect(self._on_animation_finished)
        self._timer = QTimer(self, singleShot=True, interval=SHOW_MS)
        self._timer.timeout.connect(self._on_timer_timeout)
        over.installEventFilter(self)
        self.hide()

    def _make_widgets(self) -> None:
        self._thumbnail = QLabel()
        self._thumbnail.setFixedSize(THUMBNAIL_PX)
        self._thumbnail.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._title, self._name = (QLabel(textFormat=Qt.TextFormat.PlainText) for _ in range(2))
        self._title.setObjectName("toast_title")
        self._name.setObjectName("toast_name")
        self._show = QPushButton(self.tr("Show in folder"))
        self._open = QPushButton(self.tr("Open"))
        self._copy = QPushButton(self.tr("Copy"))
        self._close = QToolButton()
        self._close.setIcon(tinted_pixmap("close", 16, _INK, self.devicePixelRatioF()))
        self._close.setAccessibleName(self.tr("Close"))
        self._close.setToolTip(self.tr("Close"))
        for button in (self._open, self._show, self._copy, self._close):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # by keyboard, but a click leaves the focus where it is
            button.setCursor(Qt.CursorShape.ArrowCursor)
        self._open.clicked.connect(self._on_open_clicked)
        self._show.clicked.connect(self._on_show_clicked)
        self._copy.clicked.connect(self._on_copy_clicked)
        self._close.clicked.connect(self.dismiss)
        buttons = QHBoxLayout()
        buttons.setSpacing(6)
        for button in (self._open, self._show, self._copy):
            buttons.addWidget(button)
        buttons.addStretch(1)
        words = QVBoxLayout()
        words.setSpacing(4)
        words.addWidget(self._title)
        words.addWidget(self._name)
        words.addLayout(buttons)
        self._layout = layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 10, 8, 10)
        layout.setSpacing(12)
        layout.addWidget(self._thumbnail, alignment=Qt.AlignmentFlag.AlignVCenter)
        layout.addLayout(words, 1)
        layout.addWidget(self._close, alignment=Qt.AlignmentFlag.AlignTop)

    @property
    def kept(self) -> Kept | None:
        """What it shows; None while it is hidden."""
        return self._kept

    def show_kept(self, kept: Kept) -> None:
        """Tell of something new, in place of what was told before."""
        self._kept = kept
        self._title.setText(kept.title)
        self._title.setAccessibleName(kept.title)
        for button in (self._open, self._show):
            button.setVisible(kept.path is not None)
        self._copy.setVisible(kept.can_copy)
        self._name.setVisible(kept.path is not None)
        self._thumbnail.setVisible(kept.path is not None)
        self._thumbnail.clear()
        if kept.path is not None:
            self._name.setToolTip(plain_tip(str(kept.path)))
            self._load_thumbnail(kept.path)
        self._place()
        self.raise_()
        self._fade(to=1.0)
        self.show()
        self._timer.start()
        text = f"{kept.title}: {kept.path.name}" if kept.path else kept.title
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, text))

    @Slot()
    def dismiss(self) -> None:
        """Go."""
        self._timer.stop()
        self._kept = None
        self._fade(to=0.0)

    def _fade(self, *, to: float) -> None:
        self._animation.stop()
        duration_ms = animation_ms(self, FADE_MS)
        if duration_ms == 0:
            self._effect.setOpacity(to)
            self._on_animation_finished()
            return
        self._effect.setEnabled(True)
        self._animation.setDuration(duration_ms)
        self._animation.setStartValue(self._effect.opacity() if self.isVisible() else 0.0)
        self._animation.setEndValue(to)
        self._animation.start()

    @Slot()
    def _on_animation_finished(self) -> None:
        self._effect.setEnabled(self._kept is None)  # while it only lies there, painting it costs no detour
        if self._kept is None:
            self.hide()

    def _place(self) -> None:
        over = cast("QWidget", self.parent())
        room_px = min(_MAX_WIDTH_PX, over.width() - 2 * MARGIN_PX)
        self._thumbnail.setVisible(self._kept is not None and self._kept.path is not None and room_px > 420)
        if self._kept is not None and self._kept.path is not None:
            name, metrics = self._kept.path.name, self._name.fontMetrics()
            rest_px = max(120, room_px - THUMBNAIL_PX.width() - 90)
            self._name.setText(metrics.elidedText(name, Qt.TextElideMode.ElideMiddle, rest_px))
        self._layout.activate()
        size = self.sizeHint()
        self.resize(min(room_px, size.width()), size.height())
        self.move(over.width() - self.width() - MARGIN_PX, over.height() - self.height() - MARGIN_PX)

    # --- the thumbnail

    def _load_thumbnail(self, path: Path) -> None:
        if self._loader is not None:
            self._loader.cancel()
        side = THUMBNAIL_PX * self.devicePixelRatioF()
        self._loader = Job("loading a thumbnail", lambda _: _thumbnail(path, side))
        self._loader.succeeded.connect(self._on_loader_succeeded)
        self._loader.start()

    @Slot(object)
    def _on_loader_succeeded(self, image: QImage | None) -> None:
        if image is not None:
            pixmap = QPixmap.fromImage(image)
            pixmap.setDevicePixelRatio(self.devicePixelRatioF())
            self._thumbnail.setPixmap(pixmap)

    # --- what the user does

    @Slot()
    def _on_timer_timeout(self) -> None:
        if self.underMouse() or self.isAncestorOf(self.window().focusWidget() or self.window()):
            self._timer.start()
        else:
            self.dismiss()

    @Slot()
    def _on_open_clicked(self) -> None:
        if self._kept is not None and self._kept.path is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._kept.path)))

    @Slot()
    def _on_show_clicked(self) -> None:
        if self._kept is not None and self._kept.path is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._kept.path.parent)))

    @Slot()
    def _on_copy_clicked(self) -> None:
        if self._kept is not None and self._kept.path is not None:
            self.copy_requested.emit(str(self._kept.path))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Keep clicks beside the buttons from the picture below."""
        event.accept()

    def enterEvent(self, event: QEnterEvent) -> None:
        """Stay while the mouse is here."""
        self._timer.start()
        super().enterEvent(event)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Stay in the corner."""
        if watched is self.parent() and event.type() == QEvent.Type.Resize and self.isVisible():
            self._place()
        return False


def _thumbnail(path: Path, side: QSize) -> QImage | None:
    """Return a small copy of a picture, of a film's first frame, or of a folder's first picture."""
    if path.is_dir():
        path = min((p for p in path.iterdir() if not p.name.startswith(".")), default=path)
    if path.suffix == ".mp4":
        capture = cv2.VideoCapture(str(path))
        is_there, image_bgr = capture.read()
        capture.release()
        if not is_there:
            return None
        height, width = image_bgr.shape[:2]
        image = QImage(image_bgr.data, width, height, image_bgr.strides[0], QImage.Format.Format_BGR888).copy()
    else:
        image = QImage(str(path))
    if image.isNull():
        return None
    return image.scaled(side, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation)
