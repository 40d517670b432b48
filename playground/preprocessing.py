"""What is done to raw values before the network sees them: declared, invertible steps.

The steps are data: they are fitted on the training split, saved with a run, and exported with the
model, so that a model answers elsewhere exactly as it did in the window. The arithmetic is written
once and runs on numpy arrays and torch tensors alike, in float32.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from torch import nn

Array = npt.NDArray[Any]
Constants = Mapping[str, Any]


class PreprocessingError(ValueError):
    """Saved steps cannot be read; the message names what is wrong with them."""


class Step(Protocol):
    """One operation. ``apply`` and ``undo`` take a batch, the step's constants as arrays of the
    same library, and that library (numpy or torch)."""

    op: ClassVar[str]

    def constants(self) -> dict[str, Array]: ...
    def apply(self, x: Any, c: Constants, xp: Any) -> Any: ...
    def undo(self, x: Any, c: Constants, xp: Any) -> Any: ...
    def to_json(self) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Scale:
    """Divide by a number: pixels from 0…255 to 0…1."""

    by: float
    op: ClassVar[str] = "scale"

    def constants(self) -> dict[str, Array]:
        return {"by": np.asarray([self.by], np.float32)}

    def apply(self, x: Any, c: Constants, xp: Any) -> Any:
        return x / c["by"]

    def undo(self, x: Any, c: Constants, xp: Any) -> Any:
        return x * c["by"]

    def to_json(self) -> dict[str, Any]:
        return {"op": self.op, "by": self.by}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Scale:
        step = cls(float(data["by"]))
        if not np.isfinite(step.by) or step.by == 0:
            raise ValueError("the divisor is a finite number other than 0")
        return step


@dataclass(frozen=True, slots=True)
class Standardize:
    """Subtract a mean and divide by a standard deviation, one pair for each index of ``axis``
    (counted from the end: −3 for the channels of an image, −1 for features)."""

    mean: tuple[float, ...]
    std: tuple[float, ...]
    axis: int = -1
    op: ClassVar[str] = "standardize"

    def constants(self) -> dict[str, Array]:
        return {"mean": _along(self.mean, self.axis), "std": _along(self.std, self.axis)}

    def apply(self, x: Any, c: Constants, xp: Any) -> Any:
        return (x - c["mean"]) / c["std"]

    def undo(self, x: Any, c: Constants, xp: Any) -> Any:
        return x * c["std"] + c["mean"]

    def to_json(self) -> dict[str, Any]:
        return {
            "op": self.op,
            "mean": list(self.mean),
            "std": list(self.std),
            "axis": self.axis,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Standardize:
        step = cls(_numbers(data["mean"]), _numbers(data["std"]), _axis(data["axis"]))
        if len(step.mean) != len(step.std) or not all(value > 0 for value in step.std):
            raise ValueError("a positive deviation is needed for each mean")
        return step


@dataclass(frozen=True, slots=True)
class Fill:
    """Put a number in the place of a missing value (NaN), one for each index of ``axis``."""

    values: tuple[float, ...]
    axis: int = -1
    op: ClassVar[str] = "fill"

    def constants(self) -> dict[str, Array]:
        return {"values": _along(self.values, self.axis)}

    def apply(self, x: Any, c: Constants, xp: Any) -> Any:
        return xp.where(xp.isnan(x), c["values"], x)

    def undo(self, x: Any, c: Constants, xp: Any) -> Any:
        return x

    def to_json(self) -> dict[str, Any]:
        return {"op": self.op, "values": list(self.values), "axis": self.axis}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Fill:
        return cls(_numbers(data["values"]), _axis(data["axis"]))


@dataclass(frozen=True, slots=True)
class Log:
    """Take the natural logarithm: growth by a factor becomes growth by a sum.

    On arrays it is worked out in double precision: the libraries' float32 logarithms differ in
    their last bit, and so would an exported model's answers.
    """

    op: ClassVar[str] = "log"

    def constants(self) -> dict[str, Array]:
        return {}

    def apply(self, x: Any, c: Constants, xp: Any) -> Any:
        return xp.log(x.astype(np.float64)).astype(np.float32) if xp is np else xp.log(x)

    def undo(self, x: Any, c: Constants, xp: Any) -> Any:
        return xp.exp(x.astype(np.float64)).astype(np.float32) if xp is np else xp.exp(x)

    def to_json(self) -> dict[str, Any]:
        return {"op": self.op}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Log:
        return cls()


STEPS: dict[str, Any] = {kind.op: kind for kind in (Scale, Standardize, Fill, Log)}


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """Steps in the order in which they are applied. Without steps values pass unchanged, in their
    own type; with steps they become float32."""

    steps: tuple[Step, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.steps)

    def refused(self, values: Any) -> str:
        """What finite values are that are no finite numbers after the steps."""
        logs = any(isinstance(step, Log) for step in self.steps)
        return "has no logarithm" if logs and np.any(values <= 0) else "is too large"

    def numpy(self, values: Array) -> Array:
        """A raw batch (N, …) as the network is given it."""
        if not self.steps:
            return values
        x: Array = values.astype(np.float32)
        for step in self.steps:
            x = step.apply(x, step.constants(), np)
        return x

    def inverse(self, values: Array) -> Array:
        """The raw batch that a preprocessed one came from, or what a network's answer means."""
        if not self.steps:
            return values
        x: Array = values.astype(np.float32)
        for step in reversed(self.steps):
            x = step.undo(x, step.constants(), np)
        return x

    def module(self, *, inverse: bool = False) -> nn.Module:
        """The same as a torch module, its constants being buffers."""
        from playground.preprocessing_module import Steps

        return Steps(self.steps, inverse=inverse)

    def to_json(self) -> list[dict[str, Any]]:
        return [step.to_json() for step in self.steps]

    @classmethod
    def from_json(cls, data: Any) -> Preprocessing:
        """Read saved steps; raises ``PreprocessingError``."""
        if not isinstance(data, Sequence) or isinstance(data, str):
            raise PreprocessingError("preprocessing is a list of steps")
        steps: list[Step] = []
        for item in data:
            op = item.get("op") if isinstance(item, Mapping) else None
            kind = STEPS.get(op) if isinstance(op, str) else None
            if kind is None:
                raise PreprocessingError(
                    f"the preprocessing step {op!r} is not known here; known: {', '.join(STEPS)}"
                )
            try:
                steps.append(kind.from_json(item))
            except (KeyError, TypeError, ValueError) as error:
                raise PreprocessingError(
                    f"the preprocessing step {op!r} cannot be read: {error}"
                ) from None
        return cls(tuple(steps))


NOTHING = Preprocessing()


def standardized(values: Array, axis: int) -> Standardize:
    """The step that gives ``values`` (N, …) mean 0 and deviation 1 along ``axis``; what does not
    vary is only centred. Missing values (NaN) are left out of the count."""
    others = tuple(a for a in range(values.ndim) if a != values.ndim + axis)
    wide = values.astype(np.float64)
    mean = np.nanmean(wide, axis=others)
    std = np.nanstd(wide, axis=others)
    std = np.where(std > 1e-8 * np.maximum(1.0, np.abs(mean)), std, 1.0)
    return Standardize(_rounded(mean), _rounded(std), axis)


def standardized_counts(levels: Array, counts: Array, axis: int) -> Standardize:
    """The same of channels whose values are ``levels`` (L,), ``counts`` (C, L) times each."""
    shares = counts / counts.sum(axis=1, keepdims=True)
    wide = levels.astype(np.float64)
    mean = shares @ wide
    std = np.sqrt((shares * np.square(wide - mean[:, None])).sum(axis=1))
    std = np.where(std > 1e-8 * np.maximum(1.0, np.abs(mean)), std, 1.0)
    return Standardize(_rounded(mean), _rounded(std), axis)


def _rounded(values: Array) -> tuple[float, ...]:
    """Float32 values written with the digits that matter, which makes for readable documents."""
    return tuple(float(str(np.float32(value))) for value in np.atleast_1d(values))


def _along(values: tuple[float, ...], axis: int) -> Array:
    """Constants that broadcast along ``axis``, which is negative."""
    return np.asarray(values, np.float32).reshape(-1, *(1,) * (-axis - 1))


def _numbers(values: Any) -> tuple[float, ...]:
    numbers = tuple(float(value) for value in values)
    if not numbers or not all(np.isfinite(number) for number in numbers):
        raise ValueError("finite numbers are needed")
    return numbers


def _axis(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not -4 <= value <= -1:
        raise ValueError(f"an axis is a number from -4 to -1; got {value!r}")
    return value
