"""What the beginning of a CSV file tells: its encoding, delimiter, header and decimal mark."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
SAMPLE = 1 << 16
"""Bytes by which the format is guessed."""


@dataclass(frozen=True, slots=True)
class CsvOptions:
    """What a person set; "auto" is guessed from the file. ``uneven`` rows have more or fewer values
    than the first: more are refused ("refuse"), cut to its length ("cut") or left out ("skip")."""

    delimiter: str = "auto"
    encoding: str = "auto"
    header: str = "auto"
    decimal: str = "auto"
    uneven: str = "refuse"

    def to_json(self) -> dict[str, str]:
        """What was set."""
        found = {item.name: getattr(self, item.name) for item in fields(self)}
        return {key: value for key, value in found.items() if value != _KNOWN[key][0]}

    @classmethod
    def from_json(cls, data: Any) -> CsvOptions:
        """Raises ``ValueError``."""
        if not isinstance(data, Mapping):
            raise ValueError("the format of a table is an object")
        chosen = {key: data.get(key, known[0]) for key, known in _KNOWN.items()}
        for key, value in chosen.items():
            if value not in _KNOWN[key]:
                raise ValueError(f"a table's {key} is not {value!r:.40}")
        return cls(**chosen)


_KNOWN: dict[str, tuple[str, ...]] = {
    "delimiter": ("auto", *DELIMITERS),
    "encoding": ("auto", "utf-8", "cp1252", "latin-1", "utf-16"),
    "header": ("auto", "yes", "no"),
    "decimal": ("auto", "point", "comma"),
    "uneven": ("refuse", "cut", "skip"),
}
"""What each option may be, its default first."""


@dataclass(frozen=True, slots=True)
class Format:
    encoding: str
    delimiter: str
    header: bool
    decimal_comma: bool


def encoding_of(first: bytes) -> str:
    """By the byte-order mark, by zeros in every second byte, or by what is valid UTF-8."""
    if first.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    half = len(first) // 2
    if half >= 8 and first[1::2].count(0) > 0.7 * half and 0 not in first[::2]:
        return "utf-16-le"
    if half >= 8 and first[::2].count(0) > 0.7 * half and 0 not in first[1::2]:
        return "utf-16-be"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(first)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def sniffed(text: str, encoding: str, options: CsvOptions) -> Format:
    lines = [line for line in text.splitlines()[:50] if line.strip()]
    complete = lines[:-1] if len(text) >= SAMPLE // 4 and len(lines) > 1 else lines
    try:
        delimiter = _delimiter(complete) if options.delimiter == "auto" else options.delimiter
        rows = list(csv.reader(complete, delimiter=delimiter))
    except csv.Error:  # a field of more than 128 KiB: no table
        return Format(encoding, ",", True, False)
    body = [cell for row in rows[1:] for cell in row]
    decimal_comma = delimiter != "," and _has_decimal_commas(body)
    if options.decimal != "auto":
        decimal_comma = options.decimal == "comma" and delimiter != ","
    if options.header != "auto":
        return Format(encoding, delimiter, options.header == "yes", decimal_comma)
    first = rows[0] if rows else []
    numeric_below = any(_is_number(cell) for cell in body) or not body
    numeric_first = any(_is_number(cell) for cell in first)
    return Format(encoding, delimiter, not numeric_first or not numeric_below, decimal_comma)


def _delimiter(lines: list[str]) -> str:
    """The mark that divides every line into the same, largest number of fields."""
    best, score = ",", (0.0, 0)
    for mark in DELIMITERS:
        counts = [len(row) for row in csv.reader(lines, delimiter=mark)]
        if not counts or max(counts) == 1:
            continue
        usual = max(set(counts), key=counts.count)
        found = (counts.count(usual) / len(counts) if usual > 1 else 0.0, usual)
        if found > score:
            best, score = mark, found
    return best


def _has_decimal_commas(cells: list[str]) -> bool:
    commas = [cell for cell in cells if "," in cell]
    return bool(commas) and all(
        cell.replace(",", ".", 1).count(".") == 1 and _is_number(cell.replace(",", ".", 1))
        for cell in commas
    )


def _is_number(cell: str) -> bool:
    try:
        float(cell.strip().replace(",", "."))
    except ValueError:
        return False
    return cell.strip().lower() not in ("nan", "inf", "infinity")
