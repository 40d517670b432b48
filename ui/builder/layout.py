"""Where nodes stand: in layers from left to right, long networks wrapped into rows. No Qt here.

The steps are those of Sugiyama, Tagawa and Toda (1981): layers by the longest path, few crossings
by barycentres, then straight edges, here as one isotonic regression a layer (pool adjacent
violators), which keeps the order and the distances exactly. The result depends on the document
alone, so the same network always looks the same.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

GRID = 8
ANCHOR = 26.0
"""The first ports are this far below a node's top edge; straight chains line up there."""
COLUMN_GAP = 42.0
ROW_GAP = 48.0
WRAP_GAP = 112.0
LANE = 10.0
LONGEST_LANE = 12
"""Edges over more layers than this get no lane of their own: they would outnumber the nodes."""
SHORTEST_ROW = 5

Size = tuple[float, float]
Position = tuple[float, float]


@dataclass(slots=True)
class _Spot:
    """A node, or one layer's part of the lane of an edge that passes by."""

    id: str | None
    rank: int
    up: float
    down: float
    width: float
    before: list[int] = field(default_factory=list)
    after: list[int] = field(default_factory=list)
    y: float = 0.0


def arrange(
    nodes: Sequence[str], edges: Iterable[tuple[str, str]], sizes: Mapping[str, Size]
) -> dict[str, Position]:
    """The top left corner of every node, on the grid, the whole beginning at (0, 0).

    ``nodes`` are in document order, ``edges`` are (source, target); an edge that closes a cycle
    is ignored. ``sizes`` are (width, height) in scene pixels.
    """
    known = set(nodes)
    pairs = list(dict.fromkeys((a, b) for a, b in edges if a != b and a in known and b in known))
    positions: dict[str, Position] = {}
    top = 0.0
    loose: list[str] = []
    for members in _components(nodes, pairs):
        if len(members) == 1:
            loose.append(members[0])
            continue
        inside = set(members)
        placed = _component(members, [pair for pair in pairs if pair[0] in inside], sizes)
        positions |= {id: (x, y + top) for id, (x, y) in placed.items()}
        top = max(y + sizes[id][1] for id, (_, y) in positions.items()) + WRAP_GAP
    positions |= _grid(loose, sizes, top)
    return {id: (_snap(x), _snap(y)) for id, (x, y) in positions.items()}


def _snap(value: float) -> float:
    return float(round(value / GRID) * GRID)


def _components(nodes: Sequence[str], pairs: list[tuple[str, str]]) -> list[list[str]]:
    """Nodes that hang together, in document order."""
    root = {id: id for id in nodes}

    def find(id: str) -> str:
        while root[id] != id:
            root[id] = root[root[id]]
            id = root[id]
        return id

    for a, b in pairs:
        root[find(b)] = find(a)
    groups: dict[str, list[str]] = {}
    for id in nodes:
        groups.setdefault(find(id), []).append(id)
    return list(groups.values())


def _grid(ids: list[str], sizes: Mapping[str, Size], top: float) -> dict[str, Position]:
    """Nodes without connections stand in rows of their own."""
    columns = max(SHORTEST_ROW, math.ceil(math.sqrt(2 * len(ids))))
    positions: dict[str, Position] = {}
    for start in range(0, len(ids), columns):
        row = ids[start : start + columns]
        x = 0.0
        for id in row:
            positions[id] = (x, top)
            x += sizes[id][0] + COLUMN_GAP
        top += max(sizes[id][1] for id in row) + ROW_GAP
    return positions


def _component(
    members: list[str], pairs: list[tuple[str, str]], sizes: Mapping[str, Size]
) -> dict[str, Position]:
    ranks, forward = _ranks(members, pairs)
    spots = _spots(members, forward, ranks, sizes)
    layers: list[list[int]] = [[] for _ in range(max(ranks.values()) + 1)]
    for number, spot in enumerate(spots):
        layers[spot.rank].append(number)
    _untangle(spots, layers)
    _straighten(spots, layers)
    return _wrapped(spots, layers)


def _ranks(
    members: list[str], pairs: list[tuple[str, str]]
) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """The layer of every node, and the edges without those that would close a cycle."""
    following: dict[str, list[str]] = {id: [] for id in members}
    waiting = dict.fromkeys(members, 0)
    for a, b in pairs:
        following[a].append(b)
        waiting[b] += 1
    sources = [id for id in members if waiting[id] == 0]
    ready, order = list(sources), []
    left = dict.fromkeys(members)
    while left:
        if not ready:
            ready.append(next(iter(left)))
        id = ready.pop(0)
        if id not in left:
            continue
        del left[id]
        order.append(id)
        for target in following[id]:
            waiting[target] -= 1
            if waiting[target] == 0 and target in left:
                ready.append(target)
    place = {id: number for number, id in enumerate(order)}
    forward = [(a, b) for a, b in pairs if place[a] < place[b]]
    ranks = dict.fromkeys(members, 0)
    for a, b in sorted(forward, key=lambda pair: place[pair[0]]):
        ranks[b] = max(ranks[b], ranks[a] + 1)
    for id in sources:
        nearest = min((ranks[target] for target in following[id]), default=1)
        ranks[id] = max(ranks[id], nearest - 1)
    return ranks, forward


def _spots(
    members: list[str],
    forward: list[tuple[str, str]],
    ranks: dict[str, int],
    sizes: Mapping[str, Size],
) -> list[_Spot]:
    spots: list[_Spot] = []
    number: dict[str, int] = {}
    for id in members:
        width, height = sizes[id]
        number[id] = len(spots)
        spots.append(_Spot(id, ranks[id], ANCHOR, height - ANCHOR, width))
    for a, b in forward:
        last = number[a]
        if 1 < ranks[b] - ranks[a] <= LONGEST_LANE:
            for rank in range(ranks[a] + 1, ranks[b]):
                spots.append(_Spot(None, rank, LANE, LANE, 0.0))
                _join(spots, last, len(spots) - 1)
                last = len(spots) - 1
        _join(spots, last, number[b])
    return spots


def _join(spots: list[_Spot], source: int, target: int) -> None:
    spots[source].after.append(target)
    spots[target].before.append(source)


def _untangle(spots: list[_Spot], layers: list[list[int]], sweeps: int = 6) -> None:
    """Order each layer by the mean place of its neighbours, back and forth.

    Ties keep the document's order; a node is put before the lanes that pass it.
    """
    place = {number: float(i) for layer in layers for i, number in enumerate(layer)}
    for sweep in range(sweeps):
        forth = sweep % 2 == 0
        for layer in layers if forth else reversed(layers):
            if len(layer) < 2:
                continue
            keys = {}
            for number in layer:
                near = spots[number].before if forth else spots[number].after
                mean = sum(place[other] for other in near) / len(near) if near else place[number]
                keys[number] = (mean, spots[number].id is None, number)
            layer.sort(key=keys.__getitem__)
            for i, number in enumerate(layer):
                place[number] = float(i)


def _straighten(spots: list[_Spot], layers: list[list[int]], sweeps: int = 8) -> None:
    """Heights that bring the ends of edges level, without changing any layer's order."""
    for sweep in range(sweeps):
        forth = sweep % 2 == 0
        for layer in layers if forth else reversed(layers):
            wanted, weights = [], []
            for number in layer:
                spot = spots[number]
                near = spot.before if forth else spot.after
                if not near or sweep == sweeps - 1:
                    near = spot.before + spot.after
                wanted.append(_middle(spots, near) if near else spot.y)
                weights.append(1e4 if spot.id is not None else 1.0)
            for number, y in zip(layer, _spread(spots, layer, wanted, weights), strict=True):
                spots[number].y = y


def _middle(spots: list[_Spot], near: list[int]) -> float:
    """The median height of neighbours; of two in the middle, a node rather than a lane."""
    ordered = sorted(near, key=lambda number: spots[number].y)
    middle = {ordered[(len(near) - 1) // 2], ordered[len(near) // 2]}
    heights = [spots[n].y for n in middle if spots[n].id is not None]
    heights = heights or [spots[n].y for n in middle]
    return sum(heights) / len(heights)


def _spread(
    spots: list[_Spot], layer: list[int], wanted: list[float], weights: list[float]
) -> list[float]:
    """The heights nearest to ``wanted`` (least squares) at which nothing overlaps."""
    offsets, offset = [], 0.0
    for above, number in zip([None, *layer], layer, strict=False):
        if above is not None:
            lanes = spots[above].id is None and spots[number].id is None
            offset += spots[above].down + spots[number].up + (0.0 if lanes else ROW_GAP / 2)
            offset += 0.0 if spots[above].id is None or spots[number].id is None else ROW_GAP / 2
        offsets.append(offset)
    blocks: list[list[float]] = []
    for target, offset, weight in zip(wanted, offsets, weights, strict=True):
        blocks.append([target - offset, weight, 1])
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            mean, weight2, count = blocks.pop()
            other = blocks[-1]
            total = other[1] + weight2
            blocks[-1] = [(other[0] * other[1] + mean * weight2) / total, total, other[2] + count]
    levels = [mean for mean, _, count in blocks for _ in range(int(count))]
    return [level + offset for level, offset in zip(levels, offsets, strict=True)]


def _wrapped(spots: list[_Spot], layers: list[list[int]]) -> dict[str, Position]:
    """Rows under each other, cut where the fewest edges cross."""
    positions: dict[str, Position] = {}
    top, start = 0.0, 0
    for end in _cuts(spots, layers):
        row = [number for layer in layers[start:end] for number in layer]
        highest = min(spots[number].y - spots[number].up for number in row)
        lowest = max(spots[number].y + spots[number].down for number in row)
        x = 0.0
        for layer in layers[start:end]:
            for number in layer:
                spot = spots[number]
                if spot.id is not None:
                    positions[spot.id] = (x, top + spot.y - spot.up - highest)
            x += max(spots[number].width for number in layer) + COLUMN_GAP
        top += lowest - highest + WRAP_GAP
        start = end
    return positions


def _cuts(spots: list[_Spot], layers: list[list[int]]) -> list[int]:
    """After which layers a row ends: rows of about the same length, as wide as a screen.

    A cut is moved by up to a third of a row to a place where fewer edges cross.
    """
    count = len(layers)
    tallest = max(
        (max(spots[n].y for n in layer) - min(spots[n].y for n in layer) for layer in layers),
        default=0.0,
    )
    pitch = (tallest + 52 + WRAP_GAP) / 192
    columns = max(SHORTEST_ROW, math.ceil(math.sqrt(1.9 * pitch * count)))
    rows = max(1, math.ceil(count / columns))
    crossing = [0] * (count + 1)
    for spot in spots:
        for other in spot.after:
            for boundary in range(spot.rank + 1, spots[other].rank + 1):
                crossing[boundary] += 1
    cuts: list[int] = []
    start = 0
    for row in range(rows, 1, -1):
        ideal = start + math.ceil((count - start) / row)
        slack = max(1, (ideal - start) // 3)
        near = range(max(start + 2, ideal - slack), min(count - 1, ideal + slack) + 1)
        if not near:
            break
        best = min(near, key=lambda cut: (max(1, crossing[cut]), abs(cut - ideal), cut))
        if crossing[best] > 3:
            continue
        cuts.append(best)
        start = best
    return [*cuts, count]


def make_room(
    boxes: Mapping[str, tuple[float, float, float, float]], id: str, gap: float = COLUMN_GAP
) -> dict[str, Position]:
    """New corners for the nodes that stand in the way of node ``id`` or closely right of it.

    ``boxes`` are (x, y, width, height). What is right of the node in its row moves right as one,
    just as far as is needed.
    """
    x, y, width, height = boxes[id]
    row = {
        other: box
        for other, box in boxes.items()
        if other != id and box[1] < y + height and box[1] + box[3] > y and box[0] + box[2] / 2 > x
    }
    if not row:
        return {}
    needed = x + width + gap - min(box[0] for box in row.values())
    if needed <= 0 or min(box[0] for box in row.values()) >= x + width + gap / 2:
        return {}
    return {other: (_snap(box[0] + needed), box[1]) for other, box in row.items()}
