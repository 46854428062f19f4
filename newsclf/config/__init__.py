"""The options of every verb: names, types, defaults, limits, help. The one place that describes them."""

from newsclf.config.loop import PromoteConfig, RetrainConfig, SyncConfig
from newsclf.config.modelling import CompareConfig, EvaluateConfig, ReproduceConfig, SweepConfig, TrainConfig
from newsclf.config.shared import (
    DataOptions,
    DatasetOption,
    ReadingOptions,
    RunOptions,
    TextOptions,
    WeightedDataOptions,
)
from newsclf.config.watching import MonitorConfig, ProfileConfig, SimulateConfig

__all__ = [
    "CompareConfig",
    "DataOptions",
    "DatasetOption",
    "EvaluateConfig",
    "MonitorConfig",
    "ProfileConfig",
    "PromoteConfig",
    "ReadingOptions",
    "ReproduceConfig",
    "RetrainConfig",
    "RunOptions",
    "SimulateConfig",
    "SweepConfig",
    "SyncConfig",
    "TextOptions",
    "TrainConfig",
    "WeightedDataOptions",
]
