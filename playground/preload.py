"""Loading torch without standing in the window's way."""

from __future__ import annotations

import ctypes
import os
import sys
from importlib.util import find_spec
from pathlib import Path


def preload_torch() -> bool:
    """Load torch's largest library without Python's lock; whether that was possible.

    ``import torch`` holds the lock while the system links 430 MB, most of a second in which no
    other thread runs. A foreign call of ``dlopen`` does not hold it, and the import that follows
    finds the library there. Only where that call is at hand; elsewhere the import does all of it.
    """
    spec = find_spec("torch")
    if sys.platform != "linux" or spec is None or spec.origin is None or "torch" in sys.modules:
        return False
    library = Path(spec.origin).parent / "lib" / "libtorch_cpu.so"
    try:
        load = ctypes.CDLL(None).dlopen
    except (OSError, AttributeError):
        return False
    load.restype, load.argtypes = ctypes.c_void_p, [ctypes.c_char_p, ctypes.c_int]
    return library.is_file() and load(os.fsencode(library), os.RTLD_NOW) is not None
