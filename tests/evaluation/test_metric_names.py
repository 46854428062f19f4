"""The name of a class in a metric: its letters are kept, no two share one, and no other class has a say in it.

The kind: a name that means another class, or none. Its places: scores by class (test_scores.py), the shares and columns
of profiles (profiling/test_summary.py), monitors' alerts, rules that watch such a number (monitoring/test_rules.py).
"""

import itertools
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mlflow.utils.validation import _validate_metric_name

from newsclf.evaluation.metric_names import MAX_NAME, earlier_name, metric_name, metric_part

# fmt: off
ODD = [
    "Politics, EU & UN", "Sport/Fußball", "科技 📱", "أخبار", "हिन्दी", "a\nb", "100% true?", "<b>bold</b>", "C:\\news",
    "x=1;y=2", "'quoted'", '"dq"', "_", "__", "..", ".", "...", "-", "café", unicodedata.normalize("NFD", "café"),
    "SPORT/FUSSBALL", "News.", "News", "🏃", "", " ", "/", "//", "a//b", "/x", "x/", "x/.", "../up", "a/../b", "..x",
    ":", "::", ":2f:", "a:b", "a/b", "a_b", "a b", "a&b", "a+b", "a_b_1", "a ", "\ud800", "\0", "x" * 200, "x" * 201,
    "x" * 300, "📱" * 60, "📱" * 61, "a" * 199 + "/b", "a" * 182 + "//" + "b" * 90,
]
# fmt: on
PREFIXES = ("test_precision/", "f1/", "predicted_label/", "alert/")


def test_letters_are_kept() -> None:
    for name in ("科技", "أخبار", "Sport/Fußball", "Спорт", "talk.religion.misc", "a b-c_d", "Sci/Tech", "News.", "²"):
        assert metric_part(name) == name


@pytest.mark.parametrize("prefix", PREFIXES)
def test_mlflow_takes_every_name(prefix: str) -> None:
    for name in ODD:
        _validate_metric_name(prefix + metric_part(name))
        _validate_metric_name(f"distance_to_{metric_part(name)}/median")
        assert len(prefix + metric_part(name)) <= MAX_NAME


def test_no_two_classes_share_a_name() -> None:
    assert len({metric_part(name) for name in ODD}) == len(ODD)


def test_no_two_short_texts_share_a_name() -> None:
    texts = ["".join(parts) for size in range(6) for parts in itertools.product("/.: 2e_", repeat=size)]
    assert len({metric_part(text) for text in texts}) == len(texts)


@given(st.text(max_size=300), st.text(max_size=300))
def test_any_two_texts_have_two_names(one: str, other: str) -> None:
    assert (metric_part(one) == metric_part(other)) == (one == other)
    _validate_metric_name(f"f1/{metric_part(one)}")


@given(st.text("aé./ -_:%", max_size=300))
def test_a_name_that_mlflow_takes_is_logged_as_it_is(name: str) -> None:
    logged = metric_name(name)
    _validate_metric_name(logged)
    assert metric_name(logged) == logged
    assert metric_name(f"f1/{metric_part(name)}") == f"f1/{metric_part(name)}"


@pytest.mark.parametrize(
    ("name", "earlier"),
    [
        ("label/World", "label/World"),
        ("label/Sci/Tech", "label/Sci_Tech"),
        ("predicted_label/R:26:B", "predicted_label/R_B"),
        ("label/a.", "label/a"),
        ("distance_to_Sci/Tech/median", "distance_to_Sci_Tech/median"),
        ("characters/q05", "characters/q05"),
        ("covariate/p_value", "covariate/p_value"),
        ("rows", "rows"),
        ("change/sudden", "change/sudden"),
    ],
)
def test_names_of_earlier_versions_are_known(name: str, earlier: str) -> None:
    assert earlier_name(name) == earlier
