"""Where values come in and answers leave, and the node that stands for a group."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models.axes import Kind, Shape, image
from models.layers.declaration import Emitter, Inputs, Layer, Proxies, Result
from models.parameters import Parameter, Values


def _input_rule(p: Values, x: Inputs) -> Result:
    return Result({"output": Shape.from_json(p["shape"])}, activations=0)


def _output_rule(p: Values, x: Inputs) -> Result:
    return Result({"output": x.one()}, activations=0)


def _placed_by_build(
    e: Emitter, p: Values, x: Proxies, shapes: Inputs, out: Result
) -> Mapping[str, Any]:
    raise AssertionError("models.build places inputs, outputs and groups itself")


def _input_caption(p: Values) -> str:
    return str(Kind(p["shape"]["kind"]))


LAYERS = (
    Layer(
        id="input",
        name="Input",
        family="input",
        summary="Where samples enter the network. Its shape is proposed by the data.",
        rule=_input_rule,
        emit=_placed_by_build,
        inputs=(),
        parameters=(
            Parameter(
                "shape",
                "Shape",
                "shape",
                image(1, 28, 28).to_json(),
                help="Kind and size of one sample, without the batch axis.",
            ),
        ),
        caption=_input_caption,
        keywords="source data image sequence",
    ),
    Layer(
        id="output",
        name="Output",
        family="input",
        summary="Where the answer leaves the network. Its name is that of the target in the data.",
        rule=_output_rule,
        emit=_placed_by_build,
        outputs=(),
        caption=lambda p: "answer",
        keywords="target head result",
    ),
    Layer(
        id="group",
        name="Group",
        family="group",
        summary="A network inside the network: used as it is, repeated in a row, or run at every "
        "step of a sequence.",
        rule=_output_rule,
        emit=_placed_by_build,
        parameters=(
            Parameter("definition", "Definition", "text", ""),
            Parameter(
                "kind",
                "Kind",
                "choice",
                "plain",
                choices=(
                    ("plain", "once"),
                    ("repeat", "repeated in a row"),
                    ("scan", "at every step"),
                ),
            ),
            Parameter(
                "copies",
                "Copies",
                "int",
                2,
                minimum=1,
                maximum=1000,
                visible=lambda p: p.get("kind") == "repeat",
            ),
        ),
        caption=lambda p: f"× {p['copies']}" if p["kind"] == "repeat" else str(p["kind"]),
        hidden=True,
    ),
)
