"""Rules files and judged batches of 0.2.0, whose classes were named with `_` for all that is no plain letter."""

from newsclf.monitoring.number_names import by_todays_names, renames, watched_by_todays_names
from newsclf.monitoring.rules import parse_monitors
from newsclf.monitoring.state import Record

KNOWN = ["label/Sci/Tech", "label/World", "label/a_b", "label/a:26:b", "distance_to_Sci/Tech/mean", "rows"]


def test_a_rule_watches_what_it_did() -> None:
    numbers = ["label/Sci_Tech", "label/World", "label/a_b", "distance_to_Sci_Tech/mean", "label/nothing"]
    rules = [{"number": number, "above": 0.5} for number in numbers]
    found = watched_by_todays_names(parse_monitors(rules, (), (), 50), renames(KNOWN))
    assert [one.number for one in found] == [
        "label/Sci/Tech",
        "label/World",
        "label/a_b",
        "distance_to_Sci/Tech/mean",
        "label/nothing",
    ]


def test_a_batch_that_was_judged_has_its_numbers() -> None:
    record = Record(1, "a", "key", None, "2026-01-01", 9, {"label/Sci_Tech": 0.25, "rows": 9.0, "label/old": 1.0}, {})
    (found,) = by_todays_names([record], renames(KNOWN))
    assert found.numbers == {"label/Sci/Tech": 0.25, "rows": 9.0, "label/old": 1.0}
    assert (found.number, found.key) == (1, "key")
