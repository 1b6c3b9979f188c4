"""The overlays that are on, front to back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from fkd_desktop.ui.overlays.actions import icon_name
from fkd_desktop.ui.overlays.active_row import ActiveRow

if TYPE_CHECKING:
    from collections.abc import Callable

    from fkd_desktop.live.result import FrameResult
    from fkd_desktop.overlays.library import OverlayLibrary
    from fkd_desktop.overlays.stack import OverlayStack


class ActiveList(QWidget):
    """A row for each overlay that is on, the foremost on top; dragged or stepped to other places.

    Parameters
    ----------
    stack
        What is on: shown and changed here.
    library
        What there is.
    newest_result
        The newest result of the session, or None: who is in view.
    """

    def __init__(
        self,
        stack: OverlayStack,
        library: OverlayLibrary,
        newest_result: Callable[[], FrameResult | None],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._stack, self._library, self._newest_result = stack, library, newest_result
        self.rows: dict[str, ActiveRow] = {}
        heading = QLabel(self.tr("On the picture, front to back"))
        font = heading.font()
        font.setBold(True)
        heading.setFont(font)
        heading.setWordWrap(True)
        self.clear_button = QPushButton(self.tr("Take all off"))
        self.clear_button.setFlat(True)
        self.clear_button.clicked.connect(stack.clear)
        head = QHBoxLayout()
        head.addWidget(heading, 1)
        head.addWidget(self.clear_button)
        self._empty = QLabel(self.tr("Nothing is on. Choose an overlay above, or press its number key."))
        self._empty.setWordWrap(True)
        self._empty.setEnabled(False)
        self._empty.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._content = QWidget()
        self._lines = QVBoxLayout(self._content)
        self._lines.setContentsMargins(0, 0, 0, 0)
        self._lines.setSpacing(2)
        self._lines.addWidget(self._empty)
        self._lines.addStretch(1)
        self._scroll = QScrollArea()
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll.setWidget(self._content)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 4, 8, 8)
        layout.setSpacing(4)
        layout.addLayout(head)
        layout.addWidget(self._scroll, 1)
        stack.changed.connect(self.refresh)
        self.refresh()

    @property
    def names(self) -> list[str]:
        """Names of the overlays, front to back."""
        return [overlay.name for overlay in reversed(self._stack.active) if overlay.name in self.rows]

    def refresh(self) -> None:
        """Show what is on now. Rows stay the same objects, so that one can be dragged meanwhile."""
        infos = {info.name: info for info in self._library.infos}
        active = {overlay.name: overlay for overlay in reversed(self._stack.active) if overlay.name in infos}
        for name in [name for name, row in self.rows.items() if name not in active or row.title != infos[name].title]:
            row = self.rows.pop(name)
            self._lines.removeWidget(row)
            row.hide()
            row.deleteLater()
        for place, (name, overlay) in enumerate(active.items()):
            if name not in self.rows:
                self.rows[name] = self._make_row(name)
            row = self.rows[name]
            if self._lines.indexOf(row) != place:
                self._lines.insertWidget(place, row)
            row.show_state(overlay, is_front=place == 0, is_back=place == len(active) - 1)
        self._empty.setVisible(not active)
        self.clear_button.setVisible(bool(active))
        self._set_tab_order(list(active))

    def _set_tab_order(self, names: list[str]) -> None:
        last: QWidget = self.clear_button
        for name in names:
            row = self.rows[name]
            for widget in (
                row.grip,
                row.up_button,
                row.down_button,
                row.remove_button,
                row.slider,
                row.face_choice,
            ):
                QWidget.setTabOrder(last, widget)
                last = widget

    def _make_row(self, name: str) -> ActiveRow:
        info = self._library.info(name)
        row = ActiveRow(
            name,
            info.title,
            icon_name(info),
            opacity_fixed=info.opacity_fixed,
            faces_in_view=self._faces_in_view,
        )
        row.opacity_chosen.connect(lambda value: self._stack.set_opacity(name, value))
        row.face_chosen.connect(lambda face_id: self._stack.set_face(name, face_id))
        row.removed.connect(lambda: self._stack.set_on(name, False))
        row.stepped.connect(lambda step: self._step(name, step))
        row.grip.dragged.connect(lambda place: self._on_grip_dragged(name, place))
        row.grip.dropped.connect(lambda: self._hold(row, is_held=False))
        return row

    def _faces_in_view(self) -> list[int]:
        result = self._newest_result()
        return [] if result is None else [int(number) for number in result.ids]

    def _step(self, name: str, step: int) -> None:
        self._move(name, self.names.index(name) + step)
        self._scroll.ensureWidgetVisible(self.rows[name])

    def _move(self, name: str, row: int) -> None:
        """Move to a row counted from the front; the stack counts from the back."""
        count = len(self._stack.active)
        self._stack.move(name, count - 1 - min(max(row, 0), count - 1))

    def _on_grip_dragged(self, name: str, place: QPoint) -> None:
        """Let the row change places with the one that the mouse has come to the middle of."""
        row = self.rows[name]
        self._hold(row, is_held=True)
        at = self._content.mapFromGlobal(place).y()
        names = self.names
        here = names.index(name)
        middles = [self.rows[other].geometry().center().y() for other in names]
        there = here
        while there > 0 and at < middles[there - 1]:
            there -= 1
        while there < len(names) - 1 and at > middles[there + 1]:
            there += 1
        if there != here:
            self._move(name, there)
            self._lines.activate()
        self._scroll.ensureVisible(0, at, 0, row.height() // 2)

    def _hold(self, row: ActiveRow, *, is_held: bool) -> None:
        row.setProperty("held", is_held)
        row.update()
