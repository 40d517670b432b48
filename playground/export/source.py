"""Python source with the weights beside it, checked by running it."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Mapping
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

import torch
from safetensors.torch import save_file
from torch import nn

from playground.data.text_reading import TextReading
from playground.export import VOCABULARY, WEIGHTS
from playground.export.application import typed
from playground.export.check import Answerer, Checked, compare
from playground.export.python import python_source
from playground.messages import Array
from playground.model import Model
from playground.tasks import boxes
from playground.tasks.detection import EXTRA

LONGEST_TITLE = 100


def write(model: Model, path: Path) -> Checked:
    """Write ``path`` and, beside it, its weights and the vocabulary of text; raises ``Differs``
    or ``BuildError``."""
    weights, vocabulary = path.with_suffix(WEIGHTS), path.with_suffix(VOCABULARY)
    columns, targets = model.dataset.inputs, model.dataset.targets
    inputs = dict(zip(model.network.arguments, model.wires.arguments, strict=True))
    name = model.run.project().name if model.run is not None else ""
    column = targets[model.wires.outputs[model.network.outputs[0]]]
    readings = [columns[wire].reading for wire in inputs.values() if wire in columns]
    reading = next((item for item in readings if isinstance(item, TextReading)), None)
    text = python_source(
        model.graph,
        class_name=class_name(name),
        title=plain(name),
        weights=weights.name,
        vocabulary=vocabulary.name if reading is not None else "",
        preprocessing={
            argument: columns[wire].preprocessing
            for argument, wire in inputs.items()
            if wire in columns
        },
        postprocessing={
            output: targets[target].preprocessing
            for output, target in model.wires.outputs.items()
            if not targets[target].classes
        },
        classes=column.classes or column.pixel_classes or column.box_classes,
        decoder=_decoder() if column.box_classes else "",
    )
    path.write_text(text, encoding="utf-8")
    if reading is not None:
        settings = json.dumps(reading.settings(), ensure_ascii=False, indent=1)
        vocabulary.write_text(settings, encoding="utf-8")
    state = model.network.module.state_dict()
    save_file({key: value.contiguous() for key, value in state.items()}, weights)
    return compare(model, _application(model), _exported(model, path, weights))


def _decoder() -> str:
    """What makes boxes of the network's maps, as it is done here."""
    constants = f"EXTRA = {EXTRA}\nPRIOR = {boxes.PRIOR!r}\n\n\n"
    return constants + inspect.getsource(boxes.decoded)


def _application(model: Model) -> Answerer:
    """The network's outputs; values in their own unit."""

    def answer(raw: Mapping[str, Array]) -> Mapping[str, Array]:
        found = model.outputs(model.prepared(raw))
        result = {}
        for name, column in model.wires.outputs.items():
            target = model.dataset.targets[column]
            values = found[name]
            result[name] = values if target.classes else target.preprocessing.inverse(values)
        return result

    return answer


def _exported(model: Model, path: Path, weights: Path) -> Answerer:
    """What the written module answers. Its text was written by us alone: no string of a document
    stands in it but in quotes."""
    loader = SourceFileLoader("exported", str(path))  # whatever the name of the file ends with
    module = ModuleType("exported")
    loader.exec_module(module)
    network: nn.Module = module.load(str(weights))

    def answer(raw: Mapping[str, Array]) -> Mapping[str, Array]:
        values = [torch.from_numpy(typed(model, key, raw[key])) for key in model.wires.arguments]
        with torch.no_grad():
            result = network(*values)
        outputs = result if isinstance(result, dict) else {model.network.outputs[0]: result}
        return {key: value.numpy() for key, value in outputs.items()}

    return answer


def class_name(name: str) -> str:
    """A project's name as that of a class: "Handwritten digits: CNN" gives HandwrittenDigitsCNN."""
    words = re.findall(r"[A-Za-z0-9]+", name)
    joined = "".join(word[0].upper() + word[1:] for word in words)[:60]
    return joined if joined[:1].isalpha() else "Network"


def plain(name: str) -> str:
    """A project's name as it may stand in a docstring: nothing of it can end the string."""
    kept = "".join(c for c in name if c.isprintable() and c not in '"\\')
    return kept.strip()[:LONGEST_TITLE]
