"""Where the files in assets/ are: beside the packages in a checkout, in `fkd_assets` when installed from a wheel."""

from __future__ import annotations

from functools import cache
from pathlib import Path


@cache
def assets_dir() -> Path:
    """Return the folder that holds the shipped weights, overlays, icons and demo clip.

    Raises
    ------
    FileNotFoundError
        If the installation lacks it.
    """
    root = Path(__file__).resolve().parents[2]
    for candidate in (root / "fkd_assets", root / "assets"):
        if candidate.is_dir():
            return candidate
    raise FileNotFoundError(f"the assets folder is missing beside {root / 'trainer'}; install FKD Desktop again")


def default_weights_path() -> Path:
    """Return the path of the shipped weights."""
    return assets_dir() / "weights" / "compact.safetensors"


def default_onnx_path() -> Path:
    """Return the path of the shipped weights as ONNX; assets/scripts/make_weights.py makes it of the others."""
    return default_weights_path().with_suffix(".onnx")
