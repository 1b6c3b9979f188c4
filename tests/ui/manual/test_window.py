"""The manual's window: at the right page, with a search, and with something to read wherever there is any."""

from __future__ import annotations

import os

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QPushButton

from fkd_desktop.ui.manual import help_button, pages, show_manual
from fkd_desktop.ui.manual import window as module

BODIES = {
    "index": '<section id="it"><h1>It &amp; more</h1><p><a href="second.html#far">to the second</a></p></section>',
    "second": '<section id="second"><h1>Second</h1>'
    + "<p>Much text.</p>" * 200
    + '<section id="far"><h2>Far</h2><p>Straße, needle here</p><p>needle there</p></section></section>',
    "third": '<h1>Third</h1><table class="docutils"><tr><td><p>needle</p></td></tr></table>',
}


@pytest.fixture
def assets(tmp_path, monkeypatch):
    """The assets of a package that was installed, with a small manual."""
    folder = tmp_path / "fkd_assets"
    (folder / "manual" / "pages").mkdir(parents=True)
    for name, body in BODIES.items():
        (folder / "manual" / "pages" / f"{name}.html").write_text(body, encoding="utf-8")
        (folder / "manual" / f"{name}.html").write_text(f"<html>{body}</html>", encoding="utf-8")
    monkeypatch.setattr(pages, "assets_dir", lambda: folder)
    return folder


@pytest.fixture
def opened(qtbot):
    """Give the window that is open; close it in the end."""

    def give():
        (window,) = module._open_windows
        return window

    yield give
    for window in list(module._open_windows):
        window.close()


def shown(window):
    contents = window.contents
    return [contents.item(row).text() for row in range(contents.count()) if not contents.item(row).isHidden()]


def test_it_opens_at_its_first_page_with_all_in_the_order_of_its_links(qapp, assets, opened):
    assert show_manual() == ""
    window = opened()
    assert window.page_name == "index"
    assert shown(window) == ["It & more", "Second", "Third"]
    assert window.contents.currentItem().text() == "It & more"
    assert "to the second" in window.view.toPlainText()


def test_a_section_is_scrolled_to_and_the_window_is_the_same(qapp, qtbot, assets, opened):
    show_manual("second", "far")
    window = opened()
    qtbot.waitUntil(lambda: window.view.verticalScrollBar().value() > 500)
    assert window.page_name == "second"
    show_manual("third")
    assert opened() is window
    assert window.page_name == "third"
    show_manual("a page that was renamed")
    assert window.page_name == "index"


def test_a_click_in_the_contents_and_back(qapp, qtbot, assets, opened):
    show_manual()
    window = opened()
    window.contents.setCurrentRow(2)
    assert window.page_name == "third"
    window._back.click()
    assert window.page_name == "index"
    assert window.contents.currentRow() == 0
    window._forward.click()
    assert window.page_name == "third"


def test_the_search_leaves_the_pages_that_have_all_words_and_goes_from_place_to_place(qapp, qtbot, assets, opened):
    show_manual()
    window = opened()
    qtbot.keyClicks(window.search, "needle")
    assert shown(window) == ["Second", "Third"]
    assert window.page_name == "second"
    assert window.view.textCursor().selectedText() == "needle"
    first = window.view.textCursor().position()
    qtbot.keyClick(window.search, Qt.Key.Key_Return)
    assert window.view.textCursor().position() > first
    qtbot.keyClick(window.search, Qt.Key.Key_Return)
    assert window.page_name == "third"
    qtbot.keyClick(window.search, Qt.Key.Key_Return)
    assert window.page_name == "second", "it begins anew"
    window.search.setText("NEEDLE strasse")
    assert shown(window) == ["Second"]
    window.search.setText("haystack")
    assert shown(window) == []
    assert not window._nothing.isHidden()
    window._on_escape()
    assert shown(window) == ["It & more", "Second", "Third"]
    assert window.isVisible()
    window._on_escape()
    assert not module._open_windows


def test_it_keeps_no_application_from_ending(qapp, assets, opened):
    show_manual()
    assert not opened().testAttribute(Qt.WidgetAttribute.WA_QuitOnClose)
    qapp.aboutToQuit.emit()
    assert not module._open_windows


def test_a_checkout_without_a_built_manual_shows_what_it_is_made_of(qapp, assets, opened, monkeypatch):
    root = assets.parent
    (root / "assets").mkdir()
    (root / "docs" / "manual").mkdir(parents=True)
    (root / "docs" / "manual" / "index.md").write_text("# Plain\n\n- [Other](other.md)\n", encoding="utf-8")
    (root / "docs" / "manual" / "other.md").write_text("# Other\n\n| a | b |\n|---|---|\n| 1 | 2 |\n", encoding="utf-8")
    monkeypatch.setattr(pages, "assets_dir", lambda: root / "assets")
    assert show_manual("other") == ""
    window = opened()
    assert shown(window) == ["Plain", "Other"]
    assert "Other" in window.view.toPlainText()
    assert "|" not in window.view.toPlainText(), "Markdown is read as such"
    assert window.in_browser.isHidden()


def test_pages_of_a_checkout_that_are_newer_than_what_was_built_are_the_ones_to_read(assets, monkeypatch):
    root = assets.parent
    assets.rename(root / "assets")
    monkeypatch.setattr(pages, "assets_dir", lambda: root / "assets")
    source = root / "docs" / "manual" / "index.md"
    source.parent.mkdir(parents=True)
    source.write_text("# Newer\n", encoding="utf-8")
    built_s = (root / "assets" / "manual" / "pages" / "index.html").stat().st_mtime
    os.utime(source, (built_s + 60, built_s + 60))
    assert [page.title for page in pages.read_pages()] == ["Newer"]
    os.utime(source, (built_s - 60, built_s - 60))
    assert [page.title for page in pages.read_pages()] == ["It & more", "Second", "Third"]


def test_what_lies_beside_an_installed_package_is_none_of_ours(assets):
    foreign = assets.parent / "docs" / "manual"
    foreign.mkdir(parents=True)
    (foreign / "index.md").write_text("# Some other program\n")
    os.utime(foreign / "index.md", (4e9, 4e9))
    assert pages.read_pages()[0].title == "It & more"


def test_without_any_manual_a_sentence_says_where_to_read(qapp, tmp_path, monkeypatch, is_one_sentence):
    monkeypatch.setattr(pages, "assets_dir", lambda: tmp_path)
    assert is_one_sentence(show_manual())
    assert not module._open_windows


@pytest.mark.parametrize("opens", [True, False])
def test_the_browser_gets_the_same_page_and_one_that_is_missing_is_said(qapp, assets, opened, monkeypatch, opens):
    urls = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: urls.append(url.toLocalFile()) or opens)
    show_manual("second")
    window = opened()
    window.in_browser.click()
    assert urls == [str(assets / "manual" / "second.html")]
    assert window.in_browser.isEnabled() is opens


def test_a_help_button_opens_its_page_by_f1_too(qapp, qtbot, assets, opened):
    from PySide6.QtWidgets import QDialog, QVBoxLayout

    dialog = QDialog()
    qtbot.addWidget(dialog)
    button = help_button("second", "far")
    QVBoxLayout(dialog).addWidget(button)
    with qtbot.waitActive(dialog):
        dialog.show()
        dialog.activateWindow()
    assert isinstance(button, QPushButton)
    assert button.text() == "Help"
    qtbot.keyClick(dialog, Qt.Key.Key_F1)
    qtbot.waitUntil(lambda: bool(module._open_windows))  # a key holds the button down for a moment
    assert opened().page_name == "second"


def test_pictures_are_no_wider_than_the_page(qapp, qtbot, assets, opened):
    from PySide6.QtGui import QColor, QImage

    image = QImage(1400, 300, QImage.Format.Format_RGB32)
    image.fill(QColor("red"))
    assert image.save(str(assets / "manual" / "wide.webp"))
    (assets / "manual" / "pages" / "third.html").write_text(
        '<h1>Third</h1><p><img alt="wide" src="../wide.webp" /></p>'
    )
    show_manual("third")
    view = opened().view
    opened().resize(700, 500)
    qtbot.waitUntil(lambda: view.document().idealWidth() <= view.viewport().width())
    assert not view.horizontalScrollBar().isVisible()
