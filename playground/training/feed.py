"""Batches of a split as tensors on the device.

Small data are put there once, and a batch is a selection of rows. Larger or lazy data are read
ahead by a helper thread, in the same order. Samples that cannot be read are left out.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from models.parameters import ParameterError
from playground.data.augment import augmented, checked_options, separates
from playground.data.dataset import Column, Dataset
from playground.data.errors import DataError
from playground.training.errors import TrainingError

Batch = dict[str, Tensor]
Chosen = tuple[Tensor, Batch]
Arrays = dict[str, npt.NDArray[np.generic]]
Indices = npt.NDArray[np.int64]

RESIDENT_SHARE = 0.25
RESIDENT_BYTES = 2 << 30
AHEAD = 2


class Feed(Protocol):
    """The samples of one split, counted from 0."""

    def __len__(self) -> int: ...

    def batches(self, order: Iterable[Tensor], draw: int = 0) -> Iterator[Chosen]:
        """One batch for each tensor of positions in the split, beside the positions that could be
        read. ``draw`` numbers the first of them: augmentation draws the same for the same."""
        ...


class Resident:
    """All samples of a split on the device; ``lost`` are those that could not be read."""

    def __init__(self, tensors: Batch, size: int, lost: Tensor | None = None) -> None:
        self.tensors = tensors
        self._size = size
        self._lost = lost if lost is not None and bool(lost.any()) else None

    def __len__(self) -> int:
        return self._size

    def batches(self, order: Iterable[Tensor], draw: int = 0) -> Iterator[Chosen]:
        for positions in order:
            chosen = positions
            if self._lost is not None:
                chosen = positions[~self._lost[positions]]
                if not len(chosen):  # a batch cannot be empty: any sample that is there
                    chosen = (~self._lost).nonzero()[:1, 0]
            yield (
                chosen,
                trimmed(
                    {name: tensor.index_select(0, chosen) for name, tensor in self.tensors.items()}
                ),
            )


class Streamed:
    """Samples that are read when they are wanted, up to two batches ahead.

    With ``keep`` they stay on the device once they were read, so that files are read in the first
    epoch alone.
    """

    def __init__(
        self,
        dataset: Dataset,
        indices: Indices,
        device: torch.device,
        *,
        keep: bool = False,
        raw: frozenset[str] = frozenset(),
    ) -> None:
        self._dataset, self._indices, self._device = dataset, indices, device
        self._raw = raw
        self._kept: Batch = {}
        self._known = torch.zeros(len(indices) if keep else 0, dtype=torch.bool)
        self._lost = torch.zeros(len(indices), dtype=torch.bool)

    def __len__(self) -> int:
        return len(self._indices)

    def batches(self, order: Iterable[Tensor], draw: int = 0) -> Iterator[Chosen]:
        if self._known.numel() and (self._known | self._lost).all():
            lost = self._lost.to(self._device)
            yield from Resident(self._kept, len(self), lost).batches(order)
            return
        waiting: deque[tuple[Tensor, Future[tuple[Indices, Batch]]]] = deque()
        pool = ThreadPoolExecutor(1, thread_name_prefix="feed")
        try:
            for positions in order:
                waiting.append((positions, pool.submit(self._read, positions.cpu().numpy())))
                if len(waiting) > AHEAD:
                    yield self._placed(*waiting.popleft())
            while waiting:
                yield self._placed(*waiting.popleft())
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _read(self, positions: Indices) -> tuple[Indices, Batch]:
        """The positions that can be read, and their samples."""
        wanted = self._indices[positions]
        good, arrays = read_good(self._dataset, wanted, self._raw)
        kept = positions[np.isin(wanted, good)]
        if not len(good):
            kept, arrays = self._any()
        tensors = {name: torch.from_numpy(np.ascontiguousarray(a)) for name, a in arrays.items()}
        if self._device.type == "cuda":
            tensors = {name: tensor.pin_memory() for name, tensor in tensors.items()}
        return kept, tensors

    def _any(self) -> tuple[Indices, Arrays]:
        """Some sample that can be read, because a batch cannot be empty."""
        for position, index in enumerate(self._indices):
            good, arrays = read_good(self._dataset, self._indices[[position]], self._raw)
            if len(good):
                return np.asarray([position]), arrays
            reason = self._dataset.unreadable.reasons().get(int(index), "")
        raise TrainingError(f"none of {len(self):,} samples can be read: {reason}")

    def _placed(
        self, positions: Tensor, reading: Future[tuple[Indices, Batch]]
    ) -> tuple[Tensor, Batch]:
        good, tensors = reading.result()
        batch = {
            name: tensor.to(self._device, non_blocking=True) for name, tensor in tensors.items()
        }
        wanted, read = positions.cpu(), torch.from_numpy(good)
        chosen = positions
        if not torch.equal(wanted, read):
            chosen = read.to(positions.device)
            self._lost[wanted[~torch.isin(wanted, read)]] = True
        if self._known.numel():
            self._keep(chosen, batch)
        return chosen, batch

    def _keep(self, chosen: Tensor, batch: Batch) -> None:
        columns = self._dataset.columns
        for name, tensor in batch.items():
            whole = self._kept.get(name)
            if whole is None:
                sizes = list(tensor.shape[1:])
                column = columns.get(name)
                if column is not None and column.lengths is not None:
                    sizes[0] = int(column.lengths.max())
                whole = self._kept[name] = tensor.new_zeros((len(self), *sizes))
            if tensor.ndim > 1:  # a batch may be shorter than the longest sample
                whole[chosen, : tensor.shape[1]] = tensor
            else:
                whole[chosen] = tensor
        self._known[chosen.cpu()] = True


class Augmented:
    """Raw samples of another feed, changed at random and then preprocessed on the device.

    What is drawn follows from ``seed`` and the number of the batch alone, so that a resumed run
    draws the same.
    """

    def __init__(self, feed: Feed, dataset: Dataset, device: torch.device, seed: int) -> None:
        self._feed, self._applied, self._seed = feed, dataset.augmentation, seed
        self._columns: dict[str, tuple[Column, nn.Module]] = {
            name: (column, column.preprocessing.module().to(device))
            for name, column in dataset.inputs.items()
            if column.dtype is np.float32
        }

    def __len__(self) -> int:
        return len(self._feed)

    def batches(self, order: Iterable[Tensor], draw: int = 0) -> Iterator[Chosen]:
        for number, (chosen, raw) in enumerate(self._feed.batches(order), draw):
            generator = torch.Generator().manual_seed(self._seed * 1_000_003 + number)
            batch = dict(raw)
            for name, (column, module) in self._columns.items():
                batch[name] = module(augmented(self._applied, column, raw[name], generator))
            yield chosen, batch


def trimmed(batch: Batch) -> Batch:
    """Without the padding that no sample of the batch needs."""
    for name in [name for name in batch if name.endswith("_lengths")]:
        column = name.removesuffix("_lengths")
        longest = max(1, int(batch[name].max()))
        if column in batch and batch[column].shape[1] > longest:
            batch[column] = batch[column][:, :longest].contiguous()
    return batch


def prepared_bytes(dataset: Dataset, samples: int) -> int:
    """What ``samples`` take as the network is given them."""
    per_sample = sum(
        np.dtype(column.dtype).itemsize * (1 if column.classes else column.elements)
        for column in dataset.columns.values()
    )
    return samples * per_sample


def open_feed(
    dataset: Dataset, indices: Indices, device: torch.device, free: int, seed: int | None = None
) -> Feed:
    """The samples of ``indices``; kept on the device where they fit in a share of ``free`` bytes.
    With a ``seed`` they are augmented, if the data are.

    Raises ``TrainingError`` naming a sample that cannot be read.
    """
    raw = raw_inputs(dataset) if seed is not None else frozenset()
    size = prepared_bytes(dataset, len(indices))
    keep = size <= min(RESIDENT_BYTES, RESIDENT_SHARE * free)
    feed: Feed
    if dataset.lazy or not keep:
        feed = Streamed(dataset, indices, device, keep=keep, raw=raw)
    else:
        arrays = read_samples(dataset, indices, raw)
        tensors = {
            name: torch.from_numpy(np.ascontiguousarray(array)).to(device)
            for name, array in arrays.items()
        }
        feed = Resident(tensors, len(indices))
    return feed if seed is None else with_augmentation(feed, dataset, device, seed)


def raw_inputs(dataset: Dataset) -> frozenset[str]:
    """The columns that training reads before preprocessing: all inputs, if they are augmented."""
    return frozenset(dataset.inputs if dataset.augmentation else ())


def with_augmentation(feed: Feed, dataset: Dataset, device: torch.device, seed: int) -> Feed:
    """``feed`` of raw inputs as training wants it; raises ``TrainingError``."""
    if not dataset.augmentation:
        return feed
    try:
        for item in dataset.augmentation:
            kind, _ = checked_options(item)
            if separates(kind, dataset):
                raise TrainingError(
                    f"augmentation: {kind.name} would change the {next(iter(dataset.inputs))} but "
                    f"not the {dataset.target.name} that belongs to it: turn it off"
                )
    except ParameterError as error:
        raise TrainingError(f"augmentation: {error}") from None
    return Augmented(feed, dataset, device, seed)


def read_good(
    dataset: Dataset, indices: Indices, raw: frozenset[str] = frozenset()
) -> tuple[Indices, Arrays]:
    """Those of ``indices`` that can be read, and their samples; the others are noted in
    ``dataset.unreadable``."""
    try:
        return indices, read_samples(dataset, indices, raw)
    except TrainingError as error:
        if not isinstance(error.__cause__, DataError):
            raise
    good = dataset.readable(indices)
    if len(good) == len(indices):  # it was a passing trouble
        return good, read_samples(dataset, good, raw)
    # files may vanish between two looks at them
    return read_good(dataset, good, raw) if len(good) else (good, {})


def read_samples(dataset: Dataset, indices: Indices, raw: frozenset[str] = frozenset()) -> Arrays:
    """A preprocessed batch, the columns ``raw`` without preprocessing; raises ``TrainingError``
    naming the sample that cannot be read."""
    try:
        return dataset.batch(indices, raw)
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
