"""Training under abuse: killed at random moments, and on a disk that fails at each of its writes.

`python -m tests.kills`; the suite does a little of both.
"""
