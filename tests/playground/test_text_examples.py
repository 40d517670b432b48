"""The text examples beside what everybody would try first: logistic regression on counts.

Same texts and splits; its weight decay is chosen on the validation split.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from playground.data import open_data
from playground.data.dataset import Dataset
from playground.project import open_example
from playground.runs import RunFolder
from playground.training.trainer import Trainer

SEEDS = range(3)
DECAYS = (1e-4, 3e-4, 1e-3, 3e-3)


def grams(tokens: Sequence[str], longest: int) -> set[tuple[str, ...]]:
    """All runs of up to ``longest`` tokens."""
    return {
        tuple(tokens[start : start + length])
        for length in range(1, longest + 1)
        for start in range(len(tokens) - length + 1)
    }


def bag_of_tokens(data: Dataset, longest: int) -> float:
    """The test accuracy of a logistic regression on which runs of tokens a text has."""
    column = data.inputs["text"]
    encoder = column.reading.encoder
    found = [grams([" ", *encoder.split(text), " "], longest) for text in column.texts]
    known = sorted(set().union(*(found[index] for index in data.splits["train"])))
    place = {gram: number for number, gram in enumerate(known)}
    x, y = {}, {}
    for name, indices in data.splits.items():
        x[name] = torch.zeros(len(indices), len(known))
        for row, index in enumerate(indices):
            x[name][row, [place[gram] for gram in found[index] if gram in place]] = 1.0
        y[name] = torch.from_numpy(data.target.take(indices))
    results = [fitted(x, y, decay, len(data.classes)) for decay in DECAYS]
    return max(results)[1]


def fitted(
    x: dict[str, Tensor], y: dict[str, Tensor], decay: float, classes: int
) -> tuple[float, float]:
    """The accuracies on the validation and the test split."""
    weights = torch.zeros(x["train"].shape[1], classes, requires_grad=True)
    bias = torch.zeros(classes, requires_grad=True)
    optimizer = torch.optim.LBFGS([weights, bias], max_iter=60, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        value = cross_entropy(x["train"] @ weights + bias, y["train"])
        value = value + decay * weights.square().sum()
        value.backward()
        return value

    optimizer.step(loss)
    with torch.no_grad():
        validation, test = (
            float(((x[name] @ weights + bias).argmax(1) == y[name]).float().mean())
            for name in ("validation", "test")
        )
    return validation, test


def compared(id: str, longest: int, folder: Path) -> tuple[list[float], list[float]]:
    """Test accuracies of the example and of the regression, each with other splits and weights."""
    ours, theirs = [], []
    for seed in SEEDS:
        project = open_example(id)
        split = replace(project.data.split, seed=seed)
        project = replace(
            project,
            data=replace(project.data, split=split),
            training=project.training.replace(seed=seed),
        )
        data = open_data(project.data, folder)
        trainer = Trainer(project, data, RunFolder.create(folder / str(seed)))
        for _ in trainer.steps():
            pass
        assert trainer.result is not None
        ours.append(trainer.result.metrics["test"]["accuracy"])
        theirs.append(bag_of_tokens(data, longest))
    return ours, theirs


@pytest.mark.full
@pytest.mark.parametrize(
    ("id", "longest", "margin"), [("sentiment-bigru", 1, -0.015), ("surnames-lstm", 3, -0.03)]
)
def test_networks_beside_logistic_regression(
    id: str, longest: int, margin: float, tmp_path: Path
) -> None:
    ours, theirs = compared(id, longest, tmp_path)
    print(id, ours, theirs)
    assert np.mean(ours) > np.mean(theirs) + margin


def test_the_regression_finds_what_is_plain(tmp_path: Path) -> None:
    rows = "".join(f"{'good' if i % 2 else 'bad'} film {i % 7},{i % 2}\n" for i in range(60))
    (tmp_path / "films.csv").write_text(f"text,label\n{rows}")
    project = open_example("digits-cnn")
    settings = replace(project.data, source="text", options={"path": "films.csv"})
    settings = replace(settings, split=replace(settings.split, validation=0.2, test=0.2))
    assert bag_of_tokens(open_data(settings, tmp_path), 1) == 1.0
