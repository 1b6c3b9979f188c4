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


def test_the_cumulative_curve_is_where_the_errors_are(tmp_path: Path) -> None:
    path = tmp_path / "cumulative.png"
    plots.write_cumulative(path, {"half": np.float32([0.05, 0.05, np.nan, 0.5])})
    image = read(path)
    blue = np.abs(image.astype(int) - (184, 112, 36)).max(axis=-1) < 30
    rows, columns = np.nonzero(blue[: round(4.7 * plots.DPI)])  # without the legend
    height, width = rows.max() - rows.min(), columns.max() - columns.min()
    axes_height, axes_width = (4.6 - 0.35 - 0.15) * plots.DPI, 0.875 * 8 * plots.DPI
    assert height / axes_height == pytest.approx(50 / 101, abs=0.02)  # half the faces are within 10 %
    assert width / axes_width == pytest.approx(0.5, abs=0.02)  # from 5 % on; before, it is under the axis


def test_every_network_has_its_line_in_the_legend(tmp_path: Path) -> None:
    """Whatever its file is called; below the axes, where it hides no curve."""
    names = ["a", "_hidden", "$x^2$ and $", "\u9854" * 5, "x" * 300]
    plots.write_cumulative(tmp_path / "c.png", {name: np.float32([0.02, 0.04]) for name in names})
    legend = read(tmp_path / "c.png")[round(4.8 * plots.DPI) :].reshape(-1, 3)
    shades = [tuple(bytes.fromhex(colour[1:])[::-1]) for colour in plots._COLOURS[: len(names)]]
    assert all((legend == shade).all(axis=1).any() for shade in shades)


def test_a_network_that_found_no_face_is_drawn(tmp_path: Path) -> None:
    plots.write_cumulative(tmp_path / "c.png", {"x": np.full(3, np.nan, np.float32)})
    assert ink(read(tmp_path / "c.png")) > 0.01


@pytest.mark.parametrize("nmes", [{}, {"x": np.empty(0, np.float32)}])
def test_no_faces_make_no_curve(tmp_path: Path, nmes: dict[str, np.ndarray]) -> None:
    with pytest.raises(ValueError, match="no faces"):
        plots.write_cumulative(tmp_path / "c.png", nmes)


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
