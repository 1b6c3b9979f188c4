"""The preferences dialog."""

from fkd_desktop.ui.preferences.dialog import PreferencesDialog

__all__ = ["PreferencesDialog"]
