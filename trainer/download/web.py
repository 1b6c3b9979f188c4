"""HTTP with nothing taken on trust: no redirects, no endless answers, no waiting without end."""

from __future__ import annotations

import io
import math
import time
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import HTTPError, ReadTimeoutError

from trainer.core.text import Text
from trainer.download.source import ServerError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from trainer.download.progress import Board
    from trainer.download.source import Patience

T = TypeVar("T")

LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
USER_AGENT: Final = "fkd-desktop (fetches a data set, once)"
GOES_ON: Final = Text("run the download again: it goes on where it stopped")
_LONGEST_TOLD_WAIT_S: Final = 86_400.0


class AgainError(Exception):
    """An attempt failed in a way in which the next may not; the message says how.

    Attributes
    ----------
    wait_s
        How long the server asks to wait; None if it does not say.
    """

    def __init__(self, text: str, *, wait_s: float | None = None, **values: object) -> None:
        super().__init__(Text(text, **values))
        self.wait_s = wait_s


def repeat(what: str, attempt: Callable[[], T], *, patience: Patience, board: Board) -> T:
    """Try until it works, with waits that grow.

    Raises
    ------
    ServerError
        When the last attempt has failed; the message starts with `what` could not be fetched.
    AbandonedError
        When the download is given up meanwhile.
    """
    for number in range(patience.attempts):
        try:
            return attempt()
        except AgainError as error:
            last = error
        if number + 1 < patience.attempts:
            board.pause(last.wait_s if last.wait_s is not None else patience.backoff_s * 2**number)
    raise ServerError(
        "{what} could not be fetched in {attempts} attempts ({last}); check the connection and {goes_on}",
        what=what,
        attempts=patience.attempts,
        last=last,
        goes_on=GOES_ON,
    ) from last


class _NoRedirects(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> None:
        """Follow none. `allow_redirects=False` alone would still read the whole of a redirect's own page."""


class Web:
    """One thread's connection to the servers. Proxies and certificates are those of the environment.

    Parameters
    ----------
    patience
        How long to wait for what.
    board
        Told what comes in; asked whether to go on.
    """

    def __init__(self, patience: Patience, board: Board) -> None:
        self._patience = patience
        self._board = board
        self._session = _NoRedirects()
        self._session.auth = _send_no_password
        self._session.headers.update({"User-Agent": USER_AGENT, "Accept-Encoding": "identity"})

    def __enter__(self) -> Web:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    @contextmanager
    def open(self, url: str, *, max_bytes: int, accept: str = "*/*") -> Iterator[Body]:
        """Ask for an address once.

        Parameters
        ----------
        url
            Where.
        max_bytes
            An answer longer than this is an error.
        accept
            Which content type to ask for.

        Raises
        ------
        ServerError
            If there is no use in trying again soon.
        AgainError
            If there may be.
        """
        host = _checked_host(url)
        self._board.check()
        try:
            response = self._session.get(
                url, stream=True, allow_redirects=False, timeout=self._patience.timeout_s, headers={"Accept": accept}
            )
        except requests.exceptions.SSLError as error:
            if "CERTIFICATE_VERIFY_FAILED" not in str(error):
                raise AgainError("{host} broke off the secure connection, or has none", host=host) from error
            raise ServerError(
                "{host} cannot prove that it is {host}, so nothing was fetched; check this "
                "computer's clock, and whether a proxy or a virus scanner stands between",
                host=host,
            ) from error
        except requests.exceptions.ProxyError as error:
            raise AgainError("the proxy on the way to {host} cannot be reached or refuses", host=host) from error
        except requests.exceptions.Timeout as error:
            raise AgainError(
                "{host} did not answer within {seconds:g} s", host=host, seconds=self._patience.timeout_s
            ) from error
        except (requests.RequestException, HTTPError) as error:
            raise AgainError("{host} cannot be reached, or answers nonsense", host=host) from error
        with response:
            _check_status(response, url, longest_wait_s=self._patience.longest_wait_s)
            if response.headers.get("Content-Encoding", "identity") != "identity":
                raise ServerError("{host} sent a compressed answer unasked; try again in another network", host=host)
            yield Body(response, host, max_bytes=max_bytes, patience=self._patience, board=self._board)


class Body(io.RawIOBase):
    """An answer's content as it arrives: a raw stream, so a read may return less than was asked for.

    Reading raises `AgainError` where the server stalls, dawdles, breaks off or sends too much, and `AbandonedError`
    when the download is given up.
    """

    def __init__(
        self, response: requests.Response, host: str, *, max_bytes: int, patience: Patience, board: Board
    ) -> None:
        super().__init__()
        self.content_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        self._raw = response.raw
        self._host = host
        self._max_bytes = max_bytes
        self._patience = patience
        self._board = board
        self._received = 0
        self._started = time.monotonic()

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read what there is, up to the buffer's length; 0 at the end."""
        self._board.check()
        try:
            data = self._raw.read1(len(buffer), decode_content=False)  # read() would wait until the buffer is full
        except ReadTimeoutError as error:
            raise AgainError(
                "{host} stopped sending for {seconds:g} s", host=self._host, seconds=self._patience.timeout_s
            ) from error
        except HTTPError as error:
            raise AgainError("{host} broke off", host=self._host) from error
        self._received += len(data)
        self._board.add(bytes_received=len(data))
        if self._received > self._max_bytes:
            raise AgainError("{host} sent more than {limit:,} bytes", host=self._host, limit=self._max_bytes)
        late_s = time.monotonic() - self._started - self._patience.timeout_s
        if self._received < late_s * self._patience.slowest_bytes_per_s:
            raise AgainError("{host} sends too slowly", host=self._host)
        buffer[: len(data)] = data
        return len(data)


def _checked_host(url: str) -> str:
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme != "https" and not (parts.scheme == "http" and host in LOOPBACK):
        raise ServerError("{url} is not an https address; nothing is fetched over an open connection", url=url)
    return host


def _check_status(response: requests.Response, url: str, *, longest_wait_s: float) -> None:
    host, status, headers = urlsplit(url).hostname, response.status_code, response.headers
    wait_s = _asked_wait_s(headers)
    if status == 200:
        return
    if status in (408, 429) or status >= 500 or (status == 403 and wait_s is not None):
        if wait_s is not None and wait_s > longest_wait_s:
            raise ServerError(
                "{host} is busy or allows this network no more requests (HTTP {status}) for "
                "{wait}; after that, {goes_on}",
                host=host,
                status=status,
                wait=_span(wait_s),
                goes_on=GOES_ON,
            )
        raise AgainError("{host} answered with HTTP {status}", host=host, status=status, wait_s=wait_s)
    if 300 <= status < 400:
        to = headers.get("Location", "nowhere")[:80]
        raise ServerError(
            "{host} redirects to {to!a}, which is not followed; the data set has moved: update FKD Desktop",
            host=host,
            to=to,
        )
    if status in (404, 410, 451):
        raise ServerError(
            "{url} is not there (HTTP {status}); the data set has moved: update FKD Desktop",
            url=url[:200],
            status=status,
        )
    raise ServerError("{host} refuses (HTTP {status}); try again later or in another network", host=host, status=status)


def _asked_wait_s(headers: Mapping[str, str]) -> float | None:
    """Seconds that an answer asks to wait: in Retry-After, or by GitHub's headers when its limit is used up."""
    wait_s = None
    try:
        if after := headers.get("Retry-After", ""):
            is_number = after.isascii() and after.isdigit()
            wait_s = float(after) if is_number else parsedate_to_datetime(after).timestamp() - time.time()
        elif headers.get("X-RateLimit-Remaining") == "0":
            wait_s = float(headers["X-RateLimit-Reset"]) - time.time()
    except (ValueError, KeyError, OverflowError, OSError):
        return None
    return None if wait_s is None else min(max(0.0, wait_s), _LONGEST_TOLD_WAIT_S)


def _span(seconds: float) -> Text:
    if seconds <= 99:
        return Text("{seconds} s", seconds=math.ceil(seconds))
    if seconds <= 5940:
        return Text("{minutes} min", minutes=math.ceil(seconds / 60))
    return Text("{hours} h", hours=math.ceil(seconds / 3600))


def _send_no_password(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Stand in for the password of a .netrc file, which requests would else send along."""
    return request
