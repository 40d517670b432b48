"""Repairs of the environment that must happen before the libraries concerned are imported.

Importing this costs nothing: torchvision is repaired at the moment somebody imports it.
"""

from __future__ import annotations

import ctypes
import importlib.machinery
import os
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

_OPERATORS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)
_libraries: list[Any] = []
_LIBRARY: Any = ctypes.CDLL(None) if sys.platform == "linux" else None
_ARENA_MAX = -8  # M_ARENA_MAX of glibc's malloc.h; other C libraries have no such function


class _TorchvisionRepair(MetaPathFinder):
    """Runs once, before the first import of torchvision, and then finds nothing itself."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> None:
        if name == "torchvision":
            sys.meta_path.remove(self)
            declare_missing_operators()


def declare_missing_operators() -> bool:
    """Declare torchvision's compiled operators where they do not load; True where they did not.

    A torchvision wheel for CUDA beside a CPU build of torch cannot load them, and then even its
    models and transforms fail to import ("operator torchvision::nms does not exist"). A healthy
    torchvision is left alone. With the declarations alone, ``torchvision.ops.nms`` and
    ``torchvision.io`` remain unavailable.
    """
    import torch

    spec = importlib.machinery.PathFinder.find_spec("torchvision")
    if spec is None or spec.origin is None or hasattr(torch.ops.torchvision, "nms"):
        return False
    for compiled in sorted(Path(spec.origin).parent.glob("_C*")):
        if compiled.suffix in (".so", ".pyd"):
            try:
                torch.ops.load_library(str(compiled))  # type: ignore[no-untyped-call]
            except (OSError, RuntimeError):
                continue
            if hasattr(torch.ops.torchvision, "nms"):
                return False
    library = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
    for declaration in _OPERATORS:
        library.define(declaration)  # type: ignore[no-untyped-call]
    _libraries.append(library)  # a collected library takes its declarations along
    return True


def usable_cores() -> int:
    """Cores that this process may use, by affinity and by the container's quota."""
    affinity = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity else (os.cpu_count() or 1)
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        cores = min(cores, max(1, int(quota) // int(period)))
    except (OSError, ValueError):
        pass  # no control groups, or no quota ("max")
    return cores


def default_threads() -> int:
    """Threads for torch: one core stays free for the window and the rest of the machine.

    Two threads on two cores collapse to a fraction of one's speed as soon as anything else runs.
    ``OMP_NUM_THREADS`` lowers it further.
    """
    threads = max(1, usable_cores() - 1)
    wanted = os.environ.get("OMP_NUM_THREADS", "")
    return min(threads, int(wanted)) if wanted.isdecimal() and int(wanted) > 0 else threads


def give_back_memory() -> None:
    """Let the system have what was freed, which the C library of Linux keeps in its heaps."""
    if hasattr(_LIBRARY, "malloc_trim"):
        _LIBRARY.malloc_trim(0)


def _few_heaps() -> None:
    """The same library has eight heaps a core for threads to choose from. What is left of a hundred
    networks that ran in a thread each then lies in all of them: gigabytes that nobody uses."""
    if hasattr(_LIBRARY, "mallopt"):
        _LIBRARY.mallopt(_ARENA_MAX, max(2, usable_cores()))


def prepare() -> None:
    """Set up this process; calling it again changes nothing."""
    # operators that Apple GPUs lack run on the CPU instead of failing
    os.environ.setdefault("PYTORCH_ENABLE_MPS_FALLBACK", "1")
    # lets cuBLAS answer alike from run to run
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    known = any(isinstance(finder, _TorchvisionRepair) for finder in sys.meta_path)
    if not known and "torchvision" not in sys.modules:
        sys.meta_path.insert(0, _TorchvisionRepair())
    _few_heaps()


prepare()
