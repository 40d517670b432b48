"""Series cut into windows: the split in time, gaps, seasons, and what cannot be cut."""

import numpy as np
import pytest

from playground.data import DataError, DataSettings, SplitSettings, open_data
from playground.data.windows import Windows

AIRLINE = "sample:series/airline_passengers.csv"


def opened(path, base, split=None, **options):
    options = {"path": path, "task": "forecast", "window": 6, "horizon": 3, **options}
    return open_data(DataSettings("table", options, split or SplitSettings(12, 24)), base)


def written(folder, values, name="data.csv", header="t,v"):
    rows = [f"{i},{value}" for i, value in enumerate(values)]
    (folder / name).write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return name


def test_windows_are_followed_by_their_forecast(tmp_path):
    data = opened(written(tmp_path, range(100, 200)), tmp_path)
    raw = data.raw(range(len(data)))
    np.testing.assert_array_equal(raw["forecast"][:, 0], raw["series"][:, -1, 0] + 1)
    assert raw["series"].shape[1:] == (6, 1)
    assert raw["forecast"].shape[1:] == (3,)
    assert data.captions[0] == "steps 7 – 9"


def test_no_part_is_trained_on_what_another_is_judged_by(tmp_path):
    data = opened(written(tmp_path, range(100)), tmp_path, SplitSettings(12, 24))
    raw = data.raw(range(len(data)))["forecast"]
    train, validation, test = (raw[data.splits[k]] for k in ("train", "validation", "test"))
    assert train.max() == 63
    assert (validation.min(), validation.max()) == (64, 75)
    assert (test.min(), test.max()) == (76, 99)
    everything = np.concatenate(list(data.splits.values()))
    assert sorted(everything) == list(range(len(data)))


def test_scaling_is_fitted_on_the_past_alone(tmp_path):
    past = [float(i % 10 + 1) for i in range(64)]
    first = opened(written(tmp_path, past + [1000.0] * 36, "a.csv"), tmp_path)
    second = opened(written(tmp_path, past + [5.0] * 36, "b.csv"), tmp_path)
    for name in ("series", "forecast"):
        assert first.columns[name].preprocessing == second.columns[name].preprocessing


def test_airline(tmp_path):
    data = opened(AIRLINE, tmp_path, SplitSettings(24, 24), window=12, horizon=12, logarithm=True)
    assert data.target.season == 12
    assert data.task == "forecast"
    test = data.splits["test"]
    assert data.describe(int(test[0])) == "1959-01 – 1959-12"
    assert data.describe(int(test[-1])) == "1960-01 – 1960-12"
    batch = data.batch(data.splits["train"])
    assert np.isfinite(batch["forecast"]).all()
    column = data.target
    prepared = column.prepared(column.take(test))
    np.testing.assert_allclose(column.preprocessing.inverse(prepared), column.take(test), rtol=1e-4)


def test_gaps_keep_the_value_before(tmp_path):
    data = opened("sample:series/co2_weekly.csv", tmp_path, SplitSettings(52, 104))
    assert data.notes == ("59 missing values filled with the one before.",)
    assert data.target.season == 52
    assert np.isfinite(data.raw(range(len(data)))["series"]).all()


def test_rows_are_put_in_the_order_of_time(tmp_path):
    rows = [f"2024-{month:02d}-01,{month}" for month in range(12, 0, -1)]
    (tmp_path / "data.csv").write_text("date,v\n" + "\n".join(rows), encoding="utf-8")
    data = opened("data.csv", tmp_path, SplitSettings(0, 0), window=3, horizon=1)
    assert data.notes == ("The rows were put in the order of date.",)
    np.testing.assert_array_equal(data.raw([0])["series"][0, :, 0], [1, 2, 3])
    assert data.target.season == 12


def test_further_columns_and_stride(tmp_path):
    rows = "\n".join(f"{i},{i * 2},{i * 3}" for i in range(60))
    (tmp_path / "data.csv").write_text("a,b,c\n" + rows, encoding="utf-8")
    data = opened("data.csv", tmp_path, target="c", features="a, b", stride=2)
    assert str(data.inputs["series"].shape) == "T 6 × F 3"
    np.testing.assert_array_equal(data.raw([1])["series"][0, 0], [6, 2, 4])
    assert data.inputs["series"].reading.columns == ("c", "a", "b")


def test_long_series_are_cut_when_wanted(tmp_path, monkeypatch):
    monkeypatch.setattr("playground.data.windows.RESIDENT", 0)
    name = written(tmp_path, range(100))
    lazy = opened(name, tmp_path)
    assert isinstance(lazy.inputs["series"].values, Windows)
    assert lazy.lazy
    monkeypatch.undo()
    whole = opened(name, tmp_path)
    for key, values in whole.batch([3, 7, 5]).items():
        np.testing.assert_array_equal(lazy.batch([3, 7, 5])[key], values)
    assert lazy.resident_bytes == whole.resident_bytes == len(whole) * (6 + 3) * 4


@pytest.mark.parametrize(
    ("values", "split", "options", "words"),
    [
        (range(20), (12, 24), {}, "has 20 rows, 0 of them for training"),
        (range(100), (2, 24), {}, "the validation split has 2 steps, fewer than the horizon of 3"),
        ([7] * 100, (12, 24), {}, "is 7 throughout"),
        (range(-50, 50), (12, 24), {"logarithm": True}, "has no logarithm"),
        (range(100), (12, 24), {"target": "w"}, "has no column 'w'"),
        (range(100), (12, 24), {"time": "when"}, "has no column 'when'"),
        (["x"] * 100, (12, 24), {"time": "t", "target": "v"}, "'x', which is no number"),
        ([""] * 100, (12, 24), {"target": "v"}, "column v is empty"),
        (range(100), (12, 24), {"window": 0}, "Window is from 1"),
    ],
)
def test_what_cannot_be_cut_is_explained(tmp_path, values, split, options, words):
    with pytest.raises(DataError) as caught:
        opened(written(tmp_path, values), tmp_path, SplitSettings(*split), **options)
    assert words in str(caught.value)


def test_times_that_are_no_dates_are_explained(tmp_path):
    rows = "\n".join(f"moment {i},{i}" for i in range(60))
    (tmp_path / "data.csv").write_text("date,v\n" + rows, encoding="utf-8")
    with pytest.raises(DataError, match="column date holds no dates"):
        opened("data.csv", tmp_path)


def several(folder, lengths=(60, 40, 12), step=1):
    """Three shops, their rows mixed."""
    rows = [
        f"2024-01-01 {0:02d}:00,{shop},{place * 1000 + i}".replace(
            "2024-01-01 00", f"2024-{1 + i // 24 // 28:02d}-{1 + i // 24 % 28:02d} {i % 24:02d}"
        )
        for place, (shop, count) in enumerate(zip("abc", lengths, strict=True))
        for i in range(0, count, step)
    ]
    (folder / "shops.csv").write_text("when,shop,v\n" + "\n".join(sorted(rows)))
    return "shops.csv"


def test_windows_do_not_cross_from_one_series_into_the_next(tmp_path):
    data = opened(several(tmp_path), tmp_path, SplitSettings(0.2, 0.2), group="shop", target="v")
    raw = data.raw(range(len(data)))
    steps = np.concatenate([raw["series"][:, :, 0], raw["forecast"]], axis=1)
    assert np.all(np.diff(steps, axis=1) == 1)
    assert data.groups.names == ("a", "b")
    assert data.groups.codes.tolist() == (steps[:, 0] // 1000).astype(int).tolist()
    assert data.skipped[0].name == "c"
    assert "1 series too short, left out: c." in data.notes
    for shop in (0, 1):  # in time within each series
        ends = {
            name: steps[indices][data.groups.codes[indices] == shop][:, -3:]
            for name, indices in data.splits.items()
        }
        assert ends["train"].max() < ends["validation"].min()
        assert ends["validation"].max() < ends["test"].min()
    assert data.describe(0).startswith("a · 2024-01-01 06:00")
    assert data.target.season == 24
    assert "2 series" in data.summary


def test_whole_series_can_be_kept_back(tmp_path):
    split = SplitSettings(0.3, 0.3, "group")
    data = opened(several(tmp_path, (50, 50, 50)), tmp_path, split, group="shop", target="v")
    parts = [set(data.groups.codes[data.splits[k]]) for k in ("train", "validation", "test")]
    assert [len(part) for part in parts] == [1, 1, 1]
    [kept] = parts[0]
    [step] = data.inputs["series"].preprocessing.steps
    assert step.mean[0] == pytest.approx(kept * 1000 + 24.5)


def test_all_series_too_short_is_explained(tmp_path):
    with pytest.raises(DataError, match="none of its 3 series is long enough; the first has 9"):
        opened(several(tmp_path, (9, 9, 9)), tmp_path, SplitSettings(0, 3), group="shop",
               target="v")  # fmt: skip


def test_a_group_is_read_for_a_forecast(tmp_path):
    data = opened(several(tmp_path), tmp_path, SplitSettings(0.2, 0.2), group="shop", target="v")
    reading = data.inputs["series"].reading
    found = type(reading).from_json(reading.to_json()).read(str(tmp_path / "shops.csv"))
    assert [name.rpartition(":")[2] for name, _ in found] == ["a", "b", "c"]
    np.testing.assert_array_equal(found[1][1][:, 0], np.arange(1034, 1040))


@pytest.mark.parametrize(
    ("days", "words"),
    [
        ([*range(40), *range(44, 80)], "4 steps are missing between the rows (a step is 1 day)"),
        ([*range(60), 30], "Some values of when come twice (1 times)"),
        ([i + i % 3 * 0.2 for i in range(60)], "The steps of when are uneven, from 14.4 hours"),
    ],
)
def test_odd_times_are_told(tmp_path, days, words):
    start = np.datetime64("2024-01-01T00:00:00")
    stamps = [start + np.timedelta64(round(day * 86400), "s") for day in days]
    rows = [f"{str(stamp).replace('T', ' ')},{i}" for i, stamp in enumerate(stamps)]
    (tmp_path / "data.csv").write_text("when,v\n" + "\n".join(rows))
    data = opened("data.csv", tmp_path)
    assert any(words in note for note in data.notes), data.notes


def test_months_are_even_and_shuffling_is_not_done(tmp_path):
    data = opened(AIRLINE, tmp_path, SplitSettings(24, 24, "random"))
    assert data.notes == ("A series is always split in time, not as chosen: what comes later is "
                          "kept.",)  # fmt: skip
