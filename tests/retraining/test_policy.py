"""When a stream wants a new model: by its verdicts, its labels, and what was tried before."""

from collections.abc import Sequence

import pytest

from newsclf.config import RetrainConfig
from newsclf.drift.evidence import ColumnEffect, Evidence
from newsclf.drift.kinds import NAMES
from newsclf.drift.verdict import combine_evidence, not_enough_data
from newsclf.retraining.policy import (
    LABEL,
    MEND,
    NOTHING,
    TEST,
    TRAIN,
    JudgedBatch,
    LastAttempt,
    Rules,
    attempted,
    plan,
)

RULES = Rules(patience=2, sure=5e-4, window=4, growth=3.0, min_rows=200)


def batch(number: int, kind: str = "", p_value: float = 0.004, labelled: int = 100) -> JudgedBatch:
    """A batch of 500 texts of which one kind has drifted, or none."""
    tested = (ColumnEffect("it", 0.01, 0.3),)
    found = [
        Evidence(name, p_value if name == kind else 0.9, 0.3, "points", 0.0, tested, f"{name}!", "") for name in NAMES
    ]
    return JudgedBatch(f"day {number}", combine_evidence(found, 500, 0.05).as_dict(), labelled)


def batches(kinds: Sequence[str], **how: float) -> list[JudgedBatch]:
    return [batch(number, kind, **how) for number, kind in enumerate(kinds)]  # type: ignore[arg-type]


@pytest.mark.parametrize("kinds", [[], [""], ["", "", ""], ["covariate", "covariate", ""]])
def test_where_the_newest_batch_has_not_drifted_nothing_is_done(kinds: list[str]) -> None:
    wish = plan(batches(kinds), LastAttempt(), RULES)
    assert (wish.action, wish.batches) == (NOTHING, ())


def test_one_batch_alone_may_be_a_false_alarm_unless_it_is_sure() -> None:
    assert plan(batches(["", "", "prior"]), LastAttempt(), RULES).action == NOTHING
    sure = [*batches(["", ""]), batch(2, "prior", p_value=1e-6, labelled=300)]
    wish = plan(sure, LastAttempt(), RULES)
    assert (wish.action, wish.batches, wish.kind) == (TRAIN, (2,), "prior")


@pytest.mark.parametrize("kind", ["covariate", "prior", "concept", "performance"])
def test_a_drift_that_lasts_is_trained_for_on_its_own_batches(kind: str) -> None:
    wish = plan(batches(["", kind, kind]), LastAttempt(), RULES)
    assert (wish.action, wish.batches, wish.onset, wish.kind) == (TRAIN, (1, 2), 1, kind)


def test_the_window_takes_the_newest_batches() -> None:
    assert plan(batches(["prior"] * 7), LastAttempt(), RULES).batches == (3, 4, 5, 6)


def test_a_batch_that_is_too_small_to_be_judged_breaks_nothing_off() -> None:
    small = JudgedBatch("small", not_enough_data(10, 50, 0.05).as_dict(), 10)
    wish = plan([batch(0, "prior"), small, batch(2, "prior")], LastAttempt(), RULES)
    assert (wish.action, wish.batches) == (TRAIN, (0, 1, 2))


def test_quality_alone_is_for_the_feed_to_mend() -> None:
    wish = plan(batches(["quality", "quality"], p_value=1e-9), LastAttempt(), RULES)
    assert wish.action == MEND
    assert "feed" in wish.reason


def test_without_enough_labels_these_are_asked_for() -> None:
    wish = plan(batches(["prior", "prior"], labelled=99), LastAttempt(), RULES)
    assert (wish.action, wish.batches) == (LABEL, (0, 1))
    assert "198 rows" in wish.reason


def test_force_trains_without_a_drift_but_not_without_rows() -> None:
    assert plan(batches(["", "", ""]), LastAttempt(), RULES, force=True).batches == (0, 1, 2)
    assert plan(batches([""], labelled=10), LastAttempt(), RULES, force=True).action == LABEL


def test_what_the_champion_was_trained_on_is_no_drift_any_more() -> None:
    stream = batches(["", "prior", "prior"])
    promoted = attempted(stream, plan(stream, LastAttempt(), RULES), True, LastAttempt())
    assert promoted == LastAttempt("day 1", "day 2", 200, "prior", False, "day 2", learning=True)
    assert plan(stream, promoted, RULES).action == NOTHING
    anew = [*stream, batch(3, "prior"), batch(4, "prior")]
    assert plan(anew, promoted, RULES).batches == (1, 2, 3, 4)
    assert plan(anew[:-1], promoted, RULES).action == NOTHING, "one batch alone"


def test_a_new_drift_waits_for_half_of_the_rows_that_growth_asks_for() -> None:
    rows = Rules(patience=2, sure=5e-4, window=4, growth=5.0, min_rows=200)
    stream = batches(["", "prior", "prior"])
    promoted = attempted(stream, plan(stream, LastAttempt(), rows), True, LastAttempt())
    for number in range(3, 6):
        stream.append(batch(number, "concept"))
        assert plan(stream, promoted, rows).action == NOTHING
    stream.append(batch(6, "concept"))
    wish = plan(stream, promoted, rows)
    assert (wish.action, wish.batches, wish.onset) == (TRAIN, (3, 4, 5, 6), 1), "labels of before mean something else"


def test_the_next_attempt_waits_for_several_times_the_rows() -> None:
    stream = batches(["prior", "prior"])
    promoted = attempted(stream, plan(stream, LastAttempt(), RULES), True, LastAttempt())
    later = [*stream, *(batch(number) for number in range(2, 5))]
    assert plan(later, promoted, RULES).action == NOTHING
    wish = plan([*later, batch(5)], promoted, RULES)
    assert (wish.action, wish.batches) == (TRAIN, (2, 3, 4, 5))


def test_a_refused_model_is_tested_by_the_rows_that_came_since_before_another_is_trained() -> None:
    stream = batches(["prior", "prior"])
    refused = attempted(stream, plan(stream, LastAttempt(), RULES), False, LastAttempt())
    assert plan(stream, refused, RULES).action == NOTHING
    for number in (2, 3, 4, 5):
        stream.append(batch(number, "prior"))
        wish = plan(stream, refused, RULES)
        assert (wish.action, wish.batches, wish.kind) == (TEST, tuple(range(2, number + 1)), "prior")
        promoted = attempted(stream, wish, True, refused)
        assert (promoted.until, promoted.rows, promoted.refused) == (f"day {number}", 200, False)
        refused = attempted(stream, wish, False, refused)
        assert (refused.until, refused.rows, refused.tested) == ("day 1", 200, f"day {number}")
        assert plan(stream, refused, RULES).action == (TRAIN if number == 5 else NOTHING)


def test_a_champion_of_this_drift_goes_on_learning_though_one_attempt_was_refused() -> None:
    stream = batches(["prior", "prior"])
    known = attempted(stream, plan(stream, LastAttempt(), RULES), True, LastAttempt())
    for number in range(2, 6):
        stream.append(batch(number))
    wish = plan(stream, known, RULES)
    assert wish.action == TRAIN
    refused = attempted(stream, wish, False, known)
    assert plan(stream, refused, RULES).action == NOTHING
    stream.append(batch(6))
    wish = plan(stream, refused, RULES)
    assert (wish.action, wish.batches) == (TEST, (6,))
    refused = attempted(stream, wish, False, refused)
    for number in range(7, 18):
        stream.append(batch(number))
        refused = attempted(stream, plan(stream, refused, RULES), False, refused)
    assert plan(stream, refused, RULES).action == TRAIN


def test_rows_without_labels_and_a_drift_that_is_over_are_no_test() -> None:
    stream = batches(["prior", "prior"])
    refused = attempted(stream, plan(stream, LastAttempt(), RULES), False, LastAttempt())
    assert plan([*stream, batch(2, "prior", labelled=0)], refused, RULES).action == NOTHING
    assert plan([*stream, batch(2)], refused, RULES).action == NOTHING


def test_a_stream_in_which_nothing_was_ever_tried_is_not_trained_on_for_its_rows() -> None:
    assert plan(batches([""] * 50, labelled=1000), LastAttempt(), RULES).action == NOTHING


def test_the_attempts_at_one_drift_grow_with_the_logarithm_of_its_batches() -> None:
    stream: list[JudgedBatch] = []
    earlier, attempts = LastAttempt(), 0
    for number in range(80):
        stream.append(batch(number, "covariate", labelled=200))
        wish = plan(stream, earlier, RULES)
        if wish.action == TEST:
            earlier = attempted(stream, wish, False, earlier)
            wish = plan(stream, earlier, RULES)
        if wish.action == TRAIN:
            earlier, attempts = attempted(stream, wish, False, earlier), attempts + 1
    assert attempts == 4  # with 2, 6, 18 and 54 batches


def test_the_rows_that_are_needed_follow_from_the_test() -> None:
    assert Rules.of(RetrainConfig(stream="s", test_rows=50, test_share=0.3)).min_rows == 167
