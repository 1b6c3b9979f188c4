"""Network cameras and streams: an RTSP or HTTP address that the user typed.

FFmpeg by PyAV, not by OpenCV: that one only says that it did not work, not whether nobody answers, a password is
missing or there is no video.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import SplitResult, urlsplit

from fkd_desktop.errors import SourceError, SourceProblem
from fkd_desktop.live.result import Frame
from fkd_desktop.live.sources.base import FrameSource, as_frame
from fkd_desktop.live.sources.guarded import Guarded
from fkd_desktop.live.sources.modes import CameraMode

if TYPE_CHECKING:
    from collections.abc import Iterator

    import av
    import numpy as np
    from av.container import InputContainer
    from numpy.typing import NDArray

_log = logging.getLogger(__name__)

STREAM_SCHEMES: Final = ("http", "https", "rtsp", "rtsps")
OPEN_TIMEOUT_S: Final = 8.0
READ_TIMEOUT_S: Final = 5.0

_OPTIONS: Final = {
    "rtsp_transport": "tcp",  # by UDP, lost packets become grey smears
    "analyzeduration": "2000000",  # microseconds of stream to look at before the first picture
}


class StreamSource(FrameSource):
    """What comes from an address.

    A recording that lies there is played at its own pace, and ends; all else is live. A password in the address, and
    what stands behind its ``?``, are only ever sent to that address: no label, message or log has them.

    Parameters
    ----------
    url
        ``rtsp://user:password@host/path`` and the like.

    Attributes
    ----------
    mode
        Once it is open: size, rate as far as it is told, and codec.

    Raises
    ------
    SourceError
        If it is no such address.
    """

    is_live = True
    _DAMAGED_TO_LOSE: Final = 100
    """So many pictures in a row that cannot be decoded: three seconds of them."""

    def __init__(self, url: str) -> None:
        parts = check_url(url)
        self._url = url
        self.label = label_of(parts)
        self.mode: CameraMode | None = None
        self._container: Guarded[InputContainer] | None = None
        self._frames: Iterator[av.VideoFrame] | None = None
        self._last_s = 0.0

    def open(self) -> None:
        """See `FrameSource.open`."""
        import av  # noqa: PLC0415 (its libraries take a moment to load, and most sessions have no stream)

        try:
            container = av.open(self._url, timeout=(OPEN_TIMEOUT_S, READ_TIMEOUT_S), options=_OPTIONS)
        except (av.error.FFmpegError, OSError, ValueError) as error:
            raise self._error_of(error) from None  # its text may hold the password
        if not container.streams.video:
            container.close()
            raise self._no_video()
        stream = container.streams.video[0]
        self.is_live = not container.duration
        rate = stream.guessed_rate or stream.average_rate
        self.mode = CameraMode(stream.width, stream.height, float(rate or 0), stream.codec_context.name)
        self._frames, self._last_s = None, 0.0
        self._container = Guarded(container, lambda container: container.close())
        _log.info("%s: %s", self.label, self.mode)

    def read(self) -> Frame | None:
        """See `FrameSource.read`."""
        container = self._container
        if container is None:
            return None
        picture = container.call(self._decode)
        if picture is None:
            if self._container is not None and self.is_live:
                self.close()
                raise self._lost()
            return None
        image, time_s = picture
        now_s = time.perf_counter()
        if self.is_live:
            return Frame(image, now_s, now_s)
        self._last_s = max(self._last_s, time_s)
        return Frame(image, self._last_s, now_s)

    def close(self) -> None:
        """See `FrameSource.close`. Safe also while another thread reads it."""
        container, self._container = self._container, None
        if container is not None:
            container.close()

    def _decode(self, container: InputContainer) -> tuple[NDArray[np.uint8], float] | None:
        """Return the next picture and its time; None at the end, or where it broke off."""
        import av  # noqa: PLC0415 (see `open`)

        for _ in range(self._DAMAGED_TO_LOSE):
            try:
                if self._frames is None:
                    self._frames = container.decode(video=0)
                frame = next(self._frames, None)
            except av.error.InvalidDataError:  # the next one may be whole
                self._frames = None
                self.damaged += 1
                continue
            except (av.error.FFmpegError, OSError) as error:
                _log.info("%s broke off: %s", self.label, type(error).__name__)
                return None
            if frame is None:
                return None
            image: Any = frame.to_ndarray(format="bgr24")
            return as_frame(image), float(frame.time or 0)
        return None

    def _error_of(self, error: Exception) -> SourceError:
        from av import error as av_error  # noqa: PLC0415 (see `open`)

        _log.debug("%s cannot be opened: %s", self.label, type(error).__name__)
        if isinstance(error, (av_error.HTTPUnauthorizedError, av_error.HTTPForbiddenError)):
            return SourceError(
                "{name} wants another user name or password; put them into the address, as in "
                "rtsp://user:password@host/path",
                problem=SourceProblem.DENIED,
                name=self.label,
            )
        if isinstance(error, av_error.HTTPNotFoundError):
            return SourceError(
                "{name} answers but has no stream there; check what stands behind the host in the address",
                problem=SourceProblem.MISSING,
                name=self.label,
            )
        if isinstance(
            error,
            (
                av_error.InvalidDataError,
                av_error.DemuxerNotFoundError,
                av_error.DecoderNotFoundError,
                PermissionError,  # a playlist that names a file of this computer
            ),
        ):
            return self._no_video()
        if isinstance(error, av_error.ProtocolNotFoundError):
            return SourceError(
                "{name} needs a kind of connection that is not supported; choose an rtsp, http or https address of it",
                name=self.label,
            )
        return SourceError(
            "{name} does not answer; check the address, that the camera is switched on and that this computer is in "
            "its network",
            problem=SourceProblem.MISSING,
            name=self.label,
        )

    def _no_video(self) -> SourceError:
        return SourceError(
            "{name} answers with something that is not a video; check the address, the camera's manual tells it",
            name=self.label,
        )

    def _lost(self) -> SourceError:
        return SourceError(
            "{name} stopped sending pictures; check the camera and the network",
            problem=SourceProblem.LOST,
            name=self.label,
        )


def check_url(url: str) -> SplitResult:
    """Take an address apart.

    Raises
    ------
    SourceError
        If it is not one of a stream.
    """
    try:
        parts = urlsplit(url)
        is_address = parts.scheme in STREAM_SCHEMES and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, a bracket that is not closed
        is_address = False
    if not is_address or any(character.isspace() for character in url):
        raise SourceError("this is not an address of a stream; write one like rtsp://host/path or http://host/video")
    return parts


def label_of(parts: SplitResult) -> str:
    """Return host and path: without password, and without what stands behind a ``?``, which is often a key."""
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    port = f":{parts.port}" if parts.port else ""
    return f"{host}{port}{parts.path.rstrip('/')}"
