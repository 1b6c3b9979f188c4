"""Keeping what is on the screen: pictures, films, and a camera that other programs see."""
