"""retrain: a stream that has drifted becomes a better model, by monitor, train and promote as runs of their own."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from newsclf.config import DataOptions, PromoteConfig, RetrainConfig, TrainConfig
from newsclf.config.fields import names_of
from newsclf.config.options import as_text, build
from newsclf.config.shared import BatchOptions, ComputeOptions
from newsclf.data.tables.location import public_name
from newsclf.errors import InputError
from newsclf.files import write_json
from newsclf.locks import held
from newsclf.monitoring.batches import name_of
from newsclf.reports.retraining import write_report
from newsclf.retraining.attempt import Attempt, champion_rows, make_attempt, tested_later
from newsclf.retraining.judged_stream import StreamBatch, judged_batches
from newsclf.retraining.labelling import k_center_greedy
from newsclf.retraining.margins import margins_for
from newsclf.retraining.outcome import RetrainingOutcome
from newsclf.retraining.policy import LABEL, TEST, TRAIN, LastAttempt, Plan, Rules, attempted, plan
from newsclf.retraining.training_rows import MixOptions
from newsclf.tracking.artifacts.references import open_reference
from newsclf.tracking.artifacts.trained_model import TrainedModel, find_trained_model
from newsclf.tracking.children.runs import ensure_ended, run_to_end, runs_tagged
from newsclf.tracking.registry import versions as registry
from newsclf.tracking.result import prepare_folder
from newsclf.tracking.run import Run, open_run
from newsclf.tracking.runs import LoggedRun

PLACE, STREAM, ONSET, UNTIL, ROWS, TESTS = (
    f"newsclf.retrain_{name}" for name in ("place", "stream", "onset", "until", "rows", "tests")
)
REFUSED = "refused.json"
FOR_MONITOR = names_of(BatchOptions) + names_of(ComputeOptions)
# Options of a run of train that belong to that run or its machine.
NOT_INHERITED = names_of(TrainConfig, "run", "output", "machine")


def retrain(config: RetrainConfig) -> Plan:
    """Run the recipe of this file; what was planned. Raises InputError for bad input and for a child that fails."""
    check(config)
    folder = prepare_folder(config.output_dir, "retrain", name_of(config.stream)).resolve()
    with open_run("retrain", config, folder=str(folder)) as run, held(folder) as lock:
        call = Call(config, run, folder, lock, find_trained_model(config.champion))
        call.take_over()
        run.tag({"newsclf.champion_before": call.champion.version})

        call.child("monitor", "the monitor", monitor_options(call), folder / "monitor.log")
        batches = judged_batches(config, folder / "monitor" / "records.json")
        outcome = RetrainingOutcome(call.champion.uri, config.stream, [batch.judged for batch in batches])
        for _ in range(2):  # where the refused model is refused once more, a new one may follow
            outcome.plan = plan(outcome.batches, earlier(call), Rules.of(config), config.force)
            print(f"{outcome.plan.action}: {outcome.plan.reason}", flush=True)
            act(call, outcome, [batches[place] for place in outcome.plan.batches])
            if outcome.plan.action != TEST or outcome.decision == registry.PROMOTED:
                break
        report(call, outcome)
    return outcome.plan


@dataclass(frozen=True)
class Call:
    """This call: its options, its run, its folder and the lock on it, and the champion as it found it."""

    config: RetrainConfig
    run: Run
    folder: Path
    lock: int
    champion: TrainedModel

    @property
    def stream(self) -> str:
        """The stream in full."""
        named = self.config.stream
        return public_name(named) if "://" in named else str(Path(named).expanduser().resolve())

    def take_over(self) -> None:
        """What a call that was killed has left does not stay RUNNING; none is alive, as this one has the folder."""
        for before in runs_tagged(self.run.experiment_id, PLACE, str(self.folder)):
            if before.info.run_id != self.run.id and before.info.status == "RUNNING":
                ensure_ended(before.info.run_id, "KILLED", f"killed; run {self.run.id} goes on")
        self.run.tag({PLACE: str(self.folder)})

    def child(self, verb: str, name: str, options: Mapping[str, Any], log: Path) -> LoggedRun:
        """Run a verb to its end, as a run below this one."""
        print(f"{name}: {log}", flush=True)
        return run_to_end(self.run, verb, name, options, log, {PLACE: str(self.folder)}, also_held=(self.lock,))


def check(config: RetrainConfig) -> None:
    """Raises InputError for options that would be found wrong only after the monitor or the training."""
    if config.tracking == "offline":
        raise InputError("option tracking is offline: retrain reads what its children log from the tracking store")
    build(TrainConfig, config.train or {})
    build(PromoteConfig, config.gate or {})
    if config.sweep:
        read_sweep(config.sweep)


def monitor_options(call: Call) -> dict[str, Any]:
    """Of the stream, with the champion's reference; what was judged by it before is not judged again."""
    options: dict[str, Any] = {name: text for name, text in as_text(call.config).items() if name in FOR_MONITOR}
    return options | {
        "stream": call.config.stream,
        "reference": call.champion.uri,
        "seed": call.champion.config.seed,
        "output_dir": call.folder / "monitor",
    }


def earlier(call: Call) -> LastAttempt:
    """The last attempt: one that was refused (this folder knows it), or the one that made the champion."""
    kept = call.folder / REFUSED
    if kept.is_file():
        refused = json.loads(kept.read_text(encoding="utf-8"))
        if refused["champion"] == call.champion.uri:
            return LastAttempt(**{field.name: refused[field.name] for field in dataclasses.fields(LastAttempt)})
    tags = call.champion.run.data.tags
    if tags.get(STREAM) != call.stream:
        return LastAttempt()
    return LastAttempt(tags[ONSET], tags[UNTIL], int(tags[ROWS]), learning=True)


def act(call: Call, outcome: RetrainingOutcome, chosen: Sequence[StreamBatch]) -> None:
    """Do what is planned. chosen: the batches that it is to be done with."""
    if outcome.plan.action == TRAIN:
        challenge(call, outcome, chosen)
    elif outcome.plan.action == TEST:
        test_again(call, outcome, chosen)
    elif outcome.plan.action == LABEL:
        outcome.to_label = write_to_label(call, chosen)


def challenge(call: Call, outcome: RetrainingOutcome, chosen: Sequence[StreamBatch]) -> None:
    """Train a challenger on old and new rows, and hold it against the champion."""
    config, champion = call.config, call.champion
    options = dataclasses.replace(champion.config, data_dir=config.data_dir or champion.config.data_dir)
    tags = champion.run.data.tags
    past = champion_rows(options, tags.get("newsclf.data_fingerprint", ""), tags.get(TESTS, ""))
    settings = " ".join([champion.uri, str(config.train), config.sweep, config.device])
    frames = [batch.rows for batch in chosen]
    attempt, outcome.rows = make_attempt(
        call.folder / "attempts", past, frames, MixOptions.of(config), outcome.plan.kind, settings
    )
    made = attempted(outcome.batches, outcome.plan, True, earlier(call))
    known = {STREAM: call.stream, ONSET: made.onset, UNTIL: made.until, ROWS: str(made.rows)}
    outcome.challenger = challenger(call, attempt, {**known, TESTS: str(attempt.all_tests)})
    decide(call, outcome, attempt)


def test_again(call: Call, outcome: RetrainingOutcome, chosen: Sequence[StreamBatch]) -> None:
    """Hold the model that was refused against the champion once more, by the labelled rows that came since, too."""
    folder = Path(json.loads((call.folder / REFUSED).read_text(encoding="utf-8"))["folder"])
    attempt = tested_later(folder, outcome.plan.kind, [batch.rows for batch in chosen])
    outcome.rows, outcome.challenger = None, challenger(call, attempt, {})
    until = attempted(outcome.batches, outcome.plan, True, earlier(call)).until
    registry.registry_client().set_tag(outcome.challenger.run.info.run_id, UNTIL, until)
    decide(call, outcome, attempt)


def decide(call: Call, outcome: RetrainingOutcome, attempt: Attempt) -> None:
    """The gate: the challenger becomes champion, or what the next call has to know of the refusal is kept."""
    config, champion, judges = call.config, call.champion, attempt.judges()
    stated = build(PromoteConfig, config.gate or {})
    gate = {"device": config.device, "seed": config.seed, **(config.gate or {})}
    gate |= margins_for(stated.accuracy_margin, stated.recall_margin, stated.calibration_limit, judges)
    gate |= {"name": champion.name, "model": outcome.challenger.uri, **attempt.tests}
    gate |= {"output_dir": attempt.folder / "promote"}
    outcome.tested = len(judges[-1])
    outcome.promotion = call.child("promote", "the promotion", gate, attempt.folder / "promote.log")
    refused, before = call.folder / REFUSED, earlier(call)
    refused.unlink(missing_ok=True)
    if outcome.decision != registry.PROMOTED:
        kept = dataclasses.asdict(attempted(outcome.batches, outcome.plan, False, before))
        write_json(refused, {"champion": champion.uri, "folder": str(attempt.folder), **kept})


def challenger(call: Call, attempt: Attempt, tags: Mapping[str, str]) -> TrainedModel:
    """Trained with the champion's options, tagged and registered; taken as it is if an interrupted call has done so."""
    done, name = attempt.folder / "challenger.json", call.champion.name
    if not done.is_file():
        options = train_options(call, attempt)
        if call.config.sweep:
            run_id = best_of_sweep(call, attempt, options)
        else:
            options |= {"output_dir": attempt.folder / "train"}
            run_id = call.child("train", "the training", options, attempt.folder / "train.log").info.run_id
        client = registry.registry_client()
        for tag, text in tags.items():
            client.set_tag(run_id, tag, text)
        version = registry.register(client, run_id, name).version
        write_json(done, {"version": str(version)})
    return find_trained_model(f"models:/{name}/{json.loads(done.read_text(encoding='utf-8'))['version']}")


def train_options(call: Call, attempt: Attempt) -> dict[str, Any]:
    """The champion's, but for its rows and its machine, and what the option `train` says otherwise."""
    texts, default = as_text(call.champion.config), as_text(TrainConfig())
    inherited = [name for name, text in texts.items() if text != default[name] and name not in NOT_INHERITED]
    options: dict[str, Any] = {name: texts[name] for name in inherited}
    options |= {"num_samples": "all", "device": call.config.device, **(call.config.train or {})}
    options |= {"dataset": attempt.train, "test_dataset": attempt.new_test, "bad_rows": "drop"}
    return options | {"text_column": "text", "label_column": "label", "weight_column": "weight"}


def best_of_sweep(call: Call, attempt: Attempt, options: Mapping[str, Any]) -> str:
    """The id of the best run of a sweep, in which `options` hold where the sweep's own file does not say otherwise."""
    values = read_sweep(call.config.sweep)
    tried = {*(values.get("space") or {}), *(name for one in values.get("runs") or () for name in one)}
    rows = ("dataset", "test_dataset", "bad_rows", "text_column", "label_column", "weight_column")
    same = {name: value for name, value in options.items() if name not in tried} | (values.get("train") or {})
    same |= {name: str(options[name]) for name in rows}
    given = {
        "config": Path(call.config.sweep).resolve(),
        "train": json.dumps(same),
        "output_dir": attempt.folder / "sweep",
    }
    call.child("sweep", "the sweep", given, attempt.folder / "sweep.log")
    found = json.loads((attempt.folder / "sweep" / "result.json").read_text(encoding="utf-8"))
    return str(found["paths"]["best"])


def read_sweep(file: str) -> dict[str, Any]:
    """Raises InputError for what is no config file of a sweep."""
    try:
        values = yaml.safe_load(Path(file).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InputError(f"option sweep is {file}, which cannot be read: {' '.join(str(error).split())}") from None
    if not isinstance(values, dict) or "strategy" not in values:
        raise InputError(f"option sweep is {file}: give the config file of a sweep (see configs/sweeps/)")
    return values


def write_to_label(call: Call, chosen: Sequence[StreamBatch]) -> pd.DataFrame:
    """to_label.csv: the texts of the drifted batches that are most worth a label; none where only profiles are kept."""
    texts = pd.concat([pd.DataFrame(columns=["batch", "text"]), *(batch.unlabelled for batch in chosen)])
    texts = texts.drop_duplicates("text").reset_index(drop=True)
    if not texts.empty:
        options = DataOptions(seed=call.champion.config.seed)
        reference = open_reference(options, call.champion.uri, call.folder, call.config.device, "tokens")
        columns = reference.read(texts["text"].tolist()).columns
        columns = columns[columns["entropy"].notna()]  # of very many texts, the reference's model reads a sample
        directions = [str(name) for name in columns if str(name).startswith("direction_")]
        known, points = reference.held_out.columns[directions].dropna(), columns[directions].fillna(0.0)
        budget = call.config.label_budget
        order = k_center_greedy(points.to_numpy(), columns["entropy"].to_numpy(), known.to_numpy(), budget)
        worth = columns.iloc[order]
        said = worth[["predicted_label", "confidence"]].round({"confidence": 4})
        texts = texts.loc[worth.index].assign(label="").join(said)
    texts.to_csv(call.folder / "to_label.csv", index=False)
    call.run.log_file(call.folder / "to_label.csv")
    return texts


def report(call: Call, outcome: RetrainingOutcome) -> None:
    """What came of it: report.html, result.json, tags, metrics, and the last lines on the terminal."""
    folder, metrics = call.folder, outcome.metrics()
    write_report(folder / "report.html", outcome, f"The stream {name_of(call.config.stream)}")
    call.run.log_metrics(metrics)
    tags = {"decision": outcome.decision, "reason": outcome.conclusion}
    call.run.tag({f"newsclf.{name}": text for name, text in tags.items()})
    paths = {"report": str(folder / "report.html")}
    if outcome.challenger is not None:
        paths["challenger"] = outcome.challenger.uri
    if outcome.to_label is not None:
        paths["to_label"] = str(folder / "to_label.csv")
    call.run.log_file(folder / "report.html")
    call.run.finish(metrics, **paths)
    print(outcome.conclusion)
