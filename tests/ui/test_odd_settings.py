"""Whatever the settings hold, the window and all that it opens come up, and nothing is raised."""

from __future__ import annotations

import pytest

from fkd_desktop.controller import Controller, SessionState
from fkd_desktop.settings import Settings
from fkd_desktop.ui.main_window import MainWindow

pytestmark = pytest.mark.usefixtures("threads_end")

TEXTS = ("overlays", "source", "last_folder", "weights", "pictures_folder", "videos_folder", "export_folder")


@pytest.mark.parametrize("odd", ["x" * 5000, "a\0b", "\ud800", "~nobody at all/x", "http://[", "\n"], ids=ascii)
def test_everything_opens_with_settings_of_no_sense(qtbot, tmp_path, caplog, odd):
    settings = Settings(tmp_path / "settings.ini")
    for name in (*TEXTS, "data_folder", "language"):
        setattr(settings, name, odd)
    settings.recent_sources = settings.export_formats = (odd,)
    settings.overlay_keys = {odd: odd}
    controller = Controller(device="cpu")
    window = MainWindow(controller, settings)
    qtbot.addWidget(window)
    window.show()
    window.opener.open(settings.source)
    window.capture.controller.recover_recordings()
    window.export.open()
    window.open_preferences()
    window.workshop.open_trainer()
    window.workshop.open_browser()
    window.opener.recent.aboutToShow.emit()
    qtbot.waitUntil(lambda: controller.session_state is SessionState.FAILED, timeout=10_000)
    window.leave()
    assert not [record for record in caplog.records if record.exc_info], caplog.text
