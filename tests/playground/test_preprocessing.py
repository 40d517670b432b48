"""Preprocessing: the same numbers in numpy and torch, there and back, fitted and saved."""

import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from playground.preprocessing import (
    NOTHING,
    Fill,
    Log,
    Preprocessing,
    PreprocessingError,
    Scale,
    Standardize,
    standardized,
)

IMAGE = Preprocessing((Scale(255.0), Standardize((0.13, 0.5), (0.3, 0.2), axis=-3)))
SERIES = Preprocessing((Log(), Standardize((5.1, 2.0), (0.4, 0.1))))
ROWS = Preprocessing((Fill((1.5, 0.0)), Standardize((1.5, 0.0), (2.0, 1.0))))


def batch(chosen):
    random = np.random.default_rng(0)
    if chosen is IMAGE:
        return random.integers(0, 256, (3, 2, 5, 4), dtype=np.uint8)
    if chosen is SERIES:
        return random.uniform(50, 600, (3, 7, 2)).astype(np.float32)
    rows = random.normal(size=(6, 2)).astype(np.float32)
    rows[1, 0] = rows[4, 1] = np.nan
    return rows


@pytest.mark.parametrize("steps", [IMAGE, SERIES, ROWS], ids=["image", "series", "rows"])
def test_torch_gives_the_same_as_numpy(steps):
    raw = batch(steps)
    expected = steps.numpy(raw)
    found = steps.module()(torch.from_numpy(raw)).numpy()
    assert expected.dtype == np.float32
    assert np.isfinite(expected).all()
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    back = steps.module(inverse=True)(torch.from_numpy(expected)).numpy()
    np.testing.assert_allclose(back, steps.inverse(expected), rtol=1e-6)


@pytest.mark.parametrize("steps", [IMAGE, SERIES], ids=["image", "series"])
def test_inverse_gives_the_raw_values_back(steps):
    raw = batch(steps)
    np.testing.assert_allclose(steps.inverse(steps.numpy(raw)), raw, rtol=1e-4, atol=1e-3)


def test_without_steps_values_keep_their_type():
    labels = np.arange(3)
    assert NOTHING.numpy(labels) is labels
    assert NOTHING.module()(torch.arange(3)).dtype == torch.int64


def test_the_module_follows_its_device_and_has_no_parameters():
    module = IMAGE.module()
    assert not list(module.parameters())
    assert {"by_0", "mean_1", "std_1"} == set(module.state_dict())


def test_fitted_on_what_is_there():
    values = np.array([[1.0, 7.0, np.nan], [3.0, 7.0, 4.0]], np.float32)
    step = standardized(values, axis=-1)
    assert step.mean == (2.0, 7.0, 4.0)
    assert step.std == (1.0, 1.0, 1.0)  # what does not vary is only centred


@pytest.mark.parametrize("steps", [NOTHING, IMAGE, SERIES, ROWS])
def test_json_and_back(steps):
    assert Preprocessing.from_json(json.loads(json.dumps(steps.to_json()))) == steps


@pytest.mark.parametrize(
    "data",
    [
        None,
        "scale",
        [{"op": "exec"}],
        [{"op": ["scale"]}],
        [{"op": "scale"}],
        [{"op": "scale", "by": 0}],
        [{"op": "scale", "by": "x"}],
        [{"op": "standardize", "mean": [0], "std": [0], "axis": -1}],
        [{"op": "standardize", "mean": [0, 1], "std": [1], "axis": -1}],
        [{"op": "standardize", "mean": [0], "std": [1], "axis": 3}],
        [{"op": "fill", "values": [], "axis": -1}],
    ],
)
def test_damaged_steps_are_refused(data):
    with pytest.raises(PreprocessingError):
        Preprocessing.from_json(data)


@given(st.lists(st.floats(-1e6, 1e6, width=32), min_size=2, max_size=50))
def test_standardizing_any_numbers_is_finite(numbers):
    values = np.array(numbers, np.float32)[:, None]
    step = Preprocessing((standardized(values, axis=-1),))
    assert np.isfinite(step.numpy(values)).all()
    assert Preprocessing.from_json(step.to_json()) == step
