"""What the scripts that make docs/screenshots share: the window, the two themes, waiting, and writing small files."""

from __future__ import annotations

import atexit
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

SCREEN = {
    "name": "screen",
    "x": 0,
    "y": 0,
    "width": 1920,
    "height": 1080,
    "logicalDpi": 96,
    "logicalBaseDpi": 96,
    "dpr": 1,
}
"""Qt's own offscreen one has 800 x 800 pixels: dialogs would shrink to that."""

import numpy as np
from PIL import Image
from PySide6.QtCore import QCoreApplication, QEventLoop, QPoint, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPalette
from PySide6.QtWidgets import QApplication, QMenu, QWidget

from fkd_desktop.app import prepare_process
from fkd_desktop.controller import Controller, NetworkState
from fkd_desktop.i18n import install_language
from fkd_desktop.settings import Settings
from fkd_desktop.ui.main_window import MainWindow

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from PySide6.QtGui import QAction

FOLDER = Path(__file__).parent / "screenshots"
LIMIT_S = 180.0
COLOURS = 256
"""Of a picture's palette: a quarter of the size in full colour, and looks the same in a page."""
MOST_WEIGHT = 60
"""Of one colour when the palette is chosen: else walls and skin take it all, and thin coloured lines turn grey."""
DARK_SCALE = 0.58
"""Of the main window's pictures in the dark theme, which repeat what the light ones show."""


def make_application() -> QApplication:
    """Return the application, as on a usual screen but without a display, in English."""
    path = Path(tempfile.gettempdir()) / f"fkd-screen-{os.getpid()}.json"
    path.write_text(json.dumps({"synchronousWindowSystemEvents": False, "screens": [SCREEN]}), encoding="utf-8")
    os.environ["QT_QPA_PLATFORM"] = f"offscreen:configfile={path}"
    atexit.register(path.unlink, missing_ok=True)
    prepare_process()
    # Else bars with a style sheet keep the first theme's colours: Qt's application palette passes them by.
    QCoreApplication.setAttribute(Qt.ApplicationAttribute.AA_UseStyleSheetPropagationInWidgetStyles)
    application = QApplication(sys.argv[:1])
    install_language("en")
    return application


def set_home(home: Path) -> None:
    """Let everything that the application writes go to a folder that is thrown away."""
    for name in ("XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"):
        os.environ[name] = str(home)


def new_window(home: Path, *layers: str, width: int = 1100, height: int = 800) -> MainWindow:
    """Return the main window, with its own settings, no session yet and no network."""
    settings = Settings(home / "settings.ini")
    settings.pictures_folder, settings.videos_folder = str(home / "Pictures"), str(home / "Videos")
    window = MainWindow(Controller(device="cpu"), settings, layer_names=layers)
    window.resize(width, height)
    window.show()
    return window


def load_network(window: MainWindow) -> None:
    window._controller.load_network()
    wait(lambda: window._controller.network_state is NetworkState.READY)


def light_palette() -> QPalette:
    return QPalette(QColor("#e9ebee"), QColor("#f4f5f7"))


def dark_palette() -> QPalette:
    """Return the colours that a desktop's dark theme has, about."""
    palette = QPalette(QColor("#343a42"), QColor("#24282e"))
    role, group = QPalette.ColorRole, QPalette.ColorGroup
    for name, colour in (
        (role.Base, "#1c2025"),
        (role.AlternateBase, "#22262c"),
        (role.Highlight, "#2f7fb8"),
        (role.HighlightedText, "#ffffff"),
        (role.Link, "#63b3ed"),
        (role.ToolTipBase, "#343a42"),
        (role.ToolTipText, "#eef1f4"),
    ):
        palette.setColor(name, QColor(colour))
    for name in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(name, QColor("#eef1f4"))
        palette.setColor(group.Disabled, name, QColor("#7f8893"))
    return palette


def set_layers(window: MainWindow, *names: str) -> None:
    for name in window.overlays.actions.actions:
        window.overlays.stack.set_on(name, name in names)


def wait_for_clip_time(window: MainWindow, seconds: float) -> None:
    """Wait until the looping clip is within a quarter of a second of a time in it, with faces found."""

    def there() -> bool:
        live = window.view.live_frame
        return live is not None and len(live.result) > 0 and 0 <= live.result.timestamp_s % 20.0 - seconds < 0.25

    wait(there)


def wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LIMIT_S
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("the window did not come to the wanted state")
        QCoreApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 20)


def rest(seconds: float) -> None:
    """Let the window go on."""
    until = time.monotonic() + seconds
    wait(lambda: time.monotonic() >= until)


def shoot(
    widget: QWidget, name: str, *, rest_s: float = 3.0, menus: Sequence[tuple[QMenu, QAction | None]] = ()
) -> None:
    """Write a picture of a widget as it is now, in both themes.

    Parameters
    ----------
    widget
        A window or dialog.
    name
        Of the file; the dark one's ends in ``-dark``.
    rest_s
        How long the window goes on before each picture: its figures are of the last seconds.
    menus
        Drawn over it as they open: each with the entry that leads to the next one.
    """
    application = QApplication.instance()
    assert isinstance(application, QApplication)
    images = {}
    for palette, suffix in ((dark_palette(), "-dark"), (light_palette(), "")):
        application.setPalette(palette)
        rest(rest_s)
        images[suffix] = widget.grab().toImage()
        if menus:
            _paint_menus(images[suffix], menus)
    for suffix, image in images.items():  # after both, as it takes a while in which the window stands still
        keep(image, f"{name}{suffix}", scale=DARK_SCALE if suffix and isinstance(widget, MainWindow) else 1.0)
    print(name, flush=True)


def keep(image: QImage, name: str, *, scale: float = 1.0) -> None:
    """Write a picture as a small PNG."""
    image = image.convertToFormat(QImage.Format.Format_RGB888)
    width, height = image.width(), image.height()
    lines = bytes(image.constBits())
    picture = Image.frombuffer("RGB", (width, height), lines, "raw", "RGB", image.bytesPerLine(), 1)
    if scale != 1:
        picture = picture.resize((round(scale * width), round(scale * height)), Image.Resampling.LANCZOS)
    FOLDER.mkdir(exist_ok=True)
    picture.quantize(palette=_palette_of(picture), dither=Image.Dither.NONE).save(FOLDER / f"{name}.png", optimize=True)


def _palette_of(picture: Image.Image) -> Image.Image:
    """Return the colours for a picture, where rare ones count almost as much as frequent ones."""
    pixels = np.asarray(picture).reshape(-1, 3)
    keys = (pixels.astype(np.int64) >> 2) @ (1 << 12, 1 << 6, 1)
    _, places, counts = np.unique(keys, return_index=True, return_counts=True)
    weights = np.minimum(np.ceil(np.sqrt(counts)), MOST_WEIGHT).astype(int)
    weighed = Image.fromarray(np.repeat(pixels[places], weights, axis=0)[None])
    return weighed.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, kmeans=3)


def _paint_menus(image: QImage, menus: Sequence[tuple[QMenu, QAction | None]]) -> None:
    """Draw menus where they open from the toolbar's first button: offscreen, a popup is no part of its window."""
    painter = QPainter(image)
    place = QPoint(6, 62)
    for menu, leads_on in menus:
        menu.resize(menu.sizeHint())
        if leads_on is not None:
            menu.setActiveAction(leads_on)
        painter.drawPixmap(place, menu.grab())
        if leads_on is not None:
            entry = menu.actionGeometry(leads_on)
            place += QPoint(menu.width() - 4, entry.top() - 2)
    painter.end()
