"""DICOM and NIfTI: slices and volumes in the right order and place, windows, patients kept apart,
and hostile files."""

from __future__ import annotations

import gzip
import random
import sys
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pydicom
import pytest
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    JPEGLSLossless,
    RLELossless,
    generate_uid,
)

from playground.data import DataError, DataSettings, SplitSettings, images, open_data
from playground.data.medical_files import dicom_header, read_scan
from playground.data.medical_reading import WINDOWS, MedicalReading
from playground.data.reading import reading_from_json
from tests.playground.cli_kit import Shell, project_on
from tests.playground.test_fuzz import damaged

CT = "1.2.840.10008.5.1.4.1.1.2"


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("PLAYGROUND_CACHE", str(tmp_path_factory.mktemp("cache")))


def dicom(path: Path, pixels: Any, syntax: str = ExplicitVRLittleEndian, **elements: Any) -> Path:
    """A CT slice of int16 values, or a stack of them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.asarray(pixels, np.int16)
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = CT
    meta.MediaStorageSOPInstanceUID = generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian if syntax == RLELossless else syntax
    data = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    data.SOPClassUID, data.SOPInstanceUID = CT, meta.MediaStorageSOPInstanceUID
    data.PatientID, data.SeriesInstanceUID = "somebody", "1.2.3"
    data.Rows, data.Columns = pixels.shape[-2:]
    if pixels.ndim == 3:
        data.NumberOfFrames = len(pixels)
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated = data.BitsStored = 16
    data.HighBit, data.PixelRepresentation = 15, 1
    data.PixelData = pixels.tobytes()
    for name, value in elements.items():
        setattr(data, name, value)
    if syntax == RLELossless:
        data.compress(RLELossless)
    data.save_as(path, enforce_file_format=True)
    return path


def nifti(path: Path, values: Any, affine: Any = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = nibabel.Nifti1Image(np.asarray(values), np.eye(4) if affine is None else affine)
    nibabel.save(picture, path)
    return path


def series(folder: Path, patient: str, level: int, slices: int = 5, uid: str = "") -> None:
    """Slices whose values tell their place; the files' names are in another order."""
    for number in range(slices):
        dicom(
            folder / f"{(7 * number + 3) % slices}_{patient}.dcm",
            np.full((8, 8), level + number),
            PatientID=patient,
            SeriesInstanceUID=uid or generate_uid(),
            ImagePositionPatient=[0, 0, 5.0 * number],
            ImageOrientationPatient=[1, 0, 0, 0, 1, 0],
            InstanceNumber=slices - number,
        )


def test_a_slice_has_its_physical_values(tmp_path):
    path = dicom(
        tmp_path / "a.dcm", [[0, 100], [200, 1000]], RescaleSlope=2, RescaleIntercept=-1024
    )
    scan = read_scan([path])
    np.testing.assert_array_equal(scan.values, [[[-1024, -824], [-624, 976]]])
    assert not scan.inverted


@pytest.mark.parametrize("window", list(WINDOWS))
def test_windows_are_those_of_a_viewing_station(window, tmp_path):
    centre, width = WINDOWS[window]
    values = np.round([[centre - width, centre - width / 2], [centre, centre + width / 2]])
    path = dicom(tmp_path / "a.dcm", values)
    reading = MedicalReading(0, 2, 2, window)
    name, pixels = reading.read(str(path))[0]
    assert name == str(path)
    assert pixels.shape == (1, 2, 2)
    assert pixels.dtype == np.uint8
    np.testing.assert_allclose(pixels[0], [[0, 0], [127.5, 255]], atol=0.6)


def test_the_files_own_window_and_negatives(tmp_path):
    values = [[0, 50], [100, 200]]
    path = dicom(tmp_path / "a.dcm", values, WindowCenter=[50, 9], WindowWidth=[100, 9])
    assert MedicalReading(0, 2, 2).read(str(path))[0][1].tolist() == [[[0, 128], [255, 255]]]
    path = dicom(
        tmp_path / "b.dcm", values, WindowCenter=50, WindowWidth=100,
        PhotometricInterpretation="MONOCHROME1",
    )  # fmt: skip
    assert MedicalReading(0, 2, 2).read(str(path))[0][1].tolist() == [[[255, 128], [0, 0]]]
    path = dicom(tmp_path / "c.dcm", np.arange(10_000).reshape(100, 100))
    pixels = MedicalReading(0, 100, 100).read(str(path))[0][1]
    assert np.mean(pixels == 0) == pytest.approx(0.01, abs=0.005)


def test_a_series_is_a_volume_in_the_order_of_space(tmp_path):
    series(tmp_path / "scan", "p", 100, uid="1.2.3.4")
    reading = MedicalReading(5, 8, 8, "own", centre=102, width=4, fit="stretch")
    volume = reading.read(str(tmp_path / "scan"))[0][1]
    assert volume.shape == (1, 5, 8, 8)
    np.testing.assert_allclose(volume[0, :, 0, 0], [0, 64, 128, 191, 255], atol=1)
    fewer = MedicalReading(2, 8, 8, "own", centre=102, width=4).read(str(tmp_path / "scan"))[0][1]
    more = MedicalReading(9, 8, 8, "own", centre=102, width=4).read(str(tmp_path / "scan"))[0][1]
    assert fewer.shape[1] == 2
    assert np.all(np.diff(more[0, :, 0, 0].astype(int)) > 0)
    series(tmp_path / "two", "p", 0, 2)
    with pytest.raises(DataError, match="more than one series"):
        reading.read(str(tmp_path / "two"))


def test_a_nifti_volume_stands_upright(tmp_path):
    """Values tell the place in the patient: 100 to the right, 10 to the front, 1 to the head."""
    right, front, head = np.meshgrid(np.arange(4), np.arange(5), np.arange(6), indexing="ij")
    values = (100 * right + 10 * front + head).astype(np.int16)
    plain = read_scan([nifti(tmp_path / "a.nii.gz", values)]).values
    assert plain.shape == (6, 5, 4)
    assert plain[0, 0, 0] == 340  # at the feet, in front, at the patient's right
    assert plain[-1, -1, -1] == 5
    turned = np.diag([-1.0, -1.0, 1.0, 1.0])  # as DICOM counts: left, back, head
    flipped = read_scan([nifti(tmp_path / "b.nii", values[::-1, ::-1], turned)]).values
    np.testing.assert_array_equal(flipped, plain)
    reading = MedicalReading(0, 6, 4, axis="coronal")
    assert reading.turned(plain)[0, 0, 0] == 345  # the front slice: head up
    assert MedicalReading(0, 6, 4, axis="sagittal").turned(plain)[0, 0, 0] == 345


def test_a_series_in_time_gives_its_first_volume(tmp_path):
    values = np.zeros((4, 4, 4, 3), np.float32)
    values[..., 1:] = 9
    assert read_scan([nifti(tmp_path / "a.nii", values)]).values.max() == 0


def classes_of_volumes(folder: Path, patients: int = 4) -> Path:
    for label, level in (("ill", 500), ("well", 0)):
        for number in range(patients):
            patient = f"{label}{number}"
            series(folder / label / patient, patient, level + 10 * number, uid=generate_uid())
    return folder


def test_slices_of_a_patient_stay_together(tmp_path):
    classes_of_volumes(tmp_path / "scans")
    settings = DataSettings(
        "medical", {"path": "scans", "size": 16, "window": "soft"}, SplitSettings(0.25, 0.25)
    )
    dataset = open_data(settings, tmp_path)
    assert dataset.summary == "40 slices · 16×16 grey · 2 classes"
    assert dataset.groups.what == "patient"
    assert len(dataset.groups.names) == 8
    assert dataset.notes[0] == "All scans of a patient are in one split (8 patients)."
    parts = [set(dataset.groups.codes[part].tolist()) for part in dataset.splits.values()]
    assert all(parts)
    assert sum(map(len, parts)) == 8
    assert dataset.batch([0])["scan"].shape == (1, 1, 16, 16)


def test_volumes_of_series(tmp_path):
    classes_of_volumes(tmp_path / "scans")
    options = {"path": "scans", "form": "volumes", "depth": 5, "size": 8, "window": "own",
               "centre": 250, "width": 600}  # fmt: skip
    dataset = open_data(DataSettings("medical", options), tmp_path)
    assert dataset.summary == "8 volumes · 5×8×8 grey · 2 classes"
    raw = dataset.raw(range(8))["scan"]
    assert raw.shape == (8, 1, 5, 8, 8)
    assert raw[:4].mean() > 200
    _, again = dataset.inputs["scan"].reading.read(str(Path(dataset.files[0]).parent))[0]
    np.testing.assert_array_equal(again, raw[0])


@pytest.mark.parametrize("lazy", [False, True])
def test_slices_of_nifti_volumes(lazy, tmp_path, monkeypatch):
    if lazy:
        monkeypatch.setattr(images, "RESIDENT", 10)
    for label, level in (("a", 0), ("b", 1)):
        for person in range(3):
            values = level + np.arange(60).reshape(3, 4, 5) / 100
            nifti(tmp_path / label / f"sub-{label}{person}_T1w.nii.gz", values.astype(np.float32))
    options = {"path": str(tmp_path), "slices": 2, "size": 8, "window": "own", "centre": 0.8,
               "width": 1.6}  # fmt: skip
    dataset = open_data(DataSettings("medical", options, SplitSettings(0.3, 0.3)), tmp_path)
    assert dataset.lazy == lazy
    assert len(dataset) == 12
    assert dataset.groups.names[0] == "sub-a0"
    raw = dataset.raw(range(12))["scan"]
    assert not np.array_equal(raw[0], raw[1])
    np.testing.assert_array_equal(raw[:6].max() < raw[6:].max(), True)


def test_slices_and_their_masks(tmp_path):
    for person in range(4):
        values = np.full((6, 8, 4), 10.0 * person, np.float32)
        mask = np.zeros((6, 8, 4), np.int16)
        mask[:, :, 2:] = 7  # towards the head
        nifti(tmp_path / "imagesTr" / f"sub-{person}_0000.nii.gz", values)
        nifti(tmp_path / "labelsTr" / f"sub-{person}.nii.gz", mask)
    nifti(tmp_path / "imagesTr" / "sub-9.nii.gz", values)
    nifti(tmp_path / "imagesTr" / "sub-8.nii.gz", values)
    nifti(tmp_path / "labelsTr" / "sub-8.nii.gz", mask[:4])
    options = {"path": "imagesTr", "masks": "labelsTr", "slices": 4, "size": 16}
    settings = DataSettings("medical", options, SplitSettings(0.25, 0.25))
    dataset = open_data(settings, tmp_path)
    assert dataset.task == "segmentation"
    assert dataset.summary == "16 slices · 16×16 grey · 2 classes of pixels"
    assert dataset.target.pixel_classes == ("background", "label 7")
    masks = dataset.raw(range(4))["mask"][:, 0]
    assert set(masks[:2].reshape(-1).tolist()) == {0, 255}
    assert set(masks[2:, 8].reshape(-1).tolist()) == {1, 255}  # a border beside narrow slices
    people = [set(dataset.groups.codes[part].tolist()) for part in dataset.splits.values()]
    assert [len(some) for some in people] == [2, 1, 1]
    reasons = {item.name: item.reason for item in dataset.skipped}
    assert "has no mask of its name" in reasons["sub-9.nii.gz"]
    assert "different sizes" in reasons["sub-8.nii.gz"]


@pytest.mark.parametrize("masks", [False, True])
def test_a_network_learns_from_scans(masks, tmp_path, capsys):
    for label, level in (("a", 0), ("b", 90)):
        for number in range(4):
            values = np.full((8, 8, 8), level + number, np.int16)
            nifti(tmp_path / "scans" / label / f"{label}{number}.nii", values)
            values[4:] = 1000
            mask = (values > 500).astype(np.uint8)
            nifti(tmp_path / "masks" / f"{label}{number}.nii", mask)
    options = {"path": "scans", "size": 8}
    options |= {"masks": "masks"} if masks else {"form": "volumes", "depth": 8}
    data = DataSettings("medical", options, SplitSettings(2, 2))
    project = project_on(tmp_path / "some.playground", data, epochs=1)
    shell = Shell(capsys)
    done = shell.json("train", project, "--out", tmp_path / "run")[-1]
    assert np.isfinite(done["test"]["loss"])
    [answered] = shell.json("predict", tmp_path / "run", tmp_path / "scans" / "a" / "a0.nii")
    assert answered["kind"] == ("mask" if masks else "classes")


def test_scans_without_masks_are_told(tmp_path):
    nifti(tmp_path / "a" / "x.nii", np.zeros((4, 4, 4), np.int16))
    (tmp_path / "b").mkdir()
    with pytest.raises(DataError, match="name them alike"):
        open_data(DataSettings("medical", {"path": "a", "masks": "b"}), tmp_path)
    nifti(tmp_path / "b" / "x.nii", np.full((4, 4, 4), 1e20))
    with pytest.raises(DataError, match="hold 1 different numbers"):
        open_data(DataSettings("medical", {"path": "a", "masks": "b"}), tmp_path)


def test_what_cannot_be_read_is_left_out(tmp_path):
    classes_of_volumes(tmp_path / "scans", 2)
    folder = tmp_path / "scans" / "ill"
    (folder / "notes.txt").write_text("no scan")
    (folder / "empty.dcm").write_bytes(b"")
    whole = dicom(folder / "cut.dcm", np.zeros((64, 64))).read_bytes()
    (folder / "cut.dcm").write_bytes(whole[:-4000])
    (folder / "wrong.nii.gz").write_bytes(b"\x1f\x8b nothing")
    dataset = open_data(DataSettings("medical", {"path": "scans", "size": 8}), tmp_path)
    assert len(dataset) == 20
    reasons = {Path(item.name).name: item.reason for item in dataset.skipped}
    assert reasons["notes.txt"] == "notes.txt is not a DICOM file"
    assert reasons["empty.dcm"] == "empty.dcm is not a DICOM file"
    assert reasons["cut.dcm"].startswith("cut.dcm cannot be read as DICOM: ")
    assert reasons["wrong.nii.gz"].startswith("wrong.nii.gz cannot be read as NIfTI: ")


def test_what_a_header_claims_is_refused_before_it_is_read(tmp_path):
    path = dicom(tmp_path / "a.dcm", np.zeros((4, 4)), Rows=60_000, Columns=60_000)
    with pytest.raises(DataError, match=r"a.dcm claims 1×60,000×60,000×1 numbers"):
        read_scan([path])
    header = nibabel.Nifti1Header()
    header.set_data_shape((30_000, 30_000, 30_000))
    header["magic"], header["vox_offset"] = b"n+1", 352
    with gzip.open(tmp_path / "b.nii.gz", "wb") as file:
        file.write(header.binaryblock + bytes(4))
    with pytest.raises(DataError, match=r"b.nii.gz claims 30,000×30,000×30,000 numbers"):
        read_scan([tmp_path / "b.nii.gz"])


def test_compressed_files(tmp_path):
    values = np.arange(64).reshape(8, 8)
    path = dicom(tmp_path / "rle.dcm", values, RLELossless)
    np.testing.assert_array_equal(read_scan([path]).values[0], values)
    data = pydicom.dcmread(dicom(tmp_path / "jpeg.dcm", values))
    data.file_meta.TransferSyntaxUID = JPEGLSLossless
    data.PixelData = pydicom.encaps.encapsulate([b"\xff\xd8\xff\xf7" + bytes(60)])
    data["PixelData"].VR = "OB"
    data.save_as(tmp_path / "jpeg.dcm")
    with pytest.raises(DataError, match=r"jpeg.dcm is compressed \(JPEG-LS .* no decoder"):
        read_scan([tmp_path / "jpeg.dcm"])
    path = dicom(tmp_path / "bomb.dcm", values, DeflatedExplicitVRLittleEndian)
    with pytest.raises(DataError, match=r"bomb.dcm is compressed as a whole"):
        dicom_header(path)


@pytest.mark.parametrize(("missing", "name"), [("pydicom", "a.dcm"), ("nibabel", "a.nii")])
def test_without_the_extra_it_is_told_how_to_install_it(missing, name, tmp_path, monkeypatch):
    for label in ("a", "b"):
        (tmp_path / label).mkdir()
        (tmp_path / label / name).write_bytes(bytes(200))
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(DataError, match=rf'need {missing}.*"model-playground\[medical\]"'):
        open_data(DataSettings("medical", {"path": str(tmp_path)}), tmp_path)


def test_a_reading_is_kept_with_the_run():
    reading = MedicalReading(16, 64, 48, "own", -600, 1500, "coronal", 0.25, "crop")
    assert reading_from_json(reading.to_json()) == reading
    wrongs = ({"depth": -1}, {"height": 0}, {"window": "no"}, {"width": 0}, {"place": 2},
              {"axis": "x"}, {"fit": "x"}, {"centre": None})  # fmt: skip
    for wrong in wrongs:
        with pytest.raises(ValueError, match=r".+"):
            reading_from_json(reading.to_json() | wrong)


def read(path: Path) -> str:
    try:
        MedicalReading(0, 8, 8).read(str(path))
        if path.suffix == ".dcm":
            dicom_header(path)
    except DataError as error:
        return str(error)
    return "read"


@pytest.mark.parametrize(
    "count",
    [pytest.param(50, id="few"), pytest.param(2000, id="many", marks=pytest.mark.full)],
)
@pytest.mark.parametrize("suffix", [".dcm", ".nii", ".nii.gz"])
def test_damaged_scans(suffix, count, tmp_path):
    dice = random.Random(count)
    values = dice.sample(range(4096), 256)
    good = tmp_path / f"good{suffix}"
    if suffix == ".dcm":
        dicom(good, np.reshape(values, (16, 16)), RescaleSlope=1, WindowCenter=40, WindowWidth=80)
    else:
        nifti(good, np.reshape(values, (8, 8, 4)).astype(np.int16))
    content = good.read_bytes()
    unpacked = gzip.decompress(content) if suffix.endswith(".gz") else content
    path = tmp_path / f"some{suffix}"
    for number in range(count):
        spoilt = damaged(content, dice)
        if suffix.endswith(".gz") and number % 2:  # what is inside is damaged too
            spoilt = gzip.compress(damaged(unpacked, dice), 1)
        path.write_bytes(spoilt)
        said = read(path)
        assert said == "read" or said.startswith(path.name)
        assert "\n" not in said
