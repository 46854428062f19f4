"""monitor on simulated streams: a real database, real files, a real HTTP server; alone, stopped, and continued."""

import json
import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from mlflow.entities import Run

from newsclf.drift import load_reference
from newsclf.profiling.profile import TextProfile
from tests.doors import call

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("in_place")]

BATCHES, BEGIN = 8, 5  # of the stream that most tests watch: half of the texts are foreign from the fifth day on
MONITORS = [
    {"name": "drift", "verdict": "any", "severity": "critical"},
    {"name": "long texts", "number": "characters/mean", "above": 1000},
    {"name": "length", "number": "characters/mean", "band": {"first": 3, "sd": 50}, "severity": "info"},
]


@pytest.fixture(scope="module")
def made(place) -> Path:
    """A simulated stream; nobody changes it."""
    folder = place.folder / "made"
    options = {"kind": "covariate", "mode": "garbled", "batches": BATCHES, "amount": 0.5, "batch_rows": 60}
    assert call("simulate", output_dir=folder, **options) == 0
    return folder


@pytest.fixture(scope="module")
def reference(place, made) -> Path:
    """The folder of a fitted reference, as a monitor of a table keeps it."""
    stream = place.folder / "first"
    stream.mkdir()
    shutil.copy(made / "batch_0001.parquet", stream)
    assert call("monitor", stream=stream, reference=made / "reference" / "reference.parquet") == 0
    (folder,) = (place.folder / "outputs" / "monitor" / "first" / "reference").iterdir()
    return folder


@pytest.fixture
def stream(made, tmp_path) -> Callable[..., Path]:
    """stream(1, 2): a folder with these batches; called again, it adds to it."""

    def add(*numbers: int) -> Path:
        folder = tmp_path / "stream"
        folder.mkdir(exist_ok=True)
        for number in numbers or range(1, BATCHES + 1):
            shutil.copy(made / f"batch_{number:04}.parquet", folder)
        return folder

    return add


@pytest.fixture
def watch(place, reference, tmp_path) -> Callable[..., Run]:
    """Runs monitor in this process; the newest run. Fails unless the exit code is `code`."""
    config = tmp_path / "monitors.yaml"
    config.write_text(yaml.safe_dump({"monitors": MONITORS}))

    def run(code: int = 0, **options: object) -> Run:
        given = {"config": config, "reference": reference, "output_dir": tmp_path / "out", **options}
        assert call("monitor", **given) == code
        return place.runs()[0]

    return run


def series(place, run: Run, name: str) -> list[tuple[int, float]]:
    return [(point.step, point.value) for point in place.client().get_metric_history(run.info.run_id, name)]


def alerts(folder: Path) -> list[tuple[str, int, str]]:
    found = json.loads((folder / "alerts.json").read_text())["alerts"]
    return [(alert["monitor"], alert["batch"], alert["state"]) for alert in found]


def test_every_number_is_a_series_over_the_batches(place, stream, watch, tmp_path):
    run = watch(stream=stream())
    assert run.info.status == "FINISHED"
    assert series(place, run, "drifted") == [(n, float(n >= BEGIN)) for n in range(1, BATCHES + 1)]
    days = place.client().get_metric_history(run.info.run_id, "characters/mean")
    first = pd.Timestamp("2026-01-01", tz="UTC").value // 10**6
    assert [point.timestamp - first for point in days] == [86_400_000 * n for n in range(BATCHES)]
    for name in ("rows", "covariate/p_value", "covariate/effect", "empty_share", "confidence/mean", "accuracy"):
        assert len(series(place, run, name)) == BATCHES, name
    assert series(place, run, "alert/drift") == series(place, run, "drifted")
    assert run.data.metrics["batches_drifted"] == BATCHES - BEGIN + 1

    assert alerts(tmp_path / "out") == [("drift", BEGIN, "alert")]
    assert run.data.tags["newsclf.state"] == "critical"
    assert [run.data.tags[f"newsclf.alerts.{name}"] for name in ("info", "warning", "critical")] == ["0", "0", "1"]
    files = {file.path for file in place.client().list_artifacts(run.info.run_id)}
    assert files >= {"alerts.json", "changes.json", "verdicts.json", "batches.csv", "report.html", "result.json"}
    assert len(place.client().list_artifacts(run.info.run_id, "profiles")) == BATCHES
    table = pd.read_csv(tmp_path / "out" / "batches.csv")
    assert table["batch"].tolist() == list(range(1, BATCHES + 1))
    assert "<html" in (tmp_path / "out" / "report.html").read_text()[:500]


def test_a_second_call_judges_only_what_is_new(place, stream, watch, tmp_path, capfd):
    first = watch(stream=stream(1, 2, 4, 5))
    stream(6)
    stream(3)  # late
    capfd.readouterr()
    second = watch(stream=tmp_path / "stream")
    said = [line for line in capfd.readouterr().out.splitlines() if line.startswith("batch ")]
    assert [line.split("  ")[1].split(" ")[1] for line in said] == ["batch_0003.parquet", "batch_0006.parquet"]
    assert second.info.run_id == first.info.run_id, "the same run goes on"
    assert second.info.status == "FINISHED"
    assert series(place, second, "drifted") == [(1, 0), (2, 0), (5, 0), (3, 0), (4, 1), (6, 1)], "by date"
    table = pd.read_csv(tmp_path / "out" / "batches.csv")
    assert table["batch"].tolist() == [1, 2, 5, 3, 4, 6], "in the order of the dates"
    assert second.data.metrics["batches_judged"] == 2
    assert second.data.metrics["batches_known_before"] == 4

    third = watch(stream=tmp_path / "stream")
    assert third.data.metrics["batches_judged"] == 0
    assert third.info.run_id == first.info.run_id


def test_another_option_makes_another_run_that_has_everything(place, stream, watch, tmp_path):
    first = watch(stream=stream(4, 5))
    second = watch(stream=tmp_path / "stream", code=3, fail_on="critical")
    assert second.info.run_id != first.info.run_id
    assert second.data.metrics["batches_judged"] == 0, "what is judged does not depend on it"
    for name in ("drifted", "characters/mean", "alert/drift"):
        assert series(place, second, name) == series(place, first, name)
    third = watch(stream=tmp_path / "stream", alpha=0.01)
    assert third.data.metrics["batches_judged"] == 2, "but it does on alpha"


def test_a_deleted_run_is_replaced_by_one_that_has_everything(place, stream, watch, tmp_path):
    first = watch(stream=stream(4, 5))
    place.client().delete_run(first.info.run_id)
    second = watch(stream=tmp_path / "stream")
    assert second.info.run_id != first.info.run_id
    assert [step for step, _ in series(place, second, "drifted")] == [1, 2]
    assert len(place.client().list_artifacts(second.info.run_id, "profiles")) == 2


def test_stopped_and_continued_is_as_if_never_stopped(place, stream, watch, reference, tmp_path):
    whole = watch(stream=stream(), output_dir=tmp_path / "whole")
    options = {
        "config": tmp_path / "monitors.yaml",
        "stream": tmp_path / "stream",
        "reference": reference,
        "output_dir": tmp_path / "out",
    }
    process = place.start(*place.entry_point("monitor", options), cwd=place.project)
    place.await_line(process, "batch 3 ")
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 130
    assert error.splitlines()[-1] == "monitor: stopped; the run is marked KILLED"
    stopped = place.runs()[0]
    assert stopped.info.status == "KILLED"
    judged = len(list((tmp_path / "out" / "state").glob("*/*.json")))
    assert 2 <= judged < BATCHES

    run = watch(stream=tmp_path / "stream")
    assert (run.info.run_id, run.info.status) == (stopped.info.run_id, "FINISHED")
    assert "newsclf.failure" not in run.data.tags
    assert run.data.metrics["batches_judged"] == BATCHES - judged
    for name in ("drifted", "characters/mean", "covariate/p_value", "alert/drift"):
        assert series(place, run, name) == series(place, whole, name)
    assert alerts(tmp_path / "out") == alerts(tmp_path / "whole")


@pytest.mark.parametrize(("fail_on", "code"), [("never", 0), ("warning", 3), ("critical", 3)])
def test_the_exit_code_tells_of_alerts(fail_on, code, stream, watch, capfd):
    run = watch(stream=stream(1, 6), fail_on=fail_on, code=code)
    assert run.info.status == "FINISHED"
    if code:
        assert capfd.readouterr().err.startswith(f"monitor: in alert: drift (fail_on={fail_on}); see ")


def test_no_alert_no_exit_code(stream, watch):
    assert watch(stream=stream(1, 2), fail_on="warning").data.tags["newsclf.state"] == "ok"


def test_mlflow_run_leaves_the_run_finished(place, stream, reference, tmp_path):
    options = {
        "config": tmp_path / "m.yaml",
        "stream": stream(1, 6),
        "reference": reference,
        "output_dir": tmp_path / "out",
        "fail_on": "critical",
    }
    (tmp_path / "m.yaml").write_text(yaml.safe_dump({"monitors": MONITORS}))
    done = place.mlflow_run("monitor", options)
    assert done.returncode != 0
    assert "monitor: in alert: drift" in done.stderr
    run_id = json.loads((tmp_path / "out" / "result.json").read_text())["run_id"]
    for _ in range(100):  # `mlflow run` marks it FAILED in between: see newsclf/tracking/status_guard.py
        if place.client().get_run(run_id).info.status == "FINISHED":
            break
        threading.Event().wait(0.2)
    assert place.client().get_run(run_id).info.status == "FINISHED"


@pytest.fixture
def endpoint() -> Iterator[tuple[str, list[dict[str, Any]], list[int]]]:
    """(apprise's URL of a server, what it was sent, the statuses that it answers with: the last one for all more)."""
    messages: list[dict[str, Any]] = []
    statuses = [200]

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            messages.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(statuses[-1])
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield f"json://127.0.0.1:{http.server_port}/?+token=geheim", messages, statuses
    http.shutdown()
    http.server_close()
    thread.join()


def test_people_are_told_once_and_the_url_stays_secret(place, stream, watch, endpoint, tmp_path, monkeypatch):
    url, messages, _ = endpoint
    monkeypatch.setenv("NEWSCLF_NOTIFY", url)
    run = watch(stream=stream(1, 5, 6))
    assert [message["title"] for message in messages] == ["newsclf critical: drift"]
    assert run.info.run_id in messages[0]["message"]
    watch(stream=stream(7))
    assert len(messages) == 1
    shutil.copy(tmp_path / "stream" / "batch_0001.parquet", tmp_path / "normal.parquet")
    watch(stream=stream(2))  # late, and normal again
    assert [message["title"] for message in messages] == ["newsclf critical: drift", "newsclf resolved: drift"]
    run = place.client().get_run(run.info.run_id)
    assert run.data.tags["newsclf.notifications"] == "1 sent"
    assert "geheim" not in json.dumps(run.to_dictionary())
    assert not [path for path in (tmp_path / "out").rglob("*.json") if "geheim" in path.read_text()]


def test_an_endpoint_that_is_down_is_told_of_and_tried_again(stream, watch, endpoint, monkeypatch, capfd):
    url, messages, statuses = endpoint
    monkeypatch.setenv("MY_URLS", url)
    statuses[:] = [500]
    run = watch(stream=stream(1, 5), notify="MY_URLS")
    assert run.info.status == "FINISHED"
    assert run.data.tags["newsclf.notifications"] == "0 sent; not sent: drift"
    assert "warning: no message about drift could be sent to $MY_URLS" in capfd.readouterr().out
    statuses[:] = [200]
    messages.clear()
    run = watch(stream=stream(1), notify="MY_URLS")
    assert [message["title"] for message in messages] == ["newsclf critical: drift"]
    assert run.data.tags["newsclf.notifications"] == "1 sent"


def test_small_batches_are_not_called_normal(place, made, watch, tmp_path):
    (tmp_path / "small").mkdir()
    rows = pd.read_parquet(made / "batch_0008.parquet")
    rows.head(20).to_parquet(tmp_path / "small" / "a.parquet")
    rows.head(1).to_parquet(tmp_path / "small" / "b.parquet")
    run = watch(stream=tmp_path / "small")
    assert series(place, run, "enough_data") == [(1, 0), (2, 0)]
    assert series(place, run, "drifted") == []
    verdicts = json.loads((tmp_path / "out" / "verdicts.json").read_text())
    assert verdicts["a.parquet"]["drifted"] is None
    assert "ot enough data" in verdicts["a.parquet"]["sentence"]
    assert alerts(tmp_path / "out") == []


@pytest.mark.parametrize("case", ["no labels", "one class", "all empty", "unknown labels", "some labels missing"])
def test_odd_batches_are_judged(case, place, made, watch, tmp_path):
    (tmp_path / "odd").mkdir()
    rows = pd.read_parquet(made / "batch_0001.parquet")
    if case == "no labels":
        rows = rows.drop(columns="label")
    elif case == "one class":
        rows = rows.assign(label=rows["label"].iloc[0])
    elif case == "all empty":
        rows = rows.assign(text="")
    elif case == "unknown labels":
        rows = rows.assign(label="weather")
    else:
        rows.loc[rows.index[:10], "label"] = None
    rows.to_parquet(tmp_path / "odd" / "a.parquet")
    run = watch(stream=tmp_path / "odd")
    assert run.info.status == "FINISHED"
    if case in ("one class", "all empty", "unknown labels"):
        assert series(place, run, "drifted") == [(1, 1)]
    if case == "all empty":
        assert series(place, run, "quality/drifted") == [(1, 1)]


def day(folder: Path, number: int, rows: pd.DataFrame) -> None:
    folder.mkdir(exist_ok=True)
    rows.to_csv(folder / f"2026-01-0{number}.csv", index=False)


def test_a_stuck_feed_is_seen(place, made, watch, tmp_path, capfd):
    rows = pd.read_parquet(made / "batch_0001.parquet").drop(columns="date")
    for number in (1, 2, 3):
        day(tmp_path / "stuck", number, rows)
    run = watch(stream=tmp_path / "stuck")
    assert [run.data.metrics[f"batches_{name}"] for name in ("judged", "known_before")] == [3, 0]
    assert series(place, run, "repeats_a_batch") == [(1, 0), (2, 1), (3, 1)]
    assert series(place, run, "quality/drifted") == [(1, 0), (2, 1), (3, 1)]
    said = capfd.readouterr().out
    assert "warning: 2026-01-03.csv repeats 2026-01-02.csv: it has the same texts and labels" in said
    day(tmp_path / "stuck", 4, rows)
    (tmp_path / "stuck" / "2026-01-01.csv").rename(tmp_path / "stuck" / "2026-01-05.csv")
    run = watch(stream=tmp_path / "stuck")
    assert [run.data.metrics[f"batches_{name}"] for name in ("judged", "known_before")] == [2, 2]
    assert series(place, run, "quality/drifted")[3:] == [(4, 1), (5, 1)]
    assert watch(stream=tmp_path / "stuck").data.metrics["batches_known_before"] == 4


def test_bad_files_are_judged_as_what_they_are(place, made, watch, tmp_path, capfd):
    folder = tmp_path / "bad"
    rows = pd.read_parquet(made / "batch_0001.parquet").drop(columns="date")
    day(folder, 1, rows.assign(label="weather"))
    day(folder, 2, rows.head(0))
    (folder / "2026-01-03.parquet").write_bytes((made / "batch_0002.parquet").read_bytes()[:-99])
    (folder / "date=2026-01-04").mkdir()
    shutil.copy(made / "batch_0004.parquet", folder / "date=2026-01-04" / "part-0.parquet")
    (folder / "notes.txt").touch()
    config = tmp_path / "rows.yaml"
    config.write_text(yaml.safe_dump({"monitors": [{"name": "too few", "number": "rows", "below": 10}]}))
    run = watch(stream=folder, config=config, fail_on="warning", code=3)
    assert run.info.status == "FINISHED"
    assert series(place, run, "rows") == [(1, 60), (2, 0), (3, 0), (4, 60)]
    assert series(place, run, "enough_data") == [(1, 1), (2, 0), (3, 0), (4, 1)]
    assert ("too few", 2, "alert") in alerts(tmp_path / "out")
    said = [line.removeprefix("warning: ") for line in capfd.readouterr().out.splitlines() if "warning: " in line]
    assert said[0] == "left out: notes.txt (unknown ending)"
    assert '2026-01-01.csv has labels that the reference does not know: "weather" (60 rows)' in said
    assert any(line.endswith("2026-01-02.csv has a header but no rows") for line in said)
    assert any("2026-01-03.parquet is not a readable Parquet file" in line for line in said)
    assert watch(stream=folder, config=config).data.metrics["batches_known_before"] == 4
    shutil.copy(made / "batch_0003.parquet", folder / "2026-01-03.parquet")
    assert watch(stream=folder, config=config).data.metrics["batches_judged"] == 1, "mended, it is judged"


def test_days_of_one_table(place, made, watch, tmp_path):
    rows = pd.concat(pd.read_parquet(made / f"batch_{n:04}.parquet") for n in (2, 1, 6))
    rows.sample(frac=1, random_state=0).to_csv(tmp_path / "news.csv", index=False)
    run = watch(stream=tmp_path / "news.csv")
    assert series(place, run, "drifted") == [(1, 0), (2, 0), (3, 1)]
    assert series(place, run, "rows") == [(1, 60), (2, 60), (3, 60)]
    # A day that gets more rows is judged again, in place of what it was.
    pd.concat([rows, rows.head(5).assign(text="one more")]).to_csv(tmp_path / "news.csv", index=False)
    run = watch(stream=tmp_path / "news.csv")
    assert run.data.metrics["batches_judged"] == 1
    assert run.data.metrics["batches"] == 3


def test_a_reference_that_a_run_has_logged(place, stream, watch, tmp_path):
    run_id = watch(stream=stream(2)).info.run_id
    for number, name in enumerate((run_id, f"runs:/{run_id}")):
        run = watch(stream=stream(1, 6), reference=name, output_dir=tmp_path / str(number))
        assert series(place, run, "drifted") == [(1, 0), (2, 0), (3, 1)]


BAD = {
    "a misspelt number": ({"monitors": "[{number: charcters/mean, above: 3}]"}, "did you mean characters/mean?"),
    "a wrong unit": ({"monitors": "[{number: words/mean, above: 3 %}]"}, 'words/mean has no unit "%"; it is in words'),
    "a class that is none": ({"monitors": "[{number: label/Sport, above: 0.5}]"}, "did you mean label/Sports?"),
    "a date that is none": ({"windows": "[{from: soon, to: 2026-01-01}]"}, 'window 1: from: "soon" is no date'),
    "a URL as an option": ({"notify": "slack://geheim"}, "must be the name of an environment variable"),
    "a variable that is not set": ({"notify": "NO_SUCH"}, "option notify is NO_SUCH: this environment variable is not"),
    "a stream that is not there": ({"stream": "nothing"}, "stream nothing is no folder that is there, and no table"),
    "a reference that is not there": ({"reference": "0" * 32}, "cannot be loaded"),
    "a folder that is no reference": ({"reference": "."}, "is a folder without reference.json, and no dataset: "),
    "a reference that is nothing": ({"reference": "smaple"}, 'did you mean "sample"?'),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input(case, stream, watch, capfd, place, tmp_path):
    options, says = BAD[case]
    before = len(place.runs())
    capfd.readouterr()
    watch(code=2, **{"stream": stream(1), **options})
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith("monitor: ")
    assert says in line
    assert "geheim" not in line
    assert [run.info.status for run in place.runs()[: len(place.runs()) - before]] in ([], ["FAILED"])
    assert not list((tmp_path / "out").glob("state/*/*.json"))


@pytest.mark.parametrize(
    ("write", "says"),
    [
        (lambda folder: None, "is empty: it has no .csv, .parquet, .jsonl"),
        (lambda folder: (folder / "a.csv").write_text("text;label\nx;a\n"), 'give separator=";"'),
        (lambda folder: (folder / "a.csv").write_text("text,date\nx,31.1.2026\n"), '"31.1.2026" is no date'),
        (lambda folder: (folder / "a.csv").write_text("body\nx\n"), 'has no column "text"'),
        (lambda folder: (folder / "a.parquet").write_text("body"), "is not a readable Parquet file"),
    ],
)
def test_bad_streams(write, says, watch, capfd, tmp_path):
    (tmp_path / "bad").mkdir()
    write(tmp_path / "bad")
    capfd.readouterr()
    assert watch(code=2, stream=tmp_path / "bad").info.status == "FAILED"
    (line,) = capfd.readouterr().err.splitlines()
    assert says in line


def test_a_folder_belongs_to_one_stream(stream, watch, made, tmp_path, capfd):
    watch(stream=stream(1))
    capfd.readouterr()
    watch(code=2, stream=made)
    assert "is that of the stream" in capfd.readouterr().err


def test_no_run_stays_running(place):
    assert set(place.statuses()) <= {"FINISHED", "FAILED", "KILLED", "RUNNING"}
    ours = [run for run in place.runs() if run.data.tags.get("newsclf.verb")]
    assert "RUNNING" not in {run.info.status for run in ours}


@pytest.mark.parametrize("by", ["hour", "day"])
def test_profiles_of_a_served_model_are_judged_without_texts(by, place, made, reference, watch, tmp_path):
    opened = load_reference(reference)
    folder = tmp_path / "profiles"
    for number in range(1, BATCHES + 1):
        texts = pd.read_parquet(made / f"batch_{number:04}.parquet")["text"].tolist()
        for process, part in enumerate((texts[:20], texts[20:])):
            profile = TextProfile(opened.id, opened.encoder_sha256, datetime(2026, 1, number, 9, tzinfo=UTC))
            opened.read(part).log_to(profile)
            profile.write(folder / f"requests_{number}_{process}.bin")
    run = watch(stream=folder, batch=by)
    drifted = series(place, run, "drifted")
    assert [step for step, _ in drifted] == list(range(1, BATCHES + 1))
    assert [value for step, value in drifted if step >= BEGIN] == [1.0] * (BATCHES - BEGIN + 1)
    assert sum(value for step, value in drifted if step < BEGIN) <= 1
    assert ("drift", BEGIN, "alert") in alerts(tmp_path / "out")
    assert (tmp_path / "out" / "report.html").is_file()
    assert watch(stream=folder, batch=by).data.metrics["batches_known_before"] == BATCHES
