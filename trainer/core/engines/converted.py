"""Networks for ONNX Runtime: the shipped one, those that were converted before, and new ones."""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from trainer.core.engines.onnx_runtime import OnnxRuntimeEngine, OnnxRuntimeError
from trainer.core.files import write_atomically
from trainer.core.resources import default_onnx_path, default_weights_path
from trainer.core.weights_file import digest

if TYPE_CHECKING:
    from pathlib import Path

_log = logging.getLogger(__name__)

CONVERTER_VERSION: Final = 1
"""Raised when files that were converted before shall no longer be used. Versions of packages are no part of a file's
name: each file is checked by its network's own answers whenever it is loaded, whatever was installed since."""
WEIGHTS_DIGEST: Final = "weights_sha256"
"""Name of what a file tells of the weights that it was made of."""
CONVERTED_NETWORKS: Final = ("compact", "large")
"""Those that gain by it. `simple` would gain a quarter with one face, for 211 MB more on the disk for each file and
seconds more to load; `two_conv` is larger than a file of ONNX can be."""
FILES_KEPT: Final = 8
_SUFFIX: Final = ".onnx"


@dataclass(frozen=True)
class ConvertedFolder:
    """A folder of converted networks: no more than `FILES_KEPT`, those that were used last.

    Parameters
    ----------
    path
        Made when it is first written to.
    """

    path: Path

    def read(self, weights_digest: str) -> bytes | None:
        """Return what was converted from these weights; None if nothing was, or it cannot be read."""
        path = self._file(weights_digest)
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            _log.warning("%s cannot be read (%s)", path, error)
            return None
        with suppress(OSError):
            os.utime(path)  # it was used
        return content

    def keep(self, weights_digest: str, content: bytes) -> None:
        """Keep what was converted from these weights; where that cannot be, it only costs the time to do it again."""
        try:
            write_atomically(self._file(weights_digest), content)
            files = sorted(self.path.glob(f"*{_SUFFIX}"), key=lambda path: path.stat().st_mtime_ns)
            for path in files[:-FILES_KEPT]:
                path.unlink(missing_ok=True)
        except OSError as error:
            _log.warning("a converted network cannot be kept in %s (%s)", self.path, error)

    def _file(self, weights_digest: str) -> Path:
        return self.path / f"{weights_digest}-{CONVERTER_VERSION}{_SUFFIX}"


def converted_engine(weights: Path, network: str, folder: ConvertedFolder | None) -> OnnxRuntimeEngine:
    """Get ONNX Runtime ready for weights; torch is imported only if they were never converted.

    Parameters
    ----------
    weights
        A weights file whose header was found to be good.
    network
        Name of its network.
    folder
        Where converted networks are kept; None keeps none.

    Raises
    ------
    CheckpointError
        If the weights cannot be used.
    OnnxRuntimeError
        If they cannot be converted, or ONNX Runtime cannot run them.
    """
    if network not in CONVERTED_NETWORKS:
        raise OnnxRuntimeError(f"the {network} network gains nothing by it")
    try:
        weights_digest = digest(weights)
        ready = _shipped(weights, weights_digest)
    except OSError as error:
        raise OnnxRuntimeError(f"a file cannot be read ({error})") from error
    if ready is None and folder is not None:
        ready = folder.read(weights_digest)
    if ready is not None:
        try:
            return _engine(ready, weights_digest)
        except OnnxRuntimeError as error:
            _log.warning("a converted network is converted again: %s", error)
    content = convert(weights, weights_digest)
    engine = _engine(content, weights_digest)
    if folder is not None:
        with suppress(OSError):  # the weights are gone already
            if digest(weights) == weights_digest:  # else they were replaced while they were read
                folder.keep(weights_digest, content)
    return engine


def convert(weights: Path, weights_digest: str) -> bytes:
    """Write weights as ONNX for `OnnxRuntimeEngine`.

    Parameters
    ----------
    weights
        The file.
    weights_digest
        Its `digest`, which the result tells.

    Raises
    ------
    CheckpointError
        If the weights cannot be used.
    OnnxRuntimeError
        If they cannot be converted.
    """
    from trainer.core.checkpoint import load_checkpoint  # noqa: PLC0415 (torch)
    from trainer.core.engines.onnx_file import PlainNetwork, onnx_bytes  # noqa: PLC0415 (the same)

    checkpoint = load_checkpoint(weights)
    try:
        plain = PlainNetwork(checkpoint.network)
        told = {**plain.story(checkpoint.name), **plain.proof(), WEIGHTS_DIGEST: weights_digest}
        return onnx_bytes(plain, told)
    except Exception as error:  # of onnx, if it is missing or broken, and whatever the exporter raises
        raise OnnxRuntimeError(f"the network cannot be converted ({error})") from error


def is_ready(weights: Path, network: str, folder: ConvertedFolder | None) -> bool:
    """Whether a network gains by ONNX Runtime, and its conversion is there or can be kept.

    A conversion that is thrown away costs more than most programs get back.
    """
    if network not in CONVERTED_NETWORKS:
        return False
    if folder is not None:
        return True
    try:
        return _shipped(weights) is not None
    except OSError:
        return False


def _shipped(weights: Path, weights_digest: str | None = None) -> bytes | None:
    """Return the shipped converted network if the weights, of this digest, are the shipped ones, wherever they lie."""
    try:
        shipped = default_weights_path()
        if not weights.samefile(shipped) and (
            weights.stat().st_size != shipped.stat().st_size or digest(shipped) != (weights_digest or digest(weights))
        ):
            return None
        return default_onnx_path().read_bytes()
    except FileNotFoundError:
        return None


def _engine(content: bytes, weights_digest: str) -> OnnxRuntimeEngine:
    engine = OnnxRuntimeEngine(content)
    if engine.told.get(WEIGHTS_DIGEST) != weights_digest:
        raise OnnxRuntimeError("it was made of other weights")
    return engine
