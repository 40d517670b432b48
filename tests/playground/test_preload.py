"""Torch's largest library is loaded without Python's lock, and torch works after it."""

from __future__ import annotations

import subprocess
import sys

CODE = """
import sys, threading, time
from playground.preload import preload_torch
done = []
thread = threading.Thread(target=lambda: done.append(preload_torch()))
thread.start()
while thread.is_alive():
    time.sleep(0.002)
assert done == [sys.platform == "linux"], done
assert "torch" not in sys.modules
import torch
assert torch.ones(2).sum() == 2
assert preload_torch() is False
"""


def test_torch_works_after_its_library_was_loaded() -> None:
    subprocess.run([sys.executable, "-c", CODE], check=True, timeout=120)
