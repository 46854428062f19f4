"""From options and a data set to what training reads: a classifier that fits, and ids or cached layers."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from newsclf.config import TrainConfig
from newsclf.data import Dataset
from newsclf.errors import InputError
from newsclf.model import weights
from newsclf.model.batches import TokenDataset
from newsclf.model.classifier import Classifier
from newsclf.model.tokenizer import Tokenizer
from newsclf.verbs.train import fitted_to, model_inputs, resolve_auto
from newsclf.verbs.train import make_classifier as classifier_for

TEXTS = {
    "train": ["the bank", "a team won", "market shares"],
    "validation": ["the final"],
    "test": ["a company"],
}
CLASSES = ("a", "b")
Inputs = Callable[..., dict[str, TokenDataset]]


@pytest.fixture
def config(tiny_encoder: Path, tmp_path: Path) -> TrainConfig:
    return TrainConfig(
        encoder=str(tiny_encoder),
        max_length=16,
        cache_dir=str(tmp_path / "cache"),
        trainable_layers=1,
        device="cpu",
    )


def dataset() -> Dataset:
    frames = {
        split: pd.DataFrame({"text": texts, "label": [CLASSES[row % 2] for row in range(len(texts))]})
        for split, texts in TEXTS.items()
    }
    return Dataset("toy", CLASSES, frames, "toy.csv", {}, (), {})


def build(config: TrainConfig) -> tuple[Classifier, Tokenizer]:
    files = weights.find(config.encoder)
    tokenizer = Tokenizer(files.folder, config.max_length)
    return classifier_for(config, files, CLASSES, tokenizer), tokenizer


def inputs(config: TrainConfig, data: Dataset | None = None) -> dict[str, TokenDataset]:
    classifier, tokenizer = build(config)
    files = weights.find(config.encoder)
    return model_inputs(config, data or dataset(), files, tokenizer, classifier, bf16=False)[0]


@pytest.mark.parametrize(("trainable", "frozen"), [(None, 0), (3, 0), (2, 1), (0, 3)])
def test_trainable_layers_count_from_the_top(config: TrainConfig, trainable: int | None, frozen: int) -> None:
    classifier, _ = build(replace(config, trainable_layers=trainable))
    assert classifier.frozen == frozen
    assert classifier.classes == CLASSES


def test_options_that_do_not_fit_the_encoder_are_bad_input(config: TrainConfig) -> None:
    with pytest.raises(InputError, match="option trainable_layers is 4: encoder .* has 3 layers"):
        build(replace(config, trainable_layers=4))
    with pytest.raises(InputError, match=r"option layer_decay is 0.5 and trainable_layers 0: no layer is trained"):
        build(replace(config, trainable_layers=0, layer_decay=0.5))
    build(replace(config, trainable_layers=1, layer_decay=0.5))
    with pytest.raises(InputError, match="option reinitialised_layers is 2: 1 layers are trained"):
        build(replace(config, trainable_layers=1, reinitialised_layers=2))
    build(replace(config, trainable_layers=None, reinitialised_layers=3))
    with pytest.raises(InputError, match="option max_length is 513: encoder .* reads at most 512 tokens"):
        build(replace(config, max_length=513))
    build(replace(config, max_length=512))


def test_without_frozen_layers_or_the_cache_the_input_is_token_ids(config: TrainConfig) -> None:
    for options in (replace(config, trainable_layers=None), replace(config, prefix_cache=False)):
        made, tokenizer = inputs(options), build(options)[1]
        for split, texts in TEXTS.items():
            assert made[split].ragged.values.tolist() == tokenizer(texts).values.tolist()
    assert not Path(config.cache_dir).exists()


@pytest.mark.parametrize(("trainable", "pooled"), [(1, False), (0, True)])
def test_with_frozen_layers_the_input_is_what_they_put_out(config: TrainConfig, trainable: int, pooled: bool) -> None:
    train = inputs(replace(config, trainable_layers=trainable))["train"]
    tokens = build(config)[1](TEXTS["train"]).tokens
    assert (train.ragged.pooled, train.ragged.values.shape) == (pooled, (3 if pooled else tokens, 32))
    assert train.labels is not None
    assert train.labels.tolist() == [0, 1, 0]


def test_a_second_run_reads_from_the_cache_and_another_text_does_not(
    config: TrainConfig, capsys: pytest.CaptureFixture[str]
) -> None:
    first = inputs(config)
    assert "read from the cache" not in capsys.readouterr().out
    second = inputs(config)
    read = "".join(f"frozen layers, {split}: read from the cache\n" for split in TEXTS)
    assert capsys.readouterr().out == read
    for split in TEXTS:
        assert np.array_equal(first[split].ragged.values, second[split].ragged.values)
    changed = dataset()
    changed.splits["test"].loc[0, "text"] = "a bank"
    inputs(config, changed)
    assert capsys.readouterr().out == read.replace("frozen layers, test: read from the cache\n", "")
    inputs(replace(config, max_length=17))
    assert capsys.readouterr().out == ""


def test_an_entry_over_the_limit_is_not_kept_and_told_of(
    config: TrainConfig, capsys: pytest.CaptureFixture[str]
) -> None:
    one, three = (64 * build(config)[1](TEXTS[split]).tokens for split in ("test", "train"))
    made = inputs(replace(config, cache_limit_gb=(one + three) / 2e9))
    assert [split for split, batches in made.items() if batches.ragged.values.ndim == 1] == ["train"]
    assert "frozen layers, train: their 0.0 GB are over cache_limit_gb" in capsys.readouterr().out


def test_auto_is_replaced_by_what_it_stands_for() -> None:
    resolved = resolve_auto(TrainConfig(device="cpu"))
    assert (resolved.device, resolved.precision, resolved.learning_rate) == ("cpu", "fp32", 2e-4)
    assert resolve_auto(TrainConfig(device="cpu", trainable_layers=0)).learning_rate == 1e-3
    assert resolve_auto(TrainConfig(device="cpu", trainable_layers=1)).learning_rate == 2e-4
    kept = TrainConfig(device="cpu", precision="bf16", learning_rate=0.5)
    assert resolve_auto(kept) == kept


def test_class_weights_are_by_the_data_s_own_classes() -> None:
    assert fitted_to(TrainConfig(class_weights="balanced"), dataset()).class_weights == "balanced"
    assert fitted_to(TrainConfig(class_weights={"b": 2.0}), dataset()).class_weights == {"b": 2.0}
    with pytest.raises(InputError, match=r'option class_weights: there is no class "c", but a, b$'):
        fitted_to(TrainConfig(class_weights={"c": 2.0}), dataset())
    numbered = replace(dataset(), classes=("1", "2"))
    assert fitted_to(TrainConfig(class_weights={"1.0": 2.0}), numbered).class_weights == {"1": 2.0}
    with pytest.raises(InputError, match='"1.0" is a class that is there already'):
        fitted_to(TrainConfig(class_weights={"1": 2.0, "1.0": 3.0}), numbered)
