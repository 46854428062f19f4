"""reproduce: an earlier run once more, from the same code, settings and data, and every number compared."""

import dataclasses
import tempfile
import time
from typing import Any

import pandas as pd
import yaml

from newsclf.config import ReproduceConfig
from newsclf.config.fields import Role, names_of
from newsclf.errors import Differs, InputError
from newsclf.tracking.children.runs import Child, create_run, ensure_ended, env_manager, start
from newsclf.tracking.environment import FREEZE, installed
from newsclf.tracking.origin import absolute_paths
from newsclf.tracking.reproduction.checkout import checkout, uncommitted_of
from newsclf.tracking.reproduction.run_diff import (
    Difference,
    causes,
    differences,
    package_changes,
    series_of,
    threads_of,
    weights_of,
)
from newsclf.tracking.run import Run, open_run
from newsclf.tracking.runs import LoggedRun, earlier_run, get_run, run_id_of, text_of
from newsclf.verbs import VERBS

REPRODUCIBLE = ("train", "evaluate", "profile", "monitor", "simulate")
TRAINING = ("train",)
LEFT_OUT: tuple[Role, ...] = ("run", "output")  # roles of options: where a run and its files go
FINGERPRINT = "newsclf.data_fingerprint"
SECONDS_BETWEEN_LINES = 20.0


def reproduce(config: ReproduceConfig) -> dict[str, float]:
    """Run the recipe of this file; the logged metrics by name.

    Raises InputError where the run cannot be run again, Differs where it can and is not the same.
    """
    if config.tracking == "offline":
        raise InputError("option tracking is offline: reproduce reads both runs from the tracking store")
    with open_run("reproduce", config) as run:
        earlier = find_run(config.run_id)
        verb, run_id = verb_of(earlier), earlier.info.run_id
        folder = run.folder
        run.tag({"newsclf.reproduces": run_id})
        packages = text_of(run_id, FREEZE).split()
        if env_manager(run) == "local" and (changed := package_changes(packages, installed())):
            print(f"warning: packages are not those of the run: {'; '.join(changed[:5])}", flush=True)
        commit = earlier.data.tags["mlflow.source.git.commit"]
        with checkout(commit, uncommitted_of(earlier)) as project, tempfile.TemporaryDirectory() as cache:
            options = options_of(earlier, VERBS[verb])
            if "prefix_cache" in options and not config.use_cache:
                options["cache_dir"] = cache
            options["output_dir"] = str((folder / "again").resolve())
            file = folder / "config.yaml"
            file.write_text(yaml.safe_dump(options, sort_keys=False, allow_unicode=True), encoding="utf-8")
            again = create_run(run, verb, f"again {run_id[:8]}", {"newsclf.reproduces": run_id}, project)
            log = (folder / "again.log").resolve()
            print(f"commit {commit[:12]}, {verb}: run {again}, {log} has all it says", flush=True)
            given = {"config": str(file.resolve())}
            child = start(run, again, verb, given, log, threads=threads_of(earlier), project=project)
            later = wait_for(child, earlier)
        then, now = series_of(earlier), series_of(later)
        found = differences(then, now)
        weights = (weights_of(run_id), weights_of(again)) if verb in TRAINING else ({}, {})
        points = sum(map(len, then.values()))
        metrics: dict[str, float] = {
            "points": points,
            "points/different": sum(one.different for one in found),
            "weights/different": sum(weights[0].get(n) != weights[1].get(n) for n in {*weights[0], *weights[1]}),
        }
        run.log_metrics(metrics)
        equal = not found and weights[0] == weights[1]
        run.tag({"newsclf.reproduced": str(equal).lower()})
        likely = [] if equal else causes(earlier, later, packages, text_of(again, FREEZE).split())
        if not equal:
            print(_differing(run, found, weights), flush=True)
        run.finish(metrics, earlier=run_id, again=again)
        if equal:
            files = f" and {len(weights[0])} files of weights" if weights[0] else ""
            print(f"REPRODUCED: {points:,} points of {len(then)} metrics{files} are equal, bit for bit", flush=True)
            return metrics
    reason = "; ".join(likely) or "none is known: hardware, threads, Python and packages are the same"
    raise Differs(f"run {run_id} is not reproduced by {again}; likely cause: {reason}")


def find_run(name: str) -> LoggedRun:
    """The run. Raises InputError where it is not there, or not one that can be run again."""
    run_id = run_id_of(name)
    if run_id is None:
        raise InputError(f"option run_id is {name!r}: a run id has 32 digits and letters from a to f")
    run = earlier_run(run_id)
    if run is None:
        raise InputError(f"run {run_id} is not in the tracking store: check the id and MLFLOW_TRACKING_URI")
    if run.info.status != "FINISHED":
        hint = "wait for its end" if run.info.status == "RUNNING" else "only what has come to its end can be compared"
        raise InputError(f"run {run_id} is {run.info.status}: {hint}")
    verb = verb_of(run)
    if verb not in REPRODUCIBLE:
        parent = verb in ("sweep", "retrain", "reproduce")
        hint = "give one of the runs under it" if parent else f"give one of {REPRODUCIBLE}"
        raise InputError(f"run {run_id} is one of {verb}, which cannot be run again by itself: {hint}")
    if run.data.params.get("folds", "1") != "1" and run.data.params.get("fold") == "each":
        raise InputError(f"run {run_id} is a cross-validation, which has no model: give one of the runs under it")
    if "mlflow.source.git.commit" not in run.data.tags:
        raise InputError(f"run {run_id} was made outside of a git checkout: its code is not known")
    return run


def verb_of(run: LoggedRun) -> str:
    tags = run.data.tags
    return tags.get("newsclf.verb") or tags.get("mlflow.project.entryPoint") or "another program"


def options_of(run: LoggedRun, config_class: type) -> dict[str, Any]:
    """The options that the run was made with, but for where its files and records went; its paths absolute."""
    run_id = run.info.run_id
    text = text_of(run_id, "config.yaml")
    if not text:
        raise InputError(f"run {run_id} has logged no config.yaml: its options are not known")
    left_out = names_of(config_class, *LEFT_OUT)
    options = {name: value for name, value in yaml.safe_load(text).items() if name not in left_out}
    return options | absolute_paths(run, config_class, options)


def wait_for(child: Child, earlier: LoggedRun) -> LoggedRun:
    """The run at its end. Raises InputError where it fails, and as soon as its data are not those of before."""
    wanted, told, line = earlier.data.tags.get(FINGERPRINT), time.monotonic(), ""
    other = ""
    try:
        while not child.ended():
            time.sleep(1)
            if time.monotonic() - told > SECONDS_BETWEEN_LINES and child.last_line() != line:
                told, line = time.monotonic(), child.last_line()
                print(f"  {line}", flush=True)
            try:
                fingerprint = get_run(child.run_id).data.tags.get(FINGERPRINT)
            except Exception:  # a server that is away for a moment, a journal that was just sent
                continue
            if fingerprint and fingerprint != wanted:
                other = fingerprint
                break
    finally:
        child.stop()
        child.wait()
        run = ensure_ended(
            child.run_id, "KILLED" if other else "FAILED", f"it ended without a word: {child.last_line()}"
        )
    fingerprint = run.data.tags.get(FINGERPRINT)
    if fingerprint != wanted:
        raise InputError(
            f"the data are not those of run {earlier.info.run_id}: fingerprint {str(fingerprint)[:16]}..., "
            f"then {str(wanted)[:16]}...: give it the data of then"
        )
    if run.info.status != "FINISHED":
        reason = run.data.tags.get("newsclf.failure", "it has not said why")
        raise InputError(f"run {earlier.info.run_id} cannot be run again: {reason} ({child.log})")
    return run


def _differing(run: Run, found: list[Difference], weights: tuple[dict[str, str], dict[str, str]]) -> str:
    """The table of what is not the same, which is logged as well."""
    table = pd.DataFrame([dataclasses.asdict(one) for one in found]).rename(columns={"earlier": "then", "later": "now"})
    if len(table):
        table["difference"] = table["now"] - table["then"]
    for name in sorted({*weights[0], *weights[1]}):
        before, after = (side.get(name, "missing") for side in weights)
        if before != after:
            row = {"metric": f"SHA-256 of {name}", "points": 1, "different": 1, "then": before[:16], "now": after[:16]}
            table = pd.concat([table, pd.DataFrame([row])], ignore_index=True)
    table.to_csv(run.folder / "differences.csv", index=False)
    run.log_file(run.folder / "differences.csv")
    return str(table.fillna("").to_string(index=False))
