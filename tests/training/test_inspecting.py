"""The inspector's controller and its drawing thread, on the shipped network."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest

from fkd_desktop.live.result import FrameResult
from fkd_desktop.training import inspecting, inspection_worker
from fkd_desktop.training.inspecting import InspectionController, InspectionState
from fkd_desktop.training.inspection_worker import Page, Wish

ROOT = Path(__file__).resolve().parents[2]
LAYER = "middle.1.conv2"
BOX = (105.0, 103.0, 150.0, 150.0)


class Live:
    """A live session that shows a new frame when told to."""

    def __init__(self, image_bgr: np.ndarray) -> None:
        self.image_bgr = image_bgr
        self.result: FrameResult | None = None
        self.asked_in: set[str] = set()
        self.is_moving = False

    def show(self, *boxes: tuple[float, ...]) -> FrameResult:
        count = len(boxes)
        self.result = FrameResult(
            self.image_bgr,
            0.0,
            boxes_xywh=np.array(boxes, np.float32).reshape(-1, 4),
            ids=np.arange(count),
            keypoints_px=np.zeros((count, 68, 2), np.float32),
            confidences=np.ones(count, np.float32),
        )
        return self.result

    def __call__(self) -> FrameResult | None:
        self.asked_in.add(threading.current_thread().name)
        return self.show(BOX) if self.is_moving else self.result


@pytest.fixture
def live(portrait) -> Live:
    return Live(portrait)


@pytest.fixture
def controller(qtbot, live, monkeypatch):
    monkeypatch.setattr("trainer.inspection._RUNS", 2)
    controller = InspectionController(device="cpu", frame_source=live)
    yield controller
    assert controller.shut_down()
    names = [thread.name for thread in threading.enumerate()]
    assert "drawing what is inside the network" not in names


@pytest.fixture
def ready(controller, qtbot) -> InspectionController:
    controller.ask(Wish(layer=LAYER))
    controller.load(None)
    wait_for_state(qtbot, controller, InspectionState.READY)
    return controller


def wait_for_state(qtbot, controller: InspectionController, state: InspectionState) -> None:
    qtbot.waitUntil(lambda: controller.state is state, timeout=60_000)


def next_page(qtbot, controller: InspectionController, is_wanted=lambda page: True) -> Page:
    found: list[Page] = []

    def look() -> bool:
        page = controller.take_page()
        if page is not None and is_wanted(page):
            found.append(page)
        return bool(found)

    qtbot.waitUntil(look, timeout=30_000)
    return found[0]


def test_the_window_never_needs_torch(qtbot) -> None:
    program = (
        "import sys, fkd_desktop.ui.network_inspector as m; from pathlib import Path\n"
        "print(m.NetworkInspector.__name__, sorted(name for name in sys.modules if name.split('.')[0] == 'torch'))"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, timeout=100, check=False
    )
    assert run.stdout.split("\n")[0] == "NetworkInspector []", run.stderr


def test_an_overview_comes_before_any_page(ready) -> None:
    overview = ready.overview
    assert overview.network_name == "compact"
    assert overview.device == "cpu"
    assert sum(layer.parameters for layer in overview.layers) == overview.parameters
    assert overview.total_ms > 0


def test_without_a_live_picture_it_waits_for_one(ready, live, qtbot) -> None:
    assert next_page(qtbot, ready).is_waiting
    live.show(BOX)
    page = next_page(qtbot, ready)
    assert not page.is_waiting
    assert page.values.shape == (64, 12, 12)
    assert page.sheet.total == 64
    assert page.faces == 1
    assert live.asked_in == {"drawing what is inside the network"}


def test_live_maps_are_those_of_the_frame(ready, live, qtbot, portrait) -> None:
    from trainer.inspection import Inspection

    live.show(BOX)
    page = next_page(qtbot, ready, lambda page: not page.is_waiting)
    own = Inspection(device="cpu")
    np.testing.assert_allclose(page.values, own.activations(own.crop_of(portrait, BOX), LAYER), atol=1e-4)


def test_each_new_frame_is_drawn_once_and_the_rate_is_told(ready, live, qtbot) -> None:
    live.is_moving = True
    page = next_page(qtbot, ready, lambda page: page.per_s is not None and page.per_s > 0)
    assert page.per_s < 20
    live.is_moving = False
    stopped = next_page(qtbot, ready, lambda page: page.per_s == 0)
    assert stopped.values is not None, "the last frame stays"


def test_pages_never_queue_up(ready, live, qtbot) -> None:
    live.show(BOX)
    next_page(qtbot, ready, lambda page: not page.is_waiting)
    told = []
    ready.page_ready.connect(lambda: told.append(1))
    live.is_moving = True
    qtbot.waitUntil(lambda: ready._worker._slot.dropped >= 3, timeout=30_000)  # nobody takes one
    ready.ask(Wish(layer=LAYER, colours="grey"))
    dropped = ready._worker._slot.dropped
    qtbot.waitUntil(lambda: ready._worker._slot.dropped >= dropped + 3, timeout=30_000)
    assert len(told) == 1
    assert ready.take_page().wish.colours == "grey", "the newest wins"


def test_a_pause_holds_the_picture_but_not_what_is_looked_at(ready, live, qtbot) -> None:
    live.is_moving = True
    next_page(qtbot, ready, lambda page: page.values is not None)
    ready.set_paused(True)
    held = next_page(qtbot, ready, lambda page: page.per_s is None)
    live.image_bgr = 255 - live.image_bgr
    ready.ask(Wish(layer="stem.conv"))
    other = next_page(qtbot, ready, lambda page: page.wish.layer == "stem.conv")
    np.testing.assert_array_equal(other.crop, held.crop)
    ready.set_paused(False)
    after = next_page(qtbot, ready, lambda page: page.per_s is not None)
    assert (after.crop != held.crop).any()


def test_a_picture_without_a_face_shows_its_middle_and_says_so(ready, live, qtbot) -> None:
    live.show()
    page = next_page(qtbot, ready, lambda page: not page.is_waiting)
    assert page.faces == 0
    expected = cv2.cvtColor(cv2.resize(live.image_bgr, (96, 96), interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2GRAY)
    assert np.abs(page.crop.astype(int) - expected).max() <= 2


def test_one_of_several_faces_is_chosen(ready, live, qtbot) -> None:
    live.show(BOX, (20, 20, 60, 60))
    first = next_page(qtbot, ready, lambda page: page.faces == 2)
    ready.ask(Wish(layer=LAYER, face=1))
    second = next_page(qtbot, ready, lambda page: page.wish.face == 1)
    assert (first.crop != second.crop).any()
    live.show(BOX)
    assert next_page(qtbot, ready, lambda page: page.faces == 1).crop.tolist() == first.crop.tolist()


def test_the_rate_of_a_slow_network_is_told_too(ready, live, qtbot, monkeypatch) -> None:
    monkeypatch.setattr(inspection_worker, "_RATE_WINDOW_S", 0.0)  # as if each page took longer than that
    live.is_moving = True
    for _ in range(3):
        page = next_page(qtbot, ready, lambda page: page.per_s is not None)
        assert page.per_s > 0


def test_kernels_need_no_picture(ready, qtbot) -> None:
    ready.ask(Wish(view="kernels"))
    page = next_page(qtbot, ready, lambda page: page.wish.view == "kernels")
    assert not page.is_waiting
    assert page.values.shape == (16, 5, 5)
    assert page.sheet.count == 16


def test_the_crop_comes_with_its_keypoints(ready, live, qtbot) -> None:
    live.show(BOX)
    ready.ask(Wish(view="input"))
    page = next_page(qtbot, ready, lambda page: page.points_unit is not None)
    assert page.points_unit.shape == (68, 2)
    assert (page.points_unit > 0.05).all()
    assert (page.points_unit < 0.95).all()


def test_a_map_can_be_shown_alone(ready, live, qtbot) -> None:
    live.show(BOX)
    ready.ask(Wish(layer=LAYER, first=11, is_single=True, room_px=(1600, 500)))
    page = next_page(qtbot, ready, lambda page: page.sheet is not None and page.wish.is_single)
    assert (page.sheet.first, page.sheet.count) == (11, 1)
    assert page.sheet.grid.cell_px[0] > 400


def test_pictures_from_files_are_searched_for_faces(ready, live, qtbot, portrait, tmp_path) -> None:
    path = tmp_path / "two.png"
    cv2.imwrite(str(path), np.hstack([portrait, portrait[:, ::-1]]))
    with qtbot.waitSignal(ready.picture_opened, timeout=30_000) as opened:
        ready.open_picture(path)
    boxes = opened.args[0].boxes_xywh
    assert len(boxes) == 2
    assert boxes[0, 0] < boxes[1, 0], "from left to right"
    page = next_page(qtbot, ready, lambda page: page.faces == 2)
    assert page.per_s is None
    ready.show_live()
    live.show()
    assert next_page(qtbot, ready, lambda page: page.faces == 0).values is not None


def test_what_is_no_picture_leaves_all_as_it_was(ready, qtbot, tmp_path) -> None:
    path = tmp_path / "notes.png"
    path.write_text("no picture")
    with qtbot.waitSignal(ready.picture_failed, timeout=30_000) as failed:
        ready.open_picture(path)
    assert "not a picture" in failed.args[0]
    assert ready.picture is None


def test_weights_that_are_not_there_fail_in_one_sentence_and_others_can_be_loaded(controller, qtbot) -> None:
    controller.load(Path("nowhere.safetensors"))
    with qtbot.waitSignal(controller.state_changed, timeout=60_000) as changed:
        pass
    assert changed.args[0] is InspectionState.FAILED
    assert "there is no weights file nowhere.safetensors" in changed.args[1]
    controller.load(None)
    wait_for_state(qtbot, controller, InspectionState.READY)


def test_a_large_network_is_loaded_only_when_it_is_wanted(controller, qtbot, monkeypatch) -> None:
    monkeypatch.setattr(inspecting, "LARGE_BYTES", 1000)
    with qtbot.waitSignal(
        controller.state_changed, timeout=60_000, check_params_cb=lambda state, _: state is InspectionState.LARGE
    ) as changed:
        controller.load(None)
    assert int(changed.args[1]) > 2_000_000
    assert controller.overview is None
    controller.load_large()
    wait_for_state(qtbot, controller, InspectionState.READY)


def test_a_layer_is_saved_whole_and_a_failure_is_told(ready, live, qtbot, tmp_path) -> None:
    live.show(BOX)
    page = next_page(qtbot, ready, lambda page: page.values is not None)
    with qtbot.waitSignal(ready.saved, timeout=30_000) as saved:
        ready.save_layer(tmp_path / "layer.png", page)
    image = cv2.imread(saved.args[0])
    assert image.shape[0] > 600
    (tmp_path / "file").write_text("")
    with qtbot.waitSignal(ready.saving_failed, timeout=30_000) as failed:
        ready.save_image(tmp_path / "file" / "x.png", image)
    assert "cannot be written" in failed.args[0]
    assert "choose another place" in failed.args[0]


def test_a_source_that_breaks_is_a_message_not_a_crash(ready, qtbot, monkeypatch) -> None:
    def broken() -> FrameResult:
        raise ValueError("the camera is on fire")

    monkeypatch.setattr(ready._worker, "_frame_source", broken)
    wait_for_state(qtbot, ready, InspectionState.FAILED)


def test_another_network_takes_the_place_of_the_first(ready, live, qtbot) -> None:
    live.show(BOX)
    first = ready._worker
    ready.load(None)
    assert ready.overview is None
    wait_for_state(qtbot, ready, InspectionState.READY)
    assert ready._worker is not first
    assert next_page(qtbot, ready, lambda page: page.values is not None).wish.layer == LAYER


def test_it_can_be_shut_down_while_it_loads(controller, qtbot) -> None:
    controller.load(None)
    assert controller.shut_down()
    assert controller.overview is None
