"""When a stream wants a new model: from the verdicts on its batches, its labels, and what was tried before."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from newsclf.config import RetrainConfig
from newsclf.drift.kinds import RETRAINABLE

NOTHING, MEND, TRAIN, TEST, LABEL = "nothing", "mend", "train", "test", "label"


@dataclass(frozen=True)
class JudgedBatch:
    """A judged batch: its name, its verdict (`Verdict.as_dict()`), and its usable rows with a label."""

    name: str
    verdict: Mapping[str, Any]
    labelled: int


@dataclass(frozen=True)
class LastAttempt:
    """The last attempt at the present state of the stream, "" and 0 for none.

    onset, until: the batches that its new rows came from; rows: how many of these had labels; kind: the drift's;
    refused: whether its model was not promoted, so that the champion is still the one before; tested: the last batch
    whose rows that model was tested by; learning: whether the champion was made for this state of the stream.
    """

    onset: str = ""
    until: str = ""
    rows: int = 0
    kind: str = ""
    refused: bool = False
    tested: str = ""
    learning: bool = False


@dataclass(frozen=True)
class Rules:
    """The options of the same names, see RetrainConfig."""

    patience: int
    sure: float
    window: int
    growth: float
    min_rows: int

    @classmethod
    def of(cls, config: RetrainConfig) -> Rules:
        # As many rows as leave test_rows when test_share of them is held out.
        least = math.ceil(config.test_rows / config.test_share)
        return cls(config.patience, config.sure, config.window, config.growth, least)


@dataclass(frozen=True)
class Plan:
    """What is to be done, and why, in a sentence.

    action: nothing, mend (the feed), label (texts first), train, or test (the refused model, once more). batches: the
    places of the batches whose labelled rows count as new. onset: the place of the first batch of the present state.
    kind: the drift's, "" without one.
    """

    action: str
    reason: str
    batches: tuple[int, ...] = ()
    onset: int = 0
    kind: str = ""


def plan(batches: Sequence[JudgedBatch], earlier: LastAttempt, rules: Rules, force: bool = False) -> Plan:
    """What the newest batches ask for.

    A drift counts where the last `patience` batches have drifted, or the last one with a p-value of at most `sure`:
    one batch in twenty is a false alarm, two in a row are one in four hundred. What follows a drift is learnt in
    steps: a new attempt is made when there are `growth` times as many labelled rows as the last one had, whether that
    one was refused or promoted, so that the number of attempts grows with the logarithm of the rows. A model that was
    refused may have lacked nothing but rows to show it: labelled rows that came since are a test without a training.
    """
    names = [batch.name for batch in batches]
    known = names.index(earlier.until) + 1 if earlier.until in names and not earlier.refused else 0
    drifted = [place >= known and bool(retrainable(batch.verdict)) for place, batch in enumerate(batches)]
    judged = [place for place in range(known, len(batches)) if batches[place].verdict["drifted"] is not None]
    trail = _trail(judged, drifted)
    if force:
        return _with_rows(batches, 0, 0, "It was asked for (force).", _kind(batches, trail), rules)
    if trail and (len(trail) >= rules.patience or _surest(batches[trail[-1]].verdict) <= rules.sure):
        onset, kind = trail[0], _kind(batches, trail)
        said = f"{_count(len(trail))} drifted, and the last one says: {batches[trail[-1]].verdict['sentence']}"
        if (earlier.refused or earlier.learning) and earlier.onset in names:
            return _again(batches, min(onset, names.index(earlier.onset)), onset, said, kind, earlier, rules)
        return _with_rows(batches, onset, onset, said, kind, rules)
    if earlier.learning and earlier.onset in names:
        onset, said = names.index(earlier.onset), "Nothing has drifted since the champion was trained."
        return _again(batches, onset, onset, said, "", earlier, rules)
    if trail:
        return Plan(NOTHING, f"One batch alone may be a false alarm: {batches[trail[-1]].verdict['sentence']}")
    if judged and batches[judged[-1]].verdict["drifted"]:
        last = batches[judged[-1]]
        return Plan(MEND, f"A new model would not help, the feed has to be mended: {last.verdict['sentence']}")
    return Plan(NOTHING, "Nothing has drifted." if judged else "No batch is new and large enough to be judged.")


def attempted(batches: Sequence[JudgedBatch], wish: Plan, promoted: bool, earlier: LastAttempt) -> LastAttempt:
    """What `plan` has to know of an attempt, or of another test of the earlier one, that was made as it said."""
    newest = batches[-1].name
    if wish.action == TEST:
        until, learning = (newest, True) if promoted else (earlier.until, earlier.learning)
        return dataclasses.replace(earlier, until=until, refused=not promoted, tested=newest, learning=learning)
    onset, rows = batches[wish.onset].name, sum(batch.labelled for batch in batches[wish.onset :])
    learning = promoted or (earlier.learning and earlier.onset == onset)
    return LastAttempt(onset, newest, rows, wish.kind, not promoted, newest, learning)


def retrainable(verdict: Mapping[str, Any]) -> list[str]:
    """The kinds that have drifted and that a new model can help against, the one that explains the others first."""
    return [kind for kind in RETRAINABLE if kind in verdict["kinds"] and verdict["kinds"][kind]["drifted"]]


def _trail(judged: Sequence[int], drifted: Sequence[bool]) -> list[int]:
    """The places of the drifted batches at the end, without a gap."""
    found: list[int] = []
    for place in reversed(judged):
        if not drifted[place]:
            break
        found.insert(0, place)
    return found


def _kind(batches: Sequence[JudgedBatch], trail: Sequence[int]) -> str:
    return retrainable(batches[trail[-1]].verdict)[0] if trail else ""


def _surest(verdict: Mapping[str, Any]) -> float:
    return min((verdict["kinds"][kind]["p_value"] for kind in retrainable(verdict)), default=1.0)


def _newer(batches: Sequence[JudgedBatch], earlier: LastAttempt) -> tuple[int, ...]:
    """The places of the labelled batches after the refused attempt, if it was not tested by all of them."""
    names = [batch.name for batch in batches]
    if not earlier.refused or earlier.until not in names or earlier.tested not in names:
        return ()
    later = [place for place in range(names.index(earlier.until) + 1, len(batches)) if batches[place].labelled]
    return tuple(later) if later and later[-1] > names.index(earlier.tested) else ()


def _again(
    batches: Sequence[JudgedBatch], onset: int, newest: int, said: str, kind: str, earlier: LastAttempt, rules: Rules
) -> Plan:
    """Another test of a refused model, if there are newer rows, or another attempt, if there are enough more."""
    if newer := _newer(batches, earlier):
        return Plan(TEST, f"{said} The refused model is tested by rows that came since.", newer, onset, earlier.kind)
    rows = sum(batch.labelled for batch in batches[onset:])
    # What has drifted from a champion that was made for this stream has half of the way to go.
    growth = (1 + rules.growth) / 2 if kind and earlier.learning else rules.growth
    wanted = int(growth * earlier.rows)
    was = f"The last attempt had {earlier.rows:,} new rows" + (" and was refused" if earlier.refused else "")
    if rows < wanted:
        return Plan(NOTHING, f"{said} {was}; the next one follows at {wanted:,}, now there are {rows:,}.", onset=onset)
    return _with_rows(batches, onset, newest, f"{said} {was}, now there are {rows:,}.", kind, rules)


def _with_rows(batches: Sequence[JudgedBatch], onset: int, newest: int, said: str, kind: str, rules: Rules) -> Plan:
    """Train on the newest labelled batches from `onset` on, if they have enough rows.

    newest: where the drift began, if the stream had changed before; labels of another meaning are older than that.
    """
    since = newest if kind == "concept" else onset
    places = [place for place in range(since, len(batches)) if batches[place].labelled][-rules.window :]
    rows = sum(batches[place].labelled for place in places)
    if rows < rules.min_rows:
        reason = f"{said} {rows:,} rows of it are labelled, {rules.min_rows:,} are needed."
        return Plan(LABEL, reason, tuple(range(since, len(batches)))[-rules.window :], onset, kind)
    return Plan(TRAIN, said, tuple(places), onset, kind)


def _count(batches: int) -> str:
    return "The last batch has" if batches == 1 else f"The last {batches} batches have"
