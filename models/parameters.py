"""Declared settings: one declaration gives the form, the validation and the help of a value."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from models.axes import Shape

Type = Literal["int", "float", "bool", "choice", "text", "ints", "shape", "path"]
Values = Mapping[str, Any]


class ParameterError(ValueError):
    """A value does not fit its declaration; the message is a sentence for the user."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One setting.

    ``ints`` is a whole number or a list of ``length`` of them (a kernel of 3 or of 3×5). A choice
    lists ``(value, label)`` pairs. ``visible`` tells from the other values whether the setting
    matters at present. ``unit`` is shown beside the value.
    """

    id: str
    label: str
    type: Type
    default: Any
    help: str = ""
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[tuple[Any, str], ...] = ()
    length: int = 2
    unit: str = ""
    optional: bool = False
    logarithmic: bool = False
    visible: Callable[[Values], bool] | None = None

    def check(self, value: Any) -> Any:
        """``value`` in its canonical form; raises ``ParameterError``."""
        if value is None:
            if self.optional:
                return None
            raise ParameterError(f"{self.label} needs a value")
        match self.type:
            case "int":
                return self._int(value)
            case "float":
                return self._float(value)
            case "bool":
                if not isinstance(value, bool):
                    raise ParameterError(f"{self.label} is yes or no; got {value!r}")
                return value
            case "choice":
                allowed = [choice for choice, _ in self.choices]
                if isinstance(value, (list, dict)) or value not in allowed:
                    names = ", ".join(str(choice) for choice in allowed)
                    raise ParameterError(f"{self.label} is one of {names}; got {value!r}")
                return value
            case "ints":
                if isinstance(value, (list, tuple)):
                    if len(value) != self.length:
                        raise ParameterError(
                            f"{self.label} is one number or {self.length}; got {len(value)}"
                        )
                    return [self._int(item) for item in value]
                return self._int(value)
            case "shape":
                try:
                    return Shape.from_json(value).to_json()
                except ValueError as error:
                    raise ParameterError(f"{self.label}: {error}") from None
            case "text" | "path":
                if not isinstance(value, str):
                    raise ParameterError(f"{self.label} is text; got {value!r}")
                return value

    def parse(self, text: str) -> Any:
        """Read what a person typed; raises ``ParameterError``."""
        text = text.strip()
        if self.optional and not text:
            return None
        match self.type:
            case "int" | "float":
                return self.check(_number(text))
            case "ints":
                parts = text.replace("×", " ").replace("x", " ").replace(",", " ").split()
                numbers = [_number(part) for part in parts]
                return self.check(numbers[0] if len(numbers) == 1 else numbers)
            case "bool":
                words = {"true": True, "yes": True, "1": True, "false": False, "no": False}
                return self.check(words.get(text.lower(), False if text == "0" else text))
            case "choice":
                for choice, label in self.choices:
                    if text == label or text.replace("-", "_") == str(choice).replace("-", "_"):
                        return choice
        return self.check(text)

    def show(self, value: Any) -> str:
        """The text of a value in a field; ``parse`` reads it back."""
        if value is None:
            return ""
        if self.type == "ints" and isinstance(value, (list, tuple)):
            return "×".join(str(item) for item in value)
        if self.type == "float":
            return f"{value:g}"
        if self.type == "shape":
            return str(Shape.from_json(value))
        if self.type == "choice":
            return str(dict(self.choices).get(value, value))
        return str(value)

    def _int(self, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or math.isnan(value):
            raise ParameterError(f"{self.label} is a whole number; got {value!r}")
        if math.isinf(value) or value != int(value):
            raise ParameterError(f"{self.label} is a whole number; got {value!r}")
        return int(self._bounded(int(value)))

    def _float(self, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise ParameterError(f"{self.label} is a number; got {value!r}")
        if not math.isfinite(value):
            raise ParameterError(f"{self.label} needs a finite number; got {value!r}")
        return float(self._bounded(value))

    def _bounded(self, value: float) -> float:
        low, high = self.minimum, self.maximum
        if (low is not None and value < low) or (high is not None and value > high):
            if low is not None and high is not None:
                allowed = f"from {_short(low)} to {_short(high)}"
            elif low is not None:
                allowed = f"at least {_short(low)}"
            else:
                allowed = f"at most {_short(high)}"
            raise ParameterError(f"{self.label} is {allowed}; got {_short(value)}")
        return value


def _short(value: float | None) -> str:
    """Whole numbers as people write them, as long as they can be read."""
    if value is not None and value == int(value) and abs(value) < 1e12:
        return f"{int(value):,}"
    return f"{value:g}"


def _number(text: str) -> Any:
    for convert in (int, float):
        try:
            return convert(text)
        except ValueError:
            continue
    return text


def checked(parameters: Sequence[Parameter], values: Values) -> dict[str, Any]:
    """Every parameter's value or default, checked; unknown keys are left out.

    Raises ``ParameterError``.
    """
    return {
        parameter.id: parameter.check(values.get(parameter.id, parameter.default))
        for parameter in parameters
    }
