"""Teaching by example: vectors, the fit, what is new, and the project that comes of it."""

from __future__ import annotations

import shutil
import tracemalloc
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from PIL import Image

from playground import project as projects
from playground import vision
from playground.data import DataSettings, SplitSettings, open_data
from playground.embedding import Embedder, EmbeddingError
from playground.model import Model
from playground.recognisers import load_named
from playground.resources import SAMPLES
from playground.runs import RunFolder, load_model
from playground.teach import (
    Examples,
    Taught,
    TeachError,
    fit,
    graph_for,
    save_project,
    taught_by,
)
from playground.training.errors import TrainingError
from playground.training.trainer import Trainer
from playground.vision import cv2
from tests.clock import quickest
from tests.playground.cli_kit import Shell

Pixels = npt.NDArray[np.uint8]
Sets = dict[str, list[Pixels]]
ID = "efficientnet-lite0"


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def own_cache(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLAYGROUND_CACHE", str(cache))


@pytest.fixture(scope="module")
def model(cache: Path) -> Model:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLAYGROUND_CACHE", str(cache))
        return load_named(ID)


@pytest.fixture(scope="module")
def embedder(model: Model) -> Embedder:
    return Embedder(model, cached=False)


def views(name: str, count: int, seed: int) -> list[Pixels]:
    """A photograph seen anew each time: cut, turned, mirrored, brighter or darker, noisy."""
    photo = vision.read_picture(SAMPLES / "images" / name, 3).transpose(1, 2, 0)
    random = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        height, width = (int(side * random.uniform(0.6, 1.0)) for side in photo.shape[:2])
        ends = zip(photo.shape[:2], (height, width), strict=True)
        top, left = (int(random.uniform(0, whole - part)) for whole, part in ends)
        part = np.ascontiguousarray(photo[top : top + height, left : left + width])
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), random.uniform(-15, 15), 1.0)
        part = cv2.warpAffine(part, turn, (width, height), borderMode=cv2.BORDER_REFLECT)
        if random.random() < 0.5:
            part = part[:, ::-1]
        bright = part * random.uniform(0.6, 1.3) + random.normal(0, 4, part.shape)
        found.append(bright.clip(0, 255).astype(np.uint8))
    return found


def clip(count: int) -> list[Pixels]:
    """Frames of the bundled clip, evenly over its length."""
    capture = cv2.VideoCapture(str(SAMPLES / "clip" / "bigbuckbunny.mp4"))
    frames = []
    while (read := capture.read())[0]:
        frames.append(np.ascontiguousarray(read[1][:, :, ::-1]))
    capture.release()
    return [frames[int(at)] for at in np.linspace(0, len(frames) - 1, count)]


@pytest.fixture(scope="module")
def pictures() -> Sets:
    return {
        "astronaut": views("astronaut.jpg", 24, 1),
        "cat": views("chelsea_cat.png", 24, 2),
        "bunny": clip(24),
    }


@pytest.fixture(scope="module")
def vectors(embedder: Embedder, pictures: Sets) -> dict[str, npt.NDArray[np.float32]]:
    return {
        name: np.stack([embedder.frame(frame) for frame in frames])
        for name, frames in pictures.items()
    }


@pytest.fixture
def taught(vectors: dict[str, npt.NDArray[np.float32]]) -> Taught:
    """Every other picture was shown."""
    result = Taught()
    for name, found in vectors.items():
        for vector in found[::2]:
            result.add(name, vector)
    return result


# --- vectors --------------------------------------------------------------------------------------


def test_a_vector_is_what_the_head_gets(embedder: Embedder, model: Model, pictures: Sets) -> None:
    raw = embedder.reading.from_array(pictures["cat"][0])
    (vector,) = embedder.embed([raw])
    batch = model.prepared({"image": raw[None]})
    pooled = model.graph.named("avg_pooling")
    assert pooled is not None
    expected = model.network.capture(batch)[pooled.id, "output"][0].numpy()
    assert vector.shape == (1280,) == expected.shape
    np.testing.assert_allclose(vector, expected, atol=1e-5)
    assert len(model.outputs(batch)["label"][0]) == 1000  # the model itself is as it was


def test_vectors_are_kept_by_contents(model: Model, tmp_path: Path) -> None:
    first, moved = tmp_path / "a.png", tmp_path / "b.png"
    Image.fromarray(views("chelsea_cat.png", 1, 0)[0]).save(first)
    embedder = Embedder(model)
    found = embedder.files([first, tmp_path / "none.png"])
    assert found.paths == (first,)
    assert [item.name for item in found.skipped] == ["none.png"]
    first.rename(moved)

    class Counting(Embedder):
        count = 0

        def embed(self, pictures):
            self.count += len(pictures)
            return super().embed(pictures)

    again = Counting(model)
    assert again.key == embedder.key
    np.testing.assert_array_equal(again.files([moved]).vectors, found.vectors)
    assert again.count == 0
    vector = np.arange(1280, dtype=np.float32)
    again.keep(moved, vector)
    np.testing.assert_array_equal(embedder.file(moved), again.file(moved))


def test_other_weights_have_other_vectors(model: Model) -> None:
    other = load_named(ID)
    with torch.no_grad():
        other.network.module.get_submodule("conv_stem").weight[0, 0, 0, 0] += 1  # type: ignore[index,operator]
    assert Embedder(other, cached=False).key != Embedder(model, cached=False).key
    with torch.no_grad():
        model.network.module.get_submodule("fc").bias.zero_()  # type: ignore[operator,union-attr]
    same = load_named(ID)
    assert Embedder(same, cached=False).key == Embedder(model, cached=False).key


def test_networks_without_pictures_have_none(tmp_path: Path) -> None:
    from playground.model import untrained

    project = projects.open_example("airline-lstm")
    dataset = open_data(project.data, tmp_path)
    with pytest.raises(EmbeddingError, match="for pictures"):
        Embedder(untrained(project, dataset))


# --- learning -------------------------------------------------------------------------------------


def test_held_out_pictures_are_told_apart(
    taught: Taught, vectors: dict[str, npt.NDArray[np.float32]]
) -> None:
    head = taught.fit()
    assert head.classes == ("astronaut", "bunny", "cat")
    rest = np.concatenate([vectors[name][1::2] for name in head.classes])
    labels = np.repeat(np.arange(3), [len(vectors[name][1::2]) for name in head.classes])
    assert head.score(rest, labels)["accuracy"] >= 0.95
    assert np.median(head.examples.seen(rest)) > 0.9
    answer = head.predict(vectors["cat"][1])
    assert answer.answers[0][0] == "cat"
    assert set(answer.to_json()) == {"kind", "answers", "seen"}


def test_what_was_never_shown_is_new(taught: Taught, embedder: Embedder) -> None:
    head = taught.fit()
    for name in ("brick_wall.png", "cameraman.png", "horse_silhouette.png"):
        strange = embedder.frame(views(name, 1, 3)[0])
        assert head.examples.seen(strange[None])[0] < 0.2
    alone = Taught()
    for example in list(taught.examples.values())[:1]:
        alone.add("one", example.vector)
    assert alone.known().seen(example.vector[None])[0] > 0.99
    assert alone.known().seen(strange[None])[0] < 0.2


def test_a_fit_takes_as_long_as_a_few_pictures(embedder: Embedder) -> None:
    """Of 3 × 50 vectors; recording is what a person waits for."""
    random = np.random.default_rng(0)
    labels = np.repeat(np.arange(3), 50)
    centres = random.normal(size=(3, 1280))
    found = (centres[labels] + random.normal(size=(150, 1280)) * 2).clip(0).astype(np.float32)
    head = fit(found, labels, ("a", "b", "c"))
    assert head.score(found, labels)["accuracy"] == 1
    picture = views("chelsea_cat.png", 1, 1)[0]
    looked = quickest(lambda: embedder.frame(picture))
    assert quickest(lambda: fit(found, labels, ("a", "b", "c"))) < 20 * looked


def test_the_fit_is_where_the_loss_is_least(taught: Taught) -> None:
    head = taught.fit()
    x = torch.from_numpy(head.examples.vectors).double()
    y = torch.from_numpy(head.examples.labels)
    scale = x.std(dim=0, correction=0)
    scale = scale.clamp(min=float(1e-3 * scale.mean()))
    weight = (torch.from_numpy(head.weight).double() * scale).requires_grad_()
    bias = torch.from_numpy(head.bias).double().requires_grad_()
    loss = torch.nn.functional.cross_entropy(x @ (weight / scale).T + bias, y)
    (loss + 0.05 * weight.square().sum()).backward()  # type: ignore[no-untyped-call]
    assert weight.grad is not None
    assert float(weight.grad.abs().max()) < 2e-3


def test_few_of_a_class_count_as_much_as_many_of_another() -> None:
    random = np.random.default_rng(1)
    labels = np.repeat([0, 1], [200, 4])
    found = (labels[:, None] * 0.5 + random.normal(size=(204, 64))).astype(np.float32)
    fresh = (np.full((500, 1), 0.5) + random.normal(size=(500, 64))).astype(np.float32)
    assert fit(found, labels, ("a", "b")).probabilities(fresh)[:, 1].mean() > 0.3


def test_classes_can_be_changed(taught: Taught) -> None:
    with pytest.raises(TeachError, match="class cat already"):
        taught.add_class("cat")
    with pytest.raises(TeachError, match="no class dog"):
        taught.rename_class("dog", "cat")
    taught.rename_class("cat", "Chelsea")
    assert taught.classes == ("astronaut", "Chelsea", "bunny")
    assert taught.counts() == {"astronaut": 12, "Chelsea": 12, "bunny": 12}
    number = next(iter(taught.examples))
    taught.relabel([number], "bunny")
    taught.remove_class("astronaut")
    assert taught.counts() == {"Chelsea": 12, "bunny": 13}
    taught.add_class("empty")
    assert taught.fit().classes == ("bunny", "Chelsea")
    taught.remove_class("Chelsea")
    with pytest.raises(TeachError, match="only bunny has examples"):
        taught.fit()
    with pytest.raises(TeachError, match="no number"):
        taught.add("bunny", np.full(1280, np.nan, np.float32))


def test_memory_grows_with_the_examples_and_not_with_their_square() -> None:
    random = np.random.default_rng(0)

    def peak(count: int) -> int:
        vectors = random.standard_normal((count, 4)).astype(np.float32)
        tracemalloc.start()
        Examples(vectors, np.zeros(count, np.int64))
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    assert peak(6000) < 3 * peak(3000)


# --- the project ----------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path, pictures: Sets) -> Path:
    for name, frames in pictures.items():
        (tmp_path / "shown" / name).mkdir(parents=True)
        for number, frame in enumerate(frames[:12]):
            Image.fromarray(frame).save(tmp_path / "shown" / name / f"{number:02d}.png")
    return tmp_path / "shown"


def test_a_folder_becomes_a_project(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, folder: Path, pictures: Sets
) -> None:
    run, path = Shell(capsys), tmp_path / "mine.playground"
    (folder / "cat" / "broken.png").write_bytes(b"no picture")
    *_, note, done = run.json("teach", folder, "-o", tmp_path / "mine")
    assert note["text"].startswith("1 file or row was skipped: broken.png ")
    assert done["classes"] == ["astronaut", "bunny", "cat"]
    assert done["seconds"]["fit"] > 0
    assert done["test"]["accuracy"] >= 0.8
    judged = run.json("evaluate", path)[-1]
    assert judged["metrics"]["accuracy"] == pytest.approx(done["test"]["accuracy"])
    assert judged["metrics"]["loss"] == pytest.approx(done["test"]["loss"], rel=1e-3)
    known, new = tmp_path / "known.png", SAMPLES / "images" / "brick_wall.png"
    Image.fromarray(pictures["cat"][20]).save(known)
    first, second = run.json("predict", path, known, new)
    assert first["answers"][0]["label"] == "cat"
    assert first["seen"] > 0.5 > second["seen"]
    assert "not seen before" in run("predict", path, new).out
    assert run("check", path).code == 0
    again = run("teach", folder, "-o", path)
    assert (again.code, again.sentence) == (1, f"{path} exists already; --force replaces it")


def test_what_cannot_be_taught_is_told(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, folder: Path
) -> None:
    run, path = Shell(capsys), tmp_path / "mine.playground"
    (tmp_path / "one" / "cat").mkdir(parents=True)
    Image.new("RGB", (8, 8)).save(tmp_path / "one" / "cat" / "1.png")
    for words, said in (
        ((tmp_path / "none",), "does not exist"),
        ((tmp_path / "one",), "one class only (cat)"),
        ((folder, "--from", "nothing"), "there is no run nothing"),
    ):
        answer = run("teach", *words, "-o", path)
        assert answer.code == 1
        assert said in answer.sentence
    assert not path.exists()
    assert not projects.files_folder(path).exists()


def test_what_was_taught_can_be_learnt_further(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, folder: Path, pictures: Sets
) -> None:
    run, path = Shell(capsys), tmp_path / "mine.playground"
    before = load_model(Path(run.json("teach", folder, "-o", path)[-1]["run"]))
    after = load_model(Path(run.json("train", path, "--epochs", "1")[-1]["run"]))
    assert changed(before, after) == {"fc.weight", "fc.bias"}
    words = ("train", path, "--weights", path, "--epochs", "1")
    whole = load_model(Path(run.json(*words, "--set", "training.learns=all")[-1]["run"]))
    assert len(changed(before, whole)) > 200
    assert run(*words, "--resume").code == 1
    assert whole.run is not None
    assert not taught_by(whole.run)
    known, new = tmp_path / "known.png", SAMPLES / "images" / "brick_wall.png"
    Image.fromarray(pictures["cat"][20]).save(known)
    assert run.json("evaluate", path)[-1]["seen"] >= 0.8
    shutil.rmtree(folder)  # the pictures are not needed any more
    first, second = run.json("predict", path, known, new)
    assert first["seen"] > 0.5 > second["seen"]
    shutil.rmtree(whole.run.path / "examples")
    note, answer = run.json("predict", path, known)
    assert "cannot be told what was seen before: the examples are gone (" in note["text"]
    assert "seen" not in answer


def changed(one: Model, other: Model) -> set[str]:
    own, theirs = one.network.module.state_dict(), other.network.module.state_dict()
    return {key for key in own if not torch.equal(own[key], theirs[key])}


def test_what_was_taught_live_opens_and_exports(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, embedder: Embedder, taught: Taught
) -> None:
    path = tmp_path / "live.playground"
    head = taught.fit()
    data = DataSettings("camera", {"path": "files:pictures", "prepared": ID})
    project = save_project(path, embedder, head, data)
    assert projects.load(path) == project
    folder = projects.run_folder(project, path)
    assert folder is not None
    back = taught_by(RunFolder(folder))
    assert back is not None
    assert back.counts() == taught.counts()
    again = back.fit()
    np.testing.assert_allclose(again.weight, head.weight, atol=1e-6)
    raw = np.zeros((1, 3, 224, 224), np.uint8)
    (logits,) = load_model(folder).outputs(load_model(folder).prepared({"image": raw})).values()
    expected = embedder.embed([raw[0]]) @ head.weight.T + head.bias
    np.testing.assert_allclose(logits, expected, atol=1e-4)
    out = tmp_path / "it.onnx"
    (event,) = Shell(capsys).json("export", path, "--to", "onnx", "-o", out)
    assert event["difference"] <= 1e-4


def test_heads_of_other_kinds_are_refused(embedder: Embedder) -> None:
    graph, last = graph_for(embedder, ("a", "b"))
    assert (last.name, last.params["out_features"]) == ("fc", 2)
    bare = replace(embedder.model, graph=graph.with_nodes([replace(last, layer="relu", params={})]))
    broken = Embedder.__new__(Embedder)
    broken.model = bare
    with pytest.raises(TeachError, match="Linear"):
        graph_for(broken, ("a", "b"))


def test_the_last_layer_alone_learns_from_an_earlier_run(tmp_path: Path) -> None:
    project = projects.open_example("digits-cnn")
    data = replace(project.data, split=SplitSettings(validation=4700, test=200))
    project = replace(project, data=data, training=project.training.replace(epochs=1))
    dataset = open_data(project.data, tmp_path)
    place = projects.place(tmp_path / "p.playground")

    def trained(name: str, project: projects.Project) -> Mapping[str, torch.Tensor]:
        run = RunFolder.create(place.files / "runs" / name, place)
        for _ in Trainer(project, dataset, run).steps():
            pass
        return run.checkpoint("last").weights

    alone = replace(project, training=project.training.replace(learns="head"))
    with pytest.raises(TrainingError, match="let all layers learn"):
        trained("000", alone)
    first = trained("001", project)
    last = trained("002", replace(alone, run="runs/001"))
    moved = {key for key in first if not torch.equal(first[key], last[key])}
    assert {key.rpartition(".")[0] for key in moved} == {project_head(project)}


def project_head(project: projects.Project) -> str:
    linear = [node.name for node in project.graph.nodes.values() if node.layer == "linear"]
    return linear[-1]
