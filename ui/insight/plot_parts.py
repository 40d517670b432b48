"""What a plot is made of: its lines, an axis, and the readout under the mouse."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, Qt
from PySide6.QtWidgets import QLabel, QWidget

from ui.insight.column import token_colour
from ui.theme import theme

Array = NDArray[np.float64]
SMOOTH = 1000  # points up to which a line is drawn smoothly


@dataclass(frozen=True)
class Line:
    """One series. ``colour`` is a token of the theme ("accent") or a layer family ("recurrent").

    Points that are not finite leave a gap. ``y`` is 1-D, as long as ``x``.
    """

    name: str
    x: NDArray[Any]
    y: NDArray[Any]
    colour: str = "accent"
    style: Literal["line", "dash", "dots"] = "line"


class Axis(pg.AxisItem):  # type: ignore[misc]
    """Numbers of our own choice along an edge; without the line along it."""

    def __init__(
        self,
        edge: str,
        values: Callable[[], list[float]],
        text: Callable[[float], str],
        offset: int,
    ) -> None:
        super().__init__(edge, maxTickLength=0)
        self._values, self._text = values, text
        self.enableAutoSIPrefix(False)
        self.setStyle(
            tickAlpha=255 if edge == "left" else 0,
            autoExpandTextSpace=False,
            hideOverlappingLabels=False,
            tickTextOffset=offset,
            tickTextWidth=40,
        )

    def tickValues(self, low: float, high: float, size: float) -> list[tuple[float, list[float]]]:
        return [(1.0, self._values())]

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        return [self._text(value) for value in values]

    def boundingRect(self) -> QRectF:
        room: QRectF = super().boundingRect()
        return room.adjusted(-30, -10, 30, 10)


class Curve(pg.PlotDataItem):  # type: ignore[misc]
    """A line that does not prepare itself when the range changes: the plot sets its points again
    right after, and doing it twice takes a quarter of an update."""

    def viewRangeChanged(self, *change: object) -> None:
        pass


class Readout(QLabel):
    """Rows of text, each in a colour of the theme, over the picture."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setTextFormat(Qt.TextFormat.RichText)
        self.hide()

    def show_rows(self, rows: Sequence[tuple[str, str]]) -> None:
        """``rows``: colour (a token or a layer family) and text."""
        text = "<br>".join(
            f'<span style="color:{token_colour(colour).name()}">{html.escape(text)}</span>'
            for colour, text in rows
        )
        if text != self.text():
            self.setText(text)
            self.adjustSize()
        self.show()

    def restyle(self) -> None:
        self.setFont(theme().font(11.5))
        self.setStyleSheet(
            f"background: {theme().tokens.raised}; border: 1px solid {theme().tokens.line};"
            " border-radius: 6px; padding: 3px 7px; font-size: 12px;"
        )


def alone(x: Array, y: Array) -> list[int]:
    """The points without a neighbour, which a line does not show."""
    good = np.concatenate(([False], np.isfinite(x) & np.isfinite(y), [False]))
    return [int(at) for at in np.flatnonzero(good[1:-1] & ~good[:-2] & ~good[2:])]


def pen(colour: str, dash: tuple[int, int] | None = None) -> Any:
    return pg.mkPen(token_colour(colour), width=1, dash=dash)


def looks(line: Line) -> dict[str, Any]:
    """How pyqtgraph is told what a line looks like."""
    shade = token_colour(line.colour)
    if line.style != "dots":
        dash = (4, 3) if line.style == "dash" else None
        smooth = len(line.x) <= SMOOTH
        return {"pen": pen(line.colour, dash), "symbol": None, "antialias": smooth}
    shade.setAlpha(255 if len(line.x) < 50 else 150)
    size = 4 if len(line.x) < 2000 else 2
    brush = pg.mkBrush(shade)
    return {"pen": None, "symbol": "o", "symbolSize": size, "symbolPen": None, "symbolBrush": brush}
