"""Folders of pictures, and pictures of every kind as arrays."""

from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from playground import vision
from playground.data import DataError, DataSettings, SplitSettings, open_data
from playground.data.image_values import ImageFiles
from playground.data.reading import ImageReading


def picture(size=(20, 16), colour=(200, 30, 30), mode="RGB"):
    return Image.new("RGB", size, colour).convert(mode)


@pytest.fixture
def folder(tmp_path):
    """Eight pictures of two classes in different formats and proportions."""
    for place, (name, colour) in enumerate((("red", (220, 20, 20)), ("blue", (20, 20, 220)))):
        (tmp_path / "pets" / name).mkdir(parents=True)
        for number, suffix in enumerate(("png", "jpg", "bmp", "webp")):
            image = picture((20 + 4 * number, 16 + place), colour)
            image.save(tmp_path / "pets" / name / f"{number}.{suffix}")
    return tmp_path / "pets"


def opened(path, split=None, **options):
    settings = DataSettings("images", {"path": str(path), **options}, split or SplitSettings(0, 2))
    return open_data(settings, path.parent)


def test_a_folder_a_class(folder):
    data = opened(folder)
    assert data.classes == ("blue", "red")
    assert data.summary == "8 images · 64×64 colour · 2 classes"
    raw = data.raw(range(8))["image"]
    assert raw.shape == (8, 3, 64, 64)
    assert raw.dtype == np.uint8
    labels = data.raw(range(8))["label"]
    assert (raw[labels == 1, 0].mean() > 150) & (raw[labels == 0, 0].mean() < 60)
    assert not data.notes
    assert not data.lazy
    assert data.describe(0) == "“blue” · 0.png"
    train = data.batch(data.splits["train"])["image"]
    np.testing.assert_allclose(train.mean(axis=(0, 2, 3)), 0, atol=1e-3)


def test_size_colour_and_fit_can_be_set(folder):
    data = opened(folder, size=[8, 12], channels="grey", fit="pad")
    assert str(data.inputs["image"].shape) == "1×8×12"


def test_large_folders_are_read_when_wanted(folder, monkeypatch):
    whole = opened(folder)
    monkeypatch.setattr("playground.data.images.RESIDENT", 0)
    lazy = opened(folder)
    assert isinstance(lazy.inputs["image"].values, ImageFiles)
    assert lazy.lazy
    for key, values in whole.batch([6, 1]).items():
        np.testing.assert_array_equal(lazy.batch([6, 1])[key], values)
    (folder / "blue" / "0.png").write_bytes(b"spoilt")
    with pytest.raises(DataError, match=r"0\.png"):
        lazy.batch([0])


def test_unreadable_files_are_skipped_and_listed(folder):
    (folder / "red" / "notes.txt").write_text("no picture")
    (folder / "red" / "empty.png").write_bytes(b"")
    whole = (folder / "red" / "1.jpg").read_bytes()
    (folder / "blue" / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    (folder / "blue" / ".hidden").write_bytes(b"")
    (folder / "blue" / "Thumbs.db").write_bytes(b"")
    data = opened(folder)
    assert len(data) == 8
    assert not any("skipped" in note for note in data.notes)
    names = {Path(item.name).name for item in data.skipped}
    assert names == {"notes.txt", "empty.png", "cut.jpg"}


def test_a_class_with_one_picture_is_trained_on(folder):
    (folder / "green").mkdir()
    picture(colour=(0, 255, 0)).save(folder / "green" / "only.png")
    data = opened(folder)
    assert data.counts("train")[data.classes.index("green")] == 1
    assert "The class green has one sample only" in data.notes[0]


def test_progress_is_told(folder):
    told = []
    settings = DataSettings("images", {"path": str(folder)}, SplitSettings(0, 2))
    open_data(settings, folder, lambda text, fraction: told.append((text, fraction)))
    assert ("Decoding images", 0.0) in told


def test_opening_can_be_cancelled(folder):
    class Cancelled(Exception):
        pass

    def cancel(text, fraction):
        raise Cancelled

    with pytest.raises(Cancelled):
        open_data(DataSettings("images", {"path": str(folder)}), folder, cancel)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda f: [p.unlink() for p in (f / "red").iterdir()], "one class only (blue)"),
        (lambda f: [p.write_bytes(b"x") for p in f.rglob("*.*")], "none of the 8 files"),
        (lambda f: [p.unlink() for p in f.rglob("*.*")], "no subfolders with images"),
    ],
)
def test_bad_folders_are_explained(folder, spoil, words):
    spoil(folder)
    with pytest.raises(DataError) as caught:
        opened(folder)
    assert words in str(caught.value)


def test_paths_that_are_no_folders_are_explained(folder):
    with pytest.raises(DataError, match="does not exist"):
        opened(folder / "none")
    with pytest.raises(DataError, match="is no folder"):
        opened(folder / "red" / "0.png")


# --- one picture ----------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "I", "F"])
@pytest.mark.parametrize("channels", [1, 3])
def test_every_kind_of_picture_becomes_an_array(tmp_path, mode, channels):
    if mode == "I;16":
        image = Image.fromarray(np.full((16, 20), 0x8080, np.uint16))
    elif mode == "F":
        image = Image.fromarray(np.full((16, 20), 0.5, np.float32))
    elif mode == "I":
        image = Image.fromarray(np.full((16, 20), 128, np.int32))
    else:
        image = picture(colour=(128, 128, 128), mode=mode)
    path = tmp_path / ("x.png" if mode not in ("CMYK", "F", "I") else "x.tiff")
    image.save(path)
    pixels = vision.read_picture(path, channels, (10, 10))
    assert pixels.shape == (channels, 10, 10)
    if mode != "1":
        assert abs(int(pixels.mean()) - 128) <= 2


def test_transparency_is_laid_on_white(tmp_path):
    Image.new("RGBA", (4, 4), (0, 0, 0, 0)).save(tmp_path / "x.png")
    assert vision.read_picture(tmp_path / "x.png", 3).min() == 255


def test_photos_are_turned_upright(tmp_path):
    image = picture((30, 10))
    exif = Image.Exif()
    exif[0x0112] = 6
    image.save(tmp_path / "x.jpg", exif=exif)
    assert vision.read_picture(tmp_path / "x.jpg", 3).shape == (3, 30, 10)
    assert vision.picture_size(tmp_path / "x.jpg") == (30, 10, 3)


def test_an_animation_gives_its_first_frame(tmp_path):
    frames = [picture(colour=colour) for colour in ((250, 0, 0), (0, 250, 0))]
    frames[0].save(tmp_path / "x.gif", save_all=True, append_images=frames[1:])
    assert vision.read_picture(tmp_path / "x.gif", 3)[0].min() > 200


def test_a_large_jpeg_is_as_a_resized_one(tmp_path):
    gradient = np.linspace(0, 255, 1200).astype(np.uint8)
    Image.fromarray(np.tile(gradient, (900, 1))).save(tmp_path / "x.jpg", quality=95)
    small = vision.read_picture(tmp_path / "x.jpg", 1, (32, 32), "stretch")[0]
    cropped = vision.read_picture(tmp_path / "x.jpg", 1, (32, 32), "crop")[0]
    assert small[0, 0] < 10
    assert small[0, -1] > 245
    assert 25 < cropped[0, 0] < 45


@pytest.mark.parametrize("fit", vision.FITS)
@pytest.mark.parametrize("size", [(1, 900), (900, 1), (3, 3), (64, 48)])
def test_any_proportion_fits(fit, size):
    pixels = np.full((*size, 3), 200, np.uint8)
    result = vision.fitted(pixels, (24, 32), fit)
    assert result.shape == (24, 32, 3)
    assert result.max() == 200


def test_pictures_beyond_memory_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(vision, "LARGEST_PICTURE", 100)
    picture().save(tmp_path / "x.png")
    with pytest.raises(vision.UnreadableImage, match=r"x\.png is too large \(20×16\)"):
        vision.read_picture(tmp_path / "x.png", 3)


@pytest.mark.parametrize("suffix", ["png", "jpg", "gif", "webp", "bmp", "tiff"])
def test_damaged_pictures_are_read_or_refused(tmp_path, suffix):
    picture().save(tmp_path / f"x.{suffix}")
    whole = (tmp_path / f"x.{suffix}").read_bytes()
    random = np.random.default_rng(0)
    for _ in range(30):
        spoilt = bytearray(whole)
        for place in random.integers(0, len(whole), 4):
            spoilt[place] = random.integers(0, 256)
        (tmp_path / "y").write_bytes(bytes(spoilt[: random.integers(1, len(whole) + 1)]))
        with suppress(vision.UnreadableImage):
            assert vision.read_picture(tmp_path / "y", 3, (8, 8)).shape == (3, 8, 8)


def test_a_drawn_digit_is_centred_as_in_mnist():
    drawing = np.full((200, 300), 255, np.uint8)
    drawing[20:120, 40:60] = 0  # a dark stroke on white paper, off the centre
    digit = vision.centred_digit(drawing)
    assert digit.shape == (1, 28, 28)
    rows, columns = np.nonzero(digit[0] > 128)
    assert rows.max() - rows.min() + 1 == 20
    assert abs(rows.mean() - 13.5) <= 0.5
    assert abs(columns.mean() - 13.5) <= 0.5
    assert not vision.centred_digit(np.zeros((28, 28))).any()
    reading = ImageReading(1, 28, 28, digit=True)
    np.testing.assert_array_equal(reading.from_array(drawing), digit)
    np.testing.assert_array_equal(reading.from_array(255 - drawing), digit)


def test_qt_finds_its_own_plugins_after_opencv(monkeypatch):
    import os

    assert "cv2" not in os.environ.get("QT_QPA_PLATFORM_PLUGIN_PATH", "")
    assert "cv2" not in os.environ.get("QT_QPA_FONTDIR", "")
