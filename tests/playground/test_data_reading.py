"""Inputs of one's own: pictures, rows, series, and the past of a forecast."""

import json

import numpy as np
import pytest
from PIL import Image

from playground.data import DataError
from playground.data.reading import (
    Feature,
    ImageReading,
    RowReading,
    SeriesReading,
    WindowReading,
    reading_from_json,
)
from playground.resources import SAMPLES

ROW = RowReading((Feature("age"), Feature("colour", ("blue", "red")), Feature("size")))
ALL = [
    ImageReading(3, 32, 24, "pad"),
    ImageReading(1, 28, 28, "pad", digit=True),
    ROW,
    SeriesReading(150),
    WindowReading(("v", "w"), 12),
]


@pytest.mark.parametrize("reading", ALL, ids=lambda reading: reading.kind)
def test_json_and_back(reading):
    assert reading_from_json(json.loads(json.dumps(reading.to_json()))) == reading


@pytest.mark.parametrize(
    "data",
    [
        None,
        {"kind": "exec"},
        {"kind": ["row"]},
        {"kind": "row"},
        {"kind": "row", "features": [3]},
        {"kind": "series", "length": -1},
        {"kind": "series", "length": "x"},
        {"kind": "window", "columns": [], "length": 3},
        {"kind": "image", "channels": 1, "height": 1, "width": 1, "fit": "melt"},
    ],
)
def test_damaged_readings_are_refused(data):
    with pytest.raises(ValueError, match=r".+"):
        reading_from_json(data)


def test_a_picture():
    path = SAMPLES / "images" / "chelsea_cat.png"
    [(name, pixels)] = ImageReading(3, 32, 32).read(str(path))
    assert name == str(path)
    assert pixels.shape == (3, 32, 32)
    assert pixels.dtype == np.uint8


def test_a_picture_of_a_digit(tmp_path):
    paper = np.full((90, 120, 3), 240, np.uint8)
    paper[20:70, 50:56] = 30
    Image.fromarray(paper).save(tmp_path / "one.png")
    [(_, pixels)] = ImageReading(1, 28, 28, digit=True).read(str(tmp_path / "one.png"))
    assert pixels.shape == (1, 28, 28)
    assert pixels[0, 14, 13:16].max() > 200
    assert pixels[0, :, 0].max() == 0


def test_what_is_no_picture_is_explained(tmp_path):
    (tmp_path / "x.png").write_text("text")
    with pytest.raises(DataError, match=r"x\.png is not a picture"):
        ImageReading(1, 8, 8).read(str(tmp_path / "x.png"))
    with pytest.raises(DataError, match="does not exist"):
        ImageReading(1, 8, 8).read(str(tmp_path / "none.png"))


@pytest.mark.parametrize("text", ["40, red, 1.5", "size=1.5, age=40, colour=red"])
def test_a_typed_row(text):
    [(name, values)] = ROW.read(text)
    assert name == text
    np.testing.assert_array_equal(values, np.float32([40, 0, 1, 1.5]))


def test_a_missing_or_unknown_value():
    [(_, values)] = ROW.read("NA, green, 2")
    assert np.isnan(values[0])
    np.testing.assert_array_equal(values[1:], [0, 0, 2])


def test_rows_of_a_file(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("size,age,colour,more\n1,20,red,x\n2,30,blue,y\n")
    rows = ROW.read(str(path))
    assert [name for name, _ in rows] == [f"{path}:1", f"{path}:2"]
    np.testing.assert_array_equal(rows[1][1], [30, 1, 0, 2])
    path.write_text("20,red,1\n30,blue,2\n")  # without a header, by position
    np.testing.assert_array_equal(ROW.read(str(path))[0][1], [20, 0, 1, 1])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1, 2", "has 2 values, and is no file; the network needs 3"),
        ("x, red, 2", "age: 'x' is not a number"),
        ("inf, red, 2", "not a finite number"),
        ("agge=3, size=2", "no column agge"),
        ("none.csv", "does not exist"),
        ("", "has 0 values"),
    ],
)
def test_bad_rows_are_explained(text, words):
    with pytest.raises(DataError) as caught:
        ROW.read(text)
    assert words in str(caught.value)


def test_a_file_without_a_column_is_explained(tmp_path):
    (tmp_path / "rows.csv").write_text("size,age\n1,20\n")
    with pytest.raises(DataError, match=r"rows\.csv has no column colour"):
        ROW.read(str(tmp_path / "rows.csv"))


def test_series_of_an_archive_file():
    series = SeriesReading(150).read(str(SAMPLES / "series" / "gunpoint_test.csv"))
    assert len(series) == 150
    assert series[0][1].shape == (150, 1)
    with pytest.raises(DataError, match="has 150 numbers a row; the network needs 96"):
        SeriesReading(96).read(str(SAMPLES / "series" / "gunpoint_test.csv"))
    np.testing.assert_array_equal(SeriesReading(3).read("1, 2, 3")[0][1], [[1], [2], [3]])


def test_the_end_of_a_series_is_what_a_forecast_needs(tmp_path):
    path = str(SAMPLES / "series" / "airline_passengers.csv")
    [(_, values)] = WindowReading(("passengers",), 12).read(path)
    assert values.shape == (12, 1)
    assert values[-1, 0] == 432
    with pytest.raises(DataError, match="has 144 values of passengers; a forecast needs the last"):
        WindowReading(("passengers",), 200).read(path)
    [(_, typed)] = WindowReading(("v",), 2).read("5, 6, 7")
    np.testing.assert_array_equal(typed, [[6], [7]])
    with pytest.raises(DataError, match="give a CSV file with the columns v, w"):
        WindowReading(("v", "w"), 2).read("5, 6")
