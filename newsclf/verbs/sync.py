"""sync: what runs have left in the journal because their server was away, sent to it."""

import os
import time
from collections import Counter

from newsclf.config import SyncConfig
from newsclf.errors import InputError, Unsent
from newsclf.progress import progress
from newsclf.tracking.journal.damage import damage, mend
from newsclf.tracking.journal.sender import send_rest
from newsclf.tracking.journal.store import Journal, find, journals, place_of, root, taken
from newsclf.tracking.journal.upload import RunUpload
from newsclf.tracking.server import (
    TooLate,
    Trouble,
    address_of,
    ask,
    briefly,
    check_uri,
    is_server,
    set_defaults,
    tracking_uri,
    trouble,
    with_login,
)

A_REQUEST = 30.0  # seconds: a server that has not answered by then hangs
ATTEMPTS, PAUSE = 3, 1.0  # of a run that its server, which is there, has not taken; seconds between two


def sync(config: SyncConfig) -> dict[str, int]:
    """Send every run of the journal whose process has ended, the oldest first; how many were sent, busy, left.

    A run that was killed is sent as FAILED. Each run is by itself: a journal that is damaged, a run that was deleted on
    its server or that is refused holds up no other. Raises InputError where a person has to see to one, else Unsent
    where a server does not answer; both when all that can be sent is sent, or `send_timeout` is over.
    """
    os.environ.pop("MLFLOW_RUN_ID", None)  # what `mlflow run` has made for this call is no run of a verb
    set_defaults()
    if config.drop:
        return drop([name.strip() for name in config.drop.split(",")])
    call = _Call(config.server)
    try:
        briefly(call.send_all, config.send_timeout, A_REQUEST)
    except TooLate:
        print(f"send_timeout is over ({config.send_timeout:g} seconds)", flush=True)
    told, waiting, refused = call.told, dict(call.waiting), dict(call.refused)
    for run_id, reason in waiting.items():
        print(f"run {run_id} waits: {reason}", flush=True)
    kept = f", {told['kept']} deleted on their server" if told["kept"] else ""
    left = len(waiting) + len(refused)
    print(f"{told['sent']} runs sent, {told['busy']} in progress, {left} left in {root()}{kept}", flush=True)
    for run_id, reason in (refused | call.damaged).items():
        raise InputError(f"run {run_id}: {reason}")
    if waiting:
        raise Unsent(f"{len(waiting)} runs wait in {root()} for a server that does not answer: run sync again")
    return {"sent": told["sent"], "busy": told["busy"], "left": left}


def drop(names: list[str]) -> dict[str, int]:
    """Remove the journals of these runs; raises InputError for one that is not there or in use, before any is gone."""
    found = []
    for name in names:
        journal = find(name)
        if journal is None:
            there = ", ".join(journal.id for journal in journals()) or "none"
            raise InputError(f"option drop: no run {name} is in {root()}; there are: {there}")
        if not journal.take():
            raise InputError(f"option drop: another process writes or sends run {name}: wait for its end")
        found.append(journal)
    for journal in found:
        journal.discard()
        print(f"run {journal.id}: its journal is removed", flush=True)
    return {"sent": 0, "busy": 0, "left": len(journals())}


class _Call:
    """One call, in a thread that is left to itself when its time is over: what it has come to is read from outside.

    waiting, refused, damaged: by run, why it waits for its server, or what a person has to see to.
    """

    def __init__(self, server: str) -> None:
        self.server = server
        self.told: Counter[str] = Counter()
        self.waiting, self.refused, self.damaged = dict[str, str](), dict[str, str](), dict[str, str]()
        self._known = dict[str, Trouble | None]()

    def send_all(self) -> None:
        found = {_run_id(journal): journal for journal in journals()}
        self.waiting |= dict.fromkeys(found, "its turn has not come")
        for number, (run_id, journal) in enumerate(found.items(), 1):
            label = f"run {run_id} ({number} of {len(found)})"
            try:
                with taken(journal) as held:
                    if held:
                        self.waiting[run_id] = "it was not sent to its end"
                        problem = self._send(journal, run_id, label)
                    else:
                        problem = None
                        self.told["busy"] += 1
                        print(f"{label}: another process writes or sends it", flush=True)
            except Exception as error:
                problem = trouble(error)
            del self.waiting[run_id]
            if problem:
                (self.refused if problem.lasting else self.waiting)[run_id] = problem.text

    def _send(self, journal: Journal, run_id: str, label: str) -> Trouble | None:
        """The trouble that has kept it from being sent; None where there was none."""
        if wrong := damage(journal):
            self.damaged[run_id] = mend(journal, wrong)
            print(f"{label}: {self.damaged[run_id]}", flush=True)
        server = server_for(journal, self.server)
        if away := self._trouble_of(server):
            return away
        upload = RunUpload(journal, server)
        if upload.sent.deleted and upload.is_deleted():  # a person was told
            self.told["kept"] += 1
            return None
        for attempt in range(1, ATTEMPTS + 1):
            try:
                print(f"{label}: {send(journal, server, label)}", flush=True)
                self.told["sent"] += 1
                return None
            except Exception as error:
                problem = self._meaning(RunUpload(journal, server), error)
            if problem.lasting or self._known[server] or attempt == ATTEMPTS:
                break
            time.sleep(PAUSE)
        return problem

    def _meaning(self, upload: RunUpload, error: Exception) -> Trouble:
        """What the error means for this run; and for the others, whether its server is still there."""
        problem, server = trouble(error), upload.server
        if problem.lasting and briefly(upload.is_deleted):
            upload.sent.keep(deleted=True)
            drop = f"sync -P drop={upload.sent.run_id} removes what is left of it here"
            text = f"it was deleted on {address_of(server)}: {drop}, sync -P server=<another> sends it all there"
            return Trouble(f"{text}; this is said once", lasting=True)
        if not problem.lasting:
            self._known.pop(server, None)
            if "timed out" in problem.text:  # it hangs: nobody waits for it again
                self._known[server] = problem
            return self._trouble_of(server) or problem
        return problem

    def _trouble_of(self, server: str) -> Trouble | None:
        """Why the server does not answer; None where it does. It is asked once for all of its runs."""
        if server not in self._known:
            try:
                ask(server)
                self._known[server] = None
            except Exception as error:
                self._known[server] = trouble(error)
        return self._known[server]


def _run_id(journal: Journal) -> str:
    try:
        return str(journal.run["run_uuid"])
    except Exception:  # damaged
        return journal.id


def server_for(journal: Journal, chosen: str) -> str:
    """The server that gets the run: `chosen`, else the one that it was made for, else the environment's."""
    server = with_login(chosen or journal.note["server"] or tracking_uri())
    check_uri(server)
    if not is_server(server):
        raise InputError("it was made without a server: name one in MLFLOW_TRACKING_URI or with the option server")
    return server


def send(journal: Journal, server: str, label: str) -> str:
    """Send the rest of one run, with progress; what has become of it."""
    run_id, upload = journal.run["run_uuid"], RunUpload(journal, server)
    with progress(label, upload.waiting(), "records") as update:
        count = 0
        for records in send_rest(journal, server):
            count += records
            update(records)
    place = place_of(run_id)
    name = f" as {place['run_id']}" if place else ""
    return f"{count:,} records sent to {address_of(server)}{name}"
