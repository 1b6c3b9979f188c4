"""What a weights file says of itself, judged without torch; `trainer.core.checkpoint` reads and judges its numbers."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from safetensors import SafetensorError, safe_open

from trainer.core.errors import FkdError
from trainer.core.names import NETWORK_NAMES
from trainer.core.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping

FORMAT: Final = "fkd-keypoints"
FORMAT_VERSION: Final = 1
SUFFIX: Final = ".safetensors"
PICKLE: Final = Text(
    "{path} is a PyTorch pickle, which can run any code when opened; if you trust it, convert it to {suffix}: "
    "load it with torch.load and save its network with save_checkpoint of trainer.core.checkpoint"
)
_PICKLE_STARTS: Final = (b"\x80", b"PK\x03\x04")
_PICKLE_SUFFIXES: Final = (".pt", ".pth", ".pkl", ".ckpt", ".bin")


class CheckpointError(FkdError, ValueError):
    """A weights file cannot be used; the message names the file and the reason."""


def read_header(path: Path | str) -> tuple[str, dict[str, Any]]:
    """Read a weights file's network name and the story of its training; its numbers are not looked at.

    Raises
    ------
    CheckpointError
        As `trainer.core.checkpoint.load_checkpoint`, which goes on where this ends.
    """
    path = Path(path)
    refuse_what_is_no_safetensors_file(path)
    try:
        with safe_open(str(path), framework="numpy") as file:
            return read_metadata(path, file.metadata())
    except (SafetensorError, OSError) as error:
        raise damaged(path, error) from error


def digest(path: Path | str) -> str:
    """SHA-256 of a file's content, in hexadecimal.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def damaged(path: Path, error: Exception) -> CheckpointError:
    """Say that a file is no safetensors file."""
    return CheckpointError(
        "{path} is damaged or not a safetensors file ({error}); choose another file", path=path, error=error
    )


def refuse_what_is_no_safetensors_file(path: Path) -> None:
    """Refuse what is missing, a folder, unreadable or a pickle.

    Raises
    ------
    CheckpointError
        As said.
    """
    try:
        if not path.exists():
            raise CheckpointError("there is no weights file {path}; check the path or choose another file", path=path)
        if not path.is_file():
            raise CheckpointError(
                "{path} is a folder, not a weights file; choose a {suffix} file", path=path, suffix=SUFFIX
            )
        with path.open("rb") as file:
            start = file.read(9)
    except OSError as error:
        raise CheckpointError(
            "{path} cannot be read ({reason}); check its permissions", path=path, reason=error.strerror
        ) from error
    if is_pickle(start, path.suffix):
        raise CheckpointError(PICKLE, path=path, suffix=SUFFIX)


def is_pickle(start: bytes, suffix: str) -> bool:
    """Whether a file is what PyTorch saves by itself, by its first 9 bytes and the end of its name."""
    # A safetensors file is a length in 8 bytes, of any value, then JSON. A pickle may begin with nearly anything.
    return start[8:] != b"{" and (start.startswith(_PICKLE_STARTS) or suffix.lower() in _PICKLE_SUFFIXES)


def read_metadata(path: Path, metadata: Mapping[str, str] | None) -> tuple[str, dict[str, Any]]:
    """Judge what a safetensors file says of itself; return the network's name and the story of its training.

    Raises
    ------
    CheckpointError
        For weights of another program, version or network.
    """
    metadata = metadata or {}
    if metadata.get("format") != FORMAT:
        raise CheckpointError(
            "{path} holds weights of some other program; choose weights that FKD's trainer saved", path=path
        )
    version = metadata.get("format_version", "")
    if version != str(FORMAT_VERSION):
        raise CheckpointError(
            "{path} has format version {version!r}, this program reads {known}; update FKD Desktop",
            path=path,
            version=version,
            known=FORMAT_VERSION,
        )
    name = metadata.get("network", "")
    if name not in NETWORK_NAMES:
        raise CheckpointError(
            "{path} is of a network called {name!r}; this program knows {names}",
            path=path,
            name=name,
            names=", ".join(NETWORK_NAMES),
        )
    try:
        info = json.loads(metadata.get("info", "{}"))
    except (ValueError, RecursionError) as error:
        raise CheckpointError("{path} has a damaged header; choose another file", path=path) from error
    return name, info if isinstance(info, dict) else {}
