"""Columns of a table as numbers: the matrix that a network learns from, and the steps that fill and
scale it, fitted on the training rows alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from playground.data.columns import (
    LARGEST_CATEGORIES,
    coded,
    number_column,
    part_columns,
    times_of,
    useful_parts,
)
from playground.data.csv_reading import Table, pairs
from playground.data.errors import DataError
from playground.data.reading import Feature
from playground.data.table_roles import Roles
from playground.preprocessing import Fill, Standardize, Step

if TYPE_CHECKING:
    import polars as pl

Matrix = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

LARGEST_MATRIX = 4 << 30
_BLOCK = 1 << 20
"""Numbers that are turned from columns into rows at a time."""
_MANY = 1_000
"""Columns of numbers."""
FILLINGS = ("fill", "median", "constant", "drop")
SCALINGS = ("standardize", "range", "none")


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """The features of all rows, null where a number is missing: float32, categories as bytes."""

    features: tuple[Feature, ...]
    frame: pl.DataFrame

    @property
    def numeric(self) -> list[bool]:
        """Which columns can be missing and are scaled: numbers, and the years of dates."""
        flags: list[bool] = []
        for feature in self.features:
            flags += [feature.categories is None and not feature.parts] * (
                0 if feature.parts else feature.width
            )
            for part in feature.parts:
                flags += [True] if part == "year" else [False, False]
        return flags

    @property
    def names(self) -> list[str]:
        """The table's column that each column is from."""
        return [feature.name for feature in self.features for _ in range(feature.width)]

    def complete(self, among: Sequence[str] | None = None) -> Mask:
        """The rows in which no number (of the table's columns ``among``) is missing."""
        import polars as pl

        numeric = [
            pl.col(column)
            for column, name, is_number in zip(
                self.frame.columns, self.names, self.numeric, strict=True
            )
            if is_number and (among is None or name in among) and self.frame[column].null_count()
        ]
        if not numeric:
            return np.ones(self.frame.height, np.bool_)
        missing = self.frame.select(pl.any_horizontal([item.is_null() for item in numeric]))
        return ~missing.to_series().to_numpy()

    def constant(self) -> list[str]:
        """Features that are the same in every row."""
        columns = zip(self.names, self.frame.iter_columns(), strict=True)
        varying = {name for name, values in columns if values.min() != values.max()}
        return [item.name for item in self.features if item.name not in varying]

    def known(self, rows: Mask) -> Encoded:
        """With the categories that none of ``rows`` has as unknown ones, which nothing could be
        learned of. Their columns stay, so that a network fits whatever rows it is trained on."""
        import polars as pl

        names = iter(self.frame.columns)
        own = [[next(names) for _ in range(feature.width)] for feature in self.features]
        coded = [name for item, its in zip(self.features, own, strict=True) if item.categories
                 for name in its]  # fmt: skip
        if not coded:
            return self
        seen = self.frame.select(pl.col(coded).filter(pl.Series(rows)).max()).row(0, named=True)
        features = []
        for item, its in zip(self.features, own, strict=True):
            words = zip(item.categories or (), its, strict=False)
            known = tuple(word if seen[name] else "" for word, name in words)
            features.append(replace(item, categories=known) if item.categories else item)
        blank = [pl.lit(0, pl.UInt8).alias(name) for name in coded if not seen[name]]
        return Encoded(tuple(features), self.frame.with_columns(blank))

    def matrix(self, keep: Mask) -> Matrix:
        """The kept rows (N, features), NaN where missing."""
        import polars as pl

        frame = self.frame if keep.all() else self.frame.filter(pl.Series(keep))
        result = np.empty((frame.height, frame.width), np.float32)
        rows = min(frame.height, max(1, _BLOCK // frame.width))
        block = np.empty((frame.width, rows), np.float32)
        for start in range(0, frame.height, rows):  # turned within the processor's cache
            piece = frame.slice(start, rows)
            for place, column in enumerate(piece.iter_columns()):
                block[place, : piece.height] = column.to_numpy()
            result[start : start + piece.height] = block[:, : piece.height].T
        return result


def encode(table: Table, roles: Roles) -> Encoded:
    """Numbers as they are, a column of 0 and 1 for each category, dates by their parts."""
    import polars as pl

    features: list[Feature] = []
    columns: list[pl.Series] = []
    rows = table.frame.height
    for name in roles.features:
        feature, parts = _ENCODERS[roles.types[name]](table, name)
        features.append(feature)
        columns += parts
        if 4 * rows * len(columns) > LARGEST_MATRIX:
            raise DataError(
                f"{table.path.name} has too many features for its {rows:,} rows: choose fewer"
            )
    if not columns:
        wanted = ", ".join(roles.features)
        raise DataError(f"the features {wanted} are empty: choose columns with values")
    frame = pl.DataFrame([column.alias(str(place)) for place, column in enumerate(columns)])
    return Encoded(tuple(features), frame)


def _number(table: Table, name: str) -> tuple[Feature, list[pl.Series]]:
    return Feature(name), [number_column(table, name)]


def _category(table: Table, name: str) -> tuple[Feature, list[pl.Series]]:
    import polars as pl

    codes, categories = coded(table, name)
    if len(categories) > LARGEST_CATEGORIES:
        raise DataError(
            f"column {name} has {len(categories):,} different texts, too many to be categories: "
            "leave it out"
        )
    if 4 * len(codes) * len(categories) > LARGEST_MATRIX:
        raise DataError(f"column {name} has too many categories for its rows: leave it out")
    found = pl.DataFrame({"code": codes})
    chosen = found.select(
        (pl.col("code") == code).cast(pl.UInt8).alias(str(code)) for code in range(len(categories))
    )
    return Feature(name, tuple(categories)), list(chosen.iter_columns())


def _date(table: Table, name: str) -> tuple[Feature, list[pl.Series]]:
    found = times_of(table.frame[name])
    if found is None:
        raise DataError(
            f"{table.path.name}: column {name} holds no dates that are understood: write them like "
            "2024-12-31, or set its type to category"
        )
    times, pattern = found
    parts = useful_parts(times)
    return Feature(name, None, parts, pattern), part_columns(times, parts)


def _text(table: Table, name: str) -> tuple[Feature, list[pl.Series]]:
    raise DataError(f"column {name} holds texts: leave it out, or choose the source Text")


_ENCODERS: dict[str, Any] = {
    "number": _number,
    "category": _category,
    "date": _date,
    "text": _text,
}


# --- filling and scaling --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Rules:
    """How each column is filled and scaled: for all, and otherwise for those that are named."""

    filling: str
    constant: float
    scaling: str
    fillings: Mapping[str, str]
    scalings: Mapping[str, str]

    @classmethod
    def of(cls, options: Mapping[str, Any], names: Sequence[str]) -> Rules:
        """Raises ``DataError`` for what is not known."""
        fillings, scalings = pairs(options["fillings"]), pairs(options["scalings"])
        for given, known in ((fillings, FILLINGS), (scalings, SCALINGS)):
            for name, word in given.items():
                if (
                    name in names
                    and word not in known
                    and (known is SCALINGS or not _is_float(word))
                ):
                    raise DataError(f"{name}={word} is not understood: use {', '.join(known)}")
        return cls(options["missing"], float(options["constant"]), options["scaling"], fillings,
                   scalings)  # fmt: skip

    @property
    def words(self) -> str:
        """What is done to missing numbers, as a sentence ends."""
        if self.fillings:
            return "filled as set for each column"
        ways = {"median": "the training median", "constant": f"{self.constant:g}"}
        return f"filled with {ways.get(self.filling, 'the training mean')}"

    def dropped(self, name: str) -> bool:
        """Whether rows without a number in this column are left out."""
        return self.fillings.get(name, self.filling) == "drop"


def steps(encoded: Encoded, train: Mask, rules: Rules) -> tuple[Step, ...]:
    """Filling and scaling, fitted on the rows ``train``; categories and cycles stay as they are."""
    numeric, names = encoded.numeric, encoded.names
    if not any(numeric) and not any(column.null_count() for column in encoded.frame):
        return ()
    found = _figures(encoded, train, any(word == "median" for word in
                                         (rules.filling, *rules.fillings.values())))  # fmt: skip
    fills, means, stds = [], [], []
    for place, (name, is_number) in enumerate(zip(names, numeric, strict=True)):
        figures = found[place] if is_number else None
        fills.append(0.0 if figures is None else _filled(rules, name, figures))
        mean, std = (0.0, 1.0) if figures is None else _scaled(rules, name, figures)
        means.append(mean)
        stds.append(std)
    result: list[Step] = [Fill(tuple(fills))]
    if any(means) or any(std != 1.0 for std in stds):
        result.append(Standardize(tuple(means), tuple(stds)))
    return tuple(result)


@dataclass(frozen=True, slots=True)
class _Figures:
    mean: float
    std: float
    low: float
    high: float
    median: float = 0.0

    @classmethod
    def of(cls, values: Any, median: bool) -> _Figures:
        """Of a series of numbers; 0 where it is empty."""
        found = (values.mean(), values.std(ddof=0), values.min(), values.max())
        middle = values.median() if median else None
        return cls(*(value or 0.0 for value in (*found, middle)))


def _figures(encoded: Encoded, train: Mask, median: bool) -> dict[int, _Figures]:
    """Of every column of numbers, by its place, over the training rows; 0 where it is empty."""
    import polars as pl

    chosen = [n for n, number in zip(encoded.frame.columns, encoded.numeric, strict=True) if number]
    if len(chosen) > _MANY:  # to plan one pass would take longer than to look at each
        kept = encoded.frame.filter(pl.Series(train))
        return {int(name): _Figures.of(kept[name].cast(pl.Float64), median) for name in chosen}
    one = pl.col(chosen).cast(pl.Float64)
    wanted = {"mean": one.mean(), "std": one.std(ddof=0), "low": one.min(), "high": one.max()}
    if median:
        wanted["median"] = one.median()
    # every figure is worked out in one pass, on all threads
    lazy = encoded.frame.lazy().select(chosen).filter(pl.Series(train))
    row = lazy.select(item.name.suffix(f" {key}") for key, item in wanted.items()).collect()
    return {
        int(name): _Figures(**{key: row[f"{name} {key}"].item() or 0.0 for key in wanted})
        for name in chosen
    }


def _filled(rules: Rules, name: str, figures: _Figures) -> float:
    word = rules.fillings.get(name, rules.filling)
    if _is_float(word):
        return short(float(word))
    if word == "constant":
        return short(rules.constant)
    return short(figures.median if word == "median" else figures.mean)


def _scaled(rules: Rules, name: str, figures: _Figures) -> tuple[float, float]:
    """What is subtracted, and what is divided by."""
    word = rules.scalings.get(name, rules.scaling)
    if word == "none":
        return 0.0, 1.0
    if word == "range":
        width = figures.high - figures.low
        return short(figures.low), short(width) if width > 0 else 1.0
    flat = figures.std <= 1e-8 * max(1.0, abs(figures.mean))
    return short(figures.mean), 1.0 if flat else short(figures.std)


def short(value: float) -> float:
    """A float32 with the digits that matter, which makes for readable documents."""
    return float(str(np.float32(value)))


def _is_float(word: str) -> bool:
    try:
        return abs(float(word)) < 1e38  # finite as float32, too
    except ValueError:
        return False
