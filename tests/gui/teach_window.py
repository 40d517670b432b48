"""The whole application with a clip in place of the camera, told about in JSON lines."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QAbstractButton

from playground.answers import Classes
from tests.gui.teach_kit import Telling
from tests.gui.watched import Watched, middle, run
from ui.settings import settings

if TYPE_CHECKING:
    from ui.live.teach.classes_page import ClassesPage

WAYS = ("Teach my own objects",)


class Teaching(Watched):
    def __init__(self) -> None:
        self.telling = Telling()
        super().__init__()

    def open(self) -> None:
        settings().setValue("live/pictures", sys.argv[1])

    def state(self) -> dict[str, object]:
        session, workspace = self.window.session, self.window.workspace
        state: dict[str, object] = {
            "ways": {
                button.accessibleName(): middle(button)
                for button in self.window.findChildren(QAbstractButton)
                if button.accessibleName() in WAYS and button.isVisible()
            },
        }
        live = workspace.live_view if workspace is not None else None
        if live is not None and live.isVisible():
            desk = live.desk
            frame = desk.device.frame() if desk.device is not None else None
            answer = desk.answer.answer if desk.answer is not None else None
            state |= {
                "shown": self.telling.name(frame.pixels) if frame is not None else "",
                "engine": desk.figures.engine,
                "mark": bool(desk.mark),
                "run": session.project.run,
                "nodes": len(session.graph.nodes),
            }
            if isinstance(answer, Classes) and answer.answers:
                state["answer"] = answer.answers[0][0]
                state["known"] = answer.seen is not None and answer.seen > 0.5
            if live.left.current() == "classes":
                state |= self.page(live.left.page("classes"))
        return state

    def page(self, page: ClassesPage) -> dict[str, object]:
        cards = page.classes.cards
        learned = page.lessons.learned
        return {
            "ready": bool(cards) and cards[0].hold.isEnabled(),
            "hold": {card.name: middle(card.hold) for card in cards},
            "red": [card.name for card in cards if card.hold.property("kind") == "danger"],
            "counts": {name: len(page.lessons.library.files(name)) for name in page_names(page)},
            "add": middle(page.classes.add),
            "editing": any(card.title.hasFocus() for card in cards),
            "learn": middle(page.learn) if page.learn.isEnabled() else None,
            "said": page.text.text(),
            "learned": {} if learned is None else dict(learned.counts),
            "number": 0 if learned is None else learned.number,
            "accuracy": None if learned is None else learned.accuracy,
        }


def page_names(page: ClassesPage) -> list[str]:
    return page.lessons.library.names


if __name__ == "__main__":
    run(Teaching)
