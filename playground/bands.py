"""How far off a forecast may be: a band that would have held 80 % of what came in the validation
windows.

For each step ahead it reaches as far to both sides as the ⌈0.8 · (n + 1)⌉-th smallest of the n
absolute errors there: split conformal prediction (Lei et al. 2018). The 10 and 90 % quantiles of
the signed errors would be narrower, but few windows that overlap say little about the sign: they
held 42 to 46 % of what came next where this holds 67 to 94 % (airline passengers, three seeds; live
it also follows what comes, see ``playground.live.adapting``). The
errors are taken in the scale of the network's outputs, so that the band of a series with a
logarithm grows with it. It is found when it is first asked for, and kept with the run.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any

import numpy as np
import numpy.typing as npt

from playground.answers import Answer, Series
from playground.data import open_data
from playground.data.dataset import Dataset
from playground.data.errors import DataError
from playground.data.splits import digests
from playground.model import Model

Array = npt.NDArray[Any]

SHARE = 0.8
ENTRY = "band"
"""In ``run.json``."""
SLICE = 1024
MOST = 4096
"""Validation windows that are looked at: the last ones."""


class NoBand(ValueError):
    """There is no band for this run; the message says why."""


@dataclass(frozen=True, slots=True, eq=False)
class Band:
    """How far it reaches for each step ahead (H,), by the errors in ``windows`` windows.
    ``carried``: these are the errors of a recurrent network whose state is carried from row to row,
    because they were not larger than those of whole windows."""

    reach: Array
    windows: int
    carried: bool = False

    def around(self, answer: Answer, model: Model, width: float = 1.0) -> Answer:
        """A forecast of ``model`` with its band, which is ``width`` times as wide as it was found
        to be; other answers as they are."""
        if not isinstance(answer, Series) or len(answer.values) != len(self.reach):
            return answer
        preprocessing = model.dataset.target.preprocessing
        middle = preprocessing.numpy(np.asarray([answer.values], np.float32))[0]
        ends = (middle - width * self.reach, middle + width * self.reach)
        low, high = (preprocessing.inverse(end[None])[0] for end in ends)
        return replace(answer, low=tuple(low.tolist()), high=tuple(high.tolist()))

    def to_json(self) -> dict[str, Any]:
        return {"reach": self.reach.tolist(), "windows": self.windows, "carried": self.carried}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Band:
        """Raises ``ValueError``."""
        reach = np.asarray(data["reach"], np.float32)
        if reach.ndim != 1 or not (np.isfinite(reach) & (reach >= 0)).all():
            raise ValueError("a band has a positive number for each step ahead")
        return cls(reach, int(data["windows"]), data["carried"] is True)


def is_forecast(model: Model) -> bool:
    return model.task.id == "forecast"


def band_of(model: Model) -> Band:
    """The band of a run's forecasts: as kept with it, otherwise from the data that it was trained
    on. Raises ``NoBand``."""
    if not is_forecast(model) or model.run is None:
        raise NoBand("only the forecasts of a run have a band")
    run, key = model.run, _digest(model)
    info = run.info()
    with suppress(KeyError, TypeError, ValueError):
        if info[ENTRY]["weights"] == key:
            return Band.from_json(info[ENTRY])
    try:
        dataset = open_data(run.project().data, run.place())
    except (DataError, OSError) as error:
        raise NoBand(
            f"the forecast has no band, because its data cannot be opened: {error}"
        ) from None
    if info.get("splits") not in (None, digests(dataset)):
        raise NoBand("the forecast has no band, because the data are not those of its training")
    band = measured(model, dataset)
    with suppress(OSError, ValueError):  # then it is found anew the next time
        if not run.taken():
            run.update(**{ENTRY: {"weights": key, **band.to_json()}})
    return band


def measured(model: Model, dataset: Dataset, split: str = "validation") -> Band:
    """The band of the residuals on a split; raises ``NoBand``."""
    indices = dataset.splits[split][-MOST:]
    if not len(indices):
        raise NoBand("the forecast has no band, because no rows were kept back for validation")
    found, other = residuals(model, dataset, indices), _carried_on(model, dataset, indices)
    carried = other is not None and bool(np.square(other).mean() <= np.square(found).mean())
    errors = np.sort(np.abs(other if carried and other is not None else found), axis=0)
    rank = min(math.ceil(SHARE * (len(indices) + 1)), len(indices))
    return Band(errors[rank - 1].astype(np.float32), len(indices), carried)


def residuals(model: Model, dataset: Dataset, indices: Array) -> Array:
    """What was less what was forecast (N, H), in the scale of the network's outputs."""
    output, name = next(iter(model.wires.outputs.items()))
    target = model.dataset.targets[name].preprocessing
    parts = []
    for start in range(0, len(indices), SLICE):
        chosen = indices[start : start + SLICE]
        raw = {key: column.take(chosen) for key, column in dataset.inputs.items()}
        found = model.outputs(model.prepared(raw))[output]
        wanted = target.numpy(dataset.targets[name].take(chosen))
        parts.append(wanted.reshape(found.shape) - found)
    return np.concatenate(parts)


def _carried_on(model: Model, dataset: Dataset, indices: Array) -> Array | None:
    """The residuals (N, H) where the state is carried from window to window; None where that cannot
    be, or the windows do not follow each other row by row."""
    from playground.live.streaming import NotStreaming, Streamer

    (name, column), *others = dataset.inputs.items()
    windows = column.take(indices)
    if others or not np.array_equal(windows[1:, :-1], windows[:-1, 1:]):
        return None
    try:
        streamer = Streamer(model)
    except NotStreaming:
        return None
    output, key = next(iter(model.wires.outputs.items()))
    for row in windows[0][:-1]:
        streamer.step({name: row[None, None]})
    found = np.concatenate(
        [streamer.step({name: row[None, None]})[output] for row in windows[:, -1]]
    )
    target = dataset.targets[key].take(indices)
    wanted = model.dataset.targets[key].preprocessing.numpy(target)
    return np.asarray(wanted.reshape(found.shape) - found)


def _digest(model: Model) -> str:
    """Of the weights: other ones make other errors."""
    found = blake2b(digest_size=8)
    for name, value in sorted(model.network.module.state_dict().items()):
        found.update(name.encode())
        found.update(value.detach().cpu().contiguous().numpy().tobytes())
    return found.hexdigest()
