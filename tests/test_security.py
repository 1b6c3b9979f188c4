"""What the program must never do, read from its source; and who may reach it while it runs."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

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
