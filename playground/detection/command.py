"""Detectors on the command line: pictures or a camera in, boxes out."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.parameters import Parameter, ParameterError, Values
from models.registry import Registry
from playground.answers import Boxes
from playground.detection.detectors import DETECTORS, Detector
from playground.vision import read_picture


@dataclass(frozen=True, slots=True)
class Asked:
    """A detector with settings."""

    detector: Detector
    settings: Values

    def answer(self, text: str) -> list[tuple[str, Boxes]]:
        """The objects in a picture file; raises ``UnreadableImage``."""
        pixels = np.ascontiguousarray(read_picture(Path(text), 3).transpose(1, 2, 0))
        return [(text, self.detector.detect(pixels, self.settings))]


def named(id: str, texts: Sequence[str]) -> Asked:
    """The detector ``id`` with settings written KEY=VALUE; raises ``ValueError``,
    ``UnknownEntry`` or ``DownloadError``."""
    return asked(DETECTORS.get(id).load(), id, texts)


def asked(detector: Detector, name: str, texts: Sequence[str]) -> Asked:
    """Settings for a detector, written KEY=VALUE; raises ``ValueError`` or ``UnknownEntry``."""
    known: Registry[Parameter] = Registry(f"setting of {name}")
    for parameter in detector.parameters:
        known.add(parameter)
    settings = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals:
            raise ParameterError(f"--set takes KEY=VALUE; got {text!r}")
        settings[key] = known.get(key).parse(value)
    return Asked(detector, settings)


def watch(found: Asked, options: Namespace) -> int:
    """Answer to a camera until it ends, ``--frames`` answers are given, or Ctrl+C; raises
    ``LiveError`` where the source failed before that, ``ValueError`` for another wrong option."""
    from playground.capture import Camera, CameraSettings
    from playground.console import Console
    from playground.detection.live import ENGINE, LiveDetection
    from playground.detection.trained import Trained
    from playground.devices import choose
    from playground.live.command import run, tell

    if options.smooth or options.threshold:
        raise ValueError(
            "--smooth and --threshold are for classes; a detector takes --set score=0.9"
        )
    if isinstance(found.detector, Trained):
        return run(found.detector.model, options, found.settings)
    if options.engine != "auto":
        raise ValueError("--engine is for runs: this detector runs on torch alone")
    choose("cpu").use()
    settings = CameraSettings(rate=options.rate, loop=options.frames is not None)
    camera = Camera(options.source or "0", settings)
    live = LiveDetection(found.detector, camera, found.settings)
    return tell(live, camera, Console(options.json), options, lambda: {"engine": ENGINE})
