"""Systems that ask their user before a program may see: their answers are made up here, no such system is at hand."""

from __future__ import annotations

import sys
import threading
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from fkd_desktop.errors import SourceError, SourceProblem
from fkd_desktop.live.sources import camera as camera_module
from fkd_desktop.live.sources import cameras, make_source, permission
from fkd_desktop.live.sources.permission import Permission, ask_permission
from tests.live.helpers import FakeCapture, assert_one_clear_sentence, picture

if TYPE_CHECKING:
    from collections.abc import Callable


class FakeAVFoundation(ModuleType):
    """What pyobjc's module offers of AVFoundation's authorization."""

    AVMediaTypeVideo = "vide"

    def __init__(self, status: int, answer: bool | None = None) -> None:
        super().__init__("AVFoundation")
        self.asked = 0
        self.AVCaptureDevice = self
        self._status, self._answer = status, answer

    def authorizationStatusForMediaType_(self, media: str) -> int:  # noqa: N802
        assert media == "vide"
        return self._status

    def requestAccessForMediaType_completionHandler_(self, media: str, handler: Any) -> None:  # noqa: N802
        assert media == "vide"
        self.asked += 1
        if self._answer is not None:  # it answers in a thread of its own
            threading.Thread(target=handler, args=(self._answer,)).start()


@pytest.fixture
def mac(monkeypatch: pytest.MonkeyPatch) -> Callable[..., FakeAVFoundation]:
    def be(status: int, answer: bool | None = None) -> FakeAVFoundation:
        library = FakeAVFoundation(status, answer)
        monkeypatch.setitem(sys.modules, "AVFoundation", library)
        for module in (permission, camera_module, cameras):
            monkeypatch.setattr(module, "sys", SimpleNamespace(platform="darwin"))
        monkeypatch.setattr(cameras, "list_cameras", lambda: ())
        return library

    return be


@pytest.mark.parametrize(
    ("status", "answer", "expected", "asked"),
    [
        (3, None, Permission.GRANTED, 0),
        (2, None, Permission.DENIED, 0),
        (1, None, Permission.DENIED, 0),
        (0, True, Permission.GRANTED, 1),
        (0, False, Permission.DENIED, 1),
    ],
    ids=["granted before", "denied before", "not the user's to allow", "granted now", "denied now"],
)
def test_macos(
    mac: Callable[..., FakeAVFoundation], status: int, answer: bool | None, expected: Permission, asked: int
) -> None:
    library = mac(status, answer)
    assert ask_permission(threading.Event()) is expected
    assert library.asked == asked


def test_waiting_for_an_answer_can_be_cancelled(mac: Callable[..., FakeAVFoundation]) -> None:
    mac(0)
    source = make_source("camera:0")
    errors: list[SourceError] = []

    def open_it() -> None:
        try:
            source.open()
        except SourceError as error:
            errors.append(error)

    thread = threading.Thread(target=open_it)
    thread.start()
    source.close()
    while thread.is_alive():  # it may only begin to open after the first call
        source.close()
        thread.join(0.05)
    assert errors[0].problem is SourceProblem.DENIED
    assert_one_clear_sentence(errors[0], "macOS asks")


def test_macos_without_the_library_lets_opencv_find_out(
    mac: Callable[..., FakeAVFoundation], monkeypatch: pytest.MonkeyPatch
) -> None:
    mac(2)
    monkeypatch.setitem(sys.modules, "AVFoundation", None)
    assert ask_permission(threading.Event()) is Permission.GRANTED


def test_a_user_of_macos_who_said_no(mac: Callable[..., FakeAVFoundation]) -> None:
    mac(2)
    with pytest.raises(SourceError) as caught:
        make_source("camera:0").open()
    assert caught.value.problem is SourceProblem.DENIED
    assert_one_clear_sentence(caught.value, "Camera 0", "System Settings", "Privacy & Security")


class FakeRegistry(ModuleType):
    """The part of `winreg` that is used."""

    HKEY_LOCAL_MACHINE, HKEY_CURRENT_USER = "machine", "user"

    def __init__(self, values: dict[tuple[str, str], str]) -> None:
        super().__init__("winreg")
        self._values = values

    def OpenKey(self, root: str, key: str) -> Any:  # noqa: N802
        where = (root, key.rpartition("ConsentStore\\")[2])
        if where not in self._values:
            raise FileNotFoundError(2, "no such key")
        return _Key(self._values[where])

    def QueryValueEx(self, key: Any, name: str) -> tuple[str, int]:  # noqa: N802
        assert name == "Value"
        return key.value, 1


class _Key:
    def __init__(self, value: str) -> None:
        self.value = value

    def __enter__(self) -> _Key:
        return self

    def __exit__(self, *_: object) -> None:
        pass


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, Permission.GRANTED),
        ({("machine", "webcam"): "Allow", ("user", "webcam"): "Allow"}, Permission.GRANTED),
        ({("machine", "webcam"): "Deny"}, Permission.DENIED),
        ({("machine", "webcam"): "Allow", ("user", "webcam"): "Deny"}, Permission.DENIED),
        ({("user", "webcam"): "Allow", ("user", r"webcam\NonPackaged"): "Deny"}, Permission.DENIED),
    ],
)
def test_windows(monkeypatch: pytest.MonkeyPatch, values: dict[tuple[str, str], str], expected: Permission) -> None:
    monkeypatch.setitem(sys.modules, "winreg", FakeRegistry(values))
    monkeypatch.setattr(permission, "sys", SimpleNamespace(platform="win32"))
    assert ask_permission(threading.Event()) is expected


def test_a_user_of_windows_whose_settings_say_no(
    monkeypatch: pytest.MonkeyPatch, camera: Callable[[FakeCapture], None]
) -> None:
    camera(FakeCapture([picture()]))
    monkeypatch.setitem(sys.modules, "winreg", FakeRegistry({("user", "webcam"): "Deny"}))
    monkeypatch.setattr(permission, "sys", SimpleNamespace(platform="win32"))
    with pytest.raises(SourceError) as caught:
        make_source("camera:0").open()
    assert caught.value.problem is SourceProblem.DENIED
    assert_one_clear_sentence(caught.value, "Camera 0", "desktop apps")
