"""The runs of a project as rows: what they reached, and in which settings they differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from models.graph import Graph
from playground.live.errors import LiveError
from playground.live.what import of_run
from playground.runs import RunError, RunFolder, RunSummary, list_runs
from playground.tasks.task import metric_name
from playground.training.settings import PARAMETERS
from ui.document import same_network
from ui.insight.curves import metric_text

SPLITS = ("validation", "test", "train")
LATER = frozenset({"device", "threads"})


@dataclass(frozen=True)
class Row:
    """A run, its settings by id, and whether its network is that on the canvas. ``not_live`` says
    why it cannot be run live, where it cannot."""

    summary: RunSummary
    settings: Mapping[str, Any]
    same_graph: bool
    not_live: str = ""


def read_rows(files: Path, graph: Graph) -> list[Row]:
    """The runs under ``files``, the newest first. Reads files: not for the main thread."""
    rows = []
    for summary in list_runs(files):
        settings: Mapping[str, Any] = {}
        same = True
        if not summary.problem:
            try:
                project = RunFolder(summary.path).project()
                settings = project.training.values()
                same = same_network(project.graph, graph)
            except RunError:
                settings = {}
        rows.append(Row(summary, settings, same, summary.problem or not_live(summary)))
    return rows


def not_live(summary: RunSummary) -> str:
    """Why a run cannot be run live; "" where it can."""
    run = RunFolder(summary.path)
    if not run.has("best"):
        return "it has learnt nothing yet: train it for an epoch first"
    try:
        of_run(run)
    except (LiveError, RunError) as error:
        return str(error)
    return ""


def differing(rows: Sequence[Row]) -> list[str]:
    """Ids of the settings in which the runs are not all alike, in their usual order."""
    known = [row.settings for row in rows if row.settings]
    return [
        parameter.id
        for parameter in PARAMETERS
        if parameter.id not in LATER
        and len({repr(settings.get(parameter.id)) for settings in known}) > 1
    ]


def difference_text(row: Row, ids: Sequence[str]) -> str:
    """The settings that tell a run from the others: ``batch size 64, SGD, another network``."""
    parts = []
    for parameter in PARAMETERS:
        if parameter.id not in ids or parameter.id not in row.settings:
            continue
        value = row.settings[parameter.id]
        shown = parameter.show(value) if value is not None else "none"
        if parameter.type == "choice":
            parts.append(shown)
        elif parameter.type == "bool":
            parts.append(parameter.label.lower() if value else f"no {parameter.label.lower()}")
        else:
            parts.append(f"{parameter.label.lower()} {shown}")
    if not row.same_graph:
        parts.append("another network")
    return ", ".join(parts)


def result_text(summary: RunSummary) -> str:
    """The main metric of the best epoch: ``accuracy 97.1 % (validation)``."""
    for split in SPLITS:
        values = summary.result.get(split, {})
        for name in (summary.metric, "loss"):
            if name in values:
                return f"{metric_name(name)} {metric_text(name, values[name])} ({split})"
    return ""


def when_text(created: str, now: datetime | None = None) -> str:
    """A time for people: ``today 14:03``, ``3 May 14:03``."""
    try:
        moment = datetime.fromisoformat(created)
    except ValueError:
        return ""
    now = now or datetime.now(moment.tzinfo)
    clock = f"{moment:%H:%M}"
    if moment.date() == now.date():
        return f"today {clock}"
    year = f" {moment.year}" if moment.year != now.year else ""
    return f"{moment.day} {moment:%b}{year} {clock}"


def time_text(seconds: float) -> str:
    """A length of time in two units at most: ``42 s``, ``3 min 5 s``, ``2 h 10 min``."""
    if seconds < 60:
        return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"
