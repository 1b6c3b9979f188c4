"""A network on its way: the training step, and everything that must be kept to go on as if never stopped."""

from __future__ import annotations

import json
import math
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import psutil
import torch
from safetensors.torch import load, save
from torch.nn import functional

from trainer import losses
from trainer.core.text import Text
from trainer.parallel import ALONE, Team
from trainer.runs import TrainingError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from torch import Tensor, nn

    from trainer.config import TrainConfig
    from trainer.core.models import KeypointNetwork

FACE_LOSS_WEIGHT: Final = 0.2
CLIP_NORM: Final = 2.0
WARM_UP_SHARE: Final = 0.15
STATE_FORMAT: Final = "fkd-training-state"
_NO_MEMORY: Final = ("out of memory", "can't allocate memory", "not enough memory", "ALLOC_FAILED", "ALLOCATION_FAILED")
"""What PyTorch says of a full memory in errors for all kinds of faults: the processor's, CUDA's and its libraries'."""


@contextmanager
def memory_explained(device: torch.device) -> Iterator[None]:
    """Turn a full memory, wherever it is met, into a `TrainingError`."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not is_memory_full(error):
            raise
        raise TrainingError(
            "the memory of {device} is full; free some, or choose a smaller network or another device", device=device
        ) from error


def is_memory_full(error: Exception) -> bool:
    """Whether an error says that a memory is full, the computer's or a GPU's."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return type(error) in (RuntimeError, torch.AcceleratorError) and any(words in str(error) for words in _NO_MEMORY)


def memory_in_use(device: torch.device) -> int:
    """Return the bytes that this process holds: of the GPU's memory on CUDA, else of the computer's."""
    if device.type == "cuda":
        return torch.cuda.memory_reserved(device)
    return int(psutil.Process().memory_info().rss)


class Learner:
    """A network with its optimizer and schedule.

    On CUDA nothing waits for the device until `losses` are asked for: it is given the next step before it has done the
    last one.

    Parameters
    ----------
    network
        On its device already.
    config
        Loss, optimizer, schedule and precision.
    total_steps
        Steps of the whole run: what the one-cycle schedule is stretched over.
    team
        The processes that share the run.
    on_notice
        Told, in a sentence, when the batch had to be cut into parts to fit the memory.
    runs_ahead
        Whether not to wait; None: on CUDA.
    """

    def __init__(
        self,
        network: KeypointNetwork,
        config: TrainConfig,
        *,
        total_steps: int,
        team: Team = ALONE,
        on_notice: Callable[[str], None] = lambda _: None,
        runs_ahead: bool | None = None,
    ) -> None:
        self.network, self._config, self._team, self._on_notice = network, config, team, on_notice
        self.device = next(network.parameters()).device
        self.runs_ahead = self.device.type == "cuda" if runs_ahead is None else runs_ahead
        self._module: nn.Module = team.wrap(network, self.device)
        self._optimizer = _make_optimizer(config, network)
        self._schedule: torch.optim.lr_scheduler.LRScheduler | None = None
        if config.schedule == "one_cycle":
            self._schedule = torch.optim.lr_scheduler.OneCycleLR(
                self._optimizer, max_lr=config.learning_rate, total_steps=total_steps, pct_start=WARM_UP_SHARE
            )
        half = config.precision == "bfloat16" or (config.precision == "auto" and self.device.type == "cuda")
        self._autocast = torch.autocast(self.device.type, torch.bfloat16, enabled=half)
        if half:
            for name in network.heads:
                network.get_submodule(name).register_forward_pre_hook(_leave_autocast)
        self._parts = 1
        self._losses: list[Tensor] = []

    def step(self, crops: Tensor, points: Tensor, faces_in_team: int) -> None:
        """Take one step; what its loss was, `losses` tells. A loss that is no number changes no weight.

        Parameters
        ----------
        crops
            (B + K, 1, S, S), the last K no faces.
        points
            (B, 68, 2) unit keypoints of the first B.
        faces_in_team
            Faces of this batch over all processes.

        Raises
        ------
        TrainingError
            If not even single faces fit into the memory.
        """
        while True:
            try:
                loss = self._accumulate(crops, points, faces_in_team)
                break
            except RuntimeError as error:
                if not is_memory_full(error):
                    raise
                self._split_further(len(points), error)
        loss = self._team.total(loss)
        self._losses.append(loss)
        # Looked at before the step: weights that a bad gradient has not touched yet are still good.
        if self.runs_ahead:
            self._step_if_finite(loss)
        elif loss.isfinite():
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), CLIP_NORM)
            self._optimizer.step()
        else:
            return
        if self._schedule:
            self._schedule.step()

    def _step_if_finite(self, loss: Tensor) -> None:
        """Let the optimizer's own pass over memory see to both: to clip the gradients, and to do nothing at all."""
        gradients = [p.grad for p in self.network.parameters() if p.grad is not None]
        norm = torch.nn.utils.get_total_norm(gradients)
        # What `torch.amp.GradScaler` sets, and every fused optimizer heeds.
        self._optimizer.grad_scale = ((norm + 1e-6) / CLIP_NORM).clamp(min=1.0)  # type: ignore[attr-defined]
        self._optimizer.found_inf = (~loss.isfinite()).float()  # type: ignore[attr-defined]
        self._optimizer.step()

    def losses(self) -> list[float]:
        """Return the losses, over all processes, of the steps since this was last asked; waits for the device."""
        losses, self._losses = self._losses, []
        return torch.stack(losses).tolist() if losses else []

    def _accumulate(self, crops: Tensor, points: Tensor, faces_in_team: int) -> Tensor:
        """Add up the gradients of the batch, part by part, and return this process's share of the loss."""
        self._optimizer.zero_grad(set_to_none=True)
        # MPS knows no float64.
        total = torch.zeros((), dtype=torch.float32 if self.device.type == "mps" else torch.float64, device=self.device)
        faces = len(points)
        # A process without a face of its own has no share of the loss; it still takes part in the backward pass.
        told_share = FACE_LOSS_WEIGHT * faces / faces_in_team / len(crops) if len(crops) > faces else 0.0
        for part in range(self._parts):
            # Every part takes its share of both: batch norm then sees the usual mixture.
            own, others = crops[:faces][part :: self._parts], crops[faces:][part :: self._parts]
            if len(own) + len(others) == 0:
                continue
            share = len(own) / faces_in_team
            loss = self._loss(torch.cat([own, others]), points[part :: self._parts], share, told_share)
            # The team averages gradients; each process's loss is its share of the whole already.
            (loss * self._team.size).backward()  # type: ignore[no-untyped-call]
            total += loss.detach()
        return total

    def _loss(self, crops: Tensor, points: Tensor, share: float, told_share: float) -> Tensor:
        faces = len(points)
        with self._autocast:
            output = self._module(crops.contiguous(memory_format=self.network.memory_format))
        found = output.points.float()
        errors = (found[:faces] - points) / self.network.loss_unit
        loss = share * losses.keypoint_loss(self._config.loss, errors) if faces else 0.0 * found.sum()
        if output.face_logit is not None and told_share:
            is_face = (torch.arange(len(crops), device=crops.device) < faces).float()
            told = functional.binary_cross_entropy_with_logits(output.face_logit.float(), is_face, reduction="sum")
            loss = loss + told_share * told
        elif output.face_logit is not None and self._team.size > 1:
            loss = loss + 0.0 * output.face_logit.sum()  # the team waits for every parameter's gradient
        return loss

    def _split_further(self, faces: int, error: RuntimeError) -> None:
        at_once = math.ceil(faces / self._parts)
        if self._team.size > 1:
            raise TrainingError(
                "the memory of {device} is too small for {at_once} faces at once; choose a smaller batch_size",
                device=self.device,
                at_once=at_once,
            ) from error
        if at_once <= 1:
            raise TrainingError(
                "the memory of {device} is too small for a single face; free some, or choose another network",
                device=self.device,
            ) from error
        self._parts *= 2
        self._optimizer.zero_grad(set_to_none=True)
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        self._on_notice(
            Text(
                "the memory of {device} is too small for {at_once} faces at once: going on with "
                "{fewer} at a time, added up to the same batch",
                device=self.device,
                at_once=at_once,
                fewer=math.ceil(faces / self._parts),
            )
        )

    @property
    def faces_at_once(self) -> int:
        """Faces that this process looks at together: they fit into its memory."""
        return math.ceil(self._config.batch_size / self._team.size / self._parts)

    @property
    def state_bytes(self) -> int:
        """About how large `state` is: the weights, and up to two more numbers for each."""
        slots = 1 if self._config.optimizer == "sgd" else 2
        return (1 + slots) * sum(p.nbytes for p in self.network.parameters())

    def state(self, facts: Mapping[str, Any]) -> bytes:
        """Return everything that later steps depend on, and `facts`, as a safetensors file.

        Parameters
        ----------
        facts
            JSON-serialisable values that `load_state` gives back.
        """
        tensors = {f"network.{key}": value for key, value in self.network.state_dict().items()}
        optimizer = self._optimizer.state_dict()
        for number, slots in optimizer["state"].items():
            tensors |= {f"optimizer.{number}.{name}": torch.as_tensor(value) for name, value in slots.items()}
        kept = {
            "groups": optimizer["param_groups"],
            "schedule": self._schedule.state_dict() if self._schedule else None,
            "parts": self._parts,
            "facts": dict(facts),
        }
        # Copies: safetensors refuses tensors that share memory or are not laid out in order.
        tensors = {key: value.detach().cpu().contiguous() for key, value in tensors.items()}
        return save(tensors, {"format": STATE_FORMAT, "kept": json.dumps(kept)})

    def load_state(self, content: bytes) -> dict[str, Any]:
        """Go on from what `state` returned; return its facts.

        Raises
        ------
        ValueError
            If it is not a state of such a network and optimizer.
        """
        try:
            return self._load_state(content)
        except Exception as error:  # whatever its damage makes of it
            raise ValueError("not a state of such a network and optimizer") from error

    def _load_state(self, content: bytes) -> dict[str, Any]:
        kept = json.loads(_metadata(content)["kept"])
        tensors = load(content)
        network = {key.removeprefix("network."): value for key, value in tensors.items() if key.startswith("network.")}
        parameters = [p for group in self._optimizer.param_groups for p in group["params"]]
        slots: dict[int, dict[str, Tensor]] = {}
        for key, value in tensors.items():
            if key.startswith("optimizer."):
                _, number, name = key.split(".")
                parameter = parameters[int(number)]
                if value.shape == parameter.shape:
                    # Fused optimizers walk through memory: its order has to be the parameter's.
                    value = torch.empty_like(parameter).copy_(value)  # noqa: PLW2901
                slots.setdefault(int(number), {})[name] = value
        if len({frozenset(names) for names in slots.values()}) > 1:
            raise ValueError("it has not the same of each parameter")
        for group, own in zip(kept["groups"], self._optimizer.param_groups, strict=True):
            if group.keys() != own.keys():
                raise ValueError("it is of another optimizer")
        self.network.load_state_dict(network, strict=True)
        self._optimizer.load_state_dict({"state": slots, "param_groups": [_tuples(g) for g in kept["groups"]]})
        if self._schedule:
            self._schedule.load_state_dict(kept["schedule"])
        self._parts = kept["parts"] if self._team.size == 1 else 1
        self._losses = []
        facts: dict[str, Any] = kept["facts"]
        return facts


def _metadata(content: bytes) -> dict[str, str]:
    length = int.from_bytes(content[:8], "little")
    metadata: dict[str, str] = json.loads(content[8 : 8 + length]).get("__metadata__", {})
    if metadata.get("format") != STATE_FORMAT:
        raise ValueError("not a training state")
    return metadata


def _tuples(group: dict[str, Any]) -> dict[str, Any]:
    """Give an optimizer's settings back the tuples that JSON made lists of."""
    return {key: tuple(value) if key == "betas" else value for key, value in group.items()}


def _leave_autocast(_head: nn.Module, inputs: tuple[Tensor]) -> tuple[Tensor]:
    """Have a head, and the decoding that follows it, computed in float32 for the rest of the forward pass.

    bfloat16 has 8 bits: positions across a crop of 96 pixels would come in steps of a third of a pixel.
    """
    torch.set_autocast_enabled(inputs[0].device.type, enabled=False)
    return (inputs[0].float(),)


def _make_optimizer(config: TrainConfig, network: KeypointNetwork) -> torch.optim.Optimizer:
    rate = config.learning_rate
    # One pass over memory a step instead of a dozen: two_conv's half billion parameters feel it.
    match config.optimizer:
        case "adamw":
            # Norms and biases are not decayed: they are few, and pulling them to zero only slows training.
            decayed = [p for p in network.parameters() if p.ndim > 1]
            others = [p for p in network.parameters() if p.ndim <= 1]
            groups = [{"params": decayed, "weight_decay": config.weight_decay}, {"params": others, "weight_decay": 0.0}]
            return torch.optim.AdamW(groups, lr=rate, fused=True)
        case "adam":
            return torch.optim.Adam(network.parameters(), lr=rate, fused=True)
        case "sgd":
            return torch.optim.SGD(network.parameters(), lr=rate, momentum=0.9, fused=True)
