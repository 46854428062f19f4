"""Which rows cannot be trained on, and what happens to them."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from newsclf.errors import InputError
from newsclf.messages import one_line

MAX_CHARACTERS = 1_000_000
LONE_SURROGATE = re.compile("[\ud800-\udfff]")
ROWS_SHOWN = 5

# Reason (as it is counted in Dataset.notes): how a message says it. A row counts under its first reason.
REASONS = {
    "empty_texts": "with an empty text",
    "missing_labels": "without a label",
    "nul_bytes": "with a NUL byte",
    "lone_surrogates": "with a lone surrogate (half a character)",
    "texts_too_long": f"with a text of more than {MAX_CHARACTERS:,} characters",
    "texts_with_two_labels": "with a text that has two different labels",
    "duplicate_rows": "that repeat an earlier row",
}


def check_rows(rows: pd.DataFrame, bad_rows: str, where: str) -> tuple[pd.DataFrame, dict[str, int]]:
    """The good rows of `rows`, and how many were dropped by reason (reasons that occur only).

    rows: columns `text`, `label`; the index gives each row's place, `index.name` the unit.
    bad_rows: "error" raises InputError with the reasons, numbers and first places; "drop" drops.
        Of a repeated row the first one stays; of a text with two labels none does, as none can be trusted.
    where: what the rows were read from, for messages.
    """
    reasons = reason_of_each(rows)
    counts = {name: int(n) for name, n in reasons.value_counts().items() if name}
    found = {name: counts[name] for name in REASONS if name in counts}
    if found and bad_rows == "error":
        parts = [f"{n} {REASONS[name]} ({_places(reasons.index[reasons == name])})" for name, n in found.items()]
        raise InputError(f"bad rows in {where}: {'; '.join(parts)}; bad_rows=drop would drop them")
    good = rows[(reasons == "").to_numpy()]
    if good.empty:
        raise InputError(f"no usable rows in {where}: all {len(rows)} are bad ({one_line(found)})")
    return good, found


def reason_of_each(rows: pd.DataFrame) -> pd.Series:
    """The first of REASONS that each row falls under, "" for a good row; same index as `rows`."""
    texts = rows["text"].fillna("").tolist()
    labels = rows["label"].tolist()
    found = np.array([_reason(text, label) for text, label in zip(texts, labels, strict=True)], dtype=object)

    sound = found == ""
    rest = rows[sound].reset_index(drop=True)
    two_labels = rest.groupby("text", sort=False)["label"].transform("nunique") > 1
    repeated = np.where(rest.duplicated(["text", "label"]), "duplicate_rows", "")
    found[sound] = np.where(two_labels, "texts_with_two_labels", repeated)
    return pd.Series(found, index=rows.index)


def _reason(text: str, label: str | None) -> str:
    if not text.strip():
        return "empty_texts"
    if label is None or label in ("", "nan", "NaN"):
        return "missing_labels"
    if "\0" in text or "\0" in label:
        return "nul_bytes"
    if LONE_SURROGATE.search(text) or LONE_SURROGATE.search(label):
        return "lone_surrogates"
    if len(text) > MAX_CHARACTERS:
        return "texts_too_long"
    return ""


def _places(index: pd.Index) -> str:
    shown = ", ".join(str(place) for place in index[:ROWS_SHOWN])
    return f"{index.name}{'s' if len(index) > 1 else ''} {shown}{', ...' if len(index) > ROWS_SHOWN else ''}"
