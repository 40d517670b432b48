"""Reading tables: what is guessed, and what is said of files that cannot be read."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from playground.data import DataError, DataSettings, inspect_table, open_data
from playground.data.csv_format import CsvOptions
from playground.data.csv_reading import fields, joined, read_table


def written(folder, content, name="data.csv"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    ("content", "columns", "first"),
    [
        ("a,b\n1,2\n", ["a", "b"], (1, 2)),
        ("a;b\n1,5;2\n", ["a", "b"], (1.5, 2)),
        ("a\tb\n1\t2\n", ["a", "b"], (1, 2)),
        ("a|b\n1|2\n", ["a", "b"], (1, 2)),
        ("\ufeffa,b\n1,2\n", ["a", "b"], (1, 2)),
        ("a,b\n1,é\n".encode("utf-16"), ["a", "b"], (1, "é")),
        ("a,b\n1,é\n".encode("cp1252"), ["a", "b"], (1, "é")),
        ("a,b\r\n1,2\r\n", ["a", "b"], (1, 2)),
        ("a,b\r1,2\r", ["a", "b"], (1, 2)),
        (' a ,b\n1,"x, y"\n', ["a", "b"], (1, "x, y")),
        ("v\n1\n2\n\n\n", ["v"], (1,)),
        ("name,colour\nann,red\nbob,blue\n", ["name", "colour"], ("ann", "red")),
    ],
)
def test_formats_are_guessed(tmp_path, content, columns, first):
    table = read_table(written(tmp_path, content))
    assert table.frame.columns == columns
    assert table.frame.row(0) == first
    assert table.header


def test_a_file_without_header_gets_column_numbers(tmp_path):
    table = read_table(written(tmp_path, "1,2\n3,4\n"))
    assert not table.header
    assert table.frame.height == 2


def test_what_was_guessed_can_be_set(tmp_path):
    path = written(tmp_path, "1,2\n3,4\n")
    assert read_table(path, CsvOptions(header="yes")).frame.height == 1
    assert read_table(path, CsvOptions(delimiter=";")).frame.width == 1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (b"a,b\n", "no rows"),
        (b"a,b\n1,2\n3,4,5\n", "row 3 has 3 values, but the first has 2"),
        (b"a,b\n1,2\n3\0,4\n", "NUL byte in row 3"),
        (b"\x89PNG\r\n\x1a\n\0\0", "NUL byte"),
        (b'a,b\n"x,1\n2,3\n', "row 2 is never closed"),
        (b'a,"b\n1,2\n3,4\n', "row 1 is never closed"),
        (
            b",".join(b"c%d" % i for i in range(100_001)) + b"\n",
            "100,001 columns, more",
        ),
        ("a\0,b\n1,2\n".encode("utf-16"), "NUL byte in row 1"),
        (b"\xff\xfea", "is not UTF-16"),
    ],
)
def test_bad_files_are_explained(tmp_path, content, words):
    with pytest.raises(DataError) as caught:
        read_table(written(tmp_path, content))
    assert words in str(caught.value)
    assert "data.csv" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_files_and_folders_are_explained(tmp_path):
    with pytest.raises(DataError, match="does not exist"):
        read_table(tmp_path / "none.csv")
    with pytest.raises(DataError, match="is a folder"):
        read_table(tmp_path)


def test_a_set_encoding_that_is_wrong_is_explained(tmp_path):
    path = written(tmp_path, b"a,b\n1,2\n3,caf\xe9\n")
    with pytest.raises(DataError, match=r"is not UTF-8 \(row 3\)"):
        read_table(path, CsvOptions(encoding="utf-8"))
    assert "Windows-1252" in read_table(path).notes[0]


def test_doubled_names_are_noted(tmp_path):
    table = read_table(written(tmp_path, "a,a\n1,2\n"))
    assert len(set(table.frame.columns)) == 2
    assert "Two columns are called a" in table.notes[0]


def test_preview(tmp_path):
    content = "when,kind,size,remark\n2024-01-01,x,1.5,one\n2024-01-02,y,,two\n2024-01-03,x,3,six\n"
    preview = inspect_table(written(tmp_path, content))
    assert [column.type for column in preview.columns] == ["date", "category", "number", "category"]
    assert [column.missing for column in preview.columns] == [0, 0, 1, 0]
    assert preview.rows[1] == ("2024-01-02", "y", "", "two")
    assert preview.complete
    assert preview.delimiter == ","


def test_preview_of_a_long_table_is_its_beginning(tmp_path):
    path = written(tmp_path, "a\n" + "1\n" * 20_000)
    preview = inspect_table(path)
    assert not preview.complete
    assert len(preview.rows) == 50


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0")), min_size=1))
def test_names_join_and_divide(names):
    names = [name.strip() for name in names if name.strip()]
    if names:
        assert fields(joined(names)) == names


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_damaged_tables_are_opened_or_explained(tmp_path, data):
    """Bytes changed at random: a data set, or one sentence."""
    content = bytearray(
        b"x;y;label\n" + b"".join(b"%d,5;%d;%d\n" % (i, i % 7, i % 2) for i in range(40))
    )
    for _ in range(data.draw(st.integers(1, 8))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    path = written(tmp_path, bytes(content))
    problem, batch = "", {}
    try:
        dataset = open_data(DataSettings("table", {"path": str(path)}), tmp_path)
        batch = dataset.batch(dataset.splits["train"])
    except DataError as error:
        problem = str(error)
    assert bool(problem) != bool(batch)
    assert "\n" not in problem
    assert all(np.isfinite(values).all() for values in batch.values())


def test_a_name_with_blanks_in_a_column_that_is_not_read(tmp_path):
    path = tmp_path / "blanks.csv"
    path.write_bytes(b"\tx,y\n1,2\n3,4\n")
    head = read_table(path, rows=1)
    whole = read_table(path, head=head, columns=["y"])
    assert whole.frame.to_dict(as_series=False) == {"y": [2, 4]}
