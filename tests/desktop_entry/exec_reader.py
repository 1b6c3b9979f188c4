"""Reads Exec as the Desktop Entry Specification tells launchers to: the way back of what is written."""

from __future__ import annotations

ESCAPES = {"s": " ", "n": "\n", "t": "\t", "r": "\r", "\\": "\\"}
RESERVED = " \t\n\"'\\><~|&;$*?#()`"


def read_exec(value: str, files: tuple[str, ...] = ()) -> list[str]:
    """Return the command; raise ValueError where the specification leaves the result undefined."""
    arguments = []
    for word, was_quoted in words(unescaped(value)):
        if word == "%F" and not was_quoted:
            arguments += files
        else:
            parts = word.split("%%")
            if any("%" in part for part in parts):
                raise ValueError(f"a field code within an argument: {word}")
            arguments.append("%".join(parts))
    if "=" in arguments[0]:
        raise ValueError("the program has an equals sign")
    return arguments


def unescaped(value: str) -> str:
    """Undo the escapes of the type string."""
    text, rest = "", iter(value)
    for character in rest:
        text += ESCAPES[next(rest)] if character == "\\" else character
    return text


def words(text: str) -> list[tuple[str, bool]]:
    """Split at blanks; quoted arguments are whole."""
    found: list[tuple[str, bool]] = []
    position = 0
    while position < len(text):
        if text[position] == " ":
            position += 1
        elif text[position] == '"':
            word, position = "", position + 1
            while text[position] != '"':
                if text[position] == "\\":
                    position += 1
                    if text[position] not in '"`$\\':
                        raise ValueError(f"a backslash before {text[position]!r}")
                elif text[position] in "`$":
                    raise ValueError(f"{text[position]!r} without a backslash")
                word, position = word + text[position], position + 1
            position += 1
            if position < len(text) and text[position] != " ":
                raise ValueError("an argument that is quoted in part")
            found.append((word, True))
        else:
            end = text.find(" ", position)
            word = text[position : end if end >= 0 else None]
            if set(word) & set(RESERVED):
                raise ValueError(f"reserved characters without quotes: {word}")
            found.append((word, False))
            position += len(word)
    return found
