"""Groups on the canvas: opened, edited in all their uses, undone, made, taken apart, used again."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from models import edits, grouping
from models.graph import Graph
from models.zoo.efficientnet import efficientnet_lite0
from playground.messages import Snapshot
from tests.gui.builder_kit import Bench, chain, digits_cnn
from ui.builder import commands, group_commands
from ui.builder.inspector import Inspector
from ui.builder.outline import Outline
from ui.builder.palette import Palette
from ui.builder.project_groups import PREFIX

Open = Callable[[Graph], Bench]
_Key, _Mod = Qt.Key, Qt.KeyboardModifier


def lite() -> Graph:
    return commands.arranged_graph(efficientnet_lite0(10, 64))


def block(bench: Bench, definition: str = "residual") -> str:
    graph = bench.session.graph
    return next(n.id for n in graph.nodes.values() if n.params.get("definition") == definition)


def inner(bench: Bench, name: str) -> str:
    node = bench.canvas.level.graph.named(name)
    assert node is not None
    return node.id


def double_click(bench: Bench, id: str) -> None:
    place = bench.at(bench.middle(id))
    QTest.mouseDClick(bench.view.viewport(), Qt.MouseButton.LeftButton, pos=place)


def test_a_double_click_opens_a_group_with_the_shapes_of_that_use(opened: Open) -> None:
    bench = opened(lite())
    bench.canvas.choice_changed.connect(bench.actions.refresh)
    level, group = bench.canvas.level, block(bench)
    double_click(bench, group)
    assert level.path == (group,)
    assert bench.scene.nodes.keys() == level.graph.nodes.keys()
    chips = {item.text for item in bench.scene.edges.values()}
    assert "144×16×16" in chips
    crumb = bench.canvas.breadcrumb
    assert crumb.isVisible()
    assert crumb.note.text() == "changes all 9 uses"
    assert "Inverted residual" in crumb.accessibleDescription()
    assert bench.session.selection == (group,)
    bench.key(_Key.Key_Escape)
    assert level.path == ()
    assert not crumb.isVisible()
    assert bench.session.selection == (group,)
    bench.key(_Key.Key_Return)
    assert level.path == (group,)
    bench.key(_Key.Key_Backspace)
    assert level.path == ()
    assert not bench.told


def test_the_way_back_is_as_it_was_left(opened: Open) -> None:
    bench = opened(lite())
    group = block(bench)
    bench.view.set_zoom(0.9)
    bench.view.centre_on(bench.middle(group))
    zoom, centre = bench.view.zoom, bench.view.visible_area().center()
    bench.canvas.level.open(group)
    QApplication.processEvents()
    bench.canvas.breadcrumb.links[0].click()
    assert bench.view.zoom == zoom
    assert (bench.view.visible_area().center() - centre).manhattanLength() < 4


def test_an_edit_inside_is_one_step_that_undo_shows(opened: Open) -> None:
    bench = opened(lite())
    session, level, group = bench.session, bench.canvas.level, block(bench)
    before = session.graph
    level.open(group)
    commands.set_parameter(level, [inner(bench, "bn1")], "momentum", 0.5, "a")
    commands.set_parameter(level, [inner(bench, "bn1")], "momentum", 0.6, "a")
    assert session.undo.count() == 1
    for node in session.graph.of_layer("group"):
        if node.params["definition"] == "residual":
            assert grouping.at(session.graph, [node.id]).named("bn1").params["momentum"] == 0.6
    after = session.graph
    level.back()
    session.undo.undo()
    assert session.graph is before
    assert level.path == (group,), "undo shows where it changed something"
    level.back()
    session.undo.redo()
    assert session.graph is after
    assert level.path == (group,)
    other = [n.id for n in after.of_layer("group") if n.params["definition"] == "residual"][-1]
    level.go((other,))
    session.undo.undo()
    assert level.path == (other,), "another use shows the change as well"


def test_a_kernel_that_is_exposed_is_changed_in_one_use(opened: Open) -> None:
    bench = opened(lite())
    level, group = bench.canvas.level, block(bench)
    level.open(group)
    commands.set_parameter(level, [inner(bench, "depthwise_conv")], "kernel_size", 7, "k")
    assert bench.session.graph.node(group).params["kernel"] == 7
    assert bench.session.graph.definitions == lite().definitions
    assert level.graph.node(inner(bench, "depthwise_conv")).params["kernel_size"] == 7


def test_a_level_that_is_gone_is_left(opened: Open) -> None:
    bench = opened(digits_cnn())
    level = bench.canvas.level
    assert group_commands.group(level, bench.ids("conv2d") + bench.ids("max-pool2d"))
    (group,) = bench.ids("group")
    level.open(group)
    bench.session.undo.undo()
    assert level.path == ()
    assert bench.scene.nodes.keys() == bench.session.graph.nodes.keys()
    level.open(bench.ids("conv2d")[0])
    assert "no group" in bench.told[-1]


def test_choosing_a_node_of_the_network_leads_out(opened: Open) -> None:
    bench = opened(lite())
    level = bench.canvas.level
    level.open(block(bench))
    bench.session.select(bench.ids("linear"))
    assert level.path == ()
    assert level.selection == tuple(bench.ids("linear"))


def test_group_and_ungroup_with_the_keyboard(opened: Open) -> None:
    bench = opened(digits_cnn())
    before, report = bench.session.graph, bench.session.report
    bench.session.select([*bench.ids("conv2d"), *bench.ids("max-pool2d")])
    bench.key(_Key.Key_G, _Mod.ControlModifier)
    (group,) = bench.ids("group")
    assert bench.session.selection == (group,)
    assert bench.session.report.ok
    assert bench.session.report.parameters == report.parameters
    bench.key(_Key.Key_G, _Mod.ControlModifier | _Mod.ShiftModifier)
    assert bench.names().count("conv2d") == 1
    assert not bench.session.graph.definitions, "nothing uses it any more"
    assert {n.name for n in bench.session.graph.nodes.values()} == {
        n.name for n in before.nodes.values()
    }
    assert bench.session.report.parameters == report.parameters
    bench.session.undo.undo()
    bench.session.undo.undo()
    assert bench.session.graph is before


def test_a_block_taken_apart_has_room_and_is_in_view(opened: Open) -> None:
    bench = opened(lite())
    assert group_commands.ungroup(bench.canvas.level, [block(bench)])
    boxes = [item.box for item in bench.scene.nodes.values()]
    assert not any(a.intersects(b) for i, a in enumerate(boxes) for b in boxes[:i])
    assert bench.view.visible_area().contains(bench.scene.bounds())
    assert len(bench.session.selection) == 9
    assert bench.canvas.minimap.isVisible()
    bench.canvas.level.open(block(bench))
    assert bench.canvas.minimap.isVisible()


def test_what_cannot_be_grouped_is_told(opened: Open) -> None:
    bench = opened(digits_cnn())
    bench.session.select([*bench.ids("conv2d"), *bench.ids("flatten")])
    bench.key(_Key.Key_G, _Mod.ControlModifier)
    assert "lies between" in bench.told[-1]
    assert not bench.ids("group")


def test_groups_of_the_project_are_in_the_palette(opened: Open) -> None:
    bench = opened(lite())
    palette = Palette(bench.session)
    assert palette.model.rows[0] == "In this project"
    names = [layer.name for layer in palette.model.groups]
    assert names == sorted(names)
    assert "9 uses" in next(x.summary for x in palette.model.groups if x.id == "group:residual")
    edge = bench.session.graph.into(bench.ids("linear")[0])[0]
    made = commands.place(bench.session, f"{PREFIX}residual", bench.middle(edge.source))
    assert made is not None
    assert bench.session.graph.nodes[made].params["definition"] == "residual"
    bench.session.select([block(bench)])
    added = commands.add(bench.session, f"{PREFIX}residual")
    assert added is not None
    assert bench.session.graph.into(added)
    assert bench.session.graph.out_of(added)
    palette.field.setText("half size")
    assert [row.id for row in palette.model.rows] == ["group:strided"]
    bench.canvas.level.open(block(bench))
    commands.place(bench.canvas.level, f"{PREFIX}residual", bench.middle(inner(bench, "bn1")))
    assert "cannot contain itself" in bench.told[-1]


def test_a_group_that_nothing_uses_can_be_removed(opened: Open) -> None:
    bench = opened(digits_cnn())
    level = bench.canvas.level
    palette = Palette(bench.session)
    group_commands.group(level, bench.ids("conv2d"))
    (layer,) = palette.model.groups
    menu = palette.menu(layer)
    assert menu is not None
    assert not menu.actions()[1].isEnabled()
    menu.close()
    commands.delete(level, bench.ids("group"))
    (layer,) = palette.model.groups
    assert "not used" in layer.summary
    menu = palette.menu(layer)
    assert menu is not None
    menu.actions()[1].trigger()
    menu.close()
    assert not bench.session.graph.definitions
    assert not palette.model.groups
    bench.session.undo.undo()
    assert len(palette.model.groups) == 1
    assert palette.menu(palette.model.layer(palette.model.index(2))) is None


def test_a_copy_shares_the_definition_until_it_is_made_independent(opened: Open) -> None:
    bench = opened(lite())
    level, group = bench.canvas.level, block(bench)
    bench.session.select([group])
    commands.duplicate(level)
    (copy,) = bench.session.selection
    assert bench.session.graph.node(copy).params["definition"] == "residual"
    assert group_commands.shared(level, copy) == 9
    bench.actions.trigger("independent")
    own = bench.session.graph.node(copy).params["definition"]
    assert own != "residual"
    assert bench.session.graph.definitions[own].name == "Inverted residual copy"
    assert group_commands.shared(level, copy) == 0


def shown(bench: Bench) -> Inspector:
    panel = Inspector(bench.session)
    panel.resize(300, 700)
    panel.show()
    QApplication.processEvents()
    return panel


def test_the_inspector_shows_what_a_group_exposes(opened: Open) -> None:
    bench = opened(lite())
    group = block(bench)
    bench.session.select([group])
    panel = shown(bench)
    page = panel.node_page
    assert [*page.editor.form.fields] == ["kind", "copies", "expanded", "kernel", "channels"]
    assert "9 uses" in page.definition.uses.text()
    assert "Parameters" in page.facts.text()
    line = page.editor.form.fields["kernel"].focusProxy()
    line.setText("7")
    line.textEdited.emit("7")
    assert bench.session.graph.node(group).params["kernel"] == 7
    page.definition.name.setText("Bottleneck")
    page.definition.name.editingFinished.emit()
    assert bench.session.graph.definitions["residual"].name == "Bottleneck"
    page.definition.open.click()
    assert bench.canvas.level.path == (group,)
    assert "Bottleneck" in panel.graph_page.title.whole()
    panel.close()


def test_settings_are_exposed_from_inside(opened: Open) -> None:
    bench = opened(lite())
    level, group = bench.canvas.level, block(bench)
    panel = shown(bench)
    level.open(group)
    level.select([inner(bench, "bn1")])
    box = panel.node_page.expose
    assert box.isVisible()
    menu = box.menu()
    action = next(a for a in menu.actions() if a.data() == "momentum")
    assert not action.isChecked()
    action.trigger()
    assert "momentum" in [item.id for item in bench.session.graph.definitions["residual"].exposed]
    assert "use's own" in box.text.text()
    menu.close()
    level.select([inner(bench, "input")])
    assert not box.isVisible(), "the shape of an Input inside is that of what arrives"
    level.back()
    assert "momentum" in panel.node_page.editor.form.fields
    bench.session.undo.undo()
    assert level.path == (group,)
    panel.close()


def test_an_error_inside_is_told_at_the_group_and_shown(opened: Open) -> None:
    bench = opened(lite())
    level, group = bench.canvas.level, block(bench)
    level.open(group)
    commands.set_parameter(level, [inner(bench, "depthwise_conv")], "stride", 5, "s")
    wrong = inner(bench, "add")
    assert bench.scene.nodes[wrong].sign is not None
    level.back()
    assert "inside" in bench.scene.nodes[group].sign.text.lower()
    bench.session.select([group])
    panel = shown(bench)
    bench.session.reveal.connect(lambda what: bench.canvas.show_node(what.removeprefix("node:")))
    panel.node_page.problem.enter.click()
    assert level.path == (group,)
    assert level.selection == (wrong,)
    panel.close()


def test_thumbnails_inside_are_those_of_the_opened_use(opened: Open) -> None:
    bench = opened(lite())
    level, group = bench.canvas.level, block(bench)
    level.open(group)
    conv = inner(bench, "expand_conv")
    assert (f"{group}/{conv}", "output") in bench.session.wanted
    values = {(f"{group}/{conv}", "output"): np.ones((4, 8, 8), np.float32)}
    bench.session.bridge.snapshot.emit(Snapshot(bench.session.graph, 0, values, 0, False))
    assert bench.scene.nodes[conv].value is not None
    level.back()
    assert not bench.session.wanted


def test_the_outline_lists_what_is_open(opened: Open) -> None:
    bench = opened(lite())
    level = bench.canvas.level
    outline = Outline(bench.session)
    outline.resize(240, 400)
    outline.show()
    level.open(block(bench))
    assert set(outline.model.ids) == level.graph.nodes.keys()
    outline.list.selectAll()
    assert set(level.selection) == level.graph.nodes.keys()
    outline.close()


def test_groups_nest_as_deep_as_one_opens(opened: Open) -> None:
    bench = opened(chain("input", "conv2d", "relu", "output"))
    level, graph = bench.canvas.level, bench.session.graph
    for _ in range(3):
        names = ("conv2d", "relu", "group")
        assert group_commands.group(level, [n.id for n in level.graph.nodes.values()
                                            if n.layer in names])  # fmt: skip
        level.open(level.selection[0])
    assert len(level.path) == 3
    assert len(bench.canvas.breadcrumb.links) == 3
    commands.set_parameter(level, [inner(bench, "conv2d")], "out_channels", 5, "c")
    assert level.report.ok
    assert bench.session.report.nodes[level.path[0]].outputs["output"].number("C") == 5
    level.go(())
    bench.session.undo.undo()
    assert len(level.path) == 3
    for _ in range(3):
        bench.session.undo.undo()
    assert bench.session.graph is graph
    assert level.path == ()


def test_edges_follow_an_output_that_is_renamed_inside(opened: Open) -> None:
    bench = opened(lite())
    level, group = bench.canvas.level, block(bench)
    level.open(group)
    assert commands.rename(level, inner(bench, "output"), "narrow")
    assert bench.session.report.ok
    level.back()
    assert {e.source_port for e in bench.session.graph.out_of(group)} == {"narrow"}
    assert edits.ports(level.graph, level.graph.node(group))[1][0].name == "narrow"
