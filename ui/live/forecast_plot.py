"""The last rows of a table with the forecast ahead, its band, and what was forecast before."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGraphicsRectItem

from playground.messages import Array
from ui.insight.column import token_colour
from ui.insight.plot import Line, Plot
from ui.insight.ticks import span

SEEN, COMING, BAND = 22, 255, 48
"""How much of their colours: the window, earlier forecasts' lines, the band."""
COLOURS = ("accent", "dense", "attention", "pooling", "merge", "activation")
"""Of the columns."""
AHEAD = "recurrent"
LEAST_USED = 0.6
"""Of the y axis; below, it is fitted again."""


@dataclass(frozen=True, eq=False)
class Ahead:
    """A forecast (H,) made after row ``origin``, with its band."""

    origin: int
    values: Array
    low: Array | None = None
    high: Array | None = None

    @property
    def x(self) -> Array:
        return self.origin + 1 + np.arange(len(self.values), dtype=np.float64)


@dataclass(frozen=True, eq=False)
class Shown:
    """Rows ``first`` … (n, F) of ``columns``, with their ``times`` as texts; ``seen`` is how many
    of the last the network looks at. ``before`` are earlier forecasts, the oldest first."""

    columns: tuple[str, ...]
    values: Array
    first: int
    times: tuple[str, ...] = ()
    seen: int = 0
    ahead: Ahead | None = None
    before: tuple[Ahead, ...] = ()
    unit: str = ""
    decimals: int = 2


class ForecastAhead(Plot):
    """Rows move to the left as they come. The y axis keeps still as long as it can."""

    def __init__(self) -> None:
        super().__init__("The last rows and the forecast")
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.shown: Shown | None = None
        self._kept: tuple[float, float] | None = None

    def _make_items(self) -> None:
        super()._make_items()
        self._low, self._high = pg.PlotCurveItem(), pg.PlotCurveItem()
        self.band = pg.FillBetweenItem(self._low, self._high)
        self.band.setZValue(-5)
        self._seen = QGraphicsRectItem()
        self._seen.setZValue(-10)
        self.past = pg.PlotCurveItem(connect="finite", antialias=True)
        for item in (self.band, self._seen, self.past):
            self._box.addItem(item, ignoreBounds=True)

    def show_rows(self, shown: Shown) -> None:
        before, self.shown = self.shown, shown
        if before is None or before.columns != shown.columns or before.unit != shown.unit:
            self._kept = None
        self.y_label = shown.unit
        x = shown.first + np.arange(len(shown.values), dtype=np.float64)
        lines = [
            Line(name, x, shown.values[:, place], COLOURS[place])
            for place, name in enumerate(shown.columns[: len(COLOURS)])
        ]
        if shown.ahead is not None:
            lines.append(Line("Forecast", shown.ahead.x, shown.ahead.values, AHEAD, "dash"))
        self.markers = ((float(x[-1]), "now"),) if shown.ahead is not None and len(x) else ()
        self.set_lines(lines)

    def clear(self) -> None:
        self.shown, self._kept, self.markers = None, None, ()
        self.set_lines([])

    # --- geometry -----------------------------------------------------------------------------

    def _fit(self) -> None:
        super()._fit()
        shown = self.shown
        if shown is None:
            return
        values = [y for _, y in self._points]
        for one in (*shown.before, *(() if shown.ahead is None else (shown.ahead,))):
            values += [part for part in (one.values, one.low, one.high) if part is not None]
        low, high = span(values, None, padding=0.06)
        if self._kept is not None:
            least, most = self._kept
            inside = least <= low and high <= most
            if inside and high - low >= LEAST_USED * (most - least):
                low, high = least, most
            elif not inside:
                low, high = min(low, least), max(high, most)
                if high - low > (max(map(_top, values)) - min(map(_bottom, values))) / LEAST_USED:
                    low, high = span(values, None, padding=0.06)
        self._kept = self._y = (low, high)

    def _x_text(self, value: float) -> str:
        shown = self.shown
        if shown is None:
            return ""
        place = round(value) - shown.first
        ahead = place - len(shown.values) + 1
        if ahead > 0:
            return f"+{ahead}"
        return shown.times[place] if 0 <= place < len(shown.times) else f"{round(value):,}"

    def _x_ticks(self) -> list[float]:
        """Round row numbers, far enough apart for what is written there."""
        low, high = self.x_range
        shown = self.shown
        letters = max((len(text) for text in shown.times), default=5) if shown is not None else 5
        most = max(2, int(self._area().width() // (7 * letters + 28)))
        step = _round_step((high - low) / most)
        last = float(shown.first + len(shown.values) - 1) if shown is not None else high
        room = (7 * letters + 16) / self._area().width() * (high - low)
        found = [
            float(at) for at in range(math.ceil(low / step) * step, math.floor(high) + 1, step)
        ]
        return [at for at in found if at <= last or at - last > room / 2]

    # --- drawing ------------------------------------------------------------------------------

    def _draw_lines(self) -> None:
        super()._draw_lines()
        shown = self.shown
        self._draw_seen(shown)
        ahead = shown.ahead if shown is not None else None
        banded = ahead is not None and ahead.low is not None and ahead.high is not None
        self.band.setVisible(banded)
        if ahead is not None and ahead.low is not None and ahead.high is not None:
            self._low.setData(ahead.x, ahead.low)
            self._high.setData(ahead.x, ahead.high)
            fill = token_colour(AHEAD)
            fill.setAlpha(BAND)
            self.band.setBrush(fill)
        before = shown.before if shown is not None else ()
        thin = token_colour(AHEAD)
        thin.setAlpha(150)
        self.past.setPen(pg.mkPen(thin, width=1))
        self.past.setData(*_joined(before))

    def _draw_seen(self, shown: Shown | None) -> None:
        """The window that the network looks at."""
        seen = shown.seen if shown is not None else 0
        self._seen.setVisible(bool(seen))
        if shown is not None and seen:
            last = shown.first + len(shown.values) - 1
            left, (low, high) = max(shown.first, last - seen + 1), self._y
            shade = token_colour("accent")
            shade.setAlpha(SEEN)
            self._seen.setPen(pg.mkPen(None))
            self._seen.setBrush(shade)
            self._seen.setRect(left, low, last - left, high - low)

    def _values_near(self, at: float) -> tuple[float, list[tuple[str, str]]] | None:
        """What is there at the row nearest to the mouse, and what was forecast for it."""
        shown = self.shown
        if shown is None:
            return None
        row = round(at)
        rows = [("text2", self._x_text(row))]
        place = row - shown.first
        if 0 <= place < len(shown.values):
            for at_column, name in enumerate(shown.columns[: len(COLOURS)]):
                value = float(shown.values[place, at_column])
                rows.append((COLOURS[at_column], f"{name} {worded(value, shown)}"))
        forecasts = (*shown.before, *(() if shown.ahead is None else (shown.ahead,)))
        for one in reversed(forecasts):
            step = row - one.origin - 1
            if 0 <= step < len(one.values):
                text = f"forecast {worded(float(one.values[step]), shown)}"
                if one.low is not None and one.high is not None:
                    low, high = worded(float(one.low[step]), shown), float(one.high[step])
                    text += f" ({low} to {worded(high, shown)})"
                rows.append((AHEAD, text))
                break
        return (float(row), rows) if len(rows) > 1 else None

    def mousePressEvent(self, event: object) -> None:
        """Nothing: it moves on, so it is not zoomed."""


def decimals_of(values: Array) -> int:
    """So many that neighbouring values are told apart, the same for all of them."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return 0
    spread = float(finite.max() - finite.min()) or abs(float(finite[0])) or 1.0
    return int(min(6, max(0, 2 - math.floor(math.log10(spread)))))


def worded(value: float, shown: Shown) -> str:
    """A value with as many decimals as its series has, so that it does not jump."""
    return fixed_to(value, shown.decimals)


def fixed_to(value: float, decimals: int) -> str:
    if not math.isfinite(value):
        return "–"
    if abs(value) >= 1e9:
        return f"{value:.3g}".replace("-", "−")
    return f"{value:,.{decimals}f}".replace("-", "−")


def _joined(forecasts: tuple[Ahead, ...]) -> tuple[Array, Array]:
    """Several lines as one that is broken between them."""
    gap = np.array([np.nan])
    x = [part for one in forecasts for part in (one.x, gap)]
    y = [part for one in forecasts for part in (np.asarray(one.values, np.float64), gap)]
    return (np.concatenate(x), np.concatenate(y)) if x else (np.empty(0), np.empty(0))


def _round_step(wanted: float) -> int:
    power = 10 ** max(0, math.floor(math.log10(max(1.0, wanted))))
    return int(next(m * power for m in (1, 2, 5, 10) if m * power >= wanted * 0.999))


def _top(values: Array) -> float:
    return float(np.nanmax(values)) if np.isfinite(values).any() else -math.inf


def _bottom(values: Array) -> float:
    return float(np.nanmin(values)) if np.isfinite(values).any() else math.inf
