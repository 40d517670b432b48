"""``--set KEY=VALUE``: changes to a project for one run, checked like those made in the window."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models import edits
from models.layers import LAYERS
from models.parameters import Parameter, ParameterError
from models.registry import UnknownEntry
from playground.data.settings import DataSettings

if TYPE_CHECKING:
    from playground.data.dataset import Dataset
    from playground.data.reading import Reading
    from playground.project import Project


def apply(project: Project, settings: Sequence[str]) -> Project:
    """``project`` with every ``KEY=VALUE`` applied; raises ``ParameterError``.

    Keys: ``training.learning_rate``, ``data.path``, ``split.test``, ``augment.move`` (true or
    false), ``augment.move.turn``, ``task.loss``, ``node.conv1.out_channels``.
    """
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not equals:
            raise ParameterError(f"--set {setting}: write KEY=VALUE")
        try:
            project = _applied(project, key.strip(), text)
        except (ValueError, UnknownEntry) as error:
            raise ParameterError(f"--set {key.strip()}: {error.args[0]}") from None
    return project


def with_data(project: Project, path: Path) -> Project:
    """``project`` on another folder or file; a project on built-in data turns to the source that
    opens them. Raises ``ParameterError`` where there is none, or the path does not exist."""
    from playground.data import SOURCES, DataError
    from playground.data.guess import guess_source

    if not path.exists():
        raise ParameterError(f"{path} does not exist")
    data = project.data
    paths = [p.id for p in SOURCES.get(data.source).parameters if p.type == "path"]
    if not paths:
        try:
            data, paths = DataSettings(guess_source([path]).source), ["path"]
        except DataError as error:
            raise ParameterError(str(error)) from None
    # a test set that came with the other data does not belong to these
    options = {key: value for key, value in data.options.items() if key not in paths}
    return replace(project, data=replace(data, options={**options, paths[0]: str(path.resolve())}))


def as_read(project: Project, fitted: Dataset) -> Project:
    """``project`` with its data read as by the network that was fitted on ``fitted``: what the
    source would guess from the files (size, colour, rate, length) is what it was in training."""
    from playground.data import SOURCES

    data = project.data
    declared = {parameter.id for parameter in SOURCES.get(data.source).parameters}
    options = dict(data.options)
    for column in fitted.inputs.values():
        read = _reading_options(column.reading)
        options |= {key: value for key, value in read.items() if key in declared}
    return replace(project, data=replace(data, options=options))


def _reading_options(reading: Reading | None) -> dict[str, Any]:
    """The options of a source that give such a reading, as pictures, sounds and clips have them."""
    from playground.data.prepared import FITTED, PREPARED
    from playground.data.reading import ImageReading
    from playground.data.sound_reading import SoundReading
    from playground.data.video_reading import VideoReading

    match reading:
        case ImageReading(channels, height, width, fit):
            prepared = next((item.id for item in PREPARED if item.reading == reading), FITTED)
            if prepared != FITTED:
                return {"prepared": prepared}
            colour = "grey" if channels == 1 else "colour"
            size = {"size": [height, width], "channels": colour, "fit": fit}
            return {"prepared": prepared, **size}
        case SoundReading(rate, _, take, stride):
            windows = {"stride": stride / rate} if take == "windows" else {}
            return {"rate": rate, "seconds": reading.seconds, "take": take, **windows}
        case VideoReading(frames, channels, height, width, fit, sampling, stride):
            return {
                "frames": frames,
                "colour": channels == 3,
                "size": [height, width],
                "fit": fit,
                "sampling": sampling,
                "stride": stride,
            }
    return {}


def _applied(project: Project, key: str, text: str) -> Project:
    area, _, rest = key.partition(".")
    match area:
        case "training":
            from playground.training.settings import PARAMETERS

            parameter = _find(PARAMETERS, rest, "training setting")
            training = project.training.replace(**{rest: parameter.parse(text)})
            return replace(project, training=training)
        case "node":
            return _node(project, rest, text)
        case "data":
            return _data(project, rest, text)
        case "split":
            from playground.data.settings import SPLIT_PARAMETERS

            value = _find(SPLIT_PARAMETERS, rest, "setting of the split").parse(text)
            split = replace(project.data.split, **{rest: value})
            return replace(project, data=replace(project.data, split=split))
        case "augment":
            return _augment(project, rest, text)
        case "task":
            from playground.tasks import TASKS

            task = TASKS.get(project.task.id)
            value = _find(task.parameters, rest, f"setting of {task.name.lower()}").parse(text)
            options = {**project.task.options, rest: value}
            return replace(project, task=replace(project.task, options=options))
    raise ParameterError(
        "a key begins with training., data., split., augment., task. or node.; "
        "for example training.learning_rate=0.01"
    )


def _data(project: Project, name: str, text: str) -> Project:
    from playground.data import SOURCES

    if name == "source":
        return replace(project, data=DataSettings(SOURCES.get(text).id))
    source = SOURCES.get(project.data.source)
    parameter = _find(source.parameters, name, f"setting of {source.name}")
    value = parameter.parse(text)
    if parameter.type == "path" and value and ":" not in value:
        value = str(Path(os.path.expanduser(value)).resolve())
    options = {**project.data.options, name: value}
    return replace(project, data=replace(project.data, options=options))


def _augment(project: Project, path: str, text: str) -> Project:
    """``move=true`` switches an augmentation on or off, ``move.turn=20`` also sets it."""
    from playground.data.augment import AUGMENTATIONS, Applied

    id, _, name = path.partition(".")
    found = AUGMENTATIONS.get(id)
    before = project.data.augmentation
    options = next((dict(item.options) for item in before if item.id == found.id), {})
    on = True
    if name:
        options[name] = _find(found.parameters, name, f"setting of {found.name}").parse(text)
    else:
        on = bool(Parameter(id, found.name, "bool", True).parse(text))
    kept = [item for item in before if item.id != found.id]
    after = [*kept, Applied(found.id, options)] if on else kept
    return replace(project, data=replace(project.data, augmentation=tuple(after)))


def _node(project: Project, path: str, text: str) -> Project:
    """``features.0.out_channels``: the last part is the parameter, the rest the node's name."""
    name, _, parameter_id = path.rpartition(".")
    node = project.graph.named(name)
    if node is None:
        names = [node.name for node in project.graph.nodes.values()]
        raise ParameterError(f"there is no node called {name!r}{_hint(name, names)}")
    layer = LAYERS.get(node.layer)
    parameter = _find(layer.parameters, parameter_id, f"parameter of {layer.name}")
    values = {parameter_id: parameter.parse(text)}
    return replace(project, graph=edits.set_params(project.graph, node.id, values))


def _find(parameters: Sequence[Parameter], name: str, what: str) -> Parameter:
    for parameter in parameters:
        if parameter.id == name:
            return parameter
    ids = [parameter.id for parameter in parameters]
    raise ParameterError(f"there is no {what} called {name!r}{_hint(name, ids)}")


def _hint(name: str, known: Iterable[str]) -> str:
    names = list(known)
    near = get_close_matches(name, names, n=2)
    if near:
        return f"; did you mean {' or '.join(near)}?"
    return f"; known: {', '.join(names)}" if names else ""
