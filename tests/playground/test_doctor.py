"""The doctor: one line a check, whatever is broken."""

from __future__ import annotations

from pathlib import Path

import pytest

from playground import doctor
from playground.doctor import CHECKS, Check
from tests.playground.cli_kit import Shell


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(capsys)


def only(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Let the doctor look at ``names`` alone."""
    monkeypatch.setattr(doctor, "CHECKS", {name: CHECKS[name] for name in names})


def fake(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, code: str) -> None:
    """A module of that name that is found first in the doctor's child processes."""
    (folder / f"{name}.py").write_text(code)
    monkeypatch.setenv("PYTHONPATH", str(folder))


def test_here(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, "python", "packages", "torch", "torchvision", "onnx", "fonts", "room")
    *checks, last = shell.json("doctor")
    assert [check["check"] for check in checks] == list(doctor.CHECKS)
    assert last == {"ok": True, "failed": []}
    torch = checks[2]
    assert torch["status"] == "ok"
    assert torch["cores"] >= 1
    assert "CPU" in torch["text"]


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("raise ImportError('libcudart.so.13: cannot open shared object file')", "libcudart"),
        ("import os\nos.kill(os.getpid(), 11)", "signal 11"),
        ("import sys\nsys.exit(3)", "code 3"),
    ],
)
def test_a_broken_torch_is_one_line(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, says: str
) -> None:
    only(monkeypatch, "python", "torch")
    fake(tmp_path, monkeypatch, "torch", code)
    said = shell("doctor")
    assert said.code == 1
    lines = said.out.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("✓ python")
    assert lines[1].startswith("✗ torch")
    assert says in lines[1]


def test_what_hangs_is_given_up(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    only(monkeypatch, "microphones")
    monkeypatch.setattr(doctor, "TIMEOUT", 2.0)
    fake(tmp_path, monkeypatch, "sounddevice", "import time\ntime.sleep(600)")
    (found,) = doctor.diagnose()
    assert found.status == "note"
    assert "no answer" in found.text


def test_devices_that_are_not_there_are_notes(monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, "cameras", "microphones")
    assert all(check.status in ("ok", "note") for check in doctor.diagnose())


def test_display(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    found = doctor.check_display()
    assert found.status == "ok"
    assert "offscreen" in found.text
    monkeypatch.setenv("QT_QPA_PLATFORM", "nonsense")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert doctor.check_display().status in ("note", "failed")


def test_a_line() -> None:
    assert Check("torch", "ok", "2.13").line() == "✓ torch        2.13"
