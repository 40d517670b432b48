"""Augmentation of waveforms (N, T, 1): other loudness, moment, speaker, room and microphone.

Frequencies are shares of the highest that the sample rate carries, and times shares of the length,
so nothing here needs to know the rate.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from models.parameters import Parameter
from playground.data.augment import Augmentation

if TYPE_CHECKING:
    from torch import Generator, Tensor

Options = Mapping[str, Any]

KNOTS = 8
"""Frequencies, evenly spaced to the ear, between which the gain of a channel is a straight line."""

FFT = 512
HOP = 128


def _gain(batch: Tensor, options: Options, generator: Generator) -> Tensor:
    from playground.data.augment.draws import each, uniform

    decibels = uniform(len(batch), -options["most"], options["most"], generator)
    return batch * each(10 ** (decibels / 20), batch)


def _shift(batch: Tensor, options: Options, generator: Generator) -> Tensor:
    import torch

    from playground.data.augment.draws import uniform

    steps = batch.shape[1]
    by = uniform(len(batch), -options["most"], options["most"], generator) * steps
    return _at(batch, torch.arange(steps) - by.round()[:, None])


def _noise(batch: Tensor, options: Options, generator: Generator) -> Tensor:
    """Noise whose power falls with the frequency f as f to the power of −2 … 0: brown to white."""
    import torch

    from playground.data.augment.draws import each, normal, uniform

    steps = batch.shape[1]
    low, high = sorted((options["least"], options["most"]))
    ratio = 10 ** (uniform(len(batch), low, high, generator) / 20)
    slope = uniform(len(batch), -1, 0, generator)
    spectrum = torch.fft.rfft(normal(batch.shape, batch, generator)[..., 0])
    frequency = torch.arange(spectrum.shape[1]).clamp(min=1) / spectrum.shape[1]
    colour = frequency ** slope[:, None]
    noise = torch.fft.irfft(spectrum * colour.to(batch), n=steps)[..., None]
    level = batch.square().mean(1, keepdim=True).sqrt()
    spread = noise.square().mean(1, keepdim=True).sqrt().clamp(min=1e-12)
    loud: Tensor = noise / spread * level / each(ratio, batch)
    return batch + loud


def _speed(batch: Tensor, options: Options, generator: Generator) -> Tensor:
    from playground.data.augment.draws import uniform

    return _played(batch, _factors(uniform(len(batch), -1, 1, generator), options["most"]))


def _pitch(batch: Tensor, options: Options, generator: Generator) -> Tensor:
    """Stretched in time at the same pitch, then played as much faster."""
    from playground.data.augment.draws import uniform

    most = 2 ** (options["most"] / 12) - 1
    factors = _factors(uniform(len(batch), -1, 1, generator), most)
    if batch.shape[1] < 2 * HOP:  # too short to have a pitch
        return batch
    return _played(_stretched(batch, factors), factors, batch.shape[1])


def _factors(draws: Tensor, most: float) -> Tensor:
    """−1 … 1 as factors 1 / (1 + most) … 1 + most, faster as often as slower."""
    return (1 + most) ** draws


def _played(batch: Tensor, factors: Tensor, steps: int | None = None) -> Tensor:
    """Each sample at ``factors`` times its speed around its middle; silence where it ends. What
    would lie above the highest frequency is folded down, faintly: there is little in most sounds.
    """
    import torch

    length = batch.shape[1]
    steps = steps or length
    centred = torch.arange(steps) - (steps - 1) / 2
    return _at(batch, centred * factors[:, None] + (length - 1) / 2)


def _at(batch: Tensor, places: Tensor) -> Tensor:
    """The values of (N, T, 1) at ``places`` (N, steps) between its numbers, by cubic interpolation
    (Keys 1981); zeros outside."""
    import torch
    from torch.nn.functional import grid_sample

    across = (places / max(batch.shape[1] - 1, 1) * 2 - 1).to(batch)
    grid = torch.stack((across, torch.zeros_like(across)), dim=-1)[:, None]
    line = batch.transpose(1, 2)[:, :, None]
    return grid_sample(line, grid, mode="bicubic", align_corners=True)[:, 0, 0, :, None]


def _stretched(batch: Tensor, factors: Tensor) -> Tensor:
    """``factors`` times as long at the same pitch, (N, ⌈T · the largest⌉, 1), each in the middle:
    a phase vocoder (Flanagan and Golden 1966)."""
    import torch

    window = torch.hann_window(FFT).to(batch)
    options: dict[str, Any] = {"hop_length": HOP, "window": window}
    spectra = torch.stft(batch[..., 0], FFT, return_complex=True, pad_mode="constant", **options)
    frames = spectra.shape[2]
    longest = int(frames * float(factors.max())) + 1
    # the middle of the sound is the middle of the result
    at = (torch.arange(longest) - (longest - 1) / 2) / factors[:, None] + (frames - 1) / 2
    first = at.floor().clamp(0, frames - 2).long()
    part = (at - first).clamp(0, 1).to(batch)[:, None]
    inside = ((at >= 0) & (at <= frames - 1)).to(batch)[:, None]

    def picked(place: Tensor) -> Tensor:
        index = place.to(spectra.device)[:, None].expand(-1, spectra.shape[1], -1)
        return spectra.gather(2, index)

    one, two = picked(first), picked(first + 1)
    advance = two.angle() - one.angle()
    phase = torch.cat((one[..., :1].angle(), advance[..., :-1]), dim=2).cumsum(2)
    size = one.abs() * (1 - part) + two.abs() * part
    result = torch.istft(torch.polar(size * inside, phase), FFT, **options)
    return result[..., None]


def _channel(batch: Tensor, options: Options, generator: Generator) -> Tensor:
    """A curve of gains, limits of the band, an exponentially fading echo, and soft clipping."""
    import torch

    from playground.data.augment.draws import each, normal, uniform

    count, steps = batch.shape[:2]
    spectrum = torch.fft.rfft(batch[..., 0], n=2 * steps)
    bins = spectrum.shape[1]
    frequency = torch.arange(bins) / (bins - 1)
    tone = options["tone"]
    knots = torch.stack([uniform(count, -tone, tone, generator) for _ in range(KNOTS)], dim=1)
    place = ((1 + 40 * frequency).log() / torch.tensor(41.0).log()) * (KNOTS - 1)
    left = place.floor().clamp(max=KNOTS - 2).long()
    decibels = knots[:, left] + (place - left) * (knots[:, left + 1] - knots[:, left])
    band = options["band"]
    low = uniform(count, 0, 0.1 * band, generator)[:, None]
    high = uniform(count, 1 - 0.7 * band, 1, generator)[:, None]
    # 24 dB an octave below and above, as simple filters have
    decibels -= 24 * (low / frequency.clamp(min=1e-6)).clamp(min=1).log2()
    decibels -= 24 * (frequency / high).clamp(min=1).log2()
    fading = uniform(count, 0.005, 0.06, generator)[:, None] * steps
    room = normal(torch.Size((count, steps)), batch, generator)
    room = room * torch.exp(-torch.arange(steps) / fading).to(batch)
    room = room / room.square().sum(1, keepdim=True).sqrt()
    echo = uniform(count, 0, options["echo"], generator)[:, None].to(batch)
    answer = 1 + echo * torch.fft.rfft(room, n=2 * steps)
    answer = answer * (10 ** (decibels / 20)).to(batch)
    mixed = torch.fft.irfft(spectrum * answer, n=2 * steps)[:, :steps]
    peak = mixed.abs().amax(1, keepdim=True).clamp(min=1e-6)
    drive = each(uniform(count, 1e-3, options["clip"] + 1e-3, generator), mixed)
    clipped: Tensor = torch.tanh(mixed / peak * drive) / torch.tanh(drive) * peak
    return clipped[..., None]


def _amount(
    id: str, label: str, default: float, help: str, maximum: float, unit: str = "", low: float = 0
) -> Parameter:
    return Parameter(id, label, "float", default, help, low, maximum, unit=unit)


AUGMENTATIONS = (
    Augmentation(
        "sound-gain",
        "Gain",
        ("sound",),
        "Makes a sound louder or softer: people stand nearer or further away.",
        _gain,
        (_amount("most", "At most", 10.0, "Up or down by this.", 60, "dB"),),
    ),
    Augmentation(
        "sound-shift",
        "Shift",
        ("sound",),
        "Moves a sound in time; silence comes in at the side.",
        _shift,
        (_amount("most", "At most", 0.1, "Share of the length, to either side.", 1),),
    ),
    Augmentation(
        "sound-speed",
        "Speed",
        ("sound",),
        "Plays a sound faster or slower, like a tape: its pitch changes with it.",
        _speed,
        (_amount("most", "At most", 0.15, "0.15 plays at 1/1.15 to 1.15 of the speed.", 1),),
    ),
    Augmentation(
        "sound-pitch",
        "Pitch",
        ("sound",),
        "Makes a sound higher or lower at the same speed, as if a smaller or larger speaker made "
        "it.",
        _pitch,
        (_amount("most", "At most", 3.0, "Up or down by this.", 12, "semitones"),),
    ),
    Augmentation(
        "sound-channel",
        "Channel",
        ("sound",),
        "Another microphone and room: some frequencies stronger and others weaker, the band "
        "narrower, an echo, a little clipping.",
        _channel,
        (
            _amount("tone", "Tone", 6.0, "Each range up or down by this at most.", 30, "dB"),
            _amount("band", "Band", 0.5, "How narrow it gets: 1 may leave 0.1 to 0.3 of it.", 1),
            _amount("echo", "Echo", 0.3, "The echo's strength at most.", 1),
            _amount("clip", "Clipping", 1.0, "How far loud moments are flattened.", 10),
        ),
    ),
    Augmentation(
        "sound-noise",
        "Noise",
        ("sound",),
        "Adds noise, from a hiss to a rumble.",
        _noise,
        (
            _amount("least", "Loudest", 10.0, "Sound over noise at least.", 80, "dB", -20),
            _amount("most", "Softest", 40.0, "Sound over noise at most.", 80, "dB", -20),
        ),
    ),
)
