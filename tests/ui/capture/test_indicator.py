"""The sign of a recording over the picture."""

from __future__ import annotations

from fkd_desktop.ui.capture.indicator import FloatingIndicator


def test_over_the_picture_it_is_there_only_where_it_is_wanted_and_while_a_recording_runs(stage, window, qtbot):
    floating = FloatingIndicator(stage.capture, window.view)
    stage.capture.start_recording()
    assert not floating.isVisible(), "the status bar says it"
    floating.set_wanted(True)
    assert floating.isVisible()
    assert floating.text().startswith("0:0")
    with qtbot.waitSignal(floating.stop_requested):
        floating.click()
    stage.capture.stop_recording()
    assert not floating.isVisible()
    stage.capture.start_recording()
    assert floating.isVisible()
    floating.set_wanted(False)
    assert not floating.isVisible()
