"""FKD Desktop: real-time face keypoints in a desktop window."""

import os as _os

__version__ = "0.1.0"
APP_ID = "fkd-desktop"
"""What systems know the application by: names of its folders and of its desktop entry."""

# OpenCV reads these once, when cv2 is first imported: so they stand here, before anything in this package imports it.
# A camera that sends nothing must not block a read for OpenCV's 10 s. FFmpeg's chatter about damaged files is not for
# the user's terminal: what matters of it is said in the window. A picture that would unpack to gigabytes is refused at
# its header. On macOS OpenCV could ask for the camera in the main thread only, so the camera's source asks. On Windows
# many webcams take half a minute to open with hardware transforms.
for _name, _value in {
    "OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT": "2",
    "OPENCV_LOG_LEVEL": "ERROR",
    "OPENCV_FFMPEG_LOGLEVEL": "-8",
    "OPENCV_IO_MAX_IMAGE_PIXELS": "100000000",
    "OPENCV_AVFOUNDATION_SKIP_AUTH": "1",
    "OPENCV_VIDEOIO_MSMF_ENABLE_HW_TRANSFORMS": "0",
}.items():
    _os.environ.setdefault(_name, _value)
