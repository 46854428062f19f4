"""What a run is called and what its page says, for every verb; and what a person has named stays."""

import dataclasses
import shlex
from typing import Any

import pytest
from mlflow.utils.name_utils import _generate_random_name

from newsclf.config.options import build, resolve
from newsclf.tracking.description import command, description, is_made_up, outcome, run_name, weak_classes
from newsclf.tracking.run import open_run
from newsclf.verbs import VERBS
from tests.tracking.conftest import VERB, Opened

ID = "0123456789abcdef" * 2
NAMES: list[tuple[str, dict[str, Any], str]] = [
    ("train", {}, "sample minilm all layers 3 epochs"),
    (
        "train",
        {"dataset": "ag_news", "trainable_layers": 0, "epochs": 20},
        "ag_news minilm head 20 epochs",
    ),
    (
        "train",
        {"dataset": "s3://bucket/news/2026.csv.gz", "encoder": "org/bert-base", "trainable_layers": 2, "epochs": 1},
        "2026 bert-base top 2 1 epoch",
    ),
    ("train", {"num_samples": 500}, "sample minilm all layers 3 epochs 500 rows"),
    ("evaluate", {"model": f"runs:/{ID}/model", "dataset": "ag_news"}, "evaluate run 01234567 on ag_news"),
    ("evaluate", {"model": "models:/news@champion"}, "evaluate news@champion on sample"),
    ("profile", {"dataset": "new.csv", "reference": f"runs:/{ID}"}, "profile new against run 01234567"),
    ("monitor", {"stream": "/data/stream/", "reference": "ag_news"}, "monitor stream against ag_news"),
    ("simulate", {"kind": "sudden"}, "simulate sample sudden"),
    ("compare", {"runs": "metrics.test_accuracy > 0.8"}, "compare metrics.test_accuracy > 0.8"),
    ("promote", {"name": "news"}, "promote news"),
    ("retrain", {"stream": "data/stream", "champion": "models:/news@champion"}, "retrain stream"),
    ("sweep", {"strategy": "grid"}, "sweep grid"),
    ("reproduce", {"run_id": ID}, "reproduce run 01234567"),
]


def config(verb: str, options: dict[str, Any]) -> Any:
    return build(VERBS[verb], options)


@pytest.mark.parametrize(("verb", "options", "name"), NAMES)
def test_a_run_is_called_what_it_is(verb: str, options: dict[str, Any], name: str) -> None:
    assert run_name(verb, config(verb, options)) == name


def test_every_verb_with_a_run_has_a_name() -> None:
    assert {verb for verb, _, _ in NAMES} == set(VERBS) - {"sync"}


def test_a_name_that_mlflow_made_up_is_told_from_a_persons() -> None:
    assert all(is_made_up(_generate_random_name()) for _ in range(200))
    assert is_made_up("")
    for name in ("mine", "bold-run", "second-try-3", "trial 1", "bustling-fox-x", "ag_news minilm head 20 epochs"):
        assert not is_made_up(name)


@pytest.mark.parametrize("verb", ["train", "evaluate", "monitor"])
def test_the_command_does_the_same_again(verb: str) -> None:
    given: dict[str, dict[str, Any]] = {
        "train": {"dataset": "my news.csv", "epochs": 5, "trainable_layers": 0, "device": "cpu", "output_dir": "x"},
        "evaluate": {"model": f"runs:/{ID}/model"},
        "monitor": {"stream": "s", "reference": "ag_news", "tracking": "offline"},
    }
    options = given[verb]
    words = command(verb, config(verb, options))
    assert words.startswith(f"newsclf {verb} ")
    again: Any = resolve(VERBS[verb], [f"--{word}" for word in shlex.split(words)[2:]])
    kept = {name: value for name, value in options.items() if name not in ("device", "output_dir", "tracking")}
    assert again == config(verb, kept)


def test_a_description_has_the_scores_the_data_the_weak_classes_and_the_command() -> None:
    metrics = {"test_accuracy": 0.9, "test_macro_f1": 0.85, "rows/train": 1200.0, "rows/test": 300.0}
    metrics |= {"test_f1/Sci_Tech": 0.5, "test_f1/World": 0.95, "test_f1/a*b": 0.4}
    tags = {"newsclf.data_warning.0": "12 rows | have no `label`", "newsclf.verb": "train"}
    text = description("train", config("train", {"dataset": "news.csv", "epochs": 5}), metrics, tags)
    assert text.splitlines() == [
        "accuracy 0.9000, macro-F1 0.8500",
        "",
        "- dataset: `news.csv`",
        "- encoder: `minilm`",
        "- rows: 1,200 train, 300 test",
        r"- weak classes, by F1: a\*b 0.400, Sci\_Tech 0.500",
        r"- warning: 12 rows \| have no \`label\`",
        "",
        "To do it again:",
        "",
        "```",
        "newsclf train dataset=news.csv epochs=5",
        "```",
    ]


@pytest.mark.parametrize(
    ("tags", "metrics", "line"),
    [
        ({"newsclf.verdict": "No drift."}, {"rows": 10}, "**No drift.**"),
        ({"newsclf.decision": "refused", "newsclf.reason": "too slow"}, {}, "**refused: too slow**"),
        ({"newsclf.finding": "cannot be told apart"}, {"accuracy": 0.5}, "**cannot be told apart**; accuracy 0.5000"),
        ({"newsclf.reproduced": "true"}, {"points": 40}, "**reproduced, bit for bit**; 40 points compared"),
        ({"newsclf.reproduced": "false"}, {"points": 40}, "**not reproduced**; 40 points compared"),
        ({"newsclf.state": "ok"}, {"batches": 7, "batches_drifted": 2}, "**ok**; 7 batches, 2 of them drifted"),
        ({}, {"best/test_accuracy": 0.75}, "test_accuracy 0.7500 is the best"),
        ({}, {}, "done"),
    ],
)
def test_the_first_line_is_what_came_of_it(tags: dict[str, str], metrics: dict[str, float], line: str) -> None:
    assert outcome(metrics, tags) == line


def test_a_class_that_is_good_is_not_weak_and_the_worst_come_first() -> None:
    assert weak_classes({f"f1/{number}": number / 10 for number in range(10)}) == [
        f"{number} {number / 10:.3f}" for number in range(5)
    ]
    assert weak_classes({"f1/a": 0.99, "accuracy": 0.1}) == []


def test_a_login_in_an_address_of_data_is_in_no_description() -> None:
    """No option takes one any more; a run of an earlier version that goes on may have it."""
    address = f"https://ann:{'secret'}@host/news.csv?token=abc"
    options = dataclasses.replace(config("train", {}), dataset=address)
    text = description("train", options, {}, {})
    assert "secret" not in text
    assert "abc" not in text
    assert "secret" not in run_name("train", options)


def test_a_run_is_named_and_described(opened: Opened) -> None:
    with open_run(VERB, opened.config) as run:
        assert opened.client.get_run(run.id).info.run_name == "sweep grid"
        run.log_metrics({"best/test_accuracy": 0.5})
        run.finish({"best/test_accuracy": 0.5})
    note = opened.client.get_run(run.id).data.tags["mlflow.note.content"]
    assert note.startswith("test_accuracy 0.5000 is the best\n")
    assert "newsclf sweep strategy=grid" in note


@pytest.mark.parametrize("way", ["MLFLOW_RUN_NAME", "mlflow run --run-name"])
def test_what_a_person_has_named_and_described_stays(opened: Opened, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    if way == "MLFLOW_RUN_NAME":
        monkeypatch.setenv("MLFLOW_RUN_NAME", "mine")
    else:
        made = opened.client.create_run("0", tags={"mlflow.note.content": "my words"}).info.run_id
        opened.client.set_tag(made, "mlflow.runName", "mine")
        monkeypatch.setenv("MLFLOW_RUN_ID", made)
    with open_run(VERB, opened.config) as run:
        run.finish({})
    there = opened.client.get_run(run.id)
    assert there.info.run_name == "mine"
    assert (there.data.tags["mlflow.note.content"] == "my words") == (way != "MLFLOW_RUN_NAME")


def test_a_run_that_goes_on_is_described_anew(opened: Opened) -> None:
    with open_run(VERB, opened.config) as run:
        run.finish({})
    with open_run(VERB, opened.config, resume=run.id) as again:
        again.tag({"newsclf.state": "alert"})
        again.finish({})
    assert opened.client.get_run(run.id).data.tags["mlflow.note.content"].startswith("**alert**")
