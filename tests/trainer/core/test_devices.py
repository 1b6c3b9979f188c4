"""What devices there are, with and without torch's word."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from trainer.core import devices
from trainer.core.devices import DeviceError, available_devices, resolve_device

ROOT = Path(__file__).resolve().parents[3]
VERSION = """from typing import Optional
__version__ = '2.13.0'
debug = False
cuda: Optional[str] = {cuda}
git_version = 'abc'
hip: Optional[str] = {hip}
"""


@pytest.fixture
def machine(monkeypatch, tmp_path: Path):
    """A machine on which torch was not imported, as the arguments describe it."""

    def make(*, cuda: str = "None", hip: str = "None", text: str = VERSION, platform="linux", driver=False) -> None:
        (tmp_path / "version.py").write_text(text.format(cuda=cuda, hip=hip), encoding="utf-8")
        spec = SimpleNamespace(origin=str(tmp_path / "__init__.py"))
        monkeypatch.setattr(devices, "find_spec", lambda name: spec if name == "torch" else None)
        monkeypatch.setattr(devices, "sys", SimpleNamespace(platform=platform, modules={}))

        def load(name: str) -> None:
            assert name in ("libcuda.so.1", "nvcuda.dll")
            if not driver:
                raise OSError(f"{name}: cannot open shared object file")

        monkeypatch.setattr(devices.ctypes, "CDLL", load)

    return make


@pytest.mark.parametrize("platform", ["linux", "win32"])
def test_what_is_certain_without_torch(machine, platform: str) -> None:
    machine(platform=platform)
    assert devices._is_cpu_all_there_is(), "a build without CUDA"
    machine(cuda="'13.0'", platform=platform)
    assert devices._is_cpu_all_there_is(), "no driver"


@pytest.mark.parametrize(
    "found",
    [
        {"cuda": "'13.0'", "driver": True},
        {"hip": "'6.4'"},
        {"cuda": "'13.0'", "hip": "'6.4'"},
        {"platform": "darwin"},
        {"cuda": "'13.0'", "platform": "freebsd"},
        {"text": "__version__ = '2.13.0'\n"},
        {"text": ""},
    ],
)
def test_what_torch_has_to_be_asked_for(machine, found: dict) -> None:
    machine(**found)
    assert not devices._is_cpu_all_there_is()


def test_torch_is_asked_where_its_version_file_is_gone(machine, tmp_path: Path) -> None:
    machine()
    (tmp_path / "version.py").unlink()
    assert not devices._is_cpu_all_there_is()


def test_torch_is_asked_once_it_is_there(machine, monkeypatch) -> None:
    machine()
    devices.sys.modules["torch"] = torch
    assert not devices._is_cpu_all_there_is()


def test_the_guess_is_right_here() -> None:
    """In a process of its own, where torch was not imported."""
    program = """
import sys
from trainer.core import devices
certain = devices._is_cpu_all_there_is()
first = devices.available_devices()
assert certain == ("torch" not in sys.modules)
import torch
print(first == devices.available_devices())
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"


def test_the_cpu_is_there_without_asking(monkeypatch) -> None:
    """A GPU that died can hang whoever asks for it."""
    monkeypatch.setattr(devices, "available_devices", lambda: pytest.fail("it was asked for"))
    assert resolve_device("cpu") == "cpu"
    with pytest.raises(DeviceError, match="auto, cpu, cuda, mps"):
        resolve_device("tpu")


def test_auto_is_the_best(monkeypatch) -> None:
    monkeypatch.setattr(devices, "available_devices", lambda: ("cuda", "cpu"))
    assert resolve_device("auto") == "cuda"
    assert resolve_device("cuda") == "cuda"
    with pytest.raises(DeviceError, match="'mps' is not available here; there are cuda, cpu"):
        resolve_device("mps")


def test_available_devices_are_torchs(monkeypatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert available_devices() == ("cuda", "mps", "cpu")
