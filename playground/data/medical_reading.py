"""From a scan to the picture or volume that a network is given: windowed, cut and resampled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from playground.data.errors import DataError
from playground.data.medical_files import Floats, Scan, dicom_header, is_nifti, read_scan
from playground.data.reading import Named

Pixels = npt.NDArray[np.uint8]

WINDOWS: dict[str, tuple[float, float]] = {
    "lung": (-600.0, 1500.0),
    "bone": (400.0, 1800.0),
    "brain": (40.0, 80.0),
    "soft": (50.0, 400.0),
}
"""Centre and width in Hounsfield units, as they are customary for CT."""

MOST = 1e9
"""Of the centre and the width of a window."""

OUTSIDE = -(2**31)
"""The number of pixels that no mask has: of the borders that are added to a slice."""

AXES = ("axial", "coronal", "sagittal")
FITS = ("crop", "pad", "stretch")


@dataclass(frozen=True, slots=True)
class MedicalReading:
    """A DICOM or NIfTI file, or a folder with a DICOM series, as 1×D×H×W bytes, or, where
    ``depth`` is 0, one slice 1×H×W at ``place`` (0 to 1) along ``axis``.

    ``window`` is "auto" (the file's own, otherwise from the 1st to the 99th percentile), one of
    ``WINDOWS``, or "own" with ``centre`` and ``width``: values from centre − width/2 to centre +
    width/2 become 0 to 255 (DICOM PS3.3 C.11.2, "linear exact").
    """

    depth: int
    height: int
    breadth: int
    window: str = "auto"
    centre: float = 40.0
    width: float = 400.0
    axis: str = "axial"
    place: float = 0.5
    fit: str = "pad"
    kind: ClassVar[str] = "medical"

    @property
    def shape(self) -> tuple[int, ...]:
        size = (self.height, self.breadth)
        return (1, self.depth, *size) if self.depth else (1, *size)

    def read(self, text: str) -> list[Named]:
        if not text.strip() or "\0" in text:
            raise DataError("a scan is needed: give the path of a file, or of a series' folder")
        path = Path(text)
        paths = series_of(path) if path.is_dir() else [path]
        return [(text, self.prepared(read_scan(paths)))]

    def prepared(self, scan: Scan, place: float | None = None) -> Pixels:
        """What the network is given of a scan; ``place`` instead of the reading's own."""
        values = self.turned(scan.values)
        if self.depth:
            pixels = self._windowed(values, scan)
            result = np.stack([self._fitted(part) for part in pixels])
            return np.ascontiguousarray(_spread(result, self.depth)[None])
        position = self.place if place is None else place
        chosen = values[round(position * (len(values) - 1))]
        return self._fitted(self._windowed(chosen, scan))[None]

    def mask(self, scan: Scan, place: float | None) -> npt.NDArray[np.int32]:
        """The numbers 1×H×W of a mask's slice, not mixed at their edges; ``OUTSIDE`` where a
        border was added."""
        from playground.vision import fitted

        values = self.turned(scan.values)
        chosen = values[round((self.place if place is None else place) * (len(values) - 1))]
        whole = np.round(np.clip(chosen, -1e9, 1e9)).astype(np.int32)
        numbers, codes = np.unique(whole, return_inverse=True)
        if len(numbers) > 255:
            raise DataError("a mask has more than 255 different numbers: it is no mask")
        size = (self.height, self.breadth)
        small = codes.reshape(*chosen.shape, 1).astype(np.uint8)
        pixels = fitted(small, size, self.fit, nearest=True)[..., 0]
        return np.append(numbers, [OUTSIDE] * (256 - len(numbers))).astype(np.int32)[pixels][None]

    def turned(self, values: Floats) -> Floats:
        """(D, H, W) so that slices go along ``axis``, the head being up."""
        if self.axis == "coronal":
            return values.transpose(1, 0, 2)[:, ::-1]
        return values.transpose(2, 0, 1)[:, ::-1] if self.axis == "sagittal" else values

    def _windowed(self, values: Floats, scan: Scan) -> Pixels:
        low, high = self._bounds(values, scan)
        shown = (values - low) * np.float32(255 / (high - low))
        shown = np.clip(shown, 0, 255, out=shown)
        if scan.inverted:
            np.subtract(255, shown, out=shown)
        return np.round(shown, out=shown).astype(np.uint8)

    def _bounds(self, values: Floats, scan: Scan) -> tuple[np.float32, np.float32]:
        window = WINDOWS.get(self.window)
        if self.window == "own":
            window = (self.centre, self.width)
        elif self.window == "auto":
            window = scan.window
        if window is None:
            some = values.reshape(-1)[:: max(1, values.size // 100_000)]
            low, high = (float(value) for value in np.percentile(some, (1, 99)))
        else:
            low, high = window[0] - window[1] / 2, window[0] + window[1] / 2
        least = max(1e-5 * abs(low), 1e-6)  # a slice may be the same throughout
        return np.float32(low), np.float32(max(high, low + least))

    def _fitted(self, pixels: Pixels) -> Pixels:
        from playground.vision import fitted

        return fitted(pixels[..., None], (self.height, self.breadth), self.fit)[..., 0]

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind, **asdict(self)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> MedicalReading:
        depth, height, breadth = sizes = [data[key] for key in ("depth", "height", "breadth")]
        if any(isinstance(size, bool) or not isinstance(size, int) for size in sizes):
            raise ValueError("the sizes of a scan are whole numbers")
        if not 0 <= sizes[0] <= 512 or not all(1 <= size <= 1024 for size in sizes[1:]):
            raise ValueError("a scan has up to 512 slices of 1 to 1,024 pixels a side")
        numbers = [data[key] for key in ("centre", "width", "place")]
        if any(isinstance(n, bool) or not isinstance(n, (int, float)) for n in numbers):
            raise ValueError("the window and the place of a scan are numbers")
        centre, width, place = map(float, numbers)
        if not abs(centre) <= MOST or not 0 < width <= MOST or not 0 <= place <= 1:
            raise ValueError("a window has a centre and a positive width, a place is from 0 to 1")
        if data["window"] not in ("auto", "own", *WINDOWS):
            raise ValueError(f"there is no window {data['window']!r:.40}")
        if data["axis"] not in AXES or data["fit"] not in FITS:
            raise ValueError(f"the axis is one of {AXES}, the fit one of {FITS}")
        window, axis, fit = (data[key] for key in ("window", "axis", "fit"))
        return cls(depth, height, breadth, window, centre, width, axis, place, fit)


def series_of(folder: Path) -> list[Path]:
    """The DICOM files of the one series in a folder, in their order; raises ``DataError``."""
    found = []
    for path in sorted(folder.iterdir()):
        if path.is_file() and not is_nifti(path) and not path.name.startswith("."):
            found.append((dicom_header(path), path))
    if not found:
        raise DataError(f"{folder.name} holds no DICOM files")
    if len({header.series for header, _ in found}) > 1:
        raise DataError(f"{folder.name} holds more than one series: give one of them")
    found.sort(key=lambda item: (item[0].place, item[1].name))
    return [path for _, path in found]


def _spread(slices: Pixels, depth: int) -> Pixels:
    """(D, H, W) with ``depth`` slices: means where there are more, interpolated where fewer."""
    count = len(slices)
    if count == depth:
        return slices
    if count > depth:
        edges = np.linspace(0, count, depth + 1).round().astype(int)
        parts = [slices[a:b].mean(axis=0) for a, b in pairwise(edges)]
        return np.stack(parts).round().astype(np.uint8)
    at = np.linspace(0, count - 1, depth)
    low = np.floor(at).astype(int)
    high = np.minimum(low + 1, count - 1)
    share = (at - low).astype(np.float32)[:, None, None]
    mixed = slices[low] * (1 - share) + slices[high] * share
    return np.asarray(mixed.round(), np.uint8)
