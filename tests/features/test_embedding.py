import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from safetensors.numpy import save_file

from newsclf.errors import InputError
from newsclf.features import embedding
from newsclf.features.embedding import DIRECTIONS, TokenEmbedder, at_length_1, fit_map, token_vectors, token_weights
from newsclf.model.weights import find

ROWS, VOCABULARY, HIDDEN = 600, 200, 48


def counts_of(rows: list[list[int]], vocabulary: int = VOCABULARY) -> scipy.sparse.csr_matrix:
    """[rows, vocabulary] of rows of tokens."""
    dense = np.zeros((len(rows), vocabulary), np.float32)
    for place, tokens in enumerate(rows):
        np.add.at(dense[place], tokens, 1)
    return scipy.sparse.csr_matrix(dense)


@pytest.fixture(scope="module")
def made() -> tuple[scipy.sparse.csr_matrix, np.ndarray, np.ndarray]:
    """Token counts of texts of two classes that share half of their vocabulary; token vectors; labels."""
    random = np.random.default_rng(0)
    labels = random.integers(0, 2, ROWS)
    rows = [random.integers(50 * label, 50 * label + 100, random.integers(5, 30)).tolist() for label in labels]
    return counts_of(rows), random.normal(size=(VOCABULARY, HIDDEN)).astype(np.float32), labels


@pytest.fixture(scope="module")
def fitted(made):
    counts, vectors, labels = made
    embedded = at_length_1(TokenEmbedder(vectors, token_weights(counts))([], counts))
    return fit_map(counts, embedded, labels, ("a", "b"), np.random.default_rng(0)), embedded


def test_rare_tokens_weigh_more_and_repeated_ones_less_than_twice():
    counts = counts_of([[0, 1], [0, 1, 1], [0], [0, 0]], vocabulary=3)
    weights = token_weights(counts)
    assert weights == pytest.approx([np.log(5 / 5) + 0.1, np.log(5 / 3) + 0.1, np.log(5) + 0.1])
    found = TokenEmbedder(np.eye(3, dtype=np.float32), weights)([], counts)
    assert found[1] == pytest.approx([weights[0], weights[1] * (1 + np.log(2)), 0])
    assert found.dtype == np.float32
    assert counts.toarray()[1].tolist() == [1, 2, 0], "what is given stays as it is"


def test_an_empty_text_is_nowhere(made):
    counts, vectors, _ = made
    embedder = TokenEmbedder(vectors, token_weights(counts))
    assert not embedder([""], counts_of([[]])).any()
    assert at_length_1(np.zeros((1, 3), np.float32)).tolist() == [[0, 0, 0]]
    assert embedder([], counts_of([])).shape == (0, HIDDEN)


def test_directions_are_the_leading_ones_in_standard_deviations(made, fitted):
    counts, *_ = made
    mapped, embedded = fitted
    assert mapped.directions.shape == (HIDDEN, DIRECTIONS)
    along = (embedded - mapped.mean) @ mapped.directions
    assert np.cov(along.T) == pytest.approx(np.eye(DIRECTIONS), abs=0.01)
    variances = np.linalg.eigvalsh(np.cov(embedded.T))[::-1]
    back = np.linalg.norm(mapped.directions, axis=0) ** -2
    assert back == pytest.approx(variances[:DIRECTIONS], rel=0.01)

    frame = mapped.columns(counts, embedded)
    names = [f"direction_{number + 1}" for number in range(DIRECTIONS)]
    assert [name for name in frame if name.startswith("direction_")] == names
    assert frame[names].to_numpy() == pytest.approx(along, abs=1e-4)
    assert set(frame.dtypes) == {np.dtype(np.float32)}


def test_distances_are_cosines_to_the_nearest_texts_and_to_the_centres(made, fitted):
    counts, _, labels = made
    mapped, embedded = fitted
    frame = mapped.columns(counts, embedded)
    centred = at_length_1(embedded - embedded.mean(axis=0))
    cosine = np.sort(centred @ centred.T, axis=1)[:, -10:]
    assert frame["distance"].to_numpy() == pytest.approx(1 - cosine.mean(axis=1), abs=2e-3)
    for place, name in enumerate("ab"):
        centre = at_length_1(centred[labels == place].mean(axis=0))
        assert frame[f"distance_to_{name}"].to_numpy() == pytest.approx(1 - centred @ centre, abs=1e-5)
    nearest = (frame["distance_to_b"] < frame["distance_to_a"]).to_numpy()
    assert (nearest == labels).mean() > 0.9


def test_unusual_tokens_are_told_in_nats(made, fitted):
    counts, *_ = made
    mapped, embedded = fitted
    total, texts = counts.toarray().sum(axis=0), (counts.toarray() > 0).sum(axis=0)
    some = counts_of([[70, 70, 71], [190, 191], [70]])
    frame = mapped.columns(some, embedded[:3])
    surprise = -np.log((total + 0.5) / (total.sum() + 100))
    rarity = -np.log((texts + 0.5) / (ROWS + 1))
    assert frame["surprise"][0] == pytest.approx((2 * surprise[70] + surprise[71]) / 3, rel=1e-4)
    assert frame["rarity"][0] == pytest.approx((rarity[70] + rarity[71]) / 2, rel=1e-4)
    assert frame["surprise"][1] == pytest.approx(-np.log(0.5 / (total.sum() + 100)), rel=1e-4), "never seen, yet finite"
    assert some.toarray()[0, 70] == 2, "what is given stays as it is"


def test_texts_without_tokens_are_missing_and_move_nobody_else(made, fitted):
    _, vectors, _ = made
    mapped, _ = fitted
    counts = counts_of([[], [3, 4], []])
    embedded = at_length_1(TokenEmbedder(vectors, mapped.weights)([], counts))
    frame = mapped.columns(counts, embedded)
    assert frame.loc[[0, 2]].isna().all(axis=None)
    assert frame.loc[1].notna().all()
    alone = mapped.columns(counts[[1]], embedded[[1]])
    pd.testing.assert_frame_equal(frame.loc[[1]].reset_index(drop=True), alone)


def test_without_labels_there_are_no_centres(made):
    counts, vectors, _ = made
    embedded = at_length_1(TokenEmbedder(vectors, token_weights(counts))([], counts))
    mapped = fit_map(counts, embedded, None, ("a", "b"), np.random.default_rng(0))
    assert mapped.classes == ()
    assert not [name for name in mapped.columns(counts, embedded) if str(name).startswith("distance_to_")]


def test_few_or_equal_texts_have_few_directions(made):
    counts, vectors, _ = made
    few = counts[:55]
    embedded = at_length_1(TokenEmbedder(vectors, token_weights(few))([], few))
    assert fit_map(few, embedded, None, (), np.random.default_rng(0)).directions.shape[1] == 5
    two = counts[[0, 1] * 100]
    embedded = at_length_1(TokenEmbedder(vectors, token_weights(two))([], two))
    mapped = fit_map(two, embedded, None, (), np.random.default_rng(0))
    assert mapped.directions.shape[1] == 1
    assert np.isfinite(mapped.columns(two, embedded).to_numpy()).all()


def test_anchors_are_a_sample(made, monkeypatch):
    monkeypatch.setattr(embedding, "ANCHORS", 4)
    counts, vectors, _ = made
    embedded = at_length_1(TokenEmbedder(vectors, token_weights(counts))([], counts))
    maps = [fit_map(counts, embedded, None, (), np.random.default_rng(seed)) for seed in (0, 0, 1)]
    assert maps[0].anchors.shape == (4, HIDDEN)
    assert (maps[0].anchors == maps[1].anchors).all()
    assert (maps[0].anchors != maps[2].anchors).any()
    assert np.isfinite(maps[0].columns(counts, embedded)["distance"]).all(), "fewer anchors than neighbours"


def test_token_vectors_are_the_encoders(tiny_encoder):
    from transformers import BertModel

    model = BertModel.from_pretrained(tiny_encoder)
    expected = model.embeddings.word_embeddings.weight.detach().numpy()
    assert (token_vectors(tiny_encoder) == expected).all()
    assert token_vectors(find("minilm").folder).shape == (30522, 384)


@pytest.mark.parametrize("case", ["no file", "another model", "truncated"])
def test_token_vectors_that_are_not_there(case, tmp_path):
    file, says = tmp_path / "model.safetensors", "no token embeddings"
    if case != "no file":
        save_file({"linear.weight": np.zeros((30, 40), np.float32)}, file)
    if case == "truncated":
        file.write_bytes(file.read_bytes()[:-100])
        says = "model.safetensors cannot be read"
    with pytest.raises(InputError, match=says):
        token_vectors(tmp_path)
