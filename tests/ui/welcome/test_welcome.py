"""The welcome: at the first start only, out of the way at once, and its steps do what they say."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, Qt, QTimer
from PySide6.QtWidgets import QApplication, QDialog

from fkd_desktop import app
from fkd_desktop.controller import Controller
from fkd_desktop.live.sources.cameras import CameraInfo
from fkd_desktop.settings import Settings
from fkd_desktop.ui.main_window import MainWindow
from fkd_desktop.ui.welcome import panel as panel_module
from tests.fakes import FakeCamera

pytestmark = pytest.mark.usefixtures("threads_end")
CAMERAS = (CameraInfo(id="usb-1", name="Front", index=0), CameraInfo(id="usb-2", name="Back & side", index=2))


@pytest.fixture
def settings(tmp_path):
    return Settings(tmp_path / "settings.ini")


@pytest.fixture
def window(qtbot, settings):
    window = MainWindow(Controller(device="cpu"), settings)
    qtbot.addWidget(window)
    window.opener.watcher._list_cameras = lambda: CAMERAS
    window.show()
    window.activateWindow()
    qtbot.waitExposed(window)
    yield window
    window.leave()


@pytest.fixture
def panel(window):
    window.welcome.greet()
    return window.welcome.panel


def test_it_comes_once(window, settings, qtbot):
    window.welcome.greet()
    panel = window.welcome.panel
    assert panel.isVisible()
    assert settings.welcomed, "also for one who closes the window now"
    panel.skip_button.click()
    assert panel.isHidden()
    window.welcome.greet()
    assert panel.isHidden()
    window.commands.welcome.trigger()
    assert panel.isVisible(), "but whoever asks for it sees it"
    assert panel.step == 0


def test_nobody_who_has_seen_it_sees_it_again(window, settings):
    settings.welcomed = True
    window.welcome.greet()
    assert window.welcome.panel is None


def test_it_lies_below_the_picture_and_blocks_nothing(window, panel):
    assert not panel.isWindow()
    assert panel.geometry().top() >= window.pane.stage.geometry().bottom()
    assert not window.findChildren(QDialog)
    before = window.commands.mirror.isChecked()
    window.commands.mirror.trigger()
    assert window.commands.mirror.isChecked() is not before


def test_escape_skips_it_from_wherever_the_focus_is(window, panel, qtbot):
    window.pane.empty_state.take_focus()
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert panel.isHidden()


def test_escape_leaves_fullscreen_first(window, panel, qtbot):
    window.commands.fullscreen.setChecked(True)
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert not window.commands.fullscreen.isChecked()
    assert panel.isVisible()
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert panel.isHidden()


def test_the_keyboard_goes_through_it_and_the_picture_has_the_focus_after(window, panel, qtbot):
    assert panel.next_button.hasFocus()
    for step, title in enumerate(("Camera and privacy", "Overlays", "Training, when you want it")):
        assert (panel.step, panel.title) == (step, title)
        assert panel.back_button.isEnabled() is (step > 0)
        qtbot.keyClick(panel.next_button, Qt.Key.Key_Space)
    assert panel.isHidden()
    assert window.pane.empty_state.isAncestorOf(window.focusWidget())


def test_back_leaves_the_focus_on_something(panel, qtbot):
    panel.next_button.click()
    panel.back_button.setFocus()
    qtbot.keyClick(panel.back_button, Qt.Key.Key_Space)
    assert panel.step == 0
    assert panel.next_button.hasFocus()


def test_those_who_cannot_see_it_are_told_each_step(panel, monkeypatch):
    told = []
    monkeypatch.setattr(
        panel_module.QAccessible, "updateAccessibility", lambda event: told.append(event.message()), raising=True
    )
    panel.next_button.click()
    (text,) = told
    assert text.startswith("2 of 3. Overlays. Put something on")


def test_it_offers_the_cameras_that_there_are_and_opens_the_one_chosen(window, panel, qtbot, register):
    opened = []
    register("camera", lambda text: opened.append(text) or FakeCamera())
    window.opener.watcher.refresh()
    qtbot.waitUntil(lambda: panel.sources.count() == 3, timeout=5000)
    assert [panel.sources.itemText(i) for i in range(3)] == ["Front", "Back & side", "Demo clip"]
    panel.sources.setCurrentIndex(1)
    panel.sources.activated.emit(1)
    qtbot.waitUntil(lambda: window.view.live_frame is not None, timeout=5000)
    assert "usb-2" in opened[0]
    assert panel.sources.currentText() == "Back & side"
    assert panel.isVisible()


def test_without_a_camera_it_says_so_and_offers_the_clip(window, panel):
    assert [panel.sources.itemText(i) for i in range(2)] == ["No camera found: plug one in", "Demo clip"]
    panel.sources.activated.emit(0)
    assert not window._controller.session_state.is_running, "the note is no source"


def test_a_click_puts_an_overlay_on_and_takes_it_off(window, panel, qtbot):
    panel.next_button.click()
    buttons = {button.text(): button for button in panel.overlay_buttons}
    assert list(buttons) == ["Keypoints", "Sunglasses", "Hat", "Dog", "Blur faces", "Overlays"]
    qtbot.mouseClick(buttons["Hat"], Qt.MouseButton.LeftButton)
    assert window.overlays.stack.is_on("hat")
    qtbot.mouseClick(buttons["Hat"], Qt.MouseButton.LeftButton)
    assert not window.overlays.stack.is_on("hat")
    qtbot.mouseClick(buttons["Overlays"], Qt.MouseButton.LeftButton)
    assert window.overlays.dock.isVisible()


def test_the_last_step_leads_to_the_trainer_and_to_the_manual(window, panel, monkeypatch):
    asked = []
    monkeypatch.setattr(panel_module, "show_manual", lambda page: asked.append(page) or "")
    panel.show_step(2)
    assert panel.skip_button.isHidden()
    assert panel.next_button.text() == "Done"
    panel.read_button.click()
    assert asked == ["training"]
    with_trainer = []
    window.commands.train.triggered.disconnect()
    window.commands.train.triggered.connect(lambda: with_trainer.append(True))
    panel.train_button.click()
    assert with_trainer == [True]


@pytest.mark.parametrize(("arguments", "is_welcomed"), [([], True), (["--source", "demo"], False)])
def test_main_greets_whoever_names_no_source(qapp, qtbot, arguments, is_welcomed):
    seen, failure = [], []

    def look():
        window = next(w for w in QApplication.topLevelWidgets() if isinstance(w, MainWindow) and w.isVisible())
        try:
            state = window._controller.session_state
            qtbot.waitUntil(
                lambda: window._controller.session_state is not state or bool(window._controller.source_name)
            )
            seen.append(window.welcome.panel is not None and window.welcome.panel.isVisible())
        except BaseException as error:
            failure.append(error)
        finally:
            window.close()

    QTimer.singleShot(0, lambda: QTimer.singleShot(50, look))
    assert app.main(arguments) == 0
    QCoreApplication.removePostedEvents(QApplication.instance(), QEvent.Type.Quit)
    assert not failure, failure
    assert seen == [is_welcomed]
    assert Settings().welcomed is is_welcomed, "who named a source is welcomed at the next start without one"
