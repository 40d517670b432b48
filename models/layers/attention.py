"""Attention: every step looks at every other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models.layers.common import (
    change,
    given,
    nearest_divisor,
    needs_sequence,
    padding_mask,
    steps,
    yes_no,
)
from models.layers.declaration import Emitter, Inputs, Layer, Proxies, Result, ShapeError
from models.parameters import Parameter, Values


def _check_heads(name: str, features: int, heads: int) -> None:
    if features % heads:
        best = nearest_divisor(features, heads)
        raise ShapeError(
            f"{name}: {heads} heads do not divide {features} features: use {best}",
            change(f"Set heads {best}", num_heads=best),
        )


def _attention_cost(features: int, time: int) -> tuple[int, int]:
    """Parameters and FLOPs of multi-head self-attention over ``time`` steps."""
    parameters = 4 * features * features + 4 * features
    return parameters, 8 * time * features * features + 4 * time * time * features


def _masks(e: Emitter, p: Values, x: Proxies, padding: str, causal: str) -> dict[str, Any]:
    """Keyword arguments that hide padded steps and, if asked for, the future."""
    value, masks = x.one(), {}
    if p["causal"]:
        size = value.size(1)
        masks[causal] = e.call("torch.ones", size, size, device=value.device).triu(1).bool()
    if "input" in x.lengths:
        masks[padding] = padding_mask(e, value, x.lengths["input"])
    return masks


def _self_rule(p: Values, x: Inputs) -> Result:
    length, features = needs_sequence("Self-attention", x.one())
    time, heads = steps(length), p["num_heads"]
    _check_heads("Self-attention", features, heads)
    return Result(
        {"output": x.one()},
        *_attention_cost(features, time),
        activations=5 * time * features + heads * time * time,
    )


def _self_emit(e: Emitter, p: Values, x: Proxies, shapes: Inputs, out: Result) -> Mapping[str, Any]:
    module = e.module(
        "nn.MultiheadAttention",
        shapes.one().number("F"),
        p["num_heads"],
        **given({"dropout": 0.0}, dropout=p["dropout"]),
        batch_first=True,
    )
    value = x.one()
    masks = _masks(e, p, x, "key_padding_mask", "attn_mask")
    return {"output": module(value, value, value, need_weights=False, **masks)[0]}


def _block_rule(p: Values, x: Inputs) -> Result:
    length, features = needs_sequence("Transformer encoder block", x.one())
    time, heads, inner = steps(length), p["num_heads"], p["dim_feedforward"]
    _check_heads("Transformer encoder block", features, heads)
    parameters, flops = _attention_cost(features, time)
    return Result(
        {"output": x.one()},
        parameters + 2 * features * inner + inner + features + 4 * features,
        flops + 4 * time * features * inner,
        activations=time * (9 * features + 2 * inner) + heads * time * time,
    )


def _block_emit(
    e: Emitter, p: Values, x: Proxies, shapes: Inputs, out: Result
) -> Mapping[str, Any]:
    module = e.module(
        "nn.TransformerEncoderLayer",
        shapes.one().number("F"),
        p["num_heads"],
        dim_feedforward=p["dim_feedforward"],
        **given(
            {"dropout": 0.1, "activation": "relu"},
            dropout=p["dropout"],
            activation=p["activation"],
        ),
        batch_first=True,
        **given({"norm_first": False}, norm_first=p["norm_first"]),
    )
    masks = _masks(e, p, x, "src_key_padding_mask", "src_mask")
    return {"output": module(x.one(), **masks)}


def _position_rule(p: Values, x: Inputs) -> Result:
    length, features = needs_sequence("Positional encoding", x.one())
    if p["encoding"] == "sinusoidal":
        return Result({"output": x.one()})
    most = p["max_length"]
    if most is None and isinstance(length, str):
        raise ShapeError(
            "Positional encoding cannot learn a vector for each step of a sequence of varying "
            "length: use the sinusoidal encoding, or set the largest length",
            change("Use sinusoidal", encoding="sinusoidal"),
        )
    if most is not None and isinstance(length, int) and length > most:
        raise ShapeError(
            f"Positional encoding has vectors for {most} steps; got {x.one().described()}: "
            f"set the largest length {length}",
            change(f"Set length {length}", max_length=length),
        )
    return Result({"output": x.one()}, (most or steps(length)) * features)


def _position_emit(
    e: Emitter, p: Values, x: Proxies, shapes: Inputs, out: Result
) -> Mapping[str, Any]:
    shape = shapes.one()
    features = shape.number("F")
    if p["encoding"] == "sinusoidal":
        module = e.module("modules.SinusoidalEncoding", features)
    else:
        module = e.module("modules.LearnedEncoding", p["max_length"] or shape["T"], features)
    return {"output": module(x.one())}


def _dropout(default: float) -> Parameter:
    return Parameter(
        "dropout",
        "Dropout",
        "float",
        default,
        "How much is dropped at random while training.",
        minimum=0.0,
        maximum=1.0,
    )


HEADS = Parameter(
    "num_heads",
    "Heads",
    "int",
    4,
    "How many things each step can look for at once; divides the features.",
    minimum=1,
    maximum=1024,
)
CAUSAL = yes_no("causal", "Past only", False, "Each step sees itself and earlier steps alone.")

LAYERS = (
    Layer(
        id="self-attention",
        name="Self-attention",
        family="attention",
        summary="Every step gathers what it needs from all steps, near or far (multi-head "
        "attention).",
        rule=_self_rule,
        emit=_self_emit,
        parameters=(HEADS, _dropout(0.0), CAUSAL),
        caption=lambda p: f"{p['num_heads']} heads",
        streaming="none",
        keywords="multihead attention transformer",
    ),
    Layer(
        id="transformer-encoder",
        name="Transformer encoder block",
        family="attention",
        summary="Self-attention and a small network for each step, each with a shortcut and a "
        "normalization: stack several of them.",
        rule=_block_rule,
        emit=_block_emit,
        parameters=(
            HEADS,
            Parameter(
                "dim_feedforward",
                "Feed-forward size",
                "int",
                256,
                "The width of the network inside, usually four times the features.",
                minimum=1,
                maximum=65536,
            ),
            _dropout(0.1),
            Parameter(
                "activation",
                "Activation",
                "choice",
                "gelu",
                choices=(("gelu", "GELU"), ("relu", "ReLU")),
            ),
            Parameter(
                "norm_first",
                "Normalize first",
                "bool",
                True,
                "Normalize before each part, which trains more easily, or after it, as in the "
                "first paper.",
            ),
            CAUSAL,
        ),
        caption=lambda p: f"{p['num_heads']} heads · {p['dim_feedforward']}",
        streaming="none",
        keywords="attention bert vit encoder",
    ),
    Layer(
        id="positional-encoding",
        name="Positional encoding",
        family="attention",
        summary="Tells each step where it stands; attention cannot see the order without it.",
        rule=_position_rule,
        emit=_position_emit,
        parameters=(
            Parameter(
                "encoding",
                "Encoding",
                "choice",
                "sinusoidal",
                choices=(("sinusoidal", "sines and cosines"), ("learned", "learned")),
            ),
            Parameter(
                "max_length",
                "Largest length",
                "int",
                None,
                "How many steps have a learned vector. Empty: as many as the sequence has.",
                minimum=1,
                maximum=2**20,
                optional=True,
                visible=lambda p: p.get("encoding") == "learned",
            ),
        ),
        caption=lambda p: str(p["encoding"]),
        streaming="none",
        keywords="position transformer sine",
    ),
)
