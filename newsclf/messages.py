"""Small helpers for one-line messages to people."""

from collections.abc import Iterable
from difflib import get_close_matches

MAX_QUOTE = 120


def one_line(thing: object, limit: int = MAX_QUOTE) -> str:
    """The text of `thing` with white space folded, cut to `limit` characters.

    Names and reasons come from files and servers: they may hold line breaks or be megabytes long.
    """
    text = " ".join(str(thing)[: 20 * limit].split())
    # A lone surrogate cannot be printed; it is shown as its escape.
    text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return text if len(text) <= limit else text[: limit - 3] + "..."


def quoted(name: str, limit: int = MAX_QUOTE) -> str:
    """A name as it is compared: with every blank, and what cannot be seen as its escape; cut to `limit` characters.

    >>> quoted("my  text\\u200b")
    'my  text\\\\u200b'
    """
    text = "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode("ascii") for letter in name[:limit]
    )
    return text if len(text) <= limit and len(name) <= limit else text[: limit - 3] + "..."


def listed(names: Iterable[object], limit: int = 20) -> str:
    """`names` as "a, b, c", at most `limit` of them."""
    shown = [quoted(name) if isinstance(name, str) else one_line(name) for name in names]
    more = f" and {len(shown) - limit} more" if len(shown) > limit else ""
    return ", ".join(shown[:limit]) + more


def nearest(name: str, valid: Iterable[str]) -> str:
    """The valid name that is most like `name`, whatever the case of its letters; empty where none is near.

    >>> nearest("Labels", ["text", "label"])
    'label'
    """
    by_lower = {other.lower(): other for other in valid}
    near = get_close_matches(name.lower(), by_lower, n=1)
    return by_lower[near[0]] if near else ""


def did_you_mean(name: str, valid: Iterable[str]) -> str:
    """`; did you mean "x"?` with the nearest valid name, or nothing where none is near."""
    near = nearest(name, valid)
    return f'; did you mean "{quoted(near)}"?' if near else ""
