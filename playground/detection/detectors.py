"""The detectors that can be named where a run can: ``faces`` comes with the application, the others
need a download."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from models.parameters import Parameter, Values
from models.registry import Registry
from playground.answers import Boxes
from playground.downloads import Download

if TYPE_CHECKING:
    from playground.vision import Pixels


class Detector(Protocol):
    """What finds objects. It is used by one thread at a time."""

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Thresholds and the like."""
        ...

    def detect(self, pixels: Pixels, settings: Values | None = None) -> Boxes:
        """The objects in an H×W×3 picture (RGB, 0…255), the surest first. ``settings`` are values
        for ``parameters`` and may differ from call to call; raises ``ParameterError``."""
        ...


@dataclass(frozen=True, slots=True)
class DetectorKind:
    """A detector that can be opened: ``load`` may take seconds, and raises ``DownloadError`` where
    ``download`` has not been fetched."""

    id: str
    title: str
    summary: str
    load: Callable[[], Detector]
    download: Download | None = None


DETECTORS: Registry[DetectorKind] = Registry("detector")


def _faces() -> Detector:
    from playground.detection.faces import Faces

    return Faces()


DETECTORS.add(
    DetectorKind(
        "faces",
        "Faces (MTCNN)",
        "Finds faces with both eyes, the nose and the corners of the mouth.",
        _faces,
    )
)
