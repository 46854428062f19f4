"""What a metric may be called: MLflow takes letters, digits and `_ . -` and spaces, and `/` between two parts."""

import re

MAX_NAME = 250  # characters, MLflow's own limit


def metric_name(name: str) -> str:
    """`name` with `_` for what MLflow refuses; it may hold `/`, but not at its ends.

    >>> metric_name("alert/Wörld: 5 %")
    'alert/Wörld_ 5 _'
    """
    return "/".join(metric_part(part) for part in name.split("/"))[:MAX_NAME]


def metric_part(text: str, limit: int = MAX_NAME, ascii_only: bool = False) -> str:
    """`text` as one part of a metric's name: no `/` in it, no dot or space at its ends, not empty.

    ascii_only: whether letters of other scripts are refused as well, as in the names of scores by class.

    >>> metric_part("Sci/Tech."), metric_part("Wörld", ascii_only=True), metric_part("..")
    ('Sci_Tech', 'W_rld', '_')
    """
    return re.sub(r"[^\w.\- ]", "_", text, flags=re.ASCII if ascii_only else 0).strip(" .")[:limit] or "_"
