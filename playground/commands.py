"""What each command does. Torch is imported inside those that need it."""

from __future__ import annotations

import time
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from models.graph import GROUP, Graph
from models.groups import inside
from models.shapes import NodeReport, Report, infer
from playground import overrides, packing
from playground import project as projects
from playground.console import Console, count, short, size
from playground.data import SOURCES
from playground.detection.detectors import DETECTORS
from playground.downloads import fetch
from playground.project import Project
from playground.recognisers import RECOGNISERS, copy_to
from playground.tasks import TASKS

TELL = 0.5
"""Seconds between two JSON lines about a download."""


def examples(options: Namespace) -> int:
    """List the bundled examples."""
    console = Console(options.json)
    found = projects.examples()
    for example in found:
        console.event({"id": example.id, "title": example.title, "summary": example.summary})
    console.table(("id", "title", ""), [(e.id, e.title, e.summary) for e in found])
    console.say("\nTrain one:   playground train ID\nA copy:      playground new ID -o FILE")
    return 0


def new(options: Namespace) -> int:
    """Write an example as a project file of one's own, or a recogniser with its weights."""
    path = options.output
    if path.suffix != projects.SUFFIX:
        path = path.with_name(path.name + projects.SUFFIX)
    refuse_existing(path, options.force)
    if options.example in RECOGNISERS:
        copy_to(options.example, path)
    else:
        projects.save(replace(projects.open_example(options.example), name=path.stem), path)
    print(path)
    return 0


def recognisers(options: Namespace) -> int:
    """List the bundled recognisers and detectors."""
    console = Console(options.json)
    rows = []
    for kind, registry in (("classes", RECOGNISERS), ("boxes", DETECTORS)):
        for each in registry:
            rows.append((each.id, kind, each.title, each.summary))
            console.event(dict(zip(("id", "kind", "title", "summary"), rows[-1], strict=True)))
    console.table(("id", "gives", "title", ""), rows)
    console.say(
        "\nAsk one:   playground predict ID PHOTO\n"
        "A copy:    playground new ID -o FILE (of those that give classes)"
    )
    return 0


def download(options: Namespace) -> int:
    """Fetch a detector's weights into the cache, or what is missing of them."""
    console = Console(options.json)
    kind = DETECTORS.get(options.detector)
    if kind.download is None:
        console.event({"event": "finished", "id": kind.id, "bytes": 0})
        console.say(f"{kind.id} came with the application: there is nothing to download")
        return 0
    file, told = kind.download, 0.0
    with console.progress(file.name) as bar:

        def show(there: int, whole: int) -> None:
            nonlocal told
            bar(there, whole or file.bytes, f"{file.name} of {size(whole or file.bytes)}")
            if time.monotonic() - told >= TELL:
                told = time.monotonic()
                console.event({"event": "progress", "bytes": there, "of": whole or None})

        path = fetch(file, show)
    there = path.stat().st_size
    console.event({"event": "finished", "id": kind.id, "path": str(path), "bytes": there})
    console.say(f"{size(there)} in {path}\nAsk it:   playground predict {kind.id} PHOTO")
    return 0


def pack(options: Namespace) -> int:
    """A project with everything that belongs to it as one file."""
    project = projects.load(options.project)
    target = options.output or options.project.with_name(
        f"{options.project.name.removesuffix(projects.SUFFIX)}{packing.PACKED}"
    )
    refuse_existing(target, options.force)
    packing.pack(project, options.project, target)
    print(target)
    return 0


def unpack(options: Namespace) -> int:
    """Open a packed project into a new folder."""
    if not options.packed.is_file():
        raise ValueError(f"{options.packed} does not exist, or is no file")
    print(packing.unpack(options.packed, options.output or packing.folder_for(options.packed)))
    return 0


def check(options: Namespace) -> int:
    """Every node's shape, parameters and FLOPs, or its error; 1 where there is one."""
    console = Console(options.json)
    project, _ = open_project(options.project)
    project = overrides.apply(project, options.settings)
    SOURCES.get(project.data.source)
    TASKS.get(project.task.id)
    report = infer(project.graph)
    rows = list(_rows(project.graph, report, ""))
    console.event(
        {
            "nodes": rows,
            "parameters": report.parameters,
            "flops": report.flops,
            "ok": report.ok,
            **({"error": report.missing} if report.missing else {}),
        }
    )
    console.table(
        ("node", "layer", "shape", "parameters", ""),
        [_line(row) for row in rows],
        right=(3,),
    )
    console.say()
    if report.ok:
        batch = project.training.batch_size
        memory = report.activation_bytes(batch) + 16 * report.parameters
        console.say(
            f"{count(report.parameters)} parameters, {short(report.flops)}FLOPs a sample, "
            f"about {size(memory)} to train in batches of {batch}"
        )
        return 0
    errors = sum(bool(row["error"]) for row in rows)
    first = report.sentence(project.graph)
    raise ValueError(first if errors <= 1 else f"{errors} errors, the first at {first}")


def _rows(graph: Graph, report: Report, prefix: str) -> Iterator[dict[str, Any]]:
    """A row a node in the order of the values' way; a group is followed by what is inside it."""
    order, cyclic = graph.order()
    for id in (*order, *cyclic):
        node, found = graph.nodes[id], report.nodes[id]
        problem = found.problem
        row = {
            "id": id,
            "name": prefix + node.name,
            "layer": node.layer,
            "shape": _shape(found),
            "parameters": found.parameters if found.ok else None,
            "flops": found.flops if found.ok else None,
            "error": problem.message if problem and problem.level == "error" else None,
        }
        if problem and problem.level == "note":
            row["note"] = problem.message
        if problem and problem.fix:
            row["fix"] = problem.fix.label
        if found.waiting:
            row["waiting"] = True
        yield row
        if node.layer == GROUP and found.inside is not None:
            yield from _rows(inside(graph, node), found.inside, f"{row['name']}.")


def _shape(found: NodeReport) -> Any:
    """A shape's sizes, or with several outputs one a port."""
    shapes = {port: list(shape.sizes) for port, shape in found.outputs.items()}
    if not shapes:
        return None
    return next(iter(shapes.values())) if len(shapes) == 1 else shapes


def _line(row: dict[str, Any]) -> tuple[str, ...]:
    shape = row["shape"]
    if isinstance(shape, dict):
        text = " · ".join(f"{port} {_sizes(sizes)}" for port, sizes in shape.items())
    else:
        text = _sizes(shape) if shape else "–"
    if row["error"]:
        remark = f"✗ {row['error']}" + (f" → {row['fix']}" if "fix" in row else "")
    elif row.get("waiting"):
        remark = "waits for a node before it"
    else:
        remark = row.get("note", "")
    parameters = "" if row["parameters"] is None else count(row["parameters"])
    return (row["name"], row["layer"], text, parameters, remark)


def _sizes(sizes: list[int | str]) -> str:
    return "×".join(map(str, sizes))


def doctor(options: Namespace) -> int:
    """What works on this machine; 1 where something needed does not."""
    from playground.doctor import diagnose

    console = Console(options.json)
    failed = []
    for found in diagnose():
        console.event(found.to_json())
        console.say(found.line())
        if found.status == "failed":
            failed.append(found.name)
    console.event({"ok": not failed, "failed": failed})
    return 1 if failed else 0


def bench(options: Namespace) -> int:
    """Measure; the last JSON line says where."""
    from playground import bench as benches

    console = Console(options.json)
    machine = benches.machine()
    console.say(
        f"{machine['cores']} cores, {machine['threads']} for torch"
        + ("" if machine["load"] is None else f", load {machine['load']:.2f}")
    )
    rows = benches.run(options.names, options.rounds, options.seconds, console)
    console.event({"event": "finished", "machine": machine, "rows": len(rows)})
    return 0


def open_project(name: str) -> tuple[Project, Path]:
    """A project file, or an example by its id; with the path that its files belong to."""
    path = Path(name)
    if not path.exists() and path.name == name and not path.suffix:
        return projects.open_example(name), Path.cwd() / f"{name}{projects.SUFFIX}"
    return projects.load(path), path


def refuse_existing(path: Path, force: bool) -> None:
    """Raises ``ValueError`` where writing ``path`` would replace something, or cannot be."""
    if path.is_dir():
        raise ValueError(f"{path} is a folder; give a file's name")
    if path.exists() and not force:
        raise ValueError(f"{path} exists already; --force replaces it")
    if not path.absolute().parent.is_dir():
        raise ValueError(f"the folder {path.parent} does not exist")
