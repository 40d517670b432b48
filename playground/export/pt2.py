"""A program of torch.export: raw inputs in, probabilities or values in their own unit out, any
batch size. ``torch.export.load(path).module()`` runs it with torch alone."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import nn

from playground.export.application import (
    Application,
    about,
    application,
    bare,
    dynamic_shapes,
    examples,
    in_logarithms,
    outputs_of,
    refusal,
    typed,
)
from playground.export.check import Checked, Differs, compare
from playground.messages import Array
from playground.model import Model

ABOUT = "about.json"
"""The extra file in the archive: classes, units, inputs and outputs in their order."""


class Pt2Error(ValueError):
    """The model cannot be written so; the message says what stands in the way."""


def write(model: Model, path: Path) -> Checked:
    """Write and check; raises ``Pt2Error`` or ``Differs``."""
    network = model.network.module
    packed = nn.utils.rnn.pack_padded_sequence
    if any(node.target is packed for node in network.graph.nodes):
        raise Pt2Error(
            "torch.export fixes how many steps a recurrent layer takes, and here they vary: "
            "export this network as ONNX or Python"
        )
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")  # torch's own; the check below covers its choices
            program = torch.export.export(
                Application(model, bare(network)).eval(),
                examples(model),
                dynamic_shapes=(dynamic_shapes(model),),
            )
            torch.export.save(program, path, extra_files={ABOUT: _described(model)})
            return _checked(model, path)
    except (Differs, OSError):
        raise
    except Exception as error:  # torch.export raises nearly anything
        raise Pt2Error(refusal(model, "a torch.export program", error)) from None


def _described(model: Model) -> str:
    outputs = [name for name, _, _ in outputs_of(model)]
    return json.dumps({**about(model), "outputs": json.dumps(outputs)}, ensure_ascii=False)


def _checked(model: Model, path: Path) -> Checked:
    """What was written just now is read: such a file of somebody else's could run code."""
    program = torch.export.load(path).module()

    def exported(raw: Mapping[str, Array]) -> Mapping[str, Array]:
        answers = program(*(torch.from_numpy(typed(model, name, raw[name])) for name in raw))
        return in_logarithms(model, [answer.numpy() for answer in answers])

    return compare(model, application(model), exported)
