"""Strategies that begin with something valid and damage it."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Sequence
from typing import Any, Final

from hypothesis import strategies as st

Edit = tuple[str, float, int]
"""What to do, where (0 to 1 of the whole), and with what number."""

BAD_NUMBERS: Final = ("0", "-1", "1e999", "-1e999", "NaN", "nan", "inf", "1e-320", "9" * 400, "1" + "0" * 5000, "0x10")
BAD_TEXTS: Final = (
    "",
    " ",
    "\0",
    "\n",
    "..",
    "../../outside",
    "/",
    "C:\\x",
    "é" * 300,
    "a" * 70_000,
    "\ud800",
    "\u202e",
    "{x}",
)
ODD_NUMBERS: Final = (0, 1, -1, 2**31 - 1, 2**31, 2**32, 2**63 - 1, 2**63, 2**64, 10**400, 0.5, -0.0, 1e308, 5e-324)


def edits(most: int = 3) -> st.SearchStrategy[list[Edit]]:
    """Make a few edits for `edited`."""
    kind = st.sampled_from(["flip", "flip", "set", "cut", "drop", "repeat", "insert", "swap", "length32", "length64"])
    return st.lists(st.tuples(kind, st.floats(0, 1), st.integers(0, 2**32 - 1)), min_size=1, max_size=most)


def edited(content: bytes, changes: Sequence[Edit]) -> bytes:
    """Flip, cut, repeat and overwrite parts of a file."""
    data = bytearray(content)
    for kind, share, number in changes:
        at = min(int(share * len(data)), max(0, len(data) - 1))
        size = 1 + number % 64
        match kind:
            case "flip" if data:
                data[at] ^= 1 << number % 8
            case "set" if data:
                data[at] = number % 256
            case "cut":
                del data[at:]
            case "drop":
                del data[at : at + size]
            case "repeat":
                data[at:at] = data[at : at + size] * (1 + number % 5)
            case "insert":
                data[at:at] = number.to_bytes(4, "little")
            case "swap":
                data[at : at + 2 * size] = data[at + size : at + 2 * size] + data[at : at + size]
            case "length32":
                data[at : at + 4] = struct.pack("<I", number)
            case "length64":
                data[at : at + 8] = struct.pack("<Q", number << number % 32)
    return bytes(data)


def damaged(content: bytes, most: int = 3) -> st.SearchStrategy[bytes]:
    """Make a file's content with a few edits."""
    return edits(most).map(lambda changes: edited(content, changes))


def odd_values() -> st.SearchStrategy[Any]:
    """Make JSON values of all kinds, likely to be of the wrong one."""
    plain = st.one_of(
        st.none(),
        st.booleans(),
        st.sampled_from(ODD_NUMBERS),
        st.floats(allow_nan=True),
        st.sampled_from(BAD_TEXTS),
        st.text(max_size=20),
    )
    return st.recursive(
        plain,
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
        max_leaves=5,
    )


@st.composite
def odd_object(draw: Callable[..., Any], valid: dict[str, Any], *, most: int = 3) -> dict[str, Any]:
    """Take a JSON object and change, rename, drop or add a few of its fields."""
    value = dict(valid)
    for _ in range(draw(st.integers(0, most))):
        kind = draw(st.sampled_from(["change", "change", "swap", "drop", "add", "rename"]))
        names = sorted(value)
        name = draw(st.sampled_from(names)) if names else ""
        if kind == "add" or not names:
            value[draw(st.text(max_size=8))] = draw(odd_values())
        elif kind == "change":
            value[name] = draw(odd_values())
        elif kind == "drop":
            del value[name]
        elif kind == "rename":
            value[draw(st.sampled_from([name.upper(), f"{name} ", f"_{name}", "event", "__class__"]))] = value.pop(name)
        else:
            other = draw(st.sampled_from(names))
            value[name], value[other] = value[other], value[name]
    return value


def json_text(value: Any) -> str:
    """Write JSON as a careless program would: with NaN, and with characters that cannot be encoded."""
    return json.dumps(value, ensure_ascii=True)


def nested(depth: int, kind: str = "[") -> str:
    """Return JSON that is nested so deep that a recursive reader breaks."""
    return "[" * depth + "]" * depth if kind == "[" else '{"a":' * depth + "1" + "}" * depth


def encoded(text: str) -> bytes:
    """Encode what may hold half a character."""
    return text.encode("utf-8", errors="surrogatepass")
