"""One palette, dark and light: colours, fonts, icons and the stylesheet that follows from them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from PySide6.QtCore import QByteArray, QObject, QRectF, Qt, Signal, Slot
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontDatabase,
    QGuiApplication,
    QIcon,
    QPainter,
    QPalette,
    QPixmap,
)
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication

from ui.settings import settings
from ui.stylesheet import stylesheet

RESOURCES = Path(__file__).resolve().parents[1] / "resources"
FONT_FILES = (
    "Inter-Regular.otf",
    "Inter-Medium.otf",
    "Inter-SemiBold.otf",
    "JetBrainsMono-Regular.ttf",
)
ICON_SIZES = (16, 20, 24, 32, 40, 48)
LEAST_CONTRAST = 4.5


@dataclass(frozen=True, slots=True)
class Tokens:
    """The colours of a theme, as ``#RRGGBB``."""

    window: str
    panel: str
    raised: str
    pressed: str
    line: str
    text: str
    text2: str
    text3: str
    accent: str
    accent_fill: str
    good: str
    warn: str
    bad: str
    bad_fill: str


THEMES = {
    "dark": Tokens(
        window="#101216",
        panel="#171A1F",
        raised="#1F232A",
        pressed="#2A2F38",
        line="#2A2F38",
        text="#E7EAF0",
        text2="#9BA4B4",
        text3="#7B8698",
        accent="#5B8CFF",
        accent_fill="#3A6BE0",
        good="#3DB88B",
        warn="#E3A53F",
        bad="#EE6A66",
        bad_fill="#C8413D",
    ),
    "light": Tokens(
        window="#EEF0F3",
        panel="#FFFFFF",
        raised="#F4F6F8",
        pressed="#E3E7EC",
        line="#DFE3E9",
        text="#191D24",
        text2="#566072",
        text3="#6B7484",
        accent="#2F66F0",
        accent_fill="#2F66F0",
        good="#1F9A6D",
        warn="#B97A12",
        bad="#C8413D",
        bad_fill="#C8413D",
    ),
}

FAMILIES = {
    "convolution": "#5B8CFF",
    "pooling": "#35B5C8",
    "recurrent": "#F0924F",
    "attention": "#B07CFF",
    "dense": "#3DB88B",
    "activation": "#E0BE49",
    "regularization": "#E0BE49",
    "normalization": "#8FA3BF",
    "reshape": "#7E8896",
    "merge": "#E06FA4",
    "signal": "#9CC24F",
    "input": "#B9C2CF",
    "group": "#9BA4B4",
}


class Theme(QObject):
    """The look of the whole application. ``changed`` tells widgets that paint with colours."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.name = ""
        self.tokens = THEMES["dark"]
        self._icons: dict[tuple[str, str], QIcon] = {}
        for file in FONT_FILES:
            QFontDatabase.addApplicationFont(str(RESOURCES / "fonts" / file))
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._follow_system)

    def start(self) -> None:
        """Take the theme chosen last time, or the system's."""
        QApplication.setFont(self.font())
        chosen = settings().value("theme")
        self._apply(chosen if chosen in THEMES else self._system())

    def set_theme(self, name: str) -> None:
        """Choose "dark" or "light", and remember it."""
        settings().setValue("theme", name)
        self._apply(name)

    def toggle(self) -> None:
        self.set_theme("light" if self.name == "dark" else "dark")

    def color(self, token: str) -> QColor:
        """A token's colour, or that of ``#RRGGBB``."""
        return QColor(token if token.startswith("#") else getattr(self.tokens, token))

    def family(self, id: str) -> QColor:
        """The colour of a layer family; of an unknown one, the second text colour."""
        return QColor(FAMILIES.get(id, self.tokens.text2))

    def readable(self, color: QColor | str, on: str = "panel") -> QColor:
        """``color``, moved towards the text colour until it can be read as text on ``on``."""
        result, ground = QColor(color), self.color(on)
        target = self.color("text")
        for _ in range(20):
            if contrast(result, ground) >= LEAST_CONTRAST:
                break
            result = blend(result, target, 0.1)
        return result

    def font(self, px: float = 13, weight: int = 400) -> QFont:
        """Inter with tabular figures; ``px`` in logical pixels."""
        return QFont(_font("Inter", px, weight, "tnum", 1))

    def mono(self, px: float = 11) -> QFont:
        """JetBrains Mono without ligatures."""
        return QFont(_font("JetBrains Mono", px, 400, "calt", 0))

    def icon(self, name: str, token: str = "text2") -> QIcon:
        """A line icon in a token's colour (or ``#RRGGBB``); paler where disabled.

        The icon does not follow a later change of the theme: ask again on ``changed``.
        """
        key = (name, self.color(token).name())
        if key not in self._icons:
            icon = QIcon()
            off = blend(self.color(token), self.color("panel"), 0.6).name()
            for mode, color in ((QIcon.Mode.Normal, key[1]), (QIcon.Mode.Disabled, off)):
                for size in ICON_SIZES:
                    icon.addPixmap(_pixmap(name, color, size, 1.0), mode)
            self._icons[key] = icon
        return self._icons[key]

    def pixmap(self, name: str, token: str = "text2", size: int = 16) -> QPixmap:
        """A line icon of ``size`` logical pixels, sharp on the screen at hand."""
        screen = QGuiApplication.primaryScreen()
        ratio = screen.devicePixelRatio() if screen is not None else 1.0
        return _pixmap(name, self.color(token).name(), size, ratio)

    def _apply(self, name: str) -> None:
        if name == self.name:
            return
        self.name, self.tokens = name, THEMES[name]
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        application.setPalette(_palette(self.tokens))
        application.setStyleSheet(stylesheet(self.tokens, RESOURCES / "icons"))
        self.changed.emit()

    @staticmethod
    def _system() -> str:
        scheme = QGuiApplication.styleHints().colorScheme()
        return "light" if scheme == Qt.ColorScheme.Light else "dark"

    @Slot()
    def _follow_system(self) -> None:
        if settings().value("theme") not in THEMES:
            self._apply(self._system())


@cache
def theme() -> Theme:
    """The one theme; needs a QApplication."""
    return Theme()


def contrast(first: QColor, second: QColor) -> float:
    """The contrast ratio of two colours, 1 to 21, as WCAG 2 defines it."""
    lighter, darker = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def blend(color: QColor, other: QColor, share: float) -> QColor:
    """``color`` with ``share`` (0 to 1) of ``other`` mixed in."""
    first = (color.redF(), color.greenF(), color.blueF())
    second = (other.redF(), other.greenF(), other.blueF())
    return QColor.fromRgbF(*(a + (b - a) * share for a, b in zip(first, second, strict=True)))


def icon_names() -> list[str]:
    return sorted(path.stem for path in (RESOURCES / "icons").glob("*.svg"))


@cache
def _font(family: str, px: float, weight: int, feature: str, value: int) -> QFont:
    font = QFont(family)
    font.setPixelSize(round(px))
    if px != round(px):  # Qt's pixel sizes are whole numbers; points may be fractions
        screen = QGuiApplication.primaryScreen()
        dpi = screen.logicalDotsPerInchY() if screen is not None else 96.0
        font.setPointSizeF(px * 72.0 / dpi)
    font.setWeight(QFont.Weight(weight))
    font.setFeature(QFont.Tag(feature), value)
    return font


@cache
def _svg(name: str) -> str:
    return (RESOURCES / "icons" / f"{name}.svg").read_text(encoding="utf-8")


def _pixmap(name: str, color: str, size: int, ratio: float) -> QPixmap:
    text = re.sub(r"currentColor", color, _svg(name))
    renderer = QSvgRenderer(QByteArray(text.encode()))
    pixmap = QPixmap(round(size * ratio), round(size * ratio))
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    renderer.render(painter, QRectF(pixmap.rect()))
    painter.end()
    pixmap.setDevicePixelRatio(ratio)
    return pixmap


def _palette(tokens: Tokens) -> QPalette:
    role = QPalette.ColorRole
    palette = QPalette()
    for which, color in (
        (role.Window, tokens.panel),
        (role.Base, tokens.raised),
        (role.AlternateBase, tokens.panel),
        (role.Button, tokens.raised),
        (role.Text, tokens.text),
        (role.WindowText, tokens.text),
        (role.ButtonText, tokens.text),
        (role.BrightText, tokens.text),
        (role.ToolTipBase, tokens.raised),
        (role.ToolTipText, tokens.text),
        (role.PlaceholderText, tokens.text3),
        (role.Highlight, tokens.accent_fill),
        (role.HighlightedText, "#FFFFFF"),
        (role.Link, tokens.accent),
        (role.Mid, tokens.line),
        (role.Midlight, tokens.pressed),
        (role.Dark, tokens.line),
        (role.Light, tokens.raised),
        (role.Shadow, "#000000"),
        (role.Accent, tokens.accent),
    ):
        palette.setColor(which, QColor(color))
    for which in (role.Text, role.WindowText, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, which, QColor(tokens.text3))
    return palette


def _luminance(color: QColor) -> float:
    channels = (color.redF(), color.greenF(), color.blueF())
    red, green, blue = (
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
