"""What time grows with: faces, not pixels.

python -m benchmarks.scaling [CLIP] [--rounds 3] [--plot FILE.png] [--json FILE] [--quick]

1, 2, 4, 8 and 16 faces in frames of 320x240 to 3840x2160, drawn of a recording of one face, go through the live session
as fast as they can be processed. All combinations take turns, round by round; medians. A plane is fitted to the
processor time of a frame in the loop: so many ms, so many more a face, and so many more a megapixel.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from benchmarks.clips import load_reel, many_faces
from benchmarks.driving import WARM_UP_FRAMES, drive, to_and_fro
from benchmarks.figures import Value, heading, save_report, table
from fkd_desktop.live.network import load_predictor
from trainer.core.resources import assets_dir

if TYPE_CHECKING:
    from collections.abc import Mapping

FACES: Final = (1, 2, 4, 8, 16)
SIZES: Final = ((320, 240), (640, 480), (1280, 720), (1920, 1080), (3840, 2160))
SEEN_FRAMES: Final = 60
KEPT_PICTURES: Final = 12


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scaling", description=__doc__.split("\n", 1)[0])
    parser.add_argument("clip", type=Path, nargs="?", default=assets_dir() / "demo" / "demo.mp4")
    parser.add_argument("--rounds", type=int, default=3, help="(default: %(default)s)")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the figures there, as PNG")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    parser.add_argument("--quick", action="store_true", help="few faces, small frames")
    options = parser.parse_args()
    print(heading())
    cells = measure(options.clip, rounds=options.rounds, quick=options.quick)
    print(text(cells))
    if options.json:
        save_report(options.json, {"cells": cells, "fit": fit(cells)})
    if options.plot:
        plot(cells, options.plot)
    return 0


def measure(clip: Path, *, rounds: int = 1, quick: bool = False) -> list[dict[str, Any]]:
    """Return a row for each combination: "faces", "width", "height", "found", and median "wall_ms" and "cpu_ms"."""
    predictor = load_predictor(device="cpu")
    reel = load_reel(clip, predictor, frames=10 if quick else 60)
    chosen = list(product(SIZES[:2], FACES[:2]) if quick else product(SIZES, FACES))
    seen: dict[tuple[tuple[int, int], int], list[tuple[float, float, float]]] = {each: [] for each in chosen}
    for _ in range(rounds):
        for size, faces in chosen:
            # 16 faces in 4K take a fifth of a second to draw and 25 MB to keep: few pictures, gone through to and fro.
            drawn = many_faces(reel, faces=faces, size=size, frames=KEPT_PICTURES)
            pictures = [frame.image_bgr for frame in drawn]
            frames = WARM_UP_FRAMES + (20 if quick else SEEN_FRAMES)
            found = drive(to_and_fro(pictures, frames), predictor, step_s=1 / 60)
            seen[size, faces].append(
                (float(np.median(found.wall_ms)), float(np.median(found.cpu_ms)), float(np.mean(found.faces)))
            )
    rows = []
    for (size, faces), values in seen.items():
        wall_ms, cpu_ms, found_faces = (statistics.median(each) for each in zip(*values, strict=True))
        row = {"faces": faces, "width": size[0], "height": size[1], "found": found_faces}
        rows.append(row | {"wall_ms": wall_ms, "cpu_ms": cpu_ms})
    return rows


def fit(cells: list[dict[str, Any]]) -> dict[str, float]:
    """Fit t = rest + faces * a + megapixels * b to the processor times, faces as found; in ms."""
    megapixels = [cell["width"] * cell["height"] / 1e6 for cell in cells]
    columns = np.array([np.ones(len(cells)), [cell["found"] for cell in cells], megapixels]).T
    times = np.array([cell["cpu_ms"] for cell in cells])
    solved = np.linalg.lstsq(columns, times, rcond=None)[0]
    rest = times - columns @ solved
    return {
        "ms_rest": float(solved[0]), "ms_a_face": float(solved[1]), "ms_a_megapixel": float(solved[2]),
        "explained": float(1 - rest.var() / times.var()) if times.var() else 1.0,
    }  # fmt: skip


def figures(cells: list[dict[str, Any]]) -> Mapping[str, Value]:
    """Return the fit and all cells for `python -m benchmarks`."""
    fitted = fit(cells)
    named = {
        "fitted, a face": Value(fitted["ms_a_face"], "ms", goal=1.2),
        "fitted, a megapixel": Value(fitted["ms_a_megapixel"], "ms"),
    }
    for cell in cells:
        named[f"{cell['faces']} faces, {cell['width']}x{cell['height']}"] = Value(cell["cpu_ms"], "ms")
    return named


def text(cells: list[dict[str, Any]]) -> str:
    """Lay out the cells: processor ms a frame, wall ms where they differ, and faces found where some are missed."""
    counts = sorted({cell["faces"] for cell in cells})
    sizes = sorted({(cell["width"], cell["height"]) for cell in cells})
    by_place = {(cell["width"], cell["height"], cell["faces"]): cell for cell in cells}
    rows = [["loop's processor ms (passed)", *(f"{count} face{'s' * (count > 1)}" for count in counts)]]
    for size in sizes:
        row = [f"{size[0]}x{size[1]}"]
        for count in counts:
            cell = by_place[*size, count]
            missed = f" [{cell['found']:.1f} found]" if cell["found"] < count - 0.05 else ""
            row.append(f"{cell['cpu_ms']:.2f} ({cell['wall_ms']:.2f}){missed}")
        rows.append(row)
    fitted = fit(cells)
    return (
        f"{table(rows)}\nfitted: {fitted['ms_rest']:.2f} ms + {fitted['ms_a_face']:.2f} ms a face + "
        f"{fitted['ms_a_megapixel']:.3f} ms a megapixel ({fitted['explained']:.1%} of the variance)"
    )


def plot(cells: list[dict[str, Any]], path: Path) -> None:
    """Draw time over faces and over pixels, on white: legible on a page of any colour."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, (over_faces, over_pixels) = plt.subplots(1, 2, figsize=(9, 3.6), sharey=True, layout="constrained")
    sizes = sorted({(cell["width"], cell["height"]) for cell in cells})
    counts = sorted({cell["faces"] for cell in cells})
    colours = plt.colormaps["viridis"]
    for i, size in enumerate(sizes):
        some = [cell for cell in cells if (cell["width"], cell["height"]) == size]
        label = f"{size[0]}x{size[1]}"
        places, times = ([cell[key] for cell in some] for key in ("faces", "cpu_ms"))
        over_faces.plot(places, times, "o-", color=colours(0.85 * i / max(1, len(sizes) - 1)), label=label)
    for i, count in enumerate(counts):
        some = [cell for cell in cells if cell["faces"] == count]
        places, times = [c["width"] * c["height"] / 1e6 for c in some], [c["cpu_ms"] for c in some]
        label = f"{count} face{'s' * (count > 1)}"
        over_pixels.plot(places, times, "s-", color=colours(0.85 * i / max(1, len(counts) - 1)), label=label)
    over_faces.set(xlabel="faces", ylabel="ms of the processor a frame", ylim=(0, None))
    over_pixels.set(xlabel="megapixels (logarithmic)", xscale="log")
    for axes in (over_faces, over_pixels):
        axes.grid(alpha=0.3)
        axes.legend(fontsize=8)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110, facecolor="white", metadata={"Software": None})
    plt.close(figure)


if __name__ == "__main__":
    sys.exit(main())
