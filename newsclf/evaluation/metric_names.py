"""What a metric may be called: MLflow takes letters of all scripts, digits, `_ . - :`, spaces and `/`.

A class keeps its letters; what MLflow refuses is written as its code point, so that two classes never share a name and
a name never depends on which other classes there are.
"""

import hashlib
import posixpath
import re

MAX_NAME = 250  # characters, MLflow's own limit
MAX_PART = 200  # of a class or a column, which has a score or a statistic beside it
REFUSED = re.compile(r"[^\w.\- /]")  # and ":", which stands around a code point
# What MLflow's check of paths refuses (".", "..", an empty part), and blanks at the ends, which some databases drop.
MISLEADING = re.compile(r"^/|/$|(?<=/)/|(?:(?<=/)|^)\.(?=\.|/|$)|(?:(?<=/\.)|(?<=^\.))\.|^ | $")
TAKEN = re.compile(r"[\w.\- :/]*")


def metric_part(text: str) -> str:
    """`text`, a class or a column, as a part of a metric's name: the same for the same text, another for another.

    >>> metric_part("科技"), metric_part("Sci/Tech"), metric_part("R&B"), metric_part("a:b"), metric_part("..")
    ('科技', 'Sci/Tech', 'R:26:B', 'a:3a:b', ':2e::2e:')
    """
    name = MISLEADING.sub(_code_point, REFUSED.sub(_code_point, text)) or ":"
    if len(name) <= MAX_PART:
        return name
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{name[: MAX_PART - 17]}:{digest[:16]}"


def metric_name(name: str) -> str:
    """`name` where MLflow takes it, else as a part.

    >>> metric_name("f1/R:26:B"), metric_name("50 %")
    ('f1/R:26:B', '50 :25:')
    """
    is_path = name not in ("", ".") and posixpath.normpath(name) == name and not name.startswith(("/", ".."))
    return name if is_path and TAKEN.fullmatch(name) and len(name) <= MAX_NAME else metric_part(name)


def earlier_name(name: str) -> str:
    """What a name of this version was called up to 0.2.0, when `_` stood for all that was refused, and for "/".

    >>> earlier_name("label/Sci/Tech"), earlier_name("label/R:26:B")
    ('label/Sci_Tech', 'label/R_B')
    """
    family, _, rest = re.sub(r":[0-9a-f]+:", "_", name).partition("/")
    if family in ("label", "predicted_label"):
        return f"{family}/{rest.replace('/', '_').strip(' .') or '_'}"
    column, _, statistic = f"{family}/{rest}".rpartition("/")
    return f"{column.replace('/', '_')}/{statistic}" if rest else family


def _code_point(match: re.Match[str]) -> str:
    return f":{ord(match[0]):x}:"
