"""The networks: what they are, how they are trained, judged and kept. Never imports Qt."""

import os as _os

# OpenCV reads it once, when cv2 is first imported. A picture that would unpack to gigabytes is refused at its header.
_os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", "100000000")
