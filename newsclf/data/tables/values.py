"""Typed values of a row, the same ones from whatever format the row is of."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from newsclf.errors import InputError
from newsclf.features.plain_text import readable
from newsclf.messages import listed, one_line, quoted

MAX_WEIGHT = 1000
# A number as text, as float and decimal columns are written in CSV: 1.0, 2.50.
DECIMALS = re.compile(r"-?(?:0|[1-9]\d*)\.\d+")
BOOLEANS = {"True": "true", "TRUE": "true", "False": "false", "FALSE": "false"}


def text_of(value: object) -> str | None:
    """A text, None where there is none; half a character is U+FFFD. Raises ValueError for anything but a string."""
    if isinstance(value, str):
        return readable(value)
    if is_missing(value):
        return None
    raise ValueError(f"the text is {one_line(repr(value), 40)}, not a string")


def label_of(value: object) -> str | None:
    """A class name in its one form, None where it is missing.

    A label may be text, a number, a truth value or a date. It has no blanks around it, no zeros behind a decimal
    point, and is "true" or "false" for a truth value however that is spelt: so the labels of a table are the same from
    a CSV file, JSON Lines, and a Parquet column of whole numbers, floats (whole numbers with gaps), decimals or truth
    values.

    >>> [label_of(value) for value in (" art ", "  ", "010", "1e3")]
    ['art', None, '010', '1e3']
    >>> {label_of(value) for value in (1, 1.0, "1", "1.0", Decimal("1.00"))}
    {'1'}
    >>> {label_of(value) for value in (True, "True", "true", "TRUE")}
    {'true'}
    """
    if isinstance(value, str):
        text = value.strip()
        return _short(text) if DECIMALS.fullmatch(text) else BOOLEANS.get(text, text) or None
    if is_missing(value):
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and math.isfinite(value):
        return _short(format(Decimal(repr(value)), "f"))
    if isinstance(value, Decimal):
        return _short(format(value, "f"))
    if not isinstance(value, (int, float, date)):
        raise ValueError(f"the label is {one_line(repr(value), 40)}, neither text nor a number")
    return str(value)


def _short(number: str) -> str:
    """Without what says nothing: "2.50" is "2.5", "1.0" is "1", "-0.0" is "0"."""
    short = number.rstrip("0").rstrip(".") if "." in number else number
    return "0" if short == "-0" else short


def class_indices(labels: Sequence[str | None], classes: Sequence[str]) -> list[int]:
    """Of labels, -1 for a missing one and for one that is none of the classes.

    Classes from before labels had one form are known by the form that they would have.

    >>> class_indices(["true", "1", None, "art"], ["True", "1.0", "law"])
    [0, 1, -1, -1]
    """
    index = {label_of(name) or name: number for number, name in enumerate(classes)}
    index |= {name: number for number, name in enumerate(classes)}
    return [-1 if label is None else index.get(label, -1) for label in labels]


def as_spelt(labels: Sequence[str | None], classes: Sequence[str]) -> list[str | None]:
    """The labels, those that are classes as these are spelt.

    >>> as_spelt(["true", None, "art"], ["True", "False"])
    ['True', None, 'art']
    """
    places = class_indices(labels, classes)
    return [label if place < 0 else classes[place] for label, place in zip(labels, places, strict=True)]


def unknown_labels(counts: Mapping[str, int], classes: Sequence[str]) -> list[str]:
    """The labels, of rows by label, that are none of the classes, the most frequent first; for messages.

    >>> unknown_labels({"art": 5, "law": 1, "weather": 2}, ["art"])
    ['"weather" (2 rows)', '"law" (1 row)']
    """
    places = class_indices(list(counts), classes)
    unknown = [label for label, place in zip(counts, places, strict=True) if place < 0]
    unknown.sort(key=lambda label: -counts[label])
    return [f'"{quoted(label)}" ({counts[label]:,} row{"s" if counts[label] > 1 else ""})' for label in unknown]


def by_class(numbers: Mapping[str, float], classes: Sequence[str], option: str) -> dict[str, float]:
    """Numbers by label as numbers by class, spelt as the classes are. option: which has them, for messages.

    Raises InputError for a label that is none of the classes, and for two that are one class.

    >>> by_class({"art": 2.0, "1.0": 0.5}, ["1", "art", "law"], "class_weights")
    {'art': 2.0, '1': 0.5}
    """
    found: dict[str, float] = {}
    for name, number in numbers.items():
        place = class_indices([label_of(name) or name], classes)[0]
        if place < 0:
            raise InputError(f'option {option}: there is no class "{quoted(name)}", but {listed(classes, 25)}')
        if classes[place] in found:
            raise InputError(f'option {option}: "{quoted(name)}" is a class that is there already: give it once')
        found[classes[place]] = number
    return found


def weight_of(value: object) -> int:
    """How often a row counts. Raises ValueError for anything but a whole number from 1 to MAX_WEIGHT.

    >>> weight_of("3"), weight_of(2.0)
    (3, 2)
    """
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        number = 0.0
    if not (1 <= number <= MAX_WEIGHT and number.is_integer()):
        raise ValueError(f"the weight is {one_line(repr(value), 40)}, not a whole number from 1 to {MAX_WEIGHT}")
    return int(number)


def date_of(value: object) -> Any:
    """A date as it stands, without blanks around it; None where there is none."""
    return None if is_missing(value) else value.strip() if isinstance(value, str) else value


def kept_of(value: object) -> str | None:
    """A value that goes with its row, as text.

    >>> kept_of(7.0), kept_of("a b "), kept_of(float("nan")), kept_of(True)
    ('7', 'a b ', None, 'True')
    """
    if is_missing(value):
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return readable(value if isinstance(value, str) else str(value))


def is_missing(value: object) -> bool:
    """Whether `value` is None or NaN."""
    return value is None or bool(value != value)


CONVERTERS: dict[str, Callable[[Any], Any]] = {
    "text": text_of,
    "label": label_of,
    "date": date_of,
    "weight": weight_of,
}
