"""MTCNN (Zhang, Zhang, Li & Qiao 2016, "Joint Face Detection and Alignment Using Multitask Cascaded
Convolutional Networks"): three small networks, each of which looks closer at what the one before it
took for a face.

All take RGB pictures of (x - 127.5) / 128. Their outputs: ``probability`` (no face, face), ``box``
(how far left, top, right and bottom are off, in shares of the box that was looked at), and O-Net's
``landmarks`` (the x of both eyes, the nose and both corners of the mouth, then their y, likewise in
shares). Layers are named as in facenet-pytorch, so that its weights load.
"""

from __future__ import annotations

from models.axes import image
from models.graph import INPUT, OUTPUT, Graph
from models.zoo.row import Row

CELL = 12
"""Pixels that P-Net sees at once, high and wide."""
STRIDE = 2
"""Pixels between two places that P-Net looks at."""
R_SIZE, O_SIZE = 24, 48


def pnet(height: int = CELL, width: int = CELL) -> Graph:
    """The proposal network: fully convolutional, an answer for every ``CELL``×``CELL`` pixels in
    steps of ``STRIDE``."""
    row = _start(height, width)
    _filter(row, 1, 10, 3)
    row.add("max-pool2d", "pool1", kernel_size=2, ceil_mode=True)
    _filter(row, 2, 16, 3)
    found = _filter(row, 3, 32, 3)
    _one_by_one(row, found, "conv4_1", 2)
    row.add("softmax", "softmax4_1")
    row.add(OUTPUT, "probability")
    _one_by_one(row, found, "conv4_2", 4)
    row.add(OUTPUT, "box")
    return row.graph


def rnet() -> Graph:
    """The refinement network: rejects most proposals, and moves the boxes of the others."""
    row = _start(R_SIZE, R_SIZE)
    _filter(row, 1, 28, 3)
    row.add("max-pool2d", "pool1", kernel_size=3, stride=2, ceil_mode=True)
    _filter(row, 2, 48, 3)
    row.add("max-pool2d", "pool2", kernel_size=3, stride=2, ceil_mode=True)
    _filter(row, 3, 64, 2)
    found = _dense(row, 4, 128)
    _decide(row, found, 5)
    return row.graph


def onet() -> Graph:
    """The output network: decides, and finds the landmarks."""
    row = _start(O_SIZE, O_SIZE)
    _filter(row, 1, 32, 3)
    row.add("max-pool2d", "pool1", kernel_size=3, stride=2, ceil_mode=True)
    _filter(row, 2, 64, 3)
    row.add("max-pool2d", "pool2", kernel_size=3, stride=2, ceil_mode=True)
    _filter(row, 3, 64, 3)
    row.add("max-pool2d", "pool3", kernel_size=2, ceil_mode=True)
    _filter(row, 4, 128, 2)
    found = _dense(row, 5, 256)
    _decide(row, found, 6)
    row.add("linear", "dense6_3", after=found, out_features=10)
    row.add(OUTPUT, "landmarks")
    return row.graph


def _start(height: int, width: int) -> Row:
    row = Row(Graph())
    row.add(INPUT, "image", shape=image(3, height, width).to_json())
    return row


def _filter(row: Row, number: int, channels: int, kernel: int) -> str:
    """A convolution without borders and its activation; the id of the latter."""
    name = f"conv{number}"
    row.add("conv2d", name, out_channels=channels, kernel_size=kernel, padding=0)
    return row.add("prelu", f"prelu{number}", slopes="channel")


def _one_by_one(row: Row, after: str, name: str, channels: int) -> None:
    row.add("conv2d", name, after=after, out_channels=channels, kernel_size=1, padding=0)


def _dense(row: Row, number: int, features: int) -> str:
    """The weights were learnt with columns before rows and channels last: ``permute`` gives the
    numbers that order."""
    row.add("permute", "permute", order="W H C")
    row.add("flatten", "flatten")
    row.add("linear", f"dense{number}", out_features=features)
    return row.add("prelu", f"prelu{number}", slopes="channel")


def _decide(row: Row, after: str, number: int) -> None:
    row.add("linear", f"dense{number}_1", after=after, out_features=2)
    row.add("softmax", f"softmax{number}_1")
    row.add(OUTPUT, "probability")
    row.add("linear", f"dense{number}_2", after=after, out_features=4)
    row.add(OUTPUT, "box")
