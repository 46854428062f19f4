"""What an encoder is, by its config.json: of which family, and how large."""

from pathlib import Path
from typing import Any

from newsclf.errors import InputError
from newsclf.messages import one_line
from newsclf.untrusted import MAX_VOCABULARY, load_json_object

# The families whose layers take (hidden states, attention mask) and nothing that depends on the layer.
FAMILIES = ("bert", "roberta", "xlm-roberta", "camembert", "electra", "distilbert")
# The most of each field of config.json; the largest of these families, xlm-roberta-large, has 24 layers of 1,024.
LIMITS = {
    "vocab_size": MAX_VOCABULARY,
    "hidden_size": 8192,
    "num_hidden_layers": 128,
    "num_attention_heads": 256,
    "intermediate_size": 65_536,
    "hidden_dim": 65_536,  # DistilBERT's name of it
    "embedding_size": 8192,
    "max_position_embeddings": 65_536,
    "type_vocab_size": 1024,
}


def read_config(folder: Path) -> Any:
    """transformers' configuration, of the fields that make the encoder: others may name code, files, a billion labels.

    Raises InputError for another family, ValueError or OSError for what cannot be read or is out of range.
    """
    from transformers import CONFIG_MAPPING

    values = load_json_object(folder / "config.json")
    family = values.get("model_type")
    if family not in FAMILIES:
        raise InputError(f"encoder {folder}: type {one_line(repr(family))}; supported are {', '.join(FAMILIES)}")
    if (positions := values.get("position_embedding_type", "absolute")) != "absolute":
        raise InputError(f"encoder {folder}: positions of type {one_line(positions)}; supported are absolute ones")
    kind = CONFIG_MAPPING[family]
    known = {*kind.__annotations__, *kind.attribute_map}
    config = kind(**{name: value for name, value in values.items() if name in known})
    for name, most in LIMITS.items():
        value = getattr(config, name, 1)
        if type(value) is not int or not 1 <= value <= most:
            raise ValueError(f"config.json: {name} is {one_line(value, 40)}, and must be from 1 to {most:,}")
    if config.pad_token_id is not None and not 0 <= config.pad_token_id < config.vocab_size:
        raise ValueError(f"config.json: pad_token_id is {config.pad_token_id}, and no token of its vocabulary")
    if config.hidden_size % config.num_attention_heads:
        raise ValueError(
            f"config.json: hidden_size {config.hidden_size} is no multiple of its {config.num_attention_heads} heads"
        )
    if isinstance(tokenizer := values.get("tokenizer_class"), str):
        config.tokenizer_class = tokenizer  # some encoders have another than their family
    return config
