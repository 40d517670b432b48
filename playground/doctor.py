"""What works on this machine: versions, devices, cameras, microphones, display, fonts, room.

Every check runs in a child process of its own, so that a library that is missing, hangs or crashes
on import costs one line and not the rest.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

TIMEOUT = 60.0
PACKAGES = {
    "torch": "needed to train",
    "torchvision": "ready-made networks and image transforms",
    "numpy": "needed",
    "polars": "tables",
    "opencv-python": "images and cameras",
    "pillow": "images",
    "safetensors": "needed to keep weights",
    "pyside6-essentials": "the window",
    "pyqtgraph": "the live views",
    "onnx": "ONNX export",
    "onnxscript": "ONNX export",
    "onnxruntime": "checks ONNX exports",
    "rich": "progress bars",
    "psutil": "memory figures",
    "platformdirs": "where settings are kept",
    "cv2-enumerate-cameras": "names of cameras",
    "sounddevice": "microphones",
    "soundfile": "sound files",
    "lightning": "bench",
    "keras": "bench",
}
Status = Literal["ok", "note", "failed"]
_MARKS = {"ok": "✓", "note": "·", "failed": "✗"}


@dataclass(frozen=True, slots=True)
class Check:
    """The result of one check. ``note`` is something absent that not everybody needs."""

    name: str
    status: Status
    text: str
    details: Mapping[str, Any] = field(default_factory=dict)

    def line(self) -> str:
        return f"{_MARKS[self.status]} {self.name:<12} {self.text}"

    def to_json(self) -> dict[str, Any]:
        return {"check": self.name, "status": self.status, "text": self.text, **self.details}


def check_python() -> Check:
    version = platform.python_version()
    status: Status = "ok" if sys.version_info >= (3, 11) else "failed"
    text = f"{version} on {platform.system()} {platform.release()} ({platform.machine()})"
    if status == "failed":
        text += "; 3.11 or newer is needed"
    return Check("python", status, text, {"version": version, "platform": platform.platform()})


def check_packages() -> Check:
    found, absent = {}, []
    for name, purpose in PACKAGES.items():
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            absent.append(f"{name} ({purpose})")
    text = ", ".join(f"{name} {version}" for name, version in found.items())
    if absent:
        text += "; not installed: " + ", ".join(absent)
    return Check("packages", "ok", text, {"packages": found, "absent": absent})


def check_torch() -> Check:
    import torch

    cuda = []
    if torch.cuda.is_available():
        for index in range(torch.cuda.device_count()):
            properties = torch.cuda.get_device_properties(index)
            cuda.append(f"{properties.name} ({properties.total_memory / 1e9:.0f} GB)")
    mps = bool(torch.backends.mps.is_available())
    x = torch.randn(8, 8)
    torch.linalg.norm(torch.nn.functional.conv1d(x[None], torch.randn(4, 8, 3))).item()
    cores = os.cpu_count() or 1
    devices = [f"CPU ({cores} cores, {torch.backends.cpu.get_cpu_capability()})"]
    devices += [f"CUDA {name}" for name in cuda] + (["Apple GPU (MPS)"] if mps else [])
    text = f"{torch.__version__}; devices: {', '.join(devices)}"
    return Check(
        "torch",
        "ok",
        text,
        {"version": str(torch.__version__), "cores": cores, "cuda": cuda, "mps": mps},
    )


def check_torchvision() -> Check:
    from playground import compat

    replaced = compat.declare_missing_operators()
    import torchvision

    version = str(torchvision.__version__)
    details = {"version": version, "compiled": not replaced}
    if not replaced:
        return Check("torchvision", "ok", version, details)
    text = (
        f"{version}; its compiled operators do not fit this torch, so they are replaced: networks "
        "and transforms work, torchvision.ops.nms does not"
    )
    return Check("torchvision", "note", text, details)


def check_onnx() -> Check:
    import onnxruntime

    providers = onnxruntime.get_available_providers()
    text = f"onnxruntime {onnxruntime.__version__} ({', '.join(providers)})"
    return Check("onnx", "ok", text, {"version": onnxruntime.__version__, "providers": providers})


def check_display() -> Check:
    """Opens no window. ``ui`` is run as a program: this package knows nothing of Qt."""
    done = _child(["-m", "ui.doctor"])
    if done.returncode == 0:
        try:
            details = json.loads(done.stdout.strip().splitlines()[-1])
            return Check("display", "ok", details.pop("text"), details)
        except (ValueError, IndexError, KeyError):
            pass
    if sys.platform == "linux" and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        return Check("display", "note", "none here: the command line works, the window does not")
    return Check("display", "failed", _last_line(done) or "Qt cannot open a window")


def check_fonts() -> Check:
    folder = Path(__file__).resolve().parent.parent / "resources" / "fonts"
    names = sorted(path.stem for path in folder.glob("*.[ot]tf"))
    if not names:
        return Check("fonts", "note", "the fonts of the window are not there; the system's serve")
    return Check("fonts", "ok", ", ".join(names), {"fonts": names})


def check_cameras() -> Check:
    """By name, without opening any: that takes long and switches their lights on."""
    return _devices("cameras")


def check_microphones() -> Check:
    return _devices("microphones")


def _devices(what: Literal["cameras", "microphones"]) -> Check:
    from playground.capture.devices import found

    devices, problem = found(what)
    names = [device.name for device in devices]
    if not names:
        return Check(what, "note", problem or "none found", {what: []})
    listed = [{"address": device.address, "name": device.name} for device in devices]
    return Check(what, "ok", ", ".join(names), {what: listed})


def check_room() -> Check:
    free = shutil.disk_usage(Path.cwd()).free
    details: dict[str, Any] = {"disk_free": free}
    text = f"{free / 1e9:.1f} GB free on this disk"
    try:
        import psutil

        memory = psutil.virtual_memory()
        details |= {"memory": memory.total, "memory_free": memory.available}
        text += f", {memory.available / 1e9:.1f} of {memory.total / 1e9:.1f} GB memory free"
    except ImportError:
        pass
    if free < 1e9:
        return Check("room", "failed", text + ": runs need room for their weights", details)
    return Check("room", "ok", text, details)


CHECKS: dict[str, Callable[[], Check]] = {
    check.__name__.removeprefix("check_"): check
    for check in (
        check_python,
        check_packages,
        check_torch,
        check_torchvision,
        check_onnx,
        check_display,
        check_fonts,
        check_cameras,
        check_microphones,
        check_room,
    )
}
NEEDED = frozenset({"python", "packages", "torch", "room"})
"""Without these nothing can be trained; the rest is a note where it is not there."""


def diagnose() -> Iterator[Check]:
    """Every check's result, in order; they run side by side."""
    with ThreadPoolExecutor(max_workers=4) as pool:
        yield from pool.map(_in_child, CHECKS)


def _in_child(name: str) -> Check:
    done = _child(["-m", "playground.doctor", name])
    try:
        data = json.loads(done.stdout.strip().splitlines()[-1])
        return Check(data.pop("check"), data.pop("status"), data.pop("text"), data)
    except (ValueError, IndexError, KeyError, AttributeError):
        status: Status = "failed" if name in NEEDED else "note"
        return Check(name, status, _last_line(done) or f"ended with code {done.returncode}")


def _child(arguments: list[str]) -> subprocess.CompletedProcess[str]:
    """Run this Python; one that takes too long is killed and says so."""
    root = str(Path(__file__).resolve().parent.parent)
    path = os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH"), root]))
    command = [sys.executable, *arguments]
    try:
        return subprocess.run(
            command,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=TIMEOUT,
            env={**os.environ, "PYTHONPATH": path},
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, -1, "", f"no answer in {TIMEOUT:.0f} s")


def _last_line(done: subprocess.CompletedProcess[str]) -> str:
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    if done.returncode < 0 and not lines:
        return f"crashed (signal {-done.returncode})"
    return lines[-1] if lines else ""


def _main() -> None:
    """One check, as a JSON line; a failure is its result."""
    name = sys.argv[1]
    try:
        check = CHECKS[name]()
    except Exception as error:
        check = Check(
            name, "failed" if name in NEEDED else "note", f"{type(error).__name__}: {error}"
        )
    print(json.dumps(check.to_json()))


if __name__ == "__main__":
    _main()
