"""Two messages to an X11 window manager that Qt has no calls for, through libxcb, which Qt's own X11 plugin stands on.

Sources: Extended Window Manager Hints 1.5, "_NET_ACTIVE_WINDOW"; Startup Notification Protocol 0.2, "Messages".
"""

from __future__ import annotations

import ctypes
import struct
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_CLIENT_MESSAGE: Final = 33
_FROM_APPLICATION: Final = 1
_TO_WINDOW_MANAGER: Final = 1 << 20 | 1 << 19  # SubstructureRedirect and SubstructureNotify
_PROPERTY_CHANGE: Final = 1 << 22
_MESSAGE_BYTES: Final = 20


class _Cookie(ctypes.Structure):
    _fields_ = (("sequence", ctypes.c_uint),)


class _AtomReply(ctypes.Structure):
    _fields_ = (
        ("response_type", ctypes.c_uint8),
        ("pad0", ctypes.c_uint8),
        ("sequence", ctypes.c_uint16),
        ("length", ctypes.c_uint32),
        ("atom", ctypes.c_uint32),
    )


class _ScreenIterator(ctypes.Structure):
    _fields_ = (("data", ctypes.POINTER(ctypes.c_uint32)), ("rem", ctypes.c_int), ("index", ctypes.c_int))


def activate(window: int, *, time_ms: int, startup_id: str) -> None:
    """Ask the window manager to raise and focus a window, and end the wait for a start's own window.

    Parameters
    ----------
    window
        Its X11 identifier.
    time_ms
        When the user asked for it, in the X server's time; 0 where that is not known.
    startup_id
        The start whose busy pointer is to end.

    Raises
    ------
    OSError
        If there is no libxcb, or no X server.
    """
    with _connected() as (xcb, connection):
        root = xcb.xcb_setup_roots_iterator(xcb.xcb_get_setup(connection)).data[0]

        def send(kind: str, bits: int, content: bytes, mask: int) -> None:
            event = struct.pack("=BBHII20s", _CLIENT_MESSAGE, bits, 0, window, _atom(xcb, connection, kind), content)
            xcb.xcb_send_event(connection, 0, root, mask, event)

        if time_ms:
            content = struct.pack("=IIIII", _FROM_APPLICATION, time_ms, 0, 0, 0)
            send("_NET_ACTIVE_WINDOW", 32, content, _TO_WINDOW_MANAGER)
        message = removal_message(startup_id)
        for start in range(0, len(message), _MESSAGE_BYTES):
            kind = "_NET_STARTUP_INFO" if start else "_NET_STARTUP_INFO_BEGIN"
            send(kind, 8, message[start : start + _MESSAGE_BYTES], _PROPERTY_CHANGE)
        xcb.xcb_flush(connection)


def removal_message(startup_id: str) -> bytes:
    """Return the text that ends a start's notification, with its zero byte."""
    quoted = startup_id.replace("\\", "\\\\").replace('"', '\\"')
    return f'remove: ID="{quoted}"'.encode(errors="surrogateescape") + b"\0"  # as it came from the environment


@contextmanager
def _connected() -> Iterator[tuple[Any, ctypes.c_void_p]]:
    xcb = ctypes.CDLL("libxcb.so.1")
    for name, result, arguments in (
        ("xcb_connect", ctypes.c_void_p, (ctypes.c_char_p, ctypes.c_void_p)),
        ("xcb_connection_has_error", ctypes.c_int, (ctypes.c_void_p,)),
        ("xcb_get_setup", ctypes.c_void_p, (ctypes.c_void_p,)),
        ("xcb_setup_roots_iterator", _ScreenIterator, (ctypes.c_void_p,)),
        ("xcb_intern_atom", _Cookie, (ctypes.c_void_p, ctypes.c_uint8, ctypes.c_uint16, ctypes.c_char_p)),
        ("xcb_intern_atom_reply", ctypes.POINTER(_AtomReply), (ctypes.c_void_p, _Cookie, ctypes.c_void_p)),
        (
            *("xcb_send_event", _Cookie),
            (ctypes.c_void_p, ctypes.c_uint8, ctypes.c_uint32, ctypes.c_uint32, ctypes.c_char_p),
        ),
        ("xcb_flush", ctypes.c_int, (ctypes.c_void_p,)),
        ("xcb_disconnect", None, (ctypes.c_void_p,)),
    ):
        function = getattr(xcb, str(name))
        function.restype, function.argtypes = result, arguments
    connection = ctypes.c_void_p(xcb.xcb_connect(None, None))
    try:
        if xcb.xcb_connection_has_error(connection):
            raise OSError("the X server cannot be reached")
        yield xcb, connection
    finally:
        xcb.xcb_disconnect(connection)


def _atom(xcb: Any, connection: ctypes.c_void_p, name: str) -> int:
    reply = xcb.xcb_intern_atom_reply(connection, xcb.xcb_intern_atom(connection, 0, len(name), name.encode()), None)
    if not reply:
        raise OSError(f"the X server knows no {name}")
    atom: int = reply.contents.atom
    ctypes.CDLL(None).free(reply)
    return atom
