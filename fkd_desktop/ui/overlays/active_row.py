"""One overlay that is on: its place, opacity and face."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QEvent, QPoint, QPointF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QSlider,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from fkd_desktop.ui.icons import action_icon, tinted_pixmap
from fkd_desktop.ui.words import plain_tip

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fkd_desktop.overlays.stack import ActiveOverlay

_ICON_PX: Final = 18
_BUTTON_PX: Final = 16


class Grip(QWidget):
    """What a row is dragged by; with the focus on it, Up and Down move the row."""

    dragged = Signal(QPoint)
    """The mouse is at this place of the screen, with the row in its hand."""
    dropped = Signal()
    stepped = Signal(int)
    """-1 for a place up, 1 for a place down."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedWidth(18)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.OpenHandCursor)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take hold."""
        if event.button() == Qt.MouseButton.LeftButton:
            self.setCursor(Qt.CursorShape.ClosedHandCursor)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Drag."""
        if event.buttons() & Qt.MouseButton.LeftButton:
            self.dragged.emit(event.globalPosition().toPoint())

    def mouseReleaseEvent(self, _event: QMouseEvent) -> None:
        """Let go."""
        self.setCursor(Qt.CursorShape.OpenHandCursor)
        self.dropped.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move the row by keys."""
        steps = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}
        key = Qt.Key(event.key())
        if key in steps:
            self.stepped.emit(steps[key])
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show the focus."""
        self.update()
        super().focusInEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Show that it is gone."""
        self.update()
        super().focusOutEvent(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint six dots."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colour = self.palette().color(QPalette.ColorRole.WindowText)
        colour.setAlphaF(0.55)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        middle = self.rect().center()
        for x in (-2.5, 2.5):
            for y in (-5, 0, 5):
                painter.drawEllipse(QPointF(middle.x() + 0.5 + x, middle.y() + 0.5 + y), 1.4, 1.4)
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(self.palette().color(QPalette.ColorRole.Highlight), 1.5))
            painter.drawRoundedRect(self.rect().adjusted(1, 2, -2, -3), 4, 4)
        painter.end()


class FaceChoice(QComboBox):
    """On which face; asks who is in view whenever it is opened.

    Parameters
    ----------
    faces_in_view
        Gives the numbers of the faces.
    """

    face_chosen = Signal(object)
    """A face's number, or None for every face."""

    def __init__(self, faces_in_view: Callable[[], Sequence[int]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._faces_in_view = faces_in_view
        self._face_id: int | None = None
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(7)
        self.activated.connect(self._on_activated)
        self._refill()

    def show_face(self, face_id: int | None) -> None:
        """Show which one it is."""
        if face_id != self._face_id:
            self._face_id = face_id
            self._refill()

    def showPopup(self) -> None:
        """See `QComboBox.showPopup`: with the faces that are in view now."""
        self._refill()
        super().showPopup()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Arrow keys choose among the faces that are in view now."""
        self._refill()
        super().focusInEvent(event)

    def _refill(self) -> None:
        in_view = sorted(self._faces_in_view())
        self.clear()
        self.addItem(self.tr("All faces"), None)
        for face_id in in_view:
            self.addItem(self.tr("Face {0}").format(face_id), face_id)
        if self._face_id is not None and self._face_id not in in_view:
            self.addItem(self.tr("Face {0} (gone)").format(self._face_id), self._face_id)
        self.setCurrentIndex(max(self.findData(self._face_id), 0))

    def _on_activated(self, index: int) -> None:
        chosen = self.itemData(index)
        self._face_id = chosen
        self.face_chosen.emit(chosen)


class ActiveRow(QFrame):
    """A row of the list of overlays that are on.

    Parameters
    ----------
    name, title, icon
        The overlay's.
    opacity_fixed
        Whether it takes no opacity.
    faces_in_view
        Gives the numbers of the faces.
    """

    opacity_chosen = Signal(float)
    face_chosen = Signal(object)
    removed = Signal()
    stepped = Signal(int)
    """-1 for a place up (to the front), 1 for a place down."""

    def __init__(
        self,
        name: str,
        title: str,
        icon: str,
        *,
        opacity_fixed: bool,
        faces_in_view: Callable[[], Sequence[int]],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.name, self.title, self._icon_name = name, title, icon
        self._opacity_fixed = opacity_fixed
        self.setObjectName(f"active_{name}")
        self.setAccessibleName(title)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self._make_widgets(faces_in_view)
        self._lay_out()
        self._tint()

    def _make_widgets(self, faces_in_view: Callable[[], Sequence[int]]) -> None:
        title = self.title
        self.grip = Grip()
        self.grip.setToolTip(self.tr("Drag to move it to the front or back; Up and Down do so too"))
        self.grip.setAccessibleName(self.tr("Move {0}").format(title))
        self.grip.stepped.connect(self.stepped)
        self._icon = QLabel()
        self._label = QLabel(title)
        self._label.setTextFormat(Qt.TextFormat.PlainText)
        self._label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._label.setToolTip(plain_tip(title))
        self.up_button = self._button(self.tr("Bring {0} forward").format(title))
        self.up_button.clicked.connect(lambda: self.stepped.emit(-1))
        self.down_button = self._button(self.tr("Send {0} backward").format(title))
        self.down_button.clicked.connect(lambda: self.stepped.emit(1))
        self.remove_button = self._button(self.tr("Take {0} off").format(title))
        self.remove_button.clicked.connect(self.removed)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, 100)
        self.slider.setPageStep(10)
        self.slider.setMinimumWidth(60)
        self.slider.setAccessibleName(self.tr("Opacity of {0}").format(title))
        self.slider.setEnabled(not self._opacity_fixed)
        self.slider.valueChanged.connect(self._on_slider_value_changed)
        self._percent = QLabel()
        self._percent.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._percent.setMinimumWidth(self._percent.fontMetrics().horizontalAdvance(self.tr("{0} %").format(100)))
        if self._opacity_fixed:
            reason = self.tr("What hides a face is always opaque")
            self.slider.setToolTip(reason)
            self._percent.setToolTip(reason)
        self.face_choice = FaceChoice(faces_in_view)
        self.face_choice.setAccessibleName(self.tr("Faces that get {0}").format(title))
        self.face_choice.setToolTip(self.tr("On every face, or on one only"))
        self.face_choice.face_chosen.connect(self.face_chosen)

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(4)
        head.addWidget(self._icon)
        head.addWidget(self._label, 1)
        for button in (self.up_button, self.down_button, self.remove_button):
            head.addWidget(button)
        foot = QHBoxLayout()
        foot.setSpacing(6)
        foot.addWidget(self.slider, 1)
        foot.addWidget(self._percent)
        foot.addWidget(self.face_choice)
        lines = QVBoxLayout()
        lines.setSpacing(2)
        lines.addLayout(head)
        lines.addLayout(foot)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(2, 4, 4, 6)
        layout.setSpacing(4)
        layout.addWidget(self.grip)
        layout.addLayout(lines, 1)

    def _button(self, words: str) -> QToolButton:
        button = QToolButton()
        button.setAutoRaise(True)
        button.setIconSize(QSize(_BUTTON_PX, _BUTTON_PX))
        button.setToolTip(plain_tip(words))
        button.setAccessibleName(words)
        button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        return button

    def show_state(self, overlay: ActiveOverlay, *, is_front: bool, is_back: bool) -> None:
        """Show how it is now."""
        value = 100 if self._opacity_fixed else round(100 * overlay.opacity)
        self.slider.blockSignals(True)
        self.slider.setValue(value)
        self.slider.blockSignals(False)
        self._percent.setText(self.tr("{0} %").format(value))
        self.face_choice.show_face(overlay.face_id)
        self.up_button.setEnabled(not is_front)
        self.down_button.setEnabled(not is_back)

    def _on_slider_value_changed(self, value: int) -> None:
        self._percent.setText(self.tr("{0} %").format(value))
        self.opacity_chosen.emit(value / 100)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint a quiet ground, and a livelier one while the row is being moved."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        is_held = self.property("held") is True
        colour = QColor(
            self.palette().color(QPalette.ColorRole.Highlight if is_held else QPalette.ColorRole.WindowText)
        )
        colour.setAlphaF(0.22 if is_held else 0.06)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.drawRoundedRect(self.rect().adjusted(0, 1, -1, -2), 6, 6)
        painter.end()
        super().paintEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        """Give the icons the new theme's colours."""
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "face_choice"):  # Qt sends some before that
            self._tint()
        super().changeEvent(event)

    def _tint(self) -> None:
        self.up_button.setIcon(action_icon("up"))
        self.down_button.setIcon(action_icon("down"))
        self.remove_button.setIcon(action_icon("remove"))
        colour = self.palette().color(QPalette.ColorRole.WindowText)
        self._icon.setPixmap(tinted_pixmap(self._icon_name, _ICON_PX, colour, self.devicePixelRatioF()))
