"""Starting the application, with a window or, where there is no display, without one."""

from __future__ import annotations

import argparse
import gc
import logging
import os
import signal
import sys
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

import fkd_desktop
from fkd_desktop import APP_ID
from fkd_desktop.command_line import make_parser
from fkd_desktop.installation import FROM_MENU, missing_package, outdated_by
from fkd_desktop.memory import share_arenas
from trainer.programs import ignore_current_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import FrameType

    from PySide6.QtWidgets import QApplication

    from fkd_desktop.instance import Instance, Request
    from fkd_desktop.ui.crash_desk import CrashDesk

EXIT_BAD_INPUT: Final = 2
SWITCH_EVERY_S: Final = 0.0005
"""After which a thread that waits for Python's lock gets it, where one that computes would hold it on. A tenth of
Python's own: the GUI thread waits for it many times a frame, and a data set that is read beside it is all Python."""
EXIT_BY_SIGNAL: Final = 128


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the application; return its exit code."""
    ignore_current_folder()
    parser = make_parser()
    options = parser.parse_args(arguments)
    if options.source is not None and options.files:
        parser.error("give files, or a --source, but not both")
    if options.install_launcher or options.remove_launcher:
        return _change_launcher(install=options.install_launcher)
    if not has_display():
        return _run_without_display(options)
    with _leaving_at_once_on_signals(), _collector_off():
        return _run_window(options)


def run() -> NoReturn:
    """Run the application and end the process: what the installed command does."""
    try:
        code = main()
    except ImportError as error:
        package = missing_package(error)
        if not package or FROM_MENU not in sys.argv:
            raise
        from fkd_desktop.ui.update_desk import say_missing  # noqa: PLC0415

        say_missing(package)
        code = EXIT_BAD_INPUT
    if any(thread.daemon for thread in threading.enumerate()):
        # A driver holds a source's reader, or torch is still being imported. Everything is saved, and the interpreter's
        # own way to end would take what these threads stand on from under them.
        logging.shutdown()
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:  # a windowed program on Windows has none
                stream.flush()
        os._exit(code)
    sys.exit(code)


def _change_launcher(*, install: bool) -> int:
    from fkd_desktop import desktop_entry  # noqa: PLC0415
    from trainer.core.errors import FkdError  # noqa: PLC0415

    try:
        launcher = desktop_entry.make_launcher()
        if install:
            print(desktop_entry.describe_written(launcher.install()))
        else:
            print(desktop_entry.describe_removed(launcher.remove()))
    except FkdError as error:
        print(f"error: {error}", file=sys.stderr)
        return EXIT_BAD_INPUT
    return 0


def has_display() -> bool:
    """Whether a window can be shown; a Qt platform that was chosen by hand counts as one."""
    if not sys.platform.startswith("linux") or os.environ.get("QT_QPA_PLATFORM"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


@contextmanager
def _leaving_at_once_on_signals() -> Iterator[None]:
    """Until there is a window (and with it a `SignalCatcher`), Ctrl-C ends the process then and there.

    There is nothing to save yet, and a KeyboardInterrupt in the middle of Qt's start ends in a crash or is lost.
    """

    def leave(number: int, _frame: FrameType | None) -> None:
        os._exit(EXIT_BY_SIGNAL + number)

    previous = {number: signal.signal(number, leave) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


@contextmanager
def _collector_off() -> Iterator[None]:
    """Keep Python's collector off, until `Settling` switches it on.

    It would go through all that the start imports and makes, again and again: a tenth of the start, and finds nothing.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.unfreeze()
        gc.enable()


def _load_numpy() -> None:
    """Load numpy with one thread for its linear algebra.

    There is none that is worth a second one, and to set up its threads takes an eighth of the start.
    """
    name = "OPENBLAS_NUM_THREADS"
    is_set = name in os.environ
    os.environ.setdefault(name, "1")
    import numpy as np  # noqa: F401, PLC0415

    if not is_set:  # a training run makes its own choice
        del os.environ[name]


def _overlay_names(options: argparse.Namespace) -> list[str] | None:
    return None if options.overlay is None else [name for name in options.overlay if name != "none"]


def _request(options: argparse.Namespace) -> Request:
    """Return what a window is to show, in words that mean the same wherever it was started."""
    from fkd_desktop.instance import Request  # noqa: PLC0415

    source = options.source or ""
    if source not in ("", "demo") and os.path.exists(source):  # noqa: PTH110 (pathlib's raises for too long a one)
        source = str(Path(source).absolute())
    overlays = _overlay_names(options)
    return Request(
        source=source,
        files=tuple(str(Path(file).absolute()) for file in options.files),
        overlays=None if overlays is None else tuple(overlays),
        model=str(options.model.absolute()) if options.model else "",
        activation_token=os.environ.get("XDG_ACTIVATION_TOKEN") or os.environ.get("DESKTOP_STARTUP_ID", ""),
    )


def _run_window(options: argparse.Namespace) -> int:
    """Show a window of our own, or let the one that is there already show what was asked for."""
    _load_numpy()
    from PySide6.QtCore import QCoreApplication, Qt  # noqa: PLC0415 (--help needs no Qt)
    from PySide6.QtGui import QGuiApplication  # noqa: PLC0415
    from PySide6.QtWidgets import QApplication  # noqa: PLC0415

    from fkd_desktop.instance import Instance  # noqa: PLC0415
    from fkd_desktop.settings import set_up_logging  # noqa: PLC0415

    set_up_logging()
    prepare_process()
    if sys.platform == "win32":
        from fkd_desktop.desktop_entry.windows import group_windows_under_launcher  # noqa: PLC0415

        group_windows_under_launcher()
    # Else what has a style sheet, as the toolbar, keeps the colours of the theme at the start.
    QCoreApplication.setAttribute(Qt.ApplicationAttribute.AA_UseStyleSheetPropagationInWidgetStyles)
    QCoreApplication.setApplicationName(APP_ID)
    QGuiApplication.setApplicationDisplayName("FKD Desktop")
    QCoreApplication.setApplicationVersion(fkd_desktop.__version__)
    # Desktops know a window by the program's and the application's name (X11) or the desktop file's (Wayland), and a
    # start-menu entry by the same.
    application = QApplication.instance() or QApplication([APP_ID])
    assert isinstance(application, QApplication)
    application.setDesktopFileName(APP_ID)
    request, instance = _request(options), Instance()
    if not options.new_instance and instance.hand_over(request):
        return 0
    if options.from_menu and (script := outdated_by()) is not None:
        from fkd_desktop.ui.update_desk import bring_up_to_date  # noqa: PLC0415

        bring_up_to_date(script)
    with _noting_faults() as faults:
        return _run_session(application, options, request, instance, faults)


@contextmanager
def _noting_faults() -> Iterator[CrashDesk]:
    """Write down where native code crashes, what nobody catches and what Qt complains of."""
    from fkd_desktop.crashes import CrashFile, catching_mishaps  # noqa: PLC0415
    from fkd_desktop.settings import crashes_path  # noqa: PLC0415
    from fkd_desktop.ui.crash_desk import CrashDesk  # noqa: PLC0415
    from fkd_desktop.workers.qt_messages import logging_qt  # noqa: PLC0415

    try:
        crash_file = CrashFile(crashes_path())
    except OSError as error:  # no reason not to start
        logging.getLogger(__name__).warning("a crash would leave no trace: %s", error)
        crash_file = None
    try:
        with catching_mishaps((faults := CrashDesk()).take), logging_qt():
            yield faults
    except Exception:
        logging.getLogger(__name__).exception("the session ended by an exception")
        raise
    finally:
        if crash_file is not None:
            crash_file.close()


def _run_session(
    application: QApplication, options: argparse.Namespace, request: Request, instance: Instance, faults: CrashDesk
) -> int:
    from PySide6.QtCore import QTimer  # noqa: PLC0415

    from fkd_desktop.controller import Controller  # noqa: PLC0415
    from fkd_desktop.crashes import last_crash  # noqa: PLC0415
    from fkd_desktop.i18n import install_language, translated  # noqa: PLC0415
    from fkd_desktop.settings import Settings, crashes_path  # noqa: PLC0415
    from fkd_desktop.ui.arrivals import Arrivals  # noqa: PLC0415
    from fkd_desktop.ui.main_window import MainWindow  # noqa: PLC0415
    from fkd_desktop.ui.settling import Settling  # noqa: PLC0415
    from fkd_desktop.ui.tidying import Tidying  # noqa: PLC0415
    from fkd_desktop.workers.signals import SignalCatcher  # noqa: PLC0415

    settings = Settings()
    install_language(settings.language)
    controller = Controller(device=options.device or settings.device)
    window = MainWindow(controller, settings, layer_names=request.overlays)
    arrivals, settling = Arrivals(window, controller), Settling(controller)
    tidying = Tidying(controller, window.capture.controller)
    instance.requested.connect(arrivals.take)
    application.lastWindowClosed.connect(instance.close)  # from then on a start is a new one
    signals = SignalCatcher()
    signals.caught.connect(window.leave)
    settings.on_trouble = lambda said: window.notices.show("settings", translated(said))
    faults.attach(window)
    window.show()
    for name in ("XDG_ACTIVATION_TOKEN", "DESKTOP_STARTUP_ID"):  # for this window, not for what it starts
        os.environ.pop(name, None)

    def start() -> None:  # in the event loop, so that the window is painted first
        if not arrivals.open(request):
            window.opener.open(settings.source if settings.starts_with_last_source else "camera:0")
            window.welcome.greet()  # not in the way of who knows what to show
        controller.load_network(options.model or (Path(settings.weights) if settings.weights else None))
        if instance.complaint:
            window.notices.show("desk", translated(instance.complaint))
        if (trace := last_crash(crashes_path())) is not None:
            faults.offer(trace)
        window.launcher.look()

    QTimer.singleShot(0, start)
    code = application.exec()
    faults.end()
    settling.end()
    tidying.end()
    instance.close()
    signals.release()
    if signals.number is not None:
        code = EXIT_BY_SIGNAL + signals.number
    window.workshop.shut_down()  # the window may have been hidden, with the trainer left alone
    controller.shut_down()
    return code


def prepare_process() -> None:
    """Set what the whole process needs before there is a window."""
    clear_opencv_qt_paths()
    sys.setswitchinterval(SWITCH_EVERY_S)
    share_arenas()


def clear_opencv_qt_paths() -> None:
    """Undo what OpenCV's wheels with their own Qt set on Linux when cv2 is imported: it breaks PySide6's."""
    for name in ("QT_QPA_PLATFORM_PLUGIN_PATH", "QT_QPA_FONTDIR"):
        if "cv2" in os.environ.get(name, ""):
            del os.environ[name]


def _run_without_display(options: argparse.Namespace) -> int:
    """Show what the application does by working through the source into files."""
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    from PySide6.QtGui import QGuiApplication  # noqa: PLC0415
    from tqdm import tqdm  # noqa: PLC0415

    from fkd_desktop.annotate import annotate, once  # noqa: PLC0415
    from fkd_desktop.annotate.choosing import choose_layers  # noqa: PLC0415
    from fkd_desktop.live.network import load_predictor  # noqa: PLC0415
    from fkd_desktop.live.sources import make_source  # noqa: PLC0415
    from fkd_desktop.overlays import OverlayLibrary  # noqa: PLC0415
    from fkd_desktop.settings import overlays_path  # noqa: PLC0415
    from trainer.core.errors import FkdError  # noqa: PLC0415

    clear_opencv_qt_paths()
    if len(options.files) > 1:
        print("error: without a display one file can be given; fkd-annotate works through several", file=sys.stderr)
        return EXIT_BAD_INPUT
    source_name = options.source or next(iter(options.files), "demo")
    print(f"There is no display, so no window: working through {source_name!r} into a file instead.")
    application = QGuiApplication.instance() or QGuiApplication(sys.argv[:1])
    names = _overlay_names(options)
    try:
        predictor = load_predictor(options.model, device=options.device or "auto")
        source = once(make_source(source_name))
        if source.is_live:
            raise FkdError("a camera needs a window to be seen in; give a video, a picture or demo as --source")
        layers = choose_layers(("sunglasses", "boxes") if names is None else names, OverlayLibrary(overlays_path()))
        with tqdm(unit="frame", disable=not sys.stderr.isatty()) as bar:
            summary = annotate(
                source, predictor, layers, _writable(options.out), on_frame=lambda n: bar.update(n - bar.n)
            )
    except FkdError as error:
        print(f"error: {error}", file=sys.stderr)
        return EXIT_BAD_INPUT
    del application
    print(f"Annotated video: {summary.video_path.resolve()}")
    print(f"Contact sheet:   {summary.sheet_path.resolve()}")
    print(
        f"{summary.frames} frames, {summary.frames_with_faces} with faces, at {summary.frames_per_s:.1f} frames/s "
        f"with decoding, painting and encoding; finding and following faces alone took {summary.pipeline_ms:.1f} ms a "
        f"frame (median) on {predictor.device.upper()}."
    )
    return 0


def _writable(folder: Path | None) -> Path:
    """Return the folder to write to: the one asked for, else one here, else (here is read-only) a temporary one."""
    if folder is not None:
        return folder
    if os.access(Path.cwd(), os.W_OK):
        return Path("fkd-output")
    return Path(tempfile.mkdtemp(prefix="fkd-output-"))
