"""Monitors and anomaly windows as they stand in YAML, checked before any work.

    monitors:                          # a list; each watches one number or one verdict of every batch
      - name: short texts              # optional; made from the rest where it is missing
        number: characters/mean        # any number of a batch (a wrong name is told with the nearest right one)
        below: 80 characters           # `below`, `above` or both: outside is bad. A unit may be written: it is checked
        severity: warning              # info, warning (default) or critical
        in_a_row: 2                    # bad batches in a row that make an alert; default 1
        min_rows: 200                  # smaller batches are passed over; default: the option min_rows; of rows: 0
      - {number: characters/mean, range: [80, 400]}            # outside is bad
      - {number: empty_share, above: 1 %}                      # shares are 0 to 1, or written with %
      - {number: covariate/p_value, p_value: 0.001}            # below is bad
      - {verdict: concept, severity: critical}                 # drift of this kind is bad; `any` is the whole verdict
      - {number: confidence/mean, band: {first: 10, sd: 3}}    # outside mean -+ 3 standard deviations of the first 10
      - {number: characters/median, band: {trailing: 20, quantiles: [0.01, 0.99], side: above}}
      - {number: words/mean, band: {window: launch, sd: 4}}    # learnt from one window alone
    windows:                           # a list; what lies inside is normal: no alert, and every band learns from it
      - {name: launch, from: 2026-01-01, to: 2026-01-07}       # dates (both days are inside) or ISO 8601 times

A band is silent until it has learnt its `first` or `trailing` batches; a batch outside a trailing band is not learnt
from, so that a drift does not become normal by lasting: a window says that it is. A batch in which the number is not
there (no labels, too few rows) changes nothing.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from newsclf.errors import InputError
from newsclf.messages import nearest, one_line

SEVERITIES = ("info", "warning", "critical")
KEYS = ("name", "number", "verdict", "above", "below", "range", "p_value", "band", "severity", "in_a_row", "min_rows")
BAND_KEYS = ("first", "trailing", "window", "sd", "quantiles", "side")
WINDOW_KEYS = ("name", "from", "to")
ANY = "any"
OF_SIZE = ("rows", "enough_data")  # numbers that tell of a batch that is too small, which then is not passed over
SHARE_UNITS = ("", "%")
# Columns whose numbers have a unit of their own: what may be written behind a value.
UNITS = {
    "characters": ("characters", "character"),
    "words": ("words", "word"),
    "tokens": ("tokens", "token"),
    "rows": ("rows", "row"),
}
SHARES = re.compile(r"(.*_share|accuracy.*|confidence|margin|.*/p_value|.*drifted|label/.*|predicted_label/.*)(/.*)?")


@dataclass(frozen=True)
class Window:
    """A time span, from `begin` up to, but without, `end`, that is taken as normal."""

    name: str
    begin: datetime
    end: datetime

    def holds(self, when: datetime | None) -> bool:
        return when is not None and self.begin <= when < self.end


@dataclass(frozen=True)
class Band:
    """Limits learnt from the `first` or `trailing` batches, or from one window alone.

    sd: mean -+ so many standard deviations; or `quantiles`: (low, high), each 0..1. side: both, above or below.
    """

    first: int | None = None
    trailing: int | None = None
    window: str | None = None
    sd: float | None = None
    quantiles: tuple[float, float] | None = None
    side: str = "both"


@dataclass(frozen=True)
class Monitor:
    """What is watched, and when that is bad: outside low..high, or outside the band."""

    name: str
    number: str
    low: float = -math.inf
    high: float = math.inf
    band: Band | None = None
    severity: str = "warning"
    in_a_row: int = 1
    min_rows: int = 0


def unit_of(number: str) -> str:
    """The unit of a number of a batch, such as characters of characters/mean; "" without one."""
    return UNITS.get(number.split("/")[0], ("",))[0]


def parse_windows(entries: Sequence[Mapping[str, Any]]) -> tuple[Window, ...]:
    """The windows of the option `windows`. Raises InputError that names the entry."""
    windows = []
    for place, entry in enumerate(entries, start=1):
        where = f"window {place}"
        _check_keys(entry, WINDOW_KEYS, where)
        begin = parse_time(_needed(entry, "from", where), f"{where}: from")
        last = _needed(entry, "to", where)
        end = parse_time(last, f"{where}: to")
        if _is_day(last):
            end += timedelta(days=1)
        if end <= begin:
            raise InputError(f"{where} ends ({last}) before it begins ({entry['from']})")
        windows.append(Window(str(entry.get("name", where)), begin, end))
    _check_unique([window.name for window in windows], "windows")
    return tuple(windows)


def parse_monitors(
    entries: Sequence[Mapping[str, Any]], windows: Sequence[Window], kinds: Sequence[str], min_rows: int
) -> tuple[Monitor, ...]:
    """The monitors of the option `monitors`; `check_numbers` then checks what they watch.

    kinds: of a verdict. min_rows: for monitors without their own. Raises InputError that names the entry.
    """
    monitors = []
    for place, entry in enumerate(entries, start=1):
        where = f'monitor "{entry["name"]}"' if "name" in entry else f"monitor {place}"
        monitors.append(_monitor(entry, where, [window.name for window in windows], kinds, min_rows))
    _check_unique([monitor.name for monitor in monitors], "monitors")
    return tuple(monitors)


def check_numbers(monitors: Sequence[Monitor], known: Sequence[str]) -> None:
    """Raises InputError for a monitor of a number that no batch has, with the nearest that there is."""
    for monitor in monitors:
        if monitor.number not in known:
            raise InputError(
                f'monitor "{monitor.name}": no batch has the number {monitor.number}{_nearest(monitor.number, known)}'
            )


def parse_time(value: Any, where: str) -> datetime:
    """A date (its midnight) or time, as ISO 8601 text or as Python's own; without a time zone it is UTC."""
    try:
        if isinstance(value, datetime):
            found = value
        elif isinstance(value, date):
            found = datetime.combine(value, time())
        elif isinstance(value, str):
            found = datetime.fromisoformat(value.strip())
        else:
            raise ValueError
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise InputError(
            f'{where}: "{one_line(value, 60)}" is no date; '
            "write it as 2026-01-31 or 2026-01-31T08:00:00+01:00 (ISO 8601)"
        ) from None


def _monitor(
    entry: Mapping[str, Any], where: str, windows: Sequence[str], kinds: Sequence[str], min_rows: int
) -> Monitor:
    _check_keys(entry, KEYS, where)
    if ("number" in entry) == ("verdict" in entry):
        raise InputError(f"{where} must have either number or verdict: what it watches")
    tests = [key for key in ("range", "p_value", "band") if key in entry]
    tests += ["above/below"] if "above" in entry or "below" in entry else []
    if "verdict" in entry:
        if tests:
            raise InputError(f"{where} watches a verdict, which is drift or not: {tests[0]} goes with number")
        kind = str(entry["verdict"])
        if kind not in (ANY, *kinds):
            raise InputError(f"{where}: unknown verdict {kind}{_nearest(kind, (ANY, *kinds))}")
        number, low, high, band = ("drifted" if kind == ANY else f"{kind}/drifted"), -math.inf, 0.5, None
        described = f"{kind} drift" if kind != ANY else "drift"
    else:
        if len(tests) != 1:
            raise InputError(f"{where} must have one of above/below, range, p_value, band; it has {len(tests)} of them")
        number = str(entry["number"])
        low, high = _limits(entry, number, where)
        band = _band(entry["band"], windows, where) if "band" in entry else None
        described = f"{number} {_described(low, high, band)}"
    severity = str(entry.get("severity", "warning"))
    if severity not in SEVERITIES:
        raise InputError(f"{where}: unknown severity {severity}{_nearest(severity, SEVERITIES)}")
    return Monitor(
        name=str(entry.get("name", described)),
        number=number,
        low=low,
        high=high,
        band=band,
        severity=severity,
        in_a_row=_whole(entry.get("in_a_row", 1), 1, f"{where}: in_a_row"),
        min_rows=_whole(entry.get("min_rows", 0 if number in OF_SIZE else min_rows), 0, f"{where}: min_rows"),
    )


def _limits(entry: Mapping[str, Any], number: str, where: str) -> tuple[float, float]:
    low, high = -math.inf, math.inf
    if "p_value" in entry:
        if not number.endswith("p_value"):
            raise InputError(f"{where}: p_value goes with a number that is one, such as covariate/p_value")
        low = _value(entry["p_value"], number, f"{where}: p_value")
    if "range" in entry:
        ends = entry["range"]
        if not isinstance(ends, list) or len(ends) != 2:
            raise InputError(f"{where}: range must be [low, high]")
        low, high = (_value(end, number, f"{where}: range") for end in ends)
    if "below" in entry:
        low = _value(entry["below"], number, f"{where}: below")
    if "above" in entry:
        high = _value(entry["above"], number, f"{where}: above")
    if low > high:
        raise InputError(f"{where}: no value lies between {low:g} and {high:g}")
    return low, high


def _value(value: Any, number: str, where: str) -> float:
    """A limit as a number, in the unit of what it limits."""
    units, share = UNITS.get(number.split("/")[0], ()), SHARES.fullmatch(number) is not None
    match = re.fullmatch(r"\s*([-+]?[\d.,_]*\d(?:[eE][-+]?\d+)?)\s*(\D*?)\s*", str(value))
    try:
        if isinstance(value, bool) or match is None:
            raise ValueError
        found, unit = float(match[1].replace("_", "")), match[2]
    except ValueError:
        raise InputError(f"{where} is {value!r}: it must be a number") from None
    allowed = SHARE_UNITS if share else ("", *units)
    if unit not in allowed:
        written = "0 to 1, or written with %" if share else f"in {units[0]}" if units else "without a unit"
        raise InputError(f'{where} is {value!r}: {number} has no unit "{unit}"; it is {written}')
    if unit == "%":
        found /= 100
    if share and not number.endswith("/std") and not 0 <= found <= 1:
        hint = f"; {found:g} % is written {found:g} %" if 1 < found <= 100 else ""
        raise InputError(f"{where} is {value!r}: {number} is from 0 to 1{hint}")
    return found


def _band(entry: Any, windows: Sequence[str], where: str) -> Band:
    where = f"{where}: band"
    if not isinstance(entry, Mapping):
        raise InputError(f"{where} must be a mapping such as {{first: 10, sd: 3}}")
    _check_keys(entry, BAND_KEYS, where)
    sources = [key for key in ("first", "trailing", "window") if key in entry]
    if len(sources) != 1:
        raise InputError(f"{where} must have one of first, trailing, window: what it learns from")
    if ("sd" in entry) == ("quantiles" in entry):
        raise InputError(f"{where} must have either sd or quantiles: how wide it is")
    side = str(entry.get("side", "both"))
    if side not in ("both", "above", "below"):
        raise InputError(f"{where}: unknown side {side}{_nearest(side, ('both', 'above', 'below'))}")
    sd = quantiles = None
    if "sd" in entry:
        sd = _plain(entry["sd"], f"{where}: sd")
        if sd <= 0:
            raise InputError(f"{where}: sd is {sd:g}: it must be above 0")
    else:
        ends = entry["quantiles"]
        if not isinstance(ends, list) or len(ends) != 2:
            raise InputError(f"{where}: quantiles must be [low, high], such as [0.01, 0.99]")
        quantiles = (_plain(ends[0], f"{where}: quantiles"), _plain(ends[1], f"{where}: quantiles"))
        if not 0 <= quantiles[0] < quantiles[1] <= 1:
            raise InputError(f"{where}: quantiles are {quantiles[0]:g} and {quantiles[1]:g}: 0 <= low < high <= 1")
    window = str(entry["window"]) if "window" in entry else None
    if window is not None and window not in windows:
        raise InputError(f"{where}: there is no window {window}{_nearest(window, windows)}")
    counts = {key: _whole(entry[key], 2, f"{where}: {key}") for key in ("first", "trailing") if key in entry}
    return Band(window=window, sd=sd, quantiles=quantiles, side=side, **counts)


def _described(low: float, high: float, band: Band | None) -> str:
    if band is not None:
        return f"{'outside' if band.side == 'both' else band.side} its band"
    if math.isinf(high):
        return f"below {low:g}"
    return f"above {high:g}" if math.isinf(low) else f"outside {low:g} to {high:g}"


def _plain(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise InputError(f"{where} is {value!r}: it must be a number")
    return float(value)


def _whole(value: Any, least: int, where: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise InputError(f"{where} is {value!r}: it must be a whole number of {least} or more")
    return value


def _is_day(value: Any) -> bool:
    return re.fullmatch(r"\s*\d{4}-?\d{2}-?\d{2}\s*", str(value)) is not None


def _needed(entry: Mapping[str, Any], key: str, where: str) -> Any:
    if key not in entry:
        raise InputError(f"{where} has no {key}: it needs from and to")
    return entry[key]


def _check_keys(entry: Mapping[str, Any], valid: Sequence[str], where: str) -> None:
    for key in entry:
        if key not in valid:
            raise InputError(f"{where}: unknown key {key}{_nearest(str(key), valid)}")


def _check_unique(names: Sequence[str], what: str) -> None:
    twice = sorted({name for name in names if list(names).count(name) > 1})
    if twice:
        raise InputError(f'two {what} have the name "{twice[0]}": give each its own name')


def _nearest(name: str, valid: Sequence[str]) -> str:
    if near := nearest(name, valid):
        return f": did you mean {near}?"
    shown = ", ".join(list(valid)[:40])
    return f": there are {shown}{' ...' if len(valid) > 40 else ''}" if valid else ""
