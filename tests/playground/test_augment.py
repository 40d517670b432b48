"""Augmentation: drawn for each sample, reproducible, and harmless to what it does not suit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from models.axes import image, sequence, vector, video
from models.parameters import ParameterError
from playground import project as projects
from playground.data import open_data
from playground.data.augment import AUGMENTATIONS, Applied, augmented, kind_of, suited
from playground.data.dataset import Column
from playground.data.settings import DataSettings
from playground.runs import RunFolder
from playground.training.errors import TrainingError
from playground.training.feed import open_feed
from playground.training.trainer import Trainer
from tests.playground.fakes import project, stripes

CPU = torch.device("cpu")
PICTURES = Column("image", image(3, 24, 20), np.zeros((0,), np.uint8))
CLIPS = Column("clip", video(4, 3, 12, 16), np.zeros((0,), np.uint8))
SERIES = Column("series", sequence(40, 2), np.zeros((0,), np.float32))
COLUMNS = {"image": PICTURES, "video": CLIPS, "series": SERIES}
STRONG = {
    "flip": {"horizontal": 0.5, "vertical": 0.5},
    "move": {"turn": 40.0},
    "crop": {"least": 0.2},
    "colour": {"hue": 0.2},
    "erase": {"probability": 1.0, "most": 0.5},
}
PAIRS = [
    pytest.param(item.id, kind, id=f"{item.id} of {kind}")
    for item in AUGMENTATIONS
    for kind in item.kinds
    if kind in COLUMNS
]


def same_sample(kind: str, count: int = 8) -> torch.Tensor:
    """One sample, ``count`` times."""
    column = COLUMNS[kind]
    sizes = tuple(int(size) for size in column.shape.sizes)
    one = torch.rand(sizes, generator=torch.Generator().manual_seed(3))
    return (one * (1 if kind == "series" else 255)).expand(count, *sizes).clone()


def draw(id: str, kind: str, batch: torch.Tensor, seed: int = 0) -> torch.Tensor:
    applied = (Applied(id, STRONG.get(id, {})),)
    return augmented(applied, COLUMNS[kind], batch, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(("id", "kind"), PAIRS)
def test_each_sample_has_its_own_draw(id: str, kind: str) -> None:
    batch = same_sample(kind, 16)
    done = draw(id, kind, batch)
    assert done.shape == batch.shape
    assert done.dtype == torch.float32
    assert torch.isfinite(done).all()
    different = {bytes(sample.numpy().tobytes()) for sample in done}
    assert len(different) > (2 if id == "flip" else 8)
    if kind != "series":
        assert float(done.min()) >= 0
        assert float(done.max()) <= 255


@pytest.mark.parametrize(("id", "kind"), PAIRS)
def test_same_seed_same_draw(id: str, kind: str) -> None:
    batch = same_sample(kind)
    global_state = torch.random.get_rng_state()
    first, again, other = (draw(id, kind, batch, seed) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(torch.random.get_rng_state(), global_state)  # which is the trainer's


def test_frames_of_a_clip_are_changed_alike() -> None:
    batch = same_sample("video", 4)
    batch[:] = batch[:, :1]  # still pictures
    for id in ("flip", "move", "crop", "colour", "blur", "erase"):
        done = draw(id, "video", batch)
        torch.testing.assert_close(done, done[:, :1].expand_as(done), msg=id)


def test_what_does_not_suit_is_left_alone() -> None:
    batch = same_sample("series")
    assert torch.equal(draw("flip", "series", batch), batch)
    table = Column("row", vector(4), np.zeros((0, 4), np.float32))
    assert kind_of(table) is None
    assert suited(table) == ()
    padded = replace(SERIES, shape=sequence("T", 2), lengths=np.array([3]))
    assert [item.id for item in suited(padded)] == ["series-jitter", "series-scale"]
    assert {item.id for item in suited(PICTURES)} >= {"flip", "move", "crop", "noise"}


def test_settings_are_kept_and_checked(tmp_path: Path) -> None:
    settings = DataSettings("digits", {}, augmentation=(Applied("move", {"turn": 5.0}),))
    assert DataSettings.from_json(settings.to_json()) == settings
    assert "augmentation" not in DataSettings("digits").to_json()
    for wrong in ({}, [{"options": {}}], ["flip"], [{"id": "flip", "options": 3}]):
        with pytest.raises(ParameterError):
            DataSettings.from_json({"source": "digits", "augmentation": wrong})
    data = replace(stripes(), augmentation=(Applied("mov"),))
    with pytest.raises(TrainingError, match="did you mean move"):
        Trainer(project(), data, RunFolder.create(tmp_path / "a"))
    data = replace(stripes(), augmentation=(Applied("move", {"turn": "far"}),))
    with pytest.raises(TrainingError, match="augmentation: "):
        Trainer(project(), data, RunFolder.create(tmp_path / "b"))


def test_training_alone_is_augmented() -> None:
    data = replace(stripes(), augmentation=(Applied("noise", {"amount": 0.5}),))
    order = [torch.arange(10), torch.arange(10)]
    plain = next(open_feed(data, data.splits["train"], CPU, 1 << 30).batches(order))[1]
    first, second = (b for _, b in open_feed(
        data, data.splits["train"], CPU, 1 << 30, seed=0).batches(order))  # fmt: skip
    assert not torch.equal(first["image"], plain["image"])
    assert not torch.equal(first["image"], second["image"])  # another epoch, another draw
    assert torch.equal(first["label"], plain["label"])


def test_augmentation_is_preprocessed_as_all_else() -> None:
    """Without any change the augmented feed gives what the plain one gives."""
    data = replace(stripes(), augmentation=(Applied("flip", {"horizontal": 0.0}),))
    order = [torch.arange(len(data.splits["train"]))]
    feeds = (open_feed(data, data.splits["train"], CPU, 1 << 30, seed=s) for s in (None, 0))
    plain, changed = (next(feed.batches(order))[1] for feed in feeds)
    torch.testing.assert_close(plain, changed, rtol=0, atol=1e-6)


def test_a_forecast_goes_on_from_its_series() -> None:
    project = projects.open_example("airline-lstm")
    data = open_data(project.data, Path())
    assert data.task == "forecast"
    for id in ("series-scale", "series-crop"):
        changed = replace(data, augmentation=(Applied(id),))
        with pytest.raises(TrainingError, match="would change the series but not the forecast"):
            open_feed(changed, data.splits["train"], CPU, 1 << 30, seed=0)
    changed = replace(data, augmentation=(Applied("series-jitter"), Applied("flip")))
    open_feed(changed, data.splits["train"], CPU, 1 << 30, seed=0)


def test_resumed_run_draws_the_same(tmp_path: Path) -> None:
    data = replace(stripes(), augmentation=(Applied("noise"), Applied("move")))
    whole = Trainer(project(epochs=4), data, RunFolder.create(tmp_path / "whole"))
    list(whole.steps())
    cut = Trainer(project(epochs=4), data, RunFolder.create(tmp_path / "cut"))
    for number, _ in enumerate(cut.steps()):
        if number == 7:
            cut.suspend()
            break
    resumed = Trainer(project(epochs=4), data, cut.run, resume=True)
    list(resumed.steps())
    theirs = [{k: v for k, v in row.items() if k != "seconds"} for row in whole.run.metrics()]
    ours = [{k: v for k, v in row.items() if k != "seconds"} for row in resumed.run.metrics()]
    assert ours == theirs
