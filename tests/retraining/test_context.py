"""What a call of retrain knows of the call before it, and what it asks the monitor for."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from newsclf.config import MonitorConfig, RetrainConfig
from newsclf.config.options import build
from newsclf.files import write_json
from newsclf.retraining.context import RetrainContext
from newsclf.retraining.policy import LastAttempt
from tests.retraining.made import champion, context

REFUSED = LastAttempt(onset="b1", until="b4", rows=300, kind="covariate", refused=True, tested="b4")


def made(folder: Path, **tags: str) -> RetrainContext:
    return context(folder, champion(tags={f"newsclf.retrain_{name}": text for name, text in tags.items()}))


def keep(found: RetrainContext, **other: Any) -> None:
    write_json(found.refusal, {"champion": found.champion.uri, "folder": "f", **dataclasses.asdict(REFUSED), **other})


def test_there_was_none(tmp_path: Path) -> None:
    assert made(tmp_path).last_attempt() == LastAttempt()


def test_one_that_was_refused_is_known_by_its_folder(tmp_path: Path) -> None:
    found = made(tmp_path)
    keep(found)
    assert found.last_attempt() == REFUSED


def test_one_that_was_refused_against_another_champion_counts_no_more(tmp_path: Path) -> None:
    found = made(tmp_path)
    keep(found, champion="models:/news/0")
    assert found.last_attempt() == LastAttempt()


@pytest.mark.parametrize("same", [True, False])
def test_a_champion_that_was_made_for_this_stream_is_the_last_attempt(tmp_path: Path, same: bool) -> None:
    stream = str(tmp_path / ("stream" if same else "another"))
    found = made(tmp_path, stream=stream, onset="b2", until="b5", rows="120")
    assert found.last_attempt() == (LastAttempt("b2", "b5", 120, learning=True) if same else LastAttempt())


def test_the_monitor_is_asked_as_the_options_say(tmp_path: Path) -> None:
    config = RetrainConfig(stream=str(tmp_path / "stream"), batch="count", batch_rows=70, alpha=0.01, device="cpu")
    options = context(tmp_path, champion(seed=7), config).monitor_options()
    monitor = build(MonitorConfig, {name: str(value) for name, value in options.items()})
    assert (monitor.batch, monitor.batch_rows, monitor.alpha, monitor.device) == ("count", 70, 0.01, "cpu")
    assert (monitor.stream, monitor.reference) == (config.stream, "models:/news/1")
    assert (monitor.seed, monitor.output_dir) == (7, str(tmp_path / "monitor"))
