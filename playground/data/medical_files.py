"""Scans as they are stored: DICOM and NIfTI files as volumes of physical values.

Both are read by the libraries of the optional extra ``medical``. What a header claims is checked
before anything is decoded.
"""

from __future__ import annotations

import gzip
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from playground.data.errors import DataError

Floats = npt.NDArray[np.float32]

NIFTI = (".nii", ".nii.gz")
DICOM = (".dcm", ".dicom", ".ima")
LARGEST = 1 << 27
"""Numbers in a scan: 512 slices of 512×512."""

_DEFLATED = "1.2.840.10008.1.2.1.99"
_LONGEST_HEADER = 1 << 20


class NeedsExtra(DataError):
    """The optional extra is not installed, so no scan can be read."""


@dataclass(frozen=True, slots=True)
class Scan:
    """A scan's values (D, H, W): Hounsfield units of a CT, whatever it is of others. Slices go
    from the feet to the head, rows from front to back, columns from the patient's right to left,
    as far as the file tells. ``inverted`` values are shown dark where they are high; ``window`` is
    the centre and width that the file proposes."""

    values: Floats
    inverted: bool = False
    window: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Header:
    """What a DICOM file says of itself: whose it is, of which series, where in it, and how many
    pictures it holds."""

    patient: str
    series: str
    place: float
    frames: int


def library(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError:
        raise NeedsExtra(
            f"medical images need {name}, which is not installed: "
            'pip install "model-playground[medical]"'
        ) from None


def is_nifti(path: str | Path) -> bool:
    return str(path).lower().endswith(NIFTI)


def read_scan(paths: Sequence[Path]) -> Scan:
    """A NIfTI file, a DICOM file, or the DICOM files of one series in their order; raises
    ``DataError`` naming the file."""
    if len(paths) == 1 and is_nifti(paths[0]):
        return _nifti(paths[0])
    slices = [_dicom(path) for path in paths]
    first = slices[0]
    for path, item in zip(paths, slices, strict=True):
        if item.values.shape[1:] != first.values.shape[1:]:
            raise DataError(
                f"{path.name} has {_times(item.values.shape[1:])} pixels, the series' first file "
                f"{_times(first.values.shape[1:])}: they are not of one volume"
            )
    if sum(item.values.size for item in slices) > LARGEST:
        raise DataError(f"{paths[0].name}: the series has too many slices to be read at once")
    values = np.concatenate([item.values for item in slices])
    return Scan(values, first.inverted, first.window)


def dicom_header(path: Path) -> Header:
    """Raises ``DataError``."""
    tags = ["PatientID", "SeriesInstanceUID", "InstanceNumber", "ImagePositionPatient",
            "ImageOrientationPatient", "NumberOfFrames"]  # fmt: skip
    with _told(path, "DICOM"):
        header = _opened(path, specific_tags=tags, stop_before_pixels=True)
        place = header.get("ImagePositionPatient")
        turned = header.get("ImageOrientationPatient")
        if place is not None and turned is not None and len(place) == 3 and len(turned) == 6:
            # how far along the normal of its plane the slice lies
            across = np.cross([float(v) for v in turned[:3]], [float(v) for v in turned[3:]])
            where = float(np.dot(across, [float(v) for v in place]))
        else:
            where = float(header.get("InstanceNumber") or 0)
        patient = str(header.get("PatientID") or "")
        series = str(header.get("SeriesInstanceUID") or path.parent)
        return Header(patient, series, where, int(header.get("NumberOfFrames") or 1))


def _opened(path: Path, **options: Any) -> Any:
    pydicom = library("pydicom")
    with path.open("rb") as file:
        if file.read(132)[128:] != b"DICM":
            raise DataError(f"{path.name} is not a DICOM file")
    meta = pydicom.filereader.read_file_meta_info(path)
    if str(meta.get("TransferSyntaxUID")) == _DEFLATED:  # may inflate to any size
        raise DataError(
            f"{path.name} is compressed as a whole (deflated): save it without, and try again"
        )
    return pydicom.dcmread(path, **options)


def _dicom(path: Path) -> Scan:
    with _told(path, "DICOM"):
        data = _opened(path)
        rows, columns = int(data.get("Rows") or 0), int(data.get("Columns") or 0)
        frames = int(data.get("NumberOfFrames") or 1)
        samples = int(data.get("SamplesPerPixel") or 1)
        if "PixelData" not in data or not rows or not columns:
            raise DataError(f"{path.name} has no pictures in it")
        _check_size(path, (frames, rows, columns, samples))
        syntax = data.file_meta.TransferSyntaxUID
        try:
            pixels = np.asarray(data.pixel_array)
        except (RuntimeError, NotImplementedError):
            raise DataError(
                f"{path.name} is compressed ({syntax.name}), and no decoder for that is installed: "
                "install pylibjpeg with its plug-ins, or save it uncompressed"
            ) from None
        values = pixels.astype(np.float32)
        if samples > 1:  # colour: its luminance (ITU-R BT.601)
            values = values[..., :3] @ np.asarray([0.299, 0.587, 0.114], np.float32)
        values = values.reshape(frames, rows, columns)
        slope = _number(data.get("RescaleSlope"), 1.0)
        values = values * np.float32(slope) + np.float32(_number(data.get("RescaleIntercept"), 0.0))
        inverted = data.get("PhotometricInterpretation") == "MONOCHROME1"
        return Scan(_finite(values), inverted, _own_window(data))


def _own_window(data: Any) -> tuple[float, float] | None:
    centre, width = (_number(data.get(key), None) for key in ("WindowCenter", "WindowWidth"))
    return None if centre is None or not width or width <= 0 else (centre, width)


def _number(value: Any, default: Any) -> Any:
    """An element's number, the first of several; ``default`` where there is none."""
    if value is not None and not isinstance(value, (str, bytes)) and hasattr(value, "__len__"):
        value = value[0] if len(value) else None
    if value is None or value == "":
        return default
    number = float(value)
    return number if np.isfinite(number) else default


def _nifti(path: Path) -> Scan:
    nibabel = library("nibabel")
    with _told(path, "NIfTI"):
        header = _nifti_header(path, nibabel)
        shape = [int(size) for size in header.get_data_shape()]
        if len(shape) < 2 or min(shape) < 1:
            raise DataError(f"{path.name} has no volume in it")
        _check_size(path, tuple(shape))
        kind = header.get_data_dtype()
        if kind.fields is not None or kind.kind not in "iuf":
            raise DataError(f"{path.name} holds {kind}: only plain numbers are read")
        picture = nibabel.load(path)
        if len(shape) > 3:  # the first volume of a series in time
            picture = picture.slicer[(slice(None),) * 3 + (slice(0, 1),) * (len(shape) - 3)]
        values = np.asarray(nibabel.as_closest_canonical(picture).dataobj, np.float32)
        values = values.reshape(*(*values.shape, 1, 1)[:3])
        # from (right, front, head) to slices, rows from the front, columns from the right
        return Scan(_finite(np.ascontiguousarray(values.transpose(2, 1, 0)[:, ::-1, ::-1])))


def _nifti_header(path: Path, nibabel: Any) -> Any:
    """The header alone, before the library follows what it says."""
    opened = gzip.open if path.name.lower().endswith(".gz") else open
    with opened(path, "rb") as file:
        beginning = file.read(540)
    for kind in (nibabel.Nifti1Header, nibabel.Nifti2Header):
        size = kind.template_dtype.itemsize
        if len(beginning) >= size and kind.may_contain_header(beginning):
            header = kind(beginning[:size], check=False)
            if not 0 <= float(header["vox_offset"]) <= _LONGEST_HEADER:
                raise DataError(f"{path.name} is damaged: its numbers begin where none can be")
            return header
    raise DataError(f"{path.name} is not a NIfTI file")


def _check_size(path: Path, shape: tuple[int, ...]) -> None:
    if any(size < 0 for size in shape) or np.prod([float(size) for size in shape]) > LARGEST:
        raise DataError(
            f"{path.name} claims {_times(shape)} numbers, more than are read at once: it is "
            "damaged, or must be made smaller"
        )


def _times(shape: Sequence[int]) -> str:
    return "×".join(f"{size:,}" for size in shape)


def _finite(values: Floats) -> Floats:
    """Damaged values and the infinite ones as 0; their differences can be told in float32."""
    return np.clip(np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0), -1e30, 1e30)


@contextmanager
def _told(path: Path, kind: str) -> Iterator[None]:
    """What the libraries raise at a damaged file, as a sentence; their warnings are for nobody."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except DataError:
        raise
    except FileNotFoundError:
        raise DataError(f"{path} does not exist") from None
    except MemoryError:
        raise DataError(f"{path.name} does not fit into memory") from None
    except Exception as error:  # damaged files raise nearly anything
        reason = " ".join(str(error).split())[:160] or type(error).__name__
        raise DataError(f"{path.name} cannot be read as {kind}: {reason}") from None
