"""Sound files: any rate and length, groups, windows; what cannot be read is named and left out."""

from __future__ import annotations

import os
import random
from pathlib import Path

import numpy as np
import pytest
import soundfile

from models.axes import sequence
from playground.data import DataError, DataSettings, SplitSettings, open_data, sound_files
from playground.data.dataset import Dataset
from playground.data.reading import reading_from_json
from playground.data.sound_reading import SoundReading
from tests.playground.cli_kit import Shell, project_on
from tests.playground.test_fuzz import damaged

RATE = 8_000
FORMATS = ("wav", "flac", "ogg", "mp3")


def tone(hertz: float, seconds: float = 0.5, rate: int = RATE) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)


def pitch(samples: np.ndarray, rate: int) -> float:
    spectrum = np.abs(np.fft.rfft(samples.reshape(-1) * np.hanning(samples.size)))
    return float(spectrum.argmax() * rate / samples.size)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Eight sounds of two classes, of several rates, lengths and kinds of file."""
    folder = tmp_path / "tones"
    folder.mkdir()
    for label, hertz in (("low", 300.0), ("high", 900.0)):
        (folder / label).mkdir()
        for number, kind in enumerate(FORMATS):
            rate = (16_000, 22_050, 44_100, 16_000)[number]
            samples = tone(hertz, 0.4 + 0.1 * number, rate)
            stereo = np.stack([samples, samples], axis=1)
            soundfile.write(folder / label / f"{kind}.{kind}", stereo, rate)
    return folder


def opened(path: Path | str, split: SplitSettings | None = None, **options: object) -> Dataset:
    settings = DataSettings("sound", {"path": str(path), **options}, split or SplitSettings())
    return open_data(settings, Path("/"))


def test_class_folders_of_any_rate_length_and_channels(folder: Path) -> None:
    data = opened(folder, seconds=0.5, rate=RATE)
    column = data.inputs["sound"]
    assert column.shape == sequence(4000, 1)
    assert data.classes == ("high", "low")
    assert data.skipped == ()
    values = data.raw(range(len(data)))["sound"]
    assert values.dtype == np.float32
    assert np.abs(values).max() <= 1
    for index, sound in enumerate(values):
        expected = {"low": 300, "high": 900}[data.classes[data.target.values[index]]]
        assert abs(pitch(sound, RATE) - expected) < 8, data.files[index]


def test_length_and_rate_follow_the_files_where_they_are_not_set(folder: Path) -> None:
    reading = opened(folder).inputs["sound"].reading
    assert isinstance(reading, SoundReading)
    assert reading.rate == 16_000
    assert 0.65 <= reading.seconds <= 0.75


def test_the_bundled_words_come_with_their_voices() -> None:
    data = opened("sample:speech", SplitSettings(method="group"), rate=RATE)
    assert len(data) == 684
    assert len(data.classes) == 18
    assert data.groups is not None
    assert data.groups.what == "voice"
    voices = {name: set(data.groups.codes[part]) for name, part in data.splits.items()}
    assert len(data.groups.names) == 10
    assert not voices["train"] & voices["test"]
    assert not voices["train"] & voices["validation"]


def test_a_table_that_names_its_files(tmp_path: Path) -> None:
    for number in range(6):
        soundfile.write(tmp_path / f"{number}.wav", tone(200), RATE)
    rows = [f"{number}.wav,{'ab'[number % 2]},{'xyz'[number // 2]}" for number in range(6)]
    table = tmp_path / "clips.csv"
    table.write_text("\n".join(["file,word,speaker", *rows, "lost.wav,a,x", "0.wav,,y"]))
    data = opened(table)
    assert len(data) == 6
    assert data.classes == ("a", "b")
    assert data.groups is not None
    assert data.groups.names == ("x", "y", "z")
    assert [item.name for item in data.skipped] == ["clips.csv, row 7", "clips.csv, row 8"]


def test_short_sounds_are_padded_and_long_ones_cut(tmp_path: Path) -> None:
    path = tmp_path / "some.wav"
    soundfile.write(path, np.concatenate([np.zeros(4000), np.full(400, 0.5), np.zeros(4000)]), RATE)
    middle = SoundReading(RATE, 1000).read(str(path))[0][1]
    assert middle.shape == (1000, 1)
    assert middle.sum() == pytest.approx(200)
    assert SoundReading(RATE, 1000, "start").read(str(path))[0][1].sum() == 0
    padded = SoundReading(RATE, 10_000).read(str(path))[0][1]
    assert np.flatnonzero(padded)[[0, -1]].tolist() == [4800, 5199]
    behind = SoundReading(RATE, 10_000, "start").read(str(path))[0][1]
    assert np.flatnonzero(behind)[0] == 4000


def test_windows_of_long_sounds_stay_on_one_side_of_the_split(tmp_path: Path) -> None:
    for label in "ab":
        (tmp_path / label).mkdir()
        for number in range(5):
            soundfile.write(tmp_path / label / f"{number}.wav", tone(200, 2.25), RATE)
    data = opened(tmp_path, seconds=0.5, take="windows", stride=0.25)
    assert len(data) == 10 * 8
    assert data.captions[1] == "0.wav, 0.25 s"
    files = {name: {data.files[i] for i in part} for name, part in data.splits.items()}
    assert files["test"]
    assert not files["train"] & files["test"]
    assert len(data.inputs["sound"].reading.read(data.files[0])) == 8


def test_windows_keep_a_split_of_the_folders(tmp_path: Path) -> None:
    for part in ("train", "test"):
        for label, hertz in (("low", 300.0), ("high", 900.0)):
            (tmp_path / part / label).mkdir(parents=True)
            for number in range(4):
                file = tmp_path / part / label / f"{number}.wav"
                soundfile.write(file, tone(hertz, 1.0), RATE)
    data = opened(tmp_path, seconds=0.5, take="windows")
    assert {Path(data.files[index]).parts[-3] for index in data.splits["test"]} == {"test"}
    assert len(data.splits["test"]) == 16
    files = {name: {data.files[i] for i in part} for name, part in data.splits.items()}
    assert files["validation"]
    assert not files["train"] & files["validation"]


def test_a_sound_of_three_hours_is_read_in_part(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    with soundfile.SoundFile(path, "w", RATE, 1, "PCM_U8") as file:
        file.seek(0)
        file.write(tone(440, 1.0))
    with path.open("r+b") as raw:  # the rest is a hole in the file: it takes no room on the disk
        raw.truncate(44 + 3 * 3600 * RATE)
        for at in (4, 40):
            raw.seek(at)
            raw.write((3 * 3600 * RATE + 44 - at - 4).to_bytes(4, "little"))
    assert sound_files.look(path).seconds == pytest.approx(3 * 3600)
    reading = SoundReading(RATE, RATE, "start")
    assert abs(pitch(reading.read(str(path))[0][1], RATE) - 440) < 3


def test_large_data_are_read_when_wanted(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("playground.data.sound.RESIDENT", 0)
    data = opened(folder, seconds=0.5, rate=RATE)
    assert data.lazy
    monkeypatch.undo()
    assert np.array_equal(
        data.raw([5, 0])["sound"], opened(folder, seconds=0.5, rate=RATE).raw([5, 0])["sound"]
    )
    Path(data.files[0]).unlink()
    with pytest.raises(DataError, match=r"flac\.flac cannot be opened"):
        data.raw([0])
    assert data.readable([0, 1]).tolist() == [1]
    assert "flac.flac" in data.unreadable.reasons()[0]


def bad_files(folder: Path) -> dict[str, str]:
    """Files that cannot be read, with what is said of them."""
    noise = np.random.default_rng(0).normal(size=8000) * 0.1
    broken = noise.astype(np.float32)
    broken[4000] = np.nan
    soundfile.write(folder / "nan.wav", broken, RATE, subtype="FLOAT")
    soundfile.write(folder / "slow.wav", noise[:4], 1)
    soundfile.write(folder / "nothing.wav", noise[:0], RATE)
    soundfile.write(folder / "many.wav", np.zeros((10, 100)), RATE)
    for kind in ("flac", "ogg", "mp3"):
        soundfile.write(folder / f"whole.{kind}", noise, RATE)
        content = (folder / f"whole.{kind}").read_bytes()
        (folder / f"cut.{kind}").write_bytes(content[: len(content) // 2])
        (folder / f"whole.{kind}").unlink()
    (folder / "empty.wav").write_bytes(b"")
    (folder / "picture.wav").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(200))
    (folder / "readme.txt").write_text("no sound at all")
    os.mkfifo(folder / "pipe.wav")
    return {
        "nan.wav": "no numbers",
        "slow.wav": "sample rate of 1 Hz",
        "nothing.wav": "0 s long",
        "many.wav": "100 channels",
        "cut.flac": "damaged",
        "cut.ogg": "0 s long",
        "cut.mp3": "breaks off",
        "empty.wav": "empty",
        "picture.wav": "no sound that can be read",
        "readme.txt": "no sound that can be read",
    }


def test_bad_files_are_named_and_the_rest_goes_on(folder: Path) -> None:
    expected = bad_files(folder / "low")
    data = opened(folder, seconds=0.5, rate=RATE)
    assert len(data) == 8
    reasons = {Path(item.name).name: item.reason for item in data.skipped}
    assert set(reasons) == set(expected)
    for name, words in expected.items():
        assert reasons[name].startswith(name)
        assert words in reasons[name]
    assert len(data.skipped) == 10


def test_a_loud_file_of_floats_is_made_softer(tmp_path: Path) -> None:
    path = tmp_path / "loud.wav"
    soundfile.write(path, tone(300) * 1e5, RATE, subtype="FLOAT")
    assert np.abs(sound_files.read(path)[0]).max() == pytest.approx(1)


@pytest.mark.parametrize("files", [{}, {"a/x.txt": b"x"}, {"a/x.wav": b"", "b/y.wav": b"RIFF"}])
def test_a_folder_without_sounds_is_told(files: dict[str, bytes], tmp_path: Path) -> None:
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=r"sounds|a sound"):
        opened(tmp_path)


def test_one_class_is_too_few(folder: Path) -> None:
    for path in (folder / "high").iterdir():
        path.unlink()
    with pytest.raises(DataError, match="one class only"):
        opened(folder)


def read_or_told(reading: SoundReading, path: Path) -> tuple[str, np.ndarray]:
    try:
        return path.name, reading.read(str(path))[0][1]
    except DataError as error:
        return str(error), np.zeros((reading.steps, 1))


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize(
    "count",
    [pytest.param(50, id="few"), pytest.param(2000, id="many", marks=pytest.mark.full)],
)
def test_damaged_sounds(kind: str, count: int, tmp_path: Path) -> None:
    """Read or refused in one sentence; never anything else."""
    path = tmp_path / f"some.{kind}"
    soundfile.write(path, np.stack([tone(300), tone(500)], axis=1), RATE)
    content, dice, reading = path.read_bytes(), random.Random(count), SoundReading(RATE, 3000)
    for _ in range(count):
        path.write_bytes(damaged(content, dice))
        said, sound = read_or_told(reading, path)
        assert said.startswith(path.name)
        assert "\n" not in said
        assert sound.shape == (3000, 1)
        assert np.isfinite(sound).all()


def test_a_reading_is_saved_and_read_again() -> None:
    reading = SoundReading(RATE, 4000, "windows", 2000)
    assert reading_from_json(reading.to_json()) == reading
    for change in ({"rate": 1}, {"steps": 0}, {"take": "all"}, {"stride": None}, {"rate": True}):
        with pytest.raises(ValueError, match="sound"):
            reading_from_json(reading.to_json() | change)


def test_what_a_microphone_hears_is_taken_as_a_file_is(tmp_path: Path) -> None:
    samples = tone(440, 1.0, 48_000).astype(np.float32)
    path = tmp_path / "same.wav"
    soundfile.write(path, samples, 48_000, subtype="FLOAT")
    reading = SoundReading(RATE, RATE)
    heard = reading.from_array(samples, 48_000)
    assert np.allclose(heard, reading.read(str(path))[0][1], atol=1e-6)
    assert np.allclose(reading.from_array(np.stack([samples] * 2, 1), 48_000), heard, atol=1e-6)


# --- from training to answers ---------------------------------------------------------------------


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(capsys)


def tones(folder: Path, kind: str, epochs: int) -> Path:
    options = {"path": str(folder), "seconds": 0.5, "rate": RATE}
    settings = DataSettings("sound", options, SplitSettings(validation=2, test=0))
    path = folder.parent / f"{kind}.playground"
    return project_on(path, settings, kind, epochs=epochs, batch_size=6, learning_rate=3e-3)


def test_a_trained_network_answers_about_a_file(folder: Path, shell: Shell) -> None:
    run = shell.json("train", tones(folder, "cnn", 15))[-1]["run"]
    asked, bad = folder / "asked.wav", folder / "bad.wav"
    soundfile.write(asked, tone(900, 1.0, 44_100), 44_100)
    answer = shell.json("predict", run, asked)[0]
    assert answer["answers"][0]["label"] == "high"
    bad.write_bytes(b"RIFF")
    assert "bad.wav is no sound that can be read" in shell("predict", run, bad).sentence


@pytest.mark.parametrize("kind", ["cnn", "rnn"])
def test_spectra_are_part_of_what_is_exported(folder: Path, shell: Shell, kind: str) -> None:
    run = shell.json("train", tones(folder, kind, 1))[-1]["run"]
    for to, name in (("python", "model.py"), ("onnx", "model.onnx")):
        done = shell.json("export", run, "--to", to, "-o", folder / name)[-1]
        assert done["difference"] <= 1e-4
    source = (folder / "model.py").read_text()
    assert "class MelBank(nn.Module)" in source
    assert ("class CosineTransform(nn.Module)" in source) == (kind == "rnn")
