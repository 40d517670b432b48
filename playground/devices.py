"""Where the tensors are: choosing a device, naming it for people, and how much fits on it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import psutil
import torch

from playground.compat import default_threads, usable_cores


class DeviceError(ValueError):
    """The device that was asked for is not there; the message says what is."""


@dataclass(frozen=True, slots=True)
class Device:
    """A torch device with the number of CPU threads that torch may use beside it."""

    kind: str
    threads: int

    @property
    def torch(self) -> torch.device:
        return torch.device(self.kind)

    @property
    def text(self) -> str:
        """For people: "NVIDIA H100", "Apple GPU", "CPU · 1 of 2 cores"."""
        if self.kind == "cuda":
            return torch.cuda.get_device_name()
        if self.kind == "mps":
            return "Apple GPU"
        cores = usable_cores()
        return f"CPU · {min(self.threads, cores)} of {cores} core{'s' if cores > 1 else ''}"

    def use(self) -> None:
        """Set torch's number of threads. It holds for the whole process: for the worker alone."""
        if torch.get_num_threads() != self.threads:
            torch.set_num_threads(self.threads)

    def memory(self) -> int:
        """Bytes that are free on the device."""
        if self.kind == "cuda":
            return int(torch.cuda.mem_get_info()[0])
        free = int(psutil.virtual_memory().available)
        limit = _container_memory()
        return free if limit is None else min(free, limit)


def available() -> tuple[str, ...]:
    """The kinds of devices that this machine has, the fastest first."""
    kinds = ["cpu"]
    if torch.backends.mps.is_available():
        kinds.insert(0, "mps")
    if torch.cuda.is_available():
        kinds.insert(0, "cuda")
    return tuple(kinds)


def choose(wanted: str = "auto", threads: int = 0) -> Device:
    """The device for a setting; ``threads`` 0 leaves a core free. Raises ``DeviceError``."""
    kinds = available()
    kind = kinds[0] if wanted == "auto" else wanted
    if kind not in kinds:
        here = " and ".join(kinds)
        raise DeviceError(f"there is no {kind} device here: choose auto ({here} can be used)")
    return Device(kind, threads or default_threads())


def _container_memory() -> int | None:
    """What is left of the container's memory limit; None without one."""
    group = Path("/sys/fs/cgroup")
    try:
        limit = int((group / "memory.max").read_text())
        return max(0, limit - int((group / "memory.current").read_text()))
    except (OSError, ValueError):
        return None
