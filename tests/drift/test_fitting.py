"""What a reference is fitted to."""

from typing import Any, cast

import numpy as np
import pandas as pd
import pytest

from newsclf.drift import fit_reference
from newsclf.drift.fitting import MIN_TEXTS
from newsclf.errors import InputError
from tests.drift.conftest import foreign, not_judged


def test_the_same_seed_gives_the_same_reference(reference_rows, reference, news):
    texts, labels = news.rows(100)
    first, second = reference_rows
    again, other = fit_reference(first, second), fit_reference(first, second, seed=1)
    assert again.id == reference.id != other.id
    assert again.judge(texts, labels) == reference.judge(texts, labels) != other.judge(texts, labels)


def test_a_reference_as_a_pandas_table(reference_rows, reference):
    frame = pd.DataFrame(dict(zip(("text", "label"), reference_rows, strict=True))).iloc[::-1].iloc[::-1]
    frame.index = frame.index[::-1]
    assert fit_reference(cast(Any, frame["text"]), cast(Any, frame["label"])).id == reference.id


def test_no_text_is_compared_with_a_map_of_itself(reference):
    """Half of the texts made the map; compared are those that did not."""
    assert len(reference.held_out.columns) == 500
    assert len(reference.reader.map.anchors) == 500
    assert reference.held_out.columns["distance"].min() > 0.01


def test_without_labels_classes_are_not_judged(news):
    plain = fit_reference(news.texts(300))
    assert plain.classes == ()
    texts, labels = news.rows(120)
    for verdict in (plain.judge(texts), plain.judge(texts, labels)):
        assert verdict.drifted is False
        assert not_judged(verdict) >= {"prior", "concept", "performance"}
        assert not_judged(verdict) & {"quality", "covariate"} == set()
    assert plain.judge(foreign(news, texts, None)[0]).kind == "covariate"


def test_one_class_only(news):
    single = fit_reference(news.texts(300), ["World"] * 300)
    verdict = single.judge(news.texts(120), ["World"] * 120)
    assert verdict.drifted is False
    assert verdict.kinds["prior"].sentence == "The reference has one class only."
    assert single.judge(news.texts(120), ["Sports"] * 120).kind == "quality"


def test_a_class_of_one_row(news):
    texts, labels = news.rows(300)
    rare = fit_reference(texts, ["Rare", *labels[1:]])
    assert rare.classes == ("Business", "Rare", "Sports", "World")
    assert rare.judge(*news.rows(120)).drifted is False


@pytest.mark.filterwarnings("ignore:Precision loss")
def test_texts_that_are_all_alike(news):
    same = fit_reference(["nothing new today"] * 300, ["a", "b"] * 150)
    assert same.judge(["nothing new today"] * 100).drifted is False
    assert same.judge(news.texts(100)).kind == "covariate"


@pytest.mark.parametrize(
    ("texts", "labels", "held_out", "says"),
    [
        (["news"] * (MIN_TEXTS - 1), None, None, "of 99 texts that are not empty is too small: 100 are needed"),
        (["news"] * 60 + [""] * 500, None, None, "a reference of 60 texts that are not empty"),
        (["news"] * 200, ["a"] * 199, None, "200 texts and 199 labels"),
        (["news"] * 200, ["a"] * 197 + [None, None, np.nan], None, "3 of 200 labels of the reference are missing"),
        (["news"] * 200, ["a"] * 200, (["x"] * 49, ["a"] * 49), "49 held-out texts that are not empty are too few"),
        (["news"] * 200, ["a"] * 200, (["x"] * 60, ["a"] * 50), "60 texts and 50 labels"),
        (["news"] * 49, ["a"] * 49, (["x"] * 60, ["a"] * 60), "a reference of 49 texts"),
    ],
)
def test_what_is_no_reference(texts, labels, held_out, says):
    with pytest.raises(InputError, match=says):
        fit_reference(texts, labels, held_out=held_out)
    with pytest.raises(InputError, match="3 texts and 2 labels"):
        fit_reference(["some news"] * 100).judge(["a"] * 3, ["a"] * 2)
