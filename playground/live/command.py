"""``playground live``: a line an answer, and a summary at the end."""

from __future__ import annotations

import re
import time
from argparse import Namespace
from collections.abc import Callable
from contextlib import closing, suppress
from typing import Any, Protocol

import numpy as np

from models.parameters import Values
from playground.answers import Classes
from playground.capture import Camera, CameraSettings, CaptureStatus
from playground.console import Console
from playground.devices import choose
from playground.familiar import NoExamples, examples_of
from playground.finishing import looking
from playground.live.engines import EAGER
from playground.live.errors import LiveError
from playground.live.intake import device_for
from playground.live.newest import Answers
from playground.live.settings import LiveAnswer, LiveSettings
from playground.live.table import series_input
from playground.live.taught import live_for
from playground.model import Model

TOP = 3
PATIENCE = 10.0
"""Seconds that are waited for a device that was not there from the beginning."""
_SECONDS = re.compile(r"\b\d+ s\b")


def run(model: Model, options: Namespace, detection: Values | None = None) -> int:
    """Answer until the source ends, ``--frames`` answers are given, or Ctrl+C; a detector does with
    ``detection`` for its parameters. Raises ``LiveError`` where the source failed before that."""
    console = Console(options.json)
    choose("cpu").use()
    settings = LiveSettings(options.smooth, options.threshold, engine=options.engine)
    if series_input(model.dataset) is not None:
        return _follow(model, settings, options, console)
    # without a number of frames a clip is played once
    camera = CameraSettings(rate=options.rate, loop=options.frames is not None)
    device = device_for(model, options.source, camera)
    if not isinstance(device, Camera):
        _refuse_rate(options)
    with suppress(NoExamples), looking(console) as progress:  # what is missing is in the status
        examples_of(model, progress)
    live = live_for(model, device, settings)
    live.want(settings, detection or {})
    if live.not_streaming:
        last = "frames" if isinstance(device, Camera) else "moments"
        console.note(f"the last {last} are looked at as a whole: {live.not_streaming}")

    def engine() -> dict[str, Any]:
        found = live.engine
        measured = {name: round(1e3 * value, 3) for name, value in found.seconds.items()}
        problems = {"problems": found.problems} if found.problems else {}
        return {"engine": found.engine, "engines_ms": measured, **problems}

    return tell(live, device, console, options, engine)


def _follow(model: Model, settings: LiveSettings, options: Namespace, console: Console) -> int:
    """Answer every new row of a table. Raises ``ValueError`` for options of pictures and sounds."""
    if options.engine not in ("auto", EAGER):
        raise ValueError("--engine is for pictures and sounds: rows are answered by torch alone")
    _refuse_rate(options)
    from playground.live.series import LiveSeries

    live = LiveSeries(model, options.source, settings)
    if live.no_band:
        console.note(live.no_band)
    return tell(live, live.rows, console, options, lambda: {"engine": live.engine.engine})


def _refuse_rate(options: Namespace) -> None:
    if options.rate is not None:
        raise ValueError("--rate is for cameras: leave it out")


class Device(Protocol):
    """What is open while it is answered."""

    @property
    def status(self) -> CaptureStatus: ...
    def __enter__(self) -> object: ...
    def __exit__(self, *_: object) -> None: ...


def tell(
    live: Answers,
    device: Device,
    console: Console,
    options: Namespace,
    engine: Callable[[], dict[str, Any]],
) -> int:
    """Print every answer of ``live``, and at the end a summary with what ``engine`` says."""
    tally = Tally()
    begun = time.monotonic()
    said: tuple[str, str] | None = None
    with device, closing(live.events()) as events:
        try:
            for event in events:
                if isinstance(event, CaptureStatus):
                    before, text = said, event.message.partition("; trying again")[0]
                    _check_begin(event, text, tally, time.monotonic() - begun)
                    said = (event.state, _SECONDS.sub("", text))
                    if said == before:
                        continue  # the seconds alone have changed
                    console.event({"event": "status", **_status(event)})
                    console.say(f"{event.message}")
                    continue
                tally.add(event)
                top = options.top or (None if options.json else TOP)
                console.event(event.to_json(top))
                console.say(_line(event, options.top or TOP))
                if tally.count == options.frames:
                    break
        finally:
            end = live.status
            _summary({**tally.figures(), **engine()}, console)
    _check_end(end, tally, options.frames)
    return 0


class Tally:
    """The figures of all answers so far."""

    def __init__(self) -> None:
        self.count = self.dropped = 0
        self._first = self._last = 0.0
        self._latency: list[float] = []
        self._inference: list[float] = []

    def add(self, answer: LiveAnswer) -> None:
        self._last = time.monotonic()
        self._first = self._first or self._last
        self.count += 1
        self.dropped = answer.dropped
        self._latency.append(answer.latency)
        self._inference.append(answer.inference_seconds)

    def figures(self) -> dict[str, Any]:
        """Rate in answers a second, times in milliseconds."""
        seconds = self._last - self._first
        return {
            "frames": self.count,
            "seconds": round(seconds, 3),
            "rate": round((self.count - 1) / seconds, 2) if seconds > 0 else None,
            "latency_ms": _spread(self._latency),
            "inference_ms": _spread(self._inference),
            "dropped": self.dropped,
        }


def _spread(seconds: list[float]) -> dict[str, float | None]:
    if not seconds:
        return {"p50": None, "p95": None}
    middle, most = np.percentile(seconds, (50, 95))
    return {"p50": round(1e3 * middle, 3), "p95": round(1e3 * most, 3)}


def _summary(found: dict[str, Any], console: Console) -> None:
    console.event({"event": "finished", **found})
    if found["frames"] == 0:
        console.say("no answers")
        return
    late, inference = found["latency_ms"], found["inference_ms"]
    rate = f"{found['rate']:.1f} a second, " if found["rate"] else ""
    console.say(
        f"\n{found['frames']} answers, {rate}capture to answer {late['p50']:.0f} ms "
        f"(95 %: {late['p95']:.0f} ms), inference {inference['p50']:.1f} ms on {found['engine']}, "
        f"{found['dropped']} frames passed over"
    )
    if measured := found.get("engines_ms"):
        console.say("measured: " + ", ".join(f"{name} {ms} ms" for name, ms in measured.items()))
    for name, why in found.get("problems", {}).items():
        console.say(f"note: {name} takes no part: {why.rstrip('.')}")


def _check_begin(status: CaptureStatus, text: str, tally: Tally, seconds: float) -> None:
    """Raises ``LiveError`` where a device gave nothing yet and is waited for in vain."""
    absent = status.state == "reconnecting" and text != status.message
    if absent and not tally.count and seconds > PATIENCE:
        raise LiveError(f"{text.rstrip('.')}.")


def _check_end(status: CaptureStatus, tally: Tally, wanted: int | None) -> None:
    """Raises ``LiveError`` where the source failed, or ended before the answers were there."""
    if status.state == "failed" or (status.state == "ended" and tally.count == 0):
        raise LiveError(status.message)
    if wanted is not None and tally.count < wanted:
        raise LiveError(f"{status.message} There were {tally.count} of {wanted} answers")


def _status(status: CaptureStatus) -> dict[str, str]:
    return {"state": status.state, "message": status.message}


def _line(answer: LiveAnswer, top: int) -> str:
    found = answer.answer
    text = str(found)
    if isinstance(found, Classes):
        text = ", ".join(f"{label} {value:.1%}" for label, value in found.answers[:top])
        if answer.quiet and answer.unknown:
            text = "quiet"
        elif answer.unknown:
            known = "" if found.seen is None else f"; {found.seen:.0%} known"
            text = f"none of these ({text}{known})"
    if answer.group:
        text = f"{answer.group}: {text}"
    late, taken = 1e3 * answer.latency, 1e3 * answer.inference_seconds
    return f"{answer.number:>6}  {text}  · {late:.0f} ms, inference {taken:.1f} ms"
