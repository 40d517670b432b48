"""The one type that all data become, whatever their source."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from models.axes import Kind, Shape
from playground.data.augment.settings import Applied
from playground.data.errors import DataError
from playground.data.reading import Reading, reading_from_json
from playground.preprocessing import NOTHING, Preprocessing

Array = npt.NDArray[Any]
Indices = npt.NDArray[np.int64]


class LazyValues(Protocol):
    """Values that are read when they are wanted: files, or windows of a long series."""

    @property
    def dtype(self) -> np.dtype[Any]: ...
    def __len__(self) -> int: ...
    def take(self, indices: Indices) -> Array:
        """Raw values (len(indices), …); raises ``DataError`` naming a sample that cannot be read.
        May be called from several threads."""
        ...


Values = Array | LazyValues


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """One named value of every sample.

    ``shape`` is what the network is given, after ``preprocessing``; ``values`` are raw. Label
    columns hold int64 class indices and have ``classes``. ``reading`` turns a file or a row of
    one's own into a raw value. ``season`` is the number of steps after which a forecast's series
    repeats itself (1: not known).

    Where T varies, its size is a symbol, values are padded with 0 to the longest (N, T, …), and
    ``lengths`` (N,) are the valid steps. ``texts`` are what tokens were made of.

    A mask (1×H×W) has ``pixel_classes``, the names of its pixels' class indices; 255 is none.

    Boxes (T×5) have ``box_classes``: each row is a box's corners x0, y0, x1, y1 in shares of the
    picture and its class index; all zeros is no box. ``frame`` is the picture's height and width.
    """

    name: str
    shape: Shape
    values: Values
    preprocessing: Preprocessing = NOTHING
    classes: tuple[str, ...] = ()
    unit: str = ""
    reading: Reading | None = None
    season: int = 1
    lengths: Indices | None = None
    texts: tuple[str, ...] = field(default=(), repr=False)
    pixel_classes: tuple[str, ...] = ()
    box_classes: tuple[str, ...] = ()
    frame: tuple[int, int] = (1, 1)

    @property
    def dtype(self) -> type[np.float32] | type[np.int64]:
        """What a preprocessed batch holds."""
        tokens = self.shape.kind is Kind.TOKENS
        indices = self.classes or self.pixel_classes or tokens
        return np.int64 if indices else np.float32

    @property
    def vocabulary(self) -> int | None:
        """How many different token numbers there are, of a column of tokens."""
        return getattr(self.reading, "size", None) if self.shape.kind is Kind.TOKENS else None

    @property
    def lazy(self) -> bool:
        return not isinstance(self.values, np.ndarray)

    @property
    def elements(self) -> int:
        """How many numbers a sample has at most."""
        longest = 1 if self.lengths is None else int(self.lengths.max(initial=1))
        return self.shape.elements * longest

    def take(self, indices: Indices) -> Array:
        """Raw values (len(indices), …)."""
        if isinstance(self.values, np.ndarray):
            # unlike indexing, this never passes on an unusual order of the axes in memory, for
            # which torch has other convolutions that differ in the last bits
            return self.values.take(indices, axis=0)
        return self.values.take(indices)

    def batched(self, values: Sequence[Array]) -> dict[str, Array]:
        """Raw values of one sample each as a batch by name: where T varies, padded with 0 to the
        longest, and with ``<name>_lengths``."""
        if not self.shape.varies:
            return {self.name: np.stack(values)}
        lengths = np.asarray([len(value) for value in values], np.int64)
        shape = (len(values), int(lengths.max(initial=1)), *values[0].shape[1:])
        padded = np.zeros(shape, values[0].dtype)
        for row, value in zip(padded, values, strict=True):
            row[: len(value)] = value
        return {self.name: padded, f"{self.name}_lengths": lengths}

    def prepared(self, raw: Array) -> Array:
        """A raw batch as the network is given it, float32 or int64."""
        return self.preprocessing.numpy(raw).astype(self.dtype, copy=False)

    def to_json(self) -> dict[str, Any]:
        """All but the values: what a saved model needs to read inputs and to word its answers."""
        data: dict[str, Any] = {
            "name": self.name,
            "shape": self.shape.to_json(),
            "preprocessing": self.preprocessing.to_json(),
            "classes": list(self.classes),
            "unit": self.unit,
            "reading": None if self.reading is None else self.reading.to_json(),
        }
        if self.season != 1:
            data["season"] = self.season
        if self.pixel_classes:
            data["pixel_classes"] = list(self.pixel_classes)
        if self.box_classes:
            data |= {"box_classes": list(self.box_classes), "frame": list(self.frame)}
        return data

    @classmethod
    def from_json(cls, data: Any) -> Column:
        """A column without samples; raises ``ValueError``."""
        if not isinstance(data, Mapping):
            raise ValueError("a column is an object")
        classes, name, season = data.get("classes", []), data.get("name"), data.get("season", 1)
        pixel_classes, box_classes = data.get("pixel_classes", []), data.get("box_classes", [])
        if not isinstance(name, str) or not all(
            isinstance(names, list) for names in (classes, pixel_classes, box_classes)
        ):
            raise ValueError("a column needs a name, and its classes are a list")
        if isinstance(season, bool) or not isinstance(season, int) or season < 1:
            raise ValueError("a season is a positive number of steps")
        reading = data.get("reading")
        return cls(
            name,
            Shape.from_json(data.get("shape")),
            np.zeros((0,), np.float32),
            Preprocessing.from_json(data.get("preprocessing", [])),
            tuple(str(item) for item in classes),
            str(data.get("unit", "")),
            None if reading is None else reading_from_json(reading),
            season,
            pixel_classes=tuple(str(item) for item in pixel_classes),
            box_classes=tuple(str(item) for item in box_classes),
            frame=_frame(data.get("frame", [1, 1])),
        )


def _frame(data: Any) -> tuple[int, int]:
    whole = isinstance(data, list) and all(type(side) is int and side > 0 for side in data)
    if not whole or len(data) != 2:
        raise ValueError("the frame of boxes is a height and a width")
    return data[0], data[1]


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """What samples have in common beside their class, such as who spoke them: the number of each
    sample's group (N,), the groups' names, and what they are ("voice")."""

    what: str
    codes: Indices
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file or row that is no sample, and why."""

    name: str
    reason: str


class Unreadable:
    """Samples that turned out unreadable when they were wanted; filled from several threads."""

    def __init__(self) -> None:
        self._reasons: dict[int, str] = {}

    def add(self, index: int, reason: str) -> None:
        self._reasons.setdefault(index, reason)

    def __len__(self) -> int:
        return len(self._reasons)

    def reasons(self) -> dict[int, str]:
        """Sentences by the sample's index."""
        return dict(self._reasons)


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """Samples with named inputs and targets, divided into "train", "validation" and "test".

    ``notes`` tell what was noticed, a sentence each, and ``skipped`` what was left out.
    ``captions`` say which sample it is, where the target does not (a file's name, a window's
    time). ``files`` are the paths that samples came from, one each. ``augmentation`` is what
    training does to raw inputs. ``unreadable`` grows while samples are read.
    """

    name: str
    summary: str
    inputs: Mapping[str, Column]
    targets: Mapping[str, Column]
    splits: Mapping[str, Indices]
    task: str
    notes: tuple[str, ...] = ()
    captions: tuple[str, ...] = field(default=(), repr=False)
    files: tuple[str, ...] = field(default=(), repr=False)
    groups: Groups | None = None
    skipped: tuple[Skipped, ...] = field(default=(), repr=False)
    augmentation: tuple[Applied, ...] = ()
    unreadable: Unreadable = field(default_factory=Unreadable, repr=False)

    def __len__(self) -> int:
        return len(next(iter(self.inputs.values())).values)

    @property
    def columns(self) -> dict[str, Column]:
        return {**self.inputs, **self.targets}

    @property
    def target(self) -> Column:
        """The first target, which is the only one in most data."""
        return next(iter(self.targets.values()))

    @property
    def classes(self) -> tuple[str, ...]:
        return self.target.classes

    def batch(self, indices: Any, raw: Collection[str] = ()) -> dict[str, Array]:
        """Samples as the network is given them: float32, class indices and tokens int64, and
        ``<name>_lengths`` where the length varies. Columns in ``raw`` are not preprocessed."""
        columns = self.columns
        return {
            name: columns[name].prepared(values) if name in columns and name not in raw else values
            for name, values in self.raw(indices).items()
        }

    def raw(self, indices: Any) -> dict[str, Array]:
        """Samples before preprocessing, as a person sees them; sequences of varying length are
        padded to the longest of them."""
        chosen = np.asarray(indices, np.int64).reshape(-1)
        found: dict[str, Array] = {}
        for name, column in self.columns.items():
            found[name] = column.take(chosen)
            if column.lengths is not None:
                lengths = column.lengths[chosen]
                found[name] = found[name][:, : max(1, int(lengths.max(initial=1)))]
                found[f"{name}_lengths"] = lengths
        return found

    def readable(self, indices: Any) -> Indices:
        """Those of ``indices`` that can be read; the others are noted in ``unreadable``."""
        good = []
        for index in np.asarray(indices, np.int64).reshape(-1).tolist():
            try:
                self.raw([index])
            except DataError as error:
                self.unreadable.add(index, str(error))
            else:
                good.append(index)
        return np.asarray(good, np.int64)

    def describe(self, index: int) -> str:
        """A sample in a few words: its class in quotes, its value, or its caption."""
        caption = self.captions[index] if index < len(self.captions) else ""
        target = self.target
        value = target.take(np.asarray([index], np.int64))[0]
        if target.classes:
            label = f"“{target.classes[int(value)]}”"
            return f"{label} · {caption}" if caption else label
        if caption:
            return caption
        if target.box_classes:
            found = [target.box_classes[int(row[4])] for row in value if row[:4].any()]
            return ", ".join(found) or "nothing"
        if value.size == 1:
            return f"{float(value.reshape(-1)[0]):.6g} {target.unit}".strip()
        return str(index)

    def counts(self, split: str | None = None) -> npt.NDArray[np.int64]:
        """Samples a class, of a split or of all; empty without classes."""
        target = self.target
        if not target.classes:
            return np.zeros(0, np.int64)
        indices = np.arange(len(self)) if split is None else self.splits[split]
        return np.bincount(target.take(indices), minlength=len(target.classes)).astype(np.int64)

    @property
    def lazy(self) -> bool:
        """Whether some values are read from files when they are wanted."""
        return any(column.lazy for column in self.columns.values())

    @property
    def resident_bytes(self) -> int:
        """What all raw values take, or would take, in memory."""
        total = 0
        for column in self.columns.values():
            elements = 1 if column.classes else column.elements
            total += len(column.values) * elements * column.values.dtype.itemsize
        return total

    def to_json(self) -> dict[str, Any]:
        """What was fitted, without samples, for run folders and exports."""
        return {
            "name": self.name,
            "task": self.task,
            "inputs": [column.to_json() for column in self.inputs.values()],
            "targets": [column.to_json() for column in self.targets.values()],
        }

    @classmethod
    def from_json(cls, data: Any) -> Dataset:
        """A data set without samples; raises ``ValueError``."""
        if not isinstance(data, Mapping) or not isinstance(data.get("task"), str):
            raise ValueError("what was fitted on the data is an object with a task")
        sides = []
        for key in ("inputs", "targets"):
            if not isinstance(data.get(key), list) or not data[key]:
                raise ValueError(f"{key} is a list of columns")
            columns = [Column.from_json(item) for item in data[key]]
            sides.append({column.name: column for column in columns})
        none = np.zeros(0, np.int64)
        splits = {"train": none, "validation": none, "test": none}
        return cls(str(data.get("name", "")), "", sides[0], sides[1], splits, data["task"])
