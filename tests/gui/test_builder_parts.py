"""The parts around the canvas, and what a large graph must not cost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QGraphicsPathItem,
    QGraphicsPixmapItem,
    QLineEdit,
    QListView,
    QWidget,
)

from models import edits
from models.axes import Kind, image, video
from models.graph import Definition, Edge, Graph, Node
from models.layers import LAYERS
from tests.gui.builder_kit import Bench, chain, digits_cnn, long_chain
from ui.builder import commands
from ui.builder.edges import EdgeItem, detour
from ui.builder.faces import frame
from ui.builder.inspector import Inspector
from ui.builder.layout import arrange, make_room
from ui.builder.nodes import NodeItem
from ui.builder.numbers import bytes_text, flops_text
from ui.builder.outline import Outline
from ui.builder.palette import LAYER_MIME, Palette, found, offered
from ui.builder.pictures import picture
from ui.theme import theme

SIZE = (150.0, 52.0)
Open = Callable[[Graph], Bench]


# --- layout -------------------------------------------------------------------------------------


def test_a_chain_wraps_into_rows_of_equal_length() -> None:
    ids = [f"n{number}" for number in range(9)]
    places = arrange(ids, list(pairwise(ids)), dict.fromkeys(ids, SIZE))
    rows = [
        [id for id in ids if places[id][1] == y] for y in sorted({y for _, y in places.values()})
    ]
    assert rows == [ids[:5], ids[5:]]
    assert [places[id][0] for id in ids[:5]] == [0, 192, 384, 576, 768]


@pytest.mark.parametrize("seed", range(4))
def test_layout_never_overlaps_and_is_deterministic(seed: int) -> None:
    random = np.random.default_rng(seed)
    ids = [f"n{number}" for number in range(80)]
    edges = [(ids[int(random.integers(0, n))], ids[n]) for n in range(1, 70)]
    edges += [(ids[a], ids[a + 1 + int(random.integers(1, 9))]) for a in range(0, 60, 5)]
    edges.append((ids[40], ids[2]))  # closes a cycle
    sizes = {id: (150.0, 52.0 + 36.0 * (number % 3 == 0)) for number, id in enumerate(ids)}
    places = arrange(ids, edges, sizes)
    assert places == arrange(ids, edges, sizes)
    assert places.keys() == set(ids)
    boxes = [(*places[id], *sizes[id]) for id in ids]
    for index, (x, y, w, h) in enumerate(boxes):
        for left, top, width, height in boxes[index + 1 :]:
            assert not (left < x + w and x < left + width and top < y + h and y < top + height)


def test_a_skip_keeps_the_main_way_straight() -> None:
    ids = [f"n{number}" for number in range(5)]
    places = arrange(ids, [*pairwise(ids), ("n1", "n3")], dict.fromkeys(ids, SIZE))
    assert len({y for _, y in places.values()}) == 1


def test_room_is_made_to_the_right_alone() -> None:
    boxes = {"a": (0.0, 0.0, *SIZE), "new": (192.0, 0.0, *SIZE), "b": (200.0, 0.0, *SIZE)}
    boxes["below"] = (200.0, 160.0, *SIZE)
    moved = make_room(boxes, "new")
    assert moved == {"b": (384.0, 0.0)}


def test_an_edge_passes_what_stands_in_its_way() -> None:
    boxes = np.array([[0, 0, 150, 52], [192, 0, 342, 52], [384, 0, 534, 52]], float)
    start, end = QPointF(150, 26), QPointF(384, 26)
    lane = detour(start, end, boxes)
    assert lane is not None
    assert not 0 <= lane <= 52
    assert detour(start, QPointF(192, 26), boxes) is None


# --- pictures -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "shape"),
    [
        (Kind.IMAGE, (1, 28, 28)),
        (Kind.IMAGE, (3, 64, 40)),
        (Kind.VIDEO, (5, 3, 8, 8)),
        (Kind.VOLUME, (4, 6, 8, 8)),
        (Kind.SEQUENCE, (9, 64)),
        (Kind.SEQUENCE, (200, 1)),
        (Kind.VECTOR, (10,)),
        (Kind.VECTOR, (3000,)),
        (Kind.TOKENS, (12,)),
    ],
)
def test_every_kind_has_a_picture(app: QApplication, kind: Kind, shape: tuple[int, ...]) -> None:
    value = np.random.default_rng(0).normal(size=shape)
    for raw in (False, True):
        result = picture(value, kind, (36, 30), raw=raw)
        assert (result.width(), result.height()) == (36, 30)
        colours = {result.pixel(x, y) for x in range(36) for y in range(30)}
        assert len(colours) > 1


def test_pictures_of_odd_values(app: QApplication) -> None:
    assert picture(np.zeros((0, 4, 4)), Kind.IMAGE, (36, 36)).isNull()
    for value in (np.full((1, 4, 4), np.nan), np.full((1, 4, 4), np.inf), np.zeros((1, 4, 4))):
        assert not picture(value, Kind.IMAGE, (36, 36)).isNull()
    assert not picture(np.zeros(3), None, (36, 36)).isNull()


# --- nodes --------------------------------------------------------------------------------------


def test_nodes_show_what_they_are(opened: Open) -> None:
    graph = chain(("input", {"shape": video(12, 3, 16, 16).to_json()}), "conv2d", "global-avg-pool")
    graph, lstm = edits.add_node(graph, "lstm", (700.0, 0.0))
    graph, named = edits.add_node(graph, "conv2d", (0.0, 300.0), name="encoder.first")
    ghost = Node("n99", "ghost", "made-up", {}, (300.0, 300.0))
    bench = opened(graph.with_nodes([ghost]))
    nodes = bench.scene.nodes
    conv = next(item for item in nodes.values() if item.node.layer == "conv2d")
    assert conv.face.badge == "×12"
    assert conv.face.title == "Conv2d"
    assert nodes[named].face.title == "encoder.first"
    assert nodes[lstm].frame.height == frame((), ("sequence", "last", "h", "c")).height > 52
    assert nodes["n99"].face.state == "unknown"
    assert nodes["n99"].sign is not None
    assert "made-up" in nodes["n99"].described()


def test_pictures_come_with_snapshots(opened: Open, wait: Callable[..., None]) -> None:
    bench = opened(digits_cnn())
    conv = bench.scene.nodes[bench.ids("conv2d")[0]]
    assert not conv._picture.isVisible()
    bench.session.bridge.snapshot.emit(bench.snapshot())
    wait(conv._picture.isVisible)
    assert conv._picture.pixmap().width() == round(36 * bench.view.zoom)
    first = conv._picture.pixmap().cacheKey()
    bench.session.bridge.snapshot.emit(bench.session.snapshot)
    assert conv._picture.pixmap().cacheKey() == first
    bench.session.bridge.snapshot.emit(bench.snapshot(seed=1))
    wait(lambda: conv._picture.pixmap().cacheKey() != first)


def test_the_theme_repaints_nodes(opened: Open, wait: Callable[..., None]) -> None:
    bench = opened(digits_cnn())
    conv = bench.scene.nodes[bench.ids("conv2d")[0]]
    before = conv.pixmap().cacheKey()
    was = theme().name
    theme().set_theme("light" if was == "dark" else "dark")
    wait(lambda: conv.pixmap().cacheKey() != before)
    theme().set_theme(was)


def test_a_group_is_a_node_and_travels_with_its_inside(opened: Open) -> None:
    inside = Definition("d1", "Block", chain("input", "relu", "output"))
    node = Node(
        "n9", "block", "group", {"definition": "d1", "kind": "repeat", "copies": 3}, (200.0, 0.0)
    )
    graph = chain(("input", {"shape": image(1, 8, 8).to_json()}))
    graph = replace(graph.with_nodes([node]), definitions={"d1": inside})
    graph = edits.connect(graph, Edge("n1", "output", "n9", "input"))
    bench = opened(graph)
    item = bench.scene.nodes["n9"]
    assert item.face.stacked
    assert "Block" in item.face.caption
    assert "×" in item.face.caption
    assert "double click" in item.described()
    QTest.mouseDClick(
        bench.view.viewport(), Qt.MouseButton.LeftButton, pos=bench.at(item.box.center())
    )
    assert bench.canvas.level.path == ("n9",)
    assert not bench.told
    bench.canvas.level.back()
    bench.session.select(["n9"])
    assert commands.copy(bench.session)
    bench.session.edit("Delete", Graph())
    assert commands.paste(bench.session)
    assert bench.names() == ["group"]
    assert bench.session.graph.definitions["d1"].name == "Block"


# --- a large graph ------------------------------------------------------------------------------


def test_nothing_on_the_canvas_paints_in_python() -> None:
    for kind, stock in ((NodeItem, QGraphicsPixmapItem), (EdgeItem, QGraphicsPathItem)):
        for method in ("paint", "shape", "boundingRect", "itemChange", "contains"):
            assert getattr(kind, method) is getattr(stock, method)


def test_an_edit_touches_only_what_changed(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = opened(long_chain(1000))
    assert len(bench.scene.nodes) == 1000
    assert len(bench.scene.edges) == 999
    updated: list[str] = []
    routed: list[object] = []
    update, route = NodeItem.update_from, EdgeItem.route

    def count_update(item: NodeItem, graph: Graph, node: Node, *rest: object) -> None:
        updated.append(node.id)
        update(item, graph, node, *rest)

    def count_route(item: EdgeItem, *rest: object) -> None:
        routed.append(item.edge)
        route(item, *rest)

    monkeypatch.setattr(NodeItem, "update_from", count_update)
    monkeypatch.setattr(EdgeItem, "route", count_route)
    some = bench.ids("relu")[100]
    bench.session.edit("Move", edits.move(bench.session.graph, {some: (-400.0, -400.0)}))
    assert updated == [some]
    assert 2 <= len(routed) < 12
    updated.clear()
    routed.clear()
    start = bench.ids("input")[0]
    shape = {"shape": image(4, 16, 16).to_json()}
    bench.session.edit("Shape", edits.set_params(bench.session.graph, start, shape))
    assert updated == [start]
    assert not routed
    texts = {item.text for item in bench.scene.edges.values()}
    assert texts == {"4×16×16"}


def test_dragging_many_nodes_moves_one_item(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = opened(long_chain(1000))
    bench.canvas.select_all()
    moved: list[object] = []
    place = NodeItem.setPos
    monkeypatch.setattr(
        NodeItem, "setPos", lambda item, *where: (moved.append(item), place(item, *where))
    )
    some = bench.ids("relu")[3]
    bench.drag(bench.middle(some), bench.middle(some) + QPointF(300, 100), release=False)
    assert not moved
    bench.view.cancel()
    bench.drag(bench.middle(some), bench.middle(some) + QPointF(320, 160))
    for id, item in bench.scene.nodes.items():
        assert item.box.topLeft() == QPointF(*bench.session.graph.nodes[id].position)


def test_only_visible_nodes_are_painted(opened: Open, wait: Callable[..., None]) -> None:
    bench = opened(long_chain(1000))
    assert bench.scene.far
    assert len(bench.scene.faces._known) < 40  # equal blocks share one pixmap
    bench.view.set_zoom(1.0)
    bench.view.settle()
    visible = bench.scene.visible(bench.view.visible_area())
    wait(lambda: all(item.scale() == pytest.approx(1.0) for item in visible))
    painted = [item for item in bench.scene.nodes.values() if not item.pixmap().isNull()]
    sharp = [item for item in painted if item.scale() == pytest.approx(1.0)]
    assert 0 < len(visible) < 60
    assert len(sharp) < 80


# --- palette ------------------------------------------------------------------------------------


def test_palette_finds_and_adds_behind_the_selected_node(opened: Open) -> None:
    bench = opened(digits_cnn())
    palette = Palette(bench.session)
    bench.session.select(bench.ids("conv2d"))
    QTest.keyClicks(palette.field, "batch")
    QTest.keyClick(palette.field, Qt.Key.Key_Return)
    assert {("conv2d", "batch-norm"), ("batch-norm", "max-pool2d")} <= bench.wires()
    index = palette.model.first()
    mime = palette.model.mimeData([index])
    assert bytes(mime.data(LAYER_MIME).data()) == b"batch-norm"
    QTest.keyClicks(palette.field, "zzzz")
    assert not palette.model.first().isValid()
    palette.deleteLater()


def test_every_offered_layer_can_be_found_and_placed(opened: Open) -> None:
    bench = opened(Graph())
    layers = offered()
    assert {layer.id for layer in layers} == {layer.id for layer in LAYERS if not layer.hidden}
    for layer in layers:
        assert layer in found(layer.name, layers)
        assert bench.canvas.place(layer.id, QPointF(0, 0)) is not None
    assert len(bench.scene.nodes) == len(layers)
    bench.canvas.arrange()
    bench.session.undo.setIndex(0)
    assert not bench.scene.nodes


# --- inspector and outline ----------------------------------------------------------------------


@pytest.fixture
def inspector(opened: Open) -> Iterator[tuple[Bench, Inspector]]:
    bench = opened(digits_cnn())
    panel = Inspector(bench.session)
    panel.resize(300, 600)
    panel.show()
    yield bench, panel
    panel.close()
    panel.deleteLater()


def test_typing_a_parameter_is_one_step(inspector: tuple[Bench, Inspector]) -> None:
    bench, panel = inspector
    conv = bench.ids("conv2d")[0]
    bench.session.select([conv])
    page = panel.node_page
    line = page.editor.form.fields["out_channels"].findChild(QLineEdit)
    assert line is not None
    line.selectAll()
    QTest.keyClicks(line, "128")
    assert bench.session.graph.nodes[conv].params["out_channels"] == 128
    assert bench.session.undo.count() == 1
    assert page.facts.text()["Out"] == "128×28×28"
    assert page.facts.text()["In"] == "1×28×28"
    bench.session.undo.undo()
    assert bench.session.graph.nodes[conv].params["out_channels"] == 16
    assert line.text() == "16"
    line.selectAll()
    QTest.keyClicks(line, "-3")
    assert bench.session.graph.nodes[conv].params["out_channels"] == 16
    assert page.editor.form.error("out_channels")


def test_name_and_shared_weights(inspector: tuple[Bench, Inspector]) -> None:
    bench, panel = inspector
    conv = bench.ids("conv2d")[0]
    bench.session.select([conv])
    commands.duplicate(bench.session)
    twin = bench.ids("conv2d")[1]
    page = panel.node_page
    assert page._id == twin
    index = page.lender.findData(conv)
    page.lender.setCurrentIndex(index)
    page.lender.activated.emit(index)
    assert bench.session.graph.nodes[twin].shares_weights_with == conv
    page.name.setText("second")
    page.name.editingFinished.emit()
    assert bench.session.graph.nodes[twin].name == "second"


def test_several_nodes_of_one_layer_change_together(inspector: tuple[Bench, Inspector]) -> None:
    bench, panel = inspector
    bench.session.select(bench.ids("conv2d"))
    commands.duplicate(bench.session)
    bench.session.select(bench.ids("conv2d"))
    page = panel.several_page
    assert page.title.text() == "2 nodes"
    page.editor.form.edited.emit("kernel_size", 5)
    kernels = [bench.session.graph.nodes[id].params["kernel_size"] for id in bench.ids("conv2d")]
    assert kernels == [5, 5]
    assert bench.session.undo.count() == 2


def test_problems_are_listed_with_their_fix(inspector: tuple[Bench, Inspector]) -> None:
    bench, panel = inspector
    bench.session.select(())
    assert "No errors" in panel.graph_page.state.text()
    commands.delete(bench.session, bench.ids("flatten"))
    page = panel.graph_page
    assert "1 error" in page.state.text()
    assert page._boxes[0].text.text().startswith("Linear needs a vector")
    QTest.mouseClick(page._boxes[0].fix, Qt.MouseButton.LeftButton)
    assert bench.session.report.ok


def test_outline_follows_and_leads(opened: Open) -> None:
    bench = opened(digits_cnn())
    outline = Outline(bench.session)
    outline.show()
    conv = bench.ids("conv2d")[0]
    bench.session.select([conv])
    rows = [index.row() for index in outline.list.selectionModel().selectedIndexes()]
    assert [outline.model.ids[row] for row in rows] == [conv]
    outline.list.setCurrentIndex(outline.model.index(0))
    assert bench.session.selection == (outline.model.ids[0],)
    outline.field.setText("linear")
    assert [bench.session.graph.nodes[id].layer for id in outline.model.ids] == ["linear"]
    commands.delete(bench.session, bench.ids("linear"))
    assert not outline.model.ids
    outline.close()
    outline.deleteLater()


# --- looks and access ---------------------------------------------------------------------------


def test_everything_that_takes_focus_has_an_accessible_name(opened: Open) -> None:
    bench = opened(digits_cnn())
    bench.session.select(bench.ids("conv2d"))
    panels = [bench.canvas, Palette(bench.session), Inspector(bench.session)]
    for panel in panels:
        panel.show()
    for panel in panels:
        for widget in panel.findChildren(QWidget):
            if isinstance(widget, (QAbstractButton, QLineEdit, QListView)) and widget.isEnabled():
                words = widget.accessibleName() or getattr(widget, "text", str)()
                assert words or not widget.isVisible(), widget
    for panel in panels[1:]:
        panel.close()
        panel.deleteLater()


def test_an_empty_canvas_says_what_to_do(opened: Open) -> None:
    bench = opened(Graph())
    assert bench.canvas.empty.isVisible()
    bench.canvas.build_starter()
    assert bench.told
    bench.canvas.place("input", QPointF(0, 0))
    assert not bench.canvas.empty.isVisible()


def test_numbers_carry_their_units() -> None:
    assert flops_text(7_540_000) == "7.5 MFLOPs"
    assert flops_text(12) == "12 FLOPs"
    assert bytes_text(31_000_000) == "31 MB"
