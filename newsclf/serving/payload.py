"""What a request holds, looked at before MLflow makes a table of it: by then a number is a text, and null "None"."""

import json
from typing import Any

from newsclf.messages import one_line

FORMATS = ("instances", "inputs", "dataframe_split", "dataframe_records")
MAX_BYTES = 64 << 20  # of a body, which is some 64 texts of the greatest length
KINDS = {
    type(None): "null",
    bool: "true or false",
    int: "a number",
    float: "a number",
    list: "a list",
    dict: "an object",
}


class NoTexts(ValueError):
    """The request cannot be answered; its text is the sentence for whoever has asked."""


def read_json(body: bytes) -> dict[str, Any]:
    """The one of FORMATS that the JSON `body` has, alone in its object. Raises NoTexts."""
    if len(body) > MAX_BYTES:
        raise NoTexts(f"the request has {len(body):,} bytes, at most {MAX_BYTES:,} are taken: ask in parts")
    try:
        found = json.loads(body, object_pairs_hook=_each_once)
    except RecursionError:
        raise NoTexts("the request is nested too deeply for JSON that holds texts") from None
    except NoTexts:
        raise
    except ValueError as error:  # no JSON, or no UTF-8
        raise NoTexts(f"the request is no JSON: {one_line(error)}") from None
    given = [name for name in FORMATS if name in found] if isinstance(found, dict) else []
    if len(given) != 1:
        raise NoTexts(f"the request must be a JSON object with one of {', '.join(FORMATS)}")
    if found.get("params"):
        raise NoTexts("the request has params, this model takes none: leave them out")
    _check(given[0], found[given[0]])
    return {given[0]: found[given[0]]}


def _check(form: str, held: Any) -> None:
    """Raises NoTexts for an empty list, and for anything but a string where a text is due."""
    if form != "dataframe_split" and held in ([], {}):
        raise NoTexts(f"{form} is empty: give a text or more")
    if isinstance(held, dict):
        held = held.get("data" if form == "dataframe_split" else "text", "")
    for row, item in enumerate(held if isinstance(held, list) else [held]):
        text = item
        if isinstance(item, dict):
            text = item.get("text", "")  # without one, the model says which column it has in its place
        elif isinstance(item, list) and item:
            text = item[0]
        if not isinstance(text, str):
            raise NoTexts(f"row {row} is {KINDS.get(type(text), 'an object')}, not text")


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise NoTexts(f'the key "{one_line(twice, 60)}" stands twice in an object of the request')
    return found
