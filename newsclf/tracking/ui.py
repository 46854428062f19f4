"""`python -m newsclf.tracking.ui [port]`: MLflow's UI on the runs of this folder, opened on the table of its runs.

MLflow opens its own UI on a page of demos for language models. A server has its own UI: its address is printed.
"""

import contextlib
import json
import os
import re
import socket
import sys
import threading
import webbrowser
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.server.constants import ARTIFACT_ROOT_ENV_VAR, BACKEND_STORE_URI_ENV_VAR, REGISTRY_STORE_URI_ENV_VAR

from newsclf.errors import InputError, Stopped
from newsclf.tracking.database import advice, prepare
from newsclf.tracking.pages import HOST, PORT, run_table
from newsclf.tracking.server import address_of, check_uri, first_line, is_server, quiet, tracking_uri

# The jobs are those that judge traces of language models: five processes that nothing here uses.
SETTINGS = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}


# What a browser that has never seen this UI is shown: model training, and no assistant that asks for a language model.
IN_THE_BROWSER = {
    "mlflow.workflowType_v1": '"machine_learning"',
    "mlflow.assistant.fab.autoOpenedOnFirstLoad_v1": "true",
}


def newest_experiment(client: MlflowClient) -> str:
    """The id of the experiment with the newest run; the default one where there is none."""
    ids = [one.experiment_id for one in client.search_experiments()]
    newest = client.search_runs(ids, order_by=["attributes.start_time DESC"], max_results=1) if ids else []
    return str(newest[0].info.experiment_id) if newest else "0"


def opened_on(page: str, path: str) -> str:
    """The UI's only page, which goes on to `path` where no other place in it is asked for."""
    script = f"""<script>
    for (const [name, value] of Object.entries({json.dumps(IN_THE_BROWSER)}))
        if (localStorage.getItem(name) === null) localStorage.setItem(name, value);
    if (['', '#', '#/'].includes(location.hash)) location.replace('{path}');
    </script>"""
    return re.sub(r"(?i)<head[^>]*>", lambda head: head[0] + script, page, count=1)


class FirstPage:
    """An ASGI application: MLflow's, with another first page."""

    def __init__(self, app: Any, page: str) -> None:
        self.app, self.page = app, page.encode()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or scope["path"] != "/" or scope["method"] not in ("GET", "HEAD"):
            await self.app(scope, receive, send)
            return
        headers = [(b"content-type", b"text/html; charset=utf-8"), (b"content-length", str(len(self.page)).encode())]
        await send(
            {"type": "http.response.start", "status": 200, "headers": [*headers, (b"cache-control", b"no-store")]}
        )
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else self.page})


def serve(uri: str, port: int) -> None:
    """Serve the UI of a database until Ctrl-C. Raises InputError where it or the port cannot be used."""
    import uvicorn

    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise InputError(f"port {port} cannot be used ({error.strerror}): make ui PORT={port + 1}") from None
    try:
        prepare(uri)
        path = run_table(newest_experiment(MlflowClient(uri)))
    except InputError:
        raise
    except Exception as error:
        raise InputError(f"{address_of(uri)} cannot be used ({first_line(error)}): {advice(error)}") from error
    os.environ |= {BACKEND_STORE_URI_ENV_VAR: uri, REGISTRY_STORE_URI_ENV_VAR: uri} | SETTINGS
    os.environ[ARTIFACT_ROOT_ENV_VAR] = str(Path.cwd() / "mlruns")  # of experiments that are made in the UI
    from mlflow.server import app as pages
    from mlflow.server.fastapi_app import app

    index = (Path(str(pages.static_folder)) / "index.html").read_text(encoding="utf-8")
    link = f"http://{HOST}:{port}/{path}"
    print(f"the runs: {link}   (Ctrl-C ends it)", flush=True)
    if sys.stdout.isatty() and (sys.platform == "darwin" or {"DISPLAY", "WAYLAND_DISPLAY"} & set(os.environ)):
        threading.Timer(1.0, webbrowser.open, [link]).start()
    uvicorn.run(FirstPage(app, opened_on(index, path)), host=HOST, port=port, log_level="warning")


def main(arguments: list[str]) -> int:
    """The exit code. arguments: the port, or nothing."""
    uri, port = tracking_uri(), arguments[0] if arguments and arguments[0] else str(PORT)
    quiet()
    try:
        check_uri(uri)
        if not port.isdigit() or not 0 < int(port) < 65536:
            raise InputError(f"PORT is {port!r}: it is a number from 1 to 65535")
        if is_server(uri):
            experiment = os.environ.get("MLFLOW_EXPERIMENT_ID") or "0"
            print(f"the server has its own UI: {address_of(uri)}/{run_table(experiment)}")
        else:
            with contextlib.suppress(KeyboardInterrupt, Stopped):
                serve(uri, int(port))
    except InputError as error:
        print(f"ui: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
