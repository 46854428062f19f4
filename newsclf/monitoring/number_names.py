"""Numbers that an earlier version called otherwise: rules and judged batches are read by the names of this one."""

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence

from newsclf.evaluation.metric_names import earlier_name
from newsclf.monitoring.rules import Monitor
from newsclf.monitoring.state import Record


def renames(known: Sequence[str]) -> dict[str, str]:
    """What to call the numbers that had another name, by that name; not those that two had.

    >>> renames(["label/Sci/Tech", "label/World", "label/R:26:B", "label/R:2b:B"])
    {'label/Sci_Tech': 'label/Sci/Tech'}
    """
    earlier = {name: earlier_name(name) for name in known}
    count = Counter(earlier.values())
    return {old: name for name, old in earlier.items() if old not in known and count[old] == 1}


def watched_by_todays_names(monitors: Sequence[Monitor], names: Mapping[str, str]) -> tuple[Monitor, ...]:
    """The monitors of a rules file of any version. names: as of `renames`."""
    return tuple(dataclasses.replace(one, number=names.get(one.number, one.number)) for one in monitors)


def by_todays_names(records: Sequence[Record], names: Mapping[str, str]) -> list[Record]:
    """The records of any version. names: as of `renames`."""
    return [
        dataclasses.replace(one, numbers={names.get(name, name): value for name, value in one.numbers.items()})
        for one in records
    ]
