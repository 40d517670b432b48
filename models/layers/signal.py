"""Sound inside the network: from a waveform to the pictures of it that networks learn from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from models.axes import Shape, image, sequence
from models.layers.common import change, given, needs_sequence, refused
from models.layers.declaration import Emitter, Inputs, Layer, Proxies, Result, ShapeError
from models.parameters import Parameter, Values

FLOOR = 1e-10
"""Powers below count as this before a logarithm, as in librosa."""

Chain = Callable[[Emitter, Values, Any], Any]


def _frames(name: str, p: Values, shape: Shape) -> int:
    """How many spectra a waveform gives; raises ``ShapeError``."""
    steps, features = needs_sequence(name, shape)
    if features != 1:
        raise refused(name, "a waveform, one number a step (T × 1)", shape)
    if isinstance(steps, str):
        raise ShapeError(
            f"{name} would change the length of sequences that vary in length: give the Input a "
            "fixed length"
        )
    length, n_fft = p["win_length"], p["n_fft"]
    if length is not None and length > n_fft:
        raise ShapeError(
            f"{name}: the window of {length} samples is longer than the FFT of {n_fft}",
            change(f"Set an FFT of {length}", n_fft=length),
        )
    # an odd FFT is centred half a sample off, as in librosa
    return int(1 + (steps - n_fft % 2) // p["hop_length"])


def _spectrum_cost(p: Values, frames: int) -> int:
    length = p["win_length"] or p["n_fft"]
    return int(2 * frames * length * 2 * (p["n_fft"] // 2 + 1))


def _mel_cost(name: str, p: Values, frames: int) -> int:
    """The FLOPs of the mel bands; raises ``ShapeError`` on impossible frequencies."""
    highest = p["rate"] / 2
    top = highest if p["f_max"] is None else p["f_max"]
    if top > highest:
        raise ShapeError(
            f"{name}: a rate of {p['rate']:,} Hz carries frequencies up to {highest:,g} Hz; "
            f"the highest band ends at {top:,g} Hz",
            change("End at half the rate", f_max=None),
        )
    if p["f_min"] >= top:
        raise ShapeError(
            f"{name}: the lowest frequency, {p['f_min']:,g} Hz, is not below the highest, "
            f"{top:,g} Hz",
            change("Begin at 0 Hz", f_min=0.0),
        )
    return int(2 * frames * (p["n_fft"] // 2 + 1) * p["n_mels"])


def _spectrogram_rule(p: Values, x: Inputs) -> Result:
    frames = _frames("Spectrogram", p, x.one())
    return Result(
        {"output": sequence(frames, p["n_fft"] // 2 + 1)}, flops=_spectrum_cost(p, frames)
    )


def _mel_rule(p: Values, x: Inputs) -> Result:
    frames = _frames("Log-mel", p, x.one())
    flops = _spectrum_cost(p, frames) + _mel_cost("Log-mel", p, frames)
    return Result({"output": sequence(frames, p["n_mels"])}, flops=flops)


def _mfcc_rule(p: Values, x: Inputs) -> Result:
    frames = _frames("MFCC", p, x.one())
    if p["n_mfcc"] > p["n_mels"]:
        raise ShapeError(
            f"MFCC: {p['n_mels']} bands have no {p['n_mfcc']} coefficients",
            change(f"Take {p['n_mels']}", n_mfcc=p["n_mels"]),
        )
    flops = _spectrum_cost(p, frames) + _mel_cost("MFCC", p, frames)
    flops += 2 * frames * p["n_mels"] * p["n_mfcc"]
    return Result({"output": sequence(frames, p["n_mfcc"])}, flops=flops)


def _powers(e: Emitter, p: Values, x: Any, name: str) -> Any:
    options = given(
        {"win_length": None, "window": "hann"}, win_length=p["win_length"], window=p["window"]
    )
    return e.module("modules.Spectrogram", p["n_fft"], p["hop_length"], name=name, **options)(x)


def _bands(e: Emitter, p: Values, x: Any) -> Any:
    powers = _powers(e, p, x, "spectrogram")
    options = given({"f_min": 0.0, "f_max": None}, f_min=p["f_min"], f_max=p["f_max"])
    return e.module("modules.MelBank", p["rate"], p["n_fft"], p["n_mels"], name="mel", **options)(
        powers
    )


def _decibels(e: Emitter, p: Values, x: Any) -> Any:
    options = given({"top_db": 80.0}, top_db=p["top_db"])
    return e.module("modules.Decibels", name="decibels", **options)(x)


def _scaled(e: Emitter, p: Values, x: Any) -> Any:
    match p["scale"]:
        case "db":
            return _decibels(e, p, x)
        case "log":
            return x.clamp(min=FLOOR).log()
        case "magnitude":
            return x.clamp(min=FLOOR**2).sqrt()
    return x


def _spectrogram(e: Emitter, p: Values, x: Any) -> Any:
    return _scaled(e, p, _powers(e, p, x, "spectrogram"))


def _mel(e: Emitter, p: Values, x: Any) -> Any:
    return _scaled(e, p, _bands(e, p, x))


def _mfcc(e: Emitter, p: Values, x: Any) -> Any:
    decibels = _decibels(e, p, _bands(e, p, x))
    return e.module("modules.CosineTransform", p["n_mels"], p["n_mfcc"], name="dct")(decibels)


def _emitting(chain: Chain) -> Any:
    def emit(e: Emitter, p: Values, x: Proxies, shapes: Inputs, out: Result) -> Mapping[str, Any]:
        return {"output": chain(e, p, x.one())}

    return emit


def _augment_rule(p: Values, x: Inputs) -> Result:
    needs_sequence("SpecAugment", x.one())
    return Result({"output": x.one()})


def _augment_emit(
    e: Emitter, p: Values, x: Proxies, shapes: Inputs, out: Result
) -> Mapping[str, Any]:
    sizes = (p["time_masks"], p["time_width"], p["feature_masks"], p["feature_width"])
    lengths = x.lengths.get("input")
    more = () if lengths is None else (lengths,)
    return {"output": e.module("modules.SpecAugment", *sizes)(x.one(), *more)}


def _image_rule(p: Values, x: Inputs) -> Result:
    steps, features = needs_sequence("As image", x.one())
    if isinstance(steps, str):
        raise ShapeError(
            "As image needs a fixed length; this sequence's length varies: give the Input a fixed "
            "length"
        )
    sizes = (features, steps) if p["time"] == "across" else (steps, features)
    return Result({"output": image(1, *sizes)}, activations=0)


def _image_emit(
    e: Emitter, p: Values, x: Proxies, shapes: Inputs, out: Result
) -> Mapping[str, Any]:
    value = x.one().transpose(1, 2) if p["time"] == "across" else x.one()
    return {"output": value.unsqueeze(1)}


# --- declarations ---------------------------------------------------------------------------------

WINDOW = (
    Parameter(
        "n_fft",
        "FFT",
        "int",
        512,
        "Samples that a spectrum is taken of: more tell pitches apart better, and moments worse.",
        minimum=2,
        maximum=4096,
        unit="samples",
    ),
    Parameter(
        "win_length",
        "Window",
        "int",
        400,
        "Samples of them that are looked at, faded in and out. Empty: all.",
        minimum=1,
        maximum=4096,
        unit="samples",
        optional=True,
    ),
    Parameter(
        "hop_length",
        "Hop",
        "int",
        160,
        "Samples from one spectrum to the next: 160 are 10 ms at 16 kHz.",
        minimum=1,
        maximum=65536,
        unit="samples",
    ),
    Parameter(
        "window",
        "Window shape",
        "choice",
        "hann",
        choices=(("hann", "Hann"), ("hamming", "Hamming"), ("blackman", "Blackman")),
    ),
)
RATE = Parameter(
    "rate",
    "Sample rate",
    "int",
    16000,
    "That of the waveform: numbers a second.",
    minimum=1,
    maximum=1_000_000,
    unit="Hz",
)


def _top_db(**more: Any) -> Parameter:
    return Parameter(
        "top_db",
        "Range",
        "float",
        80.0,
        "What is further below a clip's loudest is raised to this. Empty: nothing is.",
        minimum=1,
        maximum=200,
        unit="dB",
        optional=True,
        **more,
    )


def _mels(n_mels: int) -> tuple[Parameter, ...]:
    return (
        Parameter("n_mels", "Bands", "int", n_mels, "Mel bands a spectrum is summed to.", 1, 512),
        Parameter(
            "f_min", "From", "float", 0.0, "Where the lowest band begins.", 0, 500_000, unit="Hz"
        ),
        Parameter(
            "f_max",
            "To",
            "float",
            None,
            "Where the highest band ends. Empty: at half the sample rate.",
            1,
            500_000,
            unit="Hz",
            optional=True,
        ),
    )


def _scale(*choices: tuple[str, str]) -> tuple[Parameter, ...]:
    scale = Parameter("scale", "Scale", "choice", "db", choices=choices)
    return scale, _top_db(visible=lambda p: p.get("scale", "db") == "db")


def _count(id: str, label: str, default: int, help: str, **more: Any) -> Parameter:
    return Parameter(id, label, "int", default, help, minimum=0, maximum=1000, **more)


LAYERS = (
    Layer(
        id="log-mel",
        name="Log-mel",
        family="signal",
        summary="A waveform as a spectrogram whose bands and loudness are spaced as the ear hears "
        "them: what most networks for speech and sounds begin with.",
        rule=_mel_rule,
        emit=_emitting(_mel),
        parameters=(RATE, *WINDOW, *_mels(40), *_scale(("db", "decibels"), ("log", "natural log"))),
        caption=lambda p: f"{p['n_mels']} bands, hop {p['hop_length']}",
        streaming="none",
        keywords="melspectrogram mel spectrogram audio sound speech librosa",
    ),
    Layer(
        id="mfcc",
        name="MFCC",
        family="signal",
        summary="A few numbers for the shape of each moment's spectrum (mel-frequency cepstral "
        "coefficients): small inputs for recurrent networks on speech.",
        rule=_mfcc_rule,
        emit=_emitting(_mfcc),
        parameters=(
            Parameter("n_mfcc", "Coefficients", "int", 13, "How many are kept.", 1, 512),
            RATE,
            *WINDOW,
            *_mels(40),
            _top_db(),
        ),
        caption=lambda p: f"{p['n_mfcc']} of {p['n_mels']}, hop {p['hop_length']}",
        streaming="none",
        keywords="cepstrum cepstral audio sound speech librosa dct",
    ),
    Layer(
        id="spectrogram",
        name="Spectrogram",
        family="signal",
        summary="The frequencies in each moment of a waveform, evenly spaced: for sounds of "
        "machines and instruments, and for vibrations.",
        rule=_spectrogram_rule,
        emit=_emitting(_spectrogram),
        parameters=(
            *WINDOW,
            *_scale(
                ("db", "decibels"),
                ("log", "natural log"),
                ("magnitude", "magnitude"),
                ("power", "power"),
            ),
        ),
        caption=lambda p: f"FFT {p['n_fft']}, hop {p['hop_length']}",
        streaming="none",
        keywords="stft fourier frequency audio sound vibration librosa",
    ),
    Layer(
        id="spec-augment",
        name="SpecAugment",
        family="signal",
        summary="Hides bands and moments of a spectrogram at random while training, so that the "
        "network does not rely on any one of them.",
        rule=_augment_rule,
        emit=_augment_emit,
        parameters=(
            _count("time_masks", "Time masks", 2, "How many stretches of time are hidden."),
            _count(
                "time_width",
                "Longest",
                10,
                "The most that one of them hides.",
                unit="steps",
            ),
            _count("feature_masks", "Band masks", 2, "How many ranges of bands are hidden."),
            _count(
                "feature_width",
                "Widest",
                6,
                "The most that one of them hides.",
                unit="bands",
            ),
        ),
        caption=lambda p: (
            f"{p['time_masks']} of {p['time_width']}, {p['feature_masks']} of {p['feature_width']}"
        ),
        keywords="augmentation mask regularisation overfitting specaugment",
    ),
    Layer(
        id="as-image",
        name="As image",
        family="signal",
        summary="Reads a sequence as a picture of one channel, a row a feature and time across: "
        "the bridge from a spectrogram to a 2-D CNN. Columns is the way back.",
        rule=_image_rule,
        emit=_image_emit,
        parameters=(
            Parameter(
                "time",
                "Time goes",
                "choice",
                "across",
                choices=(("across", "across"), ("down", "down")),
            ),
        ),
        caption=lambda p: f"time {p['time']}",
        streaming="none",
        keywords="sequence to image picture spectrogram reshape bridge",
    ),
)
