"""A painted video keeps the sound of the one it was made of, in time with the pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

from fkd_desktop.annotate.sound import add_sound, has_sound
from fkd_desktop.live.sources import VideoSource
from fkd_desktop.live.video_writer import VideoWriter
from tests.fuzz.desktop_videos import films, only_sound, playlist
from tests.live.helpers import read_all, write_video
from tests.trainer.tiny import names_in, small_disk

if TYPE_CHECKING:
    from pathlib import Path

RATE = 44_100
STEP = 1024


def film(path: Path, *, sound: str = "aac", video_delay_s: float = 0.0, seconds: float = 2.0) -> Path:
    """Write a film whose sound begins with silence and has a tone from its middle on."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=25, options={"bf": "0"})
        video.width = video.height = 64
        video.pix_fmt = "yuv420p"
        audio = container.add_stream(sound, rate=RATE)
        for i in range(round(25 * (seconds - video_delay_s))):
            picture = av.VideoFrame.from_ndarray(np.full((64, 64, 3), 4 * i % 256, np.uint8), format="bgr24")
            picture.pts = i + round(25 * video_delay_s)
            container.mux(video.encode(picture))
        kind = audio.codec_context.format.name
        for start in range(0, round(RATE * seconds), STEP):
            wave = np.sin(np.arange(start, start + STEP) / 20) * 0.5 * (start >= RATE * seconds / 2)
            loudest, dtype = {"flt": (1, np.float32), "s16": (2**15 - 1, np.int16), "s32": (2**31 - 1, np.int32)}[
                kind[:3]
            ]
            samples = (wave * loudest).astype(dtype)
            piece = av.AudioFrame.from_ndarray(samples[None], format=kind, layout="mono")
            piece.sample_rate, piece.pts = RATE, start
            container.mux(audio.encode(piece))
        container.mux(video.encode(None))
        container.mux(audio.encode(None))
    return path


def painted(path: Path, source: Path) -> Path:
    with VideoWriter(path) as writer:
        for frame in read_all(VideoSource(source)):
            writer.write(frame.image_bgr, frame.timestamp_s)
    return path


def tone_begins_s(path: Path) -> float:
    """Time at which the tone can be heard first."""
    with av.open(str(path)) as container:
        for piece in container.decode(audio=0):
            if np.abs(piece.to_ndarray()).max() > 0.1:
                return float(piece.time)
    raise AssertionError("there is no tone")


@pytest.mark.parametrize(("sound", "suffix"), [("aac", ".mp4"), ("libmp3lame", ".mkv"), ("flac", ".mkv")])
def test_the_sound_is_kept_and_the_pictures_stay_as_they_are(tmp_path: Path, sound: str, suffix: str) -> None:
    source = film(tmp_path / f"a{suffix}", sound=sound)
    target = painted(tmp_path / "b.mp4", source)
    before = read_all(VideoSource(target))
    assert has_sound(source) and not has_sound(target)
    assert add_sound(target, source)
    assert names_in(tmp_path) == sorted([source.name, "b.mp4"])
    after = read_all(VideoSource(target))
    assert len(after) == len(before) == 50
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one.image_bgr, other.image_bgr)
        assert one.timestamp_s == pytest.approx(other.timestamp_s, abs=0.001)
    assert tone_begins_s(target) == pytest.approx(tone_begins_s(source), abs=0.03)


def test_sound_that_begins_before_the_pictures_stays_in_time_with_them(tmp_path: Path) -> None:
    source = film(tmp_path / "a.mp4", video_delay_s=0.4)
    target = painted(tmp_path / "b.mp4", source)
    assert add_sound(target, source)
    assert tone_begins_s(target) == pytest.approx(tone_begins_s(source) - 0.4, abs=0.06)


def test_a_film_that_was_stopped_early_has_no_more_sound_than_pictures(tmp_path: Path) -> None:
    source = film(tmp_path / "a.mp4")
    target = tmp_path / "b.mp4"
    with VideoWriter(target) as writer:
        for frame in read_all(VideoSource(source))[:20]:
            writer.write(frame.image_bgr, frame.timestamp_s)
    assert add_sound(target, source)
    with av.open(str(target)) as container:
        assert container.duration / av.time_base == pytest.approx(0.8, abs=0.06)


def test_a_film_without_sound_stays_as_it_is(tmp_path: Path) -> None:
    source = write_video(tmp_path / "a.mp4", frames=5)
    target = painted(tmp_path / "b.mp4", source)
    before = target.read_bytes()
    assert not has_sound(source) and not add_sound(target, source)
    assert target.read_bytes() == before


def test_sound_that_an_mp4_cannot_hold_is_left_out(tmp_path: Path) -> None:
    source = film(tmp_path / "a.avi", sound="pcm_s16le")
    target = painted(tmp_path / "b.mp4", source)
    before = target.read_bytes()
    assert has_sound(source) and not add_sound(target, source)
    assert target.read_bytes() == before and names_in(tmp_path) == ["a.avi", "b.mp4"]


def test_a_full_disk_costs_the_sound_alone(tmp_path: Path) -> None:
    source = film(tmp_path / "a.mp4")
    target = painted(tmp_path / "b.mp4", source)
    before = target.read_bytes()
    with small_disk() as limit_to:
        limit_to(1000)
        assert not add_sound(target, source)
    assert target.read_bytes() == before and names_in(tmp_path) == ["a.mp4", "b.mp4"]


@pytest.mark.parametrize("damage", ["of an unknown kind", "without pictures"])
def test_sound_that_cannot_be_taken_over_leaves_the_video_as_it_is(tmp_path: Path, damage: str) -> None:
    result = painted(tmp_path / "painted.mp4", film(tmp_path / "whole.mp4"))
    before = result.read_bytes()
    unknown = films()["a.mp4"].replace(b"mp4a", b"zzzz").replace(b"esds", b"zzzz")
    (tmp_path / "film.mp4").write_bytes(unknown if damage == "of an unknown kind" else only_sound())
    assert not add_sound(result, tmp_path / "film.mp4")
    assert result.read_bytes() == before and set(names_in(tmp_path)) == {"whole.mp4", "film.mp4", "painted.mp4"}


def test_a_playlist_s_sound_is_not_looked_for(tmp_path: Path) -> None:
    film(tmp_path / "sound.ts")
    (tmp_path / "film.mp4").write_bytes(playlist("hls", str(tmp_path / "sound.ts")))
    assert not has_sound(tmp_path / "film.mp4")
