"""What is kept is painted by the screen's painters, in any thread."""

from __future__ import annotations

import threading

import cv2
import numpy as np
import pytest

from fkd_desktop.capture.look import Look, paint
from fkd_desktop.overlays.library import OverlayLibrary
from fkd_desktop.overlays.render import render
from fkd_desktop.overlays.stack import OverlayStack
from tests.capture.live_frames import RedLayer, live_frame


@pytest.fixture
def everything(qapp):
    """Return every overlay that comes with the application, switched on at once."""
    stack = OverlayStack(OverlayLibrary())
    for info in OverlayLibrary().infos:
        stack.set_on(info.name, True)
    assert len(stack.layers()) > 5
    return stack.layers()


def test_it_is_what_the_command_line_paints(everything):
    result = live_frame(width=321, height=241, faces=1).result
    assert np.array_equal(paint(result, Look(everything)), render(result, everything))


def test_two_threads_and_the_screen_may_paint_the_same_layers_at_once(everything):
    result = live_frame(width=640, height=480, faces=2).result
    look = Look(everything)
    expected = paint(result, look)
    same = []
    threads = [
        threading.Thread(target=lambda: same.extend(np.array_equal(paint(result, look), expected) for _ in range(5)))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    same += [np.array_equal(paint(result, look), expected) for _ in range(5)]
    for thread in threads:
        thread.join()
    assert same == [True] * 15


@pytest.mark.parametrize("faces", [0, 1])
def test_nothing_is_painted_into_the_frame_itself(qapp, faces):
    live = live_frame(faces=faces)
    before = live.result.frame_bgr.copy()
    painted = paint(live.result, Look((RedLayer(),)))
    assert np.array_equal(live.result.frame_bgr, before)
    assert np.array_equal(painted, before) is (faces == 0)


@pytest.mark.parametrize("faces", [0, 1])
def test_mirrored_is_mirrored_and_contiguous(qapp, faces):
    result = live_frame(faces=faces).result
    result.frame_bgr[:, :50] = 200
    layers = (RedLayer(),)
    mirrored = paint(result, Look(layers, mirrored=True))
    assert np.array_equal(mirrored, cv2.flip(paint(result, Look(layers)), 1))
    assert mirrored.flags.c_contiguous


def test_a_layer_that_fails_leaves_no_painter_behind(qapp):
    class Broken(RedLayer):
        def paint(self, *_):
            raise ValueError("broken")

    result = live_frame(faces=1).result
    for _ in range(3):
        with pytest.raises(ValueError, match="broken"):
            paint(result, Look((Broken(),)))
    assert paint(result, Look((RedLayer(),)))[120, 5, 2] == 255
