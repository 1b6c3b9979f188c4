"""The data set browser: a window over any supported data set, and its parts."""

from fkd_desktop.ui.dataset_browser.window import DatasetBrowser

__all__ = ["DatasetBrowser"]
