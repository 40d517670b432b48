"""Which files make a sample of medical images, and reading them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from playground.data.cache import file_key
from playground.data.dataset import Skipped
from playground.data.errors import DataError
from playground.data.image_files import Found
from playground.data.image_values import PixelFiles
from playground.data.medical_files import (
    Header,
    NeedsExtra,
    dicom_header,
    is_nifti,
    library,
    read_scan,
)
from playground.data.medical_reading import MedicalReading
from playground.data.source import Options, Progress

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Sample:
    """The files that make a sample, in their order; and, of a volume, where the slice lies."""

    paths: tuple[str, ...]
    place: float | None = None


class Scans(PixelFiles):
    """Slices (N, 1, H, W) or volumes (N, 1, D, H, W) uint8."""

    def __init__(self, folder: str, samples: Sequence[Sample], reading: MedicalReading) -> None:
        paths = [sample.paths[0] for sample in samples]
        super().__init__(folder, paths, reading, reading.shape, cached=True)
        self.samples = tuple(samples)
        self.reading = reading

    def only(self, good: Sequence[int]) -> Self:
        if len(good) < len(self.samples):
            self.samples = tuple(self.samples[index] for index in good)
        return super().only(good)

    def decoded(self, index: int) -> Pixels:
        sample = self.samples[index]
        scan = read_scan([Path(path) for path in sample.paths])
        return self.reading.prepared(scan, sample.place)

    def key(self, index: int) -> bytes:
        sample = self.samples[index]
        parts = [file_key(path) for path in sample.paths] + [str(sample.place).encode()]
        return blake2b(b"".join(parts), digest_size=16).digest()


def samples_of(files: Found, options: Options, progress: Progress) -> tuple[list[Sample], Found]:
    """What is a sample, and its file, class, patient and split."""
    together = options["form"] == "volumes"
    headers = _headers(files, progress)
    series: dict[tuple[str, ...], list[int]] = {}
    for index, header in headers.items():
        path = files.paths[index]
        whole = header.frames > 1 or not together
        key = (path,) if whole else (files.labels[index], header.series)
        series.setdefault(key, []).append(index)
    count = options["slices"]
    spread = [(number + 1) / (count + 1) for number in range(count)]
    samples: list[Sample] = []
    chosen: list[int] = []
    for members in series.values():
        members.sort(key=lambda index: (headers[index].place, files.paths[index]))
        paths = tuple(files.paths[index] for index in members)
        cut = headers[members[0]].frames > 1 and not together
        samples += [Sample(paths, place) for place in (spread if cut else [None])]
        chosen += members[:1] * (count if cut else 1)
    found = Found(files.folder, skipped=files.skipped, group=files.group, table=files.table)
    found.paths = [sample.paths[0] for sample in samples]
    found.labels = [files.labels[index] for index in chosen]
    found.groups = [files.groups[index] for index in chosen] if files.groups else []
    found.splits = [files.splits[index] for index in chosen] if files.splits else []
    if not found.groups and all(headers[index].patient for index in chosen):
        found.group, found.groups = "patient", [headers[index].patient for index in chosen]
    return samples, found


def _headers(files: Found, progress: Progress) -> dict[int, Header]:
    """By the file's number; what is no scan is skipped. A NIfTI file is a volume of its own, its
    patient the subject in its path (BIDS), or the file itself."""
    headers: dict[int, Header] = {}
    for index, path in enumerate(files.paths):
        if index % 50 == 0:
            progress(f"Looking through {files.folder.name}", index / len(files.paths))
        if is_nifti(path):
            library("nibabel")
            subject = re.search(r"sub-[A-Za-z0-9]+", path)
            headers[index] = Header(subject[0] if subject else path, path, 0.0, frames=2)
            continue
        try:
            headers[index] = dicom_header(Path(path))
        except NeedsExtra:
            raise
        except DataError as error:
            files.skipped.append(Skipped(files.name(path), str(error)))
    return headers
