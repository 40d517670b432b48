"""The document that the canvas edits: nodes, edges and group definitions, as immutable values.

A ``Graph`` never changes; an edit makes a new one that shares everything untouched. So an undo is
the earlier value, a training run's frozen copy is the value itself, and what an edit changed is
what is no longer the same object.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

_SEGMENT = re.compile(r"[A-Za-z][A-Za-z0-9_]*|[0-9]+")
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_MODULE_ATTRIBUTES = frozenset(
    "forward training train eval parameters modules children apply to type half float double cpu "
    "cuda xpu state_dict load_state_dict register_buffer register_parameter register_module "
    "named_modules named_parameters named_children buffers named_buffers zero_grad share_memory "
    "extra_repr compile add_module get_submodule get_parameter get_buffer requires_grad_ "
    "bfloat16 ipu mtia dump_patches call_super_init torch nn self graph code to_empty meta "
    "get_extra_state set_extra_state set_submodule add_submodule delete_submodule to_folder "
    "delete_all_unused_submodules print_readable recompile shape_env T_destination "
    "register_backward_hook register_forward_hook register_forward_pre_hook "
    "register_full_backward_hook register_full_backward_pre_hook register_state_dict_pre_hook "
    "register_load_state_dict_pre_hook register_load_state_dict_post_hook "
    "register_state_dict_post_hook".split()
)

DEEPEST_DOCUMENT = 64
GROUP = "group"
INPUT = "input"
OUTPUT = "output"


class GraphError(ValueError):
    """The document is not well formed; the message names the place."""


def check_name(name: str) -> None:
    """Names are paths (``features.0``) that become attributes; raises ``GraphError`` otherwise."""
    if not isinstance(name, str) or not 0 < len(name) <= 200:
        raise GraphError(f"{name!r} cannot be a name: use 1 to 200 letters, digits and _")
    for segment in name.split("."):
        if not _SEGMENT.fullmatch(segment):
            raise GraphError(
                f"{name!r} cannot be a name: its parts, divided by dots, are letters, digits "
                "and _, and start with a letter (or are a number)"
            )
        if keyword.iskeyword(segment) or segment in _MODULE_ATTRIBUTES:
            raise GraphError(f"{name!r} cannot be a name: {segment} is a word of Python or torch")


@dataclass(frozen=True, slots=True)
class Node:
    """One use of a layer. ``id`` is permanent, ``name`` is a path unique in its graph.

    ``params`` holds the values that were set; the layer's declaration has the defaults. ``extra``
    keeps keys that this version does not know.
    """

    id: str
    name: str
    layer: str
    params: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    position: tuple[float, float] = (0.0, 0.0)
    shares_weights_with: str | None = None
    extra: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    def to_json(self) -> dict[str, Any]:
        data: dict[str, Any] = {"id": self.id, "name": self.name, "layer": self.layer}
        if self.params:
            data["params"] = dict(self.params)
        data["position"] = list(self.position)
        if self.shares_weights_with is not None:
            data["shares_weights_with"] = self.shares_weights_with
        return data | dict(self.extra)

    @classmethod
    def from_json(cls, data: Any) -> Node:
        if not isinstance(data, Mapping):
            raise GraphError(f"a node is an object; got {_brief(data)}")
        values = dict(data)
        id, name, layer = (
            values.pop("id", None),
            values.pop("name", None),
            values.pop("layer", None),
        )
        if not isinstance(id, str) or not _ID.fullmatch(id):
            raise GraphError(f"a node's id is 1 to 64 letters, digits, _ and -; got {_brief(id)}")
        check_name(name)
        if not isinstance(layer, str) or not layer:
            raise GraphError(f"node {name}: its layer is missing")
        params = values.pop("params", {})
        if not isinstance(params, Mapping):
            raise GraphError(f"node {name}: params is an object; got {_brief(params)}")
        shares = values.pop("shares_weights_with", None)
        if shares is not None and not isinstance(shares, str):
            raise GraphError(f"node {name}: shares_weights_with is a node's id")
        position = _position(values.pop("position", [0.0, 0.0]), name)
        return cls(id, name, layer, MappingProxyType(dict(params)), position, shares, values)


@dataclass(frozen=True, slots=True)
class Edge:
    """A value's way from a node's output port to another's input port."""

    source: str
    source_port: str
    target: str
    target_port: str

    def to_json(self) -> dict[str, Any]:
        return {
            "from": [self.source, self.source_port],
            "to": [self.target, self.target_port],
        }

    @classmethod
    def from_json(cls, data: Any) -> Edge:
        ends = [data.get(key) for key in ("from", "to")] if isinstance(data, Mapping) else [None]
        for end in ends:
            if not (
                isinstance(end, (list, tuple))
                and len(end) == 2
                and all(isinstance(item, str) for item in end)
            ):
                raise GraphError('an edge is written {"from": [node, port], "to": [node, port]}')
        return cls(*ends[0], *ends[1])  # type: ignore[misc]


@dataclass(frozen=True, slots=True)
class Exposed:
    """A parameter of a group: it sets ``parameter`` of ``node`` inside the group."""

    id: str
    node: str
    parameter: str


@dataclass(frozen=True, slots=True)
class Definition:
    """The inside of a group. Its Input and Output nodes are the ports, by name.

    ``states`` pairs an Input with the Output that feeds it at the next step (scan groups).
    """

    id: str
    name: str
    graph: Graph
    exposed: tuple[Exposed, ...] = ()
    states: tuple[tuple[str, str], ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        data: dict[str, Any] = {"id": self.id, "name": self.name}
        if self.exposed:
            data["exposed"] = [
                {"id": item.id, "node": item.node, "parameter": item.parameter}
                for item in self.exposed
            ]
        if self.states:
            data["states"] = [list(pair) for pair in self.states]
        return data | {"graph": self.graph.to_json()} | dict(self.extra)

    @classmethod
    def from_json(cls, data: Any, depth: int = 0) -> Definition:
        if not isinstance(data, Mapping):
            raise GraphError(f"a group definition is an object; got {_brief(data)}")
        values = dict(data)
        id, name = values.pop("id", None), values.pop("name", None)
        if not isinstance(id, str) or not _ID.fullmatch(id) or not isinstance(name, str):
            raise GraphError("a group definition needs an id and a name")
        graph = Graph.from_json(values.pop("graph", None), depth + 1)
        try:
            exposed = tuple(
                Exposed(item["id"], item["node"], item["parameter"])
                for item in values.pop("exposed", [])
            )
            states = tuple((str(a), str(b)) for a, b in values.pop("states", []))
        except (TypeError, KeyError, ValueError):
            raise GraphError(
                f"group {name}: its exposed parameters or states are malformed"
            ) from None
        return cls(id, name, graph, exposed, states, values)


@dataclass(frozen=True, slots=True)
class Graph:
    """Nodes by id in document order, edges in the order in which variadic ports see them."""

    nodes: Mapping[str, Node] = field(default_factory=dict)
    edges: tuple[Edge, ...] = ()
    definitions: Mapping[str, Definition] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)

    def node(self, id: str) -> Node:
        """The node of ``id``; raises ``GraphError``."""
        try:
            return self.nodes[id]
        except KeyError:
            raise GraphError(f"there is no node {id!r}") from None

    def named(self, name: str) -> Node | None:
        return next((node for node in self.nodes.values() if node.name == name), None)

    def of_layer(self, layer: str) -> tuple[Node, ...]:
        return tuple(node for node in self.nodes.values() if node.layer == layer)

    def into(self, id: str) -> tuple[Edge, ...]:
        return tuple(edge for edge in self.edges if edge.target == id)

    def out_of(self, id: str) -> tuple[Edge, ...]:
        return tuple(edge for edge in self.edges if edge.source == id)

    def with_nodes(self, nodes: Iterable[Node]) -> Graph:
        """Replace nodes in their places, or append new ones."""
        return replace(self, nodes={**self.nodes, **{node.id: node for node in nodes}})

    def fresh_id(self, taken: Iterable[str] = ()) -> str:
        """An id that no node has: ``n`` and a number above every other."""
        highest = 0
        for id in (*self.nodes, *taken):
            if id[0] == "n" and id[1:].isdecimal():
                highest = max(highest, int(id[1:]))
        return f"n{highest + 1}"

    def fresh_name(self, wanted: str, taken: Iterable[str] = ()) -> str:
        """``wanted``, or the first of ``wanted2``, ``wanted3`` … that is free."""
        names = {node.name for node in self.nodes.values()} | set(taken)
        stem = wanted.rstrip("0123456789") or wanted
        name, number = wanted, 2
        while name in names:
            name, number = f"{stem}{number}", number + 1
        return name

    def order(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Ids so that every edge goes forward, and the ids in or behind a cycle."""
        waiting = dict.fromkeys(self.nodes, 0)
        following: dict[str, list[str]] = {}
        for edge in self.edges:
            waiting[edge.target] += 1
            following.setdefault(edge.source, []).append(edge.target)
        ready = [id for id, count in waiting.items() if count == 0]
        for id in ready:
            for target in following.get(id, ()):
                waiting[target] -= 1
                if waiting[target] == 0:
                    ready.append(target)
        done = set(ready)
        return tuple(ready), tuple(id for id in self.nodes if id not in done)

    def reaches(self, start: str, goal: str) -> bool:
        """Whether a value at ``start`` flows to ``goal``."""
        following: dict[str, list[str]] = {}
        for edge in self.edges:
            following.setdefault(edge.source, []).append(edge.target)
        seen, stack = {start}, [start]
        while stack:
            id = stack.pop()
            if id == goal:
                return True
            fresh = [target for target in following.get(id, ()) if target not in seen]
            seen.update(fresh)
            stack.extend(fresh)
        return False

    def to_json(self) -> dict[str, Any]:
        data: dict[str, Any] = {
            "nodes": [node.to_json() for node in self.nodes.values()],
            "edges": [edge.to_json() for edge in self.edges],
        }
        if self.definitions:
            data["definitions"] = [item.to_json() for item in self.definitions.values()]
        return data | dict(self.extra)

    @classmethod
    def from_json(cls, data: Any, depth: int = 0) -> Graph:
        """Read a document; raises ``GraphError`` naming the place. Layers may be unknown."""
        if not isinstance(data, Mapping):
            raise GraphError(f"a graph is an object; got {_brief(data)}")
        if depth > DEEPEST_DOCUMENT:
            raise GraphError(f"group definitions nest deeper than {DEEPEST_DOCUMENT}")
        values = dict(data)
        lists = {}
        for key in ("nodes", "edges", "definitions"):
            lists[key] = values.pop(key, [])
            if not isinstance(lists[key], list):
                raise GraphError(f"{key} is a list; got {_brief(lists[key])}")
        nodes: dict[str, Node] = {}
        names: set[str] = set()
        for node in map(Node.from_json, lists["nodes"]):
            if node.id in nodes:
                raise GraphError(f"two nodes have the id {node.id}")
            if node.name in names:
                raise GraphError(f"two nodes have the name {node.name}")
            nodes[node.id] = node
            names.add(node.name)
        _check_paths(names)
        edges = tuple(map(Edge.from_json, lists["edges"]))
        for edge in edges:
            for end in (edge.source, edge.target):
                if end not in nodes:
                    raise GraphError(f"an edge ends at {end!r}, which is no node")
        if len(set(edges)) != len(edges):
            raise GraphError("the same edge is there twice")
        read = (Definition.from_json(item, depth) for item in lists["definitions"])
        definitions = {item.id: item for item in read}
        return cls(nodes, edges, definitions, values)


def _check_paths(names: set[str]) -> None:
    """A name may not be both a node and the beginning of another's path."""
    for name in names:
        parts = name.split(".")
        for end in range(1, len(parts)):
            prefix = ".".join(parts[:end])
            if prefix in names:
                raise GraphError(f"{prefix} is the name of a node and the beginning of {name}")


def _position(value: Any, name: str) -> tuple[float, float]:
    if (
        not isinstance(value, (list, tuple))
        or len(value) != 2
        or not all(isinstance(item, (int, float)) and abs(item) < 1e7 for item in value)
    ):
        raise GraphError(f"node {name}: a position is two numbers; got {_brief(value)}")
    return (value[0], value[1])


def _brief(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:39] + "…"
