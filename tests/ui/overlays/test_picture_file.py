"""Pictures that users choose, good and bad."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QImage

from fkd_desktop.errors import OverlayError
from fkd_desktop.ui.overlays.picture_file import MAX_KEPT_PX, read_picture
from tests.fuzz.trainer_data import png
from tests.ui.overlays.conftest import glasses_image

SVG = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="10 20 40 20">
<rect x="20" y="25" width="20" height="10" fill="#f00"/></svg>"""


def test_a_png_is_kept_byte_for_byte(glasses_png):
    picture = read_picture(glasses_png)
    assert picture.content == glasses_png.read_bytes()
    assert picture.rect.getRect() == (0, 0, 400, 160)
    assert not picture.was_scaled


def test_a_drawing_counts_in_its_own_units_and_knows_its_opaque_part(qapp, tmp_path):
    path = tmp_path / "drawing.SVG"
    path.write_text(SVG, encoding="utf-8")
    picture = read_picture(path)
    assert picture.rect.getRect() == (10, 20, 40, 20)
    assert picture.drawn.getRect() == pytest.approx((20, 25, 20, 10), abs=0.1)
    assert (picture.suffix, picture.content) == (".svg", SVG.encode())


def test_a_very_large_picture_is_kept_smaller(qapp, tmp_path):
    path = tmp_path / "large.png"
    image = QImage(8000, 1000, QImage.Format.Format_ARGB32)
    image.fill(Qt.GlobalColor.transparent)
    for x in range(4000, 8000):
        image.setPixelColor(x, 500, QColor(0, 255, 0))
    assert image.save(str(path))
    picture = read_picture(path)
    assert picture.was_scaled
    assert (picture.image.width(), picture.image.height()) == (MAX_KEPT_PX, 256)
    kept = QImage.fromData(picture.content)
    assert kept.size() == picture.image.size()


def test_other_kinds_become_png_the_right_way_up(qapp, tmp_path):
    path = tmp_path / "photo.jpg"
    assert glasses_image().convertToFormat(QImage.Format.Format_RGB32).save(str(path), "JPG")
    picture = read_picture(path)
    assert picture.content.startswith(b"\x89PNG")
    lying = tmp_path / "lying.jpg"
    orientation_6 = bytes.fromhex(
        "ffe1002245786966000049492a00080000000100120103000100000006000000000000 00".replace(" ", "")
    )
    lying.write_bytes(path.read_bytes()[:2] + orientation_6 + path.read_bytes()[2:])
    assert (read_picture(lying).rect.width(), read_picture(lying).rect.height()) == (160, 400)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("text.png", b"not a picture"),
        ("cut.png", b"\x89PNG\r\n\x1a\n\x00\x00"),
        ("empty.png", b""),
        ("broken.svg", b"<svg"),
        ("outside.svg", b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><image href="/etc/a.png"/></svg>'),
        ("nothing.svg", b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"></svg>'),
    ],
)
def test_a_bad_file_is_one_sentence_that_names_it(qapp, tmp_path, name, content, is_one_sentence):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(OverlayError, match=name.replace(".", r"\.")) as caught:
        read_picture(path)
    assert is_one_sentence(caught.value)
    assert ";" in str(caught.value)


def test_kinds_that_are_not_offered_are_refused_also_under_another_name(qapp, tmp_path, is_one_sentence):
    """A damaged TIFF once ended the process: its reader went back to a buffer that was gone."""
    for kind in ("TIFF", "XPM", "ICO"):
        image = QImage(20, 20, QImage.Format.Format_RGB32)
        image.fill(Qt.GlobalColor.red)
        path = tmp_path / "picture.png"
        assert image.save(str(path), kind)
        for content in (path.read_bytes(), path.read_bytes()[:-40]):
            path.write_bytes(content)
            with pytest.raises(OverlayError, match="unknown kind") as caught:
                read_picture(path)
            assert is_one_sentence(caught.value)


def test_a_picture_that_would_unpack_to_gigabytes_is_refused_with_the_limit(qapp, tmp_path, is_one_sentence):
    path = tmp_path / "bomb.png"
    path.write_bytes(png(60_000, 60_000, b""))
    with pytest.raises(OverlayError, match=r"too large a picture; .* 100 megapixels") as caught:
        read_picture(path)
    assert is_one_sentence(caught.value)


def test_what_cannot_be_opened_is_told(qapp, tmp_path, is_one_sentence):
    for path in (tmp_path, tmp_path / "gone.png", tmp_path / "a\0b.png"):
        with pytest.raises(OverlayError) as caught:
            read_picture(path)
        assert is_one_sentence(caught.value)


def test_a_wholly_transparent_or_tiny_picture_is_refused(qapp, tmp_path):
    clear = QImage(40, 40, QImage.Format.Format_ARGB32)
    clear.fill(Qt.GlobalColor.transparent)
    clear.save(str(tmp_path / "clear.png"))
    with pytest.raises(OverlayError, match="transparent"):
        read_picture(tmp_path / "clear.png")
    dot = QImage(1, 1, QImage.Format.Format_RGB32)
    dot.fill(Qt.GlobalColor.red)
    dot.save(str(tmp_path / "dot.png"))
    with pytest.raises(OverlayError, match="smaller"):
        read_picture(tmp_path / "dot.png")


def test_the_opaque_part_is_found_between_transparent_rims(qapp, tmp_path):
    image = QImage(100, 50, QImage.Format.Format_ARGB32)
    image.fill(Qt.GlobalColor.transparent)
    pixels = np.frombuffer(image.bits(), np.uint8).reshape(50, 100, 4)
    pixels[10:20, 30:60] = 255
    image.save(str(tmp_path / "rim.png"))
    assert read_picture(tmp_path / "rim.png").drawn.getRect() == (30, 10, 30, 10)
