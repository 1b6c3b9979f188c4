"""When there is a welcome, and what its steps do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Slot

if TYPE_CHECKING:
    from fkd_desktop.controller import Controller
    from fkd_desktop.settings import Settings
    from fkd_desktop.ui.commands import Commands
    from fkd_desktop.ui.overlay_desk import OverlayDesk
    from fkd_desktop.ui.session_pane import SessionPane
    from fkd_desktop.ui.source_opener import SourceOpener
    from fkd_desktop.ui.welcome.panel import WelcomePanel

TRIED_OVERLAYS: Final = ("keypoints", "sunglasses", "hat", "dog", "blur")
DEMO: Final = "demo"


class WelcomeDesk(QObject):
    """Shows three steps below the picture at the first start, and when asked to; the session goes on above them.

    Parameters
    ----------
    controller
        Knows what is shown.
    settings
        Remember that they were shown.
    pane
        Has the place for them.
    opener, overlays, commands
        Do what the steps offer.
    """

    def __init__(
        self,
        controller: Controller,
        settings: Settings,
        *,
        pane: SessionPane,
        opener: SourceOpener,
        overlays: OverlayDesk,
        commands: Commands,
    ) -> None:
        super().__init__(pane)
        self._controller, self._settings, self._pane = controller, settings, pane
        self._opener, self._overlays, self._commands = opener, overlays, commands
        self.panel: WelcomePanel | None = None

    @Slot()
    def greet(self) -> None:
        """Show the first step to whoever has never seen it."""
        if not self._settings.welcomed:
            self.show()

    @Slot()
    def show(self) -> None:
        """Show the first step."""
        self._settings.welcomed = True  # it was seen, whatever ends it
        if self.panel is None:
            self.panel = self._make_panel()
        self.panel.show_step(0)
        self._show_cameras()
        self.panel.show()
        self.panel.next_button.setFocus()

    def skip(self) -> bool:
        """Put the welcome away; whether there was one."""
        if self.panel is None or self.panel.isHidden():
            return False
        had_focus = self.panel.isAncestorOf(self._pane.window().focusWidget() or self._pane)
        self.panel.hide()
        if had_focus:
            if self._pane.shows_picture:
                self._pane.view.setFocus()
            else:
                self._pane.empty_state.take_focus()
        return True

    def _make_panel(self) -> WelcomePanel:
        from fkd_desktop.ui.welcome.panel import WelcomePanel  # noqa: PLC0415 (needed once in a lifetime)

        actions = self._overlays.actions.actions
        panel = WelcomePanel(
            overlays=[actions[name] for name in TRIED_OVERLAYS if name in actions],
            gallery=self._commands.gallery,
            train=self._commands.train,
        )
        panel.ended.connect(self.skip)
        panel.source_chosen.connect(self._opener.open)
        self._opener.watcher.cameras_changed.connect(self._show_cameras)
        self._controller.session_changed.connect(self._show_cameras)
        self._pane.add_below(panel)
        return panel

    @Slot()
    def _show_cameras(self) -> None:
        if self.panel is None:
            return
        cameras = {camera.source_name(): camera.name for camera in self._opener.watcher.cameras}
        in_use = self._opener.cameras.camera_in_use
        name = in_use.source_name() if in_use is not None else self._controller.source_name
        self.panel.show_sources({**cameras, DEMO: ""}, name)
