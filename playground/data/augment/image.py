"""Augmentation of pictures and, the same way for each frame of a clip, of video.

The operations are torchvision's (v2); the numbers are drawn here, because its random transforms
draw once for a whole batch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from models.parameters import Parameter
from playground.data.augment import Augmentation

if TYPE_CHECKING:
    from torch import Generator, Tensor

Options = Mapping[str, Any]
KINDS = ("image", "video")


def _functional() -> Any:
    from torchvision.transforms.v2 import functional

    return functional


def _changed(batch: Tensor, change: Callable[[int, Tensor], Tensor]) -> Tensor:
    """``change`` on each sample, which is 0…1 there."""
    import torch

    values = batch / 255
    done = [change(index, sample) for index, sample in enumerate(values)]
    return torch.stack(done).clamp(0, 1) * 255 if done else batch


def _flip(batch: Tensor, options: Options, generator: Generator) -> Tensor:
    import torch

    from playground.data.augment.draws import chosen, each

    functional = _functional()
    for turn in ("horizontal", "vertical"):
        which = chosen(len(batch), options[turn], generator)
        flipped = getattr(functional, f"{turn}_flip")(batch)
        batch = torch.where(each(which, batch).bool(), flipped, batch)
    return batch


def _move(batch: Tensor, options: Options, generator: Generator) -> Tensor:
    from playground.data.augment.draws import uniform

    functional, count = _functional(), len(batch)
    height, width = batch.shape[-2:]
    turn, shift, size = options["turn"], options["shift"], options["size"]
    angle = uniform(count, -turn, turn, generator)
    right = uniform(count, -shift, shift, generator) * width
    down = uniform(count, -shift, shift, generator) * height
    scale = uniform(count, 1 - size, 1 + size, generator)
    slant = uniform(count, -options["slant"], options["slant"], generator)

    def change(index: int, sample: Tensor) -> Tensor:
        fill = float(sample.mean()) if options["fill"] == "mean" else float(options["fill"])
        moved: Tensor = functional.affine(
            sample,
            angle=float(angle[index]),
            translate=[float(right[index]), float(down[index])],
            scale=float(scale[index]),
            shear=[float(slant[index]), 0.0],
            interpolation=functional.InterpolationMode.BILINEAR,
            fill=[fill],
        )
        return moved

    return _changed(batch, change)


def _crop(batch: Tensor, options: Options, generator: Generator) -> Tensor:
    from playground.data.augment.draws import uniform

    functional, count = _functional(), len(batch)
    height, width = batch.shape[-2:]
    area = uniform(count, options["least"], 1, generator).sqrt()
    ratio = uniform(count, -0.14, 0.14, generator).exp()
    tall = (area * ratio * height).round().clamp(1, height).int()
    wide = (area / ratio * width).round().clamp(1, width).int()
    top = (uniform(count, 0, 1, generator) * (height - tall)).round().int()
    left = (uniform(count, 0, 1, generator) * (width - wide)).round().int()

    def change(index: int, sample: Tensor) -> Tensor:
        box = [int(value[index]) for value in (top, left, tall, wide)]
        cut: Tensor = functional.resized_crop(sample, *box, [height, width], antialias=True)
        return cut

    return _changed(batch, change)


def _colour(batch: Tensor, options: Options, generator: Generator) -> Tensor:
    from playground.data.augment.draws import uniform

    functional, count = _functional(), len(batch)
    names = ("brightness", "contrast", "saturation")
    factors = {n: uniform(count, 1 - options[n], 1 + options[n], generator) for n in names}
    hue = uniform(count, -options["hue"], options["hue"], generator)
    coloured = batch.shape[-3] == 3

    def change(index: int, sample: Tensor) -> Tensor:
        for name in names if coloured else names[:2]:
            if options[name]:
                adjust = getattr(functional, f"adjust_{name}")
                sample = adjust(sample, float(factors[name][index]))
        if coloured and options["hue"]:
            sample = functional.adjust_hue(sample, float(hue[index]))
        return sample

    return _changed(batch, change)


def _noise(batch: Tensor, options: Options, generator: Generator) -> Tensor:
    from playground.data.augment.draws import each, normal, uniform

    amount = each(uniform(len(batch), 0, options["amount"], generator), batch)
    noisy = batch + 255 * amount * normal(batch.shape, batch, generator)
    return noisy.clamp(0, 255)


def _blur(batch: Tensor, options: Options, generator: Generator) -> Tensor:
    from playground.data.augment.draws import uniform

    functional = _functional()
    sigma = uniform(len(batch), 0, options["radius"], generator)
    size = 2 * min(int(3 * options["radius"] + 0.5), (min(batch.shape[-2:]) - 1) // 2) + 1

    def change(index: int, sample: Tensor) -> Tensor:
        width = float(sigma[index])
        if width < 0.05:
            return sample
        blurred: Tensor = functional.gaussian_blur(sample, [size, size], [width, width])
        return blurred

    return _changed(batch, change)


def _erase(batch: Tensor, options: Options, generator: Generator) -> Tensor:
    from playground.data.augment.draws import chosen, uniform

    functional, count = _functional(), len(batch)
    height, width = batch.shape[-2:]
    which = chosen(count, options["probability"], generator)
    side = uniform(count, 0, options["most"], generator).sqrt()
    tall = (side * height).round().clamp(1, height).int()
    wide = (side * width).round().clamp(1, width).int()
    top = (uniform(count, 0, 1, generator) * (height - tall)).int()
    left = (uniform(count, 0, 1, generator) * (width - wide)).int()

    def change(index: int, sample: Tensor) -> Tensor:
        if not which[index]:
            return sample
        box = [int(value[index]) for value in (top, left, tall, wide)]
        erased: Tensor = functional.erase(sample, *box, v=sample.mean())
        return erased

    return _changed(batch, change)


def _share(id: str, name: str, default: float, help: str, maximum: float = 1.0) -> Parameter:
    return Parameter(id, name, "float", default, help, minimum=0, maximum=maximum)


AUGMENTATIONS = (
    Augmentation(
        "flip",
        "Flip",
        KINDS,
        "Mirrors pictures. Not for what has a left and a right, such as letters.",
        _flip,
        (
            _share("horizontal", "Left to right", 0.5, "Probability."),
            _share("vertical", "Upside down", 0.0, "Probability."),
        ),
        moves=True,
    ),
    Augmentation(
        "move",
        "Turn and move",
        KINDS,
        "Turns, moves, resizes and slants: things are seldom in the middle and upright.",
        _move,
        (
            Parameter("turn", "Turn", "float", 10.0, "At most.", minimum=0, maximum=180, unit="°"),
            _share("shift", "Move", 0.1, "At most this share of the side."),
            _share("size", "Resize", 0.1, "0.1 makes 0.9 to 1.1 of the size.", 0.9),
            Parameter("slant", "Slant", "float", 0.0, "At most.", minimum=0, maximum=45, unit="°"),
            Parameter(
                "fill",
                "Fill",
                "choice",
                "0",
                "What appears at the borders.",
                choices=(("0", "Black"), ("1", "White"), ("mean", "The picture's mean")),
            ),
        ),
        moves=True,
    ),
    Augmentation(
        "crop",
        "Crop",
        KINDS,
        "Takes a part of the picture and enlarges it (Szegedy et al. 2015).",
        _crop,
        (
            Parameter(
                "least",
                "At least",
                "float",
                0.6,
                "The smallest share of the area that is kept.",
                minimum=0.05,
                maximum=1,
            ),
        ),
        moves=True,
    ),
    Augmentation(
        "colour",
        "Light and colour",
        KINDS,
        "Changes brightness, contrast and colours: light differs from room to room.",
        _colour,
        (
            _share("brightness", "Brightness", 0.3, "0.3 makes 0.7 to 1.3 of it."),
            _share("contrast", "Contrast", 0.3, "0.3 makes 0.7 to 1.3 of it."),
            _share("saturation", "Saturation", 0.3, "0.3 makes 0.7 to 1.3 of it."),
            _share("hue", "Hue", 0.02, "Share of the colour circle, both ways.", 0.5),
        ),
    ),
    Augmentation(
        "noise",
        "Noise",
        KINDS,
        "Adds grain, as cameras have it in the dark.",
        _noise,
        (_share("amount", "Amount", 0.05, "Deviation of the grain, as a share of white."),),
    ),
    Augmentation(
        "blur",
        "Blur",
        KINDS,
        "Takes the sharpness away: cameras are not always in focus.",
        _blur,
        (
            Parameter(
                "radius", "Radius", "float", 1.0, "At most.", minimum=0.1, maximum=10, unit="px"
            ),
        ),
    ),
    Augmentation(
        "erase",
        "Erase",
        KINDS,
        "Covers a rectangle: the network must not rely on one place (Zhong et al. 2020).",
        _erase,
        (
            _share("probability", "Probability", 0.5, "Of a picture to be changed."),
            _share("most", "At most", 0.2, "Share of the area that is covered."),
        ),
    ),
)
