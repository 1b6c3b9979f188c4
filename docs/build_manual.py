"""Make the manual that Help opens: HTML of docs/manual, with its pictures, in assets/manual.

``python docs/build_manual.py [FOLDER]`` needs the extra ``manual``; wheels and editable installs make it by themselves
(hatch_build.py). Each page comes a second time without the frame around it, for the application's own window.
The same sources give the same files, byte for byte, on any day.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MANUAL = ROOT / "docs" / "manual"
PICTURE = re.compile(r"\(\.\./screenshots/([\w-]+)\.png\)")
LINK = re.compile(r"\]\(([\w-]+)\.md\)")
QUALITY = 80
"""Of WebP: half the size of the palettes in docs/screenshots, and text in windows stays sharp."""


def build(folder: Path = ROOT / "assets" / "manual") -> None:
    """Replace a folder with the manual.

    Raises
    ------
    RuntimeError
        If there is anything that Sphinx warns of, such as a link to a page that is not there.
    """
    from sphinx.cmd.build import main as sphinx_build  # noqa: PLC0415 (what reads the pages only needs no Sphinx)

    with tempfile.TemporaryDirectory(prefix="fkd-manual-") as temporary:
        source, html = Path(temporary, "source"), Path(temporary, "html")
        (source / "pictures").mkdir(parents=True)
        pages = sorted(MANUAL.glob("*.md"))
        for page in pages:
            text = page.read_text(encoding="utf-8")
            for name in PICTURE.findall(text):
                _convert(ROOT / "docs" / "screenshots" / f"{name}.png", source / "pictures" / f"{name}.webp")
            text = PICTURE.sub(r"(pictures/\1.webp)", text)
            (source / page.name).write_text(text + (_contents(text) if page.stem == "index" else ""), encoding="utf-8")
        os.environ["FKD_ROOT"] = str(ROOT)
        options = ["-q", "-W", "--keep-going", "-E", "-b", "html", "-c", str(MANUAL)]
        if code := sphinx_build([*options, "-d", str(Path(temporary, "trees")), str(source), str(html)]):
            raise RuntimeError(f"Sphinx ended with {code}: see above what is wrong with the manual")
        for leftover in (".buildinfo", "objects.inv"):
            (html / leftover).unlink(missing_ok=True)
        shutil.rmtree(html / "_sources", ignore_errors=True)
        draft = folder.with_name(f"{folder.name}.new")
        shutil.rmtree(draft, ignore_errors=True)
        shutil.copytree(html, draft)
        shutil.rmtree(folder, ignore_errors=True)
        draft.rename(folder)


def _contents(index: str) -> str:
    """Return the table of contents that Sphinx wants: the pages that the first one links to, in that order."""
    names = dict.fromkeys(LINK.findall(index))
    return "\n".join(["", "```{toctree}", ":hidden:", "", *names, "```", ""])


def _convert(picture: Path, to: Path) -> None:
    from PIL import Image  # noqa: PLC0415

    if not to.exists():
        with Image.open(picture) as image:
            image.convert("RGB").save(to, quality=QUALITY, method=2)  # 6 is 7 % smaller and takes four times as long


if __name__ == "__main__":
    build(*(Path(name) for name in sys.argv[1:]))
