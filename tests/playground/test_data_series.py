"""Labelled series: a row, a case or a step at a time; several channels, lengths of their own."""

import numpy as np
import pytest
import torch

from models.build import build
from models.shapes import infer
from playground.data import DataError, DataSettings, SplitSettings, open_data
from playground.data.series_reading import SeriesReading
from playground.starter import starter_graph

HEAD = "@problemName Steps\n@timeStamps false\n@classLabel true walk rest\n@data\n"


def opened(folder, name, content, split=None, **options):
    (folder / name).write_text(content, encoding="utf-8")
    settings = DataSettings("series", {"path": name, **options}, split or SplitSettings(0.2, 0.2))
    return open_data(settings, folder)


def cases(count=20, channels=2, longest=9):
    """Lines of a .ts file, with lengths from 3 on."""
    lines = []
    for case in range(count):
        steps = 3 + case % (longest - 2)
        dims = [",".join(f"{case + d * 100 + t}" for t in range(steps)) for d in range(channels)]
        lines.append(":".join([*dims, "walk" if case % 2 else "rest"]))
    return "\n".join(lines)


def test_a_ts_file_of_several_channels_and_lengths(tmp_path):
    data = opened(tmp_path, "steps.ts", "# a comment\n" + HEAD + cases())
    column = data.inputs["series"]
    assert str(column.shape) == "T × F 2"
    assert data.classes == ("rest", "walk")
    assert data.summary == "20 series · 3–9 steps · 2 channels · 2 classes"
    assert column.lengths.tolist()[:3] == [3, 4, 5]
    raw = data.raw([1])
    np.testing.assert_array_equal(raw["series"][0], [[1, 101], [2, 102], [3, 103], [4, 104]])
    assert raw["series_lengths"].tolist() == [4]


def test_one_length_needs_no_lengths(tmp_path):
    lines = "\n".join(f"{n},{n + 1},{n + 2}:{'ab'[n % 2]}" for n in range(20))
    data = opened(tmp_path, "x.ts", HEAD + lines)
    assert str(data.inputs["series"].shape) == "T 3 × F 1"
    assert data.inputs["series"].lengths is None


def test_time_stamps_missing_values_and_regression(tmp_path):
    head = "@timeStamps true\n@targetlabel true\n@data\n"
    lines = "\n".join(f"(0,{n}),(1,?),(2,{n + 2}):{n * 0.5}" for n in range(20))
    data = opened(tmp_path, "x.ts", head + lines)
    assert data.task == "regression"
    np.testing.assert_array_equal(data.raw([4])["series"][0, :, 0], [4, 4, 6])
    assert data.notes == ("20 missing values filled with the one before.",)
    assert data.raw([4])["value"].tolist() == [[2.0]]


def test_bad_cases_are_left_out_and_listed(tmp_path):
    bad = "1,2:3,4,5:walk\n1,x:3,4:walk\n1,2:walk\n?,?:1,2:walk\n1,2:3,4:\n1e999,1:2,2:rest\n"
    data = opened(tmp_path, "x.ts", HEAD + cases() + "\n" + bad)
    assert len(data) == 20
    assert [item.name for item in data.skipped] == [f"row {row}" for row in range(25, 31)]
    reasons = [item.reason for item in data.skipped]
    assert reasons[0] == "has channels of 2 and 3 steps"
    assert reasons[1] == "has a value that is no number"
    assert reasons[2] == "has 1 channels instead of 2"
    assert reasons[3] == "has a channel without values"
    assert reasons[4] == "has no label"
    assert reasons[5] == "has a value that is infinite or too large"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "has no line @data"),
        (HEAD, "no series that can be used"),
        (HEAD + "x:walk\n", "row 5 has a value that is no number"),
        ("@classLabel false\n@data\n1,2\n", "have no labels"),
        ("\x47\0\0", "is no text"),
        (HEAD + "1,2:walk\n3,4:walk\n", "one class only (walk)"),
    ],
)
def test_bad_ts_files_are_explained(tmp_path, content, words):
    with pytest.raises(DataError) as caught:
        opened(tmp_path, "x.ts", content)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_rows_that_end_early_are_shorter_series(tmp_path):
    rows = "\n".join(f"{'ab'[n % 2]},{n},,{n + 2}" + (",7,8" if n % 3 else ",,") for n in range(30))
    data = opened(tmp_path, "x.csv", "label,t0,t1,t2,t3,t4\n" + rows + "\n,1,2,3,4,5\nc,,,,,\n")
    column = data.inputs["series"]
    assert column.lengths.tolist()[:2] == [3, 5]
    np.testing.assert_array_equal(data.raw([3])["series"][0, :, 0], [3, 3, 5])
    assert [(item.name, item.reason) for item in data.skipped] == [
        ("row 32", "has no label"),
        ("row 33", "has no values"),
    ]


def long_table(count=20):
    rows = ["case,time,x,y,label"]
    for case in range(count):
        steps = [f"{case},{t},{case + t},{t * 2},{'ab'[case % 2]}" for t in range(3 + case % 4)]
        rows += reversed(steps)
    return "\n".join(rows)


def test_a_table_with_a_step_a_row(tmp_path):
    data = opened(tmp_path, "x.csv", long_table())
    assert str(data.inputs["series"].shape) == "T × F 2"
    assert data.captions[:3] == ("0", "1", "10")
    index = data.captions.index("5")
    np.testing.assert_array_equal(data.raw([index])["series"][0], [[5, 0], [6, 2], [7, 4], [8, 6]])
    chosen = opened(tmp_path, "x.csv", long_table(), features="y", group="case", target="label")
    assert str(chosen.inputs["series"].shape) == "T × F 1"
    [(_, values)] = chosen.inputs["series"].reading.read(str(part(tmp_path)))
    np.testing.assert_array_equal(values, [[4], [8]])


def part(folder):
    (folder / "one.csv").write_text("case,time,x,y\n7,0,1,4\n7,1,2,8\n", encoding="utf-8")
    return folder / "one.csv"


def test_a_series_of_two_labels_is_left_out(tmp_path):
    data = opened(tmp_path, "x.csv", long_table() + "\n3,99,1,1,a\n")
    assert data.skipped[0].name == "case 3"
    assert data.skipped[0].reason == "has the labels a and b"


def test_channels_of_two_files_have_to_agree(tmp_path):
    (tmp_path / "x_TEST.ts").write_text(HEAD + cases(channels=3), encoding="utf-8")
    data = opened(tmp_path, "x_TRAIN.ts", HEAD + cases())
    assert "x_TEST.ts lies beside it" in data.notes[-1]
    with pytest.raises(DataError, match=r"has 3 channels, but x_TRAIN\.ts has 2"):
        opened(tmp_path, "x_TRAIN.ts", HEAD + cases(), test_path="x_TEST.ts")
    (tmp_path / "x_TEST.ts").write_text(HEAD + cases(6, longest=20), encoding="utf-8")
    both = opened(tmp_path, "x_TRAIN.ts", HEAD + cases(), test_path="x_TEST.ts")
    assert len(both.splits["test"]) == 6
    assert both.splits["test"].min() == 20


def test_scaling_is_fitted_on_steps_of_the_training_series_alone(tmp_path):
    data = opened(tmp_path, "x.ts", HEAD + cases())
    column = data.inputs["series"]
    train = data.splits["train"]
    steps = np.concatenate([column.values[i, : column.lengths[i]] for i in train])
    [step] = column.preprocessing.steps
    np.testing.assert_allclose(step.mean, steps.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(step.std, steps.std(axis=0), rtol=1e-5)


@pytest.mark.parametrize(
    "reading",
    [SeriesReading(None), SeriesReading(None, 2), SeriesReading(None, 2, ("x", "y"), "case")],
)
def test_readings_are_kept(reading):
    assert SeriesReading.from_json(reading.to_json()) == reading


def test_readings_take_files_and_typed_numbers(tmp_path):
    (tmp_path / "x.ts").write_text(HEAD + cases(4), encoding="utf-8")
    read = SeriesReading(None, 2).read(str(tmp_path / "x.ts"))
    assert [values.shape for _, values in read] == [(3, 2), (4, 2), (5, 2), (6, 2)]
    np.testing.assert_array_equal(SeriesReading(None, 2).read("1,2:3,4")[0][1], [[1, 3], [2, 4]])
    with pytest.raises(DataError, match="1 channels; the network needs 2"):
        SeriesReading(None, 2).read("1,2,3")
    with pytest.raises(DataError, match="different lengths"):
        SeriesReading(None, 2).read("1,2:3")


@pytest.mark.parametrize("kind", ["rnn", "cnn", "hybrid"])
def test_starters_take_any_length_and_padding_changes_nothing(tmp_path, kind):
    data = opened(tmp_path, "x.ts", HEAD + cases())
    graph = starter_graph(data, kind)
    assert infer(graph).ok
    torch.manual_seed(0)
    network = build(graph).module.eval()
    alone = data.batch([0])
    beside = data.batch([0, 6])
    assert beside["series"].shape[1] == 9
    assert alone["series"].shape[1] == 3
    answers = [
        network(torch.from_numpy(batch["series"]), torch.from_numpy(batch["series_lengths"]))
        for batch in (alone, beside)
    ]
    torch.testing.assert_close(answers[0][0], answers[1][0], rtol=1e-5, atol=1e-6)
