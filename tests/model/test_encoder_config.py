"""What config.json may say of an encoder; hostile ones: tests/tracking/artifacts/test_models_hostile.py."""

import json
from pathlib import Path
from typing import Any

import pytest

from newsclf.errors import InputError
from newsclf.model.encoder_config import FAMILIES, LIMITS, read_config


def write(folder: Path, **values: Any) -> Path:
    (folder / "config.json").write_text(json.dumps(values))
    return folder


@pytest.mark.parametrize("family", FAMILIES)
def test_what_a_family_is_made_of_is_within_the_limits(family: str, tmp_path: Path) -> None:
    assert read_config(write(tmp_path, model_type=family)).model_type == family


def test_only_the_fields_of_the_family_are_taken(tmp_path: Path) -> None:
    config = read_config(
        write(
            tmp_path,
            model_type="bert",
            hidden_size=48,
            num_labels=7,
            auto_map={"AutoModel": "own.Own"},
            quantization_config={},
            transformers_weights="elsewhere",
            tokenizer_class="RobertaTokenizer",
        )
    )
    assert (config.hidden_size, config.num_labels, config.tokenizer_class) == (48, 2, "RobertaTokenizer")
    assert not [name for name in ("auto_map", "quantization_config", "transformers_weights") if hasattr(config, name)]


def test_distilberts_names_of_sizes_are_bounded_as_well(tmp_path: Path) -> None:
    for name, value in (("n_layers", 10**7), ("dim", 10**7), ("n_heads", 0), ("hidden_dim", 10**9)):
        with pytest.raises(ValueError, match="config.json: .* must be from 1 to"):
            read_config(write(tmp_path, model_type="distilbert", **{name: value}))


def test_the_limits_are_limits(tmp_path: Path) -> None:
    for name, most in LIMITS.items():
        family = "distilbert" if name == "hidden_dim" else "electra"
        heads = {"num_attention_heads": 1} if name != "num_attention_heads" else {"hidden_size": most}
        assert getattr(read_config(write(tmp_path, model_type=family, **{**heads, name: most})), name) == most
        with pytest.raises(ValueError, match=f"{name} is {most + 1}, and must be from 1 to"):
            read_config(write(tmp_path, model_type=family, **{**heads, name: most + 1}))


@pytest.mark.parametrize("family", [None, "gpt2", ["bert"], 7, "own\nfamily" * 100])
def test_another_family_is_named_in_one_line(family: Any, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="supported are bert, ") as error:
        read_config(write(tmp_path, model_type=family))
    assert len(str(error.value).splitlines()) == 1
