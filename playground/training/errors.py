"""The one error of training."""

from __future__ import annotations


class TrainingError(RuntimeError):
    """A run cannot start or go on. The message is a sentence for the user that names the node or
    the sample and the way out; ``node`` is the node's id where there is one."""

    def __init__(self, message: str, node: str | None = None) -> None:
        super().__init__(message)
        self.node = node
