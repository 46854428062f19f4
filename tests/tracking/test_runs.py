"""Earlier runs: what their names mean, and all pages of a search."""

from collections.abc import Mapping

import pytest
from mlflow.entities import Metric, Param, Run, RunData, RunInfo
from mlflow.store.entities import PagedList

from newsclf.tracking.runs import compare_path, logged_options, metrics_of, pages, run_id_of

ID = "0123456789abcdef" * 2


def run(metrics: Mapping[str, float] | None = None, **params: str) -> Run:
    info = RunInfo(ID, "3", "me", "FINISHED", 0, 1, "active")
    points = [Metric(name, value, 0, 0) for name, value in (metrics or {}).items()]
    return Run(info, RunData(points, [Param(name, text) for name, text in params.items()]))


@pytest.mark.parametrize("name", [ID, f"runs:/{ID}"])
def test_the_names_of_a_run(name: str) -> None:
    assert run_id_of(name) == ID


@pytest.mark.parametrize("name", ["", "ag_news", ID[:-1], ID.upper(), f"{ID}0", f"runs:/{ID}/model", f"models:/{ID}"])
def test_what_is_no_name_of_a_run(name: str) -> None:
    assert run_id_of(name) is None


def test_an_empty_option_is_logged_as_two_quotes() -> None:
    assert logged_options(run(cache_dir="''", seed="3")) == {"cache_dir": "", "seed": "3"}


def test_the_accuracy_of_runs_that_were_made_before_it_had_its_name() -> None:
    assert metrics_of(run(metrics={"avg_test_acc": 0.5})) == {"avg_test_acc": 0.5, "test_accuracy": 0.5}
    assert metrics_of(run(metrics={"avg_test_acc": 0.5, "test_accuracy": 0.6}))["test_accuracy"] == 0.6
    assert metrics_of(run(metrics={"accuracy": 0.5})) == {"accuracy": 0.5}


def test_every_page_is_read() -> None:
    asked = []

    def search(token: str | None) -> PagedList[int]:
        asked.append(token)
        return PagedList([1, 2], "second") if token is None else PagedList([3], None)

    assert list(pages(search)) == [1, 2, 3]
    assert asked == [None, "second"]


def test_a_page_is_asked_for_when_it_is_needed() -> None:
    found = pages(lambda token: PagedList([1], "more") if token is None else pytest.fail("the first page was enough"))
    assert next(found) == 1


def test_the_page_that_compares_runs() -> None:
    query = f"runs=%5B%22{ID}%22%5D&experiments=%5B%223%22%5D"
    assert compare_path([run()]) == f"#/compare-runs?{query}"
