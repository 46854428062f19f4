"""profile, against every kind of reference: a real database, real runs, and what they hold for others to read."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from mlflow import artifacts
from mlflow.entities import Run

from newsclf.config import DataOptions
from newsclf.data import load
from newsclf.drift import fit_reference, save_reference
from newsclf.profiling.profile import TextProfile
from tests.doors import call

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("in_place")]

FILES = {"config.yaml", "environment", "profile.bin", "report.html", "result.json", "summary.csv", "summary.json"}


@pytest.fixture
def profiled(place, tmp_path) -> Callable[..., Run]:
    """Runs profile in this process; its run."""

    def run(**options: object) -> Run:
        assert call("profile", **{"output_dir": tmp_path / "out", **options}) == 0
        newest: Run = place.runs()[0]
        assert newest.info.status == "FINISHED"
        return newest

    return run


@pytest.fixture
def refused(place, tmp_path, capfd) -> Callable[..., str]:
    """Runs profile with bad input; its one line, which a run that it has begun has for its reason."""

    def run(**options: object) -> str:
        before = len(place.runs())
        capfd.readouterr()
        assert call("profile", **{"output_dir": tmp_path / "out", **options}) == 2
        (line,) = capfd.readouterr().err.splitlines()
        assert line.startswith("profile: ")
        early = {"config.yaml", "environment"}
        for begun in place.runs()[: len(place.runs()) - before]:
            assert begun.info.status == "FAILED"
            assert begun.data.tags["newsclf.failure"].split()[0] == line.split()[1]
            assert {file.path for file in place.client().list_artifacts(begun.info.run_id)} <= early
        left = [path for path in (tmp_path / "out").rglob("*") if path.is_file() and "reference" not in path.parts]
        assert left == [], "nothing half-written"
        return line.removeprefix("profile: ")

    return run


@pytest.fixture(scope="module")
def sample() -> pd.DataFrame:
    """The rows of the packaged sample that are in no training split."""
    splits = load(DataOptions(dataset="sample")).splits
    return pd.concat([splits["validation"], splits["test"]], ignore_index=True)[["text", "label"]]


@pytest.fixture(scope="module")
def tables(place, sample) -> dict[str, Path]:
    """as it was; garbled; without labels; with empty, missing and repeated rows."""
    garbled = sample.assign(text=sample["text"].str.replace("e", "3").str.replace("o", "0"))
    odd = pd.concat([sample, sample.head(10)], ignore_index=True)
    odd.loc[:4, "text"], odd.loc[5:7, "text"] = "", None
    made = {"as it was": sample, "garbled": garbled, "without labels": sample[["text"]], "odd": odd}
    for name, frame in made.items():
        frame.to_parquet(place.folder / f"{name}.parquet")
    return {name: place.folder / f"{name}.parquet" for name in made}


@pytest.fixture(scope="module")
def trained(place, in_process, tiny_encoder) -> Run:
    """A run of train, whose model is newsclf@champion."""
    assert in_process("train", encoder=tiny_encoder, epochs=1, trainable_layers=0, output_dir=place.folder / "t") == 0
    run = place.runs()[0]
    client = place.client()
    client.create_registered_model("newsclf")
    version = client.create_model_version("newsclf", f"runs:/{run.info.run_id}/model", run.info.run_id)
    client.set_registered_model_alias("newsclf", "champion", version.version)
    return run


@pytest.fixture(scope="module")
def earlier(place, tables) -> tuple[str, Path]:
    """(a run of profile with a reference, the profile.bin of one without any)."""
    assert call("profile", dataset=tables["as it was"], reference="sample", output_dir=place.folder / "earlier") == 0
    run_id = place.runs()[0].info.run_id
    assert call("profile", dataset=tables["as it was"], output_dir=place.folder / "plain") == 0
    return run_id, place.folder / "plain" / "profile.bin"


@pytest.fixture(scope="module")
def folder(place) -> Path:
    train = load(DataOptions(dataset="sample")).splits["train"]
    save_reference(fit_reference(train["text"].tolist(), train["label"].tolist()), place.folder / "a reference")
    return place.folder / "a reference"


def files_of(place, run: Run) -> set[str]:
    return {file.path for file in place.client().list_artifacts(run.info.run_id)}


def verdict_in(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "verdict.json").read_text())
    return found


def test_a_table_alone(place, tables, profiled, tmp_path):
    run = profiled(dataset=tables["odd"])
    table = pd.read_parquet(tables["odd"])
    texts = table["text"].fillna("")
    metrics = run.data.metrics
    assert metrics["rows"] == len(table)
    assert metrics["characters/mean"] == pytest.approx(texts.str.len().mean(), rel=1e-5)
    assert metrics["words/std"] == pytest.approx(texts.str.split().map(len).std(), rel=1e-4)
    assert metrics["empty_share"] == pytest.approx((texts == "").mean())
    assert metrics["missing_share"] == pytest.approx(table["text"].isna().mean())
    assert metrics["duplicate_share"] == pytest.approx(texts[texts != ""].duplicated().mean(), abs=1e-6)
    assert metrics["label/Sports"] == pytest.approx((table["label"] == "Sports").mean())
    assert metrics["rows_unreadable"] == 0
    assert not [name for name in metrics if "drifted" in name]
    assert "newsclf.verdict" not in run.data.tags

    assert files_of(place, run) == FILES
    (data,) = run.inputs.dataset_inputs
    assert data.dataset.source_type
    assert (tmp_path / "out" / "report.html").read_text().startswith("<!")
    result = json.loads((tmp_path / "out" / "result.json").read_text())
    assert result["metrics"] == pytest.approx(metrics)
    assert result["run_id"] == run.info.run_id
    summary = pd.read_csv(tmp_path / "out" / "summary.csv")
    assert summary.set_index("column")["rows"]["characters"] == len(table)
    assert [row["column"] for row in json.loads((tmp_path / "out" / "summary.json").read_text())] == [
        *summary["column"]
    ]


def test_plain_whylogs_reads_the_profile(place, tables, profiled, sample):
    import whylogs

    run = profiled(dataset=tables["as it was"], reference="sample")
    path = artifacts.download_artifacts(run_id=run.info.run_id, artifact_path="profile.bin", tracking_uri=place.uri)
    view = whylogs.DatasetProfileView.read(path)
    columns = view.get_columns()
    lengths = sample["text"].str.len()
    assert columns["characters"].get_metric("distribution").mean.value == pytest.approx(lengths.mean())
    assert columns["characters"].get_metric("counts").n.value == len(sample)
    assert columns["direction_1"].get_metric("counts").n.value == len(sample)
    assert view.merge(view).get_column("label").get_metric("counts").n.value == 2 * len(sample)
    pieces = {text[begin : begin + 8] for text in sample["text"] for begin in range(0, len(text) - 8, 8)}
    content = Path(path).read_bytes()
    assert [piece for piece in pieces if piece.encode() in content] == []


@pytest.mark.parametrize(
    "kind", ["a dataset", "a run of train", "runs:/", "models:/", "a folder", "a run of profile", "a profile.bin"]
)
def test_against_every_kind_of_reference(kind, place, tables, profiled, trained, folder, earlier, tmp_path):
    name = {
        "a dataset": "sample",
        "a run of train": trained.info.run_id,
        "runs:/": f"runs:/{trained.info.run_id}",
        "models:/": "models:/newsclf@champion",
        "a folder": folder,
        "a run of profile": earlier[0],
        "a profile.bin": earlier[1],
    }[kind]
    same = profiled(dataset=tables["as it was"], reference=name)
    assert same.data.metrics["drifted"] == 0
    assert same.data.tags["newsclf.drift"] == "none"
    assert same.data.tags["newsclf.verdict"].startswith("No drift in 204 texts")

    other = profiled(dataset=tables["garbled"], reference=name)
    assert other.data.metrics["drifted"] == 1
    assert other.data.tags["newsclf.drift"] == "covariate"
    verdict = verdict_in(tmp_path / "out")
    assert verdict["kinds"]["covariate"]["drifted"] is True
    assert other.data.metrics["covariate/p_value"] == pytest.approx(verdict["kinds"]["covariate"]["p_value"])
    assert other.data.metrics["covariate/effect"] == pytest.approx(verdict["kinds"]["covariate"]["effect"])
    expected = FILES | {"verdict.json"} | (set() if kind == "a profile.bin" else {"reference"})
    assert files_of(place, other) == expected
    assert verdict["sentence"].split(":")[0] in (tmp_path / "out" / "report.html").read_text()


def test_train_logs_what_it_was_trained_on(place, trained):
    assert trained.data.tags["newsclf.reference"]
    assert {"reference", "profile"} <= files_of(place, trained)
    path = artifacts.download_artifacts(
        run_id=trained.info.run_id, artifact_path="profile/profile.bin", tracking_uri=place.uri
    )
    profile = TextProfile.read(path)
    assert profile.reference == trained.data.tags["newsclf.reference"]
    assert profile.rows == len(load(DataOptions(dataset="sample")).splits["train"])


def test_a_table_without_labels(tables, profiled, tmp_path):
    run = profiled(dataset=tables["without labels"], reference="sample")
    assert run.data.metrics["drifted"] == 0
    kinds = verdict_in(tmp_path / "out")["kinds"]
    assert kinds["concept"]["drifted"] is None
    assert kinds["prior"]["drifted"] is False, "by what the reference predicts"
    assert not [name for name in run.data.metrics if name.startswith("label/")]


def test_a_model_alone_and_beside_a_reference(tables, profiled, trained, tmp_path):
    model = f"runs:/{trained.info.run_id}/model"
    alone = profiled(dataset=tables["odd"], model=model)
    shares = [value for name, value in alone.data.metrics.items() if name.startswith("predicted_label/")]
    assert sum(shares) == pytest.approx(1)
    assert 0.25 <= alone.data.metrics["confidence/mean"] <= 1
    assert "drifted" not in alone.data.metrics
    assert not (tmp_path / "out" / "verdict.json").exists()

    both = profiled(dataset=tables["odd"], model=model, reference="sample")
    assert both.data.tags["newsclf.drift"] == "quality"
    assert both.data.metrics["confidence/mean"] > 0
    plain = profiled(dataset="sample", split="train", model=model, reference=tables["without labels"])
    assert plain.data.metrics["drifted"] == 0
    assert 0.25 <= plain.data.metrics["confidence/mean"] <= 1


def test_all_rows_are_counted_and_a_sample_is_embedded(tables, profiled, place):
    run = profiled(dataset=tables["as it was"], reference="sample", embedded_rows=60)
    assert run.data.metrics["rows"] == 204
    assert run.data.metrics["rows_embedded"] == 60
    again = profiled(dataset=tables["as it was"], reference="sample", embedded_rows=60)
    for name in ("direction_1/mean", "covariate/p_value", "confidence/mean"):
        assert again.data.metrics[name] == run.data.metrics[name]
    other = profiled(dataset=tables["as it was"], reference="sample", embedded_rows=60, seed=1)
    assert other.data.metrics["direction_1/mean"] != run.data.metrics["direction_1/mean"]
    assert other.data.metrics["characters/mean"] == run.data.metrics["characters/mean"]


def test_a_folder_with_other_files(place, tables, profiled, tmp_path):
    """What lies there already is nobody's business; a verdict of an earlier run is not kept for one of this."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / ".env").write_text("TOKEN=geheim")
    (tmp_path / "out" / "notes.txt").write_text("mine")
    profiled(dataset=tables["garbled"], reference="sample")
    run = profiled(dataset=tables["garbled"])
    assert files_of(place, run) == FILES
    assert (tmp_path / "out" / "notes.txt").read_text() == "mine"
    assert not (tmp_path / "out" / "verdict.json").exists()


@pytest.mark.parametrize("where", ["copy.bin", "folder/", ""])
def test_it_is_sent_to_a_path_as_well(where, tables, profiled, tmp_path):
    (tmp_path / "sent").mkdir()
    profiled(dataset=tables["as it was"], write_to=f"{tmp_path}/sent/{where}")
    written = tmp_path / "sent" / (where if where.endswith(".bin") else f"{where}profile.bin")
    assert written.read_bytes() == (tmp_path / "out" / "profile.bin").read_bytes()
    assert json.loads((tmp_path / "out" / "result.json").read_text())["paths"]["sent"] == str(written)


def test_one_class_only(profiled, sample, tmp_path):
    sample.assign(label="Sports").to_csv(tmp_path / "one.csv", index=False)
    load(DataOptions(dataset="sample")).splits["train"].assign(label="Sports").to_csv(
        tmp_path / "before.csv", index=False
    )
    run = profiled(dataset=tmp_path / "one.csv", reference="sample")
    assert run.data.metrics["label/Sports"] == 1
    assert run.data.metrics["drifted"] == 1
    against = profiled(dataset=tmp_path / "one.csv", reference=tmp_path / "before.csv")
    assert against.data.metrics["drifted"] == 0
    assert verdict_in(tmp_path / "out")["kinds"]["prior"]["sentence"] == "The reference has one class only."


@pytest.mark.parametrize("kind", ["a dataset", "a profile.bin"])
def test_too_few_rows_are_not_called_normal(kind, profiled, sample, earlier, tmp_path):
    sample.head(60).to_csv(tmp_path / "few.csv", index=False)
    reference = {"a dataset": "sample", "a profile.bin": earlier[1]}[kind]
    assert profiled(dataset=tmp_path / "few.csv", reference=reference).data.metrics["drifted"] == 0
    run = profiled(dataset=tmp_path / "few.csv", reference=reference, min_rows=61)
    assert "drifted" not in run.data.metrics
    assert run.data.tags["newsclf.drift"] == "not enough data"
    assert run.data.tags["newsclf.verdict"] == "Not enough data: 60 texts, 61 are needed."
    assert verdict_in(tmp_path / "out")["drifted"] is None


def write(folder: Path, text: str | bytes, name: str = "bad.csv") -> Path:
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder / name


def truncated(folder: Path, profile: Path) -> Path:
    return write(folder, profile.read_bytes()[:-100], "profile.bin")


def of_another_version(folder: Path, _: Path) -> Path:
    profile = TextProfile()
    profile._metadata["newsclf.format"] = "99"
    profile.log(pd.DataFrame({"characters": np.arange(60.0)}))
    return profile.write(folder / "profile.bin")


def of_plain_whylogs(folder: Path, _: Path) -> Path:
    import whylogs

    whylogs.log(pd.DataFrame({"characters": np.arange(60.0)})).view().write(str(folder / "profile.bin"))
    return folder / "profile.bin"


BAD_PROFILES = {
    "truncated": (truncated, "is truncated or damaged; write the profile again"),
    "of another version": (of_another_version, "is a profile of format 99, this version of newsclf reads 1"),
    "of plain whylogs": (of_plain_whylogs, "is a whylogs profile, but none of newsclf"),
    "empty": (lambda folder, _: write(folder, "", "profile.bin"), "profile.bin is empty"),
    "text": (lambda folder, _: write(folder, "text", "profile.bin"), "is no whylogs profile"),
    "missing": (lambda folder, _: folder / "none.bin", "cannot read the profile"),
    "of a reference": (lambda folder, _: folder.parent / "earlier.bin", "which is not in the file: give the run"),
}


@pytest.mark.parametrize("case", BAD_PROFILES)
def test_a_bad_profile_as_reference(case, place, tables, refused, earlier, tmp_path):
    shutil.copy(place.folder / "earlier" / "profile.bin", tmp_path.parent / "earlier.bin")
    make, says = BAD_PROFILES[case]
    assert says in refused(dataset=tables["as it was"], reference=make(tmp_path, earlier[1]))


def of_another_encoder(folder: Path) -> None:
    facts = json.loads((folder / "reference.json").read_text())
    (folder / "reference.json").write_text(json.dumps({**facts, "encoder_sha256": "0" * 64}))


def half(folder: Path) -> None:
    (folder / "reference.safetensors").unlink()


@pytest.mark.parametrize(
    ("break_it", "says"),
    [
        (of_another_encoder, "was fitted with another encoder: minilm of sha256 0000000000000000..."),
        (half, "is no whole reference"),
        (lambda folder: (folder / "reference.json").unlink(), "is a folder without reference.json"),
    ],
    ids=["of another encoder", "half", "nothing"],
)
def test_a_bad_folder_as_reference(break_it, says, tables, refused, folder, tmp_path):
    shutil.copytree(folder, tmp_path / "copy")
    break_it(tmp_path / "copy")
    assert says in refused(dataset=tables["as it was"], reference=tmp_path / "copy")


BAD: dict[str, tuple[Callable[[Path], dict[str, object]], str]] = {
    "all rows empty": (lambda folder: {"dataset": write(folder, "text,label\n" + '" ",a\n' * 90)}, "all 90 texts are"),
    "an empty file": (lambda folder: {"dataset": write(folder, "")}, "bad.csv is empty"),
    "a header alone": (lambda folder: {"dataset": write(folder, "text\n")}, "has a header but no rows"),
    "no text column": (lambda folder: {"dataset": write(folder, "body\nx\n")}, 'has no column "text": it has body'),
    "no label column": (
        lambda folder: {"dataset": write(folder, "text\nx\n"), "label_column": "topic"},
        'has no column "topic"',
    ),
    "no file": (lambda folder: {"dataset": folder / "none.csv"}, "no such file"),
    "garbage": (lambda folder: {"dataset": write(folder, b"\x00\xff" * 99, "bad.parquet")}, "not a readable Parquet"),
    "a reference that is nothing": (lambda _: {"reference": "smaple"}, 'did you mean "sample"?'),
    "a reference of a run that is none": (lambda _: {"reference": "0" * 32}, "cannot be loaded"),
    "a reference of a model that is none": (lambda _: {"reference": "models:/none@champion"}, "cannot be loaded"),
    "a reference that is too small": (
        lambda folder: {"reference": write(folder, "text\n" + "news of the day\n" * 60)},
        "a reference of 60 texts that are not empty is too small: 100 are needed",
    ),
    "a reference of empty texts": (
        lambda f: {"reference": write(f, "text\n" + '""\n' * 200)},
        "a reference of 0 texts",
    ),
    "a model that is none": (lambda _: {"model": "runs:/none/model"}, "model runs:/none/model cannot be loaded"),
    "nowhere to write to": (lambda _: {"write_to": "ftp://host/x"}, "a profile is written to a path, an s3:// URI"),
    "a platform without its variables": (lambda _: {"write_to": "whylabs"}, "set WHYLABS_API_ENDPOINT"),
    "a place that is a file": (lambda f: {"write_to": write(f, "x", "file") / "profile.bin"}, "cannot be written"),
    "a split that there is none of": (lambda _: {"split": "test"}, "a table is read whole"),
    "too few rows to embed": (lambda _: {"embedded_rows": 10}, "embedded_rows"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input(case, tables, refused, tmp_path):
    make, says = BAD[case]
    options = {"dataset": tables["as it was"], "reference": "", **make(tmp_path)}
    assert says in refused(**options)


def test_a_run_without_a_reference_as_reference(place, tables, profiled, refused):
    other = place.client().create_run("0", tags={"newsclf.verb": "train"})
    place.client().set_terminated(other.info.run_id)
    assert "cannot be loaded" in refused(dataset=tables["as it was"], reference=other.info.run_id)
    plain = profiled(dataset=tables["as it was"])
    against = profiled(dataset=tables["garbled"], reference=plain.info.run_id)
    assert against.data.metrics["drifted"] == 1, "a run of profile without a reference has its profile"


def test_the_command_and_mlflow_run(place, tables, tmp_path):
    options = {"dataset": tables["garbled"], "reference": "sample", "output_dir": tmp_path / "out"}
    command = place.run(*place.entry_point("profile", options), cwd=place.project)
    assert command.returncode == 0, command.stderr
    assert command.stderr == ""
    assert "Drift (covariate): The texts have other words" in command.stdout
    first = place.runs()[0]

    done = place.mlflow_run("profile", options)
    assert done.returncode == 0, done.stderr
    run = place.runs()[0]
    assert run.info.run_id != first.info.run_id
    assert (run.info.status, first.info.status) == ("FINISHED", "FINISHED")
    assert run.data.metrics["covariate/p_value"] == pytest.approx(first.data.metrics["covariate/p_value"])

    bad = place.mlflow_run("profile", {**options, "reference": "smaple", "output_dir": tmp_path / "bad"})
    assert bad.returncode != 0
    assert 'did you mean "sample"?' in bad.stderr
    assert place.runs()[0].info.status == "FAILED"


def test_no_run_stays_running(place):
    assert set(place.statuses()) == {"FINISHED", "FAILED"}
