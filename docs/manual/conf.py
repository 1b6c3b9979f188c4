"""How Sphinx makes the manual's HTML; docs/build_manual.py runs it."""

import os
import re
from pathlib import Path

_root = Path(os.environ.get("FKD_ROOT", Path(__file__).parents[2]))
_found = re.search(r'__version__ = "(.+?)"', (_root / "fkd_desktop" / "__init__.py").read_text(encoding="utf-8"))
assert _found is not None

project = "FKD Desktop"
release = version = _found[1]
language = "en"
extensions = ["myst_parser"]
myst_heading_anchors = 3
highlight_language = "none"
html_theme = "furo"
html_title = f"{project} {release}"
html_favicon = str(_root / "assets" / "icons" / "fkd-desktop.svg")
html_static_path = [str(_root / "docs" / "manual" / "style")]
html_css_files = ["manual.css"]
html_theme_options = {"top_of_page_buttons": []}
# Nothing that differs from one build to the next, and nothing that a reader has no use for.
html_last_updated_fmt = None
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_show_copyright = False
html_use_index = False
html_domain_indices = False


def setup(app):
    """Keep each page's own part as well, for the window that shows the manual without a browser."""
    app.connect("html-page-context", _write_body)


def _write_body(app, page, _template, context, _doctree) -> None:
    if "body" in context and page not in ("genindex", "search"):
        folder = Path(app.outdir, "pages")
        folder.mkdir(exist_ok=True)
        body = re.sub(r'<a class="headerlink".*?</a>', "", context["body"])
        body = body.replace('src="_images/', 'src="../_images/')
        content = f"<!DOCTYPE html>\n<title>{context['title']}</title>\n{body}\n"
        (folder / f"{page}.html").write_text(content, encoding="utf-8")
