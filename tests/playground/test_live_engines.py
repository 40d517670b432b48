"""Which engine answers: what takes part, what is refused, and what is remembered."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from playground.capture import Camera
from playground.cli import _parser
from playground.live import choice
from playground.live.choice import Choice, digest
from playground.live.engines import CLOSE, Torch, close, same
from playground.live.loop import Live
from playground.live.settings import ENGINES, EngineName, LiveAnswer, LiveSettings
from playground.model import Model
from tests.playground.capture_kit import until, write_clip
from tests.playground.live_kit import clip_model, picture_model, shaken, sound_model

RAW = {"input": np.full((1, 1, 16, 16), 90, np.uint8)}
ALL = {"eager", "channels-last", "onnxruntime", "cuda", "cuda-half"}


class Machine:
    """A machine with a GPU. Engines take ``seconds`` and add ``off`` to the first logit."""

    def __init__(self) -> None:
        self.seconds = {"channels-last": 0.9, "onnxruntime": 0.5, "cuda": 0.2, "cuda-half": 0.1}
        self.off = dict.fromkeys(self.seconds, 0.0)
        self.now = 0.0

    def engine(self, asked: Choice, name: str) -> Fake:
        return Fake(asked._model, name, self)


class Fake(Torch):
    def __init__(self, model: Model, name: str, machine: Machine) -> None:
        super().__init__(model)
        self.name, self._machine = name, machine

    def run(self, raw: dict[str, Any]) -> dict[str, Any]:
        self._machine.now += self._machine.seconds[self.name]
        found = super().run(raw)
        off = np.array([self._machine.off[self.name], 0, 0], np.float32)
        return {key: values + off for key, values in found.items()}


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    machine = Machine()
    monkeypatch.setenv("PLAYGROUND_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "NVIDIA Test")
    monkeypatch.setattr(choice, "perf_counter", lambda: machine.now)
    monkeypatch.setattr(Choice, "_new", lambda asked, name: machine.engine(asked, name))
    return machine


def settled(model: Model, wanted: EngineName = "auto") -> Choice:
    """The choice, torch itself taking a second."""
    found = Choice(model, wanted)
    found.start()
    until(found._ready.is_set)
    while not found.settled:
        found.turn(RAW, 1.0)
    found.close()
    return found


def test_the_gpu_in_half_precision_where_it_answers_well_enough(machine: Machine) -> None:
    model = shaken(picture_model())
    machine.off["cuda-half"] = CLOSE / 2
    found = settled(model)
    assert found.current.name == "cuda-half"
    assert set(found.times) == ALL
    assert found.times == pytest.approx({"eager": 1.0, **machine.seconds})
    again = settled(model)  # as it is remembered
    assert again.current.name == "cuda-half"
    assert again.times == found.times


@pytest.mark.parametrize("off", [0.5, 50.0, float("nan")])
def test_half_precision_that_answers_otherwise_is_refused(machine: Machine, off: float) -> None:
    machine.off["cuda-half"] = off
    found = settled(shaken(picture_model()))
    assert found.current.name == "cuda"
    assert found.problems == {"cuda-half": "its answers differ from torch's"}


def test_full_precision_is_held_to_the_same_answers(machine: Machine) -> None:
    machine.off |= {"cuda": CLOSE / 2, "cuda-half": 50.0}
    found = settled(shaken(picture_model()))
    assert found.current.name == "onnxruntime"
    assert set(found.problems) == {"cuda", "cuda-half"}


def test_a_gpu_that_is_slower_is_not_used(machine: Machine) -> None:
    machine.seconds = dict.fromkeys(machine.seconds, 0.99)
    assert settled(shaken(picture_model())).current.name == "eager"


def test_a_network_that_cannot_be_captured_leaves_the_others(machine: Machine) -> None:
    real = machine.engine

    def engine(asked: Choice, name: str) -> Fake:
        if name.startswith("cuda"):
            raise RuntimeError("operation not permitted when stream is capturing")
        return real(asked, name)

    machine.engine = engine  # type: ignore[method-assign]
    found = settled(shaken(picture_model()))
    assert found.current.name == "onnxruntime"
    assert "capturing" in found.problems["cuda"]


def test_an_engine_that_fails_while_it_is_timed_is_left_out(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Fake.run

    def run(engine: Fake, raw: dict[str, Any]) -> dict[str, Any]:
        if engine.name.startswith("cuda") and raw is RAW:
            raise RuntimeError("CUDA error: out of memory")
        return whole(engine, raw)

    monkeypatch.setattr(Fake, "run", run)
    found = settled(shaken(picture_model()))
    assert found.current.name == "onnxruntime"
    assert found.problems == dict.fromkeys(("cuda", "cuda-half"), "CUDA error: out of memory")
    assert set(found.times) == ALL - set(found.problems)


def test_torch_goes_on_where_the_fastest_engine_fails_later(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    model = shaken(picture_model())
    found = settled(model)
    assert found.current.name == "cuda-half"

    def lost(engine: Fake, raw: dict[str, Any]) -> dict[str, Any]:
        raise RuntimeError("CUDA error: the device is lost")

    monkeypatch.setattr(Fake, "run", lost)
    with Camera(str(write_clip(tmp_path / "numbers.avi", 5, rate=50))) as camera:
        live = Live(model, camera, LiveSettings(engine="eager"))
        live._choice = found
        events = live.events()
        answered = [next(e for e in events if isinstance(e, LiveAnswer)) for _ in range(3)]
        events.close()
    assert {answer.engine for answer in answered} == {"eager"}
    assert live.engine.engine == "eager"
    assert "lost" in live.engine.problems["cuda-half"]


def test_an_engine_that_is_named_is_used_or_why_not_is_said(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = shaken(picture_model())
    assert settled(model, "cuda").current.name == "cuda"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    found = settled(model, "cuda-half")
    assert found.current.name == "eager"
    assert found.problems == {"cuda-half": "there is no NVIDIA GPU here"}


def test_what_was_found_holds_for_the_device_it_was_found_on(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = picture_model()
    before = digest(model)
    assert digest(model) == before
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "NVIDIA Other")
    other = digest(model)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert len({before, other, digest(model)}) == 3


def test_values_that_are_no_classes_are_compared_by_their_deviation() -> None:
    model = shaken(picture_model())
    machine = Machine()
    (output,) = model.network.outputs
    spread = float(np.std(Torch(model).run(_inputs(model))[output], axis=0).max())
    (column,) = model.dataset.targets.values()
    object.__setattr__(column, "classes", ())
    machine.off["cuda-half"] = 0.9 * CLOSE * spread
    assert close(model, Torch(model), Fake(model, "cuda-half", machine))
    assert not same(model, Torch(model), Fake(model, "cuda-half", machine))
    machine.off["cuda-half"] = 1.1 * CLOSE * spread
    assert not close(model, Torch(model), Fake(model, "cuda-half", machine))


def test_closing_gives_up_a_comparison(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, under_way = [], threading.Event()

    def run(engine: Fake, raw: dict[str, Any]) -> dict[str, Any]:
        asked.append(engine.name)
        under_way.set()
        assert found._closed.wait(10)
        return Torch.run(engine, raw)

    monkeypatch.setattr(Fake, "run", run)
    found = Choice(shaken(picture_model()), "onnxruntime")
    found.start()
    assert under_way.wait(30)
    found.close()
    assert asked == ["onnxruntime"], "of sixteen inputs one"
    assert found.problems == {}


def _inputs(model: Model) -> dict[str, Any]:
    from playground.export.check import INPUTS, raw_inputs

    return raw_inputs(model, INPUTS)


def test_the_command_names_every_engine() -> None:
    for name in ENGINES:
        assert _parser().parse_args(["live", "run", "--engine", name]).engine == name


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")
@pytest.mark.parametrize(
    "make", [picture_model, lambda: clip_model(bidirectional=True), sound_model]
)
def test_a_captured_graph_answers_as_torch_does(make: Callable[[], Model]) -> None:
    from playground.live.cuda import Captured

    model = shaken(make())
    full, half = Captured(model, half=False), Captured(model, half=True)
    assert same(model, Torch(model), full)
    for engine in (full, half):
        one, other = _inputs(model), {"input": _inputs(model)["input"][::-1]}
        first, second = engine.run(one), engine.run(other)
        for name, values in first.items():
            # every replay sees its own input, and answers are not overwritten by later ones
            np.testing.assert_array_equal(values, second[name][::-1])
            assert values.shape == Torch(model).run(one)[name].shape
        engine.bare(one)()
