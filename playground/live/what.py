"""What can be run live, and on what: known without torch, so that a window can offer it at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from models.parameters import Values
from playground.detection.detectors import DETECTORS
from playground.downloads import Download, is_there
from playground.live.errors import LiveError
from playground.live.settings import LiveSettings
from playground.recognisers import RECOGNISERS, find_run
from playground.runs import RunFolder

if TYPE_CHECKING:
    from playground.capture import Camera, Microphone
    from playground.data.dataset import Dataset
    from playground.live.newest import Answers
    from playground.live.rows import Rows

Kind = Literal["run", "recogniser", "detector", "teach"]
Medium = Literal["pictures", "sound", "series"]


@dataclass(frozen=True, slots=True)
class Runnable:
    """Something that answers live. ``path`` is the folder of a run of one's own; ``rate`` the
    samples a second of sound that it takes. The kind "teach" is a backbone whose last layer is
    learnt while it runs. ``classes``: its answers are classes with their probabilities."""

    id: str
    title: str
    summary: str
    kind: Kind
    medium: Medium = "pictures"
    rate: int | None = None
    path: Path | None = None
    download: Download | None = None
    classes: bool = True

    @property
    def ready(self) -> bool:
        """Whether nothing has to be downloaded first."""
        return self.download is None or is_there(self.download)

    @property
    def opaque(self) -> bool:
        """Whether it is a detector of several networks, which nothing looks into and torch alone
        runs."""
        return self.kind == "detector" and self.id in DETECTORS


@dataclass(frozen=True, slots=True)
class Wanted:
    """How it is to answer: ``settings`` for networks, ``detection`` for detectors' parameters."""

    settings: LiveSettings = field(default_factory=LiveSettings)
    detection: Values = field(default_factory=dict)


BACKBONE = "efficientnet-lite0"
"""What looks at pictures where classes are taught by example."""
TEACH = Runnable(
    "teach",
    "Teach by example",
    "Show it things, a class at a time: it knows them at once.",
    "teach",
)


def bundled() -> list[Runnable]:
    """What comes with the application, and what can be downloaded."""
    found = [TEACH]
    found += [Runnable(r.id, r.title, r.summary, "recogniser") for r in RECOGNISERS]
    found += [
        Runnable(d.id, d.title, d.summary, "detector", download=d.download, classes=False)
        for d in DETECTORS
    ]
    return found


def of_run(run: RunFolder, title: str = "") -> Runnable:
    """A run of one's own; raises ``RunError``, or ``LiveError`` where nothing live feeds it."""
    return of_data(run.fitted(), f"run:{run.path}", title or f"Run {run.name}", run.path)


def of_data(dataset: Dataset, id: str, title: str, path: Path | None = None) -> Runnable:
    """What was, or is being, trained on such data; raises ``LiveError``."""
    from playground.live.intake import live_input
    from playground.live.table import series_input

    series = series_input(dataset)
    reading: Any = (series or live_input(dataset)).reading
    words = f"Answers with {dataset.task}"
    target = dataset.target
    if classes := target.classes or target.box_classes:
        words = ", ".join(classes[:4]) + (", …" if len(classes) > 4 else "")
    rate = getattr(reading, "rate", None)
    medium: Medium = "pictures" if rate is None else "sound"
    medium = "series" if series is not None else medium
    kind: Kind = "detector" if dataset.task == "detection" else "run"
    return Runnable(id, title, words, kind, medium, rate, path, classes=bool(target.classes))


def opened(what: Runnable, device: Camera | Microphone | Rows, wanted: Wanted) -> Answers:
    """Load it, which takes seconds, and lead ``device`` to it. Raises ``ValueError`` of some kind,
    or ``DownloadError``, with a sentence."""
    from playground.capture import Camera
    from playground.live.rows import Rows
    from playground.runs import load_model

    if what.path is not None and not what.path.is_dir():
        raise LiveError(f"{what.path} was moved or deleted: put it back, or choose another run")
    if isinstance(device, Rows):
        from playground.live.series import LiveSeries

        if what.path is None:
            raise LiveError("rows are answered once the network is trained: wait for its run")
        return LiveSeries(load_model(find_run(what.path or what.id)), device, wanted.settings)
    if what.kind in ("run", "detector") and what.path is None and DETECTORS.find(what.id) is None:
        raise LiveError("it has learnt nothing yet: train it first")
    if what.kind == "detector" and what.path is None:
        from playground.detection.live import LiveDetection

        if not isinstance(device, Camera):
            raise LiveError("a detector takes pictures: choose a camera")
        return LiveDetection(DETECTORS.get(what.id).load(), device, wanted.detection)
    from playground.live.taught import LiveTaught, live_for

    if what.kind == "teach":
        return LiveTaught(load_model(find_run(BACKBONE)), device, wanted.settings)
    live = live_for(load_model(find_run(what.path or what.id)), device, wanted.settings)
    live.want(wanted.settings, wanted.detection)
    return live
