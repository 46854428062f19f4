"""retrain: a stream that has drifted becomes a better model, by monitor, train and promote as runs of their own."""

from collections.abc import Sequence

from newsclf.config import PromoteConfig, RetrainConfig, TrainConfig
from newsclf.config.options import build
from newsclf.errors import InputError
from newsclf.locks import held
from newsclf.monitoring.batches import name_of
from newsclf.reports.retraining import write_report
from newsclf.retraining.challenge import challenge, read_sweep, test_again
from newsclf.retraining.context import RetrainContext
from newsclf.retraining.judged_stream import StreamBatch, judged_batches
from newsclf.retraining.labelling import write_to_label
from newsclf.retraining.outcome import PROMOTED, RetrainingOutcome
from newsclf.retraining.policy import LABEL, TEST, TRAIN, Plan, Rules, plan
from newsclf.tracking.artifacts.trained_model import find_trained_model
from newsclf.tracking.result import prepare_folder
from newsclf.tracking.run import open_run


def retrain(config: RetrainConfig) -> Plan:
    """Run the recipe of this file; what was planned. Raises InputError for bad input and for a child that fails."""
    check(config)
    folder = prepare_folder(config.output_dir, "retrain", name_of(config.stream)).resolve()
    with open_run("retrain", config, folder=str(folder)) as run, held(folder) as lock:
        context = RetrainContext(config, run, folder, lock, find_trained_model(config.champion))
        context.adopt_earlier()
        run.tag({"newsclf.champion_before": context.champion.version})

        context.run_child("monitor", "the monitor", context.monitor_options(), folder / "monitor.log")
        batches = judged_batches(config, folder / "monitor" / "records.json")
        outcome = RetrainingOutcome(context.champion.uri, config.stream, [batch.judged for batch in batches])
        for _ in range(2):  # where the refused model is refused once more, a new one may follow
            outcome.plan = plan(outcome.batches, context.last_attempt(), Rules.of(config), config.force)
            print(f"{outcome.plan.action}: {outcome.plan.reason}", flush=True)
            act(context, outcome, [batches[index] for index in outcome.plan.batches])
            if outcome.plan.action != TEST or outcome.decision == PROMOTED:
                break
        report(context, outcome)
    return outcome.plan


def check(config: RetrainConfig) -> None:
    """Raises InputError for options that would be found wrong only after the monitor or the training."""
    if config.tracking == "offline":
        raise InputError("option tracking is offline: retrain reads what its children log from the tracking store")
    build(TrainConfig, config.train or {})
    build(PromoteConfig, config.gate or {})
    if config.sweep:
        read_sweep(config.sweep)


def act(context: RetrainContext, outcome: RetrainingOutcome, chosen: Sequence[StreamBatch]) -> None:
    """Do what is planned. chosen: the batches that it is to be done with."""
    if outcome.plan.action == TRAIN:
        challenge(context, outcome, chosen)
    elif outcome.plan.action == TEST:
        test_again(context, outcome, chosen)
    elif outcome.plan.action == LABEL:
        outcome.to_label = write_to_label(context, chosen)


def report(context: RetrainContext, outcome: RetrainingOutcome) -> None:
    """What came of it: report.html, result.json, tags, metrics, and the last lines on the terminal."""
    folder, metrics = context.folder, outcome.metrics()
    write_report(folder / "report.html", outcome, f"The stream {name_of(context.config.stream)}")
    context.run.log_metrics(metrics)
    tags = {"decision": outcome.decision, "reason": outcome.conclusion}
    context.run.tag({f"newsclf.{name}": text for name, text in tags.items()})
    paths = {"report": str(folder / "report.html")}
    if outcome.challenger is not None:
        paths["challenger"] = outcome.challenger.uri
    if outcome.to_label is not None:
        paths["to_label"] = str(folder / "to_label.csv")
    context.run.log_file(folder / "report.html")
    context.run.finish(metrics, **paths)
    print(outcome.conclusion)
