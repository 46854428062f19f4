"""Logged names stay what they were: runs are compared by them."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from newsclf.evaluation.metric_names import metric_name, metric_part

names = st.text(max_size=300) | st.text("aé./ -_:%", max_size=300)


# As 0.1.0 wrote them, in three places.
def of_a_batch(name: str) -> str:
    return "/".join(re.sub(r"[^\w.\- ]", "_", part).strip(" .") or "_" for part in name.split("/"))[:250]


def of_a_class(label: str) -> str:
    return re.sub(r"[^A-Za-z0-9_\-. ]", "_", label).strip(". ")[:100] or "_"


def of_a_column(text: str) -> str:
    return re.sub(r"[^\w.\- ]", "_", text).strip(". ")[:200] or "_"


@given(names)
@example("x" * 300 + "/y")
@example(" . ")
@example("Wörld/\u017f/²")
def test_names_are_what_they_were(name: str) -> None:
    assert metric_name(name) == of_a_batch(name)
    assert metric_part(name, 100, ascii_only=True) == of_a_class(name)
    assert metric_part(name, 200) == of_a_column(name)


def test_letters_of_other_scripts_are_kept_but_in_scores_by_class() -> None:
    assert (metric_part("Wörld"), metric_part("Wörld", ascii_only=True)) == ("Wörld", "W_rld")


@pytest.mark.parametrize("name", ["", "/", "../up", "a/./b", "Sci/Tech", "日本", "5 %: \n", "x" * 300])
def test_mlflow_takes_them(name: str) -> None:
    from mlflow.utils.validation import _validate_metric_name

    _validate_metric_name(metric_name(name))
    _validate_metric_name(metric_part(name))
