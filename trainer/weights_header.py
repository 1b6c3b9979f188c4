"""What a weights file says of itself, read without torch and without its numbers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from trainer.core.errors import FkdError
from trainer.core.names import NETWORK_NAMES
from trainer.core.text import Text

_LENGTH_LIMIT: Final = 10_000_000
_FORMAT: Final = ("fkd-keypoints", "1")
"""As `trainer.core.checkpoint` writes it."""


class WeightsError(FkdError, ValueError):
    """A file cannot be used as weights; the message names it and the reason."""


@dataclass(frozen=True)
class WeightsHeader:
    """What a weights file says of itself.

    Attributes
    ----------
    network
        Its name in `trainer.core.names.NETWORK_NAMES`.
    info
        What training wrote about it: epoch, figures, configuration.
    """

    network: str
    info: Mapping[str, Any] = field(default_factory=dict)

    @property
    def config(self) -> Mapping[str, Any]:
        """The settings that it was trained with, as far as they are known."""
        config = self.info.get("config")
        return config if isinstance(config, Mapping) else {}


def read_weights_header(path: Path | str) -> WeightsHeader:
    """Read what a weights file says of itself; its numbers are not looked at.

    Raises
    ------
    WeightsError
        If it is missing, cut short, or no weights file of this program.
    """
    path = Path(path)
    try:
        if path.is_dir():
            raise WeightsError("{path} is a folder; choose a .safetensors file", path=_short(path))
        status = path.stat()
        return _read_header(path, status.st_size, status.st_mtime_ns)
    except FileNotFoundError as error:
        raise WeightsError("there is no weights file {path}; choose another", path=_short(path)) from error
    except (OSError, ValueError) as error:
        if isinstance(error, WeightsError):
            raise
        reason = error.strerror if isinstance(error, OSError) else Text("its name is not allowed")
        raise WeightsError(
            "{path} cannot be read ({reason}); choose another file", path=_short(path), reason=reason
        ) from error


@lru_cache(maxsize=64)
def _read_header(path: Path, size: int, _changed_ns: int) -> WeightsHeader:
    with path.open("rb") as file:
        start = file.read(9)
        length = int.from_bytes(start[:8], "little")
        text = start[8:] + file.read(length - 1) if 0 < length <= min(_LENGTH_LIMIT, size) else b""
    damaged = WeightsError("{path} is damaged or not a safetensors file; choose another", path=_short(path))
    try:
        content = json.loads(text)
        metadata = content.pop("__metadata__", {})
        end = max((entry["data_offsets"][1] for entry in content.values()), default=0)
        info = json.loads(metadata.get("info", "{}"))
    except (ValueError, RecursionError, TypeError, AttributeError, KeyError, IndexError) as error:
        from trainer.core.weights_file import PICKLE, SUFFIX, is_pickle  # noqa: PLC0415 (for bad files only)

        if is_pickle(start, path.suffix):
            raise WeightsError(PICKLE, path=_short(path), suffix=SUFFIX) from error
        raise damaged from error
    if type(end) is not int or size != 8 + length + end:
        raise damaged
    written = (metadata.get("format"), metadata.get("format_version"))
    if written[0] != _FORMAT[0]:
        raise WeightsError(
            "{path} holds weights of some other program; choose weights that were trained here", path=_short(path)
        )
    network = metadata.get("network", "")
    if written != _FORMAT or network not in NETWORK_NAMES:
        raise WeightsError("{path} is of another version of this program; choose another file", path=_short(path))
    return WeightsHeader(network, info if isinstance(info, dict) else {})


def _short(path: Path) -> str:
    """Weights have much the same names; their folders tell them apart."""
    return str(Path(path.parent.name, path.name))
