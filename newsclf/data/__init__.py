"""Where labelled text comes from: sources, row checks, splits, fingerprints and the packaged sample.

`load(options)` and `open_stream(options)` are the doors. Nothing here imports torch, transformers or mlflow.
"""

from newsclf.data.dataset import SPLITS, Dataset, fingerprint_texts
from newsclf.data.loader import SOURCES, load, load_split, open_batch, open_stream, own_split

__all__ = [
    "SOURCES",
    "SPLITS",
    "Dataset",
    "fingerprint_texts",
    "load",
    "load_split",
    "open_batch",
    "open_stream",
    "own_split",
]
