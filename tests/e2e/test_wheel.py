"""The wheel as users get it: complete, and working from any folder."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    out = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, ROOT],
        check=True,
        capture_output=True,
        text=True,
    )
    (path,) = out.glob("*.whl")
    return path


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
        "fkd_assets/icons/actions/keypoints.svg",
        "fkd_desktop/py.typed",
    ):
        assert needed in names
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"fkd_assets", "fkd_desktop", "trainer"}


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


def test_the_installed_commands_answer(installed, tmp_path):
    for command in ("fkd-desktop", "fkd-annotate", "fkd-train"):
        done = subprocess.run(
            [installed / command, "--help"], cwd=tmp_path, check=True, capture_output=True, text=True, timeout=60
        )
        assert command in done.stdout
