"""Toolbar icons of the session: what is looked at, what is drawn on it, and the training."""

from __future__ import annotations

import math
from itertools import pairwise, product

from icon_strokes import Point, arc, between, box, dots, line, mirrored, on_circle, path, ring, shape


def camera() -> str:
    return box(2.9, 6, 15.5, 18, radius=2.5) + line((15.5, 10.5), (21.1, 7), (21.1, 17), (15.5, 13.5), radius=0.5)


def demo() -> str:
    """Return a film clapper, ajar, with a play triangle on its board."""
    hinge, tilt = (3.5, 10.5), -11.0
    tip = on_circle(hinge, 17, tilt)
    thickness = on_circle((0, 0), 4.25, tilt - 90)

    def above(point: Point) -> Point:
        return point[0] + thickness[0], point[1] + thickness[1]

    stripes = [line(on_circle(hinge, at, tilt), above(on_circle(hinge, at + 2.5, tilt))) for at in (4.5, 10)]
    return (
        line(hinge, (20.5, 10.5), (20.5, 20.5), (3.5, 20.5), hinge, above(hinge), above(tip), tip, hinge, radius=1)
        + "".join(stripes)
        + shape((10.8, 13.6), (14.4, 15.5), (10.8, 17.4), filled=True)
    )


def open_folder() -> str:
    back = [(18.5, 11), (18.5, 7.5), (11.3, 7.5), (8.7, 5), (3, 5)]
    front = [(3, 19.5), (18.4, 19.5), (21.6, 11), (6.6, 11), (3.6, 18.9)]
    return line(*back, *front, radius=1.5)


def start() -> str:
    return shape((6.5, 3.5), (20.5, 12), (6.5, 20.5), radius=1.25)


def stop() -> str:
    return box(5, 5, 19, 19, radius=2)


def keypoints() -> str:
    """Return the face of the application icon: jaw, eyes and mouth."""
    jaw = [(3.2, 5.5), (3.5, 10), (5, 14.5), (8, 18.4)]
    return dots(1.4, *jaw, (12, 20.3), *mirrored(jaw), (8.8, 8.4), (15.2, 8.4)) + arc((12, 9.6), 4.8, 40, 140)


def point_numbers() -> str:
    """Return a keypoint and its number."""
    return (
        dots(2, (4.25, 5))
        + line((5.75, 11), (8.75, 8.75), (8.75, 20))
        + path("M13.5 12.25A3.6 3.6 0 0 1 20.7 12.6C20.7 15.2 18.2 16.8 13.5 20L20.9 20")
    )


def corner_brackets(low: float, high: float, length: float, radius: float) -> str:
    corners = ((low, low, 1, 1), (high, low, -1, 1), (high, high, -1, -1), (low, high, 1, -1))
    return "".join(line((x, y + length * dy), (x, y), (x + length * dx, y), radius=radius) for x, y, dx, dy in corners)


def boxes() -> str:
    return corner_brackets(3.5, 20.5, 4.5, 2) + dots(1.25, (9, 10), (15, 10)) + arc((12, 11.5), 4.5, 40, 140)


def sunglasses() -> str:
    lens = path("M3 12.5H10V15.5A3.5 3.5 0 0 1 3 15.5Z", filled=True)
    other_lens = path("M21 12.5H14V15.5A3.5 3.5 0 0 0 21 15.5Z", filled=True)
    bridge = path("M10 13.2A2.6 2.6 0 0 1 14 13.2")
    temples = path("M3 12.5L5 6.6A2.1 2.1 0 0 1 7 5.2") + path("M21 12.5L19 6.6A2.1 2.1 0 0 0 17 5.2")
    return lens + other_lens + bridge + temples


def mirror() -> str:
    half = [(3, 6), (9, 12), (3, 18)]
    dashes = [line((12, y), (12, y + 1.75)) for y in (3, 8.42, 13.83, 19.25)]
    return shape(*half, radius=0.5) + shape(*mirrored(half), radius=0.5, filled=True) + "".join(dashes)


def fullscreen() -> str:
    return "".join(
        line((12 + 2.5 * way, 12 - 8.5 * way), (12 + 8.5 * way, 12 - 8.5 * way), (12 + 8.5 * way, 12 - 2.5 * way))
        + line((12 + 8.5 * way, 12 - 8.5 * way), (12 + 2 * way, 12 - 2 * way))
        for way in (1, -1)
    )


def retry() -> str:
    tip = on_circle((12, 12), 8.75, -24)
    return arc((12, 12), 8.75, 24, 336) + line((tip[0], tip[1] - 5.25), tip, (tip[0] - 5.25, tip[1]))


def question() -> str:
    return ring((12, 12), 9) + path("M9.3 9.4A2.8 2.8 0 1 1 13.6 11.8C12.6 12.4 12 12.9 12 13.9") + dots(1.15, (12, 17))


def warning() -> str:
    return shape((12, 2.2), (22.6, 20.5), (1.4, 20.5), radius=2) + line((12, 9.5), (12, 13.5)) + dots(1.15, (12, 17))


def info() -> str:
    return ring((12, 12), 9) + line((12, 11.5), (12, 16.5)) + dots(1.15, (12, 7.8))


def close() -> str:
    return line((5.5, 5.5), (18.5, 18.5)) + line((18.5, 5.5), (5.5, 18.5))


def network() -> str:
    """Return three fully connected layers."""
    layers = [[(4.75, 5), (4.75, 19)], [(12.25, 5), (12.25, 19)], [(19.25, 12)]]
    radius, data = 2.0, []
    for left, right in pairwise(layers):
        for start, end in product(left, right):
            share = radius / math.dist(start, end)
            data.append(line(between(start, end, share), between(end, start, share)))
    return "".join(data) + "".join(ring(node, radius) for layer in layers for node in layer)


def browse() -> str:
    """Return a sheet of pictures, one of them with a keypoint."""
    sides = [(3.5, 10.25), (13.75, 20.5)]
    return "".join(
        box(left, top, right, bottom, radius=1.5) for (left, right), (top, bottom) in product(sides, sides)
    ) + dots(1.25, (6.9, 6.9))


def train() -> str:
    """Return a loss that falls."""
    axes = line((3, 3), (3, 20.5), (20.5, 20.5), radius=2)
    return axes + path("M8 4.5C8.6 12 12 15.25 19 15.25") + dots(1.75, (19, 15.25))


DRAWINGS = {
    "boxes": boxes,
    "browse": browse,
    "camera": camera,
    "close": close,
    "demo": demo,
    "fullscreen": fullscreen,
    "help": question,
    "info": info,
    "keypoints": keypoints,
    "mirror": mirror,
    "network": network,
    "numbers": point_numbers,
    "open": open_folder,
    "retry": retry,
    "start": start,
    "stop": stop,
    "sunglasses": sunglasses,
    "train": train,
    "warning": warning,
}
