"""The export itself, in a process of its own: one JSON question on standard input, one answer."""

from __future__ import annotations

import json
import sys
import traceback
import warnings
from importlib import import_module
from pathlib import Path
from typing import Any

warnings.simplefilter("ignore")

WRITERS = {"python": "source", "onnx": "onnx", "pt2": "pt2"}


def main() -> None:
    question = json.load(sys.stdin)
    try:
        answer = _answer(question)
    except OSError as error:
        name = Path(question["path"]).name
        answer = {"error": f"{name} cannot be written: {error.strerror or error}"}
    except (ValueError, RuntimeError, LookupError) as error:
        text = " ".join(str(error).split())
        answer = {"error": text[:500] or _unforeseen(error, question)}
    except Exception as error:
        answer = {"error": _unforeseen(error, question)}
    print(f"\n{json.dumps(answer)}")


def _unforeseen(error: Exception, question: dict[str, str]) -> str:
    """What failed, and where: enough to report it."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{Path(last.filename).name}, line {last.lineno}: {last.line}"
    what = " ".join(f"{type(error).__name__} {error}".split())[:300]
    return f"the export as {question['target']} failed unexpectedly: {what} ({where})"


def _answer(question: dict[str, str]) -> dict[str, Any]:
    from playground.runs import RunFolder, load_model

    path = Path(question["path"])
    which = question["which"]
    model = load_model(RunFolder(Path(question["run"])), "last" if which == "last" else "best")
    writer = import_module(f"playground.export.{WRITERS[question['target']]}")
    return dict(writer.write(model, path).to_json())


if __name__ == "__main__":
    main()
