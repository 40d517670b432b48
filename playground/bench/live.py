"""How close live recognition comes to the bare inference loop, and what it costs a training run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from playground.bench.child import Child

if TYPE_CHECKING:
    from playground.bench import Plan

MODEL = "efficientnet-lite0"
EXAMPLE = "digits-cnn"


def recognising(plan: Plan) -> Iterator[dict[str, Any]]:
    """Rate against the bare loop of the fastest engine, latency at half the rate that can be kept
    up, latency and memory at twice that rate, and training beside a live view of 10 Hz."""
    with plan.console.progress("live") as bar:
        child = Child("playground.bench.live_child", [MODEL, EXAMPLE])
        try:
            child.answer()
            bar(0, 3, "engines")
            engines = child.ask(what="engines")
            bar(1, 3, "live")
            rounds = [child.ask(what="rate", seconds=plan.seconds) for _ in range(plan.rounds)]
            calm = child.ask(what="latency", seconds=plan.seconds * plan.rounds)
            flood = child.ask(what="overload", seconds=plan.seconds * plan.rounds)
            bar(2, 3, "training")
            beside = [child.ask(what="training", seconds=plan.seconds) for _ in range(plan.rounds)]
        finally:
            child.close()
    yield {"model": MODEL, "engines_ms": engines["engines_ms"], "engine": engines["engine"]}
    yield from _shown(engines, rounds, calm, flood, beside, plan)


def _shown(
    engines: dict[str, Any],
    rounds: list[dict[str, Any]],
    calm: dict[str, Any],
    flood: dict[str, Any],
    beside: list[dict[str, Any]],
    plan: Plan,
) -> Iterator[dict[str, Any]]:
    from playground.bench import spread

    ratio = spread([found["live"] / found["bare"] for found in rounds])
    slowed = spread([1 - found["watched"] / found["alone"] for found in beside])
    answers = spread([found["answers"] for found in beside])
    yield {
        "model": MODEL,
        "ratio": ratio,
        "bare": spread([found["bare"] for found in rounds]),
        "live": spread([found["live"] for found in rounds]),
    }
    yield {"model": MODEL, "what": "latency", **calm}
    yield {"model": MODEL, "what": "overload", **flood}
    yield {"example": EXAMPLE, "what": "training", "slowed": slowed, "answers": answers}
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
        ("  memory gained", f"{flood['gained_mb']:.1f} MB"),
        (
            f"{EXAMPLE} slowed by a live view of itself ({answers['median']:.1f} Hz)",
            f"{100 * slowed['median']:.0f} % ({100 * slowed['min']:.0f}–{100 * slowed['max']:.0f})",
        ),
    ]
    plan.console.say()
    plan.console.table((f"live: {MODEL}", ""), lines, (1,))
