"""What validation knows: compiled profiles, extension definitions and value sets, decoded when first asked for. https://hl7.org/fhir/R4/packages.html"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final, NamedTuple

import msgspec

from creneau.fhir.definitions import TABLES
from creneau.fhir.validation.base_types import CORE
from creneau.fhir.validation.constraints import Profile, Table
from creneau.fhir.validation.findings import Check


class Codes(NamedTuple):
    """The codes of a value set: each system's, and all of them. `listed` is False for a grammar (MIME types, currencies, UCUM)."""

    by_system: Mapping[str, frozenset[str]] = {}
    every: frozenset[str] = frozenset()
    listed: bool = True


_PROFILE: Final = msgspec.json.Decoder(Profile, float_hook=Decimal)
_CODES: Final = msgspec.json.Decoder(dict[str, list[str]] | None)


class Rulebook:
    """Profiles and value sets by canonical URL without version, and the checks already compiled (by type, by profile)."""

    def __init__(self) -> None:
        """The tables the project carries: R4's required value sets, FR Core and GAP."""
        self.checks: dict[str, Check] = {}
        self.quick: dict[str, Callable[[Mapping[str, Any]], bool]] = {}
        self.profile_checks: dict[str, Check] = {}
        self.types: dict[str, str] = {}
        self._profiles: dict[str, msgspec.Raw] = {}
        self._codes: dict[str, msgspec.Raw] = {}
        self._decoded_codes: dict[str, Codes] = {}
        self._decoded_profiles: dict[str, Profile] = {}
        for name in ("r4-codes.json", "fr.json"):
            self.add(msgspec.json.decode((TABLES / name).read_bytes(), type=Table))

    def add(self, table: Table) -> None:
        """Add the profiles and value sets of a table; a later one replaces an earlier one of the same URL."""
        self.types.update(table.types)
        self._profiles.update(table.profiles)
        self._codes.update(table.codes)

    def profile(self, url: str) -> Profile | None:
        """The compiled profile or extension definition of that URL (a `|version` is ignored), or None when it is not known."""
        url = url.partition("|")[0]
        if url not in self._profiles:
            return None
        if url not in self._decoded_profiles:
            self._decoded_profiles[url] = _PROFILE.decode(self._profiles[url])
        return self._decoded_profiles[url]

    def codes(self, url: str) -> Codes | None:
        """The codes of a value set, or None when the value set is not known."""
        if url not in self._codes:
            return None
        if url not in self._decoded_codes:
            by_system = _CODES.decode(self._codes[url])
            self._decoded_codes[url] = _codes(by_system)
        return self._decoded_codes[url]

    def known_profiles(self) -> tuple[str, ...]:
        """The URLs of every profile and extension definition that can be checked, sorted."""
        return tuple(sorted(self._profiles))


def _codes(by_system: dict[str, list[str]] | None) -> Codes:
    if by_system is None:
        return Codes(listed=False)
    sets = {system: frozenset(codes) for system, codes in by_system.items()}
    return Codes(sets, frozenset().union(*sets.values()))


def is_core(url: str, type_name: str) -> bool:
    """Whether the URL is that of the R4 type itself, which claims nothing more than R4."""
    return url.partition("|")[0] in (CORE + type_name, CORE + "DomainResource", CORE + "Resource")
