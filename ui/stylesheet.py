"""The stylesheet, written from a theme's tokens. Widgets choose a look by the property ``kind``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ui.theme import Tokens

_SHEET = """
* { outline: none; }
QMainWindow, QDialog, QWidget[kind="window"] { background: $window; }
QToolTip { background: $raised; color: $text; border: 1px solid $line; padding: 4px 6px; }

QFrame[kind="panel"] { background: $panel; border: 1px solid $line; border-radius: 8px; }
QFrame[kind="bar"] { background: $panel; border: none; border-bottom: 1px solid $line; }
QFrame[kind="float"] { background: $panel; border: 1px solid $line; border-radius: 8px; }
QFrame[kind="header"] { background: transparent; border: none; border-bottom: 1px solid $line; }
QFrame[kind="divider"] { background: $line; border: none; }
QFrame[kind="banner"] { background: $panel; border: 1px solid $line; border-radius: 8px; }

QLabel { background: transparent; }
QLabel[kind="title"] { font-weight: 600; }
QLabel[kind="second"] { color: $text2; }
QLabel[kind="third"] { color: $text3; }
QLabel[kind="small"] { color: $text2; font-size: 12px; }
QLabel[kind="action"] { color: $accent; font-size: 12px; font-weight: 600; }
QLabel[kind="section"] { color: $text3; font-size: 12px; }
QLabel[kind="error"] { color: $bad; font-size: 12px; }
QLabel[kind="head"] { font-size: 20px; font-weight: 600; }

QPushButton { background: $raised; border: 1px solid $line; border-radius: 6px; color: $text;
  padding: 0 12px; min-height: 26px; font-weight: 500; }
QPushButton:hover { background: $pressed; }
QPushButton:pressed { background: $pressed; border-color: $text3; }
QPushButton:focus { border-color: $accent; }
QPushButton:disabled { color: $text3; }
QPushButton[kind="primary"] { background: $accent_fill; border-color: $accent_fill;
  color: #FFFFFF; }
QPushButton[kind="primary"]:hover { border-color: $accent; }
QPushButton[kind="primary"]:focus { border-color: $text; }
QPushButton[kind="primary"]:disabled { background: $pressed; border-color: $pressed;
  color: $text3; }
QPushButton[kind="danger"] { background: $bad_fill; border-color: $bad_fill; color: #FFFFFF; }
QPushButton[kind="danger"]:focus { border-color: $text; }
QPushButton[kind="dashed"] { background: transparent; border: 1px dashed $text3; color: $text2; }
QPushButton[kind="dashed"]:hover { background: $raised; color: $text; }
QPushButton[kind="dashed"]:focus { border: 1px solid $accent; }
QPushButton[kind="link"] { background: transparent; border: none; color: $accent; padding: 0 4px;
  text-align: left; }
QPushButton[kind="link"]:hover { text-decoration: underline; }
QPushButton[kind="link"]:focus { text-decoration: underline; }
QPushButton[kind="quiet"] { background: transparent; border: none; color: $text2; padding: 0 4px;
  font-weight: 400; }
QPushButton[kind="quiet"]:hover { color: $text; }
QPushButton[kind="quiet"]:focus { color: $accent; }
QPushButton[kind="chip"] { background: $raised; border: 1px solid $line; border-radius: 13px;
  color: $text2; padding: 0 10px; min-height: 24px; font-weight: 400; text-align: left; }
QPushButton[kind="chip"]:hover { background: $pressed; }
QPushButton[kind="chip"]:focus { border-color: $accent; }
QPushButton[kind="run"] { background: $pressed; border: 1px solid $pressed; min-height: 30px;
  padding: 0 13px 0 11px; font-weight: 600; }
QPushButton[kind="run"]:hover { border-color: $text3; }
QPushButton[kind="run"]:focus { border-color: $accent; }
QPushButton[kind="run"]:disabled { background: $raised; border-color: $raised; color: $text3; }
QPushButton[kind="segment"] { background: transparent; border: 1px solid transparent;
  color: $text2; padding: 0 10px; min-height: 22px; border-radius: 5px; }
QPushButton[kind="segment"]:hover { color: $text; }
QPushButton[kind="segment"]:checked { background: $pressed; color: $text; }
QPushButton[kind="segment"]:focus { border-color: $accent; }
QPushButton[kind="row"] { background: transparent; border: 1px solid transparent; color: $text;
  text-align: left; padding: 0 8px; min-height: 30px; font-weight: 400; }
QPushButton[kind="row"]:hover { background: $raised; }
QPushButton[kind="row"]:focus { border-color: $accent; }
QPushButton[kind="title"] { background: transparent; border: 1px solid transparent;
  text-align: left; min-height: 42px; padding: 0; }
QPushButton[kind="title"]:hover { background: $raised; }
QPushButton[kind="title"]:focus { border-color: $accent; }
QPushButton[kind="fold"] { background: transparent; border: none; padding: 0; min-height: 22px;
  font-weight: 600; text-align: left; }
QPushButton[kind="fold"]:hover { color: $accent; }
QPushButton[kind="fold"]:focus { color: $accent; }
QPushButton[kind="card"] { background: $panel; border: 1px solid $line; border-radius: 8px;
  padding: 0; text-align: left; font-weight: 400; }
QPushButton[kind="card"]:hover { background: $raised; border-color: $text3; }
QPushButton[kind="card"]:focus { border-color: $accent; }
QPushButton[kind="choice"] { background: transparent; border: 1px solid transparent;
  border-radius: 8px; padding: 0; min-height: 50px; text-align: left; font-weight: 400; }
QPushButton[kind="choice"]:hover { background: $raised; }
QPushButton[kind="choice"]:checked { background: $raised; border-color: $accent; }
QPushButton[kind="choice"]:focus { border-color: $text3; }
QPushButton[kind="choice"]:checked:focus { border-color: $text; }
QFrame[kind="segments"] { background: $raised; border: 1px solid $line; border-radius: 6px; }

QToolButton { background: transparent; border: 1px solid transparent; border-radius: 6px;
  padding: 0; color: $text2; }
QToolButton:hover { background: $pressed; }
QToolButton:pressed, QToolButton:checked { background: $pressed; }
QToolButton:focus { border-color: $accent; }
QToolButton::menu-indicator { image: none; }
QToolButton[kind="tab"] { border: none; border-bottom: 2px solid transparent; border-radius: 0;
  color: $text3; font-weight: 500; padding: 2px 0 0 0; margin: 0; min-width: 0; }
QToolButton[kind="tab"]:hover { background: transparent; color: $text2; }
QToolButton[kind="tab"]:checked { background: transparent; color: $text;
  border-bottom-color: $accent; font-weight: 600; }
QToolButton[kind="tab"]:focus { color: $accent; }

QLineEdit, QSpinBox, QDoubleSpinBox, QComboBox, QPlainTextEdit, QTextEdit, QAbstractSpinBox {
  background: $raised; border: 1px solid $line; border-radius: 6px; color: $text;
  selection-background-color: $accent_fill; selection-color: #FFFFFF; }
QLineEdit, QComboBox, QAbstractSpinBox { min-height: 26px; padding: 0 7px; }
QLineEdit:focus, QComboBox:focus, QAbstractSpinBox:focus, QPlainTextEdit:focus, QTextEdit:focus {
  border-color: $accent; }
QLineEdit[invalid="true"] { border-color: $bad; }
QLineEdit:disabled, QComboBox:disabled { color: $text3; }
QComboBox::drop-down { border: none; width: 22px; }
QComboBox::down-arrow { image: url($icons/sheet/chevron-down-$theme.svg);
  width: 12px; height: 12px; }
QComboBox QAbstractItemView { background: $panel; border: 1px solid $line; padding: 4px;
  selection-background-color: $pressed; selection-color: $text; outline: none; }
QComboBox QAbstractItemView::item { min-height: 26px; padding: 0 6px; border-radius: 4px; }

QCheckBox, QRadioButton { spacing: 8px; background: transparent; }
QCheckBox::indicator { width: 14px; height: 14px; border: 1px solid $text3; border-radius: 4px;
  background: $raised; }
QCheckBox::indicator:checked { background: $accent_fill; border-color: $accent_fill;
  image: url($icons/sheet/check-white.svg); }
QCheckBox:focus, QRadioButton:focus { color: $accent; }
QSlider::groove:horizontal { background: $pressed; height: 4px; border-radius: 2px; }
QSlider::sub-page:horizontal { background: $accent; height: 4px; border-radius: 2px; }
QSlider::handle:horizontal { background: $text; width: 12px; height: 12px; margin: -4px 0;
  border-radius: 6px; }
QSlider::handle:horizontal:focus { background: $accent; }
QProgressBar { background: $pressed; border: none; border-radius: 2px; max-height: 4px; }
QProgressBar::chunk { background: $accent; border-radius: 2px; }

QMenu { background: $panel; border: 1px solid $line; padding: 4px; }
QMenu::item { padding: 6px 28px 6px 10px; border-radius: 4px; color: $text; }
QMenu::item:selected { background: $pressed; }
QMenu::item:disabled { color: $text3; }
QMenu::separator { height: 1px; background: $line; margin: 4px 6px; }
QMenu::icon { padding-left: 8px; }
QMenu::indicator { width: 14px; height: 14px; padding-left: 6px; }
QMenu::indicator:checked { image: url($icons/sheet/check-$theme.svg); }

QAbstractItemView { background: transparent; border: none; }
QListView, QTreeView, QTableView { background: transparent; border: none;
  selection-background-color: $pressed; selection-color: $text; gridline-color: $line;
  alternate-background-color: $raised; }
QListView::item, QTreeView::item { min-height: 28px; border-radius: 6px; padding: 0 4px; }
QListView::item:hover, QTreeView::item:hover { background: $raised; }
QListView::item:selected, QTreeView::item:selected { background: $pressed; color: $text; }
QTableView::item { padding: 0 8px; }
QHeaderView { background: transparent; border: none; }
QHeaderView::section { background: $panel; color: $text2; border: none;
  border-bottom: 1px solid $line; padding: 6px 8px; font-weight: 500; }
QTableCornerButton::section { background: $panel; border: none; }

QScrollArea, QGraphicsView { background: transparent; border: none; }
QScrollArea > QWidget > QWidget[kind="content"] { background: transparent; }
QScrollBar:vertical { background: transparent; width: 10px; margin: 2px 1px; }
QScrollBar:horizontal { background: transparent; height: 10px; margin: 1px 2px; }
QScrollBar::handle { background: $pressed; border-radius: 4px; min-height: 28px; min-width: 28px; }
QScrollBar::handle:disabled { background: transparent; }
QScrollBar::handle:hover { background: $text3; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
QAbstractScrollArea::corner { background: transparent; }
QSplitter { background: transparent; }
QSplitter::handle { background: transparent; }
QSplitter::handle:hover { background: $pressed; }
QTabWidget::pane { border: none; }
"""


def stylesheet(tokens: Tokens, icons: Path) -> str:
    """The sheet for ``tokens``; ``icons`` is the folder of the few images that a sheet can name."""
    theme = "light" if tokens.panel == "#FFFFFF" else "dark"
    sheet = _SHEET.replace("$icons", icons.as_posix()).replace("$theme", theme)
    names = sorted((name for name in type(tokens).__slots__), key=len, reverse=True)
    for name in names:
        sheet = sheet.replace(f"${name}", getattr(tokens, name))
    return sheet
