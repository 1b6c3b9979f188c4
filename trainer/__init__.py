"""The networks: what they are, how they are trained, judged and kept. Never imports Qt."""
