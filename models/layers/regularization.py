"""Layers that make training harder on purpose, so that a network does not learn by heart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models.axes import Kind
from models.layers.common import channels_first, numbers, refused
from models.layers.declaration import Emitter, Inputs, Layer, Proxies, Result
from models.parameters import Parameter, Values

SPATIAL = {Kind.SEQUENCE: "nn.Dropout1d", Kind.IMAGE: "nn.Dropout2d", Kind.VOLUME: "nn.Dropout3d"}


def _share(default: float) -> Parameter:
    return Parameter(
        "p",
        "Share dropped",
        "float",
        default,
        "How much is set to zero at random while training; nothing is when predicting.",
        minimum=0.0,
        maximum=1.0,
    )


def _dropout_rule(p: Values, x: Inputs) -> Result:
    return Result({"output": numbers("Dropout", x.one())})


def _dropout_emit(
    e: Emitter, p: Values, x: Proxies, shapes: Inputs, out: Result
) -> Mapping[str, Any]:
    return {"output": e.module("nn.Dropout", p["p"])(x.one())}


def _spatial_rule(p: Values, x: Inputs) -> Result:
    shape = numbers("Spatial dropout", x.one())
    if shape.kind not in SPATIAL:
        raise refused("Spatial dropout", "an image, a sequence or a volume", shape)
    return Result({"output": shape})


def _spatial_emit(
    e: Emitter, p: Values, x: Proxies, shapes: Inputs, out: Result
) -> Mapping[str, Any]:
    shape = shapes.one()
    module = e.module(SPATIAL[shape.kind], p["p"])
    return {"output": channels_first(module(channels_first(x.one(), shape)), shape)}


LAYERS = (
    Layer(
        id="dropout",
        name="Dropout",
        family="regularization",
        summary="Drops values at random while training, so that the network does not rely on any "
        "one of them.",
        rule=_dropout_rule,
        emit=_dropout_emit,
        parameters=(_share(0.5),),
        caption=lambda p: f"p {p['p']:g}",
        keywords="regularisation overfitting",
    ),
    Layer(
        id="spatial-dropout",
        name="Spatial dropout",
        family="regularization",
        summary="Drops whole channels at random while training: the form of dropout that suits "
        "feature maps, whose neighbours tell the same.",
        rule=_spatial_rule,
        emit=_spatial_emit,
        parameters=(_share(0.2),),
        caption=lambda p: f"p {p['p']:g}",
        per_frame=True,
        keywords="dropout2d dropout1d channel regularisation overfitting",
    ),
)
