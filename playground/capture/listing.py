"""In the child: the system's cameras and microphones, without opening any."""

from __future__ import annotations

import sys
from typing import Any

from playground.capture.outlet import Fault


def find(what: str) -> list[dict[str, str]]:
    """``{"address", "name"}`` of each; raises ``Fault``."""
    return _cameras() if what == "cameras" else _microphones()


def _cameras() -> list[dict[str, str]]:
    from playground.vision import cv2

    try:
        from cv2_enumerate_cameras import enumerate_cameras
    except ImportError:
        raise Fault("cv2-enumerate-cameras is not installed: cameras have no names") from None
    backend = {
        "linux": cv2.CAP_V4L2,
        "win32": cv2.CAP_MSMF,
        "darwin": cv2.CAP_AVFOUNDATION,
    }.get(sys.platform, cv2.CAP_ANY)
    found = sorted(enumerate_cameras(backend), key=lambda camera: camera.index)
    names = [str(camera.name or f"Camera {camera.index}") for camera in found]
    return [
        {
            "address": str(camera.index),
            # two of one kind are told apart by their number
            "name": name if names.count(name) == 1 else f"{name} ({camera.index})",
        }
        for camera, name in zip(found, names, strict=True)
    ]


def _microphones() -> list[dict[str, str]]:
    from playground.capture.sounds import inputs, portaudio

    sounddevice = portaudio()
    found = inputs(sounddevice)
    if not found:
        return []
    default: Any = sounddevice.default.device[0]
    name = next((item["name"] for item in found if item["index"] == default), "")
    aside = f" ({name})" if name not in ("", "default") else ""
    names = dict.fromkeys(item["name"] for item in found if item["name"] != "default")
    return [
        {"address": "default", "name": f"System default{aside}"},
        *({"address": name, "name": name} for name in names),
    ]
