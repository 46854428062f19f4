"""promote: a challenger becomes champion of a registered model if labelled data says so, or the last one comes back."""

import dataclasses
import json
from typing import Any

import numpy as np

from newsclf.config import DataOptions, PromoteConfig, ReadingOptions
from newsclf.data import load_split, own_split
from newsclf.errors import Alarm, InputError
from newsclf.evaluation.gate import Decision, Limits, Measured, run_gate
from newsclf.model.device import resolved
from newsclf.model.latency import median_milliseconds
from newsclf.model.text_classifier import TextClassifier
from newsclf.reports.promotion import write_report
from newsclf.tracking.artifacts.models import fetch
from newsclf.tracking.environment import peak_memory_bytes
from newsclf.tracking.lineage import log_split
from newsclf.tracking.registry import champion
from newsclf.tracking.registry import versions as registry
from newsclf.tracking.run import Run, open_run

REFUSED, OVERTAKEN = "refused", "overtaken"


def promote(config: PromoteConfig) -> str:
    """Run the recipe of this file; promoted, refused, overtaken (another promotion was quicker) or rolled back.

    Raises InputError for bad input, and Alarm for a refusal with `fail_on_refusal`.
    """
    config = resolved(config)
    with open_run("promote", config) as run:
        registry.check_name(config.name)
        client = registry.registry_client()
        seen = champion.read_state(client, config.name)
        if config.rollback:
            if seen.previous is None:
                raise InputError(
                    f"model {config.name} has had no champion before the present one: nothing to go back to"
                )
            to, kind, decision = seen.previous, registry.ROLLED_BACK, None
        else:
            challenger = registry.find_version(
                client, config.name, config.model or f"models:/{config.name}@{registry.CHALLENGER}"
            )
            to, kind = str(challenger.version), registry.PROMOTED
            if to == seen.version:
                raise InputError(f"version {to} of {config.name} is the champion already: give another as model")
            decision = measured(run, config, to, seen.version)

        outcome, reason = kind, decision.reason if decision else "as asked"
        if decision and not decision.promote:
            outcome = REFUSED
        elif not champion.set_champion(client, config.name, seen, to, kind, run.id):
            outcome = OVERTAKEN
            reason = (
                f"another promotion has changed the champion since this one began with {seen.version or 'none'}: again"
            )
        sentence = _sentence(config, outcome, to, seen.version, reason)
        numbers = decision.numbers if decision else {}
        tags = {"decision": outcome, "reason": reason, "version": to, "champion_before": seen.version or "none"}
        run.tag({f"newsclf.{name}": text for name, text in tags.items()})
        registry.tag_decision(client, config.name, to, seen.version, outcome, sentence, numbers, run.id)

        metrics = numbers | {"promoted": float(outcome == kind), "peak_memory_bytes": peak_memory_bytes()}
        run.log_metrics(metrics)
        file, report = run.folder / "decision.json", run.folder / "report.html"
        file.write_text(json.dumps(_as_dict(outcome, sentence, tags, decision), indent=2, ensure_ascii=False) + "\n")
        facts = {
            "challenger" if decision else "goes back to": f"version {to}",
            "champion before": seen.version or "none",
        }
        facts |= {"old test": config.old_dataset, "new test": config.new_dataset or "none"} if decision else {}
        write_report(report, sentence, outcome == kind, decision, facts, f"The champion of {config.name}")
        for path in (file, report):
            run.log_file(path)
        run.finish(metrics, decision=str(file), report=str(report))
        run.show(report=str(report.resolve()))
        print(sentence)
    if outcome in (REFUSED, OVERTAKEN) and config.fail_on_refusal:
        raise Alarm(sentence)
    return outcome


def measured(run: Run, config: PromoteConfig, challenger: str, champion: str | None) -> Decision:
    """Both versions on both tests, judged. Raises InputError for tests that are no good."""
    if not config.old_dataset:
        raise InputError("option old_dataset is missing: the test rows that the champion was good at")
    texts: dict[str, list[str]] = {}
    labels: dict[str, list[str]] = {}
    for name, dataset in {"old": config.old_dataset, "new": config.new_dataset}.items():
        if dataset:
            texts[name], labels[name] = _rows(run, config, name, dataset)
    models = [_open(config, version) for version in (challenger, champion) if version]
    classes = tuple(dict.fromkeys(label for model in models for label in model.classes))
    tests = {name: _tested(name, labels[name], texts[name], classes, models) for name in texts}
    taken = median_milliseconds([model.predict_proba for model in models], texts["old"][: config.latency_rows])
    limits = Limits(**{field.name: getattr(config, field.name) for field in dataclasses.fields(Limits)})
    milliseconds = (taken[0], taken[1] if champion else None)
    return run_gate(tests["old"], tests.get("new"), milliseconds, limits, config.bootstrap_samples, config.seed)


def _rows(run: Run, config: PromoteConfig, name: str, dataset: str) -> tuple[list[str], list[str]]:
    """(texts, labels): the test rows of a built-in data set, all rows of a table; logged as a data set of the run."""
    reading = {field.name: getattr(config, field.name) for field in dataclasses.fields(ReadingOptions)}
    options = DataOptions(dataset=dataset, **reading)
    split = own_split(dataset, "test")
    found = load_split(options, split)
    run.warn(found.warnings)
    log_split(run, found, split, f"{name} test")
    rows = found.splits[split]
    return rows["text"].tolist(), rows["label"].tolist()


def _open(config: PromoteConfig, version: str) -> TextClassifier:
    uri = f"models:/{config.name}/{version}"
    return TextClassifier.load(fetch(uri).folder, config.device, uri, config.precision)


def _tested(
    name: str, labels: list[str], texts: list[str], classes: tuple[str, ...], models: list[TextClassifier]
) -> Measured:
    """A class that one of the models does not know has no probability with it."""
    place = {label: number for number, label in enumerate(classes)}
    if strangers := sorted(set(labels) - set(classes)):
        raise InputError(
            f"option {name}_dataset has labels that neither model knows: {', '.join(strangers[:10])}; they know "
            f"{', '.join(classes[:25])}"
        )
    probabilities = []
    for model in models:
        all_classes = np.zeros((len(texts), len(classes)))
        all_classes[:, [place[label] for label in model.classes]] = model.predict_proba(texts)
        probabilities.append(all_classes)
    indices = np.array([place[label] for label in labels])
    return Measured(name, indices, classes, probabilities[0], probabilities[1] if len(models) > 1 else None)


def _sentence(config: PromoteConfig, outcome: str, to: str, before: str | None, reason: str) -> str:
    version = f"Version {to} of {config.name}"
    place = f"in place of version {before}" if before else "as the first"
    stays = f"version {before} stays champion" if before else "there is no champion yet"
    return {
        "promoted": f"{version} is champion now, {place}: {reason}.",
        "rolled back": f"{version} is champion again, {place}.",
        REFUSED: f"{version} is refused, {stays}: {reason}.",
        OVERTAKEN: f"{version} is not champion: {reason}.",
    }[outcome]


def _as_dict(outcome: str, sentence: str, tags: dict[str, str], decision: Decision | None) -> dict[str, Any]:
    found = {"outcome": outcome, "sentence": sentence} | {name: tags[name] for name in ("version", "champion_before")}
    if decision is None:
        return found
    checks = [dataclasses.asdict(check) for check in decision.checks]
    return found | {"checks": checks, "numbers": decision.numbers, "recalls": decision.recalls}
