"""What a run was made of: code, environment, machine, data."""

from __future__ import annotations

import contextlib
import os
import platform
import resource
import subprocess
import sys
import warnings
from importlib.metadata import distributions
from pathlib import Path

import mlflow
import pandas as pd
from mlflow.data.pandas_dataset import from_pandas

from newsclf.data import Dataset
from newsclf.tracking.metrics import log_metrics, log_table
from newsclf.tracking.server import PROJECT

UNCOMMITTED, FREEZE = "environment/uncommitted.diff", "environment/freeze.txt"


def log_code_and_environment() -> None:
    """Tags: git commit, branch and whether the tree is dirty. Files: exact versions, the dirty diff."""
    commit = _git("rev-parse", "HEAD")
    if commit:
        # Files git does not know show in `status` alone.
        status, diff = (
            _git("status", "--porcelain"),
            _git("diff", "--binary", "--no-ext-diff", "--src-prefix=a/", "--dst-prefix=b/", "HEAD"),
        )
        mlflow.set_tags(
            {
                "mlflow.source.git.commit": commit,
                "mlflow.source.git.branch": _git("rev-parse", "--abbrev-ref", "HEAD"),
                "newsclf.git_dirty": str(bool(status)).lower(),
            }
        )
        if status:
            mlflow.log_text(f"{status}\n\n{diff}\n", UNCOMMITTED)
    mlflow.log_text("\n".join(installed()) + "\n", FREEZE)
    mlflow.set_tags({"newsclf.python": platform.python_version(), "newsclf.platform": platform.platform()})


def installed() -> list[str]:
    """`name==version` of every package of this environment."""
    found = {f"{d.metadata['Name']}=={d.version}" for d in distributions() if d.metadata["Name"]}
    return sorted(found, key=str.lower)


def log_dataset(dataset: Dataset, context: str, splits: tuple[str, ...]) -> None:
    """The data as MLflow dataset inputs with its fingerprint, its class counts, and what was dropped from it."""
    for split in splits:
        log_input(dataset, split, context if split == "train" else split)
    counts = pd.DataFrame({split: dataset.splits[split]["label"].value_counts() for split in splits})
    counts = counts.reindex(list(dataset.classes)).fillna(0).astype(int)
    log_table(counts.rename_axis("class").reset_index(), "data/class_counts.json")
    log_metrics({f"rows/{split}": len(dataset.splits[split]) for split in splits})
    if dataset.notes:
        log_metrics({f"dropped/{reason}": count for reason, count in dataset.notes.items()})
    mlflow.set_tags(
        {
            "newsclf.data_fingerprint": dataset.fingerprint,
            **{f"newsclf.{k}": v for k, v in dataset.tags.items()},
        }
    )
    for number, warning in enumerate(dataset.warnings):
        mlflow.set_tag(f"newsclf.data_warning.{number}", warning)


def log_input(dataset: Dataset, split: str, context: str) -> None:
    """A split of the data as one of MLflow's dataset inputs, with its fingerprint."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a local path fits two of MLflow's kinds of source, which are alike
        described = from_pandas(
            dataset.splits[split],
            source=dataset.source,
            targets="label",
            name=f"{dataset.name}-{split}",
            digest=dataset.fingerprint[:16],
        )
    mlflow.log_input(described, context=context)


def log_stream(name: str, source: str, digest: str) -> None:
    """Rows that were read once, in chunks, as an MLflow dataset input. digest: SHA-256 (hex) of their texts."""
    from mlflow.data.dataset_source_registry import resolve_dataset_source
    from mlflow.data.meta_dataset import MetaDataset

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = resolve_dataset_source(source)
    described = MetaDataset(found, name=name[:500], digest=digest[:16])  # type: ignore[abstract]
    mlflow.log_input(described, context="profile")
    mlflow.set_tag("newsclf.data_fingerprint", digest)


def peak_memory_bytes() -> int:
    """The largest resident size this process has had."""
    with contextlib.suppress(OSError), Path("/proc/self/status").open(encoding="ascii") as status:
        # Linux: getrusage would count what the process was before exec, that is its parent's size, too.
        for line in status:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _git(*arguments: str) -> str:
    """Output of git in the project folder; empty where there is no git or no checkout."""
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0"}
    try:
        done = subprocess.run(
            ["git", "-C", str(PROJECT), *arguments],
            capture_output=True,
            timeout=60,
            env=environment,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    # Nothing else is cut off or translated: a diff is applied again by `reproduce`.
    return done.stdout.decode(errors="replace").removesuffix("\n") if done.returncode == 0 else ""
