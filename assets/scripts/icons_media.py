"""Toolbar icons for keeping and replaying pictures: capture, files, playback, zoom, and editing of lists."""

from __future__ import annotations

from icon_strokes import Point, arc, box, dots, line, mirrored, on_circle, ring, shape

# --- capture ---


def snapshot() -> str:
    """Return a photo camera; the session's own camera is a video camera."""
    body = [(2.9, 7), (7.4, 7), (9.2, 4), (14.8, 4), (16.6, 7), (21.1, 7), (21.1, 20), (2.9, 20)]
    return shape(*body, radius=1.5) + ring((12, 13.2), 3.75)


def record() -> str:
    return ring((12, 12), 9) + dots(5.25, (12, 12))


def record_stop() -> str:
    return ring((12, 12), 9) + shape((9.5, 9.5), (14.5, 9.5), (14.5, 14.5), (9.5, 14.5), filled=True)


def burst() -> str:
    """Return a pile of pictures."""
    hills = line((3.4, 18.6), (8.2, 14), (11.4, 17), (14, 14.8), (20.6, 20.4), radius=0.75)
    return line((7.5, 3), (16.5, 3)) + line((5.25, 6.4), (18.75, 6.4)) + box(2.9, 10, 21.1, 21, radius=2) + hills


def timer() -> str:
    """Return a stopwatch."""
    return (
        ring((12, 13.5), 7.75) + line((9.5, 2.5), (14.5, 2.5)) + line((12, 13.5), (12, 9)) + line((18.6, 6), (19.6, 7))
    )


def copy() -> str:
    return box(8.5, 8.5, 20.5, 20.5, radius=2) + line(
        (4.6, 15.5), (3.5, 15.5), (3.5, 3.5), (15.5, 3.5), (15.5, 4.6), radius=2
    )


# --- files ---


def folder() -> str:
    """Return a closed folder; the one of `open` is open."""
    return shape((3, 5), (9, 5), (11.25, 7.5), (21, 7.5), (21, 19.5), (3, 19.5), radius=1.5) + line((3, 11), (21, 11))


def export() -> str:
    tray = line((4, 14), (4, 20.5), (20, 20.5), (20, 14), radius=2)
    return tray + line((12, 15), (12, 3.2)) + line((7.5, 7.7), (12, 3.2), (16.5, 7.7))


def recent() -> str:
    """Return a clock that is turned back."""
    tip = on_circle((12, 12), 8.75, 180 + 24)
    hook = line((tip[0], tip[1] - 5), tip, (tip[0] + 5, tip[1]))
    return arc((12, 12), 8.75, 204, 516) + hook + line((12, 7), (12, 12), (15.5, 14))


def log() -> str:
    sheet = shape((5, 2.9), (14.5, 2.9), (19, 7.4), (19, 21.1), (5, 21.1), radius=1.5)
    return sheet + "".join(line((8.5, y), (right, y)) for y, right in ((9, 12), (13, 15.5), (17, 15.5)))


def stream() -> str:
    """Return a sender: waves on both sides of a dot."""
    waves = [arc((12, 12), radius, -span, span) for radius, span in ((5, 45), (9, 45))]
    others = [arc((12, 12), radius, 180 - span, 180 + span) for radius, span in ((5, 45), (9, 45))]
    return dots(2, (12, 12)) + "".join(waves + others)


def virtual_camera() -> str:
    """Return a video call: a camera in a speech bubble."""
    bubble = [(2.9, 3.5), (21.1, 3.5), (21.1, 17.5), (12.2, 17.5), (8, 21.3), (8, 17.5), (2.9, 17.5)]
    lens = shape((14.6, 10), (16.6, 8.8), (16.6, 12.2), (14.6, 11), filled=True)
    return shape(*bubble, radius=1.5) + shape((7.7, 8.7), (12.2, 8.7), (12.2, 12.3), (7.7, 12.3), filled=True) + lens


# --- playback: filled, where the session's own start and stop are outlines ---


def play() -> str:
    return shape((7, 4.5), (19.5, 12), (7, 19.5), radius=0.5, filled=True)


def pause() -> str:
    bars = [((left, 4.5), (left + 2.5, 4.5), (left + 2.5, 19.5), (left, 19.5)) for left in (6.25, 15.25)]
    return "".join(shape(*bar, filled=True) for bar in bars)


STEP_TRIANGLE: list[Point] = [(10, 5.75), (19.5, 12), (10, 18.25)]


def step_forward() -> str:
    return line((5, 4.9), (5, 19.1)) + shape(*STEP_TRIANGLE, radius=0.5, filled=True)


def step_back() -> str:
    return line((19, 4.9), (19, 19.1)) + shape(*mirrored(STEP_TRIANGLE), radius=0.5, filled=True)


def arrow(tip: Point, wing: Point, other_wing: Point, end: Point) -> str:
    return line(end, tip) + line(wing, tip, other_wing)


def next_one() -> str:
    return arrow((20.5, 12), (13.5, 5), (13.5, 19), (3.5, 12))


def previous() -> str:
    return arrow((3.5, 12), (10.5, 5), (10.5, 19), (20.5, 12))


def up() -> str:
    return arrow((12, 3.5), (5, 10.5), (19, 10.5), (12, 20.5))


def down() -> str:
    return arrow((12, 20.5), (5, 13.5), (19, 13.5), (12, 3.5))


def loop() -> str:
    """Return two arrows that run after each other around a track; `retry` is one arrow on a circle."""
    there = line((3.5, 11.5), (3.5, 6.5), (19.7, 6.5), radius=3) + line((16.5, 2.75), (20.25, 6.5), (16.5, 10.25))
    back = line((20.5, 12.5), (20.5, 17.5), (4.3, 17.5), radius=3) + line((7.5, 21.25), (3.75, 17.5), (7.5, 13.75))
    return there + back


def speed() -> str:
    """Return a speedometer."""
    return arc((12, 14.5), 9, 160, 380) + line((12, 14.5), (15.6, 9.4)) + dots(2, (12, 14.5))


# --- zoom ---


def magnifier(sign: str) -> str:
    return ring((10.25, 10.25), 7.25) + line((15.5, 15.5), (21, 21)) + sign


def zoom_in() -> str:
    return magnifier(line((7, 10.25), (13.5, 10.25)) + line((10.25, 7), (10.25, 13.5)))


def zoom_out() -> str:
    return magnifier(line((7, 10.25), (13.5, 10.25)))


def zoom_fit() -> str:
    """Return a picture that reaches into the corners of its frame."""
    corners = line((6.75, 12.5), (6.75, 8.75), (10.5, 8.75)) + line((17.25, 11.5), (17.25, 15.25), (13.5, 15.25))
    return box(2.9, 4.5, 21.1, 19.5, radius=2) + corners


def zoom_actual() -> str:
    """Return one to one."""
    ones = [line((x - 3, 7.25), (x, 5), (x, 19)) for x in (6.5, 19)]
    return "".join(ones) + dots(1.4, (12, 9), (12, 15.5))


# --- lists and settings ---


def add() -> str:
    return line((12, 4), (12, 20)) + line((4, 12), (20, 12))


def remove() -> str:
    return line((4, 12), (20, 12))


def edit() -> str:
    """Return a pencil."""
    body = shape((15.6, 3.6), (20.4, 8.4), (8.6, 20.2), (3.3, 20.7), (3.8, 15.4), radius=0.75)
    return body + line((12.6, 6.6), (17.4, 11.4))


def preferences() -> str:
    """Return a cogwheel with eight teeth."""
    rim: list[Point] = []
    for tooth in range(8):
        middle = 45 * tooth
        rim += [on_circle((12, 12), radius, middle + turn) for radius, turn in ((7, -14), (9.6, -9), (9.6, 9), (7, 14))]
    return shape(*rim, radius=0.6) + ring((12, 12), 3.1)


DRAWINGS = {
    "add": add,
    "burst": burst,
    "copy": copy,
    "down": down,
    "edit": edit,
    "export": export,
    "folder": folder,
    "log": log,
    "loop": loop,
    "next": next_one,
    "pause": pause,
    "play": play,
    "preferences": preferences,
    "previous": previous,
    "recent": recent,
    "record": record,
    "record-stop": record_stop,
    "remove": remove,
    "snapshot": snapshot,
    "speed": speed,
    "step-back": step_back,
    "step-forward": step_forward,
    "stream": stream,
    "timer": timer,
    "up": up,
    "virtual-camera": virtual_camera,
    "zoom-actual": zoom_actual,
    "zoom-fit": zoom_fit,
    "zoom-in": zoom_in,
    "zoom-out": zoom_out,
}
