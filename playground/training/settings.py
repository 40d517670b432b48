"""How to train: one declaration gives the form in the window, ``--set`` and the project file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from models.parameters import Parameter, ParameterError, checked


def _with(name: str, *values: str) -> Any:
    return lambda settings: settings.get(name) in values


PARAMETERS: tuple[Parameter, ...] = (
    Parameter(
        "epochs",
        "Epochs",
        "int",
        10,
        "How often the training data are gone through.",
        minimum=1,
        maximum=1_000_000,
    ),
    Parameter(
        "batch_size",
        "Batch size",
        "int",
        32,
        "Samples between two updates of the weights. Larger is faster and smoother, smaller often "
        "generalizes better.",
        minimum=1,
        maximum=1_000_000,
        unit="samples",
        logarithmic=True,
    ),
    Parameter(
        "optimizer",
        "Optimizer",
        "choice",
        "adam",
        "How gradients change the weights. Adam is a safe start; SGD with momentum often ends a "
        "little better with a schedule.",
        choices=(("sgd", "SGD"), ("adam", "Adam"), ("adamw", "AdamW"), ("rmsprop", "RMSprop")),
    ),
    Parameter(
        "learning_rate",
        "Learning rate",
        "float",
        1e-3,
        "The size of a step; the setting that matters most. Can be changed while training.",
        minimum=1e-10,
        maximum=1e3,
        logarithmic=True,
    ),
    Parameter(
        "momentum",
        "Momentum",
        "float",
        0.9,
        "How much of the last step is kept.",
        minimum=0.0,
        maximum=0.9999,
        visible=_with("optimizer", "sgd"),
    ),
    Parameter(
        "weight_decay",
        "Weight decay",
        "float",
        0.0,
        "Pulls weights towards zero against overfitting.",
        minimum=0.0,
        maximum=10.0,
        logarithmic=True,
    ),
    Parameter(
        "schedule",
        "Schedule",
        "choice",
        "constant",
        "How the learning rate changes during training.",
        choices=(
            ("constant", "Constant"),
            ("step", "Step"),
            ("cosine", "Cosine"),
            ("one_cycle", "One cycle"),
            ("plateau", "Reduce on plateau"),
        ),
    ),
    Parameter(
        "step_epochs",
        "Step every",
        "int",
        5,
        "Epochs between two reductions.",
        minimum=1,
        maximum=1_000_000,
        unit="epochs",
        visible=_with("schedule", "step"),
    ),
    Parameter(
        "plateau_patience",
        "Wait on a plateau",
        "int",
        3,
        "Epochs without a better validation loss before the learning rate is reduced.",
        minimum=1,
        maximum=1_000_000,
        unit="epochs",
        visible=_with("schedule", "plateau"),
    ),
    Parameter(
        "reduce_by",
        "Reduce to",
        "float",
        0.3,
        "The learning rate is multiplied by this.",
        minimum=0.001,
        maximum=1.0,
        unit="×",
        visible=_with("schedule", "step", "plateau"),
    ),
    Parameter(
        "gradient_clip",
        "Clip gradients at",
        "float",
        None,
        "The largest norm of all gradients together; keeps recurrent networks from exploding. "
        "Empty: no limit.",
        minimum=1e-6,
        maximum=1e6,
        optional=True,
    ),
    Parameter(
        "early_stopping",
        "Stop early after",
        "int",
        None,
        "Epochs without a better validation result before training ends. Empty: never.",
        minimum=1,
        maximum=1_000_000,
        optional=True,
        unit="epochs",
    ),
    Parameter(
        "seed",
        "Seed",
        "int",
        0,
        "Initial weights and the order of samples follow from it: same seed, same run.",
        minimum=0,
        maximum=2**31 - 1,
    ),
    Parameter(
        "device",
        "Device",
        "choice",
        "auto",
        "Where to train. Automatic takes a GPU where there is one.",
        choices=(("auto", "Automatic"), ("cpu", "CPU"), ("cuda", "CUDA"), ("mps", "Apple GPU")),
    ),
    Parameter(
        "threads",
        "CPU threads",
        "int",
        0,
        "0 leaves one core free, which keeps the window fluid and is faster beside other work.",
        minimum=0,
        maximum=1024,
    ),
    Parameter(
        "mixed_precision",
        "Mixed precision",
        "bool",
        True,
        "On CUDA, compute in 16 bits where it is safe: about twice as fast. No effect elsewhere.",
    ),
    Parameter(
        "learns",
        "Learn",
        "choice",
        "all",
        "With the weights of another network, the last layer alone is often enough for a few "
        "samples, and much faster.",
        choices=(("all", "All layers"), ("head", "The last layer alone")),
    ),
    Parameter(
        "class_weights",
        "Balance classes",
        "bool",
        False,
        "Rare classes count more in the loss. For classification with unbalanced data.",
    ),
)
_DEFAULTS = {parameter.id: parameter.default for parameter in PARAMETERS}
_BY_ID = {parameter.id: parameter for parameter in PARAMETERS}


@dataclass(frozen=True)
class TrainingSettings:
    """Every setting of a run. ``extra`` keeps keys that this version does not know."""

    epochs: int = _DEFAULTS["epochs"]
    batch_size: int = _DEFAULTS["batch_size"]
    optimizer: str = _DEFAULTS["optimizer"]
    learning_rate: float = _DEFAULTS["learning_rate"]
    momentum: float = _DEFAULTS["momentum"]
    weight_decay: float = _DEFAULTS["weight_decay"]
    schedule: str = _DEFAULTS["schedule"]
    step_epochs: int = _DEFAULTS["step_epochs"]
    plateau_patience: int = _DEFAULTS["plateau_patience"]
    reduce_by: float = _DEFAULTS["reduce_by"]
    gradient_clip: float | None = _DEFAULTS["gradient_clip"]
    early_stopping: int | None = _DEFAULTS["early_stopping"]
    seed: int = _DEFAULTS["seed"]
    device: str = _DEFAULTS["device"]
    threads: int = _DEFAULTS["threads"]
    mixed_precision: bool = _DEFAULTS["mixed_precision"]
    learns: str = _DEFAULTS["learns"]
    class_weights: bool = _DEFAULTS["class_weights"]
    extra: Mapping[str, Any] = field(default_factory=dict)

    def values(self) -> dict[str, Any]:
        """Settings by id, as forms want them."""
        return {name: getattr(self, name) for name in _BY_ID}

    def replace(self, **values: Any) -> TrainingSettings:
        """A copy with some settings changed; raises ``ParameterError``."""
        for name in values:
            if name not in _BY_ID:
                raise ParameterError(f"there is no training setting called {name!r}")
        return replace(self, **{name: _BY_ID[name].check(value) for name, value in values.items()})

    def to_json(self) -> dict[str, Any]:
        """Every setting, also those at their defaults: a default may change, a project must not."""
        return self.values() | dict(self.extra)

    @classmethod
    def from_json(cls, data: Any) -> TrainingSettings:
        """Read a project's settings; raises ``ParameterError`` naming the setting."""
        if not isinstance(data, Mapping):
            raise ParameterError(f"the training settings are an object; got {data!r:.40}")
        extra = {key: value for key, value in data.items() if key not in _BY_ID}
        return cls(**checked(PARAMETERS, data), extra=extra)
