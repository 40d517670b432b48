"""What a layer declares: everything that the palette, the form, the shape check, the network and
the generated Python need to know about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

from models.axes import Kind, Shape
from models.parameters import Parameter, Values

if TYPE_CHECKING:
    from torch.fx import Proxy

FAMILIES = {
    "input": "Input and output",
    "convolution": "Convolution",
    "pooling": "Pooling",
    "recurrent": "Recurrent",
    "attention": "Attention",
    "dense": "Dense",
    "normalization": "Normalization",
    "activation": "Activation",
    "regularization": "Regularization",
    "reshape": "Reshape",
    "merge": "Merge",
    "signal": "Signal",
    "group": "Groups",
}


@dataclass(frozen=True, slots=True)
class Fix:
    """A remedy that can be offered as a button, with the words on the button."""

    label: str
    action: Literal["insert", "set", "remove"]
    layer: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)
    port: str = ""


class ShapeError(ValueError):
    """A layer cannot take what it is given; the message says what it got and what it needs."""

    def __init__(self, message: str, fix: Fix | None = None) -> None:
        super().__init__(message)
        self.fix = fix


@dataclass(frozen=True, slots=True)
class Port:
    """Where a value goes in or out. A variadic input takes several edges, in their order.

    ``kinds`` are those that the layer takes; empty means any.
    """

    name: str
    kinds: tuple[Kind, ...] = ()
    variadic: bool = False
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Inputs:
    """The shapes that arrive at a node's input ports."""

    ports: Mapping[str, tuple[Shape, ...]]

    def one(self, port: str = "input") -> Shape:
        return self.ports[port][0]

    def many(self, port: str = "inputs") -> tuple[Shape, ...]:
        return self.ports[port]

    def get(self, port: str) -> Shape | None:
        shapes = self.ports.get(port)
        return shapes[0] if shapes else None


@dataclass(frozen=True, slots=True)
class Result:
    """What a layer makes of its inputs.

    ``flops`` counts a multiplication and an addition as two, for one sample's forward pass; a
    varying length counts as one step. ``activations`` are the numbers kept for the backward pass;
    None means the outputs alone.
    """

    outputs: Mapping[str, Shape]
    parameters: int = 0
    flops: int = 0
    activations: int | None = None


class Emitter(Protocol):
    """How a declaration writes its part of the network. See ``models.build``."""

    def module(self, target: str, *args: Any, name: str = "", **kwargs: Any) -> Any:
        """A module made by calling ``target`` ("nn.Conv2d", or "modules.X" for one of
        ``models.modules``), registered under the node's path (or below it, by ``name``).
        The result is called with proxies."""

    def call(self, target: str, *args: Any, **kwargs: Any) -> Any:
        """A call of a function: "torch.cat", "nn.functional.pad"."""


@dataclass(frozen=True, slots=True)
class Proxies:
    """The values at a node's input ports while the network is written; like ``Inputs``.

    ``lengths`` holds, for a port whose T varies, the batch's numbers of valid steps.
    """

    ports: Mapping[str, tuple[Proxy, ...]]
    lengths: Mapping[str, Proxy] = field(default_factory=dict)

    def one(self, port: str = "input") -> Any:
        return self.ports[port][0]

    def many(self, port: str = "inputs") -> tuple[Any, ...]:
        return self.ports[port]

    def get(self, port: str) -> Any | None:
        values = self.ports.get(port)
        return values[0] if values else None


Rule = Callable[[Values, Inputs], Result]
Emit = Callable[[Emitter, Values, Proxies, Inputs, Result], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Layer:
    """A kind of layer.

    ``rule`` gets the checked parameters and the input shapes and returns the ``Result``, or raises
    ``ShapeError``; it never imports torch. ``emit`` writes the layer with torch.fx proxies and
    returns a proxy an output port. ``caption`` is the one line of parameters on the node.
    ``per_frame``: an image layer that is given a video runs on every frame (time folded into the
    batch). ``streaming``: whether a sequence can be fed step by step ("step" carries a state,
    "none" needs the whole sequence).
    """

    id: str
    name: str
    family: str
    summary: str
    rule: Rule
    emit: Emit
    parameters: tuple[Parameter, ...] = ()
    inputs: tuple[Port, ...] = (Port("input"),)
    outputs: tuple[Port, ...] = (Port("output"),)
    caption: Callable[[Values], str] = lambda values: ""
    per_frame: bool = False
    streaming: Literal["stateless", "step", "none"] = "stateless"
    keywords: str = ""
    aliases: tuple[str, ...] = ()
    hidden: bool = False
