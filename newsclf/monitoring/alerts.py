"""Whether a monitor is in alert after a batch: a change of its state is an alert, or the end of one."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from newsclf.monitoring.rules import SEVERITIES, Band, Monitor, Window
from newsclf.monitoring.state import Record

OK, ALERT = "ok", "alert"


@dataclass(frozen=True)
class Alert:
    """A monitor's change of state at a batch: into the alert ("alert"), or out of it ("ok")."""

    monitor: str
    severity: str
    state: str
    number: str
    batch: int
    batch_name: str
    date: str | None
    value: float | None
    low: float | None
    high: float | None
    sentence: str

    @property
    def status(self) -> str:
        """What people are told: the severity, or "resolved" at the end of an alert."""
        return self.severity if self.state == ALERT else "resolved"


@dataclass
class MonitorState:
    """A monitor over time: what it has learnt, how many batches in a row were bad, its state."""

    monitor: Monitor
    windows: Sequence[Window] = ()
    state: str = OK
    bad_in_a_row: int = 0
    normal: list[float] = field(default_factory=list)
    learnt: list[float] = field(default_factory=list)

    def update(self, record: Record) -> Alert | None:
        """Take a batch in; the change of state that it makes, if any.

        A batch that is too small, or does not have the number, changes nothing; one in a window is normal.
        """
        value = record.numbers.get(self.monitor.number, math.nan)
        if record.rows < self.monitor.min_rows or not math.isfinite(value):
            return None
        inside = next((window for window in self.windows if window.holds(record.when)), None)
        low, high = self.limits()
        if inside is not None:
            bad = False
            band = self.monitor.band
            if band is not None and band.window in (None, inside.name):
                self.normal.append(value)
        else:
            bad = not low <= value <= high
            self._learn(value, bad)
        self.bad_in_a_row = self.bad_in_a_row + 1 if bad else 0
        before = self.state
        if not bad:
            self.state = OK
        elif self.bad_in_a_row >= self.monitor.in_a_row:
            self.state = ALERT
        if self.state == before:
            return None
        return Alert(
            monitor=self.monitor.name,
            severity=self.monitor.severity,
            state=self.state,
            number=self.monitor.number,
            batch=record.number,
            batch_name=record.name,
            date=record.date,
            value=value,
            low=low if math.isfinite(low) else None,
            high=high if math.isfinite(high) else None,
            sentence=f"{record.name}: {self._sentence(record, value, low, high, inside)}",
        )

    def limits(self) -> tuple[float, float]:
        """What is not bad, (low, high); infinite where there is no limit, or none has been learnt yet."""
        band = self.monitor.band
        if band is None:
            return self.monitor.low, self.monitor.high
        wanted = band.first or band.trailing or 0
        seen = [*self.normal, *self.learnt]
        if len(self.learnt) < wanted or len(seen) < 2:
            return -math.inf, math.inf
        low, high = _band_limits(band, np.asarray(seen))
        return (
            -math.inf if band.side == "above" else low,
            math.inf if band.side == "below" else high,
        )

    def _learn(self, value: float, bad: bool) -> None:
        band = self.monitor.band
        if band is None or bad or band.window is not None:
            return
        if band.first is not None:
            if len(self.learnt) < band.first:
                self.learnt.append(value)
        elif band.trailing is not None:
            self.learnt = [*self.learnt, value][-band.trailing :]

    def _sentence(self, record: Record, value: float, low: float, high: float, inside: Window | None) -> str:
        monitor = self.monitor
        if monitor.number.endswith("drifted"):
            kind = monitor.number.rpartition("/")[0]
            what = f"{kind} drift" if kind else "drift"
            verdict = record.verdict["kinds"].get(kind, {}) if kind else record.verdict
            said = verdict.get("sentence", "").rstrip(".") or (what if value > 0.5 else f"no {what}")
        else:
            said = f"{monitor.number} is {value:.6g}"
            if math.isfinite(low) and math.isfinite(high):
                said += f" (normal: {low:.6g} to {high:.6g})"
            elif math.isfinite(low) or math.isfinite(high):
                said += f" (normal: at least {low:.6g})" if math.isfinite(low) else f" (normal: at most {high:.6g})"
        if inside is not None:
            said += f", taken as normal in the window {inside.name}"
        if self.state == ALERT and monitor.in_a_row > 1:
            said += f", {self.bad_in_a_row} batches in a row"
        return said


def worst(severities: Sequence[str]) -> str:
    """The worst of some severities, "ok" of none."""
    return max(severities, key=SEVERITIES.index, default=OK)


def at_least(severity: str, limit: str) -> bool:
    return SEVERITIES.index(severity) >= SEVERITIES.index(limit)


def _band_limits(band: Band, seen: np.ndarray) -> tuple[float, float]:
    if band.quantiles is not None:
        low, high = np.quantile(seen, band.quantiles)
    else:
        assert band.sd is not None
        low, high = seen.mean() + band.sd * seen.std(ddof=1) * np.array([-1, 1])
    # Equal values have a band without a width, which rounding alone would leave.
    slack = 1e-9 * max(abs(low), abs(high), 1e-9)
    return float(low - slack), float(high + slack)
