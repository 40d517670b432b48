"""JSON documents that read well, change little from one save to the next, and cannot surprise."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from playground.files import sync

LARGEST = 32 << 20
DEEPEST = 100


class DocumentError(ValueError):
    """A text is not a document; the message says why, with the line where it is known."""


def read_json(text: str) -> dict[str, Any]:
    """An object in strict JSON: no NaN, no number beyond a float, no key twice, no broken
    characters, bounded in depth. Raises ``DocumentError``."""
    try:
        data = json.loads(
            text,
            parse_constant=_refused,
            parse_float=_number,
            parse_int=_whole,
            object_pairs_hook=_unique,
        )
        if "\\u" in text:  # half a character could be read but not be written again
            json.dumps(data, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        if not text.strip():
            raise DocumentError("it is empty") from None
        raise DocumentError(f"it is damaged at line {error.lineno}: {error.msg}") from None
    except UnicodeEncodeError:
        raise DocumentError("it holds a broken character (half a surrogate pair)") from None
    except RecursionError:
        raise DocumentError("it is nested too deeply") from None
    except ValueError as error:
        raise DocumentError(str(error).splitlines()[0][:200]) from None
    if not isinstance(data, dict):
        raise DocumentError("it is JSON, but not an object")
    if _deeper(data, DEEPEST):
        raise DocumentError("it is nested too deeply")
    return data


def write_json(data: Mapping[str, Any]) -> str:
    """``data`` as text, the same for the same data; a list of plain values, or an object of such
    lists (an edge, a node's position), takes one line."""
    return _written(data, "") + "\n"


def replace_text(path: Path, text: str) -> None:
    """Write a file so that it is the old one or the new one whatever happens; a link is followed
    and permissions are kept. Raises ``OSError``."""
    target = path.resolve()
    fresh = target.with_name(f".{target.name}.{secrets.token_hex(4)}.new")
    try:
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        with os.fdopen(descriptor, "wb") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileNotFoundError):
            fresh.chmod(target.stat().st_mode & 0o7777)
        fresh.replace(target)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
    sync(target.parent)


def _written(value: Any, indent: str) -> str:
    if isinstance(value, Mapping):
        if not value or all(_is_plain_list(item) and item for item in value.values()):
            return _one_line(value)
        inner = indent + "  "
        items = (f"{_one_line(str(k))}: {_written(v, inner)}" for k, v in value.items())
        return "{\n" + ",\n".join(inner + item for item in items) + f"\n{indent}}}"
    if isinstance(value, (list, tuple)) and not _is_plain_list(value):
        inner = indent + "  "
        return "[\n" + ",\n".join(inner + _written(v, inner) for v in value) + f"\n{indent}]"
    return _one_line(value)


def _is_plain_list(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and not any(
        isinstance(item, (Mapping, list, tuple)) for item in value
    )


def _one_line(value: Any) -> str:
    value = dict(value) if isinstance(value, Mapping) else value
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _refused(constant: str) -> None:
    raise ValueError(f"{constant} is not a number that a document may hold")


def _number(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise ValueError(f"the number {text[:20]} is too large")
    return value


def _whole(text: str) -> int:
    if len(text) > 300:
        raise ValueError(f"the number {text[:20]}… is too large")
    return int(text)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        doubled = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {doubled!r:.40} is there twice")
    return found


def _deeper(value: Any, most: int) -> bool:
    level: list[Any] = [value]
    for _ in range(most):
        level = [
            child
            for item in level
            if isinstance(item, (dict, list))
            for child in (item.values() if isinstance(item, dict) else item)
        ]
        if not level:
            return False
    return True
