"""Choosing overlays, looking at them live, and making one's own."""
