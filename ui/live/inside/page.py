"""The page "Inside": why the network answers so, its maps, what it remembers."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QStackedLayout, QVBoxLayout, QWidget

from models.graph import Graph
from playground.live.inside import InsideView
from playground.live.settings import LiveAnswer
from ui.insight.fetch import Fetch
from ui.live.desk import Desk
from ui.live.inside.layers import Layers, layers_of
from ui.live.inside.maps import MapsSection
from ui.live.inside.seen import SeenSection
from ui.live.inside.states import StatesSection
from ui.live.inside.why import WhySection
from ui.settings import settings
from ui.widgets import EmptyState, label, scrolled

RATE, FASTEST = 5, 15
STOPPED = "Start live, and see here what happens inside the network."
CLOSED = "The network is looked into as soon as there is something to answer to."
LOADING = "The network is being loaded …"
DETECTOR = (
    "Several networks work together in this detector; nothing here explains them. The page Network "
    "shows what they are made of."
)
NOTHING = "This network cannot be looked into while it runs."


class RateBox(QComboBox):
    """1 to 15 Hz."""

    changed = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Looks a second")
        self.setToolTip("How often to look inside, at most")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        for rate in range(1, FASTEST + 1):
            self.addItem(f"{rate} Hz", rate)
        self.currentIndexChanged.connect(self._changed)

    def value(self) -> int:
        return int(self.currentData())

    def set_value(self, rate: int) -> None:
        self.setCurrentIndex(min(FASTEST, max(1, rate)) - 1)

    @Slot()
    def _changed(self) -> None:
        self.changed.emit(self.value())


class Corner(QWidget):
    """What looking costs, and how often it is done."""

    def __init__(self) -> None:
        super().__init__()
        self.cost = label("", "small")
        self.cost.setToolTip("The time that one look takes; looking has at most half of a core")
        self.rate = RateBox()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.cost)
        row.addWidget(self.rate)

    def show_parts(self, shown: bool) -> None:
        """Stand there or not; whether the whole is seen is up to the panel."""
        self.cost.setVisible(shown)
        self.rate.setVisible(shown)

    def show_seconds(self, seconds: float | None) -> None:
        if seconds is None:
            self.cost.clear()
        else:
            self.cost.setText(f"{1e3 * seconds:.0f} ms" if seconds < 1 else f"{seconds:.1f} s")


class InsidePage(QWidget):
    """Sections that can be folded. Only what can be seen is looked at. They are made when there is
    something to show first, one in each turn of the main thread's loop; ``ready``: all are made."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.setAccessibleName("Inside")
        self._desk = desk
        self._graph: Graph | None = None
        self._layers: Layers | None = None
        self._fetch = Fetch(self)
        self._fetch.done.connect(self._layers_there)
        self.corner = Corner()
        self.corner.rate.set_value(_kept_rate())
        self.corner.rate.changed.connect(self._rate_changed)
        self.why: WhySection
        self.maps: MapsSection
        self.states: StatesSection
        self.seen: SeenSection
        self._makers = iter((self._make_why, self._make_maps, self._make_states, self._join))
        self.ready = False
        self._timer = QTimer(self)
        self._timer.setInterval(0)
        self._timer.timeout.connect(self._make_next)
        self._build()
        desk.chosen_changed.connect(self._chosen)
        for signal in (desk.status_changed, desk.running_changed, desk.awake_changed):
            signal.connect(self._tell)
        self._chosen()

    def _build(self) -> None:
        content = QWidget()
        self._column = QVBoxLayout(content)
        self._column.setContentsMargins(12, 12, 12, 16)
        self._column.setSpacing(16)
        self._area = scrolled(content)
        self.empty = EmptyState("eye", STOPPED)
        self._stack = QStackedLayout(self)
        self._stack.setContentsMargins(0, 0, 0, 0)
        self._stack.addWidget(self._area)
        self._stack.addWidget(self.empty)

    @Slot()
    def _make_next(self) -> None:
        make = next(self._makers, None)
        if make is None:
            self._timer.stop()
        else:
            make()

    def _make_why(self) -> None:
        self.why = WhySection(self._desk)
        self._column.addWidget(self.why)

    def _make_maps(self) -> None:
        self.maps = MapsSection(self._desk)

    def _make_states(self) -> None:
        self.states = StatesSection(self._desk)
        for section in (self.maps, self.states):
            self._column.addWidget(section)

    def _join(self) -> None:
        desk, self.ready, self.seen = self._desk, True, SeenSection()
        self._column.addWidget(self.seen)
        self._column.addStretch()
        for section in (self.why, self.maps, self.states, self.seen):
            section.folded_changed.connect(self._wish)
        self.why.wish_changed.connect(self._wish)
        self.maps.wish_changed.connect(self._wish)
        self.states.seen.connect(self._wish)
        desk.inside_changed.connect(self._show_view)
        desk.answered.connect(self._answered)
        desk.wish_changed.connect(self._wish_changed)
        if self._layers is not None:
            self.maps.show_layers(self._layers, desk.wish.port)
        self._tell()

    # --- what is wished -----------------------------------------------------------------------

    @Slot()
    def _wish(self) -> None:
        """Wish what can be seen, and nothing else."""
        if not self.ready:
            return
        shown = self.isVisible() and self._desk.awake and self._desk.network is not None
        heat, maps, states = self.why.heat, self.maps.open, self.states.open
        looks = shown and (heat != "none" or maps or states)
        self._desk.set_wish(
            rate_hz=float(self.corner.rate.value()) if looks else 0.0,
            heat=heat if shown else "none",
            label=self.why.classes.label,
            maps=maps,
            port=self.maps.port if self._layers is not None else self._desk.wish.port,
            channels=self.maps.channels,
            # until some are known, they are looked for
            states=states or self.states.isHidden(),
        )
        if not shown or heat == "none":
            self._desk.set_heat(None)

    @Slot()
    def _wish_changed(self) -> None:
        """Another layer was chosen elsewhere."""
        if self._layers is not None:
            self.maps.choose(self._desk.wish.port)

    @Slot(int)
    def _rate_changed(self, rate: int) -> None:
        settings().setValue("live/inside_hz", rate)
        self._wish()

    # --- which network ------------------------------------------------------------------------

    @Slot()
    def _chosen(self) -> None:
        self._forget()
        self._tell()

    def _forget(self) -> None:
        self._graph, self._layers = None, None
        self._fetch.cancel()
        if self.ready:
            self.why.forget()
            self.maps.forget()
            self.states.forget()
            self.seen.show_answer(None)
        self.corner.show_seconds(None)

    @Slot()
    def _tell(self) -> None:
        """Show the sections, or say why there is nothing to see."""
        if not self.isVisible():
            return
        network = self._desk.network
        if network is not None and network is not self._graph:
            self._graph = network
            self._fetch.start(lambda: layers_of(network))
        sentence = self._why_nothing()
        if self.ready:
            for section in (self.why, self.maps):
                section.setVisible(network is not None)
        elif not sentence:
            self._timer.start()
            sentence = LOADING
        self._stack.setCurrentIndex(1 if sentence else 0)
        if sentence:
            self.empty.say(sentence)
        self.corner.show_parts(not sentence)
        self._wish()

    def _why_nothing(self) -> str:
        desk, recognition = self._desk, self._desk.recognition
        if desk.chosen.opaque:
            return DETECTOR
        if desk.with_training or desk.network is not None:
            inside = recognition.inside if recognition is not None else None
            return inside.problem if inside is not None else ""
        if not desk.running:
            return STOPPED
        if desk.device is None:
            return CLOSED
        if recognition is None or recognition.answers is None:
            status = desk.status if recognition is None else recognition.status
            return status.message if status.state == "failed" else LOADING
        return "" if recognition.answers.states() else NOTHING

    @Slot(object)
    def _layers_there(self, layers: Layers) -> None:
        self._layers = layers
        if self.ready:
            self.maps.show_layers(layers, self._desk.wish.port)
            self._wish()

    # --- what was seen ------------------------------------------------------------------------

    @Slot(object)
    def _show_view(self, view: InsideView) -> None:
        if not self.isVisible():
            return
        self.corner.show_seconds(view.seconds)
        if self.why.open:
            self.why.show_view(view)
        if self.maps.open:
            self.maps.show_view(view)
        self.states.show_view(view)

    @Slot(object)
    def _answered(self, answer: LiveAnswer) -> None:
        if self.isVisible():
            self.seen.show_answer(answer)
            self.states.show_answer(answer)
            if not self.states.isHidden() and self._stack.currentIndex() == 1:
                self._tell()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._tell()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._wish()


def _kept_rate() -> int:
    found = str(settings().value("live/inside_hz", RATE))
    return int(found) if found.isdecimal() else RATE
