"""A network as a Python module that a person would have written by hand.

It needs torch and nothing of this project, takes the state dict under the same keys, and answers
the same to the last bit.
"""

from __future__ import annotations

import builtins
import inspect
import keyword
import re
from collections.abc import Mapping, Sequence

import torch

import models.modules
from models.axes import Kind, Shape
from models.build import Network, build
from models.graph import INPUT, OUTPUT, Graph
from models.shapes import Report, infer
from playground.data.text_encoder import TextEncoder
from playground.export.members import HOLDER, WIDTH, Members, literal
from playground.export.statements import Body, Text, chains, tidied
from playground.export.steps import Constants
from playground.preprocessing import Preprocessing

TAKEN = {
    *("CLASSES", "Iterable", "Iterator", "Sequence", "Tensor", "TextEncoder", "hold", "load", "nn"),
    *("torch", *models.modules.__all__),
}

HEADER = '''\
"""{title}

{usage}
"""

from __future__ import annotations
{imports}
import torch
from torch import Tensor, nn
'''

TEXT_IMPORTS = """
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, pairwise
"""

LOAD = '''\
def load(path: str) -> {name}:
    """The network with trained weights from a .safetensors file, ready to answer."""
    from safetensors.torch import load_file

    network = {name}()
    network.load_state_dict(load_file(path))
    return network.eval()
'''

LOAD_ENCODER = '''\
def load_encoder(path: str) -> TextEncoder:
    """What makes token numbers of a text, from a .vocabulary.json file."""
    with open(path, encoding="utf-8") as file:
        return TextEncoder(**json.load(file))
'''


def python_source(
    graph: Graph,
    report: Report | None = None,
    *,
    class_name: str = "Network",
    title: str = "",
    weights: str = "weights.safetensors",
    vocabulary: str = "",
    preprocessing: Mapping[str, Preprocessing] | None = None,
    postprocessing: Mapping[str, Preprocessing] | None = None,
    classes: Sequence[str] = (),
    decoder: str = "",
) -> str:
    """The source of a module with the class ``class_name``.

    ``preprocessing`` has the steps of an input by its name; ``forward`` then takes raw values.
    ``postprocessing`` has those of an output's target, which are undone: ``forward`` then returns
    values in the target's own unit. ``classes`` are the names of the classes, if any.
    ``vocabulary`` names the file from which text is encoded, where the network reads text.
    ``decoder`` is the source of a function ``decoded`` that makes boxes of the answer.

    Raises ``BuildError`` where the graph has an error.
    """
    if not class_name.isidentifier():
        raise ValueError(f"{class_name!r} cannot be the name of a class")
    if class_name in TAKEN or keyword.iskeyword(class_name):
        class_name += "Network"
    report = infer(graph) if report is None else report
    # On this device nothing is initialised, so that no random number is drawn.
    with torch.device("meta"):
        network = build(graph, report)
    body_graph = tidied(network.module.graph, network.calls)
    folded = chains(body_graph, network.calls)
    members = Members(network.calls, folded)
    arguments = _arguments(network.arguments)
    constants = Constants(members.names)
    body = Body(body_graph, network.calls, members, folded, arguments)
    before = _before(arguments, preprocessing or {}, constants)
    statements, result = body.write()
    after = _returned(result, network, postprocessing or {}, constants)
    made = [*members.lines(), *constants.lines()]
    initial = ["def __init__(self) -> None:", "    super().__init__()", *_indented(made, 1), ""]
    parts = [
        HEADER.format(
            title=_plain(title) or "A network.",
            usage=_usage(
                weights,
                vocabulary,
                varies=len(arguments) > len(network.inputs),
                boxes=bool(decoder),
            ),
            imports=TEXT_IMPORTS if vocabulary else "",
        ),
        *_classes(classes),
        *([inspect.getsource(TextEncoder)] if vocabulary else []),
        *_helpers(network, members),
        "\n".join(
            [
                f"class {class_name}(nn.Module):",
                *_indented(_docstring(graph, report, network, arguments, preprocessing or {}), 1),
                "",
                *_indented(initial if made else [], 1),
                *_indented(_signature(arguments, len(network.outputs)), 1),
                *_indented(_merged([*before, *statements, *after]), 2),
                "",
            ]
        ),
        LOAD.format(name=class_name),
        *([LOAD_ENCODER] if vocabulary else []),
        *([decoder] if decoder else []),
    ]
    return "\n\n".join(part.rstrip("\n") + "\n" for part in parts)


def _arguments(names: Sequence[str]) -> dict[str, str]:
    """The names of ``forward``'s arguments; the word input is Python's own."""
    result: dict[str, str] = {}
    for name in names:
        wanted = name
        if hasattr(builtins, name):
            wanted = "x" if "x" not in names and "x" not in result.values() else f"{name}_"
        result[name] = wanted
    return result


def _usage(weights: str, vocabulary: str, *, varies: bool, boxes: bool) -> str:
    lines = [f'network = load("{_plain(weights)}")']
    if vocabulary:
        lines += [
            f'encoder = load_encoder("{_plain(vocabulary)}")',
            'tokens = torch.tensor([encoder.encode("some text")])',
        ]
    given = "tokens, torch.tensor([tokens.size(1)])" if varies else "tokens"
    lines.append(f"answer = network({given if vocabulary else 'x'})")
    if boxes:
        lines.append("boxes, scores, classes = decoded(answer, 100)  # the surest peaks")
    return "\n".join(f"    {line}" for line in lines)


def _plain(text: str) -> str:
    """``text`` as it can stand in a docstring: a name from a file must not end it."""
    printable = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(printable.split()).replace("\\", "\\\\").replace('"', '\\"')


def _classes(classes: Sequence[str]) -> list[str]:
    if not classes:
        return []
    line = f"CLASSES = {literal(tuple(classes))}"
    if len(line) > WIDTH:
        line = "\n".join(["CLASSES = (", *(f"    {literal(name)}," for name in classes), ")"])
    return [f"{line}\n"]


def _helpers(network: Network, members: Members) -> list[str]:
    """The source of what the class needs and torch does not have."""
    names = {call.target for call in network.calls.values() if call.target.startswith("modules.")}
    sources = [
        re.sub(r"  # type: ignore\[[^]]*\]", "", inspect.getsource(getattr(models.modules, name)))
        for name in sorted(target.removeprefix("modules.") for target in names)
    ]
    return [*sources, HOLDER] if members.needs_holder else sources


def _docstring(
    graph: Graph,
    report: Report,
    network: Network,
    arguments: Mapping[str, str],
    preprocessing: Mapping[str, Preprocessing],
) -> list[str]:
    """What goes in and what comes out."""
    lines = []
    for node in graph.of_layer(INPUT):
        if node.name in network.inputs:
            raw = ", as raw values" if preprocessing.get(node.name) else ""
            argument = arguments[node.name.replace(".", "_")]
            lines.append(f"- {argument}: {_tensor(report.nodes[node.id].outputs['output'])}{raw}")
    for node in graph.of_layer(OUTPUT):
        if node.name in network.outputs:
            lines.append(f"- {node.name}: {_tensor(report.nodes[node.id].outputs['output'])}")
    taken, made = lines[: len(network.inputs)], lines[len(network.inputs) :]
    return ['"""Takes', "", *taken, "", "and returns", "", *made, '"""']


def _tensor(shape: Shape) -> str:
    axes = ", ".join(
        axis if isinstance(size, str) else f"{axis} {size}"
        for axis, size in zip(shape.axes, shape.sizes, strict=True)
    )
    kind = "whole numbers" if shape.kind is Kind.TOKENS else str(shape.kind)
    return f"{kind} (batch, {axes})"


def _signature(arguments: Mapping[str, str], outputs: int) -> list[str]:
    returns = "Tensor" if outputs == 1 else "dict[str, Tensor]"
    items = ["self", *(f"{name}: Tensor" for name in arguments.values())]
    line = f"def forward({', '.join(items)}) -> {returns}:"
    if len(line) <= WIDTH - 4:
        return [line]
    inside = ", ".join(items)
    if len(inside) <= WIDTH - 8:
        return ["def forward(", f"    {inside}", f") -> {returns}:"]
    return ["def forward(", *(f"    {item}," for item in items), f") -> {returns}:"]


def _before(
    arguments: Mapping[str, str], preprocessing: Mapping[str, Preprocessing], constants: Constants
) -> list[str]:
    """Statements that make of raw values what the network is given."""
    lines = []
    for name, steps in preprocessing.items():
        argument = arguments.get(name.replace(".", "_"))
        if argument is not None and steps:
            lines += [
                f"{argument} = {text}" for text in constants.applied(steps, argument, argument)
            ]
    return lines


def _returned(
    result: Text | dict[str, Text],
    network: Network,
    postprocessing: Mapping[str, Preprocessing],
    constants: Constants,
) -> list[str]:
    """The statements that undo a target's steps, and the return."""
    several = isinstance(result, dict)
    texts = result if isinstance(result, dict) else {network.outputs[0]: result}
    lines: list[str] = []
    items: dict[str, str] = {}
    for name, text in texts.items():
        items[name] = text.text
        steps = postprocessing.get(name)
        if steps:
            variable = f"{re.sub('[^a-zA-Z0-9]', '_', name)}_value" if several else "x"
            undone = constants.undone(steps, variable, name)
            lines += [f"{variable} = {text.text}", *(f"{variable} = {line}" for line in undone)]
            items[name] = variable
    if not several:
        return [*lines, f"return {items[network.outputs[0]]}"]
    line = ", ".join(f'"{name}": {text}' for name, text in items.items())
    if len(line) <= 70:
        return [*lines, f"return {{{line}}}"]
    return [*lines, "return {", *(f'    "{name}": {text},' for name, text in items.items()), "}"]


def _merged(lines: list[str]) -> list[str]:
    """``x = x`` is left out, and ``x = …`` right before ``return x`` is the return."""
    lines = [line for line in lines if not re.fullmatch(r"(\w+) = \1", line)]
    found = re.fullmatch(r"return (\w+)", lines[-1])
    if found and len(lines) > 1:
        head = f"{found[1]} = "
        start = next(
            (i for i in range(len(lines) - 2, -1, -1) if not lines[i].startswith((" ", ")"))), 0
        )
        if lines[start].startswith(head):
            return [
                *lines[:start],
                f"return {lines[start].removeprefix(head)}",
                *lines[start + 1 : -1],
            ]
    return lines


def _indented(lines: Sequence[str], levels: int) -> list[str]:
    return [f"{'    ' * levels}{line}" if line else "" for line in lines]
