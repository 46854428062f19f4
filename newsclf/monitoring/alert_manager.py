"""All monitors of a stream together: their states, the alerts so far, and what people have been told."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from newsclf.files import write_json
from newsclf.monitoring.alerts import ALERT, OK, Alert, MonitorState, at_least, worst
from newsclf.monitoring.notifier import Notifier
from newsclf.monitoring.rules import SEVERITIES, Monitor, Window
from newsclf.monitoring.state import Record, State

CONSOLE = "console"


class AlertManager:
    """Takes in the batches one after the other, and tells of every change of state once, also over several calls.

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
        self.monitors = [MonitorState(monitor, windows) for monitor in monitors]
        self.alerts: list[Alert] = []
        self._notifier, self._state, self._footer = notifier, state, footer
        # By endpoint and monitor: the state that was told last, by whichever call.
        self._told: dict[str, dict[str, str]] = dict(state.header.get("told", {}))
        self._tried: dict[tuple[str, str], str] = {}
        self._fired: set[str] = set()

    def update(self, record: Record, new: bool = True) -> None:
        """Take a batch in. new: it was judged by this call, so that `failing` counts it."""
        self.alerts += [alert for one in self.monitors if (alert := one.update(record)) is not None]
        if new:
            self._fired.update(self.in_alert)

    def tell(self, again: bool = False) -> list[Alert]:
        """Send what has changed since each endpoint was told last; what is new for the one who reads the output.

        again: also what could not be sent before.
        """
        if again:
            self._tried.clear()
        # A monitor that never was in alert (another rule, another reference) owes nobody an end of it.
        changed = {alert.monitor for alert in self.alerts}
        owed = {
            end: {name: state for name, state in told.items() if name in changed} for end, told in self._told.items()
        }
        if owed != self._told:
            self._told = owed
            self._state.keep_header(told=owed)
        news = []
        for endpoint in (CONSOLE, *self._notifier.endpoints):
            for one in self._untold(endpoint):
                name = one.monitor.name
                if self._tried.get((endpoint, name)) == one.state:
                    continue
                self._tried[endpoint, name] = one.state
                last = next(alert for alert in reversed(self.alerts) if alert.monitor == name)
                if endpoint == CONSOLE:
                    news.append(last)
                elif not self._notifier.send(endpoint, last, self._footer):
                    continue
                self._told.setdefault(endpoint, {})[name] = one.state
                self._state.keep_header(told=self._told)
        return news

    @property
    def in_alert(self) -> list[str]:
        return [one.monitor.name for one in self.monitors if one.state == ALERT]

    @property
    def unsent(self) -> list[str]:
        """The monitors of whose state some endpoint does not know."""
        names = [one.monitor.name for endpoint in self._notifier.endpoints for one in self._untold(endpoint)]
        return list(dict.fromkeys(names))

    @property
    def worst(self) -> str:
        """The worst severity that is in alert now, "ok" without any."""
        return worst([one.monitor.severity for one in self.monitors if one.state == ALERT])

    def failing(self, fail_on: str) -> list[str]:
        """The monitors of severity `fail_on` or worse that are in alert, or were at a batch of this call."""
        if fail_on == "never":
            return []
        return [
            one.monitor.name
            for one in self.monitors
            if at_least(one.monitor.severity, fail_on) and (one.state == ALERT or one.monitor.name in self._fired)
        ]

    def raised(self) -> dict[str, int]:
        """How often a monitor went into alert, by severity."""
        severities = [alert.severity for alert in self.alerts if alert.state == ALERT]
        return {severity: severities.count(severity) for severity in SEVERITIES}

    def write(self, path: Path) -> None:
        """alerts.json: the state of every monitor, and every change of state so far."""
        monitors: list[dict[str, Any]] = [
            {
                "name": one.monitor.name,
                "number": one.monitor.number,
                "severity": one.monitor.severity,
                "state": one.state,
            }
            for one in self.monitors
        ]
        content = {"state": self.worst, "monitors": monitors, "alerts": [asdict(alert) for alert in self.alerts]}
        write_json(path, content, indent=2)

    def _untold(self, endpoint: str) -> list[MonitorState]:
        """The monitors whose state is not the one that the endpoint was told last."""
        changed, told = {alert.monitor for alert in self.alerts}, self._told.get(endpoint, {})
        return [
            one for one in self.monitors if one.monitor.name in changed and one.state != told.get(one.monitor.name, OK)
        ]
