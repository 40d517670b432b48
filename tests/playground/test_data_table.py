"""Tables as data: roles, categories, missing values, scaling, and bad columns."""

import datetime

import numpy as np
import polars as pl
import pytest

from playground.data import DataError, DataSettings, SplitSettings, open_data

HEADER = "size,weight,colour,label\n"
ROWS = "".join(
    f"{i},{i * 2.5},{'red' if i % 3 else 'blue'},{'big' if i > 30 else 'small'}\n"
    for i in range(60)
)


def opened(folder, content, split=None, **options):
    (folder / "data.csv").write_text(content, encoding="utf-8")
    settings = DataSettings("table", {"path": "data.csv", **options}, split or SplitSettings())
    return open_data(settings, folder)


def test_classification(tmp_path):
    data = opened(tmp_path, HEADER + ROWS)
    assert data.task == "classification"
    assert data.classes == ("big", "small")
    assert str(data.inputs["features"].shape) == "4"  # two numbers, two colours
    assert data.summary == "60 rows · 3 features · 2 classes"
    batch = data.batch(data.splits["train"])
    assert batch["features"].dtype == np.float32
    assert batch["label"].dtype == np.int64
    np.testing.assert_allclose(batch["features"][:, :2].mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(batch["features"][:, :2].std(axis=0), 1, atol=1e-5)
    assert set(np.unique(batch["features"][:, 2:])) == {0.0, 1.0}


def test_regression_is_scaled_and_has_its_unit(tmp_path):
    data = opened(tmp_path, HEADER + ROWS, target="weight", unit="kg")
    assert data.task == "regression"
    column = data.targets["value"]
    assert column.unit == "kg"
    prepared = data.batch(data.splits["train"])["value"]
    assert prepared.shape == (len(data.splits["train"]), 1)
    assert abs(prepared.mean()) < 1e-5
    np.testing.assert_allclose(
        column.preprocessing.inverse(prepared), column.take(data.splits["train"]), rtol=1e-4
    )
    assert data.describe(4) == "10 kg"


def test_fitted_on_the_training_rows_alone(tmp_path):
    first = opened(tmp_path, HEADER + ROWS, target="label")
    row = int(first.splits["test"][0])
    lines = ROWS.splitlines()
    cells = lines[row].split(",")
    lines[row] = ",".join(["1e6", *cells[1:]])
    second = opened(tmp_path, HEADER + "\n".join(lines), target="label")
    assert first.inputs["features"].preprocessing == second.inputs["features"].preprocessing


def test_whole_numbers_that_repeat_are_classes_and_many_are_values(tmp_path):
    rows = "".join(f"{i},{i % 4}\n" for i in range(80))
    assert opened(tmp_path, "x,y\n" + rows).task == "classification"
    rows = "".join(f"{i},{i * i}\n" for i in range(80))
    assert opened(tmp_path, "x,y\n" + rows).task == "regression"
    assert opened(tmp_path, "x,y\n" + rows, target="x", task="classification").counts().sum() == 80


def test_missing_values_are_filled_or_dropped(tmp_path):
    content = HEADER + ROWS.replace("\n4,10.0,red,", "\n4,,red,").replace(
        "\n5,12.5,red,", "\n5,NA,,"
    )
    filled = opened(tmp_path, content)
    assert len(filled) == 60
    assert "2 rows with missing numbers filled" in filled.notes[0]
    assert np.isfinite(filled.batch(range(60))["features"]).all()
    dropped = opened(tmp_path, content, missing="drop")
    assert len(dropped) == 58
    without = opened(tmp_path, content.replace("\n6,15.0,blue,small", "\n6,15.0,blue,"))
    assert len(without) == 59
    assert "1 row without label left out." in without.notes


def test_scaling_can_be_chosen(tmp_path):
    ranged = opened(tmp_path, HEADER + ROWS, scaling="range")
    values = ranged.batch(ranged.splits["train"])["features"]
    assert values.min() == 0
    assert values.max() == 1
    raw = opened(tmp_path, HEADER + ROWS, scaling="none", features="size")
    np.testing.assert_array_equal(raw.batch([7])["features"], [[7.0]])


def test_dates_and_free_texts_are_left_out_with_a_note(tmp_path):
    rows = "".join(f"2024-01-{i % 28 + 1:02d},note {i},{i},{'ab'[i % 2]}\n" for i in range(60))
    data = opened(tmp_path, "when,remark,x,label\n" + rows)
    assert data.inputs["features"].shape.elements == 1
    assert len(data.notes) == 2
    assert "when holds dates" in data.notes[0]


@pytest.mark.parametrize(
    ("change", "options", "words"),
    [
        (("\n7,17.5", "\n7,heavy"), {}, "row 9 of column weight is 'heavy', which is no number"),
        (("\n7,17.5", "\n7,inf"), {}, "row 9 of column weight is infinite"),
        (("\n7,17.5", "\n7,1e300"), {}, "row 9 of column weight is infinite or too large"),
        (("big", "small"), {}, "one class only (small)"),
        (None, {"target": "wieght"}, "did you mean weight?"),
        (None, {"features": "size, label"}, "label is the target"),
        (None, {"features": "size, size"}, "name a column twice"),
        (None, {"features": "sice"}, "did you mean size?"),
        (None, {"task": "regression"}, "row 2 of column label is 'small', which is no number"),
        (None, {"scaling": "sideways"}, "Scaling is one of"),
        (None, {"path": ""}, "no file is chosen"),
        (None, {"path": "a\0b"}, "NUL"),
        (None, {"path": "sample:../SOURCES.md"}, "no bundled sample"),
    ],
)
def test_bad_tables_are_explained(tmp_path, change, options, words):
    content = HEADER + ROWS
    if change:
        assert change[0] in content
        content = content.replace(*change)
    with pytest.raises(DataError) as caught:
        opened(tmp_path, content, **options)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_constant_targets_and_too_few_rows_are_explained(tmp_path):
    with pytest.raises(DataError, match="is 3 in every row"):
        opened(tmp_path, "x,y\n" + "1,3\n" * 20, task="regression")
    with pytest.raises(DataError, match="has one column"):
        opened(tmp_path, "x\na\nb\n")
    with pytest.raises(DataError, match="none is left for training"):
        opened(tmp_path, HEADER + ROWS, SplitSettings(40, 40))


def test_a_column_that_is_empty_in_training_does_not_break(tmp_path):
    rows = "".join(f"{i},,{'ab'[i % 2]}\n" for i in range(30))
    data = opened(tmp_path, "x,nothing,label\n" + rows)
    assert "nothing" in data.notes[0]


def test_a_class_with_one_row_is_used_for_training(tmp_path):
    data = opened(tmp_path, HEADER + ROWS + "99,1,red,huge\n")
    assert data.counts("train")[data.classes.index("huge")] == 1
    assert any("huge has one sample only" in note for note in data.notes)


@pytest.mark.parametrize("dates", [True, False])
def test_a_number_beside_dates_or_alone_is_a_series_to_forecast(tmp_path, dates):
    start = datetime.date(2020, 1, 1)
    rows = [f"{start + datetime.timedelta(day)},{day % 7}.5" for day in range(120)]
    lines = ["day,sales", *rows] if dates else ["sales", *(row.split(",")[1] for row in rows)]
    (tmp_path / "sales.csv").write_text("\n".join(lines))
    dataset = open_data(DataSettings("table", {"path": "sales.csv"}), tmp_path)
    assert dataset.task == "forecast"
    asked = DataSettings("table", {"path": "sales.csv", "task": "regression"})
    with pytest.raises(DataError, match="one column" if not dates else "no column to learn from"):
        open_data(asked, tmp_path)


DATED = "when,shop,x,label\n" + "".join(
    f"2024-{1 + i % 12:02d}-{1 + i % 28:02d} {i % 24:02d}:00,{'nsew'[i // 15]},{i},{'ab'[i % 2]}\n"
    for i in range(60)
)


def test_dates_are_features_where_they_are_chosen(tmp_path):
    data = opened(tmp_path, DATED, features="when,x")
    feature = data.inputs["features"].reading.features[0]
    assert feature.parts == ("month", "weekday", "hour")
    raw = data.raw([18])["features"][0]
    hour = 18 / 24 * 2 * np.pi
    np.testing.assert_allclose(raw[4:6], [np.sin(hour), np.cos(hour)], atol=1e-6)
    prepared = data.batch(range(60))["features"]
    np.testing.assert_allclose(prepared[:, :6], data.raw(range(60))["features"][:, :6], atol=1e-6)
    reading = type(data.inputs["features"].reading).from_json(
        data.inputs["features"].reading.to_json()
    )
    [(_, typed)] = reading.read("2024-07-19 18:00, 18")
    np.testing.assert_allclose(typed, raw, atol=1e-6)
    assert feature.decode(raw[:6]) == "2024-07-19 18:00"
    for row in range(60):
        values = data.raw([row])["features"][0, :6]
        np.testing.assert_allclose(feature.encode(feature.decode(values)), values, atol=1e-5)
    with pytest.raises(DataError, match="is not a date"):
        reading.read("yesterday, 18")


def test_days_and_months_are_read_as_in_the_table(tmp_path):
    rows = "".join(f"{1 + i % 28:02d}/{1 + i % 12:02d}/2024,{'ab'[i % 2]}\n" for i in range(60))
    data = opened(tmp_path, "when,label\n" + rows, features="when")
    reading = data.inputs["features"].reading
    assert reading.features[0].pattern == "%d/%m/%Y"
    [(_, typed)] = reading.read("when=03/04/2024")
    [(_, april)] = reading.read("when=2024-04-03")
    np.testing.assert_array_equal(typed, april)


def test_a_missing_date_is_filled(tmp_path):
    content = DATED.replace("\n2024-08-20 19:00,", "\n,")
    data = opened(tmp_path, content, features="when")
    batch = data.batch(range(60))["features"]
    assert np.isfinite(batch).all()
    np.testing.assert_array_equal(batch[19], np.zeros(6))


def test_types_can_be_set(tmp_path):
    data = opened(tmp_path, HEADER + ROWS, types="size=category", features="size")
    assert data.inputs["features"].shape.elements == 60
    with pytest.raises(DataError, match="it is one of number, category, date, text"):
        opened(tmp_path, HEADER + ROWS, types="size=colour")
    with pytest.raises(DataError, match="write the column, =, and its setting"):
        opened(tmp_path, HEADER + ROWS, types="size")
    with pytest.raises(DataError, match="choose the source Text"):
        opened(tmp_path, HEADER + ROWS, types="colour=text", features="colour")


def test_filling_and_scaling_of_single_columns(tmp_path):
    gaps = HEADER + ROWS.replace("\n4,10.0,", "\n,10.0,").replace("\n6,15.0,", "\n6,,")
    data = opened(
        tmp_path, gaps, features="size,weight", fillings="size=median,weight=7",
        scalings="size=none,weight=range",
    )  # fmt: skip
    fill, scale = data.inputs["features"].preprocessing.steps
    train = data.raw(data.splits["train"])["features"]
    assert fill.values[0] == pytest.approx(np.nanmedian(train[:, 0]))
    assert fill.values[1] == 7
    assert (scale.mean[0], scale.std[0]) == (0, 1)
    assert scale.mean[1] == np.nanmin(train[:, 1])
    assert "filled as set for each column" in data.notes[0]
    dropped = opened(tmp_path, gaps, features="size,weight", fillings="size=drop")
    assert len(dropped) == 59
    constant = opened(tmp_path, gaps, features="size", missing="constant", constant=-1.0)
    assert constant.inputs["features"].preprocessing.steps[0].values == (-1,)
    assert "filled with -1" in constant.notes[0]
    with pytest.raises(DataError, match="size=middle is not understood"):
        opened(tmp_path, gaps, features="size", fillings="size=middle")


def test_statistics_are_those_of_the_definition(tmp_path):
    data = opened(tmp_path, HEADER + ROWS, features="size,weight")
    train = data.raw(data.splits["train"])["features"].astype(np.float64)
    [_, scale] = data.inputs["features"].preprocessing.steps
    np.testing.assert_allclose(scale.mean, train.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(scale.std, train.std(axis=0), rtol=1e-6)


def test_groups_are_kept_together(tmp_path):
    split = SplitSettings(0.25, 0.25, "group")
    data = opened(tmp_path, DATED, split, group="shop")
    assert data.groups.what == "shop"
    assert data.groups.names == ("e", "n", "s", "w")
    parts = [set(data.groups.codes[data.splits[k]]) for k in ("train", "validation", "test")]
    assert sorted(len(part) for part in parts) == [1, 1, 2]
    assert not parts[0] & parts[1] | parts[0] & parts[2] | parts[1] & parts[2]
    assert data.inputs["features"].reading.features[0].name == "x"
    lonely = opened(tmp_path, DATED.replace("00,n,3,", "00,,3,"), split, group="shop")
    assert "row 5" in lonely.groups.names


def test_a_split_in_time_goes_by_the_time_column(tmp_path):
    data = opened(tmp_path, DATED, SplitSettings(0.2, 0.2, "time"), time="x")
    values = data.raw(range(60))["features"]
    assert data.inputs["features"].shape.elements == 4  # the shops; time is no feature
    assert values.shape == (60, 4)
    assert data.splits["test"].tolist() == list(range(48, 60))
    with pytest.raises(DataError, match="row 5 has no x: fill it"):
        opened(tmp_path, DATED.replace(",n,3,", ",n,,"), time="x")
    with pytest.raises(DataError, match="cannot also be the time"):
        opened(tmp_path, DATED, time="label", target="label")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("x,y,label\n" + "1,2,\n" * 20, "column label is empty"),
        ("x,y,label\n" + "1,,a\n1,,b\n" * 20, "Column y is empty"),
        ("x,y,label\n" + "1,2,a\n1,3,b\n" * 20, "Feature x is the same in every row"),
        ("x,label\n" + "1,a\nnan,b\n2,a\n" * 10, "10 rows with missing numbers filled"),
        ("x,label\n" + "1,a\n\n2,b\n" * 10, "10 rows without label left out"),
        ("x,label\n1,a\n2\n" + "1,a\n3,b\n" * 10, "Row 3 has 1 value instead of 2"),
        ("x,label\n" + "1,a\n2,b\n" * 10 + "3,b,4\n", "row 22 has 3 values, but the first has 2"),
        ("x,x,label\n" + "1,2,a\n2,3,b\n" * 10, "Two columns are called x"),
    ],
)
def test_odd_tables_are_told(tmp_path, content, words):
    said = ""
    try:
        data = opened(tmp_path, content)
        said = " ".join(data.notes)
        assert np.isfinite(data.batch(range(len(data)))["features"]).all()
    except DataError as error:
        said = str(error)
    assert words in said


def test_uneven_rows_are_cut_or_left_out(tmp_path):
    content = "x,label\n" + "1,a\n2,b\n" * 10 + "3,b,4\n5\nseven,a\n"
    with pytest.raises(DataError, match="choose what is done with uneven rows"):
        opened(tmp_path, content)
    with pytest.raises(DataError, match="row 24 of column x is 'seven'"):
        opened(tmp_path, content, uneven="cut")
    with pytest.raises(DataError, match="row 24 of column x is 'seven'"):
        opened(tmp_path, content, uneven="skip")
    data = opened(tmp_path, content.replace("seven", "7"), uneven="skip")
    assert len(data) == 21
    assert [(item.name, item.reason) for item in data.skipped] == [
        ("row 22", "3 values instead of 2"),
        ("row 23", "1 value instead of 2"),
    ]
    assert len(opened(tmp_path, content.replace("seven", "7"), uneven="cut")) == 22


def test_what_is_wrong_far_down_is_found(tmp_path):
    """Beyond the rows by which types are guessed."""
    rows = ["x,kind,label"] + [f"{i},{'uv'[i % 2]},{'ab'[i % 2]}" for i in range(6000)]
    fraction = opened(tmp_path, "\n".join([*rows, "0.5,u,a"]))
    assert fraction.raw([6000])["features"][0, 0] == 0.5
    with pytest.raises(DataError, match="row 6002 of column x is 'many'"):
        opened(tmp_path, "\n".join([*rows, "many,u,a"]))
    missing = opened(tmp_path, "\n".join([*rows, "NA,u,a"]))
    assert "1 row with missing numbers" in missing.notes[0]
    with pytest.raises(DataError, match="NUL byte in row 6002"):
        opened(tmp_path, "\n".join([*rows, "1,u\0,a"]))
    path = tmp_path / "old.csv"
    path.write_bytes("\n".join([*rows, "1,é,a"]).encode("cp1252"))
    old = open_data(DataSettings("table", {"path": str(path)}), tmp_path)
    assert "read as Windows-1252" in old.notes[0]
    assert "é" in old.inputs["features"].reading.features[1].categories
    with pytest.raises(DataError, match=r"is not UTF-8 \(row 6002\)"):
        open_data(DataSettings("table", {"path": str(path), "encoding": "utf-8"}), tmp_path)


def test_utf_16_without_a_mark_and_a_set_decimal_mark(tmp_path):
    path = tmp_path / "wide.csv"
    path.write_bytes((HEADER + ROWS).encode("utf-16-le"))
    assert len(open_data(DataSettings("table", {"path": str(path)}), tmp_path)) == 60
    content = "x;y;label\n" + "".join(f"1,{i % 9};{i};{'ab'[i % 2]}\n" for i in range(40))
    assert opened(tmp_path, content, features="x").raw([3])["features"][0, 0] == np.float32(1.3)
    as_texts = opened(tmp_path, content, features="x", decimal="point", types="x=category")
    assert as_texts.inputs["features"].shape.elements == 9


def test_projects_from_before_open(tmp_path):
    old = {"task": "classification", "target": "label", "features": "size, colour",
           "missing": "fill", "scaling": "standardize", "header": "yes"}  # fmt: skip
    assert len(opened(tmp_path, HEADER + ROWS, **old)) == 60


def test_the_matrix_is_as_the_rows_are(tmp_path):
    """Through blocks and categories, compared cell by cell."""
    count = 40_000
    frame = pl.DataFrame(
        {"x": np.arange(count) * 0.25, "n": np.arange(count) % 977,
         "kind": [("r", "s", None)[i % 3] for i in range(count)],
         "label": ["ab"[i % 2] for i in range(count)]}
    )  # fmt: skip
    frame.write_csv(tmp_path / "long.csv")
    data = open_data(DataSettings("table", {"path": "long.csv"}), tmp_path)
    values = data.raw(range(count))["features"]
    np.testing.assert_array_equal(values[:, 0], np.arange(count, dtype=np.float32) * 0.25)
    np.testing.assert_array_equal(values[:, 1], np.arange(count) % 977)
    np.testing.assert_array_equal(values[:, 2], np.arange(count) % 3 == 0)
    np.testing.assert_array_equal(values[:, 3], np.arange(count) % 3 == 1)


def test_categories_are_those_of_the_training_rows(tmp_path):
    rows = [f"{'red' if i % 2 else 'blue'},{i},{i % 2}" for i in range(40)] + ["green,40,1"]
    text = "\n".join(["colour,when,label", *rows])
    settings = SplitSettings(1, 1, "time")
    found = opened(tmp_path, text, settings, time="when", features="colour", target="label")
    column = found.inputs["features"]
    assert column.take(np.asarray([40, 1, 0])).tolist() == [[0, 0, 0], [0, 0, 1], [1, 0, 0]]
    assert column.reading.read("green")[0][1].tolist() == [0, 0, 0]


def test_a_table_of_many_columns_is_filled_and_scaled_like_one_of_few(tmp_path):
    random = np.random.default_rng(0)
    cells = random.normal(3, 2, (20, 1100)).round(3).astype(str)
    cells[4, 7] = ""
    wide = [[*row, "ab"[place % 2]] for place, row in enumerate(cells.tolist())]
    narrow = [[row[7], row[1099], row[1100]] for row in wide]
    found = []
    for rows in (wide, narrow):
        names = [f"c{place}" for place in range(len(rows[0]) - 1)]
        text = "\n".join(",".join(row) for row in [[*names, "label"], *rows])
        found.append(opened(tmp_path, text, missing="median").batch(np.arange(20))["features"])
    np.testing.assert_array_equal(found[0][:, [7, 1099]], found[1])


@pytest.mark.parametrize("options", [{"constant": 1e39}, {"fillings": "size=1e39"}])
def test_missing_numbers_are_not_filled_with_what_float32_cannot_hold(tmp_path, options):
    with pytest.raises((DataError, ValueError), match=r"1e\+?39"):
        opened(tmp_path, HEADER + ROWS, missing="constant", **options)
