"""Live pictures of overlays, and what they cost."""

from __future__ import annotations

import time

import numpy as np
import pytest
from PySide6.QtGui import QImage

from fkd_desktop.errors import OverlayError
from fkd_desktop.overlays import KeypointsLayer
from fkd_desktop.ui.overlays import thumbnails as module
from fkd_desktop.ui.overlays.faces import face_crop, model_face
from fkd_desktop.ui.overlays.thumbnails import paint_thumbnail


def pixels(image: QImage) -> np.ndarray:
    image = image.convertToFormat(QImage.Format.Format_RGB32)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 4 * image.width()].reshape(image.height(), image.width(), 4)[:, :, :3].astype(int)


def in_sight(gallery):
    return [tile for tile in gallery.tiles.values() if not tile.visibleRegion().isEmpty()]


@pytest.fixture
def still(qtbot, gallery):
    """The gallery, ticking only when a test says so, as if time went on in between."""
    qtbot.waitUntil(lambda: len(in_sight(gallery)) > 5)
    gallery.thumbnails.stop()
    gallery.thumbnails.forget()

    def tick(times: int = 1) -> int:
        before = gallery.thumbnails.painted_count
        for _ in range(times):
            for tile in gallery.tiles.values():
                tile.painted_s -= module.TILE_EVERY_S
            gallery.thumbnails.tick()
        return gallery.thumbnails.painted_count - before

    gallery.tick = tick
    return gallery


@pytest.mark.parametrize("side_px", [None, 64, 128, 300])
def test_a_crop_keeps_keypoints_on_their_pixels(faces_in, side_px):
    result = faces_in(1, 2)
    result.frame_bgr[:] = 0
    marks = {number: np.round(result.keypoints_px[0, number]).astype(int) for number in (8, 17, 26)}
    for number, (x, y) in marks.items():
        result.frame_bgr[y - 4 : y + 5, x - 4 : x + 5] = 255
        result.keypoints_px[0, number] = x, y
    crop = face_crop(result, room=1.8, side_px=side_px)
    side = crop.frame_bgr.shape[0]
    assert crop.frame_bgr.shape == (side, side, 3)
    assert side_px in (None, side)
    assert list(crop.ids) == [1], "the largest face"
    scale = crop.boxes_xywh[0, 2] / result.boxes_xywh[0, 2]
    for number in marks:
        x, y = crop.keypoints_px[0, number]
        reach = round(8 * float(scale))
        left, top = round(float(x)) - reach, round(float(y)) - reach
        light = crop.frame_bgr[top : top + 2 * reach + 1, left : left + 2 * reach + 1, 0].astype(float)
        ys, xs = np.mgrid[: light.shape[0], : light.shape[1]]
        middle = (left + (xs * light).sum() / light.sum(), top + (ys * light).sum() / light.sum())
        assert middle == pytest.approx((x, y), abs=0.3)


def test_a_crop_stays_inside_the_frame_and_without_a_face_there_is_none(faces_in):
    result = faces_in(1, width=120, height=100)
    crop = face_crop(result, room=3.0)
    assert crop.frame_bgr.shape == (100, 100, 3)
    assert face_crop(faces_in(), room=2.0) is None


def test_the_model_has_a_face_in_the_middle_of_its_picture():
    model = model_face()
    height, width = model.frame_bgr.shape[:2]
    assert len(model) == 1
    assert ((model.keypoints_px[0] > 0) & (model.keypoints_px[0] < (width, height))).all()
    x, y = model.keypoints_px[0].mean(axis=0)
    assert abs(x - width / 2) < width / 5 and abs(y - height / 2) < height / 4
    assert face_crop(model, room=1.8, side_px=100) is not None


def test_a_thumbnail_shows_the_face_with_that_overlay_alone(faces_in):
    face = face_crop(faces_in(1), room=1.8, side_px=128)
    image = paint_thumbnail(face, KeypointsLayer(), 2.0)
    assert (image.width(), image.height(), image.devicePixelRatio()) == (128, 128, 1.0)
    changed = np.abs(pixels(image) - face.frame_bgr).max(axis=2) > 60
    assert 0.005 < changed.mean() < 0.3
    for x, y in face.keypoints_px[0]:
        assert changed[round(float(y)), round(float(x))]


def test_tiles_in_sight_show_the_newest_face_and_the_model_where_there_is_none(still, session, faces_in):
    still.tick(30)
    seen = in_sight(still)
    assert len(seen) > 5
    assert all(tile.image is not None for tile in seen)
    model = pixels(still.tiles["keypoints"].image)
    session.result = faces_in(1)
    still.tick(30)
    assert np.abs(pixels(still.tiles["keypoints"].image) - model).mean() > 10
    assert all(tile.shown_face.frame_bgr.shape[0] == round(tile.side_px * tile.devicePixelRatioF()) for tile in seen)


def test_nothing_is_painted_where_nothing_changed(still, session, faces_in):
    session.result = faces_in(1)
    assert still.tick(30) >= len(in_sight(still))
    assert still.tick(10) == 0
    session.result = faces_in(1)
    assert still.tick(30) == len(in_sight(still))
    assert still.tick(10) == 0


def test_it_looks_less_often_while_nothing_is_new(still, session, faces_in):
    session.result = faces_in(1)
    still.tick(20)
    assert still.tick() == 0
    assert still.thumbnails._timer.interval() == module.IDLE_MS
    session.result = faces_in(1)
    assert still.tick() > 0
    assert still.thumbnails._timer.interval() == module.TICK_MS
    assert not still.thumbnails.is_running, "to be asked less often is not to be started"


def test_a_tick_ends_when_its_time_is_up_and_every_tile_has_its_turn(still, session, faces_in, library, monkeypatch):
    class SlowLayer(KeypointsLayer):
        def paint(self, *_args):
            end_s = time.perf_counter() + 0.001 * module.BUDGET_MS
            while time.perf_counter() < end_s:
                pass

    slow = SlowLayer()
    monkeypatch.setattr(library, "layer", lambda name: slow)
    session.result = faces_in(1)
    assert still.tick(100) == len(in_sight(still)), "every tile has had its turn"
    session.result = faces_in(1)
    for _ in in_sight(still):
        assert still.tick() == 1
    assert still.tick() == 0


def test_a_face_that_is_lost_for_a_moment_stays(still, session, faces_in):
    session.result = faces_in(1)
    still.tick(30)
    before = still.tiles["keypoints"].shown_face
    session.result = faces_in()
    still.tick(3)
    assert still.tiles["keypoints"].shown_face is before
    still.thumbnails._seen_s -= module.LINGER_S
    still.tick(30)
    assert still.tiles["keypoints"].shown_face is not before


def test_hidden_galleries_and_hidden_tiles_cost_nothing(qtbot, still, session, faces_in, window):
    session.result = faces_in(1)
    still.tick(30)
    hidden = [tile for tile in still.tiles.values() if tile.visibleRegion().isEmpty()]
    if hidden:
        assert all(tile.image is None for tile in hidden)
    still.thumbnails.start()
    still.hide()
    assert not still.thumbnails.is_running
    still.show()
    assert still.thumbnails.is_running
    window.showMinimized()
    session.result, session.asked = faces_in(1), 0
    still.tick(3)
    assert session.asked == 0


def test_faces_are_mirrored_like_the_picture(still, session, faces_in):
    result = faces_in(1)
    result.frame_bgr[:, :320] = 200  # one half is bright
    session.result = result
    still.tick(30)
    plain = pixels(still.tiles["sunglasses"].image)
    still.mirrored = True
    still.tick(30)
    mirrored = pixels(still.tiles["sunglasses"].image)
    assert np.abs(plain - mirrored).mean() > 30
    assert np.abs(plain - mirrored[:, ::-1]).mean() < 8


def test_an_overlay_that_cannot_be_loaded_says_so_on_its_tile(still, library, monkeypatch):
    def fail(name):
        raise OverlayError("the overlay {name} is damaged; mend it", name=name)

    monkeypatch.setattr(library, "layer", fail)
    still.tick(30)
    tile = still.tiles["keypoints"]
    assert "damaged" in tile.failure
    assert tile.toolTip() == tile.accessibleDescription() == tile.failure
