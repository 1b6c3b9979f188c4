"""The toolbar icons are whole, distinct, as their script draws them, and in the palette's colours."""

from __future__ import annotations

import runpy
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QGuiApplication, QIcon, QImage, QPalette, QPixmap
from PySide6.QtWidgets import QApplication

from fkd_desktop.ui.icons import SIZES_PX, action_icon, app_icon, tinted_pixmap

ASSETS = Path(__file__).parents[1] / "assets"
FILES = sorted((ASSETS / "icons" / "actions").glob("*.svg"))
NAMES = [path.stem for path in FILES]
SESSION = """boxes browse camera close demo fullscreen help info keypoints mirror network numbers open retry start stop
sunglasses train warning"""
MEDIA = """add burst copy down edit export folder log loop next pause play preferences previous recent record
record-stop remove snapshot speed step-back step-forward stream timer up virtual-camera
zoom-actual zoom-fit zoom-in zoom-out"""
OVERLAYS = "blur dog eye face faces hat heart mask mesh moustache overlays picture pixelate pose round-glasses"
EXPECTED = {*SESSION.split(), *MEDIA.split(), *OVERLAYS.split()}
SPARSE = {"remove"}  # a minus is one stroke
TEXT, FADED, ACCENT, GROUND = QColor("#102030"), QColor("#a0a8b0"), QColor("#b00060"), QColor("#f4f4f4")


def rgba(pixmap: QPixmap) -> np.ndarray:
    image = pixmap.toImage().convertToFormat(QImage.Format.Format_RGBA8888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 4 * image.width()].reshape(image.height(), image.width(), 4).copy()


def alpha(name: str, size_px: int) -> np.ndarray:
    return rgba(tinted_pixmap(name, size_px, QColor("black")))[..., 3].astype(np.float64) / 255


def ink(icon: QIcon, mode: QIcon.Mode, state: QIcon.State = QIcon.State.Off) -> QColor:
    """Return the colour of the icon's opaque pixels; they must have one only."""
    pixels = rgba(icon.pixmap(QSize(32, 32), 1.0, mode, state))
    (colour,) = np.unique(pixels[pixels[..., 3] == 255], axis=0)
    return QColor(*(int(channel) for channel in colour[:3]))


@pytest.fixture
def palette(qapp: QApplication) -> Iterator[QPalette]:
    """Set a palette of known colours for the time of a test."""
    before = qapp.palette()
    palette = QPalette(before)
    palette.setColor(QPalette.ColorRole.ButtonText, TEXT)
    palette.setColor(QPalette.ColorGroup.Disabled, QPalette.ColorRole.ButtonText, FADED)
    palette.setColor(QPalette.ColorRole.Accent, ACCENT)
    palette.setColor(QPalette.ColorRole.Button, GROUND)
    qapp.setPalette(palette)
    yield palette
    qapp.setPalette(before)


# --- drawings ---


def test_every_icon_of_the_application_is_there() -> None:
    assert set(NAMES) == EXPECTED


def test_files_are_what_the_script_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ASSETS / "scripts")  # where Python itself looks when it runs a script
    script = runpy.run_path(str(ASSETS / "scripts" / "make_action_icons.py"))
    assert set(script["DRAWINGS"]) == set(NAMES)
    for path in FILES:
        assert path.read_text(encoding="utf-8") == script["svg"](script["DRAWINGS"][path.stem]()), path.stem


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_svg_takes_its_colour_from_outside(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert 'viewBox="0 0 24 24"' in text and 'stroke="currentColor"' in text
    assert "#" not in text and "rgb" not in text and "href" not in text


@pytest.mark.parametrize("name", NAMES)
def test_icon_fills_its_square_and_nothing_is_cut_off(qapp: QApplication, name: str) -> None:
    covered = alpha(name, 240) > 0
    rows, columns = np.nonzero(covered.any(axis=1))[0], np.nonzero(covered.any(axis=0))[0]
    margins = np.array([rows[0], 239 - rows[-1], columns[0], 239 - columns[-1]]) / 10
    assert margins.min() >= 1, "strokes come too near the edge"
    assert max(np.ptp(rows), np.ptp(columns)) / 10 >= 14, "smaller than its neighbours"
    assert abs(margins[0] - margins[1]) <= 2 and abs(margins[2] - margins[3]) <= 2.5, "off the centre"


@pytest.mark.parametrize("size_px", SIZES_PX)
@pytest.mark.parametrize("name", NAMES)
def test_icon_shows_at_every_size(qapp: QApplication, name: str, size_px: int) -> None:
    covered = alpha(name, size_px)
    assert (0.03 if name in SPARSE else 0.08) < covered.mean() < 0.45
    assert covered.max() > (0.5 if name in SPARSE else 0.8), "every stroke is blurred"


def test_icons_differ_at_the_smallest_size(qapp: QApplication) -> None:
    drawings = np.stack([alpha(name, 16) for name in NAMES])
    difference = np.abs(drawings[:, None] - drawings[None]).mean(axis=(2, 3))
    np.fill_diagonal(difference, 1)
    signs = [NAMES.index(name) for name in ("zoom-in", "zoom-out")]  # the same glass: a plus is a minus and one stroke
    assert difference[*signs] > 0.01
    difference[*signs] = difference[*signs[::-1]] = 1
    assert difference.min() > 0.03  # the ink of 8 of the 256 pixels


# --- colours ---


@pytest.mark.parametrize("name", NAMES)
def test_icon_has_the_colours_of_the_palette(palette: QPalette, name: str) -> None:
    icon = action_icon(name)
    assert ink(icon, QIcon.Mode.Normal) == TEXT
    assert ink(icon, QIcon.Mode.Active) == TEXT
    assert ink(icon, QIcon.Mode.Normal, QIcon.State.On) == ACCENT
    assert ink(icon, QIcon.Mode.Disabled) == FADED
    assert ink(icon, QIcon.Mode.Disabled, QIcon.State.On) == FADED


def test_icon_asked_for_again_follows_a_new_palette(qapp: QApplication, palette: QPalette) -> None:
    dark = QPalette(palette)
    dark.setColor(QPalette.ColorRole.ButtonText, QColor("#f0f0f0"))
    dark.setColor(QPalette.ColorRole.Button, QColor("#202020"))
    before = action_icon("camera")
    qapp.setPalette(dark)
    assert ink(before, QIcon.Mode.Normal) == TEXT
    assert ink(action_icon("camera"), QIcon.Mode.Normal) == QColor("#f0f0f0")


@pytest.mark.parametrize(
    ("text", "ground", "accent"), [("#102030", "#f4f4f4", "#a0a0ff"), ("#fff", "#303030", "#203080")]
)
def test_checked_icon_stands_out_whatever_the_accent(
    qapp: QApplication, palette: QPalette, text: str, ground: str, accent: str
) -> None:
    theme = QPalette(palette)
    theme.setColor(QPalette.ColorRole.ButtonText, QColor(text))
    theme.setColor(QPalette.ColorRole.Button, QColor(ground))
    theme.setColor(QPalette.ColorRole.Accent, QColor(accent))
    qapp.setPalette(theme)
    checked = ink(action_icon("mirror"), QIcon.Mode.Normal, QIcon.State.On)
    assert abs(checked.lightness() - QColor(ground).lightness()) > 80
    assert checked != QColor(text) and checked.saturation() > 20, "nothing of the accent is left"


def test_checked_icon_does_not_look_disabled_where_the_accent_is_grey(qapp: QApplication, palette: QPalette) -> None:
    grey = QPalette(palette)
    grey.setColor(QPalette.ColorRole.Accent, QColor("#8c8c8c"))
    qapp.setPalette(grey)
    assert ink(action_icon("mirror"), QIcon.Mode.Normal, QIcon.State.On) == TEXT


def test_translucent_colour_is_even_where_strokes_cross(qapp: QApplication) -> None:
    pixels = rgba(tinted_pixmap("close", 96, QColor(0, 0, 0, 128)))
    assert abs(int(pixels[48, 48, 3]) - 128) <= 1
    assert pixels[..., 3].max() <= 129


# --- sizes ---


@pytest.mark.parametrize("ratio", [1.0, 2.0])
@pytest.mark.parametrize("size_px", SIZES_PX)
def test_icon_is_drawn_for_the_size_not_scaled_to_it(
    palette: QPalette, monkeypatch: pytest.MonkeyPatch, size_px: int, ratio: float
) -> None:
    screens = [SimpleNamespace(devicePixelRatio=lambda: ratio)]
    monkeypatch.setattr(QGuiApplication, "screens", lambda: screens)
    pixmap = action_icon("keypoints").pixmap(QSize(size_px, size_px), ratio)
    drawn = tinted_pixmap("keypoints", size_px, TEXT, ratio)
    assert (pixmap.width(), pixmap.devicePixelRatio()) == (size_px * ratio, ratio)
    assert np.array_equal(rgba(pixmap), rgba(drawn))


def test_unknown_name_is_told_with_the_known_ones(qapp: QApplication) -> None:
    with pytest.raises(KeyError, match=r"there is no action icon 'webcam'; there are add, blur, boxes"):
        action_icon("webcam")
    with pytest.raises(KeyError, match="there is no action icon"):
        tinted_pixmap("webcam", 24, TEXT)


def test_app_icon_has_every_size(qapp: QApplication) -> None:
    icon = app_icon()
    assert {size.width() for size in icon.availableSizes()} == {16, 24, 32, 48, 64, 128, 256, 512}
    assert not icon.pixmap(32).isNull()
