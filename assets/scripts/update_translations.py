"""Bring the translations up to date with the code, and compile them.

    python assets/scripts/update_translations.py

collects every text that users see, merges it into ``assets/translations/fkd_desktop_*.ts`` (the format of Qt Linguist,
with which they can be edited) and compiles these to ``.qm`` files. What is new is marked unfinished; what is gone is
dropped. English has a file too, for the plural forms.

Texts are found in the syntax tree, not by ``pyside6-lupdate``: that one mistakes the context of calls within larger
expressions, and does not know our error templates. What counts:

- ``self.tr("text", ...)`` (also as ``tr = self.tr`` in a method) in the context of the class around it,
- ``QCoreApplication.translate("Context", "text", ...)`` and ``QT_TRANSLATE_NOOP("Context", "text")``,
- a function of a module that hands its own parameter on to ``QCoreApplication.translate("Context", ...)``: calls of it,
- the first argument of every error of the `FkdError` family, and of every `Text`, in the context ``errors``; a value
  ``n`` makes it a plural,
- the labels and explanations of the settings of `TrainConfig` (calls of `_setting`), in the same context.

What only command lines say (``trainer/commands`` and others in `NOT_SHOWN`) is left out: they speak English.
"""

from __future__ import annotations

import ast
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "assets" / "translations"
LANGUAGES = ("de", "en")
ERRORS_CONTEXT = "errors"
SAYING = {"Text", "AgainError"}
"""Classes beside the family of errors whose first argument is a text."""
NOT_SHOWN = ("trainer/commands/", "trainer/export.py", "trainer/parity.py", "trainer/evaluation_report.py")
PLURAL_FORMS = 2  # of English and German


@dataclass(frozen=True, order=True)
class Message:
    """A text that is translated as one."""

    context: str
    source: str
    comment: str = ""
    is_plural: bool = False
    places: tuple[str, ...] = field(default=(), compare=False)


def main() -> int:
    messages = collect(ROOT)
    FOLDER.mkdir(exist_ok=True)
    for language in LANGUAGES:
        wanted = [m for m in messages if m.is_plural] if language == "en" else messages
        path = FOLDER / f"fkd_desktop_{language}.ts"
        known = read(path) if path.exists() else {}
        if language == "en":
            known |= {key: english_plural(key[1]) for key in ((m.context, m.source, m.comment) for m in wanted)}
        write(path, language, wanted, known)
        unfinished = sum(not known.get((m.context, m.source, m.comment)) for m in wanted)
        print(f"{path.name}: {len(wanted)} texts, {unfinished} unfinished")
        release(path)
    return 0


def english_plural(source: str) -> tuple[str, str]:
    """Return both forms of "%n face(s)"."""
    return source.replace("(s)", ""), source.replace("(s)", "s")


def release(path: Path, to: Path | None = None) -> None:
    """Compile a .ts file to the .qm file beside it, or to another."""
    tool = Path(sys.executable).with_name("pyside6-lrelease")  # comes with PySide6
    subprocess.run([str(tool), "-silent", str(path), "-qm", str(to or path.with_suffix(".qm"))], check=True)


# --- collecting


def collect(root: Path) -> list[Message]:
    """Return every text of the packages, each once, in the order of contexts and sources."""
    trees = {
        path: ast.parse(path.read_text(encoding="utf-8"))
        for package in ("trainer", "fkd_desktop")
        for path in sorted((root / package).rglob("*.py"))
        if not path.relative_to(root).as_posix().startswith(NOT_SHOWN)
    }
    errors = error_classes(trees.values())
    places: dict[Message, list[str]] = defaultdict(list)
    for path, tree in trees.items():
        name = path.relative_to(root).as_posix()
        for line, message in Collector(tree, errors).run():
            places[message].append(f"{name}:{line}")
    return [Message(m.context, m.source, m.comment, m.is_plural, tuple(where)) for m, where in sorted(places.items())]


def error_classes(trees: Iterable[ast.Module]) -> set[str]:
    """Return the names of all classes that descend from FkdError."""
    bases = {
        node.name: {base.id for base in node.bases if isinstance(base, ast.Name)}
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
    family = {"FkdError"}
    while more := {name for name, of in bases.items() if of & family} - family:
        family |= more
    return family


class Collector(ast.NodeVisitor):
    """Finds the texts of one module."""

    def __init__(self, tree: ast.Module, errors: set[str]) -> None:
        self._tree, self._errors = tree, errors
        self._classes: list[str] = []
        self._found: list[tuple[int, Message]] = []
        self._helpers = dict(translating_functions(tree))

    def run(self) -> list[tuple[int, Message]]:
        """Return line and text of each."""
        self.visit(self._tree)
        return self._found

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._classes.append(node.name)
        self.generic_visit(node)
        self._classes.pop()

    def visit_Call(self, node: ast.Call) -> None:
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name == "tr" and self._classes:
            self._add(node, self._classes[-1], node.args)
        elif name in ("translate", "QT_TRANSLATE_NOOP") and len(node.args) > 1:
            if (context := literal(node.args[0])) is not None:
                self._add(node, context, node.args[1:])
        elif name == "_setting":
            for said in (*node.args[1:3], *(k.value for k in node.keywords if k.arg in ("zero", "hint"))):
                self._add(node, ERRORS_CONTEXT, [said])
        elif name in self._helpers:
            self._add(node, self._helpers[name], node.args)
        elif name in self._errors | SAYING:
            self._add(node, ERRORS_CONTEXT, node.args[:1])
        self.generic_visit(node)

    def _add(self, node: ast.Call, context: str, arguments: list[ast.expr]) -> None:
        if arguments and (source := literal(arguments[0])):
            comment = (literal(arguments[1]) or "") if len(arguments) > 1 else ""
            is_plural = len(arguments) > 2 or any(keyword.arg == "n" for keyword in node.keywords)
            self._found.append((node.lineno, Message(context, source, comment, is_plural)))


def translating_functions(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Name and context of each function that translates its own first parameter."""
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef) or not function.args.args:
            continue
        own = {argument.arg for argument in function.args.args}
        for node in ast.walk(function):
            if (
                isinstance(node, ast.Call)
                and getattr(node.func, "attr", "") == "translate"
                and len(node.args) > 1
                and isinstance(node.args[1], ast.Name)
                and node.args[1].id in own
                and (context := literal(node.args[0])) is not None
            ):
                yield function.name, context


def literal(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


# --- the .ts files


def read(path: Path) -> dict[tuple[str, str, str], tuple[str, ...]]:
    """Return the finished translations (several for plurals) by context, source and comment."""
    known = {}
    for context in ET.parse(path).getroot().iter("context"):
        for message in context.iter("message"):
            translation = message.find("translation")
            if translation is None or translation.get("type"):
                continue
            forms = [form.text or "" for form in translation.iter("numerusform")] or [translation.text or ""]
            key = (context.findtext("name", ""), message.findtext("source", ""), message.findtext("comment", ""))
            if all(forms):
                known[key] = tuple(forms)
    return known


def write(
    path: Path, language: str, messages: list[Message], known: dict[tuple[str, str, str], tuple[str, ...]]
) -> None:
    root = ET.Element("TS", version="2.1", language=language, sourcelanguage="en")
    contexts: dict[str, ET.Element] = {}
    for message in messages:
        if message.context not in contexts:
            contexts[message.context] = ET.SubElement(root, "context")
            ET.SubElement(contexts[message.context], "name").text = message.context
        element = ET.SubElement(contexts[message.context], "message")
        if message.is_plural:
            element.set("numerus", "yes")
        ET.SubElement(element, "source").text = message.source
        if message.comment:
            ET.SubElement(element, "comment").text = message.comment
        forms = known.get((message.context, message.source, message.comment))
        translation = ET.SubElement(element, "translation")
        if forms is None:
            translation.set("type", "unfinished")
        if message.is_plural:
            for form in forms or ("",) * PLURAL_FORMS:
                ET.SubElement(translation, "numerusform").text = form
        else:
            translation.text = forms[0] if forms else ""
    ET.indent(root, "  ")
    head = '<?xml version="1.0" encoding="utf-8"?>\n<!DOCTYPE TS>\n'
    path.write_text(head + ET.tostring(root, encoding="unicode") + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
