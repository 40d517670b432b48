"""Choosing what to record from: a device by its name, or a file or stream in its place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QInputDialog, QMenu, QSizePolicy, QWidget

from playground.capture import DeviceInfo
from ui.insight.fetch import Fetch
from ui.widgets import IconButton

CLIP = "sample:clip/bigbuckbunny.mp4"
CLIP_NAME = "Bundled clip"
SPOKEN = "sample:speech"
NAMED = {CLIP: CLIP_NAME, SPOKEN: "Bundled words"}

Other = tuple[str, Callable[[], object]]


class DeviceRow(QWidget):
    """A list of devices by name with "look again" and a menu of what can stand in for one.

    ``address_changed`` carries what was chosen by the person. ``listed`` tells that the system's
    devices are known; asking for them may take seconds and never holds up the window.
    """

    address_changed = Signal(str)
    listed = Signal()

    def __init__(
        self, what: str, find: Callable[[], Sequence[DeviceInfo]], others: Sequence[Other]
    ) -> None:
        super().__init__()
        self._what, self._find = what, find
        self.devices: list[DeviceInfo] = []
        self.known = False
        self.address = ""
        self.box = QComboBox()
        self.box.setAccessibleName(what)
        self.box.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.box.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.box.setMinimumWidth(110)
        self.box.setMaximumWidth(360)
        self.box.activated.connect(self._activated)
        self.again = IconButton("refresh", f"Look for {what.lower()}s again")
        self.again.clicked.connect(self.look)
        self.other = IconButton("folder", f"Something else in place of the {what.lower()} …")
        self.other.setPopupMode(IconButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(self.other)
        for text, callback in others:
            menu.addAction(text, callback)
        self.other.setMenu(menu)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        row.addWidget(self.box, 100)
        row.addWidget(self.again)
        row.addWidget(self.other)
        row.addStretch(1)
        self._fetch = Fetch(self)
        self._fetch.done.connect(self._found)
        self._fetch.failed.connect(self._not_found)
        self._show()

    @Slot()
    def look(self) -> None:
        """Ask the system for its devices."""
        self.again.setEnabled(False)
        self._fetch.start(self._find)

    def look_quietly(self) -> None:
        """Ask again where nobody sees it; not while a person chooses."""
        if self.again.isEnabled() and not self.box.view().isVisible():
            self._fetch.start(self._find)

    def cancel(self) -> None:
        """Do not wait for the answer."""
        self._fetch.cancel()
        self.again.setEnabled(True)

    def choose(self, address: str) -> None:
        """Show ``address`` as the chosen one, without telling."""
        self.address = address
        self._show()

    def take(self, address: str) -> None:
        """Choose as a person does."""
        self.choose(address)
        self.address_changed.emit(address)

    def ask_address(self, title: str, text: str) -> None:
        """Ask for an address in a small dialog."""
        dialog = QInputDialog(self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setWindowTitle(title)
        dialog.setLabelText(text)
        dialog.setTextValue(self.address if "://" in self.address else "rtsp://")
        dialog.resize(460, 120)
        dialog.textValueSelected.connect(self._typed)
        dialog.open()

    def named(self, address: str) -> str:
        for device in self.devices:
            if device.address == address:
                return device.name
        if address in NAMED:
            return NAMED[address]
        if address.isdecimal():
            return f"{self._what} {address}"
        if "://" in address:
            scheme, _, rest = address.partition("://")
            return f"{scheme}://{rest.rpartition('@')[2]}"
        return Path(address).name or address

    def _show(self) -> None:
        self.box.blockSignals(True)
        self.box.clear()
        for device in self.devices:
            self.box.addItem(device.name, device.address)
        if self.address and self.box.findData(self.address) < 0:
            self.box.addItem(self.named(self.address), self.address)
        self.box.setPlaceholderText(f"No {self._what.lower()}" if self.known else "Looking …")
        self.box.setCurrentIndex(self.box.findData(self.address) if self.address else -1)
        self.box.setToolTip(self.address)
        self.box.blockSignals(False)

    @Slot(object)
    def _found(self, devices: object) -> None:
        assert isinstance(devices, Sequence)
        self.devices = list(devices)
        self.known = True
        self.again.setEnabled(True)
        self._show()
        self.listed.emit()

    @Slot(str)
    def _not_found(self, _text: str) -> None:
        self._found([])

    @Slot(int)
    def _activated(self, index: int) -> None:
        address = self.box.itemData(index)
        if isinstance(address, str):
            self.take(address)

    @Slot(str)
    def _typed(self, text: str) -> None:
        if text.strip():
            self.take(text.strip())
