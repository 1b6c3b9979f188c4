"""Make the shipped weights, assets/weights/compact.safetensors, from a run of the trainer, and compact.onnx of them.

python assets/scripts/make_weights.py [RUN]

RUN is a run folder of ``python -m trainer train``; assets/weights/MODEL_CARD.md says which commands made the shipped
one. Without it, only compact.onnx is made anew. The weights are stored as float16, half the size; compact.onnx holds
the same network for ONNX Runtime, which the live application computes it with.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from trainer.core.checkpoint import load_checkpoint, save_checkpoint
from trainer.core.engines.converted import convert
from trainer.core.engines.onnx_runtime import OnnxRuntimeEngine
from trainer.core.files import write_atomically
from trainer.core.resources import default_onnx_path, default_weights_path
from trainer.core.weights_file import digest


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("run", type=Path, nargs="?", metavar="RUN", help="run folder of python -m trainer train")
    run = parser.parse_args().run
    path = default_weights_path()
    if run is not None:
        checkpoint = load_checkpoint(run / "best.safetensors")
        save_checkpoint(path, checkpoint.network, name=checkpoint.name, info=checkpoint.info, half=True)
        print(f"{path.name}: epoch {checkpoint.info['epoch']}, {path.stat().st_size / 1e6:.1f} MB")
    content = convert(path, digest(path))
    OnnxRuntimeEngine(content)  # which checks it
    write_atomically(default_onnx_path(), content)
    print(f"{default_onnx_path().name}: {len(content) / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
