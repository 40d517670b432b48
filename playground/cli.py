"""The command line: ``playground COMMAND …``; without a command, the window.

Exit codes: 0 done; 1 the input is at fault (one line on stderr); 2 wrong usage; 130 interrupted,
with a checkpoint kept. Nothing heavy is imported before a command is chosen.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from importlib import import_module, metadata
from pathlib import Path

from playground.interrupt import INTERRUPTED, raised

USERS_ERRORS = (ValueError, LookupError, OSError, RuntimeError)
"""What commands raise when the input is at fault, with a sentence for the user."""

EPILOG = """\
examples:
  playground                                       open the window
  playground train digits-cnn                      train a bundled example
  playground new digits-cnn -o my.playground       a copy to change
  playground train my.playground --set training.learning_rate=0.01 --set node.conv1.out_channels=32
  playground predict my.files/runs/001 digit.png
  playground live efficientnet-lite0 --source 0    what the first camera sees
  playground teach things -o mine.playground       a folder with a subfolder for each class
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    _open_streams()
    try:
        with raised():
            return _main(arguments)
    except KeyboardInterrupt:
        _complain("interrupted")
        return INTERRUPTED


def _main(arguments: Sequence[str] | None) -> int:
    words = list(sys.argv[1:] if arguments is None else arguments)
    parser = _parser()
    try:
        options = parser.parse_args(_with_command(words, parser))
    except SystemExit as stop:
        return int(stop.code or 0)
    try:
        return int(options.run(options))
    except BrokenPipeError:
        # who read our output went away; Python would complain again when it flushes at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except MemoryError:
        _complain("there is not enough memory: close other programs, or lower the batch size")
        return 1
    except USERS_ERRORS as error:
        if os.environ.get("PLAYGROUND_TRACEBACK"):
            raise
        _complain(_sentence(error))
        return 1
    except ImportError as error:
        if os.environ.get("PLAYGROUND_TRACEBACK"):
            raise
        _complain(f"{_sentence(error)}; `playground doctor` tells what is missing")
        return 1


def _open_streams() -> None:
    """Standard streams that the shell has closed: what is opened next would take their numbers, and
    pipes to child processes be mistaken for them."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
            if number:
                setattr(sys, name, os.fdopen(number, "w", closefd=False))


def _complain(text: str) -> None:
    print(f"error: {text}", file=sys.stderr)


def _sentence(error: BaseException) -> str:
    """An exception as one line."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    if isinstance(error, KeyError):
        return f"{error} is missing"
    return " ".join(str(error).split()) or type(error).__name__


def _with_command(words: list[str], parser: argparse.ArgumentParser) -> list[str]:
    """``playground [PROJECT]`` is ``playground gui [PROJECT]``."""
    first = words[0] if words else ""
    if first.startswith("-") or first in COMMANDS:
        return words
    if words and not Path(first).exists() and not first.endswith(".playground"):
        near = get_close_matches(first, COMMANDS, n=1)
        hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(COMMANDS)}"
        parser.error(f"there is no command or project file {first!r}; {hint}")
    return ["gui", *words]


def _call(name: str) -> Callable[[argparse.Namespace], int]:
    """The function of a command, imported at its call."""

    def run(options: argparse.Namespace) -> int:
        module = import_module(
            "playground.commands" if name in LIGHT else "playground.run_commands"
        )
        return int(getattr(module, name)(options))

    return run


def _gui(options: argparse.Namespace) -> int:
    from ui.app import main as window

    return int(window([str(options.project)] if options.project else []))


COMMANDS = {
    "gui": "open the window (the default)",
    "examples": "list the bundled examples",
    "recognisers": "list the bundled recognisers, which are trained already",
    "new": "an example or a recogniser as a project file of your own",
    "check": "every node's shape and parameters, or the errors",
    "train": "train a project or an example",
    "teach": "a project that tells your own classes apart, from a folder of pictures, in seconds",
    "evaluate": "a run's metrics on held-out data",
    "predict": "what a run answers to pictures, sounds, clips, texts, series or rows",
    "live": "what a run answers to a camera, a microphone or a growing table, as it comes",
    "export": "a run as Python source, ONNX or a torch program",
    "download": "the weights of a detector that do not come with the application",
    "pack": "a project with its recordings, data and last run as one file",
    "unpack": "open such a file into a folder",
    "bench": "measure this engine beside hand-written loops, and the window",
    "doctor": "versions, devices, cameras, microphones, display",
}


LIGHT = frozenset("examples recognisers new check download pack unpack bench doctor".split())
"""Commands that do without torch (or leave it to child processes)."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="playground",
        description="Build, train and watch neural networks: in a window or from here.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    made = {
        name: commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        for name, text in COMMANDS.items()
    }
    made["gui"].set_defaults(run=_gui)
    for name, command in made.items():
        if name != "gui":
            command.set_defaults(run=_call(name))
            if name != "new":
                command.add_argument("--json", action="store_true", help="JSON lines")
    made["gui"].add_argument("project", nargs="?", type=Path, metavar="PROJECT")
    _project_commands(made)
    _run_commands(made)
    names = ("training", "ui", "launch", "edits", "data", "live")
    made["bench"].add_argument(
        "names", nargs="*", metavar="NAME", help=f"any of {', '.join(names)}; default: all"
    )
    made["bench"].add_argument("--rounds", type=_positive, default=3, help="rounds (default: 3)")
    made["bench"].add_argument(
        "--seconds", type=float, default=4.0, help="seconds a round (default: 4)"
    )
    return parser


def _project_commands(made: dict[str, argparse.ArgumentParser]) -> None:
    new = made["new"]
    new.add_argument(
        "example",
        metavar="EXAMPLE",
        help="an id from `playground examples` or `playground recognisers`",
    )
    new.add_argument("-o", "--output", type=Path, required=True, metavar="FILE")
    new.add_argument("--force", action="store_true", help="replace an existing file")

    pack = made["pack"]
    pack.add_argument("project", type=Path, metavar="PROJECT", help="a project file")
    pack.add_argument("-o", "--output", type=Path, metavar="FILE", help="(default: beside it)")
    pack.add_argument("--force", action="store_true", help="replace an existing file")
    unpack = made["unpack"]
    unpack.add_argument("packed", type=Path, metavar="FILE")
    unpack.add_argument("-o", "--output", type=Path, metavar="FOLDER", help="(default: beside it)")
    made["download"].add_argument(
        "detector", metavar="DETECTOR", help="an id from `playground recognisers`"
    )
    check = made["check"]
    check.add_argument("project", metavar="PROJECT", help="a project file or an example's id")
    _setting(check)

    train = made["train"]
    train.add_argument("project", metavar="PROJECT", help="a project file or an example's id")
    train.add_argument("--data", type=Path, metavar="PATH", help="other data: a folder or a table")
    train.add_argument("--epochs", type=_positive, metavar="N")
    train.add_argument("--device", choices=("auto", "cpu", "cuda", "mps"))
    train.add_argument("--seed", type=int, metavar="S")
    _setting(train)
    train.add_argument(
        "--fit",
        action="store_true",
        help="change Inputs, Outputs and task to fit the data, "
        "or the whole network where that is not enough",
    )
    train.add_argument("--out", type=Path, metavar="RUN", help="the run's folder (must be new)")
    train.add_argument(
        "--weights",
        metavar="RUN",
        help="start with the weights of a run, a project's newest run or a bundled recogniser, "
        "where they fit",
    )
    train.add_argument(
        "--resume", action="store_true", help="go on with the last run (or the one in --out)"
    )


def _run_commands(made: dict[str, argparse.ArgumentParser]) -> None:
    teach = made["teach"]
    teach.add_argument(
        "folder", type=Path, metavar="FOLDER", help="with a subfolder for each class"
    )
    teach.add_argument("-o", "--output", type=Path, required=True, metavar="PROJECT")
    teach.add_argument("--force", action="store_true", help="replace an existing file")
    teach.add_argument(
        "--from",
        dest="model",
        default="efficientnet-lite0",
        metavar="RUN",
        help="a bundled recogniser, or a run of one (default: efficientnet-lite0)",
    )
    for name in ("evaluate", "predict", "live", "export"):
        made[name].add_argument(
            "model",
            metavar="RUN",
            help="a run's folder, a project for its newest run, or a bundled recogniser "
            "(see `playground recognisers`)",
        )
        made[name].add_argument(
            "--checkpoint", choices=("best", "last"), default="best", help="default: best"
        )
    evaluate = made["evaluate"]
    evaluate.add_argument("--data", type=Path, metavar="PATH", help="other data of the same kind")
    evaluate.add_argument(
        "--split", choices=("train", "validation", "test", "all"), help="default: test"
    )
    made["predict"].add_argument(
        "inputs",
        nargs="+",
        metavar="INPUT",
        help="files of pictures, sounds or clips, CSV files of rows or series, or a text",
    )
    made["predict"].add_argument(
        "--top", type=_positive, metavar="N", help="the N likeliest answers (default: 3; JSON: all)"
    )
    for name in ("predict", "live"):
        made[name].add_argument(
            "--set",
            action="append",
            default=[],
            dest="settings",
            metavar="KEY=VALUE",
            help="a detector's settings: score, overlap, smallest …; may be repeated",
        )
    _live_command(made["live"])
    export = made["export"]
    export.add_argument("--to", choices=("python", "onnx", "pt2"), required=True)
    export.add_argument("-o", "--output", type=Path, required=True, metavar="FILE")
    export.add_argument("--force", action="store_true", help="replace an existing file")


def _live_command(live: argparse.ArgumentParser) -> None:
    live.add_argument(
        "--source",
        default="",
        metavar="SOURCE",
        help="a camera's number, a clip, a folder of pictures, a stream's address; for models of "
        "sound a microphone or a sound file (default: the first camera or microphone); for models "
        "of series a CSV file that grows, or - for standard input",
    )
    live.add_argument("--frames", type=_positive, metavar="N", help="end after N answers")
    live.add_argument("--rate", type=float, metavar="HZ", help="the most frames a second")
    live.add_argument(
        "--top", type=_positive, metavar="N", help="the N likeliest answers (default: 3; JSON: all)"
    )
    live.add_argument(
        "--smooth", type=float, default=0.0, metavar="SECONDS", help="smooth answers over time"
    )
    live.add_argument(
        "--threshold",
        type=float,
        default=0.0,
        metavar="P",
        help="“none of these” where no class is as probable",
    )
    live.add_argument(
        "--engine",
        choices=("auto", "eager", "channels-last", "onnxruntime", "cuda", "cuda-half"),
        default="auto",
        help="default: the fastest, measured",
    )


def _setting(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        dest="settings",
        metavar="KEY=VALUE",
        help="training.*, data.*, split.*, augment.*, task.*, node.NAME.PARAMETER; may be repeated",
    )


def _positive(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number") from None
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not at least 1")
    return number


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        try:
            version = metadata.version("model-playground")
        except metadata.PackageNotFoundError:
            version = "(from source)"
        print(f"playground {version}")
        parser.exit()
