"""Attention by the faster of two ways: torch's fused kernel, or plain matrix products with a softmax between them."""

from typing import Any

import torch
from torch import Tensor, nn

NAME = "newsclf"  # among transformers' implementations of attention

# (bf16, training) -> the longest texts, in tokens, for which plain products are the faster way on a CPU. Milliseconds a
# step of 32 rows of minilm on 2 cores with AMX, fused / plain:
#   bf16, training   64 tokens 441 / 295   256 tokens 1,497 / 1,474   the fused kernel's backward is what takes long
#   bf16, forward    64 tokens  57 / 63    256 tokens   303 / 455
# In float32 the fused kernel is the faster one in both passes.
PLAIN_UP_TO = {(True, True): 256, (True, False): 0, (False, True): 0, (False, False): 0}


def is_plain(query: Tensor) -> bool:
    """Whether attention of these queries [rows, heads, length, width] is computed by plain products."""
    training = torch.is_grad_enabled() and query.requires_grad
    return query.device.type == "cpu" and query.shape[2] <= PLAIN_UP_TO[query.dtype == torch.bfloat16, training]


def plain(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, dropout: float, scaling: float) -> Tensor:
    """[rows, heads, length, width] each; mask [rows, 1, 1, length] is True on the keys that are seen."""
    scores = torch.matmul(query * scaling, key.transpose(2, 3))
    if mask is not None:
        scores += torch.zeros_like(mask, dtype=scores.dtype).masked_fill_(~mask, torch.finfo(scores.dtype).min)
    return torch.matmul(nn.functional.dropout(torch.softmax(scores, dim=-1), dropout, training=dropout > 0), value)


def attend(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    **rest: Any,
) -> tuple[Tensor, None]:
    """What transformers' layers call: [rows, length, heads, width] of queries, keys and values as in `plain`."""
    from transformers.integrations.sdpa_attention import sdpa_attention_forward

    if not is_plain(query):
        return sdpa_attention_forward(module, query, key, value, attention_mask, dropout, scaling, **rest)
    found = plain(query, key, value, attention_mask, dropout, query.shape[-1] ** -0.5 if scaling is None else scaling)
    return found.transpose(1, 2).contiguous(), None


def install(transformer: Any) -> None:
    """Let the layers of a transformer attend by `attend`. Its config, as it is saved, does not say so."""
    from transformers import AttentionInterface

    AttentionInterface.register(NAME, attend)
    transformer.config._attn_implementation = NAME
