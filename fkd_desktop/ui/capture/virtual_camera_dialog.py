"""Switching the virtual camera, and what it needs on this system."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from PySide6.QtCore import QEvent, Qt, Signal, Slot
from PySide6.QtGui import QFontDatabase, QGuiApplication, QPalette
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from fkd_desktop.capture.virtual_camera import VirtualCameraState
from fkd_desktop.ui.icons import action_icon, tinted_pixmap
from fkd_desktop.ui.words import sentence
from fkd_desktop.workers.virtual_camera import SIZES_PX, VirtualCameraNeed

if TYPE_CHECKING:
    from fkd_desktop.capture.virtual_camera import VirtualCamera

System = Literal["linux", "windows", "macos"]
_WIDTH_PX: Final = 720
_MIN_WIDTH_PX: Final = 480
_STATE_LINES: Final = 3


@dataclass(frozen=True)
class Step:
    """Something to be done once before the virtual camera works.

    Attributes
    ----------
    need
        What is missing as long as it is not done; None where that cannot be told.
    text
        What to do.
    command
        What to type into a terminal for it; empty for nothing.
    """

    need: VirtualCameraNeed | None
    text: str
    command: str = ""


def this_system() -> System:
    """Return the system that this runs on."""
    if sys.platform == "win32":
        return "windows"
    return "macos" if sys.platform == "darwin" else "linux"


class VirtualCameraDialog(QDialog):
    """Not modal: the picture moves on behind it.

    Parameters
    ----------
    camera
        What it switches.
    system
        Whose steps it explains.
    """

    size_chosen = Signal(int, int)
    """Width and height, for the settings."""

    def __init__(self, camera: VirtualCamera, parent: QWidget | None = None, *, system: System | None = None) -> None:
        super().__init__(parent)
        self._camera = camera
        self._system: System = system or this_system()
        self._marks: list[tuple[Step, QLabel]] = []
        self._copy_buttons: list[QToolButton] = []
        self.setWindowTitle(self.tr("Virtual camera"))
        self._layout = layout = QVBoxLayout(self)
        layout.setSpacing(12)
        intro = self.tr(
            "Other programs see a virtual camera like any other: a video call then shows your picture with its "
            "overlays. FKD Desktop itself sends nothing anywhere."
        )
        layout.addWidget(_wrapped(intro))
        layout.addWidget(self._make_state())
        layout.addLayout(self._make_size())
        heading = QLabel(self.tr("What it needs, once"))
        font = heading.font()
        font.setBold(True)
        heading.setFont(font)
        layout.addWidget(heading)
        for number, step in enumerate(self._steps(), 1):
            layout.addWidget(self._make_step(number, step))
        layout.addWidget(_wrapped(self._hint()))
        layout.addStretch(1)
        layout.addWidget(self._make_buttons())
        self.setMinimumWidth(_MIN_WIDTH_PX)
        camera.changed.connect(self._show_state)
        self.resize(_WIDTH_PX, 1)
        self.check()

    def check(self) -> None:
        """Look again at what is missing."""
        needs = self._camera.needs()
        # Package and device can be told apart; the rest only shows when the camera is opened, so one may always try.
        self._toggle.setEnabled(VirtualCameraNeed.PACKAGE not in needs or self._camera.is_on)
        for step, mark in self._marks:
            is_done = step.need not in needs
            # Without a device nobody can tell who may use it.
            known = step.need is not None and not (
                step.need is VirtualCameraNeed.PERMISSION and VirtualCameraNeed.DRIVER in needs
            )
            mark.setText((self.tr("✓ Ready") if is_done else self.tr("Missing")) if known else "")
            font = mark.font()
            font.setBold(known and not is_done)
            mark.setFont(font)
        self._needs = needs
        self._show_state()

    # --- making

    def _make_state(self) -> QWidget:
        frame = QFrame()
        frame.setFrameShape(QFrame.Shape.StyledPanel)
        self._icon = QLabel()
        self._state = _wrapped("")
        self._state.setAccessibleName(self.tr("state of the virtual camera"))
        # Room for a long sentence from the beginning, so that nothing moves when there is one.
        self._state.setMinimumHeight(_STATE_LINES * self._state.fontMetrics().lineSpacing())
        self._toggle = QPushButton()
        self._toggle.setDefault(True)
        self._toggle.clicked.connect(self._on_toggle_clicked)
        row = QHBoxLayout(frame)
        row.addWidget(self._icon)
        row.addWidget(self._state, 1)
        row.addWidget(self._toggle)
        return frame

    def _make_size(self) -> QFormLayout:
        self._size = QComboBox()
        self._size.setAccessibleName(self.tr("size of the picture"))
        for width, height in SIZES_PX:
            self._size.addItem(f"{width} × {height}", (width, height))
        self._size.setCurrentIndex(max(0, self._size.findText("{} × {}".format(*self._camera.size_px))))
        self._size.setToolTip(self.tr("The picture is fitted into it, with black bars where it needs them"))
        self._size.activated.connect(self._on_size_activated)
        form = QFormLayout()
        form.addRow(self.tr("Si&ze:"), self._size)
        return form

    def _make_step(self, number: int, step: Step) -> QWidget:
        widget = QWidget()
        column = QVBoxLayout(widget)
        column.setContentsMargins(0, 0, 0, 0)
        head = QHBoxLayout()
        head.addWidget(_wrapped(f"{number}. {step.text}"), 1)
        mark = QLabel()
        mark.setAccessibleName(self.tr("step {0}").format(number))
        head.addWidget(mark, alignment=Qt.AlignmentFlag.AlignTop)
        self._marks.append((step, mark))
        column.addLayout(head)
        if step.command:
            column.addLayout(self._make_command(step.command))
        return widget

    def _make_command(self, command: str) -> QHBoxLayout:
        field = QLineEdit(command)
        field.setReadOnly(True)
        field.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        field.setAccessibleName(self.tr("command for a terminal"))
        field.setCursorPosition(0)
        copy = QToolButton()
        copy.setIcon(action_icon("copy"))
        copy.setToolTip(self.tr("Copy"))
        copy.setAccessibleName(self.tr("Copy the command"))
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(command))
        self._copy_buttons.append(copy)
        row = QHBoxLayout()
        row.setContentsMargins(18, 0, 0, 0)
        row.addWidget(field, 1)
        row.addWidget(copy)
        return row

    def _make_buttons(self) -> QDialogButtonBox:
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        check = buttons.addButton(self.tr("Check &again"), QDialogButtonBox.ButtonRole.ActionRole)
        check.setAutoDefault(False)
        check.clicked.connect(self.check)
        buttons.rejected.connect(self.close)
        return buttons

    def _steps(self) -> tuple[Step, ...]:
        package = Step(
            VirtualCameraNeed.PACKAGE,
            self.tr("Install the package pyvirtualcam. Its licence is the GPL, so it does not come with FKD Desktop:"),
            f'"{sys.executable}" -m pip install pyvirtualcam',
        )
        match self._system:
            case "linux":
                return (
                    Step(
                        VirtualCameraNeed.DRIVER,
                        self.tr("Install the driver v4l2loopback. On Debian and Ubuntu:"),
                        "sudo apt install v4l2loopback-dkms",
                    ),
                    Step(
                        VirtualCameraNeed.DRIVER,
                        self.tr("Load it, after each start of the computer:"),
                        'sudo modprobe v4l2loopback devices=1 exclusive_caps=1 card_label="FKD Desktop"',
                    ),
                    Step(
                        VirtualCameraNeed.PERMISSION,
                        self.tr("Be allowed to use cameras; log in again afterwards:"),
                        "sudo usermod -aG video $USER",
                    ),
                    package,
                )
            case "windows":
                return (
                    Step(
                        VirtualCameraNeed.DRIVER,
                        self.tr("Install OBS Studio 26 or newer from obsproject.com. It brings the virtual camera."),
                    ),
                    package,
                )
            case "macos":
                return (
                    Step(
                        VirtualCameraNeed.DRIVER,
                        self.tr(
                            "Install OBS Studio from obsproject.com into Applications: version 30 or newer, or 28 on "
                            "macOS 12."
                        ),
                    ),
                    Step(
                        None,
                        self.tr(
                            "Open OBS and click “Start Virtual Camera”. Allow its camera extension in the System "
                            "Settings when macOS asks. Then click “Stop Virtual Camera” and quit OBS."
                        ),
                    ),
                    package,
                )

    def _hint(self) -> str:
        if self._system == "linux":
            return self.tr("Browsers and call programs list the new camera after they were started again.")
        return self.tr(
            "Only one program at a time can feed this camera: stop it in OBS first. Call programs list it after they "
            "were started again."
        )

    # --- state

    @Slot()
    def _show_state(self) -> None:
        camera = self._camera
        match camera.state:
            case VirtualCameraState.ON:
                text = self.tr("On. Choose the camera “{0}” in the other program.").format(camera.message)
            case VirtualCameraState.OPENING:
                text = self.tr("Opening…")
            case VirtualCameraState.FAILED:
                text = sentence(camera.message)
            case VirtualCameraState.OFF:
                text = self.tr("Off.")
                if self._needs:
                    text = self.tr("Off. Something that it needs is missing, see below.")
        self._state.setText(text)
        self._toggle.setText(self.tr("&Stop") if camera.is_on else self.tr("&Start"))
        self._size.setEnabled(not camera.is_on)
        self._show_icons()
        self._make_room()

    def _make_room(self) -> None:
        """Grow as far as the words need; by itself, a dialog takes the height that they would have in a narrow one."""
        self._layout.activate()
        self.resize(self.width(), max(self.height(), self._layout.totalHeightForWidth(self.width())))

    def _show_icons(self) -> None:
        has_failed = self._camera.state is VirtualCameraState.FAILED
        colour = self.palette().color(QPalette.ColorRole.WindowText)
        name = "warning" if has_failed else "virtual-camera"
        self._icon.setPixmap(tinted_pixmap(name, 24, colour, self.devicePixelRatioF()))
        for button in self._copy_buttons:
            button.setIcon(action_icon("copy"))

    @Slot()
    def _on_toggle_clicked(self) -> None:
        if self._camera.is_on:
            self._camera.stop()
        else:
            self._camera.start()
        self.check()

    @Slot(int)
    def _on_size_activated(self, index: int) -> None:
        self._camera.size_px = tuple(self._size.itemData(index))
        self.size_chosen.emit(*self._camera.size_px)

    def changeEvent(self, event: QEvent) -> None:
        """Give icons the new theme's colours."""
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_needs"):
            self._show_icons()
        super().changeEvent(event)


def _wrapped(text: str) -> QLabel:
    label = QLabel(text, textFormat=Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label
