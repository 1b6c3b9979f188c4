"""What stands in for a picture."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QStackedWidget

from fkd_desktop.ui.empty_state import EmptyState

LONG = "There is no weights file nowhere.safetensors; check the path or choose another file, or go on without it."


@pytest.mark.parametrize("width", [560, 1000, 1600])
def test_a_long_sentence_is_shown_whole_in_a_window_of_any_width(qtbot, width: int) -> None:
    pane, state = QStackedWidget(), EmptyState()
    pane.addWidget(state)
    qtbot.addWidget(pane)
    pane.resize(width, 700)
    pane.show()
    for text in ("", LONG, "Short."):
        state.show_state(icon="warning", title="No network", text=text)
        QApplication.processEvents()  # the layout is done in the event loop
        label = state._text
        if text:
            needed = (
                label.fontMetrics().boundingRect(0, 0, label.width(), 1000, Qt.TextFlag.TextWordWrap, text).height()
            )
            assert needed <= label.height() < needed + label.fontMetrics().height()
