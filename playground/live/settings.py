"""How a live view answers, and what an answer is."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal

from playground.answers import Answer, Classes

EngineName = Literal["auto", "eager", "channels-last", "onnxruntime", "cuda", "cuda-half"]
ENGINES: tuple[EngineName, ...] = (
    "auto",
    "eager",
    "channels-last",
    "onnxruntime",
    "cuda",
    "cuda-half",
)


@dataclass(frozen=True, slots=True)
class LiveSettings:
    """``smoothing`` is the time constant, in seconds, with which answers follow the newest one (0:
    at once). Where no class reaches ``threshold`` (0…1), the answer is "none of these". ``hop`` is
    how many seconds after another windows of sound begin. ``engine`` "auto" measures all that
    this machine has; where the one that is named is not there, it is "eager"."""

    smoothing: float = 0.0
    threshold: float = 0.0
    hop: float = 0.1
    engine: EngineName = "auto"

    def __post_init__(self) -> None:
        if not 0 <= self.smoothing <= 60:
            raise ValueError("answers are smoothed over 0 to 60 seconds")
        if not 0 <= self.threshold <= 1:
            raise ValueError("the threshold is a probability from 0 to 1")
        if not 0.01 <= self.hop <= 60:
            raise ValueError("windows of sound begin 0.01 to 60 seconds after each other")
        if self.engine not in ENGINES:
            raise ValueError(f"the engine is one of {', '.join(ENGINES)}")


@dataclass(frozen=True, slots=True)
class LiveAnswer:
    """The answer to one frame (or window of sound) with its timings, in seconds.

    ``number`` counts what was captured, ``captured`` is ``time.monotonic()`` then; ``latency`` is
    from there to the answer. ``dropped`` is how many were passed over so far because a newer one
    was there. ``unknown``: no class is likely enough ("none of these").
    ``group``: which series of a table it is about, where there are several.
    ``quiet``: of a model of words, whether nobody speaks: the answer is then the last word's, and
    unknown after a while.
    """

    number: int
    answer: Answer
    captured: float
    inference_seconds: float
    latency: float
    dropped: int
    engine: str
    unknown: bool = False
    quiet: bool | None = None
    group: str = ""

    def to_json(self, top: int | None = None) -> dict[str, Any]:
        """With times in milliseconds, and the ``top`` likeliest classes (None: all)."""
        answer = self.answer
        if isinstance(answer, Classes):
            answer = replace(answer, answers=answer.answers[:top])
        unknown = {"unknown": self.unknown} if isinstance(answer, Classes) else {}
        quiet = {} if self.quiet is None else {"quiet": self.quiet}
        group = {"group": self.group} if self.group else {}
        return {
            "frame": self.number,
            **group,
            **answer.to_json(),
            **unknown,
            **quiet,
            "inference_ms": round(1e3 * self.inference_seconds, 3),
            "latency_ms": round(1e3 * self.latency, 3),
            "dropped": self.dropped,
            "engine": self.engine,
        }


@dataclass(frozen=True, slots=True)
class EngineReport:
    """Which engine answers, and the seconds of an inference of each that was measured. ``problems``
    says why an engine does not take part."""

    engine: str
    seconds: dict[str, float] = field(default_factory=dict)
    settled: bool = True
    problems: dict[str, str] = field(default_factory=dict)
