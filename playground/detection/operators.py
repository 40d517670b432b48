"""torchvision's compiled operators in numpy and torch, for builds in which they do not load."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

import playground.compat  # noqa: F401  (repairs torchvision where its operators are missing)
from playground.detection.geometry import suppressed

TOGETHER = 128
"""Regions that are sampled in one go: at 256 channels of 14×14 points, 26 MB."""


def provide() -> None:
    """Give torchvision's detectors these operators where its own are missing (its substitute for
    ``roi_align`` calls a compiler); a healthy torchvision is left alone."""
    from torchvision.ops import boxes, poolers

    try:
        boxes.nms(torch.zeros(1, 4), torch.ones(1), 0.5)
    except (RuntimeError, NotImplementedError):
        boxes.nms, poolers.roi_align = nms, roi_align


def nms(boxes: Tensor, scores: Tensor, iou_threshold: float) -> Tensor:
    """As ``torchvision.ops.nms``, for scores above 0."""
    kept = suppressed(boxes.cpu().numpy(), scores.cpu().numpy(), iou_threshold)
    return torch.from_numpy(kept).to(boxes.device)


def roi_align(
    input: Tensor,
    boxes: Tensor,
    output_size: tuple[int, int],
    spatial_scale: float = 1.0,
    sampling_ratio: int = 2,
    aligned: bool = False,
) -> Tensor:
    """As ``torchvision.ops.roi_align`` (He et al. 2017, "Mask R-CNN"): the means of
    ``sampling_ratio``² points in each of H×W cells of every region, interpolated: (K, C, H, W).

    ``input`` is (1, C, …), ``boxes`` (K, 5) of the sample's index and corners inside the picture.
    """
    if sampling_ratio < 1 or len(input) != 1:
        raise ValueError("regions are sampled at a fixed number of points, a picture at a time")
    height, width = output_size
    if not len(boxes):
        return input.new_zeros((0, input.shape[1], height, width))
    shift = 0.5 if aligned else 0.0
    corners = boxes[:, 1:] * spatial_scale - shift
    start, sides = corners[:, :2], corners[:, 2:] - corners[:, :2]
    if not aligned:
        sides = sides.clamp(min=1)
    size = torch.tensor([input.shape[3] - 1, input.shape[2] - 1], device=input.device).clamp(min=1)
    places = [
        (torch.arange(count * sampling_ratio, device=input.device) + 0.5) / (count * sampling_ratio)
        for count in (width, height)
    ]
    x, y = (
        2 * (start[:, axis, None] + sides[:, axis, None] * place) / size[axis] - 1
        for axis, place in enumerate(places)
    )
    found = [
        _sampled(input, x[first : first + TOGETHER], y[first : first + TOGETHER], sampling_ratio)
        for first in range(0, len(boxes), TOGETHER)
    ]
    return torch.cat(found)


def _sampled(input: Tensor, x: Tensor, y: Tensor, ratio: int) -> Tensor:
    """Means over ``ratio``² of the points (y, x), which are -1…1 across the picture."""
    regions, rows, columns = len(x), y.shape[1], x.shape[1]
    grid = torch.stack(
        [
            x[:, None, :].expand(regions, rows, columns),
            y[:, :, None].expand(regions, rows, columns),
        ],
        dim=-1,
    )
    points = functional.grid_sample(
        input,
        grid.reshape(1, regions * rows, columns, 2),
        padding_mode="border",
        align_corners=True,
    )
    means = functional.avg_pool2d(points, ratio)[0]
    return means.reshape(len(means), regions, rows // ratio, columns // ratio).transpose(0, 1)
