"""The page "Network": what runs, layer by layer."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from models.graph import Graph
from playground.live.what import Runnable
from playground.messages import PortId
from ui.builder.numbers import flops_text, scaled
from ui.insight.fetch import Fetch
from ui.live.desk import NETWORK, Desk
from ui.live.inside.layers import Layers
from ui.live.inside.networks import networks_of, project_of, run_for, total
from ui.live.inside.tree import LayerTree
from ui.opening import Wanted
from ui.widgets import Button, ElidedLabel, label

READING = "The network is being read …"
WHOLE = "{} comes as a whole: it has no graph of layers here."
HINT = "Choose a layer, and the page Inside shows its maps."


class NetworkPage(QWidget):
    """A tree of the layers, with a way to the canvas."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.setAccessibleName("Network")
        self._desk = desk
        self._shown: tuple[Runnable, Graph | None] | None = None
        self._networks: list[Layers] = []
        self._fetch = Fetch(self)
        self._fetch.done.connect(self._read)
        self._fetch.failed.connect(self._say)
        self._projects = Fetch(self)
        self._projects.done.connect(self._project_there)
        self._projects.failed.connect(self._say)
        self._build()
        desk.wish_changed.connect(self._follow)
        for signal in (desk.chosen_changed, desk.status_changed, desk.running_changed):
            signal.connect(self._tell)

    def _build(self) -> None:
        self.title, self.cost = ElidedLabel("", "title"), label("", "small")
        self.note = label("", "second", wrap=True)
        self.tree = LayerTree()
        self.tree.chosen.connect(self._chosen)
        self.tree.opened.connect(self._opened)
        self.tree.selectionModel().currentChanged.connect(self._name_button)
        self.hint = label(HINT, "small", wrap=True)
        self.button = Button("Open on the canvas", "network")
        self.button.clicked.connect(self.open_on_canvas)
        head = QVBoxLayout()
        head.setContentsMargins(12, 0, 12, 0)
        head.setSpacing(2)
        head.addWidget(self.title)
        head.addWidget(self.cost)
        rows = QVBoxLayout()
        rows.setContentsMargins(6, 0, 6, 0)
        rows.addWidget(self.tree)
        foot = QVBoxLayout()
        foot.setContentsMargins(12, 0, 12, 0)
        foot.setSpacing(8)
        for widget in (self.note, self.hint, self.button):
            foot.addWidget(widget)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 12, 0, 12)
        column.setSpacing(8)
        column.addLayout(head)
        column.addLayout(rows, 1)
        column.addLayout(foot)
        self.note.setVisible(False)

    # --- which network ------------------------------------------------------------------------

    @Slot()
    def _tell(self) -> None:
        """Read the networks of what is chosen, where they were not read yet."""
        if not self.isVisible():
            return
        what, running = self._desk.chosen, self._desk.network
        if self._shown is not None and self._shown[0] == what and self._shown[1] is running:
            return
        fresh = self._shown is None or self._shown[0] != what
        self._shown = what, running
        self.title.set_text(what.title)
        if fresh:
            self._networks = []
            self.tree.show_networks(())
            self.cost.setText("")
            self._say(READING)
        self._fetch.start(lambda: networks_of(what, running))

    @Slot(object)
    def _read(self, networks: list[Layers]) -> None:
        if networks != self._networks:  # the same, once it runs: what is open stays so
            self._networks = networks
            self.tree.show_networks(networks)
        parameters, flops = total(networks)
        self.cost.setText(
            f"{scaled(parameters, '').strip()} parameters · {flops_text(flops)}" if networks else ""
        )
        self.note.setVisible(False)
        if not networks:
            self._say(WHOLE.format(self._desk.chosen.title))
        self.hint.setVisible(len(networks) == 1 and not self._desk.chosen.opaque)
        self.button.setVisible(bool(networks))
        self._follow()
        self._name_button()

    @Slot(str)
    def _say(self, text: str) -> None:
        self.note.setText(text)
        self.note.setVisible(True)
        self.hint.setVisible(False)
        self.button.setVisible(bool(self._networks))

    # --- what is chosen -----------------------------------------------------------------------

    @Slot()
    def _follow(self) -> None:
        if self.isVisible():
            self.tree.follow(self._desk.wish.port)

    @Slot(object)
    def _chosen(self, port: PortId | None) -> None:
        if port is not None and not self._desk.chosen.opaque:
            self._desk.set_wish(port=port)

    @Slot(object)
    def _opened(self, port: PortId) -> None:
        if not self._desk.chosen.opaque:
            self._desk.set_wish(port=port)
            self._desk.page_wanted.emit("inside")

    @Slot()
    @Slot(QModelIndex, QModelIndex)
    def _name_button(self, *_: object) -> None:
        text = "Open on the canvas"
        if self._desk.chosen.id == NETWORK:
            text = "Show on the canvas"
        elif len(self._networks) > 1:
            text = f"Open {self._title()} on the canvas"
        if text != self.button.text():
            self.button.setText(text)

    def _title(self) -> str:
        """Of the network that the chosen row belongs to."""
        if not self._networks:
            return ""
        return self._networks[self.tree.layers.network_at(self.tree.currentIndex())].title

    @Slot()
    def open_on_canvas(self) -> None:
        """The project's own network is there already; another is opened as a new project."""
        desk, what = self._desk, self._desk.chosen
        if what.id == NETWORK:
            desk.session.set_mode("network")
            return
        title = self._title()
        self._projects.start(lambda: _wanted(what, title))

    @Slot(object)
    def _project_there(self, wanted: Wanted | None) -> None:
        if wanted is not None:
            self._desk.session.project_wanted.emit(wanted)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._tell()
        self._follow()


def _wanted(what: Runnable, title: str) -> Wanted | None:
    """Reads files: not for the main thread."""
    project = project_of(what, title)
    return None if project is None else Wanted(project, run_for(what))
