"""What the commands say: sentences, tables and a progress bar for a person, or JSON lines."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

Row = Sequence[str]


class Bar(Protocol):
    def __call__(self, done: float, total: float, text: str) -> None: ...


class Console:
    """Writes to standard output; with ``json`` one object a line instead of sentences."""

    def __init__(self, json: bool = False) -> None:
        self.json = json

    def event(self, values: Mapping[str, Any]) -> None:
        """A JSON line; nothing for a person."""
        if self.json:
            print(json.dumps(_plain(values), ensure_ascii=False), flush=True)

    def say(self, text: str = "") -> None:
        """A line for a person; nothing in JSON."""
        if not self.json:
            print(text, flush=True)

    def note(self, text: str) -> None:
        """Something that was noticed on the way."""
        self.event({"event": "note", "text": text})
        self.say(f"note: {text}")

    def table(self, headings: Row, rows: Sequence[Row], right: Sequence[int] = ()) -> None:
        """Aligned columns; those in ``right`` are numbers and end at the same place."""
        for line in table(headings, rows, right):
            self.say(line)

    @contextmanager
    def progress(self, text: str) -> Iterator[Bar]:
        """A bar on a terminal, and nothing at all elsewhere."""
        if self.json or not sys.stderr.isatty():
            yield lambda done, total, text: None
            return
        from rich.console import Console as Terminal
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (
            BarColumn(30),
            TextColumn("{task.percentage:>3.0f}%"),
            TimeRemainingColumn(compact=True),
            TextColumn("{task.description}"),
        )
        with Progress(*columns, console=Terminal(stderr=True), transient=True) as progress:
            task = progress.add_task(text, total=None)

            def show(done: float, total: float, text: str) -> None:
                progress.update(task, completed=done, total=total, description=text)

            yield show


def table(headings: Row, rows: Sequence[Row], right: Sequence[int] = ()) -> list[str]:
    """The lines of a table whose columns are as wide as their widest cell."""
    cells = [headings, *rows]
    widths = [max(len(row[column]) for row in cells) for column in range(len(headings))]
    lines = []
    for row in cells:
        parts = [
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(parts).rstrip())
    lines.insert(1, "  ".join("─" * width for width in widths).rstrip())
    return lines


def count(number: int | float) -> str:
    """A number with thousands apart: ``12,345``."""
    return f"{number:,.0f}"


def short(number: float) -> str:
    """A count in at most four digits: ``1.2 M``."""
    for limit, unit in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= limit:
            return f"{number / limit:.3g} {unit}"
    return f"{number:.3g}"


def size(number: float) -> str:
    """Bytes in the unit that fits: ``3.4 MB``."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if number < 1000 or unit == "GB":
            break
        number /= 1000
    return f"{number:.0f} {unit}" if unit == "bytes" else f"{number:.1f} {unit}"


def duration(seconds: float) -> str:
    """``0.8 s``, ``42 s``, ``3 min 20 s``, ``2 h 5 min``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


IN_UNITS = frozenset({"mae", "rmse"})


def metric(name: str, value: float, unit: str = "") -> str:
    """A metric as it is read: shares in per cent, errors in the target's unit."""
    if not math.isfinite(value):
        return f"{name} –"
    from playground.tasks.task import SHARES

    if name in SHARES:
        return f"{name} {100 * value:.2f} %"
    return f"{name} {value:.4g}" + (f" {unit}" if unit and name in IN_UNITS else "")


def _plain(value: Any) -> Any:
    """Values that JSON has: no NaN, no numpy scalars, no tuples as keys."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, (str, int, float)):
        return value
    return str(value)
