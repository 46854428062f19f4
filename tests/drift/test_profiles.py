from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from newsclf.drift import Reference, fit_reference, judge_profiles
from newsclf.errors import InputError
from newsclf.features.text_statistics import text_statistics
from newsclf.profiling.profile import TextProfile

from .conftest import CLASSES, not_judged


def profile_of(reference: Reference, texts, labels=None) -> TextProfile:
    profile = TextProfile(reference.id, reference.encoder_sha256)
    reference.read(texts, labels).log_to(profile)
    return profile


def both(reference: Reference, texts, labels=None):
    return reference.judge(texts, labels), judge_profiles(reference.profile, profile_of(reference, texts, labels))


def foreign(news):
    texts = news.texts(240)
    return [news.text("Foreign") if row < 30 else text for row, text in enumerate(texts)], None


def cut(news):
    return [text[: len(text) // 2] if row < 60 else text for row, text in enumerate(news.texts(240))], None


def more_business(news):
    return news.rows(240, (0.6, 0.2, 0.2))


def more_business_without_labels(news):
    return news.rows(240, (0.7, 0.15, 0.15))[0], None


def relabelled(news):
    texts, labels = news.rows(240)
    return texts, [*news.random.permutation(labels[:100]).tolist(), *labels[100:]]


def empty(news):
    return [*[""] * 12, *[None] * 12, *news.texts(216)], None


def repeated(news):
    texts = news.texts(220)
    return texts + texts[:20], None


def unknown(news):
    texts, labels = news.rows(240)
    return texts, [*["Weather"] * 20, *labels[20:]]


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (foreign, "covariate"),
        (cut, "covariate"),
        (more_business, "prior"),
        (relabelled, "concept"),
        (empty, "quality"),
        (repeated, "quality"),
        (unknown, "quality"),
    ],
)
def test_profiles_say_what_the_texts_say(make, kind, reference, news):
    for _ in range(2):
        by_texts, by_profiles = both(reference, *make(news))
        assert by_texts.kind == by_profiles.kind == kind
        assert by_profiles.drifted is True
        assert by_profiles.rows == by_texts.rows
        assert by_profiles.kinds[kind].effect == pytest.approx(by_texts.kinds[kind].effect, abs=0.05)


def test_without_labels_moved_shares_are_a_drift_as_well(reference, news):
    """Of what kind profiles cannot tell: texts of one class more often are other texts as well."""
    verdict = judge_profiles(reference.profile, profile_of(reference, *more_business_without_labels(news)))
    assert verdict.kinds["prior"].drifted is True


def test_without_a_change_there_is_seldom_a_drift(reference, news):
    drifted: list[bool | None] = []
    for _ in range(40):
        texts, labels = news.rows(150)
        given = None if len(drifted) % 2 else labels
        drifted.append(judge_profiles(reference.profile, profile_of(reference, texts, given)).drifted)
    assert drifted.count(True) <= stats.binom.ppf(0.999, 40, 0.05)


def test_p_values_are_nearly_those_of_the_texts(reference, news):
    texts, labels = news.rows(240)
    by_texts, by_profiles = both(reference, texts, labels)
    assert by_profiles.kinds["prior"].tested == by_texts.kinds["prior"].tested
    for kind in ("concept", "performance"):
        assert by_profiles.kinds[kind].effect == pytest.approx(by_texts.kinds[kind].effect, abs=0.01)
    names = {kind: {one.name for one in by_texts.kinds[kind].tested} for kind in ("covariate", "quality")}
    assert {one.name for one in by_profiles.kinds["covariate"].tested} == names["covariate"]
    assert {one.name for one in by_profiles.kinds["quality"].tested} == names["quality"] - {"unreadable"}


def test_classes_that_moved_are_not_taken_for_other_texts(reference, news):
    verdict = judge_profiles(reference.profile, profile_of(reference, *more_business(news)))
    assert verdict.kinds["covariate"].drifted is None
    assert verdict.kinds["covariate"].sentence.startswith("The class shares moved")


def test_files_and_parts(reference, news, tmp_path):
    texts, labels = foreign(news)[0], news.rows(240)[1]
    whole = profile_of(reference, texts, labels)
    expected = judge_profiles(reference.profile, whole)
    one, other = reference.profile.write(tmp_path / "one.bin"), whole.write(tmp_path / "other.bin")
    read = judge_profiles(one, str(other))
    for kind, finding in expected.kinds.items():
        assert read.kinds[kind].p_value == pytest.approx(finding.p_value)
    parts = [profile_of(reference, texts[begin::3], labels[begin::3]) for begin in range(3)]
    merged = parts[0].merge(parts[1]).merge(parts[2])
    assert judge_profiles(reference.profile, merged).kind == expected.kind == "covariate"


def statistics(texts: list[str]) -> TextProfile:
    profile = TextProfile(timestamp=datetime(2026, 1, 1, tzinfo=UTC))
    profile.log(text_statistics(texts).assign(text=texts))
    return profile


def test_profiles_without_a_reference(news):
    before = statistics(news.texts(800))
    assert judge_profiles(before, statistics(news.texts(300))).drifted is False
    shouting = [text.upper() if row % 10 == 0 else text for row, text in enumerate(news.texts(300))]
    verdict = judge_profiles(before, statistics(shouting))
    assert verdict.kind == "covariate"
    assert verdict.kinds["covariate"].significant[0].name == "uppercase_share"
    assert not_judged(verdict) >= {"prior", "concept", "performance"}
    assert not_judged(verdict) & {"quality", "covariate"} == set()


def test_many_rows_do_not_make_a_speck_a_drift():
    random = np.random.default_rng(0)

    def made(rows: int, mean: float) -> TextProfile:
        profile = TextProfile()
        profile.log(pd.DataFrame({"characters": random.normal(mean, 10, rows), "label": random.choice(CLASSES, rows)}))
        return profile

    before = made(200_000, 100)
    assert judge_profiles(before, made(200_000, 100.2)).drifted is False
    assert judge_profiles(before, made(200_000, 102)).drifted is True
    assert [judge_profiles(before, made(20_000, 100)).drifted for _ in range(20)].count(True) <= 3


def test_not_enough_data_is_never_no_drift(reference, news):
    texts = news.texts(60)
    assert judge_profiles(reference.profile, profile_of(reference, texts[:50])).drifted is not None
    few = judge_profiles(reference.profile, profile_of(reference, texts[:49]))
    assert few == reference.judge(texts[:49])
    assert few.drifted is None
    more = judge_profiles(reference.profile, profile_of(reference, texts), min_rows=61)
    assert more.sentence == "Not enough data: 60 texts, 61 are needed."
    nothing = judge_profiles(reference.profile, TextProfile(reference.id, reference.encoder_sha256))
    assert nothing.drifted is None


def test_empty_texts(reference, news):
    verdict = judge_profiles(reference.profile, profile_of(reference, ["", None, " "] * 30))
    assert verdict.kind == "quality"
    assert verdict.kinds["covariate"].drifted is None
    sparse = fit_reference([*news.texts(150), *[""] * 600])
    few = judge_profiles(sparse.profile, profile_of(sparse, [*news.texts(20), *[""] * 80]))
    assert (few.drifted, few.sentence) == (None, "Not enough data: 20 texts that are not empty, 50 are needed.")
    as_before = [*news.texts(80), *[""] * 320]
    assert sparse.judge(as_before).drifted is False
    assert judge_profiles(sparse.profile, profile_of(sparse, as_before)).drifted is False


def test_texts_without_a_single_token(reference):
    verdict = judge_profiles(reference.profile, profile_of(reference, [f"{chr(0x200B) * n}" for n in range(1, 101)]))
    assert verdict.kind == "covariate"
    assert np.isfinite([f.p_value for f in verdict.kinds.values() if f.p_value is not None]).all()


@pytest.mark.parametrize(
    ("reference_id", "encoder", "says"),
    [
        ("another", None, "profiles of different references cannot be compared"),
        ("", None, "none.: profile both with the same reference|, none\\)"),
        (None, "0" * 64, "profiles of different encoders cannot be compared"),
    ],
)
def test_profiles_of_different_references(reference_id, encoder, says, reference):
    ids = (
        reference.id if reference_id is None else reference_id,
        reference.encoder_sha256 if encoder is None else encoder,
    )
    other = TextProfile(*ids)
    for pair in ((reference.profile, other), (other, reference.profile)):
        with pytest.raises(InputError, match="profiles of different"):
            judge_profiles(*pair)
    with pytest.raises(InputError, match=says):
        judge_profiles(reference.profile, other)


@pytest.mark.parametrize("share", [0, 0.5, 0.99])
def test_broken_files(share, reference, tmp_path):
    whole = reference.profile.to_bytes()
    (tmp_path / "profile.bin").write_bytes(whole[: int(share * len(whole))])
    for pair in ((reference.profile, tmp_path / "profile.bin"), (tmp_path / "profile.bin", reference.profile)):
        with pytest.raises(InputError, match="profile.bin is (empty|truncated)"):
            judge_profiles(*pair)
    with pytest.raises(InputError, match="cannot read the profile"):
        judge_profiles(reference.profile, tmp_path / "none.bin")
