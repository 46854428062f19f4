"""simulate: a stream of dated batches that changes in a known way, with the truth beside it."""

import dataclasses
import json
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow
import pyarrow.parquet

from newsclf.config import SimulateConfig
from newsclf.data import Dataset, load, load_split, own_split
from newsclf.data.simulation.drifting_stream import SENTENCES, STUDY, DriftingStream, amounts, mode_of, spans
from newsclf.data.tables.formats import is_table_name
from newsclf.errors import InputError
from newsclf.files import filled_in_one_step
from newsclf.messages import listed
from newsclf.tracking.lineage import log_dataset
from newsclf.tracking.run import open_run

BATCHES, AMOUNT, STEP = 40, 0.1, 0.01
OTHER_SOURCE = {"ag_news": "20newsgroups", "20newsgroups": "ag_news"}
HELD_OUT = "held_out"
TRUTH, REFERENCE = "truth.json", "reference/reference.parquet"


def simulate(config: SimulateConfig) -> dict[str, float]:
    """Run the recipe of this file; the logged metrics by name. Raises InputError for bad input."""
    config = resolve_auto(config)
    with open_run("simulate", config) as run:
        folder = run.folder
        require_unused(folder)

        dataset = load(config)
        run.warn(dataset.warnings)
        foreign_texts, held_out = foreign(config, dataset)
        rows, reference = (without(dataset.splits[split], held_out) for split in (config.split, "train"))
        log_dataset(run, dataset, "simulate", (config.split,))

        assert config.batches is not None
        assert config.begin is not None
        assert config.amount is not None
        changed = amounts(config.kind, config.batches, config.begin, config.amount, config.period)
        classes = tuple(name for name in dataset.classes if name != held_out)
        stream = DriftingStream(rows, classes, config.mode, max(changed), config.batch_rows, config.seed, foreign_texts)
        truth = describe(config, dataset, changed, held_out)

        # The truth comes last: a folder with a truth.json is whole.
        with filled_in_one_step(folder, last=TRUTH) as unfinished:
            (unfinished / "reference").mkdir()
            write_parquet(reference, unfinished / REFERENCE)
            for entry in truth["batches"]:
                batch = stream.batch(entry["number"], entry["amount"])
                write_parquet(batch.assign(date=date.fromisoformat(entry["date"])), unfinished / entry["file"])
                counts = batch["label"].value_counts()
                entry |= {"rows": len(batch), "labels": {name: int(counts.get(name, 0)) for name in classes}}
            (unfinished / TRUTH).write_text(json.dumps(truth, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")

        for entry in truth["batches"]:
            when = datetime.combine(date.fromisoformat(entry["date"]), time(), UTC)
            numbers = {"injected": entry["amount"], "batch_rows": entry["rows"]}
            run.log_metrics(numbers, step=entry["number"], when=when)
        run.tag({"newsclf.kind": config.kind, "newsclf.mode": config.mode, "newsclf.stream": str(folder)})
        run.log_file(folder / TRUTH)
        metrics: dict[str, float] = {
            "batches": config.batches,
            "rows": sum(entry["rows"] for entry in truth["batches"]),
            "changed_batches": sum(amount > 0 for amount in changed),
            "reference_rows": len(reference),
        }
        run.log_metrics(metrics)
        shown = {"stream": str(folder), "reference": str(folder / REFERENCE)}
        run.finish(metrics, stream=shown["stream"], truth=str(folder / TRUTH), reference=shown["reference"])
        run.show(**shown)
        print(f"{config.batches} batches of {config.kind}: {truth['sentence']}")
    return metrics


def resolve_auto(config: SimulateConfig) -> SimulateConfig:
    """The config with every "auto" replaced but batch_rows, which depends on the rows there are.

    Raises InputError for options that do not go together.
    """
    mode = mode_of(config.kind, config.mode)
    if config.kind == "study":
        for name in ("amount", "begin", "batches"):
            value = getattr(config, name)
            if value is not None and not (name == "batches" and value == len(STUDY)):
                raise InputError(f"option {name} does not go with kind study, which has its own seven days")
    batches = config.batches or (len(STUDY) if config.kind == "study" else BATCHES)
    try:
        date.fromisoformat(config.start_date) + timedelta(days=batches)
    except (ValueError, OverflowError):
        raise InputError(
            f"option start_date is {config.start_date!r}: it must be a date as 2026-01-31 (YYYY-MM-DD)"
        ) from None
    begin = config.begin or (STUDY.index(0.1) + 1 if config.kind == "study" else batches // 2 + 1)
    if begin > batches:
        raise InputError(f"option begin is {begin}: the stream has {batches} batches")
    amount = config.amount if config.amount is not None else STEP if config.kind == "incremental" else AMOUNT
    source = config.foreign_dataset
    if source == "auto":
        source = OTHER_SOURCE.get(config.dataset, HELD_OUT)
    if source == config.dataset:
        raise InputError(f"option foreign_dataset is {source}: it is the dataset itself, so no text of it is foreign")
    return dataclasses.replace(config, mode=mode, batches=batches, begin=begin, amount=amount, foreign_dataset=source)


def foreign(config: SimulateConfig, dataset: Dataset) -> tuple[list[str], str | None]:
    """(texts on foreign topics, the class that is held out to have them or None); none where none are needed."""
    if config.mode != "foreign":
        return [], None
    if config.foreign_dataset == HELD_OUT:
        if len(dataset.classes) < 3:
            raise InputError(
                f"{dataset.name} has the classes {listed(dataset.classes)}: with one held out for foreign texts one is "
                "left, so name a dataset as foreign_dataset"
            )
        name = dataset.classes[-1]
        texts = [text for frame in dataset.splits.values() for text in frame.loc[frame["label"] == name, "text"]]
        return texts, name
    options = dataclasses.replace(
        config,
        dataset=config.foreign_dataset,
        test_dataset=None,
        num_samples=None,
        categories=("all",),
        bad_rows="drop",
    )
    other = load_split(options, own_split(config.foreign_dataset, "train"))
    return [text for frame in other.splits.values() for text in frame["text"]], None


def without(rows: pd.DataFrame, held_out: str | None) -> pd.DataFrame:
    return rows if held_out is None else rows[rows["label"] != held_out].reset_index(drop=True)


def describe(config: SimulateConfig, dataset: Dataset, changed: list[float], held_out: str | None) -> dict[str, Any]:
    """What truth.json says, but for each batch's rows."""
    first = date.fromisoformat(config.start_date)
    sentence = SENTENCES[config.mode]
    if ranges := spans(changed):
        said = ", ".join(f"{low} to {high}" if low < high else f"{low}" for low, high in ranges)
        sizes = sorted({amount for amount in changed if amount})
        sentence += f" ({sizes[0]:.3g}" + (f" to {sizes[-1]:.3g}" if len(sizes) > 1 else "") + f") in batches {said}"
    return {
        "kind": config.kind,
        "mode": config.mode,
        "sentence": sentence,
        "begin": ranges[0][0] if ranges else None,
        "changes": [{"begin": low, "end": high} for low, high in ranges],
        "dataset": dataset.name,
        "split": config.split,
        "fingerprint": dataset.fingerprint,
        "foreign": (held_out and f"class {held_out}") or (config.foreign_dataset if config.mode == "foreign" else None),
        "seed": config.seed,
        "reference": REFERENCE,
        "batches": [
            {
                "number": number,
                "file": f"batch_{number:0{max(4, len(str(len(changed))))}}.parquet",
                "date": (first + timedelta(days=number - 1)).isoformat(),
                "changed": amount > 0,
                "amount": amount,
            }
            for number, amount in enumerate(changed, start=1)
        ],
    }


def require_unused(folder: Path) -> None:
    """Raises InputError where the folder holds a stream already: two streams in one would be monitored as one."""
    used = sorted(path.name for path in folder.iterdir() if is_table_name(path.name))
    if used:
        raise InputError(f"output_dir {folder} holds {used[0]} already: give an empty folder")


def write_parquet(rows: pd.DataFrame, path: Path) -> None:
    """text and label as strings, date (where there is one) as Arrow's date32."""
    kinds = {"text": pyarrow.string(), "label": pyarrow.string(), "date": pyarrow.date32()}
    schema = pyarrow.schema([(name, kinds[name]) for name in rows.columns])
    pyarrow.parquet.write_table(pyarrow.Table.from_pandas(rows, schema=schema, preserve_index=False), path)
