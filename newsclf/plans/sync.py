"""What sync would do: the runs that wait in the journal."""

from collections.abc import Iterator

from newsclf.config import SyncConfig
from newsclf.tracking.journal.store import journals, root
from newsclf.tracking.server import address_of, tracking_uri


def plan(config: SyncConfig) -> Iterator[str]:
    """The lines of a dry run; no server is asked."""
    waiting = journals() if root().is_dir() else []
    for journal in waiting:
        note = journal.note
        server = config.server or str(note.get("server") or "") or tracking_uri()
        yield f"run {journal.id} of {note.get('verb') or 'an unknown verb'} to {address_of(server)}"
    yield f"{len(waiting)} runs wait in {root()}"
