"""Faces by MTCNN (Zhang et al. 2016): three networks in a row, each of which looks closer at what
the one before it took for a face.

The steps and their constants are those of the authors' code. Boxes are (N, 4) of corners
x0, y0, x1, y1 in pixels throughout.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import load_file
from torch import Tensor

from models.build import Network, build
from models.graph import Graph
from models.parameters import Values, checked
from models.zoo import mtcnn
from playground.answers import Boxes, Detection
from playground.detection.geometry import (
    Numbers,
    clipped,
    contained,
    corners,
    square,
    suppressed,
)
from playground.detection.parameters import FACES
from playground.resources import SAMPLES
from playground.vision import Pixels, cv2

WEIGHTS = SAMPLES / "faces"
LANDMARKS = ("left eye", "right eye", "nose", "left mouth corner", "right mouth corner")
"""As they are seen in the picture, in the order in which a face's landmarks are given."""

SAME_LEVEL = 0.5
"""Proposals of one size that overlap by more are one."""
MOST_PROPOSALS = 2000
"""The surest of a picture; each costs R-Net's time."""
TOGETHER = 256
"""Boxes that R-Net and O-Net look at in one go."""


class Faces:
    """Finds faces with five landmarks each."""

    parameters = FACES

    def __init__(self, device: str | torch.device = "cpu") -> None:
        self.device = torch.device(device)
        self.propose = self._network(mtcnn.pnet(), "pnet")
        self.refine = self._network(mtcnn.rnet(), "rnet")
        self.decide = self._network(mtcnn.onet(), "onet")

    def detect(self, pixels: Pixels, settings: Values | None = None) -> Boxes:
        """The faces in an H×W×3 picture (RGB, 0…255), the surest first. ``settings`` may differ
        from call to call; raises ``ParameterError``."""
        values = checked(FACES, settings or {})
        height, width = pixels.shape[:2]
        with torch.inference_mode():
            boxes = self._proposed(pixels, values)
            boxes = self._refined(pixels, boxes, values)
            boxes, scores, points = self._decided(pixels, boxes, values)
        boxes = clipped(boxes, height, width)
        return Boxes(
            tuple(
                Detection(corners(box), "face", float(score), tuple(map(tuple, marks)))
                for box, score, marks in zip(boxes, scores, points.tolist(), strict=True)
            ),
            (height, width),
        )

    def _network(self, graph: Graph, name: str) -> Network:
        network = build(graph)
        network.module.load_state_dict(load_file(WEIGHTS / f"mtcnn_{name}.safetensors"))
        network.module.to(self.device).eval()
        return network

    def _proposed(self, pixels: Pixels, p: dict[str, Any]) -> Numbers:
        """Squares that may hold a face, from P-Net's looks at ever smaller copies."""
        found, scores = [np.zeros((0, 8), np.float32)], [np.zeros(0, np.float32)]
        for scale, level in _pyramid(pixels, p["smallest"], p["step"]):
            answer = self.propose({"image": self._batch(level[None])})
            likely = answer["probability"][0, 1].cpu().numpy()
            rows, columns = np.nonzero(likely >= p["proposal"])
            if not len(rows):
                continue
            shifts = answer["box"][0].cpu().numpy()[:, rows, columns].T
            start = np.stack([columns, rows], 1) * mtcnn.STRIDE
            cells = np.concatenate([start + 1, start + mtcnn.CELL], 1) // scale
            kept = suppressed(cells, likely[rows, columns], SAME_LEVEL)
            found.append(np.concatenate([cells, shifts], 1)[kept].astype(np.float32))
            scores.append(likely[rows, columns][kept])
        everything = np.concatenate(found)
        kept = suppressed(everything, np.concatenate(scores), p["overlap"])[:MOST_PROPOSALS]
        boxes, shifts = everything[kept, :4], everything[kept, 4:]
        return square(boxes + shifts * _sides(boxes))

    def _refined(self, pixels: Pixels, boxes: Numbers, p: dict[str, Any]) -> Numbers:
        boxes, answer = self._closer(self.refine, pixels, boxes, mtcnn.R_SIZE)
        scores = answer["probability"][:, 1]
        sure = scores > p["refinement"]
        boxes, scores, shifts = boxes[sure], scores[sure], answer["box"][sure]
        kept = suppressed(boxes, scores, p["overlap"])
        boxes, shifts = boxes[kept], shifts[kept]
        return square(boxes + shifts * (_sides(boxes) + 1))

    def _decided(
        self, pixels: Pixels, boxes: Numbers, p: dict[str, Any]
    ) -> tuple[Numbers, Numbers, Numbers]:
        """Boxes (N, 4), scores (N,) and landmarks (N, 5, 2)."""
        boxes, answer = self._closer(self.decide, pixels, boxes, mtcnn.O_SIZE)
        scores = answer["probability"][:, 1]
        sure = scores > p["score"]
        boxes, scores, shifts = boxes[sure], scores[sure], answer["box"][sure]
        sides = _sides(boxes) + 1
        across_and_down = answer["landmarks"][sure].reshape(-1, 2, 5).transpose(0, 2, 1)
        points = boxes[:, None, :2] + across_and_down * sides[:, None, :2] - 1
        boxes = boxes + shifts * sides
        kept = contained(boxes, scores, p["overlap"])
        return boxes[kept], scores[kept], points[kept]

    def _closer(
        self, network: Network, pixels: Pixels, boxes: Numbers, size: int
    ) -> tuple[Numbers, dict[str, Numbers]]:
        """The boxes that are inside the picture, and a network's answers to them."""
        height, width = pixels.shape[:2]
        edges = np.trunc(boxes).astype(np.int64)
        edges[:, :2] = np.maximum(edges[:, :2] - 1, 0)
        edges[:, 2:] = np.minimum(edges[:, 2:], [width, height])
        inside = (edges[:, 2:] > edges[:, :2]).all(axis=1)
        boxes, edges = boxes[inside], edges[inside]
        parts = np.empty((len(edges), size, size, 3), np.uint8)
        for part, (x0, y0, x1, y1) in zip(parts, edges.tolist(), strict=True):
            cv2.resize(pixels[y0:y1, x0:x1], (size, size), part, interpolation=cv2.INTER_AREA)
        answers: dict[str, list[Numbers]] = {name: [] for name in network.outputs}
        for first in range(0, max(1, len(parts)), TOGETHER):
            answer = network({"image": self._batch(parts[first : first + TOGETHER])})
            for name, value in answer.items():
                answers[name].append(value.cpu().numpy())
        return boxes, {name: np.concatenate(each) for name, each in answers.items()}

    def _batch(self, pixels: Pixels) -> Tensor:
        """N×H×W×3 pixels as the networks take them."""
        values = torch.from_numpy(pixels).to(self.device).permute(0, 3, 1, 2).float()
        return values.sub_(127.5).mul_(1 / 128)


def _pyramid(pixels: Pixels, smallest: int, step: float) -> Iterator[tuple[float, Pixels]]:
    """Copies with their scales, the first such that the smallest face fills P-Net's cell, the last
    one hardly larger than a cell."""
    height, width = pixels.shape[:2]
    scale, copy = mtcnn.CELL / smallest, pixels
    while min(height, width) * scale >= mtcnn.CELL:
        size = int(width * scale + 1), int(height * scale + 1)
        # from the copy before, not from the picture: the averages are nearly the same, and cheaper
        copy = np.asarray(cv2.resize(copy, size, interpolation=cv2.INTER_AREA), np.uint8)
        yield scale, copy
        scale *= step


def _sides(boxes: npt.NDArray[Any]) -> Numbers:
    """Width and height twice over (N, 4), to scale shifts of corners."""
    return np.tile(boxes[:, 2:4] - boxes[:, :2], 2).astype(np.float32)
