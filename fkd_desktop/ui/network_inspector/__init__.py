"""The network inspector: architecture, kernels and activation maps of a network, live or on a picture."""

from fkd_desktop.ui.network_inspector.window import NetworkInspector

__all__ = ["NetworkInspector"]
