"""The settings of the main window: the dialog, and letting each of them take effect."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

if TYPE_CHECKING:
    from PySide6.QtWidgets import QMainWindow

    from fkd_desktop.controller import Controller
    from fkd_desktop.settings import Settings
    from fkd_desktop.ui.capture_desk import CaptureDesk
    from fkd_desktop.ui.commands import Commands
    from fkd_desktop.ui.overlay_desk import OverlayDesk
    from fkd_desktop.ui.preferences import PreferencesDialog


class PreferencesDesk(QObject):
    """Keeps settings, session, commands and what is painted in step.

    Parameters
    ----------
    controller
        Smooths, loops, and runs the network somewhere.
    settings
        What is wished for.
    commands
        Show it, and change it too.
    overlays, capture
        Follow it.
    window
        Parent of the dialog.
    """

    was_reset = Signal()
    """All settings are the defaults again, and have taken effect here."""

    def __init__(
        self,
        controller: Controller,
        settings: Settings,
        *,
        commands: Commands,
        overlays: OverlayDesk,
        capture: CaptureDesk,
        window: QMainWindow,
    ) -> None:
        super().__init__(window)
        self._controller, self._settings, self._window = controller, settings, window
        self._commands, self._overlays, self._capture = commands, overlays, capture
        self.dialog: PreferencesDialog | None = None
        for level, action in commands.smoothing.items():
            action.triggered.connect(lambda _on, level=level: self._set("smoothing", level))
        commands.mirror.toggled.connect(lambda on: self._set("mirrored", on))

    @Slot()
    def open(self) -> None:
        """Show the preferences; the session goes on behind them."""
        if self.dialog is None:
            from fkd_desktop.ui.preferences import PreferencesDialog  # noqa: PLC0415 (see `Settling`)

            self.dialog = PreferencesDialog(self._settings, weights=self._controller.weights, parent=self._window)
            self.dialog.changed.connect(self.apply)
            self.dialog.reset.connect(self._on_dialog_reset)
        self.dialog.show_settings()
        self.dialog.show()
        self.dialog.raise_()
        self.dialog.activateWindow()

    def shut_down(self) -> None:
        """Close the dialog."""
        if self.dialog is not None:
            self.dialog.close()

    @Slot(str)
    def apply(self, name: str) -> None:
        """Let a setting take effect."""
        settings = self._settings
        match name:
            case "mirrored":
                self._commands.mirror.setChecked(settings.mirrored)
                self._overlays.set_mirrored(settings.mirrored)
                self._capture.apply()
            case "smoothing":
                self._controller.smoothing = settings.smoothing
                self._commands.smoothing[settings.smoothing].setChecked(True)
            case "device":
                self._controller.set_device(settings.device)
            case "loops_videos" if self._controller.source_name != "demo":
                self._controller.playback.set_loop(settings.loops_videos)
            case _:
                self._capture.apply()

    def _set(self, name: str, value: object) -> None:
        setattr(self._settings, name, value)
        self.apply(name)

    @Slot()
    def _on_dialog_reset(self) -> None:
        for name in ("mirrored", "smoothing", "device", "loops_videos"):
            self.apply(name)
        self._capture.apply()
        self._overlays.actions.keys = self._settings.overlay_keys
        self._overlays.restore(None)
        self.was_reset.emit()
