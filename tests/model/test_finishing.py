"""What a trained classifier goes through before it is tested."""

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest

from newsclf.config import TrainConfig
from newsclf.model.batches import RaggedRows, TokenDataset
from newsclf.model.classifier import Classifier
from newsclf.model.finishing import Words, finish, fit_words
from newsclf.model.fusion import ENCODER_ALONE
from newsclf.model.tokenizer import Tokenizer

TEXTS = ["goal match", "goal team", "market shares", "market bank"] * 10
LABELS = np.array([0, 0, 1, 1] * 10)
CONFIG = TrainConfig()
CLASSES = ("Sports", "Business")


@pytest.fixture
def ingredients(make_classifier: Callable[..., Classifier], tokenizer: Tokenizer) -> tuple[Classifier, Tokenizer]:
    """Not trained: it knows nothing, and the words everything."""
    return make_classifier(classes=CLASSES), tokenizer


def finished(ingredients: tuple[Classifier, Tokenizer], config: TrainConfig, words: Words):
    classifier, tokenizer = ingredients
    validation = TokenDataset(tokenizer(TEXTS), LABELS, tokenizer.pad_id)
    return finish(config, classifier, tokenizer, validation, TEXTS, words, bf16=False)


def words_of(config: TrainConfig, texts=TEXTS, labels=LABELS, weights=None) -> Words:
    ids = RaggedRows(np.zeros(len(texts), np.int32), np.ones(len(texts), np.int64))
    return fit_words(config, texts, TokenDataset(ids, labels, weights=weights), CLASSES)


def test_the_words_are_fitted_where_somebody_wants_them():
    for options in ({}, {"fusion": "none"}, {"baseline": False}, {"fusion": "linear", "baseline": False}):
        words = words_of(dataclasses.replace(CONFIG, **options))
        assert words.linear is not None
        assert words.seconds > 0
    assert words_of(TrainConfig(fusion="none", baseline=False)) == Words(None, 0.0)


def test_rows_count_as_they_do_for_the_encoder():
    texts = ["oil wins", "oil wins", "oil wins", "oil team"]
    labels, weights = np.array([0, 0, 0, 1]), np.array([1, 2, 1, 1])

    def margin(config: TrainConfig, weights: np.ndarray | None = None) -> float:
        linear = words_of(config, texts, labels, weights).linear
        assert linear is not None
        return float(linear.margins(["oil"])[0, 1])

    plain = margin(CONFIG)
    assert margin(CONFIG, weights) < plain
    balanced = margin(dataclasses.replace(CONFIG, class_weights="balanced"))
    assert balanced > plain
    assert margin(dataclasses.replace(CONFIG, sampling="balanced")) == balanced
    assert margin(dataclasses.replace(CONFIG, class_weights={"Business": 3.0})) == pytest.approx(balanced)


def test_texts_without_a_word_train_all_the_same(capsys):
    assert words_of(CONFIG, ["", "!"], np.array([0, 1])).linear is None
    assert "no linear classifier of words: no word stands in two" in capsys.readouterr().out


def test_what_the_words_know_becomes_the_models(ingredients):
    words = words_of(CONFIG)
    model, metrics = finished(ingredients, CONFIG, words)
    assert model.linear is words.linear
    assert metrics["final_val_acc"] == 1.0
    assert metrics["final_val_loss"] < 0.3
    assert (metrics["fusion/encoder"], metrics["fusion/linear"]) == (model.fusion.encoder, model.fusion.linear)
    assert (model.predict_proba(TEXTS).argmax(axis=1) == LABELS).all()


def test_validation_rows_that_count_often_are_one_text_each(ingredients):
    classifier, tokenizer = ingredients
    words = words_of(CONFIG)
    often = TokenDataset(tokenizer(TEXTS), LABELS, tokenizer.pad_id, weights=np.full(len(TEXTS), 3))
    model, metrics = finish(CONFIG, classifier, tokenizer, often, TEXTS, words, bf16=False)
    once, same = finished(ingredients, CONFIG, words)
    assert metrics | {"seconds/baseline": 0} == same | {"seconds/baseline": 0}
    assert model.fusion == once.fusion


def test_without_fusion_the_model_has_no_words_in_it(ingredients):
    config = dataclasses.replace(CONFIG, fusion="none")
    model, metrics = finished(ingredients, config, words_of(config))
    assert model.linear is None
    assert metrics["fusion/linear"] == 0
    assert model.fusion != ENCODER_ALONE  # its temperature
    raw, _ = finished(ingredients, TrainConfig(fusion="none", calibrate=False), Words(None, 0.0))
    assert raw.fusion == ENCODER_ALONE
