"""Texts to probabilities, and the folder of a saved classifier."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from newsclf.errors import InputError
from newsclf.model.batches import TokenDataset
from newsclf.model.classifier import Classifier
from newsclf.model.fusion import ENCODER_ALONE, Fusion, Said
from newsclf.model.linear import LinearClassifier
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
    loaded = TextClassifier.load(tmp_path, name="models:/news/1", precision="fp32")
    assert (loaded.classes, loaded.name, loaded.bf16) == (CLASSES, "models:/news/1", False)
    assert (loaded.tokenizer.max_length, loaded.tokenizer.key) == (trained.tokenizer.max_length, trained.tokenizer.key)
    assert not loaded.classifier.training
    assert np.array_equal(loaded.predict_proba(TEXTS), trained.predict_proba(TEXTS))


WORDS = LinearClassifier.fit(
    ["goal match", "goal team", "market", "market bank", "", ""], np.array([0, 0, 1, 1, 2, 2]), 3
)


@pytest.fixture
def fused(trained: TextClassifier) -> TextClassifier:
    return TextClassifier(trained.classifier, trained.tokenizer, fusion=Fusion(0.7, 2.5), linear=WORDS)


def test_words_take_part_in_the_probabilities(fused: TextClassifier, trained: TextClassifier) -> None:
    found = fused.predict_proba(TEXTS)
    assert np.array_equal(
        found, Fusion(0.7, 2.5).probabilities(Said(trained.predict_proba(TEXTS), WORDS.margins(TEXTS)))
    )
    assert found.sum(axis=1) == pytest.approx(1)
    assert fused.predict_proba([]).shape == (0, 3)
    one = TextClassifier(trained.classifier, trained.tokenizer, fusion=Fusion(0.7))
    assert (one.predict_proba(TEXTS).argmax(axis=1) == trained.predict_proba(TEXTS).argmax(axis=1)).all()


def test_a_fused_classifier_is_saved_whole(fused: TextClassifier, tmp_path: Path) -> None:
    fused.save(tmp_path)
    loaded = TextClassifier.load(tmp_path, precision="fp32")
    assert loaded.fusion == fused.fusion
    assert np.array_equal(loaded.predict_proba(TEXTS), fused.predict_proba(TEXTS))


def test_a_folder_of_before_there_was_fusion_is_read(saved: Path) -> None:
    file = saved / "classifier.json"
    about = json.loads(file.read_text())
    del about["fusion"]
    file.write_text(json.dumps(about))
    assert TextClassifier.load(saved).fusion == ENCODER_ALONE


@pytest.mark.parametrize("lost", ["linear.safetensors", "linear_terms.txt"])
def test_a_fused_folder_without_its_words_is_bad_input(fused: TextClassifier, lost: str, tmp_path: Path) -> None:
    fused.save(tmp_path)
    (tmp_path / lost).unlink()
    with pytest.raises(InputError, match="is no whole classifier"):
        TextClassifier.load(tmp_path)


@pytest.mark.parametrize(
    "weights",
    [
        None,
        [],
        "1",
        {"encoder": 1},
        {"encoder": 1, "linear": 0},
        {"encoder": "1", "linear": 0, "members": []},
        {"encoder": -1, "linear": 0, "members": []},
        {"encoder": float("nan"), "linear": 0, "members": []},
        {"encoder": 1, "linear": 10**400, "members": []},
        {"encoder": 1, "linear": 0, "members": [], "x": 1},
        {"encoder": 1, "linear": 0, "members": 1},
        {"encoder": 1, "linear": 0, "members": ["1"]},
        {"encoder": 1, "linear": 0, "members": [1] * 1000},
    ],
)
def test_weights_of_a_fusion_that_are_none_are_bad_input(saved: Path, weights: object) -> None:
    file = saved / "classifier.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"fusion": weights}))
    with pytest.raises(InputError, match=r"classifier\.json: fusion must be"):
        TextClassifier.load(saved)


@pytest.mark.parametrize("fast", [True, False])
def test_a_loaded_model_computes_as_its_machine_does_best(
    trained: TextClassifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fast: bool
) -> None:
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: fast)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
    trained.save(tmp_path / "model")
    loaded = TextClassifier.load(tmp_path / "model")
    assert loaded.bf16 is fast
    assert TextClassifier.load(tmp_path / "model", precision="fp32").bf16 is False
    loaded.save(tmp_path / "again")
    names = ("head.safetensors", "encoder/model.safetensors")
    assert all((tmp_path / "model" / n).read_bytes() == (tmp_path / "again" / n).read_bytes() for n in names)


def test_an_ensemble_is_its_members_and_saved_whole(
    fused: TextClassifier, trained: TextClassifier, tmp_path: Path
) -> None:
    both = TextClassifier(
        trained.classifier, trained.tokenizer, fusion=Fusion(0.5, 1.0, (0.6,)), linear=WORDS, members=[fused]
    )
    said = Said(trained.predict_proba(TEXTS), WORDS.margins(TEXTS), (fused.predict_proba(TEXTS),))
    assert np.array_equal(both.predict_proba(TEXTS), Fusion(0.5, 1.0, (0.6,)).probabilities(said))
    both.save(tmp_path)
    loaded = TextClassifier.load(tmp_path, precision="fp32")
    assert [member.fusion for member in loaded.members] == [fused.fusion]
    assert np.array_equal(loaded.predict_proba(TEXTS), both.predict_proba(TEXTS))
    shutil.rmtree(tmp_path / "members" / "0")
    with pytest.raises(InputError, match="is no whole classifier"):
        TextClassifier.load(tmp_path)


def test_a_member_has_no_members_and_the_same_classes(
    make_classifier: Callable[..., Classifier], tokenizer: Tokenizer, fused: TextClassifier, tmp_path: Path
) -> None:
    one = TextClassifier(fused.classifier, tokenizer, fusion=Fusion(0.5, 0.0, (0.5,)), members=[fused])
    one.save(tmp_path)
    shutil.rmtree(tmp_path / "members" / "0")
    (tmp_path / "members" / "0").symlink_to("..")  # a folder that holds itself
    with pytest.raises(InputError, match="must have none itself"):
        TextClassifier.load(tmp_path)
    (tmp_path / "members" / "0").unlink()
    other = TextClassifier(make_classifier(classes=("x", "y")), tokenizer)
    (tmp_path / "members" / "0").mkdir()
    other.save(tmp_path / "members" / "0")
    with pytest.raises(InputError, match="its members have other classes"):
        TextClassifier.load(tmp_path)


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
