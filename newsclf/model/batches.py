"""Rows of different length as flat arrays, and batches of rows of nearly equal length."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

TOKENS_A_BATCH = 8192  # padding included, where nothing is trained


@dataclass(frozen=True)
class RaggedRows:
    """Rows of one kind of model input: token ids, hidden states, or one pooled vector a row.

    values: [all tokens] int32 ids, [all tokens, hidden] float16 states, or [rows, hidden] float16 vectors.
    lengths: [rows] tokens of each row. pooled: whether values holds one vector a row.
    """

    values: np.ndarray
    lengths: np.ndarray
    pooled: bool = False

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def tokens(self) -> int:
        return int(self.lengths.sum())

    def starts(self) -> np.ndarray:
        return np.concatenate(([0], np.cumsum(self.lengths, dtype=np.int64)))


class TokenBatch(NamedTuple):
    """values: as in RaggedRows, padded to [rows, longest, ...]; mask: [rows, longest], None where nothing is padded."""

    values: Tensor
    mask: Tensor | None
    labels: Tensor | None
    pooled: bool


class TokenDataset(Dataset[Any]):
    """Ragged rows as a torch data set that is indexed by whole batches (lists of row numbers).

    weights: [rows] how often each of them is a row of the data set; None is once.
    """

    def __init__(
        self, ragged: RaggedRows, labels: np.ndarray | None = None, pad_id: int = 0, weights: np.ndarray | None = None
    ) -> None:
        self.ragged, self.labels, self.pad_id = ragged, labels, pad_id
        self._starts = ragged.starts()
        self._rows = np.repeat(np.arange(len(ragged)), 1 if weights is None else weights)

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def lengths(self) -> np.ndarray:
        """Tokens of each row."""
        return self.ragged.lengths[self._rows]

    @property
    def row_labels(self) -> np.ndarray:
        """The class index of each row."""
        assert self.labels is not None
        return self.labels[self._rows]

    @property
    def row_weights(self) -> np.ndarray:
        """[ragged rows] how often each of them is a row."""
        return np.bincount(self._rows, minlength=len(self.ragged))

    def __getitems__(self, rows: Sequence[int]) -> TokenBatch:
        chosen = self._rows[np.asarray(rows)]
        values, mask = self._gather(chosen)
        labels = None if self.labels is None else torch.from_numpy(self.labels[chosen])
        return TokenBatch(values, mask, labels, self.ragged.pooled)

    def _gather(self, rows: np.ndarray) -> tuple[Tensor, Tensor | None]:
        source = self.ragged.values
        if self.ragged.pooled:
            return torch.from_numpy(source[rows].astype(np.float32)), None
        lengths = self.ragged.lengths[rows]
        longest = int(lengths.max())
        is_ids = source.ndim == 1
        shape = (len(rows), longest, *source.shape[1:])
        padded = np.full(shape, self.pad_id, np.int64) if is_ids else np.zeros(shape, np.float32)
        for position, (row, length) in enumerate(zip(rows, lengths, strict=True)):
            start = self._starts[row]
            padded[position, :length] = source[start : start + length]
        mask = None
        if int(lengths.min()) < longest:
            mask = torch.from_numpy(np.arange(longest)[None, :] < lengths[:, None])
        return torch.from_numpy(padded), mask


class LengthBucketSampler(Sampler[list[int]]):
    """Batches in random order, each of rows of nearly equal length, so that little is padded.

    Rows are shuffled, cut into pools of `pool` batches, sorted by length inside a pool and cut into
    batches. Every row comes once an epoch; the order depends on the seed and the epoch alone.
    """

    def __init__(self, lengths: np.ndarray, batch_size: int, seed: int, pool: int = 50) -> None:
        self.lengths, self.batch_size, self.seed, self.pool = lengths, batch_size, seed, pool
        self.epoch = 0

    def __len__(self) -> int:
        return -(-len(self.lengths) // self.batch_size)

    def __iter__(self) -> Iterator[list[int]]:
        random = np.random.default_rng((self.seed, self.epoch))
        self.epoch += 1
        order = self._drawn(random)
        batches = []
        for start in range(0, len(order), self.batch_size * self.pool):
            pool = order[start : start + self.batch_size * self.pool]
            pool = pool[np.argsort(self.lengths[pool], kind="stable")]
            batches += [pool[cut : cut + self.batch_size] for cut in range(0, len(pool), self.batch_size)]
        for number in random.permutation(len(batches)):
            yield batches[number].tolist()

    def _drawn(self, random: np.random.Generator) -> np.ndarray:
        """The rows of an epoch in random order."""
        return random.permutation(len(self.lengths))


class BalancedSampler(LengthBucketSampler):
    """As many rows an epoch as there are, of every class that occurs equally many, but for one where that is no whole
    number.

    Of a class with more rows than its share each epoch has others; of one with fewer each row comes as often as the
    others, but for one time.
    """

    def __init__(self, lengths: np.ndarray, labels: np.ndarray, batch_size: int, seed: int, pool: int = 50) -> None:
        """labels: [rows] class indices."""
        super().__init__(lengths, batch_size, seed, pool)
        self.by_class = [np.flatnonzero(labels == label) for label in np.unique(labels)]

    def _drawn(self, random: np.random.Generator) -> np.ndarray:
        share, rest = divmod(len(self.lengths), len(self.by_class))
        counts = np.full(len(self.by_class), share)
        counts[random.permutation(len(counts))[:rest]] += 1
        drawn = [_dealt(rows, count, random) for rows, count in zip(self.by_class, counts, strict=True)]
        return random.permutation(np.concatenate(drawn))


def _dealt(rows: np.ndarray, count: int, random: np.random.Generator) -> np.ndarray:
    """`count` of the rows, all of them as often as a shuffled pack gives, before any comes once more."""
    times, rest = divmod(count, len(rows))
    return np.concatenate([np.tile(rows, times), random.permutation(rows)[:rest]])


class LongestFirstSampler(Sampler[list[int]]):
    """Every row once, longest first, for passes in which the order does not matter.

    Longest first shows at once whether a batch fits in memory. A batch holds at most
    `max_tokens` tokens (padding included) and at least one row.
    """

    def __init__(self, lengths: np.ndarray, max_tokens: int) -> None:
        order = np.argsort(-lengths, kind="stable")
        self.batches: list[list[int]] = []
        start = 0
        while start < len(order):
            rows = max(1, max_tokens // max(1, int(lengths[order[start]])))
            self.batches.append(order[start : start + rows].tolist())
            start += rows

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[list[int]]:
        return iter(self.batches)


def loader(dataset: TokenDataset, sampler: Sampler[list[int]], num_workers: int = 0) -> DataLoader[TokenBatch]:
    """A DataLoader of ready batches. Those of pooled rows are slices of an array: no worker is worth its start."""
    num_workers = 0 if dataset.ragged.pooled else num_workers
    return DataLoader(
        dataset,
        batch_sampler=sampler,
        collate_fn=_as_is,  # type: ignore[arg-type]  # batches come ready from __getitems__
        num_workers=num_workers,
        persistent_workers=num_workers > 0,
        pin_memory=torch.cuda.is_available(),
    )


def _as_is(batch: TokenBatch) -> TokenBatch:
    return batch


def longest_first(dataset: TokenDataset, device: torch.device) -> Iterator[tuple[list[int], TokenBatch]]:
    """Every row once, longest first, as (row numbers, their batch on the device)."""
    sampler = LongestFirstSampler(dataset.lengths, TOKENS_A_BATCH)
    for rows, batch in zip(sampler, loader(dataset, sampler), strict=True):
        yield rows, to_device(batch, device)


def to_device(batch: TokenBatch, device: torch.device) -> TokenBatch:
    def moved(part: Tensor | None) -> Tensor | None:
        return None if part is None else part.to(device, non_blocking=True)

    return TokenBatch(batch.values.to(device, non_blocking=True), moved(batch.mask), moved(batch.labels), batch.pooled)
