"""Where a network can run here; found out without importing torch where that is certain, since it takes a second."""

from __future__ import annotations

import ctypes
import re
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from trainer.core.errors import FkdError
from trainer.core.names import DEVICE_NAMES, DeviceName

_DRIVERS: Final = {"linux": "libcuda.so.1", "win32": "nvcuda.dll"}
"""NVIDIA's driver, as CUDA itself looks for it."""


class DeviceError(FkdError, ValueError):
    """The device that was asked for is not there."""


def available_devices() -> tuple[DeviceName, ...]:
    """Devices that work here, best first. Imports torch, unless it can be told without that there is but the CPU."""
    if _is_cpu_all_there_is():
        return ("cpu",)
    import torch  # noqa: PLC0415 (takes a second)

    devices: list[DeviceName] = []
    if torch.cuda.is_available():
        devices.append("cuda")
    if torch.backends.mps.is_available():
        devices.append("mps")
    return (*devices, "cpu")


def resolve_device(device: DeviceName | str) -> DeviceName:
    """Return the device that a name stands for; "auto" is the best that works here.

    Raises
    ------
    DeviceError
        For an unknown name or a device that is not there.
    """
    if device not in DEVICE_NAMES:
        raise DeviceError(
            "no device is called {device!r}; choose one of {names}",
            device=device,
            names=", ".join(DEVICE_NAMES),
        )
    if device == "cpu":
        return "cpu"
    available = available_devices()
    if device == "auto":
        return available[0]
    for name in available:
        if name == device:
            return name
    raise DeviceError(
        "the device {device!r} is not available here; there are {names}",
        device=device,
        names=", ".join(available),
    )


def _is_cpu_all_there_is() -> bool:
    """Whether it is certain, without torch's word, that there is no other device; False says nothing."""
    if "torch" in sys.modules or sys.platform == "darwin":  # every Mac that torch runs on may have Metal
        return False
    built_for = _gpus_that_torch_is_built_for()
    return built_for == set() or (built_for == {"cuda"} and not _has_nvidia_driver())


def _gpus_that_torch_is_built_for() -> set[str] | None:
    """Kinds of GPUs ("cuda", AMD's "hip") that the installed torch was built for; None where it does not say so."""
    spec = find_spec("torch")
    if spec is None or spec.origin is None:
        return None
    try:
        text = Path(spec.origin).with_name("version.py").read_text(encoding="utf-8")
    except (OSError, ValueError):
        return None
    versions = dict(re.findall(r"^(cuda|hip)\b[^=\n]*=\s*(.+?)\s*$", text, re.MULTILINE))
    if versions.keys() != {"cuda", "hip"}:
        return None
    return {kind for kind, version in versions.items() if version != "None"}


def _has_nvidia_driver() -> bool:
    """Whether NVIDIA's driver can be loaded, by the name by which CUDA loads it; True where that is not known."""
    driver = _DRIVERS.get(sys.platform)
    if driver is None:
        return True
    try:
        ctypes.CDLL(driver)
    except OSError:
        return False
    return True
