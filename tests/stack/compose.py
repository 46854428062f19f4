"""What infra/docker-compose.yml says of a service, as it is on this machine instead of in a container."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

INFRA = Path(__file__).resolve().parents[2] / "infra"
# https://docs.docker.com/reference/compose-file/interpolation/
VARIABLE = re.compile(
    r"\$(?:(?P<escaped>\$)|(?P<plain>\w+)|\{(?P<name>\w+)(?:(?P<colon>:?)(?P<kind>[-?+])(?P<text>[^}]*))?\})"
)


@dataclass(frozen=True)
class Container:
    """A service of the compose file: what it runs, with its variables filled in."""

    command: list[str]
    environment: dict[str, str]


def container(name: str, variables: Mapping[str, str], here: Mapping[str, str]) -> Container:
    """The service `name`, with `variables` as .env would set them.

    here: what a text that only makes sense in a container, such as `db:3306` or a folder of a volume, is on this
    machine. Raises KeyError, as `docker compose` refuses to start, where a variable that must be set is not.
    """
    described: dict[str, Any] = yaml.safe_load((INFRA / "docker-compose.yml").read_text())["services"][name]

    def localized(value: object) -> str:
        text = fill_in(str(value), variables)
        for inside, outside in here.items():
            text = text.replace(inside, outside)
        return text

    environment = {key: localized(value) for key, value in (described.get("environment") or {}).items()}
    return Container([localized(word) for word in described.get("command") or ()], environment)


def fill_in(text: str, variables: Mapping[str, str]) -> str:
    """`text` with $NAME, ${NAME}, ${NAME:-else}, ${NAME:?message} and ${NAME:+then} filled in as Compose does."""

    def value(found: re.Match[str]) -> str:
        if found["escaped"]:
            return "$"
        name = found["plain"] or found["name"]
        known = variables.get(name)
        is_set = bool(known) if found["colon"] else known is not None
        match found["kind"]:
            case "-":
                return (known or "") if is_set else fill_in(found["text"], variables)
            case "+":
                return fill_in(found["text"], variables) if is_set else ""
            case "?" if not is_set:
                raise KeyError(f"{name}: {found['text']}")
        return known or ""

    return VARIABLE.sub(value, text)
