"""The language of the toolbar icons: strokes, rounded corners, rings and dots in a 24-unit square.

All icons have a free margin of one to two units, strokes of 1.75 units with round caps and joins, filled dots for
keypoints, and ``currentColor`` throughout, so that the application can tint them. Upright strokes lie on whole units
where they can: at 24 px they are crisp there.
"""

from __future__ import annotations

import math

STROKE = 1.75

Point = tuple[float, float]


def numbers(*values: float) -> str:
    return " ".join(f"{round(value, 2) + 0:g}" for value in values)


def mirrored(points: list[Point]) -> list[Point]:
    """Mirror points about the icon's upright axis."""
    return [(24 - x, y) for x, y in points]


def between(start: Point, end: Point, share: float) -> Point:
    return start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1])


def on_circle(centre: Point, radius: float, degrees: float) -> Point:
    """Return the point of a circle at an angle that runs clockwise from the right."""
    angle = math.radians(degrees)
    return centre[0] + radius * math.cos(angle), centre[1] + radius * math.sin(angle)


def rounded_data(points: list[Point], radius: float, *, closed: bool) -> str:
    """Return path data of a polyline whose corners are circular arcs."""
    count = len(points)
    data: list[str] = []
    for index, corner in enumerate(points):
        inner = closed or 0 < index < count - 1
        if not inner or radius == 0:
            data.append(("L" if data else "M") + numbers(*corner))
            continue
        before, after = points[index - 1], points[(index + 1) % count]
        to_before, to_after = ((point[0] - corner[0], point[1] - corner[1]) for point in (before, after))
        cross = to_before[0] * to_after[1] - to_before[1] * to_after[0]
        dot = to_before[0] * to_after[0] + to_before[1] * to_after[1]
        cut = radius / math.tan(math.atan2(abs(cross), dot) / 2)
        start = between(corner, before, cut / math.hypot(*to_before))
        end = between(corner, after, cut / math.hypot(*to_after))
        sweep = 1 if cross < 0 else 0
        data.append(
            ("L" if data else "M") + numbers(*start) + f"A{numbers(radius, radius)} 0 0 {sweep} {numbers(*end)}"
        )
    return "".join(data) + ("Z" if closed else "")


def path(data: str, *, filled: bool = False) -> str:
    return f'<path d="{data}"' + (' fill="currentColor"/>' if filled else "/>")


def line(*points: Point, radius: float = 0) -> str:
    return path(rounded_data(list(points), radius, closed=False))


def shape(*points: Point, radius: float = 0, filled: bool = False) -> str:
    return path(rounded_data(list(points), radius, closed=True), filled=filled)


def box(left: float, top: float, right: float, bottom: float, *, radius: float) -> str:
    return shape((left, top), (right, top), (right, bottom), (left, bottom), radius=radius)


def arc(centre: Point, radius: float, start_degrees: float, end_degrees: float) -> str:
    """Return a clockwise arc."""
    large = end_degrees - start_degrees > 180
    start, end = (numbers(*on_circle(centre, radius, angle)) for angle in (start_degrees, end_degrees))
    return path(f"M{start}A{numbers(radius, radius)} 0 {large:d} 1 {end}")


def ring(centre: Point, radius: float) -> str:
    return f'<circle cx="{numbers(centre[0])}" cy="{numbers(centre[1])}" r="{numbers(radius)}"/>'


def dots(radius: float, *centres: Point) -> str:
    return "".join(
        f'<circle cx="{numbers(x)}" cy="{numbers(y)}" r="{numbers(radius)}" fill="currentColor" stroke="none"/>'
        for x, y in centres
    )


def svg(body: str) -> str:
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" width="24" height="24" fill="none" '
        f'stroke="currentColor" stroke-width="{STROKE}" stroke-linecap="round" stroke-linejoin="round">\n'
        + body.replace("><", ">\n<")
        + "\n</svg>\n"
    )
