"""Texts with a class or a number each: a table, folders of files, or files of lines."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from models.axes import tokens, vector
from models.parameters import Parameter
from playground.data.csv_format import CsvOptions
from playground.data.dataset import Column, Dataset, Groups, Indices
from playground.data.errors import DataError
from playground.data.labels import indexed, rare
from playground.data.settings import SplitSettings
from playground.data.source import Options, Place, Progress, Source, located
from playground.data.splits import split
from playground.data.table_parameters import TABLE_FORMAT
from playground.data.text_files import TextOptions, Texts, gather
from playground.data.text_reading import UNKNOWN, Encoded, TextReading
from playground.data.text_tokens import TokenOptions, fitted, suited
from playground.preprocessing import Preprocessing, standardized

MOST_CAPTION = 80


def _open(options: Options, place: Place, settings: SplitSettings, progress: Progress) -> Dataset:
    path = located(options["path"], place)
    found = gather(path, _text_options(options), progress)
    classes = _is_classification(found, options["task"])
    codes, names = indexed(found.labels, path.name) if classes else (None, ())
    groups = _groups(found, options["group"])
    splits = split(len(found.texts), settings, codes, own=_own(found), groups=groups)
    cutting = _token_options(options, found.texts)
    progress("Learning the vocabulary", None)
    train = [found.texts[index] for index in splits["train"]]
    reading = fitted(train, cutting, found.column, found.whole)
    encoded = reading.encode_all(
        found.texts, lambda share: progress("Cutting texts into tokens", share)
    )
    notes = [*found.notes, *_notes(encoded, reading, splits["validation"])]
    if codes is not None:
        target = Column("label", vector(1), codes, classes=names)
        what = f"{len(names)} classes"
        notes += rare(np.bincount(codes, minlength=len(names)), names)
    else:
        target = _number(found, splits["train"], path)
        what = f"predicts {found.target}"
    size = f"{len(reading.vocabulary):,} {reading.tokens}"
    return Dataset(
        name=path.stem if path.is_file() else path.name,
        summary=f"{len(found.texts):,} texts · {size} · {what}",
        inputs={
            "text": Column(
                "text",
                tokens("T"),
                encoded.values,
                reading=reading,
                lengths=encoded.lengths,
                texts=tuple(found.texts),
            )
        },
        targets={target.name: target},
        splits=splits,
        task="classification" if classes else "regression",
        notes=tuple(notes),
        captions=tuple(_caption(text) for text in found.texts),
        files=tuple(found.files),
        groups=groups,
        skipped=tuple(found.skipped),
    )


def _text_options(options: Options) -> TextOptions:
    return TextOptions(
        options["text"] or "",
        options["label"] or "",
        options["group"] or "",
        CsvOptions(options["delimiter"], options["encoding"], options["header"]),
    )


def _token_options(options: Options, texts: list[str]) -> TokenOptions:
    chosen = TokenOptions(
        options["tokens"],
        options["size"],
        options["minimum"],
        options["lower"],
        options["strip_accents"],
        options["longest"],
    )
    return replace(chosen, tokens=suited(texts)) if chosen.tokens == "auto" else chosen


def _is_classification(found: Texts, task: str) -> bool:
    return not found.numeric if task == "auto" else task == "classification"


def _number(found: Texts, train: Indices, path: Path) -> Column:
    """The labels as numbers; raises ``DataError`` naming the first that is none."""
    values = np.zeros((len(found.labels), 1), np.float32)
    for place, label in enumerate(found.labels):
        try:
            values[place] = float(label)
        except ValueError:
            raise DataError(
                f"{path.name}: the label {label[:40]!r} of “{_caption(found.texts[place])}” is no "
                "number: correct it, or predict a class"
            ) from None
    if not np.isfinite(values).all():
        raise DataError(f"{path.name}: a label is infinite or too large: correct it")
    if np.all(values == values[0]):
        raise DataError(f"{path.name}: every label is {values[0, 0]:g}: choose another column")
    return Column("value", vector(1), values, Preprocessing((standardized(values[train], -1),)))


def _groups(found: Texts, what: str | None) -> Groups | None:
    if not what:
        return None
    names, codes = np.unique(np.asarray(found.groups, object), return_inverse=True)
    return Groups(what, codes.astype(np.int64), tuple(str(name) for name in names))


def _own(found: Texts) -> dict[str, Indices] | None:
    """The split that the folders say."""
    if not any(found.own):
        return None
    said = np.asarray(found.own, object)
    return {name: np.flatnonzero(said == name) for name in ("train", "validation", "test")}


def _notes(encoded: Encoded, reading: TextReading, validation: Indices) -> list[str]:
    notes = []
    if encoded.cut:
        notes.append(
            f"{encoded.cut:,} of {len(encoded.lengths):,} texts are longer than "
            f"{reading.longest:,} {reading.tokens} and were cut."
        )
    total = int(encoded.lengths[validation].sum())
    if total:
        unknown = int((encoded.values[validation] == UNKNOWN).sum()) / total
        if unknown >= 0.005:
            notes.append(
                f"{100 * unknown:.0f} % of the {reading.tokens} in the validation texts are not in "
                "the vocabulary of the training texts."
            )
    return notes


def _caption(text: str) -> str:
    text = " ".join(text[: 4 * MOST_CAPTION].split())
    return text if len(text) <= MOST_CAPTION else f"{text[: MOST_CAPTION - 1].rstrip()}…"


SOURCE = Source(
    id="text",
    name="Text",
    icon="text",
    summary="Sentences, reviews or names with a class each: a table, or folders of .txt files.",
    open=_open,
    family="text",
    place="either",
    suffixes=(".csv", ".tsv", ".parquet", ".txt"),
    readings=(TextReading,),
    parameters=(
        Parameter(
            "path",
            "File or folder",
            "path",
            "sample:sentences",
            "A table with a text and a label column, a folder of such tables, a folder of .txt "
            "files for each class, or a .txt file for each class with a text in each line.",
        ),
        Parameter(
            "text",
            "Text column",
            "text",
            None,
            "Empty: one called text, sentence, review or so, otherwise the longest texts.",
            optional=True,
        ),
        Parameter(
            "label",
            "Label column",
            "text",
            None,
            "Empty: one called label, class, target or so, otherwise what repeats most.",
            optional=True,
        ),
        Parameter(
            "group",
            "Group column",
            "text",
            None,
            "Who wrote it, for example: a split by group keeps a group in one part.",
            optional=True,
        ),
        Parameter(
            "task",
            "Task",
            "choice",
            "auto",
            "What to predict. Automatic: a number where the labels are numbers that hardly repeat.",
            choices=(
                ("auto", "Automatic"),
                ("classification", "A class"),
                ("regression", "A number"),
            ),
        ),
        Parameter(
            "tokens",
            "Tokens",
            "choice",
            "auto",
            "What a text is cut into. Pieces are frequent parts of words (byte-pair encoding). "
            "Automatic: characters where texts are single words, otherwise words.",
            choices=(
                ("auto", "Automatic"),
                ("characters", "Characters"),
                ("words", "Words"),
                ("pieces", "Pieces of words"),
            ),
        ),
        Parameter(
            "size",
            "Vocabulary",
            "int",
            None,
            "The most tokens that are known, the commonest. Empty: 10,000 words, 2,000 pieces or "
            "characters.",
            minimum=1,
            maximum=1_000_000,
            optional=True,
        ),
        Parameter(
            "minimum",
            "Least count",
            "int",
            2,
            "Rarer tokens of the training texts count as unknown, so that the network learns what "
            "to make of those.",
            minimum=1,
            maximum=1_000_000,
        ),
        Parameter(
            "longest",
            "Longest",
            "int",
            256,
            "Texts of more tokens are cut.",
            minimum=1,
            maximum=100_000,
            unit="tokens",
        ),
        Parameter("lower", "Lower case", "bool", True, "Capitals count as small letters."),
        Parameter("strip_accents", "Without accents", "bool", False, "é counts as e."),
        *TABLE_FORMAT,
    ),
)
