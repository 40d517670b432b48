"""What a generated class holds: its modules by their paths, so that state-dict keys stay equal."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from torch import nn

from models.build import Call

WIDTH = 88
Tree = dict[str, Any]

HOLDER = '''\
def hold(**children: nn.Module) -> nn.Module:
    """A module that only holds others by name."""
    holder = nn.Module()
    for name, child in children.items():
        holder.add_module(name, child)
    return holder
'''


_BRACKETS = {
    "chain": ("nn.Sequential(", "", "", ")"),
    "list": ("nn.ModuleList([", "", "", "])"),
    "dict": ("nn.ModuleDict({", '"', '": ', "})"),
    "holder": ("hold(", "", "=", ")"),
}


class Members:
    """The modules of a network as a tree: a leaf is how it is made, a branch is a container.

    ``chains`` are the paths of containers whose modules simply follow each other.
    """

    def __init__(self, calls: Mapping[str, Call], chains: Collection[str] = ()) -> None:
        self._chains = frozenset(chains)
        self._tree: Tree = {}
        for path, call in calls.items():
            *parents, leaf = path.split(".")
            branch = self._tree
            for segment in parents:
                branch = branch.setdefault(segment, {})
            branch[leaf] = call

    @property
    def names(self) -> frozenset[str]:
        return frozenset(self._tree)

    @property
    def needs_holder(self) -> bool:
        return any("hold(" in line for line in self.lines())

    def lines(self) -> list[str]:
        """The statements of ``__init__`` that make the modules."""
        result: list[str] = []
        for name, item in self._tree.items():
            if name.isdecimal():
                head, tail = f'self.add_module("{name}", ', ")"
            else:
                head, tail = f"self.{name} = ", ""
            room = WIDTH - 8 - len(head) - len(tail)
            result += _edged(head, self._expression(name, item, room), tail)
        return result

    def access(self, path: str) -> str:
        """The expression for the module at ``path``: ``self.features[0]``."""
        text, branch, kind, walked = "self", self._tree, "attributes", ""
        for segment in path.split("."):
            if kind in ("list", "chain"):
                text += f"[{segment}]"
            elif kind == "dict":
                text += f'["{segment}"]'
            elif segment.isdecimal():
                text = f'getattr({text}, "{segment}")'
            else:
                text += f".{segment}"
            walked = f"{walked}.{segment}" if walked else segment
            item = branch[segment]
            if isinstance(item, dict):
                branch, kind = item, self._kind(walked, item)
        return text

    def _kind(self, path: str, branch: Tree) -> str:
        if all(key.isdecimal() for key in branch):
            # "01" is another path than "1", so the keys must be those that a list would give
            if set(branch) == {str(number) for number in range(len(branch))}:
                return "chain" if path in self._chains else "list"
            return "dict"
        return "holder" if any(hasattr(nn.ModuleDict, key) for key in branch) else "dict"

    def _expression(self, path: str, item: Call | Tree, room: int) -> list[str]:
        """The lines that make one member."""
        if isinstance(item, Call):
            return call_lines(
                item.target.removeprefix("modules."),
                [literal(value) for value in item.args],
                {key: literal(value) for key, value in item.kwargs.items()},
                room,
            )
        kind = self._kind(path, item)
        keys = sorted(item, key=int) if kind in ("list", "chain") else list(item)
        head, before, after, tail = _BRACKETS[kind]
        if kind == "holder" and not all(key.isidentifier() for key in keys):
            head, before, after, tail = "hold(**{", '"', '": ', "})"
        children = []
        for key in keys:
            name = f"{before}{key}{after}" if before or after else ""
            lines = self._expression(f"{path}.{key}", item[key], room - 5 - len(name))
            children += _edged(name, lines, ",")
        return [head, *(f"    {line}" for line in children), tail]


def literal(value: Any) -> str:
    """A constant as Python source."""
    if isinstance(value, float) and value in (float("inf"), float("-inf")):
        return f'float("{value}")'
    if isinstance(value, str):
        text = repr(value)
        return text if '"' in text else f'"{text[1:-1]}"'
    if isinstance(value, tuple):
        items = ", ".join(map(literal, value))
        return f"({items},)" if len(value) == 1 else f"({items})"
    return repr(value)


def call_lines(
    function: str, args: Sequence[str], kwargs: Mapping[str, str], room: int
) -> list[str]:
    """A call on one line, or else its arguments on one, or else a line for each."""
    items = [*args, *(f"{key}={value}" for key, value in kwargs.items())]
    inside = ", ".join(items)
    if len(function) + len(inside) + 2 <= room or not items:
        return [f"{function}({inside})"]
    if len(inside) + 4 <= WIDTH - 12:
        return [f"{function}(", f"    {inside}", ")"]
    return [f"{function}(", *(f"    {item}," for item in items), ")"]


def _edged(head: str, lines: list[str], tail: str = "") -> list[str]:
    """``lines`` with something before the first and after the last."""
    first = [head + lines[0], *lines[1:]]
    return [*first[:-1], first[-1] + tail]
