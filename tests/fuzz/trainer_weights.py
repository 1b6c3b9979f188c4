"""Weights: their header, and all of them."""

from __future__ import annotations

import io
import json
import pickle
import struct
import tempfile
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Final

from hypothesis import strategies as st

from tests.fuzz.mutate import BAD_TEXTS, damaged, encoded, json_text, nested, odd_object, odd_values
from tests.fuzz.target import RuleError, Target, refusal
from trainer.core.checkpoint import CheckpointError, load_checkpoint, save_checkpoint
from trainer.core.models import NETWORKS
from trainer.core.weights_file import read_header
from trainer.weights_header import WeightsError, read_weights_header

NETWORK: Final = "compact"
DTYPES: Final = ["F32", "F16", "BF16", "F64", "I64", "I8", "U8", "BOOL", "F8_E4M3", "F4", "C64", "", "f32", 7, None, []]
INFO: Final = {"epoch": 3, "nme_mean": 0.05, "config": {"model": NETWORK, "epochs": 3}}


@cache
def valid() -> bytes:
    """Return a small network's weights, as training saves them."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "valid.safetensors")
        save_checkpoint(path, NETWORKS[NETWORK](), name=NETWORK, info=INFO, half=True)
        return path.read_bytes()


def split(content: bytes) -> tuple[dict[str, Any], bytes]:
    """Take a file apart into its header and its numbers."""
    length = struct.unpack("<Q", content[:8])[0]
    return json.loads(content[8 : 8 + length]), content[8 + length :]


def joined(header: str, numbers: bytes, *, length: int | None = None) -> bytes:
    """Put a file together; `length` is what it claims of its header."""
    text = encoded(header)
    return struct.pack("<Q", len(text) if length is None else length) + text + numbers


SIZES: Final = [0, 1, 2, -1, 64, 2**31, 2**63, 2**64, 0.5, None, "3"]
NOT_NUMBERS: Final = [b"\x00\x7e", b"\x00\x7c", b"\x00\xfc"]
"""NaN and both infinities, as float16."""


def lying_entries(entry: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Make entries that say something wrong of a tensor: its type, its shape, its place."""
    start, end = entry["data_offsets"]
    shape = entry["shape"]
    places = [[end, start], [start, end - 1], [start + 1, end], [0, 10**10], [-1, end], [start], [0, end - start]]
    return st.one_of(
        st.sampled_from(DTYPES).map(lambda kind: {**entry, "dtype": kind}),
        st.sampled_from([shape[::-1], [*shape, 1], None, 7]).map(lambda other: {**entry, "shape": other}),
        st.lists(st.sampled_from(SIZES), max_size=6).map(lambda other: {**entry, "shape": other}),
        (st.sampled_from(places) | odd_values()).map(lambda place: {**entry, "data_offsets": place}),
        st.just({**entry, "shape": [5 * 10**9], "data_offsets": [start, start + 10**10]}),
        odd_values(),
    )


@st.composite
def header_lies(draw: Callable[..., Any]) -> bytes:
    """A file whose header says something wrong of one or two tensors, of itself, or of its length."""
    header, numbers = split(valid())
    tensors = {name: entry for name, entry in header.items() if name != "__metadata__"}
    for name in draw(st.lists(st.sampled_from(sorted(tensors)), min_size=1, max_size=2, unique=True)):
        match draw(st.sampled_from(["entry", "entry", "entry", "drop", "rename", "overlap", "numbers"])):
            case "entry":
                header[name] = draw(lying_entries(tensors[name]))
            case "drop":
                del header[name]
            case "rename":
                header[draw(st.sampled_from(BAD_TEXTS) | st.text(max_size=9))] = header.pop(name)
            case "overlap":
                header[name] = {
                    **tensors[name],
                    "data_offsets": tensors[draw(st.sampled_from(sorted(tensors)))]["data_offsets"],
                }
            case "numbers":
                at = tensors[name]["data_offsets"][0]
                numbers = numbers[:at] + draw(st.sampled_from(NOT_NUMBERS)) + numbers[at + 2 :]
    text = json_text(header)
    if draw(st.integers(0, 9)) == 0:  # every name twice
        text = f"{text[:-1]}, {text[1:]}"
    if draw(st.integers(0, 5)) == 0:
        return joined(text, numbers, length=draw(st.sampled_from([0, 7, 100_000_000, 10**10, 2**63, 2**64 - 1])))
    return joined(text, numbers)


@st.composite
def odd_metadata(draw: Callable[..., Any]) -> bytes:
    """A file that is fine but for what it says of itself."""
    header, numbers = split(valid())
    header["__metadata__"] = draw(odd_object(header["__metadata__"], most=2))
    if draw(st.booleans()):
        header["__metadata__"] |= {
            "info": draw(st.one_of(odd_object(INFO), odd_values()).map(json_text) | st.just(nested(100_000)))
        }
    return joined(json_text(header), numbers)


def _zip(name: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(name, pickle.dumps({"conv1.weight": [1.0]}))
    return content.getvalue()


PICKLES: Final = (
    pickle.dumps({"a": 1}, 2),
    pickle.dumps({"a": 1}, 5),
    pickle.dumps([1, 2], 0),
    pickle.dumps((0x1950A86A20F9469CFC6C, 1001), 2),  # the older of PyTorch's formats
    _zip("archive/data.pkl"),
)
STRANGERS: Final = (
    *PICKLES,
    b"",
    b"{}",
    b"\0" * 4096,
    b"\x89HDF\r\n\x1a\n" + b"\0" * 64,
    b"GGUF" + b"\0" * 64,
    joined(nested(100_000), b""),
    joined(nested(100_000, "{"), b""),
    joined("{}", b""),
    joined("[]", b""),
)


def inputs() -> st.SearchStrategy[tuple[str, bytes]]:
    """Make a file's name and content."""
    content = st.one_of(
        header_lies(),
        header_lies(),
        odd_metadata(),
        damaged(valid()),
        damaged(valid()[:4096]),
        st.sampled_from(STRANGERS),
        st.binary(max_size=64),
    )
    name = st.sampled_from(["best.safetensors"] * 8 + ["best.pt", "best.pth", "größte {0} %n.safetensors"])
    return st.tuples(name, content)


def check_load(value: tuple[str, bytes], folder: Path) -> str | None:
    """Load it as training, export and the window do."""
    path = folder / value[0]
    path.write_bytes(value[1])
    try:
        checkpoint = load_checkpoint(path)
    except CheckpointError as error:
        refuse_pickle_with_advice(*value, error)
        return refusal(error, path)
    if not all(bool(tensor.isfinite().all()) for tensor in checkpoint.network.state_dict().values()):
        raise RuleError("weights that are not numbers were loaded")
    return None


def check_header(value: tuple[str, bytes], folder: Path) -> str | None:
    """Read its header in both ways: as the list of networks does, and as the engines do."""
    path = folder / value[0]
    path.write_bytes(value[1])
    try:
        read_header(path)
    except CheckpointError as error:
        refusal(error, path)
    try:
        header = read_weights_header(path)
    except WeightsError as error:
        return refusal(error, path)
    _ = header.config, header.network
    return None


def refuse_pickle_with_advice(name: str, content: bytes, error: CheckpointError) -> None:
    """A pickle is refused with how to convert it; the oldest kind, which is plain text, where its name says so."""
    if (
        "convert" not in str(error)
        and content in PICKLES
        and (content[:1] in b"\x80P" or name.endswith((".pt", ".pth")))
    ):
        raise RuleError(f"a pickle is refused without advice: {error}")


TARGETS: Final = (
    Target("weights", inputs(), check_load, bound_s=2.0, share=1.0),
    Target("weights-header", inputs(), check_header, bound_s=2.0, share=1.0),
)
