"""Weights as version 0.1 wrote them, byte for byte, which every later version reads."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import torch

from trainer.core.checkpoint import load_checkpoint, save_checkpoint
from trainer.core.models import build_network
from trainer.weights_header import read_weights_header

METADATA = {
    "format": "fkd-keypoints",
    "format_version": "1",
    "network": "compact",
    "info": '{"config": {"batch_size": 64, "seed": 1}, "epoch": 7, "validation": {"nme_mean": 0.05}}',
}


def write_as_0_1(path: Path, tensors: dict[str, torch.Tensor]) -> None:
    """Write a file by the format's own description: the header's length in 8 bytes, the header, the numbers."""
    header: dict[str, object] = {"__metadata__": METADATA}
    content = b""
    for name, tensor in tensors.items():
        raw = tensor.contiguous().numpy().tobytes()
        kind = {torch.float32: "F32", torch.float16: "F16", torch.int64: "I64"}[tensor.dtype]
        offsets = [len(content), len(content) + len(raw)]
        header[name] = {"dtype": kind, "shape": list(tensor.shape), "data_offsets": offsets}
        content += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + content)


def test_weights_of_0_1_are_read_with_their_story(tmp_path: Path) -> None:
    torch.manual_seed(3)
    tensors = build_network("compact").state_dict()
    path = tmp_path / "old.safetensors"
    write_as_0_1(path, tensors)
    checkpoint = load_checkpoint(path)
    assert checkpoint.name == "compact"
    assert checkpoint.info["epoch"] == 7
    assert checkpoint.info["config"]["batch_size"] == 64
    for name, tensor in checkpoint.network.state_dict().items():
        assert torch.equal(tensor, tensors[name]), name
    assert read_weights_header(path).info["validation"] == {"nme_mean": 0.05}


def test_what_is_saved_today_says_its_version(tmp_path: Path) -> None:
    path = tmp_path / "new.safetensors"
    save_checkpoint(path, build_network("compact"), name="compact")
    start = path.read_bytes()
    (length,) = struct.unpack("<Q", start[:8])
    assert json.loads(start[8 : 8 + length])["__metadata__"]["format_version"] == "1"
