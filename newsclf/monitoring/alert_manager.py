"""All monitors of a stream together: their states, the alerts so far, and what people have been told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from newsclf.files import write_json
from newsclf.monitoring.alerts import ALERT, OK, Alert, Notifier, Watch, at_least, worst
from newsclf.monitoring.rules import SEVERITIES, Monitor, Window
from newsclf.monitoring.state import Record, State

CONSOLE = "console"


class Board:
    """Sees the batches one after the other, and tells of every change of state once, also over several calls.

    footer: the last line of a message. What cannot be sent is tried again when the state changes, at the end
    (`tell(again=True)`) and by the next call, not at every batch: an endpoint that is down costs seconds each time.
    """

    def __init__(
        self,
        monitors: Sequence[Monitor],
        windows: Sequence[Window],
        notifier: Notifier,
        state: State,
        footer: str = "",
    ) -> None:
        self.watches = [Watch(monitor, windows) for monitor in monitors]
        self.alerts: list[Alert] = []
        self._notifier, self._state, self._footer = notifier, state, footer
        self._tried: dict[tuple[str, str], str] = {}
        self._fired: set[str] = set()

    def see(self, record: Record, new: bool = True) -> None:
        """Take a batch in. new: it was judged by this call, so that `failing` counts it."""
        for watch in self.watches:
            reason = _reason(record, watch.monitor)
            found = watch.see(record.number, record.name, record.when, record.rows, record.numbers, reason)
            if found is not None:
                self.alerts.append(found)
        if new:
            self._fired.update(self.in_alert)

    def tell(self, again: bool = False) -> list[Alert]:
        """Send what has changed since each endpoint was told last; what is new for the one who reads the output.

        again: also what could not be sent before.
        """
        if again:
            self._tried.clear()
        told, news = self._told(), []
        # A monitor that never was in alert (another rule, another reference) owes nobody an end of it.
        changed = {alert.monitor for alert in self.alerts}
        owed = {end: {name: state for name, state in told[end].items() if name in changed} for end in told}
        if owed != told:
            self._state.keep_header(told=owed)
            told = owed
        for endpoint in (CONSOLE, *self._notifier.endpoints):
            for watch in self._untold(told.get(endpoint, {})):
                name = watch.monitor.name
                if self._tried.get((endpoint, name)) == watch.state:
                    continue
                self._tried[endpoint, name] = watch.state
                last = next(alert for alert in reversed(self.alerts) if alert.monitor == name)
                if endpoint == CONSOLE:
                    news.append(last)
                elif not self._notifier.send(endpoint, last, self._footer):
                    continue
                told.setdefault(endpoint, {})[name] = watch.state
                self._state.keep_header(told=told)
        return news

    @property
    def in_alert(self) -> list[str]:
        return [watch.monitor.name for watch in self.watches if watch.state == ALERT]

    @property
    def unsent(self) -> list[str]:
        """The monitors of whose state some endpoint does not know."""
        told = self._told()
        names = [watch.monitor.name for end in self._notifier.endpoints for watch in self._untold(told.get(end, {}))]
        return list(dict.fromkeys(names))

    @property
    def worst(self) -> str:
        """The worst severity that is in alert now, "ok" without any."""
        return worst([watch.monitor.severity for watch in self.watches if watch.state == ALERT])

    def failing(self, fail_on: str) -> list[str]:
        """The monitors of severity `fail_on` or worse that are in alert, or were at a batch of this call."""
        if fail_on == "never":
            return []
        return [
            watch.monitor.name
            for watch in self.watches
            if at_least(watch.monitor.severity, fail_on) and (watch.state == ALERT or watch.monitor.name in self._fired)
        ]

    def raised(self) -> dict[str, int]:
        """How often a monitor went into alert, by severity."""
        severities = [alert.severity for alert in self.alerts if alert.state == ALERT]
        return {severity: severities.count(severity) for severity in SEVERITIES}

    def write(self, path: Path) -> None:
        """alerts.json: the state of every monitor, and every change of state so far."""
        monitors: list[dict[str, Any]] = [
            {
                "name": watch.monitor.name,
                "number": watch.monitor.number,
                "severity": watch.monitor.severity,
                "state": watch.state,
            }
            for watch in self.watches
        ]
        content = {"state": self.worst, "monitors": monitors, "alerts": [asdict(alert) for alert in self.alerts]}
        write_json(path, content, indent=2)

    def _told(self) -> dict[str, dict[str, str]]:
        """By endpoint and monitor: the state that was told last."""
        return dict(self._state.header().get("told", {}))

    def _untold(self, told: Mapping[str, str]) -> list[Watch]:
        changed = {alert.monitor for alert in self.alerts}
        return [
            watch
            for watch in self.watches
            if watch.monitor.name in changed and watch.state != told.get(watch.monitor.name, OK)
        ]


def _reason(record: Record, monitor: Monitor) -> str:
    """What the verdict says of what the monitor watches; "" for a number, which speaks for itself."""
    kind, _, part = monitor.number.rpartition("/")
    if part != "drifted":
        return ""
    said = record.verdict["kinds"].get(kind, {}) if kind else record.verdict
    return str(said.get("sentence", ""))
