"""A listing is judged before anything is fetched."""

from __future__ import annotations

import json

import pytest

from trainer.download.listing import read_listing
from trainer.download.source import ServerError


@pytest.mark.parametrize("size", [10**8, 10**400])
def test_a_file_of_any_size_is_refused_in_a_sentence(size: int, is_one_sentence) -> None:
    entry = {"path": "data/training/a.jpg", "mode": "100644", "type": "blob", "sha": "a" * 40, "size": size}
    with pytest.raises(ServerError, match="report this") as caught:
        read_listing(json.dumps({"tree": [entry], "truncated": False}).encode(), "data")
    assert is_one_sentence(caught.value)
