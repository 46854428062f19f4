"""Writes configs/<verb>.yaml, every option with its help and default, from newsclf/config: `make configs`."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import yaml

from newsclf.config import (
    CompareConfig,
    EvaluateConfig,
    MonitorConfig,
    ProfileConfig,
    PromoteConfig,
    ReproduceConfig,
    RetrainConfig,
    SimulateConfig,
    SweepConfig,
    SyncConfig,
    TrainConfig,
)

ROOT = Path(__file__).resolve().parent.parent
VERBS = {
    "train": TrainConfig,
    "evaluate": EvaluateConfig,
    "profile": ProfileConfig,
    "monitor": MonitorConfig,
    "simulate": SimulateConfig,
    "compare": CompareConfig,
    "promote": PromoteConfig,
    "retrain": RetrainConfig,
    "sync": SyncConfig,
    "sweep": SweepConfig,
    "reproduce": ReproduceConfig,
}


def as_yaml(field: dataclasses.Field[Any]) -> str:
    """The default as it is typed in YAML: one line; None as its own word, such as all or auto."""
    value = field.metadata["none"] if field.default is None else field.default
    value = list(value) if isinstance(value, tuple) else value
    return yaml.safe_dump(value, default_flow_style=True, width=1000).removesuffix("...\n").strip()


def defaults(verb: str) -> str:
    """The text of configs/<verb>.yaml."""
    fields = dataclasses.fields(VERBS[verb])
    required = [field.name for field in fields if field.default is dataclasses.MISSING]
    run = " ".join([f"mlflow run . -e {verb}", *(f"-P {name}=..." for name in required)])
    lines = [
        f"# Every option of {verb} with its default, written by `make configs` from newsclf/config/.",
        f"# Run it: {run}    another value: -P name=value",
    ]
    for field in fields:
        lines += ["", f"# {field.metadata['help']}"]
        lines += [f"# {field.name}: (required)" if field.name in required else f"{field.name}: {as_yaml(field)}"]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    for verb in VERBS:
        (ROOT / "configs" / f"{verb}.yaml").write_text(defaults(verb))
