"""Where the manual lies, and what its pages are."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from trainer.core.resources import assets_dir

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FIRST: Final = "index"
_LINK: Final = re.compile(r"""href="([\w-]+)\.html"|\]\(([\w-]+)\.md\)""")
_TAG: Final = re.compile(r"<[^>]*>")


@dataclass(frozen=True)
class Page:
    """A page of the manual.

    Attributes
    ----------
    name
        As in its file's name.
    title
        Its heading.
    path
        HTML, or Markdown where the manual was not made.
    text
        What it says, without its markup, in lower case.
    """

    name: str
    title: str
    path: Path
    text: str


def read_pages() -> list[Page]:
    """Read the manual: what was built, else, in a checkout, what it is built of; empty if there is neither.

    A checkout's own pages are taken too where they are newer than what was built of them.

    Returns
    -------
    The pages in the order in which the first one has links to them.
    """
    built, sources = assets_dir() / "manual" / "pages", _sources()
    paths = {path.stem: path for path in built.glob("*.html")}
    if sources is not None and _newest(sources) > _newest(built):
        paths = {path.stem: path for path in sources.glob("*.md")}
    if FIRST not in paths:
        return []
    texts = {name: path.read_text(encoding="utf-8") for name, path in paths.items()}
    order = dict.fromkeys([FIRST, *_links(texts[FIRST]), *sorted(texts)])
    return [Page(name, _title(texts[name]), paths[name], _plain(texts[name])) for name in order if name in texts]


def browser_page(name: str) -> Path | None:
    """Return a page of the manual as browsers show it, with its search and contents; None if it was not built."""
    path = assets_dir() / "manual" / f"{name}.html"
    return path if path.is_file() else None


def _sources() -> Path | None:
    """Return docs/manual of a checkout; an installed package has none, whatever lies beside its assets."""
    folder = assets_dir().parent / "docs" / "manual"
    return folder if assets_dir().name == "assets" and folder.is_dir() else None


def _newest(folder: Path) -> float:
    return max((path.stat().st_mtime for path in folder.glob("*.*")), default=0.0)


def _links(text: str) -> Iterator[str]:
    return (match[1] or match[2] for match in _LINK.finditer(text))


def _title(text: str) -> str:
    found = re.search(r"<h1>(.*?)</h1>", text) or re.search(r"^# (.*)$", text, re.MULTILINE)
    return html.unescape(_TAG.sub("", found[1])) if found else ""


def _plain(text: str) -> str:
    return html.unescape(_TAG.sub(" ", text)).casefold()
