"""train and evaluate warn of what is a concern in their scores, and of nothing else."""

import csv
import json

import pytest

pytestmark = pytest.mark.integration


def warnings_of(run) -> list[str]:
    return [text for name, text in sorted(run.data.tags.items()) if name.startswith("newsclf.data_warning.")]


@pytest.fixture(scope="module")
def table(place):
    """A rare class, and texts that tell nothing of their labels."""
    path = place.folder / "rare.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"])
        for number in range(200):
            writer.writerow([f"item {number}", "rare" if number % 20 == 0 else ("a", "a", "b")[number % 3]])
    return path


def test_train_and_evaluate_warn(place, in_process, tiny_encoder, table, capsys):
    options = {"encoder": tiny_encoder, "epochs": 1, "trainable_layers": 0, "max_length": 16}
    options["output_dir"] = place.folder / "trained"
    assert in_process("train", dataset=table, **options) == 0
    trained = place.runs()[0]
    found = warnings_of(trained)
    assert [text.split(":")[0] for text in found] == [
        "the best epoch was the only one",
        "recall 0",
        found[2].split(":")[0],
        "fewer than 20 test rows",
    ]
    assert "is no better than to say a every time" in found[2]
    assert "rare (2)" in found[3]
    out = capsys.readouterr().out
    assert all(f"warning: {text}" in out for text in found)
    result = json.loads((place.folder / "trained" / "result.json").read_text())
    assert result["warnings"] == found
    assert in_process("evaluate", dataset=table, model=f"runs:/{trained.info.run_id}/model", split="all") == 0
    evaluated = warnings_of(place.runs()[0])
    assert evaluated[0].startswith("recall 0")
    assert "rare (10)" in evaluated[-1]


def test_the_sample_has_enough_of_everything(place, in_process, capsys):
    """The run that the README begins with warns of what is true alone: its last epoch is the best one."""
    assert in_process("train", trainable_layers=0, epochs=6, learning_rate=0.01) == 0
    said = [text for text in warnings_of(place.runs()[0]) if not text.startswith("the best epoch was the last")]
    assert said == []
