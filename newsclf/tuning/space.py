"""Which settings of train a sweep tries, checked against train's own options before anything runs."""

import dataclasses
import itertools
import json
import math
import typing
from collections.abc import Mapping
from typing import Any

from newsclf.config import SweepConfig, TrainConfig
from newsclf.config.fields import names_of
from newsclf.config.options import as_text, build
from newsclf.errors import InputError

# Set by the sweep for each of its runs, or of no use in one: no trial is resumed, nor registered by itself.
KEPT_FROM_TRAIN = names_of(TrainConfig, "run", "output")
LOW_IS_BEST = ("loss", "error", "seconds", "bytes")
MAX_RUNS = 10_000


@dataclasses.dataclass(frozen=True)
class Range:
    """Numbers from low to high, both included; log: evenly on a logarithmic scale."""

    low: float
    high: float
    log: bool
    whole: bool
    step: float | None


@dataclasses.dataclass(frozen=True)
class Space:
    """What is tried. Settings are text, as they are typed for train.

    names: the options that differ. rows: the settings of each run of a list or grid, else None. values, ranges: what
    an option is drawn from.
    """

    names: tuple[str, ...]
    fixed: dict[str, str]
    rows: list[dict[str, str]] | None
    values: dict[str, list[str]]
    ranges: dict[str, Range]


def read_space(config: SweepConfig) -> Space:
    """Raises InputError for a name that train has not (with the nearest one) and a value that it does not take."""
    fixed = _settings(config.train or {}, {}, "train")
    if len(config.published) not in (0, len(config.runs)):
        raise InputError(
            f"option published has {len(config.published)} entries for {len(config.runs)} runs: give one for each run"
        )
    if config.strategy == "list":
        if not config.runs:
            raise InputError("option runs is empty: strategy list needs the runs to try, in a YAML file")
        if config.space:
            raise InputError("option space is given, and strategy list tries runs: leave one out")
        base = as_text(build(TrainConfig, config.train or {}))
        given = [_settings(row, config.train or {}, f"runs, number {n}") for n, row in enumerate(config.runs, 1)]
        names = tuple(dict.fromkeys(name for row in given for name in row))
        rows = [{name: row.get(name, base[name]) for name in names} for row in given]
        return Space(names, fixed, _distinct(rows), _columns(rows, names), {})
    if not config.space:
        raise InputError(f"option space is empty: strategy {config.strategy} needs the options to try and their values")
    if config.runs:
        raise InputError(f"option runs is given, and strategy {config.strategy} tries space: leave one out")
    ranges = {
        name: _range(name, part, config.train or {}) for name, part in config.space.items() if isinstance(part, dict)
    }
    values = {
        name: _values(name, part, config.train or {}) for name, part in config.space.items() if name not in ranges
    }
    names = tuple(config.space)
    if config.strategy != "grid":
        return Space(names, fixed, None, values, ranges)
    if ranges:
        raise InputError(f"space, {next(iter(ranges))}: a grid has no ranges; list the values, as [1e-4, 1e-3]")
    if (count := math.prod(map(len, values.values()))) > MAX_RUNS:
        raise InputError(f"option space has {count:,} combinations, a grid at most {MAX_RUNS:,}: use random")
    rows = [dict(zip(names, row, strict=True)) for row in itertools.product(*values.values())]
    return Space(names, fixed, rows, values, {})


def lowest_is_best(config: SweepConfig) -> bool:
    if config.direction == "auto":
        return loss_like(config.aim)
    return config.direction == "min"


def loss_like(metric: str) -> bool:
    return any(word in metric for word in LOW_IS_BEST)


def identity(config: SweepConfig, space: Space) -> str:
    """What makes two sweeps the same one, as JSON: how many trials, and how they are run, may change."""
    parts = {"strategy": config.strategy, "aim": config.aim, "lowest": lowest_is_best(config), "train": space.fixed}
    if space.rows is None:
        ranges = {name: dataclasses.astuple(part) for name, part in space.ranges.items()}
        parts |= {"space": {**space.values, **ranges}, "seed": config.seed}
    else:
        parts |= {"rows": space.rows}
    return json.dumps(parts, sort_keys=True)


def _settings(given: Mapping[str, Any], others: Mapping[str, Any], where: str) -> dict[str, str]:
    """`given` as text. others: options that it stands beside, which may bear on what is valid."""
    for name in given:
        if name in KEPT_FROM_TRAIN:
            raise InputError(f"{where}: option {name} is the sweep's own in every run: leave it out")
    try:
        words = as_text(build(TrainConfig, {**others, **given}))
    except InputError as error:
        raise InputError(f"{where}: {error}") from None
    return {name: words[name] for name in given}


def _values(name: str, given: Any, others: Mapping[str, Any]) -> list[str]:
    if not isinstance(given, list) or not given:
        raise InputError(f"space, {name}: give a list of values, as [16, 32], or a range, as {{low: 1, high: 9}}")
    words = [_settings({name: value}, others, "space")[name] for value in given]
    if len(set(words)) < len(words):
        raise InputError(f"space, {name}: a value is there twice ({', '.join(words)}): leave one out")
    return words


def _range(name: str, given: dict[str, Any], others: Mapping[str, Any]) -> Range:
    where = f"space, {name}"
    if unknown := sorted(set(map(str, given)) - {"low", "high", "log", "step"}):
        raise InputError(f"{where}: unknown word {unknown[0]}; a range has low, high, log and step")
    if not {"low", "high"} <= set(given):
        raise InputError(f"{where}: a range needs low and high")
    _settings({name: given["low"]}, others, "space")
    _settings({name: given["high"]}, others, "space")
    kinds = {*typing.get_args(hint)} if typing.get_args(hint := _hints()[name]) else {hint}
    if not kinds & {int, float}:
        raise InputError(f"{where}: only a number has a range; list the values")
    try:
        low, high = float(given["low"]), float(given["high"])
        step = float(given["step"]) if given.get("step") is not None else None
    except (TypeError, ValueError):
        raise InputError(f"{where}: low, high and step are numbers") from None
    log, whole = given.get("log", False), int in kinds
    if not isinstance(log, bool):
        raise InputError(f"{where}: log is true or false")
    if low >= high:
        raise InputError(f"{where}: low is {low:g} and high {high:g}: low must be less")
    if log and (low <= 0 or step is not None):
        raise InputError(f"{where}: on a logarithmic scale low is above 0, and there is no step")
    if step is not None and (step <= 0 or (whole and step != int(step))):
        raise InputError(f"{where}: step is {step:g}: it must be above 0, and whole for a whole number")
    return Range(low, high, log, whole, step)


def _hints() -> dict[str, Any]:
    return typing.get_type_hints(TrainConfig)


def _distinct(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    seen: dict[str, int] = {}
    for number, row in enumerate(rows, 1):
        key = json.dumps(row, sort_keys=True)
        if key in seen:
            raise InputError(f"runs, numbers {seen[key]} and {number} are the same: leave one out")
        seen[key] = number
    return rows


def _columns(rows: list[dict[str, str]], names: tuple[str, ...]) -> dict[str, list[str]]:
    return {name: list(dict.fromkeys(row[name] for row in rows)) for name in names}
