"""What keeps a model from answering live."""

from __future__ import annotations


class LiveError(ValueError):
    """This model cannot be run live on this source; the message says why and what to do."""
