"""Start FKD Desktop: make its environment on the first start, open the application on every start.

Standard library only, and one file though a long one: it runs before anything of the project can be imported. Every
Python since 3.6 can parse it, so that an old one reads a sentence, not a traceback.
"""

import contextlib
import ctypes
import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import time
import typing
from pathlib import Path

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

OLDEST_PYTHON = (3, 11)


def require_python(major: int, minor: int) -> None:
    """Exit with status 2 and one sentence when this Python is too old."""
    if (major, minor) < OLDEST_PYTHON:
        message = "FKD Desktop needs Python {}.{} or newer and this is Python {}.{}: start it with a newer Python.\n"
        sys.stderr.write(message.format(*OLDEST_PYTHON, major, minor))
        sys.exit(2)


# Before anything below is evaluated: the annotations from here on (`list[str]`, `str | None`) are more than 3.6 can do.
require_python(sys.version_info[0], sys.version_info[1])

ROOT = Path(__file__).resolve().parent
PROGRAM = "python start.py" if sys.platform == "win32" else "python3 start.py"
HELP = f"""\
Open FKD Desktop. The first start makes .venv beside this file and installs everything into it;
later starts install nothing and need no network.

  {PROGRAM} [OPTIONS] [ARGS...]              open the application with ARGS
  {PROGRAM} [OPTIONS] test [PYTEST ARGS...]  run the test suite, without windows on the screen
  {PROGRAM} --install-launcher               put the application into the start menu; --remove-launcher takes it out
  {PROGRAM} -- --help                        the application's own options

Options, before all other arguments:
  --torch auto|cpu|cuda  which build of PyTorch to install. auto, the default: the CPU build on Linux without an NVIDIA
                         driver (the other one is gigabytes larger), what pip prefers elsewhere. cpu and cuda switch
                         an installed environment. On Windows, cuda is the one way to use an NVIDIA card.
  --verbose              show what pip and the package manager print (always kept in .venv/install.log)
  -h, --help             this text

Exit status: the application's or pytest's own; 2 when the set-up fails, 130 when it is interrupted."""

# What pytest is asked for when nothing else is said: all tests, side by side on the cores, with what they cover.
WHOLE_SUITE = ["-n", "logical", "--maxprocesses", "4", "--dist", "worksteal", "--cov", "--cov-report="]

# PyTorch's public package indexes; CUDA 13.0 is the variant that PyPI's Linux build of the same releases uses.
TORCH_INDEX = {"cpu": "https://download.pytorch.org/whl/cpu", "cuda": "https://download.pytorch.org/whl/cu130"}
NVIDIA_SIGNS = ("/proc/driver/nvidia/version", "/dev/nvidia0", "/usr/lib/wsl/lib/libcuda.so.1")

# How each package manager installs; they are looked for in this order, which is that of the columns of LIBRARIES.
MANAGERS = {
    "apt-get": "apt-get install -y --no-install-recommends",
    "dnf": "dnf install -y",
    "pacman": "pacman -S --needed --noconfirm",
    "zypper": "zypper --non-interactive install",
}
# What the libraries of Qt, its window plugins and OpenCV link to and no wheel brings, without what these link to
# (loading libxcb-cursor tries libxcb-image and so on). Debian's libglib2.0-0t64 (since 2024) answers to the old name.
LIBRARIES = """
libEGL.so.1             libegl1             libglvnd-egl       libglvnd          Mesa-libEGL1
libGL.so.1              libgl1              libglvnd-glx       libglvnd          Mesa-libGL1
libgthread-2.0.so.0     libglib2.0-0        glib2              glib2             libgthread-2_0-0
libfontconfig.so.1      libfontconfig1      fontconfig         fontconfig        libfontconfig1
libdbus-1.so.3          libdbus-1-3         dbus-libs          dbus              libdbus-1-3
libgssapi_krb5.so.2     libgssapi-krb5-2    krb5-libs          krb5              krb5
libwayland-cursor.so.0  libwayland-cursor0  libwayland-cursor  wayland           libwayland-cursor0
libX11-xcb.so.1         libx11-xcb1         libX11-xcb         libx11            libX11-xcb1
libxkbcommon-x11.so.0   libxkbcommon-x11-0  libxkbcommon-x11   libxkbcommon-x11  libxkbcommon-x11-0
libxcb-cursor.so.0      libxcb-cursor0      xcb-util-cursor    xcb-util-cursor   libxcb-cursor0
libxcb-icccm.so.4       libxcb-icccm4       xcb-util-wm        xcb-util-wm       libxcb-icccm4
libxcb-keysyms.so.1     libxcb-keysyms1     xcb-util-keysyms   xcb-util-keysyms  libxcb-keysyms1
libxcb-randr.so.0       libxcb-randr0       libxcb             libxcb            libxcb-randr0
libxcb-shape.so.0       libxcb-shape0       libxcb             libxcb            libxcb-shape0
libxcb-sync.so.1        libxcb-sync1        libxcb             libxcb            libxcb-sync1
libxcb-xfixes.so.0      libxcb-xfixes0      libxcb             libxcb            libxcb-xfixes0
"""
A_FONT = ("a font", "fonts-dejavu-core", "dejavu-sans-fonts", "ttf-dejavu", "dejavu-fonts")
FONT_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts", "~/.fonts")


class SetupError(Exception):
    """The set-up cannot go on; the message says why and what to do."""


class KilledError(SetupError):
    """A set-up command was killed (out of memory, say) and may have left half a package behind."""


class Options(typing.NamedTuple):
    """What the command line asks for; `arguments` go to the application or to pytest unchanged."""

    torch: str = "auto"
    verbose: bool = False
    help: bool = False
    test: bool = False
    arguments: tuple[str, ...] = ()


def parse(argv: list[str]) -> Options:
    """Read start.py's own options, which come first; the first argument that is not one ends them."""
    options, rest = Options(), list(argv)
    while rest:
        name, _, value = rest[0].partition("=")
        if rest[0] in ("-h", "--help"):
            options = options._replace(help=True)
        elif rest[0] == "--verbose":
            options = options._replace(verbose=True)
        elif name == "--torch":
            if not value and len(rest) > 1:
                value = rest.pop(1)
            if value not in ("auto", "cpu", "cuda"):
                raise SetupError(f"--torch takes auto, cpu or cuda, not {value!r}.")
            options = options._replace(torch=value)
        else:
            break
        rest.pop(0)
    if rest[:1] == ["test"]:
        return options._replace(test=True, arguments=tuple(rest[1:]))
    return options._replace(arguments=tuple(rest[1:] if rest[:1] == ["--"] else rest))


def say(text: str) -> None:
    """Tell the user; on stderr, because stdout belongs to the application."""
    print(text, file=sys.stderr, flush=True)


class Environment:
    """The virtual environment `.venv` beside start.py, and how far its set-up has come.

    `stamp` exists only after a complete installation and says what was installed; `unfinished` exists while one is
    under way, so that finding it means that one was killed and may have left half a package behind. `offered` says that
    the start menu was spoken of.
    """

    def __init__(self, root: Path = ROOT, verbose: bool = False) -> None:
        self.root = root
        self.verbose = verbose
        self.folder = root / ".venv"
        self.python = self.folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
        self.stamp = self.folder / "start-stamp.json"
        self.unfinished = self.folder / "start-unfinished"
        self.offered = self.folder / "start-menu-offered"
        self.lock = self.folder / "start.lock"
        self.log = self.folder / "install.log"

    def run(self, command: list[str], advice: str = "") -> tuple[int, str]:
        """Run a set-up command; its output goes to the log, and to the terminal with --verbose.

        With `advice`, a failure shows the end of the output and raises SetupError; else the caller sees to the status.
        """
        output = []
        self.folder.mkdir(exist_ok=True)
        with self.log.open("a", encoding="utf-8") as log:
            log.write(f"$ {' '.join(command)}\n")
            log.flush()
            # close_fds=False: pip inherits the lock, and should start.py be killed keeps it until it has ended too.
            with subprocess.Popen(
                command,
                cwd=self.root,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                errors="replace",
                close_fds=False,
            ) as process:
                try:
                    for line in process.stdout or ():
                        output.append(line)
                        log.write(line)
                        if self.verbose:
                            sys.stderr.write(line)
                except BaseException:
                    process.terminate()
                    raise
        if advice and process.returncode != 0:
            if not self.verbose:
                say("".join(output[-15:]))
            failure = KilledError if process.returncode < 0 else SetupError
            raise failure(f"{advice} The whole output is in {self.log}")
        return process.returncode, "".join(output)

    def pip(self, *arguments: str) -> list[str]:
        """Return the command that runs the environment's own pip."""
        return [str(self.python), "-m", "pip", "--disable-pip-version-check", "--no-input", *arguments]

    def probe(self) -> dict[str, typing.Any]:
        """Ask the interpreter for its version and whether it finds pip and this project; empty when it cannot run."""
        code = (
            "import json, sys; from importlib.util import find_spec; print(json.dumps(dict("
            "python=list(sys.version_info[:2]), pip=bool(find_spec('pip')), project=bool(find_spec('fkd_desktop')))))"
        )
        with contextlib.suppress(OSError, ValueError, subprocess.TimeoutExpired):
            command = [str(self.python), "-I", "-c", code]
            answer = subprocess.run(command, capture_output=True, check=False, timeout=60, stdin=subprocess.DEVNULL)
            return dict(json.loads(answer.stdout))
        return {}

    def read_stamp(self) -> dict[str, typing.Any]:
        """Return what the last complete installation wrote down; empty when there is none that can be read."""
        with contextlib.suppress(OSError, ValueError, TypeError):
            return dict(json.loads(self.stamp.read_text(encoding="utf-8")))
        return {}

    def project_hash(self) -> str:
        """Return the SHA-256 of pyproject.toml, which lists all that is installed."""
        return hashlib.sha256((self.root / "pyproject.toml").read_bytes()).hexdigest()

    def is_current(self, extras: set[str], torch: str) -> bool:
        """Tell whether all that is asked for is installed and works; never takes the network."""
        stamp = self.read_stamp()
        return (
            not self.unfinished.exists()
            and stamp.get("project") == self.project_hash()
            and extras <= set(stamp.get("extras", ()))
            and torch in ("auto", torch_build(self.torch_version()))
            and not self.is_broken()
        )

    def is_broken(self) -> bool:
        """Tell whether only a new environment helps: none there, killed in mid-install, moved, or another Python."""
        stamp, probe = self.read_stamp(), self.probe()
        if self.unfinished.exists() or not probe.get("pip") or tuple(probe["python"]) < OLDEST_PYTHON:
            return True
        here = {"root": str(self.root), "python": probe["python"]}
        return bool(stamp) and (not probe["project"] or any(stamp.get(key) != value for key, value in here.items()))

    def make(self) -> None:
        """Make a new environment with pip alone; of an old one stay the lock (which is held), the log and `offered`."""
        self.unfinished.touch()
        self.stamp.unlink(missing_ok=True)
        say(f"Making {self.folder} ...")
        for entry in self.folder.iterdir():
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            elif entry not in (self.lock, self.log, self.unfinished, self.offered):
                entry.unlink()
        # The base interpreter: start.py may itself be run by the .venv that is being replaced.
        base = getattr(sys, "_base_executable", None) or sys.executable
        advice = "Python's venv module failed: delete .venv and start again, or try another Python (3.11 or newer)."
        self.run([base, "-m", "venv", str(self.folder)], advice)

    def install(self, extras: set[str], torch: str) -> None:
        """Install PyTorch in the wanted build, then the project (editable) with `extras`, and write the stamp."""
        extras = extras | set(self.read_stamp().get("extras", ()))
        advice = "Installing failed as shown above: see to the cause (often the network or the disk), then start again."
        try:
            plan = torch_plan(self, torch)
            self.unfinished.touch()
            self.stamp.unlink(missing_ok=True)
            if plan:
                # Alone: the project's installation brings its dependencies, from the ordinary index.
                self.run(self.pip("install", "--no-deps", "--force-reinstall", *plan), advice)
                leftovers = self.cuda_packages()
                if leftovers and torch_build(self.torch_version()) == "cpu":
                    self.run(self.pip("uninstall", "-y", *leftovers), advice)
            target = f".[{','.join(sorted(extras))}]" if extras else "."
            self.run(self.pip("install", "-e", target), advice)
        except SetupError as error:
            if not isinstance(error, KilledError):
                self.unfinished.unlink(missing_ok=True)  # pip failed and cleaned up: what is there can be used again.
            raise
        stamp = {"project": self.project_hash(), "root": str(self.root), "extras": sorted(extras)}
        draft = self.stamp.with_suffix(".new")
        draft.write_text(json.dumps({**stamp, "python": self.probe().get("python")}), encoding="utf-8")
        draft.replace(self.stamp)
        self.unfinished.unlink()
        version = self.torch_version()
        if version:
            build = torch_build(version)
            other = "cpu" if build == "cuda" else "cuda"
            switch = "" if sys.platform == "darwin" else f"; to switch: {PROGRAM} --torch {other}"
            say(f"Installed, with PyTorch {version} (the {build.upper()} build{switch})")

    def installed(self) -> dict[str, str]:
        """Return the version of each installed distribution by its normalised name ("nvidia_nccl_cu13")."""
        site = "Lib/site-packages" if sys.platform == "win32" else "lib/python*/site-packages"
        names = (folder.name[: -len(".dist-info")] for folder in self.folder.glob(f"{site}/*-*.dist-info"))
        return {name.lower(): version for name, _, version in (text.partition("-") for text in names)}

    def torch_version(self) -> str:
        """Return the installed PyTorch's version with its build tag ("2.13.0+cpu"), or "" when there is none."""
        return self.installed().get("torch", "")

    def cuda_packages(self) -> list[str]:
        """Return the packages that only a CUDA build of PyTorch needs: gigabytes that the CPU build leaves unused."""
        return sorted(name for name in self.installed() if name.startswith(("nvidia_", "cuda_")) or name == "triton")


def torch_requirement(root: Path) -> str:
    """Return the version range that pyproject.toml asks of torch ("" when it does not ask for torch)."""
    import tomllib  # noqa: PLC0415  # absent before 3.11, and a start with nothing to install does without it

    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found = (re.fullmatch(r"torch\b\s*([^;\w-][^;]*).*", item) for item in project.get("dependencies", ()))
    return next((match.group(1).strip() for match in found if match), "")


def in_range(version: str, requirement: str) -> bool:
    """Tell whether a release fits a range such as ">=2.10,<2.14"; pip has the last word when it installs."""

    def number(text: str) -> list[int]:
        parts = [int(part) for part in re.findall(r"\d+", text.partition("+")[0])]
        return (parts + [0] * 4)[:4]  # 2.10 is 2.10.0

    orders = {"<": (-1,), "<=": (-1, 0), "==": (0,), "!=": (-1, 1), ">=": (0, 1), ">": (1,)}
    for operator, bound in re.findall(r"([<>=!]=?)\s*([\d.]+)", requirement):
        ours, theirs = number(version), number(bound)
        if (ours > theirs) - (ours < theirs) not in orders.get(operator, ()):
            return False
    return True


def torch_build(version: str) -> str:
    """Return the build a PyTorch version stands for here: PyPI's, without a tag, has CUDA on Linux alone."""
    tag = version.partition("+")[2]
    if not tag:
        return "cuda" if version and sys.platform == "linux" else "cpu"
    return "cuda" if tag.startswith("cu") else tag


def has_nvidia_driver() -> bool:
    """Tell whether an NVIDIA driver is installed (Linux, WSL included)."""
    return any(Path(sign).exists() for sign in NVIDIA_SIGNS) or shutil.which("nvidia-smi") is not None


def torch_plan(environment: Environment, torch: str) -> list[str]:
    """Return what to tell pip to get the wanted build of PyTorch; empty when its own choice is the right one.

    The builds on offer are listed, never resolved: resolving makes pip fetch the whole wheel, half a gigabyte for the
    CUDA build, only to read which packages it depends on.
    """
    requirement, installed = torch_requirement(environment.root), environment.torch_version()
    if torch == "cuda" and sys.platform == "darwin":
        raise SetupError("There is no CUDA build of PyTorch for macOS: leave --torch out (it uses the GPU by Metal).")
    wanted = torch
    if torch == "auto":
        wanted = "cpu" if sys.platform == "linux" and not has_nvidia_driver() else ""
    fits = installed and in_range(installed, requirement) and torch in ("auto", torch_build(installed))
    if not requirement or not wanted or fits:
        return []
    index = TORCH_INDEX[wanted]
    for where in ([], ["--index-url", index, "--timeout", "15", "--retries", "1"]):
        _, output = environment.run(environment.pip("index", "versions", "torch", *where))
        listed = re.search(r"^Available versions: (.*)$", output, re.MULTILINE)
        for version in listed.group(1).split(", ") if listed else ():
            if torch_build(version) == wanted and in_range(version, requirement):
                return [f"torch==={version}", *where[:2]]
    missing = f"No {wanted.upper()} build of PyTorch {requirement} is on offer ({index} has none or cannot be reached)"
    if torch == "auto":
        say(f"{missing}: taking the standard build, which may bring several gigabytes of CUDA libraries.")
        return []
    raise SetupError(f"{missing}: check the network connection and start again; nothing was changed.")


def find_manager() -> str:
    """Return the package manager of this system, "" when it is none that is known here."""
    return next((name for name in MANAGERS if shutil.which(name)), "")


def is_root() -> bool:
    """Tell whether this process may install system packages."""
    return sys.platform != "win32" and os.geteuid() == 0


def missing_packages(manager: str) -> list[str]:
    """Return the packages of `manager` that this system still needs; what they hold where `manager` is ""."""
    missing = []
    for row in LIBRARIES.strip().splitlines():
        try:
            ctypes.CDLL(row.split()[0])
        except OSError:
            missing.append(row.split())
    fonts = (font for folder in FONT_FOLDERS for font in Path(folder).expanduser().rglob("*.[otOT][tT][fcFC]"))
    if next(fonts, None) is None:
        missing.append(list(A_FONT))
    column = ["", *MANAGERS].index(manager)
    return list(dict.fromkeys(names[column] for names in missing))  # one package can hold several libraries


def install_command(manager: str, packages: list[str]) -> str:
    """Return the command that the user can type to install system packages."""
    return " ".join([*([] if is_root() else ["sudo"]), MANAGERS[manager], *packages])


def install_packages(environment: Environment, packages: list[str]) -> bool:
    """Install system packages with apt-get as root; return whether that was possible and worked."""
    if not is_root() or find_manager() != "apt-get":
        return False
    say(f"Installing system packages: {' '.join(packages)} ...")
    apt_get = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-o", "DPkg::Lock::Timeout=300"]
    environment.run([*apt_get, "update"])  # One unreachable source fails it; the others may well be enough.
    return environment.run([*apt_get, *MANAGERS["apt-get"].split()[1:], *packages])[0] == 0


def check_system(environment: Environment, may_install: bool) -> None:
    """See to the system libraries and the font that Qt needs: install them, or say how and go on."""
    manager = find_manager()
    packages = missing_packages(manager)
    if not packages or (may_install and install_packages(environment, packages)):
        return
    how = f"install them with:\n  {install_command(manager, packages)}" if manager else f"install {', '.join(packages)}"
    say(f"The window needs system libraries that are missing here; {how}")


def require_venv(environment: Environment) -> None:
    """See to Python's venv and ensurepip, which Debian keeps in a package of their own."""
    if importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip"):
        return
    package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
    if not install_packages(environment, [package]):
        how = "" if find_manager() != "apt-get" else f" with\n  {install_command('apt-get', [package])}\n"
        raise SetupError(f"This Python lacks its modules venv and ensurepip: install them{how}, then start again.")


def try_lock(file: typing.IO[str]) -> bool:
    """Try to take the lock; the system frees it with the process, so a killed start leaves none behind."""
    try:
        if sys.platform == "win32":
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            os.set_inheritable(file.fileno(), True)
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:
        return True  # A file system without locks: going on is better than never starting.
    return True


@contextlib.contextmanager
def only_one(path: Path) -> typing.Iterator[None]:
    """Hold the lock file at `path`; wait while another start holds it."""
    with path.open("a", encoding="utf-8") as file:
        if not try_lock(file):
            say("Another start is setting up; waiting for it to finish ...")
            while not try_lock(file):
                time.sleep(0.2)
        yield


def prepare(environment: Environment, options: Options) -> None:
    """Bring the environment to what `options` need; quick, and without the network, when it is there already."""
    extras = {"test"} if options.test else set()
    current = environment.is_current(extras, options.torch)
    if sys.platform == "linux":
        check_system(environment, may_install=not current)
    if current:
        return
    require_venv(environment)
    environment.folder.mkdir(exist_ok=True)
    with only_one(environment.lock):
        if environment.is_current(extras, options.torch):
            return  # The start that this one waited for did it.
        if environment.is_broken():
            environment.make()
            say("Installing (the first time takes a few minutes) ...")
        else:
            say("Installing what has changed ...")
        environment.install(extras, options.torch)


def is_answered() -> bool:
    """Tell whether a person sits at this terminal, before a desktop that has a start menu."""
    has_desktop = sys.platform in ("win32", "darwin") or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    return bool(has_desktop and sys.stdin and sys.stdin.isatty() and sys.stderr and sys.stderr.isatty())


def offer_launcher(environment: Environment, options: Options) -> None:
    """Ask, once and for all, whether the application shall come into the start menu; where nobody answers, do not."""
    speaks_of_it = {"--install-launcher", "--remove-launcher"} & set(options.arguments)
    if options.test or environment.offered.exists() or not (speaks_of_it or is_answered()):
        return
    try:
        environment.offered.touch()
    except OSError:  # another user's installation: what cannot be remembered is not asked
        return
    if speaks_of_it:
        return
    sys.stderr.write("Add FKD Desktop to the start menu? [Y/n] ")
    sys.stderr.flush()
    answer = sys.stdin.readline()  # empty at the end of the input
    if answer and answer.strip().lower() in ("", "y", "yes", "j", "ja"):
        subprocess.run([str(environment.python), "-P", "-m", "fkd_desktop", "--install-launcher"], check=False)


def ignore_current_folder() -> None:
    """Have programs be found by whole paths in PATH alone, as the application does (see trainer/programs.py)."""
    whole = [folder for folder in os.environ.get("PATH", "").split(os.pathsep) if Path(folder).is_absolute()]
    if whole:
        os.environ["PATH"] = os.pathsep.join(whole)
    else:
        os.environ.pop("PATH", None)
    if sys.platform == "win32":
        os.environ["NODEFAULTCURRENTDIRECTORYINEXEPATH"] = "1"


def launch(command: list[str]) -> int:
    """Run the application (or pytest) in the place of start.py and return its exit status."""
    sys.stdout.flush()
    if sys.platform != "win32":
        os.execv(command[0], command)  # Signals, Ctrl-C and the exit status are then the application's own.
    with subprocess.Popen(command) as process:
        while True:
            # Ctrl-C reaches the application too, which decides what to do about it.
            with contextlib.suppress(KeyboardInterrupt):
                return process.wait()


def main(argv: list[str]) -> int:
    """Set up what is missing, then open the application or run the tests."""
    ignore_current_folder()
    try:
        options = parse(argv)
        environment = Environment(ROOT, options.verbose)
        if not options.help:
            prepare(environment, options)
            offer_launcher(environment, options)
    except SetupError as error:
        say(str(error))
        return 2
    except OSError as error:
        say(f"{error}: make sure that {ROOT} can be written, then start again.")
        return 2
    except KeyboardInterrupt:
        say("Interrupted; the next start goes on.")
        return 130
    if options.help:
        print(HELP)
        return 0
    if options.test:
        os.chdir(ROOT)  # where pyproject.toml tells pytest which tests there are
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
        return launch([str(environment.python), "-m", "pytest", *(options.arguments or WHOLE_SUITE)])
    return launch([str(environment.python), "-P", "-m", "fkd_desktop", *options.arguments])  # -P: no module from here


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
