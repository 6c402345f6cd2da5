"""The settings of the HTTP front door, each with its default; `config.py` maps the configuration file onto them.

Limits: contract, "Limits"; SEC-20, SEC-23, SEC-26 of the reliability study.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """What the front door may be told.

    `base_url` is the public base that clients see, without a trailing slash: Location, fullUrl and links start with it.
    Sizes are in bytes, durations in seconds.
    """

    base_url: str = "http://127.0.0.1:8080/fhir"
    language: str = "fr"  # of outcomes and pages, when Accept-Language names neither French nor English
    body_limit: int = 1 << 20
    bundle_limit: int = 16 << 20  # a batch or transaction, posted at the base
    query_limit: int = 16 << 10
    query_fields: int = 256  # parameters in one query string or form
    gzip_ratio: int = (
        100  # a compressed body may unfold that many times (see limits.py), never over the limits above
    )
    gzip_over: int | None = (
        None  # answers longer than this are compressed when asked; None leaves it to the proxy
    )
    seconds: float = 5.0  # to answer one request, its body once received
    body_seconds: float = 20.0  # to receive the body
    concurrent: int = 500  # requests in work at once, their bodies received; more are told to come back (503)
    held_limit: int = (
        256 << 20
    )  # bytes of all the bodies held at one moment; more are told to come back (503)
    link_key: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)
    """Seals the criteria inside the links of a POST search; several processes that serve one base share it."""


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """What the listening socket may be told. Sizes are in bytes, durations in seconds."""

    host: str = "127.0.0.1"
    port: int = 8080
    connections: int = 2000  # open at once; more are told to come back (503) and closed
    head_limit: int = 64 << 10  # request line and headers together
    head_seconds: float = 10.0  # to receive them
    write_seconds: float = 30.0  # a client that reads nothing for that long is disconnected
    keep_alive: int = 75
    stop_seconds: int = 20  # requests in work when the stop is asked may take that long
