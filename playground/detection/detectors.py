"""The detectors that can be named where a run can: ``faces`` comes with the application, the others
need a download."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from models.parameters import Parameter, Values
from models.registry import Registry
from playground.answers import Boxes
from playground.console import size
from playground.detection.parameters import FACES, OBJECTS
from playground.downloads import Download, DownloadError, checked_file, is_there

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
    ``download`` has not been fetched. ``parameters`` are those of the detector."""

    id: str
    title: str
    summary: str
    load: Callable[[], Detector]
    parameters: tuple[Parameter, ...]
    download: Download | None = None


DETECTORS: Registry[DetectorKind] = Registry("detector")


def weights_of(id: str) -> Path:
    """The file that a detector needs; raises ``DownloadError`` where it has to be fetched first."""
    download = DETECTORS.get(id).download
    assert download is not None
    if not is_there(download):
        raise DownloadError(
            f"{id} needs its weights ({size(download.bytes)}), which are not on this machine yet: "
            f"playground download {id}"
        )
    return checked_file(download)


def _faces() -> Detector:
    from playground.detection.faces import Faces

    return Faces()


DETECTORS.add(
    DetectorKind(
        "faces",
        "Faces (MTCNN)",
        "Finds faces with both eyes, the nose and the corners of the mouth.",
        _faces,
        FACES,
    )
)


def _objects(id: str, title: str, summary: str, builder: str, weights: str, file: Download) -> None:
    def load() -> Detector:
        path = weights_of(id)
        from playground.detection.objects import Architecture, Objects

        return Objects.read(Architecture(builder, weights), path)

    DETECTORS.add(DetectorKind(id, title, summary, load, OBJECTS, file))


HUB = "https://download.pytorch.org/models/"

_objects(
    "ssdlite",
    "Objects (SSDLite)",
    "Finds 80 kinds of everyday things (COCO), fast: for a camera.",
    "ssdlite320_mobilenet_v3_large",
    "SSDLite320_MobileNet_V3_Large_Weights.COCO_V1",
    Download(f"{HUB}ssdlite320_mobilenet_v3_large_coco-a79551df.pth", 14_070_000),
)
_objects(
    "faster-rcnn-mobilenet",
    "Objects (Faster R-CNN, MobileNet)",
    "Finds 80 kinds of everyday things (COCO), also smaller ones.",
    "fasterrcnn_mobilenet_v3_large_320_fpn",
    "FasterRCNN_MobileNet_V3_Large_320_FPN_Weights.COCO_V1",
    Download(f"{HUB}fasterrcnn_mobilenet_v3_large_320_fpn-907ea3f9.pth", 77_845_000),
)
_objects(
    "faster-rcnn",
    "Objects (Faster R-CNN, ResNet-50)",
    "Finds 80 kinds of everyday things (COCO), the surest; seconds a picture.",
    "fasterrcnn_resnet50_fpn_v2",
    "FasterRCNN_ResNet50_FPN_V2_Weights.COCO_V1",
    Download(f"{HUB}fasterrcnn_resnet50_fpn_v2_coco-dd69338a.pth", 175_222_000),
)
