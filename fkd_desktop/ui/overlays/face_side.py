"""The right half of the editor: the model's face, or whoever is in view."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QTimer, Slot
from PySide6.QtGui import QHideEvent
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from fkd_desktop.ui.overlays.face_pane import FacePane
from fkd_desktop.ui.overlays.faces import face_crop, model_face

if TYPE_CHECKING:
    from collections.abc import Callable

    from fkd_desktop.live.result import FrameResult
    from fkd_desktop.overlays import Layer
    from fkd_desktop.ui.overlays.draft import Document, Draft

LIVE_EVERY_MS: Final = 80
ROOM: Final = 2.3
"""Side of what is shown over the face's: hats need room."""


class FaceSide(QWidget):
    """A face pane, and the choice of the face in it.

    Parameters
    ----------
    document
        The draft.
    layer_of
        Makes of a draft what is painted on the face.
    newest_result
        The newest result of the session, or None.
    """

    def __init__(
        self,
        document: Document,
        layer_of: Callable[[Draft], Layer | None],
        newest_result: Callable[[], FrameResult | None],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._newest_result = newest_result
        model = face_crop(model_face(), room=ROOM)
        assert model is not None, "the model has a face"
        self._model = model
        self.pane = FacePane(document, model, layer_of)
        self.live_box = QCheckBox(self.tr("On the &live picture"))
        self.live_box.setToolTip(self.tr("Try it on whoever is in view"))
        self.live_box.toggled.connect(self._on_live_box_toggled)
        self.note = QLabel()
        self._timer = QTimer(self, interval=LIVE_EVERY_MS)
        self._timer.timeout.connect(self._show_newest)
        head = QHBoxLayout()
        head.addWidget(heading(self.tr("On the face")))
        head.addStretch(1)
        head.addWidget(self.note)
        head.addWidget(self.live_box)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(head)
        layout.addWidget(self.pane, 1)

    @Slot(bool)
    def _on_live_box_toggled(self, is_live: bool) -> None:
        self.note.setText("")
        if is_live:
            self._timer.start()
            self._show_newest()
        else:
            self._timer.stop()
            self.pane.show_face(self._model)

    @Slot()
    def _show_newest(self) -> None:
        """Show the newest face; not while an anchor is dragged, or it would move away under the mouse."""
        if self.pane.dragged is not None or not self.isVisible():
            return
        result = self._newest_result()
        face = None if result is None else face_crop(result, room=ROOM)
        self.note.setText("" if face is not None else self.tr("Nobody is in view"))
        if face is not None:
            self.pane.show_face(face)

    def hideEvent(self, event: QHideEvent) -> None:
        """Do nothing where nobody looks."""
        if not event.spontaneous():
            self._timer.stop()
        super().hideEvent(event)


def heading(text: str) -> QLabel:
    """Return a label in bold."""
    label = QLabel(text)
    font = label.font()
    font.setBold(True)
    label.setFont(font)
    return label
