"""Makes an archive of what a version of newsclf writes: what later versions must be able to read. See README.md.

    git worktree add /tmp/newsclf-old/project <commit>      the code that writes, in a folder that names nobody
    python tests/old_files/make.py                        with the environment of that code; leaves written.tar.xz

Everything is made in FOLDER, so that no path of a machine gets into it, and a test can replace that one.
"""

from __future__ import annotations

import contextlib
import csv
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

FOLDER = Path("/tmp/newsclf-old")
PROJECT = FOLDER / "project"
# What no later version reads: pictures, pages, what pip has installed. Of a model's code, what it imports is kept.
LEFT_OUT = ("*.png", "report.html", "freeze.txt", "conda.yaml", ".empty*.db", "*.pyc", "*.db-*")
NOT_KEPT = (
    "project/",
    "home/",
    "nameless/",
    "imported.json",
    "train/",
    "evaluate/",
    "unsent/",
    "sweep/trials/",
    "kept/",
)
TRAIN = {
    "dataset": FOLDER / "news.csv",
    "test_dataset": FOLDER / "test.csv",
    "encoder": FOLDER / "encoder",
    "max_length": 24,
    "batch_size": 16,
    "learning_rate": 0.02,
    "dropout": 0.0,
    "patience": 0,
}
# Names of a host and of its system are part of a few files: these stand for them.
NAMELESS = """
import platform, socket
socket.gethostname = lambda: "newsclf"
platform.platform = lambda *_, **__: "Linux"
"""
SERVED = """
import json, sys, mlflow
texts = json.load(open("texts.json"))
model = mlflow.pyfunc.load_model(sys.argv[1])
json.dump(model.predict(texts).to_dict("list"), open("predicted.json", "w"), indent=1)
code = sorted(name for name in sys.modules if name.startswith("newsclf"))
json.dump([str(sys.modules[name].__file__) for name in code], open("imported.json", "w"))
"""
SMALL_REFERENCE = """
import csv
from pathlib import Path
from newsclf.drift import fit_reference, save_reference
rows = list(csv.DictReader(open("news.csv"))) + list(csv.DictReader(open("test.csv")))
texts, labels = [row["text"] for row in rows], [row["label"] for row in rows]
save_reference(fit_reference(texts, labels, encoder="/tmp/newsclf-old/encoder"), Path("reference"))
"""


def run(*command: object, **environment: str) -> str:
    done = subprocess.run(
        [str(word) for word in command], cwd=FOLDER, env=surroundings(**environment), capture_output=True, text=True
    )
    print("$", *command, done.stdout, done.stderr, sep="\n", flush=True)
    done.check_returncode()
    return done.stdout


def surroundings(**more: str) -> dict[str, str]:
    return {
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "HOME": str(FOLDER / "home"),
        "USER": "newsclf",
        "LOGNAME": "newsclf",
        "PYTHONPATH": f"{FOLDER / 'nameless'}:{PROJECT}",
        "OMP_NUM_THREADS": "1",
        "GIT_CEILING_DIRECTORIES": str(FOLDER),
        "MLFLOW_TRACKING_URI": f"sqlite:///{FOLDER / 'mlflow.db'}",
        "NEWSCLF_JOURNAL_DIR": str(FOLDER / "journal"),
        "NEWSCLF_CACHE_DIR": str(FOLDER / "home" / "cache"),
        **more,
    }


def command(verb: str, name: str, options: dict[str, Any]) -> list[str]:
    words = [f"--{option}={value}" for option, value in {**options, "output_dir": FOLDER / name}.items()]
    return [sys.executable, "-m", f"entrypoints.{verb}", *words]


def verb(verb: str, name: str, **options: Any) -> str:
    """The id of the run."""
    run(*command(verb, name, options))
    return str(json.loads((FOLDER / name / "result.json").read_text())["run_id"])


def make() -> None:
    (FOLDER / "nameless").mkdir()
    (FOLDER / "nameless" / "sitecustomize.py").write_text(NAMELESS)
    encoder(FOLDER / "encoder")
    rows = tables()
    (FOLDER / "texts.json").write_text(json.dumps([text for _, text in rows[:8]], indent=1))

    trained = verb("train", "train", epochs=16, register="news", **TRAIN)
    evaluated = verb(
        "evaluate", "evaluate", model="models:/news@challenger", dataset=TRAIN["test_dataset"], split="all"
    )
    run(sys.executable, "-c", SERVED, f"runs:/{trained}/model", NEWSCLF_PROFILE_DIR=str(FOLDER / "served"))
    run(sys.executable, "-c", SERVED, f"runs:/{trained}/model")  # without profiles it needs a part of the code alone
    profiled = verb("profile", "profile", dataset=FOLDER / "test.csv", reference=trained)
    run(sys.executable, "-c", SMALL_REFERENCE)
    monitors = [
        {"name": "any drift", "verdict": "any", "severity": "critical"},
        {"name": "rows", "number": "rows", "below": 1000},
    ]
    (FOLDER / "monitors.yaml").write_text(json.dumps({"monitors": monitors, "min_rows": 20}))
    monitored = verb("monitor", "monitor", stream=FOLDER / "stream", reference=trained, config=FOLDER / "monitors.yaml")
    sweep = {
        "strategy": "random",
        "trials": 2,
        "aim": "avg_test_acc",
        "name": "old",
        "train": {name: str(value) if isinstance(value, Path) else value for name, value in TRAIN.items()},
        "space": {"learning_rate": {"low": 1e-3, "high": 1e-1}},
    }
    sweep["train"] = {**sweep["train"], "epochs": 1}  # type: ignore[dict-item]
    del sweep["train"]["learning_rate"]  # type: ignore[attr-defined]
    (FOLDER / "sweep.yaml").write_text(json.dumps(sweep))
    swept = verb("sweep", "sweep", config=FOLDER / "sweep.yaml")
    unsent = verb("train", "unsent", epochs=16, register="news", tracking="offline", **TRAIN)
    killed = cut_off()
    runs = {
        "train": trained,
        "evaluate": evaluated,
        "profile": profiled,
        "monitor": monitored,
        "sweep": swept,
        "unsent": unsent,
        "killed": killed,
    }
    (FOLDER / "runs.json").write_text(json.dumps(runs, indent=1))


def cut_off() -> str:
    """A run of train that is killed after its third epoch."""
    process = subprocess.Popen(
        command("train", "killed", {"epochs": 40, "trainable_layers": 0, **TRAIN}),
        cwd=FOLDER,
        env=surroundings(),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("epoch 3/"):
            process.kill()
            break
    process.wait()
    tag = run(sys.executable, "-c", "import mlflow; print(mlflow.search_runs(['0'], \"status = 'RUNNING'\").run_id[0])")
    return tag.strip()


def encoder(folder: Path) -> None:
    """The tests' tiny BERT, but of 1 layer, 16 hidden units, 64 positions, and fewer words."""
    import torch
    from transformers import BertConfig, BertModel

    sys.path.insert(0, str(PROJECT))
    from tests import conftest

    conftest.WORDS = 200
    folder.mkdir()
    vocabulary = conftest._vocabulary()
    conftest._save_tokenizer(vocabulary, folder)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=64,
        initializer_range=0.1,
    )
    BertModel(config).save_pretrained(folder)


def tables() -> list[tuple[str, str]]:
    """news.csv and test.csv of two of the sample's classes, stream/ of three batches, and later/ of one; the test rows.

    The third batch is another language to the model: its words are garbled.
    """
    with next(PROJECT.rglob("newsclf/data/**/sample.csv")).open(encoding="utf-8", newline="") as file:
        rows = [(row["label"], row["text"]) for row in csv.DictReader(file) if row["label"] in ("Sports", "Business")]
    by_class = [[row for row in rows if row[0] == label] for label in ("Sports", "Business")]
    mixed = [row for pair in zip(*by_class, strict=False) for row in pair]
    write(FOLDER / "news.csv", mixed[:68])
    write(FOLDER / "test.csv", mixed[68:120])
    for number in range(4):
        batch = mixed[120 + number * 30 : 150 + number * 30]
        garbled = [(label, text[::-1]) for label, text in batch]
        write(
            FOLDER / ("later" if number == 3 else "stream") / f"2026-01-0{number + 1}.csv",
            garbled if number == 2 else batch,
        )
    return mixed[68:120]


def write(path: Path, rows: list[tuple[str, str]]) -> None:
    path.parent.mkdir(exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("label", "text"), *rows])


def pack() -> None:
    """written.tar.xz of all that a test reads: without what takes room and is read by none; databases as SQL."""
    code = {name.rpartition("/code/")[2] for name in json.loads((FOLDER / "imported.json").read_text())}
    runs = json.loads((FOLDER / "runs.json").read_text())
    kept = FOLDER / "kept"
    for path in sorted(FOLDER.rglob("*")):
        name = str(path.relative_to(FOLDER))
        if name.startswith(NOT_KEPT) or not path.is_file() or any(path.match(pattern) for pattern in LEFT_OUT):
            continue
        if "/code/" in name and name.rpartition("/code/")[2] not in code:
            continue
        if name.startswith("mlruns/0/") and name.split("/")[2] not in {"models", *runs.values()}:
            continue  # of the sweep's trials; their models likewise
        if "/models/" in name and not _is_of(Path(*path.parts[: path.parts.index("models") + 2]), runs):
            continue
        target = kept / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".db":
            with contextlib.closing(sqlite3.connect(path)) as database:
                target.with_name(f"{target.name}.sql").write_text("\n".join(database.iterdump()), encoding="utf-8")
        else:
            shutil.copy(path, target)
    with tarfile.open(FOLDER / "written.tar.xz", "w:xz", preset=9) as archive:
        for path in sorted(kept.iterdir()):
            archive.add(path, path.name, filter=anonymous)
    print((FOLDER / "written.tar.xz").stat().st_size, "bytes")


def _is_of(model: Path, runs: dict[str, str]) -> bool:
    found = (model / "artifacts" / "MLmodel").read_text(encoding="utf-8")
    return any(f"run_id: {run}" in found for run in runs.values())


def anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member


if __name__ == "__main__":
    for path in FOLDER.iterdir():
        if path != PROJECT:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    os.chdir(FOLDER)
    make()
    pack()
