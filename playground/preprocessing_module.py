"""Preprocessing as a torch module, to run on the device and to be exported with a network."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from playground.preprocessing import Step


class Steps(nn.Module):
    """The steps in their order, or undone in reverse; any input becomes float32."""

    def __init__(self, steps: Sequence[Step], *, inverse: bool = False) -> None:
        super().__init__()
        self.steps = tuple(steps)
        self.inverse = inverse
        for index, step in enumerate(self.steps):
            for name, values in step.constants().items():
                self.register_buffer(f"{name}_{index}", torch.from_numpy(values))

    def forward(self, x: Tensor) -> Tensor:
        if not self.steps:
            return x
        x = x.float()
        order = list(enumerate(self.steps))
        for index, step in reversed(order) if self.inverse else order:
            constants = {name: getattr(self, f"{name}_{index}") for name in step.constants()}
            x = step.undo(x, constants, torch) if self.inverse else step.apply(x, constants, torch)
        return x
