"""A folder of weights and state that is either the old one or the new one, never half of each.

Tensors are safetensors and everything else is JSON: reading a checkpoint runs no code.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load, save_file
from torch import Tensor, nn, optim

from playground.files import own_file, place, read_text, sync, why, write_text

WEIGHTS, STATE, TENSORS = "weights.safetensors", "state.json", "state.safetensors"


class CheckpointError(ValueError):
    """A checkpoint cannot be read or does not fit; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The network's weights, JSON values, and the other tensors needed to go on."""

    weights: Mapping[str, Tensor]
    state: Mapping[str, Any]
    tensors: Mapping[str, Tensor] = field(default_factory=dict)


def write(folder: Path, checkpoint: Checkpoint) -> None:
    """Replace ``folder`` at once: everything is written beside it, synced, and then renamed.

    Raises ``OSError``, with the old checkpoint as it was."""
    fresh = folder.with_name(f"{folder.name}.new")
    _remove(fresh)
    fresh.mkdir(parents=True)
    try:
        _save(fresh / WEIGHTS, checkpoint.weights)
        if checkpoint.tensors:
            _save(fresh / TENSORS, checkpoint.tensors)
        write_text(fresh / STATE, json.dumps(checkpoint.state))
    except OSError:
        _remove(fresh)
        raise
    old = folder.with_name(f"{folder.name}.old")
    if folder.exists():
        _remove(old)
        folder.rename(old)
    fresh.rename(folder)
    sync(folder.parent)
    _remove(old)


def read(folder: Path) -> Checkpoint:
    """Read a checkpoint; raises ``CheckpointError``. Links are not followed."""
    folder = place(folder)
    if folder.is_symlink():
        raise CheckpointError(f"{folder} is a link, which a run folder may not hold")
    tensors = _load(folder / TENSORS) if (folder / TENSORS).exists() else {}
    try:
        state = json.loads(read_text(folder / STATE))
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{folder} cannot be read: {why(error, STATE)}") from None
    if not isinstance(state, dict):
        raise CheckpointError(f"{folder / STATE} is not a saved state")
    return Checkpoint(_load(folder / WEIGHTS), state, tensors)


def load_weights(module: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Copy weights into ``module``, keeping its memory layout; raises ``CheckpointError``."""
    own = module.state_dict()
    missing = sorted(own.keys() - weights.keys()) + sorted(weights.keys() - own.keys())
    if missing:
        raise CheckpointError(f"the weights are of another network: {missing[0]} is in one of them")
    for name, tensor in own.items():
        if tensor.shape != weights[name].shape or tensor.dtype != weights[name].dtype:
            raise CheckpointError(
                f"the weights of {name} are {_size(weights[name])}; the network has {_size(tensor)}"
            )
    with torch.no_grad():
        for name, tensor in own.items():
            tensor.copy_(weights[name])


def optimizer_tensors(optimizer: optim.Optimizer) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """An optimizer's state: tensors named ``<parameter>.<name>``, and what is no tensor."""
    tensors: dict[str, Tensor] = {}
    plain: dict[str, Any] = {}
    for index, values in optimizer.state_dict()["state"].items():
        for name, value in values.items():
            if isinstance(value, Tensor):
                tensors[f"{index}.{name}"] = value
            elif value is not None:
                plain[f"{index}.{name}"] = value
    return tensors, plain


def restore_optimizer(
    optimizer: optim.Optimizer, tensors: Mapping[str, Tensor], plain: Mapping[str, Any]
) -> None:
    """Put a saved state back, in the memory layout of each parameter (fused kernels rely on it);
    raises ``CheckpointError``."""
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    optimizer.state.clear()
    for key, value in (*tensors.items(), *plain.items()):
        index, _, name = key.partition(".")
        if not index.isdecimal() or int(index) >= len(parameters) or not name:
            raise CheckpointError(f"the optimizer's state has an unknown entry {key}")
        parameter = parameters[int(index)]
        if isinstance(value, Tensor) and value.dim() == 0:
            # the number of steps; only fused CUDA kernels want it on the device
            fused = optimizer.param_groups[0].get("fused") and parameter.is_cuda
            value = value.to(parameter.device) if fused else value.clone()
        elif isinstance(value, Tensor):
            if value.shape != parameter.shape:
                raise CheckpointError(f"the optimizer's state {key} is of another network")
            value = torch.empty_like(parameter, dtype=value.dtype).copy_(value)
        optimizer.state[parameter][name] = value


def random_state(device: torch.device) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """All generators that training may draw from."""
    name, keys, position, has_gauss, gauss = np.random.get_state(legacy=True)
    tensors = {"torch": torch.get_rng_state()}
    if device.type == "cuda":
        tensors["cuda"] = torch.cuda.get_rng_state(device)
    plain = {
        "python": random.getstate(),
        "numpy": [name, np.asarray(keys).tolist(), position, has_gauss, gauss],
    }
    return tensors, plain


def restore_random_state(
    device: torch.device, tensors: Mapping[str, Tensor], plain: Mapping[str, Any]
) -> None:
    """Set all generators; raises ``CheckpointError``."""
    try:
        torch.set_rng_state(tensors["torch"])
        if device.type == "cuda" and "cuda" in tensors:
            torch.cuda.set_rng_state(tensors["cuda"], device)
        version, numbers, gauss = plain["python"]
        random.setstate((version, tuple(numbers), gauss))
        name, keys, *rest = plain["numpy"]
        np.random.set_state((name, np.array(keys, np.uint32), *rest))
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise CheckpointError(f"the saved random state is damaged: {error}") from None


def _save(path: Path, tensors: Mapping[str, Tensor]) -> None:
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    try:
        save_file(plain, path)
    except SafetensorError as error:  # a full disk, told in its own words
        number = re.search(r"os error (\d+)", str(error))
        text = os.strerror(int(number[1])) if number else str(error)
        raise OSError(int(number[1]) if number else 0, text, str(path)) from None
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _load(path: Path) -> dict[str, Tensor]:
    try:
        own_file(path)
        return load(path.read_bytes())
    except OSError as error:
        raise CheckpointError(f"{path.parent} cannot be read: {why(error, path.name)}") from None
    except (SafetensorError, KeyError, ValueError, RuntimeError) as error:
        raise CheckpointError(
            f"{path} cannot be read: it is damaged, or no safetensors file ({error}); take the "
            "other checkpoint, or another run"
        ) from None


def _remove(folder: Path) -> None:
    if folder.is_symlink() or folder.is_file():
        folder.unlink()
    elif folder.exists():
        shutil.rmtree(folder)


def _size(tensor: Tensor) -> str:
    return "×".join(map(str, tensor.shape)) or "one number"
