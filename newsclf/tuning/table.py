"""What came of a sweep's trials, the best first."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from optuna.trial import FrozenTrial, TrialState

from newsclf.tuning.study import FAILURE, as_text, failures

STATES = {TrialState.COMPLETE: "complete", TrialState.PRUNED: "pruned"}


@dataclass(frozen=True)
class TrialRow:
    """One slot of the sweep as it was settled. value: of the aim; None unless complete."""

    trial: int  # from 1
    state: str  # complete, pruned or failed
    value: float | None
    settings: Mapping[str, str]
    epochs: int  # that the pruner was told of
    seconds: float
    failed_before: int
    run_id: str
    failure: str


def trial_rows(by_slot: Mapping[int, Sequence[FrozenTrial]], names: Sequence[str], lowest: bool) -> list[TrialRow]:
    """The settled slots: complete ones by the aim, the best first, then pruned and failed ones."""
    found = [
        _row(slot, attempts, names) for slot, attempts in by_slot.items() if attempts and _decided(attempts[-1].state)
    ]
    order = {"complete": 0, "pruned": 1, "failed": 2}

    def place(row: TrialRow) -> tuple[int, float, int]:
        value = row.value or 0.0
        return order[row.state], value if lowest else -value, row.trial

    return sorted(found, key=place)


def frame(found: Sequence[TrialRow], names: Sequence[str], aim: str) -> pd.DataFrame:
    """The table that is logged: a row a trial."""
    return pd.DataFrame(
        [
            {
                "trial": row.trial,
                "state": row.state,
                aim: row.value,
                **{name: row.settings.get(name, "") for name in names},
                "seconds": round(row.seconds, 1),
                "failed_before": row.failed_before,
                "run_id": row.run_id,
                "failure": row.failure,
            }
            for row in found
        ]
    )


def beside_published(
    table: pd.DataFrame, published: Sequence[Mapping[str, Any]], metrics: Callable[[str], Mapping[str, float]]
) -> pd.DataFrame:
    """The table of `frame` with what has been published of each run beside what ours has logged under that name.

    published: of each slot; metrics: of a run, by its id.
    """
    if not published:
        return table
    names = list(dict.fromkeys(str(name) for row in published for name in row))
    ours = [metrics(run_id) if run_id else {} for run_id in table["run_id"]]
    theirs = [{str(name): value for name, value in published[slot - 1].items()} for slot in table["trial"]]
    columns = {}
    for name in names:
        if name in table:
            columns[name] = table[name]
        elif any(name in found for found in ours):
            columns[name] = pd.Series([found.get(name) for found in ours], table.index)
        columns[f"published {name}"] = pd.Series([row.get(name, "") for row in theirs], table.index)
    rest = [name for name in table if name not in columns]
    at = rest.index("seconds")
    return pd.concat([table[rest[:at]], pd.DataFrame(columns, table.index), table[rest[at:]]], axis=1)


def printed(table: pd.DataFrame, aim: str, names: Sequence[str]) -> str:
    """The table for a terminal: without the options that are the same in every row, and what is empty."""
    left_out = [name for name in ("failed_before", "failure") if not table[name].any()]
    left_out += [name for name in names if len(table) > 1 and table[name].nunique() == 1]
    shown = table.drop(columns=left_out)
    shown = shown.assign(**{aim: [f"{value:.4f}" if pd.notna(value) else "" for value in table[aim]]})
    for name in {*shown.columns} & {*names, "failure"}:
        shown[name] = [_short(text, 60 if name == "failure" else 24) for text in shown[name]]
    return str(shown.to_string(index=False, float_format=lambda value: f"{value:.4g}"))


def _short(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def _decided(state: TrialState) -> bool:
    return state not in (TrialState.WAITING, TrialState.RUNNING)


def _row(slot: int, attempts: Sequence[FrozenTrial], names: Sequence[str]) -> TrialRow:
    ended = [trial for trial in attempts if trial.state in STATES]
    trial = ended[0] if ended else attempts[-1]
    return TrialRow(
        trial=slot + 1,
        state=STATES.get(trial.state, "failed"),
        value=trial.value if trial.state == TrialState.COMPLETE else None,
        settings={name: as_text(trial.params[name]) for name in names if name in trial.params},
        epochs=len(trial.intermediate_values),
        seconds=trial.user_attrs.get("seconds", 0.0),
        failed_before=failures(list(attempts)) - (FAILURE in trial.user_attrs),
        run_id=trial.user_attrs.get("run_id", ""),
        failure=trial.user_attrs.get(FAILURE, ""),
    )
