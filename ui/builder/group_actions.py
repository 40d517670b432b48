"""The canvas's actions for groups."""

from __future__ import annotations

from ui.actions import Action
from ui.builder import group_commands
from ui.builder.level import Level


class _Groups:
    """What the actions do, and when they can."""

    def __init__(self, level: Level) -> None:
        self.level = level

    def group(self) -> None:
        group_commands.group(self.level, self.level.selection)

    def ungroup(self) -> None:
        group_commands.ungroup(self.level, self.level.selection)

    def open(self) -> None:
        self.level.open(self.level.selection[0])

    def make_independent(self) -> None:
        group_commands.make_independent(self.level, self.level.selection[0])

    def chosen(self) -> bool:
        return bool(self.level.selection)

    def any_group(self) -> bool:
        return bool(group_commands.groups_among(self.level.graph, self.level.selection))

    def one_group(self) -> bool:
        return len(self.level.selection) == 1 and self.any_group()

    def shared(self) -> bool:
        return self.one_group() and group_commands.shared(self.level, self.level.selection[0]) > 0

    def inside(self) -> bool:
        return bool(self.level.path)


def group_actions(level: Level) -> list[Action]:
    groups, menu = _Groups(level), "Edit"
    return [
        Action("group", "Group", groups.group, "Ctrl+G", "group", menu, groups.chosen,
               keywords="block definition collapse"),
        Action("ungroup", "Ungroup", groups.ungroup, "Ctrl+Shift+G", "", menu, groups.any_group,
               keywords="take apart expand"),
        Action("open_group", "Open the group", groups.open, "", "", menu, groups.one_group,
               keywords="inside enter edit"),
        Action("independent", "Make independent", groups.make_independent, "", "", menu,
               groups.shared, keywords="copy definition own"),
        Action("leave_group", "Back out of the group", level.back, "", "arrow-left", menu,
               groups.inside, keywords="up parent"),
    ]  # fmt: skip
