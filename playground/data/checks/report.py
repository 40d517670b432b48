"""What may be wrong with a data set: sentences, the samples concerned, and what to do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from models.axes import Kind
from playground.data.checks import similar
from playground.data.checks.features import Measured, Progress, measure
from playground.data.checks.similar import Cluster
from playground.data.dataset import Dataset

Level = Literal["bad", "warn", "info", "good"]
Action = Literal["", "group"]

SPLITS = ("train", "validation", "test")
WORDS = {"train": "training", "validation": "validation", "test": "test"}
ALIKE = {"image": 0.995, "video": 0.995, "volume": 0.995, "series": 0.9999, "sound": 0.995}
"""The least correlation of near duplicates."""
FARTHEST = 6.0
"""Robust z-score from which a sample is an outlier."""
UNEVEN, VERY_UNEVEN = 3.0, 10.0
LISTED = 2000
LEAST_OF_CLASS = 10
DIFFERENCE = "difference from its class"


@dataclass(frozen=True, slots=True)
class Finding:
    """``check`` is what was looked for; ``clusters`` are samples that belong together (of one
    sample each where they do not); ``action`` names a remedy that the window can carry out."""

    check: str
    level: Level
    sentence: str
    advice: str = ""
    clusters: tuple[Cluster, ...] = field(default=(), repr=False)
    action: Action = ""

    @property
    def samples(self) -> tuple[int, ...]:
        """All samples concerned, ascending."""
        return tuple(sorted({index for part in self.clusters for index in part}))


@dataclass(frozen=True, slots=True)
class Report:
    """The findings, the gravest first; ``looked_at`` of ``total`` samples were read."""

    findings: tuple[Finding, ...]
    looked_at: int
    total: int


def check(
    dataset: Dataset, progress: Progress = lambda text, fraction: None, most: int | None = None
) -> Report:
    """Look a data set over. It may take minutes for large data: ``progress`` is called often, and
    may raise, to cancel."""
    measured = measure(dataset, progress, *(() if most is None else (most,)))
    rules: tuple[Callable[[Dataset, Measured, Progress], Sequence[Finding]], ...] = (
        _broken, _duplicates, _near_duplicates, _leaks, _balance, _outliers,
    )  # fmt: skip
    findings = [finding for rule in rules for finding in rule(dataset, measured, progress)]
    order = {"bad": 0, "warn": 1, "info": 2, "good": 3}
    findings.sort(key=lambda finding: order[finding.level])
    return Report(tuple(findings), len(measured.indices), len(dataset))


def split_codes(dataset: Dataset) -> npt.NDArray[np.int8]:
    """The place in ``SPLITS`` of every sample, −1 where it is in none."""
    codes = np.full(len(dataset), -1, np.int8)
    for code, name in enumerate(SPLITS):
        codes[dataset.splits.get(name, np.zeros(0, np.int64))] = code
    return codes


def _broken(dataset: Dataset, measured: Measured, progress: Progress) -> list[Finding]:
    found = []
    if measured.unreadable:
        count = len(measured.unreadable)
        first = next(iter(measured.unreadable.values()))
        found.append(
            Finding(
                "broken", "bad", f"{_samples(count)} cannot be read: {first}",
                "They are left out while a network trains. Replace or delete their files.",
                _single(measured.unreadable),
            )
        )  # fmt: skip
    rows = next(iter(dataset.inputs.values())).shape.kind is Kind.VECTOR
    if len(measured.not_finite) and not rows:  # missing cells of a table are filled
        found.append(
            Finding(
                "broken", "bad",
                f"{_said(len(measured.not_finite), 'hold', 'holds')} values that are no numbers "
                "(NaN or infinite).",
                "One of them is enough to spoil the weights. Repair or leave out these samples.",
                _single(measured.not_finite),
            )
        )  # fmt: skip
    if len(measured.constant):
        found.append(
            Finding(
                "broken", "warn",
                f"{_said(len(measured.constant), 'have', 'has')} one value throughout: all black, "
                "all silent, or a sensor that stood still.",
                "There is nothing to learn from them.",
                _single(measured.constant),
            )
        )  # fmt: skip
    return found or [Finding("broken", "good", "Every sample can be read and holds numbers.")]


def _duplicates(dataset: Dataset, measured: Measured, progress: Progress) -> list[Finding]:
    clusters = similar.equal(measured.indices, measured.digests)
    if not clusters:
        return [Finding("duplicates", "good", "No two samples are the same.")]
    found = []
    target = dataset.target
    if target.classes and isinstance(target.values, np.ndarray) and target.values.ndim == 1:
        labels = target.values
        torn = [part for part in clusters if len({int(labels[index]) for index in part}) > 1]
        if torn:
            found.append(
                Finding(
                    "duplicates", "bad",
                    f"{_samples(_count(torn))} are the same but belong to different classes.",
                    "One of the labels must be wrong, or the input does not hold what tells the "
                    "classes apart.",
                    tuple(torn),
                )
            )  # fmt: skip
    shared = similar.across(clusters, split_codes(dataset))
    if shared:
        rows = next(iter(dataset.inputs.values())).shape.kind is Kind.VECTOR
        # rows of few different values are equal by chance
        found.append(_leak("the same", shared, "warn" if rows else "bad"))
    extra = _count(clusters) - len(clusters)
    found.append(
        Finding(
            "duplicates", "info" if shared else "warn",
            f"{_said(extra, 'are exact copies', 'is an exact copy')} of others.",
            "Copies count double in training. Delete all but one.",
            tuple(clusters),
        )
    )  # fmt: skip
    return found


def _leak(how: str, clusters: Sequence[Cluster], level: Level) -> Finding:
    return Finding(
        "leakage", level,
        f"{_samples(_count(clusters))} are {how} in training and in validation or test.",
        "The figures on held-back samples are better than the network deserves. Delete the "
        "copies, or split so that they stay together.",
        tuple(clusters),
    )  # fmt: skip


def _near_duplicates(dataset: Dataset, measured: Measured, progress: Progress) -> list[Finding]:
    same = set(similar.equal(measured.indices, measured.digests))
    indices, vectors = measured.indices, measured.vectors
    if vectors is None:
        clusters: list[Cluster] | None = similar.equal(indices, measured.keys)
        how, advice = "hardly differ", "They should be in one split together."
    else:
        there = np.flatnonzero(np.any(vectors, axis=1))
        if len(there) > similar.MOST_COMPARED:
            random = np.random.default_rng(0)
            there = np.sort(random.choice(there, similar.MOST_COMPARED, replace=False))
        least = ALIKE[_kind(dataset)]
        clusters = similar.alike(indices[there], vectors[there], least, progress)
        how = f"look alike (correlation {least:g} or more)"
        advice = "Frames of one recording or crops of one picture should be in one split together."
    if clusters is None:
        return [
            Finding("near", "info", "So many samples look alike that near copies say nothing here.")
        ]
    new = [part for part in clusters if part not in same]
    if not new:
        return [Finding("near", "good", "No two samples look almost the same.")]
    found = []
    shared = similar.across(new, split_codes(dataset))
    if shared:
        found.append(_leak("almost the same", shared, "warn"))
    found.append(
        Finding(
            "near", "info", f"{_samples(_count(new))} {how}.",
            advice, tuple(new),
        )
    )  # fmt: skip
    return found


def _leaks(dataset: Dataset, measured: Measured, progress: Progress) -> list[Finding]:
    """Files and groups that are in several splits."""
    codes, found = split_codes(dataset), []
    every = np.arange(len(dataset))
    files = dataset.files if len(dataset.files) == len(dataset) else ()
    if len(set(files)) > max(10, len(files) // 100):  # one table is no leak
        shared = similar.across(similar.equal(every, files), codes)
        if shared:
            found.append(
                Finding(
                    "leakage", "bad",
                    f"{len(shared):,} files give samples for training and for validation or test.",
                    "What comes from one file should be in one split together.",
                    tuple(shared),
                )
            )  # fmt: skip
    groups = dataset.groups
    if groups is not None:
        shared = similar.across(similar.equal(every, groups.codes.tolist()), codes)
        what = groups.what or "group"
        if shared:
            found.append(
                Finding(
                    "groups", "warn",
                    f"{len(shared):,} of {len(groups.names):,} {_plural(what)} are in training "
                    "and in validation or test.",
                    f"The figures say how well a network does on a {what} it knows. Split by "
                    "group to learn how well it does on a new one.",
                    tuple(shared), "group",
                )
            )  # fmt: skip
        else:
            found.append(Finding("groups", "good", f"Every {what} is in one split alone."))
    return found


def _balance(dataset: Dataset, measured: Measured, progress: Progress) -> list[Finding]:
    if not dataset.classes:
        return []
    found = []
    for name in SPLITS:
        part = dataset.splits.get(name, np.zeros(0, np.int64))
        counts = dataset.counts(name) if len(part) else np.zeros(0, np.int64)
        lacking = [dataset.classes[code] for code in np.flatnonzero(counts == 0)]
        if len(part) and lacking:
            grave: Level = "bad" if name == "train" else "warn"
            found.append(
                Finding(
                    "balance", grave,
                    f"The {WORDS[name]} split has no samples of {_listed(lacking)}.",
                    "Add samples of these classes, or divide the data by equal shares.",
                )
            )  # fmt: skip
    counts = dataset.counts()
    counts = counts[counts > 0]
    ratio = float(counts.max() / counts.min()) if len(counts) else 1.0
    if ratio < UNEVEN:
        return found or [Finding("balance", "good", "The classes are about equally large.")]
    largest, smallest = dataset.counts().argmax(), _smallest(dataset)
    found.append(
        Finding(
            "balance", "warn" if ratio >= VERY_UNEVEN else "info",
            f"“{dataset.classes[largest]}” has {ratio:,.0f} times as many samples as "
            f"“{dataset.classes[smallest]}”.",
            "A network may ignore small classes: look at the confusion of each class, not at "
            "accuracy alone.",
        )
    )  # fmt: skip
    return found


def _smallest(dataset: Dataset) -> int:
    counts = dataset.counts()
    return int(np.where(counts > 0, counts, counts.max() + 1).argmin())


def _outliers(dataset: Dataset, measured: Measured, progress: Progress) -> list[Finding]:
    """Samples whose simple features are far from the median, in units of its robust deviation
    (Iglewicz and Hoaglin 1993)."""
    names = _feature_names(dataset, list(measured.features))
    far: dict[int, tuple[float, str]] = {}
    features = {**measured.features, **_from_class(dataset, measured)}
    for name, values in features.items():
        scores = robust(values)
        for place in np.flatnonzero(np.abs(scores) > FARTHEST).tolist():
            index, score = int(measured.indices[place]), float(scores[place])
            if name == DIFFERENCE and score < 0:
                continue
            side = "great" if score > 0 else "small"
            if abs(score) > far.get(index, (0.0, ""))[0]:
                far[index] = (abs(score), f"{names.get(name, name)} unusually {side}")
    if not far:
        return [Finding("outliers", "good", "No sample stands far apart from the others.")]
    ordered = sorted(far, key=lambda index: -far[index][0])
    first = ordered[0]
    return [
        Finding(
            "outliers", "info",
            f"{_said(len(far), 'stand', 'stands')} apart from the others; the farthest is sample "
            f"{first + 1:,}: {far[first][1]}.",
            "They may be mistakes, or the rare cases that matter: look at them.",
            _single(ordered),
        )
    ]  # fmt: skip


def _from_class(dataset: Dataset, measured: Measured) -> dict[str, npt.NDArray[np.float64]]:
    """How little a sample's vector correlates with the mean of its class."""
    labels, vectors = dataset.target.values, measured.vectors
    if vectors is None or not dataset.classes or not isinstance(labels, np.ndarray):
        return {}
    mine = labels[measured.indices].reshape(len(vectors), -1)[:, 0]
    result = np.full(len(vectors), np.nan)
    for code in np.unique(mine):
        places = np.flatnonzero(mine == code)
        if len(places) >= LEAST_OF_CLASS:
            mean = vectors[places].mean(axis=0)
            result[places] = 1 - vectors[places] @ mean / max(float(np.linalg.norm(mean)), 1e-9)
    return {DIFFERENCE: result}


def robust(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """0.6745·(x − median) / MAD; zeros where more than half of the values are the same."""
    finite = np.isfinite(values)
    if finite.sum() < 10:
        return np.zeros_like(values)
    median = float(np.median(values[finite]))
    deviation = float(np.median(np.abs(values[finite] - median)))
    if deviation <= 1e-12 * max(1.0, abs(median)):
        return np.zeros_like(values)
    return np.where(finite, 0.6745 * (values - median) / deviation, 0.0)


def _feature_names(dataset: Dataset, names: list[str]) -> dict[str, str]:
    """Of a table, the columns' own names."""
    column = next(iter(dataset.inputs.values()))
    declared: Sequence[Any] = getattr(column.reading, "features", ())
    own = [feature.name for feature in declared for _ in range(feature.width)]
    if column.shape.kind is Kind.VECTOR and len(own) == len(names):
        return dict(zip(names, own, strict=True))
    return {name: name for name in names}


def _kind(dataset: Dataset) -> str:
    column = next(iter(dataset.inputs.values()))
    if column.shape.kind is Kind.SEQUENCE:
        return "sound" if getattr(column.reading, "kind", "") == "sound" else "series"
    return str(column.shape.kind)


def _single(indices: Any) -> tuple[Cluster, ...]:
    return tuple((int(index),) for index in list(indices)[:LISTED])


def _count(clusters: Sequence[Cluster]) -> int:
    return sum(map(len, clusters))


def _samples(count: int) -> str:
    return "1 sample" if count == 1 else f"{count:,} samples"


def _said(count: int, many: str, one: str) -> str:
    return f"{_samples(count)} {one if count == 1 else many}"


def _plural(what: str) -> str:
    return what if what.endswith("s") else f"{what}s"


def _listed(names: Sequence[str], most: int = 4) -> str:
    shown = ", ".join(f"“{name}”" for name in names[:most])
    more = len(names) - most
    return f"{shown} and {more} more" if more > 0 else shown
