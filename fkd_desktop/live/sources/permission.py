"""Whether the system lets this program use a camera, where it asks the user: macOS and Windows."""

from __future__ import annotations

import importlib
import logging
import sys
import threading
from enum import Enum, auto
from typing import Any, Final

_log = logging.getLogger(__name__)

ANSWER_TIMEOUT_S: Final = 120.0
"""How long the user may think about the system's question."""

_NOT_DETERMINED, _RESTRICTED, _DENIED, _AUTHORIZED = range(4)
"""AVAuthorizationStatus, developer.apple.com/documentation/avfoundation/avauthorizationstatus."""

_CONSENT: Final = r"Software\Microsoft\Windows\CurrentVersion\CapabilityAccessManager\ConsentStore\webcam"


class Permission(Enum):
    """What the system says."""

    GRANTED = auto()
    """Nothing stands in the way, as far as can be told."""
    DENIED = auto()
    """The user, or whoever manages the computer, does not allow it."""
    UNANSWERED = auto()
    """The system's question was not answered."""


def ask_permission(cancelled: threading.Event) -> Permission:
    """Look, and on macOS ask, whether cameras may be used. May wait for the user: never in the GUI thread.

    Parameters
    ----------
    cancelled
        Ends the waiting.
    """
    if sys.platform == "darwin":
        return _ask_macos(cancelled)
    if sys.platform == "win32":
        return _look_windows()
    return Permission.GRANTED


def _ask_macos(cancelled: threading.Event) -> Permission:
    """Ask AVFoundation itself.

    OpenCV's own question works in the main thread only, where it would block the window: it is switched off with
    OPENCV_AVFOUNDATION_SKIP_AUTH. Qt's QCameraPermission needs an application bundle with a text in its Info.plist, and
    a plugin that PySide6's wheels do not have. AVFoundation may be asked in any thread, and answers in one of its own.
    """
    try:
        library: Any = importlib.import_module("AVFoundation")
    except ImportError:
        _log.warning("pyobjc-framework-AVFoundation is not installed: macOS cannot be asked for the camera")
        return Permission.GRANTED
    device, video = library.AVCaptureDevice, library.AVMediaTypeVideo
    status = device.authorizationStatusForMediaType_(video)
    if status in {_RESTRICTED, _DENIED}:
        return Permission.DENIED
    if status != _NOT_DETERMINED:
        return Permission.GRANTED
    answered = threading.Event()
    answer: list[bool] = []

    def on_answer(is_granted: bool) -> None:
        answer.append(is_granted)
        answered.set()

    device.requestAccessForMediaType_completionHandler_(video, on_answer)
    waited_s = 0.0
    while not cancelled.is_set() and waited_s < ANSWER_TIMEOUT_S and not answered.wait(0.1):
        waited_s += 0.1
    if not answer:
        return Permission.UNANSWERED
    return Permission.GRANTED if answer[0] else Permission.DENIED


def _look_windows() -> Permission:
    """Read the privacy settings: there is nothing to ask with, and opening would just fail."""
    try:
        winreg: Any = importlib.import_module("winreg")
    except ImportError:
        return Permission.GRANTED
    for root, key in (
        (winreg.HKEY_LOCAL_MACHINE, _CONSENT),
        (winreg.HKEY_CURRENT_USER, _CONSENT),
        (winreg.HKEY_CURRENT_USER, _CONSENT + r"\NonPackaged"),  # "let desktop apps access your camera"
    ):
        try:
            with winreg.OpenKey(root, key) as opened:
                value, _ = winreg.QueryValueEx(opened, "Value")
        except OSError:
            continue
        if value == "Deny":
            return Permission.DENIED
    return Permission.GRANTED
