"""The terms of a text, as they are written: words, signs, and words that stand side by side."""

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Sequence

PIECE = re.compile(r"\w+|[^\w\s]")


def terms_of(text: str) -> set[str]:
    """Every different word, sign, and pair of neighbours that has a word in it; case is kept, and a number is a word.

    >>> sorted(terms_of("Oil (Reuters)"))
    ['(', '( Reuters', ')', 'Oil', 'Oil (', 'Reuters', 'Reuters )']
    """
    pieces = PIECE.findall(text)
    pairs = itertools.pairwise(pieces)
    return {*pieces, *(f"{one} {other}" for one, other in pairs if one.isalnum() or other.isalnum())}


def document_frequencies(texts: Iterable[str]) -> Counter[str]:
    """In how many of the texts each term stands.

    >>> document_frequencies(["oil oil", "Oil", "oil"])["oil"]
    2
    """
    found: Counter[str] = Counter()
    for text in texts:
        found.update(terms_of(text))
    return found


def around(term: str, text: str, characters: int = 60) -> str:
    """The part of the text around the first place of the term, with as many characters on each side.

    >>> around("oil", "The price of oil rises again", 9)
    '...price of oil rises ag...'
    """
    begin = text.find(term.partition(" ")[0])
    begin, end = max(0, begin - characters), begin + len(term) + characters
    return ("..." if begin > 0 else "") + text[begin:end].strip() + ("..." if end < len(text) else "")


def first_with(term: str, texts: Sequence[str], count: int) -> list[int]:
    """The positions of the first `count` texts in which the term stands."""
    word = term.partition(" ")[0]
    found: list[int] = []
    for place, text in enumerate(texts):
        if len(found) == count:
            break
        if word in text and term in terms_of(text):
            found.append(place)
    return found
