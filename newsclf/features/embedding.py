"""Where texts stand in the embedding space of a reference.

In the quick form a text is the mean of its tokens' vectors (the encoder's input embeddings), rare tokens weighing
more: no forward pass of the encoder. The map takes any other embedding as well; all are brought to length 1.
The map is fitted on one part of a reference only; what it says of those very texts is not what it says of others.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import scipy.sparse

from newsclf.errors import InputError
from newsclf.untrusted import tensors

DIRECTIONS = 32
NEIGHBOURS = 10
ANCHORS = 5000  # texts of the reference that distances are measured to


def token_vectors(folder: Path) -> np.ndarray:
    """The encoder's input embeddings [vocabulary, hidden], float32. Raises InputError where there are none."""
    from safetensors import SafetensorError, safe_open

    for file in sorted(folder.glob("*.safetensors")):
        try:
            for name in tensors(file):
                if name.endswith("word_embeddings.weight"):
                    with safe_open(file, "np") as weights:
                        return np.asarray(weights.get_tensor(name), np.float32)
        except (SafetensorError, OSError, TypeError, ValueError) as error:
            raise InputError(f"encoder {folder}: {file.name} cannot be read ({error})") from None
    raise InputError(f"encoder {folder}: no token embeddings in its safetensors files")


@dataclass(frozen=True)
class EmbeddingMap:
    """What was learnt of the reference's texts; arrays are float32, the anchors float16.

    weights: [vocabulary] of each token (inverse document frequency).
    surprise: [vocabulary] -log of each token's share among the reference's tokens.
    rarity: [vocabulary] -log of the share of texts that have it.
    mean: [hidden]; directions: [hidden, DIRECTIONS], each with variance 1 on the fitted texts.
    anchors: [texts, hidden] of length 1, in the space of `centred`; centres: [classes, hidden], of length 1.
    """

    weights: np.ndarray
    surprise: np.ndarray
    rarity: np.ndarray
    mean: np.ndarray
    directions: np.ndarray
    anchors: np.ndarray
    centres: np.ndarray
    classes: tuple[str, ...]

    def columns(self, counts: scipy.sparse.csr_matrix, embedded: np.ndarray) -> pd.DataFrame:
        """What a profile holds of the map: one row a text, float32; NaN for texts without tokens.

        direction_1 ...: coordinates along the leading directions, in standard deviations.
        distance: cosine distance to the nearest texts of the reference; distance_to_<class>: to the class centre.
        surprise, rarity: how unusual its tokens are, in nats a token (of all, and of the different ones).
        """
        tokens = np.asarray(counts.sum(axis=1)).ravel()
        different = np.diff(counts.indptr)
        present = counts.copy()
        present.data = np.ones_like(present.data)
        centred = at_length_1(embedded - self.mean)
        nearest = centred @ self.anchors.T.astype(np.float32)
        count = min(NEIGHBOURS, nearest.shape[1])
        nearest = np.partition(nearest, nearest.shape[1] - count, axis=1)[:, -count:]
        columns = {
            "surprise": (counts @ self.surprise) / np.maximum(tokens, 1),
            "rarity": (present @ self.rarity) / np.maximum(different, 1),
            "distance": 1 - nearest.mean(axis=1),
        }
        for name, centre in zip(self.classes, self.centres, strict=True):
            columns[f"distance_to_{name}"] = 1 - centred @ centre
        along = (embedded - self.mean) @ self.directions
        columns |= {f"direction_{number + 1}": along[:, number] for number in range(along.shape[1])}
        frame = pd.DataFrame(columns).astype(np.float32)
        frame[tokens == 0] = np.nan
        return frame


def fit_map(
    counts: scipy.sparse.csr_matrix,
    embedded: np.ndarray,
    labels: np.ndarray | None,
    classes: Sequence[str],
    random: np.random.Generator,
) -> EmbeddingMap:
    """The map of texts by token counts [rows, vocabulary] and embeddings [rows, hidden]; labels: [rows] indices."""
    rows = counts.shape[0]
    frequency = np.bincount(counts.indices, minlength=counts.shape[1])
    total = np.asarray(counts.sum(axis=0)).ravel()
    mean = embedded.mean(axis=0)
    _, sizes, directions = np.linalg.svd(embedded - mean, full_matrices=False)
    kept = min(DIRECTIONS, int((sizes > 1e-6 * sizes[0]).sum()), max(1, rows // 10))
    centred = at_length_1(embedded - mean)
    chosen = random.permutation(rows)[:ANCHORS]
    centres = np.zeros((0, embedded.shape[1]), np.float32)
    if labels is not None:
        centres = at_length_1(np.stack([centred[labels == place].mean(axis=0) for place in range(len(classes))]))
    return EmbeddingMap(
        weights=token_weights(counts),
        surprise=-np.log((total + 0.5) / (total.sum() + 0.5 * len(total))).astype(np.float32),
        rarity=-np.log((frequency + 0.5) / (rows + 1)).astype(np.float32),
        mean=mean,
        directions=(directions[:kept].T / (sizes[:kept] / np.sqrt(rows))).astype(np.float32),
        anchors=centred[chosen].astype(np.float16),
        centres=centres,
        classes=tuple(classes) if labels is not None else (),
    )


def token_weights(counts: scipy.sparse.csr_matrix) -> np.ndarray:
    """[vocabulary] what each token weighs in a text: the logarithm of how seldom texts have it."""
    frequency = np.bincount(counts.indices, minlength=counts.shape[1])
    return (np.log((counts.shape[0] + 1) / (frequency + 1)) + 0.1).astype(np.float32)


@dataclass(frozen=True)
class TokenEmbedder:
    """The quick form. vectors: [vocabulary, hidden]; weights: [vocabulary]."""

    vectors: np.ndarray
    weights: np.ndarray

    def __call__(self, texts: Sequence[str], counts: scipy.sparse.csr_matrix) -> np.ndarray:
        """Embeddings [rows, hidden] of texts by their token counts [rows, vocabulary]; of an empty text, zeros."""
        dampened = counts.copy()
        dampened.data = (1 + np.log(dampened.data)) * self.weights[dampened.indices]
        return np.asarray(dampened @ self.vectors, np.float32)


def at_length_1(rows: np.ndarray) -> np.ndarray:
    return (rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), 1e-9)).astype(np.float32)
