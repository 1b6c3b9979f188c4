"""Toolbar icons of the overlays: what can be put on a face, and on which face."""

from __future__ import annotations

from icon_strokes import Point, arc, box, dots, line, mirrored, numbers, path, ring, shape


def overlays() -> str:
    """Return three sheets that lie on each other."""
    sheet = shape((12, 2.9), (21.2, 7.9), (12, 12.9), (2.8, 7.9), radius=0.75)
    edges = [line((2.8, y), (12, y + 5), (21.2, y), radius=0.75) for y in (12, 16.1)]
    return sheet + "".join(edges)


def mesh() -> str:
    """Return a face of triangles."""
    rim = [(12, 2.9), (20, 7), (18.4, 16), (12, 21.1), (5.6, 16), (4, 7)]
    inner = [(12, 10), (4, 7)], [(12, 10), (20, 7)], [(12, 10), (18.4, 16)], [(12, 10), (5.6, 16)]
    return (
        shape(*rim, radius=0.3)
        + "".join(line(*edge) for edge in inner)
        + line((12, 2.9), (12, 10))
        + line((5.6, 16), (18.4, 16))
    )


def pose() -> str:
    """Return three axes, one of them towards the viewer."""
    origin = (9.5, 14)
    return (
        line(origin, (9.5, 3.2))
        + line((6.2, 6.3), (9.5, 3), (12.8, 6.3))
        + line(origin, (21, 14))
        + line((17.8, 10.7), (21.1, 14), (17.8, 17.3))
        + line(origin, (3.6, 20.4))
        + line((3.4, 15.9), (3.4, 20.6), (8.1, 20.6))
    )


def blur() -> str:
    """Return a drop, as painting programs mark blur."""
    drop = path("M12 2.9C15.4 6.9 18.9 10.6 18.9 14.4A6.9 6.9 0 0 1 5.1 14.4C5.1 10.6 8.6 6.9 12 2.9Z")
    return drop + path("M8.7 14.6A3.4 3.4 0 0 0 11.7 17.9")


def pixelate() -> str:
    """Return a board of coarse pixels."""
    cells = [(column, row) for row in range(4) for column in range(4) if (row + column) % 2 == 0]
    side = 4.55
    squares = "".join(
        f"M{2.9 + side * column:.2f} {2.9 + side * row:.2f}h{side}v{side}h-{side}Z" for column, row in cells
    )
    return f'<path d="{squares}" fill="currentColor" stroke="none"/>'


def moustache() -> str:
    half = "M12 10.2C10.6 7.6 6.9 7.6 5.9 10.6C5.4 12.2 4.2 12.9 2.6 12.2C3.1 15.4 9.9 17 12 13.2Z"
    other = "M12 10.2C13.4 7.6 17.1 7.6 18.1 10.6C18.6 12.2 19.8 12.9 21.4 12.2C20.9 15.4 14.1 17 12 13.2Z"
    return path(half, filled=True) + path(other, filled=True)


def hat() -> str:
    brim = path(
        "M6.4 16.4C5.6 16.9 4.2 16.6 2.6 15.4C4.4 20.6 19.6 20.6 21.4 15.4C19.8 16.6 18.4 16.9 17.6 16.4Z", filled=True
    )
    crown = path("M6.4 16.4L7.6 6.9C7.9 4.6 10.4 4 12 5.6C13.6 4 16.1 4.6 16.4 6.9L17.6 16.4")
    band = path("M6.9 12.8C9.4 14.6 14.6 14.6 17.1 12.8L17.5 16.3C14.8 18 9.2 18 6.5 16.3Z", filled=True)
    return brim + crown + band


def dog() -> str:
    ear = [(8.2, 4.4), (4.2, 4.2), (2.7, 11.6), (5.3, 13.8), (7, 10.4)]
    head = path(
        "M8.2 4.4C10 3.6 14 3.6 15.8 4.4L17 10.4C17.4 13 16.9 15 16 16.6"
        "C14.2 21.6 9.8 21.6 8 16.6C7.1 15 6.6 13 7 10.4Z"
    )
    nose = shape((10.7, 14.6), (13.3, 14.6), (12, 16.1), filled=True)
    return (
        shape(*ear, radius=1, filled=True)
        + shape(*mirrored(ear), radius=1, filled=True)
        + head
        + nose
        + dots(1.1, (9.9, 10.2), (14.1, 10.2))
    )


def mask() -> str:
    """Return a half-mask with eye holes."""
    rim = path(
        "M12 8.2C9 5.6 5.4 5.4 2.6 6.6C2.4 12 4 17.6 8 17.6C10.2 17.6 10.8 15.2 12 15.2"
        "C13.2 15.2 13.8 17.6 16 17.6C20 17.6 21.6 12 21.4 6.6C18.6 5.4 15 5.6 12 8.2Z"
    )
    hole, other = (
        path(f"M{a} 11.6C{b} 10 {c} 10.4 {d} 12.4C{c} 13.8 {b} 13.6 {a} 11.6Z", filled=True)
        for a, b, c, d in ((6.2, 7.2, 8.8, 9.4), (17.8, 16.8, 15.2, 14.6))
    )
    return rim + hole + other


def heart_path(x: float, y: float, size: float) -> str:
    """Return path data of a heart with its notch at a point and two sizes wide."""

    def curve(*points: Point) -> str:
        return "C" + " ".join(numbers(x + size * across, y + size * down) for across, down in points)

    right = curve((0.35, -0.6), (1, -0.55), (1, 0.2)) + curve((1, 0.8), (0.3, 1.15), (0, 1.6))
    left = curve((-0.3, 1.15), (-1, 0.8), (-1, 0.2)) + curve((-1, -0.55), (-0.35, -0.6), (0, 0))
    return "M" + numbers(x, y) + right + left + "Z"


def heart() -> str:
    """Return heart-shaped glasses."""
    return (
        path(heart_path(6.9, 9.6, 4), filled=True)
        + path(heart_path(17.1, 9.6, 4), filled=True)
        + path("M10.8 10.6Q12 9.4 13.2 10.6")
    )


def round_glasses() -> str:
    rims = ring((7, 14), 4.1) + ring((17, 14), 4.1)
    temples = path("M2.9 13.4L4.6 7.4A2 2 0 0 1 6.4 6") + path("M21.1 13.4L19.4 7.4A2 2 0 0 0 17.6 6")
    return rims + path("M10.9 12.9Q12 11.8 13.1 12.9") + temples


def picture() -> str:
    """Return a framed landscape."""
    hills = line((3.2, 17.2), (8.8, 11.4), (13.2, 16), (15.6, 13.6), (20.8, 18.6), radius=0.75)
    return box(2.9, 4, 21.1, 20, radius=2) + hills + dots(1.6, (15.8, 8.8))


def face() -> str:
    return ring((12, 12), 9) + dots(1.4, (8.8, 9.8), (15.2, 9.8)) + arc((12, 11.4), 4.8, 35, 145)


def faces() -> str:
    """Return a face and another one behind it."""
    front = ring((9, 14), 6.4) + dots(1.1, (6.8, 12.6), (11.2, 12.6)) + arc((9, 13.4), 3.4, 35, 145)
    return front + arc((15.2, 9.2), 6.2, 188, 442)


def eye() -> str:
    lids = path(
        "M2.6 12C5.2 7.7 8.4 5.6 12 5.6C15.6 5.6 18.8 7.7 21.4 12C18.8 16.3 15.6 18.4 12 18.4C8.4 18.4 5.2 16.3 2.6 12Z"
    )
    return lids + ring((12, 12), 3)


DRAWINGS = {
    "blur": blur,
    "dog": dog,
    "eye": eye,
    "face": face,
    "faces": faces,
    "hat": hat,
    "heart": heart,
    "mask": mask,
    "mesh": mesh,
    "moustache": moustache,
    "overlays": overlays,
    "picture": picture,
    "pixelate": pixelate,
    "pose": pose,
    "round-glasses": round_glasses,
}
