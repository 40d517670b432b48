"""Live recognition: what a camera or microphone gives now, and what a model answers to it.

Always the newest frame, never a queue. ``Live`` does it by itself; the worker answers between the
batches of a training run with ``share``.
"""
