"""What a user may do during a long session, by name."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtWidgets import QApplication, QDialog, QWidget

from fkd_desktop.live.smoothing import SmoothingLevel

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from fkd_desktop.ui.main_window import MainWindow

KEPT_FILES: Final = 5


class Deeds:
    """Everything that is done at random, and undone some frames later.

    Parameters
    ----------
    later
        Called with the least and most frames, and what to do after so many.
    material
        Files to open.
    home
        The source that everything comes back to.
    """

    def __init__(
        self,
        window: MainWindow,
        random: Random,
        *,
        later: Callable[[int, int, Callable[[], object]], None],
        material: Path,
        home: str,
    ) -> None:
        self._window, self._random, self._later, self._material, self._home = window, random, later, material, home
        self.away = False
        """Whether another source is shown, where frames may not come."""
        self.all: dict[str, tuple[int, Callable[[], object]]] = {
            "overlay": (8, self._toggle_overlay),
            "no overlays": (1, window.commands.no_layers.trigger),
            "opacity": (2, self._set_opacity),
            "smoothing": (1, self._set_smoothing),
            "mirror": (1, window.commands.mirror.trigger),
            "zoom": (2, self._zoom),
            "gallery": (2, window.commands.gallery.trigger),
            "fullscreen": (1, self._fullscreen),
            "size": (1, self._resize),
            "network": (2, self._swap_network),
            "record": (3, self._record),
            "picture": (3, window.capture.actions.snapshot.trigger),
            "plain picture": (1, window.capture.actions.snapshot_plain.trigger),
            "burst": (1, window.capture.actions.burst.trigger),
            "copy": (1, window.capture.actions.copy.trigger),
            "table": (2, self._export),
            "trainer": (3, lambda: self._visit(window.commands.train.trigger)),
            "browser": (1, lambda: self._visit(window.commands.browse.trigger)),
            "inspector": (1, lambda: self._visit(window.commands.inspect.trigger)),
            "preferences": (1, lambda: self._visit(window.commands.preferences.trigger)),
            "export dialog": (1, lambda: self._visit(window.commands.export.trigger)),
            "manual": (1, lambda: self._visit(window.commands.manual.trigger)),
            "shortcuts": (1, lambda: self._visit(window.commands.shortcuts.trigger)),
            "about": (1, lambda: self._visit(window.commands.about.trigger)),
            "welcome": (1, lambda: self._visit(window.commands.welcome.trigger)),
            "diagnostics": (1, window.commands.diagnostics.trigger),
            "same source": (2, lambda: self._go(self._home)),
            "stop": (1, self._stop),
            "demo": (2, lambda: self._go("demo")),
            "film": (2, lambda: self._go(str(material / "short film.mp4"))),
            "pictures": (1, lambda: self._go(str(material / "pictures of faces"))),
            "no camera": (1, lambda: self._go("camera:97")),
            "broken film": (1, lambda: self._go(str(material / "noise.jpg"))),
            "tidy": (2, self.tidy),
        }

    def choose(self) -> str:
        """Return the name of something to do."""
        names, weights = zip(*((name, weight) for name, (weight, _) in self.all.items()), strict=True)
        return self._random.choices(names, weights)[0]

    def do(self, name: str) -> None:
        """Do it."""
        self.all[name][1]()

    def come_home(self) -> None:
        """Show the source that comes at full speed again."""
        self.away = False
        self._window.opener.open(self._home)

    def calm(self) -> None:
        """Have everything as at every other time that this is called, so that it can be compared."""
        window, capture = self._window, self._window.capture.controller
        capture.cancel_countdown()
        capture.stop_recording()
        window.export.export.stop()
        self._close_others()
        window.overlays.restore(["keypoints"])
        window.commands.smoothing[SmoothingLevel.LOW].trigger()
        for action in (window.commands.mirror, window.commands.gallery, window.commands.fullscreen):
            action.setChecked(False)
        window.showNormal()
        window.resize(1000, 750)
        window.view.reset_zoom()
        self.come_home()  # also from there: the same frames, with as many faces

    def tidy(self) -> None:
        """Leave no more than some of the kept files, so that the disk lasts."""
        capture = self._window.capture.controller
        for folder in (capture.pictures_folder, capture.videos_folder, self._tables()):
            entries = sorted(folder.glob("[!.]*"), key=lambda path: path.stat().st_mtime) if folder.is_dir() else []
            for path in entries[:-KEPT_FILES]:
                shutil.rmtree(path) if path.is_dir() else path.unlink()

    # --- one by one

    def _toggle_overlay(self) -> None:
        self._random.choice(list(self._window.overlays.actions.actions.values())).trigger()

    def _set_opacity(self) -> None:
        stack = self._window.overlays.stack
        if stack.active:
            stack.set_opacity(self._random.choice(stack.active).name, self._random.uniform(0.2, 1))

    def _set_smoothing(self) -> None:
        self._random.choice(list(self._window.commands.smoothing.values())).trigger()

    def _zoom(self) -> None:
        self._random.choice(self._window.view.actions_for_window()).trigger()
        self._later(20, 100, self._window.view.reset_zoom)

    def _fullscreen(self) -> None:
        fullscreen = self._window.commands.fullscreen
        fullscreen.setChecked(True)
        self._later(20, 100, lambda: fullscreen.setChecked(False))

    def _resize(self) -> None:
        self._window.resize(self._random.randint(700, 1100), self._random.randint(500, 850))

    def _swap_network(self) -> None:
        weights = self._random.choice([None, *(self._material / f"{name}.safetensors" for name in ("mine", "other"))])
        self._window.workshop.use_weights(weights)

    def _record(self) -> None:
        record, capture = self._window.capture.actions.record, self._window.capture.controller
        if not capture.is_recording:
            record.trigger()
            self._later(50, 800, capture.stop_recording)

    def _export(self) -> None:
        export = self._window.export.export
        if not export.is_running:
            export.start(self._tables(), f"table {self._random.getrandbits(64)}", ("csv", "jsonl"))
            self._later(50, 800, export.stop)

    def _tables(self) -> Path:
        return self._material.parent / "tables"

    def _visit(self, open_it: Callable[[], object]) -> None:
        open_it()
        self._later(30, 400, self._close_others)

    def _close_others(self) -> None:
        for widget in QApplication.topLevelWidgets():
            if widget.isVisible() and widget is not self._window and widget.isWindow():
                self._close(widget)
        self._window.welcome.skip()

    def _close(self, widget: QWidget) -> None:
        if isinstance(widget, QDialog):
            widget.reject()
        else:
            widget.close()

    def _stop(self) -> None:
        self.away = True
        self._window.commands.stop.trigger()

    def _go(self, source: str) -> None:
        self.away = source != self._home
        self._window.opener.open(source)
