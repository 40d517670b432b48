"""How close live recognition comes to the bare inference loop, how soon it answers, and what it
costs a training run."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from time import perf_counter
from typing import TYPE_CHECKING, Any

from playground.bench.child import ROOT, Child, window

if TYPE_CHECKING:
    from playground.bench import Plan

MODEL = "efficientnet-lite0"
EXAMPLE = "digits-cnn"
CLIP = "sample:clip/bigbuckbunny.mp4"
LAUNCHES = 5
FRAMES = 50
"""Examples of each thing that is taught."""
MOST, CALM = 10.0, 60.0
"""Seconds of a round, and of what is measured without rounds at most: only the overload takes
longer where more was asked for."""

Found = dict[str, Any]


def recognising(plan: Plan) -> Iterator[Found]:
    """From launch to the first answer; rate against the bare loop of the fastest engine; latency at
    half the rate that can be kept up; latency and memory at twice that rate; teaching by example;
    training beside a live view of 10 Hz; and how late the window's thread is while it is live."""
    from playground.bench import spread

    with plan.console.progress("live") as bar:
        bar(0, 6, "launch")
        first = first_answer(new=True)
        launch = spread([first_answer() for _ in range(LAUNCHES)])
        child = Child("playground.bench.live_child", [MODEL, EXAMPLE])
        try:
            child.answer()
            bar(1, 6, "engines")
            engines = child.ask(what="engines")
            bar(2, 6, "live")
            turn = min(plan.seconds, MOST)
            rounds = [child.ask(what="rate", seconds=turn) for _ in range(plan.rounds)]
            span = plan.seconds * plan.rounds
            calm = child.ask(what="latency", seconds=min(span, CALM))
            flood = child.ask(what="overload", seconds=span)
            bar(3, 6, "teaching")
            taught = child.ask(what="teach", frames=FRAMES)
            bar(4, 6, "training")
            beside = [child.ask(what="training", seconds=turn) for _ in range(plan.rounds)]
        finally:
            child.close()
        bar(5, 6, "window")
        late = lateness(min(span, CALM))
    ratio = spread([found["live"] / found["bare"] for found in rounds])
    slowed = spread([1 - found["watched"] / found["alone"] for found in beside])
    answers = spread([found["answers"] for found in beside])
    rows = [
        {"what": "launch", "seconds": launch, "first_use": first, "files": "in memory"},
        {"engines_ms": engines["engines_ms"], "engine": engines["engine"]},
        {
            "ratio": ratio,
            "bare": spread([found["bare"] for found in rounds]),
            "live": spread([found["live"] for found in rounds]),
        },
        {"what": "latency", **calm},
        {"what": "overload", **flood},
        {"what": "teach", **taught},
    ]
    for row in rows:
        yield {"model": MODEL, **row}
    yield {"example": EXAMPLE, "what": "training", "slowed": slowed, "answers": answers}
    yield {"model": MODEL, "what": "window", "lateness": late}
    lines = _launch_lines(launch, first) + _rate_lines(engines, ratio, calm, flood)
    lines += _teach_lines(taught)
    lines.append(
        (
            f"{EXAMPLE} slowed by a live view of itself ({answers['median']:.1f} Hz)",
            f"{100 * slowed['median']:.0f} % ({100 * slowed['min']:.0f}–{100 * slowed['max']:.0f})",
        )
    )
    lines += [
        (f"window {what}: its thread late, 50 %, 99 %", f"{row['p50']:.1f}, {row['p99']:.1f} ms")
        for what, row in late.items()
    ]
    plan.console.say()
    plan.console.table((f"live: {MODEL}", ""), lines, (1,))


def first_answer(*, new: bool = False) -> float:
    """Seconds from starting the command to its first answer, its files being in the system's memory
    already; ``new``: with an empty cache of our own, so that the recogniser is unpacked first.
    Raises ``RuntimeError``."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    command = [sys.executable, "-m", "playground", "live", MODEL, "--source", CLIP]
    with tempfile.TemporaryDirectory() as folder:
        own = {"PLAYGROUND_CACHE": folder} if new else {}
        taken = None
        started = perf_counter()
        with subprocess.Popen(
            [*command, "--frames", "1", "--json"],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": path, **own},
        ) as process:
            assert process.stdout is not None
            for line in process.stdout:
                if line.startswith('{"frame"'):
                    taken = perf_counter() - started
    if taken is None:
        raise RuntimeError(f"{MODEL} has not answered")
    return taken


def lateness(seconds: float) -> dict[str, dict[str, float]]:
    """Percentiles of how late the window's thread is, in milliseconds: live, and while it looks
    inside too."""
    child = window("live", MODEL, CLIP)
    try:
        child.answer()
        pages = {"live": "network", "looking inside": "inside"}
        return {what: child.ask(page=page, seconds=seconds) for what, page in pages.items()}
    finally:
        child.close()


Lines = list[tuple[str, str]]


def _launch_lines(launch: dict[str, float], first: float) -> Lines:
    return [
        (
            f"launch to first answer, files in memory ({LAUNCHES} launches)",
            f"{launch['median']:.1f} s ({launch['min']:.1f}–{launch['max']:.1f})",
        ),
        ("  when it was never used before", f"{first:.1f} s"),
    ]


def _rate_lines(engines: Found, ratio: dict[str, float], calm: Found, flood: Found) -> Lines:
    lines = [
        (f"{name}, an inference", f"{taken:.1f} ms")
        for name, taken in engines["engines_ms"].items()
    ]
    lines += [
        (
            f"rate against the bare loop of {engines['engine']}",
            f"{ratio['median']:.2f} ({ratio['min']:.2f}–{ratio['max']:.2f})",
        ),
        (f"capture to answer at {calm['rate']:.0f} Hz, 95 %", f"{calm['p95_ms']:.0f} ms"),
        ("  a frame + an inference + 16 ms", f"{calm['limit_ms']:.0f} ms"),
        (
            f"at {flood['rate']:.0f} Hz, twice what can be kept up: first third, last third",
            f"{flood['early_ms']:.0f}, {flood['late_ms']:.0f} ms",
        ),
        (
            "  memory then, and at the end",
            f"{flood['early_mb']:.1f}, {flood['late_mb']:.1f} MB",
        ),
    ]
    lines += [
        (
            f"  minute {row['minute']}: 50 %, 95 %, memory",
            f"{row['p50_ms']:.0f}, {row['p95_ms']:.0f} ms, {row['memory_mb']:.0f} MB",
        )
        for row in flood["minutes"]
    ]
    return lines


def _teach_lines(taught: Found) -> Lines:
    return [
        (
            f"teaching {taught['examples']} frames at {taught['camera']:.0f} Hz: looked at",
            f"{taught['rate']:.1f} a second",
        ),
        ("  fit", f"{taught['fit_ms']:.0f} ms"),
        ("  last example to first right answer", f"{taught['right_ms']:.0f} ms"),
    ]
