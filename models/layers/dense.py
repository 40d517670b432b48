"""Layers that mix all features, and tables of learned vectors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models.axes import Kind, sequence
from models.layers.common import MOST_CHANNELS, insert, numbers, refused, steps, yes_no
from models.layers.declaration import Emitter, Inputs, Layer, Proxies, Result, ShapeError
from models.parameters import Parameter, Values


def _linear_rule(p: Values, x: Inputs) -> Result:
    shape = numbers("Linear", x.one())
    if shape.kind not in (Kind.VECTOR, Kind.SEQUENCE):
        raise refused("Linear", "a vector", shape, insert("flatten", "Flatten"))
    features, out = shape.number("F"), p["out_features"]
    times = steps(shape["T"]) if shape.kind is Kind.SEQUENCE else 1
    return Result(
        {"output": shape.resized(F=out)},
        features * out + out * p["bias"],
        2 * features * out * times,
    )


def _linear_emit(
    e: Emitter, p: Values, x: Proxies, shapes: Inputs, out: Result
) -> Mapping[str, Any]:
    options: dict[str, Any] = {} if p["bias"] else {"bias": False}
    module = e.module("nn.Linear", shapes.one().number("F"), p["out_features"], **options)
    return {"output": module(x.one())}


def _embedding_rule(p: Values, x: Inputs) -> Result:
    shape = x.one()
    if shape.kind is not Kind.TOKENS:
        raise refused("Embedding", "tokens (whole numbers)", shape)
    index, count = p["padding_idx"], p["num_embeddings"]
    if index is not None and index >= count:
        raise ShapeError(f"Embedding: the padding token {index} is not one of the {count} tokens")
    features = p["embedding_dim"]
    return Result({"output": sequence(shape["T"], features)}, count * features)


def _embedding_emit(
    e: Emitter, p: Values, x: Proxies, shapes: Inputs, out: Result
) -> Mapping[str, Any]:
    options = {} if p["padding_idx"] is None else {"padding_idx": p["padding_idx"]}
    module = e.module("nn.Embedding", p["num_embeddings"], p["embedding_dim"], **options)
    return {"output": module(x.one())}


LAYERS = (
    Layer(
        id="linear",
        name="Linear",
        family="dense",
        summary="Every output is a weighted sum of all features: the layer that decides. On a "
        "sequence it works on each step alone.",
        rule=_linear_rule,
        emit=_linear_emit,
        parameters=(
            Parameter(
                "out_features",
                "Units",
                "int",
                64,
                "How many outputs; for a last layer, the number of classes or values.",
                minimum=1,
                maximum=2**22,
            ),
            yes_no("bias", "Bias", True, "Add a learned constant to each output."),
        ),
        caption=lambda p: f"{p['out_features']} units",
        keywords="dense fully connected mlp classifier head",
        aliases=("dense",),
    ),
    Layer(
        id="embedding",
        name="Embedding",
        family="dense",
        summary="Turns each token (a word, a letter, a category) into a learned vector: tokens T "
        "become a sequence T×F.",
        rule=_embedding_rule,
        emit=_embedding_emit,
        parameters=(
            Parameter(
                "num_embeddings",
                "Vocabulary",
                "int",
                1000,
                "How many different tokens there are.",
                minimum=1,
                maximum=2**26,
            ),
            Parameter(
                "embedding_dim",
                "Features",
                "int",
                64,
                "The length of each token's vector.",
                minimum=1,
                maximum=MOST_CHANNELS,
            ),
            Parameter(
                "padding_idx",
                "Padding token",
                "int",
                None,
                "A token that stands for nothing; its vector stays zero.",
                minimum=0,
                optional=True,
            ),
        ),
        caption=lambda p: f"{p['num_embeddings']} → {p['embedding_dim']}",
        keywords="token word lookup table vocabulary",
    ),
)
