"""Medical images of one's own by class: DICOM and NIfTI, as slices or as volumes.

The slices of a patient look alike, so that a network which has seen some of them knows the others:
unless told otherwise, all of a patient are in one split.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from models.axes import image, vector, volume
from models.parameters import Parameter, Values
from playground.data.cache import file_key
from playground.data.dataset import Column, Dataset, Groups, Skipped
from playground.data.errors import DataError
from playground.data.image_files import Columns, Found, Media, find
from playground.data.image_values import PixelFiles
from playground.data.images import (
    fitted_on_pixels,
    groups_of,
    own_splits,
    read_values,
    skipped_note,
)
from playground.data.labels import indexed, rare
from playground.data.medical_files import (
    DICOM,
    NIFTI,
    Header,
    NeedsExtra,
    dicom_header,
    is_nifti,
    library,
    read_scan,
)
from playground.data.medical_reading import WINDOWS, MedicalReading
from playground.data.settings import SplitSettings
from playground.data.source import Options, Place, Progress, Source, located
from playground.data.splits import split

Pixels = npt.NDArray[np.uint8]

MEDIA = Media("scans", (*NIFTI, *DICOM))


_TITLES = {"lung": "Lung", "bone": "Bone", "brain": "Brain", "soft": "Soft tissue"}


def _said(name: str) -> str:
    """A preset's centre and width, as on a viewing station."""
    centre, width = WINDOWS[name]
    return f"(C {centre:g}, W {width:g})"


def _are_slices(values: Values) -> bool:
    return values.get("form") != "volumes"


def _is_own(values: Values) -> bool:
    return values.get("window") == "own"


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


def _open(options: Options, place: Place, settings: SplitSettings, progress: Progress) -> Dataset:
    path = located(options["path"], place)
    progress(f"Looking through {path.name}", None)
    reading = _reading(options)
    samples, found = _samples(find(path, "auto", Columns(), "auto", MEDIA), options, progress)
    values = read_values(found, Scans(str(found.folder), samples, reading), progress, "scans")
    if not len(values):
        reason = f" ({found.skipped[0].reason})" if found.skipped else ""
        raise DataError(f"no file in {found.folder} can be read as a scan{reason}")
    labels, classes = indexed(found.labels, str(path))
    groups = groups_of(found)
    settings, apart = _kept_apart(settings, groups, found)
    splits = split(len(labels), settings, labels, groups=groups, own=own_splits(found))
    size = "×".join(str(side) for side in reading.shape[1:])
    what = "volumes" if reading.depth else "slices"
    shape = volume(*reading.shape) if reading.depth else image(*reading.shape)
    return Dataset(
        name=path.stem if path.is_file() else path.name,
        summary=f"{len(labels):,} {what} · {size} grey · {len(classes)} classes",
        inputs={
            "scan": Column(
                "scan",
                shape,
                values,
                fitted_on_pixels(values, splits["train"], settings.seed),
                reading=reading,
            )
        },
        targets={"label": Column("label", vector(1), labels, classes=classes)},
        splits=splits,
        task="classification",
        notes=(
            *apart,
            *skipped_note(found.skipped, "scans"),
            *rare(np.bincount(labels, minlength=len(classes)), classes),
        ),
        captions=tuple(Path(file).name for file in found.paths),
        files=tuple(found.paths),
        groups=groups,
        skipped=tuple(found.skipped),
    )


def _reading(options: Options) -> MedicalReading:
    size = options["size"]
    height, breadth = size if isinstance(size, list) else (size, size)
    depth = options["depth"] if options["form"] == "volumes" else 0
    return MedicalReading(
        depth,
        height,
        breadth,
        options["window"],
        options["centre"],
        options["width"],
        options["axis"],
        fit=options["fit"],
    )


def _kept_apart(
    settings: SplitSettings, groups: Groups | None, found: Found
) -> tuple[SplitSettings, tuple[str, ...]]:
    """The settings, and a note where patients are kept in one split because nothing else is
    said."""
    several = groups is not None and len(groups.names) < len(groups.codes)
    if groups is None or not several or settings.method != "auto" or found.splits:
        return settings, ()
    note = f"All scans of a {groups.what} are in one split ({len(groups.names):,} {groups.what}s)."
    return replace(settings, method="group"), (note,)


def _samples(files: Found, options: Options, progress: Progress) -> tuple[list[Sample], Found]:
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


SOURCE = Source(
    id="medical",
    name="Medical images",
    icon="volume",
    summary="DICOM and NIfTI scans, in a subfolder for each class or listed in a CSV file.",
    open=_open,
    family="volumes",
    place="either",
    suffixes=(*NIFTI, *DICOM, ".csv", ".tsv"),
    readings=(MedicalReading,),
    parameters=(
        Parameter(
            "path",
            "Folder or list",
            "path",
            "",
            "A folder with a subfolder of scans for each class, or a CSV file with the columns "
            "file and label. The files of a DICOM series make one volume.",
        ),
        Parameter(
            "form",
            "Sample",
            "choice",
            "slices",
            "Slices are pictures, for 2-D networks; volumes need 3-D layers.",
            choices=(("slices", "Slices"), ("volumes", "Volumes")),
        ),
        Parameter(
            "slices",
            "Slices a volume",
            "int",
            1,
            "How many slices are taken of each volume, evenly spread. DICOM files of one slice are "
            "all taken.",
            minimum=1,
            maximum=512,
            visible=_are_slices,
        ),
        Parameter(
            "depth",
            "Depth",
            "int",
            32,
            "Slices that volumes are brought to.",
            minimum=1,
            maximum=512,
            visible=lambda values: not _are_slices(values),
        ),
        Parameter(
            "size",
            "Size",
            "ints",
            64,
            "Height and width that slices are brought to.",
            minimum=4,
            maximum=1024,
            unit="px",
        ),
        Parameter(
            "axis",
            "Seen from",
            "choice",
            "axial",
            "The direction that slices are cut in, of volumes.",
            choices=(
                ("axial", "Below (axial)"),
                ("coronal", "The front (coronal)"),
                ("sagittal", "The side (sagittal)"),
            ),
        ),
        Parameter(
            "window",
            "Window",
            "choice",
            "auto",
            "Which values become black and white. Automatic: as the file says, otherwise all but "
            "the outermost hundredths.",
            choices=(
                ("auto", "Automatic"),
                *((name, f"{title} {_said(name)}") for name, title in _TITLES.items()),
                ("own", "Set below"),
            ),
        ),
        Parameter(
            "centre",
            "Centre",
            "float",
            40.0,
            "The value that becomes grey.",
            minimum=-1e6,
            maximum=1e6,
            visible=_is_own,
        ),
        Parameter(
            "width",
            "Width",
            "float",
            400.0,
            "From black to white.",
            minimum=1e-6,
            maximum=1e7,
            visible=_is_own,
        ),
        Parameter(
            "fit",
            "Fit",
            "choice",
            "pad",
            "What happens to slices of other proportions.",
            choices=(
                ("pad", "Add borders"),
                ("crop", "Cut out the middle"),
                ("stretch", "Stretch"),
            ),
        ),
    ),
)
