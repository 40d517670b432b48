"""Cycles of Python objects are collected in the main thread alone.

A cycle may hold widgets, and Qt's objects must end in the thread that they live in. Python's own
collector runs in whichever thread happens to allocate, which may be one that reads samples: that
ends the process.
"""

from __future__ import annotations

import gc
import sys

from PySide6.QtCore import QObject, QTimer, Slot

LOOK_MS = 1000
LIBRARY = 100
"""So many new modules are a large library that was loaded, such as torch."""


class Collector(QObject):
    """Takes the place of the automatic collector, by its own thresholds.

    What large libraries consist of stays until the end: it is set aside, since going through torch
    alone would hold the window for a sixth of a second every time.
    """

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        gc.disable()
        self._modules = len(sys.modules)
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK_MS)
        self._timer.timeout.connect(self.look)
        self._timer.start()

    @Slot()
    def look(self) -> None:
        """Collect the oldest generation that is due."""
        modules = len(sys.modules)
        if modules > self._modules + LIBRARY:
            self._modules = modules
            gc.freeze()
        counts, thresholds = gc.get_count(), gc.get_threshold()
        for generation in (2, 1, 0):
            if counts[generation] > thresholds[generation]:
                gc.collect(generation)
                return
