"""The data that a run was made of, as MLflow's dataset inputs."""

import warnings

import pandas as pd
from mlflow.data.dataset_source_registry import resolve_dataset_source
from mlflow.data.meta_dataset import MetaDataset
from mlflow.data.pandas_dataset import from_pandas

from newsclf.data import Dataset
from newsclf.errors import InputError
from newsclf.tracking.run import Run

FINGERPRINT = "newsclf.data_fingerprint"


def log_dataset(run: Run, dataset: Dataset, context: str, splits: tuple[str, ...]) -> None:
    """The data as dataset inputs with its fingerprint, its class counts, and what was dropped from it.

    Raises InputError where the run has begun with other data.
    """
    if (before := run.tags.get(FINGERPRINT, dataset.fingerprint)) != dataset.fingerprint:
        raise InputError(
            f"{dataset.source}: these are not the data that run {run.id} began with (fingerprint "
            f"{dataset.fingerprint[:16]}..., then {before[:16]}...): bring those back, or start a run of its own"
        )
    for split in splits:
        log_split(run, dataset, split, context if split == "train" else split)
    counts = pd.DataFrame({split: dataset.splits[split]["label"].value_counts() for split in splits})
    counts = counts.reindex(list(dataset.classes)).fillna(0).astype(int)
    run.log_table(counts.rename_axis("class").reset_index(), "data/class_counts.json")
    run.log_metrics({f"rows/{split}": len(dataset.splits[split]) for split in splits})
    run.log_metrics({f"dropped/{reason}": count for reason, count in dataset.notes.items()})
    run.tag({FINGERPRINT: dataset.fingerprint, **{f"newsclf.{name}": text for name, text in dataset.tags.items()}})


def log_split(run: Run, dataset: Dataset, split: str, context: str) -> None:
    """A split of the data as a dataset input, with its fingerprint."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a local path fits two of MLflow's kinds of source, which are alike
        described = from_pandas(
            dataset.splits[split],
            source=dataset.source,
            targets="label",
            name=f"{dataset.name}-{split}",
            digest=dataset.fingerprint[:16],
        )
    run.log_input(described, context)


def log_stream(run: Run, name: str, source: str, digest: str) -> None:
    """Rows that were read once, in chunks, as a dataset input. digest: SHA-256 (hex) of their texts."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = resolve_dataset_source(source)
    run.log_input(MetaDataset(found, name=name[:500], digest=digest[:16]), "profile")  # type: ignore[abstract]
    run.tag({FINGERPRINT: digest})
