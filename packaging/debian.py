"""A Debian package of the self-contained build."""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
from email.utils import formatdate
from pathlib import Path
from typing import TextIO

import fkd_desktop
from fkd_desktop.desktop_entry.linux import share_files

ROOT = Path(__file__).resolve().parents[1]
NAME = "fkd-desktop"
HOME = Path("usr/lib", NAME)
PROGRAMS = {
    "fkd-desktop": "see yourself with face keypoints or a hat, live",
    "fkd-annotate": "write face keypoints and overlays into pictures and videos",
    "fkd-train": "train and judge networks that find face keypoints",
}
TOOLS = {"dpkg-deb": "dpkg", "dpkg-shlibdeps": "dpkg-dev", "help2man": "help2man"}
# What Qt and OpenCV load by name: no linker tells of it.
LOADED_BY_NAME = ("libegl1", "libgl1", "libxcb-cursor0", "libwayland-cursor0", "fontconfig")
RECOMMENDS = ("fonts-dejavu-core | fonts-freefont-ttf", "xdg-utils", "libgl1-mesa-dri")
DESCRIPTION = """\
real-time face keypoints and overlays on your desktop
 FKD Desktop shows the picture of a camera, a video or photographs with 68
 keypoints on every face, or with sunglasses, a hat or a blur in its place.
 It keeps pictures, recordings and tables of the keypoints. Everything happens
 on this computer.
 .
 The small network behind it can be trained again on pictures of your own, in
 the window, while the live picture goes on. This package brings its own
 Python, Qt, OpenCV and the CPU build of PyTorch."""
OVERRIDES = {
    "embedded-library": "the build is self-contained: these versions are the tested ones",
    "unstripped-binary-or-object": "stripping breaks libraries whose wheels were repaired by patchelf",
    "unstripped-static-library": "the same",
    "custom-library-search-path": "an RPATH within the package's own folder",
    "library-not-linked-against-libc": "libraries of wheels, as their projects build them",
    "shared-library-lacks-prerequisites": "the same",
    "shared-library-is-executable": "the same",
    "wrong-path-for-interpreter": "a first line that a module of PyTorch has by mistake: nothing runs it",
    "hardening-no-pie": "PyInstaller's bootloader and PyTorch's helper are as their wheels have them",
    "duplicate-font-file": "matplotlib opens the fonts beside it; the package's may be of another version or absent",
    "embedded-javascript-library": "the manual's search: the HTML is finished, and opens without Sphinx installed",
    "bogus-mail-host": "builds of one's own have no maintainer; releases set DEBEMAIL",
}


def make_package(folder: Path, work: Path, out: Path, system_files: list[str]) -> Path:
    """Make the package; return its path.

    Parameters
    ----------
    folder
        The self-contained build.
    work
        Where to put it together.
    out
        Where the package goes.
    system_files
        Names in the build that are the system's own libraries: left to the packages that they are from.
    """
    missing = sorted(package for tool, package in TOOLS.items() if shutil.which(tool) is None)
    if missing:
        raise SystemExit(
            f"error: a Debian package needs tools that are missing here: apt-get install {' '.join(missing)}"
        )
    tree = work / "deb"
    shutil.rmtree(tree, ignore_errors=True)
    shutil.copytree(folder, tree / HOME, symlinks=True)
    drop(tree / HOME, system_files)
    write_share(tree, folder)
    (tree / "usr/bin").mkdir(parents=True)
    for name in PROGRAMS:
        (tree / "usr/bin" / name).symlink_to(f"../lib/{NAME}/{name}")
    modes(tree)
    architecture = output("dpkg", "--print-architecture")
    control(tree, architecture, depends(tree, work))
    path = out / f"{NAME}_{fkd_desktop.__version__}_{architecture}.deb"
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(epoch())}
    pack = ["dpkg-deb", "--root-owner-group", "-Zxz", "-z3", "--build", str(tree), str(path)]
    subprocess.run(pack, check=True, env=environment, stdout=subprocess.DEVNULL)
    return path


def drop(home: Path, system_files: list[str]) -> None:
    """Delete the system's libraries, and links that then lead nowhere."""
    for name in system_files:
        (home / "_internal" / name).unlink(missing_ok=True)
    for path in home.rglob("*"):
        if path.is_symlink() and not path.exists():
            path.unlink()


def write_share(tree: Path, folder: Path) -> None:
    """Write launcher, icons, metainfo, documentation, licences and lintian's overrides."""
    for name, content in share_files([f"/{HOME}/{NAME}"]).items():
        write(tree / "usr/share" / name, content)
    documents = tree / "usr/share/doc" / NAME
    shutil.move(tree / HOME / "licences", documents / "licences")
    shutil.rmtree(documents / "licences/common", ignore_errors=True)  # Debian has these itself
    brought = (documents / "licences/README.txt").read_text(encoding="utf-8")
    licence = (ROOT / "LICENSE").read_text(encoding="utf-8")
    texts = f"Their texts are in /usr/share/doc/{NAME}/licences."
    write(documents / "copyright", f"{brought}\n{texts}\n\nFKD Desktop itself:\n\n{licence}".encode())
    entry = (
        f"{NAME} ({fkd_desktop.__version__}) unstable; urgency=medium\n\n  * See the changes of this version in "
        f"CHANGELOG.md.gz.\n\n -- {maintainer()}  {formatdate(epoch())}\n"
    )
    write(documents / "changelog.gz", gzip.compress(entry.encode(), mtime=0))
    write(documents / "CHANGELOG.md.gz", gzip.compress((ROOT / "CHANGELOG.md").read_bytes(), mtime=0))
    for name, purpose in PROGRAMS.items():
        page = manual_page(folder / name, purpose)
        write(tree / f"usr/share/man/man1/{name}.1.gz", gzip.compress(page.encode(), mtime=0))
    lines = [f"# {reason}\n{NAME}: {tag} *\n" for tag, reason in OVERRIDES.items()]
    write(tree / "usr/share/lintian/overrides" / NAME, "".join(lines).encode())


def manual_page(program: Path, purpose: str) -> str:
    """Return the page that `man` shows: the program's own help."""
    page = output(
        "help2man", "--no-info", "--no-discard-stderr", "--section=1", f"--name={purpose}",
        f"--version-string={fkd_desktop.__version__}", "--manual=FKD Desktop", str(program),
        more={"COLUMNS": "80", "SOURCE_DATE_EPOCH": str(epoch())},
    )  # fmt: skip
    return page + "\n"


def depends(tree: Path, work: Path) -> str:
    """Return the packages that the programs and libraries link to, with what is loaded by name."""
    place = work / "shlibdeps"
    (tree / "DEBIAN").mkdir(exist_ok=True)  # by which $ORIGIN in RPATHs is understood
    write(place / "debian/control", f"Source: {NAME}\n\nPackage: {NAME}\nArchitecture: any\n".encode())
    binaries = [path for path in (tree / HOME).rglob("*") if path.is_file() and not path.is_symlink() and is_elf(path)]
    private = sorted({str(path.parent) for path in binaries})
    command = ["dpkg-shlibdeps", "-O", "--ignore-missing-info", "--warnings=0", *(f"-l{folder}" for folder in private)]
    with (work / "shlibdeps.log").open("w") as log:  # it warns of every library that has no version in its name
        found = output(*command, *map(str, binaries), cwd=place, log=log).removeprefix("shlibs:Depends=").split(", ")
    named = {package.split()[0] for package in found}
    return ", ".join(sorted({*found, *(package for package in LOADED_BY_NAME if package not in named)}))


def control(tree: Path, architecture: str, depends_on: str) -> None:
    """Write the control file and the checksums."""
    files = sorted(path for path in tree.rglob("*") if path.is_file() and not path.is_symlink())
    kib = sum(path.stat().st_size for path in files) // 1024
    text = (
        f"Package: {NAME}\nVersion: {fkd_desktop.__version__}\nSection: video\nPriority: optional\n"
        f"Architecture: {architecture}\nMaintainer: {maintainer()}\nInstalled-Size: {kib}\nDepends: {depends_on}\n"
        f"Recommends: {', '.join(RECOMMENDS)}\nDescription: {DESCRIPTION}\n"
    )
    sums = output("md5sum", *(str(path.relative_to(tree)) for path in files), cwd=tree)
    write(tree / "DEBIAN/control", text.encode())
    write(tree / "DEBIAN/md5sums", (sums + "\n").encode())


def modes(tree: Path) -> None:
    """Give every file the mode that packages have."""
    for path in tree.rglob("*"):
        if path.is_symlink():
            continue
        is_program = path.is_dir() or path.parent == tree / HOME or path.name == "torch_shm_manager"
        path.chmod(0o755 if is_program else 0o644)


def maintainer() -> str:
    """Return who stands for this build: DEBFULLNAME and DEBEMAIL, as Debian's own tools have it."""
    name = os.environ.get("DEBFULLNAME", "The FKD Desktop developers")
    return f"{name} <{os.environ.get('DEBEMAIL', 'nobody@fkd-desktop.invalid')}>"


def epoch() -> int:
    """Return the time of the build: SOURCE_DATE_EPOCH, else that of the last commit."""
    return int(os.environ.get("SOURCE_DATE_EPOCH") or output("git", "log", "-1", "--format=%ct", cwd=ROOT))


def is_elf(path: Path) -> bool:
    """Tell whether a file is a program or a library."""
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF"


def write(path: Path, content: bytes) -> None:
    """Write a file, with the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def output(
    *command: str, cwd: Path | None = None, more: dict[str, str] | None = None, log: TextIO | None = None
) -> str:
    """Run a command; return what it prints. Its complaints go to the log, if there is one."""
    done = subprocess.run(
        command, cwd=cwd, env={**os.environ, **(more or {})}, stdout=subprocess.PIPE, stderr=log, text=True, check=True
    )
    return done.stdout.strip()
