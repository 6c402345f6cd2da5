"""Who is asking, and may they: until authentication is configured, everybody on this machine and nobody else (SEC-31 and on come later).

`shared/design.md`; the rule that the server does not listen beyond loopback without authentication, unless told in so many words.
"""

from __future__ import annotations

import ipaddress


class Exposed(ValueError):
    """Listening there would open patients' data to a network without asking anybody who they are."""


def may_listen(host: str, *, unauthenticated: bool) -> None:
    """Refuse an address beyond loopback unless the setting `unauthenticated` says so."""
    if unauthenticated or is_loopback(host):
        return
    raise Exposed(
        f"host {host}: no authentication is configured, so only loopback is served; "
        "set unauthenticated = true (or --unauthenticated) to open every agenda and patient to that network"
    )


def is_loopback(host: str) -> bool:
    """Whether a host name or address stays on this machine."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
