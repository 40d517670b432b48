"""Cameras and microphones, each in a child process that can be killed.

``Camera`` and ``Microphone`` keep only what is newest and never make a device wait; what stands in
for them (a clip, a folder of pictures, a stream, a sound file) is used in the same way.
"""

from playground.capture.camera import Camera
from playground.capture.devices import cameras, microphones
from playground.capture.kinds import (
    CameraSettings,
    CaptureStatus,
    DeviceInfo,
    Frame,
    Limits,
)
from playground.capture.microphone import Microphone
from playground.capture.process import refusal

__all__ = [
    "Camera",
    "CameraSettings",
    "CaptureStatus",
    "DeviceInfo",
    "Frame",
    "Limits",
    "Microphone",
    "cameras",
    "microphones",
    "refusal",
]
