"""FKD Desktop: real-time face keypoints in a desktop window."""

__version__ = "0.1.0"
