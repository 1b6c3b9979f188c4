"""Turning what users write to name a source (``camera:0``, ``demo``, a path) into one.

Tests and other kinds of sources add to the registry.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from fkd_desktop.errors import SourceError, cannot_read
from fkd_desktop.live.sources.base import FrameSource, check_file
from fkd_desktop.live.sources.camera import CameraSource
from fkd_desktop.live.sources.cameras import CameraName
from fkd_desktop.live.sources.pictures import ImageSource, decode_picture, natural_key, pictures_in
from fkd_desktop.live.sources.stream import STREAM_SCHEMES, StreamSource
from fkd_desktop.live.sources.video import VIDEO_SUFFIXES, VideoSource
from trainer.core.files import expanded
from trainer.core.resources import assets_dir

if TYPE_CHECKING:
    from collections.abc import Callable


def _camera(text: str) -> FrameSource:
    return CameraSource(CameraName.parse(text))


def _stream(scheme: str) -> Callable[[str], FrameSource]:
    return lambda rest: StreamSource(f"{scheme}:{rest}")


def _demo(_text: str) -> FrameSource:
    return VideoSource(assets_dir() / "demo" / "demo.mp4", label="Demo clip", loop=True)


_SCHEMES: Final[dict[str, Callable[[str], FrameSource]]] = {
    "camera": _camera,
    "demo": _demo,
    **{scheme: _stream(scheme) for scheme in STREAM_SCHEMES},
}


def register_source(scheme: str, factory: Callable[[str], FrameSource]) -> None:
    """Add a kind of source: ``scheme:text`` is then made by ``factory(text)``."""
    _SCHEMES[scheme] = factory


def make_source(name: str, *, with_neighbours: bool = False) -> FrameSource:
    """Turn what a user wrote into a source.

    Parameters
    ----------
    name
        ``camera:N``, ``camera:id=...`` (see `CameraName`), ``demo``, an rtsp or http address, or the path of a video,
        a picture or a folder of pictures.
    with_neighbours
        Whether the source of a picture begins there but has its folder's other pictures, too, for looking through.

    Raises
    ------
    SourceError
        If it is none of these.
    """
    scheme, _, rest = name.partition(":")
    if scheme in _SCHEMES:
        return _SCHEMES[scheme](rest)
    path = expanded(Path(name))
    try:
        if path.is_dir():
            return _folder(path)
        check_file(path)
        # A wrong suffix is common: content decides. Only what is named a video is not tried as a picture first.
        if path.suffix.lower() not in VIDEO_SUFFIXES and decode_picture(path) is not None:
            return _neighbours(path) if with_neighbours else ImageSource([path], label=path.name)
    except RuntimeError as error:  # a loop of links
        raise SourceError("there is no file {path}; check the path or choose another file", path=path) from error
    except OSError as error:
        raise cannot_read(path, error) from error
    return VideoSource(path)


def _folder(path: Path) -> FrameSource:
    pictures = pictures_in(path)
    if not pictures:
        raise SourceError("the folder {path} has no pictures; choose another one", path=path)
    return ImageSource(pictures, label=path.resolve().name or str(path))


def _neighbours(path: Path) -> FrameSource:
    try:
        pictures = pictures_in(path.parent)
    except OSError:  # one may know a file in a folder that one may not list
        pictures = [path]
    if path not in pictures:  # an unusual suffix
        pictures = sorted([*pictures, path], key=natural_key)
    label = path.name if len(pictures) == 1 else path.resolve().parent.name or path.name
    return ImageSource(pictures, label=label, start=pictures.index(path))
