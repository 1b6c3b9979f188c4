"""The real windows in a made-up language: whatever they show must come from a translation."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from PySide6.QtCore import QAbstractListModel, QCoreApplication, QEvent, QModelIndex, Qt, QTranslator
from PySide6.QtGui import QAction, QTextDocumentFragment
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QComboBox,
    QDialog,
    QGraphicsScene,
    QGroupBox,
    QHeaderView,
    QLabel,
    QLineEdit,
    QMenu,
    QMessageBox,
    QSizePolicy,
    QTabBar,
    QTextBrowser,
    QTextEdit,
    QWidget,
)

from fkd_desktop.controller import Controller, SessionState
from fkd_desktop.settings import Settings
from fkd_desktop.ui.dataset_browser import DatasetBrowser
from fkd_desktop.ui.main_window import MainWindow
from fkd_desktop.ui.network_inspector import NetworkInspector
from fkd_desktop.ui.overlays.editor import OverlayEditor
from fkd_desktop.ui.overlays.tile import OverlayTile
from fkd_desktop.ui.session_pane import describe_source
from fkd_desktop.ui.sources.url_dialog import UrlDialog
from tests.test_translations import FOLDER, ROOT, mnemonic, script

pytestmark = pytest.mark.usefixtures("threads_end")

NAMES = re.compile(
    r"""
    NME | AUC | GPU | CPU | CUDA | MPS | PNG | CSV | JSON | OpenFace | pts | URL | RTSP | HTTP | MIT
    | compact | large | simple | two_conv | Compact | Large | Simple | Two | conv          # the networks' own names
    | AdamW? | float32 | bfloat16 | auto | demo | Conv2d | MaxPool2d | Linear | ReLU
    | English | Deutsch                                                                # languages in their own words
    | px | ms | fps | s | min | h | MB | GB | kB | x | y | M
    | (?:(?:Ctrl|Shift|Alt|Meta)\+)*(?:Ctrl|Shift|Alt|Space|Esc|Enter|Return|Del|Tab|F\d+|[A-Z])   # keys
    | https?:\S+ | rtsp:\S+ | \S*[/\\]\S* | \*?[\w-]*\.\w+(?::\d+)?                        # addresses, paths, files
    """,
    re.VERBOSE,
)
"""What is the same in every language."""
SCREEN_PX = 1366
"""Of a small notebook."""


class Brackets(QTranslator):
    """Puts brackets round the texts that there are translations for, and round Qt's own."""

    def __init__(self, *, longer=False):
        super().__init__()
        self._longer = longer
        self._known = {(message.context, message.source) for message in script.collect(ROOT)}

    def isEmpty(self):  # noqa: N802 (Qt's)
        """Or Qt would not ask."""
        return False

    def translate(self, context, source, _comment=None, _count=-1):
        """Translate one."""
        if (context, source) not in self._known and not context.startswith("Q"):
            return None
        return f"⟦{source}{' aaaa' * round(0.08 * len(source)) if self._longer else ''}⟧"


@pytest.fixture
def bracketed(qapp):
    """Speak the made-up language."""
    translator = Brackets()
    qapp.installTranslator(translator)
    yield
    qapp.removeTranslator(translator)


@pytest.fixture
def window(qtbot, tmp_path, bracketed):
    """Return the main window."""
    return make_window(qtbot, tmp_path)


def make_window(qtbot, tmp_path):
    controller = Controller(device="cpu")
    window = MainWindow(controller, Settings(tmp_path / "settings.ini"))
    window.controller = controller
    qtbot.addWidget(window)
    window.show()
    qtbot.waitExposed(window)
    return window


def hard_wired(text, known=()):
    """Return what is left of a text when translations, names and numbers are taken away."""
    if re.search(r"<(?:html|p|b|br|a|h\d|span|table|tr|td|i|ul|li)\b", text):
        text = QTextDocumentFragment.fromHtml(text).toPlainText()
    while (shorter := re.sub(r"⟦[^⟦⟧]*⟧", " ", text)) != text:
        text = shorter
    for name in ("FKD Desktop", *known):
        text = text.replace(name, " ")
    words = [word.strip(".,:;()[]–-…\u200b\u00a0“”\"'·×") for word in re.split(r"[\s,]+", text)]
    return [word for word in words if re.search(r"[^\W\d_]", word) and not NAMES.fullmatch(word)]


def texts_of(widget):  # noqa: PLR0912 (one for each kind of widget)
    """Yield what a widget says, each with where."""
    for what in ("windowTitle", "toolTip", "statusTip", "whatsThis", "accessibleName", "accessibleDescription"):
        yield what, getattr(widget, what)()
    match widget:
        case QLabel() | QAbstractButton():
            yield "text", widget.text()
        case QGroupBox():
            yield "title", widget.title()
        case QLineEdit():
            yield "placeholder", widget.placeholderText()
        case QTextEdit():
            yield "text", widget.toPlainText()
        case QTabBar():
            yield from (("tab", widget.tabText(i)) for i in range(widget.count()))
            yield from (("tab tip", widget.tabToolTip(i)) for i in range(widget.count()))
        case QComboBox():
            yield from (("item", widget.itemText(i)) for i in range(widget.count()))
        case QMenu():
            yield "title", widget.title()
        case QMessageBox():
            yield from (("text", widget.text()), ("informative", widget.informativeText()))
        case QHeaderView() if widget.model() is not None and not widget.isHidden():
            roles = (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole)
            for section in range(widget.count()):
                for role in roles:
                    yield "heading", str(widget.model().headerData(section, widget.orientation(), role) or "")
        case QAbstractItemView() if widget.model() is not None:
            model, root = widget.model(), QModelIndex()
            for row in range(min(model.rowCount(root), 40)):
                for column in range(1 if isinstance(model, QAbstractListModel) else model.columnCount(root)):
                    index = model.index(row, column, root)
                    for role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
                        yield f"cell {column}", str(index.data(role) or "")
    if hasattr(widget, "suffix") and isinstance(widget.suffix(), str):
        yield "suffix", widget.suffix()
        yield "prefix", widget.prefix()
    if hasattr(widget, "specialValueText"):
        yield "special", widget.specialValueText()


def walk(top, *, known=()):
    """Return what a window shows that no translation has made, and that is not one of the known names."""
    found = set()
    things = [top, *top.findChildren(QWidget), *top.findChildren(QAction)]
    for thing in things:
        if thing.objectName().startswith("qt_") or isinstance(thing.parent(), QGraphicsScene):
            continue
        if isinstance(thing, QAction):
            said = [("action", thing.text()), ("action tip", thing.toolTip())]
        else:
            said = texts_of(thing)
        for what, text in said:
            if left := hard_wired(text, known):
                found.add((type(thing).__name__, thing.objectName(), what, text[:80], " ".join(left)[:60]))
    return sorted(found)


def check(found):
    lines = "\n".join(str(entry) for entry in sorted(set(found)))
    assert not found, f"not translated:\n{lines}"


def titles(window):
    """Return what overlays are called: their folders have their titles, in several languages."""
    return sorted((info.title for info in window.overlays.library.infos if info.folder), key=len, reverse=True)


def test_the_main_window_and_its_menus(window):
    window.overlays.dock.show()
    window.opener.recent.aboutToShow.emit()
    window.network_menu.fill()
    check(walk(window, known=titles(window)))


def close_dialogs(window):
    """Leave no modal one to other tests."""
    for dialog in window.findChildren(QDialog):
        dialog.close()


def test_every_state_of_the_session(window):
    found = []
    for state in SessionState:
        for source in ("camera:0", "demo", "/tmp/a.mp4", "rtsp://a/b"):
            window.pane.show_state(state, describe_source(source), "", window.commands)
            found += walk(window.pane)
    check(found)


def test_the_dialogs(window):
    window.open_preferences()
    window.help.show_about()
    window.help.show_shortcuts()
    window.export.open()
    window.capture.open_virtual_camera()
    dialog = UrlDialog(parent=window)
    for page in window.findChildren(QTextBrowser):  # versions, licences, facts: in English, as they are reported
        page.clear()
    check(walk(window, known=titles(window)) + walk(dialog))
    close_dialogs(window)


def test_the_overlay_editor(window):
    editor = OverlayEditor(window.overlays.library, lambda: None, parent=window)
    found = walk(editor, known=titles(window))
    editor.close()
    check(found)


def test_the_trainer(window, qtbot, broken_data):
    window.workshop._show_trainer()
    trainer = window.workshop.trainer
    qtbot.addWidget(trainer)
    trainer.new_run.form.advanced_button.setChecked(True)
    form = trainer.new_run.form
    qtbot.waitUntil(lambda: form._devices is not None and trainer.progress.plot is not None, timeout=30_000)
    trainer.new_run.data_panel._data.choose(broken_data)
    qtbot.waitUntil(lambda: not trainer.new_run.data_panel._data.state.is_busy, timeout=30_000)
    found = walk(trainer, known=[str(broken_data), broken_data.name])
    trainer.new_run.data_panel.ask_to_download()
    found += walk(trainer, known=[str(broken_data), broken_data.name])
    for name in ("model", "optimizer", "schedule", "augmentation", "device", "loss"):  # what is said of each choice
        box = form._rows[name].editor.box
        for index in range(box.count()):
            box.setCurrentIndex(index)
            found += walk(trainer, known=[str(broken_data), broken_data.name])
    check(found)


@pytest.fixture
def broken_data(csv_data):
    """Return a data set with something wrong in it."""
    table = csv_data / "labels.csv"
    lines = table.read_text(encoding="utf-8").splitlines()
    lines[3] = lines[3].rpartition(",")[0]
    lines[5] = lines[4]
    lines[6] = lines[6].replace(lines[6].split(",")[3], "nose", 1)
    table.write_text("\n".join(lines), encoding="utf-8")
    return csv_data


def test_the_data_set_browser(qtbot, tmp_path, bracketed, broken_data):
    browser = DatasetBrowser(broken_data, settings=Settings(tmp_path / "settings.ini"), weights=None, device="cpu")
    qtbot.addWidget(browser)
    browser.show()
    qtbot.waitUntil(lambda: browser.browsing.state.name == "READY" and not browser.browsing.is_checking, timeout=60_000)
    found = walk(browser, known=[str(broken_data), broken_data.name])
    browser.close()
    check(found)


def test_the_network_inspector(qtbot, tmp_path, bracketed):
    inspector = NetworkInspector(
        settings=Settings(tmp_path / "settings.ini"), weights=None, device="cpu", frame_source=lambda: None
    )
    qtbot.addWidget(inspector)
    inspector.show()
    qtbot.waitUntil(lambda: inspector.controller.state.name == "READY", timeout=30_000)
    layers = [layer.name for layer in inspector.table.layer_model.layers]  # paths in the program
    found = walk(inspector, known=sorted(layers, key=len, reverse=True))
    inspector.close()
    check(found)


# --- German


@pytest.fixture
def german(qapp):
    """Speak German."""
    translator = QTranslator()
    assert translator.load("fkd_desktop_de", str(FOLDER))
    qapp.installTranslator(translator)
    yield
    qapp.removeTranslator(translator)


def taken_twice(texts):
    keys = Counter(filter(None, map(mnemonic, texts)))
    return [tuple(text for text in texts if mnemonic(text) == key) for key, count in keys.items() if count > 1]


@pytest.mark.parametrize("language", ["german", "qapp"])
def test_no_two_actions_of_a_menu_share_a_key(qtbot, tmp_path, language, request):
    request.getfixturevalue(language)
    window = make_window(qtbot, tmp_path)
    window.opener.recent.aboutToShow.emit()
    twice = []
    for menu in [window.menuBar(), *window.findChildren(QMenu)]:
        texts = [action.text() for action in menu.actions() if action.isVisible()]
        twice += taken_twice(texts)
    window.close()
    assert not twice, str(twice)


@pytest.mark.parametrize("language", ["german", "qapp"])
def test_no_two_things_of_a_dialog_share_a_key(qtbot, tmp_path, language, request):
    request.getfixturevalue(language)
    window = make_window(qtbot, tmp_path)
    window.open_preferences()
    window.help.show_about()
    window.export.open()
    window.capture.open_virtual_camera()
    twice = []
    for dialog in window.findChildren(QDialog):
        texts = [button.text() for button in dialog.findChildren(QAbstractButton) if button.isVisible()]
        texts += [label.text() for label in dialog.findChildren(QLabel) if label.isVisible() and label.buddy()]
        texts += [bar.tabText(i) for bar in dialog.findChildren(QTabBar) for i in range(bar.count())]
        twice += taken_twice(texts)
    close_dialogs(window)
    window.close()
    assert not twice, str(twice)


# --- texts 40 % longer


@pytest.fixture
def longer(qapp):
    """Speak a language whose texts are longer by 40 %."""
    translator = Brackets(longer=True)
    qapp.installTranslator(translator)
    yield
    qapp.removeTranslator(translator)


def cut_off(top):
    """Return the visible buttons and labels that are narrower than their text."""
    QCoreApplication.sendPostedEvents(None, QEvent.Type.LayoutRequest)
    QCoreApplication.processEvents()
    found = []
    for widget in [*top.findChildren(QAbstractButton), *top.findChildren(QLabel)]:
        policy = widget.sizePolicy().horizontalPolicy()
        if not widget.isVisible() or not widget.text() or policy is QSizePolicy.Policy.Ignored:
            continue
        if isinstance(widget, QLabel) and widget.wordWrap():
            is_cut = widget.height() + 2 < widget.heightForWidth(widget.width())
        else:
            is_cut = widget.width() + 2 < widget.sizeHint().width()
        if is_cut and not isinstance(widget, OverlayTile):  # which elide, and say it whole in their tooltips
            found.append((type(widget).__name__, widget.text()[:80], widget.size(), widget.sizeHint()))
    return found


def test_longer_texts_fit_into_the_main_window(qtbot, tmp_path, longer):
    window = make_window(qtbot, tmp_path)
    window.overlays.dock.show()
    found = cut_off(window)
    assert window.minimumSizeHint().width() <= SCREEN_PX
    window.close()
    assert found == []


def test_longer_texts_fit_into_the_dialogs(qtbot, tmp_path, longer):
    window = make_window(qtbot, tmp_path)
    window.open_preferences()
    window.export.open()
    window.capture.open_virtual_camera()
    found = [entry for dialog in window.findChildren(QDialog) for entry in cut_off(dialog)]
    window.close()
    assert found == []


def test_longer_texts_fit_into_the_trainer(qtbot, tmp_path, longer):
    window = make_window(qtbot, tmp_path)
    window.workshop._show_trainer()
    trainer = window.workshop.trainer
    trainer.new_run.form.advanced_button.setChecked(True)
    found = []
    for index in range(trainer.tabs.count()):
        trainer.tabs.setCurrentIndex(index)
        qtbot.wait(1)
        found += cut_off(trainer)
    assert found == []
    assert trainer.minimumSizeHint().width() <= SCREEN_PX
    window.close()


def test_longer_texts_fit_into_the_browser_and_the_inspector(qtbot, tmp_path, longer, csv_data):
    settings = Settings(tmp_path / "settings.ini")
    browser = DatasetBrowser(csv_data, settings=settings, weights=None, device="cpu")
    inspector = NetworkInspector(settings=settings, weights=None, device="cpu", frame_source=lambda: None)
    for window in (browser, inspector):
        qtbot.addWidget(window)
        window.show()
        qtbot.waitExposed(window)
    qtbot.waitUntil(lambda: inspector.controller.state.name == "READY", timeout=30_000)
    qtbot.waitUntil(lambda: browser.browsing.state.name == "READY", timeout=30_000)
    found = cut_off(browser) + cut_off(inspector)
    widths_px = [window.minimumSizeHint().width() for window in (browser, inspector)]
    for window in (browser, inspector):
        window.close()
    assert found == []
    assert max(widths_px) <= SCREEN_PX
