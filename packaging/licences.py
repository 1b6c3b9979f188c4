"""The licences of what a self-contained build brings along, collected from the packages themselves."""

from __future__ import annotations

import importlib.metadata
import re
import shutil
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LICENCE = re.compile(r"(licen[cs]e|copying|notice|authors|copyright|third.?party)", re.IGNORECASE)


def main(target: Path) -> None:
    """Copy them into folders named by package, and list packages, versions and licences in README.txt.

    Runs in the environment that is frozen.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    shutil.rmtree(target, ignore_errors=True)
    lines = [
        "FKD Desktop is under the MIT licence (fkd-desktop/LICENSE). This build of it also holds the packages listed",
        "below, each under its own. The FFmpeg libraries that av brings contain x264 and x265, which are under the GNU",
        "General Public License, version 2 or later: as a whole the build may be handed on under that licence. Qt and",
        "PySide6 are used under the GNU Lesser General Public License, version 3; their libraries can be replaced.",
        "On Debian these are /usr/share/common-licenses/GPL-2, GPL-3 and /usr/share/common-licenses/LGPL-3.",
        "",
    ]
    copy([ROOT / "LICENSE"], target / "fkd-desktop")
    for name, distribution in sorted(closure([*project["dependencies"], "pyinstaller"]).items()):
        metadata = distribution.metadata
        said = metadata.get("License-Expression") or next(iter((metadata.get("License") or "").splitlines()), "")
        kinds = [
            text.rpartition(" :: ")[2] for text in metadata.get_all("Classifier", ()) if text.startswith("License")
        ]
        lines.append(f"{name} {distribution.version}: {said or ', '.join(kinds) or 'see its files'}")
        copy(licence_files(distribution), target / name)
    python = Path(sys.base_prefix, "lib", f"python{sys.version_info[0]}.{sys.version_info[1]}", "LICENSE.txt")
    lines.append(f"python {sys.version.split()[0]}: PSF-2.0")
    copy([path for path in (python, Path("/usr/share/doc/python3/copyright")) if path.exists()][:1], target / "python")
    (target / "README.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def closure(requirements: list[str]) -> dict[str, importlib.metadata.Distribution]:
    """Return the distributions that requirements bring, by name, as far as they are installed."""
    found: dict[str, importlib.metadata.Distribution] = {}
    waiting = list(requirements)
    while waiting:
        requirement = waiting.pop()
        if "extra ==" in requirement:
            continue
        name = re.split(r"[^\w.-]", requirement)[0].lower()
        try:
            distribution = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            if name != "opencv-python":
                continue
            distribution = importlib.metadata.distribution("opencv-python-headless")
        name = distribution.metadata["Name"].lower()
        if name not in found:
            found[name] = distribution
            waiting += distribution.requires or ()
    return found


def licence_files(distribution: importlib.metadata.Distribution) -> list[Path]:
    """Return the licence files of one distribution."""
    files = [
        file for file in distribution.files or () if LICENCE.search(file.name) and file.suffix not in (".py", ".pyc")
    ]
    return [path for file in files if (path := Path(str(distribution.locate_file(file)))).is_file()]


def copy(files: list[Path], folder: Path) -> None:
    """Copy files into a folder; those of one name get their folder's before it."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in files:
        target = folder / path.name
        shutil.copyfile(path, folder / f"{path.parent.name}-{path.name}" if target.exists() else target)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
