"""Detection on the device: from a network's maps to boxes, the loss, and average precision.

Maps are (N, K + 4, h, w) for K classes: how sure the network is that an object of a class has its
centre in a cell, the object's width and height, and where in the cell its centre is. ``Objects as
Points`` (Zhou et al. 2019).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import logsigmoid

from playground.tasks.detection import EXTRA, LEAST, MOST, OVERLAP, RIGHT
from playground.tasks.metrics import Better, widest

PRIOR = math.log(0.1 / 0.9)
"""Added to the maps of classes: at first nearly nothing is an object, as in nearly every cell (Lin
et al. 2017, section 4.1)."""
ALPHA, BETA = 2, 4
"""Of the focal loss (equation 1 of the paper)."""
SAME = 0.7
"""The least IoU with the true box of a box whose corners are moved within the centre's blot."""
STEPS = 1000
"""Scores are counted in so many steps."""


def decoded(output: Tensor, most: int) -> tuple[Tensor, Tensor, Tensor]:
    """The ``most`` surest peaks of each picture, the surest first: boxes (N, M, 4) as corners in
    shares of the picture, scores (N, M) and classes (N, M). A peak is a cell that none around it
    exceeds; boxes of no size have the score 0."""
    maps = output.detach().float()
    classes, height, width = maps.shape[1] - EXTRA, *maps.shape[2:]
    sure = (maps[:, :classes] + PRIOR).sigmoid()
    sure = sure * (sure == nn.functional.max_pool2d(sure, 3, 1, 1))
    scores, places = sure.flatten(1).topk(min(most, sure[0].numel()), dim=1)
    labels, cells = places // (height * width), places % (height * width)
    extra = maps[:, classes:].flatten(2).gather(2, cells[:, None].expand(-1, EXTRA, -1))
    corner = torch.stack([cells % width, cells // width], 1)
    centre, half = corner + extra[:, 2:], extra[:, :2].clamp(min=0) / 2
    scale = maps.new_tensor([width, height, width, height])
    boxes = (torch.cat([centre - half, centre + half], 1).movedim(1, 2) / scale).clamp(0, 1)
    there = (boxes[..., 2:] > boxes[..., :2]).all(-1)
    return boxes, scores * there, labels


def centre_loss(output: Tensor, target: Tensor, size_weight: float = 0.1) -> Tensor:
    """Focal loss of the centres' maps, and the absolute error of sizes (in cells) and of places at
    the true centres, for each object. ``target``: boxes (N, T, 5), rows of zeros are none."""
    classes, height, width = output.shape[1] - EXTRA, *output.shape[2:]
    corners, labels = target[..., :4], target[..., 4].long()
    there = (corners[..., 2:] > corners[..., :2]).all(-1)
    scale = target.new_tensor([width, height])
    sizes = (corners[..., 2:] - corners[..., :2]) * scale
    centres = (corners[..., 2:] + corners[..., :2]) / 2 * scale
    cells = torch.minimum(centres.floor().clamp(min=0), scale - 1)
    heat = _blots(cells, sizes, labels.clamp(max=classes - 1), there, (classes, height, width))
    count = there.sum().clamp(min=1)
    logits = output[:, :classes] + PRIOR
    focal = _focal(logits, heat)
    places = (cells[..., 1] * width + cells[..., 0]).long()
    extra = output[:, classes:].flatten(2).gather(2, places[:, None].expand(-1, EXTRA, -1))
    wanted = torch.cat([sizes, centres - cells], -1).movedim(2, 1)
    errors = ((extra - wanted).abs() * there[:, None]).sum(dim=(0, 2))
    return (focal.sum() + size_weight * errors[:2].sum() + errors[2:].sum()) / count


def _focal(logits: Tensor, heat: Tensor) -> Tensor:
    """Equation 1, cell by cell."""
    sure = logits.sigmoid()
    centre = heat == 1
    right = (1 - sure).pow(ALPHA) * logsigmoid(logits)
    wrong = (1 - heat).pow(BETA) * sure.pow(ALPHA) * logsigmoid(-logits)
    return -torch.where(centre, right, wrong)


def _blots(
    cells: Tensor, sizes: Tensor, labels: Tensor, there: Tensor, shape: tuple[int, int, int]
) -> Tensor:
    """1 in the cell of each centre, falling off around it as a Gaussian; of several the largest:
    (N, K, h, w)."""
    classes, height, width = shape
    deviation = (2 * _radius(sizes) + 1) / 6
    axes = [torch.arange(side, device=cells.device) for side in (width, height)]
    x, y = ((axis - cells[..., number, None]).square() for number, axis in enumerate(axes))
    spread = 2 * deviation.square()[..., None]
    blots = torch.exp(-y / spread)[..., :, None] * torch.exp(-x / spread)[..., None, :]
    blots = blots * there[..., None, None]
    heat = blots.new_zeros(len(cells), classes, height, width)
    places = labels[..., None, None].expand_as(blots)
    return heat.scatter_reduce(1, places, blots, "amax")


def _radius(sizes: Tensor) -> Tensor:
    """How far the corners of a box may be moved until its IoU with the true one falls to ``SAME``:
    the least of the three cases of CornerNet (Law & Deng 2018, section 3.1), in cells."""
    total, area = sizes.sum(-1), sizes.prod(-1)

    def moved(first: float, second: Tensor, third: Tensor) -> Tensor:
        """The smaller root of first · r² - second · r + third."""
        root = (second.square() - 4 * first * third).clamp(min=0).sqrt()
        return (second - root) / (2 * first)

    both_ways = moved(1, total, area * (1 - SAME) / (1 + SAME))
    inwards = moved(4, 2 * total, area * (1 - SAME))
    outwards = -moved(4 * SAME, -2 * SAME * total, area * (SAME - 1))
    return torch.stack([both_ways, inwards, outwards]).amin(0)


class MeanAveragePrecision:
    """The mean over the classes of the area under the curve of precision over recall, precision
    being the best at that recall or a higher one (Everingham et al. 2010). A box is right where it
    overlaps a true one of its class, which no surer box has taken, by an IoU of 0.5 or more. Scores
    are counted in ``STEPS`` steps."""

    better: Better = "higher"
    unit = ""

    def __init__(self, classes: int | None = None) -> None:
        self._classes = classes
        self.right: Tensor | None = None
        self.wrong: Tensor | None = None
        self.true: Tensor | None = None

    def update(self, output: Tensor, target: Tensor) -> None:
        """``output``: maps (N, K + 4, h, w); ``target``: boxes (N, T, 5)."""
        classes = self._classes or output.shape[1] - EXTRA
        boxes, scores, labels = decoded(output, MOST)
        kept, right = judged(boxes, scores, labels, target)
        steps = (scores * STEPS).long().clamp(max=STEPS - 1)
        places = (labels * STEPS + steps).flatten()
        there = (target[..., 2:4] > target[..., :2]).all(-1)
        counts = (
            (classes * STEPS, places, right),
            (classes * STEPS, places, kept & ~right),
            (classes, target[..., 4].long().flatten(), there),
        )
        found = []
        for size, at, each in counts:
            zeros = torch.zeros(size, dtype=widest(output), device=output.device)
            found.append(zeros.index_add(0, at, each.flatten().to(zeros.dtype)))
        if self.right is None or self.wrong is None or self.true is None:
            self.right, self.wrong, self.true = found
        else:
            self.right, self.wrong = self.right + found[0], self.wrong + found[1]
            self.true = self.true + found[2]

    def compute(self) -> float:
        if self.right is None or self.wrong is None or self.true is None:
            return math.nan
        occurs = self.true > 0
        if not bool(occurs.any()):
            return 0.0
        right, wrong = (
            each.reshape(len(self.true), STEPS).flip(1).cumsum(1)[occurs]
            for each in (self.right, self.wrong)
        )
        precision = right / (right + wrong).clamp(min=1)
        precision = precision.flip(1).cummax(1).values.flip(1)
        recall = right / self.true[occurs, None]
        gained = recall.diff(dim=1, prepend=torch.zeros_like(recall[:, :1]))
        return float((precision * gained).sum(1).mean())

    def reset(self) -> None:
        self.right = self.wrong = self.true = None


def judged(boxes: Tensor, scores: Tensor, labels: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Which of the boxes (N, M, 4), the surest first, are kept beside each other, and which of
    these are right: (N, M) each. All pictures at once, a rank after the other."""
    same = labels[:, :, None] == labels[:, None]
    rivals = (overlaps(boxes, boxes) > OVERLAP) & same
    common = overlaps(boxes, target[..., :4])
    common = common * (labels[:, :, None] == target[:, None, :, 4].long())
    kept = scores >= LEAST
    right = torch.zeros_like(kept)
    pictures = torch.arange(len(boxes), device=boxes.device)
    for rank in range(boxes.shape[1]):
        kept[:, rank + 1 :] &= ~(rivals[:, rank, rank + 1 :] & kept[:, rank, None])
        best, which = common[:, rank].max(1)
        right[:, rank] = kept[:, rank] & (best >= RIGHT)
        common[pictures, :, which] = common[pictures, :, which].where(
            ~right[:, rank, None], torch.zeros_like(best)[:, None]
        )
    return kept, right


def overlaps(one: Tensor, other: Tensor) -> Tensor:
    """Intersection over union of boxes (N, A, 4) and (N, B, 4): (N, A, B)."""
    start = torch.maximum(one[:, :, None, :2], other[:, None, :, :2])
    end = torch.minimum(one[:, :, None, 2:], other[:, None, :, 2:])
    common = (end - start).clamp(min=0).prod(-1)
    areas = [(each[..., 2:] - each[..., :2]).clamp(min=0).prod(-1) for each in (one, other)]
    union = areas[0][:, :, None] + areas[1][:, None] - common
    return common / union.clamp(min=1e-12)
