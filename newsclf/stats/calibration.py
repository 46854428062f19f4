"""Temperature scaling: probabilities made as sure as they are right, without a change of any prediction.

Source: Guo et al. 2017, On Calibration of Modern Neural Networks.
"""

import numpy as np
from scipy import optimize, special

MIN_PROBABILITY = 1e-12  # of a class that a model thought impossible, so that its logarithm is a number
# Of a log-likelihood: one row must not outweigh all others.
MIN_PROBABILITY_OF_A_ROW = 1e-6


def logits_of(probabilities: np.ndarray, least: float = MIN_PROBABILITY) -> np.ndarray:
    """Logits [rows, classes] of probabilities [rows, classes], which count as `least` at least.

    >>> logits_of(np.array([[0.5, 0.5], [1.0, 0.0]])).round(2).tolist()
    [[-0.69, -0.69], [0.0, -27.63]]
    """
    return np.log(np.maximum(probabilities, least))


def fit_temperature(logits: np.ndarray, labels: np.ndarray, bounds: tuple[float, float] = (0.05, 20.0)) -> float:
    """The number by which logits [rows, classes] are divided, so that the mean likelihood of labels [rows] is highest.

    labels: class indices. bounds: between which it is looked for; above 1 for a model that is too sure.

    >>> sure = np.log([[0.9, 0.1]] * 4)
    >>> round(fit_temperature(sure, np.array([0, 0, 0, 1])), 2)  # right in three of four: 0.9 is too much
    2.0
    """
    rows = np.arange(len(labels))

    def loss(log_temperature: float) -> float:
        return float(-special.log_softmax(logits / np.exp(log_temperature), axis=1)[rows, labels].mean())

    return float(np.exp(optimize.minimize_scalar(loss, bounds=np.log(bounds), method="bounded").x))


def calibrated(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """The probabilities [rows, classes] at a temperature above 0 (1 changes nothing); float64.

    >>> calibrated(np.array([[0.9, 0.1]]), 2).round(2).tolist()
    [[0.75, 0.25]]
    """
    return special.softmax((logits_of(probabilities) / temperature).astype(np.float64), axis=1)


def calibrated_log_likelihood(labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Log-probability (nats) of each row's label, [rows], at the temperature at which their mean is highest.

    labels: [rows] class indices; probabilities: [rows, classes], which count as 1e-6 at least. It tells what a model
    knows, however sure it is of it.

    >>> labels = np.array([0, 0, 0, 1])
    >>> calibrated_log_likelihood(labels, np.array([[0.9, 0.1]] * 4)).round(3).tolist()
    [-0.288, -0.288, -0.288, -1.386]
    >>> calibrated_log_likelihood(labels, np.array([[0.99, 0.01]] * 4)).round(3).tolist()
    [-0.288, -0.288, -0.288, -1.386]
    """
    logits = logits_of(probabilities, MIN_PROBABILITY_OF_A_ROW)
    temperature = fit_temperature(logits, labels, bounds=(np.exp(-4), np.exp(4)))
    return special.log_softmax(logits / temperature, axis=1)[np.arange(len(labels)), labels]
