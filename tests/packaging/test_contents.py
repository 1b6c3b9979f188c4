"""What the self-contained build leaves out is not needed: tried without a build."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
import types
from pathlib import Path, PurePosixPath

import pytest

from fkd_desktop.i18n import LANGUAGES
from trainer import programs

ROOT = Path(__file__).resolve().parents[2]

IMPORT_ALL = """
import importlib, sys
from pathlib import Path

root = Path(sys.argv[1])
sys.path[:0] = [str(root), str(root / "packaging")]
import contents

unused = set(contents.UNUSED_MODULES)


class Missing:
    def find_spec(self, name, path=None, target=None):
        if name in unused:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


sys.meta_path.insert(0, Missing())
modules = contents.lazy_modules(root)
assert len(modules) > 150
for name in (*modules, "pyqtgraph", "matplotlib.figure", "matplotlib.backends.backend_agg", "onnx", "torch.onnx"):
    importlib.import_module(name)
"""


@pytest.mark.slow
def test_nothing_that_is_imported_is_left_out():
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL, str(ROOT)], capture_output=True, text=True, timeout=110, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.fixture
def contents(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "packaging"))
    return pytest.importorskip("contents")


@pytest.mark.parametrize(
    ("name", "needed"),
    [
        ("torch/lib/libtorch_cpu.so", True),
        ("torch/bin/torch_shm_manager", True),
        ("torch/bin/protoc", False),
        ("torch/include/torch/extension.h", False),
        ("PySide6/Qt/plugins/platforms/libqxcb.so", True),
        ("PySide6/Qt/plugins/platforms/libqeglfs.so", False),
        ("PySide6/Qt/plugins/imageformats/libqwebp.so", True),
        ("PySide6/Qt/lib/libQt6Quick.so.6", False),
        ("PySide6/Qt/translations/qtbase_de.qm", True),
        ("PySide6/Qt/translations/qtbase_fr.qm", False),
        ("matplotlib/mpl-data/fonts/ttf/LastResortHE-Regular.ttf", True),
        ("matplotlib/mpl-data/fonts/ttf/STIXGeneral.ttf", False),
        ("libgtk-3.so.0", False),
        ("libglib-2.0.so.0", True),
        ("fkd_assets/weights/compact.onnx", True),
    ],
)
def test_what_goes_in(contents, name, needed):
    assert contents.is_needed(name) is needed


@pytest.mark.parametrize(
    ("source", "is_systems"),
    [
        ("/usr/lib/x86_64-linux-gnu/libglib-2.0.so.0", True),
        ("/lib/x86_64-linux-gnu/libssl.so.3", True),
        ("/lib64/libz.so.1", True),
        ("/usr/lib64/libz.so.1", True),
        ("/usr/lib/x86_64-linux-gnu/libpython3.11.so.1.0", False),
        ("/lib64/libpython3.13.so.1.0", False),
        ("/usr/lib/python3.11/lib-dynload/_ssl.cpython-311-x86_64-linux-gnu.so", False),
        ("/usr/lib64/python3.13/lib-dynload/_ssl.cpython-313-x86_64-linux-gnu.so", False),
        ("/home/x/build/venv/lib/python3.11/site-packages/torch/lib/libtorch_cpu.so", False),
        ("/opt/lib/libz.so.1", False),
    ],
)
def test_a_package_depends_on_the_systems_libraries_and_brings_its_own_python(contents, source, is_systems):
    assert contents.is_systems(source) is is_systems


def test_a_frozen_application_starts_the_trainer_beside_it(monkeypatch):
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", "/usr/lib/fkd desktop/fkd-desktop")
    assert programs.trainer_command() == ("/usr/lib/fkd desktop/fkd-train",)
    assert programs.opencv_command() == ("/usr/lib/fkd desktop/fkd-train", programs.CHECK_OPENCV)
    monkeypatch.setattr(sys, "executable", "C:/Programs/FKD Desktop/fkd-desktop.exe")
    assert programs.trainer_command() == (str(Path("C:/Programs/FKD Desktop/fkd-train.exe")),)


def test_the_frozen_trainer_runs_what_was_asked_for(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["fkd-train", programs.CHECK_OPENCV, "network.onnx", "points"])
    monkeypatch.setattr(programs, "OPENCV_PROGRAM", "import sys; print(sys.argv[1:])")
    assert programs.run_frozen_trainer() == 0
    assert capsys.readouterr().out == "['network.onnx', 'points']\n"
    monkeypatch.setattr(sys, "argv", ["fkd-train", "--help"])
    with pytest.raises(SystemExit) as ended:
        programs.run_frozen_trainer()
    assert ended.value.code == 0 and "fkd-train" in capsys.readouterr().out


def test_a_library_of_unknown_licence_ends_the_build(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "packaging"))
    licences = pytest.importorskip("licences")
    files = [PurePosixPath(f"av.libs/{name}") for name in ("libx264-d6533a8d.so.165", "libvpx-0123abcd.so.12.0.0")]
    wheel = types.SimpleNamespace(files=files)
    assert [licence for _, licence in licences.av_libraries(wheel)] == ["BSD-3-Clause", "GPL-2.0-or-later"]
    files.append(PurePosixPath("av.libs/libnew-01234567.so.1"))
    with pytest.raises(SystemExit, match="libnew"):
        licences.av_libraries(wheel)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other wheels have other libraries")
def test_the_licences_of_the_installed_av_are_known(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "packaging"))
    licences = pytest.importorskip("licences")
    assert licences.av_libraries(importlib.metadata.distribution("av"))


def test_qts_words_are_there_in_every_language_of_the_application(contents):
    for language in LANGUAGES:
        assert language == "en" or contents.is_needed(f"PySide6/Qt/translations/qtbase_{language}.qm")
