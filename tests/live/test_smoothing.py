"""Smoothing: still on a still face, close behind a moving one, the same for near and far faces."""

from __future__ import annotations

import numpy as np
import pytest

from fkd_desktop.live.smoothing import OneEuroFilter, SmoothingLevel, SmoothingSettings
from tests.live.helpers import face_points
from tests.live.plain_smoothing import PlainOneEuro

FACE_PX = 200.0
FRAMES_PER_S = 30


def one(one_euro: OneEuroFilter, points: np.ndarray, *, timestamp_s: float, face_px: float = FACE_PX) -> np.ndarray:
    """Filter a measurement of the only face."""
    return one_euro(points[None], timestamp_s=timestamp_s, faces_px=np.float32([face_px]))[0]


def smooth(
    points: np.ndarray,
    times_s: np.ndarray,
    *,
    face_px: float = FACE_PX,
    level: SmoothingLevel = SmoothingLevel.LOW,
) -> np.ndarray:
    one_euro = OneEuroFilter(level.settings)
    return np.array(
        [one(one_euro, p, timestamp_s=float(t), face_px=face_px) for p, t in zip(points, times_s, strict=True)]
    )


def noisy_face(
    offsets_px: np.ndarray, *, point_noise: float, common_noise: float = 0.0, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """(T, 68, 2) measurements of a face that is moved by (T, 2) offsets, and their times; noise in face widths."""
    rng = np.random.default_rng(seed)
    count = len(offsets_px)
    points = face_points(side=FACE_PX)[None] + offsets_px[:, None]
    points = points + rng.normal(0, point_noise * FACE_PX, points.shape)
    points += rng.normal(0, common_noise * FACE_PX, (count, 1, 2))
    return points.astype(np.float32), np.arange(count) / FRAMES_PER_S


def jitter(points: np.ndarray) -> float:
    """Median length of the second difference: what the eye sees as trembling."""
    return float(np.median(np.linalg.norm(points[:-2] - 2 * points[1:-1] + points[2:], axis=-1)))


def lag_frames(truth: np.ndarray, smoothed: np.ndarray) -> float:
    """Shift of the true (T,) signal, in frames, that correlates best with the smoothed one."""
    skip = FRAMES_PER_S  # the start of the filter, and room to shift
    now = np.arange(skip, len(truth))
    shifts = np.arange(-1, 4, 0.05)

    def correlation(shift: float) -> float:
        return float(np.corrcoef(np.interp(now - shift, np.arange(len(truth)), truth), smoothed[skip:])[0, 1])

    return float(shifts[np.argmax([correlation(shift) for shift in shifts])])


@pytest.mark.parametrize(
    ("point_noise", "common_noise"),
    [(0.001, 0.0), (0.001, 0.001), (0.003, 0.001)],
    ids=["points alone", "points and box", "a noisy network"],
)
def test_a_still_face_trembles_three_times_less(point_noise: float, common_noise: float) -> None:
    points, times_s = noisy_face(np.zeros((300, 2)), point_noise=point_noise, common_noise=common_noise)
    assert jitter(points[30:]) >= 3 * jitter(smooth(points, times_s)[30:])


def test_a_still_face_stays_where_it_is() -> None:
    points, times_s = noisy_face(np.zeros((300, 2)), point_noise=0.001)
    truth = face_points(side=FACE_PX)
    assert np.abs(smooth(points, times_s)[30:].mean(axis=0) - truth).max() < 0.001 * FACE_PX


@pytest.mark.parametrize("frequency_hz", [0.25, 0.5, 1.0, 2.0])
@pytest.mark.parametrize("peak_speed", [0.25, 0.5, 1.0], ids=lambda v: f"{v} widths/s")
def test_a_moving_face_lags_a_frame_at_most(peak_speed: float, frequency_hz: float) -> None:
    t = np.arange(10 * FRAMES_PER_S) / FRAMES_PER_S
    way = FACE_PX * peak_speed / (2 * np.pi * frequency_hz) * np.sin(2 * np.pi * frequency_hz * t)
    points, times_s = noisy_face(np.stack([way, 0 * way], axis=1), point_noise=0.001, common_noise=0.0005)
    smoothed = smooth(points, times_s)
    assert lag_frames(way, smoothed[:, :, 0].mean(axis=1)) <= 1.0
    eyelid = 37  # a single point is no later than the face
    assert lag_frames(way, smoothed[:, eyelid, 0]) <= 1.0


def test_the_lag_is_measured_right() -> None:
    way = np.sin(np.arange(300) / 10)
    assert lag_frames(way, np.roll(way, 2)) == pytest.approx(2, abs=0.06)
    assert lag_frames(way, way) == pytest.approx(0, abs=0.06)


def test_a_moving_face_keeps_its_shape() -> None:
    way = np.linspace(0, 3 * FACE_PX, 90)
    points, times_s = noisy_face(np.stack([way, way], axis=1), point_noise=0)
    shape = smooth(points, times_s) - points
    assert np.ptp(shape, axis=1).max() < 1e-2


def test_no_point_is_left_behind_when_the_head_moves() -> None:
    """The chin hardly moves in the picture (the mouth opens as the head goes up): it is followed as the rest is."""
    t = np.arange(10 * FRAMES_PER_S) / FRAMES_PER_S
    head = np.cumsum(np.where(t % 2 < 1, 0.5, -0.5)) / FRAMES_PER_S * FACE_PX
    points, times_s = noisy_face(np.stack([0 * head, head], axis=1), point_noise=0)
    chin = 230 + 4 * np.sin(2 * np.pi * t)
    points[:, 8, 1] = chin
    assert lag_frames(chin, smooth(points, times_s)[:, 8, 1]) <= 1.0


def test_a_blink_is_seen() -> None:
    """The lids close and open again in 0.2 s while the head is still."""
    points, times_s = noisy_face(np.zeros((120, 2)), point_noise=0.001)
    depth_px = 0.04 * FACE_PX
    lids = [37, 38, 43, 44]
    points[:, lids, 1] += np.interp(times_s, [3, 3.1, 3.2], [0, depth_px, 0])[:, None].astype(np.float32)
    lid = smooth(points, times_s)[:, lids, 1].mean(axis=1)
    assert (lid[90:105] - lid[60:90].mean()).max() > 0.7 * depth_px


def test_near_and_far_faces_are_smoothed_alike() -> None:
    way = 30 * np.sin(np.arange(60) / 8)
    points, times_s = noisy_face(np.stack([way, way], axis=1), point_noise=0.002)
    near = smooth(4 * points, times_s, face_px=4 * FACE_PX)
    np.testing.assert_allclose(near, 4 * smooth(points, times_s), atol=0.01)


def test_speed_counts_in_seconds_not_in_frames() -> None:
    """A face that moves steadily is as far behind in pixels at 15 frames a second as at 60."""
    behind = []
    for rate in (15, 60):
        t = np.arange(4 * rate) / rate
        points = face_points()[None] + np.stack([0.5 * FACE_PX * t, 0 * t], axis=1)[:, None]
        smoothed = smooth(points.astype(np.float32), t)
        behind.append(float((points[-1] - smoothed[-1])[:, 0].mean()))
    assert behind[0] == pytest.approx(behind[1], rel=0.1)
    assert behind[0] > 0.2


@pytest.mark.parametrize("next_s", [1.0, 0.5], ids=["stands", "falls"])
def test_a_time_that_does_not_advance_restarts(next_s: float) -> None:
    one_euro = OneEuroFilter(SmoothingSettings())
    first, second = face_points(100, 100), face_points(300, 100)
    one(one_euro, first, timestamp_s=1.0)
    np.testing.assert_array_equal(one(one_euro, second, timestamp_s=next_s), second)
    # It has forgotten the first place, and filters again from the second on.
    np.testing.assert_array_equal(one(one_euro, second, timestamp_s=next_s + 0.03), second)
    third = one(one_euro, face_points(301, 100), timestamp_s=next_s + 0.06)
    assert (second[:, 0] < third[:, 0]).all() and (third[:, 0] < second[:, 0] + 1).all()


def test_after_a_long_gap_the_measurement_counts() -> None:
    one_euro = OneEuroFilter(SmoothingSettings())
    one(one_euro, face_points(100, 100), timestamp_s=0.0)
    after = one(one_euro, face_points(300, 100), timestamp_s=30.0)
    assert np.abs(after - face_points(300, 100)).max() < 0.02 * FACE_PX


def test_nobody_elses_array_is_touched() -> None:
    one_euro = OneEuroFilter(SmoothingSettings())
    measured = [face_points(100 + i, 100) for i in range(3)]
    for points in measured:
        points.setflags(write=False)
    given = [one(one_euro, p, timestamp_s=i / 30) for i, p in enumerate(measured)]
    kept = given[1].copy()
    one(one_euro, face_points(400, 300), timestamp_s=1.0)
    np.testing.assert_array_equal(given[1], kept)
    assert all(g.dtype == np.float32 and g.shape == (68, 2) for g in given)


# --- levels


def test_each_level_is_stiller_than_the_one_before() -> None:
    points, times_s = noisy_face(np.zeros((300, 2)), point_noise=0.002, common_noise=0.001)
    off, low, high = (jitter(smooth(points, times_s, level=level)[30:]) for level in SmoothingLevel)
    assert off == jitter(points[30:])
    assert low < off / 3
    assert high < 0.7 * low


@pytest.mark.parametrize("level", [SmoothingLevel.LOW, SmoothingLevel.HIGH])
@pytest.mark.parametrize("speed", [0.01, 0.05, 0.1, 0.3, 1.0, 3.0], ids=lambda v: f"{v} widths/s")
def test_a_steady_face_is_followed_within_a_hundredth_or_two(level: SmoothingLevel, speed: float) -> None:
    t = np.arange(6 * FRAMES_PER_S) / FRAMES_PER_S
    points, times_s = noisy_face(np.stack([speed * FACE_PX * t, 0 * t], axis=1), point_noise=0)
    behind = (points - smooth(points, times_s, level=level))[60:, :, 0].max() / FACE_PX
    assert 0 <= behind < (0.011 if level is SmoothingLevel.LOW else 0.024)


@pytest.mark.parametrize("rate", [15, 30, 60])
def test_a_still_face_is_as_still_at_every_frame_rate(rate: float) -> None:
    """The keypoints wander as far from their mean whatever the rate: noise a frame is the same, so more frames help."""
    rng = np.random.default_rng(2)
    points = (face_points(side=FACE_PX) + rng.normal(0, 0.001 * FACE_PX, (10 * rate, 68, 2))).astype(np.float32)
    smoothed = smooth(points, np.arange(10 * rate) / rate)[2 * rate :]
    assert smoothed.std(axis=0).mean() < 0.65 * 0.001 * FACE_PX


def test_no_point_is_late_when_the_head_tilts_or_comes_nearer() -> None:
    """Points near the middle hardly move then: they are followed as the others are."""
    t = np.arange(8 * FRAMES_PER_S) / FRAMES_PER_S
    angle, growth = np.radians(15) * np.sin(np.pi * t), 1 + 0.2 * np.sin(np.pi * t)
    for turn, scale in ((angle, np.ones_like(t)), (0 * t, growth)):
        face = face_points(0, 0, FACE_PX)
        turned = (face @ np.array([1, 1j]))[None] * (scale * np.exp(1j * turn))[:, None]
        points = np.stack([turned.real, turned.imag], axis=-1)
        away = np.linalg.norm(smooth(points.astype(np.float32), t) - points, axis=-1)[30:]
        assert away.max() < 0.012 * FACE_PX
        assert away.mean(axis=0).max() < 0.006 * FACE_PX


def test_a_level_can_change_in_midst() -> None:
    points, times_s = noisy_face(np.zeros((120, 2)), point_noise=0.001)
    one_euro = OneEuroFilter(None)
    shown = []
    for k, (p, t) in enumerate(zip(points, times_s, strict=True)):
        if k == 60:
            np.testing.assert_array_equal(shown, points[:60])
            one_euro.settings = SmoothingLevel.HIGH.settings
        shown.append(one(one_euro, p, timestamp_s=float(t)))
    assert np.abs(np.diff(shown, axis=0)[59]).max() < 0.01 * FACE_PX
    assert jitter(np.array(shown)[70:]) < 0.3 * jitter(points)


def test_settings_make_a_difference() -> None:
    points, times_s = noisy_face(np.zeros((200, 2)), point_noise=0.002)
    steady, quick = (
        np.array([one(f, p, timestamp_s=float(t)) for p, t in zip(points, times_s, strict=True)])
        for f in (
            OneEuroFilter(SmoothingSettings(min_cutoff_hz=0.1, speed_gain=0)),
            OneEuroFilter(SmoothingSettings(10)),
        )
    )
    assert jitter(steady[30:]) < 0.3 * jitter(quick[30:])


# --- many faces at once


@pytest.mark.parametrize("level", SmoothingLevel)
def test_many_faces_are_smoothed_as_each_would_be_alone(level: SmoothingLevel) -> None:
    """They come, go, hide and change their order; the time stands still once. To a ten-thousandth of a pixel."""
    rng = np.random.default_rng(5)
    together = OneEuroFilter(level.settings, faces=0)
    alone: list[PlainOneEuro] = []
    sides: list[float] = []
    time_s = 0.0
    for k in range(120):
        if k % 20 == 0 and len(alone) < 5:
            alone.append(PlainOneEuro(together.settings))
            sides.append(rng.uniform(0.5, 600))
            together.add(1)
        if k in (50, 90):
            order = [2, 0] if k == 50 else [1, 2, 0]
            alone, sides = [alone[i] for i in order], [sides[i] for i in order]
            together.keep(np.array(order))
        if k == 70:
            together.settings = SmoothingLevel.HIGH.settings
            for one_euro in alone:
                one_euro.settings = SmoothingLevel.HIGH.settings
        time_s += 0.0 if k == 60 else rng.uniform(0.005, 0.2)
        way = 100 + 0.3 * k
        points = np.array([face_points(way, 100, side) for side in sides], np.float32)
        points += rng.normal(0, 0.01, points.shape).astype(np.float32) * np.float32(sides)[:, None, None]
        measured = rng.uniform(size=len(alone)) < 0.8
        is_first = np.array([one_euro.time_s is None for one_euro in alone])
        measured |= is_first
        shown = together(points, timestamp_s=time_s, faces_px=np.float32(sides), measured=measured)
        for i, one_euro in enumerate(alone):
            if measured[i]:
                one_euro(points[i], timestamp_s=time_s, face_px=sides[i])
            np.testing.assert_allclose(shown[i], one_euro.points, rtol=2e-6, atol=1e-4)
    assert len(together) == len(alone) == 4


def test_no_face_is_smoothed_to_none() -> None:
    nothing = OneEuroFilter(SmoothingSettings(), faces=0)
    shown = nothing(np.empty((0, 68, 2), np.float32), timestamp_s=0.0, faces_px=np.empty(0, np.float32))
    assert shown.shape == (0, 68, 2)
