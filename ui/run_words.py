"""What a run does, in a few words: for the bar on top and the line at the bottom."""

from __future__ import annotations

import math

from playground.messages import State
from ui.session import Session

STATE_WORDS = {
    State.IDLE: "ready",
    State.PREPARING: "preparing",
    State.RUNNING: "training",
    State.PAUSED: "paused",
    State.STOPPING: "stopping",
    State.FINISHED: "finished",
    State.FAILED: "stopped by an error",
}


def state_words(session: Session) -> str:
    """What the run does, or how it ended."""
    state, message = session.state, session.status.message
    if not session.is_open:
        return "nothing is open"
    if message and state in (State.FINISHED, State.IDLE):
        return message
    return STATE_WORDS[state]


def progress_words(session: Session) -> tuple[str, str, float, str]:
    """Left and right text, the share done and the bar's colour."""
    progress, state = session.progress, session.state
    if progress is not None and progress.epochs:
        done = progress.epoch - 1 + progress.batch / max(1, progress.batches)
        share = done / progress.epochs
        left = f"Epoch <b>{progress.epoch}</b> of {progress.epochs}"
        if state is State.RUNNING:
            return (
                left,
                speed_words(progress.batches_per_second, progress.seconds_left),
                share,
                "accent",
            )
        if state is State.PAUSED:
            return left, f"batch {progress.batch} of {progress.batches}", share, "warn"
        if state is State.FINISHED:
            return left, "finished", share, "good"
        return left, STATE_WORDS[state], share, "bad" if state is State.FAILED else "warn"
    if state is State.PREPARING:
        return "Preparing", "", 0.0, "accent"
    if not session.is_open:
        return "", "", 0.0, "accent"
    left = "Not trained yet" if session.run_folder is None else "Trained"
    estimate = session.estimate
    if estimate is None or estimate.seconds_per_epoch is None:
        return left, "", 0.0, "accent"
    return left, f"about {duration(estimate.seconds_per_epoch)} an epoch", 0.0, "accent"


def speed_words(batches_per_second: float, seconds_left: float | None) -> str:
    speed = f"{batches_per_second:.0f} batches/s"
    if batches_per_second < 10:
        speed = f"{batches_per_second:.1f} batches/s"
    return speed if seconds_left is None else f"{speed} · {duration(seconds_left)} left"


def duration(seconds: float) -> str:
    """9 s, 3 min 20 s, 2 h 5 min."""
    whole = max(0, math.ceil(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def best_words(session: Session) -> str:
    history = session.history
    if history is None or history.best_epoch is None or session.state is State.FINISHED:
        return ""
    epoch = history.best_epoch
    for at, loss in zip(history.epochs, history.validation_loss, strict=False):
        if int(at) == epoch and math.isfinite(loss):
            return f"best checkpoint: epoch {epoch}, validation {loss:.3f}"
    return f"best checkpoint: epoch {epoch}"
