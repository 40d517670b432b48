"""Every action of the window itself: its menus, its command search, its shortcuts."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from playground import project as projects
from ui.actions import Action
from ui.theme import theme
from ui.workspace import CANVAS, TITLES

if TYPE_CHECKING:
    from ui.main_window import MainWindow


def window_actions(window: MainWindow) -> Iterator[Action]:
    """What can be done whatever the panels show; examples too."""
    for actions in (_file, _export, _edit, _run, _panels, _view, _live):
        yield from actions(window)
    for example in projects.examples():
        yield Action(
            f"example_{example.id}",
            f"Open example: {example.title}",
            partial(window.open_example, example.id),
            icon="network",
            keywords=f"{example.summary} start",
        )


def _file(window: MainWindow) -> list[Action]:
    is_open = window.is_open
    return [
        Action("new", "New network", window.new_project, "Ctrl+N", "file-plus", "File"),
        Action("open", "Open …", window.choose_project, "Ctrl+O", "folder", "File",
               keywords="project file load"),
        Action("start", "Examples and recent projects", window.show_start, "Ctrl+Shift+N", "grid",
               "File", keywords="home welcome"),
        Action("save", "Save", window.save, "Ctrl+S", "save", "File", is_open),
        Action("save_as", "Save as …", window.save_as, "Ctrl+Shift+S", "save", "File", is_open),
        Action("pack", "Save a packed copy …", window.save_packed, "", "save", "File", is_open,
               keywords="zip share send recordings weights"),
        Action("quit", "Quit", window.close, "Ctrl+Q", "exit", "Program", keywords="close exit"),
    ]  # fmt: skip


def _export(window: MainWindow) -> list[Action]:
    trained = window.has_run
    return [
        Action("export_python", "Export as Python …", partial(window.export, "python", ".py"),
               "", "code", "Export", trained, keywords="source code torch"),
        Action("export_onnx", "Export as ONNX …", partial(window.export, "onnx", ".onnx"),
               "", "download", "Export", trained, keywords="model weights"),
        Action("export_pt2", "Export as torch program …", partial(window.export, "pt2", ".pt2"),
               "", "download", "Export", trained, keywords="model weights torch.export pt2"),
    ]  # fmt: skip


def _edit(window: MainWindow) -> list[Action]:
    undo = window.session.undo
    return [
        Action("undo", "Undo", undo.undo, "Ctrl+Z", "undo", "Edit", window.can_undo),
        Action("redo", "Redo", undo.redo, "Ctrl+Y; Ctrl+Shift+Z", "redo", "Edit", window.can_redo),
        Action("search", "Search actions", window.open_search, "Ctrl+K", "search", "Help"),
    ]


def _run(window: MainWindow) -> list[Action]:
    session = window.session
    return [
        Action("run", "Run or pause", session.toggle, "F5", "play", "Run", window.can_toggle,
               keywords="train start resume learn"),
        Action("step", "Train one batch", session.step, "F6", "step", "Run", window.can_toggle,
               keywords="single step"),
        Action("stop", "Stop and keep what is learnt", session.stop, "Shift+F5", "stop", "Run",
               lambda: session.state.busy, keywords="end finish"),
        Action("run_on", "Continue with the edited graph", session.run_on, "Ctrl+F5", "refresh",
               "Run", window.can_run_on, keywords="train weights keep"),
    ]  # fmt: skip


def _panels(window: MainWindow) -> list[Action]:
    actions = [
        Action(f"panel_{id}", title, partial(window.in_workspace, "toggle", id),
               f"Ctrl+{number}", "", "Panels", window.is_open,
               partial(window.panel_shown, id), keywords="show hide panel")
        for number, (id, title) in enumerate(
            ((id, title) for id, title in TITLES.items() if id != CANVAS), start=1
        )
    ]  # fmt: skip
    actions += [
        Action(f"maximise_{id}", f"Maximise {title}",
               partial(window.in_workspace, "maximise", id),
               "F11" if id == CANVAS else "", "maximise", "Panels", window.is_open,
               keywords="full large restore panel")
        for id, title in TITLES.items()
    ]  # fmt: skip
    actions += [
        Action(f"show_{id}", f"Go to {title}", partial(window.session.reveal.emit, id), "", "",
               "", window.is_open, keywords="panel tab show")
        for id, title in (
            ("layers", "Layers"), ("examples", "Examples"), ("outline", "Outline"),
            ("data", "Data"), ("inspector", "Inspector"), ("training", "Training"),
            ("samples", "Samples"), ("record", "Record"), ("augment", "Augment"),
            ("checks", "Checks"), ("live", "Live"), ("confusion", "Confusion"),
            ("try", "Try"), ("runs", "Runs"),
        )
    ]  # fmt: skip
    return actions


def _view(window: MainWindow) -> list[Action]:
    return [
        Action("reset_panels", "All panels as at first", partial(window.in_workspace, "reset"),
               "", "panel-left", "View", window.is_open, keywords="layout restore default"),
        Action("theme", "Light or dark", theme().toggle, "Ctrl+Shift+L", "sun", "View",
               keywords="theme colours colors night"),
        Action("mode_network", "Network", partial(window.session.set_mode, "network"), "Alt+1",
               "", "View", window.is_open, lambda: window.session.mode == "network",
               keywords="canvas build design layers"),
        Action("mode_data", "Data", partial(window.session.set_mode, "data"), "Alt+2", "", "View",
               window.is_open, lambda: window.session.mode == "data",
               keywords="samples record augment checks camera microphone"),
        Action("record_camera", "Record pictures with the camera",
               partial(window.session.reveal.emit, "record:camera"), "", "camera", "",
               window.is_open, keywords="webcam samples classes hold teach"),
        Action("record_microphone", "Record sounds with the microphone",
               partial(window.session.reveal.emit, "record:microphone"), "", "mic", "",
               window.is_open, keywords="audio speech samples classes hold teach noise"),
        Action("full_screen", "Full screen", window.full_screen, "Shift+F11", "fit", "View",
               checked=window.isFullScreen),
        Action("next_sample", "Next sample", partial(window.in_workspace, "next_sample"),
               "Ctrl+.", "chevron-right", "View", window.is_open),
        Action("previous_sample", "Previous sample",
               partial(window.in_workspace, "previous_sample"), "Ctrl+,", "chevron-left", "View",
               window.is_open),
        Action("shortcuts", "Keyboard shortcuts", window.show_help, "F1", "keyboard", "Help",
               keywords="keys help"),
    ]  # fmt: skip


def _live(window: MainWindow) -> list[Action]:
    reveal = window.session.reveal.emit
    on_stage = partial(window.in_live, "on_stage")
    return [
        Action("live_toggle", "Start or stop live", window.toggle_live, "F8", "camera", "Live",
               checked=window.runs_live, keywords="camera webcam recognise run device"),
        Action("live_snapshot", "Keep this picture", partial(on_stage, "keeper.take_picture"), "",
               "image", "Live", window.is_live, keywords="snapshot photo save", shown="S"),
        Action("live_film", "Record a film, or end it", partial(on_stage, "keeper.toggle_film"),
               "", "film", "Live", window.is_live, keywords="record video save", shown="R"),
        Action("live_whole", "Live on the whole screen", partial(on_stage, "toggle_whole"), "",
               "maximise", "Live", window.is_live, keywords="full screen demonstrate show",
               shown="F"),
        Action("live_choose", "Choose what runs live", window.choose_live, "Alt+Shift+3", "",
               "Live", window.is_open, keywords="model recogniser detector network run"),
        Action("mode_live", "Live", partial(window.session.set_mode, "live"), "Alt+3", "", "View",
               window.is_open, lambda: window.session.mode == "live",
               keywords="camera webcam recognise demo run"),
        Action("live_run", "Run this network live", partial(reveal, "recognise:network"), "",
               "camera", "Live", window.has_run, keywords="webcam recognise demo"),
        Action("live_recognise", "Recognise things with the camera",
               partial(window.recognise, "efficientnet-lite0"), "", "camera", "Live",
               keywords="webcam live imagenet efficientnet demo"),
        Action("live_teach", "Teach my own objects", partial(window.recognise, "teach"), "",
               "sparkles", "Live", keywords="webcam camera classes hold example learn demo"),
        Action("live_faces", "Find faces with the camera", partial(window.recognise, "faces"), "",
               "camera", "Live", keywords="webcam live detect mtcnn demo"),
    ]  # fmt: skip
