"""Texts to probabilities, and the folder of a saved classifier."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from newsclf.errors import InputError
from newsclf.model.batches import TokenDataset
from newsclf.model.classifier import Classifier
from newsclf.model.text_classifier import TextClassifier
from newsclf.model.tokenizer import Tokenizer

CLASSES = ("Sci/Tech", "Wörld", "a, b")
TEXTS = ["goal match team", "market", "", "goal " * 100]


@pytest.fixture
def trained(make_classifier: Callable[..., Classifier], tokenizer: Tokenizer) -> TextClassifier:
    """As training leaves it: trained layers and head differ from the files they came from."""
    classifier = make_classifier(frozen=1, classes=CLASSES, dropout=0.3)
    with torch.no_grad():
        classifier.encoder.layers[2].get_parameter("attention.self.query.weight").mul_(1.5)
    return TextClassifier(classifier, tokenizer)


def test_probabilities_are_those_of_the_tokens(trained: TextClassifier) -> None:
    found = trained.predict_proba(TEXTS)
    expected = trained.classifier.probabilities(TokenDataset(trained.tokenizer(TEXTS), pad_id=trained.tokenizer.pad_id))
    assert np.array_equal(found, expected)
    assert (found.shape, found.dtype) == ((4, 3), np.float64)
    assert trained.predict_proba([]).shape == (0, 3)


def test_bf16_is_as_it_was_asked_for(trained: TextClassifier) -> None:
    rough = TextClassifier(trained.classifier, trained.tokenizer, bf16=True).predict_proba(TEXTS)
    expected = trained.classifier.probabilities(
        TokenDataset(trained.tokenizer(TEXTS), pad_id=trained.tokenizer.pad_id), autocast=True
    )
    assert np.array_equal(rough, expected)
    assert not np.array_equal(rough, trained.predict_proba(TEXTS))


def test_a_saved_classifier_gives_the_same_probabilities(trained: TextClassifier, tmp_path: Path) -> None:
    trained.save(tmp_path)
    loaded = TextClassifier.load(tmp_path, name="models:/news/1")
    assert (loaded.classes, loaded.name, loaded.bf16) == (CLASSES, "models:/news/1", False)
    assert (loaded.tokenizer.max_length, loaded.tokenizer.key) == (trained.tokenizer.max_length, trained.tokenizer.key)
    assert not loaded.classifier.training
    assert np.array_equal(loaded.predict_proba(TEXTS), trained.predict_proba(TEXTS))


@pytest.fixture
def saved(make_classifier: Callable[..., Classifier], tokenizer: Tokenizer, tmp_path: Path) -> Path:
    TextClassifier(make_classifier(classes=CLASSES), tokenizer).save(tmp_path)
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
            TextClassifier.load(folder)


@pytest.mark.parametrize(
    "file", ["classifier.json", "head.safetensors", "encoder/config.json", "encoder/model.safetensors"]
)
def test_a_folder_with_a_lost_or_cut_file_is_bad_input(saved: Path, file: str) -> None:
    content = (saved / file).read_bytes()
    (saved / file).write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError):
        TextClassifier.load(saved)
    (saved / file).unlink()
    with pytest.raises(InputError):
        TextClassifier.load(saved)


@pytest.mark.parametrize(
    "about",
    [{"classes": ["a", "b"], "max_length": 8}, {"classes": list(CLASSES)}, {"max_length": 8}, [], None],
)
def test_a_description_that_does_not_fit_the_head_is_bad_input(saved: Path, about: object) -> None:
    (saved / "classifier.json").write_text(json.dumps(about))
    with pytest.raises(InputError, match="is no whole classifier"):
        TextClassifier.load(saved)
