"""Three steps below the picture: the camera and privacy, overlays, training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QEvent, Qt, Signal, Slot
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QAction, QFont, QPalette
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from fkd_desktop.ui.icons import action_icon
from fkd_desktop.ui.manual import show_manual

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

WIDTH_PX: Final = 760
"""Longer lines are hard to read, and buttons at the far ends of a wide window hard to find."""
LINE_PX: Final = 2
TITLE_SCALE: Final = 1.3


class WelcomePanel(QFrame):
    """One step at a time, with what it speaks of at hand.

    Parameters
    ----------
    overlays
        Actions of some that can be tried.
    gallery
        Shows all of them.
    train
        Opens the trainer.
    """

    ended = Signal()
    """The user has come to the end, or wants none of it."""
    source_chosen = Signal(str)
    """What to show, by the user; for `make_source`."""

    def __init__(
        self, *, overlays: Sequence[QAction], gallery: QAction, train: QAction, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("welcome")
        self.setBackgroundRole(QPalette.ColorRole.Base)  # no style sheet, which keeps a theme's colours
        self.setAutoFillBackground(True)
        self.setAccessibleName(self.tr("Welcome"))
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self._gallery, self._train = gallery, train
        self._titles: list[str] = []
        self._texts: list[str] = []
        self._title = QLabel()
        font = self._title.font()
        font.setPointSizeF(TITLE_SCALE * font.pointSizeF())
        font.setWeight(QFont.Weight.DemiBold)
        self._title.setFont(font)
        self._count = QLabel()
        self._pages = QStackedWidget()
        self._make_camera()
        self._make_overlays(overlays)
        self._make_training()
        self.skip_button = QPushButton(self.tr("Skip"))
        self.skip_button.setToolTip(self.tr("Put this away for good (Esc); it is in the Help menu"))
        self.back_button = QPushButton(self.tr("Back"))
        self.next_button = QPushButton()
        self.next_button.setDefault(True)
        self.skip_button.clicked.connect(self.ended)
        self.back_button.clicked.connect(lambda: self.show_step(self.step - 1))
        self.next_button.clicked.connect(self._on_next_button_clicked)
        self._lay_out()
        self.show_step(0)

    @property
    def step(self) -> int:
        """Number of the step on show, from 0."""
        return self._pages.currentIndex()

    @property
    def title(self) -> str:
        """What the step on show is about."""
        return self._title.text()

    def show_step(self, step: int) -> None:
        """Show a step, and tell those who cannot see it."""
        self._pages.setCurrentIndex(step)
        last = self._pages.count() - 1
        self._title.setText(self._titles[step])
        self._count.setText(self.tr("{0} of {1}").format(step + 1, last + 1))
        if self.back_button.hasFocus() and step == 0:
            self.next_button.setFocus()
        self.back_button.setEnabled(step > 0)
        self.skip_button.setVisible(step < last)
        self.next_button.setText(self.tr("Done") if step == last else self.tr("Next"))
        if self.isVisible():
            text = f"{self._count.text()}. {self._titles[step]}. {self._texts[step]}"
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, text))

    def show_sources(self, sources: Mapping[str, str], in_use: str) -> None:
        """Offer cameras and the demo clip.

        Parameters
        ----------
        sources
            Names of sources, and what to call them; the demo clip is called nothing.
        in_use
            The one that is on.
        """
        combo = self.sources
        combo.blockSignals(True)
        combo.clear()
        for name, title in sources.items():
            combo.addItem(title or self.tr("Demo clip"), name)
        if len(sources) == 1:
            combo.insertItem(0, self.tr("No camera found: plug one in"), "")
        place = combo.findData(in_use)
        combo.setCurrentIndex(place if place >= 0 else 0 if len(sources) == 1 else -1)
        combo.blockSignals(False)

    # --- steps

    def _make_camera(self) -> None:
        self.sources = QComboBox()
        self.sources.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.sources.setPlaceholderText(self.tr("Choose a camera"))
        self.sources.activated.connect(self._on_sources_activated)
        label = QLabel(self.tr("&Camera"))
        label.setBuddy(self.sources)
        text = self.tr(
            "The picture stays on this computer: nothing is sent anywhere, and nothing is kept unless you keep it. "
            "“Stop” lets go of the camera."
        )
        self._add_step(self.tr("Camera and privacy"), text, label, self.sources)

    def _make_overlays(self, overlays: Sequence[QAction]) -> None:
        self.overlay_buttons = [self._make_tool(action) for action in (*overlays, self._gallery)]
        text = self.tr(
            "Put something on: click, and look at the picture. The keys 1 to 9 do the same; the gallery has all "
            "overlays, and makes new ones of pictures of your own."
        )
        self._add_step(self.tr("Overlays"), text, *self.overlay_buttons)

    def _make_training(self) -> None:
        self.train_button = QPushButton(self.tr("Open the trainer"))
        self.train_button.clicked.connect(self._train.trigger)
        self.read_button = QPushButton(self.tr("Read how it works"))
        self.read_button.clicked.connect(lambda: show_manual("training"))
        text = self.tr(
            "The network that finds the keypoints can learn from pictures of your own, while the live picture goes on. "
            "Then old and new are compared on the same people, and you choose."
        )
        self._add_step(self.tr("Training, when you want it"), text, self.train_button, self.read_button)

    def _add_step(self, title: str, text: str, *widgets: QWidget) -> None:
        page = QWidget()
        label = QLabel(text)
        label.setWordWrap(True)
        row = QHBoxLayout()
        row.setSpacing(8)
        for widget in widgets:
            row.addWidget(widget)
        row.addStretch(1)
        layout = QVBoxLayout(page)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(10)
        layout.addWidget(label)
        layout.addLayout(row)
        layout.addStretch(1)
        self._titles.append(title)
        self._texts.append(text)
        self._pages.addWidget(page)

    def _make_tool(self, action: QAction) -> QToolButton:
        button = QToolButton()
        button.setDefaultAction(action)
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        return button

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.addWidget(self._title, 1)
        head.addWidget(self._count)
        foot = QHBoxLayout()
        foot.addWidget(self.skip_button)
        foot.addStretch(1)
        foot.addWidget(self.back_button)
        foot.addWidget(self.next_button)
        content = QWidget()
        content.setMaximumWidth(WIDTH_PX)
        column = QVBoxLayout(content)
        column.setContentsMargins(18, 14, 18, 14)
        column.setSpacing(10)
        column.addLayout(head)
        column.addWidget(self._pages)
        column.addLayout(foot)
        middle = QHBoxLayout()
        middle.addWidget(content)
        line = QWidget()
        line.setFixedHeight(LINE_PX)
        line.setBackgroundRole(QPalette.ColorRole.Highlight)
        line.setAutoFillBackground(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(line)
        layout.addLayout(middle)
        self._set_icons()

    def _set_icons(self) -> None:
        self.train_button.setIcon(action_icon("train"))
        self.read_button.setIcon(action_icon("help"))

    # --- what a user does

    @Slot()
    def _on_next_button_clicked(self) -> None:
        if self.step == self._pages.count() - 1:
            self.ended.emit()
        else:
            self.show_step(self.step + 1)

    @Slot(int)
    def _on_sources_activated(self, place: int) -> None:
        if name := self.sources.itemData(place):
            self.source_chosen.emit(name)

    def changeEvent(self, event: QEvent) -> None:
        """Give the icons the new theme's colours."""
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "read_button"):
            self._set_icons()
        super().changeEvent(event)
