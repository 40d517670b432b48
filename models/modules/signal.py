"""From a waveform to spectra, as librosa defines them, in matrix products that export everywhere.

Everything is worked out in float32, also where the rest of a network runs in mixed precision: a
spectrum spans more than half a dozen powers of ten.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Spectrogram(nn.Module):
    """Short-time spectra of ``x`` (batch, T, 1): (batch, 1 + T // hop_length, 1 + n_fft // 2).

    The squared magnitudes of librosa.stft with ``center=True`` and zeros beyond the ends.
    ``window`` is "hann", "hamming" or "blackman", of ``win_length`` samples in the middle of
    ``n_fft``.
    """

    basis: Tensor

    def __init__(
        self, n_fft: int, hop_length: int, win_length: int | None = None, window: str = "hann"
    ) -> None:
        super().__init__()
        self.length = win_length or n_fft
        self.hop = hop_length
        start = (n_fft - self.length) // 2
        self.pad = (n_fft // 2 - start, self.length + start - (n_fft + 1) // 2)
        curve = getattr(torch, f"{window}_window")(self.length, dtype=torch.float64)
        steps = torch.arange(self.length, dtype=torch.float64)
        turns = torch.outer(steps, torch.arange(n_fft // 2 + 1, dtype=torch.float64)) % n_fft
        angles = turns * (2 * torch.pi / n_fft)
        basis = torch.cat((angles.cos(), angles.sin()), dim=1) * curve.unsqueeze(1)
        self.register_buffer("basis", basis.float(), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        with torch.autocast(x.device.type, enabled=False):
            padded = nn.functional.pad(x.float().squeeze(2), self.pad)
            frames = padded.unfold(1, self.length, self.hop)
            real, imaginary = (frames @ self.basis).chunk(2, dim=2)
            return real.square() + imaginary.square()


class MelBank(nn.Module):
    """Sums of the powers ``x`` (batch, frames, 1 + n_fft // 2) in bands that are equally wide to
    the ear: (batch, frames, n_mels).

    librosa.filters.mel with Slaney's scale (Slaney 1998, Auditory Toolbox) and norm: triangles of
    equal area, from ``f_min`` to ``f_max`` hertz.
    """

    filters: Tensor

    def __init__(
        self, rate: int, n_fft: int, n_mels: int, f_min: float = 0.0, f_max: float | None = None
    ) -> None:
        super().__init__()
        ends = torch.tensor([f_min, rate / 2 if f_max is None else f_max], dtype=torch.float64)
        low, high = self.mels(ends)
        share = torch.arange(n_mels + 2, dtype=torch.float64) / (n_mels + 1)
        edges = self.hertz(low + (high - low) * share)
        bins = torch.arange(n_fft // 2 + 1, dtype=torch.float64) * rate / n_fft
        distance = edges.unsqueeze(1) - bins
        rising = -distance[:-2] / edges.diff()[:-1].unsqueeze(1)
        falling = distance[2:] / edges.diff()[1:].unsqueeze(1)
        area = 2.0 / (edges[2:] - edges[:-2])
        filters = torch.minimum(rising, falling).clamp(min=0) * area.unsqueeze(1)
        self.register_buffer("filters", filters.T.float().contiguous(), persistent=False)

    @staticmethod
    def mels(hertz: Tensor) -> Tensor:
        logarithmic = (
            15
            + (hertz.clamp(min=1e-9) / 1000).log()
            * 27
            / torch.tensor(6.4, dtype=torch.float64).log()
        )
        return torch.where(hertz < 1000, hertz * 3 / 200, logarithmic)

    @staticmethod
    def hertz(mels: Tensor) -> Tensor:
        logarithmic = 1000 * ((mels - 15) * torch.tensor(6.4, dtype=torch.float64).log() / 27).exp()
        return torch.where(mels < 15, mels * 200 / 3, logarithmic)

    def forward(self, x: Tensor) -> Tensor:
        with torch.autocast(x.device.type, enabled=False):
            return x @ self.filters


class Decibels(nn.Module):
    """Powers ``x`` (batch, frames, F) in decibels, no lower than ``top_db`` below the sample's
    highest: librosa.power_to_db with ref=1."""

    def __init__(self, top_db: float | None = 80.0) -> None:
        super().__init__()
        self.top_db = top_db

    def forward(self, x: Tensor) -> Tensor:
        decibels = 10.0 * x.float().clamp(min=1e-10).log10()
        if self.top_db is None:
            return decibels
        return decibels.maximum(decibels.amax((1, 2), keepdim=True) - self.top_db)


class CosineTransform(nn.Module):
    """The first ``n_mfcc`` of the cosines that each frame of ``x`` (batch, frames, n_mels) is made
    of: the orthonormal DCT-II, as librosa.feature.mfcc takes it."""

    basis: Tensor

    def __init__(self, n_mels: int, n_mfcc: int) -> None:
        super().__init__()
        places = (torch.arange(n_mels, dtype=torch.float64) + 0.5) * torch.pi / n_mels
        basis = torch.outer(places, torch.arange(n_mfcc, dtype=torch.float64)).cos()
        basis *= (2.0 / n_mels) ** 0.5
        basis[:, 0] *= 0.5**0.5
        self.register_buffer("basis", basis.float(), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        with torch.autocast(x.device.type, enabled=False):
            return x.float() @ self.basis


class SpecAugment(nn.Module):
    """Hides bands of features and stretches of time of ``x`` (batch, T, F) while training, drawn
    for each sample: Park et al. 2019, without the time warp.

    Each of the masks is 0 up to its width wide; what is hidden becomes the sample's mean.
    ``lengths`` (batch,) are the numbers of valid steps, where they vary.
    """

    def __init__(
        self, time_masks: int, time_width: int, feature_masks: int, feature_width: int
    ) -> None:
        super().__init__()
        self.time = (time_masks, time_width)
        self.features = (feature_masks, feature_width)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        if not self.training:
            return x
        steps = torch.arange(x.size(1), device=x.device)
        if lengths is None:
            lengths = torch.full((x.size(0),), x.size(1), device=x.device)
        bands = torch.full((x.size(0),), x.size(2), device=x.device)
        valid = (steps < lengths.unsqueeze(1)).unsqueeze(2)
        count = lengths[:, None, None] * x.size(2)
        mean = x.masked_fill(~valid, 0.0).sum((1, 2), keepdim=True) / count
        hidden = self.drawn(lengths, x.size(1), *self.time).unsqueeze(2)
        hidden = hidden | self.drawn(bands, x.size(2), *self.features).unsqueeze(1)
        return torch.where(hidden & valid, mean.to(x.dtype), x)

    @staticmethod
    def drawn(sizes: Tensor, longest: int, masks: int, width: int) -> Tensor:
        """True where one of a sample's masks lies: (batch, longest)."""
        random = torch.rand(2, len(sizes), masks, 1, device=sizes.device)
        wide = (random[0] * (width + 1)).floor().minimum(sizes[:, None, None])
        start = (random[1] * (sizes[:, None, None] - wide + 1)).floor()
        place = torch.arange(longest, device=sizes.device)
        return ((place >= start) & (place < start + wide)).any(1)
