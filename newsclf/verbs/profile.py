"""profile: what a table of texts looks like, and whether it has drifted from a reference, all in one MLflow run."""

import dataclasses
import hashlib
import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from newsclf.config import DataOptions, ProfileConfig, TextOptions
from newsclf.data import open_stream
from newsclf.data.identity import identity_of
from newsclf.data.tables.row_stream import RowStream, place_names
from newsclf.data.tables.values import as_spelt, unknown_labels
from newsclf.drift import Reference, TextBatch, Verdict, judge_profiles
from newsclf.drift.inputs import prediction_columns
from newsclf.errors import InputError
from newsclf.features.text_statistics import text_statistics
from newsclf.features.tokens import TokenCounter
from newsclf.messages import listed
from newsclf.model.device import resolved
from newsclf.model.weights import find
from newsclf.profiling.profile import TEXT, TextProfile
from newsclf.profiling.summary import key_numbers, summarise, table
from newsclf.profiling.writers import check_destination, write
from newsclf.reports.profile import write_report
from newsclf.tracking.artifacts.references import fetch_profile, log_reference, open_predictor, open_reference
from newsclf.tracking.environment import peak_memory_bytes
from newsclf.tracking.lineage import log_stream
from newsclf.tracking.run import open_run

STATISTICS_ROWS = 10_000  # rows of a chunk
MAX_UNKNOWN = 10_000  # labels that the reference does not know and that are counted


def profile(config: ProfileConfig) -> dict[str, float]:
    """Run the recipe of this file; the logged metrics by name. Raises InputError for bad input."""
    check_destination(config.write_to)
    config = resolved(config)
    began = time.perf_counter()
    with open_run("profile", config) as run:
        stream = open_stream(config, config.split)
        stored, reference = reference_of(config, run.folder)
        classes = classes_of(stored, reference)
        rows = read(stream, config, reference, classes)
        print(f"{stream.name}: {rows.count:,} rows, {len(rows.sample):,} of them embedded", flush=True)
        run.warn(stream.remarks)
        if unknown := unknown_labels(rows.unknown, classes):
            run.warn([f"labels that the reference does not know: {listed(unknown, 10)}"])
        log_stream(run, stream.name, stream.source, rows.digest)

        # What may still be refused comes before the first file.
        verdict = judge(rows, config, reference, stored)
        sent = write(rows.profile, config.write_to)
        names = ("profile.bin", "summary.csv", "summary.json", "report.html", "verdict.json")
        profiled, as_csv, as_json, report, said = (run.folder / name for name in names)
        rows.profile.write(profiled)
        summary = table(rows.profile)
        summary.to_csv(as_csv, index=False)
        summary.to_json(as_json, orient="records", indent=2)
        facts = {"dataset": stream.source, "rows": f"{rows.count:,}", "reference": config.reference or "none"}
        write_report(
            report,
            title=f"Profile of {stream.name}",
            profile=rows.profile,
            before=stored or (reference.profile if reference else None),
            held_out=reference.held_out if reference else None,
            batch=rows.batch,
            identity=rows.identity,
            verdict=verdict,
            facts={**facts, "run": run.id},
        )
        metrics = key_numbers(rows.profile) | {
            "rows": float(rows.count),
            "rows_embedded": float(len(rows.sample)),
            "rows_unreadable": float(rows.unreadable),
            "seconds/profiling": rows.seconds,
            "seconds/total": time.perf_counter() - began,
            "peak_memory_bytes": float(peak_memory_bytes()),
        }
        said.unlink(missing_ok=True)  # of an earlier run into this folder
        if verdict is not None:
            metrics |= verdict.numbers
            said.write_text(json.dumps(verdict.as_dict(), indent=2) + "\n", encoding="utf-8")
            drift = "not enough data" if verdict.drifted is None else verdict.kind or "none"
            run.tag({"newsclf.drift": drift, "newsclf.verdict": verdict.sentence})
        for path in (profiled, as_csv, as_json, report, said):
            if path.is_file():
                run.log_file(path)
        if reference is not None:
            log_reference(run, reference)
        run.log_metrics(metrics)
        paths = {"profile": str(profiled), "report": str(report)}
        run.finish(metrics, **paths, **({"sent": sent} if sent else {}))
        run.show(**paths)
        if verdict is not None:
            print(verdict.sentence)
    return metrics


@dataclass
class Profiled:
    """What one pass over a stream gave: the profile of all rows, and a seeded sample of them, drawn evenly."""

    profile: TextProfile
    sample: pd.DataFrame = field(default_factory=pd.DataFrame)
    identity: pd.DataFrame = field(default_factory=pd.DataFrame)  # what tells the rows of the sample apart
    batch: TextBatch | None = None  # the sample as the reference has read it
    count: int = 0
    unreadable: int = 0
    digest: str = ""
    seconds: float = 0.0
    unknown: Counter[str] = field(default_factory=Counter)

    def count_unknown(self, labels: Sequence[str | None], classes: Sequence[str]) -> None:
        """Count the labels that are none of the classes, where these are known; of very many, rare ones are lost."""
        known = set(classes)
        self.unknown.update(label for label in labels if classes and label is not None and label not in known)
        if len(self.unknown) > MAX_UNKNOWN:
            self.unknown = Counter(dict(self.unknown.most_common(MAX_UNKNOWN // 2)))


def reference_of(config: ProfileConfig, folder: Path) -> tuple[TextProfile | None, Reference | None]:
    """What to compare with: a stored profile, a reference that can embed texts, or neither.

    Of a run of profile it is the profile, with the reference that its columns come from, if there was one.
    """
    if not config.reference:
        return None, None
    if config.reference.endswith(".bin"):
        alone = TextProfile.read(config.reference)
        if alone.reference:
            raise InputError(
                f"the profile {config.reference} was made with the reference {alone.reference}, which is not in the "
                "file: give the run that made it, or the folder of that reference"
            )
        return alone, None
    stored = None
    if (path := fetch_profile(config.reference)) is not None:
        stored = TextProfile.read(path)
        if not stored.reference:
            return stored, None
    names = {option.name for option in dataclasses.fields(TextOptions)}
    options = {name: getattr(config, name) for name in names} | {"dataset": config.reference}
    reference = open_reference(DataOptions(**options), config.reference, folder, config, config.embedding, config.model)
    return stored, reference


def classes_of(stored: TextProfile | None, reference: Reference | None) -> tuple[str, ...]:
    """The labels that what is compared with knows; none where it has none."""
    if stored is not None:
        column = summarise(stored).get("label")
        return tuple(column.items) if column else ()
    return reference.classes if reference else ()


def read(stream: RowStream, config: ProfileConfig, reference: Reference | None, classes: Sequence[str]) -> Profiled:
    """One pass: statistics of every row, and the reference's columns (or the model's) of a bounded sample.

    classes: the labels that are known; the rows of others are counted.
    """
    began = time.perf_counter()
    counter = reference.reader.counter if reference else TokenCounter(find("minilm").folder)
    ids = (reference.id, reference.encoder_sha256) if reference else ("", "")
    rows = Profiled(TextProfile(*ids))
    digest, random = hashlib.sha256(), np.random.default_rng(config.seed)
    kept: list[pd.DataFrame] = []
    for chunk in stream.chunks(STATISTICS_ROWS):
        texts = chunk["text"].tolist()
        frame = text_statistics(texts, counter).assign(**{TEXT: texts})
        if "label" in chunk:
            spelt = as_spelt(chunk["label"].tolist(), classes)
            frame["label"] = np.array(spelt, dtype=object)
            rows.count_unknown(spelt, classes)
        rows.profile.log(frame)
        rows.count += len(chunk)
        digest.update("\0".join(text or "" for text in texts).encode("utf-8", "surrogatepass"))
        # The rows with the smallest random numbers of all: an even sample of a stream of unknown length.
        drawn = chunk.assign(lot=random.random(len(chunk))).nsmallest(config.embedded_rows, "lot")
        kept = [pd.concat([*kept, drawn]).nsmallest(config.embedded_rows, "lot")]
    rows.unreadable, rows.digest = stream.unreadable, digest.hexdigest()
    sample = kept[0].drop(columns="lot").sort_index()
    rows.identity = identity_of(sample.assign(place=place_names(sample, stream.source)) if stream.of_table else sample)
    rows.sample = sample.reset_index(drop=True)
    if rows.profile.rows and float(_empty_share(rows.profile)) == 1.0:
        raise InputError(f"{stream.source}: all {rows.count:,} texts are empty; name the right text_column")
    texts, columns = rows.sample["text"].tolist(), pd.DataFrame()
    if reference is not None:
        labels = rows.sample["label"].tolist() if "label" in rows.sample else None
        unreadable = round(rows.unreadable * len(texts) / max(1, rows.count))
        rows.batch = reference.read(texts, labels, unreadable)
        columns = rows.batch.columns
    elif config.model is not None:
        predictor = open_predictor(config.model, config)
        probabilities = predictor.predict_proba([text or "" for text in texts])
        columns = prediction_columns(probabilities, predictor.classes, None)
    extra = [name for name in columns if name not in rows.profile.columns]
    if extra:
        rows.profile.log(columns[extra])
    rows.seconds = time.perf_counter() - began
    return rows


def judge(
    rows: Profiled, config: ProfileConfig, reference: Reference | None, stored: TextProfile | None
) -> Verdict | None:
    """The verdict on the sample, or, against a stored profile, on the profile; None without a reference."""
    if stored is not None:
        return judge_profiles(stored, rows.profile, config.alpha, config.min_rows)
    if reference is None or rows.batch is None:
        return None
    return reference.judge(rows.batch, alpha=config.alpha, min_rows=config.min_rows)


def _empty_share(profile: TextProfile) -> float:
    return key_numbers(profile).get("empty_share", 0.0)
