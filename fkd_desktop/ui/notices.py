"""What the user should know, the most pressing first, in the banner."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from PySide6.QtCore import QObject, Slot

from fkd_desktop.ui.words import sentence

if TYPE_CHECKING:
    from PySide6.QtGui import QAction

    from fkd_desktop.ui.banner import Banner

Subject = Literal["session", "picture", "network", "device", "capture", "desk", "settings", "crash"]
ORDER: Final[tuple[Subject, ...]] = ("session", "picture", "network", "device", "capture", "desk", "settings", "crash")
"""Which notice is shown where there are several."""


class Notices(QObject):
    """Keeps at most one notice a subject until its cause is gone or the user has read it.

    Parameters
    ----------
    banner
        Shows one of them.
    """

    def __init__(self, banner: Banner) -> None:
        super().__init__(banner)
        self._banner = banner
        self._texts: dict[Subject, tuple[str, QAction | None]] = {}
        self._shown: Subject | None = None
        banner.dismissed.connect(self._on_banner_dismissed)

    def show(self, subject: Subject, text: str, way_out: QAction | None = None) -> None:
        """Say something about a subject; an empty text takes back what was said."""
        if text:
            self._texts[subject] = (sentence(text), way_out)
        else:
            self._texts.pop(subject, None)
        self._show_most_pressing()

    def _show_most_pressing(self) -> None:
        self._shown = next((subject for subject in ORDER if subject in self._texts), None)
        if self._shown is None:
            self._banner.clear()
        else:
            self._banner.show_notice(*self._texts[self._shown])

    @Slot()
    def _on_banner_dismissed(self) -> None:
        if self._shown is not None:  # and the others were not read yet
            del self._texts[self._shown]
        self._show_most_pressing()
