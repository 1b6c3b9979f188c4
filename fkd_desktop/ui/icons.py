"""The toolbar's line icons in the palette's colours, and the application's icon."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QGuiApplication, QIcon, QPainter, QPalette, QPixmap
from PySide6.QtSvg import QSvgRenderer

from trainer.core.resources import assets_dir

if TYPE_CHECKING:
    from pathlib import Path

SIZES_PX = (16, 20, 24, 32)
"""What menus, buttons and toolbars show: more would cost the start of the window a fifth of a second and 25 MB."""
MIN_CONTRAST = 4.5  # WCAG 2.2 asks 3 of graphics; a checked button's ground is a little darker than the palette's


def action_icon(name: str) -> QIcon:
    """Return a toolbar icon: in the text colour, paler when disabled, in the accent colour when checked.

    The colours are those the palette has now, the resolutions those of the screens there are. When the theme changes
    (``QEvent.Type.PaletteChange``) or a screen comes, ask again and set the icons anew.

    Parameters
    ----------
    name : str
        Name of a drawing in ``assets/icons/actions``.

    Raises
    ------
    KeyError
        If there is no such drawing.
    """
    renderer = _renderer(name)
    palette = QGuiApplication.palette()
    normal = palette.color(QPalette.ColorGroup.Active, QPalette.ColorRole.ButtonText)
    disabled = palette.color(QPalette.ColorGroup.Disabled, QPalette.ColorRole.ButtonText)
    accent = palette.color(QPalette.ColorGroup.Active, QPalette.ColorRole.Accent)
    ground = palette.color(QPalette.ColorGroup.Active, QPalette.ColorRole.Button)
    checked = _legible(accent, normal, ground)
    uses = (
        (normal, ((QIcon.Mode.Normal, QIcon.State.Off),)),
        (checked, ((QIcon.Mode.Normal, QIcon.State.On),)),
        (disabled, ((QIcon.Mode.Disabled, QIcon.State.Off), (QIcon.Mode.Disabled, QIcon.State.On))),
    )
    icon = QIcon()
    for ratio in sorted({screen.devicePixelRatio() for screen in QGuiApplication.screens()} or {1.0}):
        for size_px in SIZES_PX:
            mask = _mask(renderer, size_px, ratio)
            for colour, shown in uses:
                pixmap = _tinted(mask, colour, ratio)
                for mode, state in shown:
                    icon.addPixmap(pixmap, mode, state)
    return icon


def tinted_pixmap(name: str, size_px: int, colour: QColor, device_pixel_ratio: float = 1.0) -> QPixmap:
    """Return a drawing of ``assets/icons/actions`` in one colour.

    Parameters
    ----------
    name : str
        Name of the drawing.
    size_px : int
        Side in logical pixels.
    colour : QColor
        Colour of the strokes; it may be translucent.
    device_pixel_ratio : float
        Device pixels per logical pixel.

    Raises
    ------
    KeyError
        If there is no such drawing.
    """
    return _tinted(_mask(_renderer(name), size_px, device_pixel_ratio), colour, device_pixel_ratio)


def app_icon() -> QIcon:
    """Return the icon of the application's windows."""
    icon = QIcon()
    for path in sorted((assets_dir() / "icons").glob("fkd-desktop-*.png")):
        icon.addFile(str(path))
    return icon


def _renderer(name: str) -> QSvgRenderer:
    path = assets_dir() / "icons" / "actions" / f"{name}.svg"
    if not path.is_file():
        raise KeyError(f"there is no action icon {name!r}; there are {', '.join(_names(path.parent))}")
    return QSvgRenderer(str(path))


def _names(folder: Path) -> list[str]:
    return sorted(path.stem for path in folder.glob("*.svg"))


def _mask(renderer: QSvgRenderer, size_px: int, device_pixel_ratio: float) -> QPixmap:
    """Return the drawing, which has one colour: how opaque it is, is all that is wanted of it."""
    side = round(size_px * device_pixel_ratio)
    pixmap = QPixmap(side, side)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    renderer.render(painter, QRectF(0, 0, side, side))
    painter.end()
    return pixmap


def _tinted(mask: QPixmap, colour: QColor, device_pixel_ratio: float) -> QPixmap:
    pixmap = mask.copy()
    painter = QPainter(pixmap)
    painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceIn)
    painter.fillRect(pixmap.rect(), colour)
    painter.end()
    pixmap.setDevicePixelRatio(device_pixel_ratio)
    return pixmap


def _legible(accent: QColor, text: QColor, ground: QColor) -> QColor:
    """Return the accent, mixed with the text's colour as far as it takes to stand out from the ground."""
    if accent.hsvSaturationF() < 0.2:
        return text  # a grey accent would look disabled
    for share in (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8):
        mixed = QColor.fromRgbF(
            accent.redF() + share * (text.redF() - accent.redF()),
            accent.greenF() + share * (text.greenF() - accent.greenF()),
            accent.blueF() + share * (text.blueF() - accent.blueF()),
        )
        if _contrast(mixed, ground) >= MIN_CONTRAST:
            return mixed
    return text


def _contrast(one: QColor, other: QColor) -> float:
    """Return the WCAG contrast ratio of two opaque colours, 1 to 21."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: QColor) -> float:
    channels = (colour.redF(), colour.greenF(), colour.blueF())
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
