"""Threads and processes, and nothing else: QtCore only."""
