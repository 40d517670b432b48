"""Spectra against librosa's own, and what SpecAugment hides.

``librosa.npz`` holds what librosa 0.11.0 computed from its ``waveform`` (16 kHz, the first 1,000 of
4,000 samples silent):

- ``filters_40``: ``filters.mel(sr=16000, n_fft=512, n_mels=40)``
- ``filters_20``: ``filters.mel(sr=22050, n_fft=401, n_mels=20, fmin=50, fmax=8000)``
- ``power_odd``: ``abs(stft(n_fft=401, hop_length=100, win_length=300, window="hamming")) ** 2``
- ``log_mel``: ``power_to_db(feature.melspectrogram(sr=16000, n_fft=512, hop_length=160,
  win_length=400, n_mels=40))``, ``mfcc``: ``feature.mfcc`` with the same and ``n_mfcc=13``,

the last three with time as the first axis.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from models.axes import sequence
from models.build import build
from models.edits import apply_fix
from models.modules import MelBank, SpecAugment, Spectrogram
from models.shapes import infer
from tests.models.catalogue import case


@pytest.fixture(scope="module")
def librosa() -> dict[str, Tensor]:
    with np.load(Path(__file__).parent / "librosa.npz") as found:
        return {name: torch.from_numpy(found[name]) for name in found.files}


def answer(layer: str, waveform: Tensor, **params: object) -> Tensor:
    network = build(case(layer, sequence(len(waveform), 1), **params).graph())
    network.module.eval()
    return network({"in0": waveform[None, :, None]})["out_output"][0]


def test_filters_are_those_of_librosa(librosa: dict[str, Tensor]) -> None:
    first = MelBank(16000, 512, 40).filters.T
    second = MelBank(22050, 401, 20, 50.0, 8000.0).filters.T
    torch.testing.assert_close(first, librosa["filters_40"], rtol=1e-5, atol=1e-8)
    torch.testing.assert_close(second, librosa["filters_20"], rtol=1e-5, atol=1e-8)


def test_spectra_are_those_of_librosa(librosa: dict[str, Tensor]) -> None:
    """Also with an odd number of samples and a window that is shorter."""
    expected = librosa["power_odd"]
    found = answer(
        "spectrogram",
        librosa["waveform"],
        n_fft=401,
        hop_length=100,
        win_length=300,
        window="hamming",
        scale="power",
    )
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-6 * float(expected.max()))


def test_log_mel_and_mfcc_are_those_of_librosa(librosa: dict[str, Tensor]) -> None:
    found = answer("log-mel", librosa["waveform"])
    torch.testing.assert_close(found, librosa["log_mel"], rtol=0, atol=2e-3)
    found = answer("mfcc", librosa["waveform"])
    torch.testing.assert_close(found, librosa["mfcc"], rtol=0, atol=1e-2)


@pytest.mark.parametrize(("n_fft", "window"), [(512, 400), (512, 512), (401, 300), (7, 2)])
def test_spectra_are_those_of_torch(n_fft: int, window: int) -> None:
    x = torch.randn(2, 999, 1)
    expected = torch.stft(
        x[..., 0].double(),
        n_fft,
        100,
        window,
        torch.hann_window(window, dtype=torch.float64),
        pad_mode="constant",
        return_complex=True,
    )
    found = Spectrogram(n_fft, 100, window)(x)
    powers = expected.abs().square().transpose(1, 2).float()
    torch.testing.assert_close(found, powers, rtol=1e-4, atol=1e-4)


def test_a_loud_moment_elsewhere_in_the_batch_changes_nothing() -> None:
    network = build(case("log-mel", sequence(1600, 1)).graph())
    quiet, loud = 1e-3 * torch.randn(1, 1600, 1), torch.randn(1, 1600, 1)
    alone = network({"in0": quiet})["out_output"]
    beside = network({"in0": torch.cat((quiet, loud))})["out_output"][:1]
    torch.testing.assert_close(alone, beside)


def test_mixed_precision_leaves_spectra_alone() -> None:
    network = build(case("mfcc", sequence(1600, 1)).graph())
    x = torch.randn(2, 1600, 1)
    exact = network({"in0": x})["out_output"]
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(network({"in0": x})["out_output"], exact)


@pytest.mark.parametrize(
    ("layer", "params", "words"),
    [
        ("log-mel", {"win_length": 600}, "window of 600 samples is longer than the FFT of 512"),
        ("log-mel", {"rate": 8000, "f_max": 5000.0}, "carries frequencies up to 4,000 Hz"),
        ("mfcc", {"f_min": 9000.0}, "the lowest frequency, 9,000 Hz, is not below the highest"),
        ("mfcc", {"n_mfcc": 41}, "40 bands have no 41 coefficients"),
    ],
)
def test_impossible_settings_are_told_and_mended(
    layer: str, params: dict[str, float], words: str
) -> None:
    graph = case(layer, sequence(16000, 1), **params).graph()
    problem = infer(graph).nodes["layer"].problem
    assert problem is not None
    assert words in problem.message
    assert problem.fix is not None
    assert infer(apply_fix(graph, "layer", problem.fix)).nodes["layer"].ok


def test_only_waveforms_are_taken() -> None:
    problem = infer(case("log-mel", sequence(100, 3)).graph()).nodes["layer"].problem
    assert problem is not None
    assert "needs a waveform" in problem.message


def test_spec_augment_draws_for_each_sample_and_in_training_alone() -> None:
    masks = SpecAugment(2, 10, 1, 6)
    x = torch.randn(64, 100, 40)
    hidden = masks(x) != x
    assert len({tuple(sample.flatten().tolist()) for sample in hidden}) > 60
    times, bands = hidden.all(2).sum(1), hidden.all(1).sum(1)
    assert times.max() <= 20
    assert bands.max() <= 6
    assert 8 < times.float().mean() < 11
    assert 2 < bands.float().mean() < 4
    assert torch.equal(masks.eval()(x), x)


def test_what_spec_augment_hides_becomes_the_mean_of_what_is_valid() -> None:
    masks = SpecAugment(1, 50, 0, 0)
    x = torch.randn(32, 80, 5) + 3
    lengths = torch.full((32,), 30)
    x[:, 30:] = 1e4
    found = masks(x, lengths)
    assert torch.equal(found[:, 30:], x[:, 30:])
    mean = x[:, :30].mean((1, 2), keepdim=True).expand_as(x)
    changed = found != x
    assert changed.any()
    torch.testing.assert_close(found[changed], mean[changed])


def test_a_picture_of_a_spectrogram_has_time_across() -> None:
    x = torch.randn(30)
    assert torch.equal(answer("as-image", x, time="across"), x.reshape(1, 1, 30))
    assert torch.equal(answer("as-image", x, time="down"), x.reshape(1, 30, 1))
