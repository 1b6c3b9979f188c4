"""Where frames come from: cameras, video files, pictures, the demo clip.

A source is opened, read and closed by one thread; `fkd_desktop.live.reader` gives it one of its own.
"""

from fkd_desktop.live.sources.base import FrameSource, as_frame, check_file
from fkd_desktop.live.sources.camera import CameraSource
from fkd_desktop.live.sources.pictures import (
    IMAGE_SUFFIXES,
    MAX_IMAGE_BYTES,
    MAX_IMAGE_PIXELS,
    PICTURE_S,
    ImageSource,
    PicturePosition,
    decode_picture,
    read_picture,
)
from fkd_desktop.live.sources.registry import make_source, register_source
from fkd_desktop.live.sources.video import VIDEO_SUFFIXES, VideoSource, is_text

__all__ = [
    "IMAGE_SUFFIXES",
    "MAX_IMAGE_BYTES",
    "MAX_IMAGE_PIXELS",
    "PICTURE_S",
    "VIDEO_SUFFIXES",
    "CameraSource",
    "FrameSource",
    "ImageSource",
    "PicturePosition",
    "VideoSource",
    "as_frame",
    "check_file",
    "decode_picture",
    "is_text",
    "make_source",
    "read_picture",
    "register_source",
]
