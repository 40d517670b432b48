"""The window onto the scene: zoom and pan, and which gesture a press begins."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import (
    QContextMenuEvent,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDragMoveEvent,
    QDropEvent,
    QFocusEvent,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QNativeGestureEvent,
    QPainter,
    QResizeEvent,
    QTransform,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame, QGestureEvent, QGraphicsView, QPinchGesture, QToolTip, QWidget

from models.graph import Edge
from ui.builder import commands
from ui.builder.fitting import best_fit
from ui.builder.gestures import (
    SPLICE_REACH,
    DropLayer,
    Gesture,
    Keys,
    MoveNodes,
    Pan,
    PressFix,
    RubberBand,
    Wire,
)
from ui.builder.ground import dotted
from ui.builder.level import Level
from ui.builder.marks import Marks
from ui.builder.palette import dragged_layer
from ui.builder.scene import EVERYWHERE, FAR, Hit, Scene
from ui.theme import theme

SMALLEST, LARGEST = 0.05, 4.0
STEPS = (
    0.05,
    0.07,
    0.1,
    0.15,
    0.25,
    0.33,
    0.5,
    0.67,
    0.75,
    0.9,
    1.0,
    1.1,
    1.25,
    1.5,
    2.0,
    3.0,
    4.0,
)
SETTLE_MS = 90
PAINT_BUDGET = 0.008
AUTOPAN_EDGE, AUTOPAN_STEP = 28, 12
_Key = Qt.Key
_Mod = Qt.KeyboardModifier


class View(QGraphicsView):
    """Shows the scene and turns mouse and touch into gestures; keys are in ``keyboard``.

    ``zoomed`` comes when the zoom or the visible part changed, ``searched(scene position)`` when a
    place for a new layer was chosen, ``menu_wanted(hit, global position, scene position)`` for
    context menus, ``wire_searched`` when a wire was let go over nothing.
    """

    zoomed = Signal()
    searched = Signal(QPointF)
    wire_searched = Signal(QPointF, str, str, bool)
    menu_wanted = Signal(object, QPoint, QPointF)
    rename_wanted = Signal(str)
    open_wanted = Signal(str)

    def __init__(self, level: Level, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.level = level
        self.board = Scene(self)
        self.setScene(self.board)
        self.marks = Marks(self.board)
        self.gesture: Gesture | None = None
        self.keys: Keys | None = None
        self.fitted = False
        self._space = False
        self._pointer = QPointF()
        self._scale = 1.0
        self._prepare()
        self._settle = self._timer(SETTLE_MS, self._settled)
        self._painter = self._timer(0, self._paint_more)
        self._autopan = QTimer(self)
        self._autopan.setInterval(16)
        self._autopan.timeout.connect(self._pan_at_edge)
        theme().changed.connect(self.retheme)
        self.retheme()

    def _prepare(self) -> None:
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSceneRect(EVERYWHERE)
        self.setTransformationAnchor(QGraphicsView.ViewportAnchor.NoAnchor)
        self.setResizeAnchor(QGraphicsView.ViewportAnchor.NoAnchor)
        self.setRenderHints(
            QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform
        )
        self.setOptimizationFlag(QGraphicsView.OptimizationFlag.DontSavePainterState)
        self.setOptimizationFlag(QGraphicsView.OptimizationFlag.DontAdjustForAntialiasing)
        self.setViewportUpdateMode(QGraphicsView.ViewportUpdateMode.SmartViewportUpdate)
        self.setCacheMode(QGraphicsView.CacheModeFlag.CacheBackground)
        self.setInteractive(False)
        self.setMouseTracking(True)
        self.setAcceptDrops(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.viewport().grabGesture(Qt.GestureType.PinchGesture)
        self.setAccessibleName("Network canvas")

    def _timer(self, delay: int, slot: Callable[[], None]) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(delay)
        timer.timeout.connect(slot)
        return timer

    def sizeHint(self) -> QSize:
        return QSize(760, 480)

    # --- what is seen -------------------------------------------------------------------------

    @property
    def zoom(self) -> float:
        return self.transform().m11()

    @property
    def ratio(self) -> float:
        return self.devicePixelRatioF()

    def visible_area(self) -> QRectF:
        return self.mapToScene(self.viewport().rect()).boundingRect()

    def set_zoom(self, zoom: float, anchor: QPointF | None = None) -> None:
        """Zoom about ``anchor`` (view pixels; the middle where none is given)."""
        zoom = min(LARGEST, max(SMALLEST, zoom))
        if math.isclose(zoom, self.zoom):
            return
        self.fitted = False
        pivot = anchor if anchor is not None else QPointF(self.viewport().rect().center())
        fixed = self._exact(pivot)
        self.setTransform(QTransform.fromScale(zoom, zoom))
        self._bring(fixed, pivot)
        self._dots()
        self._level()
        self._settle.start()
        self.zoomed.emit()

    def zoom_in(self) -> None:
        self.set_zoom(next((step for step in STEPS if step > self.zoom * 1.001), LARGEST))

    def zoom_out(self) -> None:
        smaller = [step for step in STEPS if step < self.zoom * 0.999]
        self.set_zoom(smaller[-1] if smaller else SMALLEST)

    def fit(self, floating: Sequence[QRectF] = ()) -> None:
        """Show all nodes, at full size at most, and none of them under what is ``floating`` over
        the view (view pixels) if that can be."""
        area = self.board.bounds()
        if area.isEmpty():
            self.set_zoom(1.0)
            self.centre_on(QPointF(self.viewport().width() / 2 - 40, 200))
            return
        zoom, at = best_fit(area, QRectF(self.viewport().rect()), self.board.boxes(), floating)
        self.set_zoom(zoom)
        self._bring(area.center(), at)
        self.fitted = True
        self.settle()
        self.zoomed.emit()

    def centre_on(self, at: QPointF) -> None:
        self.fitted = False
        self._bring(at, QPointF(self.viewport().rect().center()))
        self._moved()

    def reveal(self, id: str) -> None:
        """Scroll a node into view where it is not."""
        item = self.board.nodes.get(id)
        if item is None:
            return
        margin = 24 / self.zoom
        if not self.visible_area().contains(item.box.adjusted(-margin, -margin, margin, margin)):
            self.centre_on(item.box.center())

    def pan(self, by: QPoint) -> None:
        """Scroll by view pixels."""
        self.fitted = False
        bars = self.horizontalScrollBar(), self.verticalScrollBar()
        bars[0].setValue(bars[0].value() + by.x())
        bars[1].setValue(bars[1].value() + by.y())
        self._moved()

    def _exact(self, at: QPointF) -> QPointF:
        return self.viewportTransform().inverted()[0].map(at)

    def _bring(self, scene: QPointF, view: QPointF) -> None:
        """Scroll so that the scene's point is at the view's."""
        off = self.viewportTransform().map(scene) - view
        bars = self.horizontalScrollBar(), self.verticalScrollBar()
        bars[0].setValue(bars[0].value() + round(off.x()))
        bars[1].setValue(bars[1].value() + round(off.y()))

    # --- painting -----------------------------------------------------------------------------

    @Slot()
    def retheme(self) -> None:
        """Paint everything in the colours of the theme."""
        self.board.faces.clear()
        self.board.repen()
        self._dots()
        self.freshen()

    def _level(self) -> None:
        far = self.zoom < FAR
        if far != self.board.far:
            self.board.set_far(far)
            hints = QPainter.RenderHint.Antialiasing
            self.setRenderHint(hints, not far)
            self.settle()

    def settle(self) -> None:
        """Paint sharply at the present zoom, now."""
        self._settle.stop()
        self._settled()

    @Slot()
    def _settled(self) -> None:
        if not math.isclose(self._scale, self.zoom):
            self._scale = self.zoom
            self.board.faces.clear()
        self.freshen()

    def freshen(self) -> None:
        """Paint what is stale and visible; what takes too long goes on in the event loop."""
        area = self.visible_area()
        if not self.board.freshen(area, self._scale, self.ratio, PAINT_BUDGET):
            self._painter.start()

    def freshen_soon(self) -> None:
        self._painter.start()

    @Slot()
    def _paint_more(self) -> None:
        self.freshen()

    def _moved(self) -> None:
        self.freshen_soon()
        self.zoomed.emit()

    def _dots(self) -> None:
        self.setBackgroundBrush(dotted(self.zoom, self.ratio))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._moved()

    # --- the mouse ----------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        at, button = self.mapToScene(event.position().toPoint()), event.button()
        if self.gesture is not None:
            return
        left = button == Qt.MouseButton.LeftButton
        if button == Qt.MouseButton.MiddleButton or (left and self._space):
            self.gesture = Pan(self, event.position().toPoint())
            self.viewport().setCursor(Qt.CursorShape.ClosedHandCursor)
        elif left:
            self.gesture = self._gesture_for(self.board.hit(at, self.zoom), at, event.modifiers())
            if self.gesture is not None:
                self._autopan.start()

    def _gesture_for(self, hit: Hit, at: QPointF, modifiers: _Mod) -> Gesture | None:
        additive = bool(modifiers & (_Mod.ShiftModifier | _Mod.ControlModifier))
        self.board.choose_edges(())
        match hit.kind:
            case "fix":
                return PressFix(self, hit.node)
            case "input" | "output":
                return Wire(self, hit, at)
            case "node":
                return MoveNodes(self, hit.node, at, additive)
            case "edge" if hit.edge is not None:
                if not additive:
                    self.level.select(())
                self.board.choose_edges([hit.edge])
                return None
        return RubberBand(self, at, additive)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._pointer = event.position()
        if isinstance(self.gesture, Pan):
            self.gesture.move_view(event.position().toPoint())
        elif self.gesture is not None:
            self.gesture.move(self.mapToScene(event.position().toPoint()), event.modifiers())
        else:
            self._hover(self.mapToScene(event.position().toPoint()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        gesture, self.gesture = self.gesture, None
        self._autopan.stop()
        self.viewport().unsetCursor()
        if self._space:
            self.viewport().setCursor(Qt.CursorShape.OpenHandCursor)
        if gesture is not None:
            gesture.finish(self.mapToScene(event.position().toPoint()), event.modifiers())

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            return
        at = self.mapToScene(event.position().toPoint())
        hit = self.board.hit(at, self.zoom)
        if hit.kind in ("", "edge"):
            self.searched.emit(at)
        elif hit.kind == "node":
            self.open_wanted.emit(hit.node)
        else:
            self.mousePressEvent(event)

    def _hover(self, at: QPointF) -> None:
        if self._space:
            return
        kind = self.board.hit(at, self.zoom).kind
        shapes = {
            "input": Qt.CursorShape.CrossCursor,
            "output": Qt.CursorShape.CrossCursor,
            "fix": Qt.CursorShape.PointingHandCursor,
            "edge": Qt.CursorShape.PointingHandCursor,
        }
        self.viewport().setCursor(shapes.get(kind, Qt.CursorShape.ArrowCursor))

    def cancel(self) -> bool:
        """End the gesture at hand without effect; False where there is none."""
        gesture, self.gesture = self.gesture, None
        self._autopan.stop()
        if gesture is None:
            return False
        gesture.cancel()
        return True

    @Slot()
    def _pan_at_edge(self) -> None:
        """Scroll while a gesture's pointer is at the border."""
        if self.gesture is None or isinstance(self.gesture, (Pan, PressFix)):
            return
        area, at = self.viewport().rect(), self._pointer.toPoint()
        step = QPoint(
            _toward(at.x(), area.left(), area.right()), _toward(at.y(), area.top(), area.bottom())
        )
        if not step.isNull() and (self.board.carried or not isinstance(self.gesture, MoveNodes)):
            self.pan(step)
            self.gesture.move(self.mapToScene(at), _Mod.NoModifier)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if event.reason() == QContextMenuEvent.Reason.Keyboard:
            chosen = self.level.selection[:1]
            hit = Hit("node", chosen[0]) if chosen else Hit()
            item = self.board.nodes.get(hit.node)
            at = item.box.center() if item is not None else self.visible_area().center()
            place = self.viewport().mapToGlobal(self.mapFromScene(at))
        else:
            at, place = self.mapToScene(event.pos()), event.globalPos()
            hit = self.board.hit(at, self.zoom)
        if hit.node and hit.node not in self.level.selection:
            self.level.select([hit.node])
        if hit.kind == "edge" and hit.edge is not None:
            self.board.choose_edges([hit.edge])
        self.menu_wanted.emit(hit, place, at)

    # --- wheel, touch and tooltips ------------------------------------------------------------

    def wheelEvent(self, event: QWheelEvent) -> None:
        angle, pixels = event.angleDelta(), event.pixelDelta()
        if event.modifiers() & _Mod.ControlModifier:
            self.set_zoom(self.zoom * 1.0015 ** (angle.y() or pixels.y()), event.position())
        else:
            move = pixels if not pixels.isNull() else angle / 2
            if event.modifiers() & _Mod.ShiftModifier and not move.x():
                move = QPoint(move.y(), 0)
            self.pan(-move)
        event.accept()

    def viewportEvent(self, event: QEvent) -> bool:
        if isinstance(event, QNativeGestureEvent):
            if event.gestureType() == Qt.NativeGestureType.ZoomNativeGesture:
                self.set_zoom(self.zoom * (1 + event.value()), event.position())
                return True
        elif event.type() == QEvent.Type.Gesture and isinstance(event, QGestureEvent):
            pinch = event.gesture(Qt.GestureType.PinchGesture)
            if isinstance(pinch, QPinchGesture):
                self.cancel()
                centre = QPointF(self.viewport().mapFromGlobal(pinch.centerPoint().toPoint()))
                self.set_zoom(self.zoom * pinch.scaleFactor(), centre)
                return True
        elif event.type() == QEvent.Type.DevicePixelRatioChange:
            self.retheme()
        elif event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            self._tooltip(event)
            return True
        return super().viewportEvent(event)

    def _tooltip(self, event: QHelpEvent) -> None:
        hit = self.board.hit(self.mapToScene(event.pos()), self.zoom)
        QToolTip.showText(event.globalPos(), self.board.described(hit), self.viewport())

    # --- dropping layers ----------------------------------------------------------------------

    def splice_edge(self, layer: str, at: QPointF) -> Edge | None:
        """The edge that a layer let go at ``at`` would go into."""
        if not commands.fits_into_edge(self.level.graph, layer):
            return None
        return self.board.edge_at(at, SPLICE_REACH)

    def place(self, layer: str, at: QPointF) -> str | None:
        """Put a layer at a scene position, into the edge there if there is one."""
        return commands.place(self.level, layer, at, self.splice_edge(layer, at))

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        layer = dragged_layer(event)
        if layer:
            self.cancel()
            self.gesture = DropLayer(self, layer)
            event.acceptProposedAction()

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        if isinstance(self.gesture, DropLayer):
            at = self.mapToScene(event.position().toPoint())
            self.gesture.move(at, event.modifiers())
            event.acceptProposedAction()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self.cancel()

    def dropEvent(self, event: QDropEvent) -> None:
        gesture, self.gesture = self.gesture, None
        if isinstance(gesture, DropLayer):
            event.acceptProposedAction()
            gesture.finish(self.mapToScene(event.position().toPoint()), event.modifiers())
            self.setFocus(Qt.FocusReason.OtherFocusReason)

    # --- keys and focus -----------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self.keys is not None and self.keys.press(event):
            event.accept()
        else:
            event.ignore()

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Tab goes from node to node, and on to the next widget behind the last."""
        if self.keys is not None and self.hasFocus() and self.keys.walk(1 if forward else -1):
            return True
        return super().focusNextPrevChild(forward)

    def set_space(self, down: bool) -> None:
        """While the space bar is down, the left button pans."""
        self._space = down
        if down:
            self.viewport().setCursor(Qt.CursorShape.OpenHandCursor)
        else:
            self.viewport().unsetCursor()

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if event.key() == _Key.Key_Space and not event.isAutoRepeat():
            self.set_space(False)
        else:
            super().keyReleaseEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self.set_space(False)
        super().focusOutEvent(event)


def _toward(at: int, low: int, high: int) -> int:
    if at < low + AUTOPAN_EDGE:
        return -AUTOPAN_STEP
    return AUTOPAN_STEP if at > high - AUTOPAN_EDGE else 0
