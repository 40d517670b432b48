"""What a person sets about a detector, known before it is loaded: no torch here."""

from __future__ import annotations

from models.parameters import Parameter
from models.zoo import mtcnn
from playground.tasks.detection import SURE

FACES = (
    Parameter(
        "smallest",
        "Smallest face",
        "int",
        40,
        "Faces much smaller than this are not looked for. Half of it takes four times as long.",
        minimum=mtcnn.CELL,
        maximum=4096,
        unit="px",
    ),
    Parameter(
        "score",
        "Least score",
        "float",
        0.8,
        "How sure the last network must be of a face.",
        minimum=0.05,
        maximum=0.999,
    ),
    Parameter(
        "overlap",
        "Overlap",
        "float",
        0.7,
        "Of boxes that overlap by a larger share, the surest alone is kept.",
        minimum=0.0,
        maximum=1.0,
    ),
    Parameter(
        "proposal",
        "Proposals",
        "float",
        0.6,
        "How sure the first network must be: lower finds more, and takes longer.",
        minimum=0.05,
        maximum=0.999,
    ),
    Parameter(
        "refinement",
        "Refinement",
        "float",
        0.7,
        "How sure the second network must be.",
        minimum=0.05,
        maximum=0.999,
    ),
    Parameter(
        "step",
        "Size step",
        "float",
        0.709,
        "Each look at the picture is smaller by this factor: larger finds more, and takes longer.",
        minimum=0.3,
        maximum=0.95,
    ),
)

OBJECTS = (
    Parameter(
        "score",
        "Least score",
        "float",
        0.5,
        "How sure the network must be of an object.",
        minimum=0.01,
        maximum=0.999,
    ),
    Parameter(
        "overlap",
        "Overlap",
        "float",
        0.5,
        "Of boxes of one class that overlap by a larger share, the surest alone is kept.",
        minimum=0.0,
        maximum=1.0,
    ),
    Parameter(
        "most",
        "Most objects",
        "int",
        100,
        "How many are told at most.",
        minimum=1,
        maximum=1000,
    ),
)

TRAINED = (
    Parameter(
        "score",
        "Least score",
        "float",
        SURE,
        "How sure the network must be of an object.",
        minimum=0.01,
        maximum=0.999,
    ),
    *OBJECTS[1:],
)
"""Of a detector that was trained here."""
