"""Medical images of one's own by class: DICOM and NIfTI, as slices or as volumes.

The slices of a patient look alike, so that a network which has seen some of them knows the others:
unless told otherwise, all of a patient are in one split.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from models.axes import image, vector, volume
from models.parameters import Parameter
from models.parameters import Values as Settings
from playground.data.dataset import Column, Dataset, Groups, Values
from playground.data.errors import DataError
from playground.data.image_files import Columns, Found, Media, find
from playground.data.images import (
    fitted_on_pixels,
    groups_of,
    own_splits,
    read_values,
)
from playground.data.labels import indexed, rare
from playground.data.medical_files import DICOM, NIFTI
from playground.data.medical_pairs import mask_files, read_masks
from playground.data.medical_reading import WINDOWS, MedicalReading
from playground.data.medical_samples import Scans, samples_of
from playground.data.settings import SplitSettings
from playground.data.source import Options, Place, Progress, Source, located
from playground.data.splits import split

MEDIA = Media("scans", (*NIFTI, *DICOM))


_TITLES = {"lung": "Lung", "bone": "Bone", "brain": "Brain", "soft": "Soft tissue"}


def _said(name: str) -> str:
    """A preset's centre and width, as on a viewing station."""
    centre, width = WINDOWS[name]
    return f"(C {centre:g}, W {width:g})"


def _are_slices(values: Settings) -> bool:
    return values.get("form") != "volumes"


def _is_own(values: Settings) -> bool:
    return values.get("window") == "own"


def _open(options: Options, place: Place, settings: SplitSettings, progress: Progress) -> Dataset:
    path = located(options["path"], place)
    progress(f"Looking through {path.name}", None)
    masks = options["masks"] if _are_slices(options) else ""
    if masks:
        files = mask_files(path, located(masks, place))
    else:
        files = find(path, "auto", Columns(), "auto", MEDIA)
    samples, found = samples_of(files, options, progress)
    reading = _reading(options)
    values: Values
    labels, notes = None, tuple[str, ...]()
    if masks:
        values, target = read_masks(samples, found, reading, progress)
        what = f"{len(target.pixel_classes)} classes of pixels"
    else:
        values = read_values(found, Scans(str(found.folder), samples, reading), progress, "scans")
        _check_some(len(values), found)
        labels, classes = indexed(found.labels, str(path))
        target = Column("label", vector(1), labels, classes=classes)
        what = f"{len(classes)} classes"
        notes = rare(np.bincount(labels, minlength=len(classes)), classes)
    groups = groups_of(found)
    settings, apart = _kept_apart(settings, groups, found)
    own = own_splits(found)
    splits = split(len(values), settings, labels, groups=groups, own=own, together=True)
    return Dataset(
        name=path.stem if path.is_file() else path.name,
        summary=f"{len(values):,} {'volumes' if reading.depth else 'slices'} · "
        f"{'×'.join(str(side) for side in reading.shape[1:])} grey · {what}",
        inputs={
            "scan": Column(
                "scan",
                volume(*reading.shape) if reading.depth else image(*reading.shape),
                values,
                fitted_on_pixels(values, splits["train"], settings.seed),
                reading=reading,
            )
        },
        targets={target.name: target},
        splits=splits,
        task="segmentation" if masks else "classification",
        notes=(*apart, *notes),
        captions=tuple(Path(file).name for file in found.paths),
        files=tuple(found.paths),
        groups=groups,
        skipped=tuple(found.skipped),
    )


def _check_some(count: int, found: Found) -> None:
    if not count:
        reason = f" ({found.skipped[0].reason})" if found.skipped else ""
        raise DataError(f"no file in {found.folder} can be read as a scan{reason}")


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
            "masks",
            "Folder of masks",
            "path",
            "",
            "For segmentation: masks of the same file names as the scans, which then need no "
            "subfolders. Empty: the class of a scan is to be told.",
            visible=_are_slices,
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
