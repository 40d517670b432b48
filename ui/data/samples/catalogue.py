"""What is known of every sample without reading it, and which samples a filter lets through."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.axes import Kind
from playground.data.dataset import Dataset, Indices
from ui.insight.ticks import number

SPLITS = ("train", "validation", "test")
SPLIT_WORDS = {"train": "training", "validation": "validation", "test": "test", "": "no split"}


@dataclass(frozen=True)
class Filter:
    """Samples of one class (None: all), of one split ("": all), whose caption, file or class has
    all the words of ``text``, and, if ``only`` is given, that are among its indices."""

    label: int | None = None
    split: str = ""
    text: str = ""
    only: frozenset[int] | None = field(default=None, repr=False)


class Catalogue:
    """Class, split and caption of the samples of ``dataset``."""

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset
        count = len(dataset)
        target = dataset.target
        self.labels: NDArray[np.int64] | None = None
        if target.classes and isinstance(target.values, np.ndarray) and target.values.ndim == 1:
            self.labels = target.values
        self.splits: NDArray[np.int8] = np.full(count, -1, np.int8)
        for code, name in enumerate(SPLITS):
            self.splits[dataset.splits.get(name, np.zeros(0, np.int64))] = code
        first = next(iter(dataset.inputs.values()))
        self.text = first.shape.kind is Kind.TOKENS and bool(dataset.captions)
        """Whether samples are texts, which are best read as they were written."""
        self._words: list[str] | None = None

    def label(self, index: int) -> str:
        """A sample's class or its value; "" where it is neither."""
        target = self.dataset.target
        if self.labels is not None:
            code = int(self.labels[index])
            return target.classes[code] if 0 <= code < len(target.classes) else "?"
        values = target.values
        if isinstance(values, np.ndarray) and values[index].size == 1:
            return f"{number(float(values[index].reshape(-1)[0]), 4)} {target.unit}".strip()
        return ""

    def split(self, index: int) -> str:
        code = int(self.splits[index])
        return SPLITS[code] if code >= 0 else ""

    def caption(self, index: int) -> str:
        captions = self.dataset.captions
        return captions[index] if index < len(captions) else ""

    def file(self, index: int) -> Path | None:
        files = self.dataset.files
        return Path(files[index]) if index < len(files) and files[index] else None

    def told(self, index: int) -> str:
        """A sample in a line: its number, class, split and caption."""
        parts = [f"sample {index + 1:,}", self.label(index)]
        parts += [SPLIT_WORDS[self.split(index)], self.caption(index)]
        return " · ".join(part for part in parts if part)

    def matching(self, wanted: Filter) -> Indices:
        """The samples that ``wanted`` lets through, in order. Safe in any thread."""
        count = len(self.dataset)
        chosen = np.ones(count, bool)
        if wanted.label is not None and self.labels is not None:
            chosen &= self.labels == wanted.label
        if wanted.split:
            chosen &= self.splits == SPLITS.index(wanted.split)
        if wanted.only is not None:
            chosen &= np.isin(np.arange(count), np.fromiter(wanted.only, np.int64))
        indices = np.flatnonzero(chosen)
        words = wanted.text.lower().split()
        if words:
            texts = self._texts()
            kept = [i for i in indices.tolist() if all(word in texts[i] for word in words)]
            indices = np.asarray(kept, np.int64)
        return indices

    def _texts(self) -> list[str]:
        if self._words is None:
            dataset, count = self.dataset, len(self.dataset)
            texts = [self.label(i) for i in range(count)]
            for more in (dataset.captions, dataset.files):
                if len(more) == count:
                    texts = [f"{a} {b}" for a, b in zip(texts, more, strict=True)]
            self._words = [text.lower() for text in texts]
        return self._words
