"""What the figures of docs/benchmarks.md come from: `python -m benchmarks`; each module is a command, too."""
