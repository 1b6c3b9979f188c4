"""Reading ``overlay.toml``: strict, and every fault is one sentence that names the file and the entry."""

from __future__ import annotations

import math
import re
import tomllib
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fkd_desktop.errors import OverlayError
from fkd_desktop.overlays.description import (
    DEFAULT_ORDER,
    FORMAT_VERSION,
    MAX_ANCHORS,
    MAX_NAME_LENGTH,
    MAX_ORDER,
    MAX_PICTURES,
    MAX_STRENGTH,
    Anchor,
    Blend,
    EffectDescription,
    Fit,
    OverlayDescription,
    PictureDescription,
)
from trainer.core.keypoints import NUM_KEYPOINTS

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from numpy.typing import NDArray

MAX_FILE_BYTES: Final = 256 * 1024
MAX_DOTS: Final = 5000
"""As a key's parts are separated: for one of n of them the parser takes the memory of n squared."""
MAX_COORDINATE_PX: Final = 1e5
IMAGE_SUFFIXES: Final = (".png", ".svg")

_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(_[A-Z]{2})?")
_COMMON: Final = frozenset({"format", "name", "names", "credit", "order", "key"})
_PICTURE: Final = frozenset({"image", "anchors", "fit", "blend", "opacity", "mirror"})


def read_description(path: Path) -> OverlayDescription:
    """Read and check an overlay's description; its pictures are not looked at.

    Parameters
    ----------
    path
        The ``overlay.toml``.

    Raises
    ------
    OverlayError
        If it is missing, damaged, or says something that makes no sense.
    """
    try:
        if not path.is_file():  # a pipe would be waited for
            raise OverlayError("the overlay's description {path} is missing; put it there", path=path)
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
        if len(content) > MAX_FILE_BYTES or content.count(b".") > MAX_DOTS:
            raise OverlayError("{path} is longer than any description of an overlay; mend it", path=path)
        table = _Table(path, "", tomllib.loads(content.decode("utf-8")))
    except (OSError, ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())[:200]
        raise OverlayError(
            "the overlay's description {path} cannot be read ({reason}); mend it", path=path, reason=reason
        ) from error
    version = table.entries.get("format")
    if version == 1 and not isinstance(version, bool):
        return _read_format_1(table)
    if version != FORMAT_VERSION:
        raise OverlayError(
            "{path} has format {found}; this program reads {known}, update FKD Desktop or mend the file",
            path=path,
            found=_shown(version),
            known=FORMAT_VERSION,
        )
    return _read_format_2(table)


def _read_format_1(table: _Table) -> OverlayDescription:
    """One picture, flat, placed by a similarity whatever the number of its anchors."""
    picture = PictureDescription(table.image(), _read_anchors(table, Fit.SIMILARITY))
    return OverlayDescription(table.text("name"), (picture,))


def _read_format_2(table: _Table) -> OverlayDescription:
    path, entries = table.path, table.entries
    table.allow(_COMMON | {"pictures", "effect"})
    if ("pictures" in entries) == ("effect" in entries):
        raise OverlayError("{path} needs either [[pictures]] or an [effect]; give it one of them", path=path)
    pictures: tuple[PictureDescription, ...] = ()
    effect = None
    if "effect" in entries:
        part = table.part("effect")
        part.allow({"kind", "strength"})
        kind = part.choice("kind", ("blur", "pixelate"))
        strength = part.number("strength", 1.0, least=1.0, most=MAX_STRENGTH)
        effect = EffectDescription("blur" if kind == "blur" else "pixelate", strength)
    else:
        pictures = tuple(_read_picture(part) for part in table.parts("pictures", most=MAX_PICTURES))
    return OverlayDescription(
        name=table.text("name"),
        pictures=pictures,
        effect=effect,
        order=int(table.number("order", DEFAULT_ORDER, least=-MAX_ORDER, most=MAX_ORDER, whole=True)),
        key=table.choice("key", tuple("123456789")) if "key" in entries else None,
        names=_read_names(table),
        credit=table.text("credit", "", longest=400),
    )


def _read_names(table: _Table) -> tuple[tuple[str, str], ...]:
    if "names" not in table.entries:
        return ()
    part = table.part("names")
    for language in part.entries:
        if not _LANGUAGE.fullmatch(language):
            raise OverlayError(
                "in {path}, names has {language}, which is no language; write codes such as de or pt_BR",
                path=table.path,
                language=_shown(language),
            )
    return tuple(sorted((language, part.text(language)) for language in part.entries))


def _read_picture(part: _Table) -> PictureDescription:
    part.allow(_PICTURE)
    count = len(part.entries["anchors"]) if isinstance(part.entries.get("anchors"), list) else 0
    fits = tuple(fit.value for fit in Fit)
    fit = Fit(part.choice("fit", fits)) if "fit" in part.entries else Fit.of_count(count)
    return PictureDescription(
        image=part.image(),
        anchors=_read_anchors(part, fit),
        fit=fit,
        blend=Blend(part.choice("blend", tuple(blend.value for blend in Blend), Blend.NORMAL.value)),
        opacity=part.number("opacity", 1.0, least=0.01, most=1.0),
        mirror=part.flag("mirror"),
    )


def _read_anchors(part: _Table, fit: Fit) -> tuple[Anchor, ...]:
    anchors = tuple(_read_anchor(entry) for entry in part.parts("anchors", most=MAX_ANCHORS, least=fit.least_anchors))
    path, where = part.path, part.called("anchors")
    if len({anchor.image_px for anchor in anchors}) < len(anchors):
        raise OverlayError(
            "in {path}, two of {where} are on the same point of the picture; give each its own", path=path, where=where
        )
    if len({frozenset(anchor.keypoints) for anchor in anchors}) < len(anchors):
        raise OverlayError(
            "in {path}, two of {where} are on the same keypoints; give each its own", path=path, where=where
        )
    points = np.array([anchor.image_px for anchor in anchors])
    if fit is not Fit.SIMILARITY and _is_line(points):
        raise OverlayError(
            "in {path}, {where} are all on one line, which does not tie a picture down; put one elsewhere",
            path=path,
            where=where,
        )
    if fit is Fit.PERSPECTIVE and len(points) == 4 and any(_is_line(np.delete(points, i, axis=0)) for i in range(4)):
        raise OverlayError(
            "in {path}, three of {where} are on one line, which gives no perspective; put one elsewhere",
            path=path,
            where=where,
        )
    return anchors


def _read_anchor(part: _Table) -> Anchor:
    part.allow({"image_px", "keypoints"})
    x, y = part.list_of_numbers("image_px", count=2, least=-MAX_COORDINATE_PX, most=MAX_COORDINATE_PX)
    keypoints = part.list_of_numbers("keypoints", least=0, most=NUM_KEYPOINTS - 1, whole=True)
    if len(set(keypoints)) < len(keypoints):
        raise OverlayError(
            "in {path}, {where} has a keypoint twice; write each once", path=part.path, where=part.called("keypoints")
        )
    return Anchor((x, y), tuple(int(keypoint) for keypoint in keypoints))


def _is_line(points: NDArray[np.float64]) -> bool:
    """Whether points are within a hundredth of their extent of one line."""
    spread = np.linalg.svd(points - points.mean(axis=0), compute_uv=False)
    return bool(spread[1] <= 0.01 * spread[0])


def _shown(value: object) -> str:
    """Return a value as it may stand in a sentence."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "\u2026"


class _Table:
    """A table of a description that knows where it is, for the sentences about its faults."""

    def __init__(self, path: Path, where: str, entries: dict[str, Any]) -> None:
        self.path, self.where, self.entries = path, where, entries

    def called(self, key: str) -> str:
        return f"{self.where}.{key}" if self.where else key

    def allow(self, keys: Collection[str]) -> None:
        for key in self.entries:
            if key not in keys:
                raise OverlayError(
                    "in {path}, the entry {entry} is not known; check its spelling",
                    path=self.path,
                    entry=self.called(_shown(key).strip("'\"")),
                )

    def get(self, key: str) -> Any:
        if key not in self.entries:
            raise OverlayError(
                "in {path}, the entry {entry} is missing; write it", path=self.path, entry=self.called(key)
            )
        return self.entries[key]

    def text(self, key: str, default: str | None = None, *, longest: int = MAX_NAME_LENGTH) -> str:
        if default is not None and key not in self.entries:
            return default
        value = self.get(key)
        if not isinstance(value, str) or not value.strip() or len(value) > longest or not value.isprintable():
            raise OverlayError(
                "in {path}, {entry} is {found} and not a line of up to {longest} letters; mend it",
                path=self.path,
                entry=self.called(key),
                found=_shown(value),
                longest=longest,
            )
        return value.strip()

    def choice(self, key: str, choices: tuple[str, ...], default: str | None = None) -> str:
        value = self.get(key) if default is None else self.entries.get(key, default)
        if not isinstance(value, str) or value not in choices:
            raise OverlayError(
                "in {path}, {entry} is {found}; write one of {choices}",
                path=self.path,
                entry=self.called(key),
                found=_shown(value),
                choices=", ".join(choices),
            )
        return value

    def flag(self, key: str) -> bool:
        value = self.entries.get(key, False)
        if not isinstance(value, bool):
            raise OverlayError(
                "in {path}, {entry} is {found}; write true or false",
                path=self.path,
                entry=self.called(key),
                found=_shown(value),
            )
        return value

    def number(self, key: str, default: float, *, least: float, most: float, whole: bool = False) -> float:
        return self._checked(self.called(key), self.entries.get(key, default), least=least, most=most, whole=whole)

    def list_of_numbers(
        self, key: str, *, least: float, most: float, count: int | None = None, whole: bool = False
    ) -> list[float]:
        value = self.get(key)
        if not isinstance(value, list) or not value or len(value) > NUM_KEYPOINTS or count not in (None, len(value)):
            raise OverlayError(
                "in {path}, {entry} is {found}; write a list of {count} numbers",
                path=self.path,
                entry=self.called(key),
                found=_shown(value),
                count=count or f"1-{NUM_KEYPOINTS}",
            )
        return [self._checked(self.called(key), item, least=least, most=most, whole=whole) for item in value]

    def _checked(self, entry: str, value: object, *, least: float, most: float, whole: bool) -> float:
        is_number = isinstance(value, int if whole else (int, float)) and not isinstance(value, bool)
        if is_number and least <= value <= most and math.isfinite(value):  # type: ignore[operator,arg-type]
            return float(value)  # type: ignore[arg-type]
        if whole:
            raise OverlayError(
                "in {path}, {entry} has {found}; write whole numbers from {least} to {most}",
                path=self.path,
                entry=entry,
                found=_shown(value),
                least=f"{least:g}",
                most=f"{most:g}",
            )
        raise OverlayError(
            "in {path}, {entry} has {found}; write numbers from {least} to {most}",
            path=self.path,
            entry=entry,
            found=_shown(value),
            least=f"{least:g}",
            most=f"{most:g}",
        )

    def part(self, key: str) -> _Table:
        value = self.get(key)
        if not isinstance(value, dict):
            raise OverlayError(
                "in {path}, {entry} is {found} and no table; mend it",
                path=self.path,
                entry=self.called(key),
                found=_shown(value),
            )
        return _Table(self.path, self.called(key), value)

    def parts(self, key: str, *, most: int, least: int = 1) -> list[_Table]:
        value = self.get(key)
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise OverlayError(
                "in {path}, {entry} is {found} and no list of tables; mend it",
                path=self.path,
                entry=self.called(key),
                found=_shown(value),
            )
        if not least <= len(value) <= most:
            raise OverlayError(
                "in {path}, there are {found} of {entry}; write {least} to {most}",
                path=self.path,
                found=len(value),
                entry=self.called(key),
                least=least,
                most=most,
            )
        return [_Table(self.path, f"{self.called(key)}[{i}]", item) for i, item in enumerate(value)]

    def image(self) -> str:
        """Name of an image inside the folder: plain, or below it, never a way out of it."""
        name = self.text("image", longest=200)
        parts = re.split(r"[/\\]", name)
        if any(part in ("", ".", "..") for part in parts) or ":" in name or "\\" in name:
            raise OverlayError(
                "in {path}, {entry} is {found}, which leads outside the overlay's own folder; put the picture inside",
                path=self.path,
                entry=self.called("image"),
                found=_shown(name),
            )
        if not name.lower().endswith(IMAGE_SUFFIXES):
            raise OverlayError(
                "in {path}, {entry} is {found} and neither an SVG nor a PNG; choose one",
                path=self.path,
                entry=self.called("image"),
                found=_shown(name),
            )
        return name
