"""Sound with a carried state: where it ends, when words begin, and what cannot stream."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from models.axes import sequence
from playground.data import open_data
from playground.data.sound_reading import SoundReading
from playground.live.feed import HISTORY, POSITION
from playground.live.framing import View
from playground.live.intake import device_for
from playground.live.loop import Live
from playground.live.settings import LiveAnswer, LiveSettings
from playground.live.spoken import LEAD, SoundStreamer, Spoken
from playground.live.streaming import NotStreaming
from playground.live.voice import QUIET, Turn, Voice
from playground.model import Model
from playground.project import open_example
from playground.runs import RunFolder, load_model
from playground.training.trainer import Trainer
from tests.playground.cli_kit import Shell
from tests.playground.fakes import chain
from tests.playground.live_kit import as_run, model_of, shaken, sound_model

RATE = 8000
MFCC = {"n_mfcc": 8, "rate": RATE, "n_fft": 256, "win_length": 200, "hop_length": 128}
LOCAL: dict[str, list[tuple[str, str, dict[str, Any]]]] = {
    "mfcc": [("sound", "mfcc", {**MFCC, "top_db": None}), ("norm", "batch-norm", {})],
    "log-mel": [("sound", "log-mel", {"rate": RATE, "n_mels": 12, "scale": "log"})],
    "odd fft": [("sound", "spectrogram", {"n_fft": 65, "win_length": 50, "scale": "power"})],
    "convolutions": [
        ("sound", "log-mel", {"rate": RATE, "n_mels": 12, "scale": "log"}),
        ("conv", "conv1d", {"out_channels": 6, "kernel_size": 5}),
        ("relu", "relu", {}),
        ("pool", "max-pool1d", {"kernel_size": 2}),
        ("far", "conv1d", {"out_channels": 6, "kernel_size": 4, "dilation": 2}),
    ],
    "waveform": [
        ("conv", "conv1d", {"out_channels": 4, "kernel_size": 16, "stride": 8}),
        ("pool", "avg-pool1d", {"kernel_size": 3, "stride": 2, "padding": 1}),
    ],
}


def heard(*front: tuple[str, str, dict[str, Any]], over: str = "last", **memory: Any) -> Model:
    """A network for a second of sound: ``front``, a GRU, its last step or its maximum."""
    ports = {"memory": "last" if over == "last" else "sequence"}
    pooled: list[tuple[str, str, dict[str, Any]]] = [] if over == "last" else [("peak", over, {})]
    graph = chain(
        ("input", "input", {"shape": sequence(RATE, 1).to_json()}),
        *front,
        ("memory", "gru", {"hidden_size": 6, **memory}),
        *pooled,
        ("fc", "linear", {"out_features": 3}),
        ("label", "output", {}),
        ports=ports,
    )
    return shaken(model_of(graph, sequence(RATE, 1), SoundReading(RATE, RATE)))


def noise(seconds: float, level: float = 0.3, seed: int = 0) -> Any:
    random = np.random.default_rng(seed)
    return (level * random.standard_normal(round(seconds * RATE))).astype(np.float32)


def after(
    engine: Spoken, sound: Any, hop: float = 0.1, name: str = "input"
) -> list[tuple[float, Any, bool, bool]]:
    """Every answer to ``sound`` as a microphone gives it: seconds, outputs, speaks, known."""
    found, step, last = [], round(hop * RATE), round(HISTORY * RATE)
    for end in range(step, len(sound) + 1, step):
        raw = {
            name: sound[None, max(0, end - last) : end, None],
            POSITION: np.asarray(end),
        }
        found.append((end / RATE, engine.run(raw)["label"], engine.speaks, engine.known))
    return found


# --- streaming ends where the whole does ------------------------------------------------------


@pytest.mark.parametrize("over", ["last", "max-over-time", "global-max-pool"])
@pytest.mark.parametrize("front", LOCAL.values(), ids=LOCAL)
def test_sound_in_pieces_ends_where_the_whole_does(front: Any, over: str) -> None:
    model = heard(*front, over=over)
    streamer = SoundStreamer(model)
    whole = noise(1.0)[:, None]
    wanted = model.outputs(model.prepared({"input": whole[None]}))["label"]
    for sizes in ((RATE,), (100, 1, 3000, 555), (80,) * 99):
        streamer.begin()
        found, start = None, 0
        for size in sizes:
            found = streamer.hear(whole[start : start + size]) or found
            start += size
        found = streamer.hear(whole[start:]) or found
        found = streamer.finish() or found
        assert found is not None
        spread = float(np.abs(wanted).max())
        assert float(np.abs(found["label"] - wanted).max()) < 1e-4 * spread


@pytest.mark.parametrize("layers", [1, 2])
def test_a_stream_goes_on_beyond_the_clip(layers: int) -> None:
    """Its answers are those of a whole of that length, whatever the model's own is."""
    streamer = SoundStreamer(heard(*LOCAL["mfcc"], num_layers=layers))
    sound = noise(2.5)[:, None]
    one = streamer.hear(sound)
    streamer.begin()
    for start in range(0, len(sound), 333):
        other = streamer.hear(sound[start : start + 333]) or one
    assert one is not None
    assert other is not None
    np.testing.assert_allclose(one["label"], other["label"], rtol=1e-4, atol=1e-5)
    assert {name: value.shape for name, value in streamer.states().items()} == {
        "memory": (6 * layers,)
    }


@pytest.mark.parametrize(
    ("front", "over", "options", "says"),
    [
        ([("sound", "mfcc", MFCC)], "last", {}, "sound measures every moment against the loudest"),
        (LOCAL["mfcc"], "last", {"bidirectional": True}, "memory reads both ways"),
        (LOCAL["mfcc"], "mean-over-time", {}, "peak needs the whole sequence"),
        (
            [*LOCAL["mfcc"], ("each", "instance-norm", {})],
            "last",
            {},
            "each needs the whole sound",
        ),
    ],
)
def test_what_cannot_stream_names_the_layer(
    front: Any, over: str, options: dict[str, Any], says: str
) -> None:
    with pytest.raises(NotStreaming, match=says):
        SoundStreamer(heard(*front, over=over, **options))


def test_a_view_of_a_view() -> None:
    spectra, convolution = View(128, -100, 100), View(2, -1, 2)
    assert convolution.over(spectra) == View(256, -228, 228)


# --- words ------------------------------------------------------------------------------------


def test_a_voice_is_what_stands_above_the_room() -> None:
    room = noise(6.0, 0.003)
    room[RATE : round(1.4 * RATE)] += noise(0.4, seed=1)
    room[3 * RATE : round(3.5 * RATE)] += noise(0.5, seed=2)
    voice = Voice(RATE)
    turns = [turn for start in range(0, len(room), 801) for turn in voice.hear(room[start:][:801])]
    assert [turn.speaks for turn in turns] == [True, False, True, False]
    wanted = [1.0, 1.4 + QUIET, 3.0, 3.5 + QUIET]
    assert [turn.position / RATE for turn in turns] == pytest.approx(wanted, abs=0.04)


def test_a_steady_noise_is_the_room_soon() -> None:
    voice = Voice(RATE)
    voice.hear(noise(1.0, 0.001))
    turns = voice.hear(noise(6.0, 0.1))
    assert [turn.speaks for turn in turns] == [True, False]
    assert turns[1].position / RATE < 1 + 3.5


def test_silence_and_clicks_are_no_voice() -> None:
    sound = np.zeros(2 * RATE, np.float32)
    sound[RATE] = 1.0
    assert Voice(RATE).hear(sound) == []
    assert Voice(RATE).hear(np.zeros(0, np.float32)) == []
    assert Turn(3, True) == Turn(3, True)


def test_every_word_begins_anew_and_its_answer_is_held() -> None:
    model = heard(*LOCAL["mfcc"])
    word = noise(0.4, seed=3)
    sound = np.zeros(round(6.0 * RATE), np.float32)
    for second in (1, 4):
        sound[second * RATE :][: len(word)] = word
    engine = Spoken(model)
    found = after(engine, sound)
    assert engine.words == 2
    known = {round(second, 1) for second, _, _, known in found if known}
    assert min(known) == pytest.approx(1.1, abs=0.11)
    assert max(second for second in known if second < 4) == pytest.approx(2.6, abs=0.11)
    first = next(outputs for second, outputs, *_ in found if second >= 2.5)
    second = next(outputs for second, outputs, *_ in found if second >= 5.5)
    np.testing.assert_allclose(first, second, atol=1e-5)  # nothing is left of what came before
    assert not found[4][1].any()  # before the first word every class is as likely
    assert LEAD < QUIET  # so that no word has the end of the one before


def test_the_answer_to_a_word_is_that_of_the_network_to_the_word_alone() -> None:
    model = heard(*LOCAL["mfcc"])
    sound = np.zeros(3 * RATE, np.float32)
    sound[RATE : round(1.4 * RATE)] = noise(0.4, seed=4)
    engine = Spoken(model)
    outputs = after(engine, sound)[-1][1]
    streamer = SoundStreamer(model)
    begin, end = round((1 - LEAD) * RATE), round((1.4 + QUIET) * RATE)
    alone = streamer.hear(sound[begin:end, None])
    assert alone is not None
    np.testing.assert_allclose(outputs, alone["label"], atol=1e-5)


def test_who_speaks_on_is_heard_anew_after_two_clips() -> None:
    engine = Spoken(heard(*LOCAL["mfcc"]))
    loud = np.concatenate((np.zeros(RATE, np.float32), noise(2.8)))
    after(engine, loud)
    assert engine.words == 2


def test_sound_that_was_missed_begins_anew() -> None:
    engine = Spoken(heard(*LOCAL["mfcc"]))
    sound = noise(2.0)
    after(engine, sound)
    late = {"input": sound[None, :, None], POSITION: np.asarray(60 * RATE)}
    assert engine.run(late)["label"].shape == (1, 3)
    again = engine.run(late)["label"]
    assert engine.run(late)["label"] is again  # nothing new, nothing changes


# --- through a microphone ---------------------------------------------------------------------


def two_words(folder: Path) -> str:
    sound = np.zeros(4 * RATE, np.float32)
    for second, seed in ((1, 5), (2.5, 6)):
        start = round(second * RATE)
        sound[start : start + RATE // 2] = noise(0.5, seed=seed)
    path = folder / "words.wav"
    soundfile.write(path, sound, RATE)
    return str(path)


def test_live_hears_words_with_a_carried_state(tmp_path: Path) -> None:
    model = heard(*LOCAL["mfcc"])
    with device_for(model, two_words(tmp_path)) as microphone:
        live = Live(model, microphone)
        events = live.events()
        found = []
        for event in events:
            if isinstance(event, LiveAnswer):
                found.append(event)
            if len(found) == 32:
                events.close()
        assert live.states()["memory"].shape == (6,)
    assert {answer.engine for answer in found} == {"streaming"}
    assert found[0].unknown  # nobody has spoken yet
    turns = [quiet for quiet, _ in groupby(answer.quiet for answer in found)]
    assert turns[:3] == [True, False, True]
    assert any(answer.quiet and not answer.unknown for answer in found)  # held for a while
    assert found[5].to_json(1)["quiet"] is True
    assert np.median([answer.latency for answer in found]) < 0.5  # the words last 2 s


def test_windows_are_there_where_an_engine_is_named(tmp_path: Path) -> None:
    model = heard(*LOCAL["mfcc"])
    live = Live(model, device_for(model, two_words(tmp_path)), LiveSettings(engine="eager"))
    assert live.engine.engine == "eager"
    assert live.not_streaming == ""
    assert live.states() == {}


def test_a_model_that_reads_both_ways_is_asked_in_windows(tmp_path: Path) -> None:
    model = heard(*LOCAL["mfcc"], bidirectional=True)
    live = Live(model, device_for(model, two_words(tmp_path)), LiveSettings())
    assert live.not_streaming == "memory reads both ways"
    assert live.engine.engine == "eager"


def test_the_command_answers_with_the_streaming_state(tmp_path: Path, capsys: Any) -> None:
    run = as_run(heard(*LOCAL["mfcc"]), tmp_path / "run")
    source = two_words(tmp_path)
    lines = Shell(capsys).json("live", run, "--source", source, "--frames", "15")
    assert {line["engine"] for line in lines if "frame" in line} == {"streaming"}
    assert lines[-1]["engine"] == "streaming"
    assert any(line.get("quiet") is False for line in lines)


def test_a_sound_without_spectra_streams_too() -> None:
    assert SoundStreamer(shaken(sound_model())).states() == {}


@pytest.mark.full
@pytest.mark.timeout(900)
def test_words_in_a_row_are_understood(tmp_path: Path) -> None:
    """Held-out words with pauses of a second or two, and with noise 20 dB below them: what stands
    0.4 s after each is right, and nothing is claimed in between."""
    model, sounds, labels = words_example(tmp_path)
    hop = RATE // 10
    for ratio, least in ((None, 0.95), (20, 0.85)):
        stream, ends = in_a_row(sounds, ratio)
        found = after(Spoken(model), stream, name="sound")
        standing = [found[(end + 4 * hop) // hop - 1][1].argmax() for end in ends]
        right = float(np.mean(np.asarray(standing) == labels))
        print(f"noise {ratio} dB below: {right:.1%} of {len(ends)} words")
        assert right >= least
        assert not any(found[(end + 14 * hop) // hop][3] for end in ends)


def in_a_row(sounds: Any, ratio: float | None) -> tuple[Any, list[int]]:
    """Words without the silence around them, and where each ends."""
    random = np.random.default_rng(0)
    parts, ends = [np.zeros(RATE, np.float32)], []
    for sound in sounds:
        loud = np.flatnonzero(np.abs(sound) > 0.02)
        parts.append(sound[loud[0] : loud[-1] + 1])
        ends.append(sum(map(len, parts)))
        parts.append(np.zeros(round(random.uniform(1.5, 2.5) * RATE), np.float32))
    stream: Any = np.concatenate(parts)
    if ratio is not None:
        spoken = np.mean(np.square(np.concatenate(parts[1::2])))
        stream = stream + random.normal(0, np.sqrt(spoken / 10 ** (ratio / 10)), len(stream))
    return stream.astype(np.float32).clip(-1, 1), ends


def words_example(folder: Path) -> tuple[Model, Any, Any]:
    """The bundled example, trained as it is, with the sounds and labels of its test split."""
    project = open_example("spoken-words-stream")
    dataset = open_data(project.data, folder)
    trainer = Trainer(project, dataset, RunFolder.create(folder / "run"))
    for _ in trainer.steps():
        pass
    test = dataset.splits["test"]
    sounds = dataset.inputs["sound"].take(test)[:, :, 0]
    return load_model(folder / "run"), sounds, dataset.target.take(test).reshape(-1)
