"""Every layer of the catalogue in use: parameters and the shapes that arrive at it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

from models.axes import Kind, Shape, image, sequence, tokens, vector, video, volume
from models.graph import Edge, Graph, Node
from models.layers import LAYERS

T = "T"
IMAGE = image(4, 12, 10)
STEPS = sequence(T, 6)
FRAMES = video(T, 3, 8, 6)
BLOCK = volume(2, 5, 6, 7)
FLAT = vector(12)
WAVE = sequence(T, 1)


@dataclass(frozen=True)
class Case:
    """One use of a layer. ``fixed``: it needs a number for T."""

    layer: str
    shapes: Mapping[str, tuple[Shape, ...]]
    params: Mapping[str, Any] = field(default_factory=dict)
    fixed: bool = False

    def __str__(self) -> str:
        params = ",".join(f"{key}={value}" for key, value in self.params.items())
        shapes = "+".join(str(s) for many in self.shapes.values() for s in many)
        return f"{self.layer}({params})[{shapes}]".replace(" ", "")

    @property
    def over_time(self) -> bool:
        return any(shape.varies for many in self.shapes.values() for shape in many)

    def graph(self, steps: int | str = T) -> Graph:
        """Inputs, the layer, and an Output for each of its outputs, with T as ``steps``."""
        layer = LAYERS.get(self.layer)
        nodes = [Node("layer", "layer", self.layer, self.params)]
        edges = []
        for port, many in self.shapes.items():
            for shape in many:
                sized = shape.resized(T=steps) if shape.varies else shape
                id = f"in{len(edges)}"
                nodes.append(Node(id, id, "input", {"shape": sized.to_json()}))
                edges.append(Edge(id, "output", "layer", port))
        for port in layer.outputs:
            name = f"out_{port.name}"
            nodes.append(Node(name, name, "output"))
            edges.append(Edge("layer", port.name, name, "input"))
        return Graph({node.id: node for node in nodes}, tuple(edges))


def case(layer: str, *shapes: Shape, port: str = "", fixed: bool = False, **params: Any) -> Case:
    first = port or LAYERS.get(layer).inputs[0].name
    return Case(layer, {first: shapes}, params, fixed)


def _each(layers: str, *shapes: Shape, **more: Any) -> list[Case]:
    return [case(layer, shape, **more) for layer in layers.split() for shape in shapes]


def _recurrent(layer: str) -> Iterator[Case]:
    states = ("h", "c") if layer == "lstm" else ("h",)
    yield case(layer, STEPS, hidden_size=5)
    yield case(layer, STEPS, hidden_size=5, num_layers=2, bidirectional=True, dropout=0.2)
    for fed in dict.fromkeys((states, states[:1], states[-1:])):
        shapes = {"input": (STEPS,), **{port: (vector(5 * 6),) for port in fed}}
        yield Case(layer, shapes, {"hidden_size": 5, "num_layers": 3, "bidirectional": True})


CASES = [
    *_each("conv1d depthwise-conv1d", STEPS),
    case("conv1d", STEPS, kernel_size=5, dilation=2, groups=2, bias=False),
    case("conv1d", STEPS, kernel_size=4),
    case("conv1d", STEPS, kernel_size=3, stride=2, padding=0, fixed=True),
    *_each("conv2d depthwise-conv2d separable-conv2d", IMAGE, FRAMES),
    case("conv2d", IMAGE, kernel_size=[4, 3], stride=[1, 2], padding=[2, 0], dilation=[1, 2]),
    case("conv2d", IMAGE, kernel_size=4, groups=2, bias=False),
    case("conv2d", IMAGE, kernel_size=4, stride=2),
    case("conv2d", IMAGE, kernel_size=11, stride=4, padding=2),
    case("separable-conv2d", IMAGE, kernel_size=[2, 4]),
    case("separable-conv2d", IMAGE, stride=2, bias=False, kernel_size=5),
    case("depthwise-conv2d", IMAGE, multiplier=3, stride=2),
    *_each("conv3d", BLOCK, FRAMES),
    case("conv3d", FRAMES, kernel_size=[2, 4, 1]),
    case("conv3d", BLOCK, kernel_size=[1, 2, 3], stride=[1, 1, 2], padding=[0, 1, 0]),
    case("conv-transpose1d", STEPS, fixed=True),
    case("conv-transpose1d", STEPS, kernel_size=3, stride=1, padding=1),
    *_each("conv-transpose2d", IMAGE, FRAMES),
    case("conv-transpose2d", IMAGE, kernel_size=3, padding=1, output_padding=1, groups=2),
    case("conv-transpose2d", IMAGE, kernel_size=[3, 2], stride=[2, 1], dilation=2, bias=False),
    case("conv-transpose3d", BLOCK),
    case("conv-transpose3d", FRAMES, fixed=True),
    *_each("max-pool1d avg-pool1d", STEPS, fixed=True),
    *_each("max-pool2d avg-pool2d", IMAGE, FRAMES),
    *_each("max-pool2d avg-pool2d", image(2, 13, 12), kernel_size=3, stride=2, padding=1),
    *_each("max-pool2d avg-pool2d", image(2, 12, 11), kernel_size=[3, 2], ceil_mode=True),
    *_each("max-pool2d", image(2, 7, 6), kernel_size=2, stride=3, padding=1, ceil_mode=True),
    *_each("max-pool3d avg-pool3d", BLOCK),
    *_each("max-pool3d", FRAMES, fixed=True),
    *_each("adaptive-avg-pool adaptive-max-pool", IMAGE, FRAMES, output_size=[3, 2]),
    *_each("adaptive-avg-pool adaptive-max-pool", STEPS, fixed=True, output_size=3),
    *_each("adaptive-avg-pool adaptive-max-pool", BLOCK, output_size=2),
    *_each("global-avg-pool global-max-pool", IMAGE, FRAMES, BLOCK, STEPS),
    *[item for layer in ("rnn", "lstm", "gru") for item in _recurrent(layer)],
    case("rnn", STEPS, nonlinearity="relu"),
    *_each("self-attention transformer-encoder", sequence(T, 8)),
    *_each("self-attention transformer-encoder", sequence(T, 6), num_heads=3, causal=True),
    case("self-attention", sequence(T, 8), num_heads=1, dropout=0.1),
    case(
        "transformer-encoder",
        sequence(T, 8),
        dim_feedforward=12,
        activation="relu",
        norm_first=False,
        dropout=0.0,
    ),
    *_each("positional-encoding", STEPS, sequence(T, 5)),
    case("positional-encoding", STEPS, encoding="learned", fixed=True),
    case("positional-encoding", STEPS, encoding="learned", max_length=20),
    *_each("linear", FLAT, STEPS),
    case("linear", FLAT, out_features=3, bias=False),
    case("embedding", tokens(T), num_embeddings=10, embedding_dim=7),
    case("embedding", tokens(T), num_embeddings=10, embedding_dim=7, padding_idx=0),
    *_each("batch-norm layer-norm", FLAT, STEPS, IMAGE, FRAMES, BLOCK),
    *_each("batch-norm", FLAT, STEPS, affine=False, momentum=0.2, eps=1e-3),
    *_each("layer-norm", FLAT, STEPS, bias=False),
    *_each("layer-norm", IMAGE, elementwise_affine=False),
    *_each("group-norm", STEPS, IMAGE, BLOCK, FLAT, num_groups=2),
    *_each("group-norm", FRAMES, num_groups=3, affine=False),
    *_each("instance-norm", STEPS, IMAGE, BLOCK, FRAMES),
    *_each("instance-norm", STEPS, IMAGE, affine=True),
    *_each(
        "relu leaky-relu prelu relu6 elu selu gelu silu mish softplus tanh sigmoid hardswish "
        "hardsigmoid softmax dropout",
        FLAT,
        STEPS,
    ),
    *_each("relu softmax dropout", IMAGE, FRAMES, BLOCK),
    *_each("prelu", FLAT, STEPS, IMAGE, FRAMES, BLOCK, slopes="channel", init=0.1),
    case("leaky-relu", IMAGE, negative_slope=0.2),
    *_each("spatial-dropout", IMAGE, STEPS, FRAMES, BLOCK),
    *_each("flatten", IMAGE, FLAT, FRAMES, BLOCK),
    case("flatten", STEPS, fixed=True),
    case("reshape", FLAT, shape=image(1, 3, 4).to_json()),
    case("reshape", IMAGE, shape=sequence(12, 40).to_json()),
    case("permute", IMAGE),
    case("permute", STEPS, order="F T", fixed=True),
    case("permute", FRAMES, order="T C W H"),
    *_each("rows columns positions", IMAGE),
    *_each("rows", image(1, 5, 6)),
    *_each("last-step mean-over-time max-over-time", STEPS, FRAMES),
    case("repeat", FLAT, steps=4),
    *_each("upsample", IMAGE, FRAMES, BLOCK),
    *_each("upsample", IMAGE, mode="linear", align_corners=True),
    *_each("upsample", IMAGE, mode="bicubic", scale_factor=3),
    *_each("upsample", BLOCK, mode="linear"),
    case("upsample", STEPS, mode="linear", fixed=True),
    *_each("pad", IMAGE, FRAMES),
    *_each("pad", IMAGE, left=2, right=0, top=3, mode="reflect"),
    *_each("pad", IMAGE, left=2, right=0, bottom=0, value=1.5),
    case("pad", STEPS, left=2, mode="replicate", fixed=True),
    *[case(layer, *[shape] * 3) for layer in ("add", "multiply") for shape in (IMAGE, STEPS)],
    case("multiply", IMAGE, vector(4)),
    case("multiply", vector(4), IMAGE),
    case("concatenate", IMAGE, image(2, 12, 10)),
    case("concatenate", STEPS, sequence(T, 2)),
    case("concatenate", sequence(4, 6), sequence(3, 6), axis="T"),
    case("concatenate", IMAGE, image(4, 12, 3), axis="W"),
    *[
        case(layer, WAVE, fixed=True, n_fft=6, win_length=None, hop_length=2, **more)
        for layer, more in (
            ("spectrogram", {"scale": "magnitude"}),
            ("log-mel", {"n_mels": 3, "top_db": None}),
            ("mfcc", {"n_mels": 3, "n_mfcc": 2, "f_min": 20.0, "f_max": 7000.0}),
        )
    ],
    *_each("spectrogram log-mel mfcc", WAVE, fixed=True),
    case("spectrogram", WAVE, fixed=True, n_fft=5, win_length=3, hop_length=1, window="hamming"),
    case("log-mel", WAVE, fixed=True, window="blackman", scale="log"),
    case("spec-augment", STEPS, time_width=3, feature_width=2),
    *[case("as-image", STEPS, fixed=True, time=time) for time in ("across", "down")],
]


def batch(case: Case, steps: int | str, size: int, valid: int = 0) -> dict[str, torch.Tensor]:
    """Random inputs of ``size`` samples; tokens are below 10. ``valid`` steps of a varying length
    are real, of the ``steps`` that the tensors have."""
    values = {}
    shapes = (shape for many in case.shapes.values() for shape in many)
    for number, shape in enumerate(shapes):
        sizes = [steps if isinstance(s, str) else s for s in shape.sizes]
        if shape.kind is Kind.TOKENS:
            values[f"in{number}"] = torch.randint(10, (size, *sizes))
        else:
            values[f"in{number}"] = torch.randn(size, *sizes)
        if valid and shape.varies:
            values[f"in{number}_lengths"] = torch.full((size,), valid)
    return values
