"""What a sweep tries is checked against train's options before anything runs."""

from pathlib import Path
from typing import Any

import pytest

from newsclf.config import SweepConfig
from newsclf.config.options import build, resolve
from newsclf.errors import InputError
from newsclf.tuning.space import Range, identity, lowest_is_best, read_space

ROOT = Path(__file__).resolve().parents[2]


def config(**options: Any) -> SweepConfig:
    return build(SweepConfig, options)


def test_a_list_has_a_row_a_run_and_fills_in_what_a_run_leaves_out() -> None:
    space = read_space(config(strategy="list", train={"epochs": 5}, runs=[{"epochs": "9", "seed": 1}, {"seed": 2}]))
    assert space.names == ("epochs", "seed")
    assert space.rows == [{"epochs": "9", "seed": "1"}, {"epochs": "5", "seed": "2"}]


def test_a_grid_is_every_combination_in_order() -> None:
    space = read_space(config(strategy="grid", space={"epochs": [1, 2], "trainable_layers": [0, "all"]}))
    assert space.rows is not None
    assert [tuple(row.values()) for row in space.rows] == [("1", "0"), ("1", "all"), ("2", "0"), ("2", "all")]


def test_a_range_is_of_the_option_s_own_kind() -> None:
    typed = "{learning_rate: {low: 1e-4, high: 1e-2, log: true}, epochs: {low: 2, high: 8, step: 2}, dropout: [0, 0.1]}"
    space = read_space(config(strategy="random", space=typed))
    assert space.ranges == {
        "learning_rate": Range(1e-4, 1e-2, log=True, whole=False, step=None),
        "epochs": Range(2, 8, log=False, whole=True, step=2),
    }
    assert space.values == {"dropout": ["0.0", "0.1"]}
    assert space.rows is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"strategy": "list", "runs": [{"epohcs": 3}]}, "runs, number 1: unknown option epohcs: did you mean epochs?"),
        ({"strategy": "list", "runs": [{}, {"epochs": 0}]}, "runs, number 2: option epochs is 0: it must be a whole"),
        ({"strategy": "list", "runs": [{"seed": 1}, {"seed": "1"}]}, "numbers 1 and 2 are the same"),
        ({"strategy": "list", "runs": [{"output_dir": "x"}]}, "option output_dir is the sweep's own"),
        ({"strategy": "list"}, "option runs is empty"),
        ({"strategy": "grid"}, "option space is empty"),
        ({"strategy": "grid", "space": {"epochs": {"low": 1, "high": 3}}}, "a grid has no ranges"),
        ({"strategy": "grid", "space": {"epochs": 3}}, "space, epochs: give a list of values"),
        ({"strategy": "grid", "space": {"epochs": [3, "3"]}}, "space, epochs: a value is there twice"),
        ({"strategy": "grid", "space": {"seed": list(range(200)), "epochs": list(range(1, 100))}}, "a grid at most"),
        ({"strategy": "random", "space": {"droput": [0.1]}}, "unknown option droput: did you mean dropout?"),
        ({"strategy": "random", "space": {"dropout": {"low": 0, "high": 2}}}, "option dropout is 2: it must be"),
        ({"strategy": "random", "space": {"dropout": {"low": 0.5, "high": 0.1}}}, "low must be less"),
        ({"strategy": "random", "space": {"dropout": {"low": 0, "high": 0.5, "log": True}}}, "low is above 0"),
        ({"strategy": "random", "space": {"dropout": {"low": 0, "hgih": 0.5}}}, "unknown word hgih"),
        ({"strategy": "random", "space": {"dropout": {"low": 0}}}, "a range needs low and high"),
        ({"strategy": "random", "space": {"learning_rate": {"low": "auto", "high": 1}}}, "are numbers"),
        ({"strategy": "random", "space": {"encoder": {"low": 0, "high": 1}}}, "only a number has a range"),
        ({"strategy": "random", "space": {"seed": [1]}, "train": {"seeed": 1}}, "train: unknown option seeed"),
        ({"strategy": "random", "space": {"seed": [1]}, "runs": [{"seed": 1}]}, "option runs is given"),
    ],
)
def test_what_train_does_not_take_is_bad_input(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as error:
        read_space(config(**options))
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(("aim", "lowest"), [("val_acc", False), ("val_loss", True), ("seconds/training", True)])
def test_which_way_is_best_follows_from_the_metric(aim: str, lowest: bool) -> None:
    assert lowest_is_best(config(strategy="list", aim=aim)) is lowest
    assert lowest_is_best(config(strategy="list", aim=aim, direction="max")) is False


def test_two_sweeps_are_the_same_if_they_try_the_same() -> None:
    one = config(strategy="random", space={"epochs": [1, 2]}, trials=3)
    more = config(strategy="random", space={"epochs": ["1", 2]}, trials=30, parallel=2, retries=3)
    other = config(strategy="random", space={"epochs": [1, 3]}, trials=3)
    assert identity(one, read_space(one)) == identity(more, read_space(more))
    assert identity(one, read_space(one)) != identity(other, read_space(other))


@pytest.mark.parametrize("path", sorted((ROOT / "configs" / "sweeps").glob("*.yaml")), ids=lambda path: path.stem)
def test_a_sweep_in_configs_is_valid_and_says_how_to_run_it(path: Path) -> None:
    assert f"# newsclf sweep config={path.relative_to(ROOT)}\n" in path.read_text()
    read_space(resolve(SweepConfig, ["--config", str(path)]))


def test_the_study_is_ten_runs_of_a_frozen_encoder() -> None:
    study = resolve(SweepConfig, ["--config", str(ROOT / "configs/sweeps/study.yaml")])
    rows = read_space(study).rows
    assert rows is not None
    assert len(rows) == 10
    assert {(row["dataset"], row["num_samples"]) for row in rows} == {("ag_news", "20000"), ("20newsgroups", "2000")}
    assert read_space(study).fixed["trainable_layers"] == "0"
    assert [row["avg_test_acc"] for row in study.published][::9] == [0.758, 0.367]


def test_what_is_published_is_of_each_run() -> None:
    runs = ({"epochs": 1}, {"epochs": 2})
    read_space(SweepConfig(strategy="list", runs=runs, published=({"accuracy": 0.5}, {})))
    published: tuple[dict[str, Any], ...]
    for published in (({"accuracy": 0.5},), ({},) * 3):
        with pytest.raises(InputError, match=f"published has {len(published)} entries for 2 runs"):
            read_space(SweepConfig(strategy="list", runs=runs, published=published))
    with pytest.raises(InputError, match="published has 1 entries for 0 runs"):
        read_space(SweepConfig(strategy="grid", space={"epochs": [1]}, published=({},)))
