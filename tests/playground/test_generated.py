"""Generated data: what their definitions say, the same for the same seed, and no short cuts."""

from dataclasses import replace

import numpy as np
import pytest

from playground.data import SOURCES, DataError, DataSettings, SplitSettings, open_data
from playground.data.generated.adding import adding
from playground.data.generated.brackets import brackets, matches
from playground.data.generated.common import FIRST, even_labels
from playground.data.generated.moving_shapes import moving_shapes
from playground.data.generated.noisy_shapes import mistaken
from playground.data.generated.recall import recall_letters, recall_numbers
from playground.data.generated.waves import WAVES, waves
from playground.project import Project
from playground.runs import RunFolder
from playground.starter import starter_graph
from playground.tasks import TaskSettings
from playground.training.trainer import Trainer
from tests.clock import quickest

GENERATED = [source.id for source in SOURCES if source.family == "generated"]
CHANGED = {
    "waves": {"task": "regression"},
    "recall": {"form": "series", "shown": 3},
    "brackets": {"kinds": 4, "longest": 7},
    "moving-shapes": {"colour": True, "noise": 0.2, "shapes": 3, "directions": 8},
    "noisy-shapes": {"classes": 5, "mistakes": 0.5},
    "scattered-shapes": {"classes": 1, "colour": False, "size": 50, "noise": 0},
}


def opened(source, folder, **options):
    return open_data(DataSettings(source, {"samples": 200, **options}), folder)


@pytest.mark.parametrize("source", GENERATED)
@pytest.mark.parametrize("changed", [False, True])
def test_the_same_seed_gives_the_same_samples(source, changed, tmp_path):
    options = CHANGED.get(source, {}) if changed else {}
    first, again = (opened(source, tmp_path, **options) for _ in range(2))
    other = opened(source, tmp_path, **options, seed=1)
    everything = range(200)
    for name, values in first.raw(everything).items():
        np.testing.assert_array_equal(values, again.raw(everything)[name])
    source_name = next(iter(first.inputs))
    given, others = first.raw(everything)[source_name], other.raw(everything)[source_name]
    assert given.shape != others.shape or not np.array_equal(given, others)
    column = first.inputs[source_name]
    assert column.take(np.arange(2)).shape[1:] == tuple(
        size if isinstance(size, int) else int(column.lengths.max()) for size in column.shape.sizes
    )
    assert len(column.reading.to_json()) > 1


@pytest.mark.parametrize("source", GENERATED)
def test_time_grows_with_the_samples_not_with_their_square(source, tmp_path):
    few = quickest(lambda: opened(source, tmp_path, samples=100))
    assert (
        quickest(lambda: opened(source, tmp_path, samples=1000), 3) < 30 * few
    )  # in the square: 100


@pytest.mark.parametrize("source", ["moving-shapes", "noisy-shapes", "scattered-shapes"])
def test_a_sample_is_the_same_with_whatever_it_is_drawn(source, tmp_path, monkeypatch):
    options = {"noise": 0.3}
    resident = opened(source, tmp_path, **options)
    monkeypatch.setattr("playground.data.generated.common.RESIDENT", 1000)
    lazy = opened(source, tmp_path, **options)
    assert lazy.lazy
    assert not resident.lazy
    name = next(iter(lazy.inputs))
    chosen = [150, 3, 77]
    np.testing.assert_array_equal(lazy.raw(chosen)[name], resident.raw(chosen)[name])


def test_shapes_move_the_way_of_their_class():
    clips = moving_shapes(400, 0, frames=6, size=32, speed=2.0)
    frames = clips.draw(np.arange(400))[:, :, 0].astype(float)
    spectra = np.fft.fft2(frames)
    # by how much a frame must be shifted (round the torus) to become the next one
    meets = np.fft.ifft2(spectra[:, 1:] * spectra[:, :-1].conj()).real.sum(axis=1)
    best = meets.reshape(400, -1).argmax(axis=1)
    down, right = ((np.stack(np.divmod(best, 32)) + 16) % 32) - 16
    steps = np.stack([right, -down])
    expected = np.array([[1, 0, -1, 0], [0, 1, 0, -1]])[:, clips.labels]
    assert np.all((steps * expected).sum(axis=0) > 0)
    assert np.abs(steps * (1 - np.abs(expected))).max() <= 1


def test_one_frame_says_nothing_about_the_motion():
    """Where shapes are, which, how large and how bright is the same for every class, in every
    frame: differences of the classes' means stay within what chance allows."""
    clips = moving_shapes(8000, 0, frames=8, size=16, speed=1.5, directions=4)
    frames = clips.draw(np.arange(8000))[:, :, 0].astype(np.float64)
    for frame in (0, 3, 7):
        pictures = frames[:, frame].reshape(8000, -1)
        error = pictures.std(axis=0) * np.sqrt(1 / 2000)
        for label in range(4):
            off = (pictures[clips.labels == label].mean(axis=0) - pictures.mean(axis=0)) / error
            assert np.abs(off).max() < 4.5


def test_a_motion_that_would_be_ambiguous_is_refused(tmp_path):
    with pytest.raises(DataError, match="too fast"):
        opened("moving-shapes", tmp_path, size=12, speed=4)


def test_the_adding_problem_is_that_of_its_definition():
    series, sums = adding(3000, 0, length=30)
    marks = series[:, :, 1]
    assert np.all(marks[:, :15].sum(axis=1) == 1)
    assert np.all(marks[:, 15:].sum(axis=1) == 1)
    np.testing.assert_allclose(sums[:, 0], (series[:, :, 0] * marks).sum(axis=1), rtol=1e-6)
    assert np.mean((sums - 1) ** 2) == pytest.approx(1 / 6, rel=0.05)


def by_hand(text):
    """Whether brackets match, by taking out pairs."""
    while any(pair in text for pair in ("()", "[]", "{}", "<>")):
        for pair in ("()", "[]", "{}", "<>"):
            text = text.replace(pair, "")
    return not text


@pytest.mark.parametrize(("kinds", "longest"), [(1, 2), (1, 12), (2, 20), (4, 31)])
def test_brackets_match_as_they_say(kinds, longest):
    labels = even_labels(np.random.default_rng(0), 500, 2)
    tokens, lengths = brackets(labels, 0, kinds=kinds, shortest=2, longest=longest)
    texts = [
        "".join("()[]{}<>"[code - FIRST] for code in row[:length])
        for row, length in zip(tokens, lengths, strict=True)
    ]
    assert [by_hand(text) for text in texts] == (labels == 1).tolist()
    assert np.all(tokens[np.arange(tokens.shape[1]) >= lengths[:, None]] == 0)
    assert set(lengths) == set(range(2, longest + 1, 2))
    # counting brackets does not help
    assert all(sum(text.count(b) for b in "([{<") * 2 == len(text) for text in texts)


def test_matching_brackets_are_drawn_uniformly():
    """Of one kind and length 6 there are 5 ways (the third Catalan number)."""
    tokens, _ = brackets(np.ones(5000, np.int64), 0, kinds=1, shortest=6, longest=6)
    _, counts = np.unique(tokens, axis=0, return_counts=True)
    assert len(counts) == 5
    assert np.all(np.abs(counts - 1000) < 4 * np.sqrt(1000 * 0.8))


def test_the_stack_finds_what_does_not_match():
    rows = np.array([[0, 2, 3, 1], [0, 2, 1, 3], [1, 0, 0, 1], [0, 0, 0, 1], [0, 1, 1, 0]])
    lengths = np.array([4, 4, 4, 4, 2])
    assert matches(rows, lengths).tolist() == [True, False, False, False, True]


def test_what_is_asked_for_was_shown():
    tokens, asked = recall_letters(500, 0, letters=5, shown=4, delay=7)
    assert tokens.shape == (500, 12)
    place = tokens[:, -1] - FIRST - 5 - 1
    np.testing.assert_array_equal(tokens[np.arange(500), place] - FIRST, asked)
    assert np.all(tokens[:, 4:-1] == FIRST + 5)
    series, said = recall_numbers(500, 0, shown=3, delay=7)
    np.testing.assert_array_equal(series[:, :3, 0], said)
    assert np.all(series[:, 3:-1] == 0)
    assert np.all(series[:, -1, 1] == 1)


def test_recalled_letters_read_as_text(tmp_path):
    dataset = opened("recall", tmp_path, shown=2, delay=3)
    column = dataset.inputs["letters"]
    raw = column.take(np.arange(1))[0]
    text = column.reading.decode(raw)
    assert text[2:5] == "···"
    answer = dataset.classes[int(dataset.target.take(np.arange(1))[0])]
    assert text[int(text[-1]) - 1] == answer
    np.testing.assert_array_equal(column.reading.read(text)[0][1], raw)


def test_waves_have_the_frequency_they_say():
    kinds = np.zeros(50, np.int64)
    series, frequency = waves(kinds, 0, length=512, cycles=(4, 12), noise=0.0)
    spectrum = np.abs(np.fft.rfft(series[:, :, 0] * np.hanning(512), n=8192))
    found = spectrum.argmax(axis=1) / 16
    np.testing.assert_allclose(found, frequency[:, 0], atol=0.1)


def test_chirps_speed_up_and_slow_down():
    kinds = np.repeat([1, 2], 50)
    series, _ = waves(kinds, 0, length=512, cycles=(10, 20), noise=0.0)
    crossings = np.diff(np.sign(series[:, :, 0]), axis=1) != 0
    first, second = crossings[:, :256].sum(axis=1), crossings[:, 256:].sum(axis=1)
    assert np.all((second > first) == (kinds == 1))


def test_every_kind_of_wave_is_as_frequent(tmp_path):
    dataset = opened("waves", tmp_path, samples=600)
    assert dataset.counts().tolist() == [100] * len(WAVES)


def test_waves_that_do_not_fit_are_refused(tmp_path):
    with pytest.raises(DataError, match="do not fit"):
        opened("waves", tmp_path, length=16)


def test_mistakes_are_made_where_one_learns_only(tmp_path):
    settings = DataSettings(
        "noisy-shapes", {"samples": 1000, "mistakes": 0.2, "noise": 0.0}, SplitSettings(0.1, 0.2)
    )
    dataset = open_data(settings, tmp_path)
    clean = open_data(DataSettings(settings.source, {**settings.options, "mistakes": 0.0},
                                   settings.split), tmp_path)  # fmt: skip
    wrong = dataset.target.take(np.arange(1000)) != clean.target.take(np.arange(1000))
    assert wrong.sum() == 160
    assert not wrong[dataset.splits["test"]].any()
    assert dataset.notes[0].startswith("160 of 800 training and validation labels")
    labels = np.arange(100) % 4
    assert np.all(mistaken(labels, np.arange(100), 1.0, 4, 0) != labels)


@pytest.mark.parametrize(
    ("source", "options", "said"),
    [
        ("adding", {"samples": 1_000_000, "length": 5000}, "draw fewer"),
        ("brackets", {"shortest": 9, "longest": 8}, "no even length"),
        ("recall", {"delay": 5000, "samples": 1_000_000}, "draw fewer"),
    ],
)
def test_what_cannot_be_drawn_is_refused(source, options, said, tmp_path):
    with pytest.raises(DataError, match=said):
        opened(source, tmp_path, **options)


@pytest.mark.parametrize("source", GENERATED)
@pytest.mark.parametrize("changed", [False, True])
def test_every_kind_is_learnt_from(source, changed, tmp_path):
    """An epoch of the network that is proposed for it, with its task and its metrics."""
    options = {"samples": 40, **(CHANGED.get(source, {}) if changed else {})}
    small = {"moving-shapes": {"size": 16, "speed": 1}, "noisy-shapes": {"size": 16}}
    data = DataSettings(source, {**options, **small.get(source, {})})
    dataset = open_data(data, tmp_path)
    project = Project("Some", starter_graph(dataset), data, TaskSettings(dataset.task))
    project = replace(project, training=project.training.replace(epochs=1))
    trainer = Trainer(project, dataset, RunFolder.create(tmp_path / "run"))
    for _ in trainer.steps():
        pass
    assert np.isfinite(trainer.result.metrics["test"]["loss"])
