"""Augmentation of waveforms: each does what it says, and draws for every sample by itself."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from models.parameters import checked
from playground.data.augment import AUGMENTATIONS

SOUND = [item for item in AUGMENTATIONS if "sound" in item.kinds]
STEPS = 8000


def tones(count: int, frequency: float = 0.05, steps: int = STEPS) -> Tensor:
    """The same tone ``count`` times, faded in and out; ``frequency`` in turns a step."""
    wave = torch.sin(2 * torch.pi * frequency * torch.arange(steps)) * torch.hann_window(steps)
    return (0.5 * wave)[None, :, None].repeat(count, 1, 1)


def applied(id: str, batch: Tensor, seed: int = 0, **options: float) -> Tensor:
    found = AUGMENTATIONS.get(id)
    generator = torch.Generator().manual_seed(seed)
    return found.apply(batch, checked(found.parameters, options), generator)


def pitches(batch: Tensor) -> Tensor:
    """The strongest frequency of each sample, in turns a step."""
    window = torch.hann_window(batch.shape[1])
    return torch.fft.rfft(batch[..., 0] * window).abs().argmax(1) / batch.shape[1]


def lengths(batch: Tensor) -> Tensor:
    """Over how many steps the sound's energy is spread."""
    power = batch[..., 0].square()
    steps = torch.arange(batch.shape[1])
    middle = (power * steps).sum(1) / power.sum(1)
    return ((power * (steps - middle[:, None]).square()).sum(1) / power.sum(1)).sqrt()


@pytest.mark.parametrize("item", SOUND, ids=lambda item: item.id)
def test_every_sample_has_a_draw_of_its_own(item):
    batch = tones(16)
    found = applied(item.id, batch)
    assert found.shape == batch.shape
    assert found.dtype == torch.float32
    assert found.isfinite().all()
    different = {tuple(sample.flatten()[::37].tolist()) for sample in found}
    assert len(different) >= 15
    assert torch.equal(applied(item.id, batch), found)
    assert not torch.equal(applied(item.id, batch, seed=1), found)


@pytest.mark.parametrize("item", SOUND, ids=lambda item: item.id)
@pytest.mark.parametrize("steps", [1, 2, 300])
def test_silence_and_short_sounds_stay_numbers(item, steps):
    for batch in (torch.zeros(3, steps, 1), torch.randn(3, steps, 1)):
        found = applied(item.id, batch)
        assert found.shape == batch.shape
        assert found.isfinite().all()


def test_gain_is_within_its_bounds():
    found = applied("sound-gain", tones(200), most=6.0)
    ratio = 20 * torch.log10(found.std(1) / tones(1).std(1))
    assert -6.01 < ratio.min() < -5
    assert 5 < ratio.max() < 6.01


def test_shift_moves_without_turning_round():
    batch = torch.zeros(200, 100, 1)
    batch[:, 50] = 1
    found = applied("sound-shift", batch, most=0.2)
    places = found[..., 0].argmax(1)
    assert found.sum(1).allclose(torch.ones(1), atol=1e-4)
    assert places.min() == 30
    assert places.max() == 70
    batch[:, 95:] = 1
    gone = applied("sound-shift", batch, most=0.2)
    assert gone.sum(1).min() < 2
    assert gone[:, :20].abs().max() < 1e-4


def test_speed_changes_pitch_and_duration_together():
    batch = tones(100)
    found = applied("sound-speed", batch, most=0.25)
    factor = pitches(found) / 0.05
    assert 0.79 < factor.min() < 0.85
    assert 1.18 < factor.max() < 1.26
    inner = factor > 1  # slowed ones are cut at the ends
    shorter = lengths(batch) / lengths(found)
    torch.testing.assert_close(shorter[inner], factor[inner], rtol=0.02, atol=0)


def test_pitch_changes_without_the_duration():
    batch = tones(60)
    found = applied("sound-pitch", batch, most=4.0)
    semitones = 12 * torch.log2(pitches(found) / 0.05)
    assert -4.1 < semitones.min() < -3
    assert 3 < semitones.max() < 4.1
    torch.testing.assert_close(lengths(found), lengths(batch), rtol=0.15, atol=0)


def test_noise_is_as_loud_as_it_says():
    batch = tones(200)
    noise = applied("sound-noise", batch, least=10.0, most=30.0) - batch
    ratio = 20 * torch.log10(batch.square().mean(1).sqrt() / noise.square().mean(1).sqrt())
    assert 9.9 < ratio.min() < 12
    assert 28 < ratio.max() < 30.1


def test_a_channel_without_effect_changes_nothing():
    batch = 0.1 * torch.randn(4, STEPS, 1, generator=torch.Generator().manual_seed(0))
    found = applied("sound-channel", batch, tone=0.0, band=0.0, echo=0.0, clip=0.0)
    torch.testing.assert_close(found, batch, rtol=1e-3, atol=1e-4)


def test_a_channel_narrows_the_band():
    noise = torch.randn(30, STEPS, 1, generator=torch.Generator().manual_seed(0))
    found = applied("sound-channel", noise, tone=0.0, band=1.0, echo=0.0, clip=0.0)
    power = torch.fft.rfft(found[..., 0]).abs().square()
    top = power[:, -400:].mean(1) / power[:, 800:1100].mean(1)
    assert top.min() < 0.01
    assert top.max() > 0.5


def test_an_echo_follows_its_sound():
    click = torch.zeros(8, 1000, 1)
    click[:, 300] = 1
    found = applied("sound-channel", click, tone=0.0, band=0.0, echo=1.0, clip=0.0)[..., 0]
    assert found[:, :300].abs().max() < 1e-3
    assert found[:, 301:].square().sum(1).max() > 0.1
    assert math.isclose(float(found[:, 300].max()), 1.0, abs_tol=0.6)
