"""The kinds of weights files that are met in the wild: other heads, old names, broken and partial ones."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from newsclf.errors import InputError
from newsclf.model.encoder import Encoder, load


@pytest.fixture
def folder(tiny_encoder: Path, tmp_path: Path) -> Path:
    """A copy of the tiny encoder that a test may damage."""
    return Path(shutil.copytree(tiny_encoder, tmp_path / "encoder"))


def assert_same(first: Encoder, second: Encoder) -> None:
    ids = torch.randint(0, 300, (3, 9), generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        assert torch.equal(first.eval()(ids, None), second.eval()(ids, None))


def test_weights_of_a_model_with_another_head_are_read(tiny_encoder: Path, folder: Path) -> None:
    from transformers import BertForMaskedLM

    BertForMaskedLM.from_pretrained(tiny_encoder).save_pretrained(folder)
    assert all(name.startswith(("bert.", "cls.")) for name in load_file(folder / "model.safetensors"))
    assert_same(load(folder, 0.0, 0.0), load(tiny_encoder, 0.0, 0.0))


def test_the_layer_norm_names_of_the_first_bert_files_are_read(tiny_encoder: Path, folder: Path) -> None:
    expected = load(tiny_encoder, 0.0, 0.0)
    with torch.no_grad():
        for name, weight in expected.named_parameters():
            if name.endswith("LayerNorm.weight"):
                weight.add_(0.5)  # 1 is what a weight that is not found in the file would start at
    weights = expected.transformer.state_dict()
    old = {f"bert.{name}".replace("Norm.weight", "Norm.gamma"): weight for name, weight in weights.items()}
    old = {name.replace("Norm.bias", "Norm.beta"): weight for name, weight in old.items()}
    save_file(old, folder / "model.safetensors", metadata={"format": "pt"})
    assert_same(load(folder, 0.0, 0.0), expected)


def test_half_precision_weights_are_computed_in_float32(folder: Path) -> None:
    half = {name: weight.half() for name, weight in load_file(folder / "model.safetensors").items()}
    save_file(half, folder / "model.safetensors", metadata={"format": "pt"})
    assert {weight.dtype for weight in load(folder, 0.0, 0.0).parameters()} == {torch.float32}


def test_a_pooler_is_neither_needed_nor_kept(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    save_file({k: v for k, v in weights.items() if not k.startswith("pooler.")}, folder / "model.safetensors")
    encoder = load(folder, 0.0, 0.0)
    assert not [name for name, _ in encoder.named_parameters() if "pooler" in name]


def test_an_absent_weight_is_named_and_not_left_random(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    del weights["encoder.layer.1.attention.self.query.weight"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(InputError, match="weights are missing .*layer.1.attention.self.query.weight"):
        load(folder, 0.0, 0.0)


@pytest.mark.parametrize("size", [0, 5, 1000, -1])
def test_a_truncated_weights_file_is_bad_input(folder: Path, size: int) -> None:
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:size])
    with pytest.raises(InputError, match="its files cannot be read"):
        load(folder, 0.0, 0.0)


@pytest.mark.parametrize("change", [{"hidden_size": 64}, {"vocab_size": 7}, {"num_attention_heads": 3}])
def test_a_config_that_does_not_fit_the_weights_is_bad_input(folder: Path, change: dict[str, int]) -> None:
    config = folder / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | change))
    with pytest.raises(InputError, match="its files cannot be read"):
        load(folder, 0.0, 0.0)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"hidden_size": 32}', '{"model_type": "no-such-model"}'])
def test_a_broken_config_is_bad_input(folder: Path, text: str) -> None:
    (folder / "config.json").write_text(text)
    with pytest.raises(InputError, match="encoder "):
        load(folder, 0.0, 0.0)
