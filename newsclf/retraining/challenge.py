"""A challenger is trained, by itself or in a sweep, and the gate decides whether it becomes champion."""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from newsclf.config import PromoteConfig, SweepConfig, TrainConfig
from newsclf.config.fields import names_of
from newsclf.config.options import as_text, build, resolve
from newsclf.errors import InputError
from newsclf.files import read_json, write_json
from newsclf.retraining.attempt import Attempt, champion_rows, make_attempt, tested_later
from newsclf.retraining.context import ONSET, ROWS, STREAM, TESTS, UNTIL, RetrainContext
from newsclf.retraining.judged_stream import StreamBatch
from newsclf.retraining.margins import margins_for
from newsclf.retraining.outcome import PROMOTED, RetrainingOutcome
from newsclf.retraining.policy import attempted
from newsclf.retraining.training_rows import MixOptions
from newsclf.tracking.artifacts.trained_model import TrainedModel, find_trained_model
from newsclf.tracking.registry import versions as registry

# Options of a run of train that belong to that run or its machine.
NOT_INHERITED = (*names_of(TrainConfig, "run", "output", "machine"), "folds", "fold")


def challenge(context: RetrainContext, outcome: RetrainingOutcome, chosen: Sequence[StreamBatch]) -> None:
    """Train a challenger on old and new rows, and hold it against the champion."""
    config, champion = context.config, context.champion
    options = dataclasses.replace(champion.config, data_dir=config.data_dir or champion.config.data_dir)
    tags = champion.run.data.tags
    past = champion_rows(options, tags.get("newsclf.data_fingerprint", ""), tags.get(TESTS, ""))
    settings = " ".join([champion.uri, str(config.train), config.sweep, config.device])
    frames = [batch.rows for batch in chosen]
    attempt, outcome.rows = make_attempt(
        context.folder / "attempts", past, frames, MixOptions.of(config), outcome.plan.kind, settings
    )
    made = attempted(outcome.batches, outcome.plan, True, context.last_attempt())
    known = {STREAM: context.stream, ONSET: made.onset, UNTIL: made.until, ROWS: str(made.rows)}
    outcome.challenger = make_challenger(context, attempt, {**known, TESTS: str(attempt.all_tests)})
    run_promotion(context, outcome, attempt)


def test_again(context: RetrainContext, outcome: RetrainingOutcome, chosen: Sequence[StreamBatch]) -> None:
    """Hold the model that was refused against the champion once more, by the labelled rows that came since, too."""
    folder = Path(read_json(context.refusal)["folder"])
    attempt = tested_later(folder, outcome.plan.kind, [batch.rows for batch in chosen])
    outcome.rows, outcome.challenger = None, make_challenger(context, attempt, {})
    until = attempted(outcome.batches, outcome.plan, True, context.last_attempt()).until
    registry.registry_client().set_tag(outcome.challenger.run.info.run_id, UNTIL, until)
    run_promotion(context, outcome, attempt)


def run_promotion(context: RetrainContext, outcome: RetrainingOutcome, attempt: Attempt) -> None:
    """The gate: the challenger becomes champion, or what the next call has to know of the refusal is kept."""
    config, champion, judges = context.config, context.champion, attempt.judges()
    stated = build(PromoteConfig, config.gate or {})
    gate = {"device": config.device, "precision": config.precision, "seed": config.seed, **(config.gate or {})}
    gate |= margins_for(stated.accuracy_margin, stated.recall_margin, stated.calibration_limit, judges)
    gate |= {"name": champion.name, "model": outcome.challenger.uri, **attempt.tests}
    gate |= {"output_dir": attempt.folder / "promote"}
    outcome.tested = len(judges[-1])
    outcome.promotion = context.run_child("promote", "the promotion", gate, attempt.folder / "promote.log")
    before = context.last_attempt()
    context.refusal.unlink(missing_ok=True)
    if outcome.decision != PROMOTED:
        kept = dataclasses.asdict(attempted(outcome.batches, outcome.plan, False, before))
        write_json(context.refusal, {"champion": champion.uri, "folder": str(attempt.folder), **kept})


def make_challenger(context: RetrainContext, attempt: Attempt, tags: Mapping[str, str]) -> TrainedModel:
    """Trained with the champion's options, tagged and registered; taken as it is if an interrupted call has done so."""
    done, name = attempt.folder / "challenger.json", context.champion.name
    if not done.is_file():
        options = train_options(context, attempt)
        if context.config.sweep:
            run_id = best_of_sweep(context, attempt, options)
        else:
            options |= {"output_dir": attempt.folder / "train"}
            run_id = context.run_child("train", "the training", options, attempt.folder / "train.log").info.run_id
        client = registry.registry_client()
        for tag, text in tags.items():
            client.set_tag(run_id, tag, text)
        version = registry.register(client, run_id, name).version
        write_json(done, {"version": str(version)})
    return find_trained_model(f"models:/{name}/{read_json(done)['version']}")


def train_options(context: RetrainContext, attempt: Attempt) -> dict[str, Any]:
    """The champion's, but for its rows and its machine, and what the option `train` says otherwise."""
    texts, default = as_text(context.champion.config), as_text(TrainConfig())
    inherited = [name for name, text in texts.items() if text != default[name] and name not in NOT_INHERITED]
    options: dict[str, Any] = {name: texts[name] for name in inherited}
    machine = {"device": context.config.device}
    if context.config.precision != "auto":
        machine["precision"] = context.config.precision
    options |= {"num_samples": "all", **machine, **(context.config.train or {})}
    options |= {"dataset": attempt.train, "test_dataset": attempt.new_test, "bad_rows": "drop"}
    return options | {"text_column": "text", "label_column": "label", "weight_column": "weight"}


def best_of_sweep(context: RetrainContext, attempt: Attempt, options: Mapping[str, Any]) -> str:
    """The id of the best run of a sweep, in which `options` hold where the sweep's own file does not say otherwise."""
    sweep = read_sweep(context.config.sweep)
    tried = {*(sweep.space or {}), *(name for one in sweep.runs for name in one)}
    rows = ("dataset", "test_dataset", "bad_rows", "text_column", "label_column", "weight_column")
    same = {name: value for name, value in options.items() if name not in tried} | (sweep.train or {})
    same |= {name: str(options[name]) for name in rows}
    given = {
        "config": Path(context.config.sweep).resolve(),
        "train": json.dumps(same),
        "output_dir": attempt.folder / "sweep",
    }
    context.run_child("sweep", "the sweep", given, attempt.folder / "sweep.log")
    found = read_json(attempt.folder / "sweep" / "result.json")
    return str(found["paths"]["best"])


def read_sweep(file: str) -> SweepConfig:
    """The options in the config file of a sweep. Raises InputError where it is none."""
    try:
        return resolve(SweepConfig, ["--config", file])
    except InputError as error:
        hint = "give the config file of a sweep (see configs/sweeps/)"
        raise InputError(f"option sweep is {file}: {hint}; {error}") from None
