import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from newsclf.drift import Verdict, fit_reference, load_reference, save_reference
from newsclf.drift.kinds import NAMES
from newsclf.drift.reference import MIN_ROWS
from newsclf.errors import InputError
from newsclf.features.text_statistics import STATISTICS

from .conftest import CLASSES, Keywords, foreign, relabelled

# What a batch is made of, and what the verdict has to say of it.


def test_without_a_change_there_is_seldom_a_drift(reference, news):
    drifted = []
    for _ in range(40):
        texts, labels = news.rows(150)
        drifted += [reference.judge(texts, labels).drifted, reference.judge(texts).drifted]
    assert sum(drifted) <= stats.binom.ppf(0.999, 40, 0.05) * 2


def garbled(news, texts, labels):
    return [text.replace("e", "3").replace("o", "0") if row < 24 else text for row, text in enumerate(texts)], labels


def more_business(news, texts, labels):
    return news.rows(len(texts), (0.6, 0.2, 0.2))


def more_business_without_labels(news, texts, labels):
    return more_business(news, texts, labels)[0], None


def empty(news, texts, labels):
    return ["", " ", None, *texts[3:12], *[""] * 9, *texts[21:]], labels


def repeated(news, texts, labels):
    return texts[:20] * 2 + texts[40:], labels[:20] * 2 + labels[40:]


def unknown(news, texts, labels):
    return texts, [*["Weather"] * 20, *labels[20:]]


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (foreign, "covariate"),
        (garbled, "covariate"),
        (more_business, "prior"),
        (more_business_without_labels, "prior"),
        (relabelled, "concept"),
        (empty, "quality"),
        (repeated, "quality"),
        (unknown, "quality"),
    ],
)
def test_each_kind_is_seen_and_named(change, kind, reference, news):
    for _ in range(3):
        verdict = reference.judge(*change(news, *news.rows(240)))
        assert verdict.drifted is True
        assert verdict.kind == kind
        assert verdict.kinds[kind].significant
        assert verdict.rows == 240


def test_a_batch_that_repeats_another_is_a_fault_of_quality(reference, news):
    texts, labels = news.rows(200)
    for row_labels in (labels, None):
        before, now = (reference.read(texts, row_labels, repeats_a_batch=repeats) for repeats in (False, True))
        verdict = reference.judge(now)
        assert (verdict.kind, verdict.drifted) == ("quality", True)
        assert "100.0% of the rows repeat an earlier batch, 0.0% in the reference." in verdict.sentence
        # The other batches' numbers stay what they are: one reason less is tested there.
        names = [{one.name for one in reference.judge(batch).kinds["quality"].tested} for batch in (before, now)]
        assert names[1] - names[0] == {"repeats_a_batch"}


def test_labels_are_those_of_a_reference_that_spells_them_otherwise(news):
    texts, labels = news.rows(400)
    old = {"Business": "True", "Sports": "False", "World": "1.0"}
    new = {"Business": "true", "Sports": "false", "World": "1"}
    fitted = fit_reference(texts, [old[label] for label in labels])
    read = fitted.read(texts, [new[label] for label in labels])
    assert read.bad_rows["unknown_class"] == 0
    assert read.columns["label"].tolist() == [old[label] for label in labels]


def test_unreadable_rows_are_a_fault_of_quality(reference, news):
    verdict = reference.judge(news.texts(200), unreadable=20)
    assert verdict.kind == "quality"
    assert verdict.rows == 220
    assert "cannot be read" in verdict.sentence


def test_alpha_is_passed_on(reference, news):
    texts = news.texts(100)
    loose, strict = reference.judge(texts, alpha=0.5), reference.judge(texts, alpha=1e-6)
    assert (loose.alpha, strict.alpha) == (0.5, 1e-6)
    assert strict.drifted is False
    assert [finding.p_value for finding in loose.kinds.values()] == [f.p_value for f in strict.kinds.values()]


def test_a_missing_label_is_no_unknown_class(reference, news):
    texts, labels = news.rows(150)
    some = reference.judge(texts, [None, float("nan"), *[None] * 60, *labels[62:]])
    assert some.drifted is False
    assert some.kinds["concept"].drifted is False
    assert reference.judge(texts, [None] * 150) == reference.judge(texts)


def test_not_enough_data_is_never_no_drift(reference, news):
    texts, labels = news.rows(MIN_ROWS)
    assert reference.judge(texts, labels).drifted is not None
    for few in (reference.judge(texts[1:], labels[1:]), reference.judge([]), reference.judge(texts, min_rows=51)):
        assert (few.drifted, few.kind) == (None, None)
        assert "ot enough data" in few.sentence
        assert set(few.kinds) == set(NAMES)
    assert reference.judge(texts[1:], unreadable=1).drifted is not False, "a row that cannot be read is no text"
    assert reference.judge(texts[:3], min_rows=3).drifted is not None


def test_nothing_but_empty_texts_is_a_fault_of_quality(reference):
    verdict = reference.judge(["", None, " "] * 30)
    assert verdict.kind == "quality"
    assert verdict.kinds["covariate"].drifted is None
    assert "not enough data: 0 texts that are not empty" in verdict.kinds["covariate"].sentence


def test_empty_texts_as_in_the_reference_do_not_make_a_verdict(news):
    sparse = fit_reference([*news.texts(150), *[""] * 600])
    verdict = sparse.judge([*news.texts(20), *[""] * 80])
    assert verdict.kinds["quality"].drifted is False
    assert verdict.drifted is None
    assert verdict.sentence == "Not enough data: 20 texts that are not empty, 50 are needed."


def test_any_sequence_will_do(reference, news):
    texts, labels = news.rows(120)
    texts[5] = None
    frame = pd.DataFrame({"text": texts, "label": labels}, index=np.arange(120)[::-1] + 7)
    frame.loc[frame["text"].isna(), "text"] = np.nan
    expected = reference.judge(texts, labels)
    assert reference.judge(frame["text"], frame["label"]) == expected
    assert reference.judge(frame["text"].to_numpy(), frame["label"].to_numpy()) == expected
    pd.testing.assert_frame_equal(reference.read(frame["text"]).columns, reference.read(texts).columns)


def test_odd_texts_are_judged(reference, news):
    odd = ["\ud800", "\u200b", "\0", "1 2 3", "北京", "👩‍👧", "x" * 100_000, "  \u3000", "a\x85b"]
    verdict = reference.judge([*odd * 6, *news.texts(60)], [*["World"] * 54, *["Sports"] * 60])
    assert verdict.drifted is True
    assert Verdict.from_dict(json.loads(json.dumps(verdict.as_dict()))) == verdict


# Columns, as they go into a profile.


def test_columns(reference, news):
    texts, labels = news.rows(80)
    texts[3], texts[4] = "", None
    labels[5], labels[6] = "Weather", None
    frame = reference.read(texts, labels).columns
    assert list(frame)[: len(STATISTICS)] == list(STATISTICS)
    assert {
        *reference.held_out.columns,
        "label",
        "predicted_label",
        "confidence",
        "entropy",
        "margin",
        "correct",
    } <= set(frame)
    assert {f"distance_to_{name}" for name in CLASSES} <= set(frame)
    assert frame["missing"].sum() == 1
    assert frame["empty"].sum() == 2
    for name in ("distance", "direction_1", "confidence", "predicted_label", "surprise"):
        assert frame[name].isna().tolist() == [row in (3, 4) for row in range(80)], name
    assert frame["label_probability"].isna().tolist() == [row in (3, 4, 5, 6) for row in range(80)]
    agreed = (frame["predicted_label"] == frame["label"])[frame["correct"].notna()]
    assert (frame["correct"].dropna() == agreed).all()
    assert agreed.mean() > 0.9
    without = reference.read(texts).columns
    pd.testing.assert_frame_equal(without, frame[list(without)])


def test_columns_of_the_held_out_texts_are_in_its_profile(reference):
    columns = set(reference.read(["news"], ["World"]).columns)
    assert set(reference.profile.columns) == {*columns, "text"}
    assert reference.profile.rows == len(reference.held_out.columns)
    assert reference.profile.reference == reference.id


# A predictor from outside.


def test_a_predictor_from_outside(news, tmp_path):
    predictor = Keywords(sure=5)
    texts, labels = news.rows(400)
    fitted = fit_reference(texts, [*news.random.choice(CLASSES, 80).tolist(), *labels[80:]], predictor)
    assert fitted.light is None
    assert fitted.predictor_name == predictor.name
    assert fitted.temperature > 1.5, "it is too sure, and calibrated"
    texts, labels = news.rows(200)
    assert fitted.judge(texts, [*news.random.choice(CLASSES, 40).tolist(), *labels[40:]]).drifted is False
    assert fitted.judge(*relabelled(news, texts, labels)).kind == "concept"
    save_reference(fitted, tmp_path)
    assert load_reference(tmp_path, predictor).judge(texts, labels) == fitted.judge(texts, labels)
    alone = load_reference(tmp_path)
    assert alone.predictor_name == predictor.name
    assert alone.judge(texts, labels).kinds["concept"].drifted is None
    assert alone.judge(texts, labels).kinds["prior"].drifted is False
    assert "confidence" not in alone.read(texts).columns


def test_held_out_texts_are_those_the_predictor_has_not_learnt_from(news):
    predictor = Keywords()
    texts, (others, labels) = news.texts(200), news.rows(120)
    fitted = fit_reference(texts, ["World"] * 200, predictor, held_out=([*others, ""], [*labels, "World"]))
    assert sorted(text for call in predictor.calls for text in call) == sorted(others)
    assert len(fitted.held_out.columns) == 120
    assert len(fitted.reader.map.anchors) == 200, "all of the others made the map"


def test_a_predictor_reads_a_bounded_part_of_a_batch(news, monkeypatch):
    monkeypatch.setattr("newsclf.drift.reference.READ_ROWS", 70)
    predictor = Keywords()
    texts, labels = news.rows(300)
    fitted = fit_reference(texts, labels, predictor)
    predictor.calls.clear()
    texts, labels = news.rows(200)
    first, second = fitted.judge(texts, labels), fitted.judge(texts, labels)
    assert [len(call) for call in predictor.calls] == [70, 70]
    assert first == second
    frame = fitted.read(["", *texts], ["World", *labels]).columns
    assert frame["confidence"].notna().sum() == 70
    read = frame.dropna(subset=["confidence"])
    assert (read["predicted_label"] == read["label"]).mean() > 0.8, "each beside its own row"


def assert_alike(one: Verdict, other: Verdict) -> None:
    """Of the same texts, but for the last digits: a product of matrices rounds by their shapes."""
    assert one.sentence == other.sentence
    assert one.numbers == pytest.approx(other.numbers, rel=1e-5)


def test_a_batch_is_read_once_and_judged_as_its_texts_are(news, monkeypatch):
    """With embedding "encoder" no more than READ_ROWS texts are judged, but all of a batch have a place on the map."""
    monkeypatch.setattr("newsclf.drift.reference.READ_ROWS", 70)
    predictor, embedded = Keywords(), []
    texts, labels = news.rows(300)
    fitted = fit_reference(texts, labels, predictor)

    def embed(texts, counts):
        embedded.append(list(texts))
        return fitted.reader.embedder(texts, counts)

    quick = replace(fitted, reader=replace(fitted.reader, embedder=embed))
    slow = replace(quick, embedding="encoder")
    texts, labels = news.rows(200)
    texts = ["", *texts, None]
    labels = ["World", *labels, "World"]
    for reference, judged in ((quick, 200), (slow, 70)):
        predictor.calls.clear()
        embedded.clear()
        batch = reference.read(texts, labels, unreadable=3)
        verdict = reference.judge(batch)
        assert [sorted(call) for call in embedded] == [sorted(texts[1:-1])]
        assert [len(call) for call in predictor.calls] == [70]
        assert batch.columns["distance"].notna().sum() == 200
        assert len(batch.judged_rows) == judged
        assert (batch.filled, batch.rows, batch.bad_rows["unreadable"]) == (200, 205, 3)
        embedded.clear()
        assert_alike(reference.judge(texts, labels, unreadable=3), verdict)
        assert [len(call) for call in embedded] == [judged]


def test_of_many_texts_and_an_encoder_the_light_predictor_is_judged_by_some(reference, news, monkeypatch):
    monkeypatch.setattr("newsclf.drift.reference.READ_ROWS", 70)
    slow = replace(reference, embedding="encoder")
    texts, labels = news.rows(200)
    for given in (labels, None):
        batch = slow.read(texts, given)
        assert batch.columns["confidence"].notna().sum() == 200
        assert_alike(slow.judge(batch), slow.judge(texts, given))


def test_a_missing_label_is_not_the_class_none(news):
    texts, labels = news.rows(300)
    fitted = fit_reference(texts, [{"World": "None"}.get(label, label) for label in labels])
    batch = fitted.read(["some news"] * 2, [None, "None"])
    assert batch.labels is not None
    assert batch.labels.tolist() == [-1, fitted.classes.index("None")]


def test_a_predictor_and_no_labels(news):
    fitted = fit_reference(news.texts(300), None, Keywords())
    frame = fitted.read(news.texts(10)).columns
    assert set(frame["predicted_label"]) <= set(CLASSES)
    assert fitted.judge(news.texts(100)).drifted is False


def test_a_predictor_that_knows_more_classes_than_the_reference(news):
    texts, labels = news.rows(450)
    kept = [row for row, label in enumerate(labels) if label != "World"]
    fitted = fit_reference([texts[row] for row in kept], [labels[row] for row in kept], Keywords())
    for verdict in (fitted.judge(*news.rows(150, (0.5, 0.5, 0))), fitted.judge(news.rows(150, (0.5, 0.5, 0))[0])):
        assert verdict.drifted is False
        assert all(finding.p_value is None or 0 <= finding.p_value <= 1 for finding in verdict.kinds.values())
    assert fitted.judge(news.rows(150)[0]).drifted is True


def test_a_predictor_that_knows_fewer(news):
    texts, labels = news.rows(200)
    with pytest.raises(InputError, match="labels that its predictor does not know: Weather"):
        fit_reference(texts, ["Weather", *labels[1:]], Keywords())


def test_a_batch_of_empty_texts_and_a_predictor(news):
    fitted = fit_reference([*news.texts(200), *[""] * 50], None, Keywords())
    assert fitted.read(["", None]).columns["empty"].tolist() == [1, 1]
    assert fitted.judge([""] * 100).kind == "quality"
