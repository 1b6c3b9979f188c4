"""Picture files: safe ones are kept in sizes for every face, others are refused with a sentence."""

from __future__ import annotations

import base64
import threading
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import QBuffer, QIODevice, QRectF
from PySide6.QtGui import QColor, QImage

from fkd_desktop.errors import OverlayError
from fkd_desktop.overlays.artwork import Artwork, check_picture
from fkd_desktop.overlays.svg_check import MAX_SHAPES
from fkd_desktop.ui.overlays.picture_file import read_picture
from tests.live.helpers import assert_one_clear_sentence
from tests.overlays.folders import ramp

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("qapp")

HEAD = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 40 20">'
DRAWING = HEAD + '<rect width="20" height="20" fill="red"/><rect x="20" width="20" height="20" fill="lime"/></svg>'


def refused(path: Path, *names: str) -> None:
    for look in (check_picture, Artwork):
        with pytest.raises(OverlayError) as caught:
            look(path)
        assert_one_clear_sentence(caught.value, str(path), *names)


@pytest.fixture
def drawing(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        path = tmp_path / "drawing.svg"
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret.png"
    image = QImage(10, 10, QImage.Format.Format_RGB32)
    image.fill(QColor("blue"))
    assert image.save(str(path))
    return path


def colour_at(image: QImage, x: float, y: float) -> str:
    return image.pixelColor(int(x * image.width()), int(y * image.height())).name()


# --- drawings


@pytest.mark.parametrize(
    ("device_px", "longest"), [(1.0, 64), (18.2, 1024), (18.4, 1218), (30, 1722), (36, 2048), (90, 4096), (500, 4096)]
)
def test_a_drawing_is_as_sharp_as_the_face_is_large(
    drawing: Callable[[str], Path], device_px: float, longest: int
) -> None:
    artwork = Artwork(drawing(DRAWING))
    assert artwork.rect == QRectF(0, 0, 40, 20)
    level = artwork.level(device_px)
    assert (level.image.width(), level.image.height()) == (longest, round(longest / 2))
    assert (colour_at(level.image, 0.25, 0.5), colour_at(level.image, 0.75, 0.5)) == ("#ff0000", "#00ff00")
    assert artwork.level(device_px) is level, "it is kept"


def test_a_drawing_s_units_are_those_of_its_view_box(drawing: Callable[[str], Path]) -> None:
    artwork = Artwork(drawing(DRAWING.replace("0 0 40 20", "10 -5 30 25")))
    assert artwork.rect == QRectF(10, -5, 30, 25)
    level = artwork.level(1.0)
    pixel = level.to_pixels.map(20.0, 0.0)
    assert pixel == pytest.approx((level.image.width() / 3, level.image.height() / 5))
    assert colour_at(level.image, 0.25, 0.5) == "#ff0000" and colour_at(level.image, 0.5, 0.5) == "#00ff00"


def test_a_drawing_without_a_view_box_has_its_size(drawing: Callable[[str], Path]) -> None:
    assert Artwork(drawing(DRAWING.replace('viewBox="0 0 40 20"', 'width="40" height="20"'))).rect.width() == 40


def test_a_mirrored_picture_is_turned_over(drawing: Callable[[str], Path]) -> None:
    artwork = Artwork(drawing(DRAWING), mirrored=True, margin=0.01)
    assert artwork.rect == QRectF(-40, 0, 40, 20)
    for device_px in (5.0, 80.0):
        level = artwork.level(device_px)
        assert (colour_at(level.image, 0.25, 0.5), colour_at(level.image, 0.75, 0.5)) == ("#00ff00", "#ff0000")
        margin, end = level.to_pixels.map(-40.0, 0.0)[0], level.to_pixels.map(0.0, 0.0)[0]
        assert margin >= 2 + 0.01 * (end - margin) and level.image.width() == pytest.approx(end + margin)
        assert level.image.pixelColor(0, 0).alpha() == 0 == level.image.pixelColor(level.image.width() - 1, 9).alpha()


def test_an_embedded_picture_and_one_s_own_parts_are_allowed(drawing: Callable[[str], Path]) -> None:
    dot = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
    text = HEAD + (
        '<defs><linearGradient id="g"><stop offset="0" stop-color="red"/></linearGradient><rect id="r" width="9" '
        f'height="9"/></defs><use xlink:href="#r"/><use href="#r" x="9" fill="url(#g)"/><image width="5" height="5" '
        f'xlink:href="data:image/png;base64,{dot}"/></svg>'
    )
    assert Artwork(drawing(text)).rect.width() == 40


BAD_DRAWINGS = {
    "a local file": ('<image href="SECRET" width="40" height="20"/>', "outside itself"),
    "a local file in the old way": ('<image xlink:href="SECRET" width="40" height="20"/>', "outside itself"),
    "a local address": ('<image xlink:href="file://SECRET" width="40" height="20"/>', "outside itself"),
    "a network address": ('<image xlink:href="http://localhost/a.png" width="40" height="20"/>', "outside itself"),
    "a drawing in a drawing": ('<image href="data:image/svg+xml;base64,AAAA" width="4"/>', "outside itself"),
    "a use from elsewhere": ('<use href="SECRET#a"/>', "outside itself"),
    "a gradient from elsewhere": ('<rect width="9" height="9" fill="url(SECRET#a)"/>', "fill"),
    "a style from elsewhere": ('<style>@import "SECRET";</style>', "style"),
    "a style sheet with an address": ("<style>rect { fill: url(SECRET#a) }</style>", "style"),
    "a script": ("<script>1</script>", "script"),
    "an event": ('<rect width="9" height="9" onload="1"/>', "onload"),
    "another document": ("<foreignObject/>", "foreignObject"),
    "too deep": (200 * "<g>" + 200 * "</g>", "nested"),
    "too much": ((MAX_SHAPES + 10) * "<g/>", "shapes"),
    "too many filters": (40 * '<rect width="9" height="9" filter="url(#f)"/>', "shapes"),
    "too many filters in styles": (40 * '<rect width="9" height="9" style="filter:url(#f)"/>', "shapes"),
    "filters for all": ("<style>rect { filter: url(#f) }</style>", "style sheet"),
    "a use of itself": ('<g id="a"><use href="#a"/></g>', "shapes"),
}  # fmt: skip


@pytest.mark.parametrize("fault", BAD_DRAWINGS)
def test_a_drawing_that_is_not_self_contained_is_refused(
    drawing: Callable[[str], Path], secret: Path, fault: str
) -> None:
    body, what = BAD_DRAWINGS[fault]
    refused(drawing(HEAD + body.replace("SECRET", secret.as_posix()) + "</svg>"), what)


@pytest.mark.parametrize(
    "body",
    [
        '<path stroke="red" d="M0 0' + 8_000 * "C9 9 0 40 90 1" + '"/>',
        18_000 * '<rect width="40" height="20" fill-opacity="0.5"/>',
    ],
)
def test_a_drawing_that_takes_too_long_is_refused_before_it_does(
    drawing: Callable[[str], Path], body: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fkd_desktop.overlays.artwork.MOST_DRAWING_S", 0.1)  # on whatever computer
    path = drawing(HEAD + body + "</svg>")
    for look in (Artwork, read_picture):
        with pytest.raises(OverlayError) as caught:
            look(path)
        assert_one_clear_sentence(caught.value, str(path), "too long")


def test_a_drawing_that_takes_some_time_is_not_made_larger_than_it_is_quick(
    drawing: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    for seconds, longest in ((0.03, 4096), (0.1, 2048), (0.3, 1024)):
        monkeypatch.setattr("fkd_desktop.overlays.artwork.check_speed", lambda *_, seconds=seconds: seconds)
        assert Artwork(drawing(DRAWING)).level(500).image.width() == longest


def embedded(side_px: int, times: int) -> str:
    image = QImage(side_px, side_px, QImage.Format.Format_Grayscale8)
    image.fill(0)
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    assert image.save(buffer, "PNG")
    data = bytes(buffer.data().toBase64().data()).decode()
    return times * f'<image width="9" height="9" href="data:image/png;base64,{data}"/>'


def test_small_pictures_in_a_drawing_that_unpack_to_gigabytes_are_refused(drawing: Callable[[str], Path]) -> None:
    assert Artwork(drawing(HEAD + embedded(1000, 16) + "</svg>")).rect.width() == 40
    refused(drawing(HEAD + embedded(3000, 2) + "</svg>"), "16 megapixels")


@pytest.mark.parametrize("content", [b"GIF89a" + bytes(20), b"II*\0" + bytes(90), b"\x89PNG\r\n\x1a\n" + bytes(9), b""])
def test_an_embedded_picture_that_is_not_what_it_says_is_refused(
    drawing: Callable[[str], Path], content: bytes
) -> None:
    data = base64.b64encode(content).decode()
    refused(drawing(f'{HEAD}<image width="9" height="9" href="data:image/png;base64,{data}"/></svg>'), "damaged")


def test_a_drawing_that_multiplies_itself_is_refused(drawing: Callable[[str], Path]) -> None:
    groups = '<g id="a0"><rect width="1" height="1"/></g>'
    for number in range(1, 12):
        groups += f'<g id="a{number}">' + 10 * f'<use href="#a{number - 1}"/>' + "</g>"
    refused(drawing(HEAD + groups + "</svg>"), "shapes")


@pytest.mark.parametrize(
    "text",
    [
        '<!DOCTYPE svg [<!ENTITY c "red">]>' + DRAWING,
        '<!DOCTYPE svg [<!ENTITY c SYSTEM "file:///etc/hostname">]>' + HEAD + "<text>&c;</text></svg>",
        '<!doctype svg SYSTEM "http://localhost/svg.dtd">' + DRAWING,
        '<?xml version="1.0" encoding="utf-16"?>' + DRAWING,
        "<html/>",
        "no drawing",
        "",
        DRAWING[:-10],
    ],
)  # fmt: skip
def test_a_file_that_is_no_plain_drawing_is_refused(drawing: Callable[[str], Path], text: str) -> None:
    refused(drawing(text))


def test_an_xml_declaration_and_comments_are_fine(drawing: Callable[[str], Path]) -> None:
    text = '<?xml version="1.0" encoding="UTF-8" standalone="no"?>\n<!-- drawn by hand -->\n' + DRAWING
    assert Artwork(drawing(text)).rect.width() == 40


def test_a_drawing_in_another_encoding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "drawing.svg"
    path.write_bytes(('<?xml version="1.0" encoding="utf-16"?>' + DRAWING).encode("utf-16"))
    refused(path, "UTF-8")


def test_a_drawing_without_a_size_is_refused(drawing: Callable[[str], Path]) -> None:
    for text in (DRAWING.replace("0 0 40 20", "0 0 1e9 1"), HEAD.replace('viewBox="0 0 40 20"', "") + "</svg>"):
        path = drawing(text)
        with pytest.raises(OverlayError) as caught:
            Artwork(path)
        assert_one_clear_sentence(caught.value, str(path), "viewBox")


def test_a_huge_drawing_is_refused(drawing: Callable[[str], Path]) -> None:
    refused(drawing(HEAD + "<!--" + 2 * 2**20 * "x" + "--></svg>"), "2 MB")


def test_drawing_a_size_in_many_threads_gives_one(drawing: Callable[[str], Path]) -> None:
    artwork = Artwork(drawing(DRAWING))
    barrier, levels = threading.Barrier(8), []

    def look() -> None:
        barrier.wait()
        levels.append(artwork.level(60.0))

    threads = [threading.Thread(target=look) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(levels) == 8 and len({id(level) for level in levels}) == 1


# --- pictures


def test_a_picture_has_a_size_for_every_face(tmp_path: Path) -> None:
    path = tmp_path / "picture.PNG"
    assert ramp(800, 400).save(str(path), "PNG")
    artwork = Artwork(path)
    assert artwork.rect == QRectF(0, 0, 800, 400)
    assert [artwork.level(scale).image.width() for scale in (50, 1, 0.75)] == [800, 800, 800]
    for scale in np.geomspace(0.03, 0.7, 60):
        image = artwork.level(float(scale)).image
        assert 1.35 < image.width() / (800 * scale) < 1.75
        assert image.width() / image.height() == pytest.approx(2, rel=0.1)
    assert artwork.level(0.001).image is artwork.level(0.0).image
    half = artwork.level(0.5 / 1.4).image
    assert half.width() == 400
    assert half.pixelColor(200, 100).red() == pytest.approx(255 * 401 / 800, abs=2)


@pytest.mark.parametrize(
    "content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n" + bytes(50), b"\xff\xd8\xff\xe0JFIF"], ids=str
)
def test_a_picture_that_is_none_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "picture.png"
    path.write_bytes(content)
    refused(path, "no PNG")


def test_a_picture_that_breaks_off_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (64, 64, 4), dtype=np.uint8)
    assert QImage(noise.data, 64, 64, QImage.Format.Format_ARGB32).save(str(path))
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(OverlayError) as caught:
        Artwork(path)
    assert_one_clear_sentence(caught.value, str(path), "damaged")


@pytest.mark.parametrize(("width", "height"), [(8193, 1), (1, 8193), (5000, 5000), (8192, 8192)])
def test_a_picture_that_is_too_large_is_refused(tmp_path: Path, width: int, height: int) -> None:
    path = tmp_path / "picture.png"
    assert QImage(width, height, QImage.Format.Format_Mono).save(str(path))
    refused(path, f"{width} x {height} px")


@pytest.mark.parametrize("name", ["picture.png", "drawing.svg"])
def test_a_picture_that_is_missing_or_a_folder_is_refused(tmp_path: Path, name: str) -> None:
    refused(tmp_path / name, "missing")
    (tmp_path / name).mkdir()
    refused(tmp_path / name, "missing")
