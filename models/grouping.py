"""Groups as a person edits them: made of nodes, opened, taken apart, told what they expose.

Like those of ``edits``, each function returns the edited graph, or raises ``EditError``. The place
of a group is the path of the ids of the group nodes that lead to it, from the whole graph down.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from models.cutting import Cutter, Source, check_closed, check_lenders, common_prefix
from models.edits import EditError, free_name, fresh_definition
from models.graph import GROUP, INPUT, OUTPUT, Definition, Edge, Exposed, Graph, GraphError, Node
from models.groups import definition_of, inside
from models.shapes import Report

NAME = "group"
LONGEST_NAME = 80
RESERVED = ("definition", "kind", "copies")
Path = Sequence[str]


# --- opening ----------------------------------------------------------------------------------


def at(graph: Graph, path: Path) -> Graph:
    """The inside of the group at ``path``, as that use of it is; raises ``GraphError``."""
    for id in path:
        graph = inside(graph, _group_node(graph, id))
    return graph


def edit_inside(graph: Graph, path: Path, inner: Graph) -> Graph:
    """``graph`` with ``inner`` as the inside of the group at ``path``, in every use of it.

    A changed value of an exposed parameter belongs to this use alone. Edges of all uses follow the
    names of the Inputs and Outputs inside; an edge to one that is gone goes too.
    """
    if not path:
        return inner
    definition = definition_of(at(graph, path[:-1]), _group_node(at(graph, path[:-1]), path[-1]))
    result = _put(graph, path, inner)
    if _contains_itself(result, definition.id):
        raise EditError(f"{definition.name} cannot contain itself")
    return _with_ports_followed(result, definition, inner)


def _group_node(graph: Graph, id: str) -> Node:
    node = graph.node(id)
    if node.layer != GROUP:
        raise GraphError(f"{node.name} is no group")
    return node


def _put(graph: Graph, path: Path, inner: Graph) -> Graph:
    if not path:
        return inner
    host = at(graph, path[:-1])
    node = host.node(path[-1])
    definition = definition_of(host, node)
    nodes, values = _parted(definition, node, inner)
    exposed = tuple(item for item in definition.exposed if item.node in nodes)
    body = replace(definition.graph, nodes=nodes, edges=inner.edges, extra=inner.extra)
    changed = replace(definition, graph=body, exposed=exposed)
    host = replace(host, definitions={**inner.definitions, definition.id: changed})
    if values != node.params:
        host = host.with_nodes([replace(node, params=values)])
    return _put(graph, path[:-1], host)


def _parted(
    definition: Definition, node: Node, inner: Graph
) -> tuple[dict[str, Node], dict[str, Any]]:
    """The definition's nodes and the use's own values, from what is seen inside the use."""
    nodes, values = dict(inner.nodes), dict(node.params)
    absent = object()
    for item in definition.exposed:
        seen, own = nodes.get(item.node), definition.graph.nodes.get(item.node)
        if seen is None or own is None:
            continue
        general = own.params.get(item.parameter, absent)
        value = seen.params.get(item.parameter, absent)
        if value is absent:
            values.pop(item.id, None)
        elif value != values.get(item.id, general):
            values[item.id] = value
        params = {k: v for k, v in seen.params.items() if k != item.parameter}
        if general is not absent:
            params[item.parameter] = general
        nodes[item.node] = replace(seen, params=params)
    for id, own in definition.graph.nodes.items():
        if id in nodes and nodes[id] == own:
            nodes[id] = own
    return nodes, values


def _contains_itself(graph: Graph, id: str) -> bool:
    seen: set[str] = set()
    waiting = [id]
    while waiting:
        definition = graph.definitions.get(waiting.pop())
        for node in definition.graph.of_layer(GROUP) if definition is not None else ():
            used = str(node.params.get("definition"))
            if used == id:
                return True
            if used not in seen:
                seen.add(used)
                waiting.append(used)
    return False


def _with_ports_followed(graph: Graph, before: Definition, inner: Graph) -> Graph:
    """Edges and states after Inputs or Outputs inside were renamed or removed."""
    renamed: dict[tuple[str, str], str | None] = {}
    for layer in (INPUT, OUTPUT):
        for node in before.graph.of_layer(layer):
            now = inner.nodes.get(node.id)
            name = now.name if now is not None else None
            if name != node.name:
                renamed[layer, node.name] = name
    if not renamed:
        return graph

    def followed(part: Graph) -> Graph:
        uses = {node.id for node in _uses_in(part, before.id)}
        edges = (_followed(edge, uses, renamed) for edge in part.edges) if uses else ()
        return replace(part, edges=tuple(e for e in edges if e is not None)) if uses else part

    definitions = {
        key: replace(item, graph=followed(item.graph)) for key, item in graph.definitions.items()
    }
    states = tuple(
        (start, end)
        for a, b in before.states
        if (start := renamed.get((INPUT, a), a)) and (end := renamed.get((OUTPUT, b), b))
    )
    definitions[before.id] = replace(definitions[before.id], states=states)
    return replace(followed(graph), definitions=definitions)


def _followed(
    edge: Edge, uses: Collection[str], renamed: Mapping[tuple[str, str], str | None]
) -> Edge | None:
    if edge.target in uses:
        name = renamed.get((INPUT, edge.target_port), edge.target_port)
        if name is None:
            return None
        edge = replace(edge, target_port=name)
    if edge.source in uses:
        name = renamed.get((OUTPUT, edge.source_port), edge.source_port)
        if name is None:
            return None
        edge = replace(edge, source_port=name)
    return edge


# --- definitions ------------------------------------------------------------------------------


def uses(graph: Graph, definition: str) -> int:
    """How many nodes are instances of ``definition``, in the graph and inside its groups."""
    parts = (graph, *(item.graph for item in graph.definitions.values()))
    return sum(1 for part in parts for _ in _uses_in(part, definition))


def _uses_in(part: Graph, definition: str) -> Iterator[Node]:
    return (n for n in part.of_layer(GROUP) if n.params.get("definition") == definition)


def add_instance(
    graph: Graph, definition: str, position: tuple[float, float] = (0.0, 0.0)
) -> tuple[Graph, str]:
    """One more use of a definition; returns the graph and the node's id."""
    if definition not in graph.definitions:
        raise EditError("that group is not in the project any more")
    node = Node(
        graph.fresh_id(), free_name(graph, NAME), GROUP, {"definition": definition}, position
    )
    return graph.with_nodes([node]), node.id


def make_independent(graph: Graph, id: str) -> Graph:
    """Give a group node a definition of its own, a copy of the one it shares."""
    node = _group_node(graph, id)
    own = definition_of(graph, node)
    copy = replace(
        own, id=fresh_definition(graph), name=_free_title(graph, _cut(f"{own.name} copy"))
    )
    graph = replace(graph, definitions={**graph.definitions, copy.id: copy})
    return graph.with_nodes([replace(node, params={**node.params, "definition": copy.id})])


def rename_definition(graph: Graph, definition: str, name: str) -> Graph:
    """Call a definition something else; the names of its uses, and so of weights, stay."""
    name = " ".join(name.split())
    if not 0 < len(name) <= LONGEST_NAME:
        raise EditError(f"a group's name has 1 to {LONGEST_NAME} characters")
    own = _definition(graph, definition)
    return replace(graph, definitions={**graph.definitions, own.id: replace(own, name=name)})


def drop_definition(graph: Graph, definition: str) -> Graph:
    """Take a definition that nothing uses out of the project."""
    if uses(graph, definition):
        raise EditError(f"{_definition(graph, definition).name} is used in the network")
    kept = {key: item for key, item in graph.definitions.items() if key != definition}
    return replace(graph, definitions=kept)


def set_exposed(graph: Graph, path: Path, node: str, parameter: str, exposed: bool) -> Graph:
    """Let each use of the group at ``path`` set ``parameter`` of ``node`` inside, or no longer.

    Once it is no longer exposed, all uses have the value that it has in this one.
    """
    host = at(graph, path[:-1])
    instance = _group_node(host, path[-1])
    own = definition_of(host, instance)
    inner = own.graph.node(node)
    known = [item for item in own.exposed if (item.node, item.parameter) == (node, parameter)]
    if exposed == bool(known):
        return graph
    if exposed:
        item = Exposed(_exposed_id(own, inner, parameter), node, parameter)
        changed = replace(own, exposed=(*own.exposed, item))
        return replace(graph, definitions={**graph.definitions, own.id: changed})
    kept = tuple(item for item in own.exposed if item not in known)
    params = dict(inner.params)
    for item in known:
        params[parameter] = instance.params.get(item.id, params.get(parameter))
    body = own.graph.with_nodes([replace(inner, params=_set(params))])
    graph = replace(
        graph,
        definitions={**graph.definitions, own.id: replace(own, graph=body, exposed=kept)},
    )
    return _without_values(graph, own.id, {item.id for item in known})


def _set(params: Mapping[str, Any]) -> dict[str, Any]:
    """Without those that take their defaults."""
    return {key: value for key, value in params.items() if value is not None}


def _without_values(graph: Graph, definition: str, keys: Collection[str]) -> Graph:
    def cleaned(part: Graph) -> Graph:
        changed = [
            replace(node, params={k: v for k, v in node.params.items() if k not in keys})
            for node in _uses_in(part, definition)
            if keys & node.params.keys()
        ]
        return part.with_nodes(changed) if changed else part

    definitions = {
        key: replace(item, graph=cleaned(item.graph)) for key, item in graph.definitions.items()
    }
    return replace(cleaned(graph), definitions=definitions)


def _exposed_id(definition: Definition, node: Node, parameter: str) -> str:
    taken = {*RESERVED, *(item.id for item in definition.exposed)}
    base = f"{node.name.replace('.', '_')}_{parameter}"
    names = [parameter, base, *(f"{base}_{number}" for number in range(2, len(taken) + 3))]
    return next(name for name in names if name not in taken)


def _definition(graph: Graph, id: str) -> Definition:
    if id not in graph.definitions:
        raise EditError("that group is not in the project any more")
    return graph.definitions[id]


def _free_title(graph: Graph, wanted: str) -> str:
    taken = {item.name for item in graph.definitions.values()}
    name, number = wanted, 2
    while name in taken:
        name, number = f"{wanted} {number}", number + 1
    return name


def _cut(name: str) -> str:
    return name[: LONGEST_NAME - 4]


# --- grouping ---------------------------------------------------------------------------------


def group(graph: Graph, ids: Iterable[str], report: Report | None = None) -> tuple[Graph, str]:
    """Put nodes into a new group whose ports are the edges that were cut; returns its id too.

    Inputs and Outputs among ``ids`` stay where they are. The nodes keep their ids; where they are
    all that has a common beginning of their names (``features.0``, ``features.1``), that becomes
    the group's name and the paths of the weights stay as they were. ``report`` gives the ports the
    shapes that arrive there now.
    """
    wanted = set(ids)
    chosen = {
        id: node
        for id, node in graph.nodes.items()
        if id in wanted and node.layer not in (INPUT, OUTPUT)
    }
    if not chosen:
        raise EditError("select the layers that are to be a group first")
    check_lenders(graph, chosen)
    check_closed(graph, chosen)
    prefix = common_prefix(graph, chosen)
    name = prefix or free_name(_without(graph, chosen), NAME)
    parts = [replace(node, name=node.name[len(prefix) + 1 :] if prefix else node.name)
             for node in chosen.values()]  # fmt: skip
    id = graph.fresh_id()
    cutter = Cutter(graph, Graph({node.id: node for node in parts}), id, report)
    for edge in graph.edges:
        cutter.take(edge)
    definition = Definition(
        fresh_definition(graph), _free_title(graph, _title(prefix)), cutter.body()
    )
    place = _middle([node.position for node in chosen.values()])
    node = Node(id, name, GROUP, {"definition": definition.id}, place)
    nodes: dict[str, Node] = {}
    for key, other in graph.nodes.items():
        if key not in chosen:
            nodes[key] = other
        elif id not in nodes:
            nodes[id] = node
    definitions = {**graph.definitions, definition.id: definition}
    return replace(graph, nodes=nodes, edges=cutter.outer(), definitions=definitions), id


def _without(graph: Graph, ids: Collection[str]) -> Graph:
    return replace(graph, nodes={id: n for id, n in graph.nodes.items() if id not in ids})


def _title(prefix: str) -> str:
    words = prefix.replace(".", " ").replace("_", " ").strip() or NAME
    return _cut(words[:1].upper() + words[1:])


def _middle(places: Sequence[tuple[float, float]]) -> tuple[float, float]:
    xs, ys = [x for x, _ in places], [y for _, y in places]
    return ((min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2)


# --- taking apart -----------------------------------------------------------------------------


def ungroup(graph: Graph, id: str) -> tuple[Graph, tuple[str, ...]]:
    """Put what is inside a group in its place; returns the ids of the nodes too.

    The nodes are named by their paths (``blocks.3.conv``), so that weights find them; those of a
    group that has no name of its own get their bare names where these are free.
    """
    node = _group_node(graph, id)
    _check_plain(graph, node)
    inner = inside(graph, node)
    moved, ids = _moved_out(_without(graph, [id]), node, inner)
    before = {edge.target_port: (edge.source, edge.source_port) for edge in graph.into(id)}
    entries = {n.id: before.get(n.name) for n in inner.of_layer(INPUT)}

    def source(edge: Edge) -> Source | None:
        if edge.source in entries:
            return entries[edge.source]
        return (ids[edge.source], edge.source_port)

    within, exits = [], {}
    for edge in inner.edges:
        start = source(edge)
        if start is None:
            continue
        if edge.target in ids:
            within.append(Edge(*start, ids[edge.target], edge.target_port))
        else:
            exits[inner.nodes[edge.target].name] = start
    edges: list[Edge] = []
    for edge in graph.edges:
        if edge.target == id:
            edges += within
            within = []
        elif edge.source == id:
            start = exits.get(edge.source_port)
            edges += [Edge(*start, edge.target, edge.target_port)] if start is not None else []
        else:
            edges.append(edge)
    edges += within
    if len(set(edges)) < len(edges):
        raise EditError(f"{node.name} leads one value twice to the same place, so it stays a group")
    return replace(graph, nodes=moved.nodes, edges=tuple(edges)), tuple(ids.values())


def _check_plain(graph: Graph, node: Node) -> None:
    if node.params.get("kind", "plain") != "plain":
        raise EditError(f"{node.name} runs its inside more than once, so it stays a group")
    lends = any(other.shares_weights_with == node.id for other in graph.nodes.values())
    if lends or node.shares_weights_with is not None:
        raise EditError(f"{node.name} shares its weights: give each its own first")


def _moved_out(graph: Graph, node: Node, inner: Graph) -> tuple[Graph, dict[str, str]]:
    """``graph`` with the layers of ``inner``, and their ids there by the ids inside."""
    layers = [n for n in inner.nodes.values() if n.layer not in (INPUT, OUTPUT)]
    stem = node.name.rstrip("0123456789")
    places = [n.position for n in layers]
    middle = _middle(places) if places else (0.0, 0.0)
    dx, dy = node.position[0] - middle[0], node.position[1] - middle[1]
    ids: dict[str, str] = {}
    for part in layers:
        taken = part.id in graph.nodes or part.id == node.id
        ids[part.id] = graph.fresh_id(inner.nodes) if taken else part.id
        name = f"{node.name}.{part.name}" if stem != NAME else part.name
        position = (part.position[0] + dx, part.position[1] + dy)
        fresh = replace(part, id=ids[part.id], name=free_name(graph, name), position=position)
        graph = graph.with_nodes([fresh])
    borrowers = [
        replace(graph.nodes[ids[n.id]], shares_weights_with=ids.get(n.shares_weights_with))
        for n in layers
        if n.shares_weights_with is not None
    ]
    return graph.with_nodes(borrowers), ids
