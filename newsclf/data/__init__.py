"""Where labelled text comes from: sources, row checks, splits, fingerprints and the packaged sample.

`load(options)` is the door. Nothing here imports torch, transformers or mlflow.
"""

from newsclf.data.dataset import SPLITS, Dataset, fingerprint_texts
from newsclf.data.loader import SOURCES, load, load_whole

__all__ = ["SOURCES", "SPLITS", "Dataset", "fingerprint_texts", "load", "load_whole"]
