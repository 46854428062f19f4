"""simulate: what is written, and that the truth is true. One MLflow database for all."""

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from mlflow import MlflowClient

from newsclf.config import SimulateConfig
from newsclf.data import sources
from newsclf.data.simulation.drifting_stream import MODES
from newsclf.errors import InputError
from newsclf.verbs.simulate import resolve_auto
from tests.doors import call


@pytest.fixture(scope="module")
def uri(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"sqlite:///{tmp_path_factory.mktemp('runs') / 'runs.db'}"


@pytest.fixture
def simulate(uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Runs the door with options; the output folder. Fails unless the exit code is 0."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    monkeypatch.delenv("MLFLOW_RUN_ID", raising=False)
    monkeypatch.chdir(tmp_path)

    def run(code: int = 0, folder: Path = tmp_path / "stream", **options: object) -> Path:
        assert call("simulate", **{"output_dir": folder, **options}) == code
        return folder

    return run


def read(folder: Path) -> tuple[dict[str, Any], list[pd.DataFrame]]:
    truth = json.loads((folder / "truth.json").read_text())
    return truth, [pd.read_parquet(folder / entry["file"]) for entry in truth["batches"]]


@pytest.mark.parametrize("kind", MODES)
def test_every_kind_on_the_packaged_sample(kind, simulate):
    folder = simulate(kind=kind, batches="auto" if kind == "study" else 8, amount="auto" if kind == "study" else 0.3)
    truth, batches = read(folder)
    assert (truth["kind"], truth["mode"]) == (kind, MODES[kind][0])
    assert len(batches) == (7 if kind == "study" else 8)
    assert sorted(path.name for path in folder.iterdir() if path.suffix == ".parquet") == [
        entry["file"] for entry in truth["batches"]
    ]
    for number, (entry, batch) in enumerate(zip(truth["batches"], batches, strict=True), start=1):
        assert entry["date"] == f"2026-01-{number:02}"
        assert batch.columns.tolist() == ["text", "label", "date"]
        assert set(batch["date"]) == {date(2026, 1, number)}
        assert entry["rows"] == len(batch) > 20
        assert entry["labels"] == {name: (batch["label"] == name).sum() for name in entry["labels"]}
        assert entry["changed"] == (entry["amount"] > 0)
    changed = [entry["number"] for entry in truth["batches"] if entry["changed"]]
    assert changed == {"none": [], "study": [3, 4, 5, 6, 7], "nonstationary": [5, 6, 7, 8]}.get(kind, [5, 6, 7, 8])
    assert truth["begin"] == (changed[0] if changed else None)
    assert [path for path in folder.rglob("*") if "unfinished" in path.name] == []


def test_the_held_out_class_is_in_no_label_and_its_texts_are_the_foreign_ones(simulate):
    sample = pd.read_csv(Path(sources.__file__).with_name("sample.csv"), keep_default_na=False)
    held_out = set(sample.loc[sample["label"] == "Sci/Tech", "text"])
    truth, batches = read(simulate(kind="covariate", batches=6, amount=0.2))
    assert truth["foreign"] == "class Sci/Tech"
    for entry, batch in zip(truth["batches"], batches, strict=True):
        assert "Sci/Tech" not in set(batch["label"])
        assert batch["text"].isin(held_out).sum() == round(entry["amount"] * len(batch))


def test_the_reference_are_training_rows_that_are_in_no_batch(simulate):
    folder = simulate(kind="none", batches=4)
    truth, batches = read(folder)
    reference = pd.read_parquet(folder / truth["reference"])
    assert reference.columns.tolist() == ["text", "label"]
    assert len(reference) == 476
    assert not set(reference["text"]) & set(pd.concat(batches)["text"])


def test_another_dataset_gives_the_foreign_texts(simulate, tmp_path):
    pd.DataFrame({"text": [f"recipe {n}" for n in range(50)], "label": "food"}).to_csv(tmp_path / "food.csv")
    truth, batches = read(simulate(kind="covariate", batches=4, amount=0.1, foreign_dataset=tmp_path / "food.csv"))
    assert set(batches[0]["label"]) == {"World", "Sports", "Business", "Sci/Tech"}
    assert [batch["text"].str.startswith("recipe").sum() for batch in batches] == [0, 0, 7, 7]
    assert truth["foreign"].endswith("food.csv")


def test_the_same_seed_gives_the_same_stream(simulate, tmp_path):
    first, second, other = (
        simulate(folder=tmp_path / str(place), kind="concept", batches=3, seed=seed)
        for place, seed in enumerate((1, 1, 2))
    )
    assert read(first)[0] == read(second)[0]
    assert all((first / f"batch_000{n}.parquet").read_bytes() == (second / f"batch_000{n}.parquet").read_bytes()
               for n in (1, 2, 3))  # fmt: skip
    assert not read(first)[1][0].equals(read(other)[1][0])


def test_the_run_says_what_was_injected_when(simulate, uri):
    folder = simulate(kind="incremental", batches=4, begin=3, amount=0.1, start_date="2025-12-31")
    result = json.loads((folder / "result.json").read_text())
    client = MlflowClient(uri)
    run = client.get_run(result["run_id"])
    assert run.info.status == "FINISHED"
    assert run.data.metrics["batches"] == 4
    series = client.get_metric_history(run.info.run_id, "injected")
    assert [(point.step, point.value) for point in series] == [(1, 0), (2, 0), (3, 0.1), (4, 0.2)]
    assert series[0].timestamp == pd.Timestamp("2025-12-31", tz="UTC").value // 10**6
    assert {file.path for file in client.list_artifacts(run.info.run_id)} >= {"truth.json", "result.json"}


def test_nothing_is_half_written(simulate, tmp_path, capfd):
    folder = simulate(code=2, kind="none", batch_rows=130)  # a batch of more rows of a class than there are
    assert "rows and" in capfd.readouterr().err
    assert list(folder.iterdir()) == []
    simulate(kind="none", batches=2)
    simulate(code=2, kind="none", batches=2)
    assert "holds batch_0001.parquet already: give an empty folder" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"kind": "study", "batches": 8}, "option batches does not go with kind study"),
        ({"kind": "study", "amount": 0.2}, "option amount does not go with kind study"),
        ({"kind": "prior", "mode": "garbled"}, "option mode is garbled: kind prior goes with prior"),
        ({"kind": "sudden", "begin": 41}, "option begin is 41: the stream has 40 batches"),
        ({"kind": "none", "start_date": "1.1.2026"}, "option start_date is '1.1.2026': it must be a date as"),
        ({"kind": "none", "start_date": "9999-12-31"}, "it must be a date as"),
        ({"kind": "covariate", "foreign_dataset": "sample"}, "it is the dataset itself"),
    ],
)
def test_options_that_do_not_go_together(options, says):
    with pytest.raises(InputError) as error:
        resolve_auto(SimulateConfig(**options))
    assert says in str(error.value)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"kind": "sudden"}, {"mode": "foreign", "batches": 40, "begin": 21, "amount": 0.1}),
        ({"kind": "incremental"}, {"amount": 0.01}),
        ({"kind": "study"}, {"mode": "delete", "batches": 7, "begin": 3}),
        ({"kind": "sudden", "dataset": "ag_news"}, {"foreign_dataset": "20newsgroups"}),
        ({"kind": "sudden", "dataset": "20newsgroups"}, {"foreign_dataset": "ag_news"}),
        ({"kind": "sudden", "amount": 0.0}, {"amount": 0.0}),
    ],
)
def test_auto(options, expected):
    config = resolve_auto(SimulateConfig(**options))
    assert {name: getattr(config, name) for name in expected} == expected
