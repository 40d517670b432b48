"""What a saved run says about its inputs may come from a stranger: whatever it says is refused in a
sentence when it is read, or else inputs are read or refused as always."""

from __future__ import annotations

import json
from collections import defaultdict
from contextlib import suppress
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import soundfile
from PIL import Image

from playground.data.errors import DataError
from playground.data.medical_reading import MedicalReading
from playground.data.pairs import MaskReading
from playground.data.reading import Feature, ImageReading, Reading, RowReading, reading_from_json
from playground.data.series_reading import SeriesReading, WindowReading
from playground.data.sound_reading import SoundReading
from playground.data.text_reading import TextReading
from playground.data.video_reading import VideoReading

READINGS: dict[str, tuple[Reading, str]] = {
    "image": (ImageReading(3, 8, 8), "a.png"),
    "digit": (ImageReading(1, 28, 28, "pad", digit=True), "a.png"),
    "mask": (MaskReading(8, 8, "crop", (0, 255)), "grey.png"),
    "row": (RowReading((Feature("a"), Feature("b", ("x", "y")))), "rows.csv"),
    "date": (RowReading((Feature("c", None, ("year", "month"), "%Y-%m-%d"),)), "rows.csv"),
    "series": (SeriesReading(None, 1, ("a",), "b", "c"), "rows.csv"),
    "window": (WindowReading(("a",), 2, "b", "c"), "rows.csv"),
    "sound": (SoundReading(8_000, 800, "windows", 400), "a.wav"),
    "text": (TextReading("pieces", ("a", "b", "ab"), (("a", "b"),)), "a.txt"),
    "video": (VideoReading(2, 3, 8, 8, "crop", "middle", 1), "a.gif"),
    "medical": (MedicalReading(2, 8, 8, "own"), "a.nii"),
    "slice": (MedicalReading(0, 8, 8), "a.nii"),
}
RAISED = defaultdict[str, tuple[type[Exception], ...]](tuple, mask=(TypeError,))
HOSTILE: list[Any] = [
    *(10**400, -(10**400), 2**63, 2**31, -1, 0, 1, True, None, 0.5, 1e308),
    *(float("nan"), float("inf"), -float("inf")),
    *("", "1", "\0", "\ud800", "%" * 5_000, "auto", "crop"),
    *([], [[]], [10**400], ["a", "a"], [["a", "b", "c"]], [{}], {}, {"name": 10**400}),
    [{"name": "a", "categories": 10**400}],
    [{"name": "a", "parts": ["year", "hour"], "pattern": "%Q" * 100}],
]


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("inputs")
    frames = [Image.new("RGB", (12, 10), (80 * n, 40, 9)) for n in range(3)]
    frames[0].save(folder / "a.png")
    frames[0].convert("L").save(folder / "grey.png")
    frames[0].save(folder / "a.gif", save_all=True, append_images=frames[1:])
    rows = [f"{n},{'xy'[n % 2]},2024-01-0{n + 1}" for n in range(6)]
    (folder / "rows.csv").write_text("\n".join(["a,b,c", *rows]))
    (folder / "a.txt").write_text("abba")
    soundfile.write(folder / "a.wav", np.full(2_000, 0.5), 8_000)
    nibabel.save(nibabel.Nifti1Image(np.ones((6, 6, 3), np.int16), np.eye(4)), folder / "a.nii")
    return folder


@pytest.mark.parametrize("kind", READINGS)
def test_hostile_values(kind: str, inputs: Path) -> None:
    reading, name = READINGS[kind]
    known = json.loads(json.dumps(reading.to_json()))
    again = MaskReading.from_json if kind == "mask" else reading_from_json
    assert again(known).read(str(inputs / name))
    for key in sorted({*known, "format"} - {"kind"}):
        for value in HOSTILE:
            try:
                found = again(known | {key: value})
            except (ValueError, *RAISED[kind]):
                continue
            with suppress(DataError):
                assert all(raw.nbytes < 1 << 20 for _, raw in found.read(str(inputs / name)))
