"""The manual in a window of its own."""

from fkd_desktop.ui.manual.help_button import help_button
from fkd_desktop.ui.manual.pages import read_pages
from fkd_desktop.ui.manual.window import ManualWindow, show_manual

__all__ = ["ManualWindow", "help_button", "read_pages", "show_manual"]
