"""A network camera on this machine's loopback that speaks RTSP (RFC 2326) and sends H.264 (RFC 6184) through the same
connection: as much of both as a player needs.
"""

from __future__ import annotations

import base64
import contextlib
import re
import socket
import struct
import threading
from typing import TYPE_CHECKING, Self

import av
import numpy as np

from tests.live.helpers import picture

if TYPE_CHECKING:
    from collections.abc import Callable


class RtspCamera:
    """Sends the same picture 30 times a second to whoever asks.

    Parameters
    ----------
    password
        Asked for of user "me", if given.

    Attributes
    ----------
    clock_90khz
        Gives the time that is sent with a picture, by the picture's number.
    """

    def __init__(self, *, password: str = "") -> None:
        self.stop = threading.Event()
        self.requests: list[str] = []
        self.clock_90khz: Callable[[int], int] = lambda number: 3000 * number
        self._authorization = base64.b64encode(f"me:{password}".encode()).decode() if password else ""
        self._units = _encode(picture(48, 64))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.05)
        self.port = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    def url(self, path: str, *, user: str = "") -> str:
        """Return the address of its stream."""
        return f"rtsp://{user + '@' if user else ''}127.0.0.1:{self.port}{path}"

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        for thread in self._threads:
            thread.join(5)
        self._listener.close()

    def _accept(self) -> None:
        while not self.stop.is_set():
            try:
                connection, _ = self._listener.accept()
            except TimeoutError:
                continue
            self._threads.append(threading.Thread(target=self._serve, args=(connection,), daemon=True))
            self._threads[-1].start()

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(0.05)
        with connection, contextlib.suppress(OSError):
            data = b""
            while not self.stop.is_set():
                try:
                    received = connection.recv(4096)
                except TimeoutError:
                    continue
                if not received:
                    return
                data += received
                while b"\r\n\r\n" in data:
                    head, _, data = data.partition(b"\r\n\r\n")
                    if self._answer(connection, head.decode()):
                        self._play(connection)
                        return

    def _answer(self, connection: socket.socket, request: str) -> bool:
        """Answer a request; whether it was the one to play."""
        method, url, _ = request.split(None, 2)
        self.requests.append(f"{method} {url}")
        number = re.search(r"CSeq: *(\d+)", request)
        status, headers, body = "200 OK", "Public: DESCRIBE, SETUP, PLAY, TEARDOWN", ""
        if self._authorization and method != "OPTIONS" and self._authorization not in request:
            status, headers = "401 Unauthorized", 'WWW-Authenticate: Basic realm="camera"'
        elif method == "DESCRIBE" and not url.endswith("/live"):
            status = "404 Not Found"
        elif method == "DESCRIBE":
            body = "\r\n".join(
                [
                    "v=0",
                    "o=- 0 0 IN IP4 127.0.0.1",
                    "s=camera",
                    "c=IN IP4 0.0.0.0",
                    "t=0 0",
                    "m=video 0 RTP/AVP 96",
                    "a=rtpmap:96 H264/90000",
                    "a=fmtp:96 packetization-mode=1",
                    "a=control:track1",
                    "",
                ]
            )
            headers = f"Content-Type: application/sdp\r\nContent-Base: {url}/\r\nContent-Length: {len(body)}"
        elif method == "SETUP":
            headers = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\nSession: 1"
        elif method == "PLAY":
            headers = "Session: 1\r\nRange: npt=0-"
        assert number is not None
        connection.sendall(f"RTSP/1.0 {status}\r\nCSeq: {number[1]}\r\n{headers}\r\n\r\n{body}".encode())
        return method == "PLAY"

    def _play(self, connection: socket.socket) -> None:
        number = 0
        for frame in range(10_000):
            for position, unit in enumerate(self._units):
                is_last = position == len(self._units) - 1
                packet = (
                    struct.pack(">BBHII", 0x80, 96 | is_last << 7, number & 0xFFFF, self.clock_90khz(frame), 1) + unit
                )
                connection.sendall(struct.pack(">cBH", b"$", 0, len(packet)) + packet)
                number += 1
            if self.stop.wait(1 / 30):
                return


def _encode(image_bgr: np.ndarray) -> list[bytes]:
    """Return the NAL units of one key frame, with the parameters that go before it."""
    encoder = av.CodecContext.create("libx264", "w")
    encoder.height, encoder.width = image_bgr.shape[:2]
    encoder.pix_fmt, encoder.framerate = "yuv420p", 30
    encoder.options = {"tune": "zerolatency", "x264-params": "annexb=1:repeat-headers=1:slices=1"}
    packets = [*encoder.encode(av.VideoFrame.from_ndarray(image_bgr, format="bgr24")), *encoder.encode(None)]
    stream = b"".join(bytes(packet) for packet in packets)
    return [unit for unit in re.split(rb"\x00\x00\x00?\x01", stream) if unit]
