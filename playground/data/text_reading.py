"""From a typed text or a file of one's own to the tokens that a trained network is asked about."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt

from playground.data.errors import DataError
from playground.data.reading import Named
from playground.data.text_encoder import TextEncoder
from playground.data.text_files import TABLES, read_text, texts_of_table

Array = npt.NDArray[Any]

UNITS = ("characters", "words", "pieces")
MOST_TOKENS = 1_000_000
LONGEST_TOKEN = 1_000
LONGEST = 100_000
UNKNOWN, SPECIAL = 1, 2
"""Number 0 is padding, 1 a token that is not known; the vocabulary begins at 2."""
ROWS_AT_ONCE = 1 << 16

Tell = Callable[[float], None]


class Encoded(NamedTuple):
    """Texts as padded rows (N, T), their lengths (N,), and how many were cut."""

    values: Array
    lengths: Array
    cut: int


@dataclass(frozen=True)
class TextReading:
    """A text, a .txt file (each line a text, or the whole file with ``whole``) or the column
    ``column`` of a table, as token numbers (T,) int64. See ``TextEncoder`` for the other fields."""

    tokens: str
    vocabulary: tuple[str, ...]
    merges: tuple[tuple[str, str], ...] = ()
    lower: bool = True
    strip_accents: bool = False
    longest: int = 256
    column: str = "text"
    whole: bool = False
    kind: ClassVar[str] = "text"

    @property
    def size(self) -> int:
        """How many token numbers there are, with padding and the unknown one."""
        return SPECIAL + len(self.vocabulary)

    @cached_property
    def encoder(self) -> TextEncoder:
        return TextEncoder(**self.settings())

    def settings(self) -> dict[str, Any]:
        """The arguments of a ``TextEncoder``, which are those that JSON can hold."""
        return {
            "tokens": self.tokens,
            "vocabulary": list(self.vocabulary),
            "merges": [list(pair) for pair in self.merges],
            "lower": self.lower,
            "strip_accents": self.strip_accents,
            "longest": self.longest,
        }

    def read(self, text: str) -> list[Named]:
        """The texts in ``text``; raises ``DataError`` where there are none."""
        named = self._texts(text)
        found = [(name, self.encode(content)) for name, content in named]
        readable = [(name, values) for name, values in found if len(values)]
        if not readable:
            raise DataError(
                f"{Path(text).name} has no text" if _is_file(text) else "there is no text in it"
            )
        return readable

    def encode(self, text: str) -> Array:
        return np.asarray(self.encoder.encode(text), np.int64)

    def encode_all(self, texts: Sequence[str], tell: Tell = lambda share: None) -> Encoded:
        """Texts as padded rows; a blank text is one unknown token. Raises ``DataError`` where the
        rows would not fit into memory."""
        flat, lengths = array("I"), np.ones(len(texts), np.int64)
        cut = 0
        for place, text in enumerate(texts):
            tokens = list(islice(self.encoder.split(text), self.longest + 1))
            cut += len(tokens) > self.longest
            numbers = self.encoder.numbered(tokens[: self.longest]) or [UNKNOWN]
            flat.extend(numbers)
            lengths[place] = len(numbers)
            if place % 10_000 == 0:
                tell(place / len(texts))
        return Encoded(_padded(np.frombuffer(flat, np.uintc), lengths, self.size), lengths, cut)

    def split(self, raw: Array) -> list[str]:
        """The tokens of raw values; "�" where one is not known."""
        return self.encoder.decode(np.asarray(raw).reshape(-1).tolist())

    def decode(self, raw: Array) -> str:
        """The text of raw values, as far as the vocabulary has it."""
        return joined(self.split(raw), self.tokens)

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind, **self.settings(), "column": self.column, "whole": self.whole}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> TextReading:
        if data["tokens"] not in UNITS:
            raise ValueError(f"tokens are {', '.join(UNITS)}; got {data['tokens']!r:.40}")
        vocabulary = _strings(data["vocabulary"], "the vocabulary")
        if len(set(vocabulary)) < len(vocabulary):
            raise ValueError("the vocabulary has a token twice")
        merges = tuple(_pair(pair) for pair in _list(data.get("merges", []), "the merges"))
        longest = data["longest"]
        if isinstance(longest, bool) or not isinstance(longest, int):
            raise ValueError("the longest length is a whole number")
        if not 1 <= longest <= LONGEST:
            raise ValueError(f"the longest length is from 1 to {LONGEST:,}; got {longest!r:.40}")
        return cls(
            data["tokens"],
            vocabulary,
            merges,
            data.get("lower") is True,
            data.get("strip_accents") is True,
            longest,
            str(data.get("column", "text")),
            data.get("whole") is True,
        )

    def _texts(self, text: str) -> list[tuple[str, str]]:
        if not _is_file(text):
            return [(text, text)]
        path = Path(text)
        if path.suffix.lower() in TABLES:
            found = texts_of_table(path, self.column)
            return [(f"{text}:{line}", content) for line, content in found]
        content = read_text(path)
        if self.whole:
            return [(text, content)]
        lines = content.strip("\n").split("\n")
        if len(lines) == 1:
            return [(text, content)]
        return [(f"{text}:{number}", line) for number, line in enumerate(lines, 1)]


def joined(tokens: Iterable[str], unit: str) -> str:
    """Tokens as a text that a person can read."""
    if unit == "words":
        return " ".join(tokens)
    text = "".join(tokens)
    return text.replace("▁", " ").strip() if unit == "pieces" else text


def _padded(flat: Array, lengths: Array, size: int) -> Array:
    """Rows (N, T) of the numbers in ``flat``, filled up with 0, in the smallest type that holds
    ``size``. Raises ``DataError``."""
    import psutil

    shape, kind = (len(lengths), int(lengths.max(initial=1))), np.min_scalar_type(size)
    needed = shape[0] * shape[1] * kind.itemsize
    if needed > psutil.virtual_memory().available // 2:
        raise DataError(
            f"{shape[0]:,} texts of up to {shape[1]:,} tokens take {needed / 2**30:.1f} GiB, more "
            "than the memory at hand: lower the longest length"
        )
    values = np.zeros(shape, kind)
    ends = np.cumsum(lengths)
    for start in range(0, len(lengths), ROWS_AT_ONCE):
        part = lengths[start : start + ROWS_AT_ONCE]
        filled = np.arange(shape[1]) < part[:, None]
        first = ends[start] - part[0]
        values[start : start + ROWS_AT_ONCE][filled] = flat[first : ends[start + len(part) - 1]]
    return values


def _is_file(text: str) -> bool:
    """Whether ``text`` is a path: of a file that is there, or plainly meant as one."""
    if "\n" in text or not text.strip():
        return False
    try:
        path = Path(text)
        named = path.suffix.lower() in (".txt", *TABLES) and path.suffix != text.strip()
        return path.is_file() or named
    except (OSError, ValueError):
        return False


def _list(data: Any, what: str) -> Sequence[Any]:
    if not isinstance(data, (list, tuple)) or len(data) > MOST_TOKENS:
        raise ValueError(f"{what} is a list of at most {MOST_TOKENS:,}")
    return data


def _strings(data: Any, what: str) -> tuple[str, ...]:
    for item in _list(data, what):
        if not isinstance(item, str) or not 0 < len(item) <= LONGEST_TOKEN:
            raise ValueError(f"{what} has an entry that is no token: {str(item)[:40]!r}")
        if not item.isascii() and any("\ud800" <= c <= "\udfff" for c in item):
            raise ValueError(f"{what} has half a character in it: {item[:40]!r}")
    return tuple(data)


def _pair(data: Any) -> tuple[str, str]:
    left, right = _strings(data, "a merge")
    return left, right
