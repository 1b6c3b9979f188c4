"""The wheel as users get it: complete, and working from any folder."""

from __future__ import annotations

import email
import hashlib
import os
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

import fkd_desktop
from tests.packaging.faces import write_faces

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.slow


def build(out):
    """Build the source archive and the wheel into a folder, at a fixed time; return both."""
    subprocess.run(
        [sys.executable, "-m", "build", "--sdist", "--wheel", "--no-isolation", "--outdir", out, ROOT],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "SOURCE_DATE_EPOCH": "1750000000"},
    )
    (archive,) = out.glob("*.tar.gz")
    (wheel,) = out.glob("*.whl")
    return archive, wheel


def digest(content):
    return hashlib.sha256(content).hexdigest()


def contents(path):
    """Return the digest of each file in an archive."""
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as wheel:
            return {name: digest(wheel.read(name)) for name in wheel.namelist()}
    with tarfile.open(path) as archive:
        return {member.name: digest(archive.extractfile(member).read()) for member in archive if member.isfile()}


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    return build(tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module")
def wheel(built):
    return built[1]


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """A new virtual environment with the wheel; what the wheel needs comes from this environment, by path."""
    folder = tmp_path_factory.mktemp("clean") / "env"
    venv.create(folder, with_pip=False)
    bin_folder = folder / ("Scripts" if os.name == "nt" else "bin")
    site = folder / Path(sysconfig.get_path("purelib", vars={"base": "", "platbase": ""}).lstrip("/\\"))
    # A plain path in a .pth file does not run that folder's own .pth files: this checkout's editable install stays out.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", bin_folder / "python", "install", "--no-deps", "--no-index", wheel],
        check=True,
        capture_output=True,
        text=True,
    )
    return bin_folder


def test_the_wheel_carries_the_assets_and_nothing_else(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    for needed in (
        "fkd_assets/weights/compact.safetensors",
        "fkd_assets/weights/compact.onnx",
        "fkd_assets/weights/MODEL_CARD.md",
        "fkd_assets/demo/demo.mp4",
        "fkd_assets/overlays/sunglasses/overlay.toml",
        "fkd_assets/overlays/sunglasses/sunglasses.png",
        "fkd_assets/overlays/dog/overlay.toml",
        "fkd_assets/faces/model.png",
        "fkd_assets/faces/model.json",
        "fkd_assets/translations/fkd_desktop_de.qm",
        "fkd_assets/translations/fkd_desktop_en.qm",
        "fkd_assets/icons/fkd-desktop.svg",
        "fkd_assets/icons/fkd-desktop-512.png",
        "fkd_assets/icons/fkd-desktop.ico",
        "fkd_assets/manual/index.html",
        "fkd_assets/manual/pages/quick-start.html",
        "fkd_assets/icons/actions/keypoints.svg",
        "fkd_desktop/py.typed",
    ):
        assert needed in names
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"fkd_assets", "fkd_desktop", "trainer"}


def test_the_source_archive_is_what_the_wheel_is_made_of(built):
    with tarfile.open(built[0]) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    for needed in ("LICENSE", "README.md", "CHANGELOG.md", "start.py", "hatch_build.py", "packaging/build.py"):
        assert needed in names
    for packed in zipfile.ZipFile(built[1]).namelist():
        name = packed.replace("fkd_assets/", "assets/", 1)
        if ".dist-info/" not in name and not name.startswith("assets/manual/"):  # that is made of docs/manual
            assert name in names
    assert "docs/manual/index.md" in names


def test_a_second_build_is_the_same_to_the_byte(built, tmp_path):
    again = build(tmp_path)
    assert [path.name for path in again] == [path.name for path in built]
    assert [contents(path) for path in again] == [contents(path) for path in built]  # what differs, by name
    assert [digest(path.read_bytes()) for path in again] == [digest(path.read_bytes()) for path in built]


def test_the_version_is_said_in_one_place(built, wheel):
    assert all(fkd_desktop.__version__ in path.name for path in built)
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = email.message_from_bytes(archive.read(name))
    assert metadata["Version"] == fkd_desktop.__version__
    assert metadata["License-Expression"] == "MIT"
    assert metadata.get_all("License-File") == ["LICENSE"]
    assert metadata["Summary"] and metadata["Keywords"] and metadata.get_payload().startswith("# FKD Desktop")


def test_the_installed_demo_runs_from_another_folder_without_a_display(installed, tmp_path, short_clip):
    hidden = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM", "PYTHONPATH")
    environment = {key: value for key, value in os.environ.items() if key not in hidden}
    where = subprocess.run(
        [installed / "python", "-c", "import fkd_desktop, trainer; print(fkd_desktop.__file__, trainer.__file__)"],
        env=environment, cwd=tmp_path, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    assert where.count(str(installed.parent)) == 2
    if not sys.platform.startswith("linux"):
        pytest.skip("only Linux runs without a display")
    done = subprocess.run(
        [installed / "fkd-desktop", "--source", short_clip],
        env=environment, cwd=tmp_path, check=False, capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "30 frames, 30 with faces" in done.stdout
    assert (tmp_path / "fkd-output" / "short-annotated.mp4").stat().st_size > 10_000
    assert (tmp_path / "fkd-output" / "short-sheet.png").is_file()


def run(installed, where, name, *arguments):
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        [installed / name, *map(str, arguments)],
        env=environment, cwd=where, check=False, capture_output=True, text=True, timeout=110,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_installed_commands_answer(installed, tmp_path):
    for command in ("fkd-desktop", "fkd-annotate", "fkd-train"):
        assert command in run(installed, tmp_path, command, "--help")


def test_the_installed_fkd_annotate_works(installed, tmp_path, short_clip):
    run(installed, tmp_path, "fkd-annotate", short_clip, "--out", tmp_path / "out", "--csv")
    assert any((tmp_path / "out").rglob("*.mp4")) and any((tmp_path / "out").rglob("*.csv"))


def test_the_installed_fkd_train_works(installed, tmp_path):
    faces = write_faces(tmp_path / "faces", people=4, pictures=2)
    run(installed, tmp_path, "fkd-train", "train", "--data", faces, "--out", "run", "--epochs", "1", "--device", "cpu")
    said = run(installed, tmp_path, "fkd-train", "export", "--weights", "run/best.safetensors", "--format", "onnx")
    assert said.count("the same as the network") == 2
