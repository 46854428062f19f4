import json
from dataclasses import replace

import pytest

from newsclf.drift.evidence import ColumnEffect, Evidence, not_judged
from newsclf.drift.kinds import NAMES
from newsclf.drift.verdict import Finding, Verdict, combine_evidence, not_enough_data


def evidence(kind: str, p_value: float, effect: float = 0.3, least: float = 0.1) -> Evidence:
    tested = (ColumnEffect("one", p_value, effect), ColumnEffect("two", 0.9, 0.01))
    return Evidence(kind, p_value, effect, "points", least, tested, f"{kind} moved.", f"{kind} is as it was.")


def verdict_of(p_values: dict[str, float], alpha: float = 0.05) -> Verdict:
    return combine_evidence([evidence(kind, p) for kind, p in p_values.items()], 200, alpha)


def corrected(verdict: Verdict) -> dict[str, float | None]:
    return {kind: finding.p_value for kind, finding in verdict.kinds.items()}


def test_holm_by_hand():
    """Sorted: 0.01 x 4, 0.02 x 3, 0.03 x 2, 0.005 is the first: 0.005 x 5 ... each at least as large as the last."""
    found = verdict_of({"covariate": 0.01, "prior": 0.02, "quality": 0.04, "concept": 0.005, "performance": 0.9})
    assert corrected(found) == {
        "quality": pytest.approx(0.08),  # 0.04 x 2
        "covariate": pytest.approx(0.04),  # 0.01 x 4
        "prior": pytest.approx(0.06),  # 0.02 x 3
        "concept": pytest.approx(0.025),  # 0.005 x 5
        "performance": pytest.approx(0.9),
    }
    assert {kind for kind, finding in found.kinds.items() if finding.drifted} == {"covariate", "concept"}


def test_a_corrected_p_value_is_no_smaller_than_one_before_it_and_at_most_one():
    found = verdict_of({"covariate": 0.02, "prior": 0.021, "concept": 0.6, "quality": 0.7})
    expected = {"covariate": 0.08, "prior": 0.08, "concept": 1.0, "quality": 1.0}
    assert corrected(found) == {kind: pytest.approx(p) for kind, p in expected.items()}


def test_what_cannot_be_judged_does_not_count():
    alone = combine_evidence([evidence("covariate", 0.04), not_judged("prior", "No labels.")], 200, 0.05)
    assert alone.kinds["covariate"].p_value == 0.04
    assert alone.drifted is True
    assert alone.kinds["prior"] == Finding("prior", None, None, None, "", (), (), "No labels.")


@pytest.mark.parametrize(
    ("small", "kind"),
    [
        (NAMES, "quality"),
        (("covariate", "prior", "concept", "performance"), "covariate"),
        (("performance", "concept", "prior"), "prior"),
        (("concept", "performance"), "concept"),
        (("performance",), "performance"),
        ((), None),
    ],
)
def test_the_first_kind_explains_the_others_however_sure_they_are(small, kind):
    p_values = {name: 1e-9 / (place + 1) if name in small else 0.5 for place, name in enumerate(NAMES)}
    for order in (list(p_values), list(p_values)[::-1]):
        found = verdict_of({name: p_values[name] for name in order})
        assert found.kind == kind
        assert found.drifted == bool(small)
        assert list(found.kinds) == list(NAMES)
        if kind:
            assert found.sentence.startswith(f"Drift ({kind}): {kind} moved.")
            assert (" Changed with it: " in found.sentence) == (len(small) > 1)
        else:
            assert found.sentence.startswith("No drift in 200 texts (quality, covariate, prior, concept, performance")


def test_an_effect_below_the_least_is_no_drift_in_either_direction():
    for effect, drifted in ((0.09, False), (-0.09, False), (0.1, True), (-0.1, True)):
        found = combine_evidence([evidence("prior", 1e-30, effect)], 10**6, 0.05)
        assert found.drifted is drifted
        assert found.kinds["prior"].sentence == ("prior moved." if drifted else "prior is as it was.")


def test_alpha_is_the_line():
    p_values = {"covariate": 0.02, "prior": 0.9}
    assert verdict_of(p_values, 0.04).drifted is True
    assert verdict_of(p_values, 0.0399).drifted is False
    assert "at most 4% false alarms" in verdict_of(p_values, 0.0399).sentence


def test_only_what_moved_is_listed_as_moved():
    found = verdict_of({"covariate": 0.001, "prior": 0.9}).kinds
    assert [one.name for one in found["covariate"].significant] == ["one"]
    assert [one.name for one in found["covariate"].tested] == ["one", "two"]
    assert found["prior"].significant == ()
    assert len(found["prior"].tested) == 2


def test_nothing_that_can_be_judged_is_neither_drift_nor_none():
    found = combine_evidence([not_judged("covariate", "No texts."), not_judged("prior", "No labels.")], 200, 0.05)
    assert found.drifted is None
    assert found.kind is None
    assert found.sentence == "Nothing can be judged: No texts.; No labels."


def test_not_enough_data():
    found = not_enough_data(49, 50, 0.01)
    assert (found.drifted, found.kind, found.rows, found.alpha) == (None, None, 49, 0.01)
    assert found.sentence == "Not enough data: 49 texts, 50 are needed."
    assert set(found.kinds) == set(NAMES)
    assert {(finding.drifted, finding.p_value) for finding in found.kinds.values()} == {(None, None)}


@pytest.mark.parametrize(
    "verdict",
    [
        verdict_of({"covariate": 0.001, "prior": 0.9}),
        verdict_of({"quality": 0.9}),
        not_enough_data(3, 50, 0.05),
        combine_evidence([not_judged("covariate", "No texts — “none”.")], 200, 0.05),
    ],
    ids=["drift", "none", "not enough data", "nothing judged"],
)
def test_a_verdict_goes_through_json_and_back(verdict):
    back = Verdict.from_dict(json.loads(json.dumps(verdict.as_dict())))
    assert back == verdict
    assert replace(back, rows=1) != verdict


def test_in_files_the_significant_columns_are_called_moved():
    finding = verdict_of({"covariate": 0.001}).as_dict()["kinds"]["covariate"]
    assert list(finding) == [
        "kind",
        "drifted",
        "p_value",
        "effect",
        "effect_unit",
        "moved",
        "tested",
        "sentence",
        "words",
    ]
    assert [column["name"] for column in finding["moved"]] == ["one"]


def test_numbers_are_those_that_could_be_judged():
    verdict = combine_evidence([evidence("covariate", 0.001), not_judged("prior", "No labels.")], 200, 0.05)
    assert verdict.numbers == {
        "drifted": 1.0, "covariate/drifted": 1.0, "covariate/p_value": 0.001, "covariate/effect": 0.3,
    }  # fmt: skip
    assert verdict.smallest_p_value == 0.001
    assert not_enough_data(3, 50, 0.05).numbers == {}
    assert not_enough_data(3, 50, 0.05).smallest_p_value is None
