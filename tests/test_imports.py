"""The direction of imports: trainer/core <- trainer <- live <- overlays, workers <- controller <- ui <- app."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# A module may import from its own layer and from those before it. The longest matching name counts; the packages
# themselves (their __init__.py) are imported by everything in them, so they stand first.
LAYERS: list[set[str]] = [
    {"trainer", "fkd_desktop"},
    {"trainer.core"},
    {"trainer.*"},
    {"fkd_desktop.errors", "fkd_desktop.crashes", "fkd_desktop.memory"},
    {"fkd_desktop.live"},
    {
        "fkd_desktop.i18n",
        "fkd_desktop.settings",
        "fkd_desktop.settings_migration",
        "fkd_desktop.overlays",
        "fkd_desktop.workers",
    },
    {"fkd_desktop.installation"},
    {"fkd_desktop.command_line"},
    {"fkd_desktop.desktop_entry", "fkd_desktop.instance"},
    {"fkd_desktop.controller", "fkd_desktop.training", "fkd_desktop.capture", "fkd_desktop.diagnostics"},
    {"fkd_desktop.annotate"},
    {"fkd_desktop.ui"},
    {"fkd_desktop.app"},
    {"fkd_desktop.__main__"},
]
# What may not be imported, however indirectly: everything here must run without a window, or without its widgets.
NO_QT = (
    "trainer",
    "fkd_desktop.live",
    "fkd_desktop.errors",
    "fkd_desktop.crashes",
    "fkd_desktop.memory",
    "fkd_desktop.desktop_entry",
    "fkd_desktop.installation",
)
ONLY_QT_CORE = ("fkd_desktop.workers",)


def layer_of(module: str) -> int | None:
    """Number of a module's layer, or None if the table above does not know it."""
    parts = module.split(".")
    # A package's own name stands for its __init__.py alone; "package.*" is for all else in it that has no line.
    names = [module, *(".".join(parts[:end]) for end in range(len(parts) - 1, 1, -1)), f"{parts[0]}.*"]
    numbers = {name: number for number, layer in enumerate(LAYERS) for name in layer}
    return next((numbers[name] for name in names if name in numbers), None)


def modules(root: Path) -> dict[str, Path]:
    """Every module of the two packages, by its dotted name."""
    found = {}
    for package in ("trainer", "fkd_desktop"):
        for path in sorted((root / package).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(path: Path, module: str, known: set[str]) -> Iterator[tuple[int, str]]:
    """Line and name of everything a file imports: at the top, in functions, for type checking, by importlib."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names=names):
                yield from ((node.lineno, alias.name) for alias in names)
            case ast.ImportFrom(module=base, names=names, level=level):
                if level:
                    start = ".".join(package.split(".")[: len(package.split(".")) - level + 1])
                    base = f"{start}.{base}" if base else start
                for alias in names:
                    whole = f"{base}.{alias.name}"
                    yield node.lineno, whole if whole in known else str(base)
            case ast.Call(func=ast.Attribute(attr="import_module") | ast.Name(id="import_module" | "__import__")):
                match node.args:
                    case [ast.Constant(value=str(name)), *_]:
                        yield node.lineno, name
                    case _:
                        yield node.lineno, "<a computed name>"


def violations(root: Path) -> list[str]:
    """One sentence for each import against the direction."""
    known = modules(root)
    wrong = []
    for module, path in known.items():
        if (here := layer_of(module)) is None:
            wrong.append(f"{module} has no layer: give it one in {Path(__file__).name}")
            continue
        for line, name in imports(path, module, set(known)):
            where = f"{path.relative_to(root)}:{line}"
            if name == "<a computed name>":
                wrong.append(f"{where} imports a computed name, which cannot be checked")
            elif name.split(".")[0] in ("trainer", "fkd_desktop"):
                there = layer_of(name)
                if there is None or there > here:
                    wrong.append(f"{where}: {module} imports {name}")
            elif name.startswith("PySide6") and module_in(module, NO_QT):
                wrong.append(f"{where}: {module} imports {name}, but it must run without Qt")
            elif name.startswith("PySide6") and module_in(module, ONLY_QT_CORE) and name != "PySide6.QtCore":
                wrong.append(f"{where}: {module} imports {name}, but threads have no business with widgets")
    return wrong


def module_in(module: str, packages: tuple[str, ...]) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def test_imports_go_one_way() -> None:
    assert len(modules(ROOT)) > 25, "the packages were not found"
    assert violations(ROOT) == []


@pytest.mark.parametrize(
    ("file", "source", "is_wrong"),
    [
        ("trainer/core/a.py", "from trainer.core import b", False),
        ("trainer/core/a.py", "import trainer.loop", True),
        ("trainer/core/a.py", "from trainer import loop", True),
        ("trainer/core/a.py", "from .. import loop", True),
        ("trainer/core/a.py", "from ..loop import fit", True),
        ("trainer/core/__init__.py", "from .. import loop", True),
        ("trainer/a.py", "from trainer.core.b import c", False),
        ("trainer/a.py", "from .core import b", False),
        ("trainer/a.py", "import fkd_desktop.live.session", True),
        ("trainer/a.py", "def f():\n    from fkd_desktop import errors", True),
        ("trainer/a.py", "if TYPE_CHECKING:\n    from fkd_desktop.live.session import Session", True),
        ("trainer/a.py", "import importlib\nimportlib.import_module('fkd_desktop.app')", True),
        ("trainer/a.py", "import importlib\nimportlib.import_module(name)", True),
        ("trainer/a.py", "def f():\n    import PySide6.QtCore", True),
        ("trainer/a.py", "from trainer_tools import x", False),
        (
            "fkd_desktop/live/a.py",
            "from trainer.core.predictor import Predictor\nfrom fkd_desktop.errors import E",
            False,
        ),
        ("fkd_desktop/live/a.py", "from PySide6.QtCore import QThread", True),
        ("fkd_desktop/live/a.py", "from fkd_desktop.workers.capture_thread import C", True),
        ("fkd_desktop/live/a.py", "from fkd_desktop import workers", True),
        (
            "fkd_desktop/workers/a.py",
            "from PySide6.QtCore import QThread\nfrom fkd_desktop.overlays import render",
            False,
        ),
        ("fkd_desktop/workers/a.py", "from PySide6.QtWidgets import QWidget", True),
        ("fkd_desktop/workers/a.py", "from PySide6 import QtGui", True),
        ("fkd_desktop/workers/a.py", "from fkd_desktop.controller import Controller", True),
        ("fkd_desktop/controller.py", "from fkd_desktop.ui.main_window import MainWindow", True),
        ("fkd_desktop/ui/a.py", "from fkd_desktop.controller import C\nfrom PySide6 import QtWidgets", False),
        ("fkd_desktop/ui/a.py", "from fkd_desktop.app import main", True),
        ("fkd_desktop/ui/a.py", "from ..app import main", True),
        ("fkd_desktop/app.py", "from fkd_desktop.ui import main_window", False),
        ("fkd_desktop/newcomer.py", "", True),
    ],
)
def test_the_check_can_fail(tmp_path: Path, file: str, source: str, is_wrong: bool) -> None:
    """In a copy of the layout with nothing in its modules but what is tried here."""
    for module, path in modules(ROOT).items():
        if layer_of(module) is not None:
            empty = tmp_path / path.relative_to(ROOT)
            empty.parent.mkdir(parents=True, exist_ok=True)
            empty.touch()
    for name in ("trainer/core/b.py", "fkd_desktop/workers/capture_thread.py", "fkd_desktop/ui/main_window.py", file):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    if "newcomer" not in file:
        assert violations(tmp_path) == []
    (tmp_path / file).write_text(source, encoding="utf-8")
    assert bool(violations(tmp_path)) is is_wrong


def test_the_network_and_the_live_loop_never_load_qt() -> None:
    program = """
import sys
import trainer, trainer.cli, trainer.loop, trainer.evaluate, fkd_desktop.live.session
print(sorted(name for name in sys.modules if name.split(".")[0] in ("PySide6", "shiboken6", "PyQt6", "PyQt5")))
print("trainer.loop" in sys.modules and "fkd_desktop.live.session" in sys.modules)
"""
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, timeout=100, check=False
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines() == ["[]", "True"]


def test_the_window_is_imported_without_what_takes_seconds() -> None:
    """Networks load beside the GUI thread; plots, web client, decoder and dialogs when they are first wanted."""
    late = (
        *("torch", "onnxruntime", "matplotlib", "pyqtgraph", "requests", "av", "filelock", "importlib.metadata"),
        *("fkd_desktop.ui.about", "fkd_desktop.ui.shortcuts_dialog", "fkd_desktop.ui.export_dialog"),
        *("fkd_desktop.ui.preferences", "fkd_desktop.ui.overlays.editor", "fkd_desktop.ui.sources.url_dialog"),
        "fkd_desktop.ui.capture.virtual_camera_dialog",
    )
    code = (
        "import sys, fkd_desktop.controller, fkd_desktop.ui.main_window; "
        f"print([name for name in {late} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"
