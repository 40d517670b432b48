"""torchvision works beside a torch build that it was not compiled for."""

from __future__ import annotations

import subprocess
import sys

import pytest

from playground import compat

SCRIPT = """
import sys, warnings
warnings.simplefilter("error")
import playground
assert "torch" not in sys.modules, "the repair must cost nothing"
import torchvision.models, torchvision.transforms.v2, torch
assert torchvision.models.resnet18(num_classes=2)(torch.zeros(1, 3, 64, 64)).shape == (1, 2)
flipped = torchvision.transforms.v2.functional.horizontal_flip(torch.arange(3)[None])
assert flipped.tolist() == [[2, 1, 0]]
assert not compat_repairs()
"""


def test_torchvision_imports() -> None:
    script = SCRIPT.replace(
        "compat_repairs()", "__import__('playground.compat').compat.declare_missing_operators()"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr


def test_threads_leave_a_core_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    for cores, threads in ((1, 1), (2, 1), (16, 15)):
        monkeypatch.setattr(compat, "usable_cores", lambda cores=cores: cores)
        assert compat.default_threads() == threads
    monkeypatch.setenv("OMP_NUM_THREADS", "4")
    assert compat.default_threads() == 4
    monkeypatch.setenv("OMP_NUM_THREADS", "all")
    assert compat.default_threads() == 15
    assert compat.usable_cores() >= 1


def test_preparing_twice_changes_nothing() -> None:
    before = list(sys.meta_path)
    compat.prepare()
    kinds = [type(finder) for finder in sys.meta_path]
    assert len(sys.meta_path) - len(before) in (0, 1)
    compat.prepare()
    assert [type(finder) for finder in sys.meta_path] == kinds
