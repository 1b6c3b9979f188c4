"""Names for widgets that hold in another run of the same actions, and what of a window can be reached."""

from __future__ import annotations

from random import Random

from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QApplication, QWidget


def windows() -> list[QWidget]:
    """Return the windows in sight, in an order that does not depend on where they lie in memory."""
    found = [w for w in QApplication.topLevelWidgets() if w.isVisible() and not w.inherits("QTipLabel")]
    return sorted(found, key=lambda w: (type(w).__name__, w.objectName(), w.windowTitle(), w.width(), w.height()))


def name_of(widget: QWidget) -> str:
    """Return a widget's name: its window's class and number among those of its class, then numbers of children."""
    steps: list[str] = []
    while not widget.isWindow():
        parent = widget.parentWidget()
        steps.append(str(_children(parent).index(widget)))
        widget = parent
    alike = [w for w in windows() if type(w) is type(widget)]
    steps.append(f"{type(widget).__name__}#{alike.index(widget)}" if widget in alike else type(widget).__name__)
    return "/".join(reversed(steps))


def find(name: str) -> QWidget | None:
    """Return the widget of a name; None where there is none in sight."""
    kind, *steps = name.split("/")
    kind, _, number = kind.partition("#")
    alike = [w for w in windows() if type(w).__name__ == kind]
    if not number or int(number) >= len(alike):
        return None
    widget = alike[int(number)]
    for step in steps:
        children = _children(widget)
        if int(step) >= len(children):
            return None
        widget = children[int(step)]
    return widget


def _children(widget: QWidget) -> list[QWidget]:
    return [child for child in widget.children() if isinstance(child, QWidget)]


def reachable(window: QWidget, random: Random) -> tuple[QWidget, QPoint] | None:
    """Return a widget of a window that can be clicked, and where; each one as likely as the others."""
    candidates = [w for w in window.findChildren(QWidget) if w.isVisible() and w.isEnabled() and not w.isWindow()]
    for _ in range(20):
        widget = random.choice(candidates) if candidates else window
        inside = widget.visibleRegion().boundingRect()
        if inside.isEmpty():
            continue
        point = QPoint(
            random.randint(inside.left(), inside.right()),
            random.randint(inside.top(), inside.bottom()),
        )
        hit = window.childAt(widget.mapTo(window, point)) if widget is not window else widget
        if hit is not None:  # what lies on top gets the click, as it would from a mouse
            return hit, hit.mapFrom(window, widget.mapTo(window, point)) if widget is not window else point
    return None
