"""Which channels of a layer are strong, and what makes one strong."""

from __future__ import annotations

from collections.abc import Generator, Hashable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from torch import Tensor

from models.axes import Kind
from playground.messages import Array, PortId
from playground.model import Model
from playground.probes.attribution import arguments_of
from playground.probes.passing import Passage, newest, shape_of

STRONGEST = 12

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Excited(Generic[Key]):
    """A picture that excites a channel: its largest value there, and where on the picture that is,
    (x, y) as shares of its width and height (None for layers without pictures)."""

    key: Key
    strength: float
    place: tuple[float, float] | None = None


def strengths(value: Tensor, kind: Kind, most: int = STRONGEST) -> tuple[tuple[int, float], ...]:
    """The channels of one sample's value with the largest means, the largest first: (channel,
    mean). Features are the channels of a sequence, and the single values those of a vector."""
    value, kind = newest(value, kind)
    match kind:
        case Kind.IMAGE:
            means = value.float().mean((1, 2))
        case Kind.SEQUENCE:
            means = value.float().mean(0)
        case _:
            means = value.float()
    best = means.topk(min(most, len(means)))
    return tuple(zip(best.indices.tolist(), best.values.tolist(), strict=True))


def exciting(
    model: Model,
    port: PortId,
    channel: int,
    pictures: Iterable[tuple[Key, Array]],
    most: int = STRONGEST,
) -> Generator[list[Excited[Key]], None, None]:
    """After each of ``pictures``, given as raw values of the model's one input (without the batch
    axis), the ones so far that excite ``channel`` at ``port`` most, the strongest first. Stops
    where it is closed. Raises ``ValueError`` at once where there is no such channel."""
    (name,) = model.dataset.inputs
    shape = shape_of(model.network, port)
    axis = {Kind.IMAGE: "C", Kind.VIDEO: "C", Kind.VOLUME: "C"}.get(shape.kind, "F")
    if shape.kind is Kind.TOKENS or not 0 <= channel < shape.number(axis):
        raise ValueError(f"there is no channel {channel} in {shape.described()}")
    passage = Passage(model.network, [port])

    def found() -> Generator[list[Excited[Key]], None, None]:
        best: list[Excited[Key]] = []
        for key, raw in pictures:
            value = passage.run(arguments_of(model, {name: raw[None]})).values[port][0]
            best.append(_excited(key, value, shape.kind, channel))
            best = sorted(best, key=lambda one: -one.strength)[:most]
            yield best

    return found()


def _excited(key: Key, value: Tensor, kind: Kind, channel: int) -> Excited[Key]:
    value, kind = newest(value, kind)
    if kind is Kind.SEQUENCE:
        return Excited(key, float(value[:, channel].max()))
    if kind is not Kind.IMAGE:
        return Excited(key, float(value[channel]))
    strongest = int(value[channel].argmax())
    height, width = value[channel].shape
    row, column = divmod(strongest, width)
    place = ((column + 0.5) / width, (row + 0.5) / height)
    return Excited(key, float(value[channel, row, column]), place)
