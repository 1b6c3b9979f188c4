"""Windows shortcuts as bytes: [MS-SHLLINK] 7.0, with the property store of [MS-PROPSTORE] 7.0.

A shortcut is a header of 76 bytes, strings, and blocks of extra data. The target stands in the block for paths with
environment variables alone, as in shortcuts that Windows itself ships (Fax Recipient.lnk, for one): that needs neither
the shell's undocumented item identifiers nor facts about the target's disk.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final
from uuid import UUID

_LINK_CLASS: Final = UUID("00021401-0000-0000-c000-000000000046")
_HEADER: Final = struct.Struct("<I16sII8s8s8sIiIHHII")
_HAS_ID_LIST, _HAS_LINK_INFO, _HAS_RELATIVE_PATH = 0x1, 0x2, 0x8
_HAS_NAME, _HAS_WORKING_FOLDER, _HAS_ARGUMENTS, _HAS_ICON, _IS_UNICODE = 0x4, 0x10, 0x20, 0x40, 0x80
_HAS_EXP_STRING: Final = 0x200
_STRINGS: Final = (
    ("description", _HAS_NAME),
    ("", _HAS_RELATIVE_PATH),
    ("working_folder", _HAS_WORKING_FOLDER),
    ("arguments", _HAS_ARGUMENTS),
    ("icon", _HAS_ICON),
)
"""In the order in which they are stored."""
_SHOW_NORMAL: Final = 1
_ENVIRONMENT_BLOCK, _PROPERTY_BLOCK = 0xA0000001, 0xA0000009
_TARGET_CHARACTERS: Final = 260
_STORAGE_VERSION: Final = 0x53505331
_APP_USER_MODEL: Final = UUID("9f4c2855-9f79-4b39-a8d0-e1d42de1d5f3")
_APP_USER_MODEL_ID: Final = 5
_VT_LPWSTR: Final = 0x1F


@dataclass(frozen=True)
class ShellLink:
    """What a shortcut says.

    Attributes
    ----------
    target
        Path of the program; at most 259 characters.
    arguments
        Its command line without the program, quoted.
    working_folder
        Where it starts.
    description
        The tooltip.
    icon
        Path of the .ico file.
    app_id
        The taskbar puts windows that say the same identifier under the shortcut (System.AppUserModel.ID).
    """

    target: str
    arguments: str = ""
    working_folder: str = ""
    description: str = ""
    icon: str = ""
    app_id: str = ""

    def to_bytes(self) -> bytes:
        """Return the file.

        Raises
        ------
        ValueError
            If the target is too long for the format.
        """
        if len(self.target.encode("utf-16-le")) // 2 >= _TARGET_CHARACTERS:
            raise ValueError(f"a shortcut's target has at most {_TARGET_CHARACTERS - 1} characters: {self.target}")
        flags, strings = _IS_UNICODE | _HAS_EXP_STRING, b""
        for name, flag in _STRINGS:
            if text := getattr(self, name) if name else "":
                encoded = text.encode("utf-16-le")
                flags |= flag
                strings += struct.pack("<H", len(encoded) // 2) + encoded
        no_time = bytes(8)
        header = _HEADER.pack(
            *(_HEADER.size, _LINK_CLASS.bytes_le, flags, 0, no_time, no_time, no_time),
            *(0, 0, _SHOW_NORMAL, 0, 0, 0, 0),
        )
        ansi = self.target.encode("cp1252", "replace").ljust(_TARGET_CHARACTERS, b"\0")  # for systems before Unicode
        wide = self.target.encode("utf-16-le").ljust(2 * _TARGET_CHARACTERS, b"\0")
        blocks = _block(_ENVIRONMENT_BLOCK, ansi + wide)
        if self.app_id:
            blocks += _block(_PROPERTY_BLOCK, _property_store(self.app_id))
        return header + strings + blocks + bytes(4)

    @classmethod
    def from_bytes(cls, data: bytes) -> ShellLink:
        """Read a file of `to_bytes`, also after Windows has written it anew with more in it.

        Raises
        ------
        ValueError
            If it is not a shortcut.
        """
        try:
            return cls(**_read(data))
        except (struct.error, UnicodeDecodeError, IndexError) as error:
            raise ValueError(f"not a whole shortcut: {error}") from error


def _block(signature: int, content: bytes) -> bytes:
    return struct.pack("<II", 8 + len(content), signature) + content


def _property_store(app_id: str) -> bytes:
    """Return a store with one property, and no more storage after it."""
    text = (app_id + "\0").encode("utf-16-le")
    value = struct.pack("<HHI", _VT_LPWSTR, 0, len(text) // 2) + text + bytes(-len(text) % 4)
    value = struct.pack("<IIB", 9 + len(value), _APP_USER_MODEL_ID, 0) + value
    storage = struct.pack("<I", _STORAGE_VERSION) + _APP_USER_MODEL.bytes_le + value + bytes(4)
    return struct.pack("<I", 4 + len(storage)) + storage + bytes(4)


def _read(data: bytes) -> dict[str, str]:
    size, link_class, flags, *_ = _HEADER.unpack_from(data)
    if size != _HEADER.size or link_class != _LINK_CLASS.bytes_le or not flags & _IS_UNICODE:
        raise ValueError("not a shortcut with Unicode strings")
    offset, found = size, {"target": ""}
    if flags & _HAS_ID_LIST:
        offset += 2 + struct.unpack_from("<H", data, offset)[0]
    if flags & _HAS_LINK_INFO:
        offset += struct.unpack_from("<I", data, offset)[0]
    for name, flag in _STRINGS:
        if flags & flag:
            end = offset + 2 + 2 * struct.unpack_from("<H", data, offset)[0]
            if name:
                found[name] = data[offset + 2 : end].decode("utf-16-le")
            offset = end
    while (length := struct.unpack_from("<I", data, offset)[0]) >= 8:
        content = data[offset + 8 : offset + length]
        signature = struct.unpack_from("<I", data, offset + 4)[0]
        if signature == _ENVIRONMENT_BLOCK:
            found["target"] = content[_TARGET_CHARACTERS:].decode("utf-16-le").partition("\0")[0]
        elif signature == _PROPERTY_BLOCK:
            found["app_id"] = _read_app_id(content)
        offset += length
    return found


def _read_app_id(store: bytes) -> str:
    offset = 0
    while size := struct.unpack_from("<I", store, offset)[0]:
        if store[offset + 8 : offset + 24] == _APP_USER_MODEL.bytes_le:
            value = offset + 24
            while length := struct.unpack_from("<I", store, value)[0]:
                number, kind = struct.unpack_from("<IxH", store, value + 4)
                if number == _APP_USER_MODEL_ID and kind == _VT_LPWSTR:
                    return store[value + 17 : value + length].decode("utf-16-le").partition("\0")[0]
                value += length
        offset += size
    return ""
