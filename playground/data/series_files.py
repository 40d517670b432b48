"""Files of labelled series: one a row (UCR), one a case (.ts of UEA, aeon and sktime), or long
tables with one step a row. All become padded arrays with lengths."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from playground.data.columns import as_texts, coded, column_type, missing_name, moments, numbers
from playground.data.csv_reading import MISSING, Table, first_bytes
from playground.data.dataset import Indices, Skipped
from playground.data.errors import DataError

Matrix = npt.NDArray[np.float32]

LABELS = ("label", "class", "target")
SERIES_NAMES = frozenset(
    "series series_id id case case_id caseid sample sample_id sequence sequence_id".split()
)
LARGEST = 4 << 30
_STEP = re.compile(r"\(([^()]*),([^(),]*)\)")


@dataclass(frozen=True, slots=True, eq=False)
class SeriesSet:
    """Labelled series: ``values`` (N, longest, F), padded with 0; ``lengths`` (N,); a label each.
    ``numeric`` tells that labels are numbers to predict. ``names`` are of the series, if any;
    ``group`` and ``time`` are the columns of a table with a step a row that told them apart."""

    values: Matrix
    lengths: Indices
    labels: list[str]
    channels: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    notes: tuple[str, ...] = ()
    numeric: bool = False
    group: str | None = None
    time: str | None = None


# --- one series a row -----------------------------------------------------------------------------


def from_rows(table: Table) -> SeriesSet:
    """A label and then the steps in each row; what is missing at its end makes a series shorter."""
    label = _label_column(table)
    names = [name for name in table.frame.columns if name != label]
    matrix = np.stack([numbers(table, name) for name in names], axis=1)
    missing = np.isnan(matrix)
    filled = ~missing
    lengths = np.where(filled.any(axis=1), matrix.shape[1] - filled[:, ::-1].argmax(axis=1), 0)
    labels = ["" if cell is None else str(cell) for cell in as_texts(table.frame[label])]
    inner = missing & (np.arange(matrix.shape[1]) < lengths[:, None])
    for row in np.flatnonzero(inner.any(axis=1)).tolist():
        matrix[row, : lengths[row]] = carried(matrix[row, : lengths[row], None])[:, 0]
    skipped = [Skipped(row, reason) for row, reason in table.skipped]
    good = (lengths > 0) & np.asarray([bool(label) for label in labels])
    for row in np.flatnonzero(~good).tolist():
        skipped.append(
            Skipped(f"row {table.line(row)}", "has no label" if lengths[row] else "has no values")
        )
    _check_any(table.path, int(good.sum()), skipped)
    longest = int(lengths[good].max())
    values = np.nan_to_num(matrix[good, :longest]).astype(np.float32)[:, :, None]
    kept = [label for label, is_good in zip(labels, good, strict=True) if is_good]
    notes = (*table.notes, *_filled_note(int(inner[good].sum())))
    return SeriesSet(values, lengths[good], kept, (), (), tuple(skipped), notes)


def _label_column(table: Table) -> str:
    """The column called label, class or target, otherwise the first."""
    names = table.frame.columns
    if len(names) < 3:
        raise DataError(
            f"{table.path.name} has {len(names)} columns: a file of labelled series has a label "
            "and then the steps of one series in each row"
        )
    return next((n for n in names if n.lower() in LABELS), names[0])


# --- one step a row -------------------------------------------------------------------------------


def series_column(table: Table, wanted: str | None) -> str | None:
    """The column that tells which series a row belongs to, if the table has one."""
    names = table.frame.columns
    if wanted:
        if wanted not in names:
            raise missing_name(names, wanted, table.path)
        return wanted
    labelled = any(name.lower() in LABELS for name in names)
    for name in names:
        if labelled and name.lower() in SERIES_NAMES:
            different = table.frame[name].n_unique()
            return name if 1 < different < table.frame.height else None
    return None


def from_steps(
    table: Table, group: str, target: str | None, time: str | None, features: Sequence[str]
) -> SeriesSet:
    """A long table: the series, its label, perhaps the time, and the channels in each row."""
    names = table.frame.columns
    target = target or next((name for name in names if name.lower() in LABELS), names[-1])
    for name in (target, *features, *([time] if time else [])):
        if name not in names:
            raise missing_name(names, name, table.path)
    if time is None:
        time = next((n for n in names if n.lower() in ("time", "step", "t", "timestamp")), None)
        time = time or next((n for n in names if column_type(table.frame[n]) == "date"), None)
    channels = tuple(features) or tuple(
        name
        for name in names
        if name not in (group, target, time) and column_type(table.frame[name]) == "number"
    )
    if not channels:
        raise DataError(f"{table.path.name} has no column of numbers besides {group} and {target}")
    codes, ids = coded(table, group)
    order = np.lexsort((codes,) if time is None else (moments(table, time), codes))
    order = order[codes[order] >= 0]
    cells = np.stack([numbers(table, name) for name in channels], axis=1)[order]
    label_codes, label_names = coded(table, target)
    pieces, labels, found, skipped, filled = [], [], [], [], 0
    borders = np.flatnonzero(np.diff(codes[order], prepend=-1, append=-1))
    for start, end in zip(borders[:-1].tolist(), borders[1:].tolist(), strict=True):
        piece, own = cells[start:end], np.unique(label_codes[order[start:end]])
        name = ids[int(codes[order[start]])]
        own = own[own >= 0]
        reason = _unusable(piece, [label_names[code] for code in own.tolist()])
        if reason:
            skipped.append(Skipped(f"{group} {name}", reason))
            continue
        filled += int(np.isnan(piece).sum())
        pieces.append(carried(piece))
        labels.append(label_names[int(own[0])])
        found.append(name)
    _check_any(table.path, len(pieces), skipped)
    values, lengths = padded(pieces, table.path)
    notes = (*table.notes, *_filled_note(filled))
    return SeriesSet(values, lengths, labels, channels, tuple(found), tuple(skipped), notes,
                     group=group, time=time)  # fmt: skip


def _unusable(piece: npt.NDArray[np.float64], labels: Sequence[str]) -> str:
    if not labels:
        return "has no label"
    if len(labels) > 1:
        return f"has the labels {labels[0]} and {labels[1]}"
    return "has a channel without values" if np.isnan(piece).all(axis=0).any() else ""


# --- .ts ------------------------------------------------------------------------------------------


def from_ts(path: Path, *, needs_labels: bool = True) -> SeriesSet:
    """A file of the UEA archive: a head of @ lines, then a case a line, its channels divided by
    colons and its label last (Bagnall et al. 2018, arXiv:1811.00075). Where it ``needs_labels``,
    one that says that it has none is refused."""
    first = first_bytes(path)
    if first[:1] == b"\x47" or b"\0" in first:
        raise DataError(f"{path.name} is no text: a .ts file of series begins with @problemName")
    head: dict[str, str] = {}
    pieces: list[Matrix] = []
    labels: list[str] = []
    skipped: list[Skipped] = []
    filled, channels = 0, 0
    for number, line in _lines(path, head):
        try:
            piece, label = _case(line, labelled=_labelled(head))
            if channels and piece.shape[1] != channels:
                raise ValueError(f"has {piece.shape[1]} channels instead of {channels}")
        except ValueError as error:
            skipped.append(Skipped(f"row {number}", str(error)))
            continue
        channels = piece.shape[1]
        filled += int(np.isnan(piece).sum())
        pieces.append(carried(piece))
        labels.append(label)
    if "data" not in head:
        raise DataError(f"{path.name} has no line @data: it is no .ts file of series, or cut off")
    if needs_labels and not _labelled(head):
        raise DataError(f"{path.name} says that its series have no labels: nothing to predict")
    _check_any(path, len(pieces), skipped)
    values, lengths = padded(pieces, path)
    numeric = head.get("targetlabel", "").lower().startswith("true")
    return SeriesSet(values, lengths, labels, (), (), tuple(skipped), _filled_note(filled), numeric)


def _lines(path: Path, head: dict[str, str]) -> Iterator[tuple[int, str]]:
    """The cases with their row numbers; fills ``head`` on the way."""
    with path.open(encoding="utf-8", errors="replace") as file:
        for number, line in enumerate(file, 1):
            text = line.strip()
            if not text or text.startswith("#"):
                continue
            if "data" not in head and text.startswith("@"):
                key, _, value = text[1:].partition(" ")
                head[key.lower()] = value.strip()
            elif "data" in head:
                yield number, text


def _labelled(head: dict[str, str]) -> bool:
    said = head.get("classlabel", head.get("targetlabel", "true"))
    return not said.lower().startswith("false")


def _case(line: str, *, labelled: bool) -> tuple[Matrix, str]:
    """A line as (T, channels) and its label; raises ``ValueError`` with a reason."""
    parts = line.split(":")
    label = parts.pop().strip() if labelled else ""
    if (labelled and label in MISSING) or not parts:
        raise ValueError("has no label" if parts else "has no colon before its label")
    channels = []
    for part in parts:
        cells = [value for _, value in _STEP.findall(part)] if "(" in part else part.split(",")
        try:
            channels.append(
                np.asarray(["nan" if c.strip() in MISSING else c for c in cells], float)
            )
        except ValueError:
            raise ValueError("has a value that is no number") from None
    lengths = {len(channel) for channel in channels}
    if len(lengths) > 1:
        raise ValueError(f"has channels of {min(lengths)} and {max(lengths)} steps")
    result = np.stack(channels, axis=1)
    if np.isinf(result).any() or np.abs(np.nan_to_num(result)).max(initial=0) > 3e38:
        raise ValueError("has a value that is infinite or too large")
    if not len(result) or np.isnan(result).all(axis=0).any():
        raise ValueError("has a channel without values")
    return result.astype(np.float32), label


# --- what they share ------------------------------------------------------------------------------


def carried(piece: npt.NDArray[np.floating]) -> Matrix:
    """A series (T, F) in which missing values are those before, at its beginning the first."""
    missing = np.isnan(piece)
    if not missing.any():
        return piece.astype(np.float32, copy=False)
    rows = np.arange(len(piece))[:, None]
    last = np.maximum.accumulate(np.where(missing, -1, rows), axis=0)
    last = np.where(last < 0, (~missing).argmax(axis=0), last)
    result: Matrix = np.nan_to_num(np.take_along_axis(piece, last, axis=0)).astype(np.float32)
    return result


def padded(pieces: Sequence[Matrix], path: Path) -> tuple[Matrix, Indices]:
    """Series of their own lengths as one array, padded with 0, and these lengths."""
    lengths = np.asarray([len(piece) for piece in pieces], np.int64)
    shape = (len(pieces), int(lengths.max()), pieces[0].shape[1])
    if 4 * shape[0] * shape[1] * shape[2] > LARGEST:
        raise DataError(
            f"{path.name} has series of up to {shape[1]:,} steps, too many for its {shape[0]:,} "
            "series: cut the long ones"
        )
    values = np.zeros(shape, np.float32)
    for place, piece in enumerate(pieces):
        values[place, : len(piece)] = piece
    return values, lengths


def _check_any(path: Path, count: int, skipped: Sequence[Skipped]) -> None:
    if not count:
        why = f": {skipped[0].name} {skipped[0].reason}" if skipped else ""
        raise DataError(f"{path.name} has no series that can be used{why}")


def _filled_note(count: int) -> tuple[str, ...]:
    if not count:
        return ()
    return (f"{count:,} missing value{'s' * (count != 1)} filled with the one before.",)
