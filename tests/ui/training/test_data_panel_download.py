"""Downloading the data set from the trainer's window, from a server on this computer."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt

from fkd_desktop.settings import Settings
from fkd_desktop.training.data import DataController, DataState
from fkd_desktop.ui.training import data_panel
from fkd_desktop.ui.training.data_panel import DataPanel
from tests.trainer.download.http_server import HOME, DataServer
from trainer.download import default_folder

TIMEOUT_MS = 30_000


@pytest.fixture
def settings(tmp_path):
    return Settings(tmp_path / "settings.ini")


@pytest.fixture
def make_panel(qtbot, settings):
    made = []

    def make(**options) -> DataPanel:
        data = DataController(**options)
        panel = DataPanel(data, settings)
        panel.data = data
        qtbot.addWidget(panel)
        panel.resize(560, 620)
        panel.show()
        made.append(data)
        return panel

    yield make
    for data in made:
        data.shut_down()


@pytest.fixture
def server(monkeypatch, tiny_data):
    """The drawn faces, published."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with DataServer() as server:
        paths = (path for path in tiny_data.rglob("*") if path.is_file())
        server.files = {f"data/{path.relative_to(tiny_data).as_posix()}": path.read_bytes() for path in paths}
        yield server


def test_a_download_says_first_what_comes_from_where_and_asks_no_server(make_panel, server, qtbot):
    panel = make_panel(source=server.source())
    qtbot.mouseClick(panel.notice.buttons()[2], Qt.MouseButton.LeftButton)
    for words in (HOME, str(default_folder()), data_panel.PUBLISHED_SIZE):
        assert words in panel.notice.text
    qtbot.mouseClick(panel.no_button, Qt.MouseButton.LeftButton)
    assert panel.data.state is DataState.NONE
    assert len(panel.notice.buttons()) == 3
    assert server.requests == []


def test_a_download_is_shown_checked_and_remembered(make_panel, server, settings, qtbot):
    panel = make_panel(source=server.source())
    server.delay_s = 0.03
    shown = set()
    panel.data.progressed.connect(lambda: shown.add((panel.notice.title, panel.notice.text, panel.notice.bar.value())))
    panel.ask_to_download()
    qtbot.mouseClick(panel.yes_button, Qt.MouseButton.LeftButton)
    assert panel.notice.text == "Asking what there is to fetch…"
    assert panel.notice.bar.isVisible()
    qtbot.waitUntil(panel.details.isVisible, timeout=TIMEOUT_MS)
    fetching = [
        value for title, text, value in shown if title == "Downloading the data set" and " MB are there" in text
    ]
    assert any(0 < value < 1000 for value in fetching)
    assert panel.details.message.startswith("35 pictures are in ")
    assert settings.data_folder == str(default_folder())


def test_a_cancelled_download_says_that_it_goes_on_from_there(make_panel, server, qtbot):
    panel = make_panel(source=server.source(connections=1))
    server.delay_s = 0.05
    panel.ask_to_download()
    panel.yes_button.click()
    qtbot.waitUntil(lambda: panel.notice.bar.value() > 0, timeout=TIMEOUT_MS)
    qtbot.mouseClick(panel.cancel_button, Qt.MouseButton.LeftButton)
    assert panel.notice.text.endswith("the next one goes on from there.")
    assert [button.isVisible() for button in panel.notice.buttons()] == [True] * 3
