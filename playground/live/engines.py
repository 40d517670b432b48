"""What runs a network: torch as it is, torch with channels last, ONNX Runtime; and for a GPU,
``cuda``.

All give the outputs of the same network; which one is fastest depends on the network and on the
machine, so it is measured (``choice``).
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from models.axes import Kind
from playground.compat import default_threads
from playground.export.application import SMALLEST, outputs_of, typed
from playground.live.streaming import Moment, Streamer
from playground.messages import Array
from playground.model import Model

EAGER, CHANNELS_LAST, ONNX = "eager", "channels-last", "onnxruntime"
CUDA, CUDA_HALF = "cuda", "cuda-half"

CLOSE = 0.01
"""How far probabilities in half precision may be from those in full; of other outputs, the share of
their deviation."""


class Engine(Protocol):
    @property
    def name(self) -> str: ...

    def run(self, raw: dict[str, Array]) -> dict[str, Array]:
        """The network's outputs (N, …) by the Output's name for a raw batch; logits may differ by
        a constant from sample to sample. Raises ``ModelError``."""
        ...

    def bare(self, raw: dict[str, Array]) -> Callable[[], object]:
        """The inference alone, on a batch that is prepared already: what a loop can do at best."""
        ...

    def reset(self) -> None:
        """Forget what was seen."""
        ...


class Shared:
    """torch on a network that is somebody else's, such as one under training."""

    name = EAGER

    def __init__(self, model: Model) -> None:
        self._model = model

    def run(self, raw: dict[str, Array]) -> dict[str, Array]:
        return self._model.outputs(self._model.prepared(raw))

    def bare(self, raw: dict[str, Array]) -> Callable[[], object]:
        batch = self._model.prepared(raw)
        return lambda: self._model.outputs(batch)

    def reset(self) -> None:
        """There is nothing."""


class Torch:
    """torch, layer by layer. The model is put into evaluation mode and belongs to this engine."""

    def __init__(self, model: Model, *, channels_last: bool = False) -> None:
        self.name = CHANNELS_LAST if channels_last else EAGER
        self._last = channels_last
        if channels_last:
            module: Any = copy.deepcopy(model.network.module)
            module = module.to(memory_format=torch.channels_last)
            model = replace(model, network=replace(model.network, module=module))
        model.network.module.eval()
        self._model = model

    def run(self, raw: dict[str, Array]) -> dict[str, Array]:
        arguments = self._arguments(raw)
        with torch.no_grad():
            result = self._model.network.module(*arguments)
        named = result if isinstance(result, dict) else {self._model.network.outputs[0]: result}
        return {name: value.cpu().numpy() for name, value in named.items()}

    def bare(self, raw: dict[str, Array]) -> Callable[[], object]:
        arguments, module = self._arguments(raw), self._model.network.module

        def infer() -> object:
            with torch.no_grad():
                return module(*arguments)

        return infer

    def reset(self) -> None:
        """There is nothing."""

    def _arguments(self, raw: dict[str, Array]) -> list[Tensor]:
        batch = self._model.prepared(raw)
        arguments = [batch[name] for name in self._model.wires.arguments]
        if self._last:
            return [
                value.contiguous(memory_format=torch.channels_last) if value.dim() == 4 else value
                for value in arguments
            ]
        return arguments


class Onnx:
    """ONNX Runtime on a file that ``playground.export`` wrote, preprocessing inside. Raises what
    the runtime raises where it cannot read the file."""

    def __init__(self, model: Model, path: Path) -> None:
        import onnxruntime

        self.name = ONNX
        self._model = model
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = default_threads()
        options.log_severity_level = 4
        # threads that spin while they wait would take the core that the camera needs
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session: Any = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )

    def run(self, raw: dict[str, Array]) -> dict[str, Array]:
        answers = self._session.run(None, self._typed(raw))
        found = {}
        for output, (_, column, probabilities), values in zip(
            self._model.network.outputs, outputs_of(self._model), answers, strict=True
        ):
            if probabilities:
                found[output] = np.log(np.maximum(values, SMALLEST))
            else:
                found[output] = column.preprocessing.numpy(values)
        return found

    def bare(self, raw: dict[str, Array]) -> Callable[[], object]:
        ready = self._typed(raw)
        return lambda: self._session.run(None, ready)

    def reset(self) -> None:
        """There is nothing."""

    def _typed(self, raw: dict[str, Array]) -> dict[str, Array]:
        return {name: typed(self._model, name, values) for name, values in raw.items()}


class Stepping:
    """torch, one step of a recurrent network at a time, its state carried along."""

    def __init__(self, streamer: Streamer) -> None:
        self.name = "streaming"
        self._streamer = streamer

    def run(self, raw: dict[str, Array]) -> dict[str, Array]:
        return self._streamer.step(raw)

    def bare(self, raw: dict[str, Array]) -> Callable[[], object]:
        return lambda: self._streamer.step(raw)

    def reset(self) -> None:
        self._streamer.reset()

    def states(self) -> dict[str, Array]:
        """What the recurrent layers remember now, (H,) by the node's name."""
        return self._streamer.states()

    @property
    def moment(self) -> Moment | None:
        """The newest step, to be looked into."""
        return self._streamer.moment


def takes_images(model: Model) -> bool:
    """Whether the layout of channels can matter."""
    return any(
        column.shape.kind in (Kind.IMAGE, Kind.VIDEO) for column in model.dataset.inputs.values()
    )


class GivenUp(Exception):
    """A comparison whose outcome nobody waits for any more."""


def never() -> bool:
    return False


def same(model: Model, wanted: Engine, got: Engine, stopped: Callable[[], bool] = never) -> bool:
    """Whether two engines answer alike: no output differs by more than 1e-4 of the deviation that
    the outputs have across inputs; probabilities are compared as logarithms. Raises ``GivenUp``
    once it is ``stopped``."""
    from playground.export.check import LIMIT

    for reference, found, classes in _compared(model, wanted, got, stopped):
        one, other = _centred(reference, classes), _centred(found, classes)
        if not _within(one, other, LIMIT):
            return False
    return True


def close(model: Model, wanted: Engine, got: Engine, stopped: Callable[[], bool] = never) -> bool:
    """Whether an engine of half precision answers well enough: the same class comes first, and no
    probability differs by more than ``CLOSE``; other outputs by no more than that share of the
    deviation that they have across inputs. Raises ``GivenUp`` once it is ``stopped``."""
    for reference, found, classes in _compared(model, wanted, got, stopped):
        if not classes:
            if not _within(reference, found, CLOSE):
                return False
            continue
        one, other = (np.exp(_centred(values, True)) for values in (reference, found))
        alike = (one.argmax(axis=-1) == other.argmax(axis=-1)).all()
        if not (alike and np.abs(one - other).max() <= CLOSE):
            return False
    return True


def _compared(
    model: Model, wanted: Engine, got: Engine, stopped: Callable[[], bool]
) -> list[tuple[Array, Array, bool]]:
    """Both engines' values of every output for the same inputs, and whether they are classes."""
    from playground.export.check import INPUTS, raw_inputs

    raw = raw_inputs(model, INPUTS)
    one, other = _each(wanted, raw, stopped), _each(got, raw, stopped)
    outputs = zip(model.network.outputs, outputs_of(model), strict=True)
    return [(one[name], other[name], bool(column.classes)) for name, (_, column, _) in outputs]


def _each(engine: Engine, raw: dict[str, Array], stopped: Callable[[], bool]) -> dict[str, Array]:
    """Outputs for inputs one after the other, as they are live."""
    found = []
    for place in range(len(next(iter(raw.values())))):
        if stopped():
            raise GivenUp
        found.append(engine.run({name: all_[place : place + 1] for name, all_ in raw.items()}))
    return {name: np.concatenate([one[name] for one in found]) for name in found[0]}


def _within(wanted: Array, got: Array, share: float) -> bool:
    """Whether values differ by at most ``share`` of the deviation across inputs."""
    if wanted.shape != got.shape:
        return False
    spread = float(np.std(wanted, axis=0).max())
    return spread > 0 and float(np.abs(got - wanted).max()) <= share * spread


def _centred(values: Array, logits: bool) -> Array:
    """Logits as logarithms of probabilities, in which a constant means nothing."""
    wide = values.astype(np.float64)
    if not logits:
        return wide
    wide -= wide.max(axis=-1, keepdims=True)
    wide -= np.log(np.exp(wide).sum(axis=-1, keepdims=True))
    return np.maximum(wide, np.log(SMALLEST))
