"""A champion, and a call of retrain that would improve it, without a server."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlflow.entities import Run, RunData, RunInfo, RunTag

from newsclf.config import RetrainConfig, TrainConfig
from newsclf.retraining.context import RetrainContext
from newsclf.tracking.artifacts.trained_model import TrainedModel


def champion(tags: Mapping[str, str] | None = None, **options: Any) -> TrainedModel:
    """Version 1 of `news`, made by a run of train with these options and tags."""
    data = RunData([], [], [RunTag(name, text) for name, text in (tags or {}).items()])
    run = Run(RunInfo("c" * 32, "0", "u", "FINISHED", 0, 1, "active", "/tmp"), data)
    return TrainedModel("news", "1", run, TrainConfig(**options))


def context(folder: Path, model: TrainedModel, config: RetrainConfig | None = None) -> RetrainContext:
    """A call that has this folder, and no run: it can start no children."""
    run: Any = None
    return RetrainContext(config or RetrainConfig(stream=str(folder / "stream")), run, folder, -1, model)
