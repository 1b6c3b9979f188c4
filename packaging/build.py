"""Make the self-contained build of FKD Desktop, and a Debian package of it: `python packaging/build.py --deb`.

Everything happens in build/packaging (a virtual environment with the CPU build of PyTorch, PyInstaller's work) and
what comes out is in dist/. Built on the oldest system that it is for: a build runs on newer systems, not on older ones.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
import tomllib
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "packaging")]

import contents  # noqa: E402 (this folder is no package)
import debian  # noqa: E402

import start  # noqa: E402

PYINSTALLER = "pyinstaller==6.22.3"
LINKS = ("fkd-annotate", "fkd-train")
LARGEST = 15


def main() -> int:
    """Build, and say what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deb", action="store_true", help="make a Debian package of it, too")
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="where the results go (default: dist)")
    parser.add_argument("--work", type=Path, default=ROOT / "build/packaging", help="where the work is done")
    parser.add_argument("--python", type=Path, help="freeze this environment as it is, instead of making one")
    options = parser.parse_args()
    out, work = options.out.resolve(), options.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    begin_s = time.monotonic()
    python = options.python.absolute() if options.python else make_environment(work)
    subprocess.run([python, ROOT / "docs/build_manual.py"], check=True)
    folder = freeze(python, out, work)
    subprocess.run([python, ROOT / "packaging/licences.py", folder / "licences"], check=True)
    report(folder, work / "freeze/fkd-desktop/contents.json")
    print(f"built in {time.monotonic() - begin_s:.0f} s: {folder}")
    if options.deb:
        print(f"packed: {debian.make_package(folder, work, out, system_files(work))}")
    return 0


def make_environment(work: Path) -> Path:
    """Make (or bring up to date) the environment that is frozen; return its interpreter.

    PyTorch's CPU build is found as start.py finds it.
    """
    environment = start.Environment(ROOT, verbose=True)
    environment.folder = work / "venv"
    environment.python = environment.folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    environment.log = work / "install.log"
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    subprocess.run([sys.executable, "-m", "venv", environment.folder], check=True)
    torch = [] if sys.platform == "darwin" else start.torch_plan(environment, "cpu")  # macOS has one build
    # OpenCV without windows of its own: no second Qt.
    needed = [item.replace("opencv-python", "opencv-python-headless") for item in project["dependencies"]]
    wanted = [*needed, *project["optional-dependencies"]["manual"], PYINSTALLER]
    if torch:
        subprocess.run(environment.pip("install", "--quiet", *torch), check=True)
    subprocess.run(environment.pip("install", "--quiet", *wanted), check=True)
    return environment.python


def freeze(python: Path, out: Path, work: Path) -> Path:
    """Run PyInstaller; return the folder of the build."""
    subprocess.run(
        [
            *(python, "-m", "PyInstaller", "--noconfirm", "--log-level", "WARN"),
            *("--distpath", out, "--workpath", work / "freeze", ROOT / "packaging/fkd-desktop.spec"),
        ],
        check=True,
        cwd=work,
        env={**os.environ, "PYTHONHASHSEED": "0"},
    )
    folder = out / "fkd-desktop"
    if sys.platform.startswith("linux"):
        for name in LINKS:
            (folder / name).symlink_to("fkd-desktop")
    return folder


def system_files(work: Path) -> list[str]:
    """Return the files of the build that are the system's own libraries: a package depends on them instead."""
    account = json.loads((work / "freeze/fkd-desktop/contents.json").read_text(encoding="utf-8"))
    return [entry["name"] for entry in account if entry["kept"] and contents.is_systems(entry["source"])]


def report(folder: Path, account_path: Path) -> None:
    """Print how large the build is, its largest parts, and what was left out."""
    account = json.loads(account_path.read_text(encoding="utf-8"))
    out = Counter[str]()
    for entry in account:
        if not entry["kept"]:
            out[Path(entry["name"]).parts[0]] += entry["bytes"]
    parts = Counter[str]()
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            inside = path.relative_to(folder).parts
            parts["/".join(inside[:2])] += path.stat().st_size
    print(f"size: {_mib(sum(parts.values()))}; left out: {_mib(sum(out.values()))}, not counting unused modules")
    for title, sizes in (("largest parts", parts), ("largest left out", out)):
        print(f"{title}:")
        for name, size in sizes.most_common(LARGEST):
            print(f"  {_mib(size):>10}  {name}")


def _mib(size: int) -> str:
    return f"{size / 2**20:.1f} MiB"


if __name__ == "__main__":
    sys.exit(main())
