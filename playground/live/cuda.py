"""A network on an NVIDIA GPU as one captured CUDA graph: small networks are bound by the launches
of their kernels, and a graph is one launch for all of them."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from playground.live.engines import CUDA, CUDA_HALF, takes_images
from playground.messages import Array
from playground.model import Model

_WARM_UP = 3
"""Runs before the capture: libraries choose their kernels and take their memory in the first."""


class Captured:
    """A copy of the network on the GPU, replayed on fixed buffers for one sample at a time.

    ``half`` computes in 16 bits. Raises ``RuntimeError`` for a network that cannot be captured:
    what it does next must not depend on its values.
    """

    def __init__(self, model: Model, *, half: bool) -> None:
        from playground.export.check import raw_inputs

        self.name = CUDA_HALF if half else CUDA
        self._model = model
        module: Any = copy.deepcopy(model.network.module).eval().to("cuda")
        layout = torch.channels_last if takes_images(model) else torch.contiguous_format
        self._module: Any = (module.half() if half else module).to(memory_format=layout)
        # before what a training run beside it has queued
        self._stream = torch.cuda.Stream(priority=-1)  # type: ignore[no-untyped-call]
        self._pinned = [value.pin_memory() for value in self._prepared(raw_inputs(model, 1))]
        with torch.cuda.stream(self._stream), torch.no_grad():
            self._inputs = [value.cuda() for value in self._pinned]
            self._graph, self._outputs = self._capture(half)
            self._answers = {
                name: torch.empty(value.shape, dtype=value.dtype).pin_memory()
                for name, value in self._outputs.items()
            }
        self._stream.synchronize()

    def run(self, raw: dict[str, Array]) -> dict[str, Array]:
        found = [self._answered(values) for values in zip(*self._prepared(raw), strict=True)]
        return {name: np.stack([answers[name] for answers in found]) for name in found[0]}

    def bare(self, raw: dict[str, Array]) -> Callable[[], object]:
        self.run(raw)

        def infer() -> None:
            with torch.cuda.stream(self._stream):
                self._graph.replay()
            self._stream.synchronize()

        return infer

    def reset(self) -> None:
        """There is nothing."""

    def _answered(self, values: tuple[Tensor, ...]) -> dict[str, Array]:
        """The outputs for one sample (without the batch axis)."""
        for pinned, value in zip(self._pinned, values, strict=True):
            pinned[0].copy_(value)
        with torch.cuda.stream(self._stream):
            for given, pinned in zip(self._inputs, self._pinned, strict=True):
                given.copy_(pinned, non_blocking=True)
            self._graph.replay()
            for name, value in self._outputs.items():
                self._answers[name].copy_(value, non_blocking=True)
        self._stream.synchronize()
        return {name: value[0].numpy().copy() for name, value in self._answers.items()}

    def _capture(self, half: bool) -> tuple[torch.cuda.CUDAGraph, dict[str, Tensor]]:
        """The graph, and the outputs that a replay fills."""

        def infer() -> dict[str, Tensor]:
            given = [
                value.half() if half and value.is_floating_point() else value
                for value in self._inputs
            ]
            result = self._module(*given)
            named = result if isinstance(result, dict) else {self._model.network.outputs[0]: result}
            return {name: value.float() for name, value in named.items()}

        # TensorFloat-32 would keep ten bits of the numbers only
        with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            for _ in range(_WARM_UP):
                infer()
            self._stream.synchronize()
            graph = torch.cuda.CUDAGraph()
            # what other threads do on the GPU meanwhile, such as training, is none of its business
            with torch.cuda.graph(graph, stream=self._stream, capture_error_mode="thread_local"):
                outputs = infer()
        return graph, outputs

    def _prepared(self, raw: dict[str, Array]) -> list[Tensor]:
        batch = self._model.prepared(raw)
        return [batch[name] for name in self._model.wires.arguments]
