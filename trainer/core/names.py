"""Names of the networks, devices and engines, for those who must know them before torch is there."""

from __future__ import annotations

from typing import Final, Literal, get_args

NetworkName = Literal["simple", "two_conv", "compact", "large"]
DeviceName = Literal["auto", "cpu", "cuda", "mps"]
EngineName = Literal["auto", "onnxruntime", "pytorch"]

NETWORK_NAMES: Final[tuple[NetworkName, ...]] = get_args(NetworkName)
DEFAULT_NETWORK: Final[NetworkName] = "compact"
DEVICE_NAMES: Final[tuple[DeviceName, ...]] = get_args(DeviceName)
"""What can be asked for; "auto" is the best that works."""
ENGINE_NAMES: Final[tuple[EngineName, ...]] = get_args(EngineName)
"""What can compute a network; "auto" is the quickest on the device."""
