"""Every option says what it is for, and who asks for options by what they are for gets the ones that are meant."""

import dataclasses
from typing import Any

import pytest
from mlflow.entities import Param, Run, RunData, RunInfo

from newsclf.config import EvaluateConfig, MonitorConfig, RetrainConfig, TrainConfig
from newsclf.config.fields import ROLES, Role, described, fields_of, names_of, option
from newsclf.config.shared import ComputeOptions, RunOptions
from newsclf.errors import InputError
from newsclf.retraining import challenge, context
from newsclf.tracking import origin, resume
from newsclf.tuning import space
from newsclf.verbs import VERBS, compare, monitor, reproduce


@pytest.mark.parametrize("verb", VERBS)
def test_every_option_of_every_verb_has_a_role(verb: str) -> None:
    fields = dataclasses.fields(VERBS[verb])
    assert fields
    assert {field.name: field.metadata.get("role") for field in fields if field.metadata.get("role") not in ROLES} == {}


def test_an_option_without_a_role_cannot_be_made() -> None:
    with pytest.raises(TypeError, match="role"):
        option(1, "a number")  # type: ignore[call-arg]


@pytest.mark.parametrize("name", sorted({name for config in VERBS.values() for name in names_of(config)}))
def test_an_option_of_several_verbs_is_for_the_same_in_all(name: str) -> None:
    roles = {field.metadata["role"] for config in VERBS.values() for field in fields_of(config) if field.name == name}
    if name in ("name", "runs", "batch_rows", "baseline"):  # words that two verbs mean differently
        assert len(roles) == 2
    else:
        assert len(roles) == 1


def test_options_are_listed_in_the_order_of_their_roles() -> None:
    order = [list(ROLES).index(field.metadata["role"]) for field in fields_of(TrainConfig)]
    assert order == sorted(order)
    assert {len(names_of(TrainConfig, role)) > 0 for role in ROLES if role not in ("batching", "alerting")} == {True}
    assert set(names_of(TrainConfig)) == {field.name for field in dataclasses.fields(TrainConfig)}


def test_another_line_of_help_changes_nothing_else() -> None:
    made = described(ComputeOptions, "device", "where the model computes")
    before = next(field for field in dataclasses.fields(ComputeOptions) if field.name == "device")
    assert made.metadata["help"] == "where the model computes"
    assert {**made.metadata, "help": ""} == {**before.metadata, "help": ""}
    assert made.default == before.default


# From here on: what is shared, and what is not, between runs that belong together.


def logged(options: dict[str, str]) -> Run:
    """A run of train with these parameters."""
    info = RunInfo("0" * 32, "0", "user", "FAILED", 0, 1, "active")
    return Run(info, RunData(params=[Param(name, text) for name, text in options.items()]))


def test_a_run_that_is_resumed_on_another_machine() -> None:
    """It may compute elsewhere and keep its files elsewhere; what makes the model is the run's."""
    before = {"device": "cuda", "num_workers": "8", "data_dir": "/data", "cache_dir": "/cache", "epochs": "7"}
    here = TrainConfig(resume="x", device="cpu", cache_dir="/tmp/cache", send_timeout=5.0)
    config = resume._own_options(
        here, logged(before | {"tracking": "offline", "register": "news", "seed": "3"}), "resume"
    )
    assert (config.device, config.cache_dir) == ("cpu", "/tmp/cache"), "given anew"
    assert (config.num_workers, config.data_dir) == (8, "/data"), "not given: the run's"
    assert (config.tracking, config.send_timeout, config.resume) == ("auto", 5.0, "x"), "this call's"
    assert (config.epochs, config.register, config.seed) == (7, "news", 3), "the run's"


@pytest.mark.parametrize(
    "changed",
    [{"epochs": 9}, {"seed": 1}, {"dataset": "ag_news"}, {"encoder": "x"}, {"register": "x"}, {"output_dir": "x"}],
)
def test_a_run_that_is_resumed_stays_the_run_it_was(changed: dict[str, Any]) -> None:
    (name,) = changed
    with pytest.raises(InputError, match=f"option {name} is"):
        resume._own_options(
            TrainConfig(**changed), logged({name: "4" if name in ("epochs", "seed") else "''"}), "resume"
        )


def test_a_trial_of_a_sweep() -> None:
    """The sweep says where a trial's run and files go; no trial is registered or resumed by itself."""
    assert set(space.KEPT_FROM_TRAIN) == {
        *("output_dir", "register", "tracking", "send_timeout", "log_diff", "resume"),
        *("id_column", "keep_columns"),
    }


def test_a_reproduction() -> None:
    """The numbers depend on the device, and a cache is where it was; the run and its files are others."""
    left_out, paths = reproduce.LEFT_OUT, origin.MAY_BE_PATHS
    assert set(names_of(TrainConfig, *left_out)) == {
        "output_dir",
        "register",
        "tracking",
        "send_timeout",
        "log_diff",
        "resume",
        "id_column",
        "keep_columns",
    }
    found = {name for verb in reproduce.REPRODUCIBLE for name in names_of(VERBS[verb], *paths)}
    assert found == {
        *("dataset", "test_dataset", "foreign_dataset", "encoder", "model", "baseline", "reference", "stream"),
        "ensemble",
        *("data_dir", "cache_dir", "device", "num_workers", "cache_limit_gb"),
    }


def test_a_comparison() -> None:
    """Runs that differ in nothing but these are one configuration."""
    assert set(compare.SET_APART) == {
        *("config", "seed", "device", "num_workers", "data_dir", "cache_dir", "cache_limit_gb"),
        *("output_dir", "register", "tracking", "send_timeout", "log_diff", "resume"),
        *("id_column", "keep_columns"),
    }
    assert not {"precision", "prefix_cache", "epochs", "dataset", "encoder"} & set(compare.SET_APART)
    assert set(names_of(EvaluateConfig, "seed", "machine", "output", "run")) < set(compare.SET_APART)


def test_a_challenger_has_its_champions_options_but_for_its_machine() -> None:
    assert set(challenge.NOT_INHERITED) == {
        *("device", "num_workers", "data_dir", "cache_dir", "cache_limit_gb"),
        *("output_dir", "register", "tracking", "send_timeout", "log_diff", "resume"),
        *("id_column", "keep_columns"),
        *("folds", "fold"),  # a challenger learns from all of its rows
    }


def test_the_monitor_of_a_retraining_cuts_and_judges_the_stream_as_it_says() -> None:
    assert set(context.FOR_MONITOR) == {
        *("batch", "batch_rows", "date_column", "text_column", "label_column", "separator"),
        *("min_rows", "alpha", "device", "precision"),
    }
    assert set(context.FOR_MONITOR) <= set(names_of(RetrainConfig)) & set(names_of(MonitorConfig))


def test_what_a_judgement_of_a_batch_depends_on() -> None:
    """The state on disk is found by these: another option here means that every batch is judged again."""
    assert set(monitor.SETTINGS) == {"text_column", "label_column", "embedding", "min_rows", "alpha", "seed"}
    fp32, bf16 = (MonitorConfig(stream="days", reference="normal", precision=name) for name in ("fp32", "bf16"))
    assert set(monitor.settings_of(fp32)) == set(monitor.SETTINGS), "what was judged before there was a choice"
    assert monitor.settings_of(bf16) == {**monitor.settings_of(fp32), "precision": "bf16"}


def test_roles_are_asked_for_by_their_words() -> None:
    roles: tuple[Role, ...] = ("run", "output")
    assert names_of(RunOptions, *roles) == ("output_dir", "tracking", "send_timeout", "log_diff")
