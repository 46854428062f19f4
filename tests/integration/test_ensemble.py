"""Models of earlier runs joined with a new one, through the door of train; and what cannot be joined."""

import numpy as np
import pytest

from newsclf.model.text_classifier import TextClassifier
from newsclf.tracking.artifacts.models import fetch

TINY = {"epochs": 1, "learning_rate": 0.003, "max_length": 32, "num_samples": 200}


@pytest.fixture(scope="module")
def first(place, in_process, tiny_encoder) -> str:
    """The id of a run of train."""
    assert in_process("train", encoder=tiny_encoder, **TINY) == 0
    return place.runs()[0].info.run_id


@pytest.fixture(scope="module")
def joined(place, in_process, tiny_encoder, first) -> str:
    """The id of a run whose model has the first one's in it."""
    assert in_process("train", encoder=tiny_encoder, **TINY | {"epochs": 2, "ensemble": first}) == 0
    return place.runs()[0].info.run_id


def test_the_model_is_the_weighted_product_of_both(joined, first):
    model = TextClassifier.load(fetch(f"runs:/{joined}/model").folder)
    alone = TextClassifier.load(fetch(f"runs:/{first}/model").folder)
    (member,) = model.members
    texts = ["the team wins the final", "shares fall", ""]
    assert np.array_equal(member.predict_proba(texts), alone.predict_proba(texts))
    assert len(model.fusion.members) == 1
    assert model.predict_proba(texts).sum(axis=1) == pytest.approx(1)


def test_the_run_says_what_it_is_made_of(place, joined, first, in_process, capsys):
    run = place.client().get_run(joined)
    assert run.data.params["ensemble"] == first
    assert run.data.metrics["fusion/member_1"] > 0
    assert in_process("evaluate", model=f"runs:/{joined}/model", num_samples=200, bootstrap_samples=100) == 0
    evaluated = place.runs()[0].data.metrics["accuracy"]
    assert evaluated == run.data.metrics["test_accuracy"]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"ensemble": "nothing"}, "option ensemble: nothing is no run id"),
        ({"ensemble": "0" * 32}, "option ensemble: run 00000000000000000000000000000000 is not there"),
        ({"seed": 1}, "has other rows: give the same dataset, num_samples, val_fraction and seed"),
        ({"num_samples": 100}, "has other rows"),
    ],
)
def test_what_cannot_be_joined_is_said_before_the_training(in_process, tiny_encoder, first, options, reason, capsys):
    assert in_process("train", encoder=tiny_encoder, **TINY | {"ensemble": first} | options) == 2
    said = capsys.readouterr()
    assert reason in said.err
    assert "epoch 1/" not in said.out


def test_an_ensemble_is_no_member_and_a_run_of_another_verb_has_no_model(
    in_process, tiny_encoder, place, joined, first, capsys
):
    assert in_process("train", encoder=tiny_encoder, **TINY | {"ensemble": joined}) == 2
    assert "is an ensemble itself" in capsys.readouterr().err
    assert in_process("train", encoder=tiny_encoder, **TINY | {"ensemble": f"{first},{first}"}) == 2
    assert "different ones" in capsys.readouterr().err
    assert in_process("evaluate", model=f"runs:/{first}/model", num_samples=200, bootstrap_samples=100) == 0
    evaluation = place.runs()[0].info.run_id
    assert in_process("train", encoder=tiny_encoder, **TINY | {"ensemble": evaluation}) == 2
    assert f"run {evaluation} is one of evaluate, and must be one of train" in capsys.readouterr().err
