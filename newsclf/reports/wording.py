"""How numbers, verdicts and foreign text are put on a page."""

import math
import re

DASH, MINUS = "\u2013", "\u2212"
STATES = {True: "drift", False: "no drift", None: "not judged"}
BADGES = {"drift": "▲ drift", "no drift": "● no drift", "not judged": "○ cannot be judged"}

# Controls, halves of surrogate pairs and non-characters: no browser can show them, and UTF-8 cannot hold some of them.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
# Embeddings, overrides and isolates turn the rest of a line round, outside their own text as well.
_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")


def clean(text: object, limit: int) -> str:
    """At most `limit` characters that can be shown on one line; null gives an empty text. It is not yet escaped."""
    if text is None or text != text:
        return ""
    start = _TURNING.sub("", str(text)[: 4 * limit])
    words = " ".join(_UNPRINTABLE.sub("\ufffd", start).split())
    return words if len(words) <= limit and len(str(text)) <= 4 * limit else words[: limit - 1].rstrip() + "…"


def number(value: float | None) -> str:
    """Three significant digits, thousands in groups."""
    if value is None or not math.isfinite(value):
        return DASH
    if value == int(value) or abs(value) >= 1000:
        return f"{value:,.0f}".replace("-", MINUS)
    return f"{value:.3g}".replace("-", MINUS)


def percent(share: float | None) -> str:
    """A share (0 to 1) in per cent: one digit after the point, three significant ones below 10 %."""
    if share is None or not math.isfinite(share):
        return DASH
    return f"{100 * share:.3g} %" if 0 < share < 0.1 else f"{100 * share:.1f} %"


def p_value(value: float | None) -> str:
    """Three digits after the point."""
    if value is None or not math.isfinite(value):
        return DASH
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def verdict_badge(state: str) -> str:
    """Of a whole verdict, which lacks data where a single kind of drift cannot be judged."""
    return "○ not enough data" if state == "not judged" else BADGES[state]
