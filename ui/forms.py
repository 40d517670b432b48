"""Forms from declarations: a row a ``Parameter``, checked as one types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import QEvent, QObject, Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent, QWheelEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QSizePolicy,
    QWidget,
)

from models.axes import AXES, Kind, Shape
from models.parameters import Parameter, ParameterError, Values
from ui.widgets import ElidedLabel, IconButton, restyle

FINE, COARSE = 1, 10
LABEL_SHARE, ROW_HEIGHT = 44, 36


class Field(QWidget):
    """One value. ``edited`` carries a checked value, ``refused`` a sentence ("": right again)."""

    edited = Signal(object)
    refused = Signal(str)

    def __init__(self, parameter: Parameter) -> None:
        super().__init__()
        self.parameter = parameter
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(4)

    def _add(self, widget: QWidget, stretch: int = 1) -> None:
        widget.setAccessibleName(self.parameter.label)
        if self.parameter.help:
            widget.setToolTip(self.parameter.help)
            widget.setAccessibleDescription(self.parameter.help)
        self._row.addWidget(widget, stretch)
        if self.focusProxy() is None:
            self.setFocusProxy(widget)

    def set_value(self, value: Any) -> None:
        raise NotImplementedError

    def _offer(self, value: Any) -> None:
        try:
            checked = self.parameter.check(value)
        except ParameterError as error:
            self.refused.emit(str(error))
        else:
            self.refused.emit("")
            self.edited.emit(checked)


class TextField(Field):
    """Numbers, lists of numbers and text: typed, stepped with the arrow keys or the wheel."""

    def __init__(self, parameter: Parameter, live: bool) -> None:
        super().__init__(parameter)
        self._value: Any = None
        self.line = QLineEdit()
        self.line.setMinimumWidth(40)
        if parameter.optional:
            self.line.setPlaceholderText(when_empty(parameter.help))
        self._add(self.line)
        if parameter.unit:
            unit = QLabel(parameter.unit)
            unit.setProperty("kind", "third")
            self._row.addWidget(unit)
        if live:
            self.line.textEdited.connect(self._typed)
        self.line.editingFinished.connect(self._finished)
        self.line.installEventFilter(self)

    def set_value(self, value: Any) -> None:
        self._value = value
        if self._parsed() == (value,) and self.line.text():
            return  # 0.10 being typed stays as it is
        self.line.setText(self.parameter.show(value))
        self.line.setCursorPosition(0)
        self.refused.emit("")

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            return self._key(event)
        if isinstance(event, QWheelEvent):
            if self.line.hasFocus() and self.parameter.type in ("int", "float"):
                self._nudge(1 if event.angleDelta().y() > 0 else -1, FINE)
                return True
            event.ignore()
            return True
        return super().eventFilter(watched, event)

    def _key(self, event: QKeyEvent) -> bool:
        keys = {Qt.Key.Key_Up: 1, Qt.Key.Key_Down: -1}
        if event.key() in keys and self.parameter.type in ("int", "float"):
            shifted = event.modifiers() & Qt.KeyboardModifier.ShiftModifier
            self._nudge(keys[Qt.Key(event.key())], COARSE if shifted else FINE)
            return True
        if event.key() == Qt.Key.Key_Escape and self._parsed() != (self._value,):
            self.line.setText(self.parameter.show(self._value))
            self.refused.emit("")
            return True
        return False

    def _nudge(self, direction: int, size: int) -> None:
        value = stepped(self.parameter, self._value, direction, size)
        if value != self._value:
            self._value = value
            self.line.setText(self.parameter.show(value))
            self._offer(value)

    def _parsed(self) -> tuple[Any] | None:
        try:
            return (self.parameter.parse(self.line.text()),)
        except ParameterError:
            return None

    @Slot(str)
    def _typed(self, text: str) -> None:
        try:
            value = self.parameter.parse(text)
        except ParameterError as error:
            self.refused.emit(str(error))
            return
        self.refused.emit("")
        if value != self._value:
            self._value = value
            self.edited.emit(value)

    @Slot()
    def _finished(self) -> None:
        self._typed(self.line.text())


class BoolField(Field):
    def __init__(self, parameter: Parameter) -> None:
        super().__init__(parameter)
        self.box = QCheckBox()
        self.box.toggled.connect(self._offer)
        self._add(self.box)

    def set_value(self, value: Any) -> None:
        self.box.blockSignals(True)
        self.box.setChecked(bool(value))
        self.box.blockSignals(False)


class ChoiceField(Field):
    def __init__(self, parameter: Parameter) -> None:
        super().__init__(parameter)
        self.box = QComboBox()
        self.box.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.box.setMinimumWidth(60)
        for value, label in parameter.choices:
            self.box.addItem(label, value)
        self.box.activated.connect(self._chosen)
        self.box.installEventFilter(self)
        self._add(self.box)

    def set_value(self, value: Any) -> None:
        values = [choice for choice, _ in self.parameter.choices]
        self.box.setCurrentIndex(values.index(value) if value in values else -1)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Wheel:  # scrolling the panel must not change a choice
            event.ignore()
            return True
        return super().eventFilter(watched, event)

    @Slot(int)
    def _chosen(self, index: int) -> None:
        self._offer(self.parameter.choices[index][0])


class ShapeField(Field):
    """A kind of value and its sizes in the order of the kind's axes."""

    def __init__(self, parameter: Parameter) -> None:
        super().__init__(parameter)
        self._value: dict[str, Any] = {}
        self.kind = QComboBox()
        self.kind.setMinimumWidth(60)
        self.kind.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        for kind in Kind:
            self.kind.addItem(str(kind), kind)
        self.sizes = QLineEdit()
        self.sizes.setMinimumWidth(48)
        self._add(self.kind)
        self._add(self.sizes)
        self.kind.activated.connect(self._kind_chosen)
        self.sizes.textEdited.connect(self._typed)

    def set_value(self, value: Any) -> None:
        shape = Shape.from_json(value)
        self._value = shape.to_json()
        self.kind.setCurrentIndex(list(Kind).index(shape.kind))
        text = "×".join(str(size) for size in shape.sizes)
        if self._read() != list(shape.sizes):
            self.sizes.setText(text)
        self.sizes.setToolTip("×".join(shape.axes))

    def _read(self) -> list[int | str]:
        parts = self.sizes.text().replace("×", " ").replace("x", " ").replace(",", " ").split()
        return [int(part) if part.isdecimal() else part for part in parts]

    @Slot(int)
    def _kind_chosen(self, index: int) -> None:
        kind, old = list(Kind)[index], Shape.from_json(self._value)
        sizes = dict(zip(old.axes, old.sizes, strict=True))
        fallback = {"C": 1, "T": 16, "D": 16, "H": 28, "W": 28, "F": 8}
        shape = Shape(kind, tuple(sizes.get(axis, fallback[axis]) for axis in AXES[kind]))
        self.set_value(shape.to_json())
        self._offer(shape.to_json())

    @Slot(str)
    def _typed(self, _text: str) -> None:
        self._offer({"kind": self._value["kind"], "sizes": self._read()})


class PathField(TextField):
    """A file or folder, typed or chosen; ``folder`` says which kind to choose."""

    def __init__(self, parameter: Parameter, folder: bool) -> None:
        super().__init__(parameter, live=False)
        self._folder = folder
        button = IconButton("folder", f"Choose {parameter.label.lower()}")
        button.clicked.connect(self._choose)
        self._row.addWidget(button)

    @Slot()
    def _choose(self) -> None:
        title, here = f"Choose {self.parameter.label.lower()}", str(self._value or "")
        if self._folder:
            chosen = QFileDialog.getExistingDirectory(self, title, here)
        else:
            chosen = QFileDialog.getOpenFileName(self, title, here)[0]
        if chosen:
            self.line.setText(chosen)
            self._typed(chosen)


class Form(QWidget):
    """Rows of label and field for ``parameters``.

    ``edited(id, value)`` carries checked values alone; a refused text is explained under its field
    and changes nothing. ``live``: numbers and text count while they are typed; else when the field
    is left or Enter is pressed.
    """

    edited = Signal(str, object)

    def __init__(
        self,
        parameters: Sequence[Parameter] = (),
        values: Values | None = None,
        *,
        live: bool = True,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._live = live
        self._values: dict[str, Any] = {}
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(12)
        self._grid.setVerticalSpacing(0)
        self._grid.setColumnStretch(0, LABEL_SHARE)
        self._grid.setColumnStretch(1, 100 - LABEL_SHARE)
        self.parameters: tuple[Parameter, ...] = ()
        self.fields: dict[str, Field] = {}
        self._labels: dict[str, ElidedLabel] = {}
        self._errors: dict[str, QLabel] = {}
        self.set_parameters(parameters, values or {})

    def set_parameters(self, parameters: Sequence[Parameter], values: Values) -> None:
        """Show other rows."""
        while (item := self._grid.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        self.parameters = tuple(parameters)
        self.fields, self._labels, self._errors = {}, {}, {}
        for row, parameter in enumerate(self.parameters):
            self._add_row(2 * row, parameter)
        self.set_values(values)

    def set_values(self, values: Values) -> None:
        """Show ``values`` or defaults. A field that is being typed in is left alone."""
        self._values = {p.id: values.get(p.id, p.default) for p in self.parameters}
        for id, field in self.fields.items():
            field.set_value(self._values[id])
        self._show_rows()

    def set_errors(self, errors: Mapping[str, str]) -> None:
        """Sentences from outside, by parameter; fields that are not named are right."""
        for id in self.fields:
            self._show_error(id, errors.get(id, ""))

    def set_enabled(self, ids: Sequence[str] | None) -> None:
        """Let only ``ids`` be edited (None: all)."""
        for id, field in self.fields.items():
            field.setEnabled(ids is None or id in ids)

    def error(self, id: str) -> str:
        """The sentence under a field, or ""."""
        return self._errors[id].text()

    def _add_row(self, row: int, parameter: Parameter) -> None:
        label = ElidedLabel(parameter.label, "second")
        label.setMinimumHeight(ROW_HEIGHT)
        label.tip = parameter.help
        field = self._field(parameter)
        field.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        label.setBuddy(field)
        error = QLabel()
        error.setProperty("kind", "error")
        error.setWordWrap(True)
        error.hide()
        self._grid.addWidget(label, row, 0)
        self._grid.addWidget(field, row, 1)
        self._grid.addWidget(error, row + 1, 0, 1, 2)
        self.fields[parameter.id] = field
        self._labels[parameter.id], self._errors[parameter.id] = label, error
        field.edited.connect(self._field_edited)
        field.refused.connect(self._field_refused)

    def _field(self, parameter: Parameter) -> Field:
        match parameter.type:
            case "bool":
                return BoolField(parameter)
            case "choice":
                return ChoiceField(parameter)
            case "shape":
                return ShapeField(parameter)
            case "path":
                return PathField(parameter, folder="folder" in parameter.id)
        return TextField(parameter, self._live)

    def _show_rows(self) -> None:
        for parameter in self.parameters:
            shown = parameter.visible is None or bool(parameter.visible(self._values))
            self._labels[parameter.id].setVisible(shown)
            self.fields[parameter.id].setVisible(shown)
            if not shown:
                self._errors[parameter.id].hide()

    def _show_error(self, id: str, text: str) -> None:
        error = self._errors[id]
        error.setText(text)
        error.setVisible(bool(text))
        field = self.fields[id]
        line = field.focusProxy()
        if isinstance(line, QLineEdit) and bool(line.property("invalid")) != bool(text):
            line.setProperty("invalid", bool(text))
            restyle(line)

    @Slot(object)
    def _field_edited(self, value: Any) -> None:
        field = self.sender()
        if isinstance(field, Field):
            self._values[field.parameter.id] = value
            self._show_rows()
            self.edited.emit(field.parameter.id, value)

    @Slot(str)
    def _field_refused(self, text: str) -> None:
        field = self.sender()
        if isinstance(field, Field):
            self._show_error(field.parameter.id, text)


def when_empty(help: str) -> str:
    """What an empty field means, from the help's "Empty: no limit.", where it is short."""
    meaning = help.partition("Empty: ")[2].partition(".")[0]
    return meaning if 0 < len(meaning) <= 16 else "automatic"


def stepped(parameter: Parameter, value: Any, direction: int, size: int) -> Any:
    """``value`` one step up or down, within the bounds: a whole number by one, a logarithmic one
    by a factor of two, others by a twentieth of their range or a tenth of themselves."""
    low, high = parameter.minimum, parameter.maximum
    if value is None or isinstance(value, (list, tuple)):
        value = parameter.default if isinstance(parameter.default, (int, float)) else low or 0
    if parameter.logarithmic:
        result = value * 2.0 ** (direction * (2 if size == COARSE else 1)) or 1e-4
    elif parameter.type == "int":
        result = value + direction * size
    else:
        ranged = low is not None and high is not None and high - low <= 100
        unit = (high - low) / 20 if ranged else abs(value) / 10 or 0.1  # type: ignore[operator]
        result = round(value + direction * size * unit, 10)
    if low is not None:
        result = max(low, result)
    if high is not None:
        result = min(high, result)
    return int(result) if parameter.type == "int" else float(f"{result:.6g}")
