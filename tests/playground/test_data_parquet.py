"""Parquet and Arrow tables: the same data as CSV, and what cannot be read."""

import datetime
import random

import numpy as np
import polars as pl
import pytest

from playground.data import DataError, DataSettings, inspect_table, open_data
from tests.playground.test_fuzz import damaged

ROWS = pl.DataFrame(
    {
        "day": [datetime.date(2024, 1, 1) + datetime.timedelta(n) for n in range(60)],
        "x": [n * 0.5 for n in range(60)],
        "y": [n % 7 for n in range(60)],
        "label": ["abc"[n % 3] for n in range(60)],
    }
)


def opened(path, **options):
    return open_data(DataSettings("table", {"path": path.name, **options}), path.parent)


def test_the_same_as_csv(tmp_path):
    ROWS.write_parquet(tmp_path / "t.parquet")
    ROWS.write_ipc(tmp_path / "t.feather")
    ROWS.write_csv(tmp_path / "t.csv")
    found = [opened(tmp_path / f"t.{ending}") for ending in ("csv", "parquet", "feather")]
    for other in found[1:]:
        assert other.notes == found[0].notes
        for name, values in found[0].batch(range(60)).items():
            np.testing.assert_allclose(other.batch(range(60))[name], values, rtol=1e-6)


def test_dates_of_their_own_type(tmp_path):
    ROWS.write_parquet(tmp_path / "t.parquet")
    preview = inspect_table(tmp_path / "t.parquet")
    assert [column.type for column in preview.columns] == ["date", "number", "number", "category"]
    assert (preview.columns[0].first, preview.columns[0].last) == ("2024-01-01", "2024-02-29")
    assert preview.encoding == "Parquet"
    data = opened(tmp_path / "t.parquet", features="day,x")
    assert data.inputs["features"].reading.features[0].parts == ("year", "month", "weekday")[1:]
    forecast = opened(tmp_path / "t.parquet", task="forecast", target="x", window=5)
    assert forecast.captions[0] == "2024-01-06"


def test_columns_that_no_network_takes_are_left_out(tmp_path):
    frame = ROWS.with_columns(
        nested=pl.lit([1, 2]), raw=pl.lit(b"x"), span=pl.lit(datetime.timedelta(hours=1)),
        kind=pl.col("label").cast(pl.Categorical), yes=pl.col("y") > 3,
        price=pl.col("x").cast(pl.Decimal(10, 2)),
    )  # fmt: skip
    frame.write_parquet(tmp_path / "t.parquet")
    data = opened(tmp_path / "t.parquet", target="label")
    assert "Column nested holds lists or records, so it was left out." in data.notes
    assert "Column raw holds bytes, so it was left out." in data.notes
    names = [feature.name for feature in data.inputs["features"].reading.features]
    assert names == ["x", "y", "span", "kind", "yes", "price"]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("t.parquet", b"", "is empty"),
        ("t.parquet", b"a,b\n1,2\n", "is no Parquet file, though its name says so"),
        ("t.feather", b"a,b\n1,2\n", "is no Arrow file"),
        ("t.parquet", b"PAR1" + b"\1" * 40 + b"PAR1", "cannot be read as a Parquet file"),
        ("t.csv", b"PAR1", "cannot be read as a Parquet file"),
        ("t.csv", b"PK\3\4xl", "an Excel workbook"),
        ("t.csv", b"\x1f\x8b\x08", "compressed"),
    ],
)
def test_what_cannot_be_read_is_explained(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError) as caught:
        opened(tmp_path / name)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "count",
    [pytest.param(50, id="few"), pytest.param(2000, id="many", marks=pytest.mark.full)],
)
@pytest.mark.parametrize("kind", ["parquet", "feather", "ts"])
def test_damaged_files(tmp_path, kind, count):
    """Bytes changed at random: a data set, or one sentence."""
    path = tmp_path / f"t.{kind}"
    source = "series" if kind == "ts" else "table"
    if kind == "parquet":
        ROWS.write_parquet(path)
    elif kind == "feather":
        ROWS.write_ipc(path)
    else:
        lines = [f"{n},{n + 1},?:{n},2,3:{'ab'[n % 2]}" for n in range(40)]
        path.write_text("\n".join(["@classLabel true a b", "@data", *lines]))
    dice, content = random.Random(count), path.read_bytes()
    for _ in range(count):
        path.write_bytes(damaged(content, dice))
        said = "read"
        try:
            data = open_data(DataSettings(source, {"path": path.name}), tmp_path)
            assert all(np.isfinite(v).all() for v in data.batch(data.splits["train"]).values())
        except DataError as error:
            said = str(error)
        assert said
        assert "\n" not in said
