"""Tables as data: roles, categories, missing values, scaling, and bad columns."""

import datetime

import numpy as np
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
