"""What the tests of reports share: a page as its reader meets it, and verdicts, batches and alerts to draw."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from newsclf.drift import ColumnEffect, Finding, Verdict
from newsclf.monitoring.alerts import ALERT, OK, Alert
from newsclf.monitoring.rules import Window
from newsclf.monitoring.state import Record

HARMFUL = "</script><script>alert(1)</script><!-- \ud800 \x00 \u2028 \u202e"


class Page(HTMLParser):
    """The visible text, the tags, the charts' specifications, and whatever would load something."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.stack: list[str] = []
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.loads: list[str] = []
        self.json = ""
        self.source = path.read_text(encoding="utf-8")
        self.feed(self.source)
        self.text = " ".join(" ".join(self.texts).split())
        data = json.loads(self.json)
        self.charts, self.shared = data["charts"], data["shared"]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        values = dict(attrs)
        self.loads += [v or "" for k, v in values.items() if k in ("src", "srcset", "href") and v and v[:1] != "#"]
        if tag not in ("meta", "link", "input", "img"):
            self.stack.append("data" if values.get("id") == "data" else tag)

    def handle_endtag(self, tag: str) -> None:
        self.stack.pop()

    def handle_data(self, data: str) -> None:
        where = self.stack[-1] if self.stack else ""
        if where == "data":
            self.json += data
        elif where not in ("script", "style"):
            self.texts.append(data)

    def marks(self, chart: str) -> list[tuple[int, str]]:
        """(index of the batch, status) of every alert that is marked in a chart of batches."""
        spec = self.charts[chart]
        rows = [*spec["datasets"]["rows"], *(row for layer in spec["layer"] for row in _values(layer))]
        return [(row["x"], row["status"]) for row in rows if "status" in row]


def _values(layer: dict[str, Any]) -> list[dict[str, Any]]:
    values: list[dict[str, Any]] = layer.get("data", {}).get("values", [])
    return values


def finding(
    kind: str,
    drifted: bool | None,
    p_value: float = 0.5,
    effect: float = 0.25,
    unit: str = "total variation",
    moved: tuple[tuple[str, float], ...] = (),
) -> Finding:
    columns = tuple(ColumnEffect(name, 0.0001, size) for name, size in moved)
    if drifted is None:
        return Finding(kind, None, None, None, "", (), (), f"About {kind}.")
    return Finding(kind, drifted, p_value, effect, unit, columns, columns, f"About {kind}.")


def verdict(*findings: Finding, sentence: str = "") -> Verdict:
    """Drifted where one of the findings is, and not judged where none could be."""
    drifted = next((one.kind for one in findings if one.drifted), None)
    state = True if drifted else False if any(one.drifted is False for one in findings) else None
    said = {True: "Drift: the texts changed.", False: "No drift.", None: "Not enough data."}[state]
    return Verdict(state, drifted, {one.kind: one for one in findings}, 0.05, 1000, sentence or said)


def covariate(drifted: bool | None, moved: tuple[tuple[str, float], ...] = ()) -> Verdict:
    """A verdict on covariate drift, in which concept drift cannot be judged."""
    return verdict(
        finding("covariate", drifted, 0.0001 if drifted else 0.5, moved=moved if drifted else ()),
        finding("concept", None),
    )


def record(number: int, found: Verdict, numbers: Mapping[str, float] | None = None, date: str | None = "") -> Record:
    """A batch of the day of its number, January 2026."""
    when = f"2026-01-{number:02}T00:00:00+00:00" if date == "" else date
    return Record(number, f"day{number}.csv", "key", when, when or "", 1000, numbers or {}, found.as_dict())


def alert(number: str, batch: int, severity: str = "warning", over: bool = False, sentence: str = "It fell.") -> Alert:
    """Of a monitor of `number`; over: the end of the alert."""
    state = OK if over else ALERT
    return Alert(f"watch {number}", severity, state, number, batch, f"day{batch}.csv", None, 0.1, 0.2, None, sentence)


def window(name: str, first: int, last: int) -> Window:
    """Days of January 2026, both of which are inside."""
    return Window(name, datetime(2026, 1, first, tzinfo=UTC), datetime(2026, 1, last, 23, 59, tzinfo=UTC))
