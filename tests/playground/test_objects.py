"""torchvision's detectors without its compiled operators, and with weights that were fetched."""

from __future__ import annotations

import hashlib
import math
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import playground.compat  # noqa: F401  (repairs torchvision where its operators are missing)
from playground.detection import detectors
from playground.detection import operators as operators_of_ours
from playground.detection.detectors import DETECTORS, DetectorKind
from playground.detection.geometry import iou
from playground.detection.objects import Architecture, Objects
from playground.downloads import Download, DownloadError
from playground.resources import SAMPLES
from tests.playground.cli_kit import Shell

SSDLITE = Architecture(
    "ssdlite320_mobilenet_v3_large", "SSDLite320_MobileNet_V3_Large_Weights.COCO_V1"
)
RCNN = Architecture(
    "fasterrcnn_mobilenet_v3_large_320_fpn",
    "FasterRCNN_MobileNet_V3_Large_320_FPN_Weights.COCO_V1",
)
PICTURE = np.random.default_rng(0).integers(0, 256, (90, 160, 3), np.uint8)


def at_random(architecture: Architecture) -> nn.Module:
    """The network with random weights that find something."""
    torch.manual_seed(0)
    network = architecture.build()
    for module in network.modules():
        if architecture is SSDLITE and isinstance(module, nn.Conv2d):  # its own make all alike
            nn.init.kaiming_normal_(module.weight)
    return network


@pytest.fixture(scope="module")
def ssdlite() -> Objects:
    return Objects(at_random(SSDLITE), SSDLITE.classes())


def test_ssdlite_answers_without_compiled_operators(ssdlite: Objects) -> None:
    answer = ssdlite.detect(PICTURE, {"score": 0.01, "most": 50, "overlap": 0.4})
    assert answer.size == (90, 160)
    assert 0 < len(answer.boxes) <= 50
    scores = [box.score for box in answer.boxes]
    assert scores == sorted(scores, reverse=True)
    assert min(scores) > 0.01
    for box in answer.boxes:
        x0, y0, x1, y1 = box.box
        assert 0 <= x0 <= x1 <= 160
        assert 0 <= y0 <= y1 <= 90
        assert box.label in ssdlite.classes
    for label in {box.label for box in answer.boxes}:
        corners = np.asarray([box.box for box in answer.boxes if box.label == label])
        assert np.triu(iou(corners, corners), 1).max() <= 0.4 + 1e-5


def test_settings_hold_for_one_call(ssdlite: Objects) -> None:
    settings = {"score": 0.01, "most": 300}
    many = ssdlite.detect(PICTURE, settings)
    middle = float(np.median([box.score for box in many.boxes]))
    some = ssdlite.detect(PICTURE, {**settings, "score": middle})
    assert len(some.boxes) > 0
    assert min(box.score for box in some.boxes) > middle
    assert len(ssdlite.detect(PICTURE, {**settings, "most": 3}).boxes) == 3
    others = ssdlite.detect(PICTURE, {**settings, "overlap": 0.05})
    assert others != many
    assert ssdlite.detect(PICTURE, settings) == many


def test_faster_rcnn_answers_without_compiled_operators() -> None:
    found = Objects(at_random(RCNN), RCNN.classes())
    answer = found.detect(PICTURE, {"score": 0.01, "most": 20})
    assert 0 < len(answer.boxes) <= 20


def test_suppression_is_torchvisions() -> None:
    operators_of_ours.provide()
    from torchvision.ops import boxes as operators

    random = torch.Generator().manual_seed(0)
    start = torch.rand(1500, 2, generator=random) * 100
    boxes = torch.cat([start, start + 5 + 30 * torch.rand(1500, 2, generator=random)], 1)
    scores, classes = torch.rand(1500, generator=random), torch.arange(1500) % 3
    whole = operators.batched_nms(boxes, scores, classes, 0.5)
    parts = [
        torch.nonzero(classes == kind)[:, 0][
            operators.nms(boxes[classes == kind], scores[classes == kind], 0.5)
        ]
        for kind in range(3)
    ]
    assert sorted(whole.tolist()) == sorted(torch.cat(parts).tolist())
    assert (scores[whole].diff() <= 0).all()
    assert operators.nms(torch.zeros(0, 4), torch.zeros(0), 0.5).tolist() == []


@pytest.mark.parametrize("aligned", [False, True])
def test_regions_are_sampled_as_torchvision_does(aligned: bool) -> None:
    import_module("torchvision.ops")
    reference = sys.modules["torchvision.ops.roi_align"]._roi_align.__wrapped__
    random = torch.Generator().manual_seed(1)
    values = torch.rand(1, 3, 13, 17, generator=random)
    start = torch.rand(150, 2, generator=random) * torch.tensor([100.0, 70.0])
    size = torch.rand(150, 2, generator=random) * 50
    end = torch.minimum(start + size, torch.tensor([136.0, 104.0]))
    boxes = torch.cat([torch.zeros(150, 1), start, end], 1)
    ours = operators_of_ours.roi_align(values, boxes, (7, 5), 1 / 8, 2, aligned)
    assert torch.allclose(ours, reference(values, boxes, 1 / 8, 7, 5, 2, aligned), atol=1e-5)
    assert operators_of_ours.roi_align(values, boxes[:0], (7, 5), 1 / 8).shape == (0, 3, 7, 5)


@pytest.mark.parametrize("architecture", [SSDLITE, RCNN], ids=["ssdlite", "faster-rcnn"])
def test_weights_are_read_without_a_random_draw(architecture: Architecture, tmp_path: Path) -> None:
    network = at_random(architecture)
    path = tmp_path / "weights.pth"
    torch.save(network.state_dict(), path)
    before = torch.get_rng_state()
    read = Objects.read(architecture, path)
    assert torch.equal(before, torch.get_rng_state())
    settings = {"score": 0.01}
    expected = Objects(network, architecture.classes()).detect(PICTURE, settings)
    assert read.detect(PICTURE, settings) == expected


def test_files_that_are_no_such_weights(tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    damaged: list[Callable[[], object]] = [
        lambda: path.write_bytes(b""),
        lambda: path.write_bytes(b"no weights"),
        lambda: torch.save({"a": torch.zeros(1)}, path),
        lambda: torch.save([1, 2], path),
        lambda: torch.save(Path("x"), path),
    ]
    for make in damaged:
        make()
        with pytest.raises(DownloadError, match="does not hold these weights"):
            Objects.read(SSDLITE, path)


def test_addresses_and_sizes_are_torchvisions() -> None:
    from torchvision.models import get_weight

    fetched = [kind for kind in DETECTORS if kind.download is not None]
    text = Path(detectors.__file__).read_text(encoding="utf-8")
    names = re.findall(r'"(\w+_Weights\.\w+)"', text)
    assert len(names) == len(fetched) == 3
    for kind, name in zip(fetched, names, strict=True):
        assert kind.download is not None
        weights = get_weight(name)
        assert kind.download.url == weights.url
        assert math.isclose(kind.download.bytes / 2**20, weights.meta["_file_size"], rel_tol=1e-3)
        assert re.fullmatch(r"[0-9a-f]{8}", kind.download.checksum)


# --- on the command line --------------------------------------------------------------------------


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PLAYGROUND_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "downloads"


def changed(monkeypatch: pytest.MonkeyPatch, download: Download) -> None:
    """SSDLite's weights are another file meanwhile."""
    kind: DetectorKind = replace(DETECTORS.get("ssdlite"), download=download)
    monkeypatch.setitem(DETECTORS._entries, "ssdlite", kind)


def test_weights_that_are_missing_are_asked_for(
    capsys: pytest.CaptureFixture[str], cache: Path
) -> None:
    said = Shell(capsys)("predict", "ssdlite", SAMPLES / "images" / "astronaut.jpg")
    assert said.code == 1
    assert said.sentence == (
        "ssdlite needs its weights (14.1 MB), which are not on this machine yet: "
        "playground download ssdlite"
    )


def test_what_was_fetched_is_used(
    capsys: pytest.CaptureFixture[str], cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.mkdir(parents=True)
    path = cache / "weights.pth"
    torch.save(at_random(SSDLITE).state_dict(), path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    changed(monkeypatch, Download(f"http://host.invalid/ssdlite-{digest[:8]}.pth", 14_000_000))
    path.rename(cache / f"ssdlite-{digest[:8]}.pth")
    run = Shell(capsys)
    (event,) = run.json("download", "ssdlite")
    assert event["event"] == "finished"
    assert event["bytes"] == Path(event["path"]).stat().st_size
    photo = SAMPLES / "images" / "astronaut.jpg"
    (found,) = run.json("predict", "ssdlite", photo, "--set", "score=0.02", "--top", "2")
    assert [set(box) for box in found["boxes"]] == [{"label", "score", "box"}] * 2


def test_downloading_what_needs_none_or_is_unknown_or_out_of_reach(
    capsys: pytest.CaptureFixture[str], cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Shell(capsys)
    assert "came with the application" in run("download", "faces").out
    assert run("download", "ssdlit").sentence.endswith("did you mean ssdlite?")
    monkeypatch.setattr("playground.downloads.PAUSE", 0.0)
    changed(monkeypatch, Download("http://host.invalid/ssdlite-a79551df.pth", 14_000_000))
    said = run("download", "ssdlite")
    assert said.code == 1
    assert "cannot be fetched from host.invalid" in said.sentence
