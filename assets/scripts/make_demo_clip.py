"""Make the built-in demo clip and its ground truth from one public-domain portrait.

Run ``python assets/scripts/make_demo_clip.py`` (needs scikit-image, which carries NASA's portrait of the astronaut
Eileen Collins). The portrait is cut out and taken apart into a body and a head, so that the head can turn on the neck;
both are moved by keyframes over a backdrop grown from the photograph's own. No random source but fixed seeds.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import cv2
import numpy as np
import skimage.data

DEMO_DIR = Path(__file__).resolve().parents[1] / "demo"

FPS, DURATION_S = 30, 20
WIDTH_PX, HEIGHT_PX = 640, 480
OVERSAMPLING = 2  # frames are composed twice as large: no shimmer when the portrait is drawn small
PORTRAIT_ZOOM = 2  # the cut-out is kept at twice the photograph's size, for smooth edges

# Places in the 512 x 512 photograph, in its pixels.
FACE_CENTRE = np.array([224.5, 114.0])  # of the box in which OpenCV's frontal-face Haar cascade finds the face
FACE_WIDTH = 96.0  # side of that box
FACE_ROLL_DEG = 3.1  # she holds her head a little tilted: slope of the line through the eyes
NECK = np.array([222.0, 206.0])  # the head turns about this point, inside the black collar
BODY_SHARE = 0.2  # of the head's turn that the shoulders follow
OUTLINE = """187,33 205,20 232,14 252,16 276,26 291,45 298,70 301,88 297,105 286,122 279,130 272,137 268,137 265,149
258,161 256,172 270,181 284,195 294,208 302,224 306,234 322,245 339,262 346,276 352,290 357,315 362,332 361,345 370,348
393,343 415,345 440,355 465,372 482,395 492,425 497,450 506,456 511,470 511,511 36,511 28,490 24,460 25,430 21,400
25,375 26,345 33,320 40,298 50,275 62,255 80,231 100,216 113,207 112,188 120,178 128,164 142,154 160,149 183,148 181,135
178,131 173,126 170,117 160,108 155,95 153,70 157,55 170,42"""
# Head, neck and the middle of the black collar; outside the subject this outline is generous.
HEAD_OUTLINE = """140,0 315,0 315,140 270,146 262,158 256,171 254,178 251,187 250,196 246,206 238,214 222,218 204,214
192,204 187,190 186,180 185,165 184,152 182,143 140,143"""
# The rear edge of the suit's neck ring, hidden by the head in the photograph and seen when the head turns.
RING_REAR = np.array(
    [
        [150, 151],
        [163, 148.8],
        [172, 148.4],
        [184, 149.0],
        [200, 151.2],
        [218, 155.2],
        [238, 162.6],
        [254, 172.2],
        [266, 179.6],
        [280, 191],
    ]
)
RING_COLOUR_BGR, COLLAR_COLOUR_BGR = (112, 96, 102), (9, 8, 10)
# Each eye: inner and outer corner, then heights of the brow, the upper lid, the lower lid and the cheek at its middle.
EYES = (((192, 100.5), (211, 102.5), 91, 96.8, 104.8, 110), ((237, 104.5), (258, 104.0), 94, 99.2, 107.2, 113))

Keys = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Actor:
    """How one face moves: keyframes (time in s, value), eased in and out between them."""

    face_x_px: Keys
    face_y_px: Keys
    face_width_px: Keys
    roll_deg: Keys
    blinks_s: tuple[float, ...]
    mirrored: bool
    sway_phase: float


@dataclass(frozen=True)
class Pose:
    """Where a face is in a frame."""

    centre_px: np.ndarray
    width_px: float
    roll_deg: float
    blink: float


HERO = Actor(
    face_x_px=((0, 320), (1, 320), (2.6, 296), (5, 348), (6.4, 320), (9, 320), (10.6, 270), (12.7, -225), (13.0, -225),
               (15.5, 205), (18.2, 205), (20, 320)),
    face_y_px=((0, 218), (5.8, 218), (7.8, 252), (8.6, 252), (10.8, 206), (13.2, 206), (15.6, 212), (18, 212),
               (20, 218)),
    face_width_px=((0, 150), (5.6, 150), (7.8, 230), (8.5, 230), (10.8, 118), (13, 118), (15.6, 138), (18, 138),
                   (20, 150)),
    roll_deg=((0, 0), (0.9, 0), (2.4, -24), (2.8, -24), (4.7, 24), (5.1, 24), (6.4, 0), (8.4, 2), (10.4, 0), (11.6, -6),
              (12.6, -2), (13.2, 5), (14.8, 5), (16, -3), (17.2, 9), (18.4, 7), (19.6, 0), (20, 0)),
    blinks_s=(0.7, 5.4, 8.3, 16.6, 19.2),
    mirrored=False,
    sway_phase=0.0,
)  # fmt: skip
GUEST = Actor(
    face_x_px=((0, 950), (13.6, 950), (16.2, 470), (17.9, 462), (20, 950)),
    face_y_px=((0, 206), (16.2, 200), (17.9, 204), (20, 206)),
    face_width_px=((0, 92), (14, 92), (16.6, 98), (18, 96), (20, 92)),
    roll_deg=((0, 0), (14, -4), (16, 0), (16.8, -10), (17.8, 6), (18.8, 4), (20, 0)),
    blinks_s=(15.9, 17.6),
    mirrored=True,
    sway_phase=2.0,
)


# --- motion ---------------------------------------------------------------------------------------


def eased(keys: Keys, time_s: float) -> float:
    """Return the value at a time, eased between keys so that speed and acceleration are continuous."""
    for (start_s, start), (end_s, end) in pairwise(keys):
        if start_s <= time_s <= end_s:
            u = (time_s - start_s) / (end_s - start_s)
            return start + (end - start) * u**3 * (u * (6 * u - 15) + 10)
    raise ValueError(f"no keyframes around {time_s} s in {keys}")


def blink_amount(blinks_s: tuple[float, ...], time_s: float) -> float:
    """Return how far the lids are down, 0 to 1; a blink takes about a quarter of a second."""
    return max((float(np.clip(1.6 * (1 - abs(time_s - at_s) / 0.13), 0, 1)) for at_s in blinks_s), default=0.0)


def pose_at(actor: Actor, time_s: float) -> Pose:
    # The sway's periods divide the clip's length, so that its end leads into its beginning.
    turn = 2 * np.pi * time_s / DURATION_S
    phase = actor.sway_phase
    sway = np.array([3.0 * np.sin(4 * turn + phase) + np.sin(9 * turn), 2.0 * np.sin(6 * turn + phase)])
    return Pose(
        centre_px=np.array([eased(actor.face_x_px, time_s), eased(actor.face_y_px, time_s)]) + sway,
        width_px=eased(actor.face_width_px, time_s) * (1 + 0.008 * np.sin(5 * turn + phase)),
        roll_deg=eased(actor.roll_deg, time_s) + 0.8 * np.sin(7 * turn + phase),
        blink=blink_amount(actor.blinks_s, time_s),
    )


def rotation(angle_deg: float) -> np.ndarray:
    """Return the matrix of a turn, clockwise in the picture."""
    c, s = np.cos(np.radians(angle_deg)), np.sin(np.radians(angle_deg))
    return np.array([[c, -s], [s, c]])


# --- the cut-out ----------------------------------------------------------------------------------


def polygon_px(text: str) -> np.ndarray:
    return np.array([[int(v) for v in pair.split(",")] for pair in text.split()], np.int32)


def subject_mask(photo_bgr: np.ndarray) -> np.ndarray:
    """Return the subject as a 0/1 mask: a hand-drawn outline that GrabCut moves onto the true edge nearby."""
    drawn = np.zeros(photo_bgr.shape[:2], np.uint8)
    cv2.fillPoly(drawn, [polygon_px(OUTLINE)], 1)
    padded = cv2.copyMakeBorder(drawn, 16, 16, 16, 16, cv2.BORDER_REPLICATE)  # the frame is no edge of the subject
    element = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (13, 13))
    sure = cv2.erode(padded, element)[16:-16, 16:-16]
    possible = cv2.dilate(padded, element)[16:-16, 16:-16]
    labels = np.where(drawn, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    labels[sure == 1] = cv2.GC_FGD
    labels[possible == 0] = cv2.GC_BGD
    cv2.setRNGSeed(7)
    cv2.grabCut(photo_bgr, labels, None, np.zeros((1, 65)), np.zeros((1, 65)), 6, cv2.GC_INIT_WITH_MASK)
    return np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)


def zoomed(image: np.ndarray, interpolation: int = cv2.INTER_LANCZOS4) -> np.ndarray:
    return cv2.resize(image, None, fx=PORTRAIT_ZOOM, fy=PORTRAIT_ZOOM, interpolation=interpolation)


def feathered(mask: np.ndarray, *, sigma_px: float, low: float = 0.0, high: float = 1.0) -> np.ndarray:
    """Return a zoomed 0/1 mask with a soft edge; `low` and `high` choose which part of the blur is the edge."""
    soft = cv2.GaussianBlur(zoomed(mask.astype(np.float32), cv2.INTER_LINEAR), (0, 0), sigma_px * PORTRAIT_ZOOM)
    return np.clip((soft - low) / (high - low), 0, 1)


def spread(image: np.ndarray, trusted: np.ndarray) -> np.ndarray:
    """Give every pixel outside `trusted` the colour of the nearest one inside, so that no backdrop is left in edges."""
    _, labels = cv2.distanceTransformWithLabels(
        (~trusted).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    colours = np.zeros((labels.max() + 1, 3), image.dtype)
    colours[labels[trusted]] = image[trusted]
    return np.where(trusted[..., None], image, cv2.GaussianBlur(colours[labels], (0, 0), 1.0))


def premultiplied(image_bgr: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Return premultiplied BGRA, uint8."""
    bgra = np.dstack([image_bgr * alpha[..., None], 255 * alpha])
    return np.clip(np.rint(bgra), 0, 255).astype(np.uint8)


def body_layer(image_bgr: np.ndarray, alpha: np.ndarray, head: np.ndarray) -> np.ndarray:
    """Return the body without the head: the place where the neck was is collar, closed by the ring's rear edge."""
    zoom = PORTRAIT_ZOOM
    ring = np.rint((RING_REAR + 0.5) * zoom * 16).astype(np.int32)
    rear = np.vstack([ring, [[280 * zoom * 16, 240 * zoom * 16], [150 * zoom * 16, 240 * zoom * 16]]]).astype(np.int32)
    behind = np.zeros(alpha.shape, np.uint8)
    cv2.fillPoly(behind, [rear], 255, cv2.LINE_AA, 4)
    filled = np.full_like(image_bgr, COLLAR_COLOUR_BGR)
    cv2.polylines(filled, [ring + np.array([0, 48 * zoom])], False, RING_COLOUR_BGR, 6 * zoom, cv2.LINE_AA, 4)
    filled = cv2.GaussianBlur(filled, (0, 0), 0.7 * zoom)
    # More than the head is replaced, else its soft edge would stay behind as a ghost.
    wide = cv2.dilate((head > 0).astype(np.float32), np.ones((6 * zoom + 1, 6 * zoom + 1)))
    hole = cv2.GaussianBlur(wide, (0, 0), zoom)[..., None]
    alpha = alpha + hole[..., 0] * (behind / 255 - alpha)
    return premultiplied(image_bgr * (1 - hole) + filled * hole, alpha)


def portrait_layers(photo_bgr: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the body and the head as premultiplied BGRA layers, `PORTRAIT_ZOOM` times the photograph's size."""
    mask = subject_mask(photo_bgr)
    alpha = feathered(mask, sigma_px=1.1, low=0.3, high=0.95)
    inner = cv2.erode(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5)), borderValue=1)
    image = zoomed(spread(photo_bgr, inner == 1)).astype(np.float32)
    image = np.clip(image + 0.5 * (image - cv2.GaussianBlur(image, (0, 0), 2.0)), 0, 255)  # close-ups need some bite
    head_area = np.zeros_like(mask)
    cv2.fillPoly(head_area, [polygon_px(HEAD_OUTLINE)], 1)
    head = alpha * feathered(head_area, sigma_px=1.0)
    return body_layer(image, alpha, head), premultiplied(image, head)


def with_blink(head_bgra: np.ndarray, amount: float) -> np.ndarray:
    """Return the head with its lids lowered: the skin above each eye is pulled down over it."""
    if amount <= 0:
        return head_bgra
    height, width = head_bgra.shape[:2]
    map_x, map_y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    for (left_x, left_y), (right_x, right_y), brow, upper, lower, cheek in EYES:
        centre_x, half = (left_x + right_x) / 2, (right_x - left_x) / 2
        columns = slice(int((centre_x - 1.5 * half) * PORTRAIT_ZOOM), int((centre_x + 1.5 * half) * PORTRAIT_ZOOM))
        rows = slice(int(brow * PORTRAIT_ZOOM), int(cheek * PORTRAIT_ZOOM))
        across = (map_x[rows, columns] / PORTRAIT_ZOOM - centre_x) / half
        slope = (right_y - left_y) / 2 * across
        opening = np.clip(1 - across**2, 0, None)
        corner = (left_y + right_y) / 2
        y = map_y[rows, columns] / PORTRAIT_ZOOM - slope
        lid, floor = corner + (upper - corner) * opening, corner + (lower - corner) * opening
        lowered = lid + 0.92 * amount * (floor - lid)
        # Piecewise linear in height: brow to lid is stretched, lid to floor squeezed, the cheek stays.
        above = brow + (y - brow) * (lid - brow) / np.maximum(lowered - brow, 1e-3)
        inside = lid + (y - lowered) * (floor - lid) / np.maximum(floor - lowered, 1e-3)
        source_y = np.where(y < lowered, np.maximum(above, np.minimum(y, brow)), np.where(y < floor, inside, y))
        map_y[rows, columns] = (source_y + slope) * PORTRAIT_ZOOM
    return cv2.remap(head_bgra, map_x, map_y, cv2.INTER_LINEAR)


# --- frames ---------------------------------------------------------------------------------------


def backdrop(photo_bgr: np.ndarray) -> np.ndarray:
    """Return a studio backdrop larger than a frame: the photograph's own, without what stands before it."""
    clear = np.zeros(photo_bgr.shape[:2], np.float32)
    clear[:200, 95:350] = 1
    clear[:250, 462:] = 1
    clear[cv2.dilate(subject_mask(photo_bgr), np.ones((9, 9))) == 1] = 0
    known = np.dstack([photo_bgr * clear[..., None], clear])
    blurred = photo_bgr[clear == 1].mean(axis=0)
    for sigma_px in (160, 80, 40):  # from far to near: each blur fills what the finer one cannot reach
        local = cv2.GaussianBlur(known, (0, 0), sigma_px, borderType=cv2.BORDER_REPLICATE)
        blurred = (local[..., :3] + 0.08 * blurred) / (local[..., 3:] + 0.08)
    size_px = (WIDTH_PX * 5 // 4, HEIGHT_PX * 5 // 4)
    picture = cv2.resize(blurred, size_px, interpolation=cv2.INTER_CUBIC)
    rng = np.random.default_rng(11)
    clouds = sum(
        amplitude
        * cv2.resize(rng.standard_normal((rows, rows)).astype(np.float32), size_px, interpolation=cv2.INTER_CUBIC)
        for rows, amplitude in ((4, 5.0), (8, 3.5), (16, 1.5))
    )
    y, x = np.mgrid[-1 : 1 : size_px[1] * 1j, -1 : 1 : size_px[0] * 1j]
    vignette = 0.86 - 0.2 * np.clip(x**2 + 0.9 * (y + 0.25) ** 2, 0, 1.6)
    tint_bgr = np.array([1.10, 1.02, 0.90])  # cooler than her, so that she stands out
    return ((picture + clouds[..., None]) * vignette[..., None] * tint_bgr).astype(np.float32)


def put(frame_bgr: np.ndarray, layer_bgra: np.ndarray, matrix: np.ndarray) -> None:
    """Draw a premultiplied layer onto a uint8 frame, placed by a 2 x 3 matrix."""
    size_px = (frame_bgr.shape[1], frame_bgr.shape[0])
    placed = cv2.warpAffine(layer_bgra, matrix, size_px, flags=cv2.INTER_LINEAR)
    kept = cv2.cvtColor(255 - placed[..., 3], cv2.COLOR_GRAY2BGR)
    frame_bgr[...] = cv2.add(cv2.multiply(frame_bgr, kept, scale=1 / 255), placed[..., :3])


def placement(turn_deg: float, scale: float, source_px: np.ndarray, target_px: np.ndarray) -> np.ndarray:
    """Return the matrix that turns and scales a layer and puts a point of the photograph on a point of the frame."""
    linear = rotation(turn_deg) * scale * OVERSAMPLING / PORTRAIT_ZOOM
    source = (source_px + 0.5) * PORTRAIT_ZOOM - 0.5
    target = (target_px + 0.5) * OVERSAMPLING - 0.5
    return np.column_stack([linear, target - linear @ source])


def draw_person(frame_bgr: np.ndarray, layers: tuple[np.ndarray, np.ndarray], pose: Pose, *, mirrored: bool) -> None:
    body, head = layers
    side = -1 if mirrored else 1
    turn_deg = pose.roll_deg - side * FACE_ROLL_DEG
    scale = pose.width_px / FACE_WIDTH
    face, neck = FACE_CENTRE, NECK
    if mirrored:
        flip = np.array([511.0, 0.0])
        face, neck = np.abs(flip - face), np.abs(flip - neck)
    neck_px = pose.centre_px + rotation(turn_deg) @ (neck - face) * scale
    put(frame_bgr, body, placement(BODY_SHARE * turn_deg, scale, neck, neck_px))
    put(frame_bgr, head, placement(turn_deg, scale, face, pose.centre_px))


def visible_fraction(pose: Pose) -> float:
    """Return the share of the upright face box that lies inside the frame."""
    half = pose.width_px / 2
    low = np.clip(pose.centre_px - half, 0, (WIDTH_PX, HEIGHT_PX))
    high = np.clip(pose.centre_px + half, 0, (WIDTH_PX, HEIGHT_PX))
    return float(np.prod(high - low) / pose.width_px**2)


def truth_of(pose: Pose, face_id: int) -> dict[str, float]:
    return {
        "id": face_id,
        "cx": round(float(pose.centre_px[0]), 1),
        "cy": round(float(pose.centre_px[1]), 1),
        "width_px": round(float(pose.width_px), 1),
        "angle_deg": round(float(pose.roll_deg), 1),
        "visible": round(visible_fraction(pose), 2),
    }


class Stage:
    """Everything that is computed once and used in every frame."""

    def __init__(self) -> None:
        photo_bgr = cv2.cvtColor(skimage.data.astronaut(), cv2.COLOR_RGB2BGR)
        self.backdrop = backdrop(photo_bgr)
        self.body, self.head = portrait_layers(photo_bgr)
        # Film grain drawn once and shifted from frame to frame costs the encoder less than fresh grain and looks alike.
        rng = np.random.default_rng(3)
        self.grain = cv2.GaussianBlur(
            rng.standard_normal((HEIGHT_PX * 2, WIDTH_PX * 2)).astype(np.float32), (0, 0), 0.7
        )

    def layers(self, actor: Actor, blink: float) -> tuple[np.ndarray, np.ndarray]:
        """Return body and head as this actor shows them."""
        head = with_blink(self.head, blink)
        return (cv2.flip(self.body, 1), cv2.flip(head, 1)) if actor.mirrored else (self.body, head)

    def frame(self, index: int) -> tuple[np.ndarray, list[dict[str, float]]]:
        """Return a BGR frame and the faces that are at least partly inside it."""
        time_s = index / FPS
        poses = [pose_at(actor, time_s) for actor in (HERO, GUEST)]
        turn = 2 * np.pi * time_s / DURATION_S
        # The camera drifts a little.
        centre_px = (WIDTH_PX * 5 / 8 + 10 * np.sin(turn), HEIGHT_PX * 5 / 8 + 5 * np.sin(2 * turn))
        view = cv2.getRectSubPix(self.backdrop, (WIDTH_PX, HEIGHT_PX), centre_px)
        canvas = cv2.resize(np.clip(view, 0, 255).astype(np.uint8), None, fx=OVERSAMPLING, fy=OVERSAMPLING)
        for actor, pose in sorted(zip((HERO, GUEST), poses, strict=True), key=lambda pair: pair[1].width_px):
            draw_person(canvas, self.layers(actor, pose.blink), pose, mirrored=actor.mirrored)
        picture = cv2.resize(canvas, (WIDTH_PX, HEIGHT_PX), interpolation=cv2.INTER_AREA).astype(np.float32)
        picture *= 1 + 0.03 * np.sin(2 * turn) + 0.012 * np.sin(7 * turn)
        offset_y, offset_x = np.random.default_rng(index).integers(0, (HEIGHT_PX, WIDTH_PX))
        picture += self.grain[offset_y : offset_y + HEIGHT_PX, offset_x : offset_x + WIDTH_PX, None] * 1.2
        truth = [truth_of(pose, face_id) for face_id, pose in enumerate(poses) if visible_fraction(pose) > 0]
        return np.clip(np.rint(picture), 0, 255).astype(np.uint8), truth


def write_clip(path: Path, stage: Stage) -> list[list[dict[str, float]]]:
    """Encode all frames as H.264 and return their ground truth."""
    truth = []
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=Fraction(FPS))
        stream.width, stream.height, stream.pix_fmt = WIDTH_PX, HEIGHT_PX, "yuv420p"
        # One thread: how x264 shares out the work changes the bytes.
        stream.options = {"crf": "23", "preset": "slow", "g": str(2 * FPS), "threads": "1"}
        for index in range(FPS * DURATION_S):
            picture, faces = stage.frame(index)
            truth.append(faces)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode())
    return truth


def write_truth(path: Path, truth: list[list[dict[str, float]]]) -> None:
    """Write one line a frame, so that a change of the clip reads well in a diff."""
    lines = ",\n".join(json.dumps(faces, separators=(",", ":")) for faces in truth)
    head = json.dumps({"format": 1, "fps": FPS, "width": WIDTH_PX, "height": HEIGHT_PX})[:-1]
    path.write_text(f'{head}, "frames": [\n{lines}\n]}}\n', encoding="utf-8")


def main() -> None:
    cv2.setNumThreads(1)
    DEMO_DIR.mkdir(parents=True, exist_ok=True)
    truth = write_clip(DEMO_DIR / "demo.mp4", Stage())
    write_truth(DEMO_DIR / "demo_truth.json", truth)


if __name__ == "__main__":
    main()
