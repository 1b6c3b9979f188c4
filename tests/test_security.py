"""What the program must never do, read from its source; and who may reach it while it runs."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from PySide6.QtCore import QStandardPaths

from fkd_desktop import app
from fkd_desktop.annotate import cli as annotate_cli
from trainer import cli as trainer_cli
from trainer.programs import ignore_current_folder

ROOT = Path(__file__).resolve().parents[1]
PRODUCT = sorted(path for folder in ("fkd_desktop", "trainer") for path in (ROOT / folder).rglob("*.py"))
FORBIDDEN = {
    *("eval", "exec", "compile", "os.system", "os.popen", "os.startfile", "tempfile.mktemp", "torch.load"),
    *("pickle.load", "pickle.loads", "marshal.load", "marshal.loads", "shelve.open", "yaml.load", "dill.load"),
    *("subprocess.getoutput", "subprocess.getstatusoutput", "shutil.unpack_archive"),
}
ALLOWED = {("trainer/programs.py", "exec")}  # a text of the program's own, in a build that has no `python -c`


def name_of(node: ast.AST) -> str:
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=attribute):
            return f"{name_of(value)}.{attribute}"
    return ""


def offences(source: str, file: str) -> Iterator[str]:
    """One line for each call that is forbidden; names that were imported count by where they come from."""
    tree = ast.parse(source)
    origin = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            origin.update({alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names})
        elif isinstance(node, ast.Import):
            origin.update({alias.asname: alias.name for alias in node.names if alias.asname})
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        first, dot, rest = name_of(node.func).partition(".")
        called = origin.get(first, first) + dot + rest
        where = f"{file}:{node.lineno}: {called}"
        if (called in FORBIDDEN and (file, called) not in ALLOWED) or called.endswith(".extractall"):
            yield where
        keywords = {keyword.arg: keyword.value for keyword in node.keywords}
        if "shell" in keywords and not (
            isinstance(keywords["shell"], ast.Constant) and keywords["shell"].value is False
        ):
            yield f"{where} with a shell"
        if isinstance(keywords.get("allow_pickle"), ast.Constant) and keywords["allow_pickle"].value:
            yield f"{where} with pickles"
        if isinstance(keywords.get("verify"), ast.Constant) and keywords["verify"].value is False:
            yield f"{where} without a certificate"
        if called.endswith("QDesktopServices.openUrl"):
            argument = node.args[0]
            if not (isinstance(argument, ast.Call) and name_of(argument.func) == "QUrl.fromLocalFile"):
                yield f"{where} with something else than a file"


def test_no_shell_no_pickle_no_code_from_elsewhere_and_only_files_are_opened() -> None:
    assert len(PRODUCT) > 100
    found = [o for path in PRODUCT for o in offences(path.read_text("utf-8"), path.relative_to(ROOT).as_posix())]
    assert found == []


@pytest.mark.parametrize(
    "source",
    [
        "eval(x)",
        "import os\nos.system('ls')",
        "from os import system as s\ns('ls')",
        "import subprocess\nsubprocess.run(x, shell=True)",
        "import subprocess\nsubprocess.run(x, shell=flag)",
        "import torch as t\nt.load(path)",
        "from pickle import loads\nloads(b)",
        "import numpy\nnumpy.load(p, allow_pickle=True)",
        "import tempfile\ntempfile.mktemp()",
        "archive.extractall(path)",
        "requests.get(url, verify=False)",
        "QDesktopServices.openUrl(QUrl(text))",
    ],
)
def test_the_check_finds_what_it_is_for(source: str) -> None:
    assert list(offences(source, "a.py"))


@pytest.fixture
def with_a_planted_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in a folder with a program of a tool's name, and in one below it; each leaves a file when it is run."""
    for folder in (tmp_path, tmp_path / "bin"):
        folder.mkdir(exist_ok=True)
        program = folder / "update-desktop-database"
        program.write_text(f"#!/bin/sh\necho >> '{tmp_path}/was run'\n")
        program.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script")
@pytest.mark.parametrize("path", ["", ":", ".", "./", "bin", ":bin:.", "/nowhere::"])
def test_no_program_comes_from_the_current_folder(
    with_a_planted_program: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setenv("PATH", path)
    ignore_current_folder()
    for find in (shutil.which, QStandardPaths.findExecutable):  # Qt starts the desktop's own, as xdg-open
        found = Path(find("update-desktop-database") or "/none")
        assert found.is_absolute() and not found.is_relative_to(with_a_planted_program)
    with suppress(FileNotFoundError):
        subprocess.run(["update-desktop-database", "--version"], check=False, capture_output=True)
    assert not Path("was run").exists()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the tool is that of Linux's menus")
def test_the_start_menus_tools_are_not_the_current_folders(with_a_planted_program: Path) -> None:
    environment = {
        **os.environ,
        "PATH": f":.:bin:{os.environ['PATH']}",
        "XDG_DATA_HOME": str(with_a_planted_program / "share"),
    }
    command = [sys.executable, "-P", "-m", "fkd_desktop", "--install-launcher"]
    done = subprocess.run(
        command, env={**environment, "PYTHONPATH": str(ROOT)}, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert (with_a_planted_program / "share/applications").is_dir() and not Path("was run").exists()


@pytest.mark.parametrize("main", [app.main, annotate_cli.main, trainer_cli.main])
def test_each_command_ignores_the_current_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, main: Callable[[list[str]], int]
) -> None:
    monkeypatch.setenv("PATH", os.pathsep.join(["", str(tmp_path), ".", "bin"]))
    with pytest.raises(SystemExit):
        main(["--help"])
    assert os.environ["PATH"] == str(tmp_path)
