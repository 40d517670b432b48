"""Recurrent networks: RNN, LSTM and GRU.

Their states go in and out as vectors of layers × directions × units, in the order of torch's
``h_n``: the directions of the first layer, then those of the second, and so on.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from models.axes import Kind, Shape, sequence, vector
from models.layers.common import given, insert, needs_sequence, refused, steps
from models.layers.declaration import Emitter, Inputs, Layer, Port, Proxies, Result
from models.parameters import Parameter, Values

GATES = {"RNN": 1, "LSTM": 4, "GRU": 3}
KEPT = {"RNN": 1, "LSTM": 6, "GRU": 5}
"""Numbers that a unit keeps a step for the backward pass: its gates and its states."""


def _directions(p: Values) -> int:
    return 2 if p["bidirectional"] else 1


def _states(name: str) -> tuple[str, ...]:
    return ("h", "c") if name == "LSTM" else ("h",)


def _check_state(name: str, port: str, state: Shape, shape: Shape | None) -> None:
    if shape is None or shape == state:
        return
    fix = None
    if shape.kind is Kind.VECTOR:
        fix = insert("linear", f"Linear {state}", port, out_features=state["F"])
    needs = f"a vector {state} (layers × directions × units) at its input {port}"
    raise refused(name, needs, shape, fix)


def _rule(name: str, p: Values, x: Inputs) -> Result:
    time, features = needs_sequence(name, x.one())
    hidden, layers, ways = p["hidden_size"], p["num_layers"], _directions(p)
    state = vector(layers * ways * hidden)
    for port in _states(name):
        _check_state(name, port, state, x.get(port))
    parameters = flops = 0
    for layer in range(layers):
        inputs = features if layer == 0 else ways * hidden
        weights = ways * GATES[name] * hidden * (inputs + hidden)
        parameters += weights + ways * GATES[name] * hidden * 2
        flops += 2 * weights * steps(time)
    return Result(
        {
            "sequence": sequence(time, ways * hidden),
            "last": vector(ways * hidden),
            **dict.fromkeys(_states(name), state),
        },
        parameters,
        flops,
        KEPT[name] * layers * ways * hidden * steps(time),
    )


def _emit(
    name: str, e: Emitter, p: Values, x: Proxies, shapes: Inputs, out: Result
) -> Mapping[str, Any]:
    """Sequences of different lengths are packed, so that padded steps are never looked at."""
    module = _module(name, e, p, shapes.one().number("F"))
    value, lengths = x.one(), x.lengths.get("input")
    if lengths is not None:
        value = e.call(
            "nn.utils.rnn.pack_padded_sequence",
            value,
            lengths.cpu(),
            batch_first=True,
            enforce_sorted=False,
        )
    result = module(value, *_initial(e, p, x, _states(name)))
    every, h, final = result[0], result[1], {}
    if name == "LSTM":
        h, final["c"] = h[0], h[1].transpose(0, 1).flatten(1)
    if lengths is not None:
        every = e.call(
            "nn.utils.rnn.pad_packed_sequence",
            every,
            batch_first=True,
            total_length=x.one().size(1),
        )[0]
    last = e.call("torch.cat", (h[-2], h[-1]), dim=1) if p["bidirectional"] else h[-1]
    return {"sequence": every, "last": last, "h": h.transpose(0, 1).flatten(1), **final}


def _module(name: str, e: Emitter, p: Values, features: int) -> Any:
    defaults = {"num_layers": 1, "nonlinearity": "tanh", "dropout": 0.0, "bidirectional": False}
    layers = p["num_layers"]
    options = given(
        defaults,
        num_layers=layers,
        nonlinearity=p.get("nonlinearity", "tanh"),
        dropout=p["dropout"] if layers > 1 else 0.0,
        bidirectional=p["bidirectional"],
    )
    return e.module(f"nn.{name}", features, p["hidden_size"], **options, batch_first=True)


def _recurrent(name: str, summary: str, extra: tuple[Parameter, ...] = ()) -> Layer:
    states = _states(name)
    return Layer(
        id=name.lower(),
        name=name,
        family="recurrent",
        summary=summary,
        rule=partial(_rule, name),
        emit=partial(_emit, name),
        parameters=(*PARAMETERS, *extra),
        inputs=(Port("input"), *(Port(port, optional=True) for port in states)),
        outputs=(Port("sequence"), Port("last"), *map(Port, states)),
        caption=_caption,
        streaming="step",
        keywords="recurrent memory hidden state time series text",
    )


def _initial(e: Emitter, p: Values, x: Proxies, states: tuple[str, ...]) -> tuple[Any, ...]:
    """The argument for the initial states, if any are fed in; a missing one of two is zero."""
    fed = {port: x.one(port) for port in states if x.ports.get(port)}
    if not fed:
        return ()
    size = (p["num_layers"] * _directions(p), p["hidden_size"])
    ready = {
        port: value.unflatten(1, size).transpose(0, 1).contiguous() for port, value in fed.items()
    }
    if len(states) == 1:
        return (ready["h"],)
    zeros = e.call("torch.zeros_like", next(iter(ready.values()))) if len(ready) == 1 else None
    return (tuple(ready.get(port, zeros) for port in states),)


def _caption(p: Values) -> str:
    text = f"{p['hidden_size']} units"
    if p["num_layers"] > 1:
        text += f" · {p['num_layers']} layers"
    return f"{text} · both ways" if p["bidirectional"] else text


PARAMETERS = (
    Parameter(
        "hidden_size",
        "Units",
        "int",
        64,
        "How much is remembered from step to step.",
        minimum=1,
        maximum=65536,
    ),
    Parameter(
        "num_layers",
        "Layers",
        "int",
        1,
        "How many are stacked on each other.",
        minimum=1,
        maximum=64,
    ),
    Parameter(
        "bidirectional",
        "Both ways",
        "bool",
        False,
        "Read the sequence forward and backward; twice as many features leave.",
    ),
    Parameter(
        "dropout",
        "Dropout between layers",
        "float",
        0.0,
        "How much is dropped at random between stacked layers while training.",
        minimum=0.0,
        maximum=1.0,
        visible=lambda p: bool(p.get("num_layers", 1) > 1),
    ),
)

LAYERS = (
    _recurrent(
        "LSTM",
        "Reads a sequence step by step and keeps a long and a short memory: the reliable choice "
        "for time series, text and sound.",
    ),
    _recurrent(
        "GRU",
        "Reads a sequence step by step with one memory: lighter than an LSTM and often as good.",
    ),
    _recurrent(
        "RNN",
        "The plain recurrent network: reads step by step, forgets quickly; good to learn from and "
        "for short sequences.",
        (
            Parameter(
                "nonlinearity",
                "Activation",
                "choice",
                "tanh",
                choices=(("tanh", "Tanh"), ("relu", "ReLU")),
            ),
        ),
    ),
)
