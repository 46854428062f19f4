"""Every route of MLflow and who may call it: what the guard lets through. What is not listed is off.

tests/integration/test_stack_routes.py compares the table with the installed MLflow, and asks a server all of it.
"""

import re
from enum import StrEnum


class Access(StrEnum):
    """The least that a caller needs. MLflow itself judges all but the first, ADMIN and OFF."""

    PUBLIC = "public"  # no login
    USER = "user"  # any login; the answer has what the caller may read, or what is his own
    READ = "read"
    EDIT = "edit"
    MANAGE = "manage"
    ADMIN = "admin"
    OFF = "off"


# {api} is /api and /ajax-api. <name> is one segment of a path, <path> and <artifact_path> are any number.
TABLE = """
public  GET              /health

user    GET              /
user    GET              /static-files/<path>
user    GET              /version
user    GET              /ajax-api/3.0/mlflow/server-info
user    POST             /graphql
off     GET              /graphql
admin   GET              /metrics

user    POST             {api}/2.0/mlflow/experiments/create
user    GET,POST         {api}/2.0/mlflow/experiments/search
read    GET              {api}/2.0/mlflow/experiments/get
read    GET              {api}/2.0/mlflow/experiments/get-by-name
edit    POST             {api}/2.0/mlflow/experiments/update
edit    POST             {api}/2.0/mlflow/experiments/set-experiment-tag
edit    POST             {api}/2.0/mlflow/experiments/delete-experiment-tag
manage  POST             {api}/2.0/mlflow/experiments/delete
manage  POST             {api}/2.0/mlflow/experiments/restore
read    POST             /ajax-api/2.0/mlflow/experiments/search-datasets

user    POST             {api}/2.0/mlflow/runs/search
read    GET              {api}/2.0/mlflow/runs/get
edit    POST             {api}/2.0/mlflow/runs/create
edit    POST             {api}/2.0/mlflow/runs/update
edit    POST             {api}/2.0/mlflow/runs/log-batch
edit    POST             {api}/2.0/mlflow/runs/log-inputs
edit    POST             {api}/2.0/mlflow/runs/log-metric
edit    POST             {api}/2.0/mlflow/runs/log-model
edit    POST             {api}/2.0/mlflow/runs/log-parameter
edit    POST             {api}/2.0/mlflow/runs/outputs
edit    POST             {api}/2.0/mlflow/runs/set-tag
edit    POST             {api}/2.0/mlflow/runs/delete-tag
manage  POST             {api}/2.0/mlflow/runs/delete
manage  POST             {api}/2.0/mlflow/runs/restore
read    GET              {api}/2.0/mlflow/metrics/get-history
read    GET              {api}/2.0/mlflow/metrics/get-history-bulk-interval
read    GET              /ajax-api/2.0/mlflow/metrics/get-history-bulk

read    GET              {api}/2.0/mlflow/artifacts/list
read    GET              /get-artifact
read    GET              {api}/2.0/mlflow-artifacts/artifacts
read    GET              {api}/2.0/mlflow-artifacts/artifacts/<artifact_path>
edit    PUT              {api}/2.0/mlflow-artifacts/artifacts/<artifact_path>
manage  DELETE           {api}/2.0/mlflow-artifacts/artifacts/<artifact_path>

user    POST             {api}/2.0/mlflow/logged-models/search
edit    POST             {api}/2.0/mlflow/logged-models
read    GET              {api}/2.0/mlflow/logged-models/<model_id>
edit    PATCH            {api}/2.0/mlflow/logged-models/<model_id>
manage  DELETE           {api}/2.0/mlflow/logged-models/<model_id>
read    GET              {api}/2.0/mlflow/logged-models/<model_id>/artifacts/directories
read    GET              /ajax-api/2.0/mlflow/logged-models/<model_id>/artifacts/files
edit    POST             {api}/2.0/mlflow/logged-models/<model_id>/params
edit    PATCH            {api}/2.0/mlflow/logged-models/<model_id>/tags
manage  DELETE           {api}/2.0/mlflow/logged-models/<model_id>/tags/<tag_key>

user    POST             {api}/2.0/mlflow/registered-models/create
user    GET              {api}/2.0/mlflow/registered-models/search
read    GET              {api}/2.0/mlflow/registered-models/get
read    GET,POST         {api}/2.0/mlflow/registered-models/get-latest-versions
read    GET              {api}/2.0/mlflow/registered-models/alias
edit    POST             {api}/2.0/mlflow/registered-models/alias
manage  DELETE           {api}/2.0/mlflow/registered-models/alias
edit    PATCH            {api}/2.0/mlflow/registered-models/update
edit    POST             {api}/2.0/mlflow/registered-models/rename
edit    POST             {api}/2.0/mlflow/registered-models/set-tag
edit    DELETE           {api}/2.0/mlflow/registered-models/delete-tag
manage  DELETE           {api}/2.0/mlflow/registered-models/delete

user    GET              {api}/2.0/mlflow/model-versions/search
read    GET              {api}/2.0/mlflow/model-versions/get
read    GET              {api}/2.0/mlflow/model-versions/get-download-uri
read    GET              /model-versions/get-artifact
edit    POST             {api}/2.0/mlflow/model-versions/create
edit    PATCH            {api}/2.0/mlflow/model-versions/update
edit    POST             {api}/2.0/mlflow/model-versions/transition-stage
edit    POST             {api}/2.0/mlflow/model-versions/set-tag
manage  DELETE           {api}/2.0/mlflow/model-versions/delete-tag
manage  DELETE           {api}/2.0/mlflow/model-versions/delete

user    GET              {api}/2.0/mlflow/users/current
user    GET              {api}/3.0/mlflow/users/current/permissions
user    PATCH            {api}/2.0/mlflow/users/update-password
manage  POST             {api}/3.0/mlflow/users/permissions/grant
manage  POST             {api}/3.0/mlflow/users/permissions/revoke
admin   GET              {api}/3.0/mlflow/users/permissions/get
admin   GET              {api}/3.0/mlflow/users/permissions/list
admin   GET              {api}/2.0/mlflow/users/get
admin   GET              {api}/2.0/mlflow/users/list
admin   POST             {api}/2.0/mlflow/users/create
admin   PATCH            {api}/2.0/mlflow/users/update-admin
admin   DELETE           {api}/2.0/mlflow/users/delete
admin   GET              {api}/3.0/mlflow/users/roles/list
admin   GET              {api}/3.0/mlflow/roles/get
admin   GET              {api}/3.0/mlflow/roles/list
admin   GET              {api}/3.0/mlflow/roles/users/list
admin   GET              {api}/3.0/mlflow/roles/permissions/list
admin   POST             {api}/3.0/mlflow/roles/create
admin   POST             {api}/3.0/mlflow/roles/assign
admin   POST             {api}/3.0/mlflow/roles/permissions/add
admin   PATCH            {api}/3.0/mlflow/roles/update
admin   PATCH            {api}/3.0/mlflow/roles/permissions/update
admin   DELETE           {api}/3.0/mlflow/roles/delete
admin   DELETE           {api}/3.0/mlflow/roles/unassign
admin   DELETE           {api}/3.0/mlflow/roles/permissions/remove
"""

# What nobody needs who trains classifiers, with all that a later MLflow adds to it.
OFF = """
# It fetches from other servers, or has them called: a slow one holds a worker, a hostile one is called from inside.
/gateway
/ajax-api/2.0/mlflow/gateway-proxy
{api}/3.0/mlflow/gateway
{api}/2.0/mlflow/webhooks
{api}/3.0/mlflow/mcp-servers
/ajax-api/3.0/mlflow/assistant
/ajax-api/3.0/mlflow/ui-telemetry
# It starts jobs, which this server has none of.
/ajax-api/3.0/jobs
/ajax-api/3.0/mlflow/jobs
/ajax-api/3.0/mlflow/demo
/ajax-api/3.0/mlflow/genai
/ajax-api/3.0/mlflow/scorer
{api}/3.0/mlflow/issues
{api}/3.0/mlflow/prompt-optimization
# Traces of language models, their judges and data: a trace's tags say where its spans are kept.
/v1/traces
{api}/2.0/mlflow/traces
{api}/3.0/mlflow/traces
{api}/2.0/mlflow/unified-traces
{api}/2.0/mlflow/get-online-trace-details
/ajax-api/2.0/mlflow/get-trace-artifact
/ajax-api/3.0/mlflow/get-trace-artifact
/ajax-api/2.0/mlflow/runs/create-promptlab-run
{api}/3.0/mlflow/scorers
{api}/3.0/mlflow/label-schemas
{api}/3.0/mlflow/review-queues
{api}/3.0/mlflow/datasets
# Past the server, straight to the object store, which no client reaches; what it is good for is told by server-info.
{api}/2.0/mlflow-artifacts/mpu
{api}/2.0/mlflow-artifacts/presigned
{api}/2.0/mlflow/artifacts/presigned-download-url
{api}/2.0/mlflow/artifacts/presigned-upload-url
/api/3.0/mlflow/server-info
# Second ways to what another route does.
{api}/2.0mlflow
/ajax-api/2.0/mlflow/upload-artifact
/build
/signup
/api/2.0/mlflow/users/create-ui
# There is one workspace.
{api}/3.0/mlflow/workspaces
"""


def expanded(path: str) -> list[str]:
    return [path.replace("{api}", api) for api in ("/api", "/ajax-api")] if path.startswith("{api}") else [path]


def _pattern(path: str) -> re.Pattern[str]:
    """With a group for each parameter."""
    parts = re.split(r"<(\w+)>", path)
    ends = [f"(?P<{name}>{'.+' if name.endswith('path') else '[^/]+'})" for name in parts[1::2]] + [""]
    return re.compile("".join(re.escape(text) + end for text, end in zip(parts[::2], ends, strict=True)), re.DOTALL)


def _rows() -> list[tuple[Access, str, str]]:
    """(who, method, path) for each route that is on."""
    rows = [line.split() for line in TABLE.splitlines() if line]
    return [
        (Access(who), method, path)
        for who, methods, written in rows
        for path in expanded(written)
        for method in methods.split(",")
    ]


ROUTES = {(method, path): who for who, method, path in _rows()}
SWITCHED_OFF = [path for line in OFF.splitlines() if line and not line.startswith("#") for path in expanded(line)]
_PATTERNS = [(method, _pattern(path), who) for (method, path), who in ROUTES.items() if "<" in path]


def find(method: str, path: str) -> tuple[Access, list[tuple[str, str]]]:
    """Who may call it, and the parameters in its path."""
    if who := ROUTES.get((method, path)):
        return who, []
    for allowed, pattern, who in _PATTERNS:
        if allowed == method and (found := pattern.fullmatch(path)):
            return who, list(found.groupdict().items())
    return Access.OFF, []
