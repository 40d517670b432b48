"""Forms: what is typed is checked at once, explained under the field, and never lost."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from models.parameters import Parameter
from ui.forms import BoolField, ChoiceField, Form, ShapeField, TextField, stepped

UNITS = Parameter("units", "Hidden units", "int", 64, minimum=1, maximum=4096)
RATE = Parameter("rate", "Learning rate", "float", 0.001, minimum=1e-6, logarithmic=True)
DROPOUT = Parameter("dropout", "Dropout", "float", 0.0, minimum=0, maximum=1)
KERNEL = Parameter("kernel", "Kernel", "ints", 3, minimum=1)
BIAS = Parameter("bias", "Bias", "bool", True)
MODE = Parameter("mode", "Mode", "choice", "zeros", choices=(("zeros", "zeros"), ("own", "given")))
SIZE = Parameter("size", "Size", "int", 4, visible=lambda values: values["mode"] == "own")
SHAPE = Parameter("shape", "Shape", "shape", {"kind": "image", "sizes": [1, 28, 28]})
CLIP = Parameter("clip", "Clip", "float", None, optional=True, minimum=0)


@pytest.fixture
def form(app: QApplication) -> Form:
    form = Form([UNITS, RATE, DROPOUT, KERNEL, BIAS, MODE, SIZE, SHAPE, CLIP], {"units": 32})
    form.resize(300, 500)
    form.show()
    return form


@pytest.fixture
def edits(form: Form) -> list[tuple[str, object]]:
    seen: list[tuple[str, object]] = []
    form.edited.connect(lambda id, value: seen.append((id, value)))
    return seen


def text(form: Form, id: str) -> TextField:
    field = form.fields[id]
    assert isinstance(field, TextField)
    return field


def type_in(form: Form, id: str, keys: str) -> None:
    line = text(form, id).line
    line.setFocus()
    line.selectAll()
    QTest.keyClicks(line, keys)


def test_values_and_defaults_are_shown(form: Form) -> None:
    assert text(form, "units").line.text() == "32"
    assert text(form, "rate").line.text() == "0.001"
    assert text(form, "clip").line.text() == ""


def test_typing_counts_at_once(form: Form, edits: list[tuple[str, object]]) -> None:
    type_in(form, "units", "16")
    assert edits == [("units", 1), ("units", 16)]


def test_a_list_of_numbers(form: Form, edits: list[tuple[str, object]]) -> None:
    type_in(form, "kernel", "3x5")
    assert edits[-1] == ("kernel", [3, 5])


def test_a_refused_text_is_explained_and_changes_nothing(
    form: Form, edits: list[tuple[str, object]]
) -> None:
    type_in(form, "units", "0")
    assert edits == []
    assert "from 1 to 4,096" in form.error("units")
    assert text(form, "units").line.text() == "0"
    QTest.keyClick(text(form, "units").line, Qt.Key.Key_Escape)
    assert text(form, "units").line.text() == "32"
    assert form.error("units") == ""


def test_an_optional_value_can_be_emptied(form: Form, edits: list[tuple[str, object]]) -> None:
    type_in(form, "clip", "2")
    QTest.keyClick(text(form, "clip").line, Qt.Key.Key_Backspace)
    assert edits == [("clip", 2.0), ("clip", None)]


def test_arrow_keys_step_within_the_bounds(form: Form, edits: list[tuple[str, object]]) -> None:
    line = text(form, "units").line
    QTest.keyClick(line, Qt.Key.Key_Up)
    QTest.keyClick(line, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    assert edits == [("units", 33), ("units", 23)]


def test_a_choice_shows_what_depends_on_it(form: Form, edits: list[tuple[str, object]]) -> None:
    assert not form.fields["size"].isVisible()
    field = form.fields["mode"]
    assert isinstance(field, ChoiceField)
    field.box.setCurrentIndex(1)
    field.box.activated.emit(1)
    assert edits == [("mode", "own")]
    assert form.fields["size"].isVisible()


def test_yes_and_no(form: Form, edits: list[tuple[str, object]]) -> None:
    field = form.fields["bias"]
    assert isinstance(field, BoolField)
    field.box.click()
    assert edits == [("bias", False)]


def test_a_shape(form: Form, edits: list[tuple[str, object]]) -> None:
    field = form.fields["shape"]
    assert isinstance(field, ShapeField)
    field.sizes.setFocus()
    field.sizes.selectAll()
    QTest.keyClicks(field.sizes, "3x8x8")
    assert edits[-1] == ("shape", {"kind": "image", "sizes": [3, 8, 8]})
    field.kind.setCurrentIndex(2)
    field.kind.activated.emit(2)
    assert edits[-1][1] == {"kind": "sequence", "sizes": [16, 8]}


def test_new_values_do_not_disturb_a_field_that_is_being_typed_in(
    form: Form, edits: list[tuple[str, object]]
) -> None:
    form.activateWindow()
    type_in(form, "dropout", "0.10")
    form.set_values({"dropout": 0.1, "units": 8})
    assert text(form, "dropout").line.text() == "0.10"
    assert text(form, "units").line.text() == "8"
    assert edits[-1] == ("dropout", 0.1)


def test_a_form_that_waits_for_enter(app: QApplication) -> None:
    form = Form([UNITS], {}, live=False)
    form.show()
    seen: list[object] = []
    form.edited.connect(lambda id, value: seen.append(value))
    type_in(form, "units", "16")
    assert seen == []
    QTest.keyClick(text(form, "units").line, Qt.Key.Key_Return)
    assert seen == [16]


def test_errors_from_outside(form: Form) -> None:
    form.set_errors({"units": "Too large for this machine"})
    assert form.error("units") == "Too large for this machine"
    form.set_errors({})
    assert form.error("units") == ""


def test_every_field_has_an_accessible_name(form: Form) -> None:
    for parameter in form.parameters:
        assert form.fields[parameter.id].focusProxy().accessibleName() == parameter.label


@pytest.mark.parametrize(
    ("parameter", "value", "direction", "size", "expected"),
    [
        (UNITS, 64, 1, 1, 65),
        (UNITS, 1, -1, 10, 1),
        (RATE, 0.001, 1, 1, 0.002),
        (RATE, 0.001, -1, 10, 0.00025),
        (DROPOUT, 0.1, 1, 1, 0.15),
        (DROPOUT, 0.98, 1, 1, 1.0),
        (CLIP, None, 1, 1, 0.1),
    ],
)
def test_steps(
    parameter: Parameter, value: object, direction: int, size: int, expected: float
) -> None:
    assert stepped(parameter, value, direction, size) == pytest.approx(expected)
