"""The cache of converted networks: what is damaged there is made again."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from hypothesis import strategies as st

from tests.fuzz.mutate import Edit, edited, edits
from tests.fuzz.target import RuleError, Target
from tests.fuzz.trainer_weights import NETWORK, valid
from trainer.core.engines.converted import CONVERTER_VERSION, WEIGHTS_DIGEST, ConvertedFolder, convert, converted_engine
from trainer.core.engines.onnx_runtime import OnnxRuntimeEngine, OnnxRuntimeError
from trainer.core.weights_file import digest


@cache
def converted() -> tuple[str, bytes]:
    """Return the digest of some weights, and what they are converted to."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.safetensors")
        path.write_bytes(valid())
        return digest(path), convert(path, digest(path))


def content_of(given: bytes | list[Edit]) -> bytes:
    """Return a file, or the converted network with some edits: it has 2.5 MB, and Hypothesis keeps what it makes."""
    return given if isinstance(given, bytes) else edited(converted()[1], given)


def check_cached(given: bytes | list[Edit], _folder: Path) -> str | None:
    """Load a cached network: refused, or it computes what it says of itself."""
    try:
        engine = OnnxRuntimeEngine(content_of(given))
    except OnnxRuntimeError as error:
        return str(error).partition("(")[0].partition(" px")[0][:12]
    points, confidence = engine(np.zeros((2, 1, engine.spec.size_px, engine.spec.size_px), np.uint8))
    if points.shape != (2, 68, 2) or confidence.shape != (2,):
        raise RuleError(f"a cached network computes {points.shape} and {confidence.shape}")
    return None


def check_remade(given: bytes | list[Edit], folder: Path) -> str | None:
    """Get an engine for weights whose cached network is damaged: it works, and the cache is whole again."""
    weights, cache_folder = folder / "a.safetensors", folder / "cache"
    weights.write_bytes(valid())
    cache_folder.mkdir()
    cached = cache_folder / f"{converted()[0]}-{CONVERTER_VERSION}.onnx"
    cached.write_bytes(content_of(given))
    engine = converted_engine(weights, NETWORK, ConvertedFolder(cache_folder))
    if engine.told[WEIGHTS_DIGEST] != converted()[0]:
        raise RuleError("an engine of other weights was made")
    try:
        OnnxRuntimeEngine(cached.read_bytes())
    except OnnxRuntimeError as error:
        raise RuleError("a damaged network is still in the cache") from error
    return None


def contents() -> st.SearchStrategy[bytes | list[Edit]]:
    """Make what a cached file holds."""

    def made() -> st.SearchStrategy[bytes | list[Edit]]:
        converted()  # in a folder of its own, which no check may make
        return st.one_of(edits(), edits(), st.binary(max_size=50))

    return st.deferred(made)


TARGETS: Final = (
    Target("cached-network", contents(), check_cached, bound_s=5.0, share=0.4),
    Target("cached-network-remade", contents(), check_remade, bound_s=20.0, share=0.01, memory_mb=1024),
)
