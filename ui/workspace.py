"""The panels around the canvas: sizes, hiding, maximising, and what is remembered of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QFrame, QSplitter, QVBoxLayout, QWidget

from ui.panel import Panel
from ui.session import Session
from ui.settings import settings
from ui.start import ExampleList

if TYPE_CHECKING:
    from ui.data.workspace import DataWorkspace
    from ui.live.workspace import LiveWorkspace

GAP = 8
PAGES = (
    "ui.builder.canvas",
    "ui.builder.palette",
    "ui.builder.inspector",
    "ui.builder.outline",
    "pyqtgraph",
    "ui.data.panel",
    "ui.insight.live",
    "ui.insight.confusion",
    "ui.insight.tryout",
    "ui.training.panel",
    "ui.runs.panel",
    "ui.data.samples.page",
    "ui.data.record.camera",
    "ui.data.record.page",
)
"""What a workspace is made of. It is not needed for the start page, so it is loaded after it."""
CANVAS = "canvas"
DATA_PAGES = ("samples", "record", "augment", "checks")
TITLES = {
    "library": "Layers, Examples and Outline",
    "data": "Data",
    CANVAS: "Canvas",
    "side": "Inspector and Training",
    "views": "Live views",
}


class Workspace(QWidget):
    """Library and data at the left; canvas and inspector over the live views at the right."""

    live_made = Signal()
    """``live_view`` is there."""

    def __init__(self, session: Session, open_example: Callable[[str], object]) -> None:
        super().__init__()
        self._session = session
        self.hidden: set[str] = set()
        self.maximised: str | None = None
        self.data_view: DataWorkspace | None = None
        self.live_view: LiveWorkspace | None = None
        self.panels: dict[str, QWidget] = {}
        self._make_panels(open_example)
        self._make_splitters()
        self._restore()
        self._arrange()
        session.reveal.connect(self.reveal)
        session.mode_changed.connect(self._turn)
        session.saving.connect(self._keep_tabs)
        session.dataset_changed.connect(self._name_pages)
        session.project_changed.connect(self.project_changed)

    # --- panels -------------------------------------------------------------------------------

    def _make_panels(self, open_example: Callable[[str], object]) -> None:
        from ui.builder.canvas import Canvas
        from ui.builder.inspector import Inspector
        from ui.builder.outline import Outline
        from ui.builder.palette import Palette
        from ui.data.drops import data_drops
        from ui.data.panel import DataPanel
        from ui.insight.confusion import ConfusionPanel
        from ui.insight.live import LivePanel
        from ui.insight.sample_chooser import SampleChooser
        from ui.insight.tryout import TryPanel
        from ui.runs.panel import RunsPanel
        from ui.training.panel import TrainingPanel

        session = self._session
        data_drops(self, session)
        self.canvas = Canvas(session)
        self.library = self._panel("library")
        self.library.add_page("layers", "Layers", Palette(session))
        self.library.add_page("examples", "Examples", lambda: ExampleList(open_example))
        self.library.add_page("outline", "Outline", lambda: Outline(session))
        self.data = self._panel("data")
        data = DataPanel(session)
        self.data.add_page("data", "Data", data)
        for button in data.sources:
            self.data.add_right(button)
        self.side = self._panel("side")
        self.side.add_page("inspector", "Inspector", Inspector(session))
        self.side.add_page("training", "Training", lambda: TrainingPanel(session))
        self.views = self._panel("views")
        self.views.add_page("live", "Live", LivePanel(session))
        self.views.add_page("confusion", "Confusion", lambda: ConfusionPanel(session))
        self.views.add_page("try", "Try", lambda: TryPanel(session))
        self.views.add_page("runs", "Runs", lambda: RunsPanel(session))
        self._sample = SampleChooser(session)
        self.views.add_right(self._sample)
        frame = QFrame()
        frame.setProperty("kind", "panel")
        frame.setAccessibleName("Canvas")
        column = QVBoxLayout(frame)
        column.setContentsMargins(1, 1, 1, 1)
        column.addWidget(self.canvas)
        self.panels = {
            "library": self.library,
            "data": self.data,
            CANVAS: frame,
            "side": self.side,
            "views": self.views,
        }

    def _panel(self, id: str) -> Panel:
        panel = Panel(TITLES[id])
        panel.setObjectName(id)
        panel.maximise_wanted.connect(self._maximise_sender)
        panel.hide_wanted.connect(self._hide_sender)
        return panel

    # --- arrangement --------------------------------------------------------------------------

    def _make_splitters(self) -> None:
        panels = self.panels
        self._left = _splitter(Qt.Orientation.Vertical, panels["library"], panels["data"])
        self._upper = _splitter(Qt.Orientation.Horizontal, panels[CANVAS], panels["side"])
        self._right = _splitter(Qt.Orientation.Vertical, self._upper, panels["views"])
        self._root = _splitter(Qt.Orientation.Horizontal, self._left, self._right)
        for splitter, stretches in (
            (self._root, (0, 1)),
            (self._upper, (1, 0)),
            (self._left, (4, 3)),
            (self._right, (4, 3)),
        ):
            for index, stretch in enumerate(stretches):
                splitter.setStretchFactor(index, stretch)
        panels["library"].setMinimumSize(200, 120)
        panels["data"].setMinimumSize(200, 120)
        panels["side"].setMinimumSize(240, 120)
        panels["views"].setMinimumSize(300, 120)
        panels[CANVAS].setMinimumSize(320, 160)
        column = QVBoxLayout(self)
        column.setContentsMargins(GAP, GAP, GAP, GAP)
        column.addWidget(self._root)

    @property
    def _splitters(self) -> dict[str, QSplitter]:
        return {
            "left": self._left,
            "upper": self._upper,
            "right": self._right,
            "root": self._root,
        }

    def set_hidden(self, id: str, hidden: bool) -> None:
        """Hide a panel or show it again. The canvas stays."""
        if id != CANVAS:
            (self.hidden.add if hidden else self.hidden.discard)(id)
            self.maximised = None
            self._arrange()

    def toggle(self, id: str) -> None:
        self.set_hidden(id, id not in self.hidden)

    def maximise(self, id: str) -> None:
        """Give a panel all the room, or put everything back."""
        self.maximised = None if self.maximised == id else id
        self._arrange()

    def is_shown(self, id: str) -> bool:
        return self.maximised == id if self.maximised else id not in self.hidden

    @Slot()
    def _turn(self) -> None:
        """Turn to the network, to the data at full size beside their summary, or to live."""
        if self._session.mode == "data":
            self._made_data_view().show_first()
        elif self._session.mode == "live":
            self.made_live_view().recognise("")
        self._arrange()

    def _made_data_view(self) -> DataWorkspace:
        if self.data_view is None:
            from ui.data.workspace import DataWorkspace

            self.data_view = DataWorkspace(self._session)
            self.data_view.hide()
            self._root.addWidget(self.data_view)
            self._root.setStretchFactor(2, 1)
        return self.data_view

    def made_live_view(self) -> LiveWorkspace:
        """What runs live, made when it is first wanted."""
        if self.live_view is None:
            from ui.live.workspace import LiveWorkspace

            self.live_view = LiveWorkspace(self._session)
            self.live_view.hide()
            self._root.addWidget(self.live_view)
            self._root.setStretchFactor(self._root.count() - 1, 1)
            self.live_made.emit()
        return self.live_view

    def _arrange(self) -> None:
        mode = self._session.mode
        shown = {
            id: id == "data" and id not in self.hidden if mode == "data" else self.is_shown(id)
            for id in self.panels
        }
        if mode == "live":
            shown = dict.fromkeys(self.panels, False)
        if self.data_view is not None:
            self.data_view.setVisible(mode == "data")
        if self.live_view is not None:
            self.live_view.setVisible(mode == "live")
        for id, panel in self.panels.items():
            panel.setVisible(shown[id])
        self._left.setVisible(shown["library"] or shown["data"])
        self._upper.setVisible(shown[CANVAS] or shown["side"])
        self._right.setVisible(shown[CANVAS] or shown["side"] or shown["views"])

    # --- memory -------------------------------------------------------------------------------

    def remember(self) -> None:
        """Write sizes, hidden panels and chosen tabs to the settings."""
        store = settings()
        if self.maximised is None:
            for name, splitter in self._splitters.items():
                store.setValue(f"panels/{name}", splitter.saveState())
        store.setValue("panels/hidden", " ".join(sorted(self.hidden)))
        for panel in (self.library, self.side, self.views):
            store.setValue(f"panels/tab_{panel.objectName()}", panel.current())

    def reset(self) -> None:
        """All panels at the sizes they have at first."""
        self.hidden, self.maximised = set(), None
        self._arrange()
        self._default_sizes()

    def _restore(self) -> None:
        store = settings()
        names = str(store.value("panels/hidden", "")).split()
        self.hidden = {name for name in names if name in TITLES and name != CANVAS}
        self._sized = False
        for panel in (self.library, self.side, self.views):
            tab = store.value(f"panels/tab_{panel.objectName()}")
            if isinstance(tab, str) and tab in panel.ids() and tab != panel.current():
                panel.set_current(tab)

    def showEvent(self, event: object) -> None:
        if not self._sized:
            self._sized = True
            self._default_sizes()
            for name, splitter in self._splitters.items():
                state = settings().value(f"panels/{name}")
                if state is not None:
                    splitter.restoreState(state)
                splitter.setHandleWidth(GAP)
                splitter.setChildrenCollapsible(False)
            self._arrange()

    @Slot()
    def _keep_tabs(self) -> None:
        tabs = {p.objectName(): p.current() for p in (self.library, self.side, self.views)}
        self._session.keep("tabs", tabs)

    @Slot()
    def project_changed(self) -> None:
        """Show the pages that were chosen when the project was saved, and be ready for keys."""
        tabs = self._session.project.view.get("tabs")
        for panel in (self.library, self.side, self.views):
            tab = tabs.get(panel.objectName()) if isinstance(tabs, dict) else None
            if isinstance(tab, str) and tab != panel.current():
                panel.set_current(tab)
        self.canvas.setFocus(Qt.FocusReason.OtherFocusReason)

    def _default_sizes(self) -> None:
        width, height = self.width() - 2 * GAP, self.height() - 2 * GAP
        left = round(min(320, max(224, width * 0.161)))
        side = round(min(400, max(256, width * 0.186)))
        lower = round(max(240, height * 0.422))
        self._root.setSizes([left, width - left - GAP])
        self._upper.setSizes([width - left - side - 2 * GAP, side])
        for splitter in (self._left, self._right):
            splitter.setSizes([height - lower - GAP, lower])

    # --- what is shown ------------------------------------------------------------------------

    @Slot(str)
    def reveal(self, what: str) -> None:
        """Bring a page ("training"), a panel ("data"), a node ("node:n3") or a part of a page
        ("record:microphone") into view; or recognise live ("recognise:efficientnet-lite0")."""
        kind, _, id = what.partition(":")
        if kind == "node":
            self._show_panel(CANVAS)
            self._session.set_mode("network")
            self.canvas.show_node(id)
            return
        if kind == "recognise":
            self.made_live_view().recognise(id)
            self._session.set_mode("live")
            return
        if kind in DATA_PAGES:
            view = self._made_data_view()
            view.set_current(kind)
            if id:
                view.show_part(kind, id)
            self._session.set_mode("data")
            return
        if what != "data":
            self._session.set_mode("network")
        for name, panel in self.panels.items():
            if isinstance(panel, Panel) and what in panel.ids():
                self._show_panel(name)
                panel.set_current(what)
                panel.page(what).setFocus(Qt.FocusReason.OtherFocusReason)

    @Slot()
    def _name_pages(self) -> None:
        """Numbers are not confused with each other: they are predicted."""
        dataset = self._session.dataset
        if dataset is not None:
            classes = dataset.task == "classification"
            self.views.set_title("confusion", "Confusion" if classes else "Predictions")

    def _show_panel(self, id: str) -> None:
        if not self.is_shown(id):
            self.maximised = None
            self.hidden.discard(id)
            self._arrange()

    @Slot()
    def next_sample(self) -> None:
        self._session.set_sample(self._session.sample + 1)

    @Slot()
    def previous_sample(self) -> None:
        self._session.set_sample(self._session.sample - 1)

    @Slot()
    def _maximise_sender(self) -> None:
        panel = self.sender()
        if isinstance(panel, Panel):
            self.maximise(panel.objectName())

    @Slot()
    def _hide_sender(self) -> None:
        panel = self.sender()
        if isinstance(panel, Panel):
            self.set_hidden(panel.objectName(), True)


def _splitter(orientation: Qt.Orientation, *widgets: QWidget) -> QSplitter:
    splitter = QSplitter(orientation)
    splitter.setHandleWidth(GAP)
    splitter.setChildrenCollapsible(False)
    for widget in widgets:
        splitter.addWidget(widget)
    return splitter
