"""What goes into the self-contained build, and what that PyInstaller would take stays out."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

ASSETS = ("demo", "faces", "icons", "manual", "overlays", "translations", "weights")

CASCADES = ("frontalface_default", "frontalface_alt2", "profileface")  # trainer/core/detector.py and thorough.py

UNUSED_MODULES = [
    "tkinter", "_tkinter", "IPython", "pip", "setuptools", "pkg_resources", "distutils", "pytest", "docutils", "sphinx",
    # of PyTorch: only reached by what is not used here (tests are run with this list, see tests/packaging)
    "networkx", "tensorboard", "torch.utils.tensorboard", "torch.utils.benchmark", "torch.utils.bottleneck",
    "functorch", "torchvision", "triton", "numba", "pandas", "scipy", "h5py",
    # of the others: other windows, plots on the screen, graphs of networks
    "matplotlib.backends.backend_qtagg", "matplotlib.backends.backend_qt", "matplotlib.backends.backend_pdf",
    "matplotlib.backends.backend_ps", "matplotlib.backends.backend_pgf", "matplotlib.backends.backend_svg",
    "matplotlib.backends.backend_tkagg", "matplotlib.tests",
    "pyqtgraph.opengl", "pyqtgraph.examples", "pyqtgraph.flowchart", "pyqtgraph.jupyter", "pyqtgraph.console",
    "onnx.reference", "onnx.backend", "onnxruntime.quantization", "onnxruntime.transformers", "onnxruntime.tools",
    "PySide6.QtQml", "PySide6.QtQuick", "PySide6.QtPrintSupport",
    "PySide6.QtSql", "PySide6.QtXml", "PySide6.QtDesigner", "PySide6.QtUiTools",
    "PySide6.QtConcurrent", "PySide6.QtHelp",
]  # fmt: skip

_QT = r"PySide6/(Qt/)?"
UNNEEDED = re.compile(
    "|".join(
        (
            r"torch/(include|test|share|_inductor/codegen/(cuda|cutlass|rocm|xpu|aoti_runtime)|utils/(benchmark|model_dump))/",
            r"torch/bin/(?!torch_shm_manager)",
            r"torch/.*\.(a|h|hpp|cuh|cu|cpp|cc|cmake|pyi|lib)$",
            r"(torch|torchgen)/.*\.(yaml|jinja|jinja2|html|txt|md)$",
            rf"{_QT}translations/(?!qtbase_de\.qm)",  # words on buttons, in the languages of the application
            rf"{_QT}(qml|include|typesystems|metatypes|libexec|lib/cmake)/",
            rf"{_QT}lib/libQt6(Qml|Quick|VirtualKeyboard|Pdf|Sql|PrintSupport|EglFsKms|EglFSDevice|Designer)",
            rf"{_QT}plugins/(platforminputcontexts/.*virtualkeyboard|egldeviceintegrations|generic|qmltooling|sqldrivers)",
            rf"{_QT}plugins/(printsupport|designer|networkinformation)",
            rf"{_QT}plugins/platforms/.*(eglfs|linuxfb|vkkhrdisplay|vnc|minimalegl)",
            # GTK's look and dialogs, which alone need these libraries: the portal's dialogs stay (xdgdesktopportal)
            rf"{_QT}plugins/platformthemes/.*gtk3",
            r"lib(gtk-3|gdk|atk|atspi|cairo|pango|pixman|harfbuzz|fribidi|thai|datrie|graphite|epoxy|jpeg)",
            r"libX(inerama|cursor|composite|damage|i|randr|fixes)\.so",
            rf"{_QT}plugins/imageformats/.*q(icns|tga|wbmp|pdf|tiff)",
            r"cv2/qt/",
            r"matplotlib/mpl-data/(sample_data|images|plot_directive)/",
            r"matplotlib/mpl-data/fonts/(afm|pdfcorefonts)/",
            r"matplotlib/mpl-data/fonts/ttf/(?!DejaVuSans(-Bold|-Oblique)?\.ttf|LastResort|LICENSE)",
            r"pyqtgraph/(examples|opengl)/",
            r"onnx/(backend|reference|test|defs|common)/",
            r".*\.(pyi|pxd|pyx)$",
            r".*/(tests|test)/",
        )
    )
)

SYSTEM_LIBRARY = re.compile(r"(/usr)?/lib(64)?/(?!python3|(.*/)?libpython3)")


def is_needed(name: str) -> bool:
    """Tell whether the build needs a file, by its name in it."""
    return UNNEEDED.match(Path(name).as_posix()) is None


def is_systems(source: str) -> bool:
    """Tell whether a file is a library of the system's packages, on which a package depends instead of bringing it.

    Python's own are not: the build is by one version of it, and no package is depended on for them.
    """
    return SYSTEM_LIBRARY.match(source) is not None


def lazy_modules(root: Path) -> list[str]:
    """Return all modules of ours: several are imported by a name that PyInstaller cannot see, and all are small."""
    names = []
    for package in ("fkd_desktop", "trainer"):
        for path in sorted((root / package).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            if parts[-1] != "__main__":
                names.append(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    return names


def write_account(path: Path, entries: Sequence[tuple[str, str, str]]) -> None:
    """Write down for build.py what PyInstaller would take, where it is from, and what stays out.

    Parameters
    ----------
    path
        The JSON file to write.
    entries
        Name in the build, source, and PyInstaller's word for the kind.
    """
    account = [
        {"name": name, "source": source, "kept": is_needed(name), "bytes": Path(source).stat().st_size}
        for name, source, kind in entries
        if kind != "SYMLINK"
    ]
    path.write_text(json.dumps(account, indent=1), encoding="utf-8")
