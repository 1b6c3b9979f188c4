"""A network camera on this machine's loopback: sends JPEGs one after the other over HTTP, and misbehaves on command."""

from __future__ import annotations

import base64
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Self

import cv2

from tests.live.helpers import picture

if TYPE_CHECKING:
    from pathlib import Path


class HttpCamera:
    """Serves ``/video`` (endless), ``/short`` (three pictures), ``/page`` (no video), ``/clip...`` (a file), ``/hang``.

    What it sends as a picture, how often, and whether at all, may be changed at any time.

    Parameters
    ----------
    password
        Asked for of user "me", if given.
    clip
        The file behind ``/clip``.
    port
        Where it listens; 0 for a port that is free.
    """

    def __init__(self, *, password: str = "", clip: Path | None = None, port: int = 0) -> None:
        self.stop = threading.Event()
        self.goes_on = threading.Event()
        self.goes_on.set()
        self.period_s = 0.02
        self.jpeg = cv2.imencode(".jpg", picture(48, 64))[1].tobytes()
        self.paths: list[str] = []
        self.authorization = "Basic " + base64.b64encode(f"me:{password}".encode()).decode() if password else None
        self.clip = clip.read_bytes() if clip else b""
        camera = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                camera.paths.append(self.path)
                if camera.authorization and self.headers.get("Authorization") != camera.authorization:
                    self.send_response(401)
                    self.send_header("WWW-Authenticate", 'Basic realm="camera"')
                    self.end_headers()
                elif self.path.startswith("/video"):
                    self._send_pictures(1000)
                elif self.path == "/short":
                    self._send_pictures(3)
                elif self.path == "/page":
                    self._send("text/html", b"<html><body>Welcome to your camera</body></html>")
                elif self.path.startswith("/clip"):
                    self._send("video/mp4", camera.clip)
                elif self.path == "/hang":
                    camera.stop.wait(30)
                else:
                    self.send_error(404)

            def _send(self, kind: str, data: bytes) -> None:
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def _send_pictures(self, count: int) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=next")
                self.end_headers()
                for _ in range(count):
                    camera.goes_on.wait(30)
                    jpeg = camera.jpeg
                    self.wfile.write(b"--next\r\nContent-Type: image/jpeg\r\n")
                    self.wfile.write(f"Content-Length: {len(jpeg)}\r\n\r\n".encode() + jpeg + b"\r\n")
                    if camera.stop.wait(camera.period_s):
                        return

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: object) -> None:
                """Say nothing about clients that hang up."""

        self._server = Server(("127.0.0.1", port), Handler)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def url(self, path: str, *, user: str = "") -> str:
        """Return the address of one of its pages."""
        return f"http://{user + '@' if user else ''}127.0.0.1:{self.port}{path}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        self.goes_on.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)
