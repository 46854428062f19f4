"""A BERT-family encoder that can be run from any layer to any layer."""

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from newsclf.errors import InputError
from newsclf.messages import one_line
from newsclf.model import attention
from newsclf.model.encoder_config import FAMILIES, read_config
from newsclf.model.tokenizer import Tokenizer
from newsclf.model.weights import weight_files
from newsclf.untrusted import BITS, Stored, tensors

Module = TypeVar("Module", bound=nn.Module)


class Encoder(nn.Module):
    """Token ids to hidden states, in two halves: layers [0, split) and [split, depth).

    The halves exist because a frozen lower half gives the same output in every epoch and can be
    computed once (`newsclf.model.prefix`).
    """

    def __init__(self, transformer: nn.Module) -> None:
        super().__init__()
        self.transformer = transformer
        config: Any = transformer.config
        if config.model_type not in FAMILIES:
            raise InputError(f"encoder of type {config.model_type!r}: supported are {', '.join(FAMILIES)}")
        self.hidden_size: int = config.hidden_size
        self.vocabulary: int = config.vocab_size
        self.max_positions: int = config.max_position_embeddings
        if config.model_type in ("roberta", "xlm-roberta", "camembert"):
            self.max_positions -= config.pad_token_id + 1  # their positions start behind the padding id

    @property
    def layers(self) -> nn.ModuleList:
        stack: Any = self.transformer
        return stack.transformer.layer if hasattr(stack, "transformer") else stack.encoder.layer

    def check_reads(self, tokenizer: Tokenizer, limit: str) -> None:
        """Raises InputError where the tokenizer gives more tokens, or others, than the encoder has been made for.

        limit: what has set the tokenizer's max_length.
        """
        if tokenizer.max_length > self.max_positions:
            raise InputError(
                f"{limit} is {tokenizer.max_length}: encoder {tokenizer.folder} reads at most "
                f"{self.max_positions} tokens"
            )
        if tokenizer.highest_id >= self.vocabulary:
            raise InputError(
                f"encoder {tokenizer.folder}: its tokenizer has a token of number {tokenizer.highest_id}, and its "
                f"weights are for {self.vocabulary} tokens: fetch its files again"
            )

    def forward(self, ids: Tensor, mask: Tensor | None) -> Tensor:
        """Hidden states [rows, length, hidden] of token ids [rows, length]; mask is True on real tokens."""
        return self.run(self.embed(ids), mask, 0, len(self.layers))

    def embed(self, ids: Tensor) -> Tensor:
        """The input of layer 0: embeddings [rows, length, hidden] of token ids [rows, length]."""
        transformer: Any = self.transformer
        hidden: Tensor = transformer.embeddings(input_ids=ids)
        if hasattr(transformer, "embeddings_project"):  # ELECTRA's small embeddings
            hidden = transformer.embeddings_project(hidden)
        return hidden

    def run(self, hidden: Tensor, mask: Tensor | None, start: int, end: int) -> Tensor:
        """Apply layers start..end-1 to hidden states [rows, length, hidden]; mask None means no padding.

        Under autocast the states go from layer to layer in its type, so that none of them casts; the weights of
        LayerNorms stay float32, and so do the sums inside of them and of the softmax.
        """
        attended = None if mask is None else mask[:, None, None, :]
        if torch.is_autocast_enabled(hidden.device.type):
            hidden = hidden.to(torch.get_autocast_dtype(hidden.device.type))
        for layer in self.layers[start:end]:
            hidden = layer(hidden, attended)
        return hidden

    def freeze_below(self, layer: int) -> None:
        """Stop training (and dropout) in the embeddings and in all layers below `layer`."""
        for part in self.frozen_parts(layer):
            part.requires_grad_(False)
            part.eval()

    @torch.no_grad()
    def reinitialise(self, layers: int) -> None:
        """Draw the weights of the top layers anew, as before the encoder was trained.

        What they have learnt is of use to the encoder's own task, and may be in the way of another (Zhang et al. 2021,
        Revisiting Few-sample BERT Fine-tuning).
        """
        config: Any = self.transformer.config
        for layer in self.layers[len(self.layers) - layers :]:
            for name, weight in layer.named_parameters():
                if weight.ndim >= 2:
                    weight.normal_(0.0, config.initializer_range)
                else:
                    weight.fill_(1.0 if "norm" in name.lower() and name.endswith("weight") else 0.0)

    def frozen_parts(self, layer: int) -> list[nn.Module]:
        if layer == 0:
            return []
        stack: Any = self.transformer
        projection = [stack.embeddings_project] if hasattr(stack, "embeddings_project") else []
        return [stack.embeddings, *projection, *self.layers[:layer]]


class Dropout(nn.Dropout):
    """Dropout whose random numbers cost little on a CPU: 16 bits an element, in the order of a quick generator.

    torch's generator gives the quick one's seed, so that its state is all there is to keep. The rate is rounded to
    1/65536. torch's own CPU dropout draws one Bernoulli number an element, which takes several times as long.
    """

    def forward(self, input: Tensor) -> Tensor:
        if not self.training or self.p == 0:
            return input
        if input.device.type != "cpu":
            return super().forward(input)
        seed = int(torch.empty((), dtype=torch.int64).random_())
        draws = np.random.SFC64(seed).random_raw((input.numel() + 3) // 4)
        bits = torch.from_numpy(draws.view(np.int16))[: input.numel()].view(input.shape)
        dropped = round(self.p * 65536)
        # 0 or 1 in place of the bits: a tensor of truth values takes torch ten times as long to make, and to cast.
        keep = bits.ge_(dropped - 32768).to(input.dtype)
        return input * keep.mul_(65536 / (65536 - dropped))


def in_bf16(module: Module) -> Module:
    """A copy of an encoder, or of what has one, whose matrices are held in bf16: for passes that train nothing.

    Autocast rounds them alike, but anew for every batch. What is no matrix of a layer is shared with `module`.
    """
    shared = {id(tensor): tensor for tensor in (*module.parameters(), *module.buffers())}
    copied = copy.deepcopy(module, shared)
    for encoder in copied.modules():
        for part in encoder.modules() if isinstance(encoder, Encoder) else ():
            if isinstance(part, nn.Linear):
                part.weight, part.bias = (
                    nn.Parameter(tensor.detach().to(torch.bfloat16), requires_grad=False)
                    for tensor in (part.weight, part.bias)
                )
    return copied


def load(folder: Path, dropout: float, attention_dropout: float) -> Encoder:
    """Read an encoder from a folder of config.json and model.safetensors, in float32.

    None of its code is run, and nothing is built before its sizes are checked. Raises InputError for files that are
    broken, too large, or of an unsupported family.
    """
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        config = read_config(folder)
        for name in ("hidden_dropout_prob", "dropout"):
            if hasattr(config, name):
                setattr(config, name, dropout)
        for name in ("attention_probs_dropout_prob", "attention_dropout"):
            if hasattr(config, name):
                setattr(config, name, attention_dropout)
        transformer = _filled(config, folder)
        if getattr(transformer, "pooler", None) is not None:
            transformer.pooler = None  # it is not used
        encoder = Encoder(transformer)
        _try(encoder, config)
    except InputError:
        raise
    except Exception as error:  # safetensors, JSON and transformers each have their own kinds
        raise InputError(
            f"encoder {folder}: its files cannot be read ({one_line(error, 200)}); fetch them again"
        ) from error
    _replace_dropout(transformer)
    attention.install(transformer)
    return encoder


def _filled(config: Any, folder: Path) -> Any:
    """The transformer with the folder's weights; transformers itself opens no file. Raises InputError or ValueError."""
    from transformers import AutoModel

    with torch.device("meta"):  # names and shapes alone
        bare = AutoModel.from_config(config, trust_remote_code=False)
    there = tensors(*weight_files(str(folder), folder))
    names = {_todays_name(name, bare.base_model_prefix): name for name in there}
    wanted = bare.state_dict()
    # A pooler is not used; any other weight that is absent would be left at random values.
    missing = sorted(name for name in wanted if name not in names and not name.startswith("pooler."))
    if missing:
        raise InputError(f"encoder {folder}: weights are missing ({missing[0]} and {len(missing) - 1} more)")
    chosen = {name: there[names[name]] for name in wanted if name in names}
    for name, stored in chosen.items():
        if stored.shape != wanted[name].shape or stored.dtype not in BITS:
            raise ValueError(
                f"{names[name]} is {stored.dtype} of shape {list(stored.shape)}; by config.json it is a number type of "
                f"shape {list(wanted[name].shape)}"
            )
    return type(bare).from_pretrained(
        None,
        config=config,
        state_dict=_read({name: (stored, names[name]) for name, stored in chosen.items()}),
        attn_implementation="sdpa",
        dtype=torch.float32,
        trust_remote_code=False,
    )


def _todays_name(name: str, prefix: str) -> str:
    """The weight's name in the transformer alone: a file may be of a model with a head, or of the first BERT's time."""
    name = name.removeprefix(f"{prefix}.")
    return name.replace("LayerNorm.gamma", "LayerNorm.weight").replace("LayerNorm.beta", "LayerNorm.bias")


def _read(chosen: Mapping[str, tuple[Stored, str]]) -> dict[str, Tensor]:
    """The tensors, by their new names; given with each are where it is stored and its name there."""
    from safetensors import safe_open

    state = {}
    for file in {stored.file for stored, _ in chosen.values()}:
        with safe_open(file, "pt") as opened:
            for name, (stored, old) in chosen.items():
                if stored.file == file:
                    state[name] = opened.get_tensor(old)
    return state


def _try(encoder: Encoder, config: Any) -> None:
    """Raises ValueError where a weight, or what comes out for the first and the last token, is no finite number."""
    for name, weight in encoder.named_parameters():
        if not torch.isfinite(weight).all():
            raise ValueError(f"the weights {name} hold NaN or infinite values")
    with torch.inference_mode():
        hidden = encoder(torch.tensor([[0, config.vocab_size - 1]]), None)
    if not torch.isfinite(hidden).all():
        raise ValueError("its weights are so large that nothing but NaN comes out")


def _replace_dropout(module: nn.Module) -> None:
    for name, child in module.named_children():
        if type(child) is nn.Dropout:
            setattr(module, name, Dropout(child.p))
        else:
            _replace_dropout(child)
