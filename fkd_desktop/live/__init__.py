"""The live pipeline: sources, detection, tracking, smoothing. Never imports Qt."""
