"""Which box of a frame is which of the frame before."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from models.parameters import Parameter, Values, checked
from playground.answers import Boxes, Detection
from playground.detection.geometry import iou

PARAMETERS = (
    Parameter(
        "least_overlap",
        "Overlap with the frame before",
        "float",
        0.3,
        "A box is the same object where it shares this part of the area that both cover (IoU).",
        minimum=0.01,
        maximum=0.99,
    ),
    Parameter(
        "patience",
        "Patience",
        "float",
        1.0,
        "For how long an object that is not found keeps its number.",
        minimum=0.0,
        maximum=60.0,
        unit="s",
    ),
)


@dataclass(slots=True)
class _Track:
    number: int
    last: Detection
    seen: float


class Tracker:
    """Gives every object a number that it keeps from frame to frame (Bochinski et al. 2017,
    "High-Speed Tracking-by-Detection Without Using Image Information"): a box goes on the track of
    its class whose last box it overlaps most, the best pair first."""

    parameters = PARAMETERS

    def __init__(self) -> None:
        self._tracks: list[_Track] = []
        self._next = 1

    def follow(self, found: Boxes, time: float, settings: Values | None = None) -> Boxes:
        """``found`` with track numbers; ``time`` is in seconds and never goes back. Raises
        ``ParameterError``."""
        p = checked(PARAMETERS, settings or {})
        self._tracks = [track for track in self._tracks if time - track.seen <= p["patience"]]
        chosen = self._pairs(found.boxes, p["least_overlap"])
        named = []
        for place, box in enumerate(found.boxes):
            track = chosen.get(place)
            if track is None:
                track = _Track(self._next, box, time)
                self._next += 1
                self._tracks.append(track)
            track.last, track.seen = box, time
            named.append(replace(box, track=track.number))
        return replace(found, boxes=tuple(named))

    def reset(self) -> None:
        """Forget all objects; numbers are not given again."""
        self._tracks.clear()

    def _pairs(self, boxes: tuple[Detection, ...], least: float) -> dict[int, _Track]:
        """The track of each box that goes on one, by the box's place."""
        if not boxes or not self._tracks:
            return {}
        new = np.asarray([box.box for box in boxes], np.float32)
        old = np.asarray([track.last.box for track in self._tracks], np.float32)
        same = np.asarray([[b.label == t.last.label for t in self._tracks] for b in boxes])
        overlap = np.where(same, iou(new, old), 0.0)
        pairs: dict[int, _Track] = {}
        taken: set[int] = set()
        for flat in np.argsort(-overlap, axis=None, kind="stable").tolist():
            place, number = divmod(flat, len(self._tracks))
            if overlap[place, number] < least:
                break
            if place not in pairs and number not in taken:
                pairs[place] = self._tracks[number]
                taken.add(number)
        return pairs
