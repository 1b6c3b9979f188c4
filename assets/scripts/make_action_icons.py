"""Draw the toolbar icons: monochrome line drawings, one SVG each.

Run ``python assets/scripts/make_action_icons.py``. The drawings are in ``icons_session.py``, ``icons_media.py`` and
``icons_overlays.py``, the language they share in ``icon_strokes.py``.
"""

from __future__ import annotations

from pathlib import Path

import icons_media
import icons_overlays
import icons_session
from icon_strokes import svg

ICON_DIR = Path(__file__).resolve().parents[1] / "icons" / "actions"
DRAWINGS = {**icons_session.DRAWINGS, **icons_media.DRAWINGS, **icons_overlays.DRAWINGS}


def main() -> None:
    ICON_DIR.mkdir(parents=True, exist_ok=True)
    for name, draw in DRAWINGS.items():
        (ICON_DIR / f"{name}.svg").write_text(svg(draw()), encoding="utf-8")


if __name__ == "__main__":
    main()
