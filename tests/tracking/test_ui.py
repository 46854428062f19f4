"""`make ui`: the table of runs comes first; with a browser, on a real database."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlflow import MlflowClient

from newsclf.tracking.database import sqlite_uri
from newsclf.tracking.pages import run_page
from newsclf.tracking.ui import main, newest_experiment, opened_on
from tests.integration.browser import CHROMIUM, Browser
from tests.integration.conftest import closed_port


def test_the_first_page_goes_on_to_the_table_and_the_others_stay() -> None:
    page = opened_on("<html><HEAD lang='en'><title>MLflow</title></HEAD></html>", "#/experiments/3/runs")
    assert page.startswith("<html><HEAD lang='en'><script>")
    assert "if (['', '#', '#/'].includes(location.hash)) location.replace('#/experiments/3/runs')" in page
    assert page.endswith("</script><title>MLflow</title></HEAD></html>")


def test_the_experiment_is_that_of_the_newest_run(server: MlflowClient) -> None:
    assert newest_experiment(server) == "0"
    experiment = server.create_experiment("mine")
    server.create_run("0", start_time=1)
    assert newest_experiment(server) == "0"
    server.create_run(experiment, start_time=2)
    assert newest_experiment(server) == experiment


def test_a_server_has_its_own(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"https://ann:{'secret'}@host/mlflow")
    assert main([]) == 0
    assert capsys.readouterr().out == "the server has its own UI: https://host/mlflow/#/experiments/0/runs\n"


@pytest.mark.parametrize(
    ("uri", "port", "message"),
    [
        ("", "http", "PORT is 'http': it is a number"),
        ("", "70000", "PORT is '70000': it is a number"),
        ("localhost:5000", "5000", "has no scheme"),
        ("sqlite:////dev/null/runs.db", "{free}", "is below /dev/null, which is a file"),
        ("", "{taken}", "cannot be used (Address already in use): make ui PORT="),
    ],
)
def test_what_cannot_be_is_told_in_one_line(
    server: MlflowClient,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    uri: str,
    port: str,
    message: str,
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri or str(server.tracking_uri))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = port.format(free=closed_port(), taken=taken.getsockname()[1])
        assert main([port]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert len(error.splitlines()) == 1


@pytest.fixture(scope="module")
def shown(empty: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """The address of the UI of a database with one run, and the run's id."""
    folder = tmp_path_factory.mktemp("what?#1")
    shutil.copyfile(empty, folder / "runs.db")
    uri = sqlite_uri(folder / "runs.db")
    client = MlflowClient(uri)
    run_id = client.create_run("0", run_name="ag_news minilm head 20 epochs").info.run_id
    client.set_tag(run_id, "mlflow.note.content", "accuracy **0.9876**")
    port = closed_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "newsclf.tracking.ui", str(port)],
        env=os.environ | {"MLFLOW_TRACKING_URI": uri},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == f"the runs: http://127.0.0.1:{port}/#/experiments/0/runs   (Ctrl-C ends it)\n"
    yield f"http://127.0.0.1:{port}/", run_id
    process.terminate()
    assert process.wait(60) in (0, -15, 143)


@pytest.mark.integration
def test_a_browser_sees_the_runs_first_and_a_runs_own_page_by_its_link(shown: tuple[str, str], tmp_path: Path) -> None:
    address, run_id = shown
    for _ in range(50):
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:
                assert answer.status == 200
            break
        except OSError:
            time.sleep(0.2)
    if CHROMIUM is None:
        pytest.skip("no Chromium here")
    browser = Browser(tmp_path / "profile")
    try:
        browser.open(address)
        browser.until("document.body.innerText.includes('ag_news minilm head 20 epochs')")
        page = browser.js("document.body.innerText")
        assert "1 matching run" in page
        assert "Observability" not in page, "that is of language models"
        browser.open(address + run_page("0", run_id))
        browser.until("document.body.innerText.includes('0.9876')")
    finally:
        browser.close()
