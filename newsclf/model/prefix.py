"""The frozen-prefix cache: what frozen layers put out is computed once and read ever after.

With `trainable_layers = k`, everything below the top k layers gives the same output in every epoch
and in every run of a sweep. It is kept as float16: the hidden states of every token for k > 0, one
pooled vector a row for k = 0.
"""

import json
from collections.abc import Callable
from hashlib import sha256

import numpy as np
import torch

from newsclf.model import allocator
from newsclf.model.batches import RaggedRows, TokenDataset, longest_first
from newsclf.model.cache import Cache
from newsclf.model.classifier import Classifier, mean_pool
from newsclf.model.encoder import in_bf16

FORMAT = 1  # goes up when the computation changes


def key(encoder_sha256: str, tokenizer_key: str, texts_fingerprint: str, classifier: Classifier, bf16: bool) -> str:
    """The name of an entry: a hash of everything its values depend on."""
    parts = [
        FORMAT,
        encoder_sha256,
        tokenizer_key,
        texts_fingerprint,
        classifier.frozen,
        is_pooled(classifier),
        "bf16 states" if bf16 else False,  # until 0.2.0 states between the layers were float32 under bf16, too: True
    ]
    return sha256(json.dumps(parts).encode()).hexdigest()


def is_pooled(classifier: Classifier) -> bool:
    """Whether all layers are frozen, so that one vector a row is all that is needed."""
    return classifier.frozen == len(classifier.encoder.layers)


def size(classifier: Classifier, tokens: RaggedRows) -> int:
    """Bytes of an entry."""
    return (len(tokens) if is_pooled(classifier) else tokens.tokens) * classifier.encoder.hidden_size * 2


@allocator.reused()
def compute(
    classifier: Classifier,
    cache: Cache,
    key: str,
    tokens: RaggedRows,
    pad_id: int,
    bf16: bool = False,
    progress: Callable[[int], None] = lambda rows: None,
) -> RaggedRows:
    """Run the frozen layers over token ids, in eval mode and without dropout, into the cache.

    progress is called with the number of rows of each finished batch.
    """
    pooled = is_pooled(classifier)
    count = len(tokens) if pooled else tokens.tokens
    shape = (count, classifier.encoder.hidden_size)

    def fill(values: np.ndarray) -> None:
        device = classifier.head.weight.device
        starts = tokens.starts()
        was_training = classifier.training
        classifier.eval()
        reader = in_bf16(classifier) if bf16 else classifier
        # A loader draws from the generator: what is trained afterwards must not depend on what was in the cache.
        with (
            torch.random.fork_rng(devices=[]),
            torch.inference_mode(),
            torch.autocast(device.type, torch.bfloat16, enabled=bf16),
        ):
            for rows, batch in longest_first(TokenDataset(tokens, pad_id=pad_id), device):
                hidden = reader.prefix(batch.values, batch.mask)
                if pooled:
                    values[rows] = mean_pool(hidden, batch.mask).half().cpu().numpy()
                else:
                    states = hidden.half().cpu().numpy()
                    for row, state in zip(rows, states, strict=True):
                        length = tokens.lengths[row]
                        values[starts[row] : starts[row] + length] = state[:length]
                progress(len(rows))
        classifier.train(was_training)

    values, lengths = cache.put(key, shape, tokens.lengths, fill)
    return RaggedRows(values, lengths, pooled)


def cached(cache: Cache, key: str, classifier: Classifier) -> RaggedRows | None:
    """The rows under `key`, if they have been computed."""
    entry = cache.get(key)
    return None if entry is None else RaggedRows(*entry, is_pooled(classifier))
