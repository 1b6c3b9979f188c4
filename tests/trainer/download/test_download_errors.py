"""Downloads from a server that errs, for a while or for good, or that is not who it should be."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from email.utils import formatdate
from pathlib import Path

import pytest

from tests.trainer.download.http_server import (
    FILE,
    FILE_URL,
    LISTING,
    Answer,
    DataServer,
    break_off,
    content,
    data_of,
    drip,
    endless,
    garbage,
    github_limit,
    hang_up,
    stall,
    stall_after_headers,
    status,
)
from trainer.download import (
    Progress,
    download,
)

PASSING: dict[str, Callable[[bytes], Answer]] = {
    "stalls": lambda _: stall,
    "stalls in the middle": lambda _: stall_after_headers,
    "drips": lambda _: drip,
    "breaks off": break_off,
    "breaks off unnoticed": lambda right: break_off(right, says_length=False),
    "hangs up": lambda _: hang_up,
    "talks another protocol": lambda _: garbage,
    "wrong bytes": lambda right: content(right[:-1] + bytes([right[-1] ^ 1]), "application/json"),
    "too few": lambda right: content(right[:-1], "application/json"),
    "500": lambda _: status(500),
    "503, wait": lambda _: status(503, Retry_After="0"),
    "429": lambda _: status(429),
    "429, wait": lambda _: status(429, Retry_After="0"),
    "429, wait until": lambda _: status(429, Retry_After=formatdate(usegmt=True)),
    "429, wait for nonsense": lambda _: status(429, Retry_After="soon"),
    "403, limited": lambda _: github_limit(0.3),
    "408": lambda _: status(408),
}


@pytest.mark.parametrize("name", PASSING)
def test_an_error_that_passes_is_outlasted(server: DataServer, out: Path, name: str) -> None:
    server.say(FILE_URL, PASSING[name](server.files[f"data/{FILE}"]))
    download(out, source=server.source())
    assert data_of(out) == server.files
    assert server.requests.count(FILE_URL) == 2


@pytest.mark.parametrize("name", ["stalls in the middle", "breaks off", "hangs up", "too few", "500"])
def test_an_error_that_passes_is_outlasted_in_the_listing(server: DataServer, out: Path, name: str) -> None:
    server.say(LISTING, PASSING[name](b'{"truncated": false, "tree": []}'))
    download(out, source=server.source())
    assert data_of(out) == server.files
    assert server.requests.count(LISTING) == 2


def test_too_many_bytes_are_not_kept(server: DataServer, out: Path) -> None:
    server.say(FILE_URL, endless, content(server.files[f"data/{FILE}"] + b"x"))
    told: list[Progress] = []
    download(out, source=server.source(), on_progress=told.append)
    assert data_of(out) == server.files
    assert told[-1].bytes_received < 1_000_000


def test_the_wait_that_a_server_asks_for_is_kept(server: DataServer, out: Path) -> None:
    server.say(LISTING, status(429, Retry_After="1"))
    started = time.monotonic()
    download(out, source=server.source())
    assert 1 <= time.monotonic() - started < 3


# --- for good ---


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (content(b"wrong"), "not what was listed"),
        (stall, "did not answer within 0.4 s"),
        (hang_up, "cannot be reached"),
        (status(500), "HTTP 500"),
        (status(429), "HTTP 429"),
    ],
)
def test_a_file_that_never_arrives_is_named(server: DataServer, out: Path, fails, answer: Answer, says: str) -> None:
    server.always_say(FILE_URL, answer)
    sentence = fails(out, server.source(connections=1))
    assert f"data/{FILE}" in sentence
    assert says in sentence
    assert "3 attempts" in sentence
    assert "goes on where it stopped" in sentence
    assert server.requests.count(FILE_URL) == 3
    kept = data_of(out)
    assert f"data/{FILE}" not in kept
    assert kept.items() <= server.files.items()
    server.behave()
    download(out, source=server.source())
    assert data_of(out) == server.files
    assert len(server.requests) == 1 + len(server.files) - len(kept)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (status(404), "has moved"),
        (status(410), "has moved"),
        (status(301, Location="https://example.org/elsewhere"), "redirects to 'https://example.org/elsewhere'"),
        (status(302, Location="file:///etc/passwd"), "redirects to 'file:///etc/passwd'"),
        (status(307, Location="/tree"), "redirects to '/tree'"),
        (status(308), "redirects to 'nowhere'"),
        (status(302, Location="\\\r\n x\x1b[31m" + "y" * 5000), "redirects"),
        (status(401), "HTTP 401"),
        (status(403), "refuses (HTTP 403)"),
        (github_limit(1790), "for 30 min"),
        (status(429, Retry_After="90"), "for 90 s"),
        (status(503, Retry_After="9" * 400), "for 24 h"),
        (status(206), "HTTP 206"),
        (content(b"zipped", "application/json", Content_Encoding="gzip"), "compressed"),
    ],
)
def test_a_refusal_is_told_at_once(
    server: DataServer, out: Path, tmp_path: Path, fails, answer: Answer, says: str
) -> None:
    server.always_say(LISTING, answer)
    sentence = fails(out, server.source())
    assert says in sentence
    assert sentence.isprintable()
    assert server.requests == [LISTING]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("answer", [status(404), status(302, Location="file:///etc/passwd"), github_limit(1790)])
def test_a_refusal_in_the_middle_keeps_what_is_there(server: DataServer, out: Path, fails, answer: Answer) -> None:
    server.always_say(FILE_URL, answer)
    fails(out, server.source())
    assert server.requests.count(FILE_URL) == 1
    kept = data_of(out)
    assert kept.items() < server.files.items()
    assert f"data/{FILE}" not in kept


def test_a_redirects_own_page_is_not_read(server: DataServer, out: Path, fails) -> None:
    def answer(request) -> None:
        request.send_response(302)
        request.send_header("Location", "/tree2")
        request.end_headers()
        while not server.closing.is_set():
            request.wfile.write(bytes(65_536))

    server.always_say(LISTING, answer)
    assert "redirects" in fails(out, server.source())
    assert server.requests == [LISTING]


def test_a_host_that_is_not_there_is_told(server: DataServer, out: Path, fails) -> None:
    with DataServer() as gone:
        url = gone.url
    assert "cannot be reached" in fails(out, server.source(listing_url=url + LISTING))
    assert not out.exists()


@pytest.mark.parametrize("url", ["http://example.org/tree", "ftp://127.0.0.1/tree", "file:///etc/passwd", "tree", ""])
def test_nothing_is_fetched_over_an_open_connection(server: DataServer, out: Path, fails, url: str) -> None:
    assert "not an https address" in fails(out, server.source(listing_url=url))


def test_a_server_without_tls_is_not_talked_to(server: DataServer, out: Path, fails) -> None:
    https = server.url.replace("http:", "https:")
    assert "secure connection" in fails(out, server.source(listing_url=https + LISTING))


def test_a_server_with_a_certificate_of_its_own_making_is_not_trusted(
    server: DataServer, out: Path, tmp_path: Path, fails
) -> None:
    import shutil
    import ssl

    if not (openssl := shutil.which("openssl")):
        pytest.skip("there is no openssl to make a certificate with")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    new = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1"]
    subprocess.run(
        [openssl, *new, "-keyout", key, "-out", certificate, *subject], check=True, capture_output=True, timeout=20
    )
    with DataServer() as secured:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        secured.socket = context.wrap_socket(secured.socket, server_side=True)
        https = secured.url.replace("http:", "https:")
        assert "cannot prove" in fails(out, server.source(listing_url=https + LISTING))
        assert secured.requests == []


def test_the_environments_proxy_is_used(
    server: DataServer, out: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("no_proxy", "")
    monkeypatch.setenv("HTTP_PROXY", server.url)
    monkeypatch.setenv("http_proxy", server.url)
    (tmp_path / "netrc").write_text("machine localhost login me password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    # Port 9 of this computer answers nobody: only the proxy can have.
    source = server.source(listing_url="http://localhost:9/tree", file_url="http://localhost:9/raw/{path}")
    answers = server.answer_to
    passwords = set()

    def answer_to(path: str) -> Answer:
        answer = answers(path.removeprefix("http://localhost:9"))

        def note_and_answer(request) -> None:
            passwords.add(request.headers["Authorization"])
            answer(request)

        return note_and_answer

    monkeypatch.setattr(server, "answer_to", answer_to)
    download(out, source=source)
    assert data_of(out) == server.files
    assert server.requests[0] == "http://localhost:9/tree"
    assert passwords == {None}
