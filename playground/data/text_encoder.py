"""Text as token numbers, in plain Python: the application and exported models run this code."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, pairwise


class TextEncoder:
    """Cuts texts into ``tokens`` ("characters", "words" or "pieces"), which are numbered from 2 on
    in the order of ``vocabulary``; 1 is a token that is not known, 0 is padding.

    Text is brought to Unicode's composed form and runs of blanks become one; ``lower`` and
    ``strip_accents`` leave fewer different letters. Pieces are made by byte-pair encoding (Sennrich
    et al. 2016): the letters of a word are joined by ``merges``, the first of them first; "▁" marks
    the beginning of a word. At most ``longest`` tokens are kept.
    """

    def __init__(
        self,
        tokens: str,
        vocabulary: Sequence[str] = (),
        merges: Iterable[Sequence[str]] = (),
        lower: bool = True,
        strip_accents: bool = False,
        longest: int = 256,
    ) -> None:
        self.tokens = tokens
        self.vocabulary = vocabulary
        self.lower = lower
        self.strip_accents = strip_accents
        self.longest = longest
        self.numbers = {token: 2 + place for place, token in enumerate(vocabulary)}
        self.ranks = {(left, right): rank for rank, (left, right) in enumerate(merges)}
        self.seen: dict[str, list[str]] = {}

    def encode(self, text: str) -> list[int]:
        """The numbers of a text's tokens, cut to the longest length; none for a blank text."""
        return self.numbered(islice(self.split(text), self.longest))

    def numbered(self, tokens: Iterable[str]) -> list[int]:
        return [self.numbers.get(token, 1) for token in tokens]

    def decode(self, numbers: Iterable[int]) -> list[str]:
        """The tokens of numbers, without padding; "�" for one that is not known."""
        known = dict(enumerate(self.vocabulary, 2))
        return [known.get(number, "�") for number in numbers if number != 0]

    def split(self, text: str) -> Iterator[str]:
        """A text's tokens, one after the other."""
        text = self.clean(text)
        if self.tokens == "characters":
            yield from text
            return
        for word in self.words(text):
            yield from [word] if self.tokens == "words" else self.pieces(word)

    def clean(self, text: str) -> str:
        """A text as it is cut: in composed form, with single blanks."""
        text = text.encode("utf-8", "replace").decode()  # halves of characters are no characters
        if self.lower:
            text = text.lower()
        if self.strip_accents:
            apart = unicodedata.normalize("NFD", text)
            text = "".join(c for c in apart if not unicodedata.combining(c))
        return " ".join(unicodedata.normalize("NFC", text).split())

    def words(self, text: str) -> Iterator[str]:
        """The words and other marks of a clean text; for pieces with the beginnings marked."""
        if self.tokens == "words":
            pattern = r"\w+(?:['’]\w+)*|[^\w\s]"
        else:
            text = "▁" + text.replace("▁", "_").replace(" ", "▁")
            # what is longer than a word is cut, because joining takes the square of a length
            pattern = r"▁?(?:\w{1,64}|[^\w▁])"
        for found in re.finditer(pattern, text):
            yield found[0]

    def pieces(self, word: str) -> list[str]:
        """A word's pieces: neighbours whose merge comes first are joined, until none is left."""
        if word in self.seen:
            return self.seen[word]
        parts, last = list(word), len(self.ranks)
        while len(parts) > 1:
            first = min(pairwise(parts), key=lambda pair: self.ranks.get(pair, last))
            if first not in self.ranks:
                break
            joined: list[str] = []
            for part in parts:
                # a joined part is not joined again in the same round
                if joined and (joined[-1], part) == first:
                    joined[-1] += part
                else:
                    joined.append(part)
            parts = joined
        if len(self.seen) < 200_000:
            self.seen[word] = parts
        return parts
