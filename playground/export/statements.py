"""The body of a generated ``forward``: an fx graph written as a person writes it.

A value that is used once goes into the expression that uses it, a variable that is not needed any
more gives its name to the next value, and what recurrent layers return is unpacked.
"""

from __future__ import annotations

import builtins
import copy
import operator
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count, pairwise
from typing import Any

from torch import nn
from torch.fx import Graph, Node
from torch.fx.node import _get_qualified_name, map_arg

from models.build import Call
from playground.export.members import WIDTH, Members, call_lines, literal

LONGEST_INSIDE = 48
TUPLES = ("nn.LSTM", "nn.GRU", "nn.RNN", "nn.MultiheadAttention")
RECTIFIERS = ("nn.ReLU", "nn.LeakyReLU", "nn.ReLU6")
HINTS: dict[Any, str] = {
    operator.ge: "mask",
    nn.utils.rnn.pack_padded_sequence: "packed",
    "bool": "future",
    "size": "steps",
    "triu": "future",
}
INFIX: dict[Any, str] = {
    operator.add: "+",
    operator.sub: "-",
    operator.mul: "*",
    operator.truediv: "/",
    operator.ge: ">=",
    operator.gt: ">",
    operator.le: "<=",
    operator.lt: "<",
}


@dataclass(frozen=True)
class Text:
    """An expression. ``atom``: a dot or an operator can follow it as it is. ``call`` has the parts
    of a call, for breaking it into lines."""

    text: str
    atom: bool = True
    call: tuple[str, list[str], dict[str, str]] | None = None

    @property
    def operand(self) -> str:
        return self.text if self.atom else f"({self.text})"


def tidied(graph: Graph, calls: Mapping[str, Call]) -> Graph:
    """A copy without axes that are exchanged and at once, or behind a rectifier, exchanged back:
    layers take and give sequences as T×F, and a person would not go there in between."""
    result = copy.deepcopy(graph)
    for node in result.nodes:
        if not _exchanges(node):
            continue
        before = node.args[0]
        if _exchanges(before):
            node.replace_all_uses_with(before.args[0])
        elif before.op == "call_module" and calls[str(before.target)].target in RECTIFIERS:
            inner = before.args[0]
            if _exchanges(inner) and all(_exchanges(user) for user in before.users):
                before.args = (inner.args[0],)
                for user in list(before.users):
                    user.replace_all_uses_with(before)
    return result


def _exchanges(node: Node) -> bool:
    return node.op == "call_method" and node.target == "transpose" and node.args[1:] == (1, 2)


def chains(graph: Graph, calls: Mapping[str, Call]) -> dict[str, list[Node]]:
    """Containers whose modules, numbered from 0, are called in that order and nowhere else: the
    path of each, and the calls. They are what ``nn.Sequential`` is for."""
    called: dict[str, list[Node]] = {}
    for node in graph.nodes:
        if node.op == "call_module":
            called.setdefault(str(node.target).rpartition(".")[0], []).append(node)
    found = {}
    for path, nodes in called.items():
        members = [name for name in calls if name.startswith(f"{path}.")]
        numbered = [f"{path}.{number}" for number in range(len(members))]
        if (
            path
            and len(nodes) > 1
            and [node.target for node in nodes] == numbered == members
            and all(len(node.args) == 1 and not node.kwargs for node in nodes)
            and all(b.args[0] is a and len(a.users) == 1 for a, b in pairwise(nodes))
        ):
            found[path] = nodes
    return found


class Body:
    """Writes the statements. ``arguments`` gives the name of each argument of ``forward``."""

    def __init__(
        self,
        graph: Graph,
        calls: Mapping[str, Call],
        members: Members,
        folded: Mapping[str, Sequence[Node]],
        arguments: Mapping[str, str],
    ) -> None:
        self._calls = calls
        self._members = members
        self._arguments = arguments
        self._whole = {nodes[-1]: path for path, nodes in folded.items()}
        self._first = {nodes[-1]: nodes[0] for nodes in folded.values()}
        inner = {node for nodes in folded.values() for node in nodes[:-1]}
        self._nodes = [node for node in _live(graph) if node not in inner]
        self._users: dict[Node, list[Node]] = {node: [] for node in self._nodes}
        for node in self._nodes:
            for used in dict.fromkeys(self._reads(node)):
                self._users[used].append(node)
        self._parts = self._find_parts()
        self._owner = {part: node for node, many in self._parts.items() for part in many}
        self._texts: dict[Node, Text] = {}
        self._bound: dict[str, Node] = {}
        self._inlined = self._find_inlined()
        self._statement = self._number_statements()

    def write(self) -> tuple[list[str], Text | dict[str, Text]]:
        """The statements, and what the network returns: an expression, or several by name."""
        self._texts.clear()
        lines: list[str] = []
        for node in self._nodes:
            if node.op == "placeholder":
                self._bind(node, self._arguments[str(node.target)])
            elif node.op == "output":
                value = node.args[0]
                if isinstance(value, dict):
                    return lines, {name: self._argument(item) for name, item in value.items()}
                return lines, self._argument(value)
            elif node in self._inlined:
                self._texts[node] = self._expression(node)
            elif node in self._parts:
                lines += assignment(self._targets(node), self._expression(node))
            elif node not in self._owner:
                expression = self._expression(node)
                name = self._name(node, _hints(node))
                lines += assignment(name, expression)
                self._bind(node, name)
        raise AssertionError("every fx graph ends with its output")

    def _reads(self, node: Node) -> list[Node]:
        """What an expression reads, as often as it does; a folded chain reads what its first
        module is given."""
        start = self._first.get(node, node)
        found: list[Node] = []
        map_arg((start.args, start.kwargs), found.append)
        return found

    def _find_parts(self) -> dict[Node, list[Node]]:
        """Calls that return a tuple, and the values that are taken out of it."""
        found = {}
        for node in self._nodes:
            if node.op == "call_module":
                if self._calls[str(node.target)].target not in TUPLES:
                    continue
            elif node.target is not nn.utils.rnn.pad_packed_sequence:
                continue
            parts = list(self._users[node])
            for part in self._users[node]:
                if self._is_lstm(node) and _index(part) == 1:
                    parts += self._users[part]
            if all(_index(part) in (0, 1) for part in parts):
                found[node] = parts
        return found

    def _is_lstm(self, node: Node) -> bool:
        return node.op == "call_module" and self._calls[str(node.target)].target == "nn.LSTM"

    def _find_inlined(self) -> set[Node]:
        """Values used once, which go inside the expression that uses them.

        A module keeps its place among the others, because dropout draws random numbers: only what
        takes something out of its result, right behind it, takes it in.
        """
        inlined: set[Node] = set()
        fixed: set[Node] = set()
        for node, following in pairwise(self._nodes):
            self._texts[node] = Text("value")
            if node.op in ("placeholder", "output") or node in self._parts or node in self._owner:
                continue
            if node.op == "call_module" or fixed & inlined & set(self._reads(node)):
                fixed.add(node)
            users = self._users[node]
            if len(users) != 1:
                continue
            reads = self._reads(users[0])
            continues = (
                following is users[0]
                and following.op in ("call_method", "call_function")
                and reads[0] is node
            )
            if reads.count(node) != 1 or (node in fixed and not continues):
                continue
            text = self._expression(node)
            if len(text.text) <= LONGEST_INSIDE:
                inlined.add(node)
                self._texts[node] = text
        return inlined

    def _number_statements(self) -> dict[Node, int]:
        """The number of the statement in which each value is worked out."""
        statement: dict[Node, int] = {}
        for number, node in enumerate(self._nodes):
            statement[node] = statement[self._owner[node]] if node in self._owner else number
        for node in reversed(self._nodes):
            if node in self._inlined:
                statement[node] = statement[self._users[node][0]]
        return statement

    def _last_read(self, node: Node) -> int:
        return max((self._statement[user] for user in self._users[node]), default=0)

    def _targets(self, node: Node) -> str:
        """The left side for a call that returns a tuple: ``x, (h, c)``."""
        taken: list[str] = []

        def target(part: Node | None, *hints: str) -> str:
            if part is None or not self._users[part]:
                return "_"
            taken.append(self._name(part, hints, taken))
            self._bind(part, taken[-1])
            return taken[-1]

        parts = {_index(part): part for part in self._users[node]}
        first = target(parts.get(0), "x", "sequence")
        if not self._is_lstm(node) or 1 not in parts:
            return f"{first}, {target(parts.get(1), 'h')}"
        states = {_index(part): part for part in self._users[parts[1]]}
        return f"{first}, ({target(states.get(0), 'h')}, {target(states.get(1), 'c')})"

    def _expression(self, node: Node) -> Text:
        start = self._first.get(node, node)
        args = [self._argument(arg) for arg in start.args]
        texts = [arg.text for arg in args]
        kwargs = {key: self._argument(value).text for key, value in start.kwargs.items()}
        if node.target in INFIX:
            return Text(f"{args[0].operand} {INFIX[node.target]} {args[1].operand}", atom=False)
        if node.target is operator.getitem:
            index = node.args[1]
            inside = self._listed(index) if isinstance(index, tuple) else texts[1]
            return Text(f"{args[0].operand}[{inside}]")
        if node.target is getattr:
            return Text(f"{args[0].operand}.{node.args[1]}")
        if node.op == "call_method":
            function = f"{args[0].operand}.{node.target}"
            texts = texts[1:]
        elif node.op == "call_module":
            function = self._members.access(self._whole.get(node, str(node.target)))
        else:
            function = _get_qualified_name(node.target).replace("torch.nn.", "nn.")  # type: ignore[arg-type]
        inside = ", ".join([*texts, *(f"{key}={value}" for key, value in kwargs.items())])
        return Text(f"{function}({inside})", call=(function, texts, kwargs))

    def _argument(self, value: Any) -> Text:
        if isinstance(value, Node):
            return self._texts[value]
        if isinstance(value, (tuple, list)):
            return Text(f"({self._listed(value)}{',' if len(value) == 1 else ''})")
        if isinstance(value, slice):
            ends = (value.start, value.stop)
            texts = ["" if end is None else self._argument(end).text for end in ends]
            step = "" if value.step is None else f":{self._argument(value.step).text}"
            return Text(f"{texts[0]}:{texts[1]}{step}")
        return Text(literal(value))

    def _listed(self, values: Iterable[Any]) -> str:
        return ", ".join(self._argument(value).text for value in values)

    def _name(self, node: Node, hints: Sequence[str], taken: Sequence[str] = ()) -> str:
        """The first of the hints that no value needs any more; the last hint with a number else."""
        number = self._statement[node]
        numbered = (f"{hints[-1]}{extra}" for extra in count(2))
        for name in _followed(hints, numbered):
            holder = self._bound.get(name)
            if name not in taken and (holder is None or self._last_read(holder) <= number):
                return name
        raise AssertionError("there is always a number more")

    def _bind(self, node: Node, name: str) -> None:
        self._bound[name] = node
        self._texts[node] = Text(name)


def assignment(target: str, expression: Text) -> list[str]:
    """``target = expression``, in several lines where it is a long call."""
    if expression.call is None:
        return [f"{target} = {expression.text}"]
    lines = call_lines(*expression.call, room=WIDTH - 11 - len(target))
    return [f"{target} = {lines[0]}", *lines[1:]]


def _followed(first: Iterable[str], then: Iterator[str]) -> Iterator[str]:
    yield from first
    yield from then


def _live(graph: Graph) -> list[Node]:
    """The nodes that the output needs, in their order."""
    live: set[Node] = set()
    for node in reversed(graph.nodes):
        if node.op in ("output", "placeholder") or any(user in live for user in node.users):
            live.add(node)
    return [node for node in graph.nodes if node in live]


def _index(node: Node) -> int | None:
    """The number that is taken out of a tuple, if that is what the node does."""
    if node.target is operator.getitem and isinstance(node.args[1], int):
        return node.args[1]
    return None


def _hints(node: Node) -> tuple[str, ...]:
    """Names for a value: what it is, if that is known; else x, or the last word of its module's
    path, or a letter."""
    if node.target in HINTS:
        return (HINTS[node.target],)
    words = str(node.target).split(".") if node.op == "call_module" else ()
    named = [word for word in words if not word.isdecimal() and not hasattr(builtins, word)]
    return ("x", *named[-1:]) if named else ("x", "y")
