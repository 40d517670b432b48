"""Learning-rate schedules as functions of how far a run is: nothing to save, nothing to step."""

from __future__ import annotations

from math import cos, pi

from playground.training.settings import TrainingSettings

WARM_UP = 0.3
START, END = 1 / 25, 1e-4


def factor(settings: TrainingSettings, step: int, steps: int, epoch: int) -> float:
    """What the learning rate is multiplied by at batch ``step`` of ``steps`` in all, in ``epoch``
    (both from 0). Reduction on a plateau depends on the losses and is ``Plateau``'s."""
    done = min(1.0, step / max(1, steps))
    match settings.schedule:
        case "step":
            return float(settings.reduce_by ** (epoch // settings.step_epochs))
        case "cosine":
            # Loshchilov and Hutter 2017, without restarts
            return 0.5 * (1 + cos(pi * done))
        case "one_cycle":
            # Smith and Topin 2018, with cosine flanks; the set rate is the peak
            if done < WARM_UP:
                return _between(START, 1.0, done / WARM_UP)
            return _between(1.0, START * END, (done - WARM_UP) / (1 - WARM_UP))
    return 1.0


def _between(start: float, end: float, share: float) -> float:
    return end + (start - end) * 0.5 * (1 + cos(pi * share))
