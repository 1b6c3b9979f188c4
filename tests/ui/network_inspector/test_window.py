"""The real window offscreen, on the shipped network and the demo clip's frames."""

from __future__ import annotations

import threading
from pathlib import Path

import cv2
import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QCursor, QDropEvent, QGuiApplication
from PySide6.QtWidgets import QFileDialog

from fkd_desktop.live.result import FrameResult
from fkd_desktop.settings import Settings
from fkd_desktop.training import inspecting
from fkd_desktop.training.inspecting import InspectionState
from fkd_desktop.ui.network_inspector import NetworkInspector

BOX = (105.0, 103.0, 150.0, 150.0)
LAYER = "middle.1.conv2"
MAPS, KERNELS, INPUT = range(3)


class Live:
    def __init__(self) -> None:
        self.result: FrameResult | None = None

    def show(self, image_bgr: np.ndarray, *boxes: tuple[float, ...]) -> None:
        count = len(boxes)
        self.result = FrameResult(
            image_bgr,
            0.0,
            boxes_xywh=np.array(boxes, np.float32).reshape(-1, 4),
            ids=np.arange(count),
            keypoints_px=np.zeros((count, 68, 2), np.float32),
            confidences=np.ones(count, np.float32),
        )

    def __call__(self) -> FrameResult | None:
        return self.result


@pytest.fixture
def live() -> Live:
    return Live()


@pytest.fixture
def make_window(qtbot, tmp_path, live, monkeypatch):
    monkeypatch.setattr("trainer.inspection._RUNS", 2)

    def make(weights: Path | None = None) -> NetworkInspector:
        settings = Settings(tmp_path / "settings.ini")
        window = NetworkInspector(settings=settings, weights=weights, device="cpu", frame_source=live)
        qtbot.addWidget(window)
        window.show()
        qtbot.waitExposed(window)
        return window

    QCursor.setPos(0, 5000)  # where the last test left it, a map would lie under it, and be spoken of
    yield make
    assert "drawing what is inside the network" not in [thread.name for thread in threading.enumerate()]


@pytest.fixture
def loaded(make_window, qtbot):
    window = make_window()
    qtbot.waitUntil(lambda: window.controller.state is InspectionState.READY, timeout=60_000)
    yield window
    window.close()


@pytest.fixture
def window(loaded, live, portrait, qtbot):
    """Return the window with the maps of the chosen layer on show."""
    live.show(portrait, BOX)
    choose(loaded, LAYER)
    wait_for_page(qtbot, loaded, lambda page: page.wish == loaded.controller.wish and page.sheet is not None)
    assert loaded.controller.wish.room_px == loaded.view.room_px
    return loaded


def choose(window: NetworkInspector, name: str) -> None:
    names = [layer.name for layer in window.table.layer_model.layers]
    window.table.setCurrentIndex(window.table.layer_model.index(names.index(name), 0))


def wait_for_page(qtbot, window: NetworkInspector, is_wanted) -> None:
    qtbot.waitUntil(lambda: window.view.page is not None and is_wanted(window.view.page), timeout=30_000)


def place_of(window: NetworkInspector, number: int) -> QPoint:
    sheet = window.view.page.sheet
    left, top, width, height = sheet.grid.rect(number - sheet.first)
    return (window.view._origin() + QPointF(left + width / 2, top + height / 2)).toPoint()


def caption(window: NetworkInspector) -> str:
    return window.page_bar.caption.text()


def test_the_table_tells_of_the_network(loaded) -> None:
    model = loaded.table.layer_model
    rows = [[model.index(row, column).data() for column in range(5)] for row in range(model.rowCount())]
    assert rows[0][:4] == ["stem.conv", "Conv2d 5 × 5, stride 2", "16 × 48 × 48", "432"]
    assert rows[1][3] == "–"
    assert rows[-1][0] == "output"
    assert any("36,992" in row for row in rows)
    assert all(row[4].endswith("%") for row in rows)
    assert "620,509 parameters" in loaded.network_pane.totals.text()
    assert "ms a face on CPU" in loaded.network_pane.totals.text()
    assert loaded.network_pane.heading.text() == "compact, shipped weights"


def test_no_text_of_the_table_is_cut_off_at_the_first_size(loaded) -> None:
    table = loaded.table
    for row in range(table.layer_model.rowCount()):
        for column in range(5):
            index = table.layer_model.index(row, column)
            assert table.visualRect(index).width() >= table.fontMetrics().horizontalAdvance(index.data())
    assert not table.horizontalScrollBar().isVisible()


def test_before_there_is_a_picture_it_says_so_and_offers_a_way(loaded, live, portrait, qtbot) -> None:
    qtbot.waitUntil(lambda: loaded.empty_state.title == "No live picture yet", timeout=30_000)
    assert [button.text() for button in loaded.empty_state.buttons()] == ["Open an image…"]
    assert not loaded.look_bar.save.isEnabled()
    live.show(portrait, BOX)
    qtbot.waitUntil(lambda: loaded.pane.currentWidget() is loaded.view, timeout=30_000)
    assert loaded.look_bar.save.isEnabled()


def test_a_row_shows_its_maps_from_any_view(window, qtbot) -> None:
    assert caption(window) == "middle.1.conv2: 64 maps of 12 × 12"
    window.tabs.setCurrentIndex(KERNELS)
    wait_for_page(qtbot, window, lambda page: page.wish.view == "kernels")
    assert "16 kernels of 5" in caption(window)
    assert not window.source_bar.isVisible()
    choose(window, "face")
    wait_for_page(qtbot, window, lambda page: page.wish.layer == "face")
    assert window.tabs.currentIndex() == MAPS
    assert caption(window).startswith("face: one value, ")
    window.tabs.setCurrentIndex(INPUT)
    wait_for_page(qtbot, window, lambda page: page.points_unit is not None)
    assert "96 × 96" in caption(window)
    assert "keypoints" in caption(window)


def test_a_click_on_the_chosen_row_leads_back_to_its_maps(window, qtbot) -> None:
    window.tabs.setCurrentIndex(INPUT)
    wait_for_page(qtbot, window, lambda page: page.wish.view == "input")
    place = window.table.visualRect(window.table.currentIndex()).center()
    qtbot.mouseClick(window.table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert window.tabs.currentIndex() == MAPS
    assert caption(window) == "Computing…"
    wait_for_page(qtbot, window, lambda page: page.wish.view == "maps")
    assert caption(window).startswith("middle.1.conv2: ")


def test_the_mouse_tells_the_map_and_its_values(window, qtbot) -> None:
    values = window.view.page.values
    qtbot.mouseMove(window.view, place_of(window, 20))
    assert caption(window).startswith("Map 21 of 64: ")
    assert window.view.pointed == 20
    assert window.view.pointed_value == pytest.approx(values[20, 6, 6])
    qtbot.mouseMove(window.view, QPoint(1, window.view.height() // 2))
    assert not caption(window).startswith("Map")


def test_a_click_shows_a_map_large_and_another_all_again(window, qtbot) -> None:
    qtbot.mouseClick(window.view, Qt.MouseButton.LeftButton, pos=place_of(window, 9))
    wait_for_page(qtbot, window, lambda page: page.wish.is_single)
    assert window.view.page.sheet.first == 9
    assert window.page_bar.position.text() == "10 of 64"
    window.page_bar.next.click()
    wait_for_page(qtbot, window, lambda page: page.sheet.first == 10)
    qtbot.mouseClick(window.view, Qt.MouseButton.LeftButton)
    wait_for_page(qtbot, window, lambda page: not page.wish.is_single)
    assert window.view.page.sheet.count == 64


def test_all_of_it_works_with_the_keyboard(window, qtbot) -> None:
    view = window.view
    view.setFocus()
    for key, expected in ((Qt.Key.Key_Right, 0), (Qt.Key.Key_Right, 1), (Qt.Key.Key_Left, 0)):
        qtbot.keyClick(view, key)
        assert view.pointed == expected
    qtbot.keyClick(view, Qt.Key.Key_Down)
    assert view.pointed == view.page.sheet.grid.columns
    qtbot.keyClick(view, Qt.Key.Key_Return)
    wait_for_page(qtbot, window, lambda page: page.wish.is_single)
    first = view.page.sheet.first
    qtbot.keyClick(view, Qt.Key.Key_Right)
    wait_for_page(qtbot, window, lambda page: page.sheet.first == first + 1)
    qtbot.keyClick(view, Qt.Key.Key_Escape)
    wait_for_page(qtbot, window, lambda page: not page.wish.is_single)


def test_size_colours_and_contrast_change_the_picture(window, qtbot) -> None:
    before = window.view.page.sheet.image_bgr
    window.look_bar.colours_box.setCurrentIndex(1)
    wait_for_page(qtbot, window, lambda page: page.wish.colours == "grey")
    grey = window.view.page.sheet
    assert (before != grey.image_bgr).any()
    window.look_bar.contrast_box.setCurrentIndex(1)
    wait_for_page(qtbot, window, lambda page: page.wish.contrast == "common")
    assert (window.view.page.sheet.image_bgr != grey.image_bgr).any()
    window.look_bar.size_box.setCurrentIndex(3)
    wait_for_page(qtbot, window, lambda page: page.wish.cell_px == 192)
    assert window.view.page.sheet.grid.cell_px == (192, 192)
    assert "of 64" in window.page_bar.position.text()
    window.page_bar.next.click()
    wait_for_page(qtbot, window, lambda page: page.sheet.first > 0)


def test_the_maps_fill_the_window_at_every_size(window, qtbot) -> None:
    for size in ((1500, 900), (900, 560)):
        window.resize(*size)
        qtbot.waitUntil(
            lambda: window.view.page.wish.room_px == window.view.room_px and window.view.page.sheet is not None,
            timeout=30_000,
        )
        height, width = window.view.page.sheet.image_bgr.shape[:2]
        assert width <= window.view.width()
        assert height <= window.view.height()
        assert max(width / window.view.width(), height / window.view.height()) > 0.7


def test_an_image_can_be_dropped_and_one_of_its_faces_chosen(window, live, portrait, qtbot, tmp_path) -> None:
    path = tmp_path / "two.png"
    cv2.imwrite(str(path), np.hstack([portrait, portrait[:, ::-1]]))
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    window.dropEvent(
        QDropEvent(
            QPointF(9, 9),
            Qt.DropAction.CopyAction,
            data,
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
        )
    )
    wait_for_page(qtbot, window, lambda page: page.faces == 2)
    assert window.source_bar.image.isChecked()
    assert not window.source_bar.pause.isEnabled()
    faces = window.source_bar.faces
    assert [faces.itemText(n) for n in range(faces.count())] == ["Face 1 of 2", "Face 2 of 2"]
    first = window.view.page.crop
    faces.setCurrentIndex(1)
    faces.activated.emit(1)
    wait_for_page(qtbot, window, lambda page: page.wish.face == 1)
    assert (window.view.page.crop != first).any()
    window.source_bar.live.click()
    wait_for_page(qtbot, window, lambda page: page.faces == 1)
    assert not faces.isVisible()


def test_without_a_face_it_says_what_it_shows(window, live, qtbot) -> None:
    live.show(np.zeros((240, 320, 3), np.uint8))
    wait_for_page(qtbot, window, lambda page: page.faces == 0)
    assert window.source_bar.note.text() == "No face found: this is the middle of the picture"


def test_a_file_that_is_no_image_is_a_notice(window, qtbot, tmp_path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("hello")
    window.open_image(path)
    qtbot.waitUntil(window.banner.isVisible, timeout=30_000)
    assert "not a picture" in window.banner.text
    assert window.source_bar.live.isChecked()


def test_cancelling_the_file_dialog_changes_nothing(window, monkeypatch) -> None:
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: ("", ""))
    window.source_bar.image.click()
    assert window.source_bar.live.isChecked()


def test_what_is_shown_and_all_maps_are_saved(window, qtbot, tmp_path, monkeypatch) -> None:
    asked = []

    def answer(_parent, _title, proposed, _filter):
        asked.append(Path(proposed).name)
        return str(tmp_path / f"{len(asked)}.conv2"), ""

    monkeypatch.setattr(QFileDialog, "getSaveFileName", answer)
    shown = window.view.page.sheet.image_bgr
    with qtbot.waitSignal(window.controller.saved, timeout=30_000):
        window.look_bar.save_shown.trigger()
    np.testing.assert_array_equal(cv2.imread(str(tmp_path / "1.conv2.png")), shown)
    assert caption(window) == "Saved 1.conv2.png."
    with qtbot.waitSignal(window.controller.saved, timeout=30_000):
        window.look_bar.save_all.trigger()
    assert cv2.imread(str(tmp_path / "2.conv2.png")).shape[0] > shown.shape[0]
    assert asked == ["compact-middle.1.conv2.png"] * 2
    window.tabs.setCurrentIndex(INPUT)
    wait_for_page(qtbot, window, lambda page: page.points_unit is not None)
    assert not window.look_bar.save_all.isEnabled()
    with qtbot.waitSignal(window.controller.saved, timeout=30_000):
        window.look_bar.save_shown.trigger()
    image = cv2.imread(str(tmp_path / "3.conv2.png"))
    assert image.shape == (768, 768, 3)
    assert np.ptp(image.astype(int), axis=2).max() > 60, "the keypoints are drawn in colours"


def test_copy_puts_the_picture_on_the_clipboard(window, qtbot) -> None:
    window.look_bar.copy.click()
    image = QGuiApplication.clipboard().image()
    assert (image.height(), image.width()) == window.view.page.sheet.image_bgr.shape[:2]


def test_pause_says_so(window, live, portrait, qtbot) -> None:
    window.source_bar.pause.click()
    qtbot.waitUntil(lambda: window.source_bar.rate.text() == "Paused", timeout=30_000)
    crop = window.view.page.crop
    live.show(255 - portrait, BOX)
    window.source_bar.pause.click()
    wait_for_page(qtbot, window, lambda page: (page.crop != crop).any())
    assert window.source_bar.rate.text() != "Paused"


def test_it_rests_while_nobody_can_see_it(window, live, portrait, qtbot) -> None:
    window.hide()
    qtbot.waitUntil(lambda: window.controller._worker._orders.paused)
    window.show()
    crop = window.view.page.crop
    live.show(255 - portrait, BOX)
    wait_for_page(qtbot, window, lambda page: (page.crop != crop).any())


def test_weights_that_cannot_be_used_say_why_and_offer_a_way_out(make_window, qtbot) -> None:
    window = make_window(Path("nowhere.safetensors"))
    qtbot.waitUntil(lambda: window.controller.state is InspectionState.FAILED, timeout=60_000)
    assert window.empty_state.text == (
        "There is no weights file nowhere.safetensors; check the path or choose another file."
    )
    buttons = window.empty_state.buttons()
    assert [button.text() for button in buttons] == ["Look into the shipped network", "Try again"]
    buttons[0].click()
    qtbot.waitUntil(lambda: window.controller.state is InspectionState.READY, timeout=60_000)
    window.close()


def test_a_large_network_asks_before_it_takes_the_memory(make_window, qtbot, monkeypatch) -> None:
    monkeypatch.setattr(inspecting, "LARGE_BYTES", 1000)
    window = make_window()
    qtbot.waitUntil(lambda: window.controller.state is InspectionState.LARGE, timeout=60_000)
    assert "GB of memory" in window.empty_state.text
    window.empty_state.buttons()[0].click()
    qtbot.waitUntil(lambda: window.controller.state is InspectionState.READY, timeout=60_000)
    window.close()


def test_the_layer_stays_chosen_when_the_network_is_exchanged(window, qtbot) -> None:
    window.show_network(None)
    assert window.table.layer_model.rowCount() == 0
    qtbot.waitUntil(lambda: window.controller.state is InspectionState.READY, timeout=60_000)
    assert window.table.chosen.name == LAYER
    wait_for_page(qtbot, window, lambda page: page.wish.layer == LAYER)


def test_a_closed_one_loads_no_network_that_is_exchanged_meanwhile(window, qtbot) -> None:
    window.close()
    window.show_network(None)
    assert window.controller._loader is None
    window.show()
    qtbot.waitUntil(lambda: window.controller.state is InspectionState.READY, timeout=60_000)


@pytest.mark.parametrize("when", ["loading", "waiting", "live"])
def test_it_closes_in_every_state_and_opens_again(make_window, live, portrait, qtbot, when: str) -> None:
    window = make_window()
    if when != "loading":
        qtbot.waitUntil(lambda: window.controller.state is InspectionState.READY, timeout=60_000)
    if when == "live":
        live.show(portrait, BOX)
        wait_for_page(qtbot, window, lambda page: page.sheet is not None)
    window.close()
    assert "drawing what is inside the network" not in [thread.name for thread in threading.enumerate()]
    live.show(portrait, BOX)
    window.show()
    wait_for_page(qtbot, window, lambda page: page.sheet is not None)
    window.close()
