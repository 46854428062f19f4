"""Where artifacts lie is for the server to say: nobody gets past his permissions through a location or a path.

The kinds of it: a location in a call that makes something (experiment, version of a model), in every spelling; one that
is stored already, from before there was a guard; a path below a location, in every way to write one.
"""

import http.client
import json
from base64 import b64encode
from urllib.parse import quote, urlsplit
from uuid import uuid4

import pytest

from tests.stack.roles import API, ARTIFACTS

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("native_only")]
HER = "no_permissions"  # she may make things of her own, and has no permission on others'


@pytest.fixture(scope="module")
def victim(strict) -> dict[str, str]:
    return strict.things()


@pytest.fixture(scope="module")
def hers(strict) -> dict[str, str]:
    return strict.things(by=HER)


FOREIGN = [
    "file:///etc", "file:/etc", "FILE:///etc", " file:///etc", "/etc", "etc", "./etc", "../etc", "\\etc", "C:\\etc",
    "s3://mlflow", "s3://mlflow/{experiment}", "S3://mlflow/{experiment}/{run}/artifacts", "s3://another/bucket",
    "mlflow-artifacts:/{experiment}", "mlflow-artifacts:///{experiment}/{run}", "mlflow-artifacts:/",
    "mlflow-artifacts:",
    "mlflow-artifacts://localhost/{experiment}", "MLFLOW-ARTIFACTS:/{experiment}/{run}/artifacts",
    "mlflow-artifacts:/99999/../{experiment}", "mlflow-artifacts:/%2e%2e/{experiment}", "mlflow-artifacts:/a%2Fb",
    "http://127.0.0.1:1/", "https://localhost/api/2.0/mlflow-artifacts/artifacts/{experiment}", "ftp://127.0.0.1:1/x",
    "sftp://127.0.0.1:1/x", "hdfs://127.0.0.1:1/x", "viewfs:/x", "gs://bucket/x", "wasbs://c@a.blob.core.windows.net/x",
    "abfss://f@a.dfs.core.windows.net/x", "dbfs:/x", "r2://b@127.0.0.1:1/x", "b2://b@127.0.0.1:1/x", "runs:/{run}",
    "models:/{name}/1", "models:/{model}", "uc-volumes:/x", "\x00", "#", "?",
]  # fmt: skip


@pytest.mark.parametrize("role", [HER, "edit", "admin"])
def test_nobody_says_where_an_experiments_artifacts_are_kept(strict, victim, role) -> None:
    made = {}
    for number, location in enumerate(FOREIGN):
        sent = {"name": f"elsewhere-{role}-{number}", "artifact_location": location.format(**victim)}
        for body in (sent, {"name": sent["name"], "artifactLocation": sent["artifact_location"]}, json.dumps(sent)):
            answer = strict.ask(role, "POST", f"{API}experiments/create", json=body)
            if answer.status_code != 400:
                made[location, answer.status_code] = answer.text
    assert made == {}
    own = strict.make(f"{API}experiments/create", role, name=uuid4().hex, artifact_location="")["experiment_id"]
    asked = strict.ask(role, "GET", f"{API}experiments/get", params={"experiment_id": own}).json()
    assert asked["experiment"]["artifact_location"] == f"mlflow-artifacts:/{own}"


# What a foreign source may say beside it: nothing, her own run or model, the victim's.
BESIDE = [{}, {"run_id": "her run"}, {"model_id": "her model"}, {"run_id": "run"}, {"model_id": "model"}]


def test_a_version_is_made_of_what_its_maker_may_read(strict, victim, hers) -> None:
    ids = victim | {"her run": hers["run"], "her model": hers["model"]}
    sources = [*FOREIGN, "mlflow-artifacts:/{experiment}/{run}/artifacts", "models:/{name}@best", "runs:/{run}/a.txt"]
    sources += [
        f"mlflow-artifacts:/{hers['experiment']}/{hers['run']}/artifacts/{up}{{run}}" for up in ("../../", "%2e%2e/")
    ]
    made = {}
    for source in sources:
        for beside in BESIDE:
            sent = {"name": hers["name"], "source": source.format(**victim)} | {
                key: ids[one] for key, one in beside.items()
            }
            answer = strict.ask(HER, "POST", f"{API}model-versions/create", json=sent)
            if answer.status_code not in (400, 403):
                made[source, tuple(beside), answer.status_code] = answer.text
    assert made == {}


def test_a_version_is_made_of_what_is_ones_own(strict, hers) -> None:
    run, model, name = hers["run"], hers["model"], hers["name"]
    of_run, of_model = {"run_id": run}, {"model_id": model}
    root = f"mlflow-artifacts:/{hers['experiment']}"
    for source, beside in [
        (f"{root}/{run}/artifacts", of_run),
        (f"{root}/{run}/artifacts/a%20folder", of_run),
        (f"runs:/{run}/decision.json", of_run),
        (f"{root}/models/{model}/artifacts", of_model),
        (f"models:/{model}", of_model),
        (f"models:/{name}/1", {}),
        (f"models:/{name}@best", {}),
    ]:
        made = strict.make(f"{API}model-versions/create", HER, name=name, source=source, **beside)["model_version"]
        assert made["status"] == "READY", source
    read = strict.ask(
        HER, "GET", "/model-versions/get-artifact", params={"name": name, "version": "1", "path": "a.txt"}
    )
    assert (read.status_code, read.text) == (200, name)


# As an earlier server would have stored it: SQL, and the call that would read what it names.
STORED = [
    ("UPDATE runs SET artifact_uri = '{}' WHERE run_uuid = '{run}'", "/get-artifact?run_id={run}&path=a.txt"),
    ("UPDATE runs SET artifact_uri = '{}' WHERE run_uuid = '{run}'", f"{API}artifacts/list?run_id={{run}}"),
    (
        "UPDATE logged_models SET artifact_location = '{}' WHERE model_id = '{model}'",
        f"{API}logged-models/{{model}}/artifacts/directories",
    ),
    (
        "UPDATE logged_models SET artifact_location = '{}' WHERE model_id = '{model}'",
        "/ajax-api/2.0/mlflow/logged-models/{model}/artifacts/files?artifact_file_path=a.txt",
    ),
    (
        "UPDATE model_versions SET source = '{}', storage_location = '{}' WHERE name = '{name}'",
        "/model-versions/get-artifact?name={name}&version=1&path=a.txt",
    ),
]


@pytest.mark.parametrize(("sql", "call"), STORED, ids=lambda text: text.split()[1] if " " in text else "")
@pytest.mark.parametrize(
    "where", ["s3://mlflow/{experiment}/{run}/artifacts", "file://{folder}", "{folder}", "runs:/{run}"]
)
def test_a_location_that_is_stored_already_opens_nothing(strict, victim, tmp_path, sql, call, where) -> None:
    (tmp_path / "a.txt").write_text(victim["name"])
    things = strict.things(by=HER)
    location = where.format(**victim, folder=tmp_path)
    strict.stack.db.sql(sql.replace("{}", location).format(**things))
    answer = strict.ask(HER, "GET", call.format(**things))
    assert answer.status_code in (400, 403, 404), answer.text
    assert victim["name"] not in answer.text
    assert "a.txt" not in answer.text


# What goes up a folder, in some spellings, and what stands between folders.
UPS = ["..", "%2e%2e", "%2E.", "%252e%252e", "%25252e%25252e", "..%5c..", "..%00", "%2e%2e%2f%2e%2e", "....//"]
SEPARATORS = ["/", "%2f", "%252F", "//", "/./", "%5c", "\\"]


def paths(theirs: str) -> list[str]:
    """Ways to write the artifact `theirs` of another experiment, below an artifact folder or from the root."""
    folders = theirs.split("/")
    found = [between.join([*[up] * 3, *folders]) for up in UPS for between in SEPARATORS]
    absolute = [theirs, f"/{theirs}", "%2fetc%2fpasswd", "file:///etc/passwd", "C:\\" + theirs, "%2e%2e", ".", "./"]
    return [*found, f"../{theirs}", f"/{absolute[1]}", f"%2f{theirs}", *absolute[1:]]


class Raw:
    """Paths exactly as they are written, over one connection."""

    def __init__(self, strict, role: str) -> None:
        login = strict.logins[role]
        self.headers = {"Authorization": "Basic " + b64encode(":".join(login).encode()).decode()}
        self.netloc = urlsplit(strict.url).netloc

    def ask(self, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(self.netloc, timeout=60)
        try:
            connection.putrequest(method, path, skip_host=False, skip_accept_encoding=True)
            for name, value in self.headers.items():
                connection.putheader(name, value)
            if body is not None:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


def test_no_path_leads_out_of_where_it_begins(strict, victim, hers) -> None:
    raw, secret = Raw(strict, HER), victim["name"].encode()
    root = "{experiment}/{run}/artifacts".format(**hers)
    starts = [
        f"{ARTIFACTS}{root}/",
        f"/ajax-api/2.0/mlflow-artifacts/artifacts/{root}/",
        f"{ARTIFACTS}",
        f"{ARTIFACTS[:-1]}?path={root}/",
        f"{ARTIFACTS[:-1]}?path=",
        f"/get-artifact?run_id={hers['run']}&path=",
        f"{API}artifacts/list?run_id={hers['run']}&path=",
        f"/model-versions/get-artifact?name={hers['name']}&version=1&path=",
        f"{API}logged-models/{hers['model']}/artifacts/directories?artifact_directory_path=",
        f"/ajax-api/2.0/mlflow/logged-models/{hers['model']}/artifacts/files?artifact_file_path=",
    ]
    let_in = {}
    for start in starts:
        for path in paths("{experiment}/{run}/artifacts/a.txt".format(**victim)):
            written = start + (path.replace("\\", "%5c") if "?" in start else path)
            status, answered = raw.ask("GET", written)
            if status not in (400, 403, 404) or secret in answered:
                let_in[written] = status, answered[:200]
    assert let_in == {}


def test_no_path_writes_or_deletes_out_of_where_it_begins(strict, victim, hers) -> None:
    raw = Raw(strict, HER)
    root = "{experiment}/{run}/artifacts".format(**hers)
    for start in (f"{ARTIFACTS}{root}/", ARTIFACTS):
        for path in paths("{experiment}/{run}/artifacts/a.txt".format(**victim))[::2]:
            raw.ask("PUT", start + path, b"overwritten")
            raw.ask("DELETE", start + path)
    for kept in (
        "/get-artifact?run_id={run}&path=a.txt",
        "/model-versions/get-artifact?name={name}&version=1&path=a.txt",
    ):
        answer = strict.ask("admin", "GET", kept.format(**victim))
        assert (answer.status_code, answer.text) == (200, victim["name"])


def test_a_call_is_about_one_thing(strict, victim, hers) -> None:
    """Under two names, one of which is judged and the other of which is taken."""
    model, run = f"{API}logged-models/{hers['model']}", hers["run"]
    tag = {"tags": [{"key": "hacked", "value": "1"}], "params": [{"key": "hacked", "value": "1"}], "status": 3}
    answers = [
        strict.ask(HER, method, model + end, json=body)
        for method, end in (("PATCH", ""), ("PATCH", "/tags"), ("POST", "/params"), ("GET", ""), ("DELETE", ""))
        for body in (
            {"model_id": victim["model"], **tag},
            {"modelId": victim["model"], **tag},
            json.dumps({"model_id": victim["model"], **tag}),
        )
    ]
    for first, second in (("run_id", "run_uuid"), ("run_uuid", "run_id"), ("run_id", "runId"), ("runId", "run_id")):
        for one, other in ((run, victim["run"]), (victim["run"], run)):
            body = {first: one, second: other, "key": "hacked", "value": "1"}
            answers += [strict.ask(HER, "POST", f"{API}runs/set-tag", json=body)]
            for path in (f"{API}runs/get", f"{API}artifacts/list", "/get-artifact"):
                answers += [strict.ask(HER, "GET", path, params={first: one, second: other, "path": "a.txt"})]
    for ids in ([run, victim["run"]], [victim["run"], run]):
        for path in ("/ajax-api/2.0/mlflow/metrics/get-history-bulk", f"{API}metrics/get-history-bulk-interval"):
            answers += [strict.ask(HER, "GET", path, params={"run_id": ids, "run_ids": ids, "metric_key": "m"})]
    told = [
        one.url for one in answers if one.ok and any(victim[thing] in one.text for thing in ("run", "model", "name"))
    ]
    assert told == []
    for kept in (f"{API}runs/get?run_id={victim['run']}", f"{API}logged-models/{victim['model']}"):
        answer = strict.ask("admin", "GET", kept)
        assert answer.status_code == 200
        assert "hacked" not in answer.text
        assert "LOGGED_MODEL_UPLOAD_FAILED" not in answer.text
    found = strict.ask(HER, "GET", model)
    assert (found.status_code, victim["model"] in found.text) == (200, False), "hers is as it was, too"


ODD = ["ünï cödé +&%.txt", "100%.txt", "a:b.txt", "..name", "name..", "a;b=c.txt", "'q\".txt", "f1/科技.json"]


@pytest.mark.parametrize("name", ODD)
def test_an_odd_name_is_a_name(strict, hers, name) -> None:
    path = "{experiment}/{run}/artifacts/odd/".format(**hers) + name
    assert strict.ask(HER, "PUT", ARTIFACTS + quote(path), data=b"odd").status_code == 200
    assert strict.ask(HER, "GET", ARTIFACTS + quote(path)).content == b"odd"
    by_run = {"run_id": hers["run"], "path": f"odd/{name}"}
    assert strict.ask(HER, "GET", "/get-artifact", params=by_run).content == b"odd"
    listed = strict.ask(HER, "GET", f"{API}artifacts/list", params=by_run | {"path": f"odd/{name}".rpartition("/")[0]})
    assert f"odd/{name}" in [file["path"] for file in listed.json()["files"]]


def test_artifacts_that_are_of_no_experiment_are_nobodys(strict) -> None:
    for role in (HER, "admin"):
        for path in ("x", "backups/x", "workspaces/default/1/x", "models/m-1/x", "-1/x", "1a/x", "\u0661/x"):
            for method in ("GET", "PUT", "DELETE"):
                assert strict.ask(role, method, ARTIFACTS + quote(path)).status_code == 400
        for params in ({}, {"path": ""}, {"path": "/"}, {"path": "models"}):
            assert strict.ask(role, "GET", ARTIFACTS[:-1], params=params).status_code == 400
