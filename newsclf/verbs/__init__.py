"""The recipes: what the program can do, one file a verb.

This is the one list of them; it imports none, so that a door's help stays quick. `make configs` writes what follows
from it: each verb's door, its entry in MLproject, its make target and its file of defaults.
"""

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

VERBS: dict[str, type] = {
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


def summary(verb: str) -> str:
    """What the verb does, in a line."""
    return str(VERBS[verb].__doc__).strip().splitlines()[0]
