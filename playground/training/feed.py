"""Batches of a split as tensors on the device.

Small data are put there once, and a batch is a selection of rows. Larger or lazy data are read
ahead by a helper thread, in the same order.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from playground.data.dataset import Dataset
from playground.data.errors import DataError
from playground.training.errors import TrainingError

Batch = dict[str, Tensor]
Indices = npt.NDArray[np.int64]

RESIDENT_SHARE = 0.25
RESIDENT_BYTES = 2 << 30
AHEAD = 2


class Feed(Protocol):
    """The samples of one split, counted from 0."""

    def __len__(self) -> int: ...

    def batches(self, order: Iterable[Tensor]) -> Iterator[Batch]:
        """One batch for each tensor of positions in the split."""
        ...


class Resident:
    """All samples of a split on the device."""

    def __init__(self, tensors: Batch, size: int) -> None:
        self.tensors = tensors
        self._size = size

    def __len__(self) -> int:
        return self._size

    def batches(self, order: Iterable[Tensor]) -> Iterator[Batch]:
        tensors = self.tensors.items()
        for chosen in order:
            yield {name: tensor.index_select(0, chosen) for name, tensor in tensors}


class Streamed:
    """Samples that are read when they are wanted, up to two batches ahead.

    With ``keep`` they stay on the device once they were read, so that files are read in the first
    epoch alone.
    """

    def __init__(
        self, dataset: Dataset, indices: Indices, device: torch.device, *, keep: bool = False
    ) -> None:
        self._dataset, self._indices, self._device = dataset, indices, device
        self._kept: Batch = {}
        self._known = torch.zeros(len(indices) if keep else 0, dtype=torch.bool)

    def __len__(self) -> int:
        return len(self._indices)

    def batches(self, order: Iterable[Tensor]) -> Iterator[Batch]:
        if self._known.numel() and self._known.all():
            yield from Resident(self._kept, len(self)).batches(order)
            return
        waiting: deque[tuple[Tensor, Future[Batch]]] = deque()
        pool = ThreadPoolExecutor(1, thread_name_prefix="feed")
        try:
            for chosen in order:
                wanted = self._indices[chosen.cpu().numpy()]
                waiting.append((chosen, pool.submit(self._read, wanted)))
                if len(waiting) > AHEAD:
                    yield self._placed(*waiting.popleft())
            while waiting:
                yield self._placed(*waiting.popleft())
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _read(self, indices: Indices) -> Batch:
        arrays = read_samples(self._dataset, indices)
        tensors = {name: torch.from_numpy(np.ascontiguousarray(a)) for name, a in arrays.items()}
        if self._device.type == "cuda":
            return {name: tensor.pin_memory() for name, tensor in tensors.items()}
        return tensors

    def _placed(self, chosen: Tensor, reading: Future[Batch]) -> Batch:
        batch = {
            name: tensor.to(self._device, non_blocking=True)
            for name, tensor in reading.result().items()
        }
        if self._known.numel():
            for name, tensor in batch.items():
                if name not in self._kept:
                    self._kept[name] = tensor.new_empty((len(self), *tensor.shape[1:]))
                self._kept[name][chosen] = tensor
            self._known[chosen.cpu()] = True
        return batch


def prepared_bytes(dataset: Dataset, samples: int) -> int:
    """What ``samples`` take as the network is given them."""
    per_sample = sum(
        8 if column.classes else 4 * column.shape.elements for column in dataset.columns.values()
    )
    return samples * per_sample


def open_feed(dataset: Dataset, indices: Indices, device: torch.device, free: int) -> Feed:
    """The samples of ``indices``; kept on the device where they fit in a share of ``free`` bytes.

    Raises ``TrainingError`` naming a sample that cannot be read.
    """
    size = prepared_bytes(dataset, len(indices))
    keep = size <= min(RESIDENT_BYTES, RESIDENT_SHARE * free)
    if dataset.lazy or not keep:
        return Streamed(dataset, indices, device, keep=keep)
    arrays = read_samples(dataset, indices)
    tensors = {
        name: torch.from_numpy(np.ascontiguousarray(array)).to(device)
        for name, array in arrays.items()
    }
    return Resident(tensors, len(indices))


def read_samples(dataset: Dataset, indices: Indices) -> dict[str, npt.NDArray[np.generic]]:
    """A preprocessed batch; raises ``TrainingError`` naming the sample that cannot be read."""
    try:
        return dataset.batch(indices)
    except DataError as error:
        raise TrainingError(str(error)) from error
    except (OSError, ValueError, MemoryError) as error:
        for index in indices:
            try:
                dataset.batch([index])
            except (OSError, ValueError, MemoryError) as cause:
                raise TrainingError(f"sample {index} cannot be read: {cause}") from error
        raise TrainingError(f"a batch of {len(indices)} samples cannot be read: {error}") from error


def split_batches(order: Tensor, size: int) -> Sequence[Tensor]:
    """``order`` in batches. A last one of a single sample joins the one before it, because batch
    normalization cannot learn from one value."""
    batches = list(torch.split(order, size))
    if size > 1 and len(batches) > 1 and len(batches[-1]) == 1:
        last = batches.pop()
        batches[-1] = torch.cat([batches[-1], last])
    return batches
