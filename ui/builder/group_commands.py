"""What can be done to groups, each as one undoable step; like ``commands``, without a mouse."""

from __future__ import annotations

from collections.abc import Collection

from models import grouping
from models.graph import GROUP, Graph
from models.groups import definition_of
from ui.builder import commands
from ui.builder.level import Level


def group(level: Level, ids: Collection[str]) -> bool:
    """Put nodes into a group of their own and select it."""
    made: list[str] = []

    def edit(graph: Graph) -> Graph:
        graph, id = grouping.group(graph, ids, level.report)
        made.append(id)
        x, y = graph.nodes[id].position
        return commands.standing(graph, id, x, y)

    if not commands.attempt(level, "Group", edit):
        return False
    level.select(made[-1:])
    return True


def ungroup(level: Level, ids: Collection[str]) -> bool:
    """Put the insides of groups in their place and select what was in them."""
    made: list[str] = []
    moved: list[str] = []

    def edit(graph: Graph) -> Graph:
        for id in groups_among(graph, ids):
            definition = str(graph.nodes[id].params.get("definition"))
            graph, parts = grouping.ungroup(graph, id)
            made.extend(parts)
            if not level.path and not grouping.uses(graph, definition):
                graph = grouping.drop_definition(graph, definition)
        arranged = commands.uncrowded(graph, made)
        moved.extend(() if arranged is graph else made)
        return arranged

    if not commands.attempt(level, "Ungroup", edit):
        return False
    level.select(made)
    if moved:
        level.rearranged.emit()
    return True


def make_independent(level: Level, id: str) -> bool:
    """Let a use of a group no longer follow the others."""
    return commands.attempt(
        level, "Make independent", lambda graph: grouping.make_independent(graph, id)
    )


def rename_definition(level: Level, definition: str, name: str) -> bool:
    return commands.attempt(
        level,
        "Rename the group",
        lambda graph: grouping.rename_definition(graph, definition, name),
    )


def drop_definition(level: Level, definition: str) -> bool:
    """Take a group that nothing uses out of the project."""
    return commands.attempt_whole(
        level,
        "Remove the group from the project",
        lambda graph: grouping.drop_definition(graph, definition),
    )


def set_exposed(level: Level, node: str, parameter: str, exposed: bool) -> bool:
    """Let each use of the opened group set a parameter itself, or no longer."""
    return commands.attempt_whole(
        level,
        f"{'Expose' if exposed else 'Fix'} {parameter.replace('_', ' ')}",
        lambda graph: grouping.set_exposed(graph, level.path, node, parameter, exposed),
    )


def groups_among(graph: Graph, ids: Collection[str]) -> list[str]:
    """Those of ``ids`` that are groups."""
    return [id for id in ids if id in graph.nodes and graph.nodes[id].layer == GROUP]


def shared(level: Level, id: str) -> int:
    """How many uses of its definition there are besides group node ``id``."""
    graph = level.graph
    try:
        definition = definition_of(graph, graph.nodes[id])
    except ValueError:
        return 0
    return grouping.uses(level.session.graph, definition.id) - 1
