"""A few tokenised rows of a data set, the same ones for every rival."""

import numpy as np

from newsclf.config import TrainConfig
from newsclf.data import load
from newsclf.model.batches import TokenDataset
from newsclf.model.tokenizer import Tokenizer
from newsclf.model.weights import find


def sampled(config: TrainConfig, count: int) -> tuple[TokenDataset, int]:
    """`count` training rows of the config's data set, drawn by its seed, and how many rows it has in all."""
    dataset = load(config)
    whole = dataset.splits["train"]
    frame = whole.sample(count, random_state=config.seed)
    tokenizer = Tokenizer(find(config.encoder).folder, config.max_length)
    labels = frame["label"].map({label: n for n, label in enumerate(dataset.classes)}).to_numpy(np.int64)
    return TokenDataset(tokenizer(frame["text"].tolist()), labels, tokenizer.pad_id), len(whole)
