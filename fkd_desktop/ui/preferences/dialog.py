"""Preferences: each takes effect at once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLabel,
    QMessageBox,
    QPushButton,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from fkd_desktop.capture.files import default_pictures_folder, default_videos_folder
from fkd_desktop.i18n import LANGUAGES
from fkd_desktop.live.smoothing import SmoothingLevel
from fkd_desktop.settings import Settings
from fkd_desktop.ui.manual import help_button
from fkd_desktop.ui.preferences.device_list import DeviceList
from fkd_desktop.ui.preferences.folder_row import FolderRow

if TYPE_CHECKING:
    from collections.abc import Iterable

    from PySide6.QtGui import QHideEvent


class PreferencesDialog(QDialog):
    """What a user may want otherwise, on four pages. The session goes on behind it.

    Parameters
    ----------
    settings
        Read, and written at once.
    weights
        Of the network in use: devices are measured with it.
    """

    changed = Signal(str)
    """The name of an attribute of `Settings` that has another value now."""
    reset = Signal()
    """All settings are the defaults again."""

    def __init__(self, settings: Settings, *, weights: Path | None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._settings = settings
        self._question: QMessageBox | None = None
        self._boxes: dict[QCheckBox, str] = {}
        self._combos: dict[QComboBox, str] = {}
        self.setWindowTitle(self.tr("Preferences"))
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.setAccessibleName(self.tr("Pages of the preferences"))
        self._make_general()
        self._make_picture()
        self._make_network(weights)
        self._make_capture()
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        self._reset = QPushButton(self.tr("Reset all…"))
        self._reset.setAutoDefault(False)
        self._reset.clicked.connect(self._on_reset_clicked)
        buttons.addButton(self._reset, QDialogButtonBox.ButtonRole.ResetRole)
        buttons.addButton(help_button("live", "preferences"), QDialogButtonBox.ButtonRole.HelpRole)
        buttons.rejected.connect(self.close)
        layout = QVBoxLayout(self)
        layout.addWidget(self.tabs)
        layout.addWidget(buttons)
        self.tabs.currentChanged.connect(self._on_tab_changed)
        self.show_settings()
        self.resize(540, 340)

    # --- pages

    def _make_general(self) -> None:
        form = self._add_page(self.tr("General"))
        self.language = self._add_choice(
            form,
            self.tr("Language"),
            "language",
            [("", self.tr("As the system says")), *LANGUAGES.items()],
        )
        note = QLabel(self.tr("A new language is used from the next start on."))
        note.setWordWrap(True)
        form.addRow("", note)
        self.last_source = self._add_check(
            form, self.tr("&Start with the source that was used last"), "starts_with_last_source"
        )
        self.release = self._add_check(
            form, self.tr("&Let go of the camera while the window is minimised"), "releases_camera_when_minimised"
        )

    def _make_picture(self) -> None:
        form = self._add_page(self.tr("Picture"))
        self.mirror = self._add_check(form, self.tr("&Mirror the picture"), "mirrored")
        self.smoothing = self._add_choice(
            form,
            self.tr("Smoothing"),
            "smoothing",
            [
                (SmoothingLevel.OFF, self.tr("Off: every measurement as it is")),
                (SmoothingLevel.LOW, self.tr("Low: still on a still face, no lag on a moving one")),
                (SmoothingLevel.HIGH, self.tr("High: as still as can be; quick motion lags a little")),
            ],
        )
        self.loop = self._add_check(form, self.tr("&Play videos again and again"), "loops_videos")

    def _make_network(self, weights: Path | None) -> None:
        form = self._add_page(self.tr("Network"))
        self.devices = DeviceList(self._settings.device, weights=weights)
        self.devices.device_chosen.connect(lambda device: self._set("device", device))
        form.addRow(self.tr("Runs on"), self.devices)
        note = QLabel(self.tr("Which network finds the keypoints is chosen in the Network menu."))
        note.setWordWrap(True)
        form.addRow("", note)

    def _make_capture(self) -> None:
        form = self._add_page(self.tr("Capture"))
        self.pictures = FolderRow(self.tr("Folder for pictures"))
        self.pictures.chosen.connect(lambda path: self._set("pictures_folder", path))
        form.addRow(self.tr("Pictures"), self.pictures)
        self.videos = FolderRow(self.tr("Folder for videos"))
        self.videos.chosen.connect(lambda path: self._set("videos_folder", path))
        form.addRow(self.tr("Videos"), self.videos)
        self.countdown = self._add_choice(
            form,
            self.tr("Countdown"),
            "countdown_s",
            [(0, self.tr("None")), *((s, self.tr("%n second(s)", "", s)) for s in (3, 5, 10))],
        )
        self.format = self._add_choice(
            form,
            self.tr("Format"),
            "picture_format",
            [("png", self.tr("PNG: every pixel as it is")), ("jpg", self.tr("JPEG: smaller files"))],
        )

    # --- showing and storing

    def show_settings(self) -> None:
        """Show what the settings are now."""
        settings = self._settings
        for box, name in self._boxes.items():
            box.blockSignals(True)
            box.setChecked(getattr(settings, name))
            box.blockSignals(False)
        for combo, name in self._combos.items():
            combo.blockSignals(True)
            combo.setCurrentIndex(max(0, combo.findData(getattr(settings, name))))
            combo.blockSignals(False)
        self.devices.choose(settings.device)
        self.pictures.show_path(Path(settings.pictures_folder or default_pictures_folder()))
        self.videos.show_path(Path(settings.videos_folder or default_videos_folder()))

    def _set(self, name: str, value: Any) -> None:
        setattr(self._settings, name, value)
        self.changed.emit(name)

    def _add_page(self, title: str) -> QFormLayout:
        page = QWidget()
        form = QFormLayout(page)
        form.setContentsMargins(18, 18, 18, 18)
        form.setHorizontalSpacing(16)
        form.setVerticalSpacing(12)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self.tabs.addTab(page, title)
        return form

    def _add_check(self, form: QFormLayout, text: str, name: str) -> QCheckBox:
        box = QCheckBox(text)
        box.toggled.connect(lambda on: self._set(name, on))
        self._boxes[box] = name
        form.addRow("", box)
        return box

    def _add_choice(self, form: QFormLayout, title: str, name: str, choices: Iterable[tuple[object, str]]) -> QComboBox:
        combo = QComboBox()
        combo.setAccessibleName(title)
        for value, text in choices:
            combo.addItem(text, value)
        combo.activated.connect(lambda _index: self._set(name, combo.currentData()))
        self._combos[combo] = name
        form.addRow(title, combo)
        return combo

    # --- events

    @Slot(int)
    def _on_tab_changed(self, _index: int) -> None:
        page = self.tabs.currentWidget()
        if page is not None and page.isAncestorOf(self.devices):
            self.devices.start()

    @Slot()
    def _on_reset_clicked(self) -> None:
        box = QMessageBox(self)
        box.setIcon(QMessageBox.Icon.Question)
        box.setWindowTitle(self.tr("Reset all settings"))
        box.setText(self.tr("Make all settings what they were at the first start?"))
        box.setInformativeText(self.tr("Your own overlays, pictures, videos and training runs are not touched."))
        reset = box.addButton(self.tr("Reset"), QMessageBox.ButtonRole.DestructiveRole)
        box.addButton(QMessageBox.StandardButton.Cancel)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)

        def on_box_finished() -> None:
            self._question = None
            if box.clickedButton() is reset:
                self._settings.reset()
                self.show_settings()
                self.reset.emit()

        box.finished.connect(on_box_finished)
        self._question = box
        box.open()

    def hideEvent(self, event: QHideEvent) -> None:
        """Measure no longer."""
        self.devices.stop()
        super().hideEvent(event)
