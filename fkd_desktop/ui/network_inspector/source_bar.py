"""Where the picture comes from that the network looks at."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QButtonGroup, QComboBox, QHBoxLayout, QLabel, QPushButton, QWidget

from fkd_desktop.i18n import numeral


class SourceBar(QWidget):
    """Live picture or a file, which face, pause; and the rate that is reached."""

    live_wanted = Signal()
    image_wanted = Signal()
    face_chosen = Signal(int)
    pause_toggled = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.live = QPushButton(self.tr("&Live picture"))
        self.live.setToolTip(self.tr("Look at what the main window shows"))
        self.image = QPushButton(self.tr("&Image…"))
        self.image.setToolTip(self.tr("Look at a picture from a file; it can be dropped here too"))
        group = QButtonGroup(self)
        for button in (self.live, self.image):
            button.setCheckable(True)
            button.setAutoDefault(False)
            group.addButton(button)
        self.live.setChecked(True)
        self.pause = QPushButton(self.tr("&Pause"))
        self.pause.setCheckable(True)
        self.pause.setAutoDefault(False)
        self.pause.setToolTip(self.tr("Hold the live picture here; the main window goes on"))
        self.faces = QComboBox()
        self.faces.setAccessibleName(self.tr("Face"))
        self.faces.setToolTip(self.tr("Which of the faces the network is given"))
        self.rate = QLabel()
        self.rate.setAccessibleName(self.tr("Pictures a second"))
        self.note = QLabel()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for widget in (self.live, self.image, self.pause, self.faces):
            layout.addWidget(widget)
        layout.addSpacing(4)
        layout.addWidget(self.note, 1)
        layout.addWidget(self.rate)
        self.live.clicked.connect(self.live_wanted)
        self.image.clicked.connect(self._on_image_clicked)
        self.pause.toggled.connect(self.pause_toggled)
        self.faces.activated.connect(self.face_chosen)
        self.show_faces(None, 0)
        self._is_live = True

    def show_source(self, *, is_live: bool) -> None:
        """Say which source is in use."""
        self._is_live = is_live
        (self.live if is_live else self.image).setChecked(True)
        self.pause.setEnabled(is_live)

    def show_faces(self, count: int | None, chosen: int) -> None:
        """Offer faces to choose from where there are several, and say so where there is none.

        Parameters
        ----------
        count
            None where there is no picture.
        chosen
            Number of the face that is looked at.
        """
        self.note.setText(self.tr("No face found: this is the middle of the picture") if count == 0 else "")
        several = count is not None and count > 1
        self.faces.setVisible(several)
        if several and count is not None:
            with QSignalBlocker(self.faces):
                if self.faces.count() != count:
                    self.faces.clear()
                    self.faces.addItems([self.tr("Face {0} of {1}").format(n + 1, count) for n in range(count)])
                self.faces.setCurrentIndex(min(chosen, count - 1))

    def show_rate(self, per_s: float | None) -> None:
        """Say how many pictures a second come; 0 where the live picture stands still, None where that says nothing."""
        if per_s is not None:
            figure = numeral(f"{per_s:.0f}" if per_s >= 4.5 else f"{per_s:.1f}")
            text = self.tr("{0} a second").format(figure) if per_s else self.tr("No new picture")
        else:
            text = self.tr("Paused") if self._is_live and self.pause.isChecked() else ""
        self.rate.setText(text)

    def _on_image_clicked(self) -> None:
        self.show_source(is_live=self._is_live)  # until a picture is open, nothing has changed
        self.image_wanted.emit()
