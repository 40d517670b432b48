"""The views of numbers: each shows what it is given, also where that is strange."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QWidget

from tests.gui.insight_kit import history
from ui.insight.colormaps import MAGMA, SIGNED, SIGNED_LIGHT, coloured, qimage
from ui.insight.curves import Curves, metric_text
from ui.insight.feature_maps import FeatureMaps, as_maps, grid, middle
from ui.insight.hidden_states import HiddenStates, liveliest
from ui.insight.matrix import ConfusionMatrix, row_shares
from ui.insight.pad import DrawingPad, rendered
from ui.insight.plot import Line, Plot
from ui.insight.scatter import ForecastPlot, PredictedAgainstTrue
from ui.insight.ticks import fixed, number, span, ticks
from ui.theme import theme

NAN = float("nan")


def shown(widget: QWidget, width: int = 400, height: int = 260) -> QImage:
    """What the widget looks like."""
    widget.resize(width, height)
    widget.show()
    QApplication.processEvents()
    return widget.grab().toImage()


def pixels(image: QImage) -> np.ndarray:
    image = image.convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1)
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).copy()


def near(image: QImage, colour: QColor, tolerance: int = 60) -> np.ndarray:
    """Where the image has about this colour."""
    wanted = np.array([colour.red(), colour.green(), colour.blue()])
    return np.abs(pixels(image).astype(int) - wanted).max(axis=2) <= tolerance


# --- numbers and colours --------------------------------------------------------------------------


def test_colours_have_their_ends_and_a_neutral_middle() -> None:
    assert tuple(MAGMA[0]) == (0, 0, 4)
    assert MAGMA[255].sum() > 600
    for table in (SIGNED, SIGNED_LIGHT):
        blue, orange = table[20].astype(int), table[235].astype(int)
        assert blue[2] > blue[0]
        assert orange[0] > orange[2]
    assert SIGNED[128].max() < 60
    assert SIGNED_LIGHT[128].min() > 230


def test_what_is_no_number_is_grey() -> None:
    picture = coloured(np.array([[0.0, NAN], [np.inf, -np.inf]]), 0, 1, MAGMA)
    assert tuple(picture[0, 0]) == tuple(MAGMA[0])
    assert tuple(picture[0, 1]) == (128, 128, 128)
    assert tuple(picture[1, 0]) == tuple(MAGMA[255])
    assert tuple(picture[1, 1]) == tuple(MAGMA[0])


def test_equal_values_are_one_colour() -> None:
    picture = coloured(np.full((3, 3), 7.0), 7, 7, MAGMA)
    assert (picture == picture[0, 0]).all()


def test_images_keep_every_pixel_of_odd_widths() -> None:
    grey = np.arange(35, dtype=np.uint8).reshape(5, 7)
    image = qimage(grey)
    assert [image.pixelColor(x, 4).red() for x in range(7)] == list(range(28, 35))
    assert qimage(np.empty((0, 3), np.uint8)).isNull()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.142, "0.142"),
        (1204, "1,204"),
        (0.00003, "3e−5"),
        (-2.5, "−2.5"),
        (0, "0"),
        (1e300, "1e300"),
        (NAN, "not a number"),
        (np.inf, "∞"),
    ],
)
def test_numbers_for_people(value: float, text: str) -> None:
    assert number(value) == text


def test_live_numbers_keep_their_width() -> None:
    assert len({len(fixed(value)) for value in (0.1, 0.12345, 2.3, 0.0125)}) == 1


@pytest.mark.parametrize(
    ("low", "high"), [(0, 2.4), (-1, 1), (1e-9, 2e-9), (0, 1e12), (99.5, 100), (-3e7, 2)]
)
def test_ticks_are_within_and_few(low: float, high: float) -> None:
    marks = ticks(low, high, 5)
    assert 2 <= len(marks) <= 12
    assert low - 1e-6 * (high - low) <= marks[0]
    assert marks[-1] <= high + 1e-6 * (high - low)


@pytest.mark.parametrize(("low", "high"), [(1, 1), (NAN, 2), (2, 1), (-np.inf, np.inf)])
def test_ticks_of_no_stretch_do_not_hang(low: float, high: float) -> None:
    assert len(ticks(low, high, 5)) <= 1


def test_one_outlier_does_not_flatten_the_rest() -> None:
    values = np.concatenate([[1e6], np.linspace(2, 1, 100)])
    assert span([values], None, padding=0, robust=True)[1] < 10
    assert span([np.array([NAN, np.inf])], None, padding=0) == (0.0, 1.0)


# --- plot and curves ------------------------------------------------------------------------------


def test_a_line_is_drawn_where_its_values_are(app: QApplication) -> None:
    plot = Plot("test")
    x = np.linspace(0, 10, 50)
    plot.set_lines([Line("a", x, 3 * x, "accent")])
    image = shown(plot)
    drawn = near(image, theme().color("accent"))
    assert drawn.any()
    for at in (2.0, 5.0, 9.0):
        point = plot.position(at, 3 * at).toPoint()
        column = np.flatnonzero(drawn[:, point.x()])
        assert abs(column.mean() - point.y()) <= 2


def test_small_numbers_fit_beside_the_plot(app: QApplication) -> None:
    plot = Plot("test", zero=True)
    plot.set_lines([Line("a", np.arange(3.0), np.array([0.0031, 0.0005, 0.0024]), "accent")])
    edge = pixels(shown(plot).copy(0, 0, 3, 260)).astype(int)
    assert np.ptp(edge.reshape(-1, 3), axis=0).max() == 0, "a number is cut"


def test_gaps_are_left_where_values_are_missing(app: QApplication) -> None:
    plot = Plot("test")
    y = np.ones(100)
    y[40:60] = NAN
    plot.set_lines([Line("a", np.arange(100.0), y, "accent")])
    drawn = near(shown(plot), theme().color("accent"))
    inside = plot.position(50, 1).toPoint().x()
    beside = plot.position(20, 1).toPoint().x()
    assert not drawn[:, inside].any()
    assert drawn[:, beside].any()


@pytest.mark.parametrize(
    "y",
    [
        np.full(20, NAN),
        np.full(20, np.inf),
        np.array([1e308, -1e308] * 10),
        np.zeros(20),
        np.full(20, 1e-300),
        np.array([NAN, 1.0] * 10),
    ],
)
def test_any_values_can_be_drawn(app: QApplication, y: np.ndarray) -> None:
    plot = Plot("test", zero=True)
    plot.set_lines([Line("a", np.arange(20.0), y)])
    shown(plot)
    plot.set_lines([])
    shown(plot)
    plot.set_lines([Line("a", np.empty(0), np.empty(0))])
    shown(plot)


def test_thinning_keeps_the_extremes(app: QApplication) -> None:
    plot = Plot("test")
    x, y = np.arange(100_000.0), np.sin(np.arange(100_000.0))
    y[54_321] = 50.0
    plot.set_lines([Line("a", x, y)])
    shown(plot)
    (curve,) = plot.curves
    np.testing.assert_array_equal(curve.getOriginalDataset(), (x, y))
    _, drawn = curve.getData()
    assert len(drawn) <= 10 * plot.width()
    assert drawn.max() == 50.0


def test_a_point_without_neighbours_is_drawn(app: QApplication) -> None:
    plot = Plot("test")
    plot.set_lines([Line("a", np.arange(3.0), np.array([NAN, 1.0, NAN]), "recurrent")])
    drawn = near(shown(plot), theme().family("recurrent"))
    point = plot.position(1, 1).toPoint()
    assert drawn[point.y() - 1 : point.y() + 2, point.x() - 1 : point.x() + 2].any()


def test_the_grid_lies_under_the_lines(app: QApplication) -> None:
    plot = Plot("test")
    plot.set_lines([Line("a", np.arange(5.0), np.arange(5.0), "accent", "dots")])
    drawn = near(shown(plot), theme().color("accent"), 20)
    for at in (1.0, 2.0, 3.0):
        point = plot.position(at, at).toPoint()
        assert drawn[point.y() - 1 : point.y() + 1, point.x() - 1 : point.x() + 1].all()


def test_a_hidden_plot_waits_until_it_is_seen(app: QApplication) -> None:
    plot = Plot("test")
    plot.set_lines([Line("a", np.arange(5.0), np.arange(5.0))])
    assert plot.x_range == (0, 4)
    assert not plot.curves
    shown(plot)
    assert len(plot.curves) == 1
    plot.hide()
    plot.set_lines([Line("a", np.arange(9.0), np.arange(9.0))])
    assert len(plot.curves[0].getOriginalDataset()[0]) == 5
    plot.show()
    assert len(plot.curves[0].getOriginalDataset()[0]) == 9


def test_a_plot_follows_the_theme(app: QApplication) -> None:
    plot = Plot("test")
    plot.set_lines([Line("a", np.arange(5.0), np.arange(5.0), "accent")])
    shown(plot)
    for name in ("light", "dark"):
        theme().set_theme(name)
        assert near(shown(plot), theme().color("accent"), 30).any()
        assert plot.curves[0].opts["pen"].color() == theme().color("accent")


def test_the_readout_names_the_values_under_the_mouse(app: QApplication) -> None:
    plot = Plot("test", x_label="epoch")
    plot.set_lines([Line("a <b>", np.arange(5.0), 2 * np.arange(5.0))])
    shown(plot)
    QTest.mouseMove(plot.viewport(), plot.position(3, 2).toPoint())
    label = plot.findChild(QLabel)
    assert label.isVisible()
    assert "epoch 3" in label.text()
    assert "a &lt;b&gt; 6" in label.text()
    QApplication.sendEvent(plot, QEvent(QEvent.Type.Leave))
    assert not label.isVisible()


def test_dragging_zooms_and_escape_goes_back(app: QApplication) -> None:
    plot = Plot("test")
    plot.set_lines([Line("a", np.arange(101.0), np.arange(101.0))])
    shown(plot)
    start, end = plot.position(20, 50).toPoint(), plot.position(60, 50).toPoint()
    QTest.mousePress(plot.viewport(), Qt.MouseButton.LeftButton, pos=start)
    QTest.mouseMove(plot.viewport(), end)
    QTest.mouseRelease(plot.viewport(), Qt.MouseButton.LeftButton, pos=end)
    low, high = plot.x_range
    assert low == pytest.approx(20, abs=1)
    assert high == pytest.approx(60, abs=1)
    plot.setFocus()
    QTest.keyClick(plot, Qt.Key.Key_Escape)
    assert plot.x_range == (0, 100)


def test_curves_show_the_data_and_the_newest_values(app: QApplication) -> None:
    curves = Curves()
    given = history()
    curves.show_history(given)
    image = shown(curves, 400, 300)
    train, validation = curves.plot.lines
    np.testing.assert_array_equal(train.y, given.train_loss)
    np.testing.assert_array_equal(validation.x, given.epochs)
    assert curves.train.text() == f"train {given.train_loss[-1]:.3f}"
    assert curves.validation.text().startswith("validation 0.1")
    assert curves.other.text() == "accuracy 95.6 %"
    assert near(image, theme().color("accent")).sum() > 100
    assert near(image, theme().family("recurrent")).sum() > 50


def test_curves_switch_to_the_metric_and_back(app: QApplication) -> None:
    curves = Curves()
    curves.show_history(history())
    shown(curves)
    QTest.mouseClick(curves.other, Qt.MouseButton.LeftButton)
    assert curves.shows_metric
    assert curves.title.text() == "Accuracy"
    assert curves.validation.text() == "validation 95.6 %"
    assert curves.plot.y_range[1] >= 100
    assert curves.other.text().startswith("loss")
    QTest.mouseClick(curves.other, Qt.MouseButton.LeftButton)
    assert curves.title.text() == "Loss"


def test_a_broken_run_is_named_in_the_header(app: QApplication) -> None:
    curves = Curves()
    loss = np.linspace(2, 1, 50)
    loss[30:] = NAN
    nothing = np.full(4, NAN)
    curves.show_history(
        history(50, train_loss=loss, validation_loss=nothing, validation_metric=nothing)
    )
    shown(curves)
    assert curves.train.text() == "train not a number"
    assert curves.validation.text() == ""
    empty = np.empty(0)
    curves.show_history(
        history(
            2, x=empty, train_loss=empty, epochs=empty, validation_loss=empty, metric="",
            train_metric=empty, validation_metric=empty, best_epoch=None,
        )
    )  # fmt: skip
    shown(curves)
    assert not curves.other.isVisible()


def test_metrics_carry_their_unit() -> None:
    assert metric_text("accuracy", 0.956) == "95.6 %"
    assert metric_text("mae", 1.5, "°C") == "1.500 °C"
    assert metric_text("accuracy", NAN) == "not a number"


# --- feature maps and hidden states ---------------------------------------------------------------


def test_the_mosaic_has_a_tile_a_map(app: QApplication) -> None:
    view = FeatureMaps()
    shown(view, 400, 240)
    maps = np.zeros((32, 14, 14), np.float32)
    maps[5] = 1.0
    view.show_maps(maps, fresh=True)
    assert view.columns == 8
    picture = pixels(view.image)
    assert tuple(picture[2, 2]) == tuple(MAGMA[0])
    lit = np.argwhere((picture == MAGMA[255]).all(axis=2))
    assert {view.map_at(x, y) for y, x in lit[::50]} == {5}


def test_negative_responses_are_black_unless_wanted(app: QApplication) -> None:
    view = FeatureMaps()
    shown(view)
    maps = np.stack([np.full((4, 4), -1.0), np.full((4, 4), 1.0)])
    view.show_maps(maps, fresh=True)
    assert tuple(pixels(view.image)[3, 3]) == tuple(MAGMA[0])
    view.set_signed(True)
    red, _green, blue = pixels(view.image)[3, 3]
    assert blue > red


def test_a_click_shows_one_map_alone(app: QApplication) -> None:
    view = FeatureMaps()
    shown(view)
    view.show_maps(np.random.default_rng(0).random((8, 6, 6)), fresh=True)
    QTest.mouseClick(view, Qt.MouseButton.LeftButton, pos=QPoint(5, 5))
    assert view.chosen == 0
    assert view.columns == 1
    QTest.keyClick(view, Qt.Key.Key_Right)
    assert view.chosen == 1
    view.show_maps(np.ones((1, 6, 6)), fresh=False)
    assert view.chosen is None


@pytest.mark.parametrize(
    "maps",
    [
        np.full((4, 5, 5), NAN),
        np.full((4, 5, 5), np.inf),
        np.zeros((1, 1, 1)),
        np.ones((64, 300, 200)),
        np.full((3, 2, 2), -1.0),
        np.zeros((1000, 3, 3)),
        np.ones((6, 1, 150)),
    ],
)
def test_any_maps_can_be_drawn(app: QApplication, maps: np.ndarray) -> None:
    view = FeatureMaps()
    shown(view, 300, 200)
    view.show_maps(maps, fresh=True)
    view.show_maps(maps, fresh=False)
    image = shown(view, 90, 60)
    assert not image.isNull()
    assert len(view.maps) <= 64


def test_large_maps_are_smoothed_not_picked(app: QApplication) -> None:
    view = FeatureMaps()
    stripes = np.tile(np.array([0.0, 1.0]), 64)[None, None, :].repeat(128, axis=1)
    shown(view, 64, 90)
    view.show_maps(stripes, fresh=True)
    picture = pixels(view.image).astype(int)
    assert picture[10:20, 10:40].max() < 255 - 30
    assert picture[10:20, 10:40].min() > 5


def test_maps_of_other_kinds() -> None:
    assert as_maps(np.zeros((20, 4))).shape == (4, 1, 20)
    with pytest.raises(ValueError, match="feature maps"):
        as_maps(np.zeros(3))
    value, told = middle(np.zeros((9, 3, 5, 5)), video=True)
    assert value.shape == (3, 5, 5)
    assert told == "frame 5 of 9"
    assert middle(np.zeros((3, 8, 5, 5)), video=False)[0].shape == (3, 5, 5)


@pytest.mark.parametrize("count", [1, 2, 7, 16, 31, 64])
def test_the_grid_has_room_for_all(count: int) -> None:
    columns, rows = grid(count, 400, 200, 1.0)
    assert columns * rows >= count
    assert (rows - 1) * columns < count


def test_states_go_from_blue_to_orange(app: QApplication) -> None:
    view = HiddenStates()
    states = np.stack([np.linspace(-1, 1, 5), np.zeros(5)], axis=1)
    view.show_states(states, fresh=True)
    shown(view)
    image = pixels(view.map.image)
    assert image.shape == (2, 5, 3)
    assert image[0, 0, 2] > image[0, 0, 0]
    assert image[0, 4, 0] > image[0, 4, 2]
    assert (view.first.text(), view.last.text()) == ("step 1", "5")
    assert view.map.cell_at(view.map.width() - 1, 1) == (0, 4)


def test_states_follow_the_theme(app: QApplication) -> None:
    view = HiddenStates()
    view.show_states(np.zeros((4, 4)), fresh=True)
    theme().set_theme("dark")
    assert pixels(view.map.image).max() < 60
    theme().set_theme("light")
    assert pixels(view.map.image).min() > 230
    theme().set_theme("dark")


def test_states_as_lines_show_the_liveliest_units(app: QApplication) -> None:
    view = HiddenStates()
    states = np.zeros((10, 40))
    states[:, 7] = np.arange(10)
    states[:, 3] = NAN
    view.show_states(states, fresh=True)
    view.set_as_lines(True)
    shown(view)
    assert view.as_lines
    assert len(view.plot.lines) == 8
    assert "unit 8" in [line.name for line in view.plot.lines]
    assert 7 in liveliest(states)


# --- confusion matrix -----------------------------------------------------------------------------


def test_cells_carry_counts_or_shares(app: QApplication) -> None:
    matrix = ConfusionMatrix()
    matrix.show_counts(np.array([[8, 2], [0, 0]]), ("yes", "no"))
    shown(matrix)
    assert matrix.cell_text(0, 1) == "2"
    matrix.set_relative(True)
    assert matrix.cell_text(0, 1) == "20"
    assert matrix.cell_text(1, 1) == "0"
    assert "“yes” taken for “no”: 2 (20.0 %" in matrix.describe(0, 1)


def test_clicks_and_arrows_choose_cells(app: QApplication) -> None:
    matrix = ConfusionMatrix()
    matrix.show_counts(np.eye(3, dtype=int), ("a", "b", "c"))
    shown(matrix)
    chosen: list[tuple[int, int]] = []
    matrix.cell_chosen.connect(lambda true, answer: chosen.append((true, answer)))
    middle_of = matrix.cell_rect(1, 2).center().toPoint()
    QTest.mouseClick(matrix, Qt.MouseButton.LeftButton, pos=middle_of)
    QTest.keyClick(matrix, Qt.Key.Key_Down)
    QTest.keyClick(matrix, Qt.Key.Key_Right)
    assert chosen == [(1, 2), (2, 2), (2, 0)]
    assert matrix.cell_at(QPointF(-3, -3)) is None


def test_strong_cells_have_their_colours(app: QApplication) -> None:
    matrix = ConfusionMatrix()
    matrix.show_counts(np.array([[10, 0], [10, 0]]), ("a", "b"))
    image = shown(matrix)
    right = matrix.cell_rect(0, 0).topLeft().toPoint() + QPoint(6, 6)
    wrong = matrix.cell_rect(1, 0).topLeft().toPoint() + QPoint(6, 6)
    assert image.pixelColor(right).blue() > image.pixelColor(right).red()
    assert image.pixelColor(wrong).red() > image.pixelColor(wrong).blue()


@pytest.mark.parametrize("count", [0, 1, 2, 1000])
def test_any_number_of_classes(app: QApplication, count: int) -> None:
    matrix = ConfusionMatrix()
    names = tuple(f"a rather long name of the class number {i}" for i in range(count))
    matrix.show_counts(np.eye(count, dtype=int) * 3, names)
    for size in ((160, 120), (900, 500)):
        shown(matrix, *size)
    if count:
        last = matrix.cell_rect(count - 1, count - 1).center()
        assert matrix.cell_at(last) == (count - 1, count - 1)


def test_rows_without_samples_have_no_shares() -> None:
    assert row_shares(np.array([[0, 0], [1, 3]])).tolist() == [[0, 0], [0.25, 0.75]]


# --- predictions ----------------------------------------------------------------------------------


def test_a_click_on_a_dot_finds_its_sample(app: QApplication) -> None:
    plot = PredictedAgainstTrue()
    true = np.array([[1.0], [2.0], [NAN], [4.0]])
    plot.show_values(true, true + 0.5, "°C")
    shown(plot)
    chosen: list[int] = []
    plot.chosen.connect(chosen.append)
    point = plot.position(4.0, 4.5).toPoint()
    QTest.mouseClick(plot.viewport(), Qt.MouseButton.LeftButton, pos=point)
    assert chosen == [3]
    assert plot.lines[1].x.tolist() == [4.0]
    assert plot.place_at(0, 0) is None
    plot.show_values(np.empty((0, 1)), np.empty((0, 1)))
    shown(plot)
    assert plot.place_at(50, 50) is None


def test_overlapping_windows_are_drawn_once_a_step(app: QApplication) -> None:
    plot = ForecastPlot()
    true = np.arange(9.0)[:, None] + np.arange(3.0)
    plot.show_split(true, true + 0.1, true - 1)
    shown(plot)
    line = next(line for line in plot.lines if line.name == "true")
    assert line.x.tolist() == list(range(1, 10))
    assert line.y.tolist() == list(range(9))
    plot.show_window(np.arange(5.0), np.array([5.0, 6.0]))
    assert plot.markers == ((5.0, "now"),)
    plot.show_window(np.empty(0), np.array([5.0, 6.0]))
    shown(plot)


# --- the pad --------------------------------------------------------------------------------------


def draw(pad: DrawingPad, points: list[tuple[float, float]]) -> None:
    """One stroke with the mouse, in shares of the pad."""
    side = pad.square().width()
    places = [QPoint(round(x * side), round(y * side)) for x, y in points]
    QTest.mousePress(pad, Qt.MouseButton.LeftButton, pos=places[0])
    for place in places[1:]:
        QTest.mouseMove(pad, place)
    QTest.mouseRelease(pad, Qt.MouseButton.LeftButton, pos=places[-1])


@pytest.mark.parametrize("corner", [(0.05, 0.05), (0.6, 0.1), (0.3, 0.55)])
def test_a_drawing_is_centred_and_sized_as_in_mnist(
    app: QApplication, corner: tuple[float, float]
) -> None:
    pad = DrawingPad()
    shown(pad, 240, 240)
    x, y = corner
    draw(pad, [(x, y), (x + 0.2, y), (x + 0.2, y + 0.2), (x, y + 0.4)])
    array = pad.array()
    assert array.shape == (28, 28)
    assert array.dtype == np.uint8
    rows, columns = np.nonzero(array > 40)
    assert 18 <= np.ptp(rows) + 1 <= 21
    weights = array / array.sum()
    assert (weights.sum(axis=1) * np.arange(28)).sum() == pytest.approx(13.5, abs=0.6)
    assert (weights.sum(axis=0) * np.arange(28)).sum() == pytest.approx(13.5, abs=0.6)
    assert array.max() == 255
    assert ((array > 0) & (array < 255)).sum() > 20
    assert 0.04 < (array > 127).mean() < 0.3
    assert columns.min() >= 0


def test_where_and_how_large_one_draws_does_not_matter(app: QApplication) -> None:
    stroke = [(0.2, 0.2), (0.8, 0.2), (0.5, 0.9)]
    small = [[(0.1 + 0.4 * x, 0.5 + 0.4 * y) for x, y in stroke]]
    difference = rendered([stroke]).astype(int) - rendered(small).astype(int)
    assert np.abs(difference).max() <= 4


def test_strange_drawings(app: QApplication) -> None:
    assert rendered([]).sum() == 0
    dot = rendered([[(0.01, 0.99)]])
    assert 0 < (dot > 127).sum() < 20
    line = rendered([[(0.0, 0.5), (1.0, 0.5)]])
    assert (line > 127).any(axis=0).sum() >= 18
    scribble = [[(0.5, 0.5)] * 3000]
    assert rendered(scribble).max() > 240
    assert rendered([[(0.1, 0.1), (0.9, 0.9)]], 64, 48).shape == (64, 48)


def test_the_pad_can_be_cleared_and_undone(app: QApplication) -> None:
    pad = DrawingPad()
    shown(pad, 200, 200)
    changes: list[int] = []
    pad.changed.connect(lambda: changes.append(len(pad.strokes)))
    draw(pad, [(0.2, 0.2), (0.8, 0.8)])
    draw(pad, [(0.8, 0.2), (0.2, 0.8)])
    QTest.keyClick(pad, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert len(pad.strokes) == 1
    QTest.keyClick(pad, Qt.Key.Key_Delete)
    assert pad.is_empty()
    assert changes[-2:] == [1, 0]
    QTest.mousePress(pad, Qt.MouseButton.RightButton, pos=QPoint(50, 50))
    assert pad.is_empty()
