"""The commands that train a network or ask one."""

from __future__ import annotations

import signal
import sys
import time
from argparse import Namespace
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import numpy as np

from models.shapes import infer
from playground import overrides
from playground import project as projects
from playground.answers import Boxes, Classes
from playground.commands import open_project, refuse_existing
from playground.console import Bar, Console, count, duration, metric
from playground.data import Dataset, Place
from playground.data.splits import digests
from playground.detection.detectors import DETECTORS
from playground.finishing import Finish, finishing, share_known
from playground.opening import opened_data
from playground.project import Project
from playground.recognisers import RECOGNISERS, run_of
from playground.runs import RunFolder, list_runs, load_model, new_run
from playground.starter import adopt, propose, starter_graph
from playground.tasks import TASKS, TaskSettings

if TYPE_CHECKING:
    from playground.detection.command import Asked
    from playground.model import Model
    from playground.training.trainer import Kind, Trainer

SPLITS: tuple[Kind, ...] = ("train", "validation", "test")
INTERRUPTED = 130
CELLS = 15
"""The largest confusion matrix that is printed."""


def train(options: Namespace) -> int:
    """Train, and print what came of it; 130 where it was interrupted (a checkpoint is kept)."""
    from playground.training.trainer import Trainer

    console = Console(options.json)
    if options.resume:
        project, place, run = _resumed(options)
        dataset = opened_data(project.data, place, console)
    else:
        project, path = _wanted(options)
        place = projects.place(path)
        dataset = opened_data(project.data, place, console)
        project = _fitted(project, dataset, options.fit, console)
        run = RunFolder.create(options.out, place) if options.out else new_run(place.files)
    try:
        weights = None if options.weights is None else _find(options.weights)
        trainer = Trainer(project, dataset, run, resume=options.resume, weights_from=weights)
    except BaseException:
        if not options.resume:
            run.discard()
        raise
    _announce(trainer, console)
    with console.progress(project.name) as bar, _stopping(trainer):
        _drive(trainer, console, bar)
    return _summary(trainer, console)


def _wanted(options: Namespace) -> tuple[Project, Path]:
    """The project with everything that the options change in it."""
    project, path = open_project(options.project)
    if options.data is not None:
        project = overrides.with_data(project, options.data)
    named = {"epochs": options.epochs, "device": options.device, "seed": options.seed}
    training = project.training.replace(**{k: v for k, v in named.items() if v is not None})
    return overrides.apply(replace(project, training=training), options.settings), path


def _resumed(options: Namespace) -> tuple[Project, Place, RunFolder]:
    """The run to go on with, and its own copy of the project."""
    if options.settings or options.data or options.weights or options.seed is not None:
        raise ValueError(
            "a resumed run keeps its data, settings and weights: leave out --set, --data, "
            "--weights and --seed, or start a new run"
        )
    if options.out is not None:
        run = RunFolder(options.out)
    else:
        files = projects.files_folder(open_project(options.project)[1])
        found = next((item for item in list_runs(files) if item.resumable), None)
        if found is None:
            raise ValueError(
                f"{files} holds no unfinished run; --out RUN --epochs N goes on with a finished one"
            )
        run = RunFolder(found.path)
    project = run.project()
    named = {"epochs": options.epochs, "device": options.device}
    training = project.training.replace(**{k: v for k, v in named.items() if v is not None})
    return replace(project, training=training), run.place(), run


def _fitted(project: Project, dataset: Dataset, fit: bool, console: Console) -> Project:
    """The project for the data: with ``fit`` its network is changed, or replaced by a first network
    where that is not enough. Raises ``ValueError`` where the network has an error, or does not fit
    the data and ``fit`` was not asked for: before a run's folder is made."""
    if fit:
        same = project.task.id == dataset.task
        settings = project.task if same else TaskSettings(dataset.task)
        whole = infer(project.graph).ok
        project = replace(project, graph=adopt(project.graph, dataset), task=settings)
        if whole and (message := _misfit(project, dataset)):
            project = replace(project, graph=starter_graph(dataset))
            console.note(f"a first network for the data is trained instead: {message}")
    if message := _misfit(project, dataset):
        more = "" if fit or not infer(project.graph).ok else " --fit changes the project to fit"
        raise ValueError(message + more)
    return project


def _misfit(project: Project, dataset: Dataset) -> str:
    """Why the project cannot learn from the data: an error of the network, or that it does not
    fit."""
    report = infer(project.graph)
    if not report.ok:
        return report.sentence(project.graph)
    differences = propose(project.graph, dataset, report)
    refused = ("shape", "units", "vocabulary")
    message = next((d.message for d in differences if d.what in refused), "")
    task, wanted = TASKS.get(project.task.id), TASKS.get(dataset.task)
    if bool(dataset.classes) != (task.id == "classification"):
        message = (
            f"The project's task is {task.name.lower()}; the data are for {wanted.name.lower()}."
        )
    return message


@contextmanager
def _stopping(trainer: Trainer) -> Iterator[None]:
    """Ctrl+C and termination end the run after the present batch; a second one ends at once."""

    def stop(number: int, frame: FrameType | None) -> None:
        trainer.stop()
        for each in before:
            signal.signal(each, signal.default_int_handler)

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        for number in before:
            signal.signal(number, stop)
    except ValueError:  # only the main thread may set handlers
        yield
        return
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _announce(trainer: Trainer, console: Console) -> None:
    project, run = trainer.project, trainer.run
    samples = {kind: len(trainer.dataset.splits[kind]) for kind in SPLITS}
    parameters = trainer.learner.network.report.parameters
    console.event(
        {
            "event": "started",
            "run": str(run.path),
            "device": trainer.device.text,
            "parameters": parameters,
            "samples": samples,
            "epochs": project.training.epochs,
            "from_epoch": trainer.position.epoch,
        }
    )
    console.say(
        f"{project.name}: {count(parameters)} parameters on {trainer.device.text}; "
        + ", ".join(f"{count(number)} {kind}" for kind, number in samples.items())
        + " samples"
    )
    for note in trainer.notes:
        console.note(note)


def _drive(trainer: Trainer, console: Console, bar: Bar) -> None:
    """Run to the end; a line an epoch, and the bar in between."""
    epochs = trainer.settings.epochs
    said, shown, text = trainer.position.epoch, 0.0, f"epoch {trainer.position.epoch + 1}/{epochs}"
    for step in trainer.steps():
        if trainer.position.epoch > said:
            said = trainer.position.epoch
            text = _epoch(trainer, console)
        now = time.monotonic()
        if now - shown > 0.1:
            shown = now
            part = step.batch / step.batches if step.kind == "train" else 1.0
            bar(min(step.epoch - 1 + part, epochs), epochs, text)
    if trainer.position.epoch > said:
        _epoch(trainer, console)


def _epoch(trainer: Trainer, console: Console) -> str:
    """Tell of the epoch that just ended; returns it in short."""
    history, epoch = trainer.curves.message(), trainer.position.epoch
    name = history.metric
    train = {"loss": history.epoch_train_loss[-1], name: history.train_metric[-1]}
    validation = {"loss": history.validation_loss[-1], name: history.validation_metric[-1]}
    console.event(
        {
            "event": "epoch",
            "epoch": epoch,
            "train": train,
            "validation": validation,
            "seconds": round(trainer.position.seconds, 3),
            "best": history.best_epoch == epoch,
        }
    )
    text = f"epoch {epoch}/{trainer.settings.epochs}"
    shown = validation if np.isfinite(validation["loss"]) else train
    figures = ", ".join(metric(key, float(value)) for key, value in shown.items())
    console.say(
        f"{text:<12} train loss {float(train['loss']):.4f}   "
        f"{'validation' if shown is validation else 'train'} {figures}"
        + ("  ← best" if history.best_epoch == epoch else "")
    )
    return f"{text}, {figures}"


def _summary(trainer: Trainer, console: Console) -> int:
    result = trainer.result
    assert result is not None
    interrupted = result.reason == "stopped"
    project, dataset = trainer.project, trainer.dataset
    baseline = TASKS.get(project.task.id).baseline(dataset, "test")
    summary: dict[str, Any] = {
        "event": "interrupted" if interrupted else "finished",
        "run": str(trainer.run.path),
        "epochs": result.epochs,
        "best_epoch": result.best_epoch,
        "reason": result.reason,
        **{kind: result.metrics.get(kind, {}) for kind in SPLITS},
        "seconds": round(result.seconds, 3),
        "samples_per_second": round(result.samples_per_second, 1),
    }
    if baseline is not None:
        summary["baseline"] = {"name": baseline.name, **baseline.metrics}
    console.event(summary)
    if interrupted:
        print(
            f"interrupted: what was learnt is kept in {trainer.run.path}; --resume goes on",
            file=sys.stderr,
        )
        return INTERRUPTED
    console.say()
    unit = dataset.target.unit
    for kind in SPLITS:
        if result.metrics.get(kind):
            console.say(f"{kind:<11} {_figures(result.metrics[kind], unit)}")
    if baseline is not None and result.metrics.get("test"):
        console.say(f"{'to beat':<11} {_figures(baseline.metrics, unit)} ({baseline.name})")
    console.say(
        f"\nbest epoch {result.best_epoch} of {result.epochs}, {duration(result.seconds)}, "
        f"{count(result.samples_per_second)} samples/s\nkept in {trainer.run.path}"
    )
    return 0


def _figures(values: Mapping[str, float], unit: str = "") -> str:
    return ", ".join(metric(name, value, unit) for name, value in values.items())


def _find(name: str) -> RunFolder:
    """A run's folder, or the newest run of a project or example that has weights."""
    path = Path(name)
    if path.is_dir():
        return RunFolder(path)
    if not path.exists() and name in RECOGNISERS:
        return run_of(name)
    if _is_detector(name):
        raise ValueError(f"{name} is a detector and no run: playground predict {name} PICTURE")
    if path.is_file() and path.suffix != projects.SUFFIX:
        raise ValueError(f"{path} is no run; a run is a folder such as NAME.files/runs/001")
    is_example = not path.exists() and any(e.id == name for e in projects.examples())
    if not path.exists() and not is_example:
        raise ValueError(f"there is no run {name}")
    files = projects.files_folder(path if path.exists() else Path(f"{name}{projects.SUFFIX}"))
    for found in list_runs(files):
        if RunFolder(found.path).has("best"):
            return RunFolder(found.path)
    raise ValueError(f"{files} holds no run yet: playground train {name}")


def evaluate(options: Namespace) -> int:
    """A run's metrics on a split of its data, or on all of other data."""
    from playground.evaluation import evaluate as judge

    console = Console(options.json)
    run = _find(options.model)
    model = load_model(run, options.checkpoint)
    project, place = run.project(), run.place()
    if options.data is not None:
        project = overrides.as_read(overrides.with_data(project, options.data), model.dataset)
    split = options.split or ("test" if options.data is None else "all")
    dataset = opened_data(project.data, place, console)
    if options.data is None and run.info().get("splits") not in (None, digests(dataset)):
        console.note(
            "the data are not those that the run was trained on: files came or went, so samples "
            f"of the {split} split may be among those it learnt"
        )
    everything = {**dataset.splits, "all": np.arange(len(dataset))}
    found = judge(model, replace(dataset, splits=everything), split)
    baseline = None if split == "all" else model.task.baseline(dataset, split)
    result: dict[str, Any] = {
        "run": str(run.path),
        "split": split,
        "samples": len(found.indices),
        "metrics": found.metrics,
    }
    known = share_known(model, dataset, found.indices, console)
    if known is not None:
        result["seen"] = known
    if found.confusion is not None:
        result |= {"classes": found.classes, "confusion": found.confusion}
    if baseline is not None:
        result["baseline"] = {"name": baseline.name, **baseline.metrics}
    console.event(result)
    unit = found.unit
    console.say(f"{split}, {count(len(found.indices))} samples: {_figures(found.metrics, unit)}")
    if known is not None:
        console.say(f"{known:.1%} of them are like the examples")
    if baseline is not None:
        console.say(f"to beat: {_figures(baseline.metrics, unit)} ({baseline.name})")
    if found.confusion is not None and len(found.classes) <= CELLS:
        console.say("\nrows are true classes, columns are answers")
        rows = [
            (name, *map(str, counts))
            for name, counts in zip(found.classes, found.confusion.tolist(), strict=True)
        ]
        right = tuple(range(1, len(found.classes) + 1))
        console.table(("", *found.classes), rows, right)
    return 0


def predict(options: Namespace) -> int:
    """A line an input. Inputs that cannot be read do not keep the others from their answers."""
    console = Console(options.json)
    ask = _asked(options, console)
    failures = []
    for text in options.inputs:
        try:
            answers = list(ask(text))
        except ValueError as error:
            failures.append(str(error))
            continue
        for name, answer in answers:
            if isinstance(answer, Classes):
                top = options.top or (len(answer.answers) if options.json else 3)
                answer = replace(answer, answers=answer.answers[:top])
            elif isinstance(answer, Boxes):
                answer = replace(answer, boxes=answer.boxes[: options.top])
            console.event({"input": name, **answer.to_json()})
            console.say(f"{name}: {_words(answer)}")
    if failures:
        how_many = f"{len(failures)} of {len(options.inputs)} inputs have no answer; the first: "
        raise ValueError((how_many if len(failures) > 1 else "") + failures[0])
    return 0


def _asked(options: Namespace, console: Console) -> Callable[[str], Iterable[tuple[str, Any]]]:
    """From an input of the command line to its answers."""
    from playground.detection.command import Asked

    opened = _opened(options)
    if isinstance(opened, Asked):
        return opened.answer
    finish = finishing(opened, console)
    return lambda text: _answers(opened, text, finish)


def _opened(options: Namespace) -> Asked | Model:
    """The detector, bundled or trained here, or the model that is to be asked."""
    from playground.detection.command import asked, named

    if _is_detector(options.model):
        return named(options.model, options.settings)
    model = load_model(_find(options.model), options.checkpoint)
    if model.task.id == "detection":
        from playground.detection.trained import Trained

        return asked(Trained(model), options.model, options.settings)
    _refuse_settings(options)
    return model


def _refuse_settings(options: Namespace) -> None:
    if options.settings:
        raise ValueError("a run has no settings when it is asked: leave out --set")


def _is_detector(name: str) -> bool:
    return name in DETECTORS and not Path(name).exists()


def _answers(model: Model, text: str, finish: Finish) -> Iterator[tuple[str, Any]]:
    """The answers to one input of the command line: a file may hold several rows."""
    columns = model.dataset.inputs
    if len(columns) != 1:
        raise ValueError("a network with several inputs can be asked in the window alone")
    (column,) = columns.values()
    if column.reading is None:
        raise ValueError(f"inputs of this kind ({column.shape.described()}) cannot be read here")
    values = column.reading.read(text)
    answers = model.predict(column.batched([value for _, value in values]))
    for (name, value), answer in zip(values, answers, strict=True):
        yield name, finish(value, answer)


def _words(answer: Any) -> str:
    if isinstance(answer, Classes):
        return answer.words(len(answer.answers))
    return str(answer)


def live(options: Namespace) -> int:
    """Answer to a camera, a clip, a stream or a microphone until it ends."""
    from playground.detection.command import Asked, watch
    from playground.live.command import run

    opened = _opened(options)
    return watch(opened, options) if isinstance(opened, Asked) else run(opened, options)


def teach(options: Namespace) -> int:
    """Teach a recogniser the classes of a folder of pictures."""
    from playground.teach_command import run

    return run(_find(options.model), options)


def export(options: Namespace) -> int:
    """Write a run in another format; says how closely it answers as the application does."""
    from playground.export import export as write
    from playground.export import files_of

    console = Console(options.json)
    run = _find(options.model)
    refuse_existing(options.output, options.force)
    for path in files_of(options.to, options.output):
        refuse_existing(path, options.force)
    with console.progress(f"exporting to {options.output}"):
        done = write(run.path, options.to, options.output, options.checkpoint)
    console.event({"event": "finished", "run": str(run.path), **done.to_json()})
    console.say(done.text)
    return 0
