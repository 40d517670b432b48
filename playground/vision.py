"""Pictures as arrays: reading files of any kind, and fitting a picture to a network's input.

This is the one module that imports OpenCV. Its import points Qt to plug-ins and fonts of its own,
which would break the window, so the environment is put back right after.
"""

from __future__ import annotations

import os
import stat
import threading
from contextlib import nullcontext
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

_QT = {key: os.environ.get(key) for key in ("QT_QPA_PLATFORM_PLUGIN_PATH", "QT_QPA_FONTDIR")}
import cv2 as cv2  # noqa: E402

for _key, _value in _QT.items():
    if _value is None:
        os.environ.pop(_key, None)
    else:
        os.environ[_key] = _value

Array = npt.NDArray[Any]
Pixels = npt.NDArray[np.uint8]

LARGEST_PICTURE = 100_000_000
"""Pixels; a larger picture would need gigabytes to decode."""

LARGEST_FILE = 1 << 30
"""Bytes; clips and archives are sometimes named like pictures."""

Image.MAX_IMAGE_PIXELS = None  # instead of Pillow's warning: refused with a sentence, below

_ROWS = 256
_LARGE = 20_000_000
_one_at_a_time = threading.Lock()
"""Held while a picture of more than ``_LARGE`` pixels is decoded: several at once would take all of
a small machine's memory."""

FITS = ("crop", "pad", "stretch", "middle")
MIDDLE = 224 / 256
"""The share of a picture's shorter side on which networks for ImageNet are judged."""


class UnreadableImage(ValueError):
    """A file cannot be read as a picture; the message names it and says why."""


def picture_size(path: Path) -> tuple[int, int, int]:
    """Height, width and channels (1 for grey, otherwise 3) from the file's header alone.

    Raises ``UnreadableImage``.
    """
    try:
        _check_file(path)
        with Image.open(path) as picture:
            _check_size(path, picture)
            height, width = picture.height, picture.width
            if picture.getexif().get(0x0112, 1) >= 5:  # turned by 90°
                height, width = width, height
            grey = picture.mode in ("1", "L", "LA") or picture.mode.startswith(("I", "F"))
            return height, width, 1 if grey else 3
    except UnreadableImage:
        raise
    except Exception as error:  # decoders raise nearly anything at a damaged file
        raise UnreadableImage(_sentence(path, error)) from None


def read_picture(
    path: Path, channels: int, size: tuple[int, int] | None = None, fit: str = "crop"
) -> Pixels:
    """A picture file as C×H×W, upright, with transparency laid on white; fitted to ``size``
    (height, width) where given. Of an animation or of several pages, the first. Raises
    ``UnreadableImage``."""
    # JPEG can be decoded at a half, a quarter or an eighth of its size
    wanted = 2 * max(size) if size is not None and fit != "stretch" else None
    try:
        _check_file(path)
        content = path.read_bytes()
        if not content:
            raise UnreadableImage(f"{path.name} is empty")
        pixels = _plain_jpeg(content, channels, wanted)
        if pixels is None:
            pixels = _any_picture(path, content, channels, wanted)
    except UnreadableImage:
        raise
    except Exception as error:  # decoders raise nearly anything at a damaged file
        raise UnreadableImage(_sentence(path, error)) from None
    if size is not None:
        pixels = fitted(pixels, size, fit)
    return np.ascontiguousarray(pixels.transpose(2, 0, 1))


def _any_picture(path: Path, content: bytes, channels: int, wanted: int | None) -> Pixels:
    """Whatever Pillow reads, as upright H×W×C."""
    with Image.open(BytesIO(content)) as picture:
        _check_size(path, picture)
        if wanted is not None:
            picture.draft("L" if channels == 1 else "RGB", (wanted, wanted))
        large = picture.width * picture.height > _LARGE
        with _one_at_a_time if large else nullcontext():
            return _pixels(ImageOps.exif_transpose(picture), channels)


def _plain_jpeg(content: bytes, channels: int, wanted: int | None) -> Pixels | None:
    """A whole JPEG of grey or YCbCr as upright H×W×C, at the smallest of its four sizes that is at
    least ``wanted`` wide and high; None for any other file, which Pillow then reads or refuses.

    The same pixels as Pillow's, faster, and without the interpreter's lock.
    """
    found = _jpeg_header(content)
    if found is None:
        return None
    height, width, components = found
    if components not in (1, 3) or not 0 < height * width <= LARGEST_PICTURE:
        return None
    if content.rfind(b"\xff\xd9", -64) < 0:  # cut off: OpenCV would make up the rest in grey
        return None
    scale = 1 if wanted is None else min(height // wanted, width // wanted)
    grey, colour = next(flags for least, flags in _REDUCED if scale >= least or least == 1)
    array = np.frombuffer(content, np.uint8)
    try:
        pixels = cv2.imdecode(array, grey if channels == 1 else colour)
    except cv2.error:
        return None
    if pixels is None or pixels.dtype != np.uint8:
        return None
    return np.asarray(pixels[:, :, None] if channels == 1 else pixels[:, :, ::-1], np.uint8)


_REDUCED = (
    (8, (cv2.IMREAD_REDUCED_GRAYSCALE_8, cv2.IMREAD_REDUCED_COLOR_8)),
    (4, (cv2.IMREAD_REDUCED_GRAYSCALE_4, cv2.IMREAD_REDUCED_COLOR_4)),
    (2, (cv2.IMREAD_REDUCED_GRAYSCALE_2, cv2.IMREAD_REDUCED_COLOR_2)),
    (1, (cv2.IMREAD_GRAYSCALE, cv2.IMREAD_COLOR)),
)


def _jpeg_header(content: bytes) -> tuple[int, int, int] | None:
    """Height, width and components of an 8-bit JPEG from its frame header (ITU-T T.81, B.2.2)."""
    if not content.startswith(b"\xff\xd8\xff"):
        return None
    at = 2
    while at + 10 <= len(content) and content[at] == 0xFF:
        marker, length = content[at + 1], int.from_bytes(content[at + 2 : at + 4], "big")
        if marker in (0xC0, 0xC1, 0xC2):
            height, width = (int.from_bytes(content[at + i : at + i + 2], "big") for i in (5, 7))
            return (height, width, content[at + 9]) if content[at + 4] == 8 else None
        if marker in (0xD9, 0xDA) or length < 2:
            return None
        at += 2 + length
    return None


def from_array(values: Array, channels: int, size: tuple[int, int], fit: str = "crop") -> Pixels:
    """An H×W, H×W×1, H×W×3 (RGB) or H×W×4 array of 0…255 as C×H×W of ``size``."""
    if channels == 3 and values.dtype == np.uint8 and values.shape[2:] == (3,):
        pixels = values  # a camera's frame: Pillow would copy it twice for nothing
    else:
        pixels = _pixels(Image.fromarray(np.squeeze(values).astype(np.uint8)), channels)
    return np.ascontiguousarray(fitted(pixels, size, fit).transpose(2, 0, 1))


def read_values(path: Path) -> Array:
    """The whole numbers in a picture file as they are stored (H, W): palette indices, grey values
    of 8 or 16 bits. Raises ``UnreadableImage``."""
    try:
        _check_file(path)
        with Image.open(path) as picture:
            _check_size(path, picture)
            values = np.asarray(picture)
    except UnreadableImage:
        raise
    except Exception as error:  # decoders raise nearly anything at a damaged file
        raise UnreadableImage(_sentence(path, error)) from None
    if values.ndim == 3:
        colours = values[..., : 1 if values.shape[2] == 2 else 3]
        if (colours != colours[..., :1]).any():
            raise UnreadableImage(
                f"{path.name} is coloured: save it with a palette or in greys, a value a class"
            )
        values = colours[..., 0]
    if values.dtype.kind == "f" or values.ndim != 2:
        raise UnreadableImage(f"{path.name} has no whole numbers: save it with 8 or 16 bits")
    return values.astype(np.uint8) if values.dtype.kind == "b" else values


def fitted(
    pixels: Pixels, size: tuple[int, int], fit: str = "crop", *, nearest: bool = False
) -> Pixels:
    """H×W×C pixels at ``size`` (height, width): the middle cut out ("crop"), black borders added
    ("pad"), or the proportions given up ("stretch"); "within" is at most ``size``. "middle" cuts
    out ``MIDDLE`` of what "crop" does and scales it bicubically, as networks for ImageNet want it.
    ``nearest`` keeps each pixel's value as it is, with borders of 255, as class indices need."""
    height, width = size
    rows, columns = pixels.shape[:2]
    if (rows, columns) == (height, width) and fit != "middle":
        return pixels
    if fit == "within":
        scale = max(rows / height, columns / width, 1.0)
        inner = (max(1, round(rows / scale)), max(1, round(columns / scale)))
        return _resized(pixels, *inner, nearest)
    if fit in ("crop", "middle"):
        middle = cut_out(pixels, size, fit)
        if fit == "middle" and not nearest:
            return _bicubic(middle, height, width)
        return _resized(middle, height, width, nearest)
    if fit == "pad":
        top, left, tall, wide = _bordered(rows, columns, size)
        result = np.full((height, width, pixels.shape[2]), 255 * nearest, np.uint8)
        result[top : top + tall, left : left + wide] = _resized(pixels, tall, wide, nearest)
        return result
    return _resized(pixels, height, width, nearest)


def cut_out(pixels: Pixels, size: tuple[int, int], fit: str) -> Pixels:
    """What "crop" or "middle" leaves of H×W×C pixels before they are scaled: a view."""
    top, left, rows, columns = _middle(pixels.shape[0], pixels.shape[1], size, fit)
    return pixels[top : top + rows, left : left + columns]


def part_seen(
    frame: tuple[int, int], size: tuple[int, int], fit: str
) -> tuple[float, float, float, float]:
    """Which part of a frame (rows, columns) lies in what ``fitted`` makes of it: left, top, right,
    bottom as shares of its width and height. Borders that were added lie outside 0…1."""
    (rows, columns), (height, width) = frame, size
    if frame == size and fit != "middle":
        return 0.0, 0.0, 1.0, 1.0
    if fit in ("crop", "middle"):
        top, left, keep_rows, keep_columns = _middle(rows, columns, size, fit)
        right, bottom = left + keep_columns, top + keep_rows
        return left / columns, top / rows, right / columns, bottom / rows
    if fit == "pad":
        top, left, tall, wide = _bordered(rows, columns, size)
        return -left / wide, -top / tall, (width - left) / wide, (height - top) / tall
    return 0.0, 0.0, 1.0, 1.0


def _middle(rows: int, columns: int, size: tuple[int, int], fit: str) -> tuple[int, int, int, int]:
    """Top, left, rows and columns of what is cut out of a picture."""
    height, width = size
    scale = min(rows / height, columns / width) * (MIDDLE if fit == "middle" else 1.0)
    keep_rows, keep_columns = max(1, round(height * scale)), max(1, round(width * scale))
    return (rows - keep_rows) // 2, (columns - keep_columns) // 2, keep_rows, keep_columns


def _bordered(rows: int, columns: int, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Top, left, rows and columns of a picture within its borders."""
    height, width = size
    scale = max(rows / height, columns / width)
    tall, wide = max(1, round(rows / scale)), max(1, round(columns / scale))
    return (height - tall) // 2, (width - wide) // 2, tall, wide


def centred_digit(pixels: Array, size: int = 28) -> Pixels:
    """A written digit as MNIST has them (LeCun et al. 1998): light on dark, its longer side scaled
    to 20 of 28 pixels, its centre of mass in the middle.

    ``pixels`` is H×W of 0…255 with dark ink on a light ground or the reverse; returns 1×28×28.
    """
    ink = pixels.astype(np.float32)
    border = np.concatenate([ink[0], ink[-1], ink[:, 0], ink[:, -1]])
    ground = float(np.median(border))
    if ground > 127:
        ink, ground = 255 - ink, 255 - ground
    ink = np.clip(ink - ground, 0, None)
    ink[ink < 0.25 * ink.max()] = 0  # the grain of paper and camera
    result = np.zeros((size, size), np.float32)
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    if not len(rows):
        return result.astype(np.uint8)[None]
    box = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] * (255 / ink.max())
    scale = 20 / 28 * size / max(box.shape)
    height, width = (max(1, round(side * scale)) for side in box.shape)
    small = cv2.resize(
        box, (width, height), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    ).reshape(height, width)
    y, x = np.mgrid[:height, :width]
    mass = max(float(small.sum()), 1e-6)
    top = round(size / 2 - 0.5 - float((y * small).sum()) / mass)
    left = round(size / 2 - 0.5 - float((x * small).sum()) / mass)
    top, left = np.clip(top, 0, size - height), np.clip(left, 0, size - width)
    result[top : top + height, left : left + width] = small
    return result.round().clip(0, 255).astype(np.uint8)[None]


def _resized(pixels: Pixels, height: int, width: int, nearest: bool = False) -> Pixels:
    """Averaging where the picture shrinks (no aliasing), interpolating where it grows; or the
    nearest pixels."""
    shrinks = pixels.shape[0] > height or pixels.shape[1] > width
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    if nearest:
        method = cv2.INTER_NEAREST_EXACT
    # colours in OpenCV's own order are turned round when they are few: the copy takes its time
    turned = pixels.strides[2] < 0
    source = pixels[:, :, ::-1] if turned else pixels
    result = cv2.resize(source, (width, height), interpolation=method)
    result = np.asarray(result, np.uint8).reshape(height, width, pixels.shape[2])
    return result[:, :, ::-1] if turned else result


def _bicubic(pixels: Pixels, height: int, width: int) -> Pixels:
    """Cubic convolution over all pixels that an output pixel covers (Keys 1981, a = −0.5)."""
    grey = pixels.shape[2] == 1
    picture = Image.fromarray(np.ascontiguousarray(pixels[..., 0] if grey else pixels))
    result = np.asarray(picture.resize((width, height), Image.Resampling.BICUBIC), np.uint8)
    return result.reshape(height, width, pixels.shape[2])


def _pixels(picture: Image.Image, channels: int) -> Pixels:
    """Any of Pillow's modes as H×W×1 (grey) or H×W×3 (RGB)."""
    if picture.mode.startswith("I") or picture.mode == "F":
        picture = Image.fromarray(_eight_bits(np.asarray(picture)))
    if picture.mode in ("LA", "PA", "RGBA", "La", "RGBa") or "transparency" in picture.info:
        picture = picture if picture.mode == "RGBA" else picture.convert("RGBA")
        ground = Image.new("RGB", picture.size, "white")
        ground.paste(picture, mask=picture.getchannel("A"))
        picture = ground
    mode = "L" if channels == 1 else "RGB"
    converted = picture if picture.mode == mode else picture.convert(mode)
    return np.asarray(converted, np.uint8).reshape(converted.height, converted.width, channels)


def _eight_bits(values: Array) -> Pixels:
    """Deeper greys as 8 bits: whole numbers by their 16-bit range, fractions by 0…1."""
    if values.dtype.kind == "f":
        top = 1.0 if np.nanmax(values, initial=0.0) <= 1.0 else 255.0
    else:
        top = 255.0 if values.max(initial=0) <= 255 else 65535.0
    result = np.empty(values.shape, np.uint8)
    for start in range(0, len(values), _ROWS):  # a large picture would take gigabytes at once
        part = np.nan_to_num(values[start : start + _ROWS].astype(np.float32))
        result[start : start + _ROWS] = (part * (255.0 / top)).clip(0, 255)
    return result


def _check_file(path: Path) -> None:
    """A pipe would be waited for, and a device read, for ever."""
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        what = "a folder" if stat.S_ISDIR(found.st_mode) else "no plain file"
        raise UnreadableImage(f"{path} is {what}: choose a picture")
    if found.st_size > LARGEST_FILE:
        raise UnreadableImage(f"{path.name} is too large: a picture has less than 1 GB")


def _check_size(path: Path, picture: Image.Image) -> None:
    if picture.width * picture.height > LARGEST_PICTURE:
        raise UnreadableImage(
            f"{path.name} is too large ({picture.width}×{picture.height}): "
            f"make it smaller than {LARGEST_PICTURE // 1_000_000} megapixels"
        )


def _sentence(path: Path, error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return f"{path} does not exist"
    if isinstance(error, PermissionError):
        return f"{path} may not be read: permission denied"
    if isinstance(error, UnidentifiedImageError):
        return f"{path.name} is not a picture, or of a kind that is not known here"
    return f"{path.name} cannot be read as a picture: {str(error) or type(error).__name__}"
