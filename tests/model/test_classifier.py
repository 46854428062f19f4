"""Pooling, the three places where a batch may enter, probabilities, and the folder of a saved classifier."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from newsclf.errors import InputError
from newsclf.model.batches import TokenBatch, TokenDataset
from newsclf.model.classifier import Classifier, load, mean_pool
from newsclf.model.tokenizer import Tokenizer

CLASSES = ("Sci/Tech", "Wörld", "a, b")


def test_the_mean_is_over_real_tokens_alone() -> None:
    hidden = torch.tensor([[[1.0, 2.0], [3.0, 4.0], [99.0, 99.0]], [[5.0, 6.0], [0.0, 0.0], [1.0, 3.0]]])
    mask = torch.tensor([[True, True, False], [True, True, True]])
    torch.testing.assert_close(mean_pool(hidden, mask), torch.tensor([[2.0, 3.0], [2.0, 3.0]]))
    torch.testing.assert_close(mean_pool(hidden[1:], None), torch.tensor([[2.0, 3.0]]))


@pytest.mark.parametrize("frozen", [0, 1, 3])
@torch.inference_mode()
def test_a_batch_may_enter_as_ids_as_hidden_states_or_as_pooled_vectors(
    make_classifier: Callable[..., Classifier], toy: Callable[..., TokenDataset], frozen: int
) -> None:
    classifier = make_classifier(frozen).eval()
    ids = toy(6).__getitems__(range(6))
    logits = classifier(ids)
    assert logits.shape == (6, 2)
    states = TokenBatch(classifier.prefix(ids.values, ids.mask), ids.mask, ids.labels, False)
    torch.testing.assert_close(classifier(states), logits)
    pooled = TokenBatch(classifier.pool(ids), None, ids.labels, True)
    torch.testing.assert_close(classifier(pooled), logits)


@torch.inference_mode()
def test_probabilities_are_each_rows_own_softmax_in_the_tables_order(
    make_classifier: Callable[..., Classifier], toy: Callable[..., TokenDataset]
) -> None:
    classifier = make_classifier(classes=CLASSES, dropout=0.5).train()
    batches = toy(37)
    got = classifier.probabilities(batches)
    assert classifier.training, "the mode is as it was"
    classifier.eval()
    alone = [torch.softmax(classifier(batches.__getitems__([row])).double(), dim=1)[0] for row in range(37)]
    np.testing.assert_allclose(got, torch.stack(alone).numpy(), atol=1e-5)
    np.testing.assert_allclose(got.sum(axis=1), 1, atol=1e-12)
    assert got.std(axis=0).min() > 1e-4, "rows must differ for this test to say anything"


def test_a_saved_classifier_gives_the_same_probabilities(
    make_classifier: Callable[..., Classifier],
    tokenizer: Tokenizer,
    toy: Callable[..., TokenDataset],
    tmp_path: Path,
) -> None:
    classifier = make_classifier(frozen=1, classes=CLASSES, dropout=0.3)
    with torch.no_grad():  # as training would: trained layers and head differ from the files they came from
        classifier.encoder.layers[2].get_parameter("attention.self.query.weight").mul_(1.5)
    classifier.save(tmp_path, tokenizer)
    loaded, its_tokenizer = load(tmp_path)
    assert loaded.classes == CLASSES
    assert (its_tokenizer.max_length, its_tokenizer.key) == (tokenizer.max_length, tokenizer.key)
    assert not loaded.training
    batches = toy(20)
    assert np.array_equal(loaded.probabilities(batches), classifier.probabilities(batches))


@pytest.fixture
def saved(make_classifier: Callable[..., Classifier], tokenizer: Tokenizer, tmp_path: Path) -> Path:
    make_classifier(classes=CLASSES).save(tmp_path, tokenizer)
    return tmp_path


def test_nothing_in_the_folder_is_pickled(saved: Path) -> None:
    files = {str(file.relative_to(saved)) for file in saved.rglob("*") if file.is_file()}
    assert {Path(file).suffix for file in files} <= {".json", ".safetensors", ".txt", ".jinja"}
    assert {
        "classifier.json",
        "head.safetensors",
        "encoder/config.json",
        "encoder/model.safetensors",
        "encoder/tokenizer.json",
    } <= files


def test_a_folder_of_something_else_is_bad_input(tiny_encoder: Path, tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "absent", tiny_encoder):
        with pytest.raises(InputError, match=f"model folder {folder} is no whole classifier"):
            load(folder)


@pytest.mark.parametrize(
    "file", ["classifier.json", "head.safetensors", "encoder/config.json", "encoder/model.safetensors"]
)
def test_a_folder_with_a_lost_or_cut_file_is_bad_input(saved: Path, file: str) -> None:
    content = (saved / file).read_bytes()
    (saved / file).write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError):
        load(saved)
    (saved / file).unlink()
    with pytest.raises(InputError):
        load(saved)


@pytest.mark.parametrize(
    "about",
    [{"classes": ["a", "b"], "max_length": 8}, {"classes": list(CLASSES)}, {"max_length": 8}, [], None],
)
def test_a_description_that_does_not_fit_the_head_is_bad_input(saved: Path, about: object) -> None:
    (saved / "classifier.json").write_text(json.dumps(about))
    with pytest.raises(InputError, match="is no whole classifier"):
        load(saved)
