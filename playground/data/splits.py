"""Dividing samples into training, validation and test."""

from __future__ import annotations

import os
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

import numpy as np
import numpy.typing as npt

from playground.data.dataset import Dataset, Groups
from playground.data.errors import DataError
from playground.data.settings import SplitSettings

Indices = npt.NDArray[np.int64]
Splits = dict[str, Indices]


def split(
    count: int,
    settings: SplitSettings,
    labels: npt.NDArray[Any] | None = None,
    test: Indices | None = None,
    *,
    own: Mapping[str, Indices] | None = None,
    groups: Groups | None = None,
    order: npt.NDArray[Any] | None = None,
    together: bool = False,
) -> Splits:
    """Indices of ``count`` samples by split, each in ascending order.

    ``labels`` are class indices: each split then gets its share of every class, and a class keeps
    at least one sample for training. ``own`` is a split that comes with the data ("train",
    "validation", "test"; what is missing is taken from the training samples), ``test`` one of a
    test set alone. By ``groups``, all samples of a group are in one split; by ``order`` (a number
    each, such as a time) the last samples are kept back. ``together``: the samples of a group are
    alike (windows of one recording, objects of one photo), so that a split that is not chosen keeps
    them together too, as far as there are groups enough. Raises ``DataError`` where nothing would
    be left for training, or the data lack what the method needs.
    """
    method = settings.method
    given = dict(own or ({} if test is None else {"test": test}))
    if method == "own" and not given:
        raise DataError("the data do not come with a split of their own: choose another method")
    if method == "folds":  # every fold takes its turn as the validation set
        given = {name: part for name, part in given.items() if name == "test"}
    elif method not in ("auto", "own"):
        given = {}
    given = {name: np.sort(part.astype(np.int64)) for name, part in given.items() if len(part)}
    back = [part for name, part in given.items() if name != "train"]
    free = np.ones(count, np.bool_)
    free[np.concatenate([*back, _NONE])] = False
    rest = np.flatnonzero(free)
    pool = given.get("train", rest)
    wanted = {
        name: number(getattr(settings, name), len(pool))
        for name in ("validation", "test")
        if name not in given
    }
    pieces = _Pieces(pool, settings, labels, groups, order, together)
    if method == "folds":
        wanted["validation"] = 0
    _check_rest(wanted, len(pool))
    parts = pieces.kept_back(wanted)
    if method == "folds":
        parts = _fold(parts, settings, labels, groups)
    parts.update((name, part) for name, part in given.items() if name != "train")
    if not len(parts["train"]):
        raise DataError(
            "the split keeps back all samples, so none is left for training: lower these numbers"
        )
    return {
        name: _sorted(parts.get(name, _NONE), count) for name in ("train", "validation", "test")
    }


class _Pieces:
    """Samples in pieces that are divided each by itself (classes) or kept together (groups)."""

    def __init__(
        self,
        pool: Indices,
        settings: SplitSettings,
        labels: npt.NDArray[Any] | None,
        groups: Groups | None,
        order: npt.NDArray[Any] | None,
        together: bool,
    ) -> None:
        self.pool, self.method, self.order = pool, settings.method, order
        self.together = together and groups is not None and self.method in ("auto", "own")
        self.random = np.random.default_rng(settings.seed)
        self.labels, self.groups = labels, groups

    def kept_back(self, wanted: Mapping[str, int]) -> Splits:
        """As many samples as wanted for each split, the others for training."""
        if self.method == "group" or (self.method == "folds" and self.groups is not None):
            return self._by_group(wanted)
        if self.method == "time":
            return self._in_time(wanted)
        found = self._together(wanted) if self.together else None
        return self._by_class(wanted) if found is None else found

    def _together(self, wanted: Mapping[str, int]) -> Splits | None:
        """By group, but so that a group of each class stays for training; None where there are too
        few groups, or each is of one sample."""
        codes = group_codes(self.groups)[self.pool]
        names = self.random.permutation(_distinct(codes))
        if len(names) == len(codes):
            return None
        labels = np.zeros(len(codes), np.int64) if self.labels is None else self.labels[self.pool]
        place = np.zeros(codes.max(initial=0) + 1, np.int64)
        place[names] = np.arange(len(names))
        last = np.full(labels.max(initial=0) + 1, -1)
        np.maximum.at(last, labels, place[codes])
        kept = np.unique(last[last >= 0])
        if len(names) - len(kept) < sum(1 for size in wanted.values() if size):
            return None
        return self._taken(wanted, codes, np.append(np.delete(names, kept), names[kept]), len(kept))

    def _by_class(self, wanted: Mapping[str, int]) -> Splits:
        pool, labels = self.pool, self.labels
        if self.method == "random" or labels is None:
            pieces = [self.random.permutation(pool)]
        else:
            found = labels[pool]
            pieces = [self.random.permutation(pool[found == label]) for label in _distinct(found)]
        parts: dict[str, list[Indices]] = {name: [] for name in ("train", *wanted)}
        shares = {name: _shares([len(p) for p in pieces], n) for name, n in wanted.items()}
        for index, piece in enumerate(pieces):
            start = 0
            for name in wanted:
                # the last sample of a class stays in the training split
                end = min(start + shares[name][index], max(len(piece) - 1, 0))
                parts[name].append(piece[start:end])
                start = end
            parts["train"].append(piece[start:])
        return {name: np.concatenate([*some, _NONE]) for name, some in parts.items()}

    def _by_group(self, wanted: Mapping[str, int]) -> Splits:
        """Whole groups, in an order that the seed gives, as long as they bring a split nearer to
        its size; each split that is wanted gets one at least."""
        codes = group_codes(self.groups)[self.pool]
        names = self.random.permutation(_distinct(codes))
        needed = 1 + sum(1 for size in wanted.values() if size)
        if len(names) < needed:
            raise DataError(
                f"a split by {self.groups.what if self.groups else 'group'} needs at least "
                f"{needed} of them; the data have {len(names)}: choose another method"
            )
        return self._taken(wanted, codes, names, 1)

    def _taken(
        self, wanted: Mapping[str, int], codes: Indices, names: Indices, kept: int
    ) -> Splits:
        """Groups from the front of ``names`` for each split; ``kept`` at its end stay."""
        sizes, parts, start = np.bincount(codes), dict[str, Indices](), 0
        for later, (split_name, size) in zip(
            reversed(range(len(wanted))), wanted.items(), strict=True
        ):
            end, have = start, 0
            while size and len(names) - end > kept + later:
                more = have + int(sizes[names[end]])
                if have and abs(more - size) >= abs(have - size):
                    break
                end, have = end + 1, more
            parts[split_name] = self.pool[np.isin(codes, names[start:end])]
            start = end
        parts["train"] = self.pool[np.isin(codes, names[start:])]
        return parts

    def _in_time(self, wanted: Mapping[str, int]) -> Splits:
        """The last samples are the test, those before them the validation; where groups are, in
        each of them by itself."""
        order = self.order
        if order is None:
            raise DataError(
                "the data have no times to split by: name their column, or choose another method"
            )
        whole = len(self.pool)
        codes = self.groups.codes[self.pool] if self.groups else np.zeros(whole, np.int64)
        parts: dict[str, list[Indices]] = {"train": [], "validation": [], "test": []}
        for code in _distinct(codes):
            piece = self.pool[codes == code]
            piece = piece[np.argsort(order[piece], kind="stable")]
            end = len(piece)
            for name in ("test", "validation"):
                start = end - round(wanted.get(name, 0) * len(piece) / whole)
                parts[name].append(piece[start:end])
                end = start
            parts["train"].append(piece[:end])
        return {name: np.concatenate([*some, _NONE]) for name, some in parts.items()}


def _fold(
    parts: Splits,
    settings: SplitSettings,
    labels: npt.NDArray[Any] | None,
    groups: Groups | None,
) -> Splits:
    """Training samples in ``folds`` parts (of whole groups, where there are groups, otherwise with
    equal shares of the classes), the one of number ``fold`` for validation."""
    train, folds = np.sort(parts["train"]), settings.folds
    if settings.fold > folds:
        raise DataError(f"there are {folds} folds: choose one from 1 to {folds}")
    if len(train) < folds:
        raise DataError(f"{len(train)} samples cannot be divided into {folds} folds: lower them")
    random = np.random.default_rng(settings.seed)
    number_of = np.zeros(len(train), np.int64)
    if groups is not None:
        codes = groups.codes[train]
        names = random.permutation(_distinct(codes))
        if len(names) < folds:
            raise DataError(
                f"{folds} folds need as many groups ({groups.what}); the data have {len(names)}"
            )
        sizes = np.zeros(folds, np.int64)
        for name in sorted(names, key=lambda name: -int((codes == name).sum())):
            smallest = int(sizes.argmin())
            number_of[codes == name] = smallest
            sizes[smallest] += int((codes == name).sum())
    else:
        keys = np.zeros(len(train)) if labels is None else labels[train]
        shuffled = random.permutation(len(train))
        places = shuffled[np.argsort(keys[shuffled], kind="stable")]
        number_of[places] = np.arange(len(train)) % folds
    inside = number_of == settings.fold - 1
    return {**parts, "train": train[~inside], "validation": train[inside]}


def group_codes(groups: Groups | None) -> Indices:
    """The group of each sample; raises ``DataError`` where the data have none."""
    if groups is None:
        raise DataError(
            "the data have no groups to split by: name their column, or choose another method"
        )
    return groups.codes


def _check_rest(wanted: Mapping[str, int], count: int) -> None:
    if sum(wanted.values()) >= count:
        raise DataError(
            f"the split keeps back {sum(wanted.values()):,} of {count:,} samples for "
            "validation and test, so none is left for training: lower these numbers"
        )


def _sorted(part: Indices, count: int) -> Indices:
    """Different numbers below ``count`` in order: quicker than sorting a million of them."""
    chosen = np.zeros(count, np.bool_)
    chosen[part] = True
    return np.flatnonzero(chosen)


def _distinct(codes: npt.NDArray[Any]) -> Indices:
    """The numbers that occur, in order."""
    return np.flatnonzero(np.bincount(codes))


def number(value: float, count: int) -> int:
    """What a split setting means: below 1 a share of ``count``, from 1 on a number."""
    return round(value * count) if value < 1 else int(value)


def digests(dataset: Dataset) -> dict[str, str]:
    """What tells the samples of each split from others: their numbers, and the files that they
    came from, wherever the folder is now."""
    files = dataset.files
    least, greatest = min(files, default=""), max(files, default="")
    # all begin alike as far as these two do
    alike = zip(least, greatest, strict=False)
    start = next((place for place, (a, b) in enumerate(alike) if a != b), len(least))
    found = {}
    for name, part in dataset.splits.items():
        digest = blake2b(np.asarray(part, "<i8").tobytes(), digest_size=8)
        if files:
            paths = "\0".join(files[index][start:] for index in part.tolist())
            digest.update(paths.replace(os.sep, "/").encode(errors="surrogateescape"))
        found[name] = digest.hexdigest()
    return found


def sizes(splits: Mapping[str, Indices]) -> str:
    """For sentences: "3,500 training · 500 validation · 1,000 test"."""
    names = {"train": "training", "validation": "validation", "test": "test"}
    return " · ".join(f"{len(splits[name]):,} {text}" for name, text in names.items())


def _shares(groups: list[int], total: int) -> list[int]:
    """``total`` divided in proportion to the groups' sizes, by the largest remainders."""
    whole = sum(groups)
    exact = [total * size / whole for size in groups]
    shares = [int(value) for value in exact]
    order = sorted(range(len(groups)), key=lambda i: (shares[i] - exact[i], i))
    for index in order[: total - sum(shares)]:
        shares[index] += 1
    return shares


_NONE = np.zeros(0, np.int64)
