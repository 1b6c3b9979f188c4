"""Choosing a camera and its mode, or typing the address of a stream."""
