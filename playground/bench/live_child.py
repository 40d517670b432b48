"""Live recognition under measurement: ``python -m playground.bench.live_child MODEL EXAMPLE``.

A folder of photographs, shown at any rate, stands in for the camera.
"""

from __future__ import annotations

import sys
import tempfile
import time
from array import array
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from playground.answers import Classes
from playground.bench.child import serve
from playground.capture import Camera, CameraSettings
from playground.devices import choose
from playground.live.choice import Choice
from playground.live.intake import input_of
from playground.live.loop import Live
from playground.live.settings import LiveAnswer, LiveSettings
from playground.live.taught import LiveTaught
from playground.mailbox import Mailbox
from playground.messages import Failure, LiveAnswered, Progress, State, Status
from playground.model import Model
from playground.recognisers import load_named
from playground.resources import SAMPLES
from playground.teach import Taught

SIZE = 480, 640
PICTURES = 8
MOST_RATE = 1000.0
FOREVER = 1_000_000
TURNS = 5
PATIENCE = 60.0
THINGS = 3
FASTEST_CAMERA = 30.0
LONG_RUN = 120.0
"""Seconds from which on an overload is told by minute."""
SHORTEST = 0.5
"""Seconds; a run tells where it is ten times a second."""


class Bench:
    """Answers the questions of ``playground.bench.live``."""

    def __init__(self, model: str, example: str) -> None:
        choose("cpu").use()
        self._name, self._example = model, example
        self._folder = tempfile.TemporaryDirectory()
        self._pictures = _pictures(Path(self._folder.name) / "pictures")
        self._engine: Any = None
        self._raw: dict[str, Any] = {}
        self._seconds = 0.0

    def answer(self, question: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = getattr(self, f"_{question.pop('what')}")(**question)
        return found

    def close(self) -> None:
        self._folder.cleanup()

    def _model(self) -> Model:
        return load_named(self._name)

    def _camera(self, rate: float) -> Camera:
        return Camera(self._pictures, CameraSettings(rate=min(rate, MOST_RATE)))

    def _engines(self) -> dict[str, Any]:
        """All engines measured, and the fastest kept for the bare loop."""
        model = self._model()
        column = input_of(model)
        picture = np.full((*SIZE, 3), 127, np.uint8)
        reading: Any = column.reading
        self._raw = {column.name: reading.from_array(picture)[None]}
        choice = Choice(model)
        choice.start()
        while not choice.settled:
            started = time.perf_counter()
            choice.current.run(self._raw)
            choice.turn(self._raw, time.perf_counter() - started)
        choice.close()
        self._engine = choice.current
        taken = {name: 1e3 * seconds for name, seconds in choice.times.items()}
        return {"engine": choice.current.name, "engines_ms": taken}

    def _teach(self, frames: int) -> dict[str, Any]:
        """Three things, shown for ``frames`` frames each as fast as they can be looked at: what
        the camera gave, the fit, and the time from the last example to the first right answer."""
        folder = Path(self._folder.name) / "things"
        names = _things(folder, frames)
        taught, seen = Taught(), 0
        rate = min(0.8 * self._sustained(), FASTEST_CAMERA)

        def shown(number: int) -> str:
            return names[(number - 1) // frames % len(names)]

        with Camera(str(folder), CameraSettings(rate=rate)) as camera:
            live = LiveTaught(self._model(), camera)
            with closing(live.events()) as events:
                _settle(events, live)
                first, began = 0, time.perf_counter()
                for event in events:
                    looked = live.looked()
                    if not isinstance(event, LiveAnswer) or looked is None:
                        continue
                    if live.head is not None and _top(event) == shown(event.number):
                        break
                    if live.head is None and looked.vector is not None:
                        taught.add(shown(looked.number), looked.vector)
                        seen += 1
                        first = first or looked.number
                        last = time.perf_counter()
                        whole = looked.number - first >= len(names) * frames - 1
                        if whole and set(taught.classes) == set(names):
                            live.head = taught.fit()
                            fit = time.perf_counter() - last
                right = time.perf_counter() - last
        return {
            "camera": rate,
            "rate": seen / (last - began),
            "examples": seen,
            "fit_ms": 1e3 * fit,
            "right_ms": 1e3 * right,
        }

    def _rate(self, seconds: float) -> dict[str, Any]:
        """Inferences a second of the bare loop and answers a second of the live one, in turns of a
        fifth, so that a busy machine slows both alike."""
        bare: list[float] = []
        infer = self._engine.bare(self._raw)
        infer()
        with self._camera(self._sustained() * 2) as camera:
            live = Live(self._model(), camera, LiveSettings())
            with closing(live.events()) as events:
                _settle(events, live)
                rates: list[float] = []
                for _ in range(TURNS):
                    bare.append(_repeated(infer, seconds / TURNS))
                    rates.append(_answered(events, seconds / TURNS))
        return {"bare": float(np.median(bare)), "live": float(np.median(rates))}

    def _sustained(self) -> float:
        """Answers a second that this machine can give, from the bare loop now."""
        self._seconds = 1 / _repeated(self._engine.bare(self._raw), 0.5)
        return 1 / self._seconds

    def _latency(self, seconds: float) -> dict[str, Any]:
        """At half the rate that can be kept up: capture to answer, and what it may take."""
        rate = self._sustained() / 2
        seen = self._run(rate, seconds)
        inference = np.percentile(seen.inference, 50)
        return {
            "rate": rate,
            "p95_ms": 1e3 * np.percentile(seen.latency, 95),
            "limit_ms": 1e3 * (1 / rate + inference + 0.016),
            "inference_ms": 1e3 * inference,
            "answers": len(seen.latency),
        }

    def _overload(self, seconds: float) -> dict[str, Any]:
        """At twice the rate that can be kept up: latency early and late, and memory; in a long run
        by minute."""
        rate = self._sustained() * 2
        seen = self._run(rate, seconds)
        third = len(seen.latency) // 3
        parts = seen.latency[:third], seen.latency[-third:]
        early, late = (float(np.median(part)) for part in parts)
        return {
            "rate": rate,
            "early_ms": 1e3 * early,
            "late_ms": 1e3 * late,
            "early_mb": seen.memory[third] / 1e6,
            "late_mb": seen.memory[-1] / 1e6,
            "dropped": seen.dropped,
            "answers": len(seen.latency),
            "minutes": seen.minutes() if seconds >= LONG_RUN else [],
        }

    def _run(self, rate: float, seconds: float) -> Tally:
        """Answers of a live view at ``rate``, once its engine is chosen."""
        seen = Tally()
        with self._camera(rate) as camera:
            live = Live(self._model(), camera, LiveSettings())
            with closing(live.events()) as events:
                _settle(events, live)
                end = time.monotonic() + seconds
                for event in events:
                    if isinstance(event, LiveAnswer):
                        seen.add(event)
                    if time.monotonic() > end:
                        break
        return seen

    def _training(self, seconds: float) -> dict[str, Any]:
        """Batches a second of the worker alone and with a live view of 10 Hz, in turns."""
        from playground.data import open_data
        from playground.project import open_example
        from playground.worker import Worker

        project = open_example(self._example)
        training = project.training.replace(
            epochs=FOREVER, early_stopping=None, schedule="constant", learning_rate=1e-3
        )
        dataset = open_data(project.data, Path.cwd())
        worker = Worker()
        worker.start()
        seen = Watched(worker.mailbox)
        alone: list[float] = []
        watched: list[float] = []
        span = max(SHORTEST, seconds / TURNS)
        with tempfile.TemporaryDirectory() as files, self._camera(30) as camera:
            try:
                worker.train(replace(project, training=training), dataset, Path(files))
                end = time.monotonic() + PATIENCE
                while not seen.batches(0.5):  # it is being built
                    if time.monotonic() > end:
                        raise RuntimeError(f"{self._example} does not train")
                for turn in range(2 * TURNS):
                    worker.live(camera if turn % 2 else None, LiveSettings(), 10)
                    seen.batches(0.3)
                    (watched if turn % 2 else alone).append(seen.batches(span))
            finally:
                worker.close(20)
        answers = seen.answers / (TURNS * (span + 0.3))
        return {
            "alone": float(np.median(alone)),
            "watched": float(np.median(watched)),
            "answers": answers,
        }


class Tally:
    """Seconds of all answers, and the bytes that this process and its camera's had then; a few
    bytes an answer, so that a long run shows what it keeps itself."""

    def __init__(self) -> None:
        self.times, self.latency, self.inference = array("d"), array("d"), array("d")
        self.memory = array("d")
        self.dropped = 0
        self._process = psutil.Process()
        self._looked = -1.0

    def add(self, answer: LiveAnswer) -> None:
        now = time.monotonic()
        self.times.append(now)
        self.latency.append(answer.latency)
        self.inference.append(answer.inference_seconds)
        self.dropped = answer.dropped
        if now - self._looked > 1:
            self._looked, self._bytes = now, self._measured()
        self.memory.append(self._bytes)

    def minutes(self) -> list[dict[str, float]]:
        """Latency and memory by minute."""
        minute = (np.asarray(self.times) - self.times[0]) // 60
        latency, memory = 1e3 * np.asarray(self.latency), np.asarray(self.memory) / 1e6
        return [
            {
                "minute": int(number) + 1,
                "p50_ms": float(np.median(latency[minute == number])),
                "p95_ms": float(np.percentile(latency[minute == number], 95)),
                "memory_mb": float(memory[minute == number].max()),
            }
            for number in np.unique(minute)
        ]

    def _measured(self) -> float:
        family = [self._process, *self._process.children(recursive=True)]
        return float(sum(process.memory_info().rss for process in family))


class Watched:
    """What a worker says of its batches and of its live answers."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox
        self.answers = 0

    def batches(self, seconds: float) -> float:
        """Batches a second over the next ``seconds``; 0 where it was not told of two. Raises
        ``RuntimeError`` where the run failed."""
        first, began, end = 0, 0.0, time.monotonic() + seconds
        place, at = 0, 0.0
        while time.monotonic() < end:
            self._mailbox.wait(0.02)
            for message in self._mailbox.drain():
                if isinstance(message, Failure):
                    raise RuntimeError(message.message)
                if isinstance(message, Status) and message.state is State.FAILED:
                    raise RuntimeError(message.message)
                if isinstance(message, LiveAnswered):
                    self.answers += 1
                elif isinstance(message, Progress) and not message.validating:
                    place = (message.epoch - 1) * message.batches + message.batch
                    at = time.monotonic()
                    if not began:
                        first, began = place, at
        return (place - first) / (at - began) if at > began else 0.0


def _settle(events: Any, live: Live) -> None:
    """Take answers until the engine is chosen, and a few more."""
    more = 5
    for event in events:
        if isinstance(event, LiveAnswer) and live.engine.settled:
            more -= 1
            if more == 0:
                return


def _repeated(infer: Any, seconds: float) -> float:
    """Inferences a second."""
    count, started = 0, time.perf_counter()
    while (taken := time.perf_counter() - started) < seconds:
        infer()
        count += 1
    return count / taken


def _answered(events: Any, seconds: float) -> float:
    """Answers a second; the first one only starts the clock, as frames wait for nobody."""
    count, started = -1, 0.0
    for event in events:
        if not isinstance(event, LiveAnswer):
            continue
        count += 1
        started = started or time.perf_counter()
        taken = time.perf_counter() - started
        if taken >= seconds:
            return count / taken
    raise RuntimeError("the pictures ended")


def _top(event: LiveAnswer) -> str:
    answer = event.answer
    return answer.answers[0][0] if isinstance(answer, Classes) and answer.answers else ""


def _things(folder: Path, frames: int) -> list[str]:
    """Bundled photographs as if a camera moved before them, ``frames`` pictures of each."""
    from PIL import Image

    folder.mkdir(exist_ok=True)
    random = np.random.default_rng(0)
    names = []
    photographs = [p for p in (SAMPLES / "images").iterdir() if p.suffix in (".jpg", ".png")]
    for place, path in enumerate(sorted(photographs)[:THINGS]):
        names.append(path.stem)
        with Image.open(path) as photo:
            whole = photo.convert("RGB")
        for number in range(frames):
            share = random.uniform(0.7, 1.0)
            width, height = round(share * whole.width), round(share * whole.height)
            left = int(random.integers(whole.width - width + 1))
            top = int(random.integers(whole.height - height + 1))
            view = whole.crop((left, top, left + width, top + height)).resize(SIZE[::-1])
            view.save(folder / f"{place}-{number:04}.jpg", quality=90)
    return names


def _pictures(folder: Path) -> str:
    """Photographs of a common camera's size."""
    from PIL import Image

    folder.mkdir()
    random = np.random.default_rng(0)
    for number in range(PICTURES):
        coarse = random.integers(0, 256, (12, 16, 3)).astype(np.uint8)
        picture = Image.fromarray(coarse).resize(SIZE[::-1], Image.Resampling.BICUBIC)
        picture.save(folder / f"{number}.jpg", quality=90)
    return str(folder)


def main() -> None:
    name, example = sys.argv[1:]
    with closing(Bench(name, example)) as bench:
        serve(bench.answer)


if __name__ == "__main__":
    main()
