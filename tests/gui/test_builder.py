"""The canvas with mouse and keys: wiring, moving, splicing, deleting, copying, undoing."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu

from models import edits
from models.axes import image
from models.graph import Edge, Graph
from tests.gui.builder_kit import Bench, chain, digits_cnn
from ui.builder import commands
from ui.builder.gestures import Wire
from ui.builder.scene import Hit
from ui.builder.search import ChoiceSearch, LayerSearch

ALT = Qt.KeyboardModifier.AltModifier
CTRL = Qt.KeyboardModifier.ControlModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier
Open = Callable[[Graph], Bench]


def loose() -> Graph:
    """An input, two convolutions and an output without wires."""
    graph = Graph()
    for number, layer in enumerate(("input", "conv2d", "conv2d", "output")):
        graph, _ = edits.add_node(graph, layer, (number * 240.0, 80.0 * (number % 2)))
    return graph


def popup(kind: type) -> LayerSearch | ChoiceSearch:
    found = [w for w in QApplication.topLevelWidgets() if isinstance(w, kind) and w.isVisible()]
    assert len(found) == 1
    return found[0]


# --- wiring --------------------------------------------------------------------------------------


def test_wire_from_output_to_input(opened: Open) -> None:
    bench = opened(loose())
    (start,), (conv, _) = bench.ids("input"), bench.ids("conv2d")
    nodes = bench.scene.nodes
    bench.drag(nodes[start].output_at("output"), nodes[conv].input_at("input"))
    assert bench.session.graph.edges == (Edge(start, "output", conv, "input"),)
    assert bench.scene.edges[bench.session.graph.edges[0]].text == "1×28×28"
    bench.session.undo.undo()
    assert not bench.session.graph.edges
    assert not bench.scene.edges


def test_wire_backwards_and_onto_a_body(opened: Open) -> None:
    bench = opened(loose())
    (start,), (first, second) = bench.ids("input"), bench.ids("conv2d")
    nodes = bench.scene.nodes
    bench.drag(nodes[first].input_at("input"), nodes[start].output_at("output"))
    bench.drag(nodes[first].output_at("output"), bench.middle(second))
    assert bench.wires() == {("input", "conv2d"), ("conv2d", "conv2d")}


def test_while_wiring_the_fate_is_shown(opened: Open) -> None:
    graph = chain(("input", {"shape": image(1, 28, 28).to_json()}), "conv2d")
    graph, linear = edits.add_node(graph, "linear", (500.0, 100.0))
    bench = opened(graph)
    conv = bench.ids("conv2d")[0]
    nodes = bench.scene.nodes
    bench.drag(nodes[conv].output_at("output"), nodes[linear].input_at("input"), release=False)
    gesture = bench.view.gesture
    assert isinstance(gesture, Wire)
    assert "vector" in gesture.fate.text
    assert gesture.fate.error
    QTest.keyClick(bench.view, Qt.Key.Key_Escape)
    assert bench.view.gesture is None
    assert len(bench.session.graph.edges) == 1


def test_a_cycle_is_refused_with_a_sentence(opened: Open) -> None:
    bench = opened(chain("relu", "relu", "relu"))
    first, _, last = bench.ids("relu")
    nodes = bench.scene.nodes
    before = bench.session.graph
    bench.drag(nodes[last].output_at("output"), nodes[first].input_at("input"))
    assert bench.session.graph is before
    assert "cycle" in bench.told[-1]


def test_pull_a_wire_off_and_onto_another(opened: Open) -> None:
    graph = chain("input", "relu", "output")
    graph, other = edits.add_node(graph, "tanh", (192.0, 160.0))
    bench = opened(graph)
    (start,), (relu,) = bench.ids("input"), bench.ids("relu")
    nodes = bench.scene.nodes
    bench.drag(nodes[relu].input_at("input"), nodes[other].input_at("input"))
    assert Edge(start, "output", other, "input") in bench.session.graph.edges
    assert not bench.session.graph.into(relu)
    bench.drag(nodes[other].input_at("input"), QPointF(60, 260))
    assert not bench.session.graph.into(other)
    assert bench.session.undo.count() == 2


def test_a_wire_let_go_over_nothing_offers_layers_that_fit(opened: Open) -> None:
    bench = opened(chain(("input", {"shape": image(1, 28, 28).to_json()})))
    start = bench.ids("input")[0]
    bench.drag(bench.scene.nodes[start].output_at("output"), QPointF(320, 120))
    search = popup(LayerSearch)
    names = [row.id for row in search._layers.rows if not isinstance(row, str)]
    assert "conv2d" in names
    assert "lstm" not in names
    QTest.keyClicks(search.field, "conv2d")
    QTest.keyClick(search.field, Qt.Key.Key_Return)
    assert bench.wires() == {("input", "conv2d")}


# --- moving and splicing -------------------------------------------------------------------------


def test_drag_moves_snapped_as_one_step(opened: Open) -> None:
    bench = opened(digits_cnn())
    conv = bench.ids("conv2d")[0]
    was = bench.session.graph.nodes[conv].position
    edge = bench.session.graph.into(conv)[0]
    end_before = bench.scene.edges[edge].path().currentPosition()
    bench.drag(bench.middle(conv), bench.middle(conv) + QPointF(67, 123))
    x, y = bench.session.graph.nodes[conv].position
    assert (x % 8, y % 8) == (0, 0)
    assert abs(x - was[0] - 67) <= 8
    assert abs(y - was[1] - 123) <= 8
    end = bench.scene.edges[edge].path().currentPosition()
    assert end - end_before == QPointF(x - was[0], y - was[1])
    assert bench.session.undo.count() == 1
    bench.session.undo.undo()
    assert bench.session.graph.nodes[conv].position == was
    assert bench.scene.nodes[conv].box.topLeft() == QPointF(*was)


def test_escape_puts_dragged_nodes_back(opened: Open) -> None:
    bench = opened(digits_cnn())
    conv = bench.ids("conv2d")[0]
    before, box = bench.session.graph, bench.scene.nodes[conv].box
    bench.drag(bench.middle(conv), bench.middle(conv) + QPointF(80, 80), release=False)
    assert bench.scene.nodes[conv].box != box
    QTest.keyClick(bench.view, Qt.Key.Key_Escape)
    assert bench.scene.nodes[conv].box == box
    assert bench.session.graph is before


def test_an_edit_from_elsewhere_ends_the_drag(opened: Open) -> None:
    bench = opened(digits_cnn())
    conv = bench.ids("conv2d")[0]
    bench.drag(bench.middle(conv), bench.middle(conv) + QPointF(80, 80), release=False)
    bench.session.edit("Delete", edits.remove(bench.session.graph, [conv]))
    assert bench.view.gesture is None
    assert not bench.scene.carried
    assert conv not in bench.scene.nodes


def test_alt_drag_leaves_a_copy(opened: Open) -> None:
    bench = opened(digits_cnn())
    conv = bench.ids("conv2d")[0]
    was = bench.session.graph.nodes[conv].position
    bench.drag(bench.middle(conv), bench.middle(conv) + QPointF(0, 160), ALT)
    copies = bench.ids("conv2d")
    assert len(copies) == 2
    assert bench.session.graph.nodes[conv].position == was
    assert bench.session.selection == (copies[1],)


def test_place_on_an_edge_splices_and_makes_room(opened: Open) -> None:
    bench = opened(digits_cnn())
    conv, pool = bench.ids("conv2d")[0], bench.ids("max-pool2d")[0]
    middle = (bench.middle(conv) + bench.middle(pool)) / 2
    new = bench.canvas.place("batch-norm", middle)
    assert new is not None
    assert {("conv2d", "batch-norm"), ("batch-norm", "max-pool2d")} <= bench.wires()
    assert ("conv2d", "max-pool2d") not in bench.wires()
    boxes = [item.box for item in bench.scene.nodes.values()]
    for index, box in enumerate(boxes):
        assert not any(box.intersects(other) for other in boxes[index + 1 :])
    assert bench.session.report.ok
    assert bench.session.undo.count() == 1


def test_place_on_nothing_adds_a_free_node(opened: Open) -> None:
    bench = opened(digits_cnn())
    new = bench.canvas.place("dropout", QPointF(100, 300))
    assert new is not None
    assert not bench.session.graph.into(new)
    assert bench.scene.nodes[new].box.contains(QPointF(100, 300))
    assert bench.session.selection == (new,)


def test_dragging_a_lone_node_onto_an_edge_splices_it(opened: Open) -> None:
    bench = opened(digits_cnn())
    new = bench.canvas.place("dropout", QPointF(300, 260))
    assert new is not None
    flat, linear = bench.ids("flatten")[0], bench.ids("linear")[0]
    bench.drag(bench.middle(new), (bench.middle(flat) + bench.middle(linear)) / 2)
    assert {("flatten", "dropout"), ("dropout", "linear")} <= bench.wires()


def test_no_input_goes_into_an_edge(opened: Open) -> None:
    bench = opened(digits_cnn())
    conv, pool = bench.ids("conv2d")[0], bench.ids("max-pool2d")[0]
    bench.canvas.place("input", (bench.middle(conv) + bench.middle(pool)) / 2)
    assert ("conv2d", "max-pool2d") in bench.wires()


# --- selecting -----------------------------------------------------------------------------------


def test_click_shift_click_and_rubber_band(opened: Open) -> None:
    bench = opened(digits_cnn())
    conv, pool = bench.ids("conv2d")[0], bench.ids("max-pool2d")[0]
    bench.click(bench.middle(conv))
    assert bench.session.selection == (conv,)
    bench.click(bench.middle(pool), SHIFT)
    assert set(bench.session.selection) == {conv, pool}
    bench.click(bench.middle(conv), SHIFT)
    assert bench.session.selection == (pool,)
    bench.click(QPointF(200, 220))
    assert bench.session.selection == ()
    first, second = bench.scene.nodes[conv].box, bench.scene.nodes[pool].box
    bench.drag(first.topLeft() - QPointF(10, 40), second.bottomRight() + QPointF(5, 40))
    assert set(bench.session.selection) == {conv, pool}
    assert bench.scene.nodes[conv].face.selected


def test_an_edge_is_selected_and_deleted(opened: Open) -> None:
    bench = opened(digits_cnn())
    conv, pool = bench.ids("conv2d")[0], bench.ids("max-pool2d")[0]
    start = bench.scene.nodes[conv].output_at("output")
    end = bench.scene.nodes[pool].input_at("input")
    bench.click((start + end) / 2)
    assert bench.scene.chosen_edges == {Edge(conv, "output", pool, "input")}
    bench.key(Qt.Key.Key_Delete)
    assert ("conv2d", "max-pool2d") not in bench.wires()


# --- deleting, copying, undoing ------------------------------------------------------------------


def test_delete_heals_the_chain_and_undo_brings_it_back(opened: Open) -> None:
    bench = opened(digits_cnn())
    before = bench.session.graph
    bench.session.select(bench.ids("conv2d") + bench.ids("max-pool2d"))
    bench.key(Qt.Key.Key_Delete)
    assert bench.wires() == {("input", "flatten"), ("flatten", "linear"), ("linear", "output")}
    assert len(bench.scene.nodes) == 4
    bench.session.undo.undo()
    assert bench.session.graph == before
    assert len(bench.scene.nodes) == 6
    assert len(bench.scene.edges) == 5


def test_copy_and_paste_keep_wires_among_the_copies(opened: Open) -> None:
    bench = opened(digits_cnn())
    bench.session.select(bench.ids("conv2d") + bench.ids("max-pool2d"))
    bench.key(Qt.Key.Key_C, CTRL)
    assert '"conv2d"' in QGuiApplication.clipboard().text()
    bench.key(Qt.Key.Key_V, CTRL)
    assert bench.names().count("conv2d") == 2
    assert len(bench.session.graph.edges) == 6
    assert set(bench.session.selection) == {bench.ids("conv2d")[1], bench.ids("max-pool2d")[1]}
    names = [node.name for node in bench.session.graph.nodes.values()]
    assert len(set(names)) == len(names)
    bench.key(Qt.Key.Key_X, CTRL)
    assert bench.names().count("conv2d") == 1
    bench.key(Qt.Key.Key_D, CTRL)
    assert bench.names().count("conv2d") == 1  # nothing is selected after a cut


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        '{"playground-nodes": 1}',
        '{"playground-nodes": 1, "graph": {"nodes": 3}}',
        '{"playground-nodes": 1, "graph": {"nodes": [{"id": "n1"}]}}',
        '{"playground-nodes": 2, "graph": {"nodes": []}}',
        '["playground-nodes"]',
        '{"playground-nodes": ' + "[" * 100_000,
    ],
)
def test_foreign_text_on_the_clipboard_is_refused_kindly(opened: Open, text: str) -> None:
    bench = opened(digits_cnn())
    before = bench.session.graph
    QGuiApplication.clipboard().setText(text)
    bench.key(Qt.Key.Key_V, CTRL)
    assert bench.session.graph is before
    assert bench.told
    assert bench.told[-1].endswith(".")


def test_undo_and_redo_without_end(opened: Open) -> None:
    bench = opened(Graph())
    graphs = [bench.session.graph]
    for number in range(30):
        bench.canvas.place("relu", QPointF(number * 20, number * 10))
        graphs.append(bench.session.graph)
    for graph in reversed(graphs[:-1]):
        bench.session.undo.undo()
        assert bench.session.graph == graph
        assert bench.scene.nodes.keys() == graph.nodes.keys()
    for graph in graphs[1:]:
        bench.session.undo.redo()
        assert bench.session.graph == graph
    assert bench.scene.nodes.keys() == graphs[-1].nodes.keys()


# --- searching, renaming, fixing -----------------------------------------------------------------


def test_double_click_searches_and_places_there(opened: Open) -> None:
    bench = opened(digits_cnn())
    place = QPointF(300, 240)
    port = bench.view.viewport()
    QTest.mouseDClick(port, Qt.MouseButton.LeftButton, pos=bench.at(place))
    search = popup(LayerSearch)
    QTest.keyClicks(search.field, "global average")
    QTest.keyClick(search.field, Qt.Key.Key_Return)
    (new,) = bench.ids("global-avg-pool")
    assert bench.scene.nodes[new].box.contains(place)


def test_rename_in_place(opened: Open) -> None:
    bench = opened(digits_cnn())
    conv, pool = bench.ids("conv2d")[0], bench.ids("max-pool2d")[0]
    bench.session.select([conv])
    bench.key(Qt.Key.Key_F2)
    assert bench.canvas.editor.isVisible()
    QTest.keyClicks(bench.canvas.editor, "features")
    QTest.keyClick(bench.canvas.editor, Qt.Key.Key_Return)
    assert bench.session.graph.nodes[conv].name == "features"
    assert bench.scene.nodes[conv].face.title == "features"
    bench.session.select([pool])
    bench.key(Qt.Key.Key_F2)
    QTest.keyClicks(bench.canvas.editor, "features")
    QTest.keyClick(bench.canvas.editor, Qt.Key.Key_Return)
    assert bench.session.graph.nodes[pool].name != "features"
    assert "already" in bench.told[-1]


def test_the_fix_button_of_an_error_mends_it(opened: Open) -> None:
    graph = chain(("input", {"shape": image(1, 8, 8).to_json()}), "linear", "output")
    bench = opened(graph)
    linear = bench.ids("linear")[0]
    item = bench.scene.nodes[linear]
    assert item.sign is not None
    box = item.fix_box()
    assert box is not None
    bench.click(box.center())
    assert ("flatten", "linear") in bench.wires()
    assert bench.scene.nodes[linear].sign is None
    assert bench.session.report.ok


# --- the keyboard --------------------------------------------------------------------------------


def test_keys_walk_move_and_wire(opened: Open) -> None:
    bench = opened(loose())
    order = list(bench.session.graph.order()[0])
    bench.key(Qt.Key.Key_Tab)
    assert bench.session.selection == (order[0],)
    bench.key(Qt.Key.Key_Tab)
    assert bench.session.selection == (order[1],)
    bench.key(Qt.Key.Key_Backtab, SHIFT)
    assert bench.session.selection == (order[0],)
    was = bench.session.graph.nodes[order[0]].position
    for _ in range(3):
        bench.key(Qt.Key.Key_Down)
    bench.key(Qt.Key.Key_Left, SHIFT)
    assert bench.session.graph.nodes[order[0]].position == (was[0] - 1, was[1] + 48)
    assert bench.session.undo.count() == 1
    bench.key(Qt.Key.Key_Right, CTRL)
    assert bench.session.selection[0] != order[0]
    bench.session.select([order[0]])
    bench.key(Qt.Key.Key_C)
    search = popup(ChoiceSearch)
    QTest.keyClick(search.field, Qt.Key.Key_Return)
    assert ("input", "conv2d") in bench.wires()


def test_tab_leaves_the_canvas_behind_the_last_node(opened: Open) -> None:
    bench = opened(chain("input", "relu"))
    bench.session.select(bench.ids("relu"))
    assert bench.canvas.keyboard.walk(1) is False
    bench.key(Qt.Key.Key_Escape)
    assert bench.session.selection == ()


def test_zoom_pan_and_fit(opened: Open) -> None:
    bench = opened(digits_cnn())
    view = bench.view
    fitted = view.zoom
    bench.actions.trigger("zoom_in")
    assert view.zoom > fitted
    spot = view.mapToScene(QPoint(200, 200))
    view.set_zoom(0.3, QPointF(200, 200))
    assert (view.mapToScene(QPoint(200, 200)) - spot).manhattanLength() < 8
    assert bench.scene.far
    bench.key(Qt.Key.Key_F)
    assert view.zoom == pytest.approx(fitted)
    assert not bench.scene.far
    bounds = bench.scene.bounds()
    assert view.visible_area().contains(bounds)


def test_arrange_is_one_step_and_deterministic(opened: Open) -> None:
    bench = opened(loose())
    nodes = bench.scene.nodes
    (start,), (first, second), (end,) = (
        bench.ids("input"), bench.ids("conv2d"), bench.ids("output")
    )  # fmt: skip
    for a, b in ((start, first), (first, second), (second, end)):
        bench.drag(nodes[a].output_at("output"), nodes[b].input_at("input"))
    bench.canvas.arrange()
    places = {id: node.position for id, node in bench.session.graph.nodes.items()}
    assert [places[id][0] for id in (start, first, second, end)] == [0, 192, 384, 576]
    assert {y for _, y in places.values()} == {0}
    count = bench.session.undo.count()
    bench.canvas.arrange()
    assert bench.session.undo.count() == count


def test_screen_readers_hear_the_selection(opened: Open) -> None:
    bench = opened(digits_cnn())
    bench.session.select(bench.ids("conv2d"))
    text = bench.view.accessibleDescription()
    assert "Conv2d" in text
    assert "16×28×28" in text


# --- menus -----------------------------------------------------------------------------


def test_context_menus_do_what_they_say(opened: Open) -> None:
    bench = opened(chain(("input", {"shape": image(1, 8, 8).to_json()}), "linear", "output"))
    linear = bench.ids("linear")[0]
    bench.canvas._menu(Hit("node", linear), QPoint(0, 0), QPointF(0, 0))
    bench.session.select([linear])
    assert entries() == [
        "Insert Flatten", "Connect to …", "Add a layer …", "Rename", "Cut", "Copy", "Duplicate",
        "Group", "Arrange", "Delete",
    ]  # fmt: skip
    choose("Insert Flatten")
    assert ("flatten", "linear") in bench.wires()
    edge = bench.session.graph.edges[0]
    bench.scene.choose_edges([edge])
    bench.canvas._menu(Hit("edge", edge=edge), QPoint(0, 0), QPointF(0, 0))
    choose("Disconnect")
    assert edge not in bench.session.graph.edges
    bench.canvas._menu(Hit(), QPoint(0, 0), QPointF(0, 0))
    choose("Select all")
    assert len(bench.session.selection) == 4


def test_a_free_node_is_never_put_on_another(opened: Open) -> None:
    bench = opened(digits_cnn())
    under = bench.scene.nodes[bench.ids("flatten")[0]]
    made = bench.canvas.place("gru", under.box.center() + QPointF(0, 60))
    assert made is not None
    others = [item.box for id, item in bench.scene.nodes.items() if id != made]
    assert not any(bench.scene.nodes[made].box.intersects(box) for box in others)


def test_the_button_of_a_new_error_is_in_view(opened: Open) -> None:
    bench = opened(digits_cnn())
    pool, head = bench.ids("max-pool2d")[0], bench.ids("linear")[0]
    low = bench.view.visible_area().bottom() - 70
    bench.session.edit("Move", edits.move(bench.session.graph, {head: (600.0, low)}))
    edge = bench.session.graph.into(head)[0]
    commands.connect(bench.session, Edge(pool, "output", head, "input"), edge)
    sign = bench.scene.nodes[head].sign_box()
    assert sign is not None
    assert bench.view.visible_area().contains(sign)


def test_shortcuts_work_right_after_a_selection(opened: Open) -> None:
    bench = opened(digits_cnn())
    bench.canvas.choice_changed.connect(bench.actions.refresh)
    bench.session.select(())
    bench.actions.refresh()
    copy, delete = bench.actions.qaction("copy"), bench.actions.qaction("delete")
    assert not copy.isEnabled()
    bench.session.select(bench.ids("flatten"))
    assert copy.isEnabled()
    bench.session.select(())
    assert not delete.isEnabled()
    bench.scene.choose_edges(bench.session.graph.edges[:1])
    assert delete.isEnabled()


def menu() -> QMenu:
    shown = [w for w in QApplication.topLevelWidgets() if isinstance(w, QMenu) and w.isVisible()]
    assert len(shown) == 1
    return shown[0]


def entries() -> list[str]:
    return [a.text().partition("\t")[0] for a in menu().actions() if not a.isSeparator()]


def choose(text: str) -> None:
    shown = menu()
    action = next(a for a in shown.actions() if a.text().partition("\t")[0] == text)
    action.trigger()
    shown.close()
    QApplication.processEvents()
