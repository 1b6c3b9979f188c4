"""One repeat in a process of its own: python -P benchmarks/child.py NAME INPUTS, or --module MODULE ARGUMENTS.

Run as a file, it takes the benchmarks from its own folder and all else from where PYTHONPATH says: so the same
benchmark can measure another checkout of the project.
"""

from __future__ import annotations

import importlib.util
import json
import runpy
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def use_these_benchmarks() -> None:
    """Make `import benchmarks` mean this folder, whatever lies on the path."""
    spec = importlib.util.spec_from_file_location(
        "benchmarks", HERE / "__init__.py", submodule_search_locations=[str(HERE)]
    )
    assert spec is not None and spec.loader is not None
    package = importlib.util.module_from_spec(spec)
    sys.modules["benchmarks"] = package
    spec.loader.exec_module(package)


def main() -> int:
    use_these_benchmarks()
    if sys.argv[1] == "--module":
        name = f"benchmarks.{sys.argv[2]}"
        sys.argv[:3] = [name]
        runpy.run_module(name, run_name="__main__", alter_sys=True)
        return 0
    from benchmarks.registry import BENCHMARKS, Inputs

    name, given, out = sys.argv[1:4]
    inputs = json.loads(given)
    paths = {key: Path(inputs[key]) if inputs[key] else None for key in ("clip", "data")}
    figures = BENCHMARKS[name].measure(Inputs(**paths, quick=inputs["quick"]))
    Path(out).write_text(json.dumps({key: vars(value) for key, value in figures.items()}), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
