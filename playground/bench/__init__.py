"""The figures: this engine beside what a user would write by hand, and how fluid the window stays.

Contenders run in processes of their own and take turns, so that a busy machine slows all of them
alike; ratios are taken within a round and given as the median with the lowest and highest.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from playground.bench.child import Child, ChildFailed, window
from playground.bench.data import reading
from playground.bench.live import recognising
from playground.console import Console

EXAMPLES = ("digits-cnn", "digits-lstm", "digits-hybrid")
BASE = "dataloader"
TITLES = {
    BASE: "DataLoader loop, as a user writes it",
    "tensors": "loop over tensors in memory",
    "engine": "this engine",
    "window": "this engine, all live views on",
    "lightning": "Lightning",
    "keras": "Keras on torch",
    "default-threads": "DataLoader loop, torch's own thread count",
}
WARM_UP_SECONDS = 1.0
LAUNCHES = 5
SIZES, EDITS = (100, 1000), 120
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Plan:
    """How long to measure: ``rounds`` in which each contender trains for ``seconds``."""

    rounds: int
    seconds: float
    console: Console


def run(names: list[str], rounds: int, seconds: float, console: Console) -> list[Row]:
    """Measure ``names`` (all without any); prints tables and returns the rows.

    Raises ``ValueError`` for an unknown name.
    """
    for name in names:
        if name not in BENCHES:
            raise ValueError(f"there is no bench {name!r}; known: {', '.join(BENCHES)}")
    plan = Plan(rounds, seconds, console)
    rows: list[Row] = []
    for name in names or BENCHES:
        for row in BENCHES[name](plan):
            row = {"bench": name, **row}
            rows.append(row)
            console.event(row)
    return rows


def training(plan: Plan) -> Iterator[Row]:
    """Batches a second of every contender on every example, and ratios to the DataLoader loop."""
    for example in EXAMPLES:
        rates, details, absent = _race(example, plan)
        rows = []
        for name, values in rates.items():
            ratios = [value / base for value, base in zip(values, rates[BASE], strict=True)]
            rate = spread(values)
            row = {
                "example": example,
                "contender": name,
                "threads": details[name].get("threads"),
                "batches_per_second": rate,
                "ratio": spread(ratios),
            }
            if "lateness" in details[name]:
                row |= {key: details[name][key] for key in ("lateness", "snapshots")}
            rows.append(row)
            yield row
        _show_training(example, rows, absent, plan.console)


def _race(
    example: str, plan: Plan
) -> tuple[dict[str, list[float]], dict[str, dict[str, Any]], dict[str, str]]:
    """Rates by contender, a round each; the last answers; and why some did not take part."""
    absent: dict[str, str] = {}
    rates: dict[str, list[float]] = {}
    details: dict[str, dict[str, Any]] = {}
    with ExitStack() as stack, plan.console.progress(example) as bar:
        children: dict[str, Child] = {}
        for name in TITLES:
            if name in ("lightning", "keras") and find_spec(name) is None:
                absent[name] = "is not installed"
                continue
            child = _contender(name, example)
            stack.callback(child.close)
            try:
                child.answer()
                child.ask(seconds=WARM_UP_SECONDS)
            except ChildFailed as error:
                absent[name] = str(error)
                continue
            children[name] = child
        if BASE not in children:
            raise RuntimeError(f"{example}: {absent[BASE]}")
        done, total = 0, plan.rounds * len(children)
        for turn in range(plan.rounds):
            names = list(children)
            start = turn % len(names)
            for name in names[start:] + names[:start]:
                bar(done, total, f"{example}: {TITLES[name]}")
                answer = children[name].ask(seconds=plan.seconds)
                rates.setdefault(name, []).append(answer["rate"])
                details[name] = answer
                done += 1
    return {name: rates[name] for name in TITLES if name in rates}, details, absent


def _contender(name: str, example: str) -> Child:
    if name == "window":
        return window("training", example)
    # torch reads the variable when it is imported; this contender is about torch's own choice
    own = {"OMP_NUM_THREADS": None} if name == "default-threads" else None
    return Child("playground.bench.contender", [name, example], own)


def _show_training(example: str, rows: list[Row], absent: dict[str, str], console: Console) -> None:
    lines = []
    for row in rows:
        rate, ratio = row["batches_per_second"], row["ratio"]
        lines.append(
            (
                TITLES[row["contender"]],
                str(row["threads"]),
                f"{rate['median']:.0f}",
                f"{ratio['median']:.2f}",
                f"{ratio['min']:.2f}–{ratio['max']:.2f}",
            )
        )
    console.say()
    console.table((example, "threads", "batches/s", "ratio", "spread"), lines, (1, 2, 3, 4))
    for name, why in absent.items():
        console.say(f"{TITLES[name]}: {why}")


def ui(plan: Plan) -> Iterator[Row]:
    """How late the window's thread is while it trains with all live views on, in milliseconds."""
    lines = []
    for example in EXAMPLES:
        child = window("training", example)
        try:
            child.answer()
            child.ask(seconds=WARM_UP_SECONDS)
            answer = child.ask(seconds=plan.seconds * plan.rounds)
        finally:
            child.close()
        yield {"example": example, **answer}
        late = answer["lateness"]
        lines.append(
            (
                example,
                *(f"{late[key]:.1f}" for key in ("p50", "p95", "p99", "max")),
                f"{answer['rate']:.0f}",
                f"{answer['snapshots']:.1f}",
            )
        )
    plan.console.say()
    headings = ("window while training", "p50 ms", "p95 ms", "p99 ms", "max ms", "batches/s")
    plan.console.table((*headings, "snapshots/s"), lines, (1, 2, 3, 4, 5, 6))


def launch(plan: Plan) -> Iterator[Row]:
    """Seconds from starting the process to the first paint of the window."""
    seconds = []
    for _ in range(LAUNCHES):
        started = time.time()
        child = window("launch")
        try:
            seconds.append(child.answer()["painted"] - started)
        finally:
            child.close()
    taken = spread(seconds)
    yield {"seconds": taken}
    plan.console.say(
        f"\nlaunch to visible window: {taken['median']:.2f} s "
        f"({taken['min']:.2f}–{taken['max']:.2f}, {LAUNCHES} launches)"
    )


def edits(plan: Plan) -> Iterator[Row]:
    """Milliseconds from an edit to new shapes, in the document alone and on the canvas."""
    lines = []
    for nodes in SIZES:
        child = window("edits", str(nodes), str(EDITS))
        try:
            answer = child.answer()
        finally:
            child.close()
        yield {"nodes": nodes, **answer}
        for what, late in answer.items():
            figures = (f"{late[key]:.1f}" for key in ("p50", "p95", "max"))
            lines.append((f"{nodes:,} nodes: {what}", *figures))
    plan.console.say()
    plan.console.table(("an edit to new shapes", "p50 ms", "p95 ms", "max ms"), lines, (1, 2, 3))


BENCHES: dict[str, Callable[[Plan], Iterator[Row]]] = {
    "training": training,
    "ui": ui,
    "launch": launch,
    "edits": edits,
    "data": reading,
    "live": recognising,
}


def machine() -> dict[str, Any]:
    """Where the figures were taken; busy machines give figures that mean little."""
    from playground.compat import default_threads, usable_cores

    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    return {"cores": usable_cores(), "threads": default_threads(), "load": load}


def spread(values: list[float]) -> dict[str, float]:
    return {
        "median": statistics.median(values),
        "min": min(values),
        "max": max(values),
    }
