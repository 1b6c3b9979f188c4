"""The trainer's window and its pages."""
