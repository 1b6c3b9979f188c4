"""The licences of what a self-contained build brings along, collected from the packages themselves."""

from __future__ import annotations

import importlib.metadata
import re
import shutil
import sys
import textwrap
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COMMON = Path("/usr/share/common-licenses")  # of Debian and its kin
TEXTS = ("Apache-2.0", "GPL-2", "GPL-3", "LGPL-2.1", "LGPL-3", "MPL-2.0")
"""What is needed of them: the texts of licences that packages name without bringing them."""
AV_LIBRARIES = {
    "SvtAv1Enc": "BSD-3-Clause-Clear",
    "Xau": "MIT",
    "asound": "LGPL-2.1-or-later",
    "avcodec": "LGPL-3.0-or-later",
    "avdevice": "LGPL-3.0-or-later",
    "avfilter": "LGPL-3.0-or-later",
    "avformat": "LGPL-3.0-or-later",
    "avutil": "LGPL-3.0-or-later",
    "dav1d": "BSD-2-Clause",
    "drm": "MIT",
    "gmp": "LGPL-3.0-or-later OR GPL-2.0-or-later",
    "gnutls": "LGPL-2.1-or-later",
    "hogweed": "LGPL-3.0-or-later OR GPL-2.0-or-later",
    "mp3lame": "LGPL-2.0-or-later",
    "nettle": "LGPL-3.0-or-later OR GPL-2.0-or-later",
    "opencore-amrnb": "Apache-2.0",
    "opencore-amrwb": "Apache-2.0",
    "opus": "BSD-3-Clause",
    "sharpyuv": "BSD-3-Clause",
    "swresample": "LGPL-3.0-or-later",
    "swscale": "LGPL-3.0-or-later",
    "unistring": "LGPL-3.0-or-later OR GPL-2.0-or-later",
    "vpl": "MIT",
    "vpx": "BSD-3-Clause",
    "webp": "BSD-3-Clause",
    "webpmux": "BSD-3-Clause",
    "x264": "GPL-2.0-or-later",
    "x265": "GPL-2.0-or-later",
    "xcb": "MIT",
    "xcb-shape": "MIT",
    "xcb-shm": "MIT",
    "xcb-xfixes": "MIT",
}
"""The libraries in av's wheel for Linux, whose licences it does not say: FFmpeg's are what they say of themselves
(`avcodec_license()`), the others' those of their projects."""
ABOUT = """\
FKD Desktop is under the MIT licence (fkd-desktop/LICENSE). This build of it also holds the packages listed below, each
under its own. The FFmpeg libraries that av brings are under the GNU Lesser General Public License, version 3 or later,
and use x264 and x265, which are under the GNU General Public License, version 2 or later. So the build as a whole is
under the GNU General Public License, version 3: of the versions that x264 and x265 allow, it is the one that goes
together with FFmpeg's and with the Apache License 2.0 of others. Qt and PySide6 are used under the GNU Lesser General
Public License, version 3. All libraries can be replaced. One thing does not fit: OpenCV's own FFmpeg brings OpenSSL
1.1.1, whose licence the Free Software Foundation holds to be incompatible with the GPL. Whoever hands the build on to
others has to settle that first. On Debian the texts of the common licences are in /usr/share/common-licenses, as GPL-3
and so on; elsewhere in common."""
LICENCE = re.compile(r"(licen[cs]e|copying|notice|authors|copyright|third.?party)", re.IGNORECASE)


def main(target: Path) -> None:
    """Copy them into folders named by package, and list packages, versions and licences in README.txt.

    Runs in the environment that is frozen.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    shutil.rmtree(target, ignore_errors=True)
    lines = [*textwrap.wrap(ABOUT, 110), ""]
    copy([COMMON / name for name in TEXTS if (COMMON / name).exists()], target / "common")
    copy([ROOT / "LICENSE"], target / "fkd-desktop")
    for name, distribution in sorted(closure([*project["dependencies"], "pyinstaller"]).items()):
        metadata = distribution.metadata
        said = metadata.get("License-Expression") or (metadata.get("License") or "")
        if "\n" in said:  # a whole text
            said = ""
        kinds = [
            text.rpartition(" :: ")[2] for text in metadata.get_all("Classifier", ()) if text.startswith("License")
        ]
        lines.append(f"{name} {distribution.version}: {said or ', '.join(kinds) or 'see its files'}")
        copy(licence_files(distribution), target / name)
        if name == "av":
            lines += [f"  {library}: {licence}" for library, licence in av_libraries(distribution)]
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


def av_libraries(distribution: importlib.metadata.Distribution) -> list[tuple[str, str]]:
    """Return the libraries that av's wheel brings, and their licences.

    Raises
    ------
    SystemExit
        If there is one whose licence nobody has looked up.
    """
    names = sorted(file.name for file in distribution.files or () if file.parts[0] == "av.libs")
    bare = {name: re.sub(r"^lib|(-[0-9a-f]{8})?\.so.*$", "", name) for name in names}
    unknown = [name for name in names if bare[name] not in AV_LIBRARIES]
    if unknown:
        raise SystemExit(f"error: look up the licences of {', '.join(unknown)}, and add them to packaging/licences.py")
    return [(name, AV_LIBRARIES[bare[name]]) for name in names]


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
