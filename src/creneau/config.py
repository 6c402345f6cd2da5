"""Settings: each with its default and its sentence, read from a TOML file, the environment, the command line, in that order.

An unknown name, a value of the wrong type or out of its bounds stops the program with one line that names the place (REL-31).
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

PREFIX: Final = "CRENEAU_"
POSTGRES: Final = ("postgresql://", "postgres://")


class BadSetting(ValueError):
    """A setting that cannot be used; the message is one line naming it and what is expected."""


def _setting(default: Any, doc: str, least: int | None = None) -> Any:
    return field(default=default, metadata={"doc": doc, "least": least})


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything an administrator can set; `creneau check` prints it."""

    host: str = _setting("127.0.0.1", "Address to listen on.")
    port: int = _setting(8080, "Port to listen on; 0 takes a free one.", 0)
    database: str = _setting(
        "sqlite:creneau.sqlite",
        "Where resources are kept: sqlite:FILE, postgresql://USER@HOST/NAME, or memory:.",
    )
    database_connections: int = _setting(10, "Connections to PostgreSQL at the most.", 1)
    database_pooled: bool = _setting(
        False, "PostgreSQL is reached through PgBouncer in transaction mode: name no prepared statement."
    )
    read_database: tuple[str, ...] = _setting(
        (), "Replicas of PostgreSQL that searches may go to: postgresql://… of each, separated by commas."
    )
    workers: int = _setting(1, "Processes that answer; more than one need PostgreSQL.", 1)
    link_key: str = _setting(
        "",
        "Secret that seals the links of POST searches, the same on all hosts of one service; default: a new one at each start.",
    )
    base_url: str = _setting(
        "",
        "Public base of the FHIR interface, such as https://agenda.example/fhir; default: from host and port.",
    )
    base_aliases: tuple[str, ...] = _setting(
        (), "Other base URLs that mean this server in absolute references."
    )
    unauthenticated: bool = _setting(
        False,
        "Listen beyond loopback although nobody is authenticated. Patients' data are open to the network.",
    )
    packages: tuple[str, ...] = _setting(
        (), "FHIR packages (package.tgz) whose profiles are checked as well."
    )
    zone: str = _setting("Europe/Paris", "Time zone of agendas and dates that name none.")
    language: str = _setting("fr", "Language of refusals when the client asks for none: fr or en.")
    identifier_system: str = _setting(
        "urn:oid:2.25.284118474409444849905711326045222415421",
        "System of the business identifiers that this server mints.",
    )
    client_ids: bool = _setting(
        False,
        "Let PUT on an unknown id create the resource (actors, agendas): for a directory that keeps its ids.",
    )
    hold_hours: int = _setting(
        48, "How long a request keeps its time while it waits for an answer, in hours.", 1
    )
    default_duration: int = _setting(15, "Minutes of a slot whose service and actor give no duration.", 1)
    page: int = _setting(50, "Entries of a page when the client does not say.", 1)
    page_limit: int = _setting(1_000, "Entries of a page at the most.", 1)
    body_limit: int = _setting(1_048_576, "Bytes of a body at the most.", 1_024)
    bundle_limit: int = _setting(16_777_216, "Bytes of a Bundle at the most.", 1_024)
    bundle_entries: int = _setting(500, "Entries of a batch or transaction at the most.", 1)
    query_limit: int = _setting(16_384, "Bytes of a query string at the most.", 256)
    request_seconds: int = _setting(5, "Seconds a request may take.", 1)


def shown(database: str) -> str:
    """The setting `database` as it may be printed: without a password."""
    return _PASSWORD.sub(r"\1\2***", database)


def printable(settings: Settings, name: str) -> Any:
    """The value of a setting as it may be printed: without what is secret."""
    value = getattr(settings, name)
    if name == "link_key":
        return "***" if value else ""
    if name == "read_database":
        return tuple(shown(one) for one in value)
    return shown(value) if name == "database" else value


_PASSWORD: Final = re.compile(r"(?<=//)([^:/@?]*:)[^@/?]*(?=@)|([?&]password=)[^&]*")


def sentences() -> dict[str, str]:
    """What each setting means, for `creneau check` and the documentation."""
    return {one.name: one.metadata["doc"] for one in fields(Settings)}


def load(
    file: Path | None = None,
    environment: Mapping[str, str] | None = None,
    given: Mapping[str, Any] | None = None,
) -> Settings:
    """The settings: defaults, then the file, then CRENEAU_… variables, then what the command line gives. Raises BadSetting."""
    values: dict[str, Any] = {}
    if file is not None:
        values |= {name: (value, f"{file}: {name}") for name, value in _read(file).items()}
    variables = os.environ if environment is None else environment
    for name, text in variables.items():
        if name.startswith(PREFIX):
            values[name.removeprefix(PREFIX).lower()] = (text, name)
    values |= {
        name: (value, f"--{name.replace('_', '-')}")
        for name, value in (given or {}).items()
        if value is not None
    }
    known = {one.name: one for one in fields(Settings)}
    settings = Settings()
    for name, (value, place) in values.items():
        if name not in known:
            raise BadSetting(f"{place}: there is no such setting")
        settings = replace(settings, **{name: _typed(known[name], value, place)})
    return _consistent(settings)


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadSetting(f"{file}: {error}") from error


def _typed(known: Any, value: Any, place: str) -> Any:
    default = known.default
    if isinstance(default, tuple):
        return _several(value, place, _BETWEEN_URLS if known.name == "read_database" else _COMMA)
    if isinstance(value, str) and not isinstance(default, str):
        value = _from_text(default, value, place)
    if type(value) is not type(default):
        raise BadSetting(f"{place}: {type(default).__name__} expected")
    least = known.metadata["least"]
    if least is not None and value < least:
        raise BadSetting(f"{place}: at least {least} expected")
    return value


_COMMA: Final = re.compile(",")
_BETWEEN_URLS: Final = re.compile(r",(?=\s*\w+://)")
"""A comma also stands between the hosts of one URL."""


def _several(value: Any, place: str, between: re.Pattern[str]) -> tuple[str, ...]:
    if isinstance(value, str):
        return tuple(part.strip() for part in between.split(value) if part.strip())
    if isinstance(value, list | tuple) and all(isinstance(one, str) for one in value):
        return tuple(value)
    raise BadSetting(f"{place}: a list of strings expected")


def _from_text(default: Any, text: str, place: str) -> Any:
    if isinstance(default, bool):
        if text.lower() in ("1", "true", "yes", "on", "0", "false", "no", "off"):
            return text.lower() in ("1", "true", "yes", "on")
        raise BadSetting(f"{place}: true or false expected")
    try:
        return int(text)
    except ValueError as error:
        raise BadSetting(f"{place}: a whole number expected") from error


def _consistent(settings: Settings) -> Settings:
    if not 0 <= settings.port <= 65_535:
        raise BadSetting("port: 0 to 65535 expected")
    if settings.language not in ("fr", "en"):
        raise BadSetting("language: fr or en expected")
    if settings.page > settings.page_limit:
        raise BadSetting("page: not more than page_limit expected")
    if not settings.database.startswith(("sqlite:", "memory:", *POSTGRES)):
        raise BadSetting("database: sqlite:FILE, postgresql://USER@HOST/NAME or memory: expected")
    if settings.workers > 1 and not settings.database.startswith(POSTGRES):
        raise BadSetting("workers: more than one need a database of PostgreSQL, a file has one owner")
    _reads(settings)
    try:
        ZoneInfo(settings.zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise BadSetting("zone: the name of a time zone, such as Europe/Paris, expected") from error
    return settings


def _reads(settings: Settings) -> None:
    if not all(one.startswith(POSTGRES) for one in settings.read_database):
        raise BadSetting("read_database: postgresql://USER@HOST/NAME expected, several separated by commas")
    if settings.read_database and not settings.database.startswith(POSTGRES):
        raise BadSetting("read_database: goes with a database of PostgreSQL only")
