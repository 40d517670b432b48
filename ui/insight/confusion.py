"""Where a trained network is right and where it is not, on a split of the data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Slot
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from playground.messages import Array, Evaluation, Failure, State
from playground.tasks import TASKS, seasonal_naive
from playground.tasks.task import metric_name
from ui.insight.answer_view import percent
from ui.insight.column import Figure, steady
from ui.insight.curves import metric_text
from ui.insight.fetch import Fetch
from ui.insight.matrix import ConfusionMatrix
from ui.insight.pairs_view import PairsView
from ui.insight.sample_grid import SampleGrid
from ui.insight.scatter import ForecastPlot, PredictedAgainstTrue
from ui.insight.ticks import number
from ui.session import Session
from ui.widgets import ElidedLabel, EmptyState, IconButton, Segmented, label, scrolled

MOST_SAMPLES = 120
TILE = 52
SPLITS = (("train", "Train"), ("validation", "Validation"), ("test", "Test"))
UNTRAINED = "Train the network, and what it gets wrong shows here."
EMPTY_SPLIT = "The {split} split has no samples. Choose another, or change the split of the data."


@dataclass(frozen=True)
class Listed:
    """Samples of an evaluation, by their places in it, under a heading."""

    heading: str
    places: NDArray[np.intp]


def mistakes(evaluation: Evaluation) -> Listed:
    """Wrongly classified samples, the surest answers first."""
    places = np.flatnonzero(evaluation.true != evaluation.predicted)
    if evaluation.confidence.size:
        places = places[np.argsort(-evaluation.confidence[places], kind="stable")]
    count = len(places)
    if not count:
        return Listed("No mistakes", places)
    order = ", the surest first" if evaluation.confidence.size and count > 1 else ""
    return Listed(f"{count:,} mistake{'s' * (count > 1)}{order}", places)


def in_cell(evaluation: Evaluation, true: int, answer: int) -> Listed:
    """The samples of one cell of the confusion matrix."""
    places = np.flatnonzero((evaluation.true == true) & (evaluation.predicted == answer))
    first, second = evaluation.classes[true], evaluation.classes[answer]
    what = f"“{first}” recognised" if true == answer else f"“{first}” taken for “{second}”"
    return Listed(f"{what} · {len(places):,}", places)


def worst(evaluation: Evaluation) -> Listed:
    """Samples by the size of their error, the largest first."""
    count = len(evaluation.true)
    error = np.abs(evaluation.true - evaluation.predicted).reshape(count, -1).mean(axis=1)
    order = np.argsort(-np.nan_to_num(error, nan=np.inf), kind="stable")
    return Listed("Largest errors first", order)


class SampleList(QWidget):
    """A heading over the pictures of some samples; a click makes one the sample of all views."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.heading = ElidedLabel("", "title")
        self.grid = SampleGrid("Samples", TILE)
        self.grid.chosen.connect(session.set_sample)
        self.more = label("", "small", wrap=True)
        self._pending: tuple[list[int], list[str]] = ([], [])
        self._fetch = Fetch(self)
        self._fetch.done.connect(self._fetched)
        self._fetch.failed.connect(self.more.setText)
        content = QWidget()
        rows = QVBoxLayout(content)
        rows.setContentsMargins(0, 0, 4, 0)
        rows.addWidget(self.grid)
        rows.addWidget(self.more)
        rows.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.heading)
        column.addWidget(steady(scrolled(content)), 1)

    def show_listed(self, listed: Listed, evaluation: Evaluation) -> None:
        dataset = self._session.dataset
        self.heading.set_text(listed.heading)
        places = listed.places[:MOST_SAMPLES]
        left = len(listed.places) - len(places)
        self.more.setText(f"{left:,} more are not shown." if left else "")
        if dataset is None or (len(places) and evaluation.indices[places].max() >= len(dataset)):
            self.grid.show_samples(None, [])
            return
        indices = [int(index) for index in evaluation.indices[places]]
        self._pending = (indices, [caption(evaluation, int(place)) for place in places])
        self.grid.set_current(self._session.sample)
        column = next(iter(dataset.inputs.values()))
        wanted = np.array(indices, np.int64)
        if column.lazy and indices:
            self._fetch.start(lambda: column.take(wanted))
        else:
            self._fetched(column.take(wanted))

    @Slot(object)
    def _fetched(self, raw: Array) -> None:
        if self._session.dataset is not None:
            indices, captions = self._pending
            self.grid.show_samples(self._session.dataset, indices, raw, captions)


def caption(evaluation: Evaluation, place: int) -> str:
    """What the network said to a sample: "8 · 76 %", or "12.3, true 11.9 °C"."""
    if evaluation.classes:
        said = evaluation.classes[int(evaluation.predicted[place])]
        if not evaluation.confidence.size:
            return said
        return f"{said} · {percent(float(evaluation.confidence[place]))}"
    said = number(float(np.mean(evaluation.predicted[place])))
    true = number(float(np.mean(evaluation.true[place])))
    return f"{said}, true {true} {evaluation.unit}".rstrip()


class ValuesView(QWidget):
    """Predicted against true values; beside it the forecast, or the largest errors."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._evaluation: Evaluation | None = None
        self.scatter = PredictedAgainstTrue()
        self.scatter.chosen.connect(self._chosen)
        self.forecast = ForecastPlot()
        self.all = IconButton("restore", "Show the whole split")
        self.all.clicked.connect(self._show_split)
        self.heading = ElidedLabel("", "title")
        self.list = SampleList(session)
        plot_page = QWidget()
        rows = QVBoxLayout(plot_page)
        rows.setContentsMargins(0, 0, 0, 0)
        head = QHBoxLayout()
        head.setSpacing(12)
        head.addWidget(self.heading, 1)
        for text, colour in (("true", "accent"), ("forecast", "recurrent"), ("naive ┄", "text3")):
            figure = Figure(text, colour)
            figure.show_text(text)
            head.addWidget(figure)
        head.addWidget(self.all)
        rows.addLayout(head)
        rows.addWidget(self.forecast, 1)
        self._right = QStackedWidget()
        self._right.addWidget(plot_page)
        self._right.addWidget(self.list)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(28)
        row.addWidget(self.scatter, 2)
        row.addWidget(self._right, 3)

    def show_evaluation(self, evaluation: Evaluation) -> None:
        self._evaluation = evaluation
        self.scatter.show_values(evaluation.true, evaluation.predicted, evaluation.unit)
        self._right.setCurrentIndex(0 if evaluation.task == "forecast" else 1)
        if evaluation.task == "forecast":
            self._show_split()
        else:
            self.list.show_listed(worst(evaluation), evaluation)

    def _naive(self, places: Array) -> Array:
        """What the seasonal naive forecast says to samples of the evaluation."""
        evaluation, dataset = self._evaluation, self._session.dataset
        assert evaluation is not None
        horizon = evaluation.true.shape[1]
        if dataset is None or not len(places):
            return np.full((len(places), horizon), np.nan)
        past = next(iter(dataset.inputs.values())).take(evaluation.indices[places])[:, :, 0]
        return seasonal_naive(past, dataset.target.season, horizon)

    @Slot()
    def _show_split(self) -> None:
        evaluation = self._evaluation
        if evaluation is None:
            return
        self.all.setEnabled(False)
        stride = self._session.project.data.options.get("stride", 1)
        order = np.argsort(evaluation.indices, kind="stable")
        naive = self._naive(order)
        true, predicted = evaluation.true[order], evaluation.predicted[order]
        self.forecast.show_split(true, predicted, naive, stride if isinstance(stride, int) else 1)
        self.heading.set_text(f"Forecast of the {evaluation.split} split")

    @Slot(int)
    def _chosen(self, place: int) -> None:
        evaluation, dataset = self._evaluation, self._session.dataset
        if evaluation is None or dataset is None:
            return
        index = int(evaluation.indices[place])
        if index >= len(dataset):
            return
        self._session.set_sample(index)
        if evaluation.task == "forecast":
            places = np.array([place])
            past = next(iter(dataset.inputs.values())).take(np.array([index]))[0, :, 0]
            self.forecast.show_window(
                past, evaluation.predicted[place], evaluation.true[place], self._naive(places)[0]
            )
            self.heading.set_text(f"Forecast of {dataset.describe(index)}")
            self.all.setEnabled(True)


class ConfusionPanel(QWidget):
    """The newest evaluation of the trained network; asks for one when it is shown."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._evaluation: Evaluation | None = None
        self._stale, self._was_busy = True, False
        self.setAccessibleName("Confusion")
        self.split = Segmented(SPLITS, "validation", "Split")
        self.figures = Segmented((("counts", "Counts"), ("shares", "Per cent")), "counts", "Cells")
        self.told = ElidedLabel("", "second")
        self.refresh = IconButton("refresh", "Evaluate again")
        self.matrix = ConfusionMatrix()
        self.list = SampleList(session)
        self.values = ValuesView(session)
        self.pairs = PairsView(session)
        self.empty = EmptyState("target", UNTRAINED, "Run", session.run)
        self._build()
        self._connect()
        self._show_empty()

    def _build(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(12)
        head.addWidget(self.split)
        head.addWidget(self.figures)
        head.addWidget(self.told, 1)
        head.addWidget(self.refresh)
        classes = QWidget()
        row = QHBoxLayout(classes)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(28)
        row.addWidget(self.matrix)
        row.addWidget(self.list, 1)
        self._classes = classes
        self._pages = QStackedWidget()
        for page in (self.empty, classes, self.values, self.pairs):
            self._pages.addWidget(page)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 8, 16, 12)
        column.setSpacing(8)
        column.addLayout(head)
        column.addWidget(self._pages, 1)

    def _connect(self) -> None:
        session = self._session
        self.split.chosen.connect(self._ask)
        self.refresh.clicked.connect(self._ask)
        self.figures.chosen.connect(self._figures_chosen)
        self.matrix.cell_chosen.connect(self._cell_chosen)
        session.bridge.evaluation.connect(self._on_evaluation)
        session.bridge.failure.connect(self._on_failure)
        session.bridge.loaded.connect(self._outdated)
        session.state_changed.connect(self._state_changed)
        session.dataset_changed.connect(self._outdated)
        session.project_changed.connect(self._project_changed)

    # Asking -------------------------------------------------------------------------------------

    @Slot()
    def _ask(self, *_: object) -> None:
        """Have the trained network evaluated on the chosen split."""
        session = self._session
        if session.dataset is None or session.run_folder is None:
            self._show_empty()
            return
        split = self.split.current()
        if not len(session.dataset.splits.get(split, ())):
            self._show_empty(EMPTY_SPLIT.format(split=split), "")
            return
        self._stale = False
        self.refresh.setEnabled(False)
        session.worker.evaluate(session.project, session.dataset, split)

    @Slot()
    def _outdated(self, *_: object) -> None:
        self._stale = True
        if self.isVisible():
            self._ask()

    @Slot()
    def _state_changed(self) -> None:
        busy = self._session.state.busy
        if self._was_busy and not busy:
            self._outdated()
        self._was_busy = busy
        self.empty.button.setEnabled(not busy)
        if busy and self._evaluation is None and self._session.state is State.RUNNING:
            self.empty.say("The first figures come when the run has ended.", "")

    @Slot()
    def _project_changed(self) -> None:
        self._evaluation = None
        self._show_empty()
        self._stale = True

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._stale:
            self._ask()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_matrix()

    def _fit_matrix(self) -> None:
        """The matrix is a square; what it does not need belongs to the samples."""
        wanted = self.matrix.width_for(max(120, self._pages.height()))
        self.matrix.setFixedWidth(int(max(160, min(wanted, 0.6 * self.width()))))

    # Showing ------------------------------------------------------------------------------------

    def _show_empty(self, text: str = UNTRAINED, button: str = "Run") -> None:
        self.told.set_text("")
        self.empty.say(text, button)
        self._pages.setCurrentWidget(self.empty)

    @Slot(object)
    def _on_evaluation(self, evaluation: Evaluation) -> None:
        if evaluation.split != self.split.current():
            return
        self.refresh.setEnabled(True)
        self._evaluation = evaluation
        if not len(evaluation.true):
            self._show_empty(EMPTY_SPLIT.format(split=evaluation.split), "")
            return
        self.told.set_text(self._figures(evaluation))
        self.figures.setVisible(evaluation.confusion is not None)
        if evaluation.confusion is not None:
            self.matrix.show_counts(evaluation.confusion, evaluation.classes)
            self._fit_matrix()
            self.list.show_listed(mistakes(evaluation), evaluation)
            self._pages.setCurrentWidget(self._classes)
        elif evaluation.task in ("segmentation", "image", "detection"):
            self.pairs.show_evaluation(evaluation)
            self._pages.setCurrentWidget(self.pairs)
        else:
            self.values.show_evaluation(evaluation)
            self._pages.setCurrentWidget(self.values)

    def _figures(self, evaluation: Evaluation) -> str:
        """The metrics in one line, with those of a guess to compare."""
        task, dataset = TASKS.find(evaluation.task), self._session.dataset
        names = [name for name in evaluation.metrics if name != "loss"]
        parts = [_figure(name, evaluation.metrics[name], evaluation.unit) for name in names]
        parts.append(f"{len(evaluation.true):,} samples")
        if task is not None and dataset is not None and dataset.task == evaluation.task:
            guess = task.baseline(dataset, evaluation.split)
            if guess is not None and task.main_metric in guess.metrics:
                value = guess.metrics[task.main_metric]
                parts.append(f"{guess.name}: {_figure(task.main_metric, value, evaluation.unit)}")
        return " · ".join(parts)

    @Slot(object)
    def _on_failure(self, failure: Failure) -> None:
        if failure.what.startswith("evaluat"):
            self.refresh.setEnabled(True)
            self._show_empty(failure.message, "")

    @Slot(str)
    def _figures_chosen(self, which: str) -> None:
        self.matrix.set_relative(which == "shares")

    @Slot(int, int)
    def _cell_chosen(self, true: int, answer: int) -> None:
        if self._evaluation is not None:
            self.list.show_listed(in_cell(self._evaluation, true, answer), self._evaluation)


def _figure(name: str, value: float, unit: str) -> str:
    own = {"mae": unit, "rmse": unit, "psnr": "dB"}.get(name, "")
    return f"{metric_name(name)} {metric_text(name, value, own)}"
