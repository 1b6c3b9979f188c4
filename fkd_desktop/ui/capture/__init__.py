"""What the window shows of capturing."""
