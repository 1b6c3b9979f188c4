"""Data sets: tables, .pts files, pictures; and what a download is told."""

from __future__ import annotations

import gzip
import io
import struct
import tarfile
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from hypothesis import strategies as st

from tests.drawn import DrawnFaces
from tests.fuzz.mutate import BAD_NUMBERS, BAD_TEXTS, damaged, encoded, json_text, nested, odd_object, odd_values
from tests.fuzz.target import RuleError, Target, refusal
from trainer.check import check
from trainer.dataset import DatasetError, read_image
from trainer.download.archive import file_contents
from trainer.download.listing import read_listing
from trainer.download.source import ServerError
from trainer.download.web import AgainError
from trainer.readers import read_samples

NAMES: Final = ("anna_1.jpg", "anna_2.png", "ben_1.bmp", "sub/carl_1.webp")
ENCODINGS: Final = ("utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "latin-1")
IMAGE_KINDS: Final = (".jpg", ".png", ".bmp", ".webp", ".tif", ".ppm", ".gif", ".jp2", ".hdr")


@cache
def pictures() -> dict[str, bytes]:
    """Return a small picture as each kind of file that can be written here."""
    image = np.full((120, 120, 3), 90, np.uint8)
    DrawnFaces().paint(image, face())
    made = {}
    for kind in IMAGE_KINDS:
        try:
            made[kind] = cv2.imencode(kind, image.astype(np.float32) if kind == ".hdr" else image)[1].tobytes()
        except cv2.error:  # not built in
            continue
    return made


@cache
def face() -> np.ndarray:
    return DrawnFaces().points(x=60, y=55, width=60)


def cells() -> list[str]:
    return [f"{value:.2f}" for value in face().flatten()]


@st.composite
def tables(draw: Callable[..., Any]) -> bytes:
    """A table of labels with some odd cells, rows, names, separators or an odd encoding."""
    rows = [[name, *cells()] for name in NAMES]
    for row in rows:
        for _ in range(draw(st.integers(0, 1))):
            at = draw(st.integers(0, len(row) - 1))
            row[at] = draw(
                st.sampled_from([*BAD_NUMBERS, *BAD_TEXTS, '"', "1,2", "-3.5", "60", "CON.jpg", "b/../../x.jpg"])
            )
        if draw(st.integers(0, 7)) == 0:
            del row[draw(st.integers(1, len(row) - 1)) :]
    if draw(st.booleans()):
        rows.insert(0, ["", *(str(number) for number in range(136))])
    separator = draw(st.sampled_from([",", ",", ",", ",", ";", "\t"]))
    text = draw(st.sampled_from(["\n", "\n", "\r\n", "\r"])).join(separator.join(row) for row in rows)
    encoding = draw(st.sampled_from(ENCODINGS))
    return encoded(text) if encoding == "utf-8" else text.encode(encoding, errors="replace")


@st.composite
def points_files(draw: Callable[..., Any]) -> bytes:
    """A .pts file with some odd lines."""
    numbers = cells()
    lines = ["version: 1", "n_points: 68", "{", *(" ".join(numbers[at : at + 2]) for at in range(0, 136, 2)), "}"]
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(lines) - 1))
        lines[at] = draw(st.sampled_from([*BAD_NUMBERS, *BAD_TEXTS, "1 2 3", "nan 1", "}", "{", "1e7 2", "# a remark"]))
    return encoded("\n".join(lines))


def data_sets() -> st.SearchStrategy[dict[str, bytes]]:
    """Make the files of labels: mostly one table or some .pts files, sometimes both or none."""
    table = tables() | tables().flatmap(damaged)
    points = points_files() | points_files().flatmap(damaged)
    return st.one_of(
        st.fixed_dictionaries({"labels.csv": table}),
        st.fixed_dictionaries({"labels.csv": table}),
        st.fixed_dictionaries({"anna_1.pts": points}, optional={"sub/carl_1.pts": points, "no picture.pts": points}),
        st.fixed_dictionaries({}, optional={"labels.csv": table, "more.csv": table, "anna_1.pts": points}),
    )


def check_data(files: dict[str, bytes], folder: Path) -> str | None:
    """Read it as training does, and look through it as the check does."""
    for name in NAMES:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(pictures()[Path(name).suffix])
    for name, content in files.items():
        (folder / name).write_bytes(content)
    try:
        report = check(folder)
    except DatasetError as error:
        return refusal(error, folder, *files)
    for problem in (*report.problems, *report.warnings):
        refusal(str(problem).replace(str(folder), "data"))
    try:
        samples = read_samples(folder)
    except DatasetError as error:
        return refusal(error, folder, *files, *NAMES)
    if not all(sample.image_path.resolve().is_relative_to(folder) for sample in samples):
        raise RuleError("a picture outside of the folder is in the data set")
    if not all(np.isfinite(sample.keypoints_px).all() for sample in samples):
        raise RuleError("keypoints that are no numbers are in the data set")
    return None


def png(width: int, height: int, data: bytes) -> bytes:
    """Return a PNG that claims a size."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def claims() -> st.SearchStrategy[bytes]:
    """Make pictures that claim a size of their own: bombs, which hold next to nothing."""
    sides = st.sampled_from([0, 1, 7, 4096, 9_999, 50_000, 65_535, 2**20, 2**31 - 1])
    data = st.sampled_from([b"", zlib.compress(b"\0" * 1000), zlib.compress(b"\0" * 10_000_000)])
    return st.one_of(
        st.builds(png, sides, sides, data),
        st.builds(lambda w, h: b"P6\n%d %d\n255\n" % (w, h) + b"\1" * 100, sides, sides),
        st.builds(
            lambda w, h: pictures()[".bmp"][:18] + struct.pack("<ii", w, h) + pictures()[".bmp"][26:], sides, sides
        ),
    )


def images() -> st.SearchStrategy[bytes]:
    """Make a picture's file."""
    kinds = st.sampled_from(sorted(pictures()))
    return st.one_of(
        kinds.flatmap(lambda kind: damaged(pictures()[kind])),
        kinds.flatmap(lambda kind: damaged(pictures()[kind][:200])),
        kinds.map(lambda kind: pictures()[kind]),
        claims(),
        st.binary(max_size=60),
    )


def check_image(content: bytes, folder: Path) -> str | None:
    """Read a picture of a data set."""
    path = folder / "a picture.jpg"
    path.write_bytes(content)
    try:
        image = read_image(path)
    except DatasetError as error:
        return refusal(error, path)
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
        raise RuleError(f"a picture of shape {image.shape} was read")
    return None


ENTRY: Final = {"path": "data/training/Anna_1.jpg", "mode": "100644", "type": "blob", "sha": "a" * 40, "size": 100}
PATHS: Final = (
    "data/training/../../x.jpg", "/etc/passwd", "data/training/a.jpg", "data/training/A.JPG", "data/training/con.jpg",
    "data/training/a\0.jpg", "data/training/..\\x.jpg", "data//training/a.jpg", "data/test/é.jpg", "other/a.jpg",
    "data/training_frames_keypoints.csv", "data/test_frames_keypoints.csv",
)  # fmt: skip


@st.composite
def listings(draw: Callable[..., Any]) -> bytes:
    """A server's list of files, some of which lead elsewhere."""
    entries = [
        {**ENTRY, "path": f"data/{name}"}
        for name in (
            "training_frames_keypoints.csv",
            "test_frames_keypoints.csv",
            "test/Ben_1.jpg",
            "training/Ben_1.jpg",
        )
    ]
    for path in draw(st.lists(st.sampled_from(PATHS) | st.just(ENTRY["path"]), max_size=3)):
        entries.append(draw(odd_object({**ENTRY, "path": path}, most=1)))
    whole = {"sha": "b" * 40, "tree": entries, "truncated": draw(st.sampled_from([False, False, False, True, None]))}
    odd = st.one_of(odd_object(whole), odd_values()).map(json_text).map(encoded)
    return draw(st.just(encoded(json_text(whole))) | odd | st.just(nested(100_000).encode()))


def check_listing(content: bytes, folder: Path) -> str | None:
    """Read a listing; each path in it must stay in its folder."""
    try:
        files = read_listing(content, "data")
    except ServerError as error:
        return refusal(error)
    except AgainError as error:
        return str(error)
    for file in files:
        path = (folder / file.path).resolve()
        if not path.is_relative_to(folder) or not file.path.isascii() or not 0 <= file.size < 10**9:
            raise RuleError(f"{file} was taken from a listing")
    return None


@st.composite
def archives(draw: Callable[..., Any]) -> bytes:
    """A .tar.gz with files, links, devices and lies, whole or damaged."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        for name in draw(st.lists(st.sampled_from(["a.jpg", "../../x", "/etc/x", "b" * 300, "c/d"]), max_size=4)):
            member = tarfile.TarInfo(name)
            member.type = draw(st.sampled_from([tarfile.REGTYPE, tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.CHRTYPE]))
            member.linkname = "../../canary" if member.type == tarfile.SYMTYPE else ""
            member.size = draw(st.sampled_from([0, 5, 100])) if member.isreg() else 0
            archive.addfile(member, io.BytesIO(b"x" * 100))
    plain = content.getvalue()
    if draw(st.booleans()):
        plain = draw(damaged(plain[:2000])) + plain[2000:]
    packed = gzip.compress(plain, 1)
    return draw(st.just(packed) | damaged(packed) | st.just(gzip.compress(b"\0" * 512 + b"x" * 5_000_000, 9)))


def check_archive(content: bytes, folder: Path) -> str | None:
    """Unpack it: only contents may come out, of the sizes that were asked for."""
    try:
        sizes = [len(found) for found in file_contents(io.BytesIO(content), sizes={5, 100})]
    except AgainError as error:
        return str(error)
    if not set(sizes) <= {5, 100}:
        raise RuleError(f"contents of {sizes} bytes came out")
    return None


TARGETS: Final = (
    Target("data-set", data_sets(), check_data, bound_s=3.0, share=1.0),
    # OpenCV composes a PNG in several buffers: 1 GB for the 100 megapixels that are allowed.
    Target("data-image", images(), check_image, bound_s=3.0, share=2.0, memory_mb=1500),
    Target("download-listing", listings(), check_listing, bound_s=2.0, share=1.0),
    Target("download-archive", archives(), check_archive, bound_s=3.0, share=1.0),
)
