"""The curves of a run in a bounded number of points, however long it gets."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from playground.messages import Array, History

CAPACITY = 2000


class Points:
    """Rows of numbers, thinned by averaging neighbours: never more than ``capacity``.

    Where that is reached, pairs are merged and each later point stands for twice as many rows.
    """

    def __init__(self, columns: int, capacity: int = CAPACITY) -> None:
        self._capacity = capacity + capacity % 2
        self._stride = 1
        self._points = np.empty((0, columns))
        self._pending = np.empty((0, columns))

    def add(self, rows: Array) -> None:
        """``rows`` (n, columns), in their order."""
        rows = np.concatenate([self._pending, rows])
        while len(rows) >= self._stride:
            room = (self._capacity - len(self._points)) * self._stride
            full = min(room, len(rows) // self._stride * self._stride)
            bins = rows[:full].reshape(-1, self._stride, rows.shape[1]).mean(1)
            self._points = np.concatenate([self._points, bins])
            rows = rows[full:]
            if len(self._points) == self._capacity:
                self._points = self._points.reshape(-1, 2, rows.shape[1]).mean(1)
                self._stride *= 2
        self._pending = rows

    def rows(self) -> Array:
        """(at most capacity, columns); the last one may stand for fewer rows than the others."""
        if not len(self._pending):
            return self._points
        return np.concatenate([self._points, self._pending.mean(0, keepdims=True)])

    def arrays(self) -> dict[str, Array]:
        """What ``restore`` needs to go on exactly."""
        return {
            "points": self._points,
            "pending": self._pending,
            "stride": np.array([self._stride]),
        }

    def restore(self, points: Array, pending: Array, stride: Array) -> None:
        """Go on from ``arrays``; raises ``ValueError`` where they do not fit together."""
        columns = self._points.shape[1]
        if points.shape[1:] != (columns,) or pending.shape[1:] != (columns,) or stride.size != 1:
            raise ValueError("the saved curves have another form")
        self._points, self._pending = points[: self._capacity - 1], pending
        self._stride = max(1, int(stride.reshape(-1)[0]))


class Curves:
    """The losses of every batch and the results of every epoch."""

    def __init__(self, metric: str, better: str, unit: str = "") -> None:
        self.metric, self.better, self.unit = metric, better, unit
        self.batches = Points(2)
        self.epochs = Points(5)
        self.best_epoch: int | None = None

    def add_losses(self, x: Array, losses: Array) -> None:
        """Losses of consecutive batches at ``x`` in epochs."""
        self.batches.add(np.stack([x, losses], axis=1))

    def add_epoch(
        self, epoch: int, losses: Sequence[float], metrics: Sequence[float], *, best: bool
    ) -> None:
        """Results of one epoch: (training, validation) losses and main metrics."""
        self.epochs.add(np.array([[epoch, *losses, *metrics]], dtype=float))
        if best:
            self.best_epoch = epoch

    def message(self) -> History:
        batches, epochs = self.batches.rows(), self.epochs.rows()
        return History(
            x=batches[:, 0],
            train_loss=batches[:, 1],
            epochs=epochs[:, 0],
            epoch_train_loss=epochs[:, 1],
            validation_loss=epochs[:, 2],
            metric=self.metric,
            train_metric=epochs[:, 3],
            validation_metric=epochs[:, 4],
            best_epoch=self.best_epoch,
            better=self.better,
            unit=self.unit,
        )

    def arrays(self) -> dict[str, Array]:
        return {
            f"{name}.{key}": array
            for name, points in (("batches", self.batches), ("epochs", self.epochs))
            for key, array in points.arrays().items()
        }

    def restore(self, arrays: dict[str, Array], best_epoch: int | None) -> None:
        """Go on from ``arrays``; raises ``ValueError`` or ``KeyError`` where some are missing."""
        for name, points in (("batches", self.batches), ("epochs", self.epochs)):
            points.restore(*(arrays[f"{name}.{key}"] for key in ("points", "pending", "stride")))
        self.best_epoch = best_epoch
