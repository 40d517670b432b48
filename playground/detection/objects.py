"""Everyday objects (COCO's 80 classes) by torchvision's detectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from models.parameters import Values, checked
from playground.answers import Boxes, Detection
from playground.detection.geometry import clipped, corners
from playground.detection.operators import provide
from playground.detection.parameters import OBJECTS
from playground.downloads import DownloadError
from playground.vision import Pixels


@dataclass(frozen=True, slots=True)
class Architecture:
    """One of torchvision's detectors: the function that makes it, and the weights that name its
    classes."""

    builder: str
    weights: str

    def classes(self) -> tuple[str, ...]:
        from torchvision.models import get_weight

        return tuple(get_weight(self.weights).meta["categories"])

    def build(self) -> nn.Module:
        """The network as torchvision makes it, with weights that mean nothing."""
        from torchvision.models import get_model

        options: dict[str, Any] = {"weights": None, "weights_backbone": None}
        network: nn.Module = get_model(self.builder, num_classes=len(self.classes()), **options)
        return network.eval()


class Objects:
    """Finds objects of the classes that its weights were trained on."""

    parameters = OBJECTS

    def __init__(
        self, network: nn.Module, classes: Sequence[str], device: str | torch.device = "cpu"
    ) -> None:
        provide()
        self.device = torch.device(device)
        self.network, self.classes = network.to(self.device).eval(), tuple(classes)

    @classmethod
    def read(cls, architecture: Architecture, path: Path) -> Objects:
        """The network with the weights in ``path``; raises ``DownloadError``."""
        with _Uninitialized():
            network = architecture.build()
        try:
            state = torch.load(path, map_location="cpu", weights_only=True)
            network.load_state_dict(state)
        except (OSError, RuntimeError, ValueError, TypeError, EOFError, UnpicklingError) as error:
            reason = " ".join(str(error).split())[:200]
            raise DownloadError(f"{path} does not hold these weights: {reason}") from None
        return cls(network, architecture.classes())

    def detect(self, pixels: Pixels, settings: Values | None = None) -> Boxes:
        """The objects in an H×W×3 picture (RGB, 0…255), the surest first. ``settings`` may differ
        from call to call; raises ``ParameterError``."""
        p = checked(OBJECTS, settings or {})
        last: Any = getattr(self.network, "roi_heads", self.network)  # where boxes are chosen
        last.score_thresh, last.nms_thresh = p["score"], p["overlap"]
        last.detections_per_img = p["most"]
        values = torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))
        with torch.inference_mode():
            (found,) = self.network([values.to(self.device).float().div_(255)])
        height, width = pixels.shape[:2]
        return self._answer({k: v.cpu().numpy() for k, v in found.items()}, height, width)

    def _answer(self, found: Mapping[str, Any], height: int, width: int) -> Boxes:
        order = np.argsort(-found["scores"], kind="stable")
        boxes = clipped(found["boxes"], height, width)
        return Boxes(
            tuple(
                Detection(
                    corners(boxes[index]),
                    self.classes[int(found["labels"][index])],
                    float(found["scores"][index]),
                )
                for index in order.tolist()
            ),
            (height, width),
        )


class _Uninitialized(TorchFunctionMode):
    """Leaves out the random first weights, which others replace: they take time, and every draw
    would change the random numbers of a training that runs meanwhile."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if (
            func in (torch.Tensor.normal_, torch.Tensor.uniform_)
            or getattr(func, "__module__", None) == "torch.nn.init"
        ):
            return kwargs["tensor"] if "tensor" in kwargs else args[0]
        return func(*args, **kwargs)
