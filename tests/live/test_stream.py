"""Streams from an address, of a camera on the loopback."""

from __future__ import annotations

import logging
import socket
import threading
import time
from typing import TYPE_CHECKING

import pytest

from fkd_desktop.errors import SourceError, SourceProblem
from fkd_desktop.live.reader import FrameReader
from fkd_desktop.live.sources import make_source, stream
from fkd_desktop.live.sources.modes import CameraMode
from fkd_desktop.live.sources.stream import StreamSource
from tests.live.helpers import WAIT_S, assert_one_clear_sentence, picture, read_all
from tests.live.http_camera import HttpCamera
from tests.live.rtsp_camera import RtspCamera

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fkd_desktop.live.sources import FrameSource

SECRET = "hunter2"


@pytest.fixture
def http_camera() -> Iterator[HttpCamera]:
    with HttpCamera() as camera:
        yield camera


def test_a_camera_that_sends_jpegs_over_http(http_camera: HttpCamera) -> None:
    source = make_source(http_camera.url("/video"))
    assert isinstance(source, StreamSource)
    started = time.perf_counter()
    source.open()
    frames = [source.read() for _ in range(5)]
    assert time.perf_counter() - started < WAIT_S
    source.close()
    assert source.is_live
    assert source.label == f"127.0.0.1:{http_camera.port}/video"
    assert source.mode is not None and (source.mode.width, source.mode.height) == (64, 48)
    for frame in frames:
        assert frame is not None
        assert abs(frame.image_bgr.astype(int) - picture(48, 64)).mean() < 5


def test_a_camera_that_speaks_rtsp() -> None:
    with RtspCamera() as camera:
        source = make_source(camera.url("/live"))
        source.open()
        assert source.is_live
        assert source.mode == CameraMode(64, 48, 30, "h264")
        for _ in range(5):
            frame = source.read()
            assert frame is not None
            assert abs(frame.image_bgr.astype(int) - picture(48, 64)).mean() < 5
        source.close()
        with pytest.raises(SourceError) as caught:
            make_source(camera.url("/cellar")).open()
        assert caught.value.problem is SourceProblem.MISSING
        assert_one_clear_sentence(caught.value, "/cellar", "has no stream there")


def test_a_camera_that_speaks_rtsp_and_wants_a_password() -> None:
    with RtspCamera(password=SECRET) as camera:
        source = make_source(camera.url("/live", user=f"me:{SECRET}"))
        source.open()
        assert source.read() is not None
        source.close()
        for user in ("", f"me:not{SECRET}"):
            with pytest.raises(SourceError) as caught:
                make_source(camera.url("/live", user=user)).open()
            assert caught.value.problem is SourceProblem.DENIED
            assert SECRET not in str(caught.value)


@pytest.mark.parametrize(("kind", "path"), [(HttpCamera, "/video"), (RtspCamera, "/live")])
def test_a_stream_that_breaks_off_is_lost(kind: type[HttpCamera | RtspCamera], path: str) -> None:
    with kind() as camera:
        source = make_source(camera.url(path))
        source.open()
        assert source.read() is not None
        camera.stop.set()
        _assert_lost(source)


def _assert_lost(source: FrameSource) -> None:
    with pytest.raises(SourceError) as caught:
        while source.read() is not None:
            pass
    assert caught.value.problem is SourceProblem.LOST
    assert_one_clear_sentence(caught.value, "127.0.0.1", "check")
    assert source.read() is None


def test_a_recording_is_played_at_its_own_pace_and_ends(short_clip: Path) -> None:
    with HttpCamera(clip=short_clip) as camera:
        source = make_source(camera.url("/clip"))
        frames = read_all(source)
        assert not source.is_live
        assert len(frames) == 30
        assert frames[-1].timestamp_s == pytest.approx(29 / 30, abs=0.02)


def test_a_password(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with HttpCamera(password=SECRET) as camera:
        source = make_source(camera.url("/video?key=" + SECRET, user=f"me:{SECRET}"))
        source.open()
        assert source.read() is not None
        source.close()
        assert camera.paths[-1] == f"/video?key={SECRET}"
        assert SECRET not in source.label

        for user in ("", f"me:{SECRET}2"):
            wrong = make_source(camera.url("/video", user=user))
            with pytest.raises(SourceError) as caught:
                wrong.open()
            assert caught.value.problem is SourceProblem.DENIED
            assert_one_clear_sentence(caught.value, "127.0.0.1", "password")
            assert SECRET not in str(caught.value)
            assert caught.value.__cause__ is None and caught.value.__suppress_context__
    assert SECRET not in caplog.text


@pytest.mark.parametrize(("path", "problem"), [("/nothing", SourceProblem.MISSING), ("/page", SourceProblem.UNUSABLE)])
def test_a_server_without_a_video(http_camera: HttpCamera, path: str, problem: SourceProblem) -> None:
    with pytest.raises(SourceError) as caught:
        make_source(http_camera.url(path)).open()
    assert caught.value.problem is problem
    assert_one_clear_sentence(caught.value, "127.0.0.1", "address")


@pytest.mark.parametrize("scheme", ["http", "rtsp"])
def test_nobody_answers(scheme: str) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # taken, but not listened at
        port = unused.getsockname()[1]
        with pytest.raises(SourceError) as caught:
            make_source(f"{scheme}://me:{SECRET}@127.0.0.1:{port}/live").open()
    assert caught.value.problem is SourceProblem.MISSING
    assert_one_clear_sentence(caught.value, f"127.0.0.1:{port}/live", "does not answer")
    assert SECRET not in str(caught.value)


def test_a_server_that_says_nothing_is_not_waited_for_for_ever(
    http_camera: HttpCamera, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "OPEN_TIMEOUT_S", 0.3)
    started = time.perf_counter()
    with pytest.raises(SourceError) as caught:
        make_source(http_camera.url("/hang")).open()
    assert caught.value.problem is SourceProblem.MISSING
    assert time.perf_counter() - started < WAIT_S


def test_whoever_cancels_does_not_wait_for_a_server(http_camera: HttpCamera, threads_end: None) -> None:
    started = time.perf_counter()
    reader = FrameReader(lambda: make_source(http_camera.url("/hang")))
    with reader:
        assert reader.get(timeout_s=0.1) is None
        assert not reader.close(timeout_s=0.1)
    assert time.perf_counter() - started < stream.OPEN_TIMEOUT_S / 2
    http_camera.stop.set()


def test_closing_while_another_thread_reads(http_camera: HttpCamera) -> None:
    for _ in range(10):
        source = make_source(http_camera.url("/video"))
        source.open()
        first = threading.Event()

        def read(source: StreamSource = source, first: threading.Event = first) -> None:  # type: ignore[assignment]
            while source.read() is not None:
                first.set()

        thread = threading.Thread(target=read)
        thread.start()
        assert first.wait(WAIT_S)
        source.close()
        thread.join(WAIT_S)
        assert not thread.is_alive()


@pytest.mark.parametrize(
    "url",
    [
        "http://",
        "http:///video",
        "rtsp://:554/live",
        "rtsp://host:port/live",
        "rtsp://host:99999/live",
        "http://[::1/video",
        "http://my camera/video",
        "https:host",
        f"http://me:{SECRET}@:80/",
    ],
)
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(SourceError) as caught:
        make_source(url)
    assert caught.value.problem is SourceProblem.UNUSABLE
    assert_one_clear_sentence(caught.value, "write one like rtsp://host/path")
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "label"),
    [
        ("rtsp://me:secret@camera.local/stream1/", "camera.local/stream1"),
        ("rtsp://camera.local:8554/a?token=secret#x", "camera.local:8554/a"),
        ("http://[fd00::1]:80/video", "[fd00::1]:80/video"),
        ("https://192.168.1.20", "192.168.1.20"),
    ],
)
def test_labels_keep_secrets(url: str, label: str) -> None:
    assert make_source(url).label == label


@pytest.mark.parametrize(
    "text",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:1,\nfile://{0}\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile 'file:{0}'\n",
    ],
    ids=["HLS", "concat"],
)
def test_a_playlist_may_not_name_a_file_of_this_computer(short_clip: Path, tmp_path: Path, text: str) -> None:
    playlist = tmp_path / "list.m3u8"
    playlist.write_text(text.format(short_clip))
    with HttpCamera(clip=playlist) as camera, pytest.raises(SourceError) as caught:
        read_all(make_source(camera.url("/clip.m3u8")))
    assert caught.value.problem is SourceProblem.UNUSABLE
