"""The commands of `python -m trainer`, one module each.

Each has ``add_parser(commands)``, which adds the command's options and sets ``run``: options -> exit code.
"""
