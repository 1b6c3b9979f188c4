"""Make assets/weights/compact.safetensors, the shipped weights, from a run of the trainer.

python assets/scripts/make_weights.py RUN

RUN is a run folder of ``python -m trainer train``; assets/weights/MODEL_CARD.md says which commands made the shipped
one.
The weights are stored as float16, half the size.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from trainer.core.checkpoint import load_checkpoint, save_checkpoint
from trainer.core.resources import default_weights_path


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("run", type=Path, metavar="RUN", help="run folder of python -m trainer train")
    checkpoint = load_checkpoint(parser.parse_args().run / "best.safetensors")
    path = default_weights_path()
    save_checkpoint(path, checkpoint.network, name=checkpoint.name, info=checkpoint.info, half=True)
    print(f"{path.name}: epoch {checkpoint.info['epoch']}, {path.stat().st_size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
