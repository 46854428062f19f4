"""sync: what runs have left in the journal because their server was away, sent to it."""

import os
from collections import Counter

from newsclf.config import SyncConfig
from newsclf.errors import InputError, Unsent
from newsclf.progress import progress
from newsclf.tracking.journal.sender import send_rest
from newsclf.tracking.journal.store import Journal, journals, place_of, root, taken
from newsclf.tracking.journal.upload import RunUpload
from newsclf.tracking.server import address_of, check_uri, is_server, set_defaults, tracking_uri, trouble, with_login


def sync(config: SyncConfig) -> dict[str, int]:
    """Send every run of the journal whose process has ended, the oldest first; how many were sent, busy, left.

    A run that was killed is sent as FAILED. Raises InputError for a run that its server refuses, or that has none;
    else Unsent where a server does not answer. All other runs are sent before.
    """
    os.environ.pop("MLFLOW_RUN_ID", None)  # what `mlflow run` has made for this call is no run of a verb
    set_defaults()
    told: Counter[str] = Counter(sent=0, busy=0, left=0)
    lasting = ""
    for journal in journals():
        with taken(journal) as held:
            if not held:
                told["busy"] += 1
                print(f"run {journal.id}: another process writes or sends it", flush=True)
                continue
            run_id = journal.run["run_uuid"]
            try:
                print(f"run {run_id}: {send(journal, config.server)}", flush=True)
                told["sent"] += 1
            except Exception as error:
                found = trouble(error)
                told["left"] += 1
                lasting = lasting or (f"run {run_id}: {found.text}" if found.lasting else "")
                print(f"run {run_id}: not sent: {found.text}", flush=True)
    print(f"{told['sent']} runs sent, {told['busy']} in progress, {told['left']} left in {root()}", flush=True)
    if lasting:
        raise InputError(f"{lasting}; what it has got stays there, the rest is in {root()}")
    if told["left"]:
        raise Unsent(f"{told['left']} runs wait in {root()} for a server that does not answer: run sync again")
    return dict(told)


def send(journal: Journal, server: str) -> str:
    """Send the rest of one run, with progress; what has become of it. server: in place of the one it was made for."""
    server = with_login(server or journal.note["server"] or tracking_uri())
    check_uri(server)
    if not is_server(server):
        raise InputError("it was made without a server: name one in MLFLOW_TRACKING_URI or with the option server")
    run_id, upload = journal.run["run_uuid"], RunUpload(journal, server)
    with progress(f"run {run_id}", upload.waiting(), "records") as update:
        count = 0
        for records in send_rest(journal, server):
            count += records
            update(records)
    place = place_of(run_id)
    name = f" as {place['run_id']}" if place else ""
    return f"{count:,} records sent to {address_of(server)}{name}"
