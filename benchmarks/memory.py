"""`train` with all its rows but few steps: its peak memory, without the hour that a whole epoch takes.

`python -m benchmarks.memory --name value ...` takes what `python -m entrypoints.train` takes. Everything is as in
train (rows loaded and tokenised, test, report, model) but for the epochs: each has 60 batches of random rows and 4 of
the longest ones, which need the most memory.
"""

import sys
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import numpy as np

from newsclf import cli
from newsclf.config import TrainConfig

RANDOM, LONGEST = 60, 4


def _load() -> Callable[[TrainConfig], object]:
    from newsclf.model.batches import RaggedRows, TokenDataset
    from newsclf.model.datamodule import NewsDataModule
    from newsclf.model.training import Fit, fit
    from newsclf.verbs import train as recipe

    def fit_few(classifier: Any, data: NewsDataModule, config: TrainConfig, **rest: Any) -> Fit:
        data.setup()
        train = data.inputs["train"]
        table, labels = train.ragged, train.labels
        assert labels is not None
        random = np.random.default_rng(config.seed).permutation(len(table))[: RANDOM * config.batch_size]
        longest = np.argsort(-table.lengths, kind="stable")[: LONGEST * config.batch_size]
        rows = np.concatenate([random, longest])
        starts = table.starts()
        values = np.concatenate([table.values[starts[row] : starts[row + 1]] for row in rows])
        few = TokenDataset(RaggedRows(values, table.lengths[rows]), labels[rows], train.pad_id)
        few_rows = NewsDataModule(config, {"train": few, "validation": data.inputs["validation"]})
        result = fit(classifier, few_rows, config, **rest)
        print(f"{result.steps} steps; all {len(train):,} rows stayed in memory", flush=True)
        return result

    def train(config: TrainConfig) -> object:
        with patch.object(recipe, "fit", fit_few):
            return recipe.train(config)

    return train


if __name__ == "__main__":
    sys.exit(cli.run("train", TrainConfig, _load, sys.argv[1:]))
