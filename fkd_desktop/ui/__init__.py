"""Widgets. They know the controller; nothing below knows them."""
