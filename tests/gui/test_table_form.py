"""The column wizard: what it shows, what can be set, and what is said of tables that cannot be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox

from playground.data import DataSettings, inspect_table, open_data
from ui.data.table_columns import FIELDS, PLACES
from ui.data.table_form import TableForm

Wait = Callable[..., None]
SHOPS = "day;shop;people;temperature;remark;sales\n" + "".join(
    f"2024-{1 + n // 28:02}-{1 + n % 28:02};{'north south'.split()[n % 2]};{n * 7 % 90};"
    f"{'' if n % 9 == 0 else str(n % 30) + ',5'};remark {n};{n * 1.5:.1f}\n".replace(".", ",")
    for n in range(120)
)


@pytest.fixture
def shops(tmp_path: Path) -> Path:
    path = tmp_path / "shops.csv"
    path.write_text(SHOPS)
    return path


@pytest.fixture
def form(app: QApplication, wait: Wait, shops: Path) -> TableForm:
    form = TableForm()
    form.resize(720, 420)
    form.show()
    form.look(str(shops), shops.parent, {})
    wait(lambda: form.roles())
    return form


def cell(form: TableForm, row: int, field: str) -> str:
    return str(form.columns.columns.index(row, PLACES[field]).data())


def opened(form: TableForm, path: Path) -> object:
    options = {key: value for key, value in form.options().items() if value is not None}
    return open_data(DataSettings("table", {**options, "path": path.name}), path.parent)


def test_columns_with_their_figures(form: TableForm) -> None:
    assert form.columns.columns.rowCount() == 6
    names = [cell(form, row, "name") for row in range(6)]
    assert names == ["day", "shop", "people", "temperature", "remark", "sales"]
    assert cell(form, 0, "values") == "2024-01-01 … 2024-05-08"
    assert cell(form, 1, "values") == "north 60×, south 60×"
    assert cell(form, 3, "missing") == "14"
    assert cell(form, 3, "values").startswith("0.5 … 29.5, mean ")
    assert [cell(form, row, "role") for row in (0, 1, 5)] == [
        "Leave out  ▾",
        "Learn from  ▾",
        "Predict  ▾",
    ]
    assert "120 rows, 6 columns" in form.message.text()
    assert not form.grab().isNull()


def test_the_format_is_shown_and_can_be_set(form: TableForm, wait: Wait, shops: Path) -> None:
    boxes = form.format.boxes
    assert [boxes[id].currentText() for id in ("delimiter", "encoding", "header", "decimal")] == [
        "Semicolon",
        "UTF-8",
        "First row",
        "Comma",
    ]
    assert form.options()["delimiter"] is None
    boxes["header"].setCurrentIndex(2)
    boxes["header"].activated.emit(2)
    wait(lambda: "column_1" in form.roles())
    assert form.options()["header"] == "no"
    boxes["header"].setCurrentIndex(0)
    boxes["header"].activated.emit(0)
    wait(lambda: "shop" in form.roles())


def test_a_use_is_chosen_with_the_keyboard(form: TableForm) -> None:
    view = form.columns
    view.setFocus()
    view.setCurrentIndex(view.model().index(0, PLACES["role"]))
    QTest.keyClick(view, Qt.Key.Key_F2)
    box = view.findChild(QComboBox)
    assert box is not None
    assert box.accessibleName() == "Use of day"
    box.setCurrentIndex(box.findData("time"))
    box.activated.emit(box.currentIndex())
    assert form.roles()["day"] == "time"
    assert form.options()["time"] == "day"


def test_one_column_is_the_target(form: TableForm, shops: Path) -> None:
    form.set_role("people", "target")
    assert form.roles()["sales"] == "ignore"
    form.set_role("shop", "group")
    options = form.options()
    assert (options["target"], options["group"]) == ("people", "shop")
    assert options["features"] == "temperature"
    assert opened(form, shops).task == "regression"  # type: ignore[attr-defined]


def test_types_fillings_and_scalings(form: TableForm, shops: Path) -> None:
    model = form.columns.columns
    model.setData(model.index(2, PLACES["type"]), "category")
    assert form.options()["types"] == "people=category"
    assert cell(form, 2, "type") == "Category  ▾"
    assert not model.flags(model.index(2, PLACES["scaling"])) & Qt.ItemFlag.ItemIsEditable
    model.setData(model.index(2, PLACES["type"]), "number")
    assert form.options()["types"] is None
    model.setData(model.index(3, PLACES["filling"]), "median")
    model.setData(model.index(3, PLACES["scaling"]), "range")
    options = form.options()
    assert (options["fillings"], options["scalings"]) == ("temperature=median",
                                                          "temperature=range")  # fmt: skip
    assert opened(form, shops) is not None
    model.setData(model.index(3, PLACES["filling"]), "")
    assert form.options()["fillings"] is None


def test_dates_become_features(form: TableForm, shops: Path) -> None:
    form.set_role("day", "feature")
    assert "day" in str(form.options()["features"])
    assert not form.problem
    assert opened(form, shops) is not None


def test_what_cannot_be_used_is_said(form: TableForm, wait: Wait, shops: Path) -> None:
    told: list[str] = []
    form.changed.connect(lambda: told.append(form.problem))
    form.set_role("remark", "feature")
    assert "choose the source Text" in form.problem
    assert form.message.property("kind") == "error"
    form.set_role("remark", "ignore")
    assert not form.problem
    for name in ("shop", "people", "temperature"):
        form.set_role(name, "ignore")
    assert "no column to learn from" in form.problem
    form.set_role("shop", "feature")
    assert not form.problem
    shops.write_text(SHOPS + "1;2;3;4;5;6;7;8\n")
    form.look(str(shops), shops.parent, {})
    wait(lambda: "row 122 has 8 values" in form.problem)
    assert form.format.isVisible()
    uneven = form.format.boxes["uneven"]
    uneven.setCurrentIndex(2)
    uneven.activated.emit(2)
    wait(lambda: not form.file_problem)
    assert "row 122 has 8 values instead of 6" in form.message.text()
    assert told


def test_what_a_project_has_is_shown(app: QApplication, wait: Wait, shops: Path) -> None:
    form = TableForm()
    given = {"target": "people", "features": "sales", "types": "shop=text", "delimiter": ";"}
    form.set_options(given)
    form.look(str(shops), shops.parent, given)
    wait(lambda: form.roles())
    assert form.roles()["people"] == "target"
    assert cell(form, 1, "type") == "Text  ▾"
    options = form.options()
    assert {key: options[key] for key in given} == given
    form.deleteLater()


def test_figures_of_all_rows_follow(app: QApplication, wait: Wait, tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    path.write_text("x,label\n" + "".join(f"{n},{'ab'[n % 2]}\n" for n in range(9000)))
    form = TableForm()
    form.look(str(path), tmp_path, {})
    wait(lambda: "Figures of the first 5,000 rows" in form.message.text() or "9,000" in
         form.message.text())  # fmt: skip
    wait(lambda: "9,000 rows" in form.message.text())
    assert cell(form, 0, "values") == "0 … 8999, mean 4500"
    form.deleteLater()


def test_ten_thousand_columns(app: QApplication, tmp_path: Path) -> None:
    path = tmp_path / "wide.csv"
    count = 10_000
    names = ",".join(f"c{n}" for n in range(count))
    path.write_text("\n".join([names, *(",".join(["1", "2"] * (count // 2)) for _ in range(3))]))
    form = TableForm()
    form.resize(700, 400)
    form.show()
    form.show_preview(inspect_table(path))
    assert form.columns.columns.rowCount() == count
    assert form.options()["features"] is None
    assert not form.grab().isNull()
    form.deleteLater()


def test_the_list_names_what_it_shows() -> None:
    assert [field.title for field in FIELDS][:3] == ["Column", "Use", "Type"]
