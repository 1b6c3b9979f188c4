"""start.py: what it installs and when, what it tells, and (with a tiny project and real pip, offline) the whole way."""

import ast
import importlib.util
import io
import itertools
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import types
import zipfile
from pathlib import Path

import pytest

START = Path(__file__).resolve().parents[1] / "start.py"
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="expects POSIX paths and signals")

# What `pip index versions torch` prints with and without a CPU build in pip's configuration (shortened recordings).
WITH_CPU = """\
WARNING: pip index is currently an experimental command.
torch (2.15.0)
Available versions: 2.15.0+cpu, 2.15.0, 2.14.0, 2.13.0+cpu, 2.13.0, 2.12.1, 2.10.0, 2.9.1
  INSTALLED: 2.9.1
"""
WITHOUT_CPU = """\
torch (2.15.0)
Available versions: 2.15.0, 2.14.0, 2.13.0, 2.12.1, 2.10.0, 2.9.1
"""
FROM_CPU_INDEX = """\
torch (2.14.0+cpu)
Available versions: 2.14.0+cpu, 2.12.1+cpu, 2.9.1+cpu
"""
FROM_CUDA_INDEX = """\
torch (2.13.0+cu130)
Available versions: 2.13.0+cu130, 2.12.0+cu130
"""
UNREACHABLE = "ERROR: No matching distribution found for torch\n"

PYPROJECT = """\
[project]
name = "tiny"
dependencies = ["torchvision>=1", "torch>=2.10,<2.14", "numpy>=2"]
"""


@pytest.fixture
def start():
    """Return start.py, loaded afresh: tests replace its constants."""
    spec = importlib.util.spec_from_file_location("start_under_test", START)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def environment(start, tmp_path, monkeypatch):
    """Return an Environment whose commands are recorded and imitated; no process starts."""
    (tmp_path / "pyproject.toml").write_text(PYPROJECT)
    monkeypatch.setattr(start, "sys", OtherPlatform("linux"))
    monkeypatch.setattr(start, "has_nvidia_driver", lambda: False)
    monkeypatch.setattr(start, "missing_packages", lambda manager: [])

    class Fake(start.Environment):
        """Does to the folder what the real commands would do to it."""

        commands: list[str]
        listings: list[str]
        python_version = (3, 11)
        fails_at = interrupted_at = "never"
        error = start.SetupError

        def run(self, command, advice=""):
            text = " ".join(command).replace(str(self.python), "PY").replace(str(self.folder), "VENV")
            text = text.replace("PY -m pip --disable-pip-version-check --no-input", "pip")
            self.commands.append(text)
            if self.interrupted_at in text:
                raise KeyboardInterrupt
            if self.fails_at in text:
                if advice:
                    raise self.error(advice)
                return 1, "error"
            if "-m venv" in text:
                self.python.parent.mkdir(parents=True)
                self.python.touch()
            if "torch===" in text:
                self.have_torch(text.partition("===")[2].split()[0])
            elif "install -e" in text and not self.torch_version():
                self.have_torch("2.13.0")
                self.have("nvidia_nccl_cu13-2.29.7")
            return 0, self.listings.pop(0) if "index versions" in text else ""

        def have(self, distribution):
            (self.folder / f"lib/python3.11/site-packages/{distribution}.dist-info").mkdir(parents=True)

        def have_torch(self, version):
            for old in self.folder.glob("lib/python*/site-packages/torch-*"):
                old.rmdir()
            self.have(f"torch-{version}")

        def probe(self):
            return {"python": list(self.python_version), "pip": True, "project": True} if self.python.exists() else {}

        def prepare(self, **options):
            """Go through a start and return the commands it ran."""
            self.commands = []
            start.prepare(self, start.Options(**options))
            return self.commands

    fake = Fake(tmp_path)
    fake.commands, fake.listings = [], [WITH_CPU] * 9
    return fake


class OtherPlatform:
    """Stands in for the module `sys` on another platform."""

    def __init__(self, platform):
        self.platform = platform

    def __getattr__(self, name):
        return getattr(sys, name)


# The command line


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        ([], {}),
        (["clip.mp4", "--torch", "x", "--verbose"], {"arguments": ("clip.mp4", "--torch", "x", "--verbose")}),
        (["--smoke", "--help"], {"arguments": ("--smoke", "--help")}),
        (["--torch=cpu", "--verbose", "a"], {"torch": "cpu", "verbose": True, "arguments": ("a",)}),
        (["--torch", "cuda", "test", "-k", "x"], {"torch": "cuda", "test": True, "arguments": ("-k", "x")}),
        (["test", "--help", "--", "y"], {"test": True, "arguments": ("--help", "--", "y")}),
        (["--", "--help"], {"arguments": ("--help",)}),
        (["--", "test"], {"arguments": ("test",)}),
        (["-h"], {"help": True}),
    ],
)
def test_own_options_come_first_and_all_else_is_passed_on(start, argv, expected):
    assert start.parse(argv) == start.Options()._replace(**expected)


@pytest.mark.parametrize("argv", [["--torch"], ["--torch=rocm"], ["--torch", "13"]])
def test_an_unknown_build_is_refused_with_exit_2(start, argv, capsys):
    assert start.main(argv) == 2
    assert "--torch takes auto, cpu or cuda, not" in capsys.readouterr().err


def test_help_names_both_ways_to_start(start, capsys):
    assert start.main(["--help"]) == 0
    text = capsys.readouterr().out
    assert "python3 start.py [OPTIONS] test [PYTEST ARGS...]" in text
    assert "--torch auto|cpu|cuda" in text


@pytest.mark.parametrize(
    ("argv", "python_arguments"),
    [
        (["a b", "--c"], ["-P", "-m", "fkd_desktop", "a b", "--c"]),
        (["test", "-x", "tests/a.py"], ["-m", "pytest", "-x", "tests/a.py"]),
        (
            ["test"],
            ["-m", "pytest", "-n", "logical", "--maxprocesses", "4", "--dist", "worksteal", "--cov", "--cov-report="],
        ),
    ],
)
def test_what_is_launched(start, monkeypatch, argv, python_arguments):
    launched = []
    monkeypatch.setattr(start, "prepare", lambda environment, options: None)
    monkeypatch.setattr(start, "launch", lambda command: launched.append(command) or 5)
    monkeypatch.setattr(start.os, "chdir", launched.append)
    monkeypatch.setenv("QT_QPA_PLATFORM", "put back afterwards")
    monkeypatch.delenv("QT_QPA_PLATFORM")
    testing = argv[0] == "test"
    assert start.main(argv) == 5
    assert launched[-1] == [str(START.parent / ".venv/bin/python"), *python_arguments]
    assert launched[:-1] == ([START.parent] if testing else [])
    assert os.environ.get("QT_QPA_PLATFORM") == ("offscreen" if testing else None)


def test_no_package_manager_comes_from_the_current_folder(start, monkeypatch, tmp_path):
    (tmp_path / "apt-get").touch(0o755)
    monkeypatch.chdir(tmp_path)
    for path in (os.pathsep.join([".", "", "no/where"]), "."):
        monkeypatch.setenv("PATH", path)
        assert start.main(["--help"]) == 0
        assert start.find_manager() != "apt-get" or Path(shutil.which("apt-get")).is_absolute()
        assert "." not in os.environ.get("PATH", "").split(os.pathsep)


def test_the_tests_keep_a_chosen_qt_platform(start, monkeypatch):
    monkeypatch.setattr(start, "prepare", lambda environment, options: None)
    monkeypatch.setattr(start, "launch", lambda command: 0)
    monkeypatch.setattr(start.os, "chdir", lambda folder: None)
    monkeypatch.setenv("QT_QPA_PLATFORM", "xcb")
    start.main(["test"])
    assert os.environ["QT_QPA_PLATFORM"] == "xcb"


# The start menu


@pytest.fixture
def offering(start, tmp_path, monkeypatch):
    """Return a way to start with an answer typed; it tells what was asked and run."""
    ran = []
    monkeypatch.setattr(start.subprocess, "run", lambda command, **_: ran.append(command[1:]))
    environment = start.Environment(tmp_path)
    environment.folder.mkdir()

    def begin(answer, *arguments, is_answered=True):
        ran.clear()
        said = io.StringIO()
        streams = types.SimpleNamespace(stdin=io.StringIO(answer), stderr=said, platform="linux")
        monkeypatch.setattr(start, "sys", streams)
        monkeypatch.setattr(start, "is_answered", lambda: is_answered)
        start.offer_launcher(environment, start.parse(list(arguments)))
        return said.getvalue(), [*ran]

    begin.environment = environment
    return begin


INSTALL = ["-P", "-m", "fkd_desktop", "--install-launcher"]


@pytest.mark.parametrize(
    ("answer", "runs"),
    [("\n", [INSTALL]), ("Y\n", [INSTALL]), ("ja\n", [INSTALL]), ("n\n", []), ("what?\n", []), ("", [])],
)
def test_the_start_menu_is_offered_once_whatever_the_answer(offering, answer, runs):
    assert offering(answer) == ("Add FKD Desktop to the start menu? [Y/n] ", runs)
    assert offering("y\n") == ("", [])


def test_the_start_menu_is_not_offered_to_tests_nor_where_nobody_answers(offering):
    assert offering("y\n", "test") == ("", [])
    assert offering("y\n", is_answered=False) == ("", [])
    assert offering("y\n")[1] == [INSTALL], "nobody had been asked yet"


@pytest.mark.parametrize("wish", ["--install-launcher", "--remove-launcher"])
def test_who_speaks_of_the_start_menu_is_not_asked(offering, wish):
    assert offering("y\n", wish, is_answered=False) == ("", [])
    assert offering("y\n") == ("", [])


def test_a_new_environment_does_not_ask_again(environment):
    environment.folder.mkdir()
    environment.offered.touch()
    environment.make()
    assert environment.offered.exists()


def test_a_person_is_someone_at_a_terminal_before_a_desktop(start, monkeypatch):
    ends = os.openpty()
    with os.fdopen(ends[1], "r+b", 0) as raw, io.TextIOWrapper(raw) as terminal, os.fdopen(ends[0], "rb"):
        monkeypatch.setattr(start, "sys", types.SimpleNamespace(stdin=terminal, stderr=terminal, platform="linux"))
        monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
        monkeypatch.setenv("DISPLAY", ":0")
        assert start.is_answered()
        monkeypatch.delenv("DISPLAY")
        assert not start.is_answered()
        monkeypatch.setenv("DISPLAY", ":0")
        start.sys.stdin = io.StringIO("")
        assert not start.is_answered()
        start.sys.stdin = None
        assert not start.is_answered()


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (KeyboardInterrupt(), (130, "Interrupted; the next start goes on.\n")),
        (
            PermissionError(13, "No", "x"),
            (2, f"[Errno 13] No: 'x': make sure that {START.parent} can be written, then start again.\n"),
        ),
    ],
)
def test_a_set_up_that_ends_early_says_why(start, monkeypatch, capsys, error, expected):
    def prepare(environment, options):
        raise error

    monkeypatch.setattr(start, "prepare", prepare)
    assert (start.main([]), capsys.readouterr().err) == expected


# Old Pythons


@pytest.mark.parametrize("version", [(3, 6), (3, 10)])
def test_an_old_python_gets_one_sentence(start, capsys, version):
    with pytest.raises(SystemExit) as ended:
        start.require_python(*version)
    assert ended.value.code == 2
    expected = "FKD Desktop needs Python 3.11 or newer and this is Python {}.{}: start it with a newer Python.\n"
    assert capsys.readouterr().err == expected.format(*version)


def test_an_old_python_reaches_that_sentence(start):
    tree = ast.parse(START.read_text(encoding="utf-8"), feature_version=(3, 7))
    check = next(i for i, node in enumerate(tree.body) if ast.unparse(node).startswith("require_python("))
    imported = {
        alias.name
        for node in ast.walk(ast.Module(tree.body[:check], []))
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    assert not imported & {"tomllib", "dataclasses"}  # younger than 3.6
    assert not any(isinstance(node, ast.ImportFrom) and node.module == "__future__" for node in tree.body)
    start.require_python(3, 11)
    start.require_python(4, 0)


# The stamp: what is done, what is stale, what is broken


def test_a_first_start_makes_installs_and_stamps(environment):
    made, listed, torch, project = environment.prepare()
    assert made.endswith("-m venv VENV")
    assert listed == "pip index versions torch"
    assert torch == "pip install --no-deps --force-reinstall torch===2.13.0+cpu"
    assert project == "pip install -e ."
    assert environment.stamp.exists()
    assert not environment.unfinished.exists()


def test_a_later_start_runs_nothing(environment):
    environment.prepare()
    assert environment.prepare() == []


def test_another_pyproject_installs_in_place_and_keeps_torch(environment):
    environment.prepare()
    (environment.root / "pyproject.toml").write_text(PYPROJECT + "# another\n")
    assert environment.prepare() == ["pip install -e ."]
    assert environment.prepare() == []


def test_a_range_without_the_installed_torch_chooses_again(environment):
    environment.prepare()
    (environment.root / "pyproject.toml").write_text(PYPROJECT.replace("<2.14", "<2.16"))
    environment.have_torch("2.9.1+cpu")
    assert "pip install --no-deps --force-reinstall torch===2.15.0+cpu" in environment.prepare()


def test_the_tests_need_their_extra_once_and_the_application_keeps_it(environment):
    environment.prepare()
    assert environment.prepare(test=True) == ["pip install -e .[test]"]
    assert environment.prepare(test=True) == []
    assert environment.prepare() == []
    (environment.root / "pyproject.toml").write_text(PYPROJECT + "# another\n")
    assert environment.prepare() == ["pip install -e .[test]"]


def break_interpreter(environment):
    environment.python.unlink()


def break_by_kill(environment):
    environment.unfinished.touch()


def break_by_move(environment):
    environment.stamp.write_text(environment.stamp.read_text().replace(str(environment.root), "/elsewhere"))


def break_by_another_python(environment):
    environment.python_version = (3, 12)


@pytest.mark.parametrize("harm", [break_interpreter, break_by_kill, break_by_move, break_by_another_python])
def test_a_broken_environment_is_made_anew(environment, harm):
    environment.prepare()
    leftover = environment.folder / "lib/half-a-package"
    leftover.mkdir()
    harm(environment)
    commands = environment.prepare()
    assert commands[0].endswith("-m venv VENV")
    assert commands[-1] == "pip install -e ."
    assert not leftover.exists()
    assert environment.prepare() == []


@pytest.mark.parametrize("text", ["", "{", "[1]", '"x"', "{}", '{"project": 1}'])
def test_a_damaged_stamp_installs_again(environment, text):
    environment.prepare()
    environment.stamp.write_text(text)
    assert environment.prepare()[-1] == "pip install -e ."
    assert environment.prepare() == []


def test_an_environment_of_ones_own_is_used(environment):
    environment.python.parent.mkdir(parents=True)
    environment.python.touch()
    commands = environment.prepare()
    assert commands[-1] == "pip install -e ."
    assert not any("-m venv" in command for command in commands)


def test_an_interrupted_installation_leaves_no_stamp(start, environment):
    environment.prepare()
    (environment.root / "pyproject.toml").write_text(PYPROJECT + "# another\n")
    environment.interrupted_at = "install -e"
    with pytest.raises(KeyboardInterrupt):
        environment.prepare()
    assert not environment.stamp.exists()
    assert environment.is_broken()
    environment.interrupted_at = "never"
    assert environment.prepare()[0].endswith("-m venv VENV")


@pytest.mark.parametrize(
    ("error", "again"),
    [("SetupError", ["pip install -e ."]), ("KilledError", ["-m venv", "versions", "torch===", "pip install -e ."])],
)
def test_a_failed_installation_is_tried_again_in_place_and_a_killed_one_anew(start, environment, error, again):
    environment.fails_at, environment.error = "install -e", getattr(start, error)
    with pytest.raises(environment.error, match="Installing failed"):
        environment.prepare()
    assert not environment.stamp.exists()
    environment.fails_at = "never"
    commands = environment.prepare()
    assert len(commands) == len(again)
    assert all(part in command for part, command in zip(again, commands, strict=True))


def test_a_command_that_was_killed_is_told_from_one_that_failed(start, tmp_path):
    environment = start.Environment(tmp_path)
    with pytest.raises(start.KilledError):
        environment.run([sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"], "Do this.")
    with pytest.raises(start.SetupError) as failed:
        environment.run([sys.executable, "-c", "raise SystemExit(9)"], "Do this.")
    assert type(failed.value) is start.SetupError


def test_a_failed_command_shows_its_end_and_names_the_log(start, tmp_path, capsys):
    environment = start.Environment(tmp_path)
    with pytest.raises(start.SetupError) as failed:
        environment.run([sys.executable, "-c", "print(*range(40), sep='\\n'); raise SystemExit(3)"], "Do this.")
    assert str(failed.value) == f"Do this. The whole output is in {tmp_path / '.venv/install.log'}"
    assert capsys.readouterr().err.split() == [str(number) for number in range(25, 40)]
    assert "\n0\n1\n2\n" in environment.log.read_text()


def test_output_is_kept_quiet_unless_verbose(start, tmp_path, capsys):
    command = [sys.executable, "-c", "import sys; print('out'); print('err', file=sys.stderr)"]
    status, output = start.Environment(tmp_path).run(command)
    assert (status, sorted(output.split())) == (0, ["err", "out"])
    assert capsys.readouterr().err == ""
    start.Environment(tmp_path, verbose=True).run(command)
    assert sorted(capsys.readouterr().err.split()) == ["err", "out"]


# Which PyTorch


def plan(start, environment, torch="auto"):
    environment.commands = []
    return start.torch_plan(environment, torch)


def test_a_cpu_build_in_pips_configuration_is_taken(start, environment):
    assert plan(start, environment) == ["torch===2.13.0+cpu"]  # 2.15.0+cpu is out of range
    assert environment.commands == ["pip index versions torch"]


def test_else_pytorchs_cpu_index_is_asked(start, environment):
    environment.listings = [WITHOUT_CPU, FROM_CPU_INDEX]
    assert plan(start, environment) == ["torch===2.12.1+cpu", "--index-url", CPU_INDEX]
    assert environment.commands[1] == f"pip index versions torch --index-url {CPU_INDEX} --timeout 15 --retries 1"


def test_with_the_cpu_index_out_of_reach_the_standard_build_comes_with_a_warning(start, environment, capsys):
    environment.listings = [WITHOUT_CPU, UNREACHABLE]
    assert plan(start, environment) == []
    warning = capsys.readouterr().err
    assert CPU_INDEX in warning
    assert "several gigabytes" in warning
    assert warning.count("\n") == 1


def test_an_explicit_wish_that_cannot_be_met_fails_and_changes_nothing(start, environment):
    environment.prepare()
    stamp = environment.stamp.read_text()
    environment.listings = [UNREACHABLE, UNREACHABLE]
    with pytest.raises(start.SetupError, match=r"No CUDA build of PyTorch >=2\.10,<2\.14 is on offer"):
        environment.prepare(torch="cuda")
    assert environment.stamp.read_text() == stamp
    assert environment.prepare() == []


def test_with_an_nvidia_driver_pip_chooses(start, environment, monkeypatch):
    monkeypatch.setattr(start, "has_nvidia_driver", lambda: True)
    assert plan(start, environment) == []
    assert plan(start, environment, "cpu") == ["torch===2.13.0+cpu"]


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_on_macos_and_windows_pip_chooses(start, environment, monkeypatch, platform):
    monkeypatch.setattr(start, "sys", OtherPlatform(platform))
    assert plan(start, environment) == []
    assert environment.commands == []


def test_cuda_on_linux_is_pypis_build_and_not_a_cpu_build_of_that_version(start, environment):
    assert plan(start, environment, "cuda") == ["torch===2.13.0"]


def test_cuda_on_windows_comes_from_pytorchs_index(start, environment, monkeypatch):
    monkeypatch.setattr(start, "sys", OtherPlatform("win32"))
    environment.listings = [WITHOUT_CPU, FROM_CUDA_INDEX]
    index = "https://download.pytorch.org/whl/cu130"
    assert plan(start, environment, "cuda") == ["torch===2.13.0+cu130", "--index-url", index]


def test_cuda_on_macos_is_refused(start, environment, monkeypatch):
    monkeypatch.setattr(start, "sys", OtherPlatform("darwin"))
    with pytest.raises(start.SetupError, match="no CUDA build of PyTorch for macOS"):
        plan(start, environment, "cuda")


def test_a_project_without_torch_gets_none(start, environment):
    (environment.root / "pyproject.toml").write_text('[project]\ndependencies = ["torchvision", "torch-x>=1"]\n')
    assert plan(start, environment) == []
    assert environment.commands == []


def test_the_requirement_is_read_from_this_projects_pyproject(start):
    requirement = start.torch_requirement(START.parent)
    assert start.in_range("2.13.0+cpu", requirement)
    assert not start.in_range("1.13.1", requirement)


def test_switching_reinstalls_and_frees_what_only_cuda_needs(environment, capsys):
    environment.prepare()
    assert "PyTorch 2.13.0+cpu (the CPU build; to switch: python3 start.py --torch cuda)" in capsys.readouterr().err
    assert "pip install --no-deps --force-reinstall torch===2.13.0" in environment.prepare(torch="cuda")
    assert "PyTorch 2.13.0 (the CUDA build; to switch: python3 start.py --torch cpu)" in capsys.readouterr().err
    assert environment.prepare(torch="cuda") == []
    assert environment.prepare() == []
    environment.have("nvidia_nccl_cu13-2.29.7")
    environment.have("triton-3.7.1")
    assert environment.prepare(torch="cpu")[1:] == [
        "pip install --no-deps --force-reinstall torch===2.13.0+cpu",
        "pip uninstall -y nvidia_nccl_cu13 triton",
        "pip install -e .",
    ]


@pytest.mark.parametrize(
    ("version", "requirement", "fits"),
    [
        ("2.10.0", ">=2.10,<2.14", True),
        ("2.13.0+cpu", ">=2.10,<2.14", True),
        ("2.14.0+cpu", ">=2.10, <2.14", False),
        ("2.9.1", ">=2.10,<2.14", False),
        ("2.1.0", ">=2.10", False),
        ("2.13.0", "<=2.13", True),
        ("2.13.1", "!=2.13.0,>2.13", True),
        ("2.13.0", "!=2.13.0", False),
        ("2.13.0+cpu", "==2.13", True),
        ("2.13.0", "", True),
    ],
)
def test_version_ranges(start, version, requirement, fits):
    assert start.in_range(version, requirement) is fits


@pytest.mark.parametrize("by", ["file", "nvidia-smi", ""])
def test_the_driver_is_found_by_its_files_or_its_tool(start, monkeypatch, tmp_path, by):
    monkeypatch.setattr(start, "NVIDIA_SIGNS", (str(tmp_path / "sign"),))
    monkeypatch.setattr(start.shutil, "which", lambda name: "/usr/bin/nvidia-smi" if name == by else None)
    if by == "file":
        (tmp_path / "sign").touch()
    assert start.has_nvidia_driver() is bool(by)


# System packages

ABSENT = """
libc.so.6          libc6        glibc           glibc       glibc
libabsent.so.9     libabsent9   absent-libs     absent      libabsent9
libabsent-x.so.9   libabsent-x  absent-libs     absent      libabsent-x9
"""


@pytest.fixture
def bare_system(start, monkeypatch, tmp_path):
    """Let start.py see a system without two libraries (but with a font), and return what it is told it is."""
    font = tmp_path / "fonts/dejavu/sans.ttf"
    font.parent.mkdir(parents=True)
    font.touch()
    system = types.SimpleNamespace(root=False, manager="apt-get", font=font)
    monkeypatch.setattr(start, "LIBRARIES", ABSENT)
    monkeypatch.setattr(start, "FONT_FOLDERS", (str(tmp_path / "none"), str(tmp_path / "fonts")))
    monkeypatch.setattr(start, "is_root", lambda: system.root)
    monkeypatch.setattr(start.shutil, "which", lambda name: f"/usr/bin/{name}" if name == system.manager else None)
    return system


class Recorder:
    """Stands in for an Environment; answers every command with `status`."""

    def __init__(self, status=0):
        self.status = status
        self.commands = []

    def run(self, command, advice=""):
        self.commands.append(" ".join(command))
        return self.status, ""


needs_glibc = pytest.mark.skipif(sys.platform != "linux", reason="loads a library by its Linux name")


@needs_glibc
@pytest.mark.parametrize(
    ("manager", "command"),
    [
        ("apt-get", "sudo apt-get install -y --no-install-recommends libabsent9 libabsent-x fonts-dejavu-core"),
        ("dnf", "sudo dnf install -y absent-libs dejavu-sans-fonts"),
        ("pacman", "sudo pacman -S --needed --noconfirm absent ttf-dejavu"),
        ("zypper", "sudo zypper --non-interactive install libabsent9 libabsent-x9 dejavu-fonts"),
    ],
)
def test_without_root_the_exact_command_is_printed(start, bare_system, capsys, manager, command):
    bare_system.manager = manager
    bare_system.font.unlink()
    recorder = Recorder()
    start.check_system(recorder, may_install=True)
    assert capsys.readouterr().err.splitlines()[1] == f"  {command}"
    assert recorder.commands == []


@needs_glibc
def test_an_unknown_distribution_gets_the_names_of_the_libraries(start, bare_system, capsys):
    bare_system.manager = None
    start.check_system(Recorder(), may_install=True)
    assert capsys.readouterr().err.endswith("; install libabsent.so.9, libabsent-x.so.9\n")


@needs_glibc
def test_root_on_debian_installs(start, bare_system, capsys):
    bare_system.root = True
    recorder = Recorder()
    start.check_system(recorder, may_install=True)
    apt_get = "env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300"
    assert recorder.commands == [
        f"{apt_get} update",
        f"{apt_get} install -y --no-install-recommends libabsent9 libabsent-x",
    ]
    assert capsys.readouterr().err == "Installing system packages: libabsent9 libabsent-x ...\n"


@needs_glibc
@pytest.mark.parametrize(("may_install", "tried"), [(True, 2), (False, 0)])
def test_root_is_told_the_command_when_installing_fails_or_is_for_the_first_start(
    start, bare_system, capsys, may_install, tried
):
    bare_system.root = True
    recorder = Recorder(status=100)
    start.check_system(recorder, may_install)
    assert len(recorder.commands) == tried
    assert "\n  apt-get install -y --no-install-recommends libabsent9 libabsent-x\n" in capsys.readouterr().err


def test_every_library_has_a_package_for_every_manager(start):
    rows = [row.split() for row in start.LIBRARIES.strip().splitlines()]
    assert {len(row) for row in rows} == {len(start.MANAGERS) + 1, len(start.A_FONT)}
    assert {"libEGL.so.1", "libGL.so.1", "libxkbcommon-x11.so.0", "libxcb-cursor.so.0"} <= {row[0] for row in rows}
    assert all(".so." in row[0] for row in rows)


def test_a_missing_venv_module_installs_debians_package_or_names_it(start, bare_system, monkeypatch):
    package = f"python3.{sys.version_info[1]}-venv"
    monkeypatch.setattr(start.importlib.util, "find_spec", lambda name: None if name == "ensurepip" else object())
    with pytest.raises(start.SetupError, match=f"  sudo apt-get install -y --no-install-recommends {package}\n"):
        start.require_venv(Recorder())
    bare_system.root = True
    recorder = Recorder()
    start.require_venv(recorder)
    assert recorder.commands[-1].endswith(f"install -y --no-install-recommends {package}")
    bare_system.manager = "dnf"
    with pytest.raises(start.SetupError, match="lacks its modules venv and ensurepip: install them, then start again"):
        start.require_venv(Recorder())


# Two starts at once


def test_a_second_start_waits_for_the_first(start, tmp_path, capsys):
    order = []

    def second():
        with start.only_one(tmp_path / "lock"):
            order.append("second")

    with start.only_one(tmp_path / "lock"):
        thread = threading.Thread(target=second)
        thread.start()
        thread.join(timeout=0.4)
        assert thread.is_alive()
        order.append("first")
    thread.join(timeout=10)
    assert order == ["first", "second"]
    assert capsys.readouterr().err == "Another start is setting up; waiting for it to finish ...\n"


def test_a_killed_start_leaves_the_lock_to_its_pip_and_then_to_nobody(start, tmp_path):
    started, may_end = tmp_path / "started", tmp_path / "may_end"
    stands_for_pip = f"""
import pathlib, time
pathlib.Path({str(started)!r}).touch()
while not pathlib.Path({str(may_end)!r}).exists():
    time.sleep(0.02)
"""
    code = f"""
import importlib.util, sys
spec = importlib.util.spec_from_file_location("start", {str(START)!r})
start = importlib.util.module_from_spec(spec)
spec.loader.exec_module(start)
with start.only_one(start.Path({str(tmp_path / "lock")!r})):
    start.Environment(start.Path({str(tmp_path)!r})).run([sys.executable, "-c", {stands_for_pip!r}])
"""
    with subprocess.Popen([sys.executable, "-c", code]) as killed, (tmp_path / "lock").open("a") as file:
        assert comes_true(started.exists)
        killed.kill()
        killed.wait()
        assert not start.try_lock(file)
        may_end.touch()
        assert comes_true(lambda: start.try_lock(file))


def comes_true(condition, timeout_s=20):
    end = time.monotonic() + timeout_s
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return condition()


def test_what_another_start_did_meanwhile_is_not_done_again(start, environment, monkeypatch):
    environment.prepare()
    answers = itertools.chain([False], itertools.repeat(True))
    monkeypatch.setattr(environment, "is_current", lambda extras, torch: next(answers))
    assert environment.prepare() == []


# The whole way: real venv, real pip, a tiny project and tiny wheels, no network

BACKEND = """
import pathlib, zipfile

def get_requires_for_build_editable(config_settings=None):
    return []

def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    name, info = "tiny-1-py3-none-any.whl", "tiny-1.dist-info"
    metadata = "Metadata-Version: 2.1\\nName: tiny\\nVersion: 1\\nRequires-Dist: torch>=2.10,<2.14\\n"
    with zipfile.ZipFile(pathlib.Path(wheel_directory, name), "w") as wheel:
        wheel.writestr("tiny.pth", str(pathlib.Path.cwd()) + "\\n")
        wheel.writestr(info + "/METADATA", metadata)
        wheel.writestr(info + "/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(info + "/RECORD", "")
    return name
"""
TINY = """\
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]

[project]
name = "tiny"
version = "1"
dependencies = ["torch>=2.10,<2.14"]
"""
MAIN = "import os, sys\nprint(sys.argv[1:], os.getcwd(), sys.prefix)\nraise SystemExit(7)\n"


def write_wheel(folder, name, version, requires=""):
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        wheel.writestr(f"{info}/METADATA", metadata + (f"Requires-Dist: {requires}\n" if requires else ""))
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")


@pytest.fixture
def tiny_project(tmp_path):
    """Return a folder with start.py and a project that installs in seconds, and a way to start it."""
    root, wheels, no_tools = tmp_path / "pröject one", tmp_path / "wheels", tmp_path / "bin"
    for folder in (root / "fkd_desktop", wheels, no_tools):
        folder.mkdir(parents=True)
    shutil.copy(START, root)
    (root / "pyproject.toml").write_text(TINY)
    (root / "backend.py").write_text(BACKEND)
    (root / "fkd_desktop/__init__.py").touch()
    (root / "fkd_desktop/__main__.py").write_text(MAIN)
    write_wheel(wheels, "torch", "2.13.0+cpu")
    write_wheel(wheels, "torch", "2.13.0", "nvidia_fake==1")
    write_wheel(wheels, "nvidia_fake", "1")
    variables = {key: value for key, value in os.environ.items() if not key.startswith(("PIP_", "PYTHON"))}
    # No index, no tools in PATH: neither the network nor a package manager can be reached by mistake.
    variables.update(PIP_CONFIG_FILE=os.devnull, PIP_NO_INDEX="1", PIP_FIND_LINKS=wheels.as_uri(), PATH=str(no_tools))

    def begin(*arguments, at=root):
        command = [sys.executable, str(at / "start.py"), *arguments]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, cwd=tmp_path, env=variables, stdout=pipe, stderr=pipe, text=True)

    return types.SimpleNamespace(root=root, log=root / ".venv/install.log", begin=begin)


def finish(process):
    out, err = process.communicate(timeout=100)
    return process.returncode, out, err


@pytest.mark.slow
def test_two_first_starts_at_once_install_once_and_open_the_application(tiny_project, tmp_path):
    starts = [tiny_project.begin("--torch", "cpu", "a b", "--verbose"), tiny_project.begin("c")]
    results = [finish(process) for process in starts]
    for (status, out, err), arguments in zip(results, (["a b", "--verbose"], ["c"]), strict=True):
        assert status == 7, err
        assert out == f"{arguments} {tmp_path} {tiny_project.root / '.venv'}\n"
    log = tiny_project.log.read_text()
    assert log.count("-m venv") == 1
    assert log.count("install -e") == 1
    assert (tiny_project.root / ".venv/start-stamp.json").exists()

    status, out, err = finish(tiny_project.begin())
    assert (status, tiny_project.log.read_text()) == (7, log)  # nothing was run
    assert "Making" not in err
    assert "Installing" not in err


@pytest.mark.slow
def test_switching_moving_and_a_kill_in_mid_install(tiny_project, tmp_path):
    packages = tiny_project.root / ".venv/lib" / f"python3.{sys.version_info[1]}" / "site-packages"
    assert finish(tiny_project.begin("--torch", "cuda"))[0] == 7
    assert (packages / "torch-2.13.0.dist-info").exists()
    assert (packages / "nvidia_fake-1.dist-info").exists()

    assert finish(tiny_project.begin("--torch", "cpu"))[0] == 7
    assert (packages / "torch-2.13.0+cpu.dist-info").exists()
    assert not (packages / "nvidia_fake-1.dist-info").exists()

    moved = tmp_path / "moved"
    tiny_project.root.rename(moved)
    process = tiny_project.begin(at=moved)
    assert f"Making {moved / '.venv'} ...\n" in iter(process.stderr.readline, "")
    process.send_signal(signal.SIGKILL)
    finish(process)
    assert not (moved / ".venv/start-stamp.json").exists()

    status, out, err = finish(tiny_project.begin(at=moved))
    assert (status, out) == (7, f"[] {tmp_path} {moved / '.venv'}\n"), err
    assert f"Making {moved / '.venv'} ..." in err
