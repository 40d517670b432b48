"""How fast a table of a million rows can be looked at and learned from, beside mere reading."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from playground.bench.child import Child

if TYPE_CHECKING:
    from playground.bench import Plan

Row = dict[str, Any]

ROWS = 1_000_000
CONTENDERS = {
    "polars": "polars alone reads it",
    "preview": "this engine, first look",
    "dataset": "this engine, ready for training",
}


def reading_tables(plan: Plan) -> Iterator[Row]:
    """Seconds and memory for a CSV file of 20 columns, each contender in a fresh process."""
    from playground.bench import spread

    seconds: dict[str, list[float]] = {}
    megabytes: dict[str, list[float]] = {}
    names = list(CONTENDERS)
    with (
        tempfile.TemporaryDirectory() as home,
        plan.console.progress("a large table") as bar,
    ):
        path = Path(home) / "large.csv"
        write_table(path, ROWS)
        write_table(path.with_name("small.csv"), 100)
        size = path.stat().st_size / 1e6
        for turn in range(plan.rounds):
            for number, name in enumerate(names):
                bar(turn * len(names) + number, plan.rounds * len(names), CONTENDERS[name])
                child = Child("playground.bench.table_reader", [name, str(path)])
                try:
                    child.answer()
                    answer = child.ask()
                finally:
                    child.close()
                seconds.setdefault(name, []).append(answer["seconds"])
                megabytes.setdefault(name, []).append(answer["megabytes"])
    ratios = [own / alone for own, alone in zip(seconds["dataset"], seconds["polars"], strict=True)]
    yield {
        "what": "table",
        "rows": ROWS,
        "file_megabytes": size,
        "seconds": {name: spread(values) for name, values in seconds.items()},
        "megabytes": {name: spread(values) for name, values in megabytes.items()},
        "dataset_against_reading": spread(ratios),
        "memory_against_file": spread([value / size for value in megabytes["dataset"]]),
    }
    lines = [
        (
            CONTENDERS[name],
            f"{spread(values)['median']:.2f}",
            f"{spread(values)['median'] / spread(seconds['polars'])['median']:.2f}",
            f"{spread(megabytes[name])['median']:.0f}",
            f"{spread(megabytes[name])['median'] / size:.1f}",
        )
        for name, values in seconds.items()
    ]
    plan.console.say()
    headings = (f"{ROWS:,} rows, {size:.0f} MB", "s", "ratio", "MB", "× the file")
    plan.console.table(headings, lines, (1, 2, 3, 4))


def write_table(path: Path, rows: int) -> None:
    """Numbers, whole numbers, two categories and a date, as texts."""
    import polars as pl

    random = np.random.default_rng(0)
    columns: dict[str, Any] = {
        f"x{i}": np.round(random.normal(i, 1 + i, rows), 4) for i in range(14)
    }
    columns |= {f"n{i}": random.integers(0, 1000, rows) for i in range(3)}
    columns["colour"] = np.array(["red", "green", "blue", "yellow", "black"])[
        random.integers(0, 5, rows)
    ]
    days = random.integers(0, 1500, rows).astype("timedelta64[D]")
    columns["day"] = (np.datetime64("2020-01-01") + days).astype("datetime64[ms]")
    columns["label"] = np.array(["yes", "no", "maybe"])[random.integers(0, 3, rows)]
    pl.DataFrame(columns).with_columns(pl.col("day").cast(pl.Date)).write_csv(path)
