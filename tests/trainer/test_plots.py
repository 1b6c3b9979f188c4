import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from trainer import plots

NMES = [0.30, 0.12, 0.07, 0.05, 0.055]
LOSSES = [40.0, 12.0, 6.0, 4.0, 3.5]


def read(path: Path) -> np.ndarray:
    image = cv2.imread(str(path))
    assert image is not None
    return image


def ink(image: np.ndarray) -> float:
    """Share of the pixels that are not white."""
    return float((image < 250).any(axis=-1).mean())


def test_curves_are_a_picture_of_two_curves(tmp_path: Path) -> None:
    path = tmp_path / "run" / "curves.png"
    plots.write_curves(path, range(1, 6), LOSSES, NMES)
    image = read(path)
    assert image.shape[0] > 400
    assert image.shape[1] > 700
    blue, orange = (np.abs(image.astype(int) - colour).max(axis=-1) < 30 for colour in ((184, 112, 36), (28, 87, 201)))
    half = image.shape[0] // 2
    assert blue[:half].sum() > 500 > blue[half:].sum()
    assert orange[half:].sum() > 500
    assert [p.name for p in path.parent.iterdir()] == ["curves.png"]


def test_curves_replace_those_of_the_epoch_before(tmp_path: Path) -> None:
    path = tmp_path / "curves.png"
    plots.write_curves(path, [1], LOSSES[:1], NMES[:1])
    before = path.read_bytes()
    plots.write_curves(path, [1, 2], LOSSES[:2], NMES[:2])
    assert path.read_bytes() != before


@pytest.mark.parametrize(
    ("losses", "nmes"),
    [
        ([1.0, 0.0, -1.0], [0.3, 0.2, 0.1]),  # no logarithm
        ([float("nan"), 2.0, float("inf")], [float("nan")] * 3),
        ([2.0, 2.0, 2.0], [0.1, 0.1, 0.1]),
        ([1e6, 1.0, 1e-6], [50.0, 0.5, 0.001]),
    ],
)
def test_curves_of_odd_numbers_are_drawn(tmp_path: Path, losses: list[float], nmes: list[float]) -> None:
    path = tmp_path / "curves.png"
    plots.write_curves(path, [1, 2, 3], losses, nmes)
    assert ink(read(path)) > 0.01


@pytest.mark.parametrize(("epochs", "losses", "nmes"), [([], [], []), ([1, 2], [1.0], [0.1, 0.2])])
def test_curves_need_as_many_of_each(tmp_path: Path, epochs: list[int], losses: list[float], nmes: list[float]) -> None:
    with pytest.raises(ValueError, match="as many of each"):
        plots.write_curves(tmp_path / "curves.png", epochs, losses, nmes)
    assert not list(tmp_path.iterdir())


def test_plots_need_no_display_and_no_settings(tmp_path: Path) -> None:
    """Not even settings of the user's that would break them or wait for a window."""
    (tmp_path / "matplotlibrc").write_text("backend: tkagg\ntext.usetex: True\nfigure.facecolor: black\n")
    program = f"""
import sys
from pathlib import Path
from trainer import plots
assert "matplotlib" not in sys.modules
plots.write_curves(Path({str(tmp_path / "curves.png")!r}), [1, 2], [2.0, 1.0], [0.2, 0.1])
print(sorted({{"matplotlib.pyplot", "tkinter", "PySide6"}} & sys.modules.keys()))
"""
    root = Path(__file__).resolve().parents[2]
    run = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "", "PYTHONPATH": str(root), "MPLCONFIGDIR": str(tmp_path), "MATPLOTLIBRC": str(tmp_path)},
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip() == "[]"
    assert read(tmp_path / "curves.png")[0, 0].tolist() == [255, 255, 255]
