"""Pictures of the overlay gallery with its editor, and of every dialog; and the main window in German."""

from __future__ import annotations

import platform
import sys
from pathlib import Path

import screenshots_live as live
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QLinearGradient, QPainter, QPen, QPolygonF
from shooting import load_network, new_window, rest, set_layers, shoot, wait

from fkd_desktop.i18n import install_language
from fkd_desktop.ui.about import AboutDialog
from fkd_desktop.ui.main_window import MainWindow
from fkd_desktop.ui.shortcuts_dialog import ShortcutsDialog

USER_HOME = Path("/home/ada")
"""Stands in the dialogs instead of the folders of whoever makes the pictures."""


def shoot_gallery(home: Path) -> None:
    """Take those of overlays."""
    window = new_window(home, width=1240, height=800)
    load_network(window)
    live.open_camera(window)
    window.commands.gallery.setChecked(True)
    set_layers(window, "sunglasses", "hat")
    rest(1.5)
    shoot(window, "overlays", rest_s=5.0)
    gallery = window.overlays.gallery
    picture = home / "Paper crown.png"
    draw_crown(picture)
    editor = gallery.open_editor(picture=picture)
    wait(lambda: not editor.is_busy)
    editor.document.apply_preset("hat")
    editor.resize(editor.sizeHint())
    shoot(editor, "overlay-editor", rest_s=0.8)
    editor.save()
    wait(lambda: gallery.editor is None)
    broken = gallery._library.user_folder / "monocle"
    broken.mkdir()
    (broken / "overlay.toml").write_text(
        'format = 2\nname = "Monocle"\n\n[[pictures]]\nimage = "monocle.png"\n', encoding="utf-8"
    )
    gallery.reload()
    set_layers(window, "mesh", "paper-crown")
    window.overlays.stack.set_opacity("mesh", 0.6)
    rest(1.5)
    bar = gallery.scroll_area.verticalScrollBar()
    bar.setValue(bar.maximum())
    shoot(window, "own-overlays", rest_s=5.0)
    window.commands.gallery.setChecked(False)
    window.leave()


def draw_crown(path: Path) -> None:
    """Draw the picture for an overlay of one's own."""
    image = QImage(480, 300, QImage.Format.Format_ARGB32)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    gold = QLinearGradient(0, 30, 0, 270)
    gold.setColorAt(0, QColor("#ffe08a"))
    gold.setColorAt(1, QColor("#e0981f"))
    painter.setBrush(gold)
    painter.setPen(
        QPen(QColor("#8a5a10"), 6, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)
    )
    corners = [(40, 270), (20, 70), (135, 160), (240, 30), (345, 160), (460, 70), (440, 270)]
    painter.drawPolygon(QPolygonF([QPointF(x, y) for x, y in corners]))
    painter.setPen(QPen(QColor("#7a1030"), 3))
    for x, colour in ((110, "#d81b60"), (240, "#00acc1"), (370, "#d81b60")):
        painter.setBrush(QColor(colour))
        painter.drawEllipse(QRectF(x - 18, 205, 36, 36))
    painter.end()
    image.save(str(path))


def shoot_dialogs(home: Path) -> None:
    """Take those of dialogs."""
    window = new_window(home, "keypoints")
    load_network(window)
    live.open_camera(window)
    shoot_preferences(window)
    window._settings.export_folder = str(USER_HOME / "Documents" / "FKD Desktop")
    window.export.open()
    shoot(window.export.dialog, "export", rest_s=0.3)
    window.export.dialog.close()
    executable, sys.executable = sys.executable, str(USER_HOME / "fkd-desktop" / ".venv" / "bin" / "python")
    window.capture.open_virtual_camera()
    rest(2.0)  # it looks for what it needs
    shoot(window.capture._virtual_camera, "virtual-camera", rest_s=0.3)
    window.capture._virtual_camera.close()
    sys.executable = executable
    window.opener.ask_stream()
    window.opener._dialog.address.setText("rtsp://192.168.1.20/stream")
    shoot(window.opener._dialog, "network-address", rest_s=0.3)
    window.opener._dialog.address.setText("ftp://192.168.1.20/film")
    window.opener._dialog.accept()
    shoot(window.opener._dialog, "network-address-wrong", rest_s=0.3)
    window.opener._dialog.reject()
    rest(3.0)
    platform.platform = lambda: "Linux-6.12-x86_64-with-glibc2.41"
    window.help.show_about()
    shoot(window.findChildren(AboutDialog)[-1], "about", rest_s=0.3)
    window.findChildren(AboutDialog)[-1].close()
    window.help.show_shortcuts()
    shoot(window.findChildren(ShortcutsDialog)[-1], "shortcuts", rest_s=0.3)
    window.leave()


def shoot_preferences(window: MainWindow) -> None:
    settings = window._settings
    before = settings.pictures_folder, settings.videos_folder
    settings.pictures_folder = str(USER_HOME / "Pictures" / "FKD Desktop")
    settings.videos_folder = str(USER_HOME / "Videos" / "FKD Desktop")
    window.open_preferences()
    dialog = window.preferences
    for number, name in enumerate(("general", "picture", "network", "capture")):
        dialog.tabs.setCurrentIndex(number)
        if name == "network":
            wait(lambda: len(dialog.devices.texts()) > 1)
        shoot(dialog, f"preferences-{name}", rest_s=0.3)
    dialog.close()
    settings.pictures_folder, settings.videos_folder = before


def shoot_german(home: Path) -> None:
    """Take the main window in German. The last one: a language stays."""
    install_language("de")
    window = new_window(home, "keypoints", "boxes", width=1240, height=800)
    load_network(window)
    live.open_camera(window, time_s=live.TURNED_FACE_S)
    window.commands.gallery.setChecked(True)
    rest(1.5)
    shoot(window, "german", rest_s=5.0)
    window.leave()
