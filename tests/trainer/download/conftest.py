from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.trainer.download.http_server import DataServer
from trainer.download import DataSource, DownloadError, download


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[DataServer]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with DataServer() as server:
        yield server


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "outer" / "faces"


@pytest.fixture
def fails(is_one_sentence) -> Callable[..., str]:
    """Expect a download to fail with one sentence; return it."""

    def run(out: Path, source: DataSource, **options: object) -> str:
        with pytest.raises(DownloadError) as caught:
            download(out, source=source, **options)
        assert is_one_sentence(caught.value)
        return str(caught.value)

    return run
