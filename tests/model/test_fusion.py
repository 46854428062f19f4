"""Two sources of a class's probability, weighted by rows that neither has learnt from."""

import numpy as np
import pytest

from newsclf.evaluation.scores import expected_calibration_error, log_loss
from newsclf.model.fusion import ENCODER_ALONE, Fusion, Said, choose_fusion, fit_fusion, held_out_loss
from newsclf.stats.calibration import calibrated

ROWS, CLASSES = 2000, 4


def drawn(seed: int, strength: float, labels: np.ndarray) -> np.ndarray:
    """Noisy evidence [rows, classes] for the labels: log-likelihoods that are true at a scale of 1."""
    noise = np.random.default_rng(seed).normal(size=(len(labels), CLASSES))
    return strength * (noise + strength * np.eye(CLASSES)[labels])


def softmax(logits: np.ndarray) -> np.ndarray:
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


@pytest.fixture(scope="module")
def labels() -> np.ndarray:
    return np.random.default_rng(0).integers(0, CLASSES, ROWS)


def test_the_encoder_alone_is_left_bit_for_bit(labels: np.ndarray) -> None:
    found = softmax(drawn(1, 1.5, labels))
    assert ENCODER_ALONE.probabilities(Said(found)) is found


def test_one_weight_is_temperature_scaling(labels: np.ndarray) -> None:
    found = softmax(drawn(1, 1.5, labels))
    assert Fusion(encoder=0.5).probabilities(Said(found)) == pytest.approx(calibrated(found, 2.0))


@pytest.mark.parametrize("scale", [0.25, 1.0, 4.0])
def test_what_is_too_sure_or_not_sure_enough_is_mended(labels: np.ndarray, scale: float) -> None:
    found = softmax(scale * drawn(1, 1.5, labels))
    fusion = fit_fusion(Said(found), labels)
    assert fusion.encoder * scale == pytest.approx(1.0, abs=0.1)
    mended = fusion.probabilities(Said(found))
    assert expected_calibration_error(labels, mended) < 0.04
    assert (mended.argmax(axis=1) == found.argmax(axis=1)).all()


def test_two_independent_sources_are_added_at_their_true_scale(labels: np.ndarray) -> None:
    encoder, margins = softmax(2 * drawn(1, 1.5, labels)), drawn(2, 1.2, labels) / 3
    fusion = fit_fusion(Said(encoder, margins), labels)
    assert fusion.encoder == pytest.approx(0.5, abs=0.08)
    assert fusion.linear == pytest.approx(3.0, abs=0.4)
    assert log_loss(labels, fusion.probabilities(Said(encoder, margins))) < log_loss(labels, encoder) - 0.1


def test_numbers_in_half_precision_are_fitted_all_the_same(labels: np.ndarray) -> None:
    encoder, margins = softmax(2 * drawn(1, 1.5, labels)), drawn(2, 1.2, labels) / 3
    exact, rough = (
        fit_fusion(Said(encoder.astype(kind), margins.astype(kind)), labels) for kind in (float, np.float32)
    )
    assert rough.encoder == pytest.approx(exact.encoder, abs=0.01)
    assert rough.linear == pytest.approx(exact.linear, abs=0.01)


@pytest.mark.parametrize("rows", [1, 2, 10, 30])
def test_of_few_rows_that_are_all_right_no_certainty_is_concluded(rows: int) -> None:
    encoder = np.tile([0.9, 0.1], (rows, 1))
    said = Said(encoder, np.tile([1.0, -1.0], (rows, 1)))
    assert 0.9 < fit_fusion(said, np.zeros(rows, int)).probabilities(said)[0, 0] < 1 - 1e-4


def test_noise_is_left_out_and_knowledge_taken_in(labels: np.ndarray) -> None:
    encoder, noise = softmax(drawn(1, 1.5, labels)), np.random.default_rng(3).normal(size=(ROWS, CLASSES))
    assert choose_fusion(Said(encoder, noise), labels).linear == 0
    assert choose_fusion(Said(encoder, drawn(2, 1.2, labels)), labels).linear > 0.5


def test_what_is_wanted_is_done(labels: np.ndarray) -> None:
    encoder, noise = softmax(2 * drawn(1, 1.5, labels)), np.random.default_rng(3).normal(size=(ROWS, CLASSES))
    margins = drawn(2, 1.2, labels)
    assert choose_fusion(Said(encoder, noise), labels, "linear").linear > 0
    assert choose_fusion(Said(encoder, margins), labels, "none") == fit_fusion(Said(encoder), labels)
    assert choose_fusion(Said(encoder, margins), labels, "none", calibrate=False) == ENCODER_ALONE
    assert choose_fusion(Said(encoder, noise), labels, calibrate=False) == ENCODER_ALONE
    assert choose_fusion(Said(encoder), labels) == fit_fusion(Said(encoder), labels)


def test_held_out_loss_is_of_rows_that_the_weights_have_not_seen(labels: np.ndarray) -> None:
    encoder, noise = softmax(drawn(1, 1.5, labels)), np.random.default_rng(3).normal(size=(ROWS, CLASSES))
    few = np.arange(12)  # with two weights for twelve rows, noise looks like knowledge to whoever has seen them
    said = Said(encoder, noise).of(few)
    inside = log_loss(labels[few], fit_fusion(said, labels[few]).probabilities(said))
    assert held_out_loss(said, labels[few]) > inside
    assert held_out_loss(said.of(np.arange(4)), labels[:4]) == np.inf


def test_the_models_of_an_ensemble_are_weighted_by_what_they_know(labels: np.ndarray) -> None:
    good, bad, own = (softmax(drawn(seed, strength, labels)) for seed, strength in ((4, 1.6), (5, 0.1), (6, 1.2)))
    said = Said(own, None, (good, bad))
    fusion = choose_fusion(said, labels, "none", calibrate=False)
    assert fusion.members[0] == pytest.approx(1.0, abs=0.15)
    assert fusion.encoder == pytest.approx(1.0, abs=0.2)
    assert held_out_loss(said, labels) < min(held_out_loss(Said(one), labels) for one in (good, bad, own)) - 0.05
    assert choose_fusion(said, labels).members == fusion.members
    with_words = choose_fusion(Said(own, drawn(7, 1.2, labels), (good,)), labels)
    assert (len(with_words.members), with_words.linear > 0) == (1, True)


def test_an_impossible_class_that_was_the_right_one_costs_no_more_than_it_must() -> None:
    encoder = np.array([[1.0, 0.0]] * 20)
    found = fit_fusion(Said(encoder), np.array([0] * 19 + [1])).probabilities(Said(encoder))
    assert np.isfinite(found).all()
    assert found[0, 0] == pytest.approx(0.95, abs=0.05)
