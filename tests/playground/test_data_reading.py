"""Inputs of one's own: pictures, rows, series, and the past of a forecast."""

import json

import numpy as np
import pytest
from PIL import Image

from playground.data import DataError
from playground.data.csv_format import CsvOptions
from playground.data.reading import Feature, ImageReading, RowReading, reading_from_json
from playground.data.series_reading import SeriesReading, WindowReading
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
        {"kind": "row", "features": []},
        {"kind": "window", "columns": ["v", "v"], "length": 2},
        {"kind": "sound", "rate": 16000, "steps": 10**12, "take": "start"},
        {"kind": "row", "features": [{"name": "v", "categories": ["x"] * 1001}]},
        {"kind": "row", "features": [3]},
        {"kind": "series", "length": -1},
        {"kind": "series", "length": "x"},
        {"kind": "window", "columns": [], "length": 3},
        {"kind": "image", "channels": 1, "height": 1, "width": 1, "fit": "melt"},
        {"kind": "image", "channels": 1, "height": 10**12, "width": 1, "fit": "crop"},
        {"kind": "image", "channels": 7, "height": 8, "width": 8, "fit": "crop"},
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


def test_a_window_is_read_in_the_order_of_time_and_filled_as_in_training(tmp_path):
    rows = ["day,shop,v,w", "2024-01-04,a,,8", "2024-01-03,a,3,6", "2024-01-02,a,2,4"]
    path = tmp_path / "newest first.csv"
    path.write_text("\n".join([*rows, "2024-01-05,a,,"]))
    reading = WindowReading(("v", "w"), 2, "shop", "day")
    [(_, values)] = WindowReading.from_json(reading.to_json()).read(str(path))
    np.testing.assert_array_equal(values, [[3, 6], [3, 8]])  # the row without any does not count


def test_series_are_read_in_the_order_of_time_and_filled_as_in_training(tmp_path):
    path = tmp_path / "steps.csv"
    path.write_text("case,t,v\n1,2,\n1,3,6\n1,1,4\n2,1,9\n2,2,8\n")
    reading = SeriesReading(None, 1, ("v",), "case", "t")
    (_, first), (_, second) = SeriesReading.from_json(reading.to_json()).read(str(path))
    assert (first[:, 0].tolist(), second[:, 0].tolist()) == ([4, 4, 6], [9, 8])


def test_the_label_of_a_series_is_found_wherever_it_stands(tmp_path):
    path = tmp_path / "last.csv"
    path.write_text("a,b,c,label\n1,2,3,7\n4,,6,8\n")
    found = [values[:, 0].tolist() for _, values in SeriesReading(3).read(str(path))]
    assert found == [[1, 2, 3], [4, 4, 6]]


def test_a_case_without_a_label_can_be_asked_about(tmp_path):
    path = tmp_path / "new.ts"
    path.write_text("@classLabel false\n@data\n1,2:3,4\n")
    [(_, values)] = SeriesReading(None, 2).read(str(path))
    np.testing.assert_array_equal(values, [[1, 3], [2, 4]])


@pytest.mark.parametrize(
    ("categories", "cell", "known"),
    [
        (("1", "10"), "01", [1, 0]),
        (("1.0", "2.5"), "1", [1, 0]),
        (("false", "true"), "True", [0, 1]),
        (("1", "01"), "01", [0, 1]),
        (("a", "b"), "A", [0, 0]),
    ],
)
def test_a_category_in_another_spelling(categories, cell, known):
    assert Feature("x", categories).encode(cell) == known


def test_a_row_is_read_in_the_format_of_the_training_table(tmp_path):
    path = tmp_path / "one.csv"
    path.write_text("v;note\n1,5;well, so it is\n")  # its own commas hide the decimal mark
    reading = RowReading((Feature("v"),), CsvOptions(decimal="comma"))
    [(_, values)] = RowReading.from_json(reading.to_json()).read(str(path))
    assert values.tolist() == [1.5]
    path.write_text("v,w\n1.5,2\n")  # a mark of its own beside another delimiter
    assert reading.read(str(path))[0][1].tolist() == [1.5]


@pytest.mark.parametrize("format", [3, {"delimiter": "xx"}, {"header": None}, {"encoding": 1}])
def test_an_impossible_format_is_refused(format):
    with pytest.raises(ValueError, match=r"format|delimiter|header|encoding"):
        reading_from_json({"kind": "row", "features": [{"name": "v"}], "format": format})
