"""Promotions that want to change the champion at the same moment, each a process of its own."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from mlflow import MlflowClient

from newsclf.tracking.registry import champion
from tests.integration.conftest import ROOT

# Reads who is champion, waits for all others, and then moves it.
RACER = """
import sys, time
from pathlib import Path
from mlflow import MlflowClient
from newsclf.tracking.registry import champion
from newsclf.tracking.registry import versions as registry
uri, name, folder, me, racers, rounds = *sys.argv[1:3], Path(sys.argv[3]), sys.argv[4], *map(int, sys.argv[5:])
client = MlflowClient(uri, uri)
def meet(place):
    (folder / f"{place}.{me}").touch()
    while len(list(folder.glob(f"{place}.*"))) < racers:
        time.sleep(0.005)
for number in range(rounds):
    seen = champion.read_state(client, name)
    meet(f"read{number}")
    won = champion.set_champion(client, name, seen, me, registry.PROMOTED, "0" * 32)
    print("won" if won else "lost", flush=True)
    meet(f"done{number}")
    print(client.get_model_version_by_alias(name, "champion").version, flush=True)
    meet(f"told{number}")
"""


def race(client: MlflowClient, name: str, versions: Sequence[str], rounds: int, folder: Path) -> None:
    """Let a process a version promote its own, `rounds` times; in each round one must win, and be the champion."""
    command = [sys.executable, "-c", RACER, client.tracking_uri, name, str(folder)]
    racers = [
        subprocess.Popen(
            [*command, me, str(len(versions)), str(rounds)],
            env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, cwd=folder, text=True,
        )
        for me in versions
    ]  # fmt: skip
    told = [racer.communicate(timeout=300)[0].split() for racer in racers]
    assert [racer.returncode for racer in racers] == [0] * len(versions)
    winners = []
    for number in range(rounds):
        said = [lines[2 * number] for lines in told]
        assert sorted(said) == ["lost"] * (len(versions) - 1) + ["won"]
        winners.append(versions[said.index("won")])
        assert {lines[2 * number + 1] for lines in told} == {winners[-1]}
    assert [one.to for one in champion.read_state(client, name).moves] == winners
