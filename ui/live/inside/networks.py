"""The networks of what can run live: to be listed, and to be opened on the canvas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from models.graph import Graph
from models.zoo.mtcnn import onet, pnet, rnet
from playground.live.what import BACKBONE, Runnable
from playground.project import Project
from playground.recognisers import RECOGNISERS, find_run, run_of
from playground.runs import RunFolder
from ui.live.inside.layers import Layers, layers_of

FACES = (("P-Net", pnet), ("R-Net", rnet), ("O-Net", onet))
"""The three networks of MTCNN, in their order."""


def networks_of(what: Runnable, running: Graph | None) -> list[Layers]:
    """The networks of ``what``, or the one that is ``running``; none where there is no graph of
    them. Reads files: not for the main thread. Raises ``ValueError`` of some kind."""
    if running is not None:
        return [layers_of(running)]
    if what.id == "faces":
        return [layers_of(graph(), name) for name, graph in FACES]
    project = project_of(what, "")
    return [layers_of(project.graph)] if project is not None else []


def project_of(what: Runnable, title: str) -> Project | None:
    """What is opened on the canvas; ``title`` is that of one of several networks. Raises
    ``ValueError`` of some kind."""
    faces = dict(FACES)
    if what.id == "faces":
        graph = faces.get(title, pnet)()
        name = title or FACES[0][0]
        return Project(name, graph, summary=f"{name} of MTCNN (Zhang et al. 2016), without weights")
    recogniser = RECOGNISERS.find(BACKBONE if what.kind == "teach" else what.id)
    if recogniser is not None:
        return recogniser.project()
    if what.path is None:
        return None
    project = RunFolder(what.path).project()
    return replace(project, name=f"{project.name} ({what.path.name})", run=None)


def run_for(what: Runnable) -> Path | None:
    """The run whose weights belong to ``project_of``; raises ``ValueError`` of some kind."""
    if what.path is not None:
        return find_run(what.path).path
    if what.kind == "teach":
        return run_of(BACKBONE).path
    return run_of(what.id).path if RECOGNISERS.find(what.id) is not None else None


def total(networks: Sequence[Layers]) -> tuple[int, int]:
    """Parameters and floating-point operations of all together."""
    return sum(one.parameters for one in networks), sum(one.flops for one in networks)
