"""A log-mel spectrogram as the sound comes in, in numpy: the window never waits for torch.

The same definition as the layer of that name: librosa's, with a Hann window, Slaney's mel scale and
norm, powers in decibels.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

N_FFT, HOP, MELS = 512, 160, 64
LEAST = 1e-10
_LINEAR_HERTZ, _LINEAR_MELS, _STEP = 1000.0, 15.0, np.log(6.4) / 27


def mels(hertz: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Slaney's scale (Auditory Toolbox, 1998): linear up to 1 kHz, logarithmic above."""
    above = _LINEAR_MELS + np.log(np.maximum(hertz, 1e-9) / _LINEAR_HERTZ) / _STEP
    return np.where(hertz < _LINEAR_HERTZ, hertz * 3 / 200, above)


def hertz(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    above = _LINEAR_HERTZ * np.exp((values - _LINEAR_MELS) * _STEP)
    return np.where(values < _LINEAR_MELS, values * 200 / 3, above)


def filters(rate: int, n_fft: int = N_FFT, n_mels: int = MELS) -> Floats:
    """Triangles of equal area over the bins of a spectrum: (1 + n_fft // 2, n_mels)."""
    ends = mels(np.array([0.0, rate / 2]))
    edges = hertz(np.linspace(ends[0], ends[1], n_mels + 2))
    bins = np.arange(n_fft // 2 + 1) * rate / n_fft
    distance = edges[:, None] - bins
    rising = -distance[:-2] / np.diff(edges)[:-1, None]
    falling = distance[2:] / np.diff(edges)[1:, None]
    area = 2.0 / (edges[2:] - edges[:-2])
    return (np.minimum(rising, falling).clip(0) * area[:, None]).T.astype(np.float32)


class LogMel:
    """Frames of a sound that is given piece by piece: decibels (frames, ``MELS``), and the lowest
    and highest sample of each frame's hop (frames, 2)."""

    def __init__(self, rate: int) -> None:
        self._filters = filters(rate)
        self._window = np.hanning(N_FFT + 1)[:-1].astype(np.float32)
        self._rest = np.zeros(N_FFT - HOP, np.float32)

    def feed(self, samples: Floats) -> tuple[Floats, Floats]:
        """What ``samples`` (n,) complete."""
        sound = np.concatenate([self._rest, samples])
        count = max(0, (len(sound) - N_FFT) // HOP + 1)
        self._rest = sound[count * HOP :]
        if not count:
            return np.zeros((0, MELS), np.float32), np.zeros((0, 2), np.float32)
        frames = np.lib.stride_tricks.sliding_window_view(sound, N_FFT)[: count * HOP : HOP]
        hops = frames[:, -HOP:]
        extent = np.stack([hops.min(1), hops.max(1)], axis=1)
        return decibels(frames * self._window, self._filters), extent


def decibels(frames: Floats, bank: Floats) -> Floats:
    """Windowed frames (n, N_FFT) as decibels (n, n_mels)."""
    spectrum = np.fft.rfft(frames, axis=1)
    power = (spectrum.real**2 + spectrum.imag**2).astype(np.float32)
    found: Floats = 10 * np.log10(np.maximum(power @ bank, LEAST))
    return found


def of_clip(samples: Floats, rate: int) -> Floats:
    """A whole clip (n,): decibels (frames, ``MELS``), not below 80 under the loudest."""
    padded = np.pad(samples, N_FFT // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, N_FFT)[::HOP]
    window = np.hanning(N_FFT + 1)[:-1].astype(np.float32)
    found = decibels(frames * window, filters(rate))
    kept: Floats = np.maximum(found, found.max() - 80)
    return kept
