"""The texts of a freedesktop.org desktop entry and of its AppStream metainfo.

Formats: the Desktop Entry Specification (values: "Possible value types"; Exec: "The Exec key") and the AppStream
specification 1.0 (metainfo of desktop applications).
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from fkd_desktop import APP_ID
from fkd_desktop.desktop_entry.words import COMPONENT_ID, NAME, WORDS

if TYPE_CHECKING:
    from collections.abc import Sequence

MEDIA_TYPES: Final = {
    ".avi": ("video/vnd.avi", "video/x-msvideo"),
    ".m4v": ("video/x-m4v",),
    ".mkv": ("video/x-matroska",),
    ".mov": ("video/quicktime",),
    ".mp4": ("video/mp4",),
    ".mpeg": ("video/mpeg",),
    ".mpg": ("video/mpeg",),
    ".webm": ("video/webm",),
    ".wmv": ("video/x-ms-wmv",),
    ".bmp": ("image/bmp",),
    ".jpeg": ("image/jpeg",),
    ".jpg": ("image/jpeg",),
    ".png": ("image/png",),
    ".tif": ("image/tiff",),
    ".tiff": ("image/tiff",),
    ".webp": ("image/webp",),
}
"""What the application opens: the names of the types in the shared MIME-info database, by suffix. Folders are left out:
an application that claims them becomes the file manager of desktops that have no other."""

PROGRAM_KEY: Final = "X-FKDDesktop-Program"
"""Key with the program's path, without the quoting of Exec; and the sign that an entry is ours."""
MADE_KEY: Final = "X-FKDDesktop-Made"
"""Key with the folders and caches that were not there before the entry."""

_RESERVED: Final = frozenset(" \t\n\"'\\><~|&;$*?#()`")
_WRAPPER: Final = ("/bin/sh", "-c", 'exec "$0" "$@"')


def media_types() -> list[str]:
    """Return the types of file that the application opens, each once."""
    return list(dict.fromkeys(name for names in MEDIA_TYPES.values() for name in names))


def string_value(text: str) -> str:
    r"""Write a value of the type string: ``\`` begins an escape, so ``\\`` is one, and a line cannot be broken."""
    for character, written in (("\\", r"\\"), ("\n", r"\n"), ("\t", r"\t"), ("\r", r"\r")):
        text = text.replace(character, written)
    return r"\s" + text[1:] if text.startswith(" ") else text


def read_string_value(value: str) -> str:
    """Read back what `string_value` wrote."""
    text, characters = "", iter(value)
    for character in characters:
        if character == "\\":
            follower = next(characters, "")
            character = {"s": " ", "n": "\n", "t": "\t", "r": "\r", "\\": "\\"}.get(follower, "\\" + follower)  # noqa: PLW2901
        text += character
    return text


def exec_value(command: Sequence[str], field_code: str = "") -> str:
    """Return the value of Exec for a command.

    An argument with a reserved character stands between double quotes, in which four characters get a backslash; a
    percent sign is doubled; and the whole is then written as a string, which doubles each backslash again.

    A program whose path has an equals sign is forbidden, and GLib looks for one with a percent sign under its doubled
    name: such a one is an argument of a shell that becomes it.

    Parameters
    ----------
    command
        Program and arguments.
    field_code
        What stands for the files to open: ``%F``, or nothing.
    """
    if "=" in command[0] or "%" in command[0]:
        command = (*_WRAPPER, *command)
    words = [_quoted(argument).replace("%", "%%") for argument in command]
    return string_value(" ".join([*words, field_code] if field_code else words))


def _quoted(argument: str) -> str:
    if argument and not _RESERVED.intersection(argument):
        return argument
    return '"' + "".join("\\" + c if c in '"`$\\' else c for c in argument) + '"'


def entry_text(command: Sequence[str], made: Sequence[str] = ()) -> str:
    """Return the desktop entry.

    Parameters
    ----------
    command
        Program and arguments that start the application.
    made
        What was not there before, relative to the folder of shared data: to be removed with the entry.
    """
    english = WORDS["en"]
    lines = ["[Desktop Entry]", "Type=Application", "Version=1.4", f"Name={NAME}"]
    for key, kind in (("GenericName", "generic_name"), ("Comment", "comment"), ("Keywords", "keywords")):
        lines.append(f"{key}={english[kind]}")
        lines += [f"{key}[{language}]={words[kind]}" for language, words in WORDS.items() if language != "en"]
    lines.append(f"Exec={exec_value(command, '%F')}")
    if not _RESERVED.intersection(command[0]):  # some menus split the value at blanks, others do not
        lines.append(f"TryExec={string_value(command[0])}")
    lines += [
        f"Icon={APP_ID}",
        "Terminal=false",
        "StartupNotify=true",
        f"StartupWMClass={APP_ID}",
        "X-GNOME-SingleWindow=true",
        "Categories=AudioVideo;Video;Recorder;",
        f"MimeType={';'.join(media_types())};",
        "Actions=demo;",
        f"{PROGRAM_KEY}={string_value(command[0])}",
    ]
    if made:
        lines.append(f"{MADE_KEY}={';'.join(made)};")
    lines += ["", "[Desktop Action demo]", f"Name={english['demo']}"]
    lines += [f"Name[{language}]={words['demo']}" for language, words in WORDS.items() if language != "en"]
    lines.append(f"Exec={exec_value([*command, '--source', 'demo'])}")
    return "\n".join(lines) + "\n"


def read_keys(text: str) -> dict[str, str]:
    """Return keys and raw values of an entry's main group."""
    keys: dict[str, str] = {}
    group = ""
    for line in text.splitlines():
        if line.startswith("["):
            group = line.strip()
        elif group == "[Desktop Entry]" and "=" in line and not line.startswith("#"):
            key, _, value = line.partition("=")
            keys[key.strip()] = value.strip()
    return keys


def metainfo_text() -> str:
    """Return what software centres show about the application."""

    def said(tag: str, kind: str, indent: str) -> str:
        lines = []
        for language, words in WORDS.items():
            attribute = "" if language == "en" else f' xml:lang="{language}"'
            lines.append(f"{indent}<{tag}{attribute}>{escape(words[kind])}</{tag}>")
        return "\n".join(lines)

    types = "\n".join(f"    <mediatype>{name}</mediatype>" for name in media_types())
    keywords = "\n".join(f"    <keyword>{word}</keyword>" for word in WORDS["en"]["keywords"].strip(";").split(";"))
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<component type="desktop-application">
  <id>{COMPONENT_ID}</id>
  <metadata_license>CC0-1.0</metadata_license>
  <project_license>MIT</project_license>
  <name>{NAME}</name>
{said("summary", "summary", "  ")}
  <developer_name>The FKD Desktop developers</developer_name>
  <description>
{said("p", "about", "    ")}
{said("p", "private", "    ")}
  </description>
  <launchable type="desktop-id">{APP_ID}.desktop</launchable>
  <icon type="stock">{APP_ID}</icon>
  <categories>
    <category>AudioVideo</category>
    <category>Video</category>
    <category>Recorder</category>
  </categories>
  <keywords>
{keywords}
  </keywords>
  <provides>
    <binary>{APP_ID}</binary>
{types}
  </provides>
  <content_rating type="oars-1.1"/>
</component>
"""
