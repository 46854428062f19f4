"""The links that a person follows; that they are pages of MLflow's UI is tested with a browser in integration."""

from newsclf.tracking.pages import local_page, run_page, run_table


def test_the_pages_of_runs() -> None:
    assert run_table("3") == "#/experiments/3/runs"
    assert local_page(run_page("3", "abc")) == "make ui, then http://127.0.0.1:5000/#/experiments/3/runs/abc"
