"""Switching the virtual camera, and being told what it needs."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLabel, QLineEdit, QToolButton

from fkd_desktop.capture.virtual_camera import VirtualCamera, VirtualCameraState
from fkd_desktop.ui.capture.virtual_camera_dialog import VirtualCameraDialog
from fkd_desktop.workers.virtual_camera import VirtualCameraNeed
from tests.capture import fake_pyvirtualcam


@pytest.fixture
def needs(monkeypatch):
    """Return the set of what is missing; a test changes it."""
    needs: set[VirtualCameraNeed] = set()
    monkeypatch.setattr(VirtualCamera, "needs", lambda _: frozenset(needs))
    return needs


@pytest.fixture
def open_dialog(stage, qtbot, needs):
    def make(system=None):
        dialog = VirtualCameraDialog(stage.capture.virtual_camera, system=system)
        qtbot.addWidget(dialog)
        dialog.show()
        return dialog

    return make


def marks(dialog) -> list[str]:
    return [mark.text() for _, mark in dialog._marks]


def words(dialog) -> str:
    return " ".join(label.text() for label in dialog.findChildren(QLabel))


@pytest.mark.parametrize(
    ("system", "said", "commands"),
    [
        (
            "linux",
            "v4l2loopback",
            ["apt install v4l2loopback", "modprobe v4l2loopback", "usermod", "pyvirtualcam"],
        ),
        ("windows", "OBS Studio 26 or newer", ["pyvirtualcam"]),
        ("macos", "version 30 or newer", ["pyvirtualcam"]),
    ],
)
def test_every_system_has_its_own_steps(open_dialog, system, said, commands):
    dialog = open_dialog(system)
    assert said in words(dialog) and "GPL" in words(dialog)
    fields = dialog.findChildren(QLineEdit)
    assert len(fields) == len(commands)
    assert all(command in field.text() for command, field in zip(commands, fields, strict=True))
    assert all(field.accessibleName() for field in fields)


def test_what_is_missing_is_marked_and_looked_at_again(open_dialog, needs):
    needs.update({VirtualCameraNeed.DRIVER, VirtualCameraNeed.PACKAGE})
    dialog = open_dialog("linux")
    assert marks(dialog) == ["Missing", "Missing", "", "Missing"]
    assert not dialog._toggle.isEnabled()
    assert "missing" in dialog._state.text()
    needs.clear()
    needs.add(VirtualCameraNeed.PERMISSION)
    dialog.check()
    assert marks(dialog) == ["✓ Ready", "✓ Ready", "Missing", "✓ Ready"]
    assert dialog._toggle.isEnabled(), "one may try: not everything can be told from outside"
    needs.clear()
    dialog.check()
    assert dialog._state.text() == "Off."


def test_a_command_can_be_copied(open_dialog, qtbot):
    dialog = open_dialog("linux")
    button = next(b for b in dialog.findChildren(QToolButton) if b.accessibleName() == "Copy the command")
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert QGuiApplication.clipboard().text() == "sudo apt install v4l2loopback-dkms"


def test_it_is_switched_on_and_off(open_dialog, stage, monkeypatch, qtbot):
    fake_pyvirtualcam.install(monkeypatch)
    dialog = open_dialog("linux")
    camera = stage.capture.virtual_camera
    qtbot.mouseClick(dialog._toggle, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: camera.state is VirtualCameraState.ON, timeout=5000)
    assert "/dev/video7" in dialog._state.text() and dialog._toggle.text() == "&Stop"
    assert not dialog._size.isEnabled()
    qtbot.mouseClick(dialog._toggle, Qt.MouseButton.LeftButton)
    assert camera.state is VirtualCameraState.OFF and dialog._toggle.text() == "&Start"


def test_a_failure_is_shown_as_a_sentence(open_dialog, stage, monkeypatch, qtbot):
    fake_pyvirtualcam.install(monkeypatch).refuse_with = "no device"
    dialog = open_dialog("linux")
    qtbot.mouseClick(dialog._toggle, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: stage.capture.virtual_camera.state is VirtualCameraState.FAILED, timeout=5000)
    assert dialog._state.text().startswith("The virtual camera does not work (no device)")
    assert dialog._toggle.isEnabled() and dialog._toggle.text() == "&Start"


def test_the_size_is_chosen_for_the_next_start(open_dialog, stage, qtbot):
    dialog = open_dialog()
    assert dialog._size.currentText() == "1280 × 720"
    with qtbot.waitSignal(dialog.size_chosen) as chosen:
        dialog._size.setCurrentIndex(0)
        dialog._size.activated.emit(0)
    assert chosen.args == [640, 480] and stage.capture.virtual_camera.size_px == (640, 480)
