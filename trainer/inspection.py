"""Looking into a network: its layers and what they cost, its first kernels, and what each layer makes of a face."""

from __future__ import annotations

import math
import time
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from torch import nn

from trainer.core.checkpoint import Checkpoint, load_checkpoint
from trainer.core.devices import resolve_device
from trainer.core.errors import FkdError
from trainer.core.models import count_parameters
from trainer.core.preprocess import as_grey_or_bgr, crop_squares, extract_crop
from trainer.core.resources import default_weights_path
from trainer.core.text import Text
from trainer.core.weights_file import CheckpointError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import ArrayLike, NDArray

OUTPUT: Final = "output"
"""Name of the row for the network as a whole: what it does between and after its layers, and its keypoints."""
_RUNS: Final = 30
_MEASURE_S: Final = 1.0
_KINDS: Final = {"Residual": Text("Shortcut added, ReLU"), "ReLU": "ReLU", "Linear": "Linear"}


class InspectionError(FkdError):
    """A network cannot be looked into, or what was asked for is not in it."""


@dataclass(frozen=True)
class LayerInfo:
    """A row of the architecture table.

    Attributes
    ----------
    name
        Path of the layer in the network, with words in place of numbers where it is one of a row.
    kind
        What it is.
    output_shape
        Of one crop: (C, H, W) or (N,).
    parameters
        Trainable numbers, as the weights file holds them.
    has_norm
        Whether a batch normalisation is part of it, folded into the convolution.
    time_ms, time_share
        What it takes for one crop, and of the whole; shares add up to 1.
    """

    name: str
    kind: str
    output_shape: tuple[int, ...]
    parameters: int
    has_norm: bool
    time_ms: float
    time_share: float

    @property
    def is_spatial(self) -> bool:
        """Whether its output is maps and not a row of values."""
        return len(self.output_shape) == 3

    @property
    def is_whole(self) -> bool:
        """Whether this is the row for the network as a whole."""
        return self.name == OUTPUT


@dataclass(frozen=True)
class _Unit:
    name: str
    kind: str
    module: nn.Module
    parameters: int
    has_norm: bool


class _Done(Exception):  # noqa: N818 (no error: the way out of a forward pass that has gone far enough)
    pass


class Inspection:
    """A network of its own to look into, never the one of a live session. Use it from one thread at a time.

    It is shown as it runs, with each batch normalisation folded into the convolution before it: so times and maps are
    those of the live session, where a normalisation costs nothing and its input never exists. Parameters are counted
    before that, as the weights file and training have them.

    Parameters
    ----------
    weights
        A weights file (None: the shipped one), or a checkpoint, whose network is taken over and rewritten.
    device
        See `trainer.core.names.DEVICE_NAMES`.

    Raises
    ------
    CheckpointError
        If the weights cannot be used.
    DeviceError
        If the device is not there.
    """

    def __init__(self, weights: Path | str | Checkpoint | None = None, *, device: str = "auto") -> None:
        self.device = torch.device(resolve_device(device))
        checkpoint = weights if isinstance(weights, Checkpoint) else load_checkpoint(_path(weights))
        network = checkpoint.network.eval()
        self.network_name = checkpoint.name
        self.parameters = count_parameters(network)
        self.size_px = network.input_spec.size_px
        self._crop_per_box = network.input_spec.crop_per_box
        self._units = tuple(_units(network, ""))
        network.fold()
        network.requires_grad_(requires_grad=False)
        self._network = network.to(self.device, memory_format=network.memory_format)  # type: ignore[call-overload]
        self._layers: tuple[LayerInfo, ...] | None = None

    def layers(self) -> tuple[LayerInfo, ...]:
        """Every layer in the order in which they finish, and `OUTPUT` last; measured once, which takes about a second.

        A layer that holds others has the time that is left when theirs is taken away, so shares add up to 1.
        """
        if self._layers is None:
            self._layers = self._measure()
        return self._layers

    @property
    def total_ms(self) -> float:
        """What one crop takes."""
        return sum(layer.time_ms for layer in self.layers())

    def kernels(self) -> NDArray[np.float32]:
        """(C, k, k) kernels of the first convolution, for its first input; (0, 1, 1) if there is no convolution."""
        for module in self._network.modules():
            if isinstance(module, nn.Conv2d):
                return module.weight[:, 0].float().cpu().numpy().copy()
        return np.empty((0, 1, 1), np.float32)

    def crop_of(self, frame_bgr: NDArray[np.uint8], box_xywh: ArrayLike | None) -> NDArray[np.uint8]:
        """Cut out what the network would see.

        Parameters
        ----------
        frame_bgr
            (H, W, 3) uint8, or as `trainer.core.preprocess.as_grey_or_bgr` takes it.
        box_xywh
            (4,) face box in frame pixels; None, where there is no face, for the middle of the picture.

        Returns
        -------
        (S, S) uint8.
        """
        frame = as_grey_or_bgr(frame_bgr)
        if box_xywh is None:
            height, width = frame.shape[:2]
            side = min(height, width)
            square = np.array([(width - side) // 2, (height - side) // 2, side], np.float32)
        else:
            square = crop_squares(np.asarray(box_xywh, np.float32), crop_per_box=self._crop_per_box)[0]
        return extract_crop(frame, square, size_px=self.size_px)

    def keypoints(self, crop: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(68, 2) unit keypoints of an (S, S) crop."""
        return self.activations(crop, OUTPUT).reshape(-1, 2)

    def activations(self, crop: NDArray[np.uint8], layer: str) -> NDArray[np.float32]:
        """Return what a layer makes of a crop; the network runs no further than to that layer.

        Parameters
        ----------
        crop
            (S, S) uint8, of `crop_of`.
        layer
            A name of `layers`.

        Returns
        -------
        (C, H, W) float32 maps, or (N,) values of a flat layer: 136 for `OUTPUT`, x and y by turns.

        Raises
        ------
        InspectionError
            If there is no such layer, or the device has no memory left.
        """
        unit = next((unit for unit in self._units if unit.name == layer), None)
        if unit is None:
            names = ", ".join(unit.name for unit in self._units)
            raise InspectionError(
                "the {network} network has no layer {layer!r}; choose one of {names}",
                network=self.network_name,
                layer=layer,
                names=names,
            )
        kept: list[NDArray[np.float32]] = []

        def keep(_module: nn.Module, _inputs: Any, output: Any) -> None:
            # A copy, taken now: the ReLU after it may write into the same memory.
            kept.append(_values(output).float().cpu().numpy().copy())
            raise _Done

        hook = unit.module.register_forward_hook(keep)
        try:
            self._run(crop)
        except _Done:
            pass
        except torch.OutOfMemoryError as error:
            raise InspectionError(
                "{device} has no memory left for {layer}; close other programs", device=self.device.type, layer=layer
            ) from error
        finally:
            hook.remove()
        if not kept:
            raise InspectionError(
                "the {network} network never runs its layer {layer}; choose another",
                network=self.network_name,
                layer=layer,
            )
        return kept[0]

    def _run(self, crop: NDArray[np.uint8]) -> None:
        with torch.inference_mode():
            self._network(torch.from_numpy(crop)[None, None].to(self.device).float().div_(255))

    def _measure(self) -> tuple[LayerInfo, ...]:
        watch = _StopWatch(self._synchronise)
        crop = np.random.default_rng(0).integers(0, 256, (self.size_px, self.size_px), np.uint8)
        with watch.on({unit.name: unit.module for unit in self._units}):
            self._run(crop)  # the first run is slower: it is not counted
            watch.took_s.clear()
            deadline = time.perf_counter() + _MEASURE_S
            for run in range(_RUNS):
                self._run(crop)
                if run >= 2 and time.perf_counter() > deadline:
                    break
        medians = {name: max(float(np.median(times)), 0.0) for name, times in watch.took_s.items()}
        whole_s = sum(medians.values())
        unit_of = {unit.name: unit for unit in self._units}
        return tuple(
            LayerInfo(
                name=name,
                kind=unit_of[name].kind,
                output_shape=watch.shapes[name],
                parameters=unit_of[name].parameters,
                has_norm=unit_of[name].has_norm,
                time_ms=1000 * median_s,
                time_share=median_s / whole_s,
            )
            for name, median_s in medians.items()
        )

    def _synchronise(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        elif self.device.type == "mps":
            torch.mps.synchronize()


class _StopWatch:
    """Notes by forward hooks how long modules take, each without those inside it.

    What a hook takes beside its module falls to the module around it, where twenty layers' hooks would be a good part
    of the time: so it is measured first, and taken off.
    """

    def __init__(self, synchronise: Callable[[], None]) -> None:
        self._synchronise = synchronise
        self.took_s: dict[str, list[float]] = {}
        self.shapes: dict[str, tuple[int, ...]] = {}
        self._starts_s: list[float] = []
        self._inner_s = [0.0]
        self._hook_s = 0.0
        self._hook_s = self._measure_hook()

    @contextmanager
    def on(self, modules: Mapping[str, nn.Module]) -> Iterator[None]:
        """Watch modules."""
        hooks: list[torch.utils.hooks.RemovableHandle] = []
        try:
            for name, module in modules.items():
                hooks.append(module.register_forward_pre_hook(self._begin))
                hooks.append(module.register_forward_hook(partial(self._end, name)))
            yield
        finally:
            for hook in hooks:
                hook.remove()

    def _begin(self, _module: nn.Module, _inputs: Any) -> None:
        self._synchronise()
        self._inner_s.append(0.0)
        self._starts_s.append(time.perf_counter())

    def _end(self, name: str, _module: nn.Module, _inputs: Any, output: Any) -> None:
        self._synchronise()
        whole_s = time.perf_counter() - self._starts_s.pop()
        self.took_s.setdefault(name, []).append(whole_s - self._inner_s.pop())
        self._inner_s[-1] += whole_s + self._hook_s
        self.shapes[name] = tuple(_values(output).shape)

    def _measure_hook(self) -> float:
        probe, something = nn.Identity(), torch.zeros(1, 1)
        whole_s = []
        with self.on({"": probe}):
            for _ in range(200):
                start_s = time.perf_counter()
                probe(something)
                whole_s.append(time.perf_counter() - start_s)
        del self.shapes[""]
        return float(np.median(whole_s) - np.median(self.took_s.pop("")))


def memory_of(weights: Path | None) -> int:
    """Bytes that a network will take in memory, from the file's header alone; 0 where that cannot be read."""
    try:
        with safe_open(str(_path(weights)), framework="np") as file:
            return sum(4 * math.prod(file.get_slice(key).get_shape()) for key in file.keys())  # noqa: SIM118 (no dict)
    except (SafetensorError, OSError):
        return 0  # loading will say what is wrong


def _path(weights: Path | str | None) -> Path:
    if weights is not None:
        return Path(weights)
    try:
        return default_weights_path()
    except FileNotFoundError as error:
        raise CheckpointError("there are no shipped weights: {error}", error=error) from error


def _values(output: Any) -> torch.Tensor:
    """Return the one crop's values of a layer's output, or the keypoints of the network's."""
    tensor: torch.Tensor = output if isinstance(output, torch.Tensor) else output[0]
    return tensor[0] if tensor.ndim == 4 else tensor[0].flatten()


def _units(module: nn.Module, path: str) -> Iterator[_Unit]:
    """List what hooks can see: layers, convolutions together with their normalisation, and what holds others."""
    children = dict(module.named_children())
    types = [type(child) for child in children.values()]
    name = path or OUTPUT
    parameters = sum(p.numel() for p in module.parameters())
    if types == [nn.Conv2d, nn.BatchNorm2d]:
        yield _Unit(name, _kind(next(iter(children.values()))), module, parameters, has_norm=True)
    elif not children:
        yield _Unit(name, _kind(module), module, parameters, has_norm=False)
    else:
        words = _words(module, children)
        for key, child in children.items():
            yield from _units(child, f"{path}.{words[key]}" if path else words[key])
        if not path:
            yield _Unit(name, Text("Keypoints"), module, 0, has_norm=False)
        elif not isinstance(module, nn.Sequential):
            yield _Unit(name, _kind(module), module, 0, has_norm=False)


def _words(module: nn.Module, children: dict[str, nn.Module]) -> dict[str, str]:
    """Name the members of a row: the convolution, its ReLU, and blocks by number; others keep their names."""
    if not isinstance(module, nn.Sequential):
        return {key: key for key in children}
    words: dict[str, str] = {}
    blocks = 0
    for key, child in children.items():
        has_convolution = isinstance(child, nn.Conv2d) or isinstance(next(child.children(), None), nn.Conv2d)
        word = "conv" if has_convolution else type(child).__name__.lower() if not list(child.children()) else ""
        if not word or word in words.values():
            blocks += 1
            word = f"{word}{blocks}"
        words[key] = word
    return words


def _kind(module: nn.Module) -> str:
    match module:
        case nn.Conv2d(kernel_size=size, stride=stride):
            kind = f"Conv2d {_by(size)}"
            return Text("{kind}, stride {stride}", kind=kind, stride=stride[0]) if stride[0] > 1 else kind
        case nn.MaxPool2d(kernel_size=size):
            return f"MaxPool2d {_by(size)}"
        case _:
            word = type(module).__name__.lstrip("_")
            return _KINDS.get(word, word)


def _by(size: int | tuple[int, ...]) -> str:
    return " × ".join(map(str, (size, size) if isinstance(size, int) else size))
