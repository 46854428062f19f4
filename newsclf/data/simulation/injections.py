"""Changes put into labelled text on purpose: what a drift detector has to find.

Every function is pure: it returns new lists and leaves its arguments alone. `share` is the share of rows that are
changed, in 0..1; round(share * rows) rows are chosen, without replacement, all with the same probability. `rng`
alone decides which: the same arguments and an equally seeded generator give the same rows.
"""

from collections.abc import Mapping, Sequence
from string import ascii_lowercase

import numpy as np

from newsclf.errors import InputError
from newsclf.messages import one_line

GARBLED_LETTERS = 0.3


def foreign(texts: Sequence[str], pool: Sequence[str], share: float, rng: np.random.Generator) -> list[str]:
    """A share of the texts replaced by some of `pool`, none of them twice.

    A row keeps its label: a foreign topic has no class, so whoever labels it picks one of those there are.
    Raises InputError where the pool has too few texts.

    >>> foreign(["a", "b", "c", "d"], ["x", "y"], 0.5, np.random.default_rng(0))
    ['a', 'b', 'y', 'x']
    """
    chosen = chosen_rows(len(texts), share, rng)
    if len(pool) < len(chosen):
        raise InputError(
            f"{len(chosen)} foreign texts are wanted and {len(pool)} are there: "
            "take smaller batches, a smaller share, or more foreign texts"
        )
    changed = list(texts)
    for row, number in zip(chosen, rng.choice(len(pool), len(chosen), replace=False), strict=True):
        changed[row] = pool[number]
    return changed


def garble(texts: Sequence[str], share: float, rng: np.random.Generator, letters: float = GARBLED_LETTERS) -> list[str]:
    """In a share of the texts, each letter becomes another letter of a to z with probability `letters`.

    It keeps its case, and white space, digits and punctuation stay: lengths, words and capitals are as before, so
    that nothing but the words themselves gives the change away.
    """
    changed = list(texts)
    for row in chosen_rows(len(texts), share, rng):
        changed[row] = _garbled(changed[row], letters, rng)
    return changed


def truncate(texts: Sequence[str], share: float, rng: np.random.Generator) -> list[str]:
    """A share of the texts without their second half, by characters.

    >>> truncate(["half of it"], 1, np.random.default_rng(0))
    ['half ']
    """
    changed = list(texts)
    for row in chosen_rows(len(texts), share, rng):
        changed[row] = changed[row][: (len(changed[row]) + 1) // 2]
    return changed


def moved_shares(labels: Sequence[str], total_variation: float, rng: np.random.Generator) -> dict[str, float]:
    """The class shares of `labels`, one class larger by `total_variation`, the others smaller in proportion.

    total_variation: in 0..1, half the sum of the absolute differences between old and new shares.
    The class is drawn from those that can grow by so much; InputError where there is none.
    """
    shares = class_shares(labels)
    able = [name for name, share in shares.items() if share + total_variation <= 1 + 1e-9]
    if len(shares) < 2 or not able:
        raise InputError(f"class shares cannot move by {total_variation:g}: they are {_shown(shares)}")
    grows = able[rng.integers(len(able))]
    rest = 1 - shares[grows]
    return {
        name: share + total_variation if name == grows else share * max(0.0, 1 - total_variation / rest)
        for name, share in shares.items()
    }


def class_shares(labels: Sequence[str]) -> dict[str, float]:
    """Each label's share of the rows, in 0..1, in the order of the labels' names.

    >>> class_shares(["b", "a", "b", "b"])
    {'a': 0.25, 'b': 0.75}
    """
    names, counts = np.unique(np.asarray(labels, dtype=object), return_counts=True)
    return {str(name): count / len(labels) for name, count in zip(names, counts.tolist(), strict=True)}


def redraw_labels(labels: Sequence[str], classes: Sequence[str], share: float, rng: np.random.Generator) -> list[str]:
    """A share of the labels drawn anew from `classes`, all with the same probability.

    One in len(classes) of them is what it was, by chance.
    """
    changed = list(labels)
    for row in chosen_rows(len(labels), share, rng):
        changed[row] = classes[rng.integers(len(classes))]
    return changed


def delete(
    texts: Sequence[str], labels: Sequence[str], share: float, rng: np.random.Generator
) -> tuple[list[str], list[str]]:
    """The rows without a share of them, in their order.

    >>> delete(["one", "two", "three", "four"], ["a", "b", "a", "b"], 0.5, np.random.default_rng(0))
    (['one', 'two'], ['a', 'b'])
    """
    gone = set(chosen_rows(len(texts), share, rng))
    kept = [row for row in range(len(texts)) if row not in gone]
    return [texts[row] for row in kept], [labels[row] for row in kept]


def chosen_rows(rows: int, share: float, rng: np.random.Generator) -> list[int]:
    """The numbers of round(share * rows) rows, in random order."""
    if not 0 <= share <= 1:
        raise ValueError(f"share is {share}: it must be from 0 to 1")
    return rng.choice(rows, round(share * rows), replace=False).tolist() if rows else []


def _garbled(text: str, letters: float, rng: np.random.Generator) -> str:
    characters = list(text)
    places = [place for place, character in enumerate(characters) if character.isalpha()]
    hit = rng.random(len(places)) < letters
    for place in np.asarray(places, dtype=int)[hit].tolist():
        old = characters[place]
        others = ascii_lowercase.replace(old.lower(), "")
        new = others[rng.integers(len(others))]
        characters[place] = new.upper() if old.isupper() else new
    return "".join(characters)


def _shown(shares: Mapping[str, float]) -> str:
    return ", ".join(f"{one_line(name, 40)} {share:.2f}" for name, share in shares.items())
