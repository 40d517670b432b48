"""Grad-CAM and occlusion: the published definition, the right place, and nothing disturbed."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.functional import interpolate

from models.axes import Kind, image, sequence
from playground.data.reading import ImageReading
from playground.data.sound_reading import SoundReading
from playground.embedding import backbone
from playground.model import Model
from playground.probes.attribution import (
    AttributionError,
    GradCam,
    Occlusion,
    arguments_of,
    gradcam,
    occlusion,
    subject,
)
from playground.probes.channels import exciting, strengths
from playground.probes.passing import Passage
from playground.recognisers import load_named
from playground.resources import SAMPLES
from playground.tasks import TASKS
from playground.teach import Examples, Head
from playground.training.learner import initial_network
from playground.vision import from_array, read_picture
from tests.playground.fakes import chain, cnn
from tests.playground.live_kit import clip_model, model_of, picture_model, series_model, shaken

PHOTOS = SAMPLES / "images"
CATS = ("tiger cat", "tabby", "Egyptian cat")


@pytest.fixture(scope="module")
def recogniser(tmp_path_factory: pytest.TempPathFactory) -> Model:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLAYGROUND_CACHE", str(tmp_path_factory.mktemp("cache")))
        return load_named("efficientnet-lite0")


def photo(name: str) -> Any:
    """H×W×3 pixels, 224 on each side."""
    return read_picture(PHOTOS / name, 3, (224, 224), "crop").transpose(1, 2, 0)


def hooked(module: Any, layer: Any, x: torch.Tensor, label: int) -> Any:
    """Grad-CAM as it is usually written by hand, with hooks."""
    kept: dict[str, torch.Tensor] = {}
    handles = [
        layer.register_forward_hook(lambda m, i, out: kept.update(maps=out)),
        layer.register_full_backward_hook(lambda m, i, out: kept.update(slopes=out[0])),
    ]
    module.zero_grad()
    module(x)[0, label].backward()
    for handle in handles:
        handle.remove()
    module.zero_grad()
    weights = kept["slopes"].mean(dim=(2, 3), keepdim=True)
    cam = torch.relu((weights * kept["maps"]).sum(dim=1, keepdim=True))
    cam = interpolate(cam, x.shape[-2:], mode="bilinear", align_corners=False)[0, 0]
    return (cam / cam.max()).detach().numpy()


# --- Grad-CAM -------------------------------------------------------------------------------------


@pytest.mark.parametrize("layer", ["relu1", "conv_head", "blocks.5.relu0"])
def test_heat_is_that_of_hooks(recogniser: Model, layer: str) -> None:
    network = recogniser.network
    ids = {path: (id, "output") for id, path in network.paths.items()}
    block = ids["blocks.5"][0]
    report = network.report.nodes[block].inside
    assert report is not None
    inner = {
        name: (place, port) for (place, port), name in network.inner.items() if port == "output"
    }
    port = ids.get(layer) or inner[layer.replace(".", "_")]
    raw = {"image": photo("chelsea_cat.png").transpose(2, 0, 1)[None]}
    x = recogniser.prepared(raw)["image"]
    wanted = hooked(network.module, network.module.get_submodule(layer), x, 282)
    np.testing.assert_allclose(gradcam(recogniser, raw, 282, port), wanted, atol=1e-5)
    assert wanted.max() == 1
    assert wanted.std() > 0.05


def test_heat_lies_on_the_cat_wherever_it_is(recogniser: Model) -> None:
    """Half of the picture is the cat, the other half the brick wall."""
    cat, wall = photo("chelsea_cat.png"), photo("brick_wall.png")
    halves = from_array(cat, 3, (224, 112), "crop"), from_array(wall, 3, (224, 112), "crop")
    for order in (0, 1):
        joined = np.concatenate([halves[order], halves[1 - order]], axis=2)[None]
        found, _ = GradCam(subject(recogniser)).run(
            arguments_of(recogniser, {"image": joined}), 282
        )
        left = float(found.values[:, :112].sum() / found.values.sum())
        on_the_cat = left if order == 0 else 1 - left
        assert on_the_cat > 0.75


def test_the_likeliest_class_is_explained_on_the_photograph(recogniser: Model) -> None:
    """The background of the whole photograph is its right edge, beside the cat's cheek."""
    pixels = read_picture(PHOTOS / "chelsea_cat.png", 3, (224, 224), "stretch")
    cam = GradCam(subject(recogniser))
    assert cam.port == ("n24", "output")
    heat, _ = cam.run(arguments_of(recogniser, {"image": pixels[None]}))
    assert recogniser.dataset.target.classes[heat.label] in CATS
    assert 0.2 < heat.score < 1
    face, background = heat.values[20:200, 20:180], heat.values[:, 200:]
    assert face.mean() > 2 * background.mean()


def test_clips_are_explained_on_their_newest_frame() -> None:
    model = shaken(clip_model())
    raw = np.random.default_rng(0).integers(0, 255, (1, 4, 1, 8, 8), np.uint8)
    heat = gradcam(model, {"input": raw}, 1)
    module = model.network.module
    x = model.prepared({"input": raw})["input"]
    kept: dict[str, torch.Tensor] = {}
    handle = module.get_submodule("relu1").register_forward_hook(
        lambda m, i, out: kept.update(maps=out)
    )
    module.eval()
    score = module(x)[0, 1]
    handle.remove()
    (slopes,) = torch.autograd.grad(score, kept["maps"])
    newest, slope = kept["maps"][0, -1], slopes[0, -1]
    cam = (slope.mean((1, 2), keepdim=True) * newest).sum(0).clamp(min=0).detach()
    assert float(cam.max()) > 0
    np.testing.assert_allclose(heat, cam / cam.max(), atol=1e-5)


def test_sounds_are_explained_on_their_spectrogram() -> None:
    graph = chain(
        ("input", "input", {"shape": sequence(4000, 1).to_json()}),
        ("mel", "log-mel", {"rate": 8000, "n_mels": 20}),
        ("picture", "as-image", {}),
        ("conv", "conv2d", {"out_channels": 4}),
        ("pool", "max-pool2d", {}),
        ("flatten", "flatten", {}),
        ("fc", "linear", {"out_features": 3}),
        ("label", "output", {}),
    )
    model = shaken(model_of(graph, sequence(4000, 1), SoundReading(8000, 4000)))
    raw = {"input": np.random.default_rng(0).normal(0, 0.1, (1, 4000, 1)).astype(np.float32)}
    found = subject(model)
    assert found.ground == ("n3", "output")
    assert found.size == (20, 26)
    assert gradcam(model, raw, 0).shape == (20, 26)
    *_, last = occlusion(model, raw, 0)
    assert last.values.shape == (20, 26)


def test_a_softmax_inside_the_network_does_not_hide_the_slope() -> None:
    plain = shaken(picture_model(), 3)
    graph = chain(
        *[(n.name, n.layer, dict(n.params)) for n in plain.graph.nodes.values()][:-1],
        ("softmax", "softmax", {}),
        ("label", "output", {}),
    )
    with_softmax = model_of(graph, image(1, 16, 16), ImageReading(1, 16, 16))
    with_softmax.network.module.load_state_dict(plain.network.module.state_dict())
    raw = {"input": np.random.default_rng(1).integers(0, 255, (1, 1, 16, 16), np.uint8)}
    np.testing.assert_allclose(gradcam(with_softmax, raw, 1), gradcam(plain, raw, 1), atol=1e-6)


def test_a_last_layer_of_ones_own_is_explained(recogniser: Model) -> None:
    """The classes of ImageNet, given as if they had been taught."""
    fc = recogniser.network.module.get_submodule("fc")
    few = [282, 967]
    weight, bias = (
        part.detach().numpy()[few]
        for part in (fc.get_parameter("weight"), fc.get_parameter("bias"))
    )
    head = Head(("cat", "espresso"), weight, bias, Examples(weight, np.arange(2)))
    raw = {"image": photo("chelsea_cat.png").transpose(2, 0, 1)[None]}
    taught = GradCam(subject(backbone(recogniser), headless=True))
    heat, _ = taught.run(arguments_of(recogniser, raw), None, head)
    assert heat.label == 0
    assert heat.score > 0.9
    np.testing.assert_allclose(heat.values, gradcam(recogniser, raw, 282), atol=1e-5)


def test_nothing_is_disturbed() -> None:
    """Neither flags, gradients, statistics nor random numbers of a network under training."""
    model = picture_model()
    network = initial_network(cnn(16), 0)
    training = Model(network, cnn(16), model.dataset, model.task, {}, model.wires, model.device)
    network.module.train()
    network.module.get_submodule("bn1").eval()
    for parameter in network.module.parameters():
        parameter.grad = torch.ones_like(parameter)
    before = {name: value.clone() for name, value in network.module.state_dict().items()}
    modes = [layer.training for layer in network.module.modules()]
    random = torch.get_rng_state()
    raw = {"input": np.zeros((1, 1, 16, 16), np.uint8)}
    gradcam(training, raw, 0)
    list(occlusion(training, raw, 0))
    list(exciting(training, ("n2", "output"), 0, [(1, raw["input"][0])]))
    assert torch.equal(torch.get_rng_state(), random)
    assert [layer.training for layer in network.module.modules()] == modes
    for name, value in network.module.state_dict().items():
        assert torch.equal(value, before[name])
    for parameter in network.module.parameters():
        assert parameter.requires_grad
        assert parameter.grad is not None
        assert torch.equal(parameter.grad, torch.ones_like(parameter))


def test_what_is_explained_follows_the_weights() -> None:
    model = shaken(picture_model(), 1)
    cam, raw = GradCam(subject(model)), {"input": np.full((1, 1, 16, 16), 200, np.uint8)}
    raw["input"][0, 0, 4:9, 3:6] = 0
    before, _ = cam.run(arguments_of(model, raw), 1)
    shaken(model, 2)
    after, _ = cam.run(arguments_of(model, raw), 1)
    assert not np.allclose(before.values, after.values)
    np.testing.assert_array_equal(after.values, gradcam(model, raw, 1))


def test_looking_and_answering_at_once_give_the_same() -> None:
    """A thread that takes gradients beside one that answers from the same weights."""
    model = shaken(picture_model(32, deep=2))
    raw = {"input": np.random.default_rng(2).integers(0, 255, (1, 1, 32, 32), np.uint8)}
    wanted, heat = model.outputs(model.prepared(raw)), gradcam(model, raw, 1)
    found: list[Any] = []

    def look() -> None:
        found.extend(gradcam(model, raw, 1) for _ in range(20))

    thread = threading.Thread(target=look)
    thread.start()
    while thread.is_alive():
        np.testing.assert_array_equal(model.outputs(model.prepared(raw))["label"], wanted["label"])
    thread.join()
    assert len(found) == 20
    for one in found:
        np.testing.assert_allclose(one, heat, atol=1e-6)


# --- occlusion ------------------------------------------------------------------------------------


def test_occlusion_finds_the_one_place_that_matters() -> None:
    """A network whose score is the brightness of four pixels."""
    model = picture_model(16, 1)
    module = model.network.module
    state = {name: torch.zeros_like(value) for name, value in module.state_dict().items()}
    state["conv1.weight"][0, 0, 1, 1] = 1
    state["fc.weight"].view(3, 8, 8)[1, 2, 5] = 30  # of the pooled picture: rows 4-5, columns 10-11
    module.load_state_dict(state)
    pixels = np.zeros((1, 1, 16, 16), np.uint8)
    pixels[..., 4:6, 10:12] = 255
    *_, heat = occlusion(model, {"input": pixels}, 1, patch=2, stride=1)
    # the brightest of the four pixels counts, so that a patch has to cover all of them
    bright = np.zeros((16, 16))
    bright[4:6, 10:12] = 1
    np.testing.assert_allclose(heat.values, bright, atol=1e-5)
    x = arguments_of(model, {"input": pixels})[0]
    assert heat.score == pytest.approx(module(x).softmax(1)[0, 1].item(), abs=1e-6)
    assert heat.score > 0.9


def test_occlusion_fills_stops_and_covers_everything() -> None:
    model = shaken(picture_model())
    raw = {"input": np.random.default_rng(0).integers(0, 255, (1, 1, 16, 16), np.uint8)}
    finder = Occlusion(subject(model), 5, 3)
    covered = np.zeros((16, 16))
    for top, left in finder._places():
        covered[top : top + 5, left : left + 5] += 1
    assert covered.min() >= 1
    arguments = arguments_of(model, raw)
    found = list(finder.run(arguments, 1, batch=3))
    shares = [heat.share for heat in found]
    assert shares == sorted(shares)
    assert shares[-1] == 1
    one_by_one = list(finder.run(arguments, 1, batch=1))
    np.testing.assert_allclose(found[-1].values, one_by_one[-1].values, atol=1e-4)
    some = finder.run(arguments, 1)
    next(some)
    some.close()


# --- channels -------------------------------------------------------------------------------------


def test_the_strongest_channels_are_those_with_the_largest_means() -> None:
    value = torch.zeros(5, 4, 4)
    value[3], value[1, 0, 0], value[4] = 2, 16, -7
    assert strengths(value, Kind.IMAGE, 2) == ((3, 2.0), (1, 1.0))
    assert strengths(torch.tensor([[0.0, 3.0], [2.0, 3.0]]), Kind.SEQUENCE) == ((1, 3.0), (0, 1.0))
    assert strengths(torch.tensor([1.0, 5.0]), Kind.VECTOR, 1) == ((1, 5.0),)


def test_pictures_that_excite_a_channel_come_ranked_as_they_are_found(recogniser: Model) -> None:
    names = ["brick_wall.png", "chelsea_cat.png", "astronaut.jpg"]
    reading = recogniser.dataset.inputs["image"].reading
    assert reading is not None
    seen: list[str] = []

    def pictures() -> Any:
        for name in names:
            seen.append(name)
            yield name, reading.read(str(PHOTOS / name))[0][1]

    port = ("n24", "output")
    finder = exciting(recogniser, port, 7, pictures(), most=2)
    first = next(finder)
    assert seen == names[:1]
    *_, last = [first, *finder]
    assert len(last) == 2
    values = {
        name: Passage(recogniser.network, [port])
        .run(arguments_of(recogniser, {"image": raw[None]}))
        .values[port][0, 7]
        for name, raw in pictures()
    }
    ranked = sorted(names, key=lambda name: -float(values[name].max()))
    assert [one.key for one in last] == ranked[:2]
    for one in last:
        assert one.strength == pytest.approx(float(values[one.key].max()), abs=1e-4)
        assert one.place is not None
        x, y = one.place
        assert values[one.key][int(y * 7), int(x * 7)] == values[one.key].max()


# --- sentences ------------------------------------------------------------------------------------


def dense() -> Model:
    graph = chain(
        ("input", "input", {"shape": image(1, 8, 8).to_json()}),
        ("flatten", "flatten", {}),
        ("fc", "linear", {"out_features": 3}),
        ("label", "output", {}),
    )
    return model_of(graph, image(1, 8, 8), ImageReading(1, 8, 8))


def test_networks_that_cannot_be_explained_say_so() -> None:
    picture = {"input": np.zeros((1, 1, 8, 8), np.uint8)}
    with pytest.raises(AttributionError, match="use occlusion"):
        gradcam(dense(), picture)
    assert list(occlusion(dense(), picture))[-1].values.shape == (8, 8)
    series = {"input": np.zeros((1, 8, 2), np.float32)}
    with pytest.raises(AttributionError, match="takes no picture"):
        gradcam(series_model(), series)
    with pytest.raises(AttributionError, match="takes no picture"):
        occlusion(series_model(), series)
    small = {"input": np.zeros((1, 1, 16, 16), np.uint8)}
    with pytest.raises(AttributionError, match="choose a convolution"):
        gradcam(picture_model(), small, None, ("n6", "output"))
    with pytest.raises(AttributionError, match="not part of the network"):
        gradcam(picture_model(), small, None, ("n99", "output"))
    with pytest.raises(AttributionError, match="from 1 to 16"):
        occlusion(picture_model(), small, patch=17)
    with pytest.raises(ValueError, match="no channel 4"):
        exciting(picture_model(), ("n2", "output"), 4, [])
    with pytest.raises(ValueError, match="not part of the network"):
        exciting(picture_model(), ("n99", "output"), 0, [])


def test_values_instead_of_classes_are_not_explained() -> None:
    model = replace(picture_model(), task=TASKS.get("regression"))
    with pytest.raises(AttributionError, match="only answers that are classes"):
        gradcam(model, {"input": np.zeros((1, 1, 16, 16), np.uint8)})
