"""What Evidently and whylogs say of the same batches, with their own defaults.

Both are measured where they are installed: `pip install evidently==0.7.23 "whylogs[viz]==1.6.4"`, in an environment of
its own beside this project's.
"""

import importlib.util
import os
import warnings
from collections.abc import Callable, Sequence

import pandas as pd

os.environ["DO_NOT_TRACK"] = "1"
os.environ["WHYLOGS_NO_ANALYTICS"] = "true"

Says = Callable[[Sequence[str], Sequence[str] | None], bool]
Rival = Callable[[Sequence[str], Sequence[str]], Says]


def rivals() -> dict[str, Rival]:
    """Those that are installed: of a reference's texts and labels, a function that says whether a batch drifted."""
    found: dict[str, Rival] = {}
    if importlib.util.find_spec("evidently"):
        found["Evidently"] = _evidently
    if importlib.util.find_spec("IPython"):  # whylogs' drift scores stand in its notebook part
        found["whylogs"] = _whylogs
    return found


def _frame(texts: Sequence[str], labels: Sequence[str] | None) -> pd.DataFrame:
    return pd.DataFrame({"text": texts} if labels is None else {"text": texts, "label": labels})


def _evidently(texts: Sequence[str], labels: Sequence[str]) -> Says:
    from evidently import DataDefinition, Dataset, Report  # type: ignore[import-not-found]
    from evidently.metrics import ValueDrift  # type: ignore[import-not-found]

    def says(current: Sequence[str], current_labels: Sequence[str] | None) -> bool:
        columns = ["text"] if current_labels is None else ["text", "label"]
        definition = DataDefinition(text_columns=["text"], categorical_columns=columns[1:])
        sides = [
            Dataset.from_pandas(_frame(*side)[columns], data_definition=definition)
            for side in ((current, current_labels), (texts, labels))
        ]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            report = Report([ValueDrift(column=name) for name in columns], include_tests=True)
            tests = report.run(*sides).dict()["tests"]
        return any(test["status"].name == "FAIL" for test in tests)

    return says


def _whylogs(texts: Sequence[str], labels: Sequence[str]) -> Says:
    import whylogs
    from whylogs.viz.drift.column_drift_algorithms import calculate_drift_scores

    before = whylogs.log(_frame(texts, labels)).view()

    def says(current: Sequence[str], current_labels: Sequence[str] | None) -> bool:
        now = whylogs.log(_frame(current, current_labels)).view()
        scores = calculate_drift_scores(target_view=now, reference_view=before, with_thresholds=True)
        return any(scores[name]["drift_category"] == "DRIFT" for name in now.get_columns() if scores.get(name))

    return says
