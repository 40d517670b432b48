"""What the tokens of texts are: a vocabulary from the training texts alone."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from playground.data.errors import DataError
from playground.data.text_encoder import TextEncoder
from playground.data.text_reading import LONGEST_TOKEN, TextReading

MOST = {"characters": 2_000, "words": 10_000, "pieces": 2_000}
"""Sizes of a vocabulary, unless told."""
LETTERS = 1_000
"""The most different letters that pieces begin with."""
SINGLE_WORD = 1.5


@dataclass(frozen=True, slots=True)
class TokenOptions:
    """How texts are cut; ``tokens`` "auto" and a ``size`` of None are found from the texts."""

    tokens: str = "auto"
    size: int | None = None
    minimum: int = 2
    lower: bool = True
    strip_accents: bool = False
    longest: int = 256

    def encoder(self) -> TextEncoder:
        """A cutter that knows no token yet."""
        return TextEncoder(self.tokens, (), (), self.lower, self.strip_accents, self.longest)


def suited(texts: Sequence[str]) -> str:
    """Characters where a text is a single word for the most part, else words."""
    counts = [len(text.split()) for text in texts[:1000]]
    return "characters" if median(counts) < SINGLE_WORD else "words"


def fitted(train: Sequence[str], options: TokenOptions, column: str, whole: bool) -> TextReading:
    """How texts like those of ``train`` are read. Raises ``DataError`` where no token is left."""
    merges: Sequence[Sequence[str]] = ()
    size = options.size or MOST[options.tokens]
    if options.tokens == "pieces":
        vocabulary, merges = _pieces(train, options, size)
    else:
        encoder = options.encoder()
        counts = Counter(token for text in train for token in encoder.split(text))
        # the commonest first, and those that are equally common in the order of the alphabet
        ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        frequent = [token for token, count in ordered if count >= options.minimum]
        vocabulary = [token for token in frequent if len(token) <= LONGEST_TOKEN][:size]
    if not vocabulary:
        raise DataError(
            f"no token comes {options.minimum} times in the training texts: lower the least count"
        )
    return TextReading(
        options.tokens,
        tuple(vocabulary),
        tuple((left, right) for left, right in merges),
        options.lower,
        options.strip_accents,
        options.longest,
        column,
        whole,
    )


def _pieces(
    train: Sequence[str], options: TokenOptions, size: int
) -> tuple[list[str], list[list[str]]]:
    """Byte-pair encoding (Sennrich et al. 2016): the commonest pair of neighbours becomes a piece,
    again and again."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    encoder = options.encoder()

    def words() -> Iterator[str]:
        for text in train:
            yield " ".join(encoder.words(encoder.clean(text)))

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        min_frequency=options.minimum,
        limit_alphabet=min(LETTERS, size),
        show_progress=False,
    )
    made.train_from_iterator(words(), trainer)
    model: dict[str, Any] = json.loads(made.to_str())["model"]
    pairs = [pair if isinstance(pair, list) else pair.split(" ") for pair in model["merges"]]
    return sorted(model["vocab"], key=model["vocab"].get), pairs
